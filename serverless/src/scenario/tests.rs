//! Tests of reading scenarios: what is accepted, where files and overrides come in, and that no text makes it panic.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::experiment::Experiment;
use crate::policy::Catalog;
use crate::quantity::{Bytes, Flops, Seconds};

/// A scenario with one of everything, to be changed for the better or worse.
pub(super) fn good() -> Value {
    let disk = json!({"capacity": "100GB", "read_bandwidth": "200MBps", "write_bandwidth": "200MBps"});
    json!({
        "format": "hearth-scenario/1", "base": {"merged": "wrench"}, "name": "good", "description": "free text", "seed": 42, "network_model": "fluid",
        "storage_sharing": "reference", "max_events_without_progress": 1_000_000,
        "platform": {
            "hosts": [
                {"name": "user", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "head", "cores": 1, "speed": "10Gf", "ram": "16GB", "disk": disk},
                {"name": "node", "count": 2, "cores": 2, "speed": "10Gf", "ram": "8GB", "disk": disk,
                 "power": {"idle": 90, "busy": 220}},
            ],
            "links": [
                {"name": "wan", "bandwidth": "100MBps", "latency": "1ms"},
                {"name": "lan", "bandwidth": "1GBps", "latency": "10us"},
            ],
            "routes": [
                {"from": "user", "to": "head", "links": ["wan"]},
                {"from": "head", "to": "node-*", "links": ["lan"]},
                {"from": "user", "to": "node-*", "links": ["wan", "lan"]},
                {"from": "node-*", "to": "node-*", "links": ["lan"]},
            ],
        },
        "service": {
            "head": "head", "registry": "user", "nodes": ["node-*"], "container_startup_overhead": "5s",
            "invocation_processing_overhead": 0, "simulate_image_downloads": true, "container_reuse": "least_recent",
            "processors": "shared",
        },
        "images": [{"name": "img", "size": "250MB", "ram_footprint": "120MB"}],
        "files": [{"name": "photo", "size": "30MB"}],
        "applications": [],
        "functions": [{
            "name": "resize", "image": "img", "time_limit": "60s", "disk_limit": "500MB", "ram_limit": "200MB",
            "ingress_limit": "30MB", "egress_limit": "40MB", "container_startup_overhead": "1s", "deadline": "30s",
            "processors": {"limit": 2, "request": 0.25, "weight": 1, "threads": 2, "startup": {"work": "1Gf", "limit": 1}},
            "body": [
                {"ingress": {"file": "photo"}}, {"compute": "5Gf"}, {"sleep": "10s"},
                {"write": {"file": "out", "size": "10MB"}}, {"read": {"file": "out"}}, {"egress": {"file": "out"}},
            ],
        }],
        "workflows": [{
            "name": "album", "deadline": "2min",
            "tasks": [
                {"name": "look", "function": "resize", "run_time": {"constant": 1}},
                {"name": "shrink", "function": "resize", "after": ["look"], "map": 4, "choice": "size", "probability": 0.5,
                 "body": [{"sleep": 1}]},
                {"name": "copy", "function": "resize", "after": [{"task": "look", "data": "1MB"}], "choice": "size",
                 "probability": 0.5, "input": "1MB", "output": "2MB"},
            ],
        }],
        "workload": {"invocations": [
            {"at": 0, "function": "resize"},
            {"at": 1.5, "function": "resize", "body": [{"sleep": "90s"}]},
            {"after": [0, 1], "delay": "10s", "function": "resize"},
        ]},
        "policies": {
            "admission": {"use": "always"},
            "node_allocation": {"use": "fcfs"},
            "keep_alive": {"use": "fixed", "parameters": {"timeout": "600s"}},
            "eviction": {"images_in_ram": {"use": "lru", "parameters": {"touch": "load"}}},
        },
        "faults": {
            "scripted": [{"at": "10min", "host": "node-1", "for": "5min"}, {"at": "20min", "link": "lan", "bandwidth": 0.5},
                         {"at": "21min", "link": "lan", "up": true}],
            "drawn": [{"hosts": "node-*", "time_between_failures": {"weibull": {"scale": 1e6, "shape": 0.7}},
                       "time_to_repair": {"constant": 60}, "disk_content": "lost"}],
            "containers": {"crash_per_invocation": 0.001}, "head_queue": "kept",
        },
        "recovery": {"retry": {"max_attempts": 3, "backoff": {"exponential": {"initial": "1s"}}, "jitter": 0.5,
                               "on": ["lost", "timed_out"], "deadline": "5min"},
                     "replicate": {"copies": 2}},
        "horizon": "1h",
        "prices": {"name": "ours", "currency": "EUR", "per_request": 1e-6, "per_gib_second": 2e-5, "billing_granularity": "100ms",
                   "minimum": "1s", "cold_starts_billed": false},
    })
}

