//! Policies in Python: objects whose methods are called, in the place of a policy in Rust.

mod admission;
mod allocation;
mod answers;
mod autoscaling;
mod batch;
mod check;
mod cluster;
mod context;
mod eviction;
mod instance;
mod keep_alive;
mod records;
mod session;

use hearth_policy_api::PolicyContext;
use hearth_policy_api::boundary::{
    AdmissionObject, AutoscalingObject, EvictionObject, KeepAliveObject, NodeAllocationObject,
};
use hearth_serverless::policy::{Factory, OwnPolicies};
use pyo3::prelude::*;

pub use self::admission::Load;
pub use self::allocation::{Copying, LinkState, WaitingQueue};
pub use self::answers::{Busy, Cold, Delay, Queue, Reject, Warm};
pub use self::autoscaling::Pool;
pub use self::batch::{Batch, WaitingFunction};
pub use self::check::check_policy;
pub use self::cluster::{Cluster, Nodes};
pub use self::context::Context;
use self::instance::Instance;
pub use self::keep_alive::Idle;
pub use self::records::{
    AttemptEnd, Change, Container, Delayed, History, Instances, Item, Needed, Node, Pending, PoolNode, Request,
};
pub use self::session::Session;

/// What a policy in Python is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    NodeAllocation,
    BatchAllocation,
    Eviction,
    Admission,
    KeepAlive,
    Autoscaling,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "NodeAllocation" => Self::NodeAllocation,
            "BatchAllocation" => Self::BatchAllocation,
            "Eviction" => Self::Eviction,
            "Admission" => Self::Admission,
            "KeepAlive" => Self::KeepAlive,
            "Autoscaling" => Self::Autoscaling,
            _ => return None,
        })
    }
}

/// A policy in Python that a scenario names: a class, or an instance that is copied.
#[derive(Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Given {
    kind: String,
    name: String,
    /// Of what it is made, for results.
    version: String,
    prototype: Py<PyAny>,
}

impl Given {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        let Self { kind, name, version, prototype } = self;
        Self { kind: kind.clone(), name: name.clone(), version: version.clone(), prototype: prototype.clone_ref(py) }
    }
}

/// The same policies again, for another thread.
pub fn again(given: &[Given]) -> Vec<Given> {
    if given.is_empty() {
        return Vec::new();
    }
    Python::attach(|py| given.iter().map(|given| given.clone_ref(py)).collect())
}

/// The policies as a catalog takes them, whose instances are those of a session.
pub fn own_policies(given: &[Given], session: &Session) -> OwnPolicies {
    let mut own = OwnPolicies::default();
    for given in again(given) {
        let Some(kind) = Kind::of(&given.kind) else { continue };
        let (name, version, session) = (given.name.clone(), given.version.clone(), session.clone());
        let make = move |context: &PolicyContext| {
            let made = Python::attach(|py| Instance::make(py, &given.prototype, &session, kind, context));
            made.map_err(|error| session.raise(error))
        };
        match kind {
            Kind::NodeAllocation => own.node_allocation.push(
                Factory::<NodeAllocationObject>::try_in_place(&name, move |context| {
                    make(context).map(allocation::Policy::new)
                })
                .with_version(&version),
            ),
            Kind::BatchAllocation => own.node_allocation.push(
                Factory::<NodeAllocationObject>::try_in_place_batch(&name, move |context| {
                    make(context).map(batch::Policy::new)
                })
                .with_version(&version),
            ),
            Kind::Eviction => own.eviction.push(
                Factory::<EvictionObject>::try_in_place(&name, move |context| make(context).map(eviction::Policy::new))
                    .with_version(&version),
            ),
            Kind::Admission => own.admission.push(
                Factory::<AdmissionObject>::try_in_place(&name, move |context| {
                    make(context).map(admission::Policy::new)
                })
                .with_version(&version),
            ),
            Kind::KeepAlive => own.keep_alive.push(
                Factory::<KeepAliveObject>::try_in_place(&name, move |context| {
                    make(context).map(keep_alive::Policy::new)
                })
                .with_version(&version),
            ),
            Kind::Autoscaling => own.autoscaling.push(
                Factory::<AutoscalingObject>::try_in_place(&name, move |context| {
                    make(context).map(autoscaling::Policy::new)
                })
                .with_version(&version),
            ),
        }
    }
    own
}
