//! Generators: invocations drawn from arrival processes and distributions, of functions with drawn popularity, memory and
//! startup time. Every purpose has a stream of random numbers of its own, derived from the seed.

mod arrivals;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;

use hearth_simcore::random::stream;
use hearth_simcore::time::{SimDuration, SimTime};
use rand_distr::Distribution as _;
use rand_distr::weighted::WeightedAliasIndex;
use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Arrival, ArrivalSource, DeclaredFunction, TraceError};
pub use crate::distribution::Distribution;
use crate::distribution::Sampler;
use crate::quantity::MAX_SECONDS;
use arrivals::Process;
pub use arrivals::{Arrivals, MixPart};

/// More functions are a slip of the pen: each takes about a kilobyte while the simulation runs.
pub(crate) const MAX_FUNCTIONS: u32 = 10_000_000;

/// A set of functions to draw.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionSet {
    /// How many; they are called 0, 1, …
    #[schemars(range(min = 1, max = MAX_FUNCTIONS))]
    pub count: u32,
    /// The exponent of Zipf's law of popularity: 0 (the default) makes all alike, 1 is common.
    #[serde(default)]
    pub zipf: f64,
    /// RAM of a container, in bytes, drawn for each function; without it, none.
    pub ram: Option<Distribution>,
    /// How long a container takes to start, in seconds, drawn for each function; without it, the service's time.
    pub cold_start: Option<Distribution>,
    /// A factor on all run times of a function, drawn for each; without it, 1.
    pub run_time_scale: Option<Distribution>,
}

/// What is to be generated.
///
/// ```
/// use hearth_serverless::workload::ArrivalSource;
/// use hearth_serverless::workload::generate::{Generator, GeneratorSpec};
/// let spec: GeneratorSpec = serde_json::from_str(r#"{
///     "arrivals": {"poisson": {"rate": 200}}, "requests": 1000,
///     "functions": {"count": 100, "zipf": 1, "ram": {"choice": [128e6, 256e6]}, "cold_start": {"uniform": {"min": 0.2, "max": 2}}},
///     "run_time": {"lognormal": {"median": 0.6, "sigma": 0.5}}
/// }"#)?;
/// spec.check()?;
/// let (mut generator, functions) = Generator::new(&spec, 100, 42);
/// assert_eq!(functions.len(), 100);
/// let first = generator.next_arrival()?.ok_or("none came")?;
/// assert!(first.at.as_secs_f64() < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneratorSpec {
    /// How requests come, of all functions together.
    pub arrivals: Arrivals,
    /// How long each runs, in seconds; without it, the bodies of the scenario's functions run. Functions that are drawn
    /// have none, and need it.
    pub run_time: Option<Distribution>,
    /// No requests after so many seconds.
    pub duration_s: Option<f64>,
    /// No more requests than this.
    pub requests: Option<u64>,
    /// The functions; without them, those of the scenario, all alike.
    pub functions: Option<FunctionSet>,
    /// Instead of functions: workflows of the scenario, all alike.
    #[schemars(length(min = 1))]
    pub workflows: Option<Vec<String>>,
    /// Whether each function has an arrival process of its own, with its share of the rate, instead of one process whose
    /// requests are for functions drawn by popularity.
    #[serde(default)]
    pub per_function: bool,
}

