//! Functions that are served by instances, and what starts these, as a scenario says it.

use std::rc::Rc;

use hearth_policy_api::Scale;
use hearth_simcore::time::SimDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Backoff, ProcessorSharingName, ScenarioError};
use crate::distribution::Distribution;
use crate::fault::Pauses;
use crate::function::{
    ControlPlane, ImageId, InstanceSettings, Pausing, Pods, Routing, Snapshot, SnapshotPlace, StartFailure, StartPhase,
    Station,
};
use crate::quantity::{Bytes, Seconds};

/// How a function is served that has instances, each of which takes several requests at once.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "instances: an object")]
pub struct InstancesSection {
    /// How many requests an instance serves at once at the most, or "unlimited".
    #[serde(default)]
    pub concurrency: Concurrency,
    /// How many instances there are at the least.
    #[serde(default)]
    pub min_scale: u32,
    /// How many there are at the most; without it, any number.
    #[schemars(range(min = 1))]
    pub max_scale: Option<u32>,
    /// How many there are to be at the begin.
    #[serde(default)]
    pub initial_scale: u32,
    /// Which instance takes a request.
    #[serde(default)]
    pub routing: RoutingName,
    /// How many requests may wait at an instance, rather than in the queue of the function.
    #[serde(default)]
    pub queue_at_instance: u32,
    /// What the start of an instance takes beside the startup overhead of its function, one after the other.
    #[serde(default)]
    pub start: Vec<PhaseSection>,
    /// How many seconds it takes to remove an instance that has no more requests, and holds its memory meanwhile; without it, none.
    pub removal: Option<Distribution>,
    /// Whether starts come to nothing; without it, none does.
    pub start_failure: Option<StartFailureSection>,
    /// Instances of which fewer are wanted are paused, for the next one to take their container; without it, they are removed.
    pub paused: Option<PausedSection>,
    /// Starts are restored from what an earlier one has come to; without it, each passes all phases.
    pub snapshot: Option<SnapshotSection>,
}

/// How many requests at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Concurrency(pub u32);

impl Default for Concurrency {
    /// One.
    fn default() -> Self {
        Self(1)
    }
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number of requests of at least 1, or \"unlimited\"")]
        enum Written {
            Number(u32),
            Word(Word),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            Unlimited,
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Word(Word::Unlimited) => Ok(Self(u32::MAX)),
        }
    }
}

impl JsonSchema for Concurrency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Concurrency".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How many requests at once.",
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": u32::MAX}, {"const": "unlimited"}],
        })
    }
}

/// Which of the instances that have room takes a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutingName {
    /// The one with the fewest requests, of several the oldest.
    #[default]
    LeastLoaded,
    /// The oldest.
    First,
    /// One after the other, by age.
    RoundRobin,
    /// Of two that are drawn, the one with fewer requests.
    RandomOfTwo,
}

/// A part of the start of an instance.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a phase of a start: an object")]
pub struct PhaseSection {
    /// What happens in it, such as "runtime".
    pub phase: String,
    /// How many seconds it takes.
    pub time: Distribution,
}

/// How starts come to nothing.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "failures of starts: an object")]
pub struct StartFailureSection {
    /// The chance of each start, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub chance: f64,
    /// The phase of `start` at whose end it shows; without it, at the end of the start.
    pub after: Option<String>,
    /// The pause before another one is begun in its place, which grows with those that have failed there in a row; without it, none.
    pub backoff: Option<Backoff>,
}

/// How instances of which fewer are wanted are paused.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "how instances are paused: an object")]
pub struct PausedSection {
    /// How long at the most; without it, until the room is needed.
    #[serde(rename = "for")]
    pub keep_for: Option<Seconds>,
    /// The share of its RAM that a paused one keeps, 0 to 1.
    #[serde(default = "all")]
    #[schemars(range(min = 0, max = 1))]
    pub ram: f64,
    /// How many seconds it takes to pause one, which holds its memory meanwhile; without it, none.
    pub pause: Option<Distribution>,
    /// How many seconds it takes until one that is taken is up; without it, none.
    pub resume: Option<Distribution>,
}

fn all() -> f64 {
    1.0
}

/// How starts are restored.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a snapshot: an object")]
pub struct SnapshotSection {
    /// The phases of `start` that a restored start does without.
    pub phases: Vec<String>,
    /// Whether it does without `processors.startup`, too.
    #[serde(default)]
    pub work: bool,
    /// How many seconds it takes to restore one, in place of the first of them.
    pub restore: Distribution,
    /// What is read from the disk of the node before; without it, nothing.
    pub size: Option<Bytes>,
    /// How many seconds after the instance is up that makes it a snapshot is there; without it, none.
    pub create: Option<Distribution>,
    /// Where it is.
    #[serde(default, rename = "where")]
    pub place: SnapshotPlaceName,
    /// Who makes it.
    #[serde(default)]
    pub made: SnapshotMakerName,
}

/// Where a snapshot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotPlaceName {
    /// On the node on which it was made.
    #[default]
    Node,
    /// On all nodes.
    Everywhere,
}

