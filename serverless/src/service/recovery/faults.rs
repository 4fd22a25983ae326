//! What becomes of a service when hosts, links and containers fail, and when they are back (the timing model, section 11).

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::rc::Rc;

use hearth_policy_api::{ContainerChange, Ending};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::platform::{HostId, LinkId};
use hearth_simcore::random::stream;
use hearth_simcore::time::{SimDuration, SimTime};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::cluster::{Occupied, Promise};
use crate::error::Error;
use crate::fault::{Fault, FaultPlan, PlannedFault, Timing};
use crate::function::ImageId;
use crate::function::call::FunctionError;
use crate::invocation::Outcome;
use crate::node::NodeId;
use crate::service::Service;
use crate::service::attempts::{Attempt, AttemptKey};
use crate::service::event::{Event, Happening, Interrupted, Message};
use crate::workload::generate::Distribution;

/// The faults of a service, and which of them are in effect.
#[derive(Debug)]
pub(crate) struct Faults {
    plan: FaultPlan,
    /// Those in effect, by what they are about: their numbers in the plan.
    in_effect: BTreeMap<Target, BTreeSet<u32>>,
    /// How many ends of faults are scheduled.
    ends: usize,
    crashes: Pcg64Mcg,
    /// The fault that does not come about, and when it would have.
    undone: Option<(u32, SimTime)>,
    /// It would be in effect now.
    is_undone: bool,
}

/// What a fault is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Target {
    Host(HostId),
    Link(LinkId),
}

impl Target {
    fn of(fault: &Fault) -> Self {
        match *fault {
            Fault::HostDown { host, .. } | Fault::NodeSlow { host, .. } | Fault::DiskLost { host } => Self::Host(host),
            Fault::LinkDown { link } | Fault::LinkDegraded { link, .. } => Self::Link(link),
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            plan: FaultPlan::default(),
            in_effect: BTreeMap::new(),
            ends: 0,
            crashes: stream(0, ""),
            undone: None,
            is_undone: false,
        }
    }
}

impl Faults {
    /// The faults in effect on a link, in the order of the plan.
    pub fn on_link(&self, link: LinkId) -> impl Iterator<Item = Fault> {
        self.on(Target::Link(link))
    }

    /// The links that are not whole.
    pub fn links(&self) -> Vec<LinkId> {
        let link = |target: &Target| if let Target::Link(link) = target { Some(*link) } else { None };
        self.in_effect.keys().filter_map(link).collect()
    }

    fn on(&self, target: Target) -> impl Iterator<Item = Fault> {
        self.in_effect.get(&target).into_iter().flatten().map(|number| self.plan.faults[*number as usize].fault)
    }

    /// Whether a host is down by a fault.
    pub fn is_host_out(&self, host: HostId) -> bool {
        self.is_out(&Fault::HostDown { host, disk_lost: false })
    }

    /// Whether an outage of the same host or link is in effect.
    fn is_out(&self, fault: &Fault) -> bool {
        self.on(Target::of(fault)).any(|other| is_same_outage(&other, fault))
    }

    fn begin(&mut self, number: u32) {
        let target = Target::of(&self.plan.faults[number as usize].fault);
        self.in_effect.entry(target).or_default().insert(number);
    }

    fn end(&mut self, number: u32) {
        let target = Target::of(&self.plan.faults[number as usize].fault);
        if let btree_map::Entry::Occupied(mut on_target) = self.in_effect.entry(target) {
            on_target.get_mut().remove(&number);
            if on_target.get().is_empty() {
                on_target.remove();
            }
        }
    }

    /// After how long the container of an invocation crashes that has begun to run; `None` if not by the rate.
    pub fn crash_after(&mut self) -> Option<SimDuration> {
        let rate = self.plan.crash_per_second;
        (rate > 0.0).then(|| {
            let exponential = Distribution::Exponential { mean: 1.0 / rate };
            SimDuration::from_secs_f64(exponential.sampler().draw(&mut self.crashes))
        })
    }

    /// Has a fault not come about that would at a date.
    pub fn undo(&mut self, number: u32, at: SimTime) {
        self.undone = Some((number, at));
    }

