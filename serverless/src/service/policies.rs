//! The policies that a service asks and tells, and what they want to be asked and told.

use std::rc::Rc;

use hearth_policy_api::boundary::{AdmissionObject, AutoscalingObject, KeepAliveObject, NodeAllocationObject};
use hearth_policy_api::{
    AdmissionDecision, AdmissionView, AllocationRules, AutoscalingRules, BatchView, ClusterView, Completion,
    ContainerEvent, CopyView, DelayedStart, End, Ending, LinkView, NodePoolView, NodeView, Placement, PlanItem,
    PoolScale, Prewarming, QueueView, RequestView, Retention, ScaleView, Shed, WorkflowView,
};
use hearth_simcore::time::SimTime;
use rustc_hash::FxHashSet;

use crate::decisions::SharedCalls;
use crate::error::Error;
use crate::function::FunctionId;
use crate::node::NodeId;
use crate::policy::{Hosted, Mistake, PolicySet, PolicySlot, Watch};

/// The policies of a service, but for those of eviction, which storage has.
#[derive(Debug)]
pub(crate) struct Policies {
    /// What they are called and set to.
    pub(super) set: PolicySet,
    pub(super) admission: Hosted<AdmissionObject>,
    pub(super) node_allocation: Hosted<NodeAllocationObject>,
    pub(super) keep_alive: Hosted<KeepAliveObject>,
    pub(super) autoscaling: Option<Hosted<AutoscalingObject>>,
    pub(super) cluster_autoscaling: Option<Hosted<AutoscalingObject>>,
    pub(super) rules: AllocationRules,
    pub(super) hears: Hears,
    pub(super) hear_of_ends: bool,
    /// Whose ends those do not hear of that have come later.
    pub(super) strangers: Strangers,
    /// Who looks at the simulation between its events, and at what has become of containers.
    calls: Option<SharedCalls>,
    /// Who sees that they come back.
    pub(super) watch: Rc<Watch>,
}

/// The attempts, by their keys, about which others had decided before the policy came that is there now: it could not know what to do
/// with their ends.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    pub admission: FxHashSet<u64>,
    pub node_allocation: FxHashSet<u64>,
}

/// Whether it is one of these. At its end, or when it is back in the queue, it is one no longer: whoever is asked about it then hears of it.
fn was_one(strangers: &mut FxHashSet<u64>, key: u64) -> bool {
    !strangers.is_empty() && strangers.remove(&key)
}

/// What policies want to be asked and told beyond what every policy of their kind is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hears {
    /// Admission lets everybody in and need not be asked.
    pub admission_of_nobody: bool,
    pub admission_of_ends: bool,
    pub keep_alive_of_arrivals: bool,
    pub admission_of_history: bool,
    pub keep_alive_of_history: bool,
    /// Somebody is shown what has come of functions.
    pub anybody_of_history: bool,
    pub admission_of_containers: bool,
    pub keep_alive_of_containers: bool,
    pub admission_of_workflows: bool,
    pub keep_alive_of_workflows: bool,
    pub autoscaling: AutoscalingRules,
    pub cluster_autoscaling: AutoscalingRules,
}

impl Hears {
    /// Nobody says how many instances or nodes there are to be, or asks for anything else.
    pub const NO_AUTOSCALING: AutoscalingRules =
        AutoscalingRules { period: 0, asked_on_requests: false, observes_containers: false, scales_pools: false };
}

/// The policies of admission, node allocation, keep-alive and both kinds of autoscaling.
#[derive(Debug)]
pub(crate) struct Objects {
    pub admission: Hosted<AdmissionObject>,
    pub node_allocation: Hosted<NodeAllocationObject>,
    pub keep_alive: Hosted<KeepAliveObject>,
    pub autoscaling: Option<Hosted<AutoscalingObject>>,
    pub cluster_autoscaling: Option<Hosted<AutoscalingObject>>,
}

impl Policies {
    /// Policies that have been made from a set.
    pub fn new(set: PolicySet, objects: Objects, rules: AllocationRules, hears: Hears, watch: Rc<Watch>) -> Self {
        let Objects { admission, node_allocation, keep_alive, autoscaling, cluster_autoscaling } = objects;
        let hear_of_ends = hears.admission_of_ends || rules.observes_ends || hears.anybody_of_history;
        let calls = watch.observers().calls.clone();
        Self {
            set,
            admission,
            node_allocation,
            keep_alive,
            autoscaling,
            cluster_autoscaling,
            rules,
            hears,
            hear_of_ends,
            strangers: Strangers::default(),
            calls,
            watch,
        }
    }

