//! The tables that a run writes.

use super::About;
use super::table::{Column, ColumnDescription};
use super::{attempts, causes, distributions, functions, instances, invocations, nodes, time_series, workflows};

/// A table of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunTable {
    /// One row an invocation.
    Invocations,
    /// One row an invocation: what its latency is made of.
    Causes,
    /// One row a cause.
    CauseTotals,
    /// One row an attempt.
    Attempts,
    /// One row an instance.
    Instances,
    /// One row a time that a node of a pool was on.
    Nodes,
    /// One row a run of a workflow.
    Workflows,
    /// One row a function.
    Functions,
    /// One row a share.
    Distributions,
    /// One row an interval.
    TimeSeries,
}

impl RunTable {
    /// All tables.
    pub const ALL: [Self; 10] = [
        Self::Invocations,
        Self::Causes,
        Self::CauseTotals,
        Self::Attempts,
        Self::Instances,
        Self::Nodes,
        Self::Workflows,
        Self::Functions,
        Self::Distributions,
        Self::TimeSeries,
    ];

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Invocations => "invocations.csv",
            Self::Causes => "causes.csv",
            Self::CauseTotals => "cause_totals.csv",
            Self::Attempts => "attempts.csv",
            Self::Instances => "instances.csv",
            Self::Nodes => "nodes.csv",
            Self::Workflows => "workflows.csv",
            Self::Functions => "functions.csv",
            Self::Distributions => "distributions.csv",
            Self::TimeSeries => "timeseries.csv",
        }
    }

    /// Its columns, in their order.
    ///
    /// ```
    /// use hearth_serverless::results::{RunTable, Unit};
    /// let columns = RunTable::TimeSeries.columns();
    /// assert_eq!((columns[0].head.name.as_str(), columns[0].unit), ("time_s", Unit::Seconds));
    /// ```
    pub fn columns(self) -> Vec<ColumnDescription> {
        fn described<R>(columns: &[Column<R>]) -> Vec<ColumnDescription> {
            columns.iter().map(Column::description).collect()
        }
        // What names there are makes no difference to what columns are.
        let about =
            About { name: String::new(), seed: 0, functions: Vec::new(), nodes: Vec::new(), policies: Vec::new() };
        match self {
            Self::Invocations => described(&invocations::columns(&about)),
            Self::Causes => described(&causes::columns(&about)),
            Self::CauseTotals => described(&causes::total_columns()),
            Self::Attempts => described(&attempts::columns(&about)),
            Self::Instances => described(&instances::columns(&about)),
            Self::Nodes => described(&nodes::columns(&about)),
            Self::Workflows => described(&workflows::columns()),
            Self::Functions => described(&functions::columns()),
            Self::Distributions => described(&distributions::columns()),
            Self::TimeSeries => described(&time_series::columns()),
        }
    }

    /// The column of a name.
    pub fn column(self, name: &str) -> Option<ColumnDescription> {
        self.columns().into_iter().find(|column| column.head.name == name)
    }
}
