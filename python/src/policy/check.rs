//! The test kit, on a policy in Python.

use std::cell::RefCell;
use std::time::Duration;

use hearth_policy_api::testkit::{self, Claim, Counterexample, FaultKind, Options};
use hearth_policy_api::{
    Admission, AdmissionDecision, AdmissionRules, AdmissionView, AllocationRules, Autoscaling, AutoscalingRules,
    BatchAllocation, BatchView, Claims, ClusterView, Completion, ContainerEvent, CopyView, Creation, DelayedStart, End,
    Eviction, EvictionItem, EvictionRules, KeepAlive, KeepAliveRules, LinkView, Need, NodeAllocation, NodePoolView,
    NodeView, Placement, PlanItem, Policy, PolicyContext, PolicyDescriptor, PolicyError, PoolScale, Prewarming,
    QueueView, Removal, RequestView, Retention, Scale, ScaleView, Shed, Touch, Victims, WorkflowView,
};
use pyo3::prelude::*;

use super::instance::Instance;
use super::session::Session;
use super::{Given, Kind, admission, again, allocation, autoscaling, batch, eviction, keep_alive};
use crate::error::{PolicyError as Unsound, wrong};

thread_local! {
    /// What is checked on this thread: descriptors are made of types, and know of no object.
    static CHECKED: RefCell<Option<(Given, Session)>> = const { RefCell::new(None) };
}

/// An instance of what is checked.
fn instance(kind: Kind, context: &PolicyContext) -> Result<Instance, PolicyError> {
    CHECKED.with_borrow(|checked| {
        let (given, session) = checked.as_ref().ok_or_else(|| PolicyError::new("nothing is checked here"))?;
        // Each instance of a check is one by itself.
        let made = Python::attach(|py| Instance::make(py, &given.prototype, session, &mut Vec::new(), kind, context));
        made.map_err(|error| PolicyError::new(session.raise(error)))
    })
}

macro_rules! checked {
    ($name:ident, $kind:ident, $module:ident) => {
        struct $name($module::Policy);

        impl Policy for $name {
            const NAME: &'static str = "python";
            const VERSION: &'static str = "0.0.0";
            const DESCRIPTION: &'static str = "a policy in Python that is checked";
            type Parameters = ();

            fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
                instance(Kind::$kind, context).map($module::Policy::new).map(Self)
            }
        }
    };
}

checked!(Places, NodeAllocation, allocation);
checked!(Plans, BatchAllocation, batch);
checked!(Evicts, Eviction, eviction);
checked!(Admits, Admission, admission);
checked!(Keeps, KeepAlive, keep_alive);
checked!(Scales, Autoscaling, autoscaling);

macro_rules! handed_on {
    ($of:ident: $kind:ident { $(fn $name:ident(&mut self $(, $argument:ident: $type:ty)*) $(-> $answer:ty)?;)+ } rules $rules:ty) => {
        impl $kind for $of {
            fn rules(&self) -> $rules {
                self.0.rules()
            }
            $(
                fn $name(&mut self $(, $argument: $type)*) $(-> $answer)? {
                    self.0.$name($($argument),*)
                }
            )+
        }
    };
}

