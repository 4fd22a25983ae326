//! Instances: none has more requests than it may, as many are there as are wanted, nobody waits while there is room, and nothing is
//! lost but what is said to be lost.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::applications::into_applications;
use super::checks::*;
use super::scenarios::*;
use super::{cases, run_with};
use crate::experiment::Experiment;
use crate::invocation::Outcome;
use crate::policy::Catalog;
use crate::scenario::Scenario;
use crate::service::Service;

pub(super) fn instances() -> impl Strategy<Value = Value> {
    let routing = prop::sample::select(vec!["least_loaded", "first", "round_robin", "random_of_two"]);
    let start = prop::sample::select(vec![
        json!([]),
        json!([{"phase": "code", "time": {"exponential": {"mean": 2}}}, {"phase": "runtime", "time": {"constant": 0.1}}]),
    ]);
    (1..4_u32, 0..3_u32, prop::option::of(3..6_u32), 0..3_u32, 0..3_u32, routing, start).prop_map(
        |(concurrency, min_scale, max_scale, initial_scale, queue_at_instance, routing, start)| {
            let removal = (min_scale == 1).then(|| json!({"constant": 1.5}));
            json!({"removal": removal, "concurrency": concurrency, "min_scale": min_scale, "max_scale": max_scale, "initial_scale": initial_scale,
                   "queue_at_instance": queue_at_instance, "routing": routing, "start": start})
        },
    )
}

pub(super) fn control_plane() -> impl Strategy<Value = Value> {
    let station = || {
        prop::option::of((
            1..3_u32,
            prop::sample::select(vec![json!({"constant": 0.7}), json!({"exponential": {"mean": 1.5}})]),
        ))
    };
    (station(), station()).prop_map(|(creation, node_agent)| {
        let written =
            |station: Option<(u32, Value)>| station.map(|(at_once, time)| json!({"at_once": at_once, "time": time}));
        json!({"creation": written(creation), "node_agent": written(node_agent)})
    })
}

pub(super) fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    service.check_instances().map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn instances_are_as_many_as_are_wanted_and_serve_whom_they_may(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        served in proptest::collection::vec(prop::option::weighted(0.7, instances()), 4),
        of_applications in proptest::collection::vec(prop::option::weighted(0.3, 0..2_u8), 4),
        of_all in instances(),
        control_plane in control_plane(),
        autoscaling in prop::sample::select(vec!["concurrency", "lambda", "kpa"]),
        processors in prop::sample::select(vec!["dedicated", "shared"]),
    ) {
        let mut scenario = with_costs(scenario);
        for (function, instances) in scenario["functions"].as_array_mut().unwrap().iter_mut().zip(served) {
            function["instances"] = json!(instances);
        }
        into_applications(&mut scenario, &of_applications, &of_all);
        scenario["service"]["control_plane"] = control_plane;
        scenario["service"]["processors"] = json!(processors);
        scenario["policies"]["autoscaling"] = json!({"use": autoscaling});
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let Some(results) = run_with(&scenario, hearth_plugins::BUILT_IN, check) else { return Ok(()) };
        let results = results?;
        check_window(&results)?;
        // Instances of others may leave no room for ever.
        let unfinished = || results.records.iter().filter(|record| record.outcome == Outcome::Unfinished);
        prop_assert!(unfinished().all(|record| record.failure.is_some()));
        if unfinished().next().is_none() {
            check_dates(&scenario, &results)?;
        }
        check_outages(&scenario, &results)?;
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn instances_for_which_no_node_has_had_room_are_not_passed_over_once_one_has(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        served in proptest::collection::vec(prop::option::weighted(0.7, instances()), 4),
        control_plane in control_plane(),
        autoscaling in prop::sample::select(vec!["concurrency", "kpa"]),
        // Their answers hang on what there is alone, not on how often they are asked.
        node_allocation in prop::sample::select(vec!["first-fit", "least-loaded", "best-fit", "random"]),
    ) {
        let mut scenario = scenario;
        for (function, instances) in scenario["functions"].as_array_mut().unwrap().iter_mut().zip(served) {
            function["instances"] = json!(instances);
        }
        scenario["service"]["control_plane"] = control_plane;
        scenario["service"]["backfilling"] = json!("unlimited");
        scenario["policies"]["autoscaling"] = json!({"use": autoscaling});
        scenario["policies"]["node_allocation"] = json!({"use": node_allocation});
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
        let prepare = || Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN));
        let (Ok(as_it_is), Ok(always)) = (prepare(), prepare()) else { return Ok(()) };
        let (as_it_is, always) = (as_it_is.run().unwrap(), always.always_trying_nodes().run().unwrap());
        prop_assert_eq!(files_of(&as_it_is), files_of(&always));
    }
}