/// Who makes a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotMakerName {
    /// The first start.
    #[default]
    FirstStart,
    /// It is on all nodes before any start.
    Beforehand,
}

/// A pool of generic containers that instances take.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a pool of pods: an object")]
pub struct PodsSection {
    /// What it is called, among functions.
    pub name: String,
    /// What each holds of RAM: functions with more do not fit.
    pub ram: Bytes,
    /// How many cores are kept for each: functions for which more are do not fit; without it, none.
    #[serde(default)]
    pub processors: f64,
    /// The image that they have in RAM, which those have that fit; without it, none.
    pub image: Option<String>,
    /// How many are to be ready, or on their way, on all nodes together.
    pub ready: u32,
    /// What their starts take beside the startup overhead; who takes one does without phases of these names.
    #[serde(default)]
    pub start: Vec<PhaseSection>,
    /// How many seconds a look into the pool takes; without it, none.
    pub search: Option<Distribution>,
}

/// What starts instances.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the control plane: an object")]
pub struct ControlPlaneSection {
    /// Creates all instances, first come, first served; without it, in no time.
    pub creation: Option<StationSection>,
    /// One on each node: begins the starts there, first come, first served; without it, in no time.
    pub node_agent: Option<StationSection>,
}

/// Serves so many at once, and makes the others wait.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a station: an object")]
pub struct StationSection {
    /// How many it serves at once.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub at_once: u32,
    /// How many seconds each takes; without it, none.
    pub time: Option<Distribution>,
    /// How many it takes in a second at the most, evenly; without it, any number.
    #[schemars(range(min = 1e-6, max = 1e9))]
    pub per_second: Option<f64>,
}

fn one() -> u32 {
    1
}

impl InstancesSection {
    /// Checks the numbers; `place` is where they stand.
    pub(super) fn check(&self, place: &str) -> Result<(), ScenarioError> {
        let wrong = |field: &str, problem: &str| Err(ScenarioError::invalid(format!("{place}.{field}"), problem));
        if self.concurrency.0 == 0 {
            return wrong("concurrency", "an instance that serves no requests: expected at least 1, or \"unlimited\"");
        }
        if self.max_scale == Some(0) {
            return wrong("max_scale", "no instances: expected at least 1, or nothing for any number");
        }
        let most = self.max_scale.unwrap_or(u32::MAX);
        for (field, number) in [("min_scale", self.min_scale), ("initial_scale", self.initial_scale)] {
            if number > most {
                return wrong(field, &format!("{number} instances are more than max_scale, which is {most}"));
            }
            if number > Scale::MOST {
                return wrong(field, &format!("{number} instances: expected at most {}", Scale::MOST));
            }
        }
        for (position, phase) in self.start.iter().enumerate() {
            let place = format!("start[{position}].time");
            phase.time.check().or_else(|problem| wrong(&place, &problem))?;
        }
        if let Some(removal) = &self.removal {
            removal.check().or_else(|problem| wrong("removal", &problem))?;
        }
        if let Some(StartFailureSection { chance, after, backoff }) = &self.start_failure {
            if !(0.0..=1.0).contains(chance) {
                return wrong("start_failure.chance", "must be from 0 to 1");
            }
            if let Some(after) = after {
                self.check_phase(after).or_else(|problem| wrong("start_failure.after", &problem))?;
            }
            let checked = backoff.as_ref().map_or(Ok(()), Backoff::check);
            checked.or_else(|(field, problem)| wrong(&format!("start_failure.backoff.{field}"), problem))?;
        }
        if let Some(PausedSection { ram, pause, resume, .. }) = &self.paused {
            if !(0.0..=1.0).contains(ram) {
                return wrong("paused.ram", "a share of the RAM of a container: expected 0 to 1");
            }
            for (field, time) in [("paused.pause", pause), ("paused.resume", resume)] {
                let checked = time.as_ref().map_or(Ok(()), Distribution::check);
                checked.or_else(|problem| wrong(field, &problem))?;
            }
        }
        if let Some(SnapshotSection { phases, restore, create, .. }) = &self.snapshot {
            if phases.is_empty() {
                return wrong(
                    "snapshot.phases",
                    "a snapshot of nothing: name the phases that a restored start does without",
                );
            }
            for (position, phase) in phases.iter().enumerate() {
                let place = format!("snapshot.phases[{position}]");
                self.check_phase(phase).or_else(|problem| wrong(&place, &problem))?;
            }
            restore.check().or_else(|problem| wrong("snapshot.restore", &problem))?;
            let checked = create.as_ref().map_or(Ok(()), Distribution::check);
            checked.or_else(|problem| wrong("snapshot.create", &problem))?;
        }
        Ok(())
    }

    /// Checks that a start has a phase of this name.
    fn check_phase(&self, name: &str) -> Result<(), String> {
        let phases: Vec<&str> = self.start.iter().map(|phase| phase.phase.as_str()).collect();
        match phases.as_slice() {
            _ if phases.contains(&name) => Ok(()),
            [] => Err(format!("there is no phase {name:?}: `start` has none")),
            _ => Err(format!("there is no phase {name:?}: `start` has {phases:?}")),
        }
    }

