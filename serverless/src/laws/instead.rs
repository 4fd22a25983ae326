//! A call that is answered otherwise: all before it is as it was, one that is answered as it was changes nothing, and what is to be seen
//! of the answer is what was said.

use std::collections::BTreeSet;

use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::files_of;
use super::decisions::{Kept, built_in, of_all_kinds, read};
use crate::causes::Undone;
use crate::decisions::{Decision, Instead, Observation, Views};
use crate::experiment::{Experiment, Results};
use crate::scenario::Scenario;

/// Runs with what is answered instead; the calls, with hashes of what they show, and the results.
fn run(scenario: &Scenario, instead: Option<Instead>) -> Option<(Vec<Decision>, Results)> {
    let observation = Observation { decisions: Some(Views::Hash), instead, ..Observation::default() };
    let kept = Kept::default();
    let experiment = Experiment::prepare_observed(scenario, &built_in(), &observation).ok()?;
    let (results, _) = experiment.decide_into(Box::new(kept.clone())).unwrap().run_until_stopped();
    Some((kept.0.take(), results))
}

fn said(decision: &Decision) -> String {
    serde_json::to_string(decision).unwrap()
}

/// Those that had ended before a date, as they were, but for some.
fn ended_before(results: &Results, at: SimTime, but_for: &BTreeSet<u64>) -> Vec<String> {
    let ended = results.records.iter().filter(|record| record.finished_at.is_some_and(|finished| finished < at));
    ended.filter(|record| !but_for.contains(&record.invocation)).map(|record| format!("{record:?}")).collect()
}

/// Invocations that were tried more than once. When the body of one has ended, and the head has not heard of it, it may still end
/// with another attempt.
fn tried_again<'a>(calls: impl IntoIterator<Item = &'a Decision>) -> BTreeSet<u64> {
    let again = calls.into_iter().filter(|call| call.about.attempt.is_some_and(|attempt| attempt > 1));
    again.filter_map(|call| call.about.invocation).collect()
}

fn is_asked(decision: &Decision) -> bool {
    !decision.answer.is_null() && decision.failed.is_none() && decision.method != "rules"
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn a_call_that_is_answered_as_it_was_changes_nothing(
        scenario in of_all_kinds(),
        index in any::<prop::sample::Index>(),
    ) {
        let scenario = read(&scenario);
        let Some((calls, results)) = run(&scenario, None) else { return Ok(()) };
        prop_assert!(results.answered_instead.is_none());
        let asked: Vec<&Decision> = calls.iter().filter(|call| is_asked(call)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let call = *index.get(&asked);
        let instead = Instead { call: call.number, answer: Some(call.answer.clone()) };
        let (again, as_it_was) = run(&scenario, Some(instead)).unwrap();
        let answered = as_it_was.answered_instead.as_ref().unwrap();
        prop_assert_eq!(answered.now.as_ref(), Ok(&call.answer), "{}", said(call));
        prop_assert_eq!(&answered.was.method, &call.method);
        prop_assert_eq!(files_of(&results), files_of(&as_it_was), "{}", said(call));
        prop_assert_eq!(calls.len(), again.len());
        for (before, after) in calls.iter().zip(&again) {
            prop_assert_eq!(said(before), said(after));
        }
    }

    #[test]
    fn before_a_call_that_is_undone_all_is_as_it_was(
        scenario in of_all_kinds(),
        index in any::<prop::sample::Index>(),
    ) {
        let scenario = read(&scenario);
        let Some((calls, results)) = run(&scenario, None) else { return Ok(()) };
        let undoable: Vec<&Decision> = calls.iter().filter(|call| is_asked(call) || !call.orders.is_empty()).collect();
        if undoable.is_empty() {
            return Ok(());
        }
        let call = *index.get(&undoable);
        let (again, otherwise) = run(&scenario, Some(Instead { call: call.number, answer: None })).unwrap();
        let answered = otherwise.answered_instead.as_ref().unwrap();
        prop_assert_eq!(said(&answered.was), said(call));
        let at = usize::try_from(call.number - 1).unwrap();
        for (before, after) in calls[..at].iter().zip(&again) {
            prop_assert_eq!(said(before), said(after));
        }
        let date = SimTime::from_nanos(call.date_ns);
        let but_for = tried_again(calls.iter().chain(&again));
        prop_assert_eq!(ended_before(&results, date, &but_for), ended_before(&otherwise, date, &but_for));
        match &answered.now {
            Ok(now) => {
                prop_assert_eq!((&again[at].answer, again[at].orders.len()), (now, 0));
                prop_assert!(*now != call.answer || !call.orders.is_empty(), "{}", said(call));
            }
            // Nothing is undone, so nothing has changed.
            Err(_) => prop_assert_eq!(files_of(&results), files_of(&otherwise)),
        }
    }
}

/// Two requests of a function a minute apart, whose container is kept for ten seconds.
fn kept_for_ten_seconds() -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "node", "count": 2, "cores": 1, "speed": "1Gf", "ram": "1GB"}, {"name": "head", "cores": 1, "speed": "1Gf"},
        ]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "functions": [{"name": "f", "body": [{"sleep": "1s"}], "container_startup_overhead": "2s"}],
        "policies": {"node_allocation": {"use": "first-fit"}, "keep_alive": {"use": "fixed", "parameters": {"timeout": "10s"}}},
        "workload": {"invocations": [{"at": 0, "function": "f"}, {"at": 60, "function": "f"}]}
    })
}

