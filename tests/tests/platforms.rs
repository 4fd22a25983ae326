//! Platforms by name against what was published of them: each in a small scenario that says nothing else.

use std::fs;

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::Start;
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use hearth_tests::{project_path, run_scenario};
use serde_json::{Value, json};

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

/// Requests of a function on a platform, at dates in s.
fn at(base: &str, dates: &[f64], body: &str) -> Value {
    let invocations: Vec<Value> = dates.iter().map(|date| json!({"at": date, "function": "f"})).collect();
    json!({
        "format": "hearth-scenario/1", "base": base, "seed": 1,
        "functions": [{"name": "f", "ram_limit": "128MB", "body": [{"sleep": body}]}],
        "workload": {"invocations": invocations},
    })
}

/// So many cold starts a second on a platform: nearly each request is to a function of its own.
fn cold_starts(base: &str, rate: f64, duration_s: u32) -> Value {
    let functions = (rate * f64::from(duration_s)) as u32 * 20;
    json!({
        "format": "hearth-scenario/1", "base": base, "seed": 1,
        "workload": {"generate": {
            "arrivals": {"poisson": {"rate": rate}}, "duration_s": duration_s,
            "functions": {"count": functions, "zipf": 0, "ram": {"constant": 128e6}, "cold_start": {"constant": 0}},
            "run_time": {"constant": 0.01},
        }},
    })
}

/// The latencies of all requests, in s, the least first.
fn latencies(results: &Results) -> Vec<f64> {
    let latency = |record: &hearth_serverless::invocation::InvocationRecord| {
        record.finished_at.unwrap().since(record.requested_at.unwrap()).as_secs_f64()
    };
    let mut latencies: Vec<f64> = results.records.iter().map(latency).collect();
    latencies.sort_by(f64::total_cmp);
    latencies
}

/// What a share of the latencies does not exceed.
fn quantile(latencies: &[f64], share: f64) -> f64 {
    latencies[((latencies.len() - 1) as f64 * share).round() as usize]
}

/// Holds quantiles of latencies against published ones: share, seconds, and by how much they may differ.
fn check(scenario: &Value, published: &[(f64, f64, f64)]) {
    let latencies = latencies(&run(scenario));
    for (share, seconds, tolerance) in published {
        let got = quantile(&latencies, *share);
        let error = got / seconds - 1.0;
        assert!(
            error.abs() <= *tolerance,
            "{}: {share} of latencies in {got} s, published {seconds} s",
            scenario["base"]
        );
    }
}

fn starts(scenario: &Value) -> Vec<Start> {
    let mut records = run(scenario).records;
    records.sort_by_key(|record| record.invocation);
    records.iter().map(|record| record.start.unwrap()).collect()
}

/// An instance is gone about 62 s after its only request (FeMux): the window, and up to a tick.
#[test]
fn a_knative_instance_lives_for_a_window() {
    for (gap, start) in [(55.0, Start::Warm), (75.0, Start::Cold)] {
        assert_eq!(starts(&at("knative", &[0.0, gap], "10ms"))[1], start, "{gap} s");
    }
}

/// FeMux's cluster took 1.1 s for a cold start, Dirigent's 1.78 s at one a second and 2.48 s at two.
#[test]
fn knative_has_the_latencies_of_its_control_plane() {
    let at_one = quantile(&latencies(&run(&cold_starts("knative", 1.0, 300))), 0.5);
    assert!((1.1..=1.78 * 1.2).contains(&at_one), "{at_one} s");
    check(&cold_starts("knative", 2.0, 300), &[(0.5, 2.48, 0.25)]);
}

#[test]
fn dirigent_has_the_latencies_that_were_measured() {
    check(&cold_starts("dirigent", 1.0, 300), &[(0.5, 0.18, 0.15)]);
    check(&cold_starts("dirigent", 100.0, 60), &[(0.5, 0.18, 0.15), (0.99, 0.40, 0.20)]);
    check(&cold_starts("dirigent", 225.0, 60), &[(0.5, 0.58, 0.35)]);
}

/// A container is ended after ten minutes: 0.7 to 1.3 s to start it, 1 ms, and then 599 s or 601 s.
#[test]
fn an_openwhisk_container_is_kept_for_ten_minutes() {
    for (idle, start) in [(599.0, Start::Warm), (601.0, Start::Cold)] {
        let first = run(&at("openwhisk", &[0.0], "1ms"));
        let end = latencies(&first)[0];
        assert!((0.7..=1.3).contains(&end), "{end} s");
        assert_eq!(starts(&at("openwhisk", &[0.0, end + idle], "1ms")), [Start::Cold, start], "{idle} s");
    }
}