impl GeneratorSpec {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The place of what is wrong, and what it is.
    pub fn check(&self) -> Result<(), String> {
        let at = |place: &'static str| move |problem: String| format!("{place}: {problem}");
        self.arrivals.check().map_err(at("arrivals"))?;
        if matches!(self.arrivals, Arrivals::Mix(_)) && !self.per_function {
            return Err("arrivals: a mix needs \"per_function\": true".to_owned());
        }
        match (&self.run_time, &self.functions) {
            (Some(run_time), _) => run_time.check().map_err(at("run_time"))?,
            (None, Some(_)) => {
                return Err("missing field `run_time`: say how long requests of the drawn functions run".to_owned());
            }
            (None, None) => {}
        }
        if self.workflows.as_ref().is_some_and(Vec::is_empty) {
            return Err("workflows: there are none: name at least one".to_owned());
        }
        if self.workflows.is_some() && (self.functions.is_some() || self.run_time.is_some()) {
            return Err("has \"workflows\" beside \"functions\" or \"run_time\": keep one kind".to_owned());
        }
        if self.duration_s.is_none() && self.requests.is_none() {
            return Err("give duration_s or requests, or it would never end".to_owned());
        }
        if self.duration_s.is_some_and(|duration| !(0.0..=9e9).contains(&duration)) {
            return Err("duration_s: must be from 0 to 9e9".to_owned());
        }
        let Some(functions) = &self.functions else { return Ok(()) };
        let count = functions.count;
        if count == 0 || count > MAX_FUNCTIONS {
            // As much as the least that was measured.
            let gigabytes = f64::from(count) / 1e6;
            let need = if count == 0 { String::new() } else { format!(", which would need {gigabytes:.0} GB or more") };
            return Err(format!("functions.count: found {count}{need}, expected from 1 to {MAX_FUNCTIONS} functions"));
        }
        if !functions.zipf.is_finite() || functions.zipf < 0.0 {
            return Err("functions.zipf: must be at least 0".to_owned());
        }
        let drawn = [
            ("functions.ram", &functions.ram),
            ("functions.cold_start", &functions.cold_start),
            ("functions.run_time_scale", &functions.run_time_scale),
        ];
        drawn.into_iter().try_for_each(|(place, distribution)| {
            distribution.as_ref().map_or(Ok(()), |distribution| distribution.check().map_err(at(place)))
        })
    }
}

/// Draws invocations one after the other; memory does not grow with their number.
#[derive(Debug)]
pub struct Generator {
    kind: Kind,
    /// `None` where bodies run.
    run_times: Option<Sampler>,
    of_run_times: Pcg64Mcg,
    /// By function; empty where all are 1.
    scales: Vec<f64>,
    /// In seconds; where nobody gives one, the last that the clock holds.
    end: f64,
    ends_by_time: bool,
    left: u64,
}

#[derive(Debug)]
enum Kind {
    /// One process, and a function drawn for each request; none is drawn where there is but one.
    Together {
        process: Process,
        of_arrivals: Pcg64Mcg,
        popularity: Option<WeightedAliasIndex<f64>>,
        of_functions: Pcg64Mcg,
    },
    /// A process for each function, the next of each in a heap.
    Apart { processes: Vec<(Process, Pcg64Mcg)>, next: BinaryHeap<Reverse<(SimTime, u32)>> },
}

impl Generator {
    /// A generator of this seed, and the functions that it declares; without a set of functions it is for so many
    /// others. What is asked for has been [checked](GeneratorSpec::check).
    pub fn new(spec: &GeneratorSpec, others: u32, seed: u64) -> (Self, Vec<DeclaredFunction>) {
        let functions = spec.functions.as_ref();
        let count = functions.map_or(others, |functions| functions.count);
        let exponent = functions.map_or(0.0, |functions| functions.zipf);
        let weights: Vec<f64> = (1..=count).map(|rank| f64::from(rank).powf(-exponent)).collect();
        let kind =
            if spec.per_function { Kind::apart(spec, &weights, seed) } else { Kind::together(spec, weights, seed) };
        let generator = Self {
            kind,
            run_times: spec.run_time.as_ref().map(Distribution::sampler),
            of_run_times: stream(seed, "generate run times"),
            scales: draws(functions.and_then(|set| set.run_time_scale.as_ref()), count, seed, "generate scales"),
            end: spec.duration_s.unwrap_or(MAX_SECONDS),
            ends_by_time: spec.duration_s.is_some(),
            left: spec.requests.unwrap_or(u64::MAX),
        };
        (generator, functions.map_or_else(Vec::new, |functions| declare(functions, seed)))
    }
}

fn draws(distribution: Option<&Distribution>, count: u32, seed: u64, purpose: &str) -> Vec<f64> {
    let Some(distribution) = distribution else { return Vec::new() };
    let (sampler, mut random) = (distribution.sampler(), stream(seed, purpose));
    (0..count).map(|_| sampler.draw(&mut random)).collect()
}

