//! How instances are started: the way from the wish for one over the stations of the control plane to a node, and there over the image
//! and the phases of the start to the first request.

use hearth_policy_api::boundary::ContainersOf;
use hearth_policy_api::{ContainerChange, NONE, Placement, RequestView};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;
use hearth_simcore::time::{SimDuration, SimTime};

use super::fleet::DrawnStart;
use super::instance::{HowStarted, Instance, InstanceStage};
use super::{InstanceKey, Instances, Which};
use crate::causes::Cause;
use crate::cluster::HeldContainer;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::NodeId;
use crate::policy::Method;
use crate::results::Phase;
use crate::service::Service;
use crate::service::containers::ShownContainers;
use crate::service::event::{Event, Happening, Message};
use crate::service::explain::{Kind, Step, Timed};

/// Where node allocation has an instance.
enum Answer {
    Nowhere,
    /// Wherever there is room.
    Anywhere,
    Node(NodeId),
}

impl Instances {
    /// One more instance of a function, which stands at the begin of its way.
    pub(super) fn add(&mut self, function: FunctionId, now: SimTime) -> Option<InstanceKey> {
        let fleet = self.fleets.get_mut(&function)?;
        self.count += 1;
        let key = self.all.insert(Instance::new(function, self.count, now));
        fleet.members.insert(self.count, key);
        fleet.starting += 1;
        Some(key)
    }

    /// An instance is put into a stage; gives the one before.
    pub(super) fn put(&mut self, key: InstanceKey, stage: InstanceStage) -> Option<InstanceStage> {
        self.all.get_mut(key).map(|instance| std::mem::replace(&mut instance.stage, stage))
    }

    /// Nobody has a place any more for an instance that waits for an image on a node.
    pub(super) fn no_longer_bound(&mut self, key: InstanceKey, node: NodeId, image: ImageId) {
        if let Some(bound) = self.awaiting_image.get_mut(&(node, image)) {
            bound.retain(|other| *other != key);
            if bound.is_empty() {
                self.awaiting_image.remove(&(node, image));
            }
        }
    }
}

impl Service {
    /// There is to be one more instance of a function.
    pub(super) fn want_instance(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(key) = self.instances.add(function, kernel.now()) else { return Ok(()) };
        self.explain_instance(key, function, None);
        self.begin_instance(key, kernel)
    }

    /// An instance begins its way: with the container of one that is paused, with a pod, or by being created.
    pub(super) fn begin_instance(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.explain_step(key, Step::Is(Cause::ControlPlane), kernel.now());
        if self.resume_instance(key, kernel)? { Ok(()) } else { self.search_pods(key, 0, kernel) }
    }

    /// An instance passes what creates all of them.
    pub(super) fn create(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) {
        if self.instances.stations.enter(Which::Creation, key) {
            self.instances.put(key, InstanceStage::AwaitsCreation);
            self.call_to_creation(kernel);
        } else {
            self.created(key, kernel.now());
        }
    }

    pub(super) fn call_to_creation(&mut self, kernel: &mut Kernel<Event>) {
        while let Some((key, time)) = self.instances.stations.call(Which::Creation, kernel.now()) {
            let over = kernel.schedule_cancellable(time, Event(Happening::InstanceAdvances(key)));
            self.instances.put(key, InstanceStage::IsCreated(over));
        }
        self.await_opening(Which::Creation, kernel);
    }

    /// Has a station call again once it can, if somebody waits for that.
    fn await_opening(&mut self, which: Which, kernel: &mut Kernel<Event>) {
        if let Some(date) = self.instances.stations.opens(which, kernel.now()) {
            kernel.schedule_at(date, Event(Happening::StationOpens(which)));
        }
    }

    /// A station can call again.
    pub(in crate::service) fn station_opens(&mut self, which: Which, kernel: &mut Kernel<Event>) {
        self.instances.stations.open(which);
        match which {
            Which::Creation => self.call_to_creation(kernel),
            Which::AgentOf(node) => self.call_to_agent(node, kernel),
        }
    }

    pub(super) fn call_to_agent(&mut self, node: NodeId, kernel: &mut Kernel<Event>) {
        while let Some((key, time)) = self.instances.stations.call(Which::AgentOf(node), kernel.now()) {
            let time = self.cluster.node(node).slowed(time);
            let over = kernel.schedule_cancellable(time, Event(Happening::InstanceAdvances(key)));
            if let Some(instance) = self.instances.all.get_mut(key)
                && let InstanceStage::AwaitsAgent(held) = std::mem::replace(&mut instance.stage, InstanceStage::Ended)
            {
                instance.stage = InstanceStage::WithAgent(held, over);
            }
        }
        self.await_opening(Which::AgentOf(node), kernel);
    }

