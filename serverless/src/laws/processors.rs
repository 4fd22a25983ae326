//! Processors that are shared: no more of them is kept or used than there is, all work that is asked is done, and dates are those of
//! an exact processor-sharing queue.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::checks::*;
use super::scenarios::*;
use super::{cases, run};
use crate::experiment::{Experiment, Results};
use crate::invocation::Outcome;
use crate::policy::Catalog;
use crate::scenario::Scenario;

const SPEED: f64 = 10e9;

/// What a function says of processors.
fn of_function() -> impl Strategy<Value = Value> {
    let limit = prop::option::of(prop::sample::select(vec![0.25, 0.5, 1.0, 2.0]));
    let request = prop::option::of(prop::sample::select(vec![0.0, 0.25, 0.25, 0.7, 1.0]));
    let weight = prop::option::of(prop::sample::select(vec![0.5, 3.0]));
    let startup =
        prop::option::of(prop::sample::select(vec![json!({"work": "3Gf"}), json!({"work": "8Gf", "limit": 2})]));
    (limit, request, weight, startup, 1..3_u32).prop_map(|(limit, request, weight, startup, threads)| {
        let most = limit.unwrap_or(f64::INFINITY);
        json!({"limit": limit, "request": request.map(|request: f64| request.min(most)), "weight": weight, "startup": startup,
               "threads": threads})
    })
}

/// A scenario in which most bodies compute, and containers share processors.
pub(super) fn shared(scenario: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (scenario, prop::collection::vec(prop::option::of(of_function()), 5)).prop_map(|(mut scenario, processors)| {
        scenario["service"]["processors"] = json!("shared");
        let functions = scenario["functions"].as_array_mut().unwrap();
        for (function, processors) in functions.iter_mut().zip(processors) {
            function["processors"] = processors.into();
            for step in function["body"].as_array_mut().unwrap() {
                if let Some(seconds) = step["sleep"].as_f64() {
                    *step = json!({"compute": seconds * SPEED});
                }
            }
        }
        scenario
    })
}

