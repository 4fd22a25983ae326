//! What requests of a source do that says how long they run: they sleep, or part of that is work of processors.

use hearth_simcore::time::SimDuration;

use crate::Simulation;
use crate::function::{Body, FunctionId, Limits, Step};
use crate::node::Node;
use crate::service::{ServerlessComputeService, Service};
use crate::table::Table;

/// How much of the run times that a trace or generator tells is work of processors, and on which machine it takes that long. The rest is
/// time that passes, after it.
///
/// ```
/// use hearth_serverless::RunTimeWork;
/// let work = RunTimeWork { share: 0.6, ..RunTimeWork::default() };
/// assert_eq!((RunTimeWork::default().share, work.speed), (1.0, None));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RunTimeWork {
    /// The share of each run time that computes, from 0 to 1.
    pub share: f64,
    /// The speed of a core of the machine on which run times were measured, in flop/s; without it, the node on which it takes longest
    /// for a container that is alone.
    pub speed: Option<f64>,
}

impl Default for RunTimeWork {
    /// All of it, on the slowest node.
    fn default() -> Self {
        Self { share: 1.0, speed: None }
    }
}

/// How run times become bodies.
#[derive(Debug)]
pub(in crate::service) struct RunTimes {
    share: f64,
    /// By function: what one computation gets in a container that is alone, in flop/s.
    rates: Table<FunctionId, f64>,
}

impl RunTimes {
    /// What a request does that runs for so long where it is alone.
    pub fn body(&self, function: FunctionId, run_time: SimDuration) -> Body {
        let nanos = (run_time.as_nanos() as f64 * self.share).round() as u64;
        let computing = SimDuration::from_nanos(nanos).min(run_time);
        let rate = self.rates.find(function).copied().unwrap_or_default();
        if computing == SimDuration::ZERO {
            return Body::Sleep(run_time);
        }
        let work = Step::Compute(computing.as_secs_f64() * rate);
        let rest = SimDuration::from_nanos(run_time.as_nanos() - computing.as_nanos());
        if rest == SimDuration::ZERO { Body::steps([work]) } else { Body::steps([work, Step::Sleep(rest)]) }
    }
}

impl ServerlessComputeService {
    /// Has requests of a source compute that says how long they run, for all functions that are registered: call it before the
    /// simulation runs.
    pub fn set_run_time_work(&self, simulation: &mut Simulation, work: RunTimeWork) {
        simulation.with_model_mut(|model, _| model.service().set_run_time_work(work));
    }
}

impl Service {
    fn set_run_time_work(&mut self, RunTimeWork { share, speed }: RunTimeWork) {
        let is_shared = self.cluster.shares_processors();
        let cores = |limits: &Limits| {
            let processors = limits.processors.unwrap_or_default();
            if is_shared { processors.limit.min(processors.threads) } else { 1.0 }
        };
        let on_slowest = |limits: &Limits| {
            let on = |node: &Node| node.speed * cores(limits).min(f64::from(node.cores));
            self.cluster.nodes().iter().map(on).fold(f64::INFINITY, f64::min)
        };
        let rate = |limits: &Limits| speed.map_or_else(|| on_slowest(limits), |speed| speed * cores(limits));
        let rates: Vec<f64> = self.registry.functions().iter().map(|function| rate(&function.limits)).collect();
        self.work.run_times = Some(RunTimes { share, rates: rates.into() });
    }
}
