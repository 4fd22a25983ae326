//! Why there was no container for an invocation that had a cold start.

use hearth_policy_api::PolicySlot;

use super::ContainerEnd;

/// Why an invocation found no container to start in.
///
/// Those that would have had a cold start though nothing had ever been taken away come first: a function had no container before, or
/// never as many at once. The others had one once that would have been free, and the cause is what became of the one that ended last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ColdStartCause {
    /// An idle container was on the node, and node allocation asked for a new one.
    PassedOver,
    /// An idle container was on another node.
    OnOtherNode,
    /// Its function had never had a container.
    First,
    /// Never before were so many of its function under way at once.
    Concurrency,
    /// Keep-alive had not kept the last one that ended.
    NotKept,
    /// The keep-alive of the last one that ended was over.
    Expired,
    /// The last one that ended was evicted.
    Evicted,
    /// A policy had the last one that ended removed, or the autoscaler wanted fewer instances.
    Removed,
    /// The last one that ended had crashed.
    Crashed,
    /// The last one that ended was lost with its node.
    Lost,
    /// The last one that ended was stopped with an attempt that was not needed any more.
    Stopped,
}

impl ColdStartCause {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::PassedOver,
        Self::OnOtherNode,
        Self::First,
        Self::Concurrency,
        Self::NotKept,
        Self::Expired,
        Self::Evicted,
        Self::Removed,
        Self::Crashed,
        Self::Lost,
        Self::Stopped,
    ];

    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::PassedOver => "passed_over",
            Self::OnOtherNode => "on_other_node",
            Self::First => "first",
            Self::Concurrency => "concurrency",
            Self::NotKept => "not_kept",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Removed => "removed",
            Self::Crashed => "crashed",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }

    /// What it says.
    pub fn note(self) -> &'static str {
        match self {
            Self::PassedOver => "an idle one was on the node, and node allocation asked for a new one",
            Self::OnOtherNode => "an idle one was on another node",
            Self::First => "its function had never had one",
            Self::Concurrency => "never before were so many of its function under way at once",
            Self::NotKept => "keep-alive had not kept the last one",
            Self::Expired => "the keep-alive of the last one was over",
            Self::Evicted => "the last one was evicted",
            Self::Removed => "a policy had the last one removed, or fewer instances were wanted",
            Self::Crashed => "the last one had crashed",
            Self::Lost => "the last one was lost with its node",
            Self::Stopped => "the last one was stopped with an attempt that was not needed any more",
        }
    }

    /// The policy whose answer it is, if it is one's.
    pub fn policy(self) -> Option<PolicySlot> {
        match self {
            Self::PassedOver | Self::OnOtherNode => Some(PolicySlot::NodeAllocation),
            Self::NotKept | Self::Expired => Some(PolicySlot::KeepAlive),
            Self::Evicted => Some(PolicySlot::Containers),
            Self::First | Self::Concurrency | Self::Removed | Self::Crashed | Self::Lost | Self::Stopped => None,
        }
    }
}

/// Why there was no container for an invocation that had a cold start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColdStart {
    /// The cause.
    pub cause: ColdStartCause,
    /// The end of the last container of its function, if that is the cause.
    pub end: Option<ContainerEnd>,
    /// The number of the node where that was, or where an idle one is.
    pub node: Option<u32>,
}

impl ColdStart {
    /// One of a cause about which there is no more to say.
    pub fn of(cause: ColdStartCause) -> Self {
        Self { cause, end: None, node: None }
    }
}
