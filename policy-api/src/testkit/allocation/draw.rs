//! Histories of clusters.

use proptest::prelude::*;

use super::super::model::{FunctionSpec, NodeSpec};
use crate::Ending;

#[derive(Clone, Copy, Debug)]
pub(in crate::testkit) enum Step {
    /// A request of a function, of those there are.
    Arrive(usize),
    /// The end of an attempt, of those that run.
    Finish { which: usize, ending: Ending },
    /// Another attempt beside one of those that run.
    Hedge(usize),
    /// The head loses its queue.
    LoseQueue,
    /// A node goes, of those there are.
    Down(u32),
    /// A node comes back.
    Up(u32),
    /// All images on their way arrive.
    Deliver,
    /// An idle container of a node ends.
    Expire(u32),
    /// A link has another part of its bandwidth.
    Link { link: u32, share: f64 },
}

/// What happens to a cluster of nodes and functions, each so many times.
#[derive(Clone, Debug)]
pub(in crate::testkit) struct History {
    pub nodes: Vec<(u32, NodeSpec)>,
    pub functions: Vec<(u32, FunctionSpec)>,
    /// So many nodes are down at first.
    pub down: u32,
    pub steps: Vec<Step>,
}

impl History {
    pub fn all_nodes(&self) -> Vec<NodeSpec> {
        self.nodes.iter().flat_map(|(count, spec)| std::iter::repeat_n(spec.clone(), *count as usize)).collect()
    }

    pub fn all_functions(&self) -> Vec<FunctionSpec> {
        self.functions.iter().flat_map(|(count, spec)| std::iter::repeat_n(spec.clone(), *count as usize)).collect()
    }
}

fn node() -> impl Strategy<Value = NodeSpec> {
    (1..4_u32, 1..10_u64, 1..10_u64).prop_map(|(cores, ram, disk)| NodeSpec { cores, ram, disk })
}

fn function() -> impl Strategy<Value = FunctionSpec> {
    (0..6_u64, 0..6_u64, any::<bool>()).prop_map(|(ram, disk, has_image)| FunctionSpec { ram, disk, has_image })
}

/// A step on a cluster of so many nodes and functions, or fewer.
pub(super) fn step(nodes: u32, functions: usize) -> impl Strategy<Value = Step> {
    let node = move || 0..nodes;
    prop_oneof![
        6 => (0..functions).prop_map(Step::Arrive),
        3 => (0..8_usize, ending()).prop_map(|(which, ending)| Step::Finish { which, ending }),
        1 => (0..8_usize).prop_map(Step::Hedge),
        1 => node().prop_map(Step::Down),
        1 => node().prop_map(Step::Up),
        2 => Just(Step::Deliver),
        1 => node().prop_map(Step::Expire),
        1 => Just(Step::LoseQueue),
        1 => (0..nodes + 2, prop::sample::select(vec![0.0, 0.1, 1.0])).prop_map(|(link, share)| Step::Link { link, share }),
    ]
}

/// How an attempt ends by itself.
pub(super) fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Completed),
        1 => Just(Ending::Failed),
        1 => Just(Ending::TimedOut),
        1 => Just(Ending::Crashed)
    ]
}

/// Most are of few nodes and functions and many steps; some of many and few.
pub(super) fn history() -> impl Strategy<Value = History> {
    let narrow = (
        proptest::collection::vec((Just(1), node()), 1..6),
        proptest::collection::vec((Just(1), function()), 1..4),
        Just(0),
        proptest::collection::vec(step(5, 4), 0..50),
    );
    let wide = (
        proptest::collection::vec((65..200_u32, node()), 1),
        proptest::collection::vec((1..100_u32, function()), 1..3),
        prop_oneof![Just(0), 0..200_u32],
        proptest::collection::vec(step(200, 200), 0..6),
    );
    let parts = prop_oneof![31 => narrow.boxed(), 1 => wide.boxed()];
    parts.prop_map(|(nodes, mut functions, down, steps)| {
        // The host registers no function that no node could ever run.
        for (_, function) in &mut functions {
            let fits = |(_, node): &(u32, NodeSpec)| function.ram <= node.ram && function.disk <= node.disk;
            if let (false, Some((_, node))) = (nodes.iter().any(fits), nodes.first()) {
                (function.ram, function.disk) = (function.ram.min(node.ram), function.disk.min(node.disk));
            }
        }
        History { nodes, functions, down, steps }
    })
}