    /// Whether the end of a fault is that of one that has not come about; it is over then.
    fn take_is_undone(&mut self, number: u32) -> bool {
        let is_it = self.undone.is_some_and(|(undone, _)| undone == number);
        is_it && std::mem::take(&mut self.is_undone)
    }

    /// Whether containers crash.
    pub fn containers_crash(&self) -> bool {
        self.plan.crash_per_invocation > 0.0 || self.plan.crash_per_second > 0.0
    }

    /// Whether the container of an invocation crashes at the end of its run.
    pub fn crashes_at_end(&mut self) -> bool {
        let chance = self.plan.crash_per_invocation;
        chance > 0.0 && self.crashes.random::<f64>() < chance
    }
}

impl Service {
    /// Sets what goes wrong from now on.
    pub(crate) fn set_faults(&mut self, plan: FaultPlan, kernel: &mut Kernel<Event>) {
        if !plan.faults.is_empty() {
            self.attempts.note_places(self.cluster.nodes().len());
        }
        self.recovery.faults.in_effect.clear();
        self.recovery.faults.crashes = stream(kernel.seed(), "container crashes");
        self.recovery.faults.plan = plan;
        for number in 0..self.recovery.faults.plan.faults.len() as u32 {
            self.schedule_fault(number, kernel);
        }
    }

    /// Schedules the next time that a fault comes into effect. That does not keep the simulation going.
    fn schedule_fault(&mut self, number: u32, kernel: &mut Kernel<Event>) {
        let begins = Event(Happening::FaultBegins(number));
        let date = match &mut self.recovery.faults.plan.faults[number as usize].timing {
            Timing::Once { at, .. } => *at,
            Timing::Drawn { between, random, .. } => {
                kernel.now() + SimDuration::from_secs_f64(between.sampler().draw(random))
            }
        };
        kernel.schedule_in_background(date, begins);
    }

    /// Something goes wrong.
    pub(crate) fn fault_begins(&mut self, number: u32, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let ends = Event(Happening::FaultEnds(number));
        let is_over = self.attempts.len() == 0 && kernel.pending_events() <= self.recovery.faults.ends;
        let PlannedFault { fault, timing } = &mut self.recovery.faults.plan.faults[number as usize];
        if is_over && matches!(timing, Timing::Drawn { .. }) {
            // Nothing is left to happen but ends of faults: among many hosts there would always be one to wait for.
            return Ok(());
        }
        let fault = *fault;
        let has_end = match timing {
            Timing::Once { until, .. } => until.map(|until| kernel.schedule_at(until, ends)).is_some(),
            Timing::Drawn { repair, random, .. } => {
                let length = SimDuration::from_secs_f64(repair.sampler().draw(random));
                kernel.schedule(length.max(SimDuration::from_nanos(1)), ends);
                true
            }
        };
        self.recovery.faults.ends += usize::from(has_end);
        if self.recovery.faults.undone == Some((number, kernel.now())) {
            self.recovery.faults.is_undone = true;
            return Ok(());
        }
        if has_end && !matches!(fault, Fault::DiskLost { .. }) {
            self.await_recovery(number, kernel.now());
        }
        self.tell_of_fault(number, &fault, kernel);
        let before = self.recovery.faults.is_out(&fault);
        let link = self.observed_link(&fault);
        self.recovery.faults.begin(number);
        // Before anything is done about the fault: that may lead to a decision.
        self.note_link(link, kernel);
        self.books.metrics.faults += 1;
        match fault {
            Fault::HostDown { host, disk_lost } if !before && self.is_powered(host) => {
                self.fail_host(host, disk_lost, kernel)?;
            }
            Fault::HostDown { host, disk_lost: true } => self.lose_disk(host),
            Fault::LinkDown { link } if !before => {
                let interrupted = kernel.fail_link(link);
                self.interrupt(interrupted, kernel)?;
            }
            Fault::HostDown { .. } | Fault::LinkDown { .. } => {}
            Fault::DiskLost { host } => {
                self.recovery.faults.end(number);
                self.lose_disk(host);
            }
            Fault::NodeSlow { host, .. } => self.set_slowness(host, kernel),
            Fault::LinkDegraded { link, .. } => self.set_bandwidth(link, kernel),
        }
        self.head.receive(Message::Changed);
        Ok(())
    }

