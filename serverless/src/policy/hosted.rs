//! Policies as the service calls them: every call is watched, and a panic in it becomes a mistake that names the call.

use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use hearth_policy_api::boundary::{
    AdmissionObject, AskedContainers, AutoscalingObject, CallFailure, Called, EvictionObject, KeepAliveObject,
    NodeAllocationObject, VictimSink,
};
use hearth_policy_api::{
    AdmissionDecision, AdmissionRules, AdmissionView, AllocationRules, AutoscalingRules, BatchView, ClusterView,
    Completion, ContainerEvent, CopyView, Creation, DelayedStart, End, EvictionItem, EvictionRules, KeepAliveRules,
    LinkView, NONE, Need, NodePoolView, NodeView, Offer, Placement, PlanItem, PoolScale, Prewarming, QueueView,
    Removal, RequestView, Retention, Scale, ScaleView, Shed, Touch, Victims, WorkflowView,
};

use super::watch::{Method, Watch};
use super::{Mistake, PolicySlot};
use crate::decisions::{Noted, Offered, Replaceable, Seen, offers};

/// Takes nothing of what is offered.
struct Deaf;

impl VictimSink for Deaf {
    fn offer(&mut self, _id: u32) -> Offer {
        Offer::Enough
    }

    fn also(&mut self, _id: u32) -> bool {
        false
    }
}

/// A policy in its slot.
pub(crate) struct Hosted<O> {
    object: ManuallyDrop<O>,
    slot: PolicySlot,
    /// The node whose storage it serves, or [`NONE`].
    storage: u32,
    watch: Rc<Watch>,
    /// A call has failed: it is not called again.
    failed: bool,
}

impl<O> fmt::Debug for Hosted<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} policy", self.slot.path())
    }
}

impl<O> Drop for Hosted<O> {
    /// The end of an instance is a call as others are. While an exception takes the stack away that a call has let go, nothing is
    /// called any more: the process is about to end, and others are to see in which call it was.
    fn drop(&mut self) {
        let Self { object, slot, watch, .. } = self;
        if watch.is_in_a_call() {
            return;
        }
        // SAFETY: nobody uses it after this.
        #[allow(unsafe_code)]
        watch.during(*slot, Method::Drop, || unsafe { ManuallyDrop::drop(object) });
    }
}

impl<O> Hosted<O> {
    pub fn new(object: O, slot: PolicySlot, watch: Rc<Watch>) -> Self {
        Self { object: ManuallyDrop::new(object), slot, storage: NONE, watch, failed: false }
    }

    /// It serves the storage of a node.
    pub fn of_storage(self, node: u32) -> Self {
        let mut this = self;
        this.storage = node;
        this
    }

    /// A call whose answer is waited for, and what it shows.
    #[inline(always)]
    fn ask<'a, T: Replaceable>(
        &mut self,
        method: Method,
        seen: impl FnOnce() -> Seen<'a>,
        work: impl FnOnce(&mut O) -> Called<T>,
    ) -> Result<T, Mistake> {
        let Self { object, slot, storage, watch, .. } = self;
        let called = match watch.recorder() {
            None => watch.during(*slot, method, || work(object)),
            Some(recorder) => watch.during_recorded(recorder, (*slot, *storage), method, seen, || work(object)),
        };
        match called {
            Ok(answer) => Ok(answer),
            Err(failure) => Err(self.fail(method, failure)),
        }
    }

    /// Whether calls are written down. Those that lead to more than they show are then made another way.
    #[inline(always)]
    fn is_recorded(&self) -> bool {
        self.watch.recorder().is_some()
    }

    #[cold]
    fn fail(&mut self, method: Method, failure: CallFailure) -> Mistake {
        self.failed = true;
        self.mistake(method, failure.cause)
    }

    /// What its answer to a call has wrong.
    pub fn mistake(&self, method: Method, cause: String) -> Mistake {
        Mistake::new(self.slot, method, cause)
    }

    /// A call that only tells; its fault shows after the event that it belongs to.
    #[inline(always)]
    fn tell<'a>(&mut self, method: Method, seen: impl FnOnce() -> Seen<'a>, work: impl FnOnce(&mut O) -> Called<()>) {
        if self.failed {
            return;
        }
        if let Err(mistake) = self.ask(method, seen, work) {
            self.watch.report(mistake);
        }
    }
}

