//! Mistakes in what is said of processors.

use serde_json::json;

use super::check;

#[test]
fn processors_that_make_no_sense_are_named() {
    check(&[
        (
            "/service/processors",
            json!("free"),
            "service.processors: unknown variant `free`, expected one of `dedicated`, `shared`, `per_memory`",
        ),
        (
            "/service/processors",
            json!({"per_memory": "soon"}),
            "service.processors.per_memory: \"soon\" is no size: expected a number, with one of the units B kB MB GB TB KiB MiB GiB TiB or none",
        ),
        (
            "/service/processors",
            json!("dedicated"),
            "functions[0].processors: the processors of the service are dedicated, a core for each invocation: set service.processors to \"shared\", or take this out",
        ),
        (
            "/functions/0/processors",
            json!(0.5),
            "functions[0].processors: invalid type: floating point `0.5`, expected processors of containers: an object, as in {\"limit\": 0.5}",
        ),
        (
            "/functions/0/processors/limits",
            json!(1),
            "functions[0].processors.limits: unknown field `limits`, expected one of `limit`, `request`, `weight`, `threads`, `per_memory`, `startup`: did you mean \"limit\"?",
        ),
        (
            "/functions/0/processors/limit",
            json!(0),
            "functions[0].processors.limit: found 0, expected a number from 0.000001 to 1e6",
        ),
        (
            "/functions/0/processors/limit",
            json!(0.125),
            "functions[0].processors.request: found 0.25, expected at most the limit, 0.125",
        ),
        (
            "/functions/0/processors/request",
            json!(-1),
            "functions[0].processors.request: found -1, expected a number from 0 to 1e6",
        ),
        (
            "/functions/0/processors/weight",
            json!(1e9),
            "functions[0].processors.weight: found 1000000000, expected a number from 0.000001 to 1e6",
        ),
        (
            "/functions/0/processors/threads",
            json!(0),
            "functions[0].processors.threads: found 0, expected a number from 1 to 1e6",
        ),
        (
            "/functions/0/processors/per_memory",
            json!("1769MB"),
            "functions[0].processors.limit: is given beside \"per_memory\", which is a limit: keep one",
        ),
        (
            "/functions/0/processors",
            json!({"per_memory": 0}),
            "functions[0].processors.per_memory: a core for 0 B gives containers of 200000000 B of RAM no number of cores from 0.000001 to 1e6: give it another size, or the function another ram_limit",
        ),
        (
            "/functions/0/processors/startup",
            json!({"limit": 2}),
            "functions[0].processors.startup: missing field `work`",
        ),
        (
            "/functions/0/processors/startup/limit",
            json!(-2),
            "functions[0].processors.startup.limit: found -2, expected a number from 0.000001 to 1e6",
        ),
        (
            "/functions/0/processors",
            json!({"request": 3}),
            "functions[0]: function \"resize\" cannot be registered: its processors request 3 cores of one node; the most that nodes have is 2",
        ),
    ]);
}

#[test]
fn a_function_without_ram_has_no_cores_for_it() {
    let mut scenario = super::good();
    scenario["service"]["processors"] = json!({"per_memory": "1769MB"});
    scenario["functions"].as_array_mut().unwrap().push(json!({"name": "small"}));
    let message = super::first_mistake(&scenario.to_string()).unwrap();
    assert_eq!(
        message,
        "functions[1].ram_limit: service.processors gives cores for RAM, and none for this much: give the function another ram_limit, or processors of its own"
    );
    scenario["functions"][1]["processors"] = json!({"limit": 0.5});
    assert_eq!(super::first_mistake(&scenario.to_string()), None);
}
