//! Bad input: each row makes one thing wrong and expects one message that names the place and the cure, exit code 2, and
//! nothing on standard output.

use std::fs;

use serde_json::{Value, json};

use crate::{good_scenario, hearth};

/// Sets the value at a JSON pointer; `Value::Null` takes it out.
fn set(pointer: &str, value: Value) -> impl Fn(&mut Value) + use<> {
    let pointer = pointer.to_owned();
    move |scenario| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = scenario.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        match (parent, &value) {
            (Value::Object(map), Value::Null) => drop(map.remove(key)),
            (Value::Object(map), value) => drop(map.insert(key.to_owned(), value.clone())),
            (Value::Array(list), value) => match key.parse::<usize>() {
                Ok(position) => list[position] = value.clone(),
                Err(_) => list.push(value.clone()),
            },
            _ => panic!("{pointer}"),
        }
    }
}

type Edit = Box<dyn Fn(&mut Value)>;

/// A workload drawn for so many functions.
fn generated(functions: u64) -> Value {
    let arrivals = json!({"poisson": {"rate": 1}});
    json!({"generate": {"arrivals": arrivals, "requests": 1, "functions": {"count": functions}, "run_time": {"constant": 1}}})
}

fn rows() -> Vec<(Edit, &'static str)> {
    fn row(pointer: &str, value: Value, message: &'static str) -> (Edit, &'static str) {
        (Box::new(set(pointer, value)), message)
    }
    let invocation = |index: usize, field: &str| format!("/workload/invocations/{index}/{field}");
    vec![
        // Fields and their types.
        row(
            "/colour",
            json!("red"),
            "colour: unknown field `colour`, expected one of `format`, `base`, `name`, `description`, `seed`, `network_model`, `storage_sharing`, `platform`, `service`, `images`, `files`, `applications`, `functions`, `workflows`, `workload`, `policies`, `faults`, `recovery`, `horizon`, `max_events_without_progress`, `prices`",
        ),
        row(
            "/functions/0/ram",
            json!(1),
            "functions[0].ram: unknown field `ram`, expected one of `name`, `application`, `image`, `time_limit`, `disk_limit`, `ram_limit`, `ingress_limit`, `egress_limit`, `container_startup_overhead`, `deadline`, `instances`, `processors`, `body`",
        ),
        row("/workload", Value::Null, "the scenario: missing field `workload`"),
        row(
            "/format",
            json!("hearth-scenario/2"),
            "format: found \"hearth-scenario/2\", expected \"hearth-scenario/1\"",
        ),
        row("/functions", json!({}), "functions: invalid type: map, expected a sequence"),
        row(
            "/functions/0/body/-",
            json!({"slep": 1}),
            "functions[0].body[2]: unknown variant `slep`, expected one of `sleep`, `compute`, `write`, `create`, `read`, `ingress`, `read_remote`, `egress`, `checkpoint`, `fail`",
        ),
        row("/network_model", json!("magic"), "network_model: unknown variant `magic`, expected `fluid` or `ideal`"),
        // Units and numbers.
        row(
            "/functions/0/ram_limit",
            json!("1gb"),
            "functions[0].ram_limit: unknown unit \"gb\" in \"1gb\": a size has one of the units B kB MB GB TB KiB MiB GiB TiB",
        ),
        row(
            "/functions/0/time_limit",
            json!(-1),
            "functions[0].time_limit: found -1, expected a time that is finite and not negative",
        ),
        row(
            "/functions/0/time_limit",
            json!("inf"),
            "functions[0].time_limit: \"inf\" is no time: it must be finite and not negative",
        ),
        row(
            "/functions/0/time_limit",
            json!(1e300),
            "functions[0].time_limit: found 1e300, expected a time of at most 9e9",
        ),
        row("/images/0/size", json!("1e30"), "images[0].size: found \"1e30\", expected a size of at most 1e18"),
        row(
            "/platform/links/0/bandwidth",
            json!(0),
            "platform: bandwidth of link \"wan\": found 0, expected a positive number of bytes/s",
        ),
        row("/platform/hosts/2/cores", json!(0), "platform: cores of host \"node-0\": found 0, expected at least one"),
        row("/platform/hosts/2/cores", json!(-4), "platform.hosts[2].cores: invalid value: integer `-4`, expected u32"),
        row(
            "/platform/hosts/2/speed",
            json!(0),
            "platform: speed of host \"node-0\": found 0, expected a positive number of flop/s",
        ),
        row(
            "/platform/hosts/2/count",
            json!(4_000_000_000_u32),
            "platform.hosts[2].count: found 4000000000, expected from 1 to 1000000 hosts",
        ),
        row(
            "/platform/hosts/2/count",
            json!(1_000_000_000),
            "platform.hosts[2].count: found 1000000000, expected from 1 to 1000000 hosts",
        ),
        row("/platform/hosts/2/count", json!(u64::MAX), "platform.hosts[2].count: invalid value: integer"),
        row(
            "/workload",
            generated(1_000_000_000),
            "workload.generate: functions.count: found 1000000000, which would need 1000 GB or more, expected from 1 to 10000000 \
             functions",
        ),
        row(
            "/workload",
            generated(u64::from(u32::MAX)),
            "workload.generate: functions.count: found 4294967295, which would need 4295 GB or more, expected from 1 to 10000000",
        ),
        row("/workload", generated(u64::MAX), "workload.generate.functions.count: invalid value: integer"),
        row(
            "/workload",
            json!({"trace": {"format": "csv", "path": "t.csv", "rate": 1e9}}),
            "workload.trace.rate: found 1000000000, expected from 0 to 1e6 times as many",
        ),
        row(
            "/workflows",
            json!([{"name": "w", "tasks": [{"name": "t", "function": "f", "map": 1_000_000_000}]}]),
            "workflows[0].tasks: have more than 1000000 instances in all",
        ),
        row("/platform/hosts/2/count", json!(0), "platform.hosts[2].count: found 0, expected from 1 to 1000000 hosts"),
        row(
            "/platform/hosts/0/disk/read_bandwidth",
            json!(0),
            "platform: read bandwidth of the disk of host \"user\": found 0, expected a positive number of bytes/s",
        ),
        // Names.
        row(
            "/platform/hosts/-",
            json!({"name": "head", "cores": 1, "speed": 1}),
            "platform: host \"head\" is declared twice: names must differ",
        ),
        row(
            "/platform/links/-",
            json!({"name": "lan", "bandwidth": 1, "latency": 0}),
            "platform: link \"lan\" is declared twice: names must differ",
        ),
        row(
            "/functions/-",
            json!({"name": "f"}),
            "functions[1].name: \"f\" is the name of functions[0] already: names must differ",
        ),
        row(
            "/images/-",
            json!({"name": "img", "size": 1}),
            "images[1].name: \"img\" is the name of images[0] already: names must differ",
        ),
        row(
            "/files/-",
            json!({"name": "photo", "size": 1}),
            "files[1].name: \"photo\" is the name of files[0] already: names must differ",
        ),
        row("/functions/0/name", json!(""), "functions[0].name: is empty: give it a name"),
        row(
            "/functions/0/image",
            json!("image"),
            "functions[0].image: unknown image \"image\": the scenario declares img",
        ),
        row(
            "/functions/0/body/0",
            json!({"ingress": {"file": "foto"}}),
            "functions[0].body[0].ingress.file: unknown file \"foto\": the scenario declares photo",
        ),
        row(
            &invocation(1, "function"),
            json!("g"),
            "workload.invocations[1].function: unknown function \"g\": the scenario declares f",
        ),
        row("/service/head", json!("heat"), "service: unknown host \"heat\": the platform has no host of that name"),
        row(
            "/service/registry",
            json!("heat"),
            "service: unknown host \"heat\": the platform has no host of that name",
        ),
        row(
            "/service/nodes",
            json!(["worker-*"]),
            "service: unknown host \"worker-*\": the platform has no host of that name",
        ),
        row(
            "/service/nodes",
            json!(["node-*", "node-1"]),
            "service: compute node \"node-1\" is listed twice: name each node once",
        ),
        row(
            "/platform/routes/0/links",
            json!(["van"]),
            "platform: the route from \"user\" to \"head\" names link \"van\", which is not declared",
        ),
        row(
            "/platform/routes/0/to",
            json!("tail"),
            "platform: the route from \"user\" to \"tail\" names host \"tail\", which is not declared",
        ),
        row(
            "/platform/routes/-",
            json!({"from": "head", "to": "user", "links": ["lan"]}),
            "platform: the route from \"head\" to \"user\" is given twice: keep one",
        ),
        // Empty lists.
        row("/service/nodes", json!([]), "service.nodes: there are none: name at least one host"),
        row(
            "/platform",
            json!({"hosts": []}),
            "platform.hosts: there are none: declare hosts, or name a simgrid_xml file",
        ),
        row(
            "/functions",
            json!([]),
            "workload.invocations[0].function: unknown function \"f\": the scenario declares none",
        ),
        // What is needed and missing.
        row(
            "/platform/routes/1/to",
            json!("node-0"),
            "platform (from \"head\" to \"node-1\"): no route from host \"head\" to host \"node-1\": add one to the platform",
        ),
        row(
            "/platform/routes/0/to",
            json!("node-1"),
            "platform (from \"user\" to \"head\"): no route from host \"user\" to host \"head\": add one to the platform",
        ),
        row(
            "/platform/hosts/0/disk",
            Value::Null,
            "platform (from \"user\" to \"head\"): host \"user\" has no disk: give it one in the platform",
        ),
        row(
            &invocation(0, "at"),
            Value::Null,
            "workload.invocations[0]: has neither \"at\" nor \"after\": give a date or predecessors",
        ),
        // Orders that cannot be.
        row(
            &invocation(1, "after"),
            json!([7]),
            "workload.invocations[1].after[0]: there is no invocation 7: they are numbered from 0 to 1",
        ),
        row(
            &invocation(1, "after"),
            json!([1]),
            "workload.invocations[1].after: a cycle, so none of these can ever begin: 1 after 1",
        ),
        row(
            &invocation(0, "after"),
            json!([1]),
            "workload.invocations[0].after: a cycle, so none of these can ever begin: 0 after 1 after 0",
        ),
        row(
            "/functions/0/body/-",
            json!({"read": {"file": "out"}}),
            "functions[0].body[2].read.file: \"out\" is not in the private storage then: write, create or ingress it in an earlier step",
        ),
        row(
            &invocation(1, "body"),
            json!([{"egress": {"file": "out"}}]),
            "workload.invocations[1].body[0].egress.file: \"out\" is not in the private storage then: write, create or ingress it in an earlier step",
        ),
        // What no node could ever do.
        row(
            "/functions/0/ram_limit",
            json!("8GB"),
            "functions[0]: function \"f\" cannot be registered: image and limits need 8100000000 B of RAM and 1100000000 B of disk on one node; the most that nodes have is 8000000000 B of RAM and 100000000000 B of disk",
        ),
        row(
            "/images/0/size",
            json!("200GB"),
            "functions[0]: function \"f\" cannot be registered: image \"img\" is 200000000000 B, the head's disk holds 100000000000 B",
        ),
        // Policies.
        row(
            "/policies",
            json!({"node_allocation": {"use": "best"}}),
            "policies.node_allocation: unknown node allocation policy \"best\": there are best-fit, consistent-hashing, ",
        ),
        row(
            "/policies",
            json!({"keep_alive": {"parameters": {"time": 1}}}),
            "policies.keep_alive: keep-alive policy \"fixed\": unknown parameter \"time\": the policy takes timeout",
        ),
        row(
            "/policies",
            json!({"keep_alive": {"parameters": {"timeout": -1}}}),
            "policies.keep_alive: keep-alive policy \"fixed\": parameter \"timeout\": found -1, expected a time in seconds, or with a unit (ns us ms s min h d)",
        ),
        row(
            "/policies",
            json!({"eviction": {"containers": {"use": "lru", "parameters": {"touch": "see"}}}}),
            "policies.eviction.containers: eviction policy \"lru\": parameter \"touch\": found \"see\", expected one of use, load",
        ),
        row(
            "/policies",
            json!({"placement": {"use": "fcfs"}}),
            "policies.placement: unknown field `placement`, expected one of `controller`, `admission`, `node_allocation`, `keep_alive`, `eviction`, `autoscaling`",
        ),
    ]
}