impl<O> Hosted<O> {
    /// Tells of a timer those that are shown the cluster then.
    fn tell_of_timer(
        &mut self,
        timer: u64,
        cluster: &ClusterView<'_>,
        work: impl FnOnce(&mut O, &ClusterView<'_>) -> Called<()>,
    ) {
        let asked = AskedContainers::new(cluster.containers);
        let cluster = match self.is_recorded() {
            true => ClusterView { containers: asked.view(), ..*cluster },
            false => *cluster,
        };
        self.tell(Method::OnTimer, || Seen::Timer(timer, &cluster, &asked), |object| work(object, &cluster));
    }
}

impl Hosted<NodeAllocationObject> {
    #[cold]
    #[inline(never)]
    fn place_recorded(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Result<Placement, Mistake> {
        let asked = AskedContainers::new(cluster.containers);
        let cluster = ClusterView { containers: asked.view(), ..*cluster };
        let seen = || Seen::Place(request, &cluster, &asked);
        self.ask(Method::Place, seen, |object| object.place(request, &cluster))
    }

    #[cold]
    #[inline(never)]
    fn plan_recorded(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) -> Result<(), Mistake> {
        let asked = AskedContainers::new(batch.containers);
        let batch = BatchView { containers: asked.view(), ..*batch };
        let seen = || Seen::Batch(&batch, &asked);
        *plan = self.ask(Method::Plan, seen, |object| {
            let mut plan = Vec::new();
            object.plan(&batch, &mut plan).map(|()| plan)
        })?;
        Ok(())
    }

    /// Whether it plans for the whole queue.
    pub fn is_batch(&self) -> bool {
        self.object.is_batch()
    }

    pub fn rules(&mut self) -> Result<AllocationRules, Mistake> {
        self.ask(Method::Rules, || Seen::Nothing, |object| object.rules())
    }

    #[inline]
    pub fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Result<Placement, Mistake> {
        self.watch.is_about(request.invocation);
        if self.is_recorded() {
            return self.place_recorded(request, cluster);
        }
        self.ask(Method::Place, || Seen::Nothing, |object| object.place(request, cluster))
    }

    pub fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) -> Result<(), Mistake> {
        if self.is_recorded() {
            return self.plan_recorded(batch, plan);
        }
        self.ask(Method::Plan, || Seen::Nothing, |object| object.plan(batch, plan))
    }

    /// Asks in which order a request comes; with a mistake that shows after the event.
    #[inline]
    pub fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        let mut rank = 0;
        self.watch.is_about(request.invocation);
        if self.failed {
            return rank;
        }
        match self.ask(Method::Rank, || Seen::Rank(request, now), |object| object.rank(request, now)) {
            Ok(answer) => rank = answer,
            Err(mistake) => self.watch.report(mistake),
        }
        rank
    }

    #[inline]
    pub fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.tell(Method::Observe, || Seen::Node(node, view, up), |object| object.observe(node, view, up));
    }

    pub fn on_end(&mut self, end: &End) {
        self.tell(Method::OnEnd, || Seen::End(end), |object| object.on_end(end));
    }

    pub fn shed(&mut self, queue: &QueueView<'_>) -> Result<Option<Shed>, Mistake> {
        self.ask(Method::Shed, || Seen::Queue(queue), |object| object.shed(queue))
    }

    pub fn source(&mut self, copy: &CopyView<'_>) -> Result<u32, Mistake> {
        self.ask(Method::Source, || Seen::Copy(copy), |object| object.source(copy))
    }

    pub fn on_delayed_start(&mut self, start: &DelayedStart) {
        self.tell(Method::OnDelayedStart, || Seen::DelayedStart(start), |object| object.on_delayed_start(start));
    }

    pub fn observe_link(&mut self, link: &LinkView<'_>) {
        self.tell(Method::ObserveLink, || Seen::Link(link), |object| object.observe_link(link));
    }

    pub fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.tell(Method::OnWorkflow, || Seen::Workflow(workflow), |object| object.on_workflow(workflow));
    }

    pub fn on_container(&mut self, event: &ContainerEvent) {
        self.tell(Method::OnContainer, || Seen::Container(event), |object| object.on_container(event));
    }

    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.tell_of_timer(timer, cluster, |object, cluster| object.on_timer(timer, cluster));
    }
}