fn declare(functions: &FunctionSet, seed: u64) -> Vec<DeclaredFunction> {
    let ram = draws(functions.ram.as_ref(), functions.count, seed, "generate ram");
    let cold_starts = draws(functions.cold_start.as_ref(), functions.count, seed, "generate cold starts");
    let declare = |number: usize| DeclaredFunction {
        name: number.to_string(),
        ram: ram.get(number).map_or(0, |bytes| bytes.round() as u64),
        startup_overhead: cold_starts.get(number).map(|seconds| SimDuration::from_secs_f64(*seconds)),
    };
    (0..functions.count as usize).map(declare).collect()
}

impl Kind {
    fn together(spec: &GeneratorSpec, weights: Vec<f64>, seed: u64) -> Self {
        Self::Together {
            process: spec.arrivals.process(1.0),
            of_arrivals: stream(seed, "generate arrivals"),
            // Refused only for no weights at all.
            popularity: WeightedAliasIndex::new(weights).ok(),
            of_functions: stream(seed, "generate functions"),
        }
    }

    fn apart(spec: &GeneratorSpec, weights: &[f64], seed: u64) -> Self {
        let all: f64 = weights.iter().sum();
        let (mut processes, mut next) = (Vec::new(), BinaryHeap::new());
        let mut of_kinds = stream(seed, "generate kinds of arrivals");
        for (number, weight) in weights.iter().enumerate() {
            let mut process = spec.arrivals.of_function(&mut of_kinds).process(weight / all);
            let mut random = stream(seed, &format!("generate arrivals of {number}"));
            next.push(Reverse((SimTime::from_secs_f64(process.next(&mut random)), number as u32)));
            processes.push((process, random));
        }
        Self::Apart { processes, next }
    }

    /// Date and function of the next request.
    fn next(&mut self) -> Option<(SimTime, u32)> {
        match self {
            Self::Together { process, of_arrivals, popularity, of_functions } => {
                let at = SimTime::from_secs_f64(process.next(of_arrivals));
                Some((at, popularity.as_ref()?.sample(of_functions) as u32))
            }
            Self::Apart { processes, next } => {
                let Reverse((at, function)) = next.pop()?;
                let (process, random) = &mut processes[function as usize];
                next.push(Reverse((SimTime::from_secs_f64(process.next(random)), function)));
                Some((at, function))
            }
        }
    }
}

impl ArrivalSource for Generator {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some((at, function)) = self.kind.next().filter(|(at, _)| at.as_secs_f64() < self.end) else {
            let left = std::mem::take(&mut self.left);
            return if self.ends_by_time { Ok(None) } else { Err(beyond_the_clock(left)) };
        };
        self.left -= 1;
        let Some(run_times) = &self.run_times else {
            return Ok(Some(Arrival { at, function, run_time: None }));
        };
        let scale = self.scales.get(function as usize).copied().unwrap_or(1.0);
        let seconds = scale * run_times.draw(&mut self.of_run_times);
        if seconds > MAX_SECONDS {
            return Err(too_long(seconds));
        }
        Ok(Some(Arrival { at, function, run_time: Some(SimDuration::from_secs_f64(seconds)) }))
    }
}

#[cold]
fn wrong(problem: String) -> TraceError {
    TraceError { file: PathBuf::from("workload.generate"), line: None, column: None, problem }
}

#[cold]
fn beyond_the_clock(left: u64) -> TraceError {
    wrong(format!(
        "the last {left} requests would come after {MAX_SECONDS:e} s: raise the rate of arrivals, which is in requests \
         a second, or give duration_s"
    ))
}