    /// A station is done with an instance, which may be gone; or its start has come to nothing, or its removal is over.
    pub(in crate::service) fn instance_advances(
        &mut self,
        key: InstanceKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        match self.instances.put(key, InstanceStage::Ended) {
            Some(InstanceStage::Searches(position, _)) => self.pool_searched(key, position, kernel),
            Some(InstanceStage::IsCreated(_)) => {
                self.instances.stations.leave(Which::Creation);
                self.call_to_creation(kernel);
                self.created(key, kernel.now());
                Ok(())
            }
            Some(InstanceStage::WithAgent(held, _)) => {
                let node = held.node();
                self.instances.put(key, InstanceStage::AwaitsAgent(held));
                self.instances.stations.leave(Which::AgentOf(node));
                self.call_to_agent(node, kernel);
                self.begin_start(key, kernel)
            }
            Some(InstanceStage::Reads(held, _, drawn)) => {
                self.pass_phases(key, held, drawn, kernel);
                Ok(())
            }
            Some(InstanceStage::Starts(held, over)) => {
                self.instances.put(key, InstanceStage::Starts(held, over));
                self.start_failed(key, kernel)
            }
            Some(InstanceStage::Leaves(held, over)) => {
                self.instances.put(key, InstanceStage::Leaves(held, over));
                self.end_instance(key, ContainerChange::Ended, kernel)
            }
            Some(other) => {
                self.instances.put(key, other);
                Err(Error::internal("an instance is where no station is").into())
            }
            None => Ok(()),
        }
    }

    /// An instance has been created, and needs a node, which the head finds.
    fn created(&mut self, key: InstanceKey, now: SimTime) {
        self.explain_step(key, Step::Is(Cause::NodeFull), now);
        self.instances.put(key, InstanceStage::AwaitsNode);
        if let Some(instance) = self.instances.all.get(key) {
            self.instances.awaiting_node.insert(instance.function, instance.number, key);
        }
        self.head.receive(Message::Changed);
    }

    /// Gives nodes to those instances that wait for one, as far as there is room; of each function up to the first that finds none. Where
    /// the node that was answered has no room, it is the one with the most free RAM. Where none had room for anybody, and no node has
    /// changed since, nobody is tried.
    pub(in crate::service) fn place_instances(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let have_changed = self.cluster.take_have_changed();
        if !self.instances.awaiting_node.take_due() && !have_changed {
            return Ok(());
        }
        let mut untried = self.instances.awaiting_node.untried();
        while let Some((number, function, key)) = untried.next() {
            let Some(wanted_at) = self.instances.all.get(key).map(|instance| instance.wanted_at) else { continue };
            let answer = self.answer_for_instance(function, wanted_at, kernel.now())?;
            let is_placed = match answer {
                Answer::Nowhere => false,
                Answer::Anywhere => self.put_on_roomiest(key, function, kernel)?,
                Answer::Node(node) => {
                    self.put_on_node(key, function, node, kernel)? || self.put_on_roomiest(key, function, kernel)?
                }
            };
            if is_placed {
                self.instances.awaiting_node.remove(function, number, key);
                untried.add_next_of(function, &self.instances.awaiting_node);
            } else if matches!(answer, Answer::Nowhere) || self.cluster.may_be_room_for(function) {
                // Another answer may find room though nothing else changes.
                self.instances.awaiting_node.set_due();
            }
        }
        Ok(())
    }

    /// Where an instance is to be by node allocation: anywhere, if that plans for the whole queue, or has the request wait for a busy
    /// container.
    fn answer_for_instance(
        &mut self,
        function: FunctionId,
        wanted_at: SimTime,
        now: SimTime,
    ) -> Result<Answer, Box<Error>> {
        if self.policies.is_batch() {
            return Ok(Answer::Anywhere);
        }
        let registered = self.registry.function(function);
        let (limits, wanted_at) = (registered.limits, wanted_at.as_nanos());
        let request = RequestView {
            invocation: u64::MAX,
            attempt: 1,
            function: function.0,
            image: registered.image.map_or(NONE, |image| image.0),
            requested_at: wanted_at,
            submitted_at: wanted_at,
            time_limit: limits.time.as_nanos(),
            ram_limit: limits.ram,
            disk_limit: limits.disk,
            startup_overhead: registered.startup_overhead.as_nanos(),
            ..RequestView::default()
        };
        self.announce_changes();
        let (waiting, sees_history) = (self.attempts.queue().len() + 1, self.policies.rules().sees_history);
        let Self { cluster, attempts, container_lists, policies, .. } = self;
        let shown = ShownContainers::new(cluster, attempts, container_lists, now);
        let view = cluster.view(&request, waiting, now, sees_history, ContainersOf::new(&shown));
        let node = match policies.place(&request, &view)? {
            Placement::Node(node) | Placement::Cold { node } | Placement::Warm { node, .. } => Some(node),
            Placement::Queue { nodes, .. } => nodes.iter().next().copied(),
            Placement::Busy { .. } => None,
            Placement::Wait | Placement::Reject(_) => return Ok(Answer::Nowhere),
        };
        match node {
            Some(node) if !self.cluster.up().contains(NodeId(node)) => Err(self.wrong_node(node, Method::Place)),
            Some(node) => Ok(Answer::Node(NodeId(node))),
            None => Ok(Answer::Anywhere),
        }
    }

