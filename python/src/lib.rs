//! The extension module `hearth._hearth`: what the package `hearth` calls of the crates.

mod catalog;
mod command;
mod error;
mod gym;
mod json;
mod policy;
mod run;
mod scenario;
mod source;
mod sweep;
mod table;
mod trace;

use pyo3::prelude::*;

/// What the package `hearth` calls of the crates.
#[pymodule]
mod _hearth {
    #[pymodule_export]
    use crate::catalog::{platform, platforms, policies, schema};
    #[pymodule_export]
    use crate::command::command;
    #[pymodule_export]
    use crate::error::{HearthError, PolicyError, ScenarioError, SimulationError};
    #[pymodule_export]
    use crate::policy::{
        AttemptEnd, Batch, Busy, Change, Cluster, Cold, Container, Context, Copying, Delay, Delayed, History, Idle,
        Instances, Item, LinkState, Load, Needed, Node, Nodes, Pending, Pool, PoolNode, Queue, Reject, Request,
        WaitingFunction, WaitingQueue, Warm, check_policy,
    };
    #[pymodule_export]
    use crate::run::{RunResult, Stream, run, slots, stream, summarise};
    #[pymodule_export]
    use crate::scenario::{read_scenario, validate, with_absolute_paths};
    #[pymodule_export]
    use crate::source::Source;
    #[pymodule_export]
    use crate::sweep::{Outcome, Sweep};
    #[pymodule_export]
    use crate::table::Columns;
    #[pymodule_export]
    use crate::trace::{Rows, Trace, generate_trace, read_trace};

    #[pymodule_export]
    use crate::gym::{Environments, Network, learning_scenarios};

    /// The version of Hearth.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
