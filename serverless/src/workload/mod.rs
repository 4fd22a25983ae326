//! What is invoked, and when: invocations listed one by one, at a date or after others; or a [stream](ArrivalSource) of
//! them, from a trace or a generator, of which only the next one is known.

mod ahead;
mod azure_2019;
mod azure_2021;
mod columns;
pub(crate) mod compressed;
mod csv_text;
mod csv_trace;
mod decimal;
pub mod generate;
mod order;
mod own_place;
mod plain_row;
mod ram;
mod rows;
mod source;
mod standalone;
mod statistics;
mod stop;
#[cfg(test)]
mod tests;
mod trace;

use std::collections::BTreeSet;

use hearth_simcore::time::{SimDuration, SimTime};

use crate::function::Body;
use crate::workflow::Callee;

pub(crate) use ahead::{MovableSource, ReadAhead};
pub use azure_2019::WithinMinute;
pub use columns::{ColumnsSection, QuantityColumn, SizeUnit, TimeUnit, Unit};
pub use csv_text::{columns_of, write_functions, write_trace};
pub use csv_trace::{CsvTrace, functions_of, read_functions};
pub use order::Offset;
pub use ram::RamSection;
pub use source::{Arrival, ArrivalSource, DeclaredFunction, TraceError};
pub use standalone::{StandaloneError, StandaloneTrace, WriteTraceError};
pub use statistics::TraceStatistics;
pub use trace::{OpenedTrace, SelectSection, TraceFormat, TraceSection};

/// One invocation of a workload. With neither date nor predecessors it is requested at the start.
#[derive(Clone, Debug)]
pub struct PlannedInvocation {
    /// Not before this date.
    pub at: Option<SimTime>,
    /// Positions in the workload of the invocations that must have ended before.
    pub after: Vec<usize>,
    /// How long after the last of those.
    pub delay: SimDuration,
    /// What is invoked: a function, or a workflow.
    pub callee: Callee,
    /// A body of its own instead of the function's.
    pub body: Option<Body>,
}

/// The state of a workload: what comes next, and who waits for whom.
#[derive(Debug, Default)]
pub(crate) struct Workload {
    planned: Vec<PlannedInvocation>,
    /// Those that wait only for their date, earliest first.
    dated: Vec<u32>,
    next: usize,
    /// By position: how many predecessors have not ended.
    missing: Vec<u32>,
    /// By position: who waits for it.
    dependents: Vec<Vec<u32>>,
    /// Where invocations come from besides.
    stream: Option<Stream>,
    /// Positions of workflows whose date is known and has not come.
    runs_due: BTreeSet<u32>,
    /// Numbers of invocations beyond those of the listed ones that have been given away.
    numbers_taken: u64,
}

/// A request that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// One of the source's.
    Streamed {
        /// What is invoked; the source's position where there is nothing at it.
        callee: Result<Callee, u32>,
        /// How long it runs, if not as its function says.
        run_time: Option<SimDuration>,
    },
    /// The one that is listed at a position.
    Listed(u32),
}

/// A source and its next invocation, which is scheduled.
#[derive(Debug)]
struct Stream {
    source: Box<dyn ArrivalSource>,
    next: Option<Arrival>,
    /// The service's function or workflow at each position of the source's list.
    callees: Vec<Callee>,
}

impl Workload {
    pub fn new(planned: Vec<PlannedInvocation>) -> Self {
        let mut dependents = vec![Vec::new(); planned.len()];
        for (position, invocation) in planned.iter().enumerate() {
            for &predecessor in &invocation.after {
                dependents[predecessor].push(position as u32);
            }
        }
        let missing = planned.iter().map(|invocation| invocation.after.len() as u32).collect();
        let free = planned.iter().enumerate().filter(|(_, invocation)| invocation.after.is_empty());
        let mut dated: Vec<u32> = free.map(|(position, _)| position as u32).collect();
        dated.sort_by_key(|&position| planned[position as usize].at);
        Self { planned, dated, missing, dependents, ..Self::default() }
    }

