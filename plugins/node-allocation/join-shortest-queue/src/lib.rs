//! Node allocation `join-shortest-queue`: each request goes at once to the queue of a node, where it stays (early binding), of the
//! node with the fewest invocations that run or queue there for each of its cores (Winston, "Optimality of the Shortest Line
//! Discipline", Journal of Applied Probability 14(1), 1977). Ties go to a node with an idle container of the function, then to
//! the lowest number.
//!
//! With `choices` (0: all nodes) that is the best of so many nodes that are drawn at random without repetition, the power of d
//! choices: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001; one choice is a random
//! node. Only nodes are looked at that are up and large enough for a container of the function;
//! how large its image is a policy does not know, and where both together have no room the request waits for ever.
//!
//! Who stands in a queue is not moved to another one that has become shorter, and may wait while a node elsewhere is idle, but with
//! `steal`: where an invocation has ended and nobody stands in the queue of its node, that takes the last from the longest queue
//! (work stealing: Blumofe and Leiserson, Journal of the ACM 46(5), 1999). A request whose node goes down is asked about again.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use hearth_policy_api::*;
use hearth_policy_toolbox::random_stream;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<JoinShortestQueue>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`JoinShortestQueue`].
    pub struct Settings {
        /// how many nodes are drawn, of which the best is taken, or 0 for all
        choices: integer(0..=1_000_000) = 0, "nodes";
        /// whether a node without a queue takes the last from the longest one
        steal: flag = false;
    }
}

/// The policy and its stream of random numbers.
#[derive(Debug)]
pub struct JoinShortestQueue {
    choices: usize,
    stream: Pcg64Mcg,
    /// Kept for its memory.
    nodes: Vec<u32>,
    /// Where to steal from, if that is done.
    queues: Option<Queues>,
}

/// Who stands where.
#[derive(Debug)]
struct Queues {
    actions: Actions,
    /// By node: the keys of those in its queue, in the order of coming.
    standing: Vec<Vec<u64>>,
    /// By key: for which node somebody has been taken back.
    stolen: BTreeMap<u64, u32>,
}

impl Queues {
    /// One has left the queue of a node; false if it was not there.
    fn leave(&mut self, node: u32, key: u64) -> bool {
        let Some(queue) = self.standing.get_mut(node as usize) else { return false };
        let place = queue.iter().position(|other| *other == key);
        place.map(|place| queue.remove(place)).is_some()
    }

    /// A node has a core for somebody: it takes the last of the longest queue if it has none.
    fn steal_for(&mut self, node: u32) {
        let is_mine_empty = self.standing.get(node as usize).is_some_and(Vec::is_empty);
        let longest = (0..).zip(&self.standing).max_by_key(|(number, queue)| (queue.len(), Reverse(*number)));
        if let (true, Some((_, queue))) = (is_mine_empty, longest)
            && let Some(key) = queue.last()
        {
            self.stolen.insert(*key, node);
            self.actions.take_back(*key);
        }
    }
}

/// Which of two nodes has fewer for each of its cores, and is better where that is the same.
fn compare(one: u32, other: u32, cluster: &ClusterView<'_>) -> Ordering {
    let load = |node: u32| match cluster.nodes.get(node as usize) {
        Some(view) => (u64::from(view.running) + u64::from(view.queued), u64::from(view.cores)),
        None => (0, 0),
    };
    let ((load_of_one, cores_of_one), (load_of_other, cores_of_other)) = (load(one), load(other));
    // A fraction is less than another if it is so with both denominators in it.
    let by_load = (load_of_one * cores_of_other).cmp(&(load_of_other * cores_of_one));
    let is_cold = |node| !cluster.idle_container.contains(node);
    by_load.then_with(|| is_cold(one).cmp(&is_cold(other))).then_with(|| one.cmp(&other))
}

impl Policy for JoinShortestQueue {
    const NAME: &'static str = "join-shortest-queue";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "all requests go at once to the shortest queue of a node";
    // Of those that are in a queue nobody knows which node has a core first.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let (choices, stream) = (settings.choices as usize, random_stream(context.seed));
        let queues = settings.steal.then(|| Queues {
            actions: context.actions(),
            standing: vec![Vec::new(); context.nodes as usize],
            stolen: BTreeMap::new(),
        });
        Ok(Self { choices, stream, nodes: Vec::new(), queues })
    }
}

