//! What a share of a plan costs beyond the runs themselves: a thousand runs of small scenarios, one thread, as `hearth sweep work`
//! does them. The runs alone are scenarios that have been read, which are got ready, simulated and summed up; what is beyond is reading the
//! plan, setting values, opening traces, writing what each run writes, packing it, and who is at what.

use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use hearth_serverless::experiment::Experiment;
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::{Scenario, ScenarioText};
use hearth_sim::{Part, PlannedSweep, Share};
use serde_json::{Value, json};

const RUNS: usize = 1_000;
const ROUNDS: usize = 5;

/// The time that passes, and processor time of all threads of this process; the latter where the system tells it.
#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    processor: Option<Duration>,
}

/// Processor time of this process, in steps of ten milliseconds.
fn processor_time() -> Option<Duration> {
    let about = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name of the program, which may have spaces in it.
    let mut fields = about.rsplit(')').next()?.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(10 * ticks))
}

fn spent<T>(work: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<(T, Spent), Box<dyn Error>> {
    let (start, processor) = (Instant::now(), processor_time());
    let outcome = work()?;
    let wall = start.elapsed();
    let processor = processor.and_then(|before| processor_time()?.checked_sub(before));
    Ok((outcome, Spent { wall, processor }))
}

fn scenario(workload: &Value) -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf"},
            {"name": "node", "count": 4, "cores": 8, "speed": "1Gf", "ram": "16GB"},
        ]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "workload": workload,
    })
}

/// Each seed's scenario, run alone.
fn alone(scenarios: &[Scenario]) -> Result<f64, Box<dyn Error>> {
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let mut events = 0.0;
    for scenario in scenarios {
        let results = Experiment::prepare(scenario, &catalog)?.without_records().run()?;
        events += serde_json::to_value(Summary::new(&results))?["events"].as_f64().unwrap_or(0.0);
    }
    Ok(events)
}

fn share(folder: &Path) -> Result<(), Box<dyn Error>> {
    let all = Share::new(1, 1).ok_or("no share")?;
    let work = PlannedSweep::open(folder)?.work(&Part::Share(all), NonZeroUsize::MIN)?;
    assert_eq!((work.done, work.failed.len()), (RUNS, 0));
    Ok(())
}

/// The least of several, by turns, in microseconds of a run.
fn bench(name: &str, folder: &Path, workload: &Value) -> Result<(), Box<dyn Error>> {
    let file = folder.join("scenario.json");
    fs::write(&file, scenario(workload).to_string())?;
    let (text, seeds) = (ScenarioText::read(&file)?, format!("1..{RUNS}"));
    let of_seed = |seed: usize| Ok(text.with(&[format!("seed={seed}").parse()?])?);
    let scenarios = (1..=RUNS).map(of_seed).collect::<Result<Vec<Scenario>, Box<dyn Error>>>()?;
    let (mut of_runs, mut of_shares) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let plan = folder.join(format!("plan-{round}"));
        let arguments = [file.to_str(), Some("--seeds"), Some(&seeds), Some("--output"), plan.to_str()];
        PlannedSweep::plan(arguments.into_iter().collect::<Option<Vec<&str>>>().ok_or("no text")?)?;
        of_runs.push(spent(|| alone(&scenarios))?.1);
        of_shares.push(spent(|| share(&plan))?.1);
        fs::remove_dir_all(plan)?;
    }
    let a_run = |time: Duration| time.as_secs_f64() * 1e6 / RUNS as f64;
    let least = |all: &[Spent], of: fn(&Spent) -> Option<Duration>| all.iter().filter_map(of).min().map(a_run);
    for (what, of) in
        [("processor", (|spent| spent.processor) as fn(&Spent) -> Option<Duration>), ("wall", |spent| Some(spent.wall))]
    {
        if let Some((alone, share)) = least(&of_runs, of).zip(least(&of_shares, of)) {
            println!(
                "{name:<24} {what:<10} {alone:>8.0} us a run alone {share:>8.0} in a share {:>8.0} beyond",
                share - alone
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("hearth-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let generated = |requests: u64| {
        json!({"generate": {
            "arrivals": {"poisson": {"rate": 5}}, "requests": requests,
            "functions": {"count": 20, "zipf": 1, "ram": {"constant": 128e6}, "cold_start": {"constant": 0.5}},
            "run_time": {"exponential": {"mean": 0.2}}}})
    };
    bench("100 requests", &folder, &generated(100))?;
    bench("2 000 requests", &folder, &generated(2_000))?;
    let rows: String = (0..2_000).map(|row| format!("{row},f{},0.3\n", row % 20)).collect();
    fs::write(folder.join("trace.csv"), format!("arrival_s,function,duration_s\n{rows}"))?;
    let functions: String = (0..20).map(|number| format!("f{number},128,0.5\n")).collect();
    fs::write(folder.join("functions.csv"), format!("function,memory_mb,cold_start_s\n{functions}"))?;
    let trace = json!({"trace": {"format": "csv", "path": "trace.csv", "functions_path": "functions.csv"}});
    bench("2 000 rows of a trace", &folder, &trace)?;
    Ok(fs::remove_dir_all(&folder)?)
}
