//! Gets an invocation into a container: an idle one, or a new one for which room is made if need be (the timing
//! model, sections 4 and 5).

use hearth_policy_api::{Creation, Removal, Touch};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::event::{Event, Happening};
use super::live::InvocationKey;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::invocation::{InvocationState, Start};
use crate::node::{ContainerId, Footprint};
use crate::policy::PolicySlot;
use crate::results::Phase;

impl Service {
    /// Starts an invocation on a node, in the idle container that was planned for it or in a new one. False if that is
    /// not possible (any more).
    pub(crate) fn dispatch(
        &mut self,
        key: InvocationKey,
        node: u32,
        planned: Option<ContainerId>,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Error> {
        let Some(live) = self.live.get(key) else {
            return Ok(false);
        };
        let function = live.record.function;
        if self.cluster.node(node).free_cores() == 0 {
            return Ok(false);
        }
        let container = match planned {
            Some(container) => self.take_idle(node, container, function, kernel).then_some(container),
            None => self.create_container(node, function, kernel)?,
        };
        let Some(container) = container else { return Ok(false) };
        self.touch_image(node, function);
        let start = if planned.is_some() { Start::Warm } else { Start::Cold };
        self.occupy(key, node, container, start, kernel)?;
        Ok(true)
    }

    /// Gives the invocation its core and starts the container, or the body if the container is warm.
    fn occupy(
        &mut self,
        key: InvocationKey,
        node: u32,
        container: ContainerId,
        start: Start,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Error> {
        let now = kernel.now();
        let Some(live) = self.live.get_mut(key) else {
            return Ok(());
        };
        live.container = Some(container);
        live.record.node = Some(node);
        live.record.start = Some(start);
        live.record.dispatched_at = Some(now);
        let function = &mut self.functions[live.record.function.0 as usize];
        function.running += 1;
        function.waiting -= 1;
        self.running += 1;
        self.waiting -= 1;
        self.books.metrics.container_busy(function.limits.ram, now);
        self.books.metrics.count_start(live.record.function, start);
        let overhead = if start == Start::Cold { function.startup_overhead } else { SimDuration::ZERO };
        let overhead = self.cluster.node(node).slowed(overhead);
        if let Some(ends) = &mut self.expected_ends {
            let limit = function.limits.time;
            let end = if limit > SimDuration::ZERO { now + overhead + limit } else { SimTime::MAX };
            ends.begin(key, node, end, function.footprint());
        }
        self.cluster.node(node).running += 1;
        match start {
            Start::Cold => self.cluster.refresh(node),
            Start::Warm => self.cluster.refresh_use(node),
        }
        if overhead > SimDuration::ZERO {
            self.books.serve(node, container, Phase::ColdStart, &live.record);
            live.enter(InvocationState::Starting, now);
            kernel.schedule(overhead, Event(Happening::ContainerStarted(key)));
            return Ok(());
        }
        self.start_body(key, kernel)
    }

    fn take_idle(
        &mut self,
        node: u32,
        container: ContainerId,
        function: FunctionId,
        kernel: &mut Kernel<Event>,
    ) -> bool {
        let held = self.cluster.node(node).containers.get(container.0 as usize);
        held.is_some_and(|held| held.function == function)
            && self.leave_idle(node, function, container, Removal::Taken, kernel)
    }

    /// Takes a container out of the idle ones of its function; false if it is not among them.
    fn leave_idle(
        &mut self,
        node: u32,
        function: FunctionId,
        container: ContainerId,
        removal: Removal,
        kernel: &mut Kernel<Event>,
    ) -> bool {
        let Some(idle) = self.cluster.remove_idle(node, function, container) else {
            return false;
        };
        if let Some(expiry) = idle.expiry {
            kernel.cancel(expiry);
        }
        let footprint = self.functions[function.0 as usize].footprint();
        self.books.metrics.container_no_longer_idle(footprint.ram, kernel.now());
        self.cluster.node(node).leave_idle(container, footprint, removal);
        true
    }

    fn touch_image(&mut self, node: u32, function: FunctionId) {
        if let Some(image) = self.functions[function.0 as usize].image {
            let node = self.cluster.node(node);
            node.ram.touch(image, Touch::Use);
            node.disk.touch(image, Touch::Use);
        }
    }

    /// Makes a container if the function's image is on the node and room for the reservations is there or can be made.
    fn create_container(
        &mut self,
        node: u32,
        function: FunctionId,
        kernel: &mut Kernel<Event>,
    ) -> Result<Option<ContainerId>, Error> {
        let image = self.functions[function.0 as usize].image;
        if !self.cluster.is_image_ready(node, image) {
            return Ok(None);
        }
        let footprint = self.functions[function.0 as usize].footprint();
        self.pin_image(node, image);
        let reserved = self.reserve(node, footprint, kernel)?
            || (self.evict_idle_containers(node, footprint, kernel)? && self.reserve(node, footprint, kernel)?);
        if !reserved {
            self.unpin_image(node, image);
            self.cluster.refresh(node);
            return Ok(None);
        }
        Ok(Some(self.add_container(node, function, Creation::Invocation, kernel)))
    }

    /// Makes a container, whose reservations are made.
    pub(crate) fn add_container(
        &mut self,
        node: u32,
        function: FunctionId,
        creation: Creation,
        kernel: &Kernel<Event>,
    ) -> ContainerId {
        let container = self.cluster.add_container(node, function);
        let function = &self.functions[function.0 as usize];
        let node = self.cluster.node(node);
        node.enter_use(creation, || function.eviction_item(container, kernel.now(), u64::MAX));
        container
    }

    pub(crate) fn pin_image(&mut self, node: u32, image: Option<ImageId>) {
        if let Some(image) = image {
            let node = self.cluster.node(node);
            node.disk.pin(image);
            node.ram.pin(image);
        }
    }

    fn unpin_image(&mut self, node: u32, image: Option<ImageId>) {
        if let Some(image) = image {
            let node = self.cluster.node(node);
            node.disk.unpin(image);
            node.ram.unpin(image);
        }
    }

    /// Reserves disk, then RAM, evicting images where room is short; both or none.
    fn reserve(&mut self, node: u32, footprint: Footprint, kernel: &Kernel<Event>) -> Result<bool, Error> {
        if !self.make_disk_room(node, footprint.disk, kernel)? {
            return Ok(false);
        }
        self.cluster.node(node).disk.reserve(footprint.disk);
        if !self.make_ram_room(node, footprint.ram, kernel)? {
            self.cluster.node(node).disk.release(footprint.disk);
            return Ok(false);
        }
        self.cluster.node(node).ram.reserve(footprint.ram);
        Ok(true)
    }

    /// Ends idle containers of a node to make room; false, and none is ended, if that cannot suffice.
    fn evict_idle_containers(
        &mut self,
        node: u32,
        wanted: Footprint,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Error> {
        let functions = &self.functions;
        let footprint_of = |function: FunctionId| functions[function.0 as usize].footprint();
        let chosen = self.cluster.node(node).choose_idle_victims(wanted, kernel.now().as_nanos(), footprint_of);
        if !chosen.map_err(|fault| self.fault(PolicySlot::Containers, fault))? {
            return Ok(false);
        }
        let victims = std::mem::take(&mut self.cluster.node(node).victims);
        for container in &victims {
            self.books.metrics.evicted_containers += 1;
            self.end_idle_container(node, ContainerId(*container), Removal::Evicted, kernel);
        }
        self.cluster.node(node).victims = victims;
        Ok(true)
    }

    /// Ends an idle container and gives back what it held.
    pub(crate) fn end_idle_container(
        &mut self,
        node: u32,
        container: ContainerId,
        removal: Removal,
        kernel: &mut Kernel<Event>,
    ) {
        let held = self.cluster.node(node).containers.get(container.0 as usize);
        if let Some(function) = held.map(|held| held.function) {
            self.leave_idle(node, function, container, removal, kernel);
            self.drop_container(node, container);
        }
    }

    /// Ends a container that is in use, or is being started.
    pub(crate) fn end_container_in_use(&mut self, node: u32, container: ContainerId) {
        self.cluster.node(node).end_use(container);
        self.drop_container(node, container);
    }

    /// Gives back what a container held that is not among the idle ones.
    fn drop_container(&mut self, node: u32, container: ContainerId) {
        let Some(function) = self.cluster.remove_container(node, container) else {
            return;
        };
        self.books.end_container(node, container);
        let function = &self.functions[function.0 as usize];
        let (footprint, image) = (function.footprint(), function.image);
        let held = self.cluster.node(node);
        held.ram.release(footprint.ram);
        held.disk.release(footprint.disk);
        self.unpin_image(node, image);
        self.cluster.refresh(node);
    }

    /// Binds an invocation to a node on which its image is awaited, with a core and its reservations promised.
    pub(crate) fn bind(&mut self, key: InvocationKey, node: u32, image: ImageId) {
        let Some(live) = self.live.get(key) else { return };
        let footprint = self.functions[live.record.function.0 as usize].footprint();
        let promised = &mut self.cluster.node(node).promised;
        promised.cores += 1;
        promised.ram += footprint.ram;
        promised.disk += footprint.disk;
        self.cluster.refresh(node);
        if let Some(live) = self.live.get_mut(key) {
            live.site = Some((node, image));
        }
        self.bound.entry((node, image)).or_default().push(key);
    }

    /// Tries again where those who are bound to a node could not get their image moved before.
    pub(crate) fn advance_bound(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        for (node, image) in std::mem::take(&mut self.stalled_sites) {
            self.advance_site(node, image, kernel)?;
        }
        Ok(())
    }

    /// Takes those who are bound to a node and wait for an image there a step further.
    pub(crate) fn advance_site(&mut self, node: u32, image: ImageId, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        if !self.bound.contains_key(&(node, image)) {
            return Ok(());
        }
        if self.cluster.is_image_ready(node, Some(image)) {
            return self.start_bound(node, image, kernel);
        }
        let is_on_disk = self.cluster.images[image.0 as usize].on_disk.contains(node);
        let moves = if is_on_disk { self.load(node, image, kernel)? } else { self.copy(node, image, kernel)? };
        if !moves {
            self.stalled_sites.push((node, image));
        }
        Ok(())
    }

    /// Starts those who are bound to a node and have waited for this image; who cannot start is placed anew.
    fn start_bound(&mut self, node: u32, image: ImageId, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        for key in self.bound.remove(&(node, image)).unwrap_or_default() {
            let Some(waiting) = self.waiting(key) else {
                continue;
            };
            if let Some(live) = self.live.get_mut(key) {
                live.site = None;
            }
            let function = waiting.function;
            let footprint = self.functions[function.0 as usize].footprint();
            let promised = &mut self.cluster.node(node).promised;
            promised.cores -= 1;
            promised.ram -= footprint.ram;
            promised.disk -= footprint.disk;
            self.cluster.refresh(node);
            self.cluster.round += 1;
            let idle = self.cluster.plan_idle(node, function, self.settings.reuse_most_recent);
            self.cluster.unplan_idle(node, function);
            if !self.dispatch(key, node, idle, kernel)? {
                self.queue.insert(waiting);
            }
        }
        Ok(())
    }
}
