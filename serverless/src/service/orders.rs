//! What policies have done besides answering: they are called again at a date, have containers started and ended, and
//! take back those that stand in the queues of nodes (the timing model, section 14).

use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::boundary::{ContainersOf, Order, Ordered};
use hearth_policy_api::{ContainerChange, NONE, PolicySlot};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::AttemptKey;
use super::containers::ShownContainers;
use super::event::{Event, Happening, Message};
use crate::error::Error;
use crate::function::FunctionId;
use crate::node::NodeId;
use crate::policy::{Method, Mistake};

/// More containers at once are a mistake.
const MOST_CONTAINERS: u32 = 1_000_000;

/// A timer of an instance: its slot, its node, and its own number.
type TimerKey = (PolicySlot, u32, u64);

/// The timers of all policies. The engine has one event for them, at the date of the first.
#[derive(Debug, Default)]
pub(crate) struct PolicyTimers {
    /// When each goes off, and how many had been set before.
    set: BTreeMap<TimerKey, (SimTime, u64)>,
    /// The same in the order of dates.
    due: BTreeSet<(SimTime, u64, TimerKey)>,
    count: u64,
    /// The event that keeps the simulation going, and its date.
    event: Option<(SimTime, EventHandle)>,
    /// The date of the last event that does not.
    in_background: Option<SimTime>,
    /// Where orders are while they are carried out; kept for its memory.
    taken: Vec<Ordered>,
}

impl PolicyTimers {
    /// Sets a timer, or takes it back.
    fn set(&mut self, key: TimerKey, date: Option<SimTime>) {
        if let Some((before, number)) = self.set.remove(&key) {
            self.due.remove(&(before, number, key));
        }
        if let Some(date) = date {
            self.count += 1;
            self.set.insert(key, (date, self.count));
            self.due.insert((date, self.count, key));
        }
    }

    /// Takes back all timers of the policies in a slot.
    pub(super) fn forget(&mut self, slot: PolicySlot) {
        let of_slot: Vec<TimerKey> = self.set.keys().filter(|(of, ..)| *of == slot).copied().collect();
        of_slot.into_iter().for_each(|key| self.set(key, None));
    }

    /// Takes the first timer that has gone off by now.
    fn take_due(&mut self, now: SimTime) -> Option<TimerKey> {
        let (date, _, key) = *self.due.first()?;
        if date > now {
            return None;
        }
        self.set(key, None);
        Some(key)
    }

    /// Whether there are any.
    #[inline]
    pub(crate) fn are_set(&self) -> bool {
        !self.due.is_empty() || self.event.is_some()
    }

    /// Has the engine come to the first one: if somebody is under way, whatever else happens; if nobody is, if something else is
    /// left to happen.
    fn schedule(&mut self, is_anybody_under_way: bool, kernel: &mut Kernel<Event>) {
        let first = self.due.first().map(|(date, ..)| *date);
        let wanted = first.filter(|_| is_anybody_under_way);
        if self.event.map(|(date, _)| date) != wanted {
            if let Some((_, handle)) = self.event.take() {
                kernel.cancel(handle);
            }
            let schedule = |date: SimTime| {
                (date, kernel.schedule_cancellable(date - kernel.now().min(date), Event(Happening::PolicyTimer)))
            };
            self.event = wanted.map(schedule);
        }
        if let Some(date) = first.filter(|_| !is_anybody_under_way)
            && self.in_background != Some(date)
        {
            self.in_background = Some(date);
            kernel.schedule_in_background(date, Event(Happening::PolicyTimer));
        }
    }
}

