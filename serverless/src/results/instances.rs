//! `instances.csv`: one row an instance, in the order in which they ended; those that had not ended come last.

use hearth_simcore::time::SimTime;

use super::About;
use super::streamed_table::StreamedTable;
use super::table::{Column, TableTarget};
use crate::error::Error;

/// What has come of an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstanceRecord {
    /// Its number, from 1, in the order in which they were wanted.
    pub number: u64,
    /// The function's number.
    pub function: u32,
    /// How it came to be.
    pub start: &'static str,
    /// The node's number, once it had its place there.
    pub node: Option<u32>,
    /// When it was wanted.
    pub wanted_at: SimTime,
    /// When it got its place on a node.
    pub placed_at: Option<SimTime>,
    /// When it began to take requests.
    pub ready_at: Option<SimTime>,
    /// When it was told to end.
    pub stopped_at: Option<SimTime>,
    /// When it ended.
    pub ended_at: Option<SimTime>,
    /// How many requests it began to serve.
    pub requests: u64,
    /// Why it ended.
    pub why: Option<&'static str>,
}

/// The columns of the table of instances of an experiment.
pub(super) fn columns(about: &About) -> Vec<Column<InstanceRecord>> {
    type Of = Column<InstanceRecord>;
    vec![
        Of::count("instance", |instance| Some(instance.number)).required().note("from 1 on, as they were wanted"),
        Of::name_from(&about.functions, "function", |instance| Some(instance.function))
            .required()
            .note("or the application, if it is one of several functions"),
        Of::word("start", |instance| Some(instance.start)).required().note("`new` (it passes all of a start), `paused` (it takes the container of one that is paused), `snapshot` (it is restored) or `pod` (it takes a generic pod)"),
        Of::name_from(&about.nodes, "node", |instance| instance.node),
        Of::date("wanted_at", |instance| Some(instance.wanted_at)).required(),
        Of::date("placed_at", |instance| instance.placed_at).note("it has its place on the node"),
        Of::date("ready_at", |instance| instance.ready_at).note("it takes requests"),
        Of::date("stopped_at", |instance| instance.stopped_at).note("it takes no more requests, as fewer are wanted"),
        Of::date("ended_at", |instance| instance.ended_at).note("nothing if it has not ended"),
        Of::count("requests", |instance| Some(instance.requests)).required().note("that it began to serve"),
        Of::word("why", |instance| instance.why)
            .note("`scaled` (fewer were wanted), `paused` (likewise, and its container stays for another one), `taken` (a pod, by an instance), `failed` (its start did), `crashed` or `lost` (its node failed)"),
    ]
}

/// Begins a table about an experiment.
///
/// # Errors
/// When the target cannot be written.
pub(crate) fn table(about: &About, target: TableTarget) -> Result<StreamedTable<InstanceRecord>, Error> {
    StreamedTable::new("instances", columns(about), target)
}
