//! Whatever a policy does while it runs ends in one message that names library, policy, call and cause.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{failure, hearth, misbehaving, quickstart, text};

/// The argument that puts a misbehaving policy into a slot of a scenario.
fn choice(slot: &str, policy: &str, parameters: &Value) -> String {
    let section = json!({"use": policy, "library": misbehaving(), "parameters": parameters});
    format!("policies.{slot}={section}")
}

/// Runs the quickstart with a misbehaving policy and gives the exit code, and what is said after the name of the policy
/// and its library.
fn misbehave(slot: &str, policy: &str, how: &str) -> (i32, String) {
    let (code, message) = failure(&["run", &quickstart(), "--set", &choice(slot, policy, &json!({ "how": how }))]);
    let prefix = format!("policies.{slot}: {policy:?} of {} ", misbehaving());
    let begin = message.find(&prefix).unwrap_or_else(|| panic!("{prefix:?} is not in {message:?}"));
    (code, message[begin + prefix.len()..].to_owned())
}

#[test]
fn a_policy_that_does_well_is_no_trouble() {
    for (slot, policy) in [
        ("node_allocation", "misplaces"),
        ("eviction.containers", "misevicts"),
        ("eviction.images_in_ram", "misevicts"),
        ("admission", "misadmits"),
        ("keep_alive", "miskeeps"),
    ] {
        let output = hearth(&["run", &quickstart(), "--set", &choice(slot, policy, &json!({}))]);
        assert!(output.status.success(), "{slot}: {}", text(&output.stderr));
    }
}

#[test]
fn what_goes_wrong_in_a_call_is_said_in_one_line() {
    let placing = "plugins/test-misbehaving/src/lib.rs";
    let rows = [
        ("node_allocation", "misplaces", "panic_text", "failed in place: panicked: as asked: panic_text (at "),
        ("node_allocation", "misplaces", "panic_number", "failed in place: panicked, without a message (at "),
        ("node_allocation", "misplaces", "panic_bomb", "failed in place: panicked, without a message (at "),
        ("node_allocation", "misplaces", "panic_index", "failed in place: panicked: index out of bounds: "),
        ("node_allocation", "misplaces", "panic_rank", "failed in rank: panicked: as asked: panic_rank (at "),
        ("node_allocation", "misplaces", "panic_observe", "failed in observe: panicked: as asked: panic_observe (at "),
        (
            "node_allocation",
            "misplaces",
            "out_of_range",
            "failed in place: answered node 1000000, but there are nodes 0 to 2",
        ),
        (
            "node_allocation",
            "misplaces",
            "full",
            "failed in place: answered node 0 (\"node-0\"), which has no free core",
        ),
        ("node_allocation", "misplans", "panic_plan", "failed in plan: panicked: as asked: panic_plan (at "),
        ("node_allocation", "misplans", "twice", "failed in plan: places request 0 twice"),
        ("node_allocation", "misplans", "nobody", "failed in plan: names request 99 of 2"),
        ("node_allocation", "misplans", "nowhere", "failed in plan: answered node 99, but there are nodes 0 to 2"),
        ("node_allocation", "misplans", "no_image", "failed in plan: names image 99 of "),
        (
            "eviction.containers",
            "misevicts",
            "absent",
            "failed in choose: offered 4000000 as a victim, which is not there to be evicted",
        ),
        ("eviction.containers", "misevicts", "too_few", "failed in choose: offered too few victims: "),
        ("eviction.containers", "misevicts", "panic_insert", "failed in insert: panicked: as asked: panic_insert (at "),
        ("eviction.containers", "misevicts", "panic_remove", "failed in remove: panicked: as asked: panic_remove (at "),
        ("eviction.containers", "misevicts", "panic_choose", "failed in choose: panicked: as asked: panic_choose (at "),
        ("eviction.images_in_ram", "misevicts", "panic_touch", "failed in touch: panicked: as asked: panic_touch (at "),
        ("admission", "misadmits", "panic_admit", "failed in admit: panicked: as asked: panic_admit (at "),
        (
            "admission",
            "misadmits",
            "negative_delay",
            "failed in admit: panicked: a time of -0.5 s was given: times are not negative",
        ),
        (
            "admission",
            "misadmits",
            "delay_without_end",
            "failed in admit: has delayed a request of function 0 100000 times within a second: delay by longer",
        ),
        ("admission", "misadmits", "delay_for_ever", "failed in admit: delays a request by 583 years: reject it"),
        (
            "keep_alive",
            "miskeeps",
            "nan",
            "failed in on_idle: panicked: a time of NaN s was given: times are not negative",
        ),
        ("keep_alive", "miskeeps", "panic_on_idle", "failed in on_idle: panicked: as asked: panic_on_idle (at "),
        (
            "keep_alive",
            "miskeeps",
            "panic_on_arrival",
            "failed in on_arrival: panicked: as asked: panic_on_arrival (at ",
        ),
    ];
    for (slot, policy, how, expected) in rows {
        let (code, message) = misbehave(slot, policy, how);
        assert!(message.starts_with(expected), "{how}: {message}");
        assert_eq!(code, 1, "{how}");
        if expected.ends_with("(at ") {
            assert!(message.contains(placing), "{how}: {message}");
        }
    }
}

