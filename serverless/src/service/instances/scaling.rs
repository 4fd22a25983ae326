//! How many instances there are: asks the autoscaler, and has as many as it wants.

use std::collections::BTreeSet;

use hearth_policy_api::{ContainerChange, ScaleCause, ScaleView};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::random::stream;
use hearth_simcore::time::SimTime;

use super::control_plane::Stations;
use super::fleet::Fleet;
use super::instance::InstanceStage;
use super::pods::Pool;
use super::routing::Router;
use super::{InstanceKey, Instances};
use crate::error::Error;
use crate::function::{ControlPlane, FunctionId, InstanceSettings};
use crate::node::NodeId;
use crate::results::InstanceCounts;
use crate::service::Service;
use crate::service::event::{Event, Happening, Message};

impl Instances {
    /// An instance that is up takes no more requests.
    pub(super) fn stop(&mut self, key: InstanceKey) {
        let Some(instance) = self.all.get_mut(key).filter(|instance| instance.is_ready()) else { return };
        let (load, open) = (instance.load(), instance.as_open(key));
        if let InstanceStage::Ready(held) = std::mem::replace(&mut instance.stage, InstanceStage::Ended) {
            instance.stage = InstanceStage::Stops(held);
        }
        if let Some(fleet) = self.fleets.get_mut(&instance.function) {
            (fleet.ready, fleet.stopping) = (fleet.ready - 1, fleet.stopping + 1);
            if load < fleet.settings.capacity() {
                fleet.router.close(load, open);
            }
        }
    }
}

impl Service {
    /// Has instances pass stations as they are started. Before there are any.
    pub(crate) fn set_control_plane(&mut self, control_plane: &ControlPlane, seed: u64) {
        self.instances.stations = Stations::new(control_plane, self.cluster.nodes().len(), seed);
    }

    /// Has functions served by the same instances from now on, whose containers are alike, and which nobody has asked for yet; by number.
    pub(in crate::service) fn set_instances(
        &mut self,
        functions: Vec<FunctionId>,
        settings: InstanceSettings,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.add_fleet(functions, settings, false, kernel)
    }

    /// The same, or has a pool of pods that other instances take: nobody is asked how many there are to be.
    pub(super) fn add_fleet(
        &mut self,
        functions: Vec<FunctionId>,
        settings: InstanceSettings,
        is_pool: bool,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(&function) = functions.first() else { return Ok(()) };
        let router = Router::new(settings.routing, kernel.seed(), function.0);
        let random = |what: &str| stream(kernel.seed(), &format!("{what} of instances of function {}", function.0));
        self.instances.ticks.set_period(self.policies.autoscaling_rules().period);
        let nodes = self.cluster.nodes().len();
        let mut fleet = Fleet::new((function, functions), settings, router, random, (nodes, kernel.now()));
        fleet.is_pool = is_pool;
        self.books.metrics.has_instances = true;
        if self.recovery.containers_crash() {
            self.attempts.note_places(nodes);
        }
        if fleet.settings.start_failure.is_some() {
            self.books.metrics.failed_starts.get_or_insert(0);
        }
        if fleet.settings.snapshot.is_some() {
            self.books.metrics.restored_instances.get_or_insert(0);
        }
        if let Some(pausing) = &fleet.settings.paused {
            self.books.metrics.resumed_instances.get_or_insert(0);
            self.cluster.keep_of_ram(function, pausing.ram);
        }
        let is_active = !fleet.is_dormant();
        fleet.is_active = is_active && !is_pool;
        self.instances.fleets.insert(fleet);
        if is_active {
            if !is_pool {
                self.instances.active.insert(function);
            }
            self.reconcile(function, kernel)?;
            self.work_off_mailbox(kernel)?;
            self.schedule_tick(kernel);
        }
        Ok(())
    }

    /// Has the next tick come, if there is somebody to ask about. It keeps the simulation going only while somebody is under way, or if
    /// somebody comes before it.
    pub(super) fn schedule_tick(&mut self, kernel: &mut Kernel<Event>) {
        let (tick, is_awaited) = (Event(Happening::ScaleTick), self.attempts.len() > 0);
        let Instances { ticks, active, .. } = &mut self.instances;
        if ticks.is_coming() || !active.is_empty() {
            ticks.schedule(tick, is_awaited, kernel);
        }
    }

    /// A tick: asks about all functions that have instances, or requests that wait for one.
    pub(in crate::service) fn scale_tick(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if !self.instances.ticks.take(kernel.now()) {
            return Ok(());
        }
        self.tell_of_containers();
        let active: Vec<FunctionId> = self.instances.active.iter().copied().collect();
        for function in active {
            self.ask_autoscaler(function, ScaleCause::Tick, kernel)?;
            if let Some(fleet) = self.instances.fleets.get_mut(&function).filter(|fleet| fleet.is_dormant()) {
                fleet.is_active = false;
                self.instances.active.remove(&function);
            }
        }
        if self.instances.await_nodes() {
            self.head.receive(Message::Changed);
        }
        self.schedule_tick(kernel);
        Ok(())
    }

    /// Asks how many instances of a function there are to be, and sees to it.
    pub(super) fn ask_autoscaler(
        &mut self,
        function: FunctionId,
        cause: ScaleCause,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(fleet) = self.instances.fleets.get_mut(&function) else { return Ok(()) };
        fleet.advance(kernel.now());
        let view = fleet.view(cause, kernel.now());
        let wanted = self.policies.scale(&view)?;
        if let Some(fleet) = self.instances.fleets.get_mut(&function) {
            fleet.wanted = wanted;
        }
        self.reconcile(function, kernel)
    }

