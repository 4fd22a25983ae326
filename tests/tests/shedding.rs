//! `firm-deadline` against its formula.

use hearth_serverless::experiment::Experiment;
use hearth_serverless::invocation::Outcome;
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::json;

/// So many come at once to one core, where each runs for so long and has so long: as many complete as fit in, at least the first,
/// and the others are rejected when the last of these has ended.
#[test]
fn as_many_run_as_meet_their_deadline() {
    for (requests, run_time, deadline) in [(6, 3, 10), (6, 3, 9), (6, 3, 8), (4, 5, 4), (3, 2, 100), (9, 1, 5)] {
        let scenario = json!({
            "format": "hearth-scenario/1",
            "platform": {"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                                   {"name": "node", "cores": 1, "speed": "1Gf", "ram": "64GB"}]},
            "service": {"head": "head", "registry": "head", "nodes": ["node"]},
            "functions": [{"name": "f", "ram_limit": "1GB", "deadline": deadline, "body": [{"sleep": run_time}]}],
            "workload": {"invocations": vec![json!({"at": 0, "function": "f"}); requests as usize]},
            "policies": {"node_allocation": {"use": "firm-deadline"}},
        });
        let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
        let results = experiment.run().unwrap();
        let completed = (deadline / run_time).clamp(1, requests);
        assert_eq!(
            results.metrics.outcome(Outcome::Completed),
            completed,
            "{requests} of {run_time} s in {deadline} s"
        );
        assert_eq!(results.metrics.outcome(Outcome::Rejected), requests - completed);
        let rejected = results.records.iter().filter(|record| record.outcome == Outcome::Rejected);
        for record in rejected {
            assert_eq!(record.finished_at.unwrap().as_nanos(), completed * run_time * 1_000_000_000);
        }
    }
}
