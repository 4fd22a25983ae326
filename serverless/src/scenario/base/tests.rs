//! Scenarios over platforms: the merge against RFC 7396, and what is refused.

use proptest::prelude::*;
use serde_json::json;

use super::super::{Concurrency, ScenarioText};
use super::*;
use crate::experiment::Experiment;
use crate::policy::Catalog;

fn merged(mut target: Value, patch: Value) -> Value {
    merge(&mut target, &patch);
    target
}

/// Most of the table of appendix A; where both sides are objects of one field of different names, it is of none of the kinds
/// that are replaced.
#[test]
fn merging_is_that_of_the_rfc() {
    let rows = [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "foo"}), json!(null), json!(null)),
        (json!({"a": "foo"}), json!("bar"), json!("bar")),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ];
    for (target, patch, expected) in rows {
        assert_eq!(merged(target.clone(), patch.clone()), expected, "{target} and {patch}");
    }
}

#[test]
fn of_another_kind_nothing_of_the_old_one_is_left() {
    let kpa = json!({"use": "kpa", "parameters": {"tick": "2s", "initial_scale": 0}});
    assert_eq!(
        merged(kpa.clone(), json!({"parameters": {"tick": "1s"}})),
        json!({"use": "kpa", "parameters": {"tick": "1s", "initial_scale": 0}})
    );
    assert_eq!(
        merged(kpa.clone(), json!({"use": "kpa", "parameters": {"tick": "1s"}}))["parameters"]["initial_scale"],
        0
    );
    assert_eq!(merged(kpa.clone(), json!({"use": "lambda"})), json!({"use": "lambda"}));
    assert_eq!(merged(kpa, json!({"library": "mine.so"})), json!({"library": "mine.so"}));
    let time = json!({"lognormal": {"median": 1.1, "sigma": 0.6}});
    assert_eq!(merged(time.clone(), json!({"constant": 2})), json!({"constant": 2}));
    assert_eq!(merged(time, json!({"lognormal": {"median": 2}})), json!({"lognormal": {"median": 2, "sigma": 0.6}}));
    let platform = json!({"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"}], "links": []});
    assert_eq!(merged(platform, json!({"simgrid_xml": "a.xml"})), json!({"simgrid_xml": "a.xml"}));
}

/// What is the least to say.
fn over(base: &str) -> Value {
    json!({
        "format": "hearth-scenario/1",
        "base": base,
        "functions": [{"name": "f", "ram_limit": "128MB", "body": [{"sleep": 1}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}]},
    })
}

/// The same with other sections.
fn with(sections: Value) -> Value {
    let mut scenario = over("knative");
    scenario.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
    scenario
}

fn read_over(sections: Value) -> Result<Scenario, String> {
    let scenario = Scenario::from_json(&with(sections).to_string());
    let scenario = scenario.map_err(|error| error.to_string())?;
    let prepared = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN));
    prepared.map(|_| scenario).map_err(|error| error.to_string())
}

#[test]
fn every_platform_is_valid_with_functions_and_a_workload_alone() {
    for preset in Preset::all() {
        let scenario = Scenario::from_json(&over(&preset.name).to_string()).unwrap();
        assert_eq!(scenario.preset, Some(BaseSection { merged: preset.name.clone() }));
        Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    }
}

#[test]
fn the_scenario_has_the_last_word() {
    let scenario = read_over(json!({
        "service": {"instances": {"concurrency": 10, "removal": null}, "control_plane": {"creation": {"at_once": 3}}},
        "policies": {"autoscaling": {"parameters": {"stable_window": "30s"}}},
    }))
    .unwrap();
    let instances = scenario.service.instances.unwrap();
    assert_eq!((instances.concurrency, instances.removal), (Concurrency(10), None));
    assert_eq!(instances.start.len(), 1, "as on the platform");
    let creation = scenario.service.control_plane.unwrap().creation.unwrap();
    assert_eq!((creation.at_once, creation.time), (3, Some(Distribution::Weibull { scale: 0.387, shape: 1.347 })));
    let parameters = scenario.policies.autoscaling.unwrap().parameters;
    assert_eq!((&parameters["stable_window"], &parameters["tick"]), (&json!("30s"), &json!("2s")));
}

