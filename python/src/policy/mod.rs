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
mod lending;
mod prepared;
mod records;
mod session;
mod thread_state;

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::{
    self, AdmissionObject, AutoscalingObject, CallFailure, EvictionObject, KeepAliveObject, NodeAllocationObject,
    Orders, Seat,
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
use self::thread_state::ThreadState;

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

/// The instances of one service that serve in several of its slots.
#[derive(Default)]
pub struct OfService {
    /// What tells it from others.
    orders: Option<Rc<Orders>>,
    /// By the address of a prototype.
    instances: Vec<(usize, Py<PyAny>)>,
    /// As long as somebody may be made, the interpreter knows the thread.
    _thread: Option<ThreadState>,
}

impl OfService {
    /// Begins anew if a seat is one of another service.
    fn turn_to(&mut self, seat: &Seat) {
        if self.orders.as_ref().is_none_or(|orders| !Rc::ptr_eq(orders, seat.orders())) {
            self.orders = Some(Rc::clone(seat.orders()));
            self.instances.clear();
        }
    }
}

/// The policies as the catalog of a thread takes them; what they raise is told to a session.
pub fn own_policies(given: &[Given], session: &Session) -> OwnPolicies {
    session.serves_here();
    let mut own = OwnPolicies::default();
    let thread = if given.is_empty() { None } else { ThreadState::keep() };
    let of_service = Rc::new(RefCell::new(OfService { _thread: thread, ..OfService::default() }));
    for given in again(given) {
        let Some(kind) = Kind::of(&given.kind) else { continue };
        let (name, version) = (given.name.clone(), given.version.clone());
        let (session, of_service) = (session.clone(), Rc::clone(&of_service));
        let make = move |seat: &Seat| {
            let mut of_service = of_service.borrow_mut();
            of_service.turn_to(seat);
            let (shared, context) = (&mut of_service.instances, seat.context());
            let made = Python::attach(|py| Instance::make(py, &given.prototype, &session, shared, kind, context));
            made.map_err(|error| CallFailure { cause: session.raise(error) })
        };
        macro_rules! add {
            ($list:ident, $object:ident, $module:ident, $wrap:ident) => {
                own.$list.push(
                    Factory::<$object>::seated(&name, move |seat| {
                        Ok(boundary::$wrap($module::Policy::new(make(seat)?), seat))
                    })
                    .with_version(&version),
                )
            };
        }
        match kind {
            Kind::NodeAllocation => add!(node_allocation, NodeAllocationObject, allocation, node_allocation),
            Kind::BatchAllocation => add!(node_allocation, NodeAllocationObject, batch, batch_allocation),
            Kind::Eviction => add!(eviction, EvictionObject, eviction, eviction),
            Kind::Admission => add!(admission, AdmissionObject, admission, admission),
            Kind::KeepAlive => add!(keep_alive, KeepAliveObject, keep_alive, keep_alive),
            Kind::Autoscaling => add!(autoscaling, AutoscalingObject, autoscaling, autoscaling),
        }
    }
    own
}
