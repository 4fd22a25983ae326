//! What containers keep and use of the processors of their nodes, where these are shared (the timing model, section 8).

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::{ActivityId, Kernel, ShareId, ShareSpec};

use super::{Cluster, HeldContainer};
use crate::function::{FunctionId, StartupWork};
use crate::node::{ContainerId, Footprint, NodeId, Share, SharedProcessors};
use crate::results::Books;
use crate::table::Identifier;

impl Cluster {
    /// From now on containers share the processors of their nodes, of which there are none yet.
    pub fn share_processors(&mut self) {
        self.is_shared = true;
        for node in self.nodes.names() {
            self.nodes[node].processors = Some(SharedProcessors::of(self.nodes[node].cores));
            self.refresh(node);
        }
    }

    /// Whether containers share the processors of their nodes, so that nobody needs a core to start.
    #[inline]
    pub fn shares_processors(&self) -> bool {
        self.is_shared
    }

    /// Whether somebody can start in an idle container of a node, whatever is planned.
    pub fn may_start_warm(&self, node: NodeId) -> bool {
        if self.is_shared { self.up.contains(node) } else { self.free_core.contains(node) }
    }

    /// Notes what a container of one more function keeps.
    pub(super) fn note_request(&mut self, request: u64) {
        if self.least_request != u64::MAX && self.least_request != request {
            // What is known of the nodes with a free core does not say which of them have room for whom.
            self.free_core_contents = None;
            self.do_requests_vary = true;
        }
        self.least_request = self.least_request.min(request);
    }

    /// Whether containers of some functions keep more of the processors than those of others.
    #[inline]
    pub fn do_requests_vary(&self) -> bool {
        self.do_requests_vary
    }

    /// Takes, for the rest of the round, what a container of a function keeps.
    pub(super) fn plan_processors(&mut self, node: NodeId, function: FunctionId) {
        let request = self.specs[function].footprint.processors;
        if let Some(shared) = &mut self.nodes[node].processors {
            shared.plan(request);
        }
        let running = self.views[node].running;
        let before = self.views[node].free_cores;
        self.nodes[node].show_use(true, self.least_request, &mut self.views[node]);
        self.views[node].running = running;
        let after = self.views[node].free_cores;
        self.free_cores = self.free_cores - u64::from(before) + u64::from(after);
        if before > 0 && after == 0 {
            self.free_core.remove(node);
            if let Some(contents) = &mut self.free_core_contents {
                contents.take(node);
            }
        }
    }

    /// Shows nodes as without free cores on which a container of a function has no room, where others have; gives them with what
    /// they had.
    pub fn hide_full(&mut self, function: FunctionId) -> Vec<(NodeId, u32)> {
        let request = self.specs[function].footprint.processors;
        if request <= self.least_request {
            return Vec::new();
        }
        let is_full = |node: &NodeId| {
            let has_room = self.nodes[*node].processors.is_none_or(|shared| shared.can_hold(request));
            !has_room && !self.idle[function].nodes.contains(*node)
        };
        let full: Vec<NodeId> = self.free_core.iter().filter(is_full).collect();
        full.into_iter().map(|node| (node, self.hide(node))).collect()
    }

    /// Shows them again.
    pub fn show_full(&mut self, hidden: Vec<(NodeId, u32)>) {
        hidden.into_iter().for_each(|(node, cores)| self.show(node, cores));
    }

    /// Whether processors can be kept for a container, if idle ones end for it.
    pub(super) fn may_have_processors(&self, node: NodeId, wanted: Footprint) -> bool {
        self.nodes[node].processors.is_none_or(|shared| shared.may_hold(wanted.processors))
    }

    /// Keeps processors for a container that may have them: idle ones that keep some end, those that are idle longest first.
    pub(super) fn reserve_processors<E>(
        &mut self,
        node: NodeId,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) {
        let wanted = self.specs[function].footprint;
        let Some(shared) = self.nodes[node].processors else { return };
        if shared.short_by(wanted.processors) > 0 {
            let of = |id: &ContainerId| self.nodes[node].container(*id).map(|held| held.function);
            let keeps = |id: &ContainerId| of(id).is_some_and(|function| self.specs[function].footprint.processors > 0);
            let spell = |id: &ContainerId| Some(self.nodes[node].container(*id)?.idle.as_ref()?.spell);
            let spared = self.spared_on(node, kernel.now());
            let idle = self.nodes[node].idle_containers().filter(|id| keeps(id) && Some(*id) != spared);
            let mut idle: Vec<ContainerId> = idle.collect();
            idle.sort_by_key(spell);
            self.evict_for(Some(function));
            for container in idle {
                if self.nodes[node].processors.is_none_or(|shared| shared.short_by(wanted.processors) == 0) {
                    break;
                }
                books.metrics.evicted_containers += 1;
                self.end_idle(node, container, ContainerChange::Evicted, books, kernel);
            }
            self.evict_for(None);
        }
        if let Some(shared) = &mut self.nodes[node].processors {
            shared.reserve(wanted.processors);
        }
    }

