//! The policies of one service, ready to be made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use hearth_policy_api::boundary::{
    self, AdmissionObject, AutoscalingObject, CallFailure, Called, EvictionObject, KeepAliveObject,
    NodeAllocationObject, Seat,
};
use hearth_policy_api::{
    Admission, Autoscaling, BatchAllocation, Eviction, KeepAlive, NONE, NodeAllocation, PolicyContext, PolicySlot,
};
use hearth_simcore::random::derive_seed;
use serde::{Deserialize, Serialize};

use super::{Catalog, Hosted, Method, SelectionError, Watch};
use crate::decisions::Seen;

/// The policy that fills a slot in a scenario that names none. Where no autoscaling is asked for, nobody fills that slot, which comes to
/// the same.
pub fn default_policy(slot: PolicySlot) -> &'static str {
    match slot {
        PolicySlot::Admission => "always",
        PolicySlot::NodeAllocation => "fcfs",
        PolicySlot::KeepAlive => "fixed",
        PolicySlot::Containers | PolicySlot::ImagesInRam | PolicySlot::ImagesOnDisk | PolicySlot::ImagesOnHead => "lru",
        PolicySlot::Autoscaling | PolicySlot::ClusterAutoscaling => "none",
    }
}

/// What a policy was, for the record of a result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The library it was loaded from, for messages: results do not depend on where a file lies.
    #[serde(skip)]
    pub library: Option<PathBuf>,
    /// SHA-256 of the library it was loaded from; `None` for one that is built in.
    pub library_sha256: Option<String>,
    /// Every parameter, given or default.
    pub parameters: BTreeMap<String, String>,
}

impl fmt::Display for PolicyRecord {
    /// The name, and the library if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.library {
            None => write!(f, "{:?}", self.name),
            Some(library) => write!(f, "{:?} of {}", self.name, library.display()),
        }
    }
}

type Make<O> = Rc<dyn Fn(&Seat) -> Called<O>>;

/// Makes the instances of a policy.
pub struct Factory<O> {
    pub(crate) record: PolicyRecord,
    make: Make<O>,
    /// It serves wherever it can, and not because somebody has named it for its place.
    pub(crate) is_of_controller: bool,
}

impl<O> Clone for Factory<O> {
    fn clone(&self) -> Self {
        Self { record: self.record.clone(), make: Rc::clone(&self.make), is_of_controller: self.is_of_controller }
    }
}

impl<O> fmt::Debug for Factory<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Factory").field(&self.record).finish()
    }
}

impl<O> Factory<O> {
    pub(crate) fn new(record: PolicyRecord, make: impl Fn(&Seat) -> Called<O> + 'static) -> Self {
        Self { record, make: Rc::new(make), is_of_controller: false }
    }

    /// Makes an instance for a seat.
    pub(crate) fn make(&self, seat: &Seat) -> Called<O> {
        (self.make)(seat)
    }

    fn of_program(name: &str, make: impl Fn(&Seat) -> Called<O> + 'static) -> Self {
        let record = PolicyRecord {
            name: name.to_owned(),
            version: "in place".to_owned(),
            library: None,
            library_sha256: None,
            parameters: BTreeMap::new(),
        };
        Self::new(record, make)
    }

    /// A policy of the program that wraps itself by the functions of [`boundary`] for the seat of each instance; of one service all seats
    /// have the same [orders](Seat::orders).
    ///
    /// ```
    /// use hearth_policy_api::boundary::{self, KeepAliveObject};
    /// use hearth_policy_api::{Completion, KeepAlive, Retention};
    /// use hearth_serverless::policy::Factory;
    /// struct Hour;
    /// impl KeepAlive for Hour {
    ///     fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
    ///         Retention { keep_for: 3_600_000_000_000 }
    ///     }
    /// }
    /// let hour = Factory::<KeepAliveObject>::seated("hour", |seat| Ok(boundary::keep_alive(Hour, seat)));
    /// assert_eq!(hour.name(), "hour");
    /// ```
    pub fn seated(name: &str, make: impl Fn(&Seat) -> Called<O> + 'static) -> Self {
        Self::of_program(name, make)
    }

    /// Gives a policy of the program a version, which stands in results and tells runs of a sweep apart.
    pub fn with_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.record.version);
        self
    }

    /// Its name, as results tell it.
    pub fn name(&self) -> &str {
        &self.record.name
    }
}

macro_rules! in_place {
    ($object:ident, $kind:ident, $wrap:ident) => {
        impl Factory<$object> {
            /// A policy that is a Rust type of the program itself; `name` is for results and messages.
            pub fn in_place<T: $kind + 'static>(name: &str, make: impl Fn(&PolicyContext) -> T + 'static) -> Self {
                Self::of_program(name, move |seat| Ok(boundary::$wrap(make(seat.context()), seat)))
            }
        }
    };
}

