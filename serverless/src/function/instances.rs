//! How a function is served by instances, each of which takes several requests at once, and how these are started (the timing
//! model, section 15).

use std::rc::Rc;

use hearth_simcore::time::SimDuration;

use super::{Body, Function, ImageId, Limits, Processors};
use crate::distribution::Distribution;
use crate::fault::Pauses;

/// How a function is served that has instances: containers that stay until its autoscaler wants fewer, and take up to so many requests
/// at once. Requests that find none with room wait in a queue of their function.
///
/// ```
/// use hearth_serverless::prelude::*;
/// let settings = InstanceSettings { concurrency: 80, max_scale: 100, ..InstanceSettings::default() };
/// assert_eq!((settings.min_scale, settings.initial_scale, settings.queue_at_instance), (0, 0, 0));
/// assert_eq!(settings.routing, Routing::LeastLoaded);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceSettings {
    /// How many requests an instance serves at once at the most; `u32::MAX` is any number.
    pub concurrency: u32,
    /// How many instances there are at the least.
    pub min_scale: u32,
    /// How many instances there are at the most; `u32::MAX` is any number.
    pub max_scale: u32,
    /// How many there are to be at the begin.
    pub initial_scale: u32,
    /// Which instance takes a request.
    pub routing: Routing,
    /// How many requests may wait at an instance beside those that it serves, rather than in the queue of the function.
    pub queue_at_instance: u32,
    /// What the start of an instance takes beside the startup overhead of its function, one after the other; times in seconds.
    pub start: Rc<[StartPhase]>,
    /// How many seconds it takes to remove an instance that has no more requests, and holds its memory meanwhile; nothing is no time.
    pub removal: Option<Distribution>,
    /// Whether starts come to nothing.
    pub start_failure: Option<StartFailure>,
    /// Whether those of which fewer are wanted are paused, for the next one to take its container, rather than removed.
    pub paused: Option<Pausing>,
    /// Whether starts are restored from what an earlier one has come to.
    pub snapshot: Option<Snapshot>,
}

impl Default for InstanceSettings {
    /// One request at a time, as many instances as are wanted, started in no time beside the overhead of the function.
    fn default() -> Self {
        Self {
            concurrency: 1,
            min_scale: 0,
            max_scale: u32::MAX,
            initial_scale: 0,
            routing: Routing::default(),
            queue_at_instance: 0,
            start: Rc::from([]),
            removal: None,
            start_failure: None,
            paused: None,
            snapshot: None,
        }
    }
}

impl InstanceSettings {
    /// How many requests may be at an instance, served or waiting there.
    pub(crate) fn capacity(&self) -> u32 {
        self.concurrency.saturating_add(self.queue_at_instance)
    }
}

/// Which of the instances that have room takes a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Routing {
    /// The one with the fewest requests, of several the oldest.
    #[default]
    LeastLoaded,
    /// The oldest: requests keep to few instances.
    First,
    /// One after the other, by age.
    RoundRobin,
    /// Of two that are drawn, the one with fewer requests.
    RandomOfTwo,
}

/// A part of the start of an instance.
#[derive(Clone, PartialEq, Debug)]
pub struct StartPhase {
    /// What happens in it, such as "runtime".
    pub name: String,
    /// How many seconds it takes.
    pub time: Distribution,
}

/// How starts of instances come to nothing: one that does ends the instance, and another one is begun in its place after a pause.
///
/// ```
/// use hearth_serverless::fault::Pauses;
/// use hearth_serverless::function::StartFailure;
/// use hearth_simcore::time::SimDuration;
/// let crash_loop = Pauses { first: SimDuration::from_secs(10), factor: 2.0, longest: SimDuration::from_secs(300) };
/// let failure = StartFailure { chance: 0.01, after: Some("runtime".to_owned()), pauses: crash_loop };
/// assert_eq!(failure.pauses.after(2), SimDuration::from_secs(20));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct StartFailure {
    /// The chance of each start, from 0 to 1.
    pub chance: f64,
    /// The phase at whose end it shows; at the end of the start if that is not said, or there is no such phase.
    pub after: Option<String>,
    /// How long nothing is done after a start that has failed; the second is for two in a row in the same place.
    pub pauses: Pauses,
}

/// How the containers of instances of which fewer are wanted are paused, until another instance of their function takes them over.
///
/// ```
/// use hearth_serverless::distribution::Distribution;
/// use hearth_serverless::function::Pausing;
/// use hearth_simcore::time::SimDuration;
/// let swapped_out = Pausing { ram: 0.25, resume: Some(Distribution::Constant(0.8)), ..Pausing::for_at_most(SimDuration::from_secs(600)) };
/// assert_eq!(swapped_out.pause, None);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Pausing {
    /// How long one is paused at the most; [`SimDuration::MAX`] until its room is needed.
    pub keep_for: SimDuration,
    /// The share of its RAM that it keeps, from 0 to 1.
    pub ram: f64,
    /// How many seconds it takes to pause one, which holds its memory meanwhile; nothing is no time.
    pub pause: Option<Distribution>,
    /// How many seconds it takes until one that is taken is up; nothing is no time.
    pub resume: Option<Distribution>,
}

