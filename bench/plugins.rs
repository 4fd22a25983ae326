//! What it costs that a policy is loaded: the same policy built in and from its library, call by call and in a whole run
//! that does little but decide (1 000 nodes, a million invocations without images).

use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

use hearth_bench::hold_step_ns;
use hearth_policy_api::boundary::loader::PolicyLibrary;
use hearth_policy_api::boundary::{NodeAllocationObject, Seat};
use hearth_policy_api::testkit::TestCluster;
use hearth_policy_api::{Parameters, PolicyContext, PolicyDescriptor, RequestView};
use hearth_serverless::metrics::Metrics;
use hearth_serverless::policy::PolicyChoice;
use hearth_serverless::prelude::*;
use hearth_simcore::random::stream;
use rand::RngExt;
use serde_json::Value;

const NODES: usize = 1_000;
const REQUESTS: u64 = 1_000_000;
const FUNCTIONS: u32 = 100;
const RUNS: usize = 5;

/// Makes a library of a policy, with the optimisations of this program: `dist` has them, and with `bench` Cargo makes a program
/// of benchmarks.
fn library(package: &str) -> Result<PathBuf, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    command.args(["rustc", "--package", package, "--lib", "--crate-type", "cdylib", "--profile", "dist"]);
    let output = command.arg("--message-format=json").output()?;
    let said = String::from_utf8(output.stdout)?;
    let made = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["crate_types"] == serde_json::json!(["cdylib"]))
        .find_map(|message| Some(PathBuf::from(message["filenames"][0].as_str()?)));
    made.ok_or_else(|| format!("{package} has made no library").into())
}

/// Poisson arrivals, 200 a second, of functions with Zipf's popularity; they run for half a second on average.
fn workload(functions: &[FunctionId]) -> Vec<PlannedInvocation> {
    let mut random = stream(7, "plugins bench");
    let mut popularity: Vec<f64> = Vec::new();
    for number in 0..FUNCTIONS {
        popularity.push(popularity.last().unwrap_or(&0.0) + 1.0 / f64::from(number + 1));
    }
    let all = popularity.last().copied().unwrap_or(1.0);
    let mut now = 0.0;
    let mut arrival = || {
        now -= (1.0_f64 - random.random::<f64>()).ln() / 200.0;
        let draw = random.random::<f64>() * all;
        let function = popularity.partition_point(|share| *share < draw).min(functions.len() - 1);
        let body =
            Body::steps([Step::Sleep(SimDuration::from_secs_f64(-(1.0_f64 - random.random::<f64>()).ln() / 2.0))]);
        PlannedInvocation {
            at: Some(SimTime::from_secs_f64(now)),
            after: Vec::new(),
            delay: SimDuration::ZERO,
            callee: functions[function].into(),
            body: Some(body),
        }
    };
    (0..REQUESTS).map(|_| arrival()).collect()
}

fn run(policies: PolicySet) -> Result<(f64, Metrics), Box<dyn Error>> {
    let platform = PlatformBuilder::new()
        .host("head", HostSpec::new(1, 1e9))
        .group("node", NODES, HostSpec::new(1000, 1e9).ram(64 * GB))
        .build()?;
    let mut simulation = Simulation::new(platform, 1);
    let service =
        ServerlessComputeService::builder("head").nodes(&["node-*"]).policies(policies).start(&mut simulation)?;
    let register = |number: u32| {
        let function = Function {
            name: number.to_string(),
            image: None,
            limits: Limits { ram: (128 << (number % 4)) * MB, ..Limits::default() },
            startup_overhead: Some(SimDuration::from_secs_f64(0.5)),
            body: Body::steps([]),
        };
        service.register(&mut simulation, function)
    };
    let functions: Vec<FunctionId> = (0..FUNCTIONS).map(register).collect::<Result<_, _>>()?;
    service.set_workload(&mut simulation, workload(&functions))?;
    let start = Instant::now();
    simulation.run()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, service.close(&mut simulation).0))
}

/// The same run with the policy built in and loaded, in turns; the best of each counts.
fn compare_runs(name: &str) -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let defaults = PolicySet::defaults(&catalog)?;
    let loaded =
        PolicyChoice { library: Some(library(&format!("hearth-node-allocation-{name}"))?), ..PolicyChoice::default() };
    let factories = [catalog.node_allocation(name)?, catalog.node_allocation(loaded)?];
    let mut best = [f64::INFINITY; 2];
    let mut cold_starts = [0; 2];
    let mut hold_step = f64::INFINITY;
    for _ in 0..RUNS {
        for (which, node_allocation) in factories.iter().enumerate() {
            let policies = PolicySet { node_allocation: node_allocation.clone(), ..defaults.clone() };
            hold_step = hold_step.min(hold_step_ns());
            let (seconds, metrics) = run(policies)?;
            best[which] = best[which].min(seconds);
            cold_starts[which] = metrics.cold_starts;
        }
    }
    assert_eq!(cold_starts[0], cold_starts[1], "{name} does not do the same when it is loaded");
    let a_request = |seconds: f64| seconds * 1e9 / REQUESTS as f64;
    let [built_in, loaded] = best;
    println!(
        "{name}: built in {built_in:.3} s, {:.1} ns, {:.2} hold steps a request; loaded {loaded:.3} s, {:.1} ns: {:+.1} %",
        a_request(built_in),
        a_request(built_in) / hold_step,
        a_request(loaded),
        100.0 * (loaded / built_in - 1.0),
    );
    Ok(())
}

fn make(policy: &PolicyDescriptor) -> Option<NodeAllocationObject> {
    let parameters = Parameters::defaults(&policy.parameters());
    let context = PolicyContext { seed: 1, nodes: NODES as u32, ..PolicyContext::default() };
    policy.make(&parameters, &Seat::new(&context, &Rc::default())).ok()
}

/// Nanoseconds of one call that finds its node at once.
fn call_ns(policy: &mut NodeAllocationObject) -> f64 {
    let cluster = TestCluster::new(NODES);
    let (view, request) = (cluster.view(), RequestView::default());
    let calls = 5_000_000;
    let start = Instant::now();
    for _ in 0..calls {
        let _ = black_box(policy.place(black_box(&request), black_box(&view)));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn compare_calls() -> Result<(), Box<dyn Error>> {
    let built_in = hearth_plugins::BUILT_IN.iter().find(|policy| policy.name() == "first-fit");
    let loaded = Rc::new(PolicyLibrary::open(&library("hearth-node-allocation-first-fit")?)?);
    let objects = [built_in.and_then(make), loaded.policies.first().and_then(make)];
    let [Some(mut built_in), Some(mut loaded)] = objects else { return Err("first-fit cannot be made".into()) };
    let mut best = [f64::INFINITY; 2];
    for _ in 0..RUNS {
        best = [best[0].min(call_ns(&mut built_in)), best[1].min(call_ns(&mut loaded))];
    }
    let [built_in, loaded] = best;
    println!("a call of first-fit: built in {built_in:.2} ns, loaded {loaded:.2} ns: {:+.2} ns", loaded - built_in);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    compare_calls()?;
    ["first-fit", "least-loaded"].into_iter().try_for_each(compare_runs)
}
