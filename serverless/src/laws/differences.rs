//! Two runs side by side: what is found while both run is what is found when both are over.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::decisions::{built_in, read};
use super::scenarios::{faults, scenario};
use crate::experiment::{COMPARED, DifferenceOptions, Experiment, RunDifference, difference_of};
use crate::invocation::{InvocationRecord, Outcome, Start};

fn difference(first: &Value, second: &Value) -> Option<RunDifference> {
    let prepare = |scenario: &Value| {
        let scenario = scenario.clone();
        move || {
            Experiment::prepare_observed(&read(&scenario), &built_in(), &COMPARED).map(|experiment| (experiment, ()))
        }
    };
    difference_of(prepare(first), prepare(second), DifferenceOptions::default()).ok()
}

fn records(scenario: &Value) -> BTreeMap<u64, InvocationRecord> {
    let (results, _) = Experiment::prepare(&read(scenario), &built_in()).unwrap().run_until_stopped();
    results.records.into_iter().map(|record| (record.invocation, record)).collect()
}

/// What a record has, in the order in which it came to be.
fn history(record: &InvocationRecord) -> [Option<u64>; 5] {
    let InvocationRecord { requested_at, submitted_at, dispatched_at, started_at, finished_at, .. } = record;
    [requested_at, submitted_at, dispatched_at, started_at, finished_at].map(|date| date.map(|date| date.as_nanos()))
}

fn latency(record: &InvocationRecord) -> Option<i128> {
    let [requested, .., finished] = history(record);
    let completed = finished.filter(|_| record.outcome == Outcome::Completed)?;
    Some(i128::from(completed) - i128::from(requested?))
}

/// When two records part.
fn parted_at(one: &InvocationRecord, other: &InvocationRecord) -> Option<u64> {
    let (mine, theirs) = (history(one), history(other));
    let place = |record: &InvocationRecord| (record.node, record.start);
    let differs = |stage: usize| {
        mine[stage] != theirs[stage]
            || (stage == 2 && place(one) != place(other))
            || (stage == 4 && one.outcome != other.outcome)
    };
    let stage = (0..5).find(|stage| differs(*stage))?;
    [mine[stage], theirs[stage]].into_iter().flatten().min().or(mine[0])
}

