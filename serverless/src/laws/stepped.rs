//! A simulation that is stopped, looked at and gone on with is the one that runs through; what is shown of it is what a recount gives, of
//! calls what the log of decisions has.

use std::collections::BTreeMap;
use std::rc::Rc;

use hearth_policy_api::*;
use hearth_simcore::time::{SimDuration, SimTime};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::*;
use super::decisions::{Kept, of_all_kinds, prepare};
use super::instances::instances;
use super::latecomers::{own, read, set};
use super::scenarios::*;
use crate::decisions::{CallView, Decision, Views, all, one};
use crate::experiment::{Condition, ContainerState, Debugged, Experiment, NodeCondition, Quantity, Stop, Until};
use crate::invocation::Outcome;
use crate::policy::Catalog;
use crate::results::Summary;
use crate::scenario::Scenario;

/// What is done with a simulation between two looks.
pub(super) fn steps() -> impl Strategy<Value = Vec<(u8, u32)>> {
    proptest::collection::vec((0..6_u8, 1..60_u32), 0..25)
}

/// Goes on in one of all ways, by about as much.
pub(super) fn go_on(debugged: &mut Debugged, (way, amount): (u8, u32)) -> Stop {
    let until = match way {
        0 => Until::Events(u64::from(amount)),
        1 => Until::Decision,
        2 => Until::NextDate,
        3 => Until::Date(debugged.now() + SimDuration::from_secs_f64(f64::from(amount) / 4.0)),
        4 => Until::Condition(Condition::parse("cold start or eviction or latency > 2s", debugged.about()).unwrap()),
        _ => Until::Condition(Condition::parse("queue > 1 or policy answered Wait", debugged.about()).unwrap()),
    };
    debugged.run(&until, &[], || false)
}

/// What is shown is what there is.
fn look(debugged: &mut Debugged) -> Result<(), TestCaseError> {
    let (nodes, attempts) = (debugged.nodes(), debugged.attempts());
    let now = debugged.now();
    let waiting = attempts.iter().filter(|attempt| attempt.waits).count() as u64;
    prop_assert_eq!(waiting, debugged.measure(Quantity::Queue));
    let mut placed: BTreeMap<(u32, u32), Vec<u64>> = BTreeMap::new();
    for attempt in &attempts {
        if let (Some(node), Some(container)) = (attempt.record.node, attempt.container) {
            placed.entry((node, container)).or_default().push(attempt.record.invocation);
        }
    }
    placed.values_mut().for_each(|invocations| invocations.sort_unstable());
    prop_assert_eq!(placed.values().map(Vec::len).sum::<usize>() as u64, debugged.measure(Quantity::Running));
    let (mut containers, mut idle) = (0, 0);
    for node in &nodes {
        let held: u64 = node.containers.iter().map(|container| container.ram).sum();
        prop_assert!(node.free_ram + held <= node.ram && node.free_disk <= node.disk, "{:?}", node);
        prop_assert!(node.condition != NodeCondition::Down || node.running == 0, "{:?}", node);
        for container in &node.containers {
            let holders = placed.remove(&(container.node, container.container)).unwrap_or_default();
            prop_assert_eq!(&container.invocations, &holders);
            let is_used = matches!(container.state, ContainerState::Busy | ContainerState::Starting);
            prop_assert_eq!(is_used, !holders.is_empty());
            prop_assert!(container.created <= container.since && container.since <= now);
            prop_assert!(container.expires.is_none_or(|date| date >= container.since));
            containers += 1;
            idle += u64::from(container.state == ContainerState::Idle);
        }
        let again = debugged.node(node.node);
        prop_assert_eq!(again.as_ref(), Some(node));
    }
    prop_assert!(placed.is_empty(), "in no container: {:?}", placed);
    let free = nodes.iter().filter(|node| node.condition == NodeCondition::Up);
    let free = free.map(|node| u64::from(node.cores) - u64::from(node.running) - u64::from(node.promised));
    prop_assert_eq!(free.sum::<u64>(), debugged.measure(Quantity::FreeCores));
    prop_assert_eq!((containers, idle), (debugged.measure(Quantity::Containers), debugged.measure(Quantity::Idle)));
    let up = nodes.iter().filter(|node| node.condition == NodeCondition::Up).count() as u64;
    prop_assert_eq!(up, debugged.measure(Quantity::NodesUp));
    let ended = debugged.ended();
    prop_assert_eq!(ended.len() as u64, debugged.measure(Quantity::Ended));
    for attempt in &attempts {
        prop_assert!(attempt.record.requested_at.is_some_and(|date| date <= now));
        let shown = debugged.invocation(attempt.record.invocation);
        prop_assert!(shown.is_some_and(|shown| shown.attempts.contains(attempt)));
        let must_wait = attempt.record.dispatched_at.is_none() && attempt.record.finished_at.is_none();
        prop_assert_eq!(must_wait, attempt.waits_for.is_some(), "{:?}", attempt);
    }
    let so_far = debugged.results_so_far();
    prop_assert_eq!(so_far.metrics.invocations(), ended.len() as u64);
    let completed: Vec<f64> = ended
        .iter()
        .filter(|record| record.outcome == Outcome::Completed)
        .filter_map(|record| Some(record.finished_at?.since(record.requested_at?).as_secs_f64()))
        .collect();
    let mean = completed.iter().sum::<f64>() / completed.len().max(1) as f64;
    prop_assert!((so_far.metrics.latency.mean() - mean).abs() < 1e-6 * (1.0 + mean));
    let dates: Vec<SimTime> = debugged.upcoming(usize::MAX).iter().filter_map(|one| one.date).collect();
    prop_assert!(
        dates.is_sorted() && dates.iter().all(|date| *date >= now || debugged.is_over()),
        "{:?} at {}",
        dates,
        now
    );
    Ok(())
}