in_place!(NodeAllocationObject, NodeAllocation, node_allocation);

impl Factory<NodeAllocationObject> {
    /// A policy that plans for the whole queue and is a Rust type of the program itself.
    pub fn in_place_batch<T: BatchAllocation + 'static>(
        name: &str,
        make: impl Fn(&PolicyContext) -> T + 'static,
    ) -> Self {
        Self::of_program(name, move |seat| Ok(boundary::batch_allocation(make(seat.context()), seat)))
    }
}

in_place!(EvictionObject, Eviction, eviction);
in_place!(AdmissionObject, Admission, admission);
in_place!(KeepAliveObject, KeepAlive, keep_alive);
in_place!(AutoscalingObject, Autoscaling, autoscaling);

/// The policies of a service.
///
/// ```
/// use hearth_serverless::prelude::*;
/// let catalog = Catalog::new(hearth_plugins::BUILT_IN);
/// let mut policies = PolicySet::defaults(&catalog)?;
/// policies.node_allocation = catalog.node_allocation("least-loaded")?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicySet {
    /// Who is let in.
    pub admission: Factory<AdmissionObject>,
    /// Where invocations run.
    pub node_allocation: Factory<NodeAllocationObject>,
    /// How long idle containers stay.
    pub keep_alive: Factory<KeepAliveObject>,
    /// Which idle containers of a node go when a new one needs room.
    pub containers: Factory<EvictionObject>,
    /// Which images in the RAM of a node go.
    pub images_in_ram: Factory<EvictionObject>,
    /// Which images on the disk of a node go.
    pub images_on_disk: Factory<EvictionObject>,
    /// Which images on the head go.
    pub images_on_head: Factory<EvictionObject>,
    /// How many instances functions have; without it, as many as their bounds demand.
    pub autoscaling: Option<Factory<AutoscalingObject>>,
    /// How many nodes pools have; without it, as many as at the begin.
    pub cluster_autoscaling: Option<Factory<AutoscalingObject>>,
}

impl PolicySet {
    /// The policies of a scenario that names none: `always`, `fcfs`, `fixed` and `lru`, and nobody for autoscaling.
    ///
    /// # Errors
    /// When the catalog lacks one of them.
    pub fn defaults(catalog: &Catalog) -> Result<Self, SelectionError> {
        let eviction = catalog.eviction(default_policy(PolicySlot::Containers))?;
        Ok(Self {
            admission: catalog.admission(default_policy(PolicySlot::Admission))?,
            node_allocation: catalog.node_allocation(default_policy(PolicySlot::NodeAllocation))?,
            keep_alive: catalog.keep_alive(default_policy(PolicySlot::KeepAlive))?,
            containers: eviction.clone(),
            images_in_ram: eviction.clone(),
            images_on_disk: eviction.clone(),
            images_on_head: eviction,
            autoscaling: None,
            cluster_autoscaling: None,
        })
    }

    /// What fills a slot. Nothing may fill those of autoscaling, and something fills all others.
    pub fn record(&self, slot: PolicySlot) -> Option<&PolicyRecord> {
        Some(match slot {
            PolicySlot::Admission => &self.admission.record,
            PolicySlot::NodeAllocation => &self.node_allocation.record,
            PolicySlot::KeepAlive => &self.keep_alive.record,
            PolicySlot::Containers => &self.containers.record,
            PolicySlot::ImagesInRam => &self.images_in_ram.record,
            PolicySlot::ImagesOnDisk => &self.images_on_disk.record,
            PolicySlot::ImagesOnHead => &self.images_on_head.record,
            PolicySlot::Autoscaling => return self.autoscaling.as_ref().map(|factory| &factory.record),
            PolicySlot::ClusterAutoscaling => {
                return self.cluster_autoscaling.as_ref().map(|factory| &factory.record);
            }
        })
    }

    /// Whether a slot is filled by a controller, which was not named for it.
    pub(crate) fn is_of_controller(&self, slot: PolicySlot) -> bool {
        let of_autoscaling =
            |of: &Option<Factory<AutoscalingObject>>| of.as_ref().is_some_and(|of| of.is_of_controller);
        match slot {
            PolicySlot::Admission => self.admission.is_of_controller,
            PolicySlot::NodeAllocation => self.node_allocation.is_of_controller,
            PolicySlot::KeepAlive => self.keep_alive.is_of_controller,
            PolicySlot::Autoscaling => of_autoscaling(&self.autoscaling),
            PolicySlot::ClusterAutoscaling => of_autoscaling(&self.cluster_autoscaling),
            // Each storage has an instance.
            _ => false,
        }
    }

    /// All slots that are filled, and what fills them.
    pub fn records(&self) -> Vec<(PolicySlot, PolicyRecord)> {
        let filled = |slot: PolicySlot| Some((slot, self.record(slot)?.clone()));
        PolicySlot::ALL.into_iter().filter_map(filled).collect()
    }