impl Hosted<EvictionObject> {
    #[inline]
    pub fn insert(&mut self, item: &EvictionItem) {
        self.tell(Method::Insert, || Seen::Item(item), |object| object.insert(item));
    }

    #[inline]
    pub fn touch(&mut self, id: u32, touch: Touch) {
        let now = self.watch.now();
        self.tell(Method::Touch, || Seen::Touched(id, touch, now), |object| object.touch(id, touch, now));
    }

    #[inline]
    pub fn remove(&mut self, id: u32, removal: Removal) {
        let now = self.watch.now();
        self.tell(Method::Remove, || Seen::Removed(id, removal, now), |object| object.remove(id, removal, now));
    }

    pub fn choose(&mut self, need: &Need, victims: &mut impl VictimSink) -> Result<(), Mistake> {
        if self.is_recorded() {
            return self.choose_recorded(need, victims);
        }
        self.ask(Method::Choose, || Seen::Nothing, |object| object.choose(need, &mut Victims::new(victims)))
    }

    #[cold]
    #[inline(never)]
    fn choose_recorded(&mut self, need: &Need, victims: &mut impl VictimSink) -> Result<(), Mistake> {
        let instead = self.watch.recorder().and_then(|recorder| offers(recorder.next_instead()?.answer.as_ref()?));
        let offered = self.ask(
            Method::Choose,
            || Seen::Need(need),
            |object| {
                let mut noted = Noted { sink: victims, offered: Vec::new() };
                match instead {
                    None => object.choose(need, &mut Victims::new(&mut noted))?,
                    Some(others) => {
                        object.choose(need, &mut Victims::new(&mut Deaf))?;
                        for other in others {
                            match other {
                                Offered::Victim(id, _) => _ = noted.offer(id),
                                Offered::Also(id, _) => _ = noted.also(id),
                            }
                        }
                    }
                }
                Ok(noted.offered)
            },
        );
        offered.map(drop)
    }

    pub fn rules(&mut self) -> Result<EvictionRules, Mistake> {
        self.ask(Method::Rules, || Seen::Nothing, |object| object.rules())
    }

    pub fn created(&mut self, container: &EvictionItem, creation: Creation) {
        self.tell(Method::Created, || Seen::Created(container, creation), |object| object.created(container, creation));
    }

    pub fn ended(&mut self, id: u32) {
        let now = self.watch.now();
        self.tell(Method::Ended, || Seen::Ended(id, now), |object| object.ended(id, now));
    }

    pub fn on_timer(&mut self, timer: u64, now: u64) {
        self.tell(Method::OnTimer, || Seen::EvictionTimer(timer, now), |object| object.on_timer(timer, now));
    }
}

impl Hosted<AdmissionObject> {
    pub fn rules(&mut self) -> Result<AdmissionRules, Mistake> {
        self.ask(Method::Rules, || Seen::Nothing, |object| object.rules())
    }

    pub fn on_end(&mut self, end: &End) {
        self.tell(Method::OnEnd, || Seen::End(end), |object| object.on_end(end));
    }

    #[inline]
    pub fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> Result<AdmissionDecision, Mistake> {
        self.watch.is_about(request.invocation);
        if self.is_recorded() {
            let asked = AskedContainers::new(view.cluster.containers);
            let cluster = ClusterView { containers: asked.view(), ..*view.cluster };
            let view = AdmissionView { cluster: &cluster, ..*view };
            let seen = || Seen::Admission(request, &view, &asked);
            return self.ask(Method::Admit, seen, |object| object.admit(request, &view));
        }
        self.ask(Method::Admit, || Seen::Nothing, |object| object.admit(request, view))
    }

    pub fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.tell(Method::OnWorkflow, || Seen::Workflow(workflow), |object| object.on_workflow(workflow));
    }

    pub fn on_container(&mut self, event: &ContainerEvent) {
        self.tell(Method::OnContainer, || Seen::Container(event), |object| object.on_container(event));
    }

    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.tell_of_timer(timer, cluster, |object, cluster| object.on_timer(timer, cluster));
    }
}

impl Hosted<KeepAliveObject> {
    pub fn rules(&mut self) -> Result<KeepAliveRules, Mistake> {
        self.ask(Method::Rules, || Seen::Nothing, |object| object.rules())
    }

