//! What a policy asks its host to do, as the kit does it: timers go off, and what is asked for is noted.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::asked::answer;
use super::fault::Fault;
use super::log::Log;
use crate::NONE;
use crate::boundary::{Called, Order, Orders};

/// A policy that sets its timers for now again and again comes to no end.
const MOST_AT_ONCE: u32 = 1_000;

/// No host starts more containers at once.
const MOST_CONTAINERS: u32 = 1_000_000;

/// The timers of an instance.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    orders: Rc<Orders>,
    /// By the policy's numbers.
    set: BTreeMap<u64, u64>,
    /// The keys of those beside which another attempt is asked for.
    hedges: Vec<u64>,
    /// The keys of those that are to be back in the queue.
    taken_back: Vec<u64>,
    /// The keys of those that get another rank, and that.
    ranks: Vec<(u64, u64)>,
}

/// Where an instance is, as far as its orders have to name things that are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub nodes: u32,
    pub functions: u32,
}

impl Alarms {
    /// Where the instance's orders go.
    pub fn orders(&self) -> &Rc<Orders> {
        &self.orders
    }

    /// The keys of those beside which another attempt has been asked for since the last time.
    pub fn take_hedges(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.hedges)
    }

    /// Who has got another rank since the last time, and which.
    pub fn take_ranks(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.ranks)
    }

    /// Hears what the instance has asked for as it was made, when it knew no date: what it calls a date is a time after the begin.
    pub fn begin(&mut self, begin: u64, extent: Extent, log: &mut Log) -> Result<(), Fault> {
        self.hear(extent, Some(begin), log)
    }

    /// Whether the instance has asked for anything, or a timer is to go off.
    pub fn are_due(&self, now: u64) -> bool {
        self.orders.are_there() || self.set.values().any(|date| *date <= now)
    }

    /// Does what the instance has asked for, and calls it at the dates that have come.
    pub fn go_off(
        &mut self,
        now: u64,
        extent: Extent,
        log: &mut Log,
        mut call: impl FnMut(u64) -> Called<()>,
    ) -> Result<(), Fault> {
        self.taken_back.clear();
        let begin = log.lines.len();
        for _ in 0..MOST_AT_ONCE {
            self.hear(extent, None, log)?;
            let due = self.set.iter().filter(|(_, date)| **date <= now).min_by_key(|(_, date)| **date);
            let Some(timer) = due.map(|(timer, _)| *timer) else { return Ok(()) };
            self.set.remove(&timer);
            log.note(format!("on_timer({timer}, at {now})"));
            answer("on_timer", || call(timer))?;
        }
        log.fold(begin);
        Err("sets a timer for now again and again".to_owned().into())
    }

    /// Whom the instance has taken back.
    pub fn taken_back(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.taken_back)
    }

    fn hear(&mut self, extent: Extent, begin: Option<u64>, log: &mut Log) -> Result<(), Fault> {
        for ordered in self.orders.take() {
            match ordered.order {
                Order::WakeAt { timer, date } => {
                    if date == u64::MAX {
                        self.set.remove(&timer);
                    } else {
                        self.set.insert(timer, date.saturating_add(begin.unwrap_or(0)));
                    }
                    log.note(format!("  wake_at({timer}, {date})"));
                    if begin.is_none() {
                        log.date("sets a timer for", date);
                    }
                }
                Order::StartContainers { function, node, count, keep_for } => {
                    extent.check("start_containers", function, node)?;
                    if count > MOST_CONTAINERS {
                        return Err(format!("asks for {count} containers at once").into());
                    }
                    log.note(format!(
                        "  start_containers(function {function}, {}, {count}, keep for {keep_for})",
                        place(node)
                    ));
                    log.kept("has containers started that are kept for", keep_for);
                }
                Order::EndContainers { function, node, count } => {
                    extent.check("end_containers", function, node)?;
                    log.note(format!("  end_containers(function {function}, {}, {count})", place(node)));
                }
                Order::KeepBetween { function, floor, ceiling } => {
                    extent.check("keep_between", function, NONE)?;
                    if floor > ceiling {
                        return Err(format!("asks for at least {floor} containers and at most {ceiling}").into());
                    }
                    log.note(format!("  keep_between(function {function}, {floor}, {ceiling})"));
                }
                Order::Hedge { key } => {
                    log.note(format!("  hedge(key {key})"));
                    self.hedges.push(key);
                }
                Order::SetRank { key, rank } => {
                    log.note(format!("  set_rank(key {key}, {rank})"));
                    self.ranks.push((key, rank));
                }
                Order::TakeBack { key } => {
                    log.note(format!("  take_back(key {key})"));
                    self.taken_back.push(key);
                }
            }
        }
        Ok(())
    }
}

impl Extent {
    /// Orders name functions and nodes that are there.
    fn check(self, call: &str, function: u32, node: u32) -> Result<(), Fault> {
        if function >= self.functions {
            let which = if function == NONE { "no function".to_owned() } else { format!("function {function}") };
            return Err(
                format!("names {which} in {call}, of functions 0 to {}", self.functions.saturating_sub(1)).into()
            );
        }
        if node != NONE && node >= self.nodes {
            return Err(format!("names node {node} in {call}, of nodes 0 to {}", self.nodes.saturating_sub(1)).into());
        }
        Ok(())
    }
}

fn place(node: u32) -> String {
    if node == NONE { "anywhere".to_owned() } else { format!("node {node}") }
}
