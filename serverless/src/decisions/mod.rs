//! The log of decisions: each call of each policy in order, with what it was about, what was shown, what was answered and what was
//! asked for besides. `docs/decisions.md` is its format.

mod answer;
mod call_view;
mod calls;
mod compare;
mod fields;
mod header;
mod held;
mod instead;
mod policy_log;
mod reader;
mod recorder;
mod seen;
mod told;
mod writer;

use std::borrow::Cow;
use std::fmt;

use hearth_policy_api::PolicySlot;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use self::answer::{Answered, Noted, Offered, order};
pub use self::call_view::CallView;
pub(crate) use self::calls::SharedCalls;
pub use self::compare::{Aligned, Parted};
#[cfg(test)]
pub(crate) use self::fields::{all, one};
pub use self::header::{DecisionsHeader, FORMAT, LoggedPolicy};
pub(crate) use self::held::Held;
pub use self::instead::{AnsweredInstead, Instead};
pub(crate) use self::instead::{Replaceable, offers};
pub(crate) use self::policy_log::PolicyLog;
pub use self::reader::{DecisionLog, LogError};
#[cfg(test)]
pub(crate) use self::recorder::hash_of;
pub(crate) use self::recorder::{Call, Observers, Recorder};
pub(crate) use self::seen::Seen;
pub use self::told::CallAnswer;
pub use self::writer::{DecisionWriter, WrittenAs};

/// What is written of what calls show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Views {
    /// Nothing.
    None,
    /// A hash: the first 16 hexadecimal digits of the SHA-256 of the text that would be written in full.
    #[default]
    Hash,
    /// All of it, from which the call can be made again.
    Full,
}

impl Views {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::None, Self::Hash, Self::Full];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hash => "hash",
            Self::Full => "full",
        }
    }
}

/// What is noted of the calls of policies while an experiment runs, beside its results, and which of them is answered otherwise.
///
/// ```
/// use hearth_serverless::decisions::{Observation, Views};
/// let nothing = Observation::default();
/// assert!(nothing.decisions.is_none() && nothing.log.is_none());
/// let all = Observation { decisions: Some(Views::Full), ..nothing };
/// assert!(!all.is_timed);
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Observation {
    /// Whether calls are logged, and what of what they show.
    pub decisions: Option<Views>,
    /// Whether it is noted how much real time each call took, which is another in each run.
    pub is_timed: bool,
    /// Up to which level the policies' own log is read.
    pub log: Option<hearth_policy_api::LogLevel>,
    /// A call that is answered otherwise, of which [`Results::answered_instead`](crate::experiment::Results::answered_instead) says what has
    /// come. All before it is as it was.
    pub instead: Option<Instead>,
}

/// What a call is about, as far as it is about one of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The number of the invocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<u64>,
    /// Which attempt at it, 1 for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The function's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<u32>,
    /// The node's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The container's number within its node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<u32>,
    /// The image's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<u32>,
    /// The link's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<u32>,
    /// The number of the pool of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<u32>,
    /// The number of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<u32>,
    /// The instance's number for the timer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<u64>,
}

impl About {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for About {
    /// What it is about, as in "invocation 3, function 0, node 1".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(&[], &[]))
    }
}

