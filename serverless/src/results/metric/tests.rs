//! Every number has a definition, and every definition a number.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::experiment::Experiment;
use crate::policy::Catalog;
use crate::results::Summary;
use crate::scenario::{ProcessorSharingName, Scenario};

/// Summaries of the examples; those of workflows, with processors that are shared, of instances and of pools of nodes have all that a summary may have.
fn summaries() -> Vec<Value> {
    let summary = |name: &str| {
        let file = format!("{}/../examples/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let mut scenario = Scenario::read(file.as_ref(), &[]).unwrap();
        if name == "workflows" {
            scenario.service.processors = ProcessorSharingName::Shared;
        }
        if let Some(instances) = &mut scenario.service.instances {
            instances.start_failure = Some(serde_json::from_str(r#"{"chance": 0.1}"#).unwrap());
            instances.paused = Some(serde_json::from_str("{}").unwrap());
            let snapshot = r#"{"phases": ["runtime"], "restore": {"constant": 0.1}}"#;
            let pods = r#"{"name": "small", "ram": "512MB", "ready": 1}"#;
            scenario.service.pods = vec![serde_json::from_str(pods).unwrap()];
            instances.snapshot = Some(serde_json::from_str(snapshot).unwrap());
        }
        let mut results =
            Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
        results.skipped_rows = 3;
        serde_json::to_value(Summary::new(&results)).unwrap()
    };
    ["quickstart", "workflows", "instances", "node-pools"].map(summary).to_vec()
}

/// The paths of all numbers.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            paths(value, &path, found);
        }),
        Value::Number(_) => {
            found.insert(path.to_owned());
        }
        Value::Array(_) => panic!("{path}: a summary has no lists"),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn every_number_of_a_summary_has_a_definition_and_every_definition_a_number() {
    let mut found = BTreeSet::new();
    summaries().iter().for_each(|summary| paths(summary, "", &mut found));
    // What was set is no result.
    assert!(found.remove("seed"));
    let path = |definition: &Definition, part: &Part| match part {
        Part::Itself => definition.path.to_owned(),
        part => format!("{}.{}", definition.path, part.name()),
    };
    let defined: BTreeSet<String> = DEFINITIONS
        .iter()
        .flat_map(|definition| definition.shape.parts().iter().map(move |part| path(definition, part)))
        .collect();
    assert_eq!(found.difference(&defined).collect::<Vec<_>>(), [""; 0], "without a definition");
    assert_eq!(defined.difference(&found).collect::<Vec<_>>(), [""; 0], "in no summary");
}

#[test]
fn numbers_are_read_where_they_stand() {
    for summary in summaries() {
        let numbers = Numbers::read(&summary);
        for metric in Metric::all() {
            let pointer = format!("/{}/{}", metric.definition.path.replace('.', "/"), metric.part.name());
            let written = summary.pointer(pointer.trim_end_matches('/')).and_then(Value::as_f64);
            if let Some(number) = numbers.get(&metric.name) {
                assert_eq!(Some(number), written, "{}", metric.name);
            } else {
                assert!(written.is_none_or(|number| number == 0.0), "{}", metric.name);
            }
        }
        assert!(numbers.iter().count() > 60);
    }
}

#[test]
fn a_summary_is_read_again_as_it_was_written() {
    for written in summaries() {
        let read: Summary = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        assert_eq!(Numbers::of(&read), Numbers::read(&written));
    }
    // One of a Hearth that knew less.
    let old: Summary = serde_json::from_str(r#"{"seed": 3, "latency": {"count": 1, "mean": 0.5}}"#).unwrap();
    assert_eq!((old.seed, old.latency.mean, old.cost), (3, 0.5, None));
}

#[test]
fn names_are_one_word_for_programs_and_differ() {
    let names: Vec<String> = DEFINITIONS.iter().flat_map(Definition::metrics).map(|metric| metric.name).collect();
    for name in &names {
        assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'));
    }
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(Metric::all().count(), names.len());
}