/// What is wrong with a scenario, wherever before its run this is found.
pub(super) fn first_mistake(text: &str) -> Option<String> {
    let scenario = match Scenario::from_json(text) {
        Ok(scenario) => scenario,
        Err(error) => return Some(error.to_string()),
    };
    let prepared = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN));
    prepared.err().map(|error| error.to_string())
}

fn read(value: &Value) -> Scenario {
    Scenario::from_json(&value.to_string()).unwrap()
}

/// Runs a test in a folder of its own, which is gone afterwards.
fn in_folder(name: &str, test: impl FnOnce(&Path)) {
    let folder = std::env::temp_dir().join(format!("hearth-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    test(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_field_is_read() {
    let scenario = read(&good());
    assert_eq!((scenario.name.as_str(), scenario.seed), ("good", 42));
    assert_eq!(scenario.platform.hosts[2].count, Some(2));
    assert_eq!(scenario.service.container_reuse, ContainerReuse::LeastRecent);
    assert_eq!(scenario.service.container_startup_overhead, Seconds(5.0));
    assert_eq!(scenario.images[0].ram_footprint.map(Bytes::whole), Some(120_000_000));
    let file = |file: &str| NamedFile { file: file.to_owned() };
    assert_eq!(
        scenario.functions[0].body,
        [
            StepSection::Ingress(file("photo")),
            StepSection::Compute(Flops(5e9)),
            StepSection::Sleep(Seconds(10.0)),
            StepSection::Write(SizedFile { file: "out".to_owned(), size: Bytes(1e7) }),
            StepSection::Read(file("out")),
            StepSection::Egress(file("out")),
        ]
    );
    assert_eq!(scenario.workload.invocations[2].after, [0, 1]);
    assert_eq!(scenario.workload.invocations[2].delay, Seconds(10.0));
    assert_eq!(scenario.policies.eviction.images_in_ram.unwrap().parameters["touch"], "load");
    assert_eq!(scenario.horizon, Some(Seconds(3600.0)));
    assert_eq!(scenario.platform.hosts[2].power, Some(PowerSection { idle: 90.0, busy: 220.0 }));
    let prices = PricesSection {
        name: "ours".to_owned(),
        currency: "EUR".to_owned(),
        per_request: 1e-6,
        per_gib_second: 2e-5,
        billing_granularity: Seconds(0.1),
        minimum: Seconds(1.0),
        cold_starts_billed: false,
    };
    assert_eq!(scenario.prices, Some(prices));
}

#[test]
fn prices_that_are_left_out_are_those_of_a_provider() {
    let mut value = good();
    value["prices"] = json!({});
    assert_eq!(read(&value).prices.unwrap().prices(), crate::metrics::Prices::default());
    value["prices"] = json!({"per_request": 0, "minimum": "2s"});
    let prices = read(&value).prices.unwrap();
    assert_eq!((prices.name.as_str(), prices.per_request, prices.minimum), ("aws-lambda-like", 0.0, Seconds(2.0)));
}

#[test]
fn the_steps_that_the_good_scenario_lacks_are_read() {
    let mut value = good();
    value["functions"][0]["body"] =
        json!([{"create": {"size": 1, "file": "a"}}, {"read_remote": {"file": "photo"}}, {"fail": "on purpose"}]);
    let body = &read(&value).functions[0].body;
    assert_eq!(body[0], StepSection::Create(SizedFile { file: "a".to_owned(), size: Bytes(1.0) }));
    assert_eq!(body[1], StepSection::ReadRemote(NamedFile { file: "photo".to_owned() }));
    assert_eq!(body[2], StepSection::Fail("on purpose".to_owned()));
}

#[test]
fn what_is_left_out_has_its_default() {
    let scenario = read(&json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [{"name": "host", "cores": 1, "speed": 1e9}]},
        "service": {"head": "host", "registry": "host", "nodes": ["host"]},
        "functions": [{"name": "f"}],
        "workload": {"invocations": []},
    }));
    assert_eq!((scenario.seed, scenario.network_model), (0, NetworkModelName::Fluid));
    assert_eq!(scenario.platform.hosts[0].ram.whole(), 0);
    assert!(scenario.service.simulate_image_downloads);
    assert_eq!(scenario.service.container_reuse, ContainerReuse::MostRecent);
    let function = &scenario.functions[0];
    assert_eq!((function.time_limit, function.ram_limit.whole(), function.disk_limit.whole()), (Seconds(0.0), 0, 0));
    assert_eq!((function.ingress_limit, function.egress_limit), (None, None));
    assert_eq!(scenario.policies, PoliciesSection::default());
    assert_eq!(scenario.horizon, None);
}

