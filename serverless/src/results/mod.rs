//! What results look like outside: the summary and the table of invocations.
//!
//! ```
//! # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
//! use hearth_serverless::results::{Summary, write_invocations};
//! # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
//! #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
//! #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
//! #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": "500ms"}]}]}}"#)?;
//! # let results = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN))?.run()?;
//! let summary = Summary::new(&results, 0.001);
//! assert_eq!((summary.latency.mean, summary.makespan_s), (0.5, 2.0));
//! let mut table = Vec::new();
//! write_invocations(&results, &mut table)?;
//! let row = "0,f,1.500000000,1.500000000,1.500000000,1.500000000,2.000000000,all,cold,completed,";
//! assert_eq!(String::from_utf8(table)?.lines().nth(1), Some(row));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod invocations;
mod summary;

pub use invocations::write_invocations;
pub use summary::{DistributionSummary, Summary};