    /// Gives an instance its place where the most RAM is free, if it has room anywhere.
    fn put_on_roomiest(
        &mut self,
        key: InstanceKey,
        function: FunctionId,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        match self.cluster.roomiest_for_instance(function) {
            Some(node) => self.put_on_node(key, function, node, kernel),
            None => Ok(false),
        }
    }

    /// Gives an instance its place on a node, or one among those that wait there for their image; false if there is no room.
    fn put_on_node(
        &mut self,
        key: InstanceKey,
        function: FunctionId,
        node: NodeId,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        let image = self.registry.function(function).image;
        if let Some(image) = image.filter(|image| !self.cluster.is_image_ready(node, Some(*image))) {
            let Some(promise) = self.cluster.promise_room(node, function) else { return Ok(false) };
            self.instances.put(key, InstanceStage::AwaitsImage(promise));
            self.instances.awaiting_image.entry((node, image)).or_default().push(key);
            self.explain_awaiting_image(key, (Some(node), image), kernel.now());
            self.advance_site(node, image, kernel)?;
            return Ok(true);
        }
        let held = self.cluster.start_instance(node, function, &mut self.books, kernel);
        let Some(held) = held.map_err(|mistake| self.policies.error(mistake))? else { return Ok(false) };
        let is_pod = self.instances.fleets.get(&function).is_some_and(|fleet| fleet.is_pool);
        self.books.metrics.begin_instance(self.registry.function(function).limits.ram, is_pod, kernel.now());
        self.books.begin_phase(node, held.id(), Phase::Prewarming, function);
        self.instances.put(key, InstanceStage::AwaitsAgent(held));
        self.explain_step(key, Step::Is(Cause::ControlPlane), kernel.now());
        if let Some(instance) = self.instances.all.get_mut(key) {
            instance.placed_at = Some(kernel.now());
        }
        if self.instances.stations.enter(Which::AgentOf(node), key) {
            self.call_to_agent(node, kernel);
        } else {
            self.begin_start(key, kernel)?;
        }
        Ok(true)
    }

    /// An image is on a node for which instances have waited there.
    pub(in crate::service) fn start_bound_instances(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        for key in self.instances.awaiting_image.remove(&(node, image)).unwrap_or_default() {
            let Some(InstanceStage::AwaitsImage(promise)) = self.instances.put(key, InstanceStage::AwaitsNode) else {
                return Err(Error::internal("an instance that waits for an image is somewhere else").into());
            };
            self.cluster.redeem(promise);
            self.explain_step(key, Step::Is(Cause::NodeFull), kernel.now());
            let Some(instance) = self.instances.all.get(key) else { continue };
            let (function, number) = (instance.function, instance.number);
            if !self.put_on_node(key, function, node, kernel)? {
                self.instances.awaiting_node.insert(function, number, key);
            }
        }
        Ok(())
    }

    /// The container of an instance begins to start: what it is restored from is read before, if it is.
    pub(super) fn begin_start(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let start = self.instances.all.get(key).map(|instance| instance.start).unwrap_or_default();
        let behind = self.phases_behind(start);
        let Some(instance) = self.instances.all.get_mut(key) else { return Ok(()) };
        let InstanceStage::AwaitsAgent(held) = std::mem::replace(&mut instance.stage, InstanceStage::Ended) else {
            return Ok(());
        };
        let Some(fleet) = self.instances.fleets.get_mut(&instance.function) else { return Ok(()) };
        let drawn = fleet.draw_start(held.node(), behind.as_deref());
        let size = fleet.settings.snapshot.as_ref().map_or(0, |snapshot| snapshot.size);
        if drawn.is_restored {
            instance.start = HowStarted::Snapshot;
            if let Some(restored) = &mut self.books.metrics.restored_instances {
                *restored += 1;
            }
            if size > 0 {
                let (host, read) = (self.cluster.node(held.node()).host, Event(Happening::InstanceAdvances(key)));
                let ends = (Endpoint::Disk(host), Endpoint::Memory(host));
                let reads = kernel.transfer(ends.0, ends.1, size, read)?;
                instance.stage = InstanceStage::Reads(held, reads, drawn);
                self.explain_snapshot(key, ends, size, kernel);
                return Ok(());
            }
        }
        self.pass_phases(key, held, drawn, kernel);
        Ok(())
    }