    #[inline]
    pub fn on_idle(&mut self, completion: &Completion<'_>) -> Result<Retention, Mistake> {
        self.ask(Method::OnIdle, || Seen::Completion(completion), |object| object.on_idle(completion))
    }

    pub fn prewarm(&mut self, completion: &Completion<'_>) -> Result<Prewarming, Mistake> {
        self.ask(Method::Prewarm, || Seen::Completion(completion), |object| object.prewarm(completion))
    }

    #[inline]
    pub fn on_arrival(&mut self, function: u32, now: u64) {
        self.tell(Method::OnArrival, || Seen::Arrival(function, now), |object| object.on_arrival(function, now));
    }

    pub fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.tell(Method::OnWorkflow, || Seen::Workflow(workflow), |object| object.on_workflow(workflow));
    }

    pub fn on_container(&mut self, event: &ContainerEvent) {
        self.tell(Method::OnContainer, || Seen::Container(event), |object| object.on_container(event));
    }

    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.tell_of_timer(timer, cluster, |object, cluster| object.on_timer(timer, cluster));
    }
}

impl Hosted<AutoscalingObject> {
    pub fn rules(&mut self) -> Result<AutoscalingRules, Mistake> {
        self.ask(Method::Rules, || Seen::Nothing, |object| object.rules())
    }

    /// How many instances a function is to have, within its bounds.
    pub fn scale(&mut self, view: &ScaleView) -> Result<u32, Mistake> {
        let wanted =
            view.within_bounds(self.ask(Method::Scale, || Seen::Scale(view), |object| object.scale(view))?.wanted);
        if wanted > Scale::MOST {
            let cause =
                format!("wants {wanted} instances of function {}: expected at most {}", view.function, Scale::MOST);
            return Err(self.mistake(Method::Scale, cause));
        }
        Ok(wanted)
    }

    /// Which nodes of a pool come and go.
    pub fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> Result<PoolScale, Mistake> {
        self.ask(Method::ScalePool, || Seen::Pool(pool), |object| object.scale_pool(pool))
    }

    pub fn on_container(&mut self, event: &ContainerEvent) {
        self.tell(Method::OnContainer, || Seen::Container(event), |object| object.on_container(event));
    }

    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.tell_of_timer(timer, cluster, |object, cluster| object.on_timer(timer, cluster));
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::boundary::{self, Seat};
    use hearth_policy_api::{Autoscaling, ScaleCause};

    use super::*;

    /// Wants so many instances, and panics when it is asked at a tick about a function that it does not like.
    struct Wants(u32);

    impl Autoscaling for Wants {
        fn scale(&mut self, view: &ScaleView) -> Scale {
            assert_ne!((view.function, view.cause), (13, ScaleCause::Tick), "not that one");
            Scale { wanted: self.0 }
        }
    }

    fn scale(wanted: u32, view: &ScaleView) -> Result<u32, String> {
        let object = boundary::autoscaling(Wants(wanted), &Seat::default());
        let mut hosted = Hosted::new(object, PolicySlot::Autoscaling, Watch::new());
        hosted.scale(view).map_err(|mistake| {
            let made = mistake.into_inner();
            format!("{} in {}: {}", made.slot.path(), made.method, made.cause)
        })
    }

    #[test]
    fn what_is_wanted_is_held_to_the_bounds_and_then_to_a_million() {
        let view = ScaleView { function: 3, min_scale: 2, max_scale: 2_000_000, ..ScaleView::default() };
        assert_eq!([0, 5, Scale::MOST].map(|wanted| scale(wanted, &view)), [Ok(2), Ok(5), Ok(Scale::MOST)]);
        let problem = "autoscaling in scale: wants 1000001 instances of function 3: expected at most 1000000";
        assert_eq!(scale(Scale::MOST + 1, &view), Err(problem.to_owned()));
        assert_eq!(scale(u32::MAX, &ScaleView { max_scale: 7, ..view }), Ok(7));
        assert_eq!(scale(1, &ScaleView { function: 13, cause: ScaleCause::Request, ..view }), Ok(2));
        let said = scale(1, &ScaleView { function: 13, ..view }).unwrap_err();
        assert!(said.starts_with("autoscaling in scale: panicked: assertion"), "{said}");
    }
}