#[test]
fn to_keep_a_container_comes_to_the_same_as_if_it_had_not_ended() {
    let scenario = read(&kept_for_ten_seconds());
    let (calls, _) = run(&scenario, None).unwrap();
    let kept = calls.iter().find(|call| call.method == "on_idle").unwrap();
    let (_, otherwise) = run(&scenario, Some(Instead { call: kept.number, answer: None })).unwrap();
    let explained = Experiment::prepare(&scenario, &built_in()).unwrap().explained().run().unwrap();
    let end = explained.records[1].causes.as_ref().unwrap().cold_start.unwrap().end.unwrap();
    let undone: Undone = end.undone().unwrap();
    let spared = Experiment::prepare(&scenario, &built_in()).unwrap().without(undone).run().unwrap();
    let [_, invocations, functions, distributions] = files_of(&otherwise);
    let [_, of_spared, functions_of_spared, distributions_of_spared] = files_of(&spared);
    assert_eq!([invocations, functions, distributions], [of_spared, functions_of_spared, distributions_of_spared]);
    assert_eq!(otherwise.metrics.cold_starts, 1);
}

#[test]
fn a_request_goes_where_it_is_said() {
    let scenario = read(&kept_for_ten_seconds());
    let (calls, results) = run(&scenario, None).unwrap();
    let placed = calls.iter().find(|call| call.method == "place").unwrap();
    assert_eq!((&placed.answer, results.records[0].node), (&json!({"node": 0}), Some(0)));
    let instead = Instead { call: placed.number, answer: Some(json!({"node": 1})) };
    let (_, otherwise) = run(&scenario, Some(instead)).unwrap();
    assert_eq!(otherwise.records[0].node, Some(1));
    for (call, answer, problem) in
        [(placed.number, json!({"somewhere": 1}), "is no answer to it"), (1, json!(null), "is no answer to it")]
    {
        let (_, same) = run(&scenario, Some(Instead { call, answer: Some(answer) })).unwrap();
        let said = same.answered_instead.unwrap().now.unwrap_err();
        assert!(said.contains(problem), "{said}");
    }
    let (_, same) = run(&scenario, Some(Instead { call: 1, answer: None })).unwrap();
    assert!(same.answered_instead.unwrap().now.unwrap_err().contains("asked nothing"));
    let (_, same) = run(&scenario, Some(Instead { call: 1_000_000, answer: None })).unwrap();
    assert!(same.answered_instead.is_none());
}
