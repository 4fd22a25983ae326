//! A policy that may reject those who wait is shown the queue as it keeps it by itself, from what it is asked and told.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hearth_policy_api::*;
use proptest::prelude::*;
use serde_json::json;

use super::checks::check_conservation;
use super::scenarios::{faults, scenario};
use super::{cases, run_with};

/// An attempt, by the numbers of its invocation and of itself.
type Key = (u64, u32);

/// The queue as the policy knows it.
#[derive(Default)]
struct Known {
    /// By rank and order of coming: who stands there, and of which function.
    queue: BTreeMap<(u64, u64), (Key, u32)>,
    /// Where each has its place, in the queue or not.
    places: BTreeMap<Key, ((u64, u64), u32)>,
    came: u64,
    shed: u64,
}

impl Known {
    fn leaves(&mut self, key: Key) {
        if let Some((place, _)) = self.places.get(&key) {
            self.queue.remove(place);
        }
    }

    fn is_back(&mut self, key: Key) {
        let (place, function) = self.places[&key];
        self.queue.insert(place, (key, function));
    }

    /// The first of each function, in the order of the queue, with how many there are.
    fn heads(&self) -> Vec<(Key, u64)> {
        let mut heads: Vec<(Key, u32, u64)> = Vec::new();
        for (key, function) in self.queue.values() {
            match heads.iter_mut().find(|(_, other, _)| other == function) {
                Some((.., length)) => *length += 1,
                None => heads.push((*key, *function, 1)),
            }
        }
        heads.into_iter().map(|(key, _, length)| (key, length)).collect()
    }
}

thread_local! {
    static SHED: RefCell<u64> = const { RefCell::new(0) };
}

/// Ranks some before others, and rejects some that have waited for two seconds.
#[derive(Default)]
struct Sheds(Known);

impl Policy for Sheds {
    const NAME: &'static str = "sheds";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "knows the queue";
    type Parameters = ();

    fn new((): (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl NodeAllocation for Sheds {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: true, ranks: true, sheds: true, ..AllocationRules::default() }
    }

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        let (key, rank) = ((request.invocation, request.attempt), request.invocation % 3);
        self.0.came += 1;
        self.0.places.insert(key, ((rank, self.0.came), request.function));
        self.0.is_back(key);
        rank
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let key = (request.invocation, request.attempt);
        let can_run =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        let is_rash = request.invocation.is_multiple_of(4);
        let node = cluster.free_core.iter().find(|node| is_rash || can_run(node));
        if request.invocation % 7 == 2 && node.is_none() {
            self.0.leaves(key);
            return Placement::busy_anywhere(cluster.now + 1_000_000_000);
        }
        node.inspect(|_| self.0.leaves(key)).into()
    }

    fn on_end(&mut self, end: &End) {
        let key = (end.invocation, end.attempt);
        if end.ending == Ending::Requeued { self.0.is_back(key) } else { self.0.leaves(key) }
    }

    fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed> {
        let shown = queue.heads.iter().map(|head| (head.invocation, head.attempt)).zip(queue.lengths.iter().copied());
        assert_eq!(shown.collect::<Vec<_>>(), self.0.heads());
        assert_eq!(queue.waiting, self.0.queue.len() as u64);
        let is_late = |head: &RequestView| head.invocation % 5 == 3 && queue.now - head.submitted_at > 2_000_000_000;
        let head = queue.heads.iter().position(is_late)?;
        self.0.shed += 1;
        SHED.set(self.0.shed);
        Some(Shed { head: head as u32, reason: "it is one of those".into() })
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn the_queue_is_shown_as_it_is(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        let is_plain = faults.is_none();
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "sheds"});
        scenario["policies"]["admission"] = json!({"use": "always"});
        SHED.set(0);
        let policies = [&[PolicyDescriptor::node_allocation::<Sheds>()], hearth_plugins::BUILT_IN].concat();
        let Some(results) = run_with(&scenario, &policies, check_conservation) else { return Ok(()) };
        let rejected = results?.metrics.outcome(crate::invocation::Outcome::Rejected);
        prop_assert!(!is_plain || rejected == SHED.take());
    }
}
