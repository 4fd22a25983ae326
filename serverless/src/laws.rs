//! What must hold in every simulation, over random small scenarios: conservation of cores, RAM and disk at every
//! moment, one outcome for each invocation, and no date before its cause.

mod answers;
mod applications;
mod bounds;
mod cause_models;
mod causes;
mod checks;
mod choice;
mod conditions;
mod container_events;
mod containers;
mod copies;
mod decisions;
mod differences;
mod ends;
mod history;
mod instances;
mod instead;
mod latecomers;
mod node_pools;
mod node_queues;
mod orders;
mod processors;
mod requests;
mod rounds;
mod scenarios;
mod shedding;
mod stepped;
mod without;

use hearth_policy_api::PolicyDescriptor;
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::checks::*;
use self::scenarios::*;
use crate::experiment::{Experiment, Results};
use crate::invocation::Outcome;
use crate::policy::Catalog;
use crate::scenario::Scenario;
use crate::service::Service;

/// Runs a scenario, looking at the service after every half second; `None` if no node could run a function.
fn run(scenario: &Value) -> Option<Result<Results, TestCaseError>> {
    run_with(scenario, hearth_plugins::BUILT_IN, check_conservation)
}

/// The same with these policies, and another look.
fn run_with(
    scenario: &Value,
    policies: &[PolicyDescriptor],
    check: impl Fn(&Service) -> Result<(), TestCaseError>,
) -> Option<Result<Results, TestCaseError>> {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let mut experiment = Experiment::prepare(&scenario, &Catalog::new(policies)).ok()?;
    Some(
        experiment
            .run_watched(SimTime::from_secs_f64(200.0), 0.5, check)
            .and_then(|()| experiment.run().map_err(|error| TestCaseError::fail(error.to_string()))),
    )
}