    /// Whether a slot is filled by a controller.
    pub fn is_of_controller(&self, slot: PolicySlot) -> bool {
        self.set.is_of_controller(slot)
    }

    /// What node allocation has answered itself in the last call, if that has been answered otherwise.
    #[inline]
    pub fn placement_before_instead(&self) -> Option<Placement> {
        self.watch.recorder()?.placement_before_instead()
    }

    /// What the policy in a slot is called, for messages.
    pub fn describe(&self, slot: PolicySlot) -> String {
        self.set.describe(slot)
    }

    /// Whether node allocation plans for the whole queue.
    #[inline]
    pub fn is_batch(&self) -> bool {
        self.node_allocation.is_batch()
    }

    /// How node allocation wants to be asked.
    #[inline]
    pub fn rules(&self) -> &AllocationRules {
        &self.rules
    }

    /// Who sees that calls come back.
    #[inline]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The error for what a policy did wrong.
    #[cold]
    pub fn error(&self, mistake: Mistake) -> Box<Error> {
        Box::new(Error::policy(&self.set, mistake))
    }

    /// Whether admission lets everybody in and need not be asked.
    #[inline]
    pub fn admits_all(&self) -> bool {
        self.hears.admission_of_nobody
    }

    /// Asks whether a request is let in.
    pub fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> Result<AdmissionDecision, Box<Error>> {
        self.admission.admit(request, view).map_err(|mistake| self.error(mistake))
    }

    /// Asks in which order a request comes, if the policy has ranks.
    #[inline]
    pub fn rank(&mut self, request: &RequestView, now: SimTime) -> u64 {
        if self.rules.ranks { self.node_allocation.rank(request, now.as_nanos()) } else { 0 }
    }

    /// Asks where a request goes.
    #[inline]
    pub fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Result<Placement, Box<Error>> {
        self.node_allocation.place(request, cluster).map_err(|mistake| self.error(mistake))
    }

    /// Asks what is done with all that wait; the answer is put into a list that is empty.
    pub fn plan(&mut self, batch: &BatchView<'_>, items: &mut Vec<PlanItem>) -> Result<(), Box<Error>> {
        self.node_allocation.plan(batch, items).map_err(|mistake| self.error(mistake))
    }

    /// Tells node allocation that a node has changed.
    #[inline]
    pub fn observe_node(&mut self, node: NodeId, view: &NodeView, is_up: bool) {
        self.node_allocation.observe(node.0, view, is_up);
    }

    /// Tells node allocation that a link has changed.
    pub fn observe_link(&mut self, link: &LinkView<'_>) {
        self.node_allocation.observe_link(link);
    }

    /// Tells keep-alive of a request, if it wants to hear.
    #[inline]
    pub fn tell_of_arrival(&mut self, function: FunctionId, now: SimTime) {
        if self.hears.keep_alive_of_arrivals {
            self.keep_alive.on_arrival(function.0, now.as_nanos());
        }
    }

    /// Whether any of them wants to hear how attempts end, or is shown what comes of that.
    #[inline]
    pub fn hear_of_ends(&self) -> bool {
        self.hear_of_ends
    }

    /// Whether what comes of functions is to be counted.
    #[inline]
    pub fn see_history(&self) -> bool {
        self.hears.anybody_of_history
    }

    /// Whether admission is shown it.
    pub fn admission_sees_history(&self) -> bool {
        self.hears.admission_of_history
    }

    /// Whether keep-alive is shown it.
    #[inline]
    pub fn keep_alive_sees_history(&self) -> bool {
        self.hears.keep_alive_of_history
    }

    /// Tells those of an end that want to hear. Where an attempt waits is nothing to admission.
    pub fn tell_of_end(&mut self, end: &End) {
        let Strangers { admission, node_allocation } = &mut self.strangers;
        if self.hears.admission_of_ends && end.ending != Ending::Requeued && !was_one(admission, end.key) {
            self.admission.on_end(end);
        }
        if self.rules.observes_ends && !was_one(node_allocation, end.key) {
            self.node_allocation.on_end(end);
        }
    }

    /// Tells those that want to hear of a workflow, or one of these.
    pub fn tell_of_workflow(&mut self, workflow: &WorkflowView<'_>, only: Option<PolicySlot>) {
        let is_told = |slot: PolicySlot| only.is_none_or(|only| only == slot);
        if self.rules.sees_workflows && is_told(PolicySlot::NodeAllocation) {
            self.node_allocation.on_workflow(workflow);
        }
        if self.hears.admission_of_workflows && is_told(PolicySlot::Admission) {
            self.admission.on_workflow(workflow);
        }
        if self.hears.keep_alive_of_workflows && is_told(PolicySlot::KeepAlive) {
            self.keep_alive.on_workflow(workflow);
        }
    }