pub(super) fn with_everything(
    scenario: Value,
    faults: Option<(Value, Value)>,
    workflow: Option<Value>,
    served: Option<Value>,
) -> Value {
    let mut scenario = with_costs(scenario);
    if let Some((faults, recovery)) = faults {
        (scenario["faults"], scenario["recovery"]) = (faults, recovery);
    }
    if let Some(workflow) = workflow {
        let invocations = scenario["workload"]["invocations"].as_array_mut().unwrap();
        for invocation in invocations.iter_mut().filter(|invocation| invocation["after"].is_null()).take(4) {
            *invocation = json!({"at": invocation["at"], "workflow": "w"});
        }
        scenario["workflows"] = json!([workflow]);
    }
    if let Some(served) = served {
        scenario["functions"][0]["instances"] = served;
        scenario["policies"]["autoscaling"] = json!({"use": "concurrency"});
    }
    scenario
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn however_it_is_stepped_and_looked_at_the_same_comes_of_it(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        workflow in prop::option::weighted(0.3, workflow()),
        served in prop::option::weighted(0.3, instances()),
        steps in steps(),
    ) {
        let scenario = with_everything(scenario, faults, workflow, served);
        let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let catalog = Catalog::new(hearth_plugins::BUILT_IN);
        let (Ok(undisturbed), Ok(mut debugged)) =
            (Experiment::prepare(&scenario, &catalog), Debugged::prepare(&scenario, &catalog))
        else {
            return Ok(());
        };
        let (expected, expected_stop) = undisturbed.run_until_stopped();
        for step in steps {
            let stop = go_on(&mut debugged, step);
            look(&mut debugged)?;
            if step.0 == 2 && stop == Stop::Reached {
                let (next, now) = (debugged.upcoming(usize::MAX), debugged.now());
                let at_once = next.iter().find(|event| event.date == Some(now) && !event.in_background);
                prop_assert!(at_once.is_none(), "{:?} is left at {}", at_once, now);
            }
            prop_assert_eq!(matches!(stop, Stop::Ended | Stop::Failed), debugged.is_over() && stop != Stop::Reached);
        }
        let all_have_ended = expected.stall.is_none() && expected.metrics.outcome(Outcome::Unfinished) == 0;
        if debugged.is_over() && all_have_ended && debugged.failure().is_none() {
            // Of workflows, instances and nodes some is counted as the books are closed.
            let (so_far, end) = (Summary::new(&debugged.results_so_far()), Summary::new(&expected));
            prop_assert_eq!(so_far.latency, end.latency);
            prop_assert_eq!((so_far.cost, so_far.cold_starts, so_far.outcomes), (end.cost, end.cold_starts, end.outcomes));
        }
        if debugged.is_over() && debugged.failure().is_none() {
            let metrics = &expected.metrics;
            let counts = [Quantity::ColdStarts, Quantity::WarmStarts].map(|of| debugged.measure(of));
            prop_assert_eq!(counts, [metrics.cold_starts, metrics.warm_starts]);
            // Those that follow who never ends are never requested.
            let requests = debugged.measure(Quantity::Requests);
            prop_assert!(requests <= metrics.invocations() && (!all_have_ended || requests == metrics.invocations()));
        }
        let (results, stop) = debugged.finish();
        prop_assert_eq!(stop.map(|error| error.to_string()), expected_stop.map(|error| error.to_string()));
        prop_assert_eq!(files_of(&results), files_of(&expected));
        prop_assert_eq!((results.events, results.ended_at), (expected.events, expected.ended_at));
    }
}

/// Whether the debugger shows a call of the log: one that answers something, or asks for something, after instances were made.
fn decides(logged: &Decision) -> bool {
    let may_be_null = ["rank", "source"].contains(&logged.method.as_ref());
    let is_making = ["new", "rules"].contains(&logged.method.as_ref());
    !is_making && (may_be_null || !logged.answer.is_null() || !logged.orders.is_empty())
}