    /// The share of the processors that a container has, which all that computes in it divides equally; `None` if processors are not
    /// shared, or there is no such container.
    pub fn share_of<E>(&mut self, node: NodeId, container: ContainerId, kernel: &mut Kernel<E>) -> Option<ShareId> {
        let described = &mut self.nodes[node];
        if !self.is_shared {
            return None;
        }
        let (host, now) = (described.host, kernel.now());
        let held = described.containers.get_mut(container.position())?;
        let spec = self.specs[held.function].processors;
        let share = held.share.get_or_insert_with(|| {
            let spec = ShareSpec { host, limit: spec.limit, threads: spec.threads, weight: spec.weight };
            Box::new(Share { id: kernel.add_share(spec), counted: 0.0, counted_at: now })
        });
        Some(share.id)
    }

    /// Computes in a container beside whatever computes there: together they are no faster than its limit, and have of the node's
    /// processors what its weight gives them. `event` fires at the end, unless the computation is stopped
    /// ([`Kernel::cancel_activity`]) or the container ends before. `None` if processors are not shared, or there is no such
    /// container.
    pub fn compute<E>(
        &mut self,
        node: NodeId,
        container: ContainerId,
        flops: f64,
        event: E,
        kernel: &mut Kernel<E>,
    ) -> Option<ActivityId> {
        let share = self.share_of(node, container, kernel)?;
        kernel.compute(share, flops, event)
    }

    /// On how many cores at once something computes in a container of a function that has them.
    pub fn cores_of_computation(&self, function: FunctionId) -> f64 {
        let spec = self.specs[function].processors;
        spec.limit.min(spec.threads)
    }

    /// Begins with what a new container computes before it is up; false if that is nothing.
    pub fn begin_startup<E>(&mut self, node: NodeId, container: ContainerId, event: E, kernel: &mut Kernel<E>) -> bool {
        let Some(function) = self.nodes[node].container(container).map(|held| held.function) else { return false };
        let Some(StartupWork { flops, limit }) = self.startup_work(function) else { return false };
        let Some(share) = self.share_of(node, container, kernel) else { return false };
        kernel.resize_share(share, limit, limit);
        kernel.compute(share, flops, event).is_some()
    }

    /// What a new container of a function computes before it is up.
    #[inline]
    pub fn startup_work(&self, function: FunctionId) -> Option<StartupWork> {
        if !self.is_shared {
            return None;
        }
        self.specs[function].processors.startup.filter(|work| work.flops > 0.0)
    }

    /// A new container has computed what it does before it is up.
    pub fn end_startup<E>(&mut self, node: NodeId, container: ContainerId, books: &mut Books, kernel: &mut Kernel<E>) {
        let Some(held) = self.nodes[node].container(container).filter(|held| held.share.is_some()) else { return };
        let (spec, share) = (self.specs[held.function].processors, held.share.as_ref().map(|share| share.id));
        self.count_processors(node, container, books, kernel);
        if let Some(share) = share {
            kernel.resize_share(share, spec.limit, spec.threads);
        }
    }

    /// Counts what a container has used of processors since the last time.
    pub fn count_processors<E>(&mut self, node: NodeId, container: ContainerId, books: &mut Books, kernel: &Kernel<E>) {
        let (described, now) = (&mut self.nodes[node], kernel.now());
        let Some(held) = described.containers.get_mut(container.position()) else { return };
        let Some(share) = &mut held.share else { return };
        let nanos = ((kernel.processor_seconds(share.id) - share.counted) * 1e9).round().max(0.0);
        share.counted += nanos / 1e9;
        let since = std::mem::replace(&mut share.counted_at, now);
        let used = books.metrics.window().split_use(nanos as u128, since, now);
        if let Some(processors) = &mut books.metrics.processors {
            processors.add(held.function, used);
        }
        if described.power.is_some() {
            described.used.processors_used(used);
            if described.used.has_later() {
                self.used_later.push(node);
            }
        }
    }

    /// Counts what all containers have used.
    pub fn count_all_processors<E>(&mut self, books: &mut Books, kernel: &Kernel<E>) {
        if !self.is_shared {
            return;
        }
        for node in self.nodes.names() {
            let containers: Vec<usize> = self.nodes[node].containers.iter().map(|(position, _)| position).collect();
            for position in containers {
                self.count_processors(node, ContainerId::at(position), books, kernel);
            }
        }
    }

    /// The container ends, and all that it computes.
    pub(super) fn end_share<E>(&mut self, held: &HeldContainer, books: &mut Books, kernel: &mut Kernel<E>) {
        if !self.is_shared {
            return;
        }
        self.count_processors(held.node(), held.id(), books, kernel);
        let container = self.nodes[held.node()].containers.get_mut(held.id().position());
        if let Some(share) = container.and_then(|container| container.share.take()) {
            kernel.remove_share(share.id);
        }
    }

    /// Of containers of all functions, the least that one keeps.
    #[cfg(test)]
    pub fn least_request(&self) -> u64 {
        self.least_request
    }

    /// How many millionths of cores are in use on all nodes, since time has moved on last.
    pub fn processors_in_use<E>(&self, kernel: &Kernel<E>) -> u64 {
        let nodes = self.nodes.iter().filter(|node| node.processors.is_some());
        (nodes.map(|node| kernel.cores_in_use(node.host)).sum::<f64>() * 1e6).round() as u64
    }
}