    /// Tells those that want to hear what has become of a container.
    pub fn tell_of_container(&mut self, event: &ContainerEvent) {
        if let Some(calls) = &self.calls {
            calls.note_container(event);
        }
        if self.rules.observes_containers {
            self.node_allocation.on_container(event);
        }
        if self.hears.admission_of_containers {
            self.admission.on_container(event);
        }
        if self.hears.keep_alive_of_containers {
            self.keep_alive.on_container(event);
        }
        if let Some(autoscaling) = &mut self.autoscaling
            && self.hears.autoscaling.observes_containers
        {
            autoscaling.on_container(event);
        }
        if let Some(cluster_autoscaling) = &mut self.cluster_autoscaling
            && self.hears.cluster_autoscaling.observes_containers
        {
            cluster_autoscaling.on_container(event);
        }
    }

    /// When to ask which nodes of pools come and go. Where nobody says that, never.
    pub fn cluster_autoscaling_rules(&self) -> &AutoscalingRules {
        &self.hears.cluster_autoscaling
    }

    /// Asks which nodes of a pool come and go; where nobody says that, none.
    pub fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> Result<PoolScale, Box<Error>> {
        match &mut self.cluster_autoscaling {
            Some(policy) => policy.scale_pool(pool).map_err(|mistake| self.error(mistake)),
            None => Ok(PoolScale::default()),
        }
    }

    /// When to ask how many instances functions are to have. Where nobody says that, never.
    #[inline]
    pub fn autoscaling_rules(&self) -> &AutoscalingRules {
        &self.hears.autoscaling
    }

    /// Asks how many instances a function is to have, within its bounds; where nobody says that, as many as these demand.
    pub fn scale(&mut self, view: &ScaleView) -> Result<u32, Box<Error>> {
        match &mut self.autoscaling {
            Some(autoscaling) => autoscaling.scale(view).map_err(|mistake| self.error(mistake)),
            None => Ok(view.within_bounds(view.min_scale)),
        }
    }

    /// Asks from which node an image is copied.
    pub fn source(&mut self, copy: &CopyView<'_>) -> Result<u32, Box<Error>> {
        self.node_allocation.source(copy).map_err(|mistake| self.error(mistake))
    }

    /// Asks which of those who wait is rejected.
    pub fn shed(&mut self, queue: &QueueView<'_>) -> Result<Option<Shed>, Box<Error>> {
        self.node_allocation.shed(queue).map_err(|mistake| self.error(mistake))
    }

    /// Tells node allocation that one has got a busy container that it has waited for.
    pub fn tell_of_delayed_start(&mut self, start: &DelayedStart) {
        if !self.strangers.node_allocation.contains(&start.key) {
            self.node_allocation.on_delayed_start(start);
        }
    }

    /// Tells the policy in a slot that a timer of its has gone off.
    pub fn on_timer(&mut self, slot: PolicySlot, timer: u64, cluster: &ClusterView<'_>) {
        match slot {
            PolicySlot::Admission => self.admission.on_timer(timer, cluster),
            PolicySlot::KeepAlive => self.keep_alive.on_timer(timer, cluster),
            PolicySlot::ClusterAutoscaling => {
                if let Some(policy) = &mut self.cluster_autoscaling {
                    policy.on_timer(timer, cluster);
                }
            }
            PolicySlot::Autoscaling => {
                if let Some(autoscaling) = &mut self.autoscaling {
                    autoscaling.on_timer(timer, cluster);
                }
            }
            _ => self.node_allocation.on_timer(timer, cluster),
        }
    }

    /// Whether the policy in a slot is shown what has come of functions.
    pub fn sees_history(&self, slot: PolicySlot) -> bool {
        match slot {
            PolicySlot::Admission => self.admission_sees_history(),
            PolicySlot::KeepAlive => self.keep_alive_sees_history(),
            PolicySlot::Autoscaling | PolicySlot::ClusterAutoscaling => false,
            _ => self.rules.sees_history,
        }
    }

    /// Asks how long a container is kept.
    #[inline]
    pub fn on_idle(&mut self, completion: &Completion<'_>) -> Result<Retention, Box<Error>> {
        self.keep_alive.on_idle(completion).map_err(|mistake| self.error(mistake))
    }

    /// Asks whether a container is to be there for the next request.
    pub fn prewarm(&mut self, completion: &Completion<'_>) -> Result<Prewarming, Box<Error>> {
        self.keep_alive.prewarm(completion).map_err(|mistake| self.error(mistake))
    }
}