#[test]
fn a_panic_over_a_link_is_said_like_any_other() {
    let policy = choice("node_allocation", "misplaces", &json!({"how": "panic_observe_link"}));
    let faults = r#"faults={"scripted": [{"at": 1, "link": "lan", "bandwidth": 0.5}]}"#;
    let (code, message) = failure(&["run", &quickstart(), "--set", &policy, "--set", faults]);
    assert_eq!(code, 1, "{message}");
    assert!(message.contains("failed in observe_link: panicked: as asked: panic_observe_link (at "), "{message}");
}

#[test]
fn a_policy_that_cannot_be_made_is_refused_before_the_run() {
    let rows = [
        ("node_allocation", "misplaces", "refuse", "cannot be made: it does not want to"),
        ("node_allocation", "misplaces", "panic_new", "cannot be made: panicked: as asked: panic_new (at "),
        ("node_allocation", "misplaces", "panic_rules", "failed in rules: panicked: as asked: panic_rules (at "),
        ("keep_alive", "miskeeps", "panic_rules", "failed in rules: panicked: as asked: panic_rules (at "),
    ];
    for (slot, policy, how, expected) in rows {
        let (code, message) = misbehave(slot, policy, how);
        assert!(message.starts_with(expected), "{how}: {message}");
        assert_eq!(code, 2, "{how}");
    }
}

#[test]
fn a_panic_in_the_destructor_changes_nothing() {
    let run = |how| {
        let set = choice("node_allocation", "misplaces", &json!({ "how": how }));
        let output = hearth(&["run", &quickstart(), "--json", "--set", &set]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "");
        let mut summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        summary["policies"]["node_allocation"]["parameters"]["how"].take();
        summary
    };
    assert_eq!(run("panic_drop"), run("well"));
}

#[test]
fn what_came_before_a_failure_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let set = choice("eviction.containers", "misevicts", &json!({"how": "panic_choose"}));
    let (code, message) = failure(&["run", &quickstart(), "--output", target, "--set", &set]);
    let (summary, rows) = written(target);
    assert_eq!(code, 1);
    assert_eq!(format!("the simulation stopped: {}", summary["stopped_by"].as_str().unwrap()), message);
    // Everybody has a row; those who had not ended are unfinished.
    assert_eq!(rows.len(), 34);
    assert!(rows.iter().any(|row| row.contains(",completed,")) && rows.iter().any(|row| row.contains(",unfinished,")));
}

fn written(folder: &str) -> (Value, Vec<String>) {
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let rows = read("invocations.csv").lines().skip(1).map(str::to_owned).collect();
    (serde_json::from_str(&read("summary.json")).unwrap(), rows)
}

#[test]
fn a_call_that_does_not_come_back_is_reported_and_what_came_before_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    for (slot, policy, how, call, ended) in [
        ("eviction.containers", "misevicts", "offer_for_ever", "choose", true),
        ("node_allocation", "misplaces", "hang", "place", false),
    ] {
        let set = choice(slot, policy, &json!({ "how": how }));
        let start = Instant::now();
        let arguments =
            ["run", &quickstart(), "--policy-timeout", "300ms", "--output", target, "--overwrite", "--set", &set];
        let (code, message) = failure(&arguments);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        let library = misbehaving();
        let when = if ended { ", at 38.904691431 s" } else { ", at 3.760996907 s, about invocation 0" };
        let expected = format!(
            "the simulation stopped: policies.{slot}: {policy:?} of {library} has not come back from {call} for 0.3 s{when}: mend \
             it, or allow more with --policy-timeout"
        );
        assert_eq!((code, message), (1, expected));
        let (summary, rows) = written(target);
        assert!(summary["stopped_by"].as_str().unwrap().contains("has not come back"));
        assert_eq!(rows.iter().any(|row| row.contains(",completed,")), ended, "{how}: {rows:?}");
    }
}

#[test]
fn a_constructor_that_does_not_come_back_is_reported() {
    let set = choice("node_allocation", "misplaces", &json!({"how": "hang_new"}));
    let (code, message) = failure(&["run", &quickstart(), "--policy-timeout", "300ms", "--set", &set]);
    assert_eq!(code, 1);
    let expected = format!("\"misplaces\" of {} has not come back from new for 0.3 s: mend it", misbehaving());
    assert!(message.contains(&expected), "{message}");
}