/// So many random scenarios, or as many as `scripts/laws` asks for.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("HEARTH_LAW_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(usual))
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn what_is_billed_follows_from_what_was_recorded(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = with_costs(scenario);
        if let Some((faults, _)) = faults {
            scenario["faults"] = faults;
        }
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        check_window(&results)?;
        check_costs(&scenario, &results)?;
    }

    #[test]
    fn a_request_is_billed_once_however_often_it_is_tried(scenario in scenario(), (faults, recovery) in faults()) {
        let mut scenario = with_costs(scenario);
        (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        let Some(results) = run(&scenario) else { return Ok(()) };
        let metrics = results?.metrics;
        let billed = metrics.cost.as_deref().unwrap().billed_requests();
        prop_assert!(billed >= metrics.outcome(Outcome::Completed));
        prop_assert!(billed <= metrics.invocations());
    }

    #[test]
    fn faults_lose_nobody_uncounted_and_nothing_that_is_held(scenario in scenario(), (faults, recovery) in faults()) {
        let mut scenario = scenario;
        (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        check_window(&results)?;
        check_dates(&scenario, &results)?;
        check_outages(&scenario, &results)?;
    }

    #[test]
    fn whoever_never_ends_is_named_with_what_it_waits_for(
        scenario in scenario(),
        faults in proptest::collection::vec((0..200_u32, prop::sample::select(vec!["node-0", "node-*", "head", "user", "wan", "lan"])), 1..4),
    ) {
        let mut scenario = scenario;
        let for_ever = |(at, what): (u32, &str)| {
            let kind = if what.ends_with("an") { "link" } else { "host" };
            json!({"at": f64::from(at) / 4.0, kind: what})
        };
        scenario["faults"] = json!({"scripted": faults.into_iter().map(for_ever).collect::<Vec<_>>()});
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        let unfinished = || results.records.iter().filter(|record| record.outcome == Outcome::Unfinished);
        prop_assert!(unfinished().all(|record| record.failure.is_some()));
        let first = unfinished().min_by_key(|record| (record.requested_at.is_none(), record.invocation));
        let first = first.map(|record| record.invocation);
        prop_assert_eq!(results.stall.as_ref().map(|stall| stall.first), first);
        prop_assert_eq!(results.stall.map_or(0, |stall| stall.invocations), unfinished().count() as u64);
    }

    #[test]
    fn who_is_placed_at_once_is_placed_as_in_a_round(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        // Functions with images are never placed at once.
        scenario["functions"].as_array_mut().unwrap().iter_mut().for_each(|function| function["image"] = Value::Null);
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let prepare = || Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN));
        let (Ok(at_once), Ok(in_rounds)) = (prepare(), prepare()) else { return Ok(()) };
        let results = [at_once.run(), in_rounds.never_placing_at_once().run()].map(|run| files_of(&run.unwrap()));
        prop_assert_eq!(&results[0], &results[1]);
    }

    #[test]
    fn faults_that_never_happen_change_nothing(scenario in scenario()) {
        let mut scenario = scenario;
        let Some(without) = run(&scenario) else { return Ok(()) };
        scenario["faults"] = json!({
            "drawn": [{"hosts": "node-*", "time_between_failures": {"constant": 1e9}, "time_to_repair": {"constant": 1}}],
            "containers": {"crash_per_invocation": 0, "crash_per_second": 0}});
        scenario["recovery"] = json!({"retry": {"max_attempts": 3}});
        let Some(with) = run(&scenario) else { return Ok(()) };
        let (without, with) = (without?, with?);
        prop_assert_eq!(files_of(&without), files_of(&with));
        prop_assert_eq!(without.ended_at, with.ended_at);
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn workflows_end_once_and_their_times_add_up(
        scenario in scenario(), workflow in workflow(), (faults, recovery) in faults(), fails in any::<bool>(),
    ) {
        let mut scenario = scenario;
        for invocation in scenario["workload"]["invocations"].as_array_mut().unwrap() {
            *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "workflow": "w"});
        }
        scenario["workflows"] = json!([workflow]);
        if fails {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let Some(results) = run(&scenario) else { return Ok(()) };
        check_runs(&scenario, &results?)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn cores_ram_and_disk_are_conserved_and_everybody_ends_once_and_in_order(scenario in scenario()) {
        let Some(results) = run(&scenario) else { return Ok(()) };
        check_dates(&scenario, &results?)?;
    }

    #[test]
    fn the_policy_does_not_move_arrivals(scenario in scenario(), other in prop::sample::select(vec!["fcfs", "random", "least-loaded"])) {
        let mut scenario = scenario;
        // Chained invocations follow the ends of others, which policies do move.
        for invocation in scenario["workload"]["invocations"].as_array_mut().unwrap() {
            *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "function": invocation["function"]});
        }
        let arrivals = |results: Results| -> Vec<_> {
            results.records.iter().map(|record| (record.invocation, record.requested_at)).collect()
        };
        let Some(first) = run(&scenario) else { return Ok(()) };
        scenario["policies"]["node_allocation"] = json!({"use": other});
        let Some(second) = run(&scenario) else { return Ok(()) };
        prop_assert_eq!(arrivals(first?), arrivals(second?));
    }

    #[test]
    fn another_node_on_an_idle_platform_never_delays_the_first_start(scenario in scenario()) {
        let mut scenario = scenario;
        // A policy that draws another node in every round sends the image to one after the other.
        if scenario["policies"]["node_allocation"]["use"] == "random" {
            scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        }
        let function = scenario["workload"]["invocations"][0]["function"].clone();
        scenario["workload"]["invocations"] = json!([{"at": 0, "function": function}]);
        let started = |results: Results| results.records[0].started_at;
        let Some(fewer) = run(&scenario) else { return Ok(()) };
        let count = scenario["platform"]["hosts"][2]["count"].as_u64().unwrap();
        scenario["platform"]["hosts"][2]["count"] = json!(count + 1);
        let more = run(&scenario).unwrap();
        if let (Some(fewer), Some(more)) = (started(fewer?), started(more?)) {
            prop_assert!(more <= fewer, "{more} after {fewer}");
        }
    }
}