    /// Has as many instances of a function as there are to be: asks for more, or ends some. Those go first that are not up, the newest
    /// first, and then those with the fewest requests, of several the newest, each with the last of its requests.
    pub(in crate::service) fn reconcile(
        &mut self,
        function: FunctionId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(fleet) = self.instances.fleets.get(&function) else { return Ok(()) };
        let (scale, wanted) = (fleet.scale(), fleet.wanted);
        if scale < wanted {
            return (scale..wanted).try_for_each(|_| self.want_instance(function, kernel));
        }
        if scale == wanted {
            return Ok(());
        }
        let mut least: Vec<(bool, u32, std::cmp::Reverse<u64>, InstanceKey)> = Vec::new();
        for (number, key) in &fleet.members {
            if let Some(instance) = self.instances.all.get(*key)
                && (instance.is_ready() || instance.is_starting())
            {
                least.push((instance.is_ready(), instance.load(), std::cmp::Reverse(*number), *key));
            }
        }
        let too_many = ((scale - wanted) as usize).min(least.len());
        if too_many > 0 && too_many < least.len() {
            least.select_nth_unstable(too_many - 1);
        }
        least.truncate(too_many);
        least.sort_unstable();
        least.into_iter().try_for_each(|(_, _, _, key)| self.stop_instance(key, kernel))
    }

    /// The instances on a node take no more requests, and end with their last; others are begun in their place.
    pub(in crate::service) fn stop_instances_on(
        &mut self,
        node: NodeId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        for key in self.instances_on(node) {
            let instance = self.instances.all.get(key);
            if instance.is_some_and(|instance| instance.is_ready() || instance.is_starting()) {
                self.stop_instance(key, kernel)?;
            }
        }
        self.replace_lost_instances(kernel)
    }

    /// An instance takes no more requests, and ends with the last that it has.
    fn stop_instance(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(instance) = self.instances.all.get_mut(key) else { return Ok(()) };
        let has_no_request = instance.load() == 0;
        instance.stopped_at = Some(kernel.now());
        if instance.is_starting() {
            return self.end_instance(key, ContainerChange::Ended, kernel);
        }
        self.instances.stop(key);
        if has_no_request { self.remove_instance(key, ContainerChange::Ended, kernel) } else { Ok(()) }
    }

    /// Has as many instances of all functions as there are to be, after some were lost.
    pub(in crate::service) fn replace_lost_instances(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        // Those of others have none.
        let Instances { active, pools, .. } = &self.instances;
        let functions: BTreeSet<FunctionId> = active.iter().copied().chain(pools.iter().map(Pool::function)).collect();
        functions.into_iter().try_for_each(|function| {
            self.reconcile(function, kernel)?;
            self.serve_queue(function, kernel)
        })
    }
}

impl Instances {
    /// How things stand with all of them. Of a function that is not asked about there is nothing.
    pub(in crate::service) fn counts(&self) -> InstanceCounts {
        let mut counts = InstanceCounts::default();
        for fleet in self.active.iter().filter_map(|function| self.fleets.get(function)) {
            counts.ready += u64::from(fleet.ready);
            counts.starting += u64::from(fleet.starting);
            counts.wanted += u64::from(fleet.wanted);
            counts.requests_in += fleet.running;
            counts.requests_awaiting += fleet.queue.len() as u64;
            counts.needed +=
                (fleet.running + fleet.queue.len() as u64).div_ceil(fleet.settings.concurrency.max(1).into());
        }
        counts
    }

    /// Why no instance of a function has room, if this policy says how many there are to be.
    pub(in crate::service) fn why_none_is_free(&self, function: FunctionId, policy: &str) -> String {
        let Some(fleet) = self.fleets.get(&function) else { return "it has none".to_owned() };
        let Fleet { ready, starting, wanted, .. } = fleet;
        let waits_for_node = |key: &InstanceKey| {
            matches!(self.all.get(*key).map(|instance| &instance.stage), Some(InstanceStage::AwaitsNode))
        };
        let without_node = fleet.members.values().filter(|key| waits_for_node(key)).count();
        let why = match without_node {
            0 => String::new(),
            count => format!(", of which {count} have found no node with room"),
        };
        let is_tried_again = |key: &&InstanceKey| {
            self.all.get(**key).is_some_and(|instance| instance.is_starting() && instance.failures > 0)
        };
        let again = match fleet.members.values().filter(is_tried_again).count() {
            0 => String::new(),
            count => format!(", of which {count} are tried again after starts that failed"),
        };
        format!("policies.autoscaling, {policy}, wants {wanted}; {ready} are up, {starting} are starting{why}{again}")
    }
}

impl Fleet {
    /// As the autoscaler sees it.
    fn view(&self, cause: ScaleCause, now: SimTime) -> ScaleView {
        let (in_flight_seconds, running_seconds) = self.request_seconds();
        ScaleView {
            function: self.lead.0,
            now: now.as_nanos(),
            concurrency: self.settings.concurrency,
            min_scale: self.settings.min_scale,
            max_scale: self.settings.max_scale,
            ready: self.ready,
            starting: self.starting,
            stopping: self.stopping,
            wanted: self.wanted,
            cause,
            waiting: self.queue.len() as u64,
            running: self.running,
            waiting_since: self.queue.front().map_or(u64::MAX, |(_, since)| since.as_nanos()),
            arrivals: self.arrivals,
            last_arrival: self.last_arrival.map_or(u64::MAX, SimTime::as_nanos),
            in_flight_seconds,
            running_seconds,
            ..ScaleView::default()
        }
    }
}
