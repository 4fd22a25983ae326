//! The extension module `hearth._hearth`: what the package `hearth` calls of the crates.

mod error;
mod policy;
mod run;
mod source;
mod sweep;
mod table;

use pyo3::prelude::*;

/// What the package `hearth` calls of the crates.
#[pymodule]
mod _hearth {
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
    use crate::source::Source;
    #[pymodule_export]
    use crate::sweep::{Outcome, Sweep};
    #[pymodule_export]
    use crate::table::Columns;

    /// The version of Hearth.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
