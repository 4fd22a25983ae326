//! A pool of nodes, for policies that say which come and go.

use std::collections::BTreeMap;

use super::Event;
use crate::{NodePoolView, NodeState, PendingView, PoolNodeView, PoolScale, Records};

const NODES: u32 = 6;
const MIN: u32 = 1;
const MAX: u32 = 5;
const GIGABYTE: u64 = 1_000_000_000;
const CORE: u64 = 1_000_000;

/// A node, with the RAM of those who run there.
#[derive(Debug)]
struct Node {
    state: NodeState,
    since: u64,
    running: Vec<u64>,
}

/// The pool, and who has found no place, by function.
#[derive(Debug)]
pub(super) struct Pool {
    nodes: Vec<Node>,
    pending: BTreeMap<u32, (u64, u64)>,
}

/// RAM that a request of a function needs.
fn ram_of(function: u32) -> u64 {
    GIGABYTE << (function % 4)
}

impl Pool {
    /// With as many nodes on as have to be.
    pub fn new(now: u64) -> Self {
        let state = |number| if number < MIN { NodeState::Up } else { NodeState::Off };
        let nodes = (0..NODES).map(|number| Node { state: state(number), since: now, running: Vec::new() });
        Self { nodes: nodes.collect(), pending: BTreeMap::new() }
    }

    /// Everybody has gone and all nodes are off, even those that have to be on, and then somebody comes.
    pub fn begin_anew(&mut self, now: u64) {
        *self = Self::new(now);
        self.nodes.iter_mut().for_each(|node| node.state = NodeState::Off);
        self.pending.insert(0, (1, now));
    }

    pub fn in_words(&self) -> String {
        let letter = |node: &Node| match node.state {
            NodeState::Off => "off".to_owned(),
            NodeState::Booting => "booting".to_owned(),
            NodeState::Up => format!("up with {}", node.running.len()),
            NodeState::Draining => format!("draining with {}", node.running.len()),
            NodeState::Failed => "failed".to_owned(),
        };
        let nodes: Vec<String> = self.nodes.iter().map(letter).collect();
        let waiting: u64 = self.pending.values().map(|(count, _)| count).sum();
        format!("{waiting} wait; nodes: {}", nodes.join(", "))
    }

    /// Shows the pool.
    pub fn ask<R>(&self, now: u64, ask: impl FnOnce(&NodePoolView<'_>) -> R) -> R {
        let node = |(number, node): (usize, &Node)| PoolNodeView {
            node: number as u32,
            state: node.state,
            running: node.running.len() as u32,
            since: node.since,
            ram: 8 * GIGABYTE,
            used_ram: node.running.iter().sum(),
            processors: 4 * CORE,
            used_processors: node.running.len() as u64 * CORE,
            ..PoolNodeView::default()
        };
        let nodes: Vec<PoolNodeView> = self.nodes.iter().enumerate().map(node).collect();
        let waits = |(function, (count, since)): (&u32, &(u64, u64))| PendingView {
            function: *function,
            count: *count,
            since: *since,
            ram: ram_of(*function),
            processors: CORE,
            ..PendingView::default()
        };
        let pending: Vec<PendingView> = self.pending.iter().map(waits).collect();
        let (nodes, pending) = (Records::new(&nodes), Records::new(&pending));
        ask(&NodePoolView { pool: 0, now, min: MIN, max: MAX, nodes, pending, ..NodePoolView::default() })
    }

    fn scale(&self) -> u32 {
        self.ask(0, |pool| pool.scale())
    }

    /// Does what was answered.
    pub fn follow(&mut self, scale: &PoolScale, now: u64) -> Result<(), String> {
        for number in scale.remove.iter().copied() {
            let is_enough = self.scale() > MIN;
            let Some(node) = self.nodes.get_mut(number as usize) else {
                return Err(format!("has node {number} of a pool go off that has {NODES} nodes"));
            };
            let after = match node.state {
                NodeState::Booting if is_enough => NodeState::Off,
                NodeState::Up | NodeState::Failed if is_enough => NodeState::Draining,
                _ => continue,
            };
            (node.state, node.since) = (after, now);
        }
        for _ in 0..scale.boot.min(MAX.saturating_sub(self.scale())) {
            let is_draining = |node: &&mut Node| node.state == NodeState::Draining;
            if let Some(node) = self.nodes.iter_mut().filter(is_draining).max_by_key(|node| node.since) {
                (node.state, node.since) = (NodeState::Up, now);
            } else if let Some(node) = self.nodes.iter_mut().find(|node| node.state == NodeState::Off) {
                (node.state, node.since) = (NodeState::Booting, now);
            }
        }
        self.settle(now);
        Ok(())
    }

    /// Something happens: requests come or end, nodes are up, or fail and are back.
    pub fn happen(&mut self, function: u32, event: Event, now: u64) {
        match event {
            Event::Arrive(count) => {
                let (waiting, _) = self.pending.entry(function).or_insert((0, now));
                *waiting = waiting.saturating_add(count);
            }
            Event::End(count) => {
                let mut left = count;
                for node in &mut self.nodes {
                    let ended = node.running.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    node.running.truncate(node.running.len() - ended);
                    left -= ended as u64;
                }
            }
            Event::Up(count) => {
                let booting = self.nodes.iter_mut().filter(|node| node.state == NodeState::Booting);
                booting.take(count as usize).for_each(|node| (node.state, node.since) = (NodeState::Up, now));
            }
            Event::Lose(count) => {
                if let Some(node) = self.nodes.get_mut(count as usize % NODES as usize) {
                    let after = match node.state {
                        NodeState::Up => NodeState::Failed,
                        NodeState::Failed => NodeState::Up,
                        other => other,
                    };
                    (node.state, node.since) = (after, now);
                    node.running.clear();
                }
            }
        }
        self.settle(now);
    }

    /// Who waits goes where there is room, and nodes that have drained go off.
    fn settle(&mut self, now: u64) {
        for (function, (waiting, _)) in &mut self.pending {
            let ram = ram_of(*function);
            for node in self.nodes.iter_mut().filter(|node| node.state == NodeState::Up) {
                while *waiting > 0 && node.running.len() < 4 && node.running.iter().sum::<u64>() + ram <= 8 * GIGABYTE {
                    node.running.push(ram);
                    *waiting -= 1;
                }
            }
        }
        self.pending.retain(|_, (waiting, _)| *waiting > 0);
        let has_drained = |node: &&mut Node| node.state == NodeState::Draining && node.running.is_empty();
        self.nodes.iter_mut().filter(has_drained).for_each(|node| (node.state, node.since) = (NodeState::Off, now));
    }
}
