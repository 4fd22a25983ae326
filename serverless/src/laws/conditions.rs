//! A condition holds after an event where a recount of what is shown says so.

use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::PolicySlot;
use proptest::prelude::*;

use super::cases;
use super::latecomers::read;
use super::scenarios::*;
use super::stepped::with_everything;
use crate::experiment::{Condition, Debugged, InspectedInvocation, NodeCondition, Stop, Until};
use crate::invocation::{InvocationRecord, Outcome, Start};
use crate::policy::Catalog;

/// What has been seen before the event, and in it.
struct Recount {
    /// The functions of containers that were there before it, by node and number.
    functions: BTreeMap<(u32, u32), u32>,
    /// Starts before it: the invocation, its attempt, whether it is a cold one, and the function.
    started: BTreeSet<(u64, u32, bool, u32)>,
    /// Those in it.
    starting: Vec<(bool, u32)>,
    evicted: Vec<(u32, u32)>,
}

impl Recount {
    fn begin() -> Self {
        Self { functions: BTreeMap::new(), started: BTreeSet::new(), starting: Vec::new(), evicted: Vec::new() }
    }

    /// Another event has happened.
    fn next(&mut self, debugged: &mut Debugged) {
        let chosen = debugged.happened().calls.into_iter().filter(|call| call.slot == PolicySlot::Containers);
        let of_call = |call: crate::decisions::Decision| {
            let (node, told) = (call.storage.unwrap(), call.told());
            told.into_iter().flat_map(|told| told.items).map(move |container| (node, container))
        };
        let victims: Vec<(u32, u32)> = chosen.flat_map(of_call).collect();
        self.evicted = victims.into_iter().filter_map(|of| Some((*self.functions.get(&of)?, of.0))).collect();
        let containers = debugged.nodes().into_iter().flat_map(|node| node.containers);
        self.functions = containers.map(|of| ((of.node, of.container), of.function)).collect();
        let begun: Vec<_> = debugged
            .attempts()
            .into_iter()
            .filter_map(|of| Some((of.record.start?, of)))
            .map(|(start, of)| (of.record.invocation, of.attempt, start == Start::Cold, of.record.function.number()))
            .collect();
        self.starting.clear();
        for one in begun {
            if self.started.insert(one) {
                self.starting.push((one.2, one.3));
            }
        }
    }
}

/// How far an invocation has come.
fn has_come_to(shown: Option<&InspectedInvocation>, milestone: &str) -> bool {
    let date = |record: &InvocationRecord| match milestone {
        "requested" => record.requested_at,
        "submitted" => record.submitted_at,
        "dispatched" => record.dispatched_at,
        _ => record.started_at,
    };
    match shown {
        None => false,
        Some(InspectedInvocation { ended: Some(record), .. }) => milestone == "ended" || date(record).is_some(),
        Some(InspectedInvocation { attempts, .. }) => {
            milestone != "ended" && attempts.first().is_some_and(|attempt| date(&attempt.record).is_some())
        }
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_condition_holds_where_a_recount_says_so(
        scenario in scenario(), faults in prop::option::of(faults()), latency in 0..8_u64, invocation in 0..6_u64,
    ) {
        let mut scenario = with_everything(scenario, faults, None, None);
        if let Some(recovery) = scenario["recovery"].as_object_mut() {
            // An attempt beside another one may begin and end within one event.
            recovery.remove("hedge");
        }
        let scenario = read(&scenario);
        let Ok(mut debugged) = Debugged::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)) else { return Ok(()) };
        let about = debugged.about().clone();
        let functions: Vec<(u32, &str)> = (0..).zip(about.functions.iter().map(String::as_str)).collect();
        let parsed = |text: &str| Condition::parse(text, &about).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut recount = Recount::begin();
        for _ in 0..150 {
            if debugged.run(&Until::Events(1), &[], || false) != Stop::Reached {
                break;
            }
            recount.next(&mut debugged);
            let mut expected: Vec<(String, bool)> = Vec::new();
            let ended = debugged.happened().ended.to_vec();
            let completed = |record: &InvocationRecord| record.outcome == Outcome::Completed;
            let took = |record: &InvocationRecord| record.finished_at.unwrap() - record.requested_at.unwrap();
            let is_slow = |record: &InvocationRecord| record.finished_at.is_some() && took(record).as_nanos() >= latency * 250_000_000;
            let slow = format!("latency >= {}ms", latency * 250);
            expected.push((slow.clone(), ended.iter().any(is_slow)));
            for (number, name) in &functions {
                let of = |record: &&InvocationRecord| record.function.number() == *number;
                expected.push((format!("{slow} of {name}"), ended.iter().filter(of).any(is_slow)));
                expected.push((format!("completed of {name}"), ended.iter().filter(of).any(completed)));
                for (what, is_cold) in [("cold", true), ("warm", false)] {
                    let starts = recount.starting.iter().filter(|(of, _)| *of == is_cold);
                    expected.push((format!("{what} start"), starts.clone().count() > 0));
                    expected.push((format!("{what} start of {name}"), starts.clone().any(|(_, of)| of == number)));
                }
                for (node, at) in (0..).zip(&about.nodes) {
                    let goes = recount.evicted.contains(&(*number, node));
                    expected.push((format!("eviction of {name} on {at}"), goes));
                }
                expected.push((format!("eviction of {name}"), recount.evicted.iter().any(|(of, _)| of == number)));
            }
            for outcome in [Outcome::Failed, Outcome::TimedOut, Outcome::Lost, Outcome::Rejected] {
                expected.push((outcome.as_str().to_owned(), ended.iter().any(|record| record.outcome == outcome)));
            }
            for node in debugged.nodes() {
                for condition in [NodeCondition::Up, NodeCondition::Down, NodeCondition::Draining] {
                    expected.push((format!("node {} {}", node.name, condition.as_str()), node.condition == condition));
                }
            }
            let shown = debugged.invocation(invocation);
            for milestone in ["requested", "submitted", "dispatched", "started", "ended"] {
                expected.push((format!("invocation {invocation} {milestone}"), has_come_to(shown.as_ref(), milestone)));
            }
            let calls = debugged.happened().calls;
            let answers = |word: &str, slot: Option<PolicySlot>| {
                let mut calls = calls.iter().filter(|call| slot.is_none_or(|slot| slot == call.slot));
                calls.any(|call| call.told().is_some_and(|told| told.word == word))
            };
            expected.push(("policy answered wait".to_owned(), answers("Wait", None)));
            expected.push(("policy answered Reject".to_owned(), answers("Reject", None)));
            expected.push(("policy admission answered Reject".to_owned(), answers("Reject", Some(PolicySlot::Admission))));
            let of_keep_alive = answers("Node", Some(PolicySlot::KeepAlive));
            expected.push(("policy keep_alive answered Node".to_owned(), of_keep_alive));
            for pair in expected.windows(2) {
                let [(left, is_left), (right, is_right)] = pair else { continue };
                prop_assert_eq!(debugged.holds(&parsed(left)), *is_left, "{} after event {}", left, debugged.events());
                prop_assert_eq!(debugged.holds(&parsed(&format!("{left} or {right}"))), *is_left || *is_right, "{} or {} after event {}", left, right, debugged.events());
                prop_assert_eq!(debugged.holds(&parsed(&format!("{left} and not {right}"))), *is_left && !*is_right, "{} and not {}", left, right);
            }
        }
    }
}
