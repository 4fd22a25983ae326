//! DSLab FaaS on a trace of Hearth: `peer-dslab FUNCTIONS.csv TRACE.csv NODES first-fit|least-loaded`.
//!
//! Functions have memory and a time that a cold start takes, nodes have 65 536 MB and more cores than are needed, and idle
//! containers are kept for 600 s, as in `scenario.json` beside this.

use std::collections::HashMap;
use std::error::Error;

use dslab_faas::coldstart::FixedTimeColdStartPolicy;
use dslab_faas::config::Config;
use dslab_faas::cpu::IgnoredCpuPolicy;
use dslab_faas::resource::ResourceProvider;
use dslab_faas::scheduler::{BasicScheduler, LeastLoadedScheduler, Scheduler};
use dslab_faas::simulation::ServerlessSimulation;
use dslab_faas::trace::{ApplicationData, RequestData, Trace};
use simcore::simulation::Simulation;

const MEMORY: &str = "memory";
const NODE_MEMORY_MB: u64 = 65_536;
const NODE_CORES: u32 = 100_000;
const KEEP_ALIVE_S: f64 = 600.0;

/// Functions, each an application of its own, and their requests in the order of time.
struct Rows {
    functions: Vec<ApplicationData>,
    requests: Vec<RequestData>,
}

impl Rows {
    fn read(functions_path: &str, trace_path: &str) -> Result<Self, Box<dyn Error>> {
        let (mut numbers, mut functions) = (HashMap::new(), Vec::new());
        for row in csv::Reader::from_path(functions_path)?.into_deserialize() {
            let (name, memory_mb, cold_start_s): (String, f64, f64) = row?;
            numbers.insert(name, functions.len());
            functions.push(ApplicationData::new(1, cold_start_s, 1.0, vec![(MEMORY.to_owned(), memory_mb as u64)]));
        }
        let mut requests = Vec::new();
        for row in csv::Reader::from_path(trace_path)?.into_deserialize() {
            let (time, name, duration): (f64, String, f64) = row?;
            let id = *numbers.get(&name).ok_or_else(|| format!("{trace_path}: no function {name:?}"))?;
            requests.push(RequestData { id, duration, time });
        }
        Ok(Self { functions, requests })
    }
}

impl Trace for Rows {
    fn app_iter(&self) -> Box<dyn Iterator<Item = ApplicationData> + '_> {
        Box::new(self.functions.iter().cloned())
    }

    fn request_iter(&self) -> Box<dyn Iterator<Item = RequestData> + '_> {
        Box::new(self.requests.iter().copied())
    }

    fn function_iter(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        Box::new(0..self.functions.len())
    }

    fn is_ordered_by_time(&self) -> bool {
        true
    }

    fn simulation_end(&self) -> Option<f64> {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [functions, trace, nodes, scheduler] = arguments.as_slice() else {
        return Err("usage: peer-dslab FUNCTIONS.csv TRACE.csv NODES first-fit|least-loaded".into());
    };
    let rows = Rows::read(functions, trace)?;
    let scheduler: Box<dyn Scheduler> = match scheduler.as_str() {
        "first-fit" => Box::new(BasicScheduler {}),
        "least-loaded" => Box::new(LeastLoadedScheduler::new(true, true, true)),
        other => return Err(format!("{other} is neither first-fit nor least-loaded").into()),
    };
    let config = Config {
        cpu_policy: Box::new(IgnoredCpuPolicy::default()),
        coldstart_policy: Box::new(FixedTimeColdStartPolicy::new(KEEP_ALIVE_S, 0.0, true)),
        scheduler,
        ..Config::default()
    };
    let mut simulation = ServerlessSimulation::new(Simulation::new(1), config);
    for _ in 0..nodes.parse::<u32>()? {
        let memory = simulation.create_resource(MEMORY, NODE_MEMORY_MB);
        simulation.add_host(None, ResourceProvider::new(vec![memory]), NODE_CORES);
    }
    simulation.load_trace(&rows);
    simulation.step_until_no_events();
    let counts = simulation.invocation_stats();
    println!("{} invocations, {} cold starts", counts.invocations, counts.cold_starts);
    Ok(())
}
