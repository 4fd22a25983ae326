//! `causes.csv`, or `causes.parquet`: what the latency of each invocation is made of, one row an invocation; and `cause_totals.csv`: that
//! summed up, one row a cause of all invocations, or of those of a function, a node or an interval.

use std::io::Write;

use hearth_simcore::time::{SimDuration, SimTime};

use super::held_table::{HeldTable, WrongCell};
use super::table::{Column, CsvTable};
use super::{About, Results, Unit};
use crate::causes::{Cause, CauseTotals, ColdStart, ColdStartCause, Sum, Sums};
use crate::invocation::{InvocationRecord, Start};

/// The columns of the table of causes of an experiment.
pub(super) fn columns(about: &About) -> Vec<Column<InvocationRecord>> {
    type Of = Column<InvocationRecord>;
    fn cold_start(record: &InvocationRecord) -> Option<ColdStart> {
        record.causes.as_ref()?.cold_start
    }
    let latency = |record: &InvocationRecord| record.causes.as_ref().map(|causes| causes.parts.sum());
    let mut columns = vec![
        Of::count("invocation", |record| Some(record.invocation)).required().note("its number"),
        Of::name_from(&about.functions, "function", |record| Some(record.function.number())).required(),
        Of::name_from(&about.nodes, "node", |record| record.node),
        Of::word("start", |record| record.start.map(Start::as_str)).note("`cold` or `warm`"),
        Of::word("outcome", |record| Some(record.outcome.as_str())).required(),
        Of::date("requested_at", |record| record.requested_at).note("the controller asked"),
        Of::length("latency", latency)
            .note("requested → finished, or → end of the simulation; the causes below add up to it"),
    ];
    let of_cause = |cause: Cause| {
        let part = move |record: &InvocationRecord| {
            record.causes.as_ref().map_or(SimDuration::ZERO, |causes| causes.parts.of(cause))
        };
        Of::part(cause.name(), part).note(cause.note())
    };
    columns.extend(Cause::ALL.map(of_cause));
    let words: Vec<String> = ColdStartCause::ALL.map(|cause| format!("`{}` ({})", cause.name(), cause.note())).into();
    columns.extend([
        Of::word("cold_start", |record| cold_start(record).map(|cold| cold.cause.name()))
            .note(format!("why there was no container: {}", words.join(", "))),
        Of::date("container_ended_at", |record| cold_start(record)?.end.map(|end| end.at))
            .note("when the container ended that it would have had"),
        Of::name_from(&about.nodes, "container_node", |record| cold_start(record)?.node)
            .note("where that was, or where an idle one is"),
        Of::name_from(&about.functions, "evicted_for", |record| Some(cold_start(record)?.end?.evicted_for?.number()))
            .note("the function for whose container it was evicted"),
    ]);
    columns
}

/// What a row of totals is about.
#[derive(Clone, Copy, Debug)]
enum Group<'a> {
    All,
    Function(&'a str),
    Node(&'a str),
    Interval(SimTime),
}

impl Group<'_> {
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Function(_) => "function",
            Self::Node(_) => "node",
            Self::Interval(_) => "interval",
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Function(name) | Self::Node(name) => Some(name),
            Self::All | Self::Interval(_) => None,
        }
    }
}

/// What has a total.
#[derive(Clone, Copy, Debug)]
enum What {
    Latency(Cause),
    ColdStart(ColdStartCause),
}

/// A row of totals.
#[derive(Clone, Copy, Debug)]
pub(super) struct TotalRow<'a> {
    of: Group<'a>,
    what: What,
    sum: Sum,
    invocations: u64,
}

/// The columns of the table of totals.
pub(super) fn total_columns<'a>() -> Vec<Column<TotalRow<'a>>> {
    type Of<'a> = Column<TotalRow<'a>>;
    let cause = |row: &TotalRow<'_>| match row.what {
        What::Latency(cause) => cause.name(),
        What::ColdStart(cause) => cause.name(),
    };
    let policy = |row: &TotalRow<'_>| match row.what {
        What::Latency(cause) => cause.policy().map(|slot| slot.path()),
        What::ColdStart(cause) => cause.policy().map(|slot| slot.path()),
    };
    vec![
        Of::word("of", |row| Some(row.of.word())).required().note(
            "`all` invocations, those of a `function`, those that ran on a `node`, or those requested in an `interval`",
        ),
        Of::text("name", |row| row.of.name()).note("of the function, or of the node"),
        Of::date("from", |row| if let Group::Interval(from) = row.of { Some(from) } else { None })
            .note("the begin of the interval; all are as long, from 1 s on, so that there are at most 240"),
        Of::word("kind", |row| Some(if let What::Latency(_) = row.what { "latency" } else { "cold_start" }))
            .required()
            .note("`latency`: a part of it; `cold_start`: why there was no container"),
        Of::word("cause", move |row| Some(cause(row))).required().note("as in causes.csv"),
        Of::word("policy", move |row| policy(row)).note("whose answer that is, if it is one's"),
        Of::count("invocations", |row| Some(row.sum.invocations)).required().note("that have some of it"),
        Of::decimal("seconds", Unit::Seconds, 9, |row| Some(row.sum.seconds()))
            .required()
            .note("all together; of cold starts what their images, instances and containers took"),
        Of::count("of_invocations", |row| Some(row.invocations)).required().note("how many there are in all"),
    ]
}

fn rows<'a>(about: &'a About, totals: &'a CauseTotals) -> Vec<TotalRow<'a>> {
    fn of<'a>(of: Group<'a>, sums: &Sums, rows: &mut Vec<TotalRow<'a>>) {
        let invocations = sums.invocations;
        let row = |what, sum| TotalRow { of, what, sum, invocations };
        rows.extend(sums.causes().map(|(cause, sum)| row(What::Latency(cause), sum)));
        rows.extend(sums.cold_starts().map(|(cause, sum)| row(What::ColdStart(cause), sum)));
    }
    let mut rows = Vec::new();
    of(Group::All, &totals.all, &mut rows);
    let functions = about.functions.iter().zip(&totals.functions);
    functions.for_each(|(name, sums)| of(Group::Function(name), sums, &mut rows));
    let nodes = about.nodes.iter().zip(&totals.nodes);
    nodes.for_each(|(name, sums)| of(Group::Node(name), sums, &mut rows));
    for (number, sums) in (0..).zip(&totals.intervals) {
        let from = SimTime::from_nanos(totals.interval().as_nanos() * number);
        of(Group::Interval(from), sums, &mut rows);
    }
    rows
}

/// Writes one row for each cause of all invocations, then of those of each function, on each node and in each interval, as far as there
/// is some of it; nothing if the run was not [explained](crate::experiment::Experiment::explained).
///
/// # Errors
/// When the target cannot be written.
pub fn write_cause_totals(results: &Results, target: impl Write) -> Result<(), csv::Error> {
    let mut table = CsvTable::new(total_columns(), target)?;
    if let Some(totals) = &results.causes {
        rows(&results.about, totals).iter().try_for_each(|row| table.row(row))?;
    }
    table.finish()
}

/// The same table in memory.
///
/// # Errors
/// When a cell is not of the type of its column, which is a mistake of the simulator.
pub fn hold_cause_totals(results: &Results) -> Result<HeldTable, WrongCell> {
    let columns = total_columns();
    let mut table = HeldTable::of(&columns);
    if let Some(totals) = &results.causes {
        let all = rows(&results.about, totals);
        all.iter().try_for_each(|row| table.row(columns.iter().map(|column| column.cell(row))))?;
    }
    Ok(table)
}