handed_on! {
    Places: NodeAllocation {
        fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement;
        fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed>;
        fn rank(&mut self, request: &RequestView, now: u64) -> u64;
        fn observe(&mut self, node: u32, view: &NodeView, up: bool);
        fn observe_link(&mut self, link: &LinkView<'_>);
        fn on_end(&mut self, end: &End);
        fn on_delayed_start(&mut self, start: &DelayedStart);
        fn on_container(&mut self, event: &ContainerEvent);
        fn source(&mut self, copy: &CopyView<'_>) -> u32;
        fn on_workflow(&mut self, workflow: &WorkflowView<'_>);
        fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>);
    } rules AllocationRules
}

handed_on! {
    Plans: BatchAllocation {
        fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>);
        fn observe(&mut self, node: u32, view: &NodeView, up: bool);
        fn observe_link(&mut self, link: &LinkView<'_>);
        fn on_end(&mut self, end: &End);
        fn on_container(&mut self, event: &ContainerEvent);
        fn source(&mut self, copy: &CopyView<'_>) -> u32;
        fn on_workflow(&mut self, workflow: &WorkflowView<'_>);
        fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>);
    } rules AllocationRules
}

handed_on! {
    Evicts: Eviction {
        fn insert(&mut self, item: &EvictionItem);
        fn touch(&mut self, id: u32, touch: Touch, now: u64);
        fn remove(&mut self, id: u32, removal: Removal, now: u64);
        fn choose(&mut self, need: &Need, victims: &mut Victims<'_>);
        fn created(&mut self, container: &EvictionItem, creation: Creation);
        fn ended(&mut self, id: u32, now: u64);
        fn on_timer(&mut self, timer: u64, now: u64);
    } rules EvictionRules
}

handed_on! {
    Admits: Admission {
        fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision;
        fn on_end(&mut self, end: &End);
        fn on_container(&mut self, event: &ContainerEvent);
        fn on_workflow(&mut self, workflow: &WorkflowView<'_>);
        fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>);
    } rules AdmissionRules
}

handed_on! {
    Keeps: KeepAlive {
        fn on_idle(&mut self, completion: &Completion<'_>) -> Retention;
        fn on_arrival(&mut self, function: u32, now: u64);
        fn prewarm(&mut self, completion: &Completion<'_>) -> Prewarming;
        fn on_container(&mut self, event: &ContainerEvent);
        fn on_workflow(&mut self, workflow: &WorkflowView<'_>);
        fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>);
    } rules KeepAliveRules
}

handed_on! {
    Scales: Autoscaling {
        fn scale(&mut self, view: &ScaleView) -> Scale;
        fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale;
        fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>);
        fn on_container(&mut self, event: &ContainerEvent);
    } rules AutoscalingRules
}

fn descriptor(kind: Kind) -> PolicyDescriptor {
    match kind {
        Kind::NodeAllocation => PolicyDescriptor::node_allocation::<Places>(),
        Kind::BatchAllocation => PolicyDescriptor::batch_allocation::<Plans>(),
        Kind::Eviction => PolicyDescriptor::eviction::<Evicts>(),
        Kind::Admission => PolicyDescriptor::admission::<Admits>(),
        Kind::KeepAlive => PolicyDescriptor::keep_alive::<Keeps>(),
        Kind::Autoscaling => PolicyDescriptor::autoscaling::<Scales>(),
    }
}

/// What a policy in Python is held to. Its calls take as long as the interpreter likes, which allocates when it likes: neither is
/// promised.
fn claims(waived: &[String]) -> PyResult<Claims> {
    let mut claims = Claims { bounded_memory: false, bounded_time: false, ..Claims::ALL };
    for name in waived {
        let claim = Claim::ALL.into_iter().find(|claim| claim.field() == name);
        let Some(claim) = claim else {
            let known = Claim::ALL.map(Claim::field).join(", ");
            return Err(wrong(format!("waive: {name:?} is no promise of policies: there are {known}")));
        };
        claims = claim.taken_from(claims);
    }
    Ok(claims)
}

/// A fault in words, and what takes it back here.
fn told(fault: Counterexample) -> String {
    let text = fault.to_string();
    match fault.kind {
        FaultKind::Promise(claim) => {
            let calls = text.rsplit_once("\n(").map_or(text.as_str(), |(calls, _)| calls);
            format!("{calls}\n(for a policy that means it: waive=[{:?}])", claim.field())
        }
        _ => text,
    }
}

/// Holds a policy to what it owes the simulator, over histories drawn at random.
#[pyfunction]
pub fn check_policy(py: Python<'_>, given: Given, cases: u32, waive: Vec<String>) -> PyResult<()> {
    let Some(kind) = Kind::of(&given.kind) else { return Err(wrong(format!("{} is no kind of policy", given.kind))) };
    let options = Options { cases, later: Duration::ZERO, claims: Some(claims(&waive)?), ..Options::default() };
    let (session, name) = (Session::of_check(), given.name.clone());
    let checked = again(std::slice::from_ref(&given)).pop().zip(Some(session.clone()));
    let fault = py.detach(|| {
        CHECKED.set(checked);
        let fault = testkit::check(&descriptor(kind), &options).err();
        CHECKED.set(None);
        fault.map(told)
    });
    let raised = session
        .as_cause_of(Unsound::new_err(fault.as_ref().map_or_else(String::new, |fault| format!("{name}: {fault}"))));
    fault.map_or(Ok(()), |_| Err(raised))
}
