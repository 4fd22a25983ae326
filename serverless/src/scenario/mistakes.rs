//! A table of mistakes: each row makes one thing wrong in a good scenario and gives the message, which names the place,
//! what was found and the cure.

mod applications;
mod costs;
mod faults;
mod instances;
mod processors;
mod traces;
mod workflows;

use serde_json::{Value, json};

use super::tests::{first_mistake, good};

/// Sets the value at a JSON pointer, appends it where the pointer ends in `-`; `Value::Null` takes it out.
fn set(scenario: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (scenario.pointer_mut(parent).unwrap(), value) {
        (Value::Object(map), Value::Null) => drop(map.remove(key)),
        (Value::Object(map), value) => drop(map.insert(key.to_owned(), value)),
        (Value::Array(list), value) if key == "-" => list.push(value),
        (Value::Array(list), value) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
}

/// The message without the line and column at its end, which only depend on how the JSON is laid out.
fn without_position(message: &str) -> &str {
    message.rfind(" (line ").map_or(message, |end| &message[..end])
}

fn check(rows: &[(&str, Value, &str)]) {
    let mut wrong = Vec::new();
    for (pointer, value, expected) in rows {
        let mut scenario = good();
        set(&mut scenario, pointer, value.clone());
        let found = first_mistake(&scenario.to_string());
        if found.as_deref().map(without_position) != Some(expected) {
            wrong.push(format!("{pointer} = {value}\n  expected {expected}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fields_and_their_types_are_named() {
    check(&[
        (
            "/functoins",
            json!([]),
            "functoins: unknown field `functoins`, expected one of `format`, `base`, `name`, `description`, `seed`, `network_model`, `storage_sharing`, `platform`, `service`, `images`, `files`, `applications`, `functions`, `workflows`, `workload`, `policies`, `faults`, `recovery`, `horizon`, `max_events_without_progress`, `prices`: did you mean \"functions\"?",
        ),
        (
            "/colour",
            json!("red"),
            "colour: unknown field `colour`, expected one of `format`, `base`, `name`, `description`, `seed`, `network_model`, `storage_sharing`, `platform`, `service`, `images`, `files`, `applications`, `functions`, `workflows`, `workload`, `policies`, `faults`, `recovery`, `horizon`, `max_events_without_progress`, `prices`",
        ),
        (
            "/functions/0/time_limt",
            json!(3),
            "functions[0].time_limt: unknown field `time_limt`, expected one of `name`, `application`, `image`, `time_limit`, `disk_limit`, `ram_limit`, `ingress_limit`, `egress_limit`, `container_startup_overhead`, `deadline`, `instances`, `processors`, `body`: did you mean \"time_limit\"?",
        ),
        ("/workload", Value::Null, "the scenario: missing field `workload`"),
        ("/format", Value::Null, "the scenario: missing field `format`"),
        ("/format", json!(5), "format: invalid type: integer `5`, expected a string"),
        ("/format", json!("hearth-scenario/2"), "format: found \"hearth-scenario/2\", expected \"hearth-scenario/1\""),
        (
            "/network_model",
            json!("idael"),
            "network_model: unknown variant `idael`, expected `fluid` or `ideal`: did you mean \"ideal\"?",
        ),
        (
            "/storage_sharing",
            json!("refrence"),
            "storage_sharing: unknown variant `refrence`, expected `reference` or `fair`: did you mean \"reference\"?",
        ),
        (
            "/max_events_without_progress",
            json!(-1),
            "max_events_without_progress: invalid value: integer `-1`, expected u64: write a whole number that is not negative",
        ),
        (
            "/service/container_reuse",
            json!("most_recently"),
            "service.container_reuse: unknown variant `most_recently`, expected `most_recent` or `least_recent`: did you mean \"most_recent\"?",
        ),
        (
            "/service/simulate_image_downloads",
            json!("yes"),
            "service.simulate_image_downloads: invalid type: string \"yes\", expected a boolean",
        ),
        ("/workload/trace", json!({"path": "t.csv"}), "workload.trace: missing field `format`"),
        (
            "/policies/keep_alive/library",
            json!("x.so"),
            "policies.keep_alive: x.so cannot be read: No such file or directory (os error 2)",
        ),
        ("/platform/hosts/0", json!(5), "platform.hosts[0]: invalid type: integer `5`, expected a host: an object"),
        (
            "/platform/hosts/0/cores",
            json!(-4),
            "platform.hosts[0].cores: invalid value: integer `-4`, expected u32: write a whole number that is not negative",
        ),
        (
            "/platform/hosts/0/cores",
            json!(1.5),
            "platform.hosts[0].cores: invalid type: floating point `1.5`, expected u32: write a whole number that is not negative",
        ),
        (
            "/seed",
            json!(-1),
            "seed: invalid value: integer `-1`, expected u64: write a whole number that is not negative",
        ),
        ("/policies", json!("lru"), "policies: invalid type: string \"lru\", expected the policies: an object"),
        (
            "/policies/keep_alive",
            json!("fixed"),
            "policies.keep_alive: invalid type: string \"fixed\", expected a policy: an object, as in {\"use\": \"lru\"}",
        ),
        (
            "/policies/keep_alive/parameters",
            json!(5),
            "policies.keep_alive.parameters: invalid type: integer `5`, expected the parameters: an object, as in {\"timeout\": \"60s\"}",
        ),
        ("/functions", json!({}), "functions: invalid type: map, expected a sequence"),
        ("/functions/0/name", Value::Null, "functions[0]: missing field `name`"),
        (
            "/workload/invocations/2/after/0",
            json!(-1),
            "workload.invocations[2].after[0]: invalid value: integer `-1`, expected usize: write a whole number that is not negative",
        ),
    ]);
}

#[test]
fn quantities_that_are_none_are_named() {
    check(&[
        (
            "/functions/0/ram_limit",
            json!("1gb"),
            "functions[0].ram_limit: unknown unit \"gb\" in \"1gb\": a size has one of the units B kB MB GB TB KiB MiB GiB TiB: did you mean \"GB\"?",
        ),
        (
            "/functions/0/ram_limit",
            json!("much"),
            "functions[0].ram_limit: \"much\" is no size: expected a number, with one of the units B kB MB GB TB KiB MiB GiB TiB or none",
        ),
        (
            "/functions/0/ram_limit",
            json!({}),
            "functions[0].ram_limit: invalid type: map, expected a size: a number, or text with one of the units B kB MB GB TB KiB MiB GiB TiB",
        ),
        (
            "/functions/0/time_limit",
            json!(-1),
            "functions[0].time_limit: found -1, expected a time that is finite and not negative",
        ),
        (
            "/functions/0/time_limit",
            json!("-1s"),
            "functions[0].time_limit: \"-1s\" is no time: it must be finite and not negative",
        ),
        (
            "/functions/0/time_limit",
            json!("inf"),
            "functions[0].time_limit: \"inf\" is no time: it must be finite and not negative",
        ),
        (
            "/functions/0/time_limit",
            json!("NaN"),
            "functions[0].time_limit: \"NaN\" is no time: it must be finite and not negative",
        ),
        (
            "/functions/0/time_limit",
            json!(1e+300),
            "functions[0].time_limit: found 1e300, expected a time of at most 9e9 s",
        ),
        (
            "/workload/invocations/1/at",
            json!("600000d"),
            "workload.invocations[1].at: found \"600000d\", expected a time of at most 9e9 s",
        ),
        (
            "/workload/invocations/2/delay",
            json!(10000000000.0),
            "workload.invocations[2].delay: found 10000000000, expected a time of at most 9e9 s",
        ),
        ("/images/0/size", json!("1e30"), "images[0].size: found \"1e30\", expected a size of at most 1e18 B"),
        (
            "/images/0/ram_footprint",
            json!(2000000000000000000_u64),
            "images[0].ram_footprint: found 2000000000000000000, expected a size of at most 1e18 B",
        ),
        (
            "/platform/links/0/bandwidth",
            json!("20MB"),
            "platform.links[0].bandwidth: unknown unit \"MB\" in \"20MB\": a rate has one of the units Bps kBps MBps GBps KiBps MiBps GiBps bps kbps Mbps Gbps",
        ),
        (
            "/platform/hosts/0/speed",
            json!("10GHz"),
            "platform.hosts[0].speed: unknown unit \"GHz\" in \"10GHz\": a amount of work has one of the units f kf Mf Gf Tf",
        ),
        (
            "/horizon",
            json!("soon"),
            "horizon: \"soon\" is no time: expected a number, with one of the units ns us ms s min h d or none",
        ),
    ]);
}

#[test]
fn steps_and_what_they_do_to_files_are_named() {
    check(&[
        (
            "/functions/0/body/0",
            json!({"slep": 1}),
            "functions[0].body[0]: unknown variant `slep`, expected one of `sleep`, `compute`, `write`, `create`, `read`, `ingress`, `read_remote`, `egress`, `checkpoint`, `fail`: did you mean \"sleep\"?",
        ),
        (
            "/functions/0/body/0",
            json!({"sleep": 1, "compute": 2}),
            "functions[0].body[0]: found a second key \"sleep\" in a step, expected one: make it a step of its own",
        ),
        (
            "/functions/0/body/0",
            json!({}),
            "functions[0].body[0]: invalid type: an empty object, expected a step: an object with one key, as in {\"sleep\": \"10s\"}",
        ),
        (
            "/functions/0/body/0",
            json!("sleep"),
            "functions[0].body[0]: invalid type: string \"sleep\", expected a step: an object with one key, as in {\"sleep\": \"10s\"}",
        ),
        (
            "/functions/0/body/0",
            json!(["sleep", 1]),
            "functions[0].body[0]: invalid type: sequence, expected a step: an object with one key, as in {\"sleep\": \"10s\"}",
        ),
        (
            "/functions/0/body/0",
            json!({"sleep": "10 parsecs"}),
            "functions[0].body[0].sleep: unknown unit \"parsecs\" in \"10 parsecs\": a time has one of the units ns us ms s min h d",
        ),
        (
            "/functions/0/body/0",
            json!({"write": "out"}),
            "functions[0].body[0].write: invalid type: string \"out\", expected an object with \"file\" and \"size\"",
        ),
        ("/functions/0/body/0", json!({"write": {"file": "out"}}), "functions[0].body[0].write: missing field `size`"),
        (
            "/functions/0/body/0",
            json!({"create": {"file": "out", "size": -1}}),
            "functions[0].body[0].create.size: found -1, expected a size that is finite and not negative",
        ),
        (
            "/functions/0/body/0",
            json!({"ingress": {"fil": "photo"}}),
            "functions[0].body[0].ingress.fil: unknown field `fil`, expected `file`: did you mean \"file\"?",
        ),
        (
            "/functions/0/body/0",
            json!({"fail": 3}),
            "functions[0].body[0].fail: invalid type: integer `3`, expected a string",
        ),
        (
            "/workload/invocations/1/body/0",
            json!({"sleep": "x"}),
            "workload.invocations[1].body[0].sleep: \"x\" is no time: expected a number, with one of the units ns us ms s min h d or none",
        ),
        (
            "/functions/0/body/0",
            json!({"ingress": {"file": "phot"}}),
            "functions[0].body[0].ingress.file: unknown file \"phot\": the scenario declares photo: did you mean \"photo\"?",
        ),
        (
            "/functions/0/body/0",
            json!({"read_remote": {"file": "film"}}),
            "functions[0].body[0].read_remote.file: unknown file \"film\": the scenario declares photo",
        ),
        (
            "/functions/0/body/0",
            json!({"read": {"file": "out"}}),
            "functions[0].body[0].read.file: \"out\" is not in the private storage then: write, create or ingress it in an earlier step",
        ),
        (
            "/workload/invocations/1/body",
            json!([{"egress": {"file": "out"}}]),
            "workload.invocations[1].body[0].egress.file: \"out\" is not in the private storage then: write, create or ingress it in an earlier step",
        ),
        (
            "/workload/invocations/1/body",
            json!([{"write": {"file": "a", "size": 1}}, {"read": {"file": "b"}}]),
            "workload.invocations[1].body[1].read.file: \"b\" is not in the private storage then: write, create or ingress it in an earlier step",
        ),
    ]);
}

#[test]
fn names_that_repeat_or_dangle_are_named() {
    check(&[
        (
            "/images/-",
            json!({"name": "img", "size": 1}),
            "images[1].name: \"img\" is the name of images[0] already: names must differ",
        ),
        (
            "/files/-",
            json!({"name": "photo", "size": 1}),
            "files[1].name: \"photo\" is the name of files[0] already: names must differ",
        ),
        (
            "/functions/-",
            json!({"name": "resize"}),
            "functions[1].name: \"resize\" is the name of functions[0] already: names must differ",
        ),
        ("/functions/0/name", json!(""), "functions[0].name: is empty: give it a name"),
        (
            "/functions/0/image",
            json!("imj"),
            "functions[0].image: unknown image \"imj\": the scenario declares img: did you mean \"img\"?",
        ),
        ("/images", json!([]), "functions[0].image: unknown image \"img\": the scenario declares none"),
        (
            "/workload/invocations/0/function",
            json!("resise"),
            "workload.invocations[0].function: unknown function \"resise\": the scenario declares resize: did you mean \"resize\"?",
        ),
        (
            "/functions",
            json!([]),
            "workflows[0].tasks[0].function: unknown function \"resize\": the scenario declares none",
        ),
        (
            "/platform/hosts/-",
            json!({"name": "head", "cores": 1, "speed": 1}),
            "platform: host \"head\" is declared twice: names must differ",
        ),
        (
            "/platform/hosts/-",
            json!({"name": "node-1", "cores": 1, "speed": 1}),
            "platform: host \"node-1\" is declared twice: names must differ",
        ),
        (
            "/platform/links/-",
            json!({"name": "lan", "bandwidth": 1, "latency": 0}),
            "platform: link \"lan\" is declared twice: names must differ",
        ),
        ("/platform/hosts/0/name", json!(""), "platform.hosts[0].name: is empty: give it a name"),
        (
            "/platform/hosts/2/name",
            json!("node-*"),
            "platform.hosts[2].name: found \"node-*\": a name must not end in \"*\", which stands for all of a prefix",
        ),
        ("/platform/links/1/name", json!(""), "platform.links[1].name: is empty: give it a name"),
        (
            "/platform/stars",
            json!([{"name": "", "bandwidth": 1, "latency": 0}]),
            "platform.stars[0].name: is empty: give it a name",
        ),
        (
            "/platform/hosts/2/star",
            json!("rack"),
            "platform: host \"node-0\" names star \"rack\", which is not declared",
        ),
        (
            "/platform/routes/0/to",
            json!("tail"),
            "platform: the route from \"user\" to \"tail\" names host \"tail\", which is not declared",
        ),
        (
            "/platform/routes/0/links",
            json!(["van"]),
            "platform: the route from \"user\" to \"head\" names link \"van\", which is not declared",
        ),
        (
            "/platform/routes/-",
            json!({"from": "head", "to": "user", "links": ["lan"]}),
            "platform: the route from \"head\" to \"user\" is given twice: keep one",
        ),
        (
            "/platform/routes/-",
            json!({"from": "head", "to": "head", "links": ["lan"]}),
            "platform.routes[4]: leads from host \"head\" to itself: a host needs no route to itself",
        ),
        ("/service/head", json!("heat"), "service: unknown host \"heat\": the platform has no host of that name"),
        ("/service/registry", json!("heat"), "service: unknown host \"heat\": the platform has no host of that name"),
        (
            "/service/nodes",
            json!(["worker-*"]),
            "service: unknown host \"worker-*\": the platform has no host of that name",
        ),
        (
            "/service/nodes",
            json!(["node-*", "node-1"]),
            "service: compute node \"node-1\" is listed twice: name each node once",
        ),
    ]);
}

#[test]
fn numbers_and_lists_that_make_no_sense_are_named() {
    check(&[
        ("/service/nodes", json!([]), "service.nodes: there are none: name at least one host"),
        ("/platform/hosts", json!([]), "platform.hosts: there are none: declare hosts, or name a simgrid_xml file"),
        ("/platform", json!({}), "platform.hosts: there are none: declare hosts, or name a simgrid_xml file"),
        ("/platform/hosts/2/cores", json!(0), "platform: cores of host \"node-0\": found 0, expected at least one"),
        (
            "/platform/hosts/2/speed",
            json!(0),
            "platform: speed of host \"node-0\": found 0, expected a positive number of flop/s",
        ),
        (
            "/platform/links/0/bandwidth",
            json!(0),
            "platform: bandwidth of link \"wan\": found 0, expected a positive number of bytes/s",
        ),
        (
            "/platform/hosts/0/disk/read_bandwidth",
            json!(0),
            "platform: read bandwidth of the disk of host \"user\": found 0, expected a positive number of bytes/s",
        ),
        (
            "/platform/hosts/0/disk/write_bandwidth",
            json!("0MBps"),
            "platform: write bandwidth of the disk of host \"user\": found 0, expected a positive number of bytes/s",
        ),
        ("/platform/hosts/2/count", json!(0), "platform.hosts[2].count: found 0, expected from 1 to 1000000 hosts"),
        (
            "/platform/hosts/2/count",
            json!(1000001),
            "platform.hosts[2].count: found 1000001, expected from 1 to 1000000 hosts",
        ),
        (
            "/platform/hosts",
            json!([{"name": "a", "count": 1000000, "cores": 1, "speed": 1}, {"name": "b", "count": 1000000, "cores": 1, "speed": 1}, {"name": "c", "cores": 1, "speed": 1}]),
            "platform.hosts[2].count: makes 2000001 hosts with those before, expected at most 2000000 in all",
        ),
        (
            "/platform/simgrid_xml",
            json!("p.xml"),
            "platform.simgrid_xml: stands beside hosts, links, routes or stars: give either the file or these",
        ),
        (
            "/platform",
            json!({"simgrid_xml": "p.xml", "stars": [{"name": "r", "bandwidth": 1, "latency": 0}]}),
            "platform.simgrid_xml: stands beside hosts, links, routes or stars: give either the file or these",
        ),
    ]);
}

#[test]
fn orders_that_cannot_be_are_named() {
    check(&[
        (
            "/workload/invocations/0/at",
            Value::Null,
            "workload.invocations[0]: has neither \"at\" nor \"after\": give a date or predecessors",
        ),
        (
            "/workload/invocations/2/after",
            json!([]),
            "workload.invocations[2]: has neither \"at\" nor \"after\": give a date or predecessors",
        ),
        (
            "/workload/invocations/2/after",
            json!([7]),
            "workload.invocations[2].after[0]: there is no invocation 7: they are numbered from 0 to 2",
        ),
        (
            "/workload/invocations/2/after",
            json!([2]),
            "workload.invocations[2].after: a cycle, so none of these can ever begin: 2 after 2",
        ),
        (
            "/workload/invocations/0/after",
            json!([2]),
            "workload.invocations[0].after: a cycle, so none of these can ever begin: 0 after 2 after 0",
        ),
    ]);
}

#[test]
fn what_the_platform_cannot_do_are_named() {
    check(&[
        (
            "/platform/routes/0/to",
            json!("node-1"),
            "platform (from \"user\" to \"head\"): no route from host \"user\" to host \"head\": add one to the platform",
        ),
        (
            "/platform/routes/1/to",
            json!("node-0"),
            "platform (from \"head\" to \"node-1\"): no route from host \"head\" to host \"node-1\": add one to the platform",
        ),
        (
            "/platform/routes/2/to",
            json!("node-0"),
            "platform (from \"user\" to \"node-1\"): no route from host \"user\" to host \"node-1\": add one to the platform",
        ),
        (
            "/platform/hosts/0/disk",
            Value::Null,
            "platform (from \"user\" to \"head\"): host \"user\" has no disk: give it one in the platform",
        ),
        (
            "/platform/hosts/1/disk",
            Value::Null,
            "functions[0]: function \"resize\" cannot be registered: image \"img\" is 250000000 B, the head's disk holds 0 B",
        ),
        (
            "/platform/hosts/2/disk",
            Value::Null,
            "functions[0]: function \"resize\" cannot be registered: image and limits need 320000000 B of RAM and 750000000 B of disk on one node; the most that nodes have is 8000000000 B of RAM and 0 B of disk",
        ),
        (
            "/images/0/size",
            json!("200GB"),
            "functions[0]: function \"resize\" cannot be registered: image \"img\" is 200000000000 B, the head's disk holds 100000000000 B",
        ),
        (
            "/functions/0/ram_limit",
            json!("8GB"),
            "functions[0]: function \"resize\" cannot be registered: image and limits need 8120000000 B of RAM and 750000000 B of disk on one node; the most that nodes have is 8000000000 B of RAM and 100000000000 B of disk",
        ),
        (
            "/functions/0/disk_limit",
            json!("100GB"),
            "functions[0]: function \"resize\" cannot be registered: image and limits need 320000000 B of RAM and 100250000000 B of disk on one node; the most that nodes have is 8000000000 B of RAM and 100000000000 B of disk",
        ),
        (
            "/functions/-",
            json!({"name": "g", "ram_limit": "9GB"}),
            "functions[1]: function \"g\" cannot be registered: image and limits need 9000000000 B of RAM and 0 B of disk on one node; the most that nodes have is 8000000000 B of RAM and 100000000000 B of disk",
        ),
    ]);
}

#[test]
fn policies_that_are_not_there_are_named() {
    check(&[
        (
            "/policies/placement",
            json!({"use": "fcfs"}),
            "policies.placement: unknown field `placement`, expected one of `controller`, `admission`, `node_allocation`, `keep_alive`, `eviction`, `autoscaling`, `cluster_autoscaling`",
        ),
        (
            "/policies/node_allocation/use",
            json!("best"),
            "policies.node_allocation: unknown node allocation policy \"best\": there are best-fit, consistent-hashing, delayed-warm-start, edf, fair, fcfs, firm-deadline, first-fit, hash-locality, hedged-requests, hermod, image-locality, join-shortest-queue, knative-autoscaler, last-to-expire, least-loaded, power-of-d, random, round-robin, sept, sparrow, warm-first, workload-balancing, worst-fit",
        ),
        (
            "/policies/keep_alive/parameters/time",
            json!(1),
            "policies.keep_alive: keep-alive policy \"fixed\": unknown parameter \"time\": the policy takes timeout",
        ),
        (
            "/policies/keep_alive/parameters/timeout",
            json!(-1),
            "policies.keep_alive: keep-alive policy \"fixed\": parameter \"timeout\": found -1, expected a time in seconds, or with a unit (ns us ms s min h d)",
        ),
    ]);
}

#[test]
fn the_scenario_that_all_mistakes_are_made_in_is_good() {
    assert_eq!(first_mistake(&good().to_string()), None);
}

#[test]
fn what_a_map_of_json_would_swallow_is_named() {
    let text = good().to_string();
    let rows = [
        ("{\"seed\":1,", "{", "the scenario: duplicate field `seed`"),
        ("\"head\":\"user\",\"head\":", "\"head\":", "service: duplicate field `head`"),
        (
            "{\"timeout\":1,\"timeout\":",
            "{\"timeout\":",
            "policies.keep_alive.parameters: parameter \"timeout\" is given twice: keep one",
        ),
        (
            "{\"sleep\":1,\"sleep\":",
            "{\"sleep\":",
            "functions[0].body[2]: found a second key \"sleep\" in a step, expected one: make it a step of its own",
        ),
    ];
    for (twice, once, expected) in rows {
        let message = first_mistake(&text.replacen(once, twice, 1)).unwrap();
        assert_eq!(without_position(&message), expected);
    }
}

#[test]
fn text_that_is_not_json_is_named_with_line_and_column() {
    let text = good().to_string();
    let rows = [
        ("{\n  \"name\": nothing\n}".to_owned(), "not valid JSON: expected ident at line 2 column 12"),
        ("{\"seed\": NaN}".to_owned(), "not valid JSON: expected value at line 1 column 10"),
        ("{\"seed\": 1e999}".to_owned(), "not valid JSON: number out of range at line 1 column 14"),
        (format!("{text}\n}}"), "not valid JSON: trailing characters at line 2 column 1"),
        (format!("{text} {text}"), "not valid JSON: trailing characters at line 1 column "),
    ];
    for (text, expected) in rows {
        let message = first_mistake(&text).unwrap();
        assert!(message.starts_with(expected), "{message}");
    }
    let message = first_mistake("{\"name\": \"a\",\n \"seed\": \"b\"}").unwrap();
    assert!(message.ends_with("write a whole number that is not negative (line 2, column 12)"), "{message}");
}
