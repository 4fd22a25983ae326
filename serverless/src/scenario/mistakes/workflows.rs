//! Mistakes in workflows.

use serde_json::{Value, json};

use super::{check, first_mistake, good, set};

#[test]
fn workflows_that_make_no_sense_are_named() {
    let task = json!({"name": "late", "function": "resize", "after": ["copy"]});
    check(&[
        (
            "/workflows/0/tasks/1/function",
            json!("risize"),
            "workflows[0].tasks[1].function: unknown function \"risize\": the scenario declares resize: did you mean \"resize\"?",
        ),
        (
            "/workflows/0/tasks/1/after/0",
            json!("loook"),
            "workflows[0].tasks[1].after[0]: unknown task \"loook\": the scenario declares copy, look, shrink: did you mean \"look\"?",
        ),
        (
            "/workflows/0/tasks/1/after/0",
            json!(0),
            "workflows[0].tasks[1].after[0]: invalid type: integer `0`, expected the name of a task, or an object with \"task\" and \"data\"",
        ),
        (
            "/workflows/0/tasks/2/after/0/size",
            json!(3),
            "workflows[0].tasks[2].after[0].size: unknown field `size`, expected `task` or `data`",
        ),
        (
            "/workflows/0/tasks/1/run_time",
            json!({"constant": 1}),
            "workflows[0].tasks[1]: has both \"body\" and \"run_time\": keep one",
        ),
        (
            "/workflows/0/tasks/0/run_time",
            json!({"constant": -1}),
            "workflows[0].tasks[0].run_time: constant: the number must be at least 0",
        ),
        (
            "/workflows/0/tasks/0/choice",
            json!("size"),
            "workflows[0].tasks[0].choice: needs a \"probability\" beside it",
        ),
        ("/workflows/0/tasks/1/map", json!(0), "workflows[0].tasks[1].map: must be at least 1"),
        ("/workflows/0/tasks/1/probability", json!(1.5), "workflows[0].tasks[1].probability: must be from 0 to 1"),
        (
            "/workflows/0/tasks/2/probability",
            json!(0.75),
            "workflows[0].tasks[2].probability: makes those of choice \"size\" add up to 1.25: 1 is the most",
        ),
        (
            "/workflows/0/tasks/0/after",
            json!(["copy"]),
            "workflows[0].tasks[0].after: is part of a cycle, or follows one, so that it can never begin",
        ),
        (
            "/workflows/0/tasks/1/name",
            json!("look"),
            "workflows[0].tasks[1].name: \"look\" is the name of workflows[0].tasks[0] already: names must differ",
        ),
        (
            "/workflows/0/name",
            json!("resize"),
            "workflows[0].name: \"resize\" is the name of functions[0] already: names must differ",
        ),
        ("/workflows/0/tasks", json!([]), "workflows[0]: expected one of \"tasks\" and \"wfcommons\""),
        ("/workflows/0/wfcommons", json!("w.json"), "workflows[0]: expected one of \"tasks\" and \"wfcommons\""),
        (
            "/workflows/0/function",
            json!("resize"),
            "workflows[0].function: goes with \"wfcommons\": each of the tasks names its own",
        ),
        (
            "/workflows/0/deadline",
            json!(-1),
            "workflows[0].deadline: found -1, expected a time that is finite and not negative",
        ),
        (
            "/workload/invocations/0/workflow",
            json!("album"),
            "workload.invocations[0]: expected one of \"function\" and \"workflow\"",
        ),
        (
            "/workload/invocations/0/function",
            Value::Null,
            "workload.invocations[0]: expected one of \"function\" and \"workflow\"",
        ),
        (
            "/workload/invocations/-",
            json!({"at": 0, "workflow": "albun"}),
            "workload.invocations[3].workflow: unknown workflow \"albun\": the scenario declares album: did you mean \"album\"?",
        ),
        (
            "/workload/invocations/-",
            json!({"at": 0, "workflow": "album", "body": []}),
            "workload.invocations[3].body: goes with \"function\": the tasks of a workflow have their own",
        ),
        (
            "/platform/routes",
            json!([{"from": "user", "to": "head", "links": ["wan"]}, {"from": "head", "to": "node-*", "links": ["lan"]},
                   {"from": "user", "to": "node-*", "links": ["wan", "lan"]}]),
            "workflows[0]: no route from host \"node-0\" to host \"node-1\": add one to the platform",
        ),
        (
            "/workload",
            json!({"generate": {"arrivals": {"poisson": {"rate": 1}}, "requests": 1, "workflows": ["x"]}}),
            "workload.generate.workflows[0]: unknown workflow \"x\": the scenario declares album",
        ),
        (
            "/workload",
            json!({"generate": {"arrivals": {"poisson": {"rate": 1}}, "requests": 1, "workflows": []}}),
            "workload.generate: workflows: there are none: name at least one",
        ),
        (
            "/workload",
            json!({"generate": {"arrivals": {"poisson": {"rate": 1}}, "requests": 1, "functions": {"count": 3}}}),
            "workload.generate: missing field `run_time`: say how long requests of the drawn functions run",
        ),
        (
            "/workload",
            json!({"generate": {"arrivals": {"poisson": {"rate": 1}}, "requests": 1, "run_time": {"constant": 1}, "workflows": ["album"]}}),
            "workload.generate: has \"workflows\" beside \"functions\" or \"run_time\": keep one kind",
        ),
    ]);
    let mut scenario = good();
    set(&mut scenario, "/workflows/0/tasks/-", task);
    assert_eq!(first_mistake(&scenario.to_string()), None, "a task may hand on what it has of others");
}