    /// Invocations of a source, of the service's functions and workflows at the positions that it names.
    pub fn streamed(source: Box<dyn ArrivalSource>, callees: Vec<Callee>) -> Self {
        Self { stream: Some(Stream { source, next: None, callees }), ..Self::default() }
    }

    /// Sets the numbers of so many invocations aside; gives the first. Listed ones have their positions.
    pub fn take_numbers(&mut self, count: u64) -> u64 {
        self.numbers_taken += count;
        self.planned.len() as u64 + self.numbers_taken - count
    }

    /// Rows of a trace that were passed over.
    pub fn skipped_rows(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.source.skipped_rows())
    }

    /// How many requests have been read, with the one that comes next. What runs of workflows request is not all asked
    /// for, so where there are any this says nothing.
    pub fn requests_read(&self) -> u64 {
        let ahead = self.stream.as_ref().is_some_and(|stream| stream.next.is_some());
        self.planned.len() as u64 + self.numbers_taken + u64::from(ahead)
    }

    /// The next request of a source, if there is a source and a request.
    pub fn next_of_source(&self) -> Option<Arrival> {
        self.stream.as_ref()?.next
    }

    /// Looks one request ahead: gives its date, if one is left that waits only for that.
    pub fn look_ahead(&mut self) -> Result<Option<SimTime>, TraceError> {
        if let Some(stream) = &mut self.stream {
            stream.next = stream.source.next_arrival()?;
            return Ok(stream.next.map(|arrival| arrival.at));
        }
        let next = self.dated.get(self.next);
        Ok(next.map(|position| self.planned[*position as usize].at.unwrap_or(SimTime::ZERO)))
    }

    /// The request that is due. `None` if there is none.
    pub fn take_due(&mut self) -> Option<Due> {
        if let Some(stream) = &mut self.stream {
            let Arrival { function, run_time, .. } = stream.next.take()?;
            let callee = stream.callees.get(function as usize).copied().ok_or(function);
            return Some(Due::Streamed { callee, run_time });
        }
        let position = *self.dated.get(self.next)?;
        self.next += 1;
        Some(Due::Listed(position))
    }

    /// What is listed at a position.
    pub fn listed(&self, position: u32) -> &PlannedInvocation {
        &self.planned[position as usize]
    }

    /// Whether anybody waits for what is listed at a position.
    #[inline]
    pub fn is_awaited(&self, position: u64) -> bool {
        self.dependents.get(position as usize).is_some_and(|dependents| !dependents.is_empty())
    }

    /// What is listed at a position has ended: gives the positions of those that waited for nothing else.
    pub fn release(&mut self, ended: u64) -> Vec<u32> {
        let Self { dependents, missing, .. } = self;
        let is_ready = |dependent: &u32| {
            let missing = &mut missing[*dependent as usize];
            *missing -= 1;
            *missing == 0
        };
        dependents.get(ended as usize).into_iter().flatten().copied().filter(is_ready).collect()
    }

    /// The date is known at which the workflow at a position begins.
    pub fn await_run(&mut self, position: u32) {
        self.runs_due.insert(position);
    }

    /// The workflow at a position begins.
    pub fn begin_run(&mut self, position: u32) {
        self.runs_due.remove(&position);
    }
}

impl Workload {
    /// Positions of those listed that were never requested.
    pub fn unasked(&self) -> Vec<u32> {
        let dated = self.dated[self.next..].iter().copied();
        let waiting = (0..self.planned.len() as u32).filter(|position| self.missing[*position as usize] > 0);
        let mut positions: Vec<u32> = dated.chain(waiting).chain(self.runs_due.iter().copied()).collect();
        positions.sort_unstable();
        positions
    }

    /// What is asked for at a position.
    pub fn callee(&self, position: u32) -> Callee {
        self.planned[position as usize].callee
    }

    /// Why what is listed at a position has not been requested.
    pub fn why_unasked(&self, position: u32) -> &'static str {
        match self.missing.get(position as usize) {
            Some(0) | None => "was to be requested later",
            Some(_) => "waits for others that it follows",
        }
    }
}