/// An invoker has 1024 MB: four containers of 256 MB, whatever its cores. With ten invokers the 41st waits for the first to end.
#[test]
fn an_openwhisk_invoker_has_slots_of_memory() {
    let mut scenario = at("openwhisk", &[0.0; 41], "10s");
    scenario["functions"][0]["ram_limit"] = json!("256MiB");
    let latencies = latencies(&run(&scenario));
    assert!(latencies[39] < 12.0 && latencies[40] > 20.0, "{latencies:?}");
}

/// STeLLAR: 448 ms for one; 100 requests of 1 s at once take 1.598 s in the median, 1.865 s at the 99th percentile.
#[test]
fn lambda_has_an_instance_for_each_request() {
    check(&cold_starts("lambda", 1.0, 600), &[(0.5, 0.448, 0.10)]);
    check(&at("lambda", &[0.0; 100], "1s"), &[(0.5, 1.598, 0.20), (0.99, 1.865, 0.25)]);
    // 1000 at once, and 100 a second after that: the 1500th begins 5 s later than the thousandth.
    let latencies = latencies(&run(&at("lambda", &[0.0; 1500], "1min")));
    let late = latencies.iter().filter(|latency| **latency > 64.0).count();
    assert!((50..=200).contains(&late), "{late} of 1500 begin after 4 s");
    assert!(latencies[999] < 62.0 && latencies[1499] < 68.0, "{} {}", latencies[999], latencies[1499]);
}

/// A core for 1769 MB: half as much RAM, half as fast; more is no faster for one thread.
#[test]
fn lambda_computes_by_memory() {
    let time = |ram: &str| {
        let mut scenario = at("lambda", &[0.0], "0s");
        scenario["functions"][0]["ram_limit"] = json!(ram);
        scenario["functions"][0]["body"] = json!([{"compute": "10Gf"}]);
        scenario["service"] = json!({"instances": {"start": []}});
        latencies(&run(&scenario))[0]
    };
    assert_eq!([time("884.5MB"), time("1769MB"), time("3538MB")], [20.0, 10.0, 10.0]);
    assert!((time("128MB") - 10.0 * 1769.0 / 128.0).abs() < 1e-6);
}

/// STeLLAR: 870 ms for one; 100 requests of 1 s at once take 2.978 s and 4.595 s, with images of 50 MB.
#[test]
fn google_has_two_requests_an_instance_and_a_store() {
    check(&cold_starts("google-cloud-functions", 1.0, 600), &[(0.5, 0.870, 0.10)]);
    let mut scenario = at("google-cloud-functions", &[0.0; 100], "1s");
    scenario["images"] = json!([{"name": "image", "size": "50MB"}]);
    scenario["functions"][0]["image"] = json!("image");
    check(&scenario, &[(0.5, 2.978, 0.20), (0.99, 4.595, 0.20)]);
}

/// STeLLAR: 1.401 s for one; 100 requests of 1 s at once take 18.637 s and 38.545 s.
#[test]
fn azure_has_many_requests_an_instance() {
    check(&cold_starts("azure-functions", 1.0, 600), &[(0.5, 1.401, 0.10)]);
    check(&at("azure-functions", &[0.0; 100], "1s"), &[(0.5, 18.637, 0.10), (0.99, 38.545, 0.15)]);
}

/// The cases whose dates WRENCH gave say what the platform says: without that they come out the same, over the platform.
#[test]
fn wrench_gives_the_reference_cases() {
    let mut cases = 0;
    let mut names: Vec<_> =
        fs::read_dir(project_path("tests/reference")).unwrap().map(|file| file.unwrap().path()).collect();
    names.sort();
    for file in names.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let mut scenario: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let policies = scenario["policies"].as_object_mut().unwrap();
        let of_preset = &hearth_serverless::scenario::Preset::named("wrench").unwrap().scenario["policies"];
        policies.retain(|name, value| *value != of_preset[name.as_str()]);
        if policies.contains_key("eviction") {
            continue;
        }
        scenario["base"] = json!("wrench");
        let name = format!("tests/reference/{}", file.file_name().unwrap().to_str().unwrap());
        assert_eq!(run(&scenario).records, run_scenario(&name).records, "{name}");
        cases += 1;
    }
    assert!(cases >= 20, "{cases}");
}
