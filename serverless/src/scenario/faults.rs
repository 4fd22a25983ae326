//! What goes wrong, and what is tried again, as a scenario says it.

use hearth_simcore::time::SimDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::ScenarioError;
use crate::distribution::Distribution;
use crate::fault::Pauses;
use crate::quantity::Seconds;

/// What goes wrong.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "faults: an object")]
pub struct FaultsSection {
    /// By plan.
    #[serde(default)]
    pub scripted: Vec<ScriptedFault>,
    /// By chance.
    #[serde(default)]
    pub drawn: Vec<DrawnFault>,
    /// Of containers.
    #[serde(default)]
    pub containers: ContainerFaults,
    /// What becomes of those that wait when the head goes down.
    #[serde(default)]
    pub head_queue: Kept,
}

/// Whether something outlasts an outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// It is there when the host is back.
    #[default]
    Kept,
    /// It is gone.
    Lost,
}

/// A fault at a date: of hosts (down, or slow with `slow`), of a link (down, or degraded with `bandwidth`), or of the disk
/// of hosts (its content is lost).
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a fault: an object")]
pub struct ScriptedFault {
    /// When it begins.
    pub at: Seconds,
    /// How long it lasts; without it, until the same comes `up`, or for ever.
    #[serde(rename = "for")]
    pub length: Option<Seconds>,
    /// A host, or `group-*` for all hosts of that prefix.
    pub host: Option<String>,
    /// A link.
    pub link: Option<String>,
    /// A host, or `group-*`, whose disk loses its images.
    pub disk: Option<String>,
    /// Not a fault but the end of those of the same host or link that began before without a length.
    #[serde(default)]
    pub up: bool,
    /// The host is not down, but everything that begins on it takes so many times as long.
    pub slow: Option<f64>,
    /// The link is not down, but has this part of its bandwidth.
    pub bandwidth: Option<f64>,
    /// What becomes of the disks of hosts that go down.
    #[serde(default)]
    pub disk_content: Kept,
}

/// Faults that come and go by chance, of each host or link on its own.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "drawn faults: an object")]
pub struct DrawnFault {
    /// Hosts by name, or `group-*`.
    pub hosts: Option<String>,
    /// A link, or `group-*`.
    pub links: Option<String>,
    /// Seconds from the end of one to the next.
    pub time_between_failures: Distribution,
    /// Seconds from the begin of one to its end.
    pub time_to_repair: Distribution,
    /// The hosts are not down, but everything that begins on them takes so many times as long.
    pub slow: Option<f64>,
    /// The links are not down, but have this part of their bandwidth.
    pub bandwidth: Option<f64>,
    /// What becomes of the disks of hosts that go down.
    #[serde(default)]
    pub disk_content: Kept,
}

/// Containers that crash.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "faults of containers: an object")]
pub struct ContainerFaults {
    /// The chance that the container of an invocation crashes at the end of its run.
    #[serde(default)]
    pub crash_per_invocation: f64,
    /// How often a container that runs crashes, per second.
    #[serde(default)]
    pub crash_per_second: f64,
}

/// What is done about what went wrong.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "recovery: an object")]
pub struct RecoverySection {
    /// Invocations that did not end well are tried again.
    pub retry: Option<RetrySection>,
    /// Invocations that take long are asked for a second time; the first to complete counts.
    pub hedge: Option<HedgeSection>,
    /// Images are copied to other nodes when copies are lost.
    pub replicate: Option<ReplicateSection>,
}

/// How many copies of an image are kept within reach.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "replication: an object")]
pub struct ReplicateSection {
    /// On the disks of so many nodes that are up, once a copy is lost.
    #[schemars(range(min = 1))]
    pub copies: u32,
}

/// When an invocation is asked for a second time.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "hedging: an object")]
pub struct HedgeSection {
    /// So long after an attempt was submitted.
    pub after: Seconds,
}

/// Which invocations are tried again, and when.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "retries: an object")]
pub struct RetrySection {
    /// How often an invocation is tried at the most, the first time included.
    #[schemars(range(min = 1))]
    pub max_attempts: u32,
    /// The pause before each further attempt; without it, none.
    pub backoff: Option<Backoff>,
    /// The part of a pause that is drawn at random, 0 to 1.
    #[serde(default)]
    pub jitter: f64,
    /// Which outcomes; without it, those that were lost.
    #[serde(default = "lost_alone")]
    pub on: Vec<RetriedOutcome>,
    /// No attempt begins so long after the request.
    pub deadline: Option<Seconds>,
}

fn lost_alone() -> Vec<RetriedOutcome> {
    vec![RetriedOutcome::Lost]
}

/// Pauses between attempts.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Backoff {
    /// Always the same.
    Constant(Seconds),
    /// Each longer than the one before.
    Exponential {
        /// The first.
        initial: Seconds,
        /// By what each is longer; without it, 2.
        factor: Option<f64>,
        /// The longest; without it, a minute.
        max: Option<Seconds>,
    },
}

