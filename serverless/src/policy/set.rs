//! The policies of one service, ready to be made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use hearth_policy_api::boundary::RResult::{RErr, ROk};
use hearth_policy_api::boundary::{self, AdmissionObject, EvictionObject, KeepAliveObject, Made, NodeAllocationObject};
use hearth_policy_api::{Admission, Eviction, KeepAlive, NodeAllocation, PolicyContext, PolicyKind};
use hearth_simcore::random::derive_seed;
use serde::{Deserialize, Serialize};

use super::{Catalog, Hosted, Method, SelectionError, Watch};

/// The places of a service that a policy fills.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PolicySlot {
    /// Who is let in.
    Admission,
    /// Where invocations run.
    NodeAllocation,
    /// How long idle containers stay.
    KeepAlive,
    /// Which idle containers of a node go.
    Containers,
    /// Which images in the RAM of a node go.
    ImagesInRam,
    /// Which images on the disk of a node go.
    ImagesOnDisk,
    /// Which images on the head go.
    ImagesOnHead,
}

impl PolicySlot {
    /// All slots, in the order of scenarios.
    pub const ALL: [PolicySlot; 7] = [
        Self::Admission,
        Self::NodeAllocation,
        Self::KeepAlive,
        Self::Containers,
        Self::ImagesInRam,
        Self::ImagesOnDisk,
        Self::ImagesOnHead,
    ];

    /// Its path in a scenario, under `policies`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::NodeAllocation => "node_allocation",
            Self::KeepAlive => "keep_alive",
            Self::Containers => "eviction.containers",
            Self::ImagesInRam => "eviction.images_in_ram",
            Self::ImagesOnDisk => "eviction.images_on_disk",
            Self::ImagesOnHead => "eviction.images_on_head",
        }
    }

    /// The kind of policy that fills it.
    pub fn kind(self) -> PolicyKind {
        match self {
            Self::Admission => PolicyKind::Admission,
            Self::NodeAllocation => PolicyKind::NodeAllocation,
            Self::KeepAlive => PolicyKind::KeepAlive,
            Self::Containers | Self::ImagesInRam | Self::ImagesOnDisk | Self::ImagesOnHead => PolicyKind::Eviction,
        }
    }

    /// The policy of a scenario that names none.
    pub fn default_name(self) -> &'static str {
        match self {
            Self::Admission => "always",
            Self::NodeAllocation => "fcfs",
            Self::KeepAlive => "fixed",
            Self::Containers | Self::ImagesInRam | Self::ImagesOnDisk | Self::ImagesOnHead => "lru",
        }
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

type Make<O> = Rc<dyn Fn(&PolicyContext) -> Made<O>>;

/// Makes the instances of a policy.
pub struct Factory<O> {
    pub(crate) record: PolicyRecord,
    make: Make<O>,
}

impl<O> Clone for Factory<O> {
    fn clone(&self) -> Self {
        Self { record: self.record.clone(), make: Rc::clone(&self.make) }
    }
}

impl<O> fmt::Debug for Factory<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Factory").field(&self.record).finish()
    }
}

impl<O> Factory<O> {
    pub(crate) fn new(record: PolicyRecord, make: impl Fn(&PolicyContext) -> Made<O> + 'static) -> Self {
        Self { record, make: Rc::new(make) }
    }

    fn of_program(name: &str, make: impl Fn(&PolicyContext) -> O + 'static) -> Self {
        let record = PolicyRecord {
            name: name.to_owned(),
            version: "in place".to_owned(),
            library: None,
            library_sha256: None,
            parameters: BTreeMap::new(),
        };
        Self::new(record, move |context| ROk(ROk(make(context))))
    }
}

macro_rules! in_place {
    ($object:ident, $kind:ident, $wrap:ident) => {
        impl Factory<$object> {
            /// A policy that is a Rust type of the program itself; `name` is for results and messages.
            pub fn in_place<T: $kind + 'static>(name: &str, make: impl Fn(&PolicyContext) -> T + 'static) -> Self {
                Self::of_program(name, move |context| boundary::$wrap(make(context)))
            }
        }
    };
}

in_place!(NodeAllocationObject, NodeAllocation, node_allocation);
in_place!(EvictionObject, Eviction, eviction);
in_place!(AdmissionObject, Admission, admission);
in_place!(KeepAliveObject, KeepAlive, keep_alive);

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
}

impl PolicySet {
    /// The policies of a scenario that names none: `always`, `fcfs`, `fixed` and `lru`.
    ///
    /// # Errors
    /// When the catalog lacks one of them.
    pub fn defaults(catalog: &Catalog) -> Result<Self, SelectionError> {
        let eviction = catalog.eviction(PolicySlot::Containers.default_name())?;
        Ok(Self {
            admission: catalog.admission(PolicySlot::Admission.default_name())?,
            node_allocation: catalog.node_allocation(PolicySlot::NodeAllocation.default_name())?,
            keep_alive: catalog.keep_alive(PolicySlot::KeepAlive.default_name())?,
            containers: eviction.clone(),
            images_in_ram: eviction.clone(),
            images_on_disk: eviction.clone(),
            images_on_head: eviction,
        })
    }

    /// What fills a slot.
    pub fn record(&self, slot: PolicySlot) -> &PolicyRecord {
        match slot {
            PolicySlot::Admission => &self.admission.record,
            PolicySlot::NodeAllocation => &self.node_allocation.record,
            PolicySlot::KeepAlive => &self.keep_alive.record,
            PolicySlot::Containers => &self.containers.record,
            PolicySlot::ImagesInRam => &self.images_in_ram.record,
            PolicySlot::ImagesOnDisk => &self.images_on_disk.record,
            PolicySlot::ImagesOnHead => &self.images_on_head.record,
        }
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

/// Makes the instances that a service needs, each with a seed of its own.
pub(crate) struct Workshop<'a> {
    pub policies: &'a PolicySet,
    pub seed: u64,
    pub nodes: u32,
    pub watch: Rc<Watch>,
}

impl Workshop<'_> {
    /// An instance for a slot; `place` tells the instances of one slot apart.
    pub fn make<O>(&self, slot: PolicySlot, factory: &Factory<O>, place: &str) -> Result<Hosted<O>, ConstructionError> {
        let seed = derive_seed(self.seed, &format!("policy:{}:{place}", slot.path()));
        let context = PolicyContext { seed, nodes: self.nodes };
        let made = self.watch.during(slot, Method::Construct, || (factory.make)(&context));
        let cause = match made {
            ROk(ROk(object)) => return Ok(Hosted::new(object, slot, Rc::clone(&self.watch))),
            ROk(RErr(refusal)) => refusal.to_string(),
            RErr(failure) => failure.to_string(),
        };
        Err(ConstructionError { slot, policy: factory.record.to_string(), cause })
    }

    pub fn eviction(&self, slot: PolicySlot, place: &str) -> Result<Hosted<EvictionObject>, ConstructionError> {
        let factory = match slot {
            PolicySlot::ImagesInRam => &self.policies.images_in_ram,
            PolicySlot::ImagesOnDisk => &self.policies.images_on_disk,
            PolicySlot::ImagesOnHead => &self.policies.images_on_head,
            _ => &self.policies.containers,
        };
        self.make(slot, factory, place)
    }
}