/// Sums over time and by size, against a recount.
fn hold_sums(difference: &RunDifference, both: &[(&InvocationRecord, &InvocationRecord)]) {
    let apart: Vec<(u64, i128)> =
        both.iter().filter_map(|(one, other)| Some((history(one)[0]?, latency(other)? - latency(one)?))).collect();
    let nanos = |seconds: f64| (seconds * 1e9).round() as u64;
    let step = nanos(difference.over_time.step_s);
    let mut requests = 0;
    for interval in &difference.over_time.intervals {
        let from = nanos(interval.from_s);
        let is_in = |date: u64| (from..from + step).contains(&date);
        let here = both.iter().filter(|(one, _)| history(one)[0].is_some_and(is_in)).count() as u64;
        assert_eq!(interval.invocations.in_both, here, "{}", interval.from_s);
        let moved: i128 = apart.iter().filter(|(date, _)| is_in(*date)).map(|(_, by)| by).sum();
        assert!((interval.invocations.difference_s - moved as f64 / 1e9).abs() < 1e-6);
        requests += here;
    }
    assert_eq!(requests, both.iter().filter(|(one, _)| history(one)[0].is_some()).count() as u64);
    for bin in &difference.distribution {
        let count = |sign: i128| {
            let by = apart.iter().map(|(_, by)| by * sign).filter(|by| *by > 0).map(|by| by as f64 / 1e9);
            by.filter(|by| *by >= bin.from_s && *by < bin.to_s).count() as u64
        };
        assert_eq!((bin.won, bin.lost), (count(-1), count(1)), "{bin:?}");
    }
    let counted: u64 = difference.distribution.iter().map(|bin| bin.won + bin.lost).sum();
    assert_eq!(counted, apart.iter().filter(|(_, by)| *by != 0).count() as u64);
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn what_differs_is_what_differs_between_the_records(
        scenario in scenario(), faults in prop::option::of(faults()),
        other in prop::sample::select(vec![
            ("node_allocation", json!({"use": "least-loaded"})), ("node_allocation", json!({"use": "first-fit"})),
            ("keep_alive", json!({"use": "no-keep-alive"})), ("admission", json!({"use": "queue-limit", "parameters": {"limit": 1}})),
        ]),
    ) {
        let mut first = scenario;
        if let Some((faults, recovery)) = faults {
            (first["faults"], first["recovery"]) = (faults, recovery);
        }
        let mut second = first.clone();
        second["policies"][other.0] = other.1.clone();
        let Some(difference) = difference(&first, &second) else { return Ok(()) };
        let records = [records(&first), records(&second)];
        let all = &difference.invocations;
        let both: Vec<(&InvocationRecord, &InvocationRecord)> =
            records[0].values().filter_map(|one| Some((one, records[1].get(&one.invocation)?))).collect();
        let alone = |side: usize| (records[side].len() - both.len()) as u64;
        prop_assert_eq!((all.in_both, all.only_first, all.only_second), (both.len() as u64, alone(0), alone(1)));
        let count = |holds: &dyn Fn(&InvocationRecord, &InvocationRecord) -> bool| {
            both.iter().filter(|(one, other)| holds(one, other)).count() as u64
        };
        let compared = |one: &InvocationRecord, other: &InvocationRecord| match (latency(one), latency(other)) {
            (Some(one), Some(other)) => other.cmp(&one) as i32,
            (one, other) => i32::from(one.is_some()) - i32::from(other.is_some()),
        };
        prop_assert_eq!(all.won, count(&|one, other| compared(one, other) < 0));
        prop_assert_eq!(all.lost, count(&|one, other| compared(one, other) > 0));
        prop_assert_eq!(all.parted, count(&|one, other| parted_at(one, other).is_some()));
        let moved: i128 = both.iter().filter_map(|(one, other)| Some(latency(other)? - latency(one)?)).sum();
        prop_assert!((all.difference_s - moved as f64 / 1e9).abs() < 1e-6, "{} {}", all.difference_s, moved);
        for (side, records) in records.iter().enumerate() {
            let is_cold = |record: &&InvocationRecord| record.start == Some(Start::Cold);
            prop_assert_eq!(all.cold_starts[side], records.values().filter(is_cold).count() as u64);
        }
        let mut dates: Vec<(u64, u64)> =
            both.iter().filter_map(|(one, other)| Some((parted_at(one, other)?, one.invocation))).collect();
        dates.sort_unstable();
        dates.truncate(10);
        let told: Vec<u64> = difference.led_to.iter().map(|parted| parted.invocation).collect();
        prop_assert_eq!(told, dates.iter().map(|(_, invocation)| *invocation).collect::<Vec<_>>());
        let of_functions: u64 = difference.functions.iter().map(|of| of.invocations.won).sum();
        prop_assert_eq!(of_functions, all.won);
        hold_sums(&difference, &both);
        // Nothing becomes of an invocation before a decision is another one, or one where answers bind and the other where they hold for
        // a round. Of one that is tried again the dates are those of the attempt that counts, which may have come before.
        let has_attempts = !first["recovery"].is_null();
        let rules_differ = other.0 == "node_allocation";
        let first_parted = dates.first().map(|(date, _)| *date).filter(|_| !has_attempts && !rules_differ);
        if let Some(date) = first_parted {
            let decided = difference.parted.as_ref().map(|parted| {
                let dates = [&parted.first, &parted.second].into_iter().flatten().map(|decision| decision.date_ns);
                dates.min().unwrap_or_default()
            });
            prop_assert!(decided.is_some_and(|decided| decided <= date), "{:?} before {:?}", date, difference.parted);
        }
    }

    #[test]
    fn a_run_does_not_differ_from_itself(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let Some(difference) = difference(&scenario, &scenario) else { return Ok(()) };
        prop_assert!(difference.is_nothing(), "{:?}", difference);
        prop_assert_eq!(difference.first.calls, difference.second.calls);
    }
}
