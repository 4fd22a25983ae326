//! Decisions: nothing else comes of a run in which they are noted; a policy that is called again as its log says gives the same answers;
//! the hash of a view is that of the view; and one answer that is another one is found.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::rc::Rc;

use hearth_policy_api::boundary::KeepAliveObject;
use hearth_policy_api::{Completion, KeepAlive, KeepAliveRules, PolicyDescriptor, PolicyKind, PolicySlot, Retention};
use hearth_policy_toolbox::KeepAliveFeatures;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::{Buffer, files_of};
use super::instances::instances;
use super::scenarios::{faults, scenario, workflow};
use crate::decisions::{
    Decision, DecisionLog, DecisionSink, DecisionWriter, Held, Observation, Views, WrittenAs, hash_of,
};
use crate::experiment::Experiment;
use crate::policy::{Catalog, Factory, OwnPolicies, PolicyChoice, Replay, Replayed};
use crate::scenario::Scenario;

/// Keeps decisions.
#[derive(Clone, Default)]
pub(super) struct Kept(pub Rc<RefCell<Vec<Decision>>>);

impl DecisionSink for Kept {
    fn write(&mut self, decision: &Decision) -> std::io::Result<()> {
        self.0.borrow_mut().push(decision.clone());
        Ok(())
    }
}

pub(super) fn built_in() -> Catalog {
    Catalog::new(hearth_plugins::BUILT_IN)
}