/// A set of nodes, as the log has it: `0-3,7`.
fn set_of(text: &str) -> Vec<u32> {
    let spans = text.split(',').filter(|span| !span.is_empty()).map(|span| {
        let (first, last) = span.split_once('-').unwrap_or((span, span));
        first.parse::<u32>().unwrap()..=last.parse().unwrap()
    });
    spans.flatten().collect()
}

/// What is kept of what a call shows is what stands in the log in full.
fn compare_view(view: &CallView, logged: &Decision) -> Result<(), TestCaseError> {
    let seen: Value = serde_json::from_str(logged.seen.as_ref().unwrap().get()).unwrap();
    let within = ["need", "view", "cluster"].map(|part| &seen[part]);
    let named = |name: &str| [&seen].into_iter().chain(within).map(|part| &part[name]).find(|value| !value.is_null());
    let records = |name: &str| named(name).and_then(Value::as_object);
    let request = seen["request"].as_object().map(|request| one::<RequestView>(request).unwrap());
    prop_assert_eq!(&view.request, &request);
    if logged.method != "scale_pool" {
        let nodes = records("nodes").map(|nodes| all::<NodeView>(nodes).unwrap());
        prop_assert_eq!(&view.nodes, &nodes.unwrap_or_default());
    }
    let queue = records("queue").or(records("heads")).map(|queue| all::<RequestView>(queue).unwrap());
    prop_assert_eq!(&view.queue, &queue.unwrap_or_default());
    for (name, set) in &view.sets {
        let expected = named(name).and_then(Value::as_str).map(set_of);
        prop_assert_eq!(Some(set), expected.as_ref(), "{} of {}", name, logged);
    }
    let sets = [
        "up",
        "free_core",
        "idle_container",
        "image_in_ram",
        "image_loading",
        "image_on_disk",
        "image_copying",
        "holders",
    ];
    prop_assert_eq!(view.sets.len(), sets.iter().filter(|name| named(name).is_some()).count(), "sets of {}", logged);
    for (name, number) in view.numbers.iter().chain(&view.times).chain(&view.sizes) {
        // How many instances an autoscaler wanted last is none before it was asked; what is counted of a pool is not in the log.
        let is_counted = logged.method == "scale_pool" && ["on", "pending"].contains(name);
        let expected = named(name).and_then(Value::as_u64).unwrap_or(u64::from(u32::MAX));
        prop_assert!(is_counted || *number == expected, "{} of {}: {} and {}", name, logged, number, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn what_is_shown_of_calls_is_what_the_log_of_decisions_has(
        scenario in of_all_kinds(),
        looks in proptest::collection::vec(1..200_u64, 0..8),
    ) {
        // One of them is made before the other one cannot be.
        let refused = set(&set(&scenario, "admission", json!({"use": "few"})), "keep_alive", json!({"use": "broken"}));
        let (scenario, refused, catalog) = (read(&scenario), read(&refused), own(&Rc::default(), &Rc::default()));
        let kept = Kept::default();
        let Some(logged) = prepare(&scenario, &catalog, Views::Full) else { return Ok(()) };
        drop(logged.decide_into(Box::new(kept.clone())).unwrap().run_until_stopped());
        let log = kept.0.take();
        let mut debugged = Debugged::prepare(&scenario, &catalog).unwrap();
        let mut shown: Vec<Decision> = debugged.happened().calls;
        let mut looks = looks.into_iter();
        let mut until_look = looks.next();
        while debugged.run(&Until::Events(1), &[], || false) == Stop::Reached {
            shown.extend(debugged.happened().calls);
            until_look = until_look.map(|events| events - 1);
            if until_look == Some(0) {
                until_look = looks.next();
                for slot in PolicySlot::ALL {
                    let last = debugged.last_call(slot);
                    let number = shown.iter().rfind(|decision| decision.slot == slot).map(|decision| decision.number);
                    prop_assert_eq!(last.as_ref().map(|(decision, _)| decision.number), number);
                    if let Some((decision, view)) = last {
                        compare_view(&view, &log[decision.number as usize - 1])?;
                    }
                }
                prop_assert!(debugged.replace(&refused).is_err());
            }
        }
        shown.extend(debugged.happened().calls);
        let told = |decision: &Decision| {
            let Decision { number, date_ns, slot, storage, about, .. } = decision;
            let call = (*number, *date_ns, *slot, *storage, decision.method.clone(), *about);
            (call, decision.answer.clone(), decision.orders.clone(), decision.failed.clone())
        };
        let expected: Vec<_> = log.iter().filter(|logged| decides(logged)).map(told).collect();
        prop_assert_eq!(shown.iter().map(told).collect::<Vec<_>>(), expected);
        let untold = shown.iter().find(|decision| decision.told().is_none() && decision.orders.is_empty());
        prop_assert!(untold.is_none(), "{:?}", untold);
    }
}