impl Pausing {
    /// Containers that keep their RAM for so long at the most, and are paused and taken in no time.
    pub fn for_at_most(keep_for: SimDuration) -> Self {
        Self { keep_for, ram: 1.0, pause: None, resume: None }
    }
}

/// How a start is restored from a snapshot of what an earlier one has come to, instead of passing some of its phases.
///
/// ```
/// use hearth_serverless::distribution::Distribution;
/// use hearth_serverless::function::{Snapshot, SnapshotPlace};
/// let restore = Distribution::Constant(0.1);
/// let snapshot = Snapshot { size: 250_000_000, ..Snapshot::of_phases(["runtime", "code"], restore) };
/// assert_eq!((snapshot.place, snapshot.is_there_before), (SnapshotPlace::Node, false));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// The phases that a restored start does without; others pass as ever. Names of which there is no phase mean nothing.
    pub phases: Vec<String>,
    /// Whether it does without the work at the start, too ([`Processors::startup`]).
    pub work: bool,
    /// How many seconds it takes to restore one, in place of the first of these phases.
    pub restore: Distribution,
    /// How many bytes are read from the disk of the node before a restored start begins.
    pub size: u64,
    /// How many seconds after the instance is up that makes it a snapshot is there; nothing is no time.
    pub create: Option<Distribution>,
    /// Where it is.
    pub place: SnapshotPlace,
    /// Whether one is there before the first start, everywhere.
    pub is_there_before: bool,
}

/// Where a snapshot is once it has been made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SnapshotPlace {
    /// On the disk of the node on which it was made.
    #[default]
    Node,
    /// On the disks of all nodes.
    Everywhere,
}

impl Snapshot {
    /// One without size that the first start on a node makes at once.
    pub fn of_phases<const N: usize>(phases: [&str; N], restore: Distribution) -> Self {
        let phases = phases.map(str::to_owned).to_vec();
        Self {
            phases,
            work: false,
            restore,
            size: 0,
            create: None,
            place: SnapshotPlace::default(),
            is_there_before: false,
        }
    }
}

/// A pool of generic containers ("stem cells") that are started before anybody needs them, and taken by instances of any function that
/// fits into one. It is a function that nobody invokes, with as many instances.
///
/// ```
/// use hearth_serverless::distribution::Distribution;
/// use hearth_serverless::function::{Pods, StartPhase};
/// use hearth_serverless::prelude::*;
/// let runtime = StartPhase { name: "runtime".to_owned(), time: Distribution::Constant(0.4) };
/// let pods = Pods { start: [runtime].into(), ..Pods::new("small", 256 * MB, 10) };
/// assert!(pods.image.is_none() && pods.processors == 0.0);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Pods {
    /// What it is called, among functions.
    pub name: String,
    /// What each holds of RAM: functions with more do not fit.
    pub ram: u64,
    /// How many cores are kept for each, where processors are shared: functions for which more are do not fit.
    pub processors: f64,
    /// The image that they have in RAM: functions with another one, or none, do not fit.
    pub image: Option<ImageId>,
    /// How many are to be ready, or on their way, on all nodes together.
    pub ready: u32,
    /// What their starts take beside the startup overhead; instances that take one do without phases of these names.
    pub start: Rc<[StartPhase]>,
    /// How many seconds a look into the pool takes, whether one is found or not; nothing is no time.
    pub search: Option<Distribution>,
}

impl Pods {
    /// So many without image that hold so much RAM, and have their sandbox alone.
    pub fn new(name: &str, ram: u64, ready: u32) -> Self {
        let (name, start) = (name.to_owned(), Rc::from([]));
        Self { name, ram, processors: 0.0, image: None, ready, start, search: None }
    }

    /// As a function that nobody invokes, and how that is served.
    pub(crate) fn as_function(&self) -> (Function, InstanceSettings) {
        let processors =
            Processors { request: self.processors, limit: self.processors.max(1.0), ..Processors::default() };
        let limits =
            Limits { ram: self.ram, processors: (self.processors > 0.0).then_some(processors), ..Limits::default() };
        let (name, body) = (self.name.clone(), Body::Steps(Rc::from([])));
        let function = Function { name, image: self.image, limits, startup_overhead: None, body };
        let (min_scale, max_scale, start) = (self.ready, self.ready, Rc::clone(&self.start));
        (function, InstanceSettings { min_scale, max_scale, start, ..InstanceSettings::default() })
    }
}

/// What starts instances: each is created by one station and started on its node by another one, as the API server and the agents of
/// the nodes do in Kubernetes. Without a station that takes no time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ControlPlane {
    /// Creates all instances, first come, first served.
    pub creation: Option<Station>,
    /// One on each node: begins the starts there, first come, first served.
    pub node_agent: Option<Station>,
}

/// Serves so many at once, and makes the others wait.
#[derive(Clone, PartialEq, Debug)]
pub struct Station {
    /// How many it serves at once, at least one.
    pub at_once: u32,
    /// How many seconds each takes; without it, none.
    pub time: Option<Distribution>,
    /// How many it takes in a second at the most, evenly: the next no sooner than so long after the one before; without it, any number.
    pub per_second: Option<f64>,
}
