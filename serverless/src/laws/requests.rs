//! What policies have done about requests that wait or run: another rank, another attempt.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use proptest::prelude::*;
use serde_json::json;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run_with};

const HALF_A_SECOND: u64 = 500_000_000;

thread_local! {
    /// How often somebody has got another rank, and has then been seen in the queue.
    static RANKED: Cell<u64> = const { Cell::new(0) };
    /// The time, in ns, after which a second attempt is asked for.
    static HEDGE_AFTER: Cell<u64> = const { Cell::new(0) };
}

/// Sends one request to each free core, in the order of the queue; gives others other ranks, by draws.
struct Reranking {
    actions: Actions,
    seed: u64,
    draws: u64,
    nodes: u32,
    /// By key: its rank, and how many had been seen before it.
    known: BTreeMap<u64, (u64, u64)>,
    /// The same before the last timer, and its date: what it asks for is done after the round that follows.
    before: (BTreeMap<u64, (u64, u64)>, u64),
}

impl Policy for Reranking {
    const NAME: &'static str = "reranking";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "changes its mind about the order";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        let (actions, seed, nodes) = (context.actions(), context.seed, context.nodes);
        actions.wake_at(0, HALF_A_SECOND);
        Ok(Self { actions, seed, draws: 0, nodes, known: BTreeMap::new(), before: (BTreeMap::new(), 0) })
    }
}

impl Reranking {
    fn draw(&mut self, below: u64) -> u64 {
        self.draws += 1;
        derive_seed(self.seed, &self.draws.to_string()) % below
    }
}

impl BatchAllocation for Reranking {
    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        for request in batch.queue.iter() {
            let count = self.known.len() as u64;
            self.known.entry(request.key).or_insert((0, count));
            self.before.0.entry(request.key).or_insert((0, count));
        }
        let order_by = |known: &BTreeMap<u64, (u64, u64)>| -> Vec<(u64, u64)> {
            batch.queue.iter().map(|request| known[&request.key]).collect()
        };
        let order = order_by(&self.known);
        let is_late = batch.now == self.before.1 && order_by(&self.before.0).is_sorted();
        assert!(is_late || order.is_sorted(), "at {}: {order:?}", batch.now);
        RANKED.set(RANKED.get() + order.iter().filter(|(rank, _)| *rank > 0).count() as u64);
        for (request, node) in (0..batch.queue.len() as u32).zip(0..self.nodes) {
            if batch.up.contains(node) {
                plan.push(PlanItem::Run { request, node });
            }
        }
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.before = (self.known.clone(), cluster.now);
        // Keys of attempts that are gone are among them.
        for key in self.known.keys().copied().collect::<Vec<u64>>() {
            if self.draw(3) == 0 {
                let rank = self.draw(5);
                self.actions.set_rank(key, rank);
                self.known.entry(key).and_modify(|(of, _)| *of = rank);
            }
        }
        self.actions.wake_at(timer, cluster.now + HALF_A_SECOND);
    }
}

/// The first node with a free core; asks for another attempt at what takes long.
struct Hedging {
    actions: Actions,
    after: u64,
    /// By number of the timer: the key of an attempt.
    asked: RefCell<Vec<u64>>,
}

impl Policy for Hedging {
    const NAME: &'static str = "hedging";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "the first node with a free core, and later another one";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { actions: context.actions(), after: HEDGE_AFTER.get(), asked: RefCell::default() })
    }
}

impl NodeAllocation for Hedging {
    fn rules(&self) -> AllocationRules {
        AllocationRules { ranks: true, hedges: self.after > 0, ..AllocationRules::default() }
    }

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        if self.after > 0 && request.attempt == 1 {
            let asked = self.asked.get_mut();
            self.actions.wake_at(asked.len() as u64, request.submitted_at + self.after);
            asked.push(request.key);
        }
        0
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        cluster.free_core.first().into()
    }

    fn on_timer(&mut self, timer: u64, _cluster: &ClusterView<'_>) {
        self.actions.hedge(self.asked.get_mut()[timer as usize]);
    }
}

proptest! {
    #![proptest_config(cases(300))]

    fn the_queue_is_in_order(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, _)) = faults {
            scenario["faults"] = faults;
        }
        scenario["policies"]["node_allocation"] = json!({"use": "reranking"});
        scenario["service"]["backfilling"] = json!("unlimited");
        let policies = [&[PolicyDescriptor::batch_allocation::<Reranking>()], hearth_plugins::BUILT_IN].concat();
        let run = || run_with(&scenario, &policies, check_conservation);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert!(files_of(&first?) == files_of(&second?));
    }

    /// A policy that hedges after a while does what the service does that hedges after a while.
    #[test]
    fn hedges_of_a_policy_are_those_of_the_service(scenario in scenario(), nanos in 1_000_000_001..5_000_000_000_u64) {
        let mut scenario = scenario;
        scenario["policies"]["node_allocation"] = json!({"use": "hedging"});
        scenario["policies"]["admission"] = json!({"use": "always"});
        scenario["service"]["backfilling"] = json!("unlimited");
        // Where a timer comes between two rounds, who waits for an image may go elsewhere.
        for function in scenario["functions"].as_array_mut().into_iter().flatten() {
            function.as_object_mut().map(|function| function.remove("image"));
        }
        let policies = [&[PolicyDescriptor::node_allocation::<Hedging>()], hearth_plugins::BUILT_IN].concat();
        HEDGE_AFTER.set(nanos);
        let of_policy = run_with(&scenario, &policies, check_conservation);
        HEDGE_AFTER.set(0);
        scenario["recovery"] = json!({"hedge": {"after": format!("{nanos}ns")}});
        let of_service = run_with(&scenario, &policies, check_conservation);
        let (Some(of_policy), Some(of_service)) = (of_policy, of_service) else { return Ok(()) };
        let (mut of_policy, mut of_service) = (of_policy?, of_service?);
        (of_policy.events, of_service.events) = (0, 0);
        prop_assert!(files_of(&of_policy) == files_of(&of_service));
    }
}

/// The queue is in the order of the ranks that were given last, and there were some.
#[test]
fn the_order_is_that_of_the_last_ranks() {
    the_queue_is_in_order();
    assert!(RANKED.get() > 100, "{} ranks were seen", RANKED.get());
}