#[test]
fn each_mistake_in_a_scenario_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.json");
    let mut wrong = Vec::new();
    for (edit, expected) in rows() {
        let mut scenario = good_scenario();
        edit(&mut scenario);
        fs::write(&file, scenario.to_string()).unwrap();
        let output = hearth().arg("validate").arg(&file).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        let begin = format!("error: {}: {expected}", file.display());
        if output.status.code() != Some(2)
            || !message.starts_with(&begin)
            || message.lines().count() != 1
            || !output.stdout.is_empty()
        {
            wrong.push(format!("expected {begin}\n     got {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_scenario_that_all_mistakes_are_made_in_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.json");
    fs::write(&file, good_scenario().to_string()).unwrap();
    hearth().arg("run").arg(&file).assert().success();
}

/// Runs `hearth` with arguments and expects one message and an exit code.
fn refuses(arguments: &[&str], code: i32, begin: &str) {
    let output = hearth().args(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(message.starts_with(begin), "{arguments:?}: expected {begin}\n got {message}");
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn files_that_are_no_scenarios_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = good_scenario().to_string();
    fs::write(path("truncated"), &text[..text.len() / 2]).unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::write(path("latin"), b"{\"name\": \"caf\xe9\"}").unwrap();
    fs::write(path("twice"), text.replacen('{', "{\"format\": \"x\", ", 1)).unwrap();
    let refused =
        |name: &str, message: &str| refuses(&["run", &path(name)], 2, &format!("error: {}: {message}", path(name)));
    refused("absent", "cannot be read: No such file or directory");
    refused("", "is a directory: name the file in it");
    refused("truncated", "not valid JSON: EOF while parsing");
    refused("empty", "not valid JSON: EOF while parsing a value at line 1 column 0");
    refused("latin", "is not UTF-8 text: byte 13 is wrong");
    refused("twice", "the scenario: duplicate field `format`");
}

#[test]
fn wrong_arguments_are_named() {
    let scenario = crate::project_path("examples/quickstart.json");
    let scenario = scenario.to_str().unwrap();
    refuses(
        &["run", scenario, "--set", "functions[grow].ram_limit=1"],
        2,
        "error: --set \"functions[grow].ram_limit=1\": the list has no element \"grow\"",
    );
    refuses(&["run", scenario, "--set", "seed"], 2, "error: --set \"seed\": expected path=value");
    refuses(&["run", scenario, "--set", "sead=1"], 2, &format!("error: {scenario}: sead: unknown field `sead`"));
    refuses(
        &["run", scenario, "--policy", "place=fcfs"],
        2,
        "error: --policy \"place=fcfs\": unknown slot \"place\": expected one of controller, admission, node_allocation",
    );
    refuses(
        &["run", scenario, "--policy", "admission=fcfs"],
        2,
        &format!(
            "error: {scenario}: policies.admission: unknown admission policy \"fcfs\": there are always, concurrency-limit, "
        ),
    );
    refuses(&["run", scenario, "--colour", "red"], 2, "error: unexpected argument '--colour' found");
    refuses(&["sprint"], 2, "error: unrecognized subcommand 'sprint'");
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_the_simulation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let scenario = crate::project_path("examples/quickstart.json");
    let target = file.join("results");
    let target = target.to_str().unwrap();
    refuses(
        &["run", scenario.to_str().unwrap(), "--output", target],
        2,
        &format!("error: --output {target}: the folder cannot be made: "),
    );
    // Something stands where the table is to be written.
    fs::create_dir_all(folder.path().join("results/invocations.csv")).unwrap();
    let target = folder.path().join("results");
    let target = target.to_str().unwrap();
    refuses(
        &["run", scenario.to_str().unwrap(), "--output", target],
        2,
        &format!("error: --output {target}: holds invocations.csv, which is not of a run that is there: move it away"),
    );
}
