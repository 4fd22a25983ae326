//! Containers of the nodes, and the cores they run on: who gets one holds a value that must be given back.

use hearth_policy_api::{ContainerChange, ContainerEvent, Creation, EvictionItem, Removal, RequestView, Touch};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Cluster;
use super::pools::NoLongerIdle;
use crate::function::{FunctionId, ImageId, Processors};
use crate::metrics::Window;
use crate::node::{Container, ContainerId, Footprint, Holder, NodeId, PoolId, Spell};
use crate::policy::Mistake;
use crate::results::Books;
use crate::results::Phase;
use crate::table::Identifier;

/// What each container of a function is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerSpec {
    /// What it reserves.
    pub footprint: Footprint,
    /// What it keeps of its RAM while it is idle.
    pub idle_ram: u64,
    /// The image that must be in RAM and on disk of its node.
    pub image: Option<ImageId>,
    /// How long it takes to start on a node that is not slowed.
    pub startup_overhead: SimDuration,
    /// What it has of the processors, where they are shared.
    pub processors: Processors,
}

impl ContainerSpec {
    /// What it reserves while it is idle.
    pub fn idle_footprint(&self) -> Footprint {
        Footprint { ram: self.idle_ram, ..self.footprint }
    }

    /// A container that is idle as eviction policies see it.
    pub(super) fn item(&self, function: FunctionId, id: ContainerId, since: SimTime, expires: SimTime) -> EvictionItem {
        let Footprint { ram, disk, .. } = self.idle_footprint();
        let (cost, since) = (self.startup_overhead.as_nanos(), since.as_nanos());
        let expires = if expires == SimTime::MAX { u64::MAX } else { expires.as_nanos() };
        EvictionItem { id: id.0, function: function.0, ram, disk, cost, since, expires, ..EvictionItem::default() }
    }
}

/// A container that is not among the idle ones: it is to be kept, or ended.
#[must_use]
#[derive(Debug)]
pub(crate) struct HeldContainer {
    node: NodeId,
    container: ContainerId,
    function: FunctionId,
    pool: PoolId,
}

impl HeldContainer {
    pub fn node(&self) -> NodeId {
        self.node
    }

    pub fn id(&self) -> ContainerId {
        self.container
    }

    pub(super) fn pool(&self) -> PoolId {
        self.pool
    }
}

/// A container with a core that it runs on, from a date on; both are to be given back.
#[must_use]
#[derive(Debug)]
pub(crate) struct Occupied {
    held: HeldContainer,
    since: SimTime,
}

impl Occupied {
    pub fn node(&self) -> NodeId {
        self.held.node
    }

    pub fn container(&self) -> ContainerId {
        self.held.container
    }
}

/// A core and reservations of a node that are kept for somebody; to be redeemed.
#[must_use]
#[derive(Debug)]
pub(crate) struct Promise {
    node: NodeId,
    footprint: Footprint,
    cores: u32,
}

impl Promise {
    pub fn node(&self) -> NodeId {
        self.node
    }
}