    /// Something is right again.
    pub(crate) fn fault_ends(&mut self, number: u32, kernel: &mut Kernel<Event>) {
        let PlannedFault { fault, timing } = &self.recovery.faults.plan.faults[number as usize];
        self.recovery.faults.ends -= 1;
        let (fault, is_drawn) = (*fault, matches!(timing, Timing::Drawn { .. }));
        if self.recovery.faults.take_is_undone(number) {
            if is_drawn {
                self.schedule_fault(number, kernel);
            }
            return;
        }
        let link = self.observed_link(&fault);
        self.recovery.faults.end(number);
        self.note_link(link, kernel);
        self.begin_recovery(number);
        if let Some(replication) = &mut self.recovery.replication {
            replication.look_again();
        }
        let still = self.recovery.faults.is_out(&fault);
        match fault {
            Fault::HostDown { host, .. } if !still && self.is_powered(host) => self.restore_host(host, kernel),
            Fault::LinkDown { link } if !still => kernel.restore_link(link),
            Fault::HostDown { .. } | Fault::LinkDown { .. } | Fault::DiskLost { .. } => {}
            Fault::NodeSlow { host, .. } => self.set_slowness(host, kernel),
            Fault::LinkDegraded { link, .. } => self.set_bandwidth(link, kernel),
        }
        if is_drawn {
            self.schedule_fault(number, kernel);
        }
        self.head.receive(Message::Changed);
    }

    fn set_slowness(&mut self, host: HostId, kernel: &mut Kernel<Event>) {
        let factors = self.recovery.faults.on(Target::Host(host)).filter_map(|fault| match fault {
            Fault::NodeSlow { factor, .. } => Some(factor),
            _ => None,
        });
        let slowness = factors.product();
        if let Some(node) = self.cluster.node_on(host) {
            self.cluster.set_slowness(node, slowness);
            if self.cluster.shares_processors() {
                kernel.set_slowness(host, slowness);
                self.explain_change(kernel);
            }
        }
    }

    /// Whether a host is switched on: all are but nodes of pools.
    fn is_powered(&self, host: HostId) -> bool {
        self.cluster.node_on(host).is_none_or(|node| self.node_pools.is_powered(node))
    }

    pub(in crate::service) fn fail_host(
        &mut self,
        host: HostId,
        disk_lost: bool,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let mut lost = Vec::new();
        let node = self.cluster.node_on(host);
        if let Some(node) = node {
            self.replace_copies_of(node);
            self.cluster.take_down(node, kernel.now());
            lost = self.end_everything_on(node, kernel)?;
        }
        let interrupted = kernel.fail_host(host);
        self.interrupt(interrupted, kernel)?;
        if let Some(node) = node {
            self.forget_messages_of(node, kernel)?;
            self.cluster.clear_ram(node);
            if disk_lost {
                self.lose_disk(host);
            }
        }
        if host == self.head.host() && self.recovery.faults.plan.queue_lost {
            lost.extend(self.empty_queue(kernel)?);
        }
        let name = &kernel.platform().host(host).name;
        let reason: Rc<str> = Rc::from(format!("host {name:?} went down"));
        lost.into_iter().try_for_each(|key| self.lose(key, &reason, kernel))
    }

    pub(in crate::service) fn restore_host(&mut self, host: HostId, kernel: &mut Kernel<Event>) {
        kernel.restore_host(host);
        if let Some(node) = self.cluster.node_on(host) {
            self.cluster.bring_up(node, kernel.now(), self.books.metrics.window());
        }
    }