impl Backoff {
    /// Checks the numbers: what is wrong with which field.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match self {
            Self::Exponential { factor: Some(factor), .. } if !(factor.is_finite() && *factor >= 1.0) => {
                Err(("exponential.factor", "must be at least 1"))
            }
            _ => Ok(()),
        }
    }

    /// As the service takes it.
    pub(crate) fn pauses(&self) -> Pauses {
        match self {
            Self::Constant(pause) => Pauses { first: pause.duration(), factor: 1.0, longest: pause.duration() },
            Self::Exponential { initial, factor, max } => {
                let longest = max.map_or(SimDuration::from_secs(60), |max| max.duration());
                Pauses { first: initial.duration(), factor: factor.unwrap_or(2.0), longest }
            }
        }
    }
}

/// An outcome after which an invocation may be tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetriedOutcome {
    /// Its node, container or head failed.
    Lost,
    /// Its body failed.
    Failed,
    /// It reached its time limit.
    TimedOut,
}

impl FaultsSection {
    /// Checks the numbers, and that each fault is of one thing.
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        let wrong = |place: String, problem: &str| ScenarioError::invalid(place, problem);
        for (position, fault) in self.scripted.iter().enumerate() {
            let place = |field: &str| format!("faults.scripted[{position}]{field}");
            let things = [fault.host.is_some(), fault.link.is_some(), fault.disk.is_some()];
            if things.iter().filter(|given| **given).count() != 1 {
                return Err(wrong(place(""), "expected one of \"host\", \"link\" and \"disk\""));
            }
            if fault.up && (fault.length.is_some() || fault.disk.is_some()) {
                return Err(wrong(place(".up"), "goes with \"at\" and \"host\" or \"link\" alone"));
            }
            check_degree(fault.slow, fault.host.is_some(), fault.bandwidth, fault.link.is_some(), place)?;
        }
        for (position, fault) in self.drawn.iter().enumerate() {
            let place = |field: &str| format!("faults.drawn[{position}]{field}");
            if fault.hosts.is_some() == fault.links.is_some() {
                return Err(wrong(place(""), "expected one of \"hosts\" and \"links\""));
            }
            check_degree(fault.slow, fault.hosts.is_some(), fault.bandwidth, fault.links.is_some(), place)?;
            for (field, distribution) in
                [("time_between_failures", &fault.time_between_failures), ("time_to_repair", &fault.time_to_repair)]
            {
                distribution.check().map_err(|problem| wrong(place(&format!(".{field}")), &problem))?;
            }
        }
        let ContainerFaults { crash_per_invocation, crash_per_second } = self.containers;
        if !(0.0..=1.0).contains(&crash_per_invocation) {
            return Err(wrong("faults.containers.crash_per_invocation".to_owned(), "must be from 0 to 1"));
        }
        if !(0.0..=1e9).contains(&crash_per_second) {
            return Err(wrong("faults.containers.crash_per_second".to_owned(), "must be at least 0"));
        }
        Ok(())
    }
}

fn check_degree(
    slow: Option<f64>,
    of_hosts: bool,
    bandwidth: Option<f64>,
    of_links: bool,
    place: impl Fn(&str) -> String,
) -> Result<(), ScenarioError> {
    if let Some(slow) = slow {
        if !of_hosts {
            return Err(ScenarioError::invalid(place(".slow"), "is for hosts: links take \"bandwidth\""));
        }
        if !(slow.is_finite() && slow > 0.0) {
            return Err(ScenarioError::invalid(place(".slow"), "must be above 0"));
        }
    }
    if let Some(bandwidth) = bandwidth {
        if !of_links {
            return Err(ScenarioError::invalid(place(".bandwidth"), "is for links: hosts take \"slow\""));
        }
        if !(bandwidth > 0.0 && bandwidth <= 1.0) {
            return Err(ScenarioError::invalid(place(".bandwidth"), "must be above 0 and at most 1"));
        }
    }
    Ok(())
}

impl RecoverySection {
    /// Checks the numbers.
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        if self.replicate.is_some_and(|replicate| replicate.copies == 0) {
            return Err(ScenarioError::invalid("recovery.replicate.copies", "must be at least 1"));
        }
        let Some(retry) = &self.retry else { return Ok(()) };
        let wrong = |field: &str, problem: &str| ScenarioError::invalid(format!("recovery.retry.{field}"), problem);
        if retry.max_attempts == 0 {
            return Err(wrong("max_attempts", "must be at least 1"));
        }
        if !(0.0..=1.0).contains(&retry.jitter) {
            return Err(wrong("jitter", "must be from 0 to 1"));
        }
        let backoff = retry.backoff.as_ref().map_or(Ok(()), Backoff::check);
        backoff.map_err(|(field, problem)| wrong(&format!("backoff.{field}"), problem))
    }
}
