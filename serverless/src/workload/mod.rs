//! What is invoked, and when: invocations listed one by one, at a date or after others; or a [stream](ArrivalSource) of
//! them, from a trace or a generator, of which only the next one is known.

mod azure_2019;
mod azure_2021;
mod csv_text;
mod csv_trace;
pub mod generate;
mod plain_row;
mod rows;
mod source;
mod statistics;
#[cfg(test)]
mod tests;
mod trace;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use crate::error::Error;
use crate::function::{Body, FunctionId};
use crate::service::Service;
use crate::service::event::{Event, Happening, Message};
use crate::service::live::InvocationKey;

pub use azure_2019::WithinMinute;
pub use csv_text::{write_functions, write_trace};
pub use csv_trace::{CsvTrace, functions_of, read_functions};
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
    /// What is invoked.
    pub function: FunctionId,
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
    /// How many invocations were requested by controllers, besides the workload.
    pub requested_beside: u64,
}

/// A source and its next invocation, which is scheduled.
#[derive(Debug)]
struct Stream {
    source: Box<dyn ArrivalSource>,
    next: Option<Arrival>,
    /// The service's function at each position of the source's list.
    functions: Vec<FunctionId>,
    /// How many have been requested.
    requested: u64,
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
        Self { planned, dated, next: 0, missing, dependents, stream: None, requested_beside: 0 }
    }

    /// Invocations of a source, of the service's functions at the positions that it names.
    pub fn streamed(source: Box<dyn ArrivalSource>, functions: Vec<FunctionId>) -> Self {
        Self { stream: Some(Stream { source, next: None, functions, requested: 0 }), ..Self::default() }
    }

    /// How many invocations it has had, or has in all if they are listed.
    pub fn len(&self) -> u64 {
        self.planned.len() as u64 + self.stream.as_ref().map_or(0, |stream| stream.requested)
    }

    /// Rows of a trace that were passed over.
    pub fn skipped_rows(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.source.skipped_rows())
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
        if let Some(date) = date {
            kernel.schedule_sole(date, self.event(Happening::Arrival));
        }
        Ok(())
    }

    /// The next invocation of the workload is due.
    pub(crate) fn arrive(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let key = match &mut self.workload.stream {
            Some(stream) => match stream.next.take() {
                Some(arrival) => {
                    stream.requested += 1;
                    let number = stream.requested - 1;
                    let unknown = || Error::ForeignFunction(FunctionId(arrival.function));
                    let function = *stream.functions.get(arrival.function as usize).ok_or_else(unknown)?;
                    self.request_streamed(number, function, arrival.run_time, kernel.now())
                }
                None => return Ok(()),
            },
            None => {
                let position = self.workload.dated[self.workload.next];
                self.workload.next += 1;
                self.request_planned(position, kernel.now())
            }
        };
        self.pull_arrival(kernel)?;
        self.receive(Message::Request(key), kernel)
    }

    fn request_streamed(
        &mut self,
        number: u64,
        function: FunctionId,
        run_time: SimDuration,
        date: SimTime,
    ) -> InvocationKey {
        self.request(number, function, Some(Body::Sleep(run_time)), date)
    }

    fn request_planned(&mut self, position: u32, date: SimTime) -> InvocationKey {
        let planned = &self.workload.planned[position as usize];
        let (function, body) = (planned.function, planned.body.clone());
        self.request(u64::from(position), function, body, date)
    }

    /// Requests what waited only for this invocation.
    pub(crate) fn release_dependents(&mut self, ended: u64, kernel: &mut Kernel<Event>) {
        let Some(dependents) = self.workload.dependents.get(ended as usize) else {
            return;
        };
        if dependents.is_empty() {
            return;
        }
        for dependent in dependents.clone() {
            let missing = &mut self.workload.missing[dependent as usize];
            *missing -= 1;
            if *missing > 0 {
                continue;
            }
            let planned = &self.workload.planned[dependent as usize];
            let date = (kernel.now() + planned.delay).max(planned.at.unwrap_or(SimTime::ZERO));
            let key = self.request_planned(dependent, date);
            kernel.schedule_at(date, self.event(Happening::Message(Message::Request(key))));
        }
    }

    /// Ends the books at the end of the simulation: what has not ended is unfinished.
    pub(crate) fn close(&mut self, now: SimTime) {
        self.books.metrics.advance(now);
        let mut attempts: Vec<_> = self.live.drain().map(|(_, live)| (live.attempt, live.record)).collect();
        attempts.sort_by_key(|(attempt, record)| (record.invocation, *attempt));
        // Of two attempts beside each other the first stands for the invocation.
        attempts.dedup_by_key(|(_, record)| record.invocation);
        let mut unfinished: Vec<_> = attempts.into_iter().map(|(_, record)| record).collect();
        for record in &mut unfinished {
            // Its request is scheduled for later than the end.
            if record.requested_at.is_some_and(|requested| requested > now) {
                record.requested_at = None;
            }
        }
        let unasked: Vec<_> = self.workload.unasked().collect();
        for record in unfinished.into_iter().chain(unasked) {
            self.books.metrics.record(&record);
            if let Some(recorder) = &mut self.books.recorder {
                recorder.never_ends(record);
            }
        }
    }
}

impl Workload {
    /// Records of the invocations that were never requested.
    fn unasked(&self) -> impl Iterator<Item = crate::invocation::InvocationRecord> {
        let dated = self.dated[self.next..].iter().copied();
        let waiting = (0..self.planned.len() as u32).filter(|position| self.missing[*position as usize] > 0);
        let mut positions: Vec<u32> = dated.chain(waiting).collect();
        positions.sort_unstable();
        positions.into_iter().map(|position| {
            let function = self.planned[position as usize].function;
            crate::invocation::InvocationRecord::new(u64::from(position), function)
        })
    }
}