    /// Ends all containers of a node that has failed. Gives the invocations that ran in them, and puts those that were
    /// bound to the node back into the queue.
    fn end_everything_on(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Result<Vec<AttemptKey>, Box<Error>> {
        self.close_instances_on(node, kernel)?;
        let here = self.attempts.held_on(node);
        let mut lost = Vec::new();
        for key in here {
            let has_ended = self.attempts.get(key).is_some_and(|attempt| attempt.record.finished_at.is_some());
            self.take_out(key, Ending::Lost, kernel)?;
            if !has_ended {
                lost.push(key);
            }
        }
        self.lose_instances_on(node, kernel)?;
        self.give_up_what_waits_on(node, ContainerChange::Lost, kernel)?;
        Ok(lost)
    }

    /// Ends the containers of a node that nobody is in, and why, and has those placed anew that are bound to it or stand in its queue.
    pub(in crate::service) fn give_up_what_waits_on(
        &mut self,
        node: NodeId,
        why: ContainerChange,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        for (function, held) in self.keep_alive.prewarmings.give_up_on(node, kernel) {
            let ram = self.registry.function(function).limits.ram;
            self.books.metrics.end_prewarming(ram, kernel.now());
            self.count_starting(function, false);
            self.cluster.end(held, why, &mut self.books, kernel);
            self.give_up_waits(function, node, kernel)?;
        }
        self.give_up_waits_on(node, kernel)?;
        self.give_up_queue_of(node, kernel)?;
        self.cluster.end_all_idle(node, why, &mut self.books, kernel);
        for image in self.attempts.images_awaited_on(node) {
            self.settle_bound(node, image, kernel.now());
            for (key, promise) in self.attempts.unbind(node, image)? {
                self.cluster.redeem(promise);
                self.tell_of_requeue(key, node, kernel.now());
                let waiting = self.waiting(key)?;
                self.attempts.put_back(waiting)?;
            }
        }
        self.rounds.forget_stalls_on(node);
        Ok(())
    }

    /// Ends the container that an attempt held, and why, and gives back its core, without asking anybody.
    pub(crate) fn abandon(
        &mut self,
        key: AttemptKey,
        occupied: Occupied,
        why: ContainerChange,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let attempt = self.attempts.under_way_mut(key)?;
        let has_ended = attempt.record.finished_at.is_some();
        let outcome = if has_ended { attempt.record.outcome } else { Outcome::Lost };
        self.books.note_outcome(occupied.node(), occupied.container(), outcome);
        let (node, function) = (occupied.node(), attempt.record.function);
        self.stop_body(key, kernel)?;
        self.rounds.no_longer_runs(key);
        let ram = self.registry.function(function).limits.ram;
        self.books.metrics.container_no_longer_busy(ram, kernel.now());
        let held = self.cluster.vacate(occupied, kernel.now(), self.books.metrics.window());
        self.cluster.end(held, why, &mut self.books, kernel);
        self.give_up_waits(function, node, kernel)
    }

    /// The body of an attempt goes no further.
    pub(crate) fn stop_body(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if let Some(execution) = self.attempts.under_way_mut(key)?.execution_if_any() {
            if let Some(timer) = execution.time_limit.take() {
                kernel.cancel(timer);
            }
            if let Some(process) = execution.process.take() {
                process.cancel();
            }
            if let Some(computation) = execution.computation.take() {
                kernel.cancel_activity(computation);
            }
        }
        Ok(())
    }

    /// The container of an attempt has crashed, unless its body has ended. That of an instance crashes for all who are in it.
    pub(crate) fn crashed(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let is_running = |attempt: &Attempt| attempt.record.finished_at.is_none();
        if !self.attempts.get(key).is_some_and(is_running) {
            return Ok(());
        }
        let reason = Rc::from("its container crashed");
        for other in self.crash_instance_of(key, kernel)? {
            self.take_out(other, Ending::Crashed, kernel)?;
            if self.attempts.get(other).is_some_and(is_running) {
                self.lose(other, &reason, kernel)?;
            }
        }
        self.take_out(key, Ending::Crashed, kernel)?;
        self.lose(key, &reason, kernel)?;
        if self.instances.are_there() {
            self.replace_lost_instances(kernel)?;
        }
        self.head.receive(Message::Changed);
        Ok(())
    }

    /// Ends an invocation as lost.
    fn lose(&mut self, key: AttemptKey, reason: &Rc<str>, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.settle(key, kernel.now());
        self.attempts.under_way_mut(key)?.end(Outcome::Lost, Rc::clone(reason), kernel.now());
        self.note_end(key, true, kernel.now());
        self.conclude(key, kernel)
    }

    /// Empties the queue of a head that has failed; gives those who were in it.
    fn empty_queue(&mut self, kernel: &mut Kernel<Event>) -> Result<Vec<AttemptKey>, Box<Error>> {
        let mut lost = Vec::new();
        for message in self.head.take_unread(|message| matches!(message, Message::Request(_))) {
            if let Message::Request(key) = message {
                self.take_out(key, Ending::Lost, kernel)?;
                lost.push(key);
            }
        }
        self.rounds.keep_stalls(|node, image| self.instances.are_bound(node, image));
        // Requests that are still on their way find the head when it is back.
        if self.policies.hear_of_ends() {
            let here: Vec<AttemptKey> =
                self.attempts.iter().filter(|(_, attempt)| attempt.stage().waits()).map(|(key, _)| key).collect();
            here.into_iter().for_each(|key| self.tell_of_end(key, Ending::Lost, kernel.now()));
        }
        self.settle_all(kernel.now());
        let with_queue = self.attempts.nodes_with_queue();
        let (here, mut promises, timers) = self.attempts.empty();
        with_queue.into_iter().for_each(|node| self.cluster.set_queued(node, 0));
        for timer in timers {
            kernel.cancel(timer);
        }
        promises.sort_by_key(Promise::node);
        promises.into_iter().for_each(|promise| self.cluster.redeem(promise));
        self.instances.clear_queues(kernel.now());
        lost.extend(here);
        Ok(lost)
    }

    /// Transfers were interrupted: undoes what they were for.
    fn interrupt(&mut self, events: Vec<Event>, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let mut transfers = events.into_iter().filter_map(|Event(what)| what.interrupted());
        transfers.try_for_each(|transfer| self.interrupted(transfer, kernel))
    }

    /// A transfer came to nothing.
    pub(crate) fn interrupted(&mut self, what: Interrupted, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        match what {
            Interrupted::Step(key) => {
                // Whose container has gone with its node is lost, not failed.
                let Some(attempt) = self.attempts.get_mut(key).filter(|attempt| attempt.is_running()) else {
                    return Ok(());
                };
                let failure = FunctionError::new("a transfer was interrupted: a host or link went down");
                attempt.fail(failure);
                return self.body_ended(key, kernel);
            }
            Interrupted::Download(image) => {
                self.explain_interruption((None, image), kernel.now());
                self.head.images.download_failed(image);
            }
            Interrupted::Copy { node, image } => {
                self.explain_interruption((Some(node), image), kernel.now());
                self.copy_is_over(node, image);
                self.cluster.abort_copy(node, image);
                if let Some(replication) = &mut self.recovery.replication {
                    replication.interrupted(node, image);
                }
                self.await_again(node, image);
            }
            Interrupted::Load { node, image } => {
                self.explain_interruption((Some(node), image), kernel.now());
                self.cluster.abort_load(node, image);
                self.await_again(node, image);
            }
        }
        Ok(())
    }

    /// Who is bound to a node and waits for an image there needs it moved again, an instance too.
    fn await_again(&mut self, node: NodeId, image: ImageId) {
        if self.attempts.is_bound(node, image) || self.instances.are_bound(node, image) {
            self.rounds.stall(node, image);
        }
    }

    /// Messages from a node that has failed, which the head has not read, say what is no longer so.
    fn forget_messages_of(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let is_from = |message: &Message| matches!(message, Message::Copied { node: of, .. } | Message::Loaded { node: of, .. } if *of == node);
        for message in self.head.take_unread(is_from) {
            if let Some(transfer) = Happening::Message(message).interrupted() {
                self.interrupted(transfer, kernel)?;
            }
        }
        Ok(())
    }

    /// The images on a disk are gone.
    pub(in crate::service) fn lose_disk(&mut self, host: HostId) {
        let Some(node) = self.cluster.node_on(host) else { return };
        self.instances.lose_snapshots_on(node);
        for image in self.cluster.lose_disk(node) {
            if let Some(replication) = &mut self.recovery.replication {
                replication.lost(image);
            }
        }
    }
}

/// Whether two faults are outages of the same host or link.
fn is_same_outage(one: &Fault, other: &Fault) -> bool {
    match (one, other) {
        (Fault::HostDown { host, .. }, Fault::HostDown { host: other, .. }) => host == other,
        (Fault::LinkDown { link }, Fault::LinkDown { link: other }) => link == other,
        _ => false,
    }
}
