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
    (1..4_u32, 0..3_u32, prop::option::of(3..6_u32), 0..3_u32, 0..3_u32, routing, start, start_failure()).prop_map(
        |(concurrency, min_scale, max_scale, initial_scale, queue_at_instance, routing, start, mut start_failure)| {
            if start.get(0).is_none() {
                start_failure.as_object_mut().map(|failure| failure.remove("after"));
            }
            let removal = (min_scale == 1).then(|| json!({"constant": 1.5}));
            // Beside those that are removed.
            let paused = [
                None,
                Some(json!({"for": 3, "ram": 0.4, "resume": {"constant": 0.2}})),
                Some(json!({"pause": {"exponential": {"mean": 0.5}}, "resume": {"constant": 0.1}})),
            ];
            let paused = &paused[(concurrency as usize + queue_at_instance as usize) % 3];
            let snapshot = [
                None,
                Some(json!({"phases": ["runtime", "code"], "restore": {"constant": 0.3}, "size": "300MB", "create": {"constant": 1}})),
                Some(json!({"phases": ["code"], "restore": {"exponential": {"mean": 0.2}}, "where": "everywhere", "made": if min_scale == 1 { "beforehand" } else { "first_start" }})),
            ];
            let snapshot = snapshot[initial_scale as usize % 3].as_ref().filter(|_| start.get(0).is_some());
            json!({"removal": removal, "paused": paused, "snapshot": snapshot, "concurrency": concurrency, "min_scale": min_scale, "max_scale": max_scale, "initial_scale": initial_scale,
                   "queue_at_instance": queue_at_instance, "routing": routing, "start": start,
                   "start_failure": start_failure})
        },
    )
}

/// None, or pools in which starts look; there is an image i0.
pub(super) fn pods() -> impl Strategy<Value = Vec<Value>> {
    let start = json!([{"phase": "runtime", "time": {"exponential": {"mean": 1}}}]);
    prop::sample::select(vec![
        Vec::new(),
        vec![json!({"name": "large", "ram": "2GB", "ready": 2, "start": start})],
        vec![
            json!({"name": "small", "ram": "300MB", "ready": 1, "search": {"constant": 0.2}}),
            json!({"name": "with image", "ram": "1GB", "ready": 1, "image": "i0", "start": start, "search": {"exponential": {"mean": 0.3}}}),
        ],
        vec![json!({"name": "with cores", "ram": "1GB", "ready": 1, "processors": 0.5, "search": {"constant": 0.4}})],
    ])
}

fn start_failure() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        Value::Null,
        json!({"chance": 0.3}),
        json!({"chance": 0.6, "after": "code", "backoff": {"constant": 0.8}}),
        json!({"chance": 0.5, "backoff": {"exponential": {"initial": 1, "max": 5}}}),
    ])
}

pub(super) fn control_plane() -> impl Strategy<Value = Value> {
    let station = || {
        prop::option::of((
            1..3_u32,
            prop::sample::select(vec![json!({"constant": 0.7}), json!({"exponential": {"mean": 1.5}})]),
            prop::option::weighted(0.3, 0.5..3.0_f64),
        ))
    };
    (station(), station()).prop_map(|(creation, node_agent)| {
        let written = |station: Option<(u32, Value, Option<f64>)>| {
            station
                .map(|(at_once, time, per_second)| json!({"at_once": at_once, "time": time, "per_second": per_second}))
        };
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
        (control_plane, pods) in (control_plane(), pods()),
        of_applications in proptest::collection::vec(prop::option::weighted(0.3, 0..2_u8), 4),
        of_all in instances(),
        autoscaling in prop::sample::select(vec!["concurrency", "lambda", "kpa"]),
        processors in prop::sample::select(vec!["dedicated", "shared"]),
    ) {
        let mut scenario = with_costs(scenario);
        for (function, instances) in scenario["functions"].as_array_mut().unwrap().iter_mut().zip(served) {
            function["instances"] = json!(instances);
        }
        if processors == "shared" {
            scenario["functions"][0]["processors"] = json!({"startup": {"work": "8Gf", "limit": 2}});
        }
        into_applications(&mut scenario, &of_applications, &of_all);
        scenario["service"]["control_plane"] = control_plane;
        // What a pool keeps of processors it may keep of those that are shared.
        let needs_sharing = pods.iter().any(|pool| pool.get("processors").is_some());
        scenario["service"]["pods"] = json!(if needs_sharing && processors == "dedicated" { Vec::new() } else { pods });
        let functions = scenario["functions"].as_array().unwrap();
        let has_applications = scenario["applications"].as_array().is_some_and(|all| !all.is_empty());
        if !has_applications && functions.iter().all(|function| function["instances"].is_null()) {
            scenario["service"]["pods"] = json!([]);
        }
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
