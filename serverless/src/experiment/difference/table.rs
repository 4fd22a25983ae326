//! The table of invocations that are in both runs.

use hearth_simcore::time::{SimDuration, SimTime};

use super::InvocationSide;
use crate::error::Error;
use crate::invocation::Start;
use crate::results::{Column, StreamedTable, TableTarget, Unit};

/// An invocation in both runs.
pub(super) struct Row {
    pub invocation: u64,
    pub function: u32,
    pub first: InvocationSide,
    pub second: InvocationSide,
    /// Where it parts.
    pub parts: Option<(SimTime, &'static str)>,
}

/// Begins the table.
pub(super) fn begin(
    functions: &[String],
    [nodes_of_first, nodes_of_second]: [&[String]; 2],
    target: TableTarget,
) -> Result<StreamedTable<Row>, Error> {
    type Of = Column<Row>;
    let latency = |side: &InvocationSide| side.latency_ns().map(SimDuration::from_nanos);
    let difference = |row: &Row| {
        let (first, second) = row.first.latency_ns().zip(row.second.latency_ns())?;
        Some((second as f64 - first as f64) / 1e9)
    };
    let columns = vec![
        Of::count("invocation", |row| Some(row.invocation)).required(),
        Of::name_from(functions, "function", |row| Some(row.function)).required(),
        Of::date("requested_at", |row| row.first.requested_at),
        Of::length("first_latency", move |row| latency(&row.first)),
        Of::length("second_latency", move |row| latency(&row.second)),
        Of::decimal("difference", Unit::Seconds, 9, difference),
        Of::name_from(nodes_of_first, "first_node", |row| row.first.node),
        Of::name_from(nodes_of_second, "second_node", |row| row.second.node),
        Of::word("first_start", |row| row.first.start.map(Start::as_str)),
        Of::word("second_start", |row| row.second.start.map(Start::as_str)),
        Of::word("first_outcome", |row| Some(row.first.outcome.as_str())).required(),
        Of::word("second_outcome", |row| Some(row.second.outcome.as_str())).required(),
        Of::date("parted_at", |row| row.parts.map(|(date, _)| date)),
        Of::word("parted_in", |row| row.parts.map(|(_, what)| what)),
    ];
    StreamedTable::new("differences", columns, target)
}