    /// As the service takes it.
    pub(crate) fn settings(&self) -> InstanceSettings {
        InstanceSettings {
            concurrency: self.concurrency.0,
            min_scale: self.min_scale,
            max_scale: self.max_scale.unwrap_or(u32::MAX),
            initial_scale: self.initial_scale,
            routing: match self.routing {
                RoutingName::LeastLoaded => Routing::LeastLoaded,
                RoutingName::First => Routing::First,
                RoutingName::RoundRobin => Routing::RoundRobin,
                RoutingName::RandomOfTwo => Routing::RandomOfTwo,
            },
            queue_at_instance: self.queue_at_instance,
            start: phases(&self.start),
            removal: self.removal.clone(),
            start_failure: self.start_failure.as_ref().map(StartFailureSection::settings),
            paused: self.paused.as_ref().map(PausedSection::settings),
            snapshot: self.snapshot.as_ref().map(SnapshotSection::settings),
        }
    }
}

impl StartFailureSection {
    fn settings(&self) -> StartFailure {
        let pauses = self.backoff.as_ref().map_or(Pauses::NONE, Backoff::pauses);
        StartFailure { chance: self.chance, after: self.after.clone(), pauses }
    }
}

impl PodsSection {
    /// Checks the numbers; `place` is where they stand.
    pub(super) fn check(&self, place: &str, processors: ProcessorSharingName) -> Result<(), ScenarioError> {
        let wrong = |field: &str, problem: &str| Err(ScenarioError::invalid(format!("{place}.{field}"), problem));
        if self.ready > Scale::MOST {
            return wrong("ready", &format!("{} pods: expected at most {}", self.ready, Scale::MOST));
        }
        if !(0.0..=1e6).contains(&self.processors) {
            return wrong("processors", "expected a number of cores that is not negative");
        }
        if self.processors > 0.0 && processors == ProcessorSharingName::Dedicated {
            return wrong(
                "processors",
                "nobody keeps any where they are dedicated: say \"processors\": \"shared\" in the service",
            );
        }
        for (position, phase) in self.start.iter().enumerate() {
            let place = format!("start[{position}].time");
            phase.time.check().or_else(|problem| wrong(&place, &problem))?;
        }
        let checked = self.search.as_ref().map_or(Ok(()), Distribution::check);
        checked.or_else(|problem| wrong("search", &problem))
    }

    /// As the service takes it, with the image of that name.
    pub(crate) fn pods(&self, image: Option<ImageId>) -> Pods {
        Pods {
            processors: self.processors,
            image,
            start: phases(&self.start),
            search: self.search.clone(),
            ..Pods::new(&self.name, self.ram.whole(), self.ready)
        }
    }
}

fn phases(start: &[PhaseSection]) -> Rc<[StartPhase]> {
    let phase = |PhaseSection { phase, time }: &PhaseSection| StartPhase { name: phase.clone(), time: time.clone() };
    start.iter().map(phase).collect()
}

impl SnapshotSection {
    fn settings(&self) -> Snapshot {
        Snapshot {
            phases: self.phases.clone(),
            work: self.work,
            restore: self.restore.clone(),
            size: self.size.map_or(0, Bytes::whole),
            create: self.create.clone(),
            place: match self.place {
                SnapshotPlaceName::Node => SnapshotPlace::Node,
                SnapshotPlaceName::Everywhere => SnapshotPlace::Everywhere,
            },
            is_there_before: self.made == SnapshotMakerName::Beforehand,
        }
    }
}

impl PausedSection {
    fn settings(&self) -> Pausing {
        let keep_for = self.keep_for.map_or(SimDuration::MAX, |keep_for| keep_for.duration());
        Pausing { keep_for, ram: self.ram, pause: self.pause.clone(), resume: self.resume.clone() }
    }
}

impl ControlPlaneSection {
    /// Checks the numbers.
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        for (field, station) in [("creation", &self.creation), ("node_agent", &self.node_agent)] {
            let Some(station) = station else { continue };
            let wrong = |of: &str, problem: &str| {
                Err(ScenarioError::invalid(format!("service.control_plane.{field}.{of}"), problem))
            };
            if station.at_once == 0 {
                return wrong("at_once", "a station that serves nobody: expected at least 1");
            }
            if let Some(time) = &station.time {
                time.check().or_else(|problem| wrong("time", &problem))?;
            }
            match station.per_second {
                Some(rate) if !(1e-6..=1e9).contains(&rate) => {
                    return wrong("per_second", &format!("found {rate}, expected from 1e-6 to 1e9"));
                }
                None if station.time.is_none() => {
                    return wrong(
                        "time",
                        "a station that takes no time and any number: say time or per_second, or leave it out",
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// As the service takes it.
    pub(crate) fn control_plane(&self) -> ControlPlane {
        let station = |StationSection { at_once, time, per_second }: &StationSection| Station {
            at_once: *at_once,
            time: time.clone(),
            per_second: *per_second,
        };
        ControlPlane {
            creation: self.creation.as_ref().map(station),
            node_agent: self.node_agent.as_ref().map(station),
        }
    }
}
