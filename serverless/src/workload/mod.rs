//! What is invoked, and when: invocations listed one by one, at a date or after others; or a [stream](ArrivalSource) of
//! them, from a trace or a generator, of which only the next one is known.

mod azure_2019;
mod azure_2021;
mod columns;
mod compressed;
mod csv_text;
mod csv_trace;
mod decimal;
pub mod generate;
mod order;
mod plain_row;
mod ram;
mod rows;
mod source;
mod statistics;
#[cfg(test)]
mod tests;
mod trace;

use std::collections::BTreeSet;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use crate::error::Error;
use crate::function::Body;
use crate::service::Service;
use crate::service::attempts::InvocationKey;
use crate::service::event::{Event, Happening, Message};
use crate::workflow::{Callee, WorkflowId};

pub use azure_2019::WithinMinute;
pub use columns::{ColumnsSection, QuantityColumn, SizeUnit, TimeUnit, Unit};
pub use csv_text::{columns_of, write_functions, write_trace};
pub use csv_trace::{CsvTrace, functions_of, read_functions};
pub use order::Offset;
pub use ram::RamSection;
pub use source::{Arrival, ArrivalSource, DeclaredFunction, TraceError};
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

/// What has been requested.
enum Requested {
    Invocation(InvocationKey),
    /// It begins when it is due.
    Run(WorkflowId),
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

    fn next_date(&self) -> Option<SimTime> {
        let position = *self.dated.get(self.next)?;
        Some(self.planned[position as usize].at.unwrap_or(SimTime::ZERO))
    }
}

impl Service {
    /// Schedules the next arrival of the workload: arrivals are pulled one ahead.
    pub(crate) fn pull_arrival(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let date = match &mut self.workload.stream {
            Some(stream) => {
                stream.next = stream.source.next_arrival()?;
                stream.next.map(|arrival| arrival.at)
            }
            None => self.workload.next_date(),
        };
        match date {
            None => Ok(()),
            Some(SimTime::MAX) => Err(Error::BeyondClock { invocation: self.workload.take_numbers(1) }),
            Some(date) => {
                kernel.schedule_sole(date, Event(Happening::Arrival));
                Ok(())
            }
        }
    }

    /// The next invocation of the workload is due.
    pub(crate) fn arrive(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let (requested, position) = match &mut self.workload.stream {
            Some(stream) => match stream.next.take() {
                Some(arrival) => {
                    let unknown = || Error::ForeignFunction(crate::function::FunctionId(arrival.function));
                    let callee = *stream.callees.get(arrival.function as usize).ok_or_else(unknown)?;
                    (self.request_streamed(callee, arrival.run_time, kernel.now()), None)
                }
                None => return Ok(()),
            },
            None => {
                let position = self.workload.dated[self.workload.next];
                self.workload.next += 1;
                (self.request_planned(position, kernel.now()), Some(position))
            }
        };
        self.pull_arrival(kernel)?;
        self.check_under_way()?;
        match requested {
            Requested::Invocation(key) => {
                self.head.receive(Message::Request(key));
                Ok(())
            }
            Requested::Run(workflow) => self.begin_run(workflow, position, kernel),
        }
    }

    fn request_streamed(&mut self, callee: Callee, run_time: Option<SimDuration>, date: SimTime) -> Requested {
        match callee {
            Callee::Function(function) => {
                let number = self.workload.take_numbers(1);
                Requested::Invocation(self.request(number, function, run_time.map(Body::Sleep), date))
            }
            Callee::Workflow(workflow) => Requested::Run(workflow),
        }
    }

    fn request_planned(&mut self, position: u32, date: SimTime) -> Requested {
        let planned = &self.workload.planned[position as usize];
        match planned.callee {
            Callee::Function(function) => {
                let body = planned.body.clone();
                Requested::Invocation(self.request(u64::from(position), function, body, date))
            }
            Callee::Workflow(workflow) => Requested::Run(workflow),
        }
    }

    /// The run of a workflow is due that the workload lists at a position.
    pub(crate) fn begin_planned_run(&mut self, position: u32, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        self.workload.runs_due.remove(&position);
        match self.workload.planned[position as usize].callee {
            Callee::Workflow(workflow) => self.begin_run(workflow, Some(position), kernel),
            Callee::Function(_) => Ok(()),
        }
    }

    /// Refuses what is not of this service.
    pub(crate) fn check_callee(&self, callee: Callee) -> Result<(), Error> {
        match callee {
            Callee::Function(function) if self.functions.find(function).is_none() => {
                Err(Error::ForeignFunction(function))
            }
            Callee::Workflow(workflow) if workflow.0 as usize >= self.workflows.len() => {
                Err(Error::ForeignWorkflow(workflow))
            }
            Callee::Function(_) | Callee::Workflow(_) => Ok(()),
        }
    }

    /// Requests what waited only for this invocation.
    pub(crate) fn release_dependents(&mut self, ended: u64, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let Some(dependents) = self.workload.dependents.get(ended as usize).filter(|list| !list.is_empty()) else {
            return Ok(());
        };
        for dependent in dependents.clone() {
            let missing = &mut self.workload.missing[dependent as usize];
            *missing -= 1;
            if *missing > 0 {
                continue;
            }
            let planned = &self.workload.planned[dependent as usize];
            let date = (kernel.now() + planned.delay).max(planned.at.unwrap_or(SimTime::ZERO));
            if date == SimTime::MAX {
                return Err(Error::BeyondClock { invocation: u64::from(dependent) });
            }
            let due = match self.request_planned(dependent, date) {
                Requested::Invocation(key) => Happening::Message(Message::Request(key)),
                Requested::Run(_) => {
                    self.workload.runs_due.insert(dependent);
                    Happening::WorkflowRequested(dependent)
                }
            };
            kernel.schedule_at(date, Event(due));
        }
        Ok(())
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
