//! Pools of nodes: within their bounds, nobody on a node that is off, nobody comes to one that drains and nobody is lost there; and what
//! is told of them is what there was.

use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::json;

use super::cases;
use super::checks::*;
use super::scenarios::*;
use crate::error::Error;
use crate::experiment::Experiment;
use crate::invocation::Outcome;
use crate::policy::Catalog;
use crate::scenario::Scenario;

const SECOND: u64 = 1_000_000_000;

/// Boots and removes nodes by chance.
struct Restless {
    seed: u64,
    draws: u64,
}

impl Restless {
    fn draw(&mut self, below: u64) -> u64 {
        self.draws += 1;
        derive_seed(self.seed, &self.draws.to_string()) % below.max(1)
    }
}

impl Policy for Restless {
    const NAME: &'static str = "restless";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "nodes come and go by chance";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { seed: context.seed, draws: 0 })
    }
}

impl Autoscaling for Restless {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: SECOND * 3 / 2, scales_pools: true, ..AutoscalingRules::default() }
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        assert!(pool.scale() >= pool.min && pool.scale() <= pool.max, "{pool:?}");
        let waiting: u64 = pool.pending.iter().map(|pending| pending.count).sum();
        let nodes: Vec<u32> = pool.nodes.iter().map(|node| node.node).collect();
        let remove = (0..self.draw(3)).map(|_| nodes[self.draw(nodes.len() as u64) as usize]).collect();
        let boot = if waiting > 0 { 1 + self.draw(3) } else { self.draw(3) } as u32;
        match self.draw(3) {
            0 => PoolScale { boot, remove },
            1 => PoolScale { boot: 0, remove },
            _ => PoolScale { boot, remove: NodeList::EMPTY },
        }
    }
}

/// A time that a node was on: from its wish, from when it was up, from when it drained and until it went off.
struct TimeOn {
    node: String,
    wanted: SimTime,
    up: Option<SimTime>,
    draining: Option<SimTime>,
    off: SimTime,
}

fn times_on(table: &str) -> Vec<TimeOn> {
    let date = |text: &str| (!text.is_empty()).then(|| SimTime::from_secs_f64(text.parse().unwrap()));
    let row = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        let [node, _, wanted, up, draining, off] = cells[..] else { panic!("{row}") };
        TimeOn {
            node: node.to_owned(),
            wanted: date(wanted).unwrap(),
            up: date(up),
            draining: date(draining),
            off: date(off).unwrap_or(SimTime::MAX),
        }
    };
    table.lines().skip(1).map(row).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn nodes_come_and_go_and_nobody_is_lost_by_that(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        (min, initial, boot, kept) in (0..2_u32, 0..3_u32, prop::option::of(0..12_u32), any::<bool>()),
        of_instances in any::<bool>(),
        processors in prop::sample::select(vec!["dedicated", "shared"]),
    ) {
        let mut scenario = with_costs(scenario);
        scenario["service"]["processors"] = json!(processors);
        let boot = boot.map(|boot| json!({"exponential": {"mean": 1.0 + f64::from(boot)}}));
        scenario["service"]["node_pools"] = json!([{
            "name": "all", "nodes": ["node-*"], "min": min, "initial": initial.max(min), "boot": boot,
            "disk_content": if kept { "kept" } else { "lost" }, "price_per_hour": 3600.0}]);
        scenario["policies"]["cluster_autoscaling"] = json!({"use": "restless"});
        scenario["max_events_without_progress"] = json!(20_000);
        if of_instances {
            scenario["service"]["instances"] = json!({"concurrency": 2});
            scenario["policies"]["autoscaling"] = json!({"use": "concurrency"});
        }
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let mut policies = hearth_plugins::BUILT_IN.to_vec();
        policies.push(PolicyDescriptor::autoscaling::<Restless>());
        let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let Ok(experiment) = Experiment::prepare(&read, &Catalog::new(&policies)) else { return Ok(()) };
        let written = Buffer::default();
        let mut experiment = experiment.write_nodes(Box::new(written.clone())).unwrap();
        experiment.run_watched(SimTime::from_secs_f64(200.0), 0.5, |service| {
            check_conservation(service)?;
            service.check_node_pools().and_then(|()| service.check_instances()).map_err(TestCaseError::fail)
        })?;
        let results = match experiment.run() {
            Err(Error::NoProgress { .. }) => return Ok(()),
            results => results.map_err(|error| TestCaseError::fail(error.to_string()))?,
        };
        check_window(&results)?;
        let of_faults = scenario["faults"].is_object();
        let is_lost = |outcome| outcome == Outcome::Lost && !of_faults;
        prop_assert!(results.records.iter().all(|record| !is_lost(record.outcome)), "lost without a fault");
        let table = written.text();
        check_table(&table, &results)?;
    }
}

/// Whoever was on a node was there while it was up, and came before it drained; the time that nodes were on adds up.
fn check_table(table: &str, results: &crate::experiment::Results) -> Result<(), TestCaseError> {
    let times = times_on(table);
    for record in &results.records {
        let (Some(node), Some(dispatched)) = (record.node, record.dispatched_at) else { continue };
        let name = &results.about.nodes[node as usize];
        let is_there = |on: &TimeOn| {
            let until = on.draining.unwrap_or(SimTime::MAX);
            *name == on.node
                && on.up.is_some_and(|up| up <= dispatched)
                && dispatched <= until
                && record.finished_at.is_none_or(|finished| finished <= on.off)
        };
        prop_assert!(times.iter().any(is_there), "{record:?} in\n{table}");
    }
    let window = results.metrics.window();
    let seconds = |on: &TimeOn| (on.off.min(window.to()) - on.wanted.max(window.from())).as_secs_f64();
    let on: f64 = if results.records.iter().all(|record| record.requested_at.is_none()) {
        0.0
    } else {
        times.iter().map(seconds).sum()
    };
    let used = &results.metrics.node_pools[0];
    prop_assert!((used.node_seconds(window) - on).abs() < 1e-6, "{} and {on} in\n{table}", used.node_seconds(window));
    prop_assert!((used.cost(window) - on).abs() < 1e-6, "a second costs one");
    let value = |of: &dyn Fn(&TimeOn) -> bool| times.iter().filter(|on| of(on)).count() as u64;
    prop_assert_eq!(used.removed, value(&|on| on.off < SimTime::MAX));
    prop_assert_eq!(used.nodes_on(), value(&|on| on.off == SimTime::MAX));
    Ok(())
}
