//! Mistakes in instances and the control plane.

use serde_json::json;

use super::check;

#[test]
fn instances_that_make_no_sense_are_named() {
    check(&[
        (
            "/functions/0/instances",
            json!({"concurency": 3}),
            "functions[0].instances.concurency: unknown field `concurency`, expected one of `concurrency`, `min_scale`, `max_scale`, `initial_scale`, `routing`, `queue_at_instance`, `start`, `removal`, `start_failure`, `paused`, `snapshot`: did you mean \"concurrency\"?",
        ),
        (
            "/functions/0/instances",
            json!(80),
            "functions[0].instances: invalid type: integer `80`, expected instances: an object",
        ),
        (
            "/functions/0/instances",
            json!({"concurrency": "many"}),
            "functions[0].instances.concurrency: expected a number of requests of at least 1, or \"unlimited\"",
        ),
        (
            "/functions/0/instances",
            json!({"concurrency": 0}),
            "functions[0].instances.concurrency: an instance that serves no requests: expected at least 1, or \"unlimited\"",
        ),
        (
            "/functions/0/instances",
            json!({"max_scale": 0}),
            "functions[0].instances.max_scale: no instances: expected at least 1, or nothing for any number",
        ),
        (
            "/functions/0/instances",
            json!({"min_scale": 3, "max_scale": 2}),
            "functions[0].instances.min_scale: 3 instances are more than max_scale, which is 2",
        ),
        (
            "/service/instances",
            json!({"initial_scale": 3, "max_scale": 2}),
            "service.instances.initial_scale: 3 instances are more than max_scale, which is 2",
        ),
        (
            "/functions/0/instances",
            json!({"min_scale": 4_000_000_000_u32}),
            "functions[0].instances.min_scale: 4000000000 instances: expected at most 1000000",
        ),
        (
            "/service/instances",
            json!({"initial_scale": 1_000_001}),
            "service.instances.initial_scale: 1000001 instances: expected at most 1000000",
        ),
        (
            "/service/instances",
            json!({"start": [{"phase": "code", "time": {"exponential": {"mean": 0}}}]}),
            "service.instances.start[0].time: exponential: mean must be above 0",
        ),
        (
            "/service/instances",
            json!({"removal": {"constant": -1}}),
            "service.instances.removal: constant: the number must be at least 0",
        ),
        (
            "/functions/0/instances",
            json!({"start_failure": 0.1}),
            "functions[0].instances.start_failure: invalid type: floating point `0.1`, expected failures of starts: an object",
        ),
        (
            "/functions/0/instances",
            json!({"start_failure": {"chance": 1.5}}),
            "functions[0].instances.start_failure.chance: must be from 0 to 1",
        ),
        (
            "/functions/0/instances",
            json!({"start_failure": {"chance": 0.1, "after": "code"}}),
            "functions[0].instances.start_failure.after: there is no phase \"code\": `start` has none",
        ),
        (
            "/service/instances",
            json!({"start": [{"phase": "code", "time": {"constant": 1}}], "start_failure": {"chance": 0.1, "after": "cod"}}),
            "service.instances.start_failure.after: there is no phase \"cod\": `start` has [\"code\"]",
        ),
        (
            "/functions/0/instances",
            json!({"start_failure": {"chance": 0.1, "backoff": {"exponential": {"initial": 1, "factor": 0.5}}}}),
            "functions[0].instances.start_failure.backoff.exponential.factor: must be at least 1",
        ),
        (
            "/functions/0/instances",
            json!({"paused": {"for": "10min", "ram": 1.1}}),
            "functions[0].instances.paused.ram: a share of the RAM of a container: expected 0 to 1",
        ),
        (
            "/functions/0/instances",
            json!({"paused": {"resume": {"constant": -1}}}),
            "functions[0].instances.paused.resume: constant: the number must be at least 0",
        ),
        (
            "/functions/0/instances",
            json!({"snapshot": {"phases": ["code"]}}),
            "functions[0].instances.snapshot: missing field `restore`",
        ),
        (
            "/functions/0/instances",
            json!({"snapshot": {"phases": [], "restore": {"constant": 1}}}),
            "functions[0].instances.snapshot.phases: a snapshot of nothing: name the phases that a restored start does without",
        ),
        (
            "/functions/0/instances",
            json!({"snapshot": {"phases": ["code"], "restore": {"constant": 1}}}),
            "functions[0].instances.snapshot.phases[0]: there is no phase \"code\": `start` has none",
        ),
        ("/service/pods", json!([{"name": "small", "ram": "1GB"}]), "service.pods[0]: missing field `ready`"),
        (
            "/service/pods",
            json!([{"name": "small", "ram": "1GB", "ready": 1_000_001}]),
            "service.pods[0].ready: 1000001 pods: expected at most 1000000",
        ),
        (
            "/service/pods",
            json!([{"name": "small", "ram": "1GB", "ready": 1, "processors": -1}]),
            "service.pods[0].processors: expected a number of cores that is not negative",
        ),
        (
            "/service/pods",
            json!([{"name": "small", "ram": "1GB", "ready": 1}]),
            "service.pods: instances take them, and no function is served by such: give functions `instances`, or the service",
        ),
        (
            "/service/pods",
            json!([{"name": "small", "ram": "1GB", "ready": 1, "search": {"constant": -1}}]),
            "service.pods[0].search: constant: the number must be at least 0",
        ),
        (
            "/service/pods",
            json!([{"name": "small", "ram": "1GB", "ready": 1, "image": "nowhere"}]),
            "service.pods[0].image: unknown image \"nowhere\": the scenario declares img",
        ),
        (
            "/service/control_plane",
            json!({"creation": {"at_once": 0, "time": {"constant": 1}}}),
            "service.control_plane.creation.at_once: a station that serves nobody: expected at least 1",
        ),
        (
            "/service/control_plane",
            json!({"node_agent": {"time": {"uniform": {"min": 2, "max": 1}}}}),
            "service.control_plane.node_agent.time: uniform: min must not be above max",
        ),
        (
            "/service/control_plane",
            json!({"creation": {"per_second": 0}}),
            "service.control_plane.creation.per_second: found 0, expected from 1e-6 to 1e9",
        ),
        (
            "/service/control_plane",
            json!({"creation": {"at_once": 2}}),
            "service.control_plane.creation.time: a station that takes no time and any number: say time or per_second, or leave it out",
        ),
    ]);
}