/// What a body computes, in operations.
fn asked(body: &Value) -> f64 {
    let of_step = |step: &Value| match &step["compute"] {
        Value::String(_) => 12e9,
        flops => flops.as_f64().unwrap_or(0.0),
    };
    body.as_array().into_iter().flatten().map(of_step).sum()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_containers_keep_is_there_and_everybody_ends_once(
        scenario in shared(scenario()), faults in prop::option::of(faults()),
    ) {
        let mut scenario = with_costs(scenario);
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        check_window(&results)?;
        check_dates(&scenario, &results)?;
        check_outages(&scenario, &results)?;
        let processors = results.metrics.processors.as_deref().unwrap();
        prop_assert!((0.0..=1.0 + 1e-6).contains(&processors.utilisation()), "{processors:?}");
        // The busy watts are as many as there are cores.
        let energy = results.metrics.energy.unwrap();
        prop_assert!((energy.busy_joules - processors.seconds()).abs() < 1e-6, "{energy:?} {processors:?}");
        let of_functions: f64 = (0..5).map(|function| processors.seconds_of(function)).sum();
        let all = processors.seconds() + processors.drained_seconds();
        prop_assert!((of_functions - all).abs() < 1e-6, "{processors:?}");
    }

    /// What bodies and starts ask for that ended well is done, and nothing is done that was not asked for.
    #[test]
    fn work_is_conserved(scenario in shared(scenario())) {
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        let (mut least, mut most) = (0.0, 0.0);
        for record in &results.records {
            let function = &scenario["functions"][record.function.number() as usize];
            let body = asked(&function["body"]);
            if record.dispatched_at.is_some() {
                most += body;
            }
            if record.outcome == Outcome::Completed {
                least += body;
            }
        }
        let started = |function: &Value| match function["processors"]["startup"]["work"].as_str() {
            Some("3Gf") => 3e9,
            Some(_) => 8e9,
            None => 0.0,
        };
        let functions = scenario["functions"].as_array().unwrap().iter().zip(&results.metrics.functions);
        let cold: f64 = functions.map(|(function, metrics)| started(function) * metrics.cold_starts as f64).sum();
        let ahead = results.metrics.prewarmed_containers as f64 * 8e9;
        let processors = results.metrics.processors.as_deref().unwrap();
        let done = (processors.seconds() + processors.drained_seconds()) * SPEED;
        prop_assert!(done > least + cold - 1e3 && done < most + cold + ahead + 1e3, "{least} + {cold}, {done}, {most} + {ahead}");
    }

    /// One that is alone on its node takes as long with a core for itself as with all of them for everybody.
    #[test]
    fn whoever_is_alone_takes_the_same_time(scenario in scenario(), function in any::<prop::sample::Index>()) {
        let mut scenario = scenario;
        let function = function.index(scenario["functions"].as_array().unwrap().len());
        scenario["workload"]["invocations"] = json!([{"at": 0.1, "function": format!("f{function}")}]);
        let Some(dedicated) = run(&scenario) else { return Ok(()) };
        scenario["service"]["processors"] = json!("shared");
        let shared = run(&scenario).unwrap();
        let dates = |results: &Results| {
            let record = &results.records[0];
            (record.outcome, record.started_at.map(|date| date.as_nanos()), record.finished_at.map(|date| date.as_nanos()))
        };
        let (dedicated, shared) = (dates(&dedicated?), dates(&shared?));
        prop_assert_eq!((dedicated.0, dedicated.1), (shared.0, shared.1));
        prop_assert!(dedicated.2.unwrap_or(0).abs_diff(shared.2.unwrap_or(0)) <= 1, "{:?} {:?}", dedicated, shared);
    }

    #[test]
    fn dates_are_those_of_an_exact_processor_sharing_queue(
        cores in 1..4_u32,
        functions in prop::collection::vec((prop::collection::vec(phase(), 1..4), limits(), startup()), 3),
        arrivals in prop::collection::vec((0..6_000_u64, 0..3_usize), 1..20),
        has_instances in any::<bool>(),
    ) {
        let mut arrivals = arrivals;
        arrivals.sort_by_key(|(at, _)| *at);
        let described = |(number, (phases, (limit, weight), startup)): (usize, &Described)| {
            let step = |phase: &Phase| match phase {
                Phase::Sleep(seconds) => json!({"sleep": seconds}),
                Phase::Compute(flops) => json!({"compute": flops}),
            };
            json!({"name": format!("f{number}"), "body": phases.iter().map(step).collect::<Vec<_>>(),
                   "processors": {"limit": limit, "weight": weight,
                                  "startup": startup.map(|(flops, limit)| json!({"work": flops, "limit": limit}))}})
        };
        // Each request has an instance of its own, which starts when it comes: a function for each.
        let registered: Vec<&Described> = if has_instances {
            arrivals.iter().map(|(_, function)| &functions[*function]).collect()
        } else {
            functions.iter().collect()
        };
        let mut scenario = json!({
            "format": "hearth-scenario/1",
            "platform": {"hosts": [{"name": "node", "cores": cores, "speed": SPEED, "ram": "64GB"}]},
            "service": {"head": "node", "registry": "node", "nodes": ["node"], "processors": "shared",
                        "container_startup_overhead": 0.25},
            "functions": registered.iter().copied().enumerate().map(described).collect::<Vec<_>>(),
            "workload": {"invocations": arrivals.iter().enumerate().map(|(number, (at, function))| {
                let function = if has_instances { number } else { *function };
                json!({"at": *at as f64 / 1000.0, "function": format!("f{function}")})
            }).collect::<Vec<_>>()},
            "policies": {"keep_alive": {"use": "no-keep-alive"}, "autoscaling": {"use": "lambda"}},
        });
        if has_instances {
            scenario["service"]["instances"] = json!({"concurrency": 3});
        }
        let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let results = Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
        let expected = reckoned(f64::from(cores), &functions, &arrivals);
        for record in &results.records {
            prop_assert_eq!(record.dispatched_at, record.requested_at, "nobody needs a core");
            let end = record.finished_at.unwrap().as_nanos() as f64;
            let expected = expected[record.invocation as usize] * 1e9;
            prop_assert!((end - expected).abs() < 20.0, "{}: {end} ns, not {expected}", record.invocation);
        }
    }
}

