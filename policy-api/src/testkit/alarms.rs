//! What a policy asks its host to do, as the kit does it: timers go off, and what is asked for is noted.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::history::Log;
use crate::NONE;
use crate::boundary::{Called, Order, Orders};

/// A policy that sets its timers for now again and again comes to no end.
const MOST_AT_ONCE: u32 = 1_000;

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

    /// Does what the instance has asked for, and calls it at the dates that have come.
    pub fn go_off(&mut self, now: u64, log: &mut Log, mut call: impl FnMut(u64) -> Called<()>) -> Result<(), String> {
        self.taken_back.clear();
        for _ in 0..MOST_AT_ONCE {
            self.hear(log)?;
            let due = self.set.iter().filter(|(_, date)| **date <= now).min_by_key(|(_, date)| **date);
            let Some(timer) = due.map(|(timer, _)| *timer) else { return Ok(()) };
            self.set.remove(&timer);
            log.note(format!("on_timer({timer}, at {now})"));
            call(timer).map_err(|failure| format!("failed in on_timer: {failure}"))?;
        }
        Err("sets a timer for now again and again".to_owned())
    }

    /// Whom the instance has taken back.
    pub fn taken_back(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.taken_back)
    }

    fn hear(&mut self, log: &mut Log) -> Result<(), String> {
        for ordered in self.orders.take() {
            match ordered.order {
                Order::WakeAt { timer, date: u64::MAX } => drop(self.set.remove(&timer)),
                Order::WakeAt { timer, date } => drop(self.set.insert(timer, date)),
                Order::StartContainers { function, node, count, .. } => {
                    check_function("start_containers", function)?;
                    log.note(format!("  start_containers(function {function}, {}, {count})", place(node)));
                }
                Order::EndContainers { function, node, count } => {
                    check_function("end_containers", function)?;
                    log.note(format!("  end_containers(function {function}, {}, {count})", place(node)));
                }
                Order::KeepBetween { function, floor, ceiling } => {
                    check_function("keep_between", function)?;
                    if floor > ceiling {
                        return Err(format!("asks for at least {floor} containers and at most {ceiling}"));
                    }
                    log.note(format!("  keep_between(function {function}, {floor}, {ceiling})"));
                }
                Order::Hedge { key } => {
                    log.note(format!("  hedge(key {key})"));
                    self.hedges.push(key);
                }
                Order::SetRank { key, rank } => log.note(format!("  set_rank(key {key}, {rank})")),
                Order::TakeBack { key } => {
                    log.note(format!("  take_back(key {key})"));
                    self.taken_back.push(key);
                }
            }
        }
        Ok(())
    }
}

/// No policy is told of more functions than a number has.
fn check_function(call: &str, function: u32) -> Result<(), String> {
    if function == NONE { Err(format!("names no function in {call}")) } else { Ok(()) }
}

fn place(node: u32) -> String {
    if node == NONE { "anywhere".to_owned() } else { format!("node {node}") }
}
