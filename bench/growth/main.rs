//! How the cost of a whole run grows: with requests, functions, nodes, the length of the queue, and whatever else there
//! may be much of. A run of each case is measured at three sizes, and the slope of the logarithms says with which power of
//! the size its cost grows: about 1 where every unit costs the same.
//!
//! `cargo bench --bench growth -- queue` measures the cases whose names begin so, and `-- queue 3000` runs them once at that
//! size and measures nothing, for a profiler.

mod cases;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cases::{CASES, Case};
use hearth_bench::{best_of, run};
use hearth_serverless::scenario::Scenario;

/// Cost that grows faster is marked.
const MARKED: f64 = 1.1;

/// The slope of the line through points by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    covariance / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

fn read(case: &Case, size: u64) -> Result<Scenario, Box<dyn Error>> {
    Ok(Scenario::from_json(&(case.scenario)(size, case.policy).to_string())?)
}

/// Hold steps of a run, the best of several.
fn cost(scenario: &Scenario) -> Result<f64, Box<dyn Error>> {
    let mut outcome = Ok(());
    let cost = best_of(5, Duration::from_millis(500), || match run(scenario) {
        Ok(results) => drop(black_box(results)),
        Err(error) => outcome = Err(error),
    });
    outcome.map(|()| cost.steps)
}

fn row(case: &Case) -> Result<String, Box<dyn Error>> {
    let (mut points, mut of_one) = (Vec::new(), Vec::new());
    for size in case.sizes {
        let steps = cost(&read(case, size)?)?;
        points.push(((size as f64).ln(), steps.ln()));
        of_one.push(format!("{:.1}", steps / size as f64));
    }
    let (sizes, of_one, exponent) =
        (case.sizes.map(|size| size.to_string()).join(", "), of_one.join(", "), slope(&points));
    let mark = if exponent > MARKED { " (!)" } else { "" };
    Ok(format!("| {} | {sizes} | {of_one} per {} | {exponent:.2}{mark} |", case.title(), case.unit))
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let wanted = arguments.next().unwrap_or_default();
    let size: Option<u64> = arguments.next().map(|size| size.parse()).transpose()?;
    let mut cases = CASES.iter().filter(|case| case.title().starts_with(&wanted));
    if let Some(size) = size {
        return cases.try_for_each(|case| run(&read(case, size)?).map(drop));
    }
    println!("| what grows | to | hold steps | exponent |\n|---|---|---|---|");
    for case in cases {
        println!("{}", row(case)?);
    }
    println!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
