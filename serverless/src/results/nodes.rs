//! `nodes.csv`: one row for each time that a node of a pool was on, in the order in which they went off; those that had not come last.

use hearth_simcore::time::SimTime;

use super::About;
use super::streamed_table::StreamedTable;
use super::table::{Column, TableTarget};
use crate::error::Error;

/// A time that a node of a pool was on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeRecord {
    /// The node's number.
    pub node: u32,
    /// The pool's number.
    pub pool: u32,
    /// When it was asked for.
    pub asked_at: SimTime,
    /// When it had booted.
    pub up_at: Option<SimTime>,
    /// When it was told to go.
    pub draining_at: Option<SimTime>,
    /// When it went off.
    pub off_at: Option<SimTime>,
}

/// The columns of the table of nodes of an experiment.
pub(super) fn columns(about: &About) -> Vec<Column<NodeRecord>> {
    type Of = Column<NodeRecord>;
    vec![
        Of::name_from(&about.nodes, "node", |record| Some(record.node)).required(),
        Of::count("pool", |record| Some(u64::from(record.pool)))
            .required()
            .note("from 0 on, in the order of the scenario"),
        Of::date("booting_at", |record| Some(record.asked_at)).required().note("0 if it was on at the begin"),
        Of::date("up_at", |record| record.up_at).note("nothing if it was called off before"),
        Of::date("draining_at", |record| record.draining_at).note("it takes nobody any more"),
        Of::date("off_at", |record| record.off_at).note("nothing if it is on at the end"),
    ]
}

/// Begins a table about an experiment.
///
/// # Errors
/// When the target cannot be written.
pub(crate) fn table(about: &About, target: TableTarget) -> Result<StreamedTable<NodeRecord>, Error> {
    StreamedTable::new("nodes", columns(about), target)
}