impl Cluster {
    /// Takes an idle container of a function, and a core for it. `None` if it is not idle, or no core is free.
    pub fn start_warm<E>(
        &mut self,
        node: NodeId,
        container: ContainerId,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Option<Occupied> {
        if !self.has_core(node) {
            return None;
        }
        let held = self.leave_idle(node, function, container, ContainerChange::Taken, books, kernel)?;
        self.touch_image(node, function);
        Some(self.occupy(held, kernel.now()))
    }

    /// Makes a container of a function, and takes a core for it. `None` if no core is free, the image is not on the node,
    /// or there is no room for the reservations and none can be made.
    pub fn start_cold<E>(
        &mut self,
        node: NodeId,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Result<Option<Occupied>, Mistake> {
        let ContainerSpec { footprint, image, .. } = self.specs[function];
        if !self.has_core(node) || !self.is_image_ready(node, image) || !self.may_have_processors(node, footprint) {
            return Ok(None);
        }
        self.pin_image(node, image);
        let reserved = self.reserve(node, footprint, books, kernel.now())?
            || (self.evict_idle_containers(node, function, footprint, books, kernel)?
                && self.reserve(node, footprint, books, kernel.now())?);
        if !reserved {
            self.unpin_image(node, image);
            self.refresh(node);
            return Ok(None);
        }
        self.reserve_processors(node, function, books, kernel);
        let held = self.add_container(node, function, Creation::Invocation, kernel.now());
        self.touch_image(node, function);
        let occupied = self.occupy(held, kernel.now());
        self.show_storage(node);
        Ok(Some(occupied))
    }

    /// Makes the container of an instance of a function, which holds no core. `None` if the node is down, the image is not on it, or there
    /// is no room for the reservations beside what is promised and none can be made.
    pub fn start_instance<E>(
        &mut self,
        node: NodeId,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Result<Option<HeldContainer>, Mistake> {
        let ContainerSpec { footprint, image, .. } = self.specs[function];
        if !self.up.contains(node) || !self.is_image_ready(node, image) {
            return Ok(None);
        }
        if !self.may_take_room(node, footprint) {
            return Ok(None);
        }
        self.pin_image(node, image);
        let reserved = self.reserve(node, footprint, books, kernel.now())?
            || (self.evict_idle_containers(node, function, footprint, books, kernel)?
                && self.reserve(node, footprint, books, kernel.now())?);
        if !reserved {
            self.unpin_image(node, image);
            self.refresh(node);
            return Ok(None);
        }
        self.reserve_processors(node, function, books, kernel);
        let held = self.add_container(node, function, Creation::Prewarming, kernel.now());
        self.touch_image(node, function);
        self.refresh(node);
        Ok(Some(held))
    }

    /// Makes a container of a function ahead of a request, if the node is up and there is room beside what is promised,
    /// without evicting anything.
    pub fn start_ahead(&mut self, node: NodeId, function: FunctionId, now: SimTime) -> Option<HeldContainer> {
        if !self.has_room_ahead(node, function) {
            return None;
        }
        let ContainerSpec { footprint, image, .. } = self.specs[function];
        self.pin_image(node, image);
        self.nodes[node].disk.reserve(footprint.disk);
        self.nodes[node].ram.reserve(footprint.ram);
        if let Some(shared) = &mut self.nodes[node].processors {
            shared.reserve(footprint.processors);
        }
        let container = self.add_container(node, function, Creation::Prewarming, now);
        self.refresh(node);
        Some(container)
    }

    /// Whether a core is free, promised ones among them; where processors are shared, nobody needs one.
    fn has_core(&self, node: NodeId) -> bool {
        let held = &self.nodes[node];
        self.up.contains(node) && (held.running < held.cores || held.processors.is_some())
    }

    fn occupy(&mut self, held: HeldContainer, since: SimTime) -> Occupied {
        self.nodes[held.node].running += 1;
        self.refresh_use_if(held.node, true);
        Occupied { held, since }
    }

    /// Notes who is in a container that is in use.
    #[inline]
    pub fn note_holder(&mut self, node: NodeId, container: ContainerId, holder: Holder) {
        if let Some(held) = self.nodes[node].containers.get_mut(container.position()) {
            held.holder = Some(holder);
        }
    }

    /// Takes the core of a container back. Policies are shown that together with what becomes of the container.
    #[inline]
    pub fn vacate(&mut self, occupied: Occupied, now: SimTime, window: Window) -> HeldContainer {
        self.count_use(&occupied, now, window);
        self.nodes[occupied.held.node].running -= 1;
        occupied.held
    }

    /// Counts a core as held up to a date, without taking it back.
    pub fn count_use(&mut self, occupied: &Occupied, now: SimTime, window: Window) {
        let node = occupied.node();
        let described = &mut self.nodes[node];
        // Where processors are shared, what is used of them is counted, and not who could.
        if described.power.is_none() || described.processors.is_some() {
            return;
        }
        described.used.core_held(Some(occupied.since), now, window);
        if described.used.has_later() {
            self.used_later.push(node);
        }
    }

    /// The last invocation so far ends now: what was counted after the one before lies within what is measured.
    #[inline]
    pub fn extend_use(&mut self) {
        if !self.used_later.is_empty() {
            self.used_later.drain(..).for_each(|node| self.nodes[node].used.extend());
        }
    }

    /// Notes what becomes of a container, if somebody wants to know.
    #[inline]
    pub fn note(&mut self, change: ContainerChange, held: &HeldContainer, now: SimTime) {
        if let Some(news) = &mut self.news {
            let (node, container, function) = (held.node.0, held.container.0, held.function.0);
            let (now, Footprint { ram, disk, .. }) = (now.as_nanos(), self.specs[held.function].footprint);
            news.push(ContainerEvent {
                change,
                now,
                node,
                container,
                function,
                ram,
                disk,
                ..ContainerEvent::default()
            });
        }
    }

    /// The start is over of a container that an attempt has waited for.
    #[inline]
    pub fn note_up(&mut self, occupied: &Occupied, now: SimTime) {
        self.note(ContainerChange::Up, &occupied.held, now);
    }

    /// Makes a container idle for a time; `over` is what happens then.
    pub fn keep<E>(
        &mut self,
        held: HeldContainer,
        keep_for: SimDuration,
        over: impl FnOnce(NodeId, ContainerId, Spell) -> E,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) {
        self.note(ContainerChange::Idle, &held, kernel.now());
        let HeldContainer { node, container, function, pool } = held;
        self.spell = self.spell.next();
        let (spell, now) = (self.spell, kernel.now());
        let expires = if keep_for == SimDuration::MAX { SimTime::MAX } else { now + keep_for };
        let (described, spec) = (&mut self.nodes[node], &self.specs[function]);
        let is_told = described
            .enter_idle((container, spell), spec.idle_footprint(), || spec.item(function, container, now, expires));
        let given_back = spec.footprint.ram - spec.idle_ram;
        if given_back > 0 {
            described.ram.release(given_back);
        }
        let containers = &mut described.containers;
        let timer = self.pools.push_idle(containers, (pool, container), (spell, is_told), (now, expires));
        if expires != SimTime::MAX {
            let timer = *timer.get_or_insert_with(|| kernel.add_timer());
            kernel.set_timer(timer, keep_for, over(node, container, spell));
        }
        let idle = &mut self.idle[function];
        idle.nodes.insert(node);
        idle.last = pool;
        if let Some(counts) = &mut self.counts {
            counts.becomes_idle(node, function, self.pools.get(pool).idle);
        }
        books.metrics.container_idle(spec.idle_ram, now);
        books.begin_phase(node, container, Phase::Idle, function);
        if given_back > 0 {
            self.refresh(node);
        }
        // A node that goes down ends what it has.
        self.refresh_use_if(node, true);
    }

    /// Ends a container that is in use, or was being started, and why.
    pub fn end<E>(&mut self, held: HeldContainer, why: ContainerChange, books: &mut Books, kernel: &mut Kernel<E>) {
        self.note(why, &held, kernel.now());
        self.note_end(why, held.function, (held.node, held.container), kernel.now());
        self.nodes[held.node].container_eviction.end_use(held.container);
        let ram = self.specs[held.function].footprint.ram;
        self.remove(held, ram, books, kernel);
    }

    /// Ends an idle container, and why; false if it is not idle.
    pub fn end_idle<E>(
        &mut self,
        node: NodeId,
        container: ContainerId,
        why: ContainerChange,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> bool {
        let Some(function) = self.nodes[node].container(container).map(|held| held.function) else { return false };
        let held = self.leave_idle(node, function, container, why, books, kernel);
        let ram = self.specs[function].idle_ram;
        held.map(|held| self.remove(held, ram, books, kernel)).is_some()
    }

    /// The idle containers of a function, on one node or on all, those that are idle longest first.
    pub fn idle_longest(&self, function: FunctionId, only: Option<NodeId>) -> Vec<(NodeId, ContainerId)> {
        let on_node = |node: NodeId| {
            let of_function = self.nodes[node].containers.iter().filter(|(_, held)| held.function == function);
            let idle = of_function.filter_map(|(position, held)| Some((held.idle.as_ref()?.spell, position)));
            idle.map(move |(spell, position)| (spell, node, ContainerId::at(position))).collect::<Vec<_>>()
        };
        let nodes = self.idle[function].nodes.iter().filter(|node| only.is_none_or(|only| only == *node));
        let mut idle: Vec<_> = nodes.flat_map(on_node).collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, node, container)| (node, container)).collect()
    }

    /// The node with the most free RAM on which a container of a function can be started ahead; of several, the first.
    pub fn roomiest(&self, function: FunctionId) -> Option<NodeId> {
        self.roomiest_of(|node| self.has_room_ahead(node, function))
    }

    /// The node with the most free RAM that has room for an instance of a function, wherever its image is; of several, the first.
    pub fn roomiest_for_instance(&self, function: FunctionId) -> Option<NodeId> {
        self.roomiest_of(|node| self.has_room_beside_promises(node, function))
    }

    /// Whether there is a node that has room for an instance of a function, or can make some.
    pub fn may_be_room_for(&self, function: FunctionId) -> bool {
        let footprint = self.specs[function].footprint;
        self.up.iter().any(|node| self.may_take_room(node, footprint))
    }

    fn roomiest_of(&self, has_room: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let nodes = self.up.iter().filter(|node| has_room(*node));
        // `max_by_key` takes the last of several.
        let free = |node: &NodeId| self.nodes[*node].ram.free() - self.nodes[*node].promised.ram;
        nodes.max_by_key(|node| (free(node), std::cmp::Reverse(*node)))
    }

    /// Whether a container of a function can be started ahead on a node: it is up, has the image, and has room beside what is
    /// promised.
    fn has_room_ahead(&self, node: NodeId, function: FunctionId) -> bool {
        self.has_room_beside_promises(node, function) && self.is_image_ready(node, self.specs[function].image)
    }

    /// The same wherever the image is.
    fn has_room_beside_promises(&self, node: NodeId, function: FunctionId) -> bool {
        let ContainerSpec { footprint, .. } = self.specs[function];
        let held = &self.nodes[node];
        held.ram.free() >= held.promised.ram + footprint.ram
            && held.disk.free() >= held.promised.disk + footprint.disk
            && held.processors.is_none_or(|shared| shared.has_room_beside_promised(footprint.processors))
            && self.up.contains(node)
    }

    /// Ends all idle containers of a node, and why.
    pub fn end_all_idle<E>(&mut self, node: NodeId, why: ContainerChange, books: &mut Books, kernel: &mut Kernel<E>) {
        let idle: Vec<ContainerId> = self.nodes[node].idle_containers().collect();
        for container in idle {
            self.end_idle(node, container, why, books, kernel);
        }
    }

    /// Whether a container is idle in this spell, and not in another or in use.
    pub fn is_idle_in(&self, node: NodeId, container: ContainerId, spell: Spell) -> bool {
        let held = self.nodes[node].container(container).and_then(|held| held.idle.as_ref());
        held.is_some_and(|idle| idle.spell == spell)
    }

    /// Keeps a core and the reservations of a function's container for somebody.
    pub fn promise(&mut self, node: NodeId, function: FunctionId) -> Promise {
        self.promise_cores(node, function, 1)
    }

    /// Keeps the reservations of an instance of a function for it, without a core; `None` if there is no room beside what is kept for
    /// others.
    pub fn promise_room(&mut self, node: NodeId, function: FunctionId) -> Option<Promise> {
        self.may_take_room(node, self.specs[function].footprint).then(|| self.promise_cores(node, function, 0))
    }

    /// Whether a node is up and has room, or can make some, beside what is promised.
    fn may_take_room(&self, node: NodeId, footprint: Footprint) -> bool {
        let request = RequestView { ram_limit: footprint.ram, disk_limit: footprint.disk, ..RequestView::default() };
        self.up.contains(node)
            && self.views[node].can_make_room(&request)
            && self.nodes[node].processors.is_none_or(|shared| shared.can_promise(footprint.processors))
    }

    fn promise_cores(&mut self, node: NodeId, function: FunctionId, cores: u32) -> Promise {
        let footprint = self.specs[function].footprint;
        let promised = &mut self.nodes[node].promised;
        promised.cores += cores;
        promised.ram += footprint.ram;
        promised.disk += footprint.disk;
        if let Some(shared) = &mut self.nodes[node].processors {
            shared.promise(footprint.processors);
        }
        self.promises += u64::from(cores);
        self.refresh(node);
        Promise { node, footprint, cores }
    }

    /// Takes back what was promised.
    pub fn redeem(&mut self, promise: Promise) {
        let Promise { node, footprint, cores } = promise;
        let promised = &mut self.nodes[node].promised;
        promised.cores -= cores;
        promised.ram -= footprint.ram;
        promised.disk -= footprint.disk;
        if let Some(shared) = &mut self.nodes[node].processors {
            shared.redeem(footprint.processors);
        }
        self.promises -= u64::from(cores);
        self.refresh(node);
    }

    /// Takes a container out of the idle ones of its function, and why; `None` if it is not among them. It holds what it has kept of its
    /// RAM.
    pub(super) fn leave_idle<E>(
        &mut self,
        node: NodeId,
        function: FunctionId,
        container: ContainerId,
        why: ContainerChange,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Option<HeldContainer> {
        let described = &mut self.nodes[node];
        let NoLongerIdle { timer, is_told, pool, left } =
            self.pools.remove_idle(&mut described.containers, function, container)?;
        if left == 0 {
            self.idle[function].nodes.remove(node);
        }
        if let Some(counts) = &mut self.counts {
            counts.is_no_longer_idle(node, function, left);
        }
        if let Some(timer) = timer {
            kernel.clear_timer(timer);
        }
        let footprint = self.specs[function].idle_footprint();
        books.metrics.container_no_longer_idle(footprint.ram, kernel.now());
        let removal = match why {
            ContainerChange::Taken => Removal::Taken,
            ContainerChange::Evicted => Removal::Evicted,
            _ => Removal::Ended,
        };
        described.leave_idle(container, footprint, is_told, removal);
        let held = HeldContainer { node, container, function, pool };
        self.note(why, &held, kernel.now());
        self.note_end(why, function, (node, container), kernel.now());
        if why == ContainerChange::Taken {
            self.spare_no_longer(node, container);
        }
        Some(held)
    }

    /// Ends idle containers of a node to make room for one of a function; false, and none is ended, if that cannot suffice.
    pub(super) fn evict_idle_containers<E>(
        &mut self,
        node: NodeId,
        function: FunctionId,
        wanted: Footprint,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Result<bool, Mistake> {
        let spared = self.spared_on(node, kernel.now());
        let specs = &self.specs;
        let item_of = |id, container: &Container| {
            let idle = container.idle.as_ref()?;
            Some(specs[container.function].item(container.function, id, idle.since, idle.expires))
        };
        let chosen = self.nodes[node].choose_idle_victims(wanted, kernel.now().as_nanos(), spared, item_of);
        if !chosen? {
            return Ok(false);
        }
        let victims = std::mem::take(&mut self.nodes[node].victims);
        self.evict_for(Some(function));
        for container in &victims {
            books.metrics.evicted_containers += 1;
            self.end_idle(node, ContainerId(*container), ContainerChange::Evicted, books, kernel);
        }
        self.evict_for(None);
        self.nodes[node].victims = victims;
        Ok(true)
    }

    /// Makes a container, whose reservations are made.
    pub(super) fn add_container(
        &mut self,
        node: NodeId,
        function: FunctionId,
        creation: Creation,
        now: SimTime,
    ) -> HeldContainer {
        let pool = self.pools.enter(node, function);
        self.container_counts[function] += 1;
        let fresh = Container { function, pool, created: now, holder: None, timer: None, share: None, idle: None };
        let containers = &mut self.nodes[node].containers;
        let container = ContainerId::at(containers.insert(fresh));
        let eviction = &mut self.nodes[node].container_eviction;
        if eviction.observes() {
            eviction.enter_use(creation, &self.specs[function].item(function, container, now, SimTime::MAX));
        }
        let held = HeldContainer { node, container, function, pool };
        let change = match creation {
            Creation::Invocation => ContainerChange::Starting,
            Creation::Prewarming => ContainerChange::StartingAhead,
        };
        self.note(change, &held, now);
        held
    }

    /// Gives back what a container held that is not among the idle ones, and so much RAM.
    fn remove<E>(&mut self, held: HeldContainer, ram: u64, books: &mut Books, kernel: &mut Kernel<E>) {
        self.end_share(&held, books, kernel);
        let HeldContainer { node, container, function, pool } = held;
        let ended = self.nodes[node].containers.try_remove(container.position());
        debug_assert!(ended.is_some(), "a container that is held is there");
        if let Some(timer) = ended.and_then(|ended| ended.timer) {
            kernel.remove_timer(timer);
        }
        self.pools.leave(pool);
        self.container_counts[function] -= 1;
        books.end_container(node, container);
        let ContainerSpec { footprint, image, .. } = self.specs[function];
        let described = &mut self.nodes[node];
        described.ram.release(ram);
        described.disk.release(footprint.disk);
        if let Some(shared) = &mut described.processors {
            shared.release(footprint.processors);
        }
        self.unpin_image(node, image);
        self.refresh(node);
    }

    pub(super) fn touch_image(&mut self, node: NodeId, function: FunctionId) {
        if let Some(image) = self.specs[function].image {
            let node = &mut self.nodes[node];
            node.ram.touch(image, Touch::Use);
            node.disk.touch(image, Touch::Use);
        }
    }

    pub(super) fn pin_image(&mut self, node: NodeId, image: Option<ImageId>) {
        if let Some(image) = image {
            self.nodes[node].disk.pin(image);
            self.nodes[node].ram.pin(image);
        }
    }

    fn unpin_image(&mut self, node: NodeId, image: Option<ImageId>) {
        if let Some(image) = image {
            self.nodes[node].disk.unpin(image);
            self.nodes[node].ram.unpin(image);
        }
    }

    /// Reserves disk, then RAM, evicting images where room is short; both or none.
    fn reserve(
        &mut self,
        node: NodeId,
        footprint: Footprint,
        books: &mut Books,
        now: SimTime,
    ) -> Result<bool, Mistake> {
        if !self.make_disk_room(node, footprint.disk, books, now)? {
            return Ok(false);
        }
        self.nodes[node].disk.reserve(footprint.disk);
        if !self.make_ram_room(node, footprint.ram, books, now)? {
            self.nodes[node].disk.release(footprint.disk);
            return Ok(false);
        }
        self.nodes[node].ram.reserve(footprint.ram);
        Ok(true)
    }
}
