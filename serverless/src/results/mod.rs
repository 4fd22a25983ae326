//! What results look like outside: the summary, and the tables of invocations, functions and the course of time.
//!
//! ```
//! # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
//! use hearth_serverless::results::{Summary, write_invocations};
//! # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
//! #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
//! #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
//! #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": "500ms"}]}]}}"#)?;
//! # let results = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN))?.run()?;
//! let summary = Summary::new(&results);
//! assert_eq!((summary.latency.mean, summary.makespan_s), (0.5, 2.0));
//! let mut table = Vec::new();
//! write_invocations(&results, &mut table)?;
//! let row = "0,f,1.500000000,1.500000000,1.500000000,1.500000000,2.000000000,all,cold,completed,";
//! assert_eq!(String::from_utf8(table)?.lines().nth(1), Some(row));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attempts;
mod books;
mod causes;
mod distributions;
#[cfg(test)]
mod documented;
mod functions;
mod held_table;
mod instances;
mod intervals;
mod invocations;
mod metric;
mod nodes;
mod outcome;
#[cfg(feature = "parquet")]
mod parquet;
mod recorder;
mod run_table;
mod story;
mod streamed_table;
mod summary;
mod table;
mod time_series;
mod timeline;
mod unit;
mod workflow_summary;
mod workflows;

pub(crate) use attempts::Attempts;
pub(crate) use books::Books;
pub use causes::{hold_cause_totals, write_cause_totals};
pub use distributions::{hold_distributions, write_distributions};
pub use functions::{hold_functions, write_functions};
pub use held_table::{HeldColumn, HeldTable, TablePlace, Values, WrongCell};
pub(crate) use instances::{InstanceRecord, table as instance_table};
pub use intervals::{Intervals, Summed};
pub use invocations::{InvocationBatches, InvocationsCsv, write_invocations};
pub use metric::{DEFINITIONS, Definition, Metric, Numbers, Over, Part, Section, Shape};
pub(crate) use nodes::{NodeRecord, table as node_table};
pub use outcome::{About, Results};
#[cfg(feature = "parquet")]
pub use parquet::{InvocationsParquet, ParquetRows};
pub(crate) use recorder::Recorder;
pub use recorder::{RecordSink, SinkError};
pub use run_table::RunTable;
pub(crate) use story::Telling;
pub use story::{FaultBegun, Story, StoryEvent};
pub(crate) use streamed_table::StreamedTable;
pub use summary::{
    CostSummary, DistributionSummary, DrainSummary, EnergySummary, FaultSummary, FunctionsSummary, InstancesSummary,
    MeasuredSummary, MemorySummary, NodesSummary, ProcessorSummary, RequestSets, ServiceLevel, Summary,
};
pub(crate) use table::Column;
pub use table::{Cell, ColumnDescription, ColumnHead, ColumnType, CsvRows, TableTarget};
pub(crate) use time_series::{Extras, InstanceCounts, Standing, TimeSeries};
pub(crate) use timeline::{Move, Phase, Served, Timeline};
pub use unit::{Unit, trimmed};
pub use workflow_summary::{PathSummary, WorkflowsSummary};
pub(crate) use workflows::WorkflowRuns;