/// What a body does for a while.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Sleep(f64),
    Compute(f64),
}

/// A body, the limit and weight of its containers, and their work and limit at the start.
type Described = (Vec<Phase>, (f64, f64), Option<(f64, f64)>);

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        1 => (0.0..2.0_f64).prop_map(Phase::Sleep),
        3 => prop_oneof![Just(10e9), 1e8..3e10_f64].prop_map(Phase::Compute),
    ]
}

fn limits() -> impl Strategy<Value = (f64, f64)> {
    (prop_oneof![Just(1.0), 0.1..1.0_f64], prop_oneof![Just(1.0), 0.2..5.0_f64])
}

fn startup() -> impl Strategy<Value = Option<(f64, f64)>> {
    prop::option::of((1e8..1e10_f64, prop_oneof![Just(2.0), 0.2..3.0_f64]))
}

/// One that is under way in the exact queue.
struct Job {
    /// What is still to come, the next last: what, how fast at the most in cores, and the weight.
    phases: Vec<(Phase, f64, f64)>,
    arrives: f64,
}

/// When each arrival ends, in seconds: from event to event, with rates worked out anew at each.
fn reckoned(cores: f64, functions: &[Described], arrivals: &[(u64, usize)]) -> Vec<f64> {
    let job = |&(at, function): &(u64, usize)| {
        let (body, (limit, weight), startup) = &functions[function];
        let start = startup.map(|(flops, limit)| (Phase::Compute(flops), limit, *weight));
        let overhead = (Phase::Sleep(0.25), 0.0, 0.0);
        let steps = body.iter().map(|phase| (*phase, *limit, *weight));
        let mut phases: Vec<_> = std::iter::once(overhead).chain(start).chain(steps).collect();
        phases.reverse();
        Job { phases, arrives: at as f64 / 1000.0 }
    };
    let mut jobs: Vec<Job> = arrivals.iter().map(job).collect();
    let (mut now, mut ends) = (0.0_f64, vec![f64::NAN; jobs.len()]);
    loop {
        let computes = |job: &Job| {
            let next = job.phases.last().filter(|_| job.arrives <= now);
            next.and_then(|(phase, limit, weight)| matches!(phase, Phase::Compute(_)).then_some((*limit, *weight)))
        };
        let wants: Vec<Option<(f64, f64)>> = jobs.iter().map(computes).collect();
        // The level up to which everybody gets their weight times as much, or their limit.
        let used = |level: f64| wants.iter().flatten().map(|(limit, weight)| limit.min(level * weight)).sum::<f64>();
        let (mut low, mut high) = (0.0, 1e3);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            (low, high) = if used(middle) > cores { (low, middle) } else { (middle, high) };
        }
        let rates: Vec<f64> =
            wants.iter().map(|want| want.map_or(0.0, |(limit, weight)| limit.min(low * weight) * SPEED)).collect();
        let date = |(number, job): (usize, &Job)| match job.phases.last() {
            None => None,
            Some(_) if job.arrives > now => Some((job.arrives, number)),
            Some((Phase::Sleep(left), ..)) => Some((now + left, number)),
            Some((Phase::Compute(left), ..)) => Some((now + left / rates[number], number)),
        };
        let next = jobs.iter().enumerate().filter_map(date).min_by(|one, other| one.0.total_cmp(&other.0));
        let Some((date, first)) = next else { return ends };
        for (job, rate) in jobs.iter_mut().zip(&rates) {
            if job.arrives <= now {
                match job.phases.last_mut() {
                    Some((Phase::Sleep(left), ..)) => *left -= date - now,
                    Some((Phase::Compute(left), ..)) => *left -= rate * (date - now),
                    None => {}
                }
            }
        }
        if jobs[first].arrives <= now {
            jobs[first].phases.pop();
            if jobs[first].phases.is_empty() {
                ends[first] = date;
            }
        }
        now = date;
    }
}