impl NodeAllocation for JoinShortestQueue {
    fn rules(&self) -> AllocationRules {
        AllocationRules { queues: true, observes_ends: self.queues.is_some(), ..AllocationRules::default() }
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        if let Some(queues) = &mut self.queues {
            queues.leave(start.node, start.key);
        }
    }

    fn on_end(&mut self, end: &End) {
        let Some(queues) = &mut self.queues else { return };
        if end.node != NONE {
            return queues.steal_for(end.node);
        }
        (0..queues.standing.len() as u32).any(|node| queues.leave(node, end.key));
        if end.ending != Ending::Requeued {
            queues.stolen.remove(&end.key);
        }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let is_large_enough = |node: &u32| {
            let view = cluster.nodes.get(*node as usize);
            view.is_some_and(|view| view.ram >= request.ram_limit && view.disk >= request.disk_limit)
        };
        let nodes = cluster.up.iter().filter(is_large_enough);
        let thief = self.queues.as_mut().and_then(|queues| queues.stolen.remove(&request.key));
        let thief = thief.filter(|node| cluster.up.contains(*node) && is_large_enough(node));
        let best = if let Some(thief) = thief {
            Some(thief)
        } else if self.choices == 0 {
            nodes.min_by(|one, other| compare(*one, *other, cluster))
        } else {
            self.nodes.clear();
            self.nodes.extend(nodes);
            let (drawn, _) = self.nodes.partial_shuffle(&mut self.stream, self.choices);
            drawn.iter().copied().min_by(|one, other| compare(*one, *other, cluster))
        };
        if let (Some(queues), Some(node)) = (&mut self.queues, best) {
            queues.standing.resize(queues.standing.len().max(node as usize + 1), Vec::new());
            queues.standing[node as usize].push(request.key);
        }
        best.map_or(Placement::Wait, Placement::queue_at)
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    fn policy(choices: u64, seed: u64) -> JoinShortestQueue {
        let context = PolicyContext { seed, nodes: 4, ..PolicyContext::default() };
        JoinShortestQueue::new(Settings { choices, steal: false }, &context).unwrap()
    }

    fn chosen(cluster: &TestCluster, request: &RequestView) -> Placement {
        policy(0, 0).place(request, &cluster.view())
    }

    #[test]
    fn the_test_kit_finds_no_fault_where_it_steals() {
        let mut parameters = Parameters::defaults(&POLICY.parameters());
        parameters.set("steal", ParameterValue::Flag(true)).unwrap();
        let options = testkit::Options { parameters: Some(parameters), ..testkit::Options::default() };
        testkit::check(&POLICY, &options).unwrap();
    }

    #[test]
    fn the_shortest_queue_for_each_core_is_joined() {
        let mut cluster = TestCluster::new(3);
        let request = RequestView { ram_limit: 1, ..RequestView::default() };
        for (node, (cores, running, queued)) in [(8, 8, 1), (2, 2, 0), (4, 4, 0)].into_iter().enumerate() {
            let view = &mut cluster.nodes[node];
            (view.cores, view.running, view.queued) = (cores, running, queued);
        }
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(1), "the lower of two that are full");
        cluster.idle_container.insert(2);
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(2), "the one that is warm");
        cluster.nodes[2].queued = 1;
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(1));
        cluster.nodes[1].queued = 1;
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(0), "9 / 8 < 5 / 4 < 3 / 2");
        cluster.nodes[0].ram = 0;
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(2));
        cluster.nodes.iter_mut().for_each(|node| node.ram = 0);
        assert_eq!(chosen(&cluster, &request), Placement::Wait);
    }

    #[test]
    fn the_better_of_two_that_are_drawn_is_joined() {
        let mut cluster = TestCluster::new(4);
        (0..4).for_each(|node| cluster.nodes[node as usize].queued = node);
        let (mut policy, mut counts) = (policy(2, 1), [0; 4]);
        for _ in 0..6_000 {
            if let Placement::Queue { nodes, .. } = policy.place(&RequestView::default(), &cluster.view()) {
                counts[nodes[0] as usize] += 1;
            }
        }
        // Of the six pairs, three contain node 0, two of the others node 1, and one is left with node 2.
        let [first, second, third, last] = counts;
        assert!((2_850..3_150).contains(&first) && (1_850..2_150).contains(&second), "{first} {second}");
        assert!((900..1_100).contains(&third) && last == 0, "{third} {last}");
    }
}