#[test]
fn what_is_wrong_is_said_with_whose_it_is() {
    let rows = [
        (
            json!({"base": "kantive"}),
            "base: there is no platform \"kantive\": expected one of azure-functions, dirigent, google-cloud-functions, knative, lambda, openwhisk, wrench: did you mean \"knative\"?",
        ),
        (json!({"base": 5}), "base: found 5, expected the name of a platform, as in \"knative\""),
        (json!({"base": ["knative"]}), "base: found [\"knative\"], expected the name of a platform, as in \"knative\""),
        (
            json!({"functions": [{"name": "f", "ram_limt": 1}]}),
            "functions[0].ram_limt: unknown field `ram_limt`, expected one of `name`, `application`, `image`, `time_limit`, `disk_limit`, `ram_limit`, `ingress_limit`, `egress_limit`, `container_startup_overhead`, `deadline`, `instances`, `processors`, `body`: did you mean \"ram_limit\"?",
        ),
        (
            json!({"service": {"instances": {"concurrency": 0}}}),
            "service.instances.concurrency: an instance that serves no requests: expected at least 1, or \"unlimited\"",
        ),
        (json!({"service": "fast"}), "service: invalid type: string \"fast\", expected the service: an object"),
        (
            json!({"platform": {"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"}]}}),
            "service: unknown host \"node-*\": the platform has no host of that name (so it is on the platform \"knative\": say it anew in the scenario)",
        ),
        (
            json!({"policies": {"autoscaling": {"use": "lambda", "parameters": {"tick": 1}}}}),
            "policies.autoscaling: autoscaling policy \"lambda\": unknown parameter \"tick\"",
        ),
    ];
    for (changes, expected) in rows {
        let message = read_over(changes.clone()).unwrap_err();
        assert!(message.starts_with(expected), "{changes}\n{message}");
    }
    // Where in the file, if it is in the file.
    let text = "{\"base\": \"knative\",\n\"functions\": [{\"name\": 5}],\n\"workload\": {\"invocations\": []}, \"format\": \"hearth-scenario/1\"}";
    let message = Scenario::from_json(text).unwrap_err().to_string();
    assert_eq!(message, "functions[0].name: invalid type: integer `5`, expected a string (line 2, column 24)");
    let set = ["functions[0].name=f".parse().unwrap(), "seed=early".parse().unwrap()];
    let message = ScenarioText::read_from("text", text.as_bytes()).unwrap().with(&set).unwrap_err().to_string();
    assert_eq!(
        message,
        "seed: invalid type: string \"early\", expected u64: write a whole number that is not negative"
    );
    // `null` takes whole sections out, as if nobody had written them.
    let without = |section: &str| read_over(json!({section: null}));
    assert_eq!(without("service").unwrap_err(), "the scenario: missing field `service`");
    assert_eq!(without("platform").unwrap_err(), "the scenario: missing field `platform`");
    assert!(
        without("policies")
            .unwrap_err()
            .starts_with("policies.autoscaling: functions are served by instances, and nobody says")
    );
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let refused = |text: &str| Scenario::from_json(text).unwrap_err().to_string();
    let text = over("knative").to_string();
    let twice = text.replacen("\"sleep\":1", "\"sleep\":1,\"sleep\":2", 1);
    assert!(
        refused(&twice).starts_with("functions[0].body[0]: duplicate field `sleep` (line 1"),
        "{}",
        refused(&twice)
    );
    let twice = text.replacen('{', "{\"base\": \"wrench\",", 1);
    assert!(refused(&twice).starts_with("base: duplicate field `base`"), "{}", refused(&twice));
    let cut = &text[..text.len() - 1];
    assert!(refused(cut).contains("the text ends too early"), "{}", refused(cut));
}

#[test]
fn a_platform_is_merged_once_and_may_be_set_from_outside() {
    let text = |value: &Value| ScenarioText::read_from("text", value.to_string().as_bytes()).unwrap();
    let set = |assignments: &[&str]| assignments.iter().map(|one| one.parse().unwrap()).collect::<Vec<Override>>();
    let written = with(json!({"service": {"instances": {"removal": null}}}));
    let whole = text(&written).resolved(&set(&["seed=7"])).unwrap();
    assert_eq!((&whole["base"], &whole["seed"]), (&json!({"merged": "knative"}), &json!(7)));
    // Read again, what was taken out stays out.
    let again = text(&whole);
    assert_eq!(again.resolved(&[]).unwrap(), whole);
    assert_eq!(again.with(&[]).unwrap().service.instances.unwrap().removal, None);
    assert_eq!(again.base_name().unwrap(), None);
    assert_eq!(text(&written).base_name().unwrap().as_deref(), Some("knative"));
    // From outside it stands for what is in the file, and all else is set after it, wherever it stands.
    let plain = with(json!({"base": null}));
    let assignments = set(&["service.instances.concurrency=2", "base=lambda"]);
    let scenario = text(&plain).with(&assignments).unwrap();
    assert_eq!(scenario.service.instances.unwrap().concurrency, Concurrency(2));
    assert_eq!(text(&written).preset(&assignments).unwrap().unwrap().name, "lambda");
    let refused = |text: &ScenarioText, assignment: &str| text.with(&set(&[assignment])).unwrap_err().to_string();
    let message = refused(&again, "base=lambda");
    assert!(
        message.ends_with(
            "the settings of \"knative\" stand in the scenario already: name it in the scenario as it was before"
        ),
        "{message}"
    );
    assert_eq!(refused(&text(&plain), "base=5"), "--set \"base=5\": found 5, expected the name of a platform");
    assert!(refused(&text(&plain), "base=lamda").contains("did you mean \"lambda\"?"));
}

#[test]
fn a_name_may_be_written_in_other_letters() {
    let text = over("lambda").to_string().replacen("\"base\"", "\"\\u0062ase\"", 1);
    assert_eq!(Scenario::from_json(&text).unwrap().preset.unwrap().merged, "lambda");
}

proptest! {
    #[test]
    fn no_change_of_bytes_makes_it_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = over("openwhisk").to_string().into_bytes();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = Scenario::from_json(&text);
        }
    }

    /// Merging twice is merging once, where nothing is taken out.
    #[test]
    fn what_has_been_merged_is_merged_already(seed in any::<u64>(), name in 0..7_usize) {
        let preset = &Preset::all()[name];
        let whole = merged(preset.scenario.clone(), json!({"seed": seed}));
        prop_assert_eq!(merged(preset.scenario.clone(), whole.clone()), whole);
    }
}
