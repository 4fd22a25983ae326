//! Traces of millions of requests: from rows on disk to the summary, and from a generator, with memory. One core.
//!
//! The workload is that on which DSLab FaaS was measured: Zipf's popularity, 200 requests a second, functions without
//! image on nodes of 65 536 MB, memory the only constraint, keep-alive 600 s. `HEARTH_BENCH_REQUESTS` sets how many the
//! longest generated run has (10 000 000 without it).

use std::error::Error;
use std::path::Path;

use hearth_bench::{measure, measure_requests, run};
use hearth_serverless::scenario::Scenario;
use hearth_serverless::workload::generate::{Generator, GeneratorSpec};
use hearth_serverless::workload::{ArrivalSource, CsvTrace, TraceError, write_functions, write_trace};
use serde_json::{Value, json};

const REQUESTS: u64 = 1_000_000;

fn generator(functions: u32, requests: u64) -> Value {
    json!({
        "arrivals": {"poisson": {"rate": 200}}, "requests": requests,
        "functions": {"count": functions, "zipf": 1, "ram": {"choice": [128e6, 256e6, 512e6, 1024e6]},
                      "cold_start": {"uniform": {"min": 0.2, "max": 2.2}}},
        "run_time": {"lognormal": {"median": 0.6, "sigma": 0.5}},
    })
}

fn scenario(nodes: u32, policy: &str, workload: &Value) -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf"},
            {"name": "node", "count": nodes, "cores": 100_000, "speed": "1Gf", "ram": "65536MB"},
        ]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "workload": workload,
        "policies": {"node_allocation": {"use": policy}},
    })
}

/// Writes the rows and the functions of a trace into a folder, and gives the workload that reads them.
fn write_rows(folder: &Path, functions: u32) -> Result<Value, Box<dyn Error>> {
    let spec: GeneratorSpec = serde_json::from_value(generator(functions, REQUESTS))?;
    let (mut source, declared) = Generator::new(&spec, 0, 7);
    let names: Vec<String> = declared.iter().map(|function| function.name.clone()).collect();
    let file = |name: &str| folder.join(format!("{functions}.{name}.csv"));
    write_trace(&file("trace"), &mut source, &names)?;
    write_functions(&file("functions"), &declared)?;
    let read = || -> Result<u64, TraceError> {
        let mut rows = CsvTrace::open(&file("trace"), &names, false)?;
        let mut count = 0;
        while rows.next_arrival()?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    assert_eq!(read()?, REQUESTS);
    measure(&format!("{functions} functions, the rows alone"), "request", REQUESTS, read);
    Ok(json!({"trace": {"format": "csv", "path": file("trace"), "functions_path": file("functions")}}))
}

/// The most memory that this process has had, in MB; `None` where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1000)
}

fn main() -> Result<(), Box<dyn Error>> {
    // Before anything else has grown the process.
    let longest =
        std::env::var("HEARTH_BENCH_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10 * REQUESTS);
    for requests in [REQUESTS, longest] {
        let workload = json!({"generate": generator(10_000, requests)});
        let scenario = Scenario::from_json(&scenario(1_000, "first-fit", &workload).to_string())?;
        let (before, start) = (hearth_bench::hold_step_ns(), hearth_bench::Stopwatch::start());
        run(&scenario)?;
        let nanos = start.elapsed().as_secs_f64() * 1e9 / requests as f64;
        let steps = nanos / before.midpoint(hearth_bench::hold_step_ns());
        let memory = peak_memory().map_or("unknown".to_owned(), |memory| format!("{memory} MB"));
        println!(
            "{requests} generated, 10 000 functions, 1 000 nodes: {nanos:.1} ns, {steps:.2} hold steps a request; peak memory {memory}"
        );
    }
    let folder = std::env::temp_dir().join(format!("hearth-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (few, many) = (write_rows(&folder, 100)?, write_rows(&folder, 10_000)?);
    let mut costs = Vec::new();
    for (policy, functions, workload, nodes) in [
        ("first-fit", 100, &few, 200),
        ("first-fit", 100, &few, 1_000),
        ("first-fit", 10_000, &many, 200),
        ("first-fit", 10_000, &many, 1_000),
        ("least-loaded", 10_000, &many, 1_000),
        ("least-loaded", 10_000, &many, 10_000),
    ] {
        let name = format!("{policy}, {functions} functions, {nodes} nodes");
        costs.push(measure_requests(&name, REQUESTS, &scenario(nodes, policy, workload))?);
    }
    println!("five times the nodes: {:.2} and {:.2} times the cost", costs[1] / costs[0], costs[3] / costs[2]);
    println!("least-loaded on ten times the nodes: {:.2} times the cost", costs[5] / costs[4]);
    Ok(std::fs::remove_dir_all(&folder)?)
}
