//! Mistakes in faults and recovery.

use serde_json::{Value, json};

use super::check;

#[test]
fn faults_and_retries_that_make_no_sense_are_named() {
    let one_thing = "expected one of \"host\", \"link\" and \"disk\"";
    check(&[
        ("/faults/scripted/-", json!({"at": 1}), &format!("faults.scripted[3]: {one_thing}")),
        ("/faults/scripted/-", json!({"at": 1, "host": "a", "link": "b"}), &format!("faults.scripted[3]: {one_thing}")),
        (
            "/faults/scripted/-",
            json!({"at": 1, "host": "node-0", "up": true, "for": 5}),
            "faults.scripted[3].up: goes with \"at\" and \"host\" or \"link\" alone",
        ),
        (
            "/faults/scripted/-",
            json!({"at": 1, "link": "lan", "slow": 2}),
            "faults.scripted[3].slow: is for hosts: links take \"bandwidth\"",
        ),
        (
            "/faults/scripted/-",
            json!({"at": 1, "link": "lan", "bandwidth": 0}),
            "faults.scripted[3].bandwidth: must be above 0 and at most 1",
        ),
        (
            "/faults/scripted/-",
            json!({"at": 1, "host": "nod-0"}),
            "faults.scripted[3].host: unknown host \"nod-0\": the platform has none of that name",
        ),
        ("/faults/scripted/0/link", json!("cable"), &format!("faults.scripted[0]: {one_thing}")),
        ("/faults/drawn/0/hosts", Value::Null, "faults.drawn[0]: expected one of \"hosts\" and \"links\""),
        (
            "/faults/drawn/0/time_to_repair",
            json!({"constant": -1}),
            "faults.drawn[0].time_to_repair: constant: the number must be at least 0",
        ),
        (
            "/network_model",
            json!("ideal"),
            "faults.scripted[1].link: a degraded link needs \"network_model\": \"fluid\": in the ideal network nothing is shared",
        ),
        ("/recovery/replicate/copies", json!(0), "recovery.replicate.copies: must be at least 1"),
        (
            "/faults/containers/crash_per_invocation",
            json!(1.5),
            "faults.containers.crash_per_invocation: must be from 0 to 1",
        ),
        ("/recovery/retry/max_attempts", json!(0), "recovery.retry.max_attempts: must be at least 1"),
        ("/recovery/retry/jitter", json!(2), "recovery.retry.jitter: must be from 0 to 1"),
        (
            "/recovery/retry/on",
            json!(["rejected"]),
            "recovery.retry.on[0]: unknown variant `rejected`, expected one of `lost`, `failed`, `timed_out`",
        ),
    ]);
}