    /// Fills a slot with what another set has there.
    pub(crate) fn take_from(&mut self, slot: PolicySlot, other: &Self) {
        match slot {
            PolicySlot::Admission => self.admission = other.admission.clone(),
            PolicySlot::NodeAllocation => self.node_allocation = other.node_allocation.clone(),
            PolicySlot::KeepAlive => self.keep_alive = other.keep_alive.clone(),
            PolicySlot::Containers => self.containers = other.containers.clone(),
            PolicySlot::ImagesInRam => self.images_in_ram = other.images_in_ram.clone(),
            PolicySlot::ImagesOnDisk => self.images_on_disk = other.images_on_disk.clone(),
            PolicySlot::ImagesOnHead => self.images_on_head = other.images_on_head.clone(),
            PolicySlot::Autoscaling => self.autoscaling.clone_from(&other.autoscaling),
            PolicySlot::ClusterAutoscaling => self.cluster_autoscaling.clone_from(&other.cluster_autoscaling),
        }
    }

    /// What fills a slot, for messages.
    pub(crate) fn describe(&self, slot: PolicySlot) -> String {
        self.record(slot).map_or("nobody".to_owned(), PolicyRecord::to_string)
    }
}

/// A policy could not be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("policies.{}: {policy} cannot be made: {cause}", slot.path())]
pub struct ConstructionError {
    /// Where it was to serve.
    pub slot: PolicySlot,
    /// Its name, and its library if it was loaded.
    pub policy: String,
    /// What it says.
    pub cause: String,
}

/// An eviction policy that serves one storage.
pub(crate) type EvictionInstance = Hosted<EvictionObject>;

/// Makes the instances that a service needs, each with a seed of its own.
pub(crate) struct Workshop<'a> {
    pub policies: &'a PolicySet,
    pub seed: u64,
    pub nodes: u32,
    pub watch: Rc<Watch>,
}

/// A storage that an eviction policy serves.
#[derive(Clone, Copy)]
pub(crate) struct Storage<'a> {
    /// The name of its host, which tells the instances of one slot apart.
    pub host: &'a str,
    /// The node, or [`NONE`] for the head.
    pub node: u32,
    /// RAM in bytes; 0 where it has none.
    pub ram: u64,
    /// Disk in bytes; 0 where it has none.
    pub disk: u64,
}

impl Workshop<'_> {
    /// An instance for a slot that has one.
    pub fn make<O>(&self, slot: PolicySlot, factory: &Factory<O>) -> Result<Hosted<O>, ConstructionError> {
        self.make_for(slot, factory, &Storage { host: "", node: NONE, ram: 0, disk: 0 })
    }

    fn make_for<O>(
        &self,
        slot: PolicySlot,
        factory: &Factory<O>,
        storage: &Storage<'_>,
    ) -> Result<Hosted<O>, ConstructionError> {
        let Storage { host, node, ram, disk } = *storage;
        let seed = derive_seed(self.seed, &format!("policy:{}:{host}", slot.path()));
        let context = PolicyContext { slot, seed, nodes: self.nodes, node, ram, disk, ..PolicyContext::default() };
        let seat = Seat::new(&context, self.watch.orders());
        match factory.record.library {
            Some(_) => self.watch.is_to_make(&factory.record.to_string()),
            None => self.watch.is_to_make(""),
        }
        let made = match self.watch.recorder() {
            None => self.watch.during(slot, Method::Construct, || (factory.make)(&seat)),
            Some(recorder) => {
                let (mut object, seen) = (None, || Seen::Context(&context));
                let made = self.watch.during_recorded(recorder, (slot, node), Method::Construct, seen, || {
                    (factory.make)(&seat).map(|made| object = Some(made))
                });
                let nobody = || CallFailure { cause: "made nothing".to_owned() };
                made.and_then(|()| object.ok_or_else(nobody))
            }
        };
        match made {
            Ok(object) => Ok(Hosted::new(object, slot, Rc::clone(&self.watch)).of_storage(node)),
            Err(failure) => {
                Err(ConstructionError { slot, policy: factory.record.to_string(), cause: failure.to_string() })
            }
        }
    }

    pub fn eviction(
        &self,
        slot: PolicySlot,
        storage: &Storage<'_>,
    ) -> Result<Hosted<EvictionObject>, ConstructionError> {
        let factory = match slot {
            PolicySlot::ImagesInRam => &self.policies.images_in_ram,
            PolicySlot::ImagesOnDisk => &self.policies.images_on_disk,
            PolicySlot::ImagesOnHead => &self.policies.images_on_head,
            _ => &self.policies.containers,
        };
        self.make_for(slot, factory, storage)
    }
}