#[cold]
fn too_long(seconds: f64) -> TraceError {
    wrong(format!(
        "a request would run for {seconds:e} s, of at most {MAX_SECONDS:e} s: is run_time, which is in seconds, in \
         another unit, or its tail too heavy?"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(per_function: bool) -> GeneratorSpec {
        GeneratorSpec {
            arrivals: Arrivals::Poisson { rate: 100.0 },
            run_time: Some(Distribution::Constant(2.0)),
            workflows: None,
            duration_s: Some(1000.0),
            requests: None,
            functions: Some(FunctionSet {
                count: 3,
                zipf: 1.0,
                ram: Some(Distribution::Choice(vec![1e6, 2e6])),
                cold_start: None,
                run_time_scale: Some(Distribution::Choice(vec![1.0, 10.0])),
            }),
            per_function,
        }
    }

    fn all(spec: &GeneratorSpec, seed: u64) -> Vec<Arrival> {
        let mut generator = Generator::new(spec, 1, seed).0;
        std::iter::from_fn(|| generator.next_arrival().unwrap()).collect()
    }

    #[test]
    fn functions_of_a_mix_have_one_of_its_processes_each() {
        let part = |weight, arrivals| MixPart { weight, arrivals };
        let mut spec = spec(true);
        spec.arrivals = Arrivals::Mix(vec![
            part(1.0, Arrivals::Constant { rate: 20.0 }),
            part(3.0, Arrivals::Poisson { rate: 20.0 }),
        ]);
        (spec.functions.as_mut().unwrap().count, spec.functions.as_mut().unwrap().zipf) = (200, 0.0);
        spec.check().unwrap();
        let mut dates = vec![Vec::new(); 200];
        all(&spec, 1).iter().for_each(|arrival| dates[arrival.function as usize].push(arrival.at.as_nanos()));
        let is_regular =
            |dates: &Vec<u64>| dates.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(10_000_000_000) < 9);
        let regular = dates.iter().filter(|dates| is_regular(dates)).count();
        assert!((35..65).contains(&regular), "a quarter of 200: {regular}");
        spec.per_function = false;
        assert_eq!(spec.check().unwrap_err(), "arrivals: a mix needs \"per_function\": true");
        spec.per_function = true;
        spec.arrivals = Arrivals::Mix(vec![part(0.0, Arrivals::Constant { rate: 1.0 })]);
        assert_eq!(spec.check().unwrap_err(), "arrivals: mix: one weight at least must be above 0");
    }

    #[test]
    fn functions_come_by_popularity_whether_together_or_apart() {
        for per_function in [false, true] {
            let arrivals = all(&spec(per_function), 5);
            assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
            assert!((arrivals.len() as f64 / 100_000.0 - 1.0).abs() < 0.02);
            for (function, share) in [(0, 6.0 / 11.0), (1, 3.0 / 11.0), (2, 2.0 / 11.0)] {
                let found = arrivals.iter().filter(|arrival| arrival.function == function).count() as f64;
                assert!((found / arrivals.len() as f64 / share - 1.0).abs() < 0.03, "{function}: {found}");
            }
        }
    }

    #[test]
    fn the_seed_decides_everything_and_the_number_of_requests_can_be_given() {
        let spec = GeneratorSpec { requests: Some(50), ..spec(false) };
        assert_eq!(all(&spec, 1), all(&spec, 1));
        assert_ne!(all(&spec, 1), all(&spec, 2));
        assert_eq!(all(&spec, 1).len(), 50);
    }

    #[test]
    fn run_times_are_scaled_by_function() {
        let lengths: std::collections::BTreeSet<(u32, u64)> = all(&spec(false), 5)
            .iter()
            .map(|arrival| (arrival.function, arrival.run_time.unwrap().as_nanos()))
            .collect();
        assert_eq!(lengths.len(), 3, "one length a function: {lengths:?}");
    }

    #[test]
    fn what_the_clock_cannot_hold_is_refused() {
        let failure = |spec: &GeneratorSpec| {
            let mut generator = Generator::new(spec, 1, 0).0;
            loop {
                match generator.next_arrival() {
                    Ok(Some(_)) => {}
                    Ok(None) => break None,
                    Err(error) => break Some(error.to_string()),
                }
            }
        };
        let rare = Arrivals::Constant { rate: 1e-9 };
        let mut spec = GeneratorSpec { arrivals: rare, duration_s: None, requests: Some(20), ..spec(false) };
        let expected = "workload.generate: the last 11 requests would come after 9e9 s: raise the rate of arrivals, which is \
                        in requests a second, or give duration_s";
        assert_eq!(failure(&spec).as_deref(), Some(expected));
        spec.duration_s = Some(9e9);
        assert_eq!(failure(&spec), None);
        (spec.run_time, spec.functions) = (Some(Distribution::Constant(1e10)), None);
        let long = failure(&spec).unwrap();
        assert!(
            long.starts_with("workload.generate: a request would run for 1e10 s, of at most 9e9 s: is run_time"),
            "{long}"
        );
    }
}
