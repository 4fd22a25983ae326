//! Pools of generic pods: containers that are started before anybody needs them, in which instances look for one that they fit into. A
//! pool is a function that nobody invokes, whose instances are taken.

use std::rc::Rc;

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::random::stream;
use hearth_simcore::time::SimDuration;
use rand_pcg::Pcg64Mcg;

use super::InstanceKey;
use super::instance::{HowStarted, Instance, InstanceStage};
use crate::distribution::{Distribution, Sampler};
use crate::error::Error;
use crate::function::{FunctionId, Pods, StartPhase};
use crate::results::Phase;
use crate::service::Service;
use crate::service::event::{Event, Happening, Message};

/// A pool in which instances look.
#[derive(Debug)]
pub(super) struct Pool {
    /// The function whose instances they are.
    function: FunctionId,
    search: Option<Sampler>,
    random: Pcg64Mcg,
}

impl Pool {
    /// The function whose instances they are.
    pub fn function(&self) -> FunctionId {
        self.function
    }
}

impl Service {
    /// Adds a pool, after those in which instances look before.
    pub(crate) fn add_pods(&mut self, pods: &Pods, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let (function, settings) = pods.as_function();
        let function = self.register(function)?;
        let random = stream(kernel.seed(), &format!("searches of pods of function {}", function.0));
        let search = pods.search.as_ref().map(Distribution::sampler);
        self.instances.pools.push(Pool { function, search, random });
        let metrics = &mut self.books.metrics;
        (metrics.pods, metrics.from_pods) = (Some(metrics.pods.unwrap_or(0)), Some(metrics.from_pods.unwrap_or(0)));
        self.add_fleet(vec![function], settings, true, kernel)
    }

    /// An instance looks for a pod, from one pool on, one after the other; where there is none it is created.
    pub(super) fn search_pods(
        &mut self,
        key: InstanceKey,
        from: usize,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(function) = self.instances.all.get(key).map(|instance| instance.function) else { return Ok(()) };
        let is_pod = self.instances.fleets.get(&function).is_some_and(|fleet| fleet.is_pool);
        let mut position = from;
        while let Some(pool) = self.instances.pools.get_mut(position).filter(|_| !is_pod) {
            if self.cluster.fits_into(function, pool.function) {
                let seconds = pool.search.as_ref().map_or(0.0, |search| search.draw(&mut pool.random));
                if seconds > 0.0 {
                    let over = Event(Happening::InstanceAdvances(key));
                    let over = kernel.schedule_cancellable(SimDuration::from_secs_f64(seconds), over);
                    self.instances.put(key, InstanceStage::Searches(position, over));
                    return Ok(());
                }
                if self.take_pod(key, position, kernel)? {
                    return Ok(());
                }
            }
            position += 1;
        }
        self.create(key, kernel);
        Ok(())
    }

    /// An instance has looked into a pool for long enough to see whether a pod is there.
    pub(super) fn pool_searched(
        &mut self,
        key: InstanceKey,
        position: usize,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        if self.take_pod(key, position, kernel)? { Ok(()) } else { self.search_pods(key, position + 1, kernel) }
    }

    /// An instance takes the oldest pod of a pool that is ready and in whose place it has room: its container is there instead at once,
    /// and another pod is begun. False if there is none.
    fn take_pod(&mut self, key: InstanceKey, position: usize, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let Some(pool) = self.instances.pools.get(position).map(|pool| pool.function) else { return Ok(false) };
        let Some(function) = self.instances.all.get(key).map(|instance| instance.function) else { return Ok(false) };
        let Some(pod) = self.ready_pod(pool, function, kernel)? else { return Ok(false) };
        let Some(held) = self.end_without_container(pod, ContainerChange::Ended, kernel)? else { return Ok(false) };
        let held = self.cluster.replace(held, function, &mut self.books, kernel);
        self.books.metrics.from_pods = self.books.metrics.from_pods.map(|count| count + 1);
        self.books.metrics.begin_instance(self.registry.function(function).limits.ram, false, kernel.now());
        self.books.begin_phase(held.node(), held.id(), Phase::Prewarming, function);
        if let Some(instance) = self.instances.all.get_mut(key) {
            (instance.start, instance.placed_at) = (HowStarted::Pod(pool), Some(kernel.now()));
            instance.stage = InstanceStage::AwaitsAgent(held);
        }
        // What the pod held beyond is free for those who wait.
        self.head.receive(Message::Changed);
        self.begin_start(key, kernel)?;
        self.reconcile(pool, kernel)?;
        Ok(true)
    }

    /// The oldest pod of a pool that is ready, on a node that has the disk for a function beside it, or has made room.
    fn ready_pod(
        &mut self,
        pool: FunctionId,
        function: FunctionId,
        kernel: &mut Kernel<Event>,
    ) -> Result<Option<InstanceKey>, Box<Error>> {
        let Some(fleet) = self.instances.fleets.get(&pool) else { return Ok(None) };
        for key in fleet.members.values() {
            let ready = self.instances.all.get(*key).filter(|pod| pod.is_ready());
            if let Some(node) = ready.and_then(Instance::node) {
                let has_disk = self.cluster.make_disk_for(node, function, &mut self.books, kernel);
                if has_disk.map_err(|mistake| self.policies.error(mistake))? {
                    return Ok(Some(*key));
                }
            }
        }
        Ok(None)
    }

    /// The phases that the start of an instance has behind it, if it has taken a pod.
    pub(super) fn phases_behind(&self, start: HowStarted) -> Option<Rc<[StartPhase]>> {
        let HowStarted::Pod(pool) = start else { return None };
        self.instances.fleets.get(&pool).map(|fleet| Rc::clone(&fleet.settings.start))
    }
}