    /// The phases of a start begin.
    fn pass_phases(&mut self, key: InstanceKey, held: HeldContainer, drawn: DrawnStart, kernel: &mut Kernel<Event>) {
        let Some(instance) = self.instances.all.get(key) else { return };
        let is_pod = matches!(instance.start, HowStarted::Pod(_));
        let function = instance.function;
        let whole = self.registry.function(function).startup_overhead;
        let overhead = if is_pod { SimDuration::ZERO } else { whole };
        let DrawnStart { phases, fails, is_restored } = drawn;
        if self.tells_a_story() {
            let words = self.instances.fleets.get(&function).map(|fleet| fleet.phases_in_words(&phases));
            self.explain_phases(key, words.unwrap_or_default());
        }
        let whole = overhead + SimDuration::from_secs_f64(phases.iter().sum());
        let time = self.cluster.node(held.node()).slowed(whole);
        self.explain_step(key, Step::Takes(Timed::new(Kind::START, kernel.now(), (whole, time))), kernel.now());
        let has_worked = is_restored && self.instances.has_work_in_snapshot(function);
        let over = if fails {
            Happening::InstanceAdvances(key)
        } else if self.cluster.startup_work(function).is_some() && !has_worked {
            Happening::InstanceComputes(key)
        } else {
            Happening::Message(Message::InstanceReady(key))
        };
        let Some(instance) = self.instances.all.get_mut(key) else { return };
        instance.stage = InstanceStage::Starts(held, kernel.schedule_cancellable(time, Event(over)));
    }

    /// The phases of a start are over, of an instance that may be gone: its container computes before it is up.
    pub(in crate::service) fn begin_startup_work_of_instance(
        &mut self,
        key: InstanceKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let (held, over) = match self.instances.put(key, InstanceStage::Ended) {
            Some(InstanceStage::Starts(held, over)) => (held, over),
            Some(_) => return Err(Error::internal("an instance computes that has not been started").into()),
            None => return Ok(()),
        };
        let up = Message::InstanceReady(key);
        let (node, container) = (held.node(), held.id());
        self.explain_startup_of_instance(key, node, kernel.now());
        if self.cluster.begin_startup(node, container, Event(Happening::Message(up)), kernel) {
            self.instances.put(key, InstanceStage::Computes(held));
        } else {
            self.instances.put(key, InstanceStage::Starts(held, over));
            self.head.receive(up);
        }
        Ok(())
    }

    /// The head hears that an instance is up, which takes requests from now on, unless it is gone.
    pub(in crate::service) fn instance_ready(
        &mut self,
        key: InstanceKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let now = kernel.now();
        self.explain_step(key, Step::Is(Cause::InstancesBusy), now);
        let instances = &mut self.instances;
        let Some(instance) = instances.all.get_mut(key) else { return Ok(()) };
        let held = match std::mem::replace(&mut instance.stage, InstanceStage::Ended) {
            InstanceStage::Starts(held, _) => held,
            InstanceStage::Computes(held) => {
                self.cluster.end_startup(held.node(), held.id(), &mut self.books, kernel);
                held
            }
            _ => return Err(Error::internal("an instance is up that has not been started").into()),
        };
        if instance.start != HowStarted::Paused {
            self.cluster.note(ContainerChange::Up, &held, now);
        }
        let function = instance.function;
        let ram = self.registry.function(function).limits.ram;
        self.books.metrics.end_prewarming(ram, now);
        self.books.metrics.container_idle(ram, now);
        self.books.begin_phase(held.node(), held.id(), Phase::Idle, function);
        (instance.ready_at, instance.stage) = (Some(now), InstanceStage::Ready(held));
        let open = instance.as_open(key);
        if let Some(fleet) = instances.fleets.get_mut(&function) {
            fleet.starting -= 1;
            fleet.ready += 1;
            fleet.router.open(0, open);
        }
        if instances.fleets.get(&function).is_some_and(|fleet| !fleet.is_pool) {
            self.books.metrics.instance_up(now);
        }
        self.make_snapshot(key, kernel);
        self.serve_queue(function, kernel)
    }
}