impl Service {
    /// Does what policies have asked for in calls that are over.
    #[cold]
    #[inline(never)]
    pub(crate) fn carry_out_orders(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let mut taken = std::mem::take(&mut self.timers.taken);
        self.policies.watch().orders().take_into(&mut taken);
        for Ordered { slot, node: from, order } in taken.drain(..) {
            match order {
                Order::WakeAt { timer, date } => {
                    let date = (date < u64::MAX).then(|| SimTime::from_nanos(date).max(kernel.now()));
                    self.timers.set((slot, from, timer), date);
                }
                Order::StartContainers { function, node, count, keep_for } => {
                    if count > MOST_CONTAINERS {
                        let cause = format!("asks for {count} containers at once: expected at most {MOST_CONTAINERS}");
                        return Err(self.policies.error(Mistake::new(slot, Method::StartContainers, cause)));
                    }
                    let function = self.ordered(slot, Method::StartContainers, function, node)?;
                    let keep_for = SimDuration::from_nanos(keep_for);
                    self.start_ordered(function, node, count, keep_for, kernel);
                }
                Order::KeepBetween { function, floor, ceiling } => {
                    if floor > ceiling {
                        let cause = format!(
                            "asks for at least {floor} containers and at most {ceiling}: expected no more at the least"
                        );
                        return Err(self.policies.error(Mistake::new(slot, Method::KeepBetween, cause)));
                    }
                    let function = self.ordered(slot, Method::KeepBetween, function, NONE)?;
                    self.bounds.set(function, floor, ceiling);
                    if self.end_overdue(function, floor, kernel) {
                        self.head.receive(Message::Changed);
                    }
                    self.cluster.bounds_have_changed();
                }
                Order::Hedge { key } => {
                    if !self.policies.rules().hedges || slot != PolicySlot::NodeAllocation {
                        let cause = "asks for another attempt, though by its rules it does not: let AllocationRules::hedges \
                                     be true, and have node allocation ask";
                        return Err(self.policies.error(Mistake::new(slot, Method::Hedge, cause.to_owned())));
                    }
                    self.hedge(AttemptKey::named(key), kernel);
                }
                Order::SetRank { key, rank } => {
                    let key = AttemptKey::named(key);
                    if self.attempts.get(key).is_some_and(|attempt| attempt.stage().has_turn()) {
                        let waiting = self.waiting(key)?;
                        self.attempts.set_rank(waiting, rank)?;
                        // Who may not be passed may be another.
                        self.head.receive(Message::Changed);
                    }
                }
                Order::EndContainers { function, node, count } => {
                    let function = self.ordered(slot, Method::EndContainers, function, node)?;
                    self.end_ordered(function, node, count, kernel);
                }
                Order::TakeBack { key } => {
                    self.take_back_ordered(AttemptKey::named(key), kernel)?;
                }
            }
        }
        self.timers.taken = taken;
        Ok(())
    }

    /// Has timers go off in time. After each event, while there are any.
    #[cold]
    #[inline(never)]
    pub(crate) fn schedule_timers(&mut self, kernel: &mut Kernel<Event>) {
        self.timers.schedule(self.attempts.len() > 0, kernel);
    }

    /// A date has come at which a timer may go off. The round after it asks again about those who wait.
    pub(crate) fn timers_go_off(&mut self, kernel: &mut Kernel<Event>) {
        let now = kernel.now();
        self.timers.event.take_if(|(date, _)| *date <= now);
        self.timers.in_background.take_if(|date| *date <= now);
        self.tell_of_containers();
        let mut has_any = false;
        while let Some((slot, node, timer)) = self.timers.take_due(now) {
            has_any = true;
            match slot {
                PolicySlot::Containers | PolicySlot::ImagesInRam | PolicySlot::ImagesOnDisk => {
                    self.cluster.tell_eviction_of_timer(NodeId(node), slot, timer, now);
                }
                PolicySlot::ImagesOnHead => self.head.images.on_timer(timer, now),
                _ => {
                    let waiting = self.attempts.queue().len();
                    let Self { cluster, attempts, container_lists, policies, .. } = self;
                    let shown = ShownContainers::new(cluster, attempts, container_lists, now);
                    let (sees_history, containers) = (policies.sees_history(slot), ContainersOf::new(&shown));
                    policies.on_timer(slot, timer, &cluster.view_of_all(waiting, now, sees_history, containers));
                }
            }
        }
        if has_any {
            self.head.receive(Message::Changed);
        }
    }

    /// The function of an order, if there are such a function and such a node.
    fn ordered(&self, slot: PolicySlot, method: Method, function: u32, node: u32) -> Result<FunctionId, Box<Error>> {
        let (functions, nodes) = (self.registry.functions().len(), self.cluster.nodes().len());
        let cause = if function as usize >= functions {
            format!("names function {function} of {functions}")
        } else if node != NONE && node as usize >= nodes {
            format!("names node {node} of {nodes}")
        } else {
            return Ok(FunctionId(function));
        };
        Err(self.policies.error(Mistake::new(slot, method, cause)))
    }

    fn start_ordered(
        &mut self,
        function: FunctionId,
        node: u32,
        count: u32,
        keep_for: SimDuration,
        kernel: &mut Kernel<Event>,
    ) {
        for _ in 0..count {
            let on = if node == NONE { self.cluster.roomiest(function) } else { Some(NodeId(node)) };
            let Some(on) = on else { return };
            if !self.begin_start_ahead(function, on, keep_for, kernel) {
                return;
            }
        }
    }

    fn end_ordered(&mut self, function: FunctionId, node: u32, count: u32, kernel: &mut Kernel<Event>) {
        let only = (node != NONE).then_some(NodeId(node));
        let longest_idle = self.cluster.idle_longest(function, only);
        let ended = longest_idle.into_iter().take(count as usize);
        let mut has_ended = false;
        for (node, container) in ended {
            if self.cluster.spares(node, container, kernel.now()) {
                continue;
            }
            self.books.metrics.expired_containers += 1;
            has_ended |= self.cluster.end_idle(node, container, ContainerChange::Ended, &mut self.books, kernel);
        }
        if has_ended {
            // What they held is free for those who wait.
            self.head.receive(Message::Changed);
        }
    }
}
