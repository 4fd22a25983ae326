//! What the latency of an invocation is made of: every nanosecond from the request to the end of the body has a cause.
//!
//! ```
//! # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
//! use hearth_serverless::causes::Cause;
//! # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
//! #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
//! #     "service": {"head": "all", "registry": "all", "nodes": ["all"], "container_startup_overhead": "1s"},
//! #     "functions": [{"name": "f"}],
//! #     "workload": {"invocations": [{"at": 0, "function": "f", "body": [{"sleep": "2s"}]},
//! #                                  {"at": 1, "function": "f", "body": [{"sleep": "2s"}]}]}}"#)?;
//! # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
//! // One core, two invocations of 2 s each a second after the other, and 1 s to start a container.
//! let results = Experiment::prepare(&scenario, &catalog)?.explained().run()?;
//! let causes = results.records[1].causes.as_ref().ok_or("it was explained")?;
//! let seconds = |cause| causes.parts.of(cause).as_secs_f64();
//! assert_eq!((seconds(Cause::CoresBusy), seconds(Cause::Work)), (2.0, 2.0));
//! assert_eq!(causes.parts.sum().as_secs_f64(), 4.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cause;
mod cold_start;
mod parts;
mod totals;
mod undone;

pub use cause::{Cause, Family};
pub use cold_start::{ColdStart, ColdStartCause};
pub use parts::Parts;
pub use totals::{CauseTotals, Sum, Sums};
pub use undone::{ContainerEnd, Sought, Undone};

/// Why an invocation took as long as it did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Causes {
    /// Its latency, by cause.
    pub parts: Parts,
    /// Why there was no container for it, if it had a cold start.
    pub cold_start: Option<ColdStart>,
}