#[test]
fn a_platform_of_numbers_and_single_hosts_is_accepted() {
    // As programs write scenarios: base units, floating-point sizes, each node by name, no RAM where none is used.
    let disk = json!({"capacity": 5368709120000_u64, "read_bandwidth": 100000000, "write_bandwidth": 100000000.0});
    let mut value = good();
    value["faults"] = json!(null);
    value["platform"] = json!({
        "hosts": [
            {"name": "UserHost", "cores": 1, "speed": 10000000000.0, "disk": disk},
            {"name": "Head", "cores": 1, "speed": 1e10, "disk": disk},
            {"name": "Node1", "cores": 10, "speed": 5e10, "ram": 64000000000_u64, "disk": disk},
        ],
        "links": [{"name": "wide_area", "bandwidth": 2e7, "latency": 2e-5}],
        "routes": [
            {"from": "UserHost", "to": "Head", "links": ["wide_area"]},
            {"from": "UserHost", "to": "Node1", "links": ["wide_area"]},
            {"from": "Head", "to": "Node1", "links": ["wide_area"]},
        ],
    });
    value["service"] = json!({"head": "Head", "registry": "UserHost", "nodes": ["Node1"]});
    value["functions"][0]["processors"] = json!(null);
    assert_eq!(first_mistake(&value.to_string()), None);
}

#[test]
fn a_chain_of_a_hundred_thousand_invocations_and_its_closing_into_a_cycle_are_checked() {
    let mut value = good();
    let last = 100_000;
    let chained = |number: usize| json!({"after": [number - 1], "function": "resize"});
    let mut invocations = vec![json!({"at": 0, "function": "resize"})];
    invocations.extend((1..=last).map(chained));
    value["workload"]["invocations"] = Value::Array(invocations);
    assert_eq!(read(&value).workload.invocations.len(), last + 1);
    value["workload"]["invocations"][0]["after"] = json!([last]);
    let message = Scenario::from_json(&value.to_string()).unwrap_err().to_string();
    assert!(message.contains("a cycle, so none of these can ever begin: 0 after 100000 after 99999"), "{message}");
    assert!(message.ends_with("(shortened)") && message.len() < 300, "{message}");
}

#[test]
fn overrides_are_set_before_the_scenario_is_checked() {
    in_folder("scenario-overrides", |folder| {
        let file = folder.join("scenario.json");
        std::fs::write(&file, good().to_string()).unwrap();
        let with = |assignment: &str| Scenario::read(&file, &[assignment.parse().unwrap()]);
        let scenario = with("service.container_startup_overhead=2s").unwrap();
        assert_eq!(scenario.service.container_startup_overhead, Seconds(2.0));
        assert_eq!(scenario.base, folder);
        let scenario = with("policies.keep_alive.parameters.timeout=60").unwrap();
        assert_eq!(scenario.policies.keep_alive.unwrap().parameters["timeout"], 60);
        let refused = |assignment: &str, message: &str| assert_eq!(with(assignment).unwrap_err().to_string(), message);
        refused(
            "functions[resize].ram_limt=1GB",
            "functions[0].ram_limt: unknown field `ram_limt`, expected one of `name`, `application`, `image`, `time_limit`, \
             `disk_limit`, `ram_limit`, `ingress_limit`, `egress_limit`, `container_startup_overhead`, `deadline`, \
              `instances`, `processors`, `body`: did you mean \"ram_limit\"?",
        );
        refused(
            "functions[0].time_limit=soon",
            "functions[0].time_limit: \"soon\" is no time: expected a number, with one of the units ns us ms s min h d \
             or none",
        );
        refused("service.nodes=[]", "service.nodes: there are none: name at least one host");
    });
}

