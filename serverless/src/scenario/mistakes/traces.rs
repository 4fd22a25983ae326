//! Mistakes in workloads that are not listed.

use serde_json::{Value, json};

use super::super::tests::{first_mistake, good};
use super::{check, set};

#[test]
fn what_requests_of_a_generator_do_is_said_once() {
    let generator = |more: Value| {
        let mut spec = json!({"arrivals": {"poisson": {"rate": 1}}, "requests": 1});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "generate": spec })
    };
    let run_time = json!({"run_time": {"constant": 1}});
    check(&[(
        "/workload",
        generator(run_time.clone()),
        "workload.generate.run_time: requests would run for this time, and functions[0].body would not be used: take one of the two out",
    )]);
    let said = |functions: Value, spec: Value| {
        let mut scenario = good();
        scenario.as_object_mut().unwrap().remove("workflows");
        set(&mut scenario, "/functions", functions);
        set(&mut scenario, "/workload", generator(spec));
        first_mistake(&scenario.to_string())
    };
    let (with, without) = (json!({"name": "a", "body": [{"sleep": 1}]}), json!({"name": "b"}));
    assert_eq!(said(json!([with]), json!({})), None);
    assert_eq!(said(json!([without]), run_time.clone()), None);
    let drawn = json!({"functions": {"count": 2}, "run_time": {"constant": 1}});
    assert_eq!(said(json!([with]), drawn), None, "nobody asks for the scenario's function");
    assert_eq!(
        said(json!([with, without]), json!({})).as_deref(),
        Some("workload.generate: missing field `run_time`: say how long requests run, or give functions[1] a body")
    );
    let both = said(json!([without, with]), run_time).unwrap();
    assert!(both.contains("functions[1].body would not be used"), "{both}");
}

#[test]
fn what_belongs_to_traces_of_rows_is_refused_in_others() {
    let trace =
        |field: &str, value: Value| json!({"trace": {"format": "azure-functions-2021", "path": "t.csv", field: value}});
    let expected = "goes with the format \"csv\": others have columns and an order of their own";
    check(&[
        ("/workload", trace("sort", json!(true)), &format!("workload.trace.sort: {expected}")),
        ("/workload", trace("columns", json!({"function": "f"})), &format!("workload.trace.columns: {expected}")),
        (
            "/workload",
            trace("columns", json!({"arrival": {"name": "ts", "unit": "MS"}})),
            "workload.trace.columns.arrival: unknown unit \"MS\" of column \"ts\": a time has one of the units ns us ms s min h d",
        ),
        (
            "/workload",
            trace("offset", json!("last")),
            "workload.trace.offset: \"last\" is no time: expected a number, with one of the units ns us ms s min h d or none",
        ),
    ]);
}

#[test]
fn work_of_processors_needs_run_times_to_be_of() {
    let generator = |run_time: Value, compute: Value| {
        let spec = json!({"arrivals": {"poisson": {"rate": 1}}, "requests": 1, "run_time": run_time,
                          "functions": if run_time.is_null() { Value::Null } else { json!({"count": 1}) }});
        json!({"generate": spec, "compute": compute})
    };
    check(&[
        (
            "/workload/compute",
            json!({"share": 0.5}),
            "workload.compute: goes with \"trace\" or \"generate\", which tell run times: invocations compute by steps of their bodies",
        ),
        (
            "/workload",
            generator(Value::Null, json!({})),
            "workload.compute: nothing is drawn that says how long requests run: give workload.generate.run_time, or take this out",
        ),
        (
            "/workload",
            generator(json!({"constant": 1}), json!({"share": 1.5})),
            "workload.compute.share: found 1.5, expected a number from 0 to 1",
        ),
        (
            "/workload",
            generator(json!({"constant": 1}), json!({"speed": 0})),
            "workload.compute.speed: found 0, expected a speed above 0",
        ),
        (
            "/workload",
            generator(json!({"constant": 1}), json!({"part": 1})),
            "workload.compute.part: unknown field `part`, expected `share` or `speed`",
        ),
        (
            "/workload",
            generator(json!({"constant": 1}), json!("all")),
            "workload.compute: invalid type: string \"all\", expected work of processors: an object, as in {\"share\": 0.6}",
        ),
    ]);
}

#[test]
fn applications_are_those_of_traces_that_tell_them_and_served_by_instances() {
    let trace = |format: &str| json!({"trace": {"format": format, "path": "t.csv", "applications": true}});
    check(&[
        (
            "/workload",
            trace("csv"),
            "workload.trace.applications: goes with the traces of Azure, which tell applications: name those of the functions of other \
             traces in the scenario",
        ),
        (
            "/workload",
            trace("azure-functions-2021"),
            "workload.trace.applications: the functions of an application are served by instances: say how in service.instances, as in \
             {\"concurrency\": 10}",
        ),
    ]);
}
