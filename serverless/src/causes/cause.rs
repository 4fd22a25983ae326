//! The causes there are.

use hearth_policy_api::PolicySlot;

/// What a part of an invocation's latency was spent on, in the order in which an invocation comes to them.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// The head was down.
    HeadDown,
    /// It, or news of it, waited at the head, which was processing other requests.
    HeadQueue,
    /// The head processed its request.
    HeadProcessing,
    /// Admission put it off.
    AdmissionDelay,
    /// Its image was downloaded to the head: the time that takes alone.
    ImageDownload,
    /// What that took longer since links and disks were shared.
    ImageDownloadSharing,
    /// Its image was copied to its node: the time that takes alone.
    ImageCopy,
    /// What that took longer since links and disks were shared.
    ImageCopySharing,
    /// Its image was loaded into the RAM of its node: the time that takes alone.
    ImageLoad,
    /// What that took longer since the disk was shared.
    ImageLoadSharing,
    /// Its image could not be moved: there was no room for it, or no way.
    ImageBlocked,
    /// No node had a free core.
    CoresBusy,
    /// Cores were free, and node allocation had it wait, or one before it.
    PolicyWait,
    /// There were as many containers of its function as there may be.
    ContainerLimit,
    /// Node allocation named a node on which there was no room for its container.
    NodeFull,
    /// Node allocation had it wait for a container in use.
    BusyContainer,
    /// Node allocation had it stand in the queues of nodes.
    NodeQueue,
    /// All instances of its function had as many requests as they take.
    InstancesBusy,
    /// The instance that served it was not wanted yet by the autoscaler.
    AutoscalerLag,
    /// The instance that served it was being created, or waited for that or for the agent of its node.
    ControlPlane,
    /// Starts of instances had failed.
    FailedStart,
    /// Its container, or the instance that served it, started: the time that takes alone.
    ContainerStart,
    /// What the start took longer since processors were shared, or the disk that it was restored from.
    ContainerStartSharing,
    /// Its body worked: it computed, at the speed of a core, or let time pass.
    Work,
    /// What it computed took longer since processors were shared.
    WorkSharing,
    /// Its body moved data, or waited for its inputs: the time that takes alone.
    DataTransfer,
    /// What that took longer since links and disks were shared.
    DataTransferSharing,
    /// Its node was slowed down by a fault.
    SlowNode,
    /// A link was degraded by a fault.
    DegradedLink,
    /// Its image was on its way when a host or link went down.
    InterruptedTransfer,
    /// Earlier attempts at it came to nothing.
    LostAttempts,
    /// The pause before another attempt.
    RetryPause,
    /// The attempt that completed was made beside one that took long, so much later.
    HedgeDelay,
}

/// What kind of thing a cause is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// The head.
    Head,
    /// Room for it: cores, containers, instances.
    Capacity,
    /// What a policy answered.
    Policy,
    /// The way of its image.
    Image,
    /// The start of its container.
    Start,
    /// Its body.
    Body,
    /// Others at the same links, disks and processors.
    Sharing,
    /// Faults, and what is done about them.
    Fault,
}

impl Family {
    /// All families, in the order of reports.
    pub const ALL: [Self; 8] =
        [Self::Head, Self::Capacity, Self::Policy, Self::Image, Self::Start, Self::Body, Self::Sharing, Self::Fault];

    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Capacity => "capacity",
            Self::Policy => "policy",
            Self::Image => "image",
            Self::Start => "start",
            Self::Body => "body",
            Self::Sharing => "sharing",
            Self::Fault => "fault",
        }
    }
}