#[test]
fn files_that_hold_no_scenario_are_named() {
    in_folder("scenario-files", |folder| {
        let refused = |name: &str, bytes: Option<&[u8]>, problem: &str| {
            let file = folder.join(name);
            if let Some(bytes) = bytes {
                std::fs::write(&file, bytes).unwrap();
            }
            let message = Scenario::read(&file, &[]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{}: {problem}", file.display())), "{message}");
        };
        refused("absent", None, "cannot be read: ");
        refused("", None, "is a directory: name the file in it");
        refused("latin", Some(b"{\"name\": \"caf\xe9\"}"), "is not UTF-8 text: byte 13 is wrong");
        let early = "the text ends too early, is the file complete?";
        refused("empty", Some(b""), &format!("not valid JSON: EOF while parsing a value at line 1 column 0: {early}"));
        let half = &b"{\n\"format\": \"hea"[..];
        refused(
            "half",
            Some(half),
            &format!("not valid JSON: EOF while parsing a string at line 2 column 14: {early}"),
        );
    });
}

fn every_required_is_a_list(schema: &Value) {
    match schema {
        Value::Object(fields) => {
            assert!(fields.get("required").is_none_or(Value::is_array), "{schema}");
            fields.values().for_each(every_required_is_a_list);
        }
        Value::Array(items) => items.iter().for_each(every_required_is_a_list),
        _ => {}
    }
}

#[test]
fn the_schema_names_every_section_and_allows_no_other_fields() {
    let schema = schema();
    assert_eq!(schema["additionalProperties"], false);
    let properties = schema["properties"].as_object().unwrap();
    let good = good();
    let sections = good.as_object().unwrap();
    assert!(sections.keys().all(|section| properties.contains_key(section)), "{properties:?}");
    assert_eq!(properties.len(), sections.len(), "and nothing else, such as the folder that it was read from");
    assert_eq!(properties["format"]["const"], FORMAT);
    assert_eq!(schema["required"], json!(["format", "workload"]));
    // Over a platform, these may be left out.
    assert_eq!(schema["if"]["properties"]["base"]["type"], "string");
    let otherwise = &schema["else"];
    assert_eq!(otherwise["required"], json!(["platform", "service"]));
    assert_eq!(otherwise["properties"]["service"]["required"], json!(["head", "registry", "nodes"]));
    let definitions = schema["$defs"].as_object().unwrap();
    let objects: Vec<_> = definitions.iter().filter(|(_, definition)| definition["type"] == "object").collect();
    assert!(objects.len() >= 15, "{}", objects.len());
    for (name, object) in objects {
        assert_eq!(object["additionalProperties"], false, "{name}");
        for (field, property) in object["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}.{field} is not described");
        }
    }
    every_required_is_a_list(&schema);
    let kinds = definitions["StepSection"]["oneOf"].as_array().unwrap();
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind["required"][0].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["sleep", "compute", "write", "create", "read", "ingress", "read_remote", "egress", "checkpoint", "fail"]
    );
    let size = &definitions["Bytes"];
    assert_eq!(size["examples"][0], "250MB");
    assert!(size["anyOf"][1]["pattern"].as_str().unwrap().contains("(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)"), "{size}");
}

#[test]
fn paths_of_platform_files_start_from_the_scenario() {
    let mut value = good();
    value["platform"] = json!({"simgrid_xml": "absent.xml"});
    let mut scenario = read(&value);
    scenario.base = Path::new("somewhere").to_owned();
    let message = scenario.build_platform().unwrap_err().to_string();
    let file = Path::new("somewhere").join("absent.xml");
    assert!(message.starts_with(&format!("{}: cannot be read", file.display())), "{message}");
}

proptest! {
    #[test]
    fn a_scenario_cut_short_is_refused(cut in any::<prop::sample::Index>()) {
        let text = good().to_string();
        prop_assert!(Scenario::from_json(&text[..cut.index(text.len())]).is_err());
    }

    #[test]
    fn no_change_of_bytes_makes_it_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = good().to_string().into_bytes();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            first_mistake(&text);
        }
    }

    #[test]
    fn no_override_makes_it_panic(assignment in "(functions|service|platform)?[\\[\\].=0-9a-z]{0,12}=\\PC{0,6}") {
        let mut value = good();
        if let Ok(assignment) = assignment.parse::<Override>() {
            let _ = assignment.apply(&mut value);
            first_mistake(&value.to_string());
        }
    }
}

#[test]
fn what_is_set_in_a_scenario_is_written_with_the_same_numbers() {
    // Digits of a generator with carry, more of them than a number holds.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..2_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let digits = format!("{}.{}{:03}", state % 1000, state, state % 977);
        let mut value = good();
        value["horizon"] = json!("here");
        let text = value.to_string().replace("\"here\"", &digits);
        let of_text = Scenario::from_json(&text).unwrap();
        assert_eq!(of_text.horizon, Some(Seconds(digits.parse().unwrap())), "{digits}: the nearest number");
        let read = ScenarioText::read_from("text", text.as_bytes()).unwrap();
        let written = serde_json::to_string_pretty(&read.resolved(&[]).unwrap()).unwrap();
        assert_eq!(Scenario::from_json(&written).unwrap().horizon, of_text.horizon, "{digits}");
    }
}