impl About {
    /// What it is about, with these names of functions and nodes where they have one.
    pub fn named(&self, functions: &[String], nodes: &[String]) -> String {
        let Self { invocation, attempt, function, node, container, image, link, pool, workflow, timer } = *self;
        let number = |name: &str, number: Option<u64>| number.map(|number| format!("{name} {number}"));
        let small = |name: &str, value: Option<u32>| number(name, value.map(u64::from));
        let called = |what: &str, value: Option<u32>, names: &[String]| {
            value.map(|number| match names.get(number as usize) {
                Some(name) => format!("{what} {name}"),
                None => format!("{what} {number}"),
            })
        };
        let parts = [
            number("invocation", invocation),
            small("attempt", attempt.filter(|attempt| *attempt > 1)),
            called("function", function, functions),
            small("container", container),
            small("image", image),
            called("node", node, nodes),
            small("link", link),
            small("pool", pool),
            small("workflow", workflow),
            number("timer", timer),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A line of the policies' own log, within a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogLine {
    /// How important it is.
    pub level: Cow<'static, str>,
    /// What it says.
    pub text: String,
}

/// A call of a policy: a line of the log of decisions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// Its number among all calls of the simulation, from 1: the same in each run of a scenario, whatever is logged.
    #[serde(rename = "call")]
    pub number: u64,
    /// The simulated date, in ns.
    pub date_ns: u64,
    /// The slot of the policy.
    #[serde(with = "slot")]
    pub slot: PolicySlot,
    /// The node whose storage the instance serves; none for that of the head, and for all that have one instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<u32>,
    /// What was called.
    pub method: Cow<'static, str>,
    /// What it was about.
    #[serde(default, skip_serializing_if = "About::is_nothing")]
    pub about: About,
    /// What was shown: text is its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<RawValue>>,
    /// What was answered, if the call has an answer.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub answer: Value,
    /// Why the call failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// What the policy asked for besides, in order: timers, containers and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Value>,
    /// What it said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
    /// How much real time it took, in ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ns: Option<u64>,
}

impl Decision {
    /// What was answered and asked for, in a line.
    pub fn answered(&self) -> String {
        let mut parts = Vec::new();
        if let Some(cause) = &self.failed {
            parts.push(format!("failed: {cause}"));
        } else if !self.answer.is_null() {
            parts.push(self.answer.to_string());
        }
        parts.extend(self.orders.iter().map(|order| format!("asked for {order}")));
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }

    /// Whether something else was answered or asked for in it.
    pub fn differs_from(&self, other: &Self) -> bool {
        self.answer != other.answer || self.failed != other.failed || self.orders != other.orders
    }

    /// Whose call it was: the slot, and the node of the storage that it serves.
    pub fn callee(&self) -> String {
        let slot = self.slot.path();
        self.storage.map_or_else(|| slot.to_owned(), |node| format!("{slot} of node {node}"))
    }
}

impl fmt::Display for Decision {
    /// Which call it is, as in "call 17, at 1.5 s: place of node_allocation about invocation 3".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date_ns as f64 / 1e9;
        write!(f, "call {}, at {date} s: {} of {}", self.number, self.method, self.callee())?;
        if self.about.is_nothing() { Ok(()) } else { write!(f, " about {}", self.about) }
    }
}

/// Takes decisions one after the other.
///
/// ```
/// use hearth_serverless::decisions::{Decision, DecisionSink, DecisionsHeader};
/// struct Count(u64);
/// impl DecisionSink for Count {
///     fn write(&mut self, _decision: &Decision) -> std::io::Result<()> {
///         self.0 += 1;
///         Ok(())
///     }
/// }
/// ```
pub trait DecisionSink {
    /// Takes what the decisions are of, before the first of them.
    ///
    /// # Errors
    /// When it cannot be passed on, which ends the simulation.
    fn begin(&mut self, _header: &DecisionsHeader) -> std::io::Result<()> {
        Ok(())
    }

    /// Whether it is still to be told of decisions. Once it is not, calls are only counted.
    fn wants_more(&self) -> bool {
        true
    }

    /// Takes the next decision.
    ///
    /// # Errors
    /// When it cannot be passed on, which ends the simulation.
    fn write(&mut self, decision: &Decision) -> std::io::Result<()>;

    /// All decisions have come.
    ///
    /// # Errors
    /// When something that was held back cannot be passed on.
    fn finish(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

mod slot {
    use hearth_policy_api::PolicySlot;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(slot: &PolicySlot, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(slot.path())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PolicySlot, D::Error> {
        let path = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let slot = PolicySlot::ALL.into_iter().find(|slot| slot.path() == path);
        slot.ok_or_else(|| D::Error::custom(format!("{path:?} is no slot of a policy")))
    }
}