/// What is known of a cause: its word in files, what to call it, what it says, and its family.
type About = (&'static str, &'static str, &'static str, Family);

impl Cause {
    /// Whether it is a wait that only the head ends: while that is down, this is by the fault.
    pub(crate) fn is_up_to_the_head(self) -> bool {
        matches!(
            self,
            Self::HeadQueue
                | Self::ImageBlocked
                | Self::NodeFull
                | Self::BusyContainer
                | Self::NodeQueue
                | Self::InstancesBusy
                | Self::AutoscalerLag
        )
    }

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All causes, in the order in which an invocation comes to them.
    pub const ALL: [Self; 33] = [
        Self::HeadDown,
        Self::HeadQueue,
        Self::HeadProcessing,
        Self::AdmissionDelay,
        Self::ImageDownload,
        Self::ImageDownloadSharing,
        Self::ImageCopy,
        Self::ImageCopySharing,
        Self::ImageLoad,
        Self::ImageLoadSharing,
        Self::ImageBlocked,
        Self::CoresBusy,
        Self::PolicyWait,
        Self::ContainerLimit,
        Self::NodeFull,
        Self::BusyContainer,
        Self::NodeQueue,
        Self::InstancesBusy,
        Self::AutoscalerLag,
        Self::ControlPlane,
        Self::FailedStart,
        Self::ContainerStart,
        Self::ContainerStartSharing,
        Self::Work,
        Self::WorkSharing,
        Self::DataTransfer,
        Self::DataTransferSharing,
        Self::SlowNode,
        Self::DegradedLink,
        Self::InterruptedTransfer,
        Self::LostAttempts,
        Self::RetryPause,
        Self::HedgeDelay,
    ];

    fn about(self) -> About {
        use Family::{Body, Capacity, Fault, Head, Image, Policy, Sharing, Start};
        match self {
            Self::HeadDown => ("head_down", "head down", "the head was down", Fault),
            Self::HeadQueue => (
                "head_queue",
                "queue at the head",
                "it, or news of it, waited at the head, which processed other requests",
                Head,
            ),
            Self::HeadProcessing => {
                ("head_processing", "processing by the head", "the head processed its request", Head)
            }
            Self::AdmissionDelay => ("admission_delay", "delay by admission", "admission put it off", Policy),
            Self::ImageDownload => {
                ("image_download", "image download", "its image came to the head: the time that takes alone", Image)
            }
            Self::ImageDownloadSharing => (
                "image_download_sharing",
                "image download beside others",
                "what that took longer since links and disks were shared",
                Sharing,
            ),
            Self::ImageCopy => {
                ("image_copy", "image copy", "its image came to its node: the time that takes alone", Image)
            }
            Self::ImageCopySharing => (
                "image_copy_sharing",
                "image copy beside others",
                "what that took longer since links and disks were shared",
                Sharing,
            ),
            Self::ImageLoad => {
                ("image_load", "image load", "its image was loaded into RAM: the time that takes alone", Image)
            }
            Self::ImageLoadSharing => (
                "image_load_sharing",
                "image load beside others",
                "what that took longer since the disk was shared",
                Sharing,
            ),
            Self::ImageBlocked => (
                "image_blocked",
                "image blocked",
                "its image could not be moved: there was no room for it, or no way",
                Image,
            ),
            Self::CoresBusy => ("cores_busy", "all cores busy", "no node had a free core", Capacity),
            Self::PolicyWait => (
                "policy_wait",
                "told to wait by node allocation",
                "cores were free, and node allocation had it wait, or one before it",
                Policy,
            ),
            Self::ContainerLimit => (
                "container_limit",
                "limit of containers",
                "there were as many containers of its function as there may be",
                Capacity,
            ),
            Self::NodeFull => (
                "node_full",
                "no room on the node",
                "node allocation named a node without room for its container",
                Capacity,
            ),
            Self::BusyContainer => {
                ("busy_container", "wait for a container in use", "as node allocation answered", Policy)
            }
            Self::NodeQueue => ("node_queue", "queue of a node", "as node allocation answered", Policy),
            Self::InstancesBusy => (
                "instances_busy",
                "all instances busy",
                "all instances of its function had as many requests as they take",
                Capacity,
            ),
            Self::AutoscalerLag => (
                "autoscaler_lag",
                "instance not wanted yet",
                "the autoscaler did not want the instance yet that served it",
                Policy,
            ),
            Self::ControlPlane => (
                "control_plane",
                "control plane",
                "the instance that served it was being created, or waited for that or for the agent of its node",
                Start,
            ),
            Self::FailedStart => ("failed_start", "failed start", "starts of instances had failed", Fault),
            Self::ContainerStart => (
                "container_start",
                "container start",
                "its container started, or the instance that served it: the time that takes alone",
                Start,
            ),
            Self::ContainerStartSharing => (
                "container_start_sharing",
                "container start beside others",
                "what that took longer since processors were shared",
                Sharing,
            ),
            Self::Work => ("work", "work of the body", "it computed, at the speed of a core, or let time pass", Body),
            Self::WorkSharing => (
                "work_sharing",
                "work beside others",
                "what it computed took longer since processors were shared",
                Sharing,
            ),
            Self::DataTransfer => (
                "data_transfer",
                "data transfer",
                "its body moved data, or waited for its inputs: the time that takes alone",
                Body,
            ),
            Self::DataTransferSharing => (
                "data_transfer_sharing",
                "data transfer beside others",
                "what that took longer since links and disks were shared",
                Sharing,
            ),
            Self::SlowNode => ("slow_node", "slow node", "its node was slowed down by a fault", Fault),
            Self::DegradedLink => ("degraded_link", "degraded link", "a link was degraded by a fault", Fault),
            Self::InterruptedTransfer => (
                "interrupted_transfer",
                "interrupted transfer",
                "its image was on its way when a host or link went down",
                Fault,
            ),
            Self::LostAttempts => ("lost_attempts", "lost attempts", "earlier attempts at it came to nothing", Fault),
            Self::RetryPause => {
                ("retry_pause", "pause before another attempt", "after one that came to nothing", Fault)
            }
            Self::HedgeDelay => (
                "hedge_delay",
                "wait for the hedge",
                "the attempt that completed was made so much later than the first",
                Fault,
            ),
        }
    }

    /// The word used in files.
    ///
    /// ```
    /// assert_eq!(hearth_serverless::causes::Cause::CoresBusy.name(), "cores_busy");
    /// ```
    pub fn name(self) -> &'static str {
        self.about().0
    }

    /// What to call it.
    pub fn title(self) -> &'static str {
        self.about().1
    }

    /// What it says.
    pub fn note(self) -> &'static str {
        self.about().2
    }

    /// What kind of thing it is.
    pub fn family(self) -> Family {
        self.about().3
    }

    /// The policy whose answer it is, if it is one's.
    pub fn policy(self) -> Option<PolicySlot> {
        match self {
            Self::AdmissionDelay => Some(PolicySlot::Admission),
            Self::PolicyWait | Self::BusyContainer | Self::NodeQueue => Some(PolicySlot::NodeAllocation),
            Self::AutoscalerLag => Some(PolicySlot::Autoscaling),
            _ => None,
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_numbered_as_they_are_listed_and_no_two_are_called_the_same() {
        for (number, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!((cause as usize, Cause::named(cause.name())), (number, Some(cause)));
            assert_eq!(Cause::ALL.iter().filter(|other| other.title() == cause.title()).count(), 1);
        }
    }
}