pub(super) fn read(scenario: &Value) -> Scenario {
    Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn prepare(scenario: &Scenario, catalog: &Catalog, views: Views) -> Option<Experiment> {
    let observation = Observation { decisions: Some(views), ..Observation::default() };
    Experiment::prepare_observed(scenario, catalog, &observation).ok()
}

/// The text of the log of a run that is written in full, and the files of its results; none where no node could run a function.
fn logged(scenario: &Scenario, catalog: &Catalog) -> Option<(String, [String; 4])> {
    let text = Buffer::default();
    let writer = DecisionWriter::new(Box::new(text.clone()), WrittenAs::Text);
    let experiment = prepare(scenario, catalog, Views::Full)?.decide_into(Box::new(writer)).unwrap();
    let (results, _) = experiment.run_until_stopped();
    Some((text.text(), files_of(&results)))
}

fn log(text: &str) -> DecisionLog {
    DecisionLog::new(Box::new(Cursor::new(text.to_owned().into_bytes()))).unwrap()
}

/// Calls policies of a log again.
fn replay(text: &str, catalog: &Catalog, of: impl Fn(PolicySlot) -> bool) -> BTreeMap<PolicySlot, Replayed> {
    let header = log(text).header().clone();
    let replay = |slot: PolicySlot, name: &str| {
        let replay = Replay { policy: PolicyChoice::named(name), slot: Some(slot) };
        replay.run(catalog, log(text)).unwrap_or_else(|error| panic!("{}: {error}", slot.path()))
    };
    let policies = header.policies.iter().filter(|logged| of(logged.slot));
    policies.map(|logged| (logged.slot, replay(logged.slot, &logged.name))).collect()
}

/// Scenarios with faults or without, with policies of all kinds, and what these need.
pub(super) fn of_all_kinds() -> impl Strategy<Value = Value> {
    let parts = (scenario(), prop::option::of(faults()), 0..12_u8, instances(), workflow());
    parts.prop_map(|(mut scenario, faults, which, instances, workflow)| {
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        with_other_policies(&mut scenario, which, &instances, &workflow);
        scenario
    })
}

/// The scenario with other policies, and what these need.
fn with_other_policies(scenario: &mut Value, which: u8, instances: &Value, workflow: &Value) {
    match which {
        0 => scenario["policies"]["node_allocation"] = json!({"use": "hedged-requests", "parameters": {"factor": 1}}),
        1 => scenario["policies"]["keep_alive"] = json!({"use": "provisioned-concurrency", "parameters": {"count": 1}}),
        2 => {
            for slot in ["node_allocation", "keep_alive"] {
                scenario["policies"][slot] = Value::Null;
            }
            scenario["policies"]["controller"] = json!({"use": "knative-autoscaler"});
        }
        3..=6 => {
            let policy = ["concurrency", "lambda", "kpa", "none"][usize::from(which - 3)];
            scenario["service"]["instances"] = instances.clone();
            scenario["service"]["control_plane"] = Value::Null;
            scenario["policies"]["autoscaling"] = json!({"use": policy});
        }
        7 => {
            scenario["service"]["node_pools"] =
                json!([{"name": "all", "nodes": ["node-*"], "min": 0, "initial": 1, "boot": {"constant": 3}}]);
            scenario["policies"]["cluster_autoscaling"] =
                json!({"use": "cluster-autoscaler", "parameters": {"period": "2s"}});
            scenario["max_events_without_progress"] = json!(20_000);
        }
        8 => {
            for invocation in scenario["workload"]["invocations"].as_array_mut().unwrap() {
                *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "workflow": "w"});
            }
            scenario["workflows"] = json!([workflow]);
            scenario["policies"]["keep_alive"] = json!({"use": "chain-prewarming"});
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn calls_that_are_made_again_come_to_the_same_and_noting_them_changes_nothing(
        scenario in of_all_kinds(),
    ) {
        let scenario = read(&scenario);
        let Some((text, with)) = logged(&scenario, &built_in()) else { return Ok(()) };
        let (without, _) = Experiment::prepare(&scenario, &built_in()).unwrap().run_until_stopped();
        prop_assert_eq!(&with, &files_of(&without));
        for (slot, replayed) in replay(&text, &built_in(), |_| true) {
            if let Some(difference) = replayed.difference {
                let said = format!("{}: {}\n{} then\n{} now", slot.path(), difference.then, difference.then.answered(), difference.now.answered());
                prop_assert!(false, "{}\n{:?}", said, difference.then.seen);
            }
            prop_assert!(replayed.same >= 1, "it is made");
        }
    }

    #[test]
    fn a_hash_is_that_of_the_view_and_numbers_do_not_depend_on_what_is_noted(
        scenario in of_all_kinds(),
    ) {
        let scenario = read(&scenario);
        let decisions = [Views::Full, Views::Hash, Views::None].map(|views| {
            let kept = Kept::default();
            let experiment = prepare(&scenario, &built_in(), views)?.decide_into(Box::new(kept.clone())).unwrap();
            let nodes = experiment.about().nodes.len();
            drop(experiment.run_until_stopped());
            Some((kept.0.take(), nodes))
        });
        let [Some((full, nodes)), Some((hashes, _)), Some((none, _))] = decisions else { return Ok(()) };
        prop_assert_eq!((full.len(), full.len()), (hashes.len(), none.len()));
        for ((number, full), (hash, none)) in (1..).zip(&full).zip(hashes.iter().zip(&none)) {
            prop_assert_eq!((full.number, hash.number, none.number), (number, number, number));
            prop_assert!(none.seen.is_none());
            let seen = full.seen.as_ref().map(|seen| format!("\"{}\"", hash_of(seen.get().as_bytes())));
            prop_assert_eq!(seen.as_deref(), hash.seen.as_ref().map(|seen| seen.get()));
            let same = |one: &Decision, other: &Decision| {
                let about = |of: &Decision| (of.date_ns, of.slot, of.storage, of.method.clone(), of.about);
                about(one) == about(other) && !one.differs_from(other)
            };
            prop_assert!(same(full, hash), "{:?} {:?}", full, hash);
            prop_assert!(same(full, none), "{:?} {:?}", full, none);
            // What is read again is what was written.
            let held = Held::read(full, nodes).map_err(TestCaseError::fail)?;
            let again = held.lend(|seen| (full.seen.is_some()).then(|| serde_json::to_string(seen).unwrap()));
            // The containers that were asked for are not asked for again.
            let shown = full.seen.as_ref().map(|seen| seen.get().to_owned());
            if shown.as_ref().is_none_or(|shown| !shown.contains("\"containers\":{")) {
                prop_assert_eq!(again, shown);
            }
        }
    }
}

/// Keeps containers for a minute, but at one call.
struct OnceOtherwise {
    at: Option<u64>,
    calls: u64,
}

impl KeepAlive for OnceOtherwise {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { sees_history: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
        self.calls += 1;
        Retention { keep_for: if self.at == Some(self.calls) { 7 } else { 60_000_000_000 } }
    }
}

fn once_otherwise(at: Option<u64>) -> Catalog {
    let policy = Factory::<KeepAliveObject>::in_place("mine", move |_| OnceOtherwise { at, calls: 0 });
    built_in().with_own(OwnPolicies { keep_alive: vec![policy], ..OwnPolicies::default() })
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn one_answer_that_is_another_one_is_found_at_its_call(scenario in scenario(), at in any::<prop::sample::Index>()) {
        let mut scenario = scenario;
        scenario["policies"]["keep_alive"] = json!({"use": "mine"});
        let Some((text, _)) = logged(&read(&scenario), &once_otherwise(None)) else { return Ok(()) };
        let asked: Vec<Decision> =
            log(&text).map(Result::unwrap).filter(|decision| decision.method == "on_idle").collect();
        if asked.is_empty() {
            return Ok(());
        }
        let at = at.index(asked.len());
        let replay = Replay { policy: PolicyChoice::named("mine"), slot: Some(PolicySlot::KeepAlive) };
        let difference = replay.run(&once_otherwise(Some(at as u64 + 1)), log(&text)).unwrap().difference.unwrap();
        prop_assert_eq!(difference.then.number, asked[at].number);
        prop_assert_eq!(difference.now.answer, json!({"keep_for": 7}));
        prop_assert_eq!(difference.then.answer, json!({"keep_for": 60_000_000_000_u64}));
    }
}

/// A small service under pressure, in which every slot is asked.
fn pressed(folder: &std::path::Path) -> Value {
    let body = json!([{"sleep": 1.5}]);
    let function = |number: u32| {
        json!({"name": format!("f{number}"), "image": format!("i{number}"), "ram_limit": "1GB", "disk_limit": "100MB",
               "body": body, "deadline": "20s"})
    };
    let host = |name: &str, count: Value, ram: &str, disk: &str| {
        json!({"name": name, "count": count, "cores": 2, "speed": "10Gf", "ram": ram,
               "disk": {"capacity": disk, "read_bandwidth": "500MBps", "write_bandwidth": "300MBps"}})
    };
    let image = |number: u32| json!({"name": format!("i{number}"), "size": "900MB", "ram_footprint": "900MB"});
    let invocations: Vec<Value> = (0..30_u32)
        .map(|number| json!({"at": f64::from(number) * 1.7, "function": format!("f{}", number * 7 % 5)}))
        .collect();
    std::fs::write(folder.join("requests.csv"), "5,1\n50,2\n").unwrap();
    json!({
        "format": "hearth-scenario/1", "horizon": 10_000,
        "platform": {
            "hosts": [host("user", Value::Null, "0B", "1TB"), host("head", Value::Null, "0B", "3GB"), host("node", json!(2), "4GB", "3GB")],
            "links": [{"name": "wan", "bandwidth": "1GBps", "latency": "1ms"}],
            "routes": [{"from": "user", "to": "head", "links": ["wan"]}, {"from": "head", "to": "node-*", "links": ["wan"]},
                       {"from": "user", "to": "node-*", "links": ["wan"]}, {"from": "node-*", "to": "node-*", "links": ["wan"]}],
        },
        "service": {"head": "head", "registry": "user", "nodes": ["node-*"], "container_startup_overhead": 0.5},
        "images": (0..5).map(image).collect::<Vec<_>>(), "functions": (0..5).map(function).collect::<Vec<_>>(),
        "workload": {"invocations": invocations}, "policies": {},
    })
}

/// The parameters without which a policy cannot be made.
fn needed_parameters(policy: &PolicyDescriptor, folder: &std::path::Path) -> Value {
    match policy.name() {
        "belady" => json!({"requests": folder.join("requests.csv")}),
        "learned" => {
            let layers = json!([{"weights": [vec![0.0; KeepAliveFeatures::NAMES.len()], vec![0.1; KeepAliveFeatures::NAMES.len()]],
                        "biases": [0.5, 0.0], "activation": "none"}]);
            let network = json!({"format": "hearth-network/1", "decides": "keep_for_s", "features": KeepAliveFeatures::NAMES,
                                 "actions": [60, 10], "layers": layers});
            let path = folder.join("network.json");
            std::fs::write(&path, network.to_string()).unwrap();
            json!({"network": path})
        }
        "provisioned-concurrency" => json!({"count": 1}),
        _ => json!({}),
    }
}

#[test]
fn every_built_in_policy_answers_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut asked: BTreeSet<(&str, &str)> = BTreeSet::new();
    for policy in hearth_plugins::BUILT_IN {
        for kind in policy.kinds() {
            let slots: Vec<PolicySlot> = PolicySlot::ALL.into_iter().filter(|slot| slot.kind() == kind).collect();
            let mut scenario = pressed(folder.path());
            let chosen = json!({"use": policy.name(), "parameters": needed_parameters(policy, folder.path())});
            match kind {
                PolicyKind::Eviction => {
                    let images = if policy.name() == "belady" { json!({"use": "lru"}) } else { chosen.clone() };
                    scenario["policies"]["eviction"] = json!({"containers": chosen, "images_in_ram": images,
                        "images_on_disk": images, "images_on_head": images});
                }
                PolicyKind::Autoscaling => {
                    scenario["service"]["instances"] = json!({"concurrency": 1});
                    scenario["policies"]["autoscaling"] = chosen.clone();
                    if policy.name() == "cluster-autoscaler" {
                        scenario["policies"]["autoscaling"] = json!({"use": "concurrency"});
                        scenario["policies"]["cluster_autoscaling"] = chosen;
                        scenario["service"]["node_pools"] =
                            json!([{"name": "all", "nodes": ["node-*"], "min": 1, "boot": {"constant": 3}}]);
                    }
                }
                _ => scenario["policies"][slots[0].path()] = chosen,
            }
            let (text, _) = logged(&read(&scenario), &built_in()).unwrap_or_else(|| panic!("{}", policy.name()));
            for (slot, replayed) in replay(&text, &built_in(), |slot| slots.contains(&slot)) {
                if let Some(difference) = replayed.difference {
                    panic!("{} in {}: {}", policy.name(), slot.path(), difference.then);
                }
            }
            let answers = log(&text).map(Result::unwrap).filter(|decision| slots.contains(&decision.slot));
            if answers.filter(|decision| !decision.answer.is_null() && decision.method != "rules").count() > 0 {
                asked.insert((policy.name(), slots[0].path()));
            }
        }
    }
    let all: usize = hearth_plugins::BUILT_IN.iter().map(|policy| policy.kinds().count()).sum();
    // `always` lets everybody in and need not be asked.
    let silent: Vec<_> = hearth_plugins::BUILT_IN
        .iter()
        .flat_map(|policy| policy.kinds().map(|kind| (policy.name(), kind)))
        .filter(|(name, kind)| {
            !asked.iter().any(|(of, slot)| {
                of == name && PolicySlot::ALL.iter().any(|it| it.kind() == *kind && it.path() == *slot)
            })
        })
        .collect();
    assert_eq!(silent, [("always", PolicyKind::Admission)], "of {all}");
}
