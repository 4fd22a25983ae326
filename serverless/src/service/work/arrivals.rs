//! Invocations are requested as the workload has them, at their dates or after others, or by a controller.

use std::cell::RefCell;
use std::rc::Rc;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use crate::error::Error;
use crate::function::call::Input;
use crate::function::{Body, FunctionId};
use crate::invocation::{InvocationRecord, InvocationState, Watched};
use crate::service::Service;
use crate::service::attempts::{AttemptKey, Caller, Waiting};
use crate::service::event::{Event, Happening, Message};
use crate::workflow::{Callee, WorkflowId};
use crate::workload::Due;

/// What has been requested.
enum Requested {
    Invocation(AttemptKey),
    /// It begins when it is due.
    Run(WorkflowId),
}

impl Service {
    /// Enters an invocation that its controller requests at `date`.
    pub fn request(&mut self, number: u64, function: FunctionId, body: Option<Body>, date: SimTime) -> AttemptKey {
        let mut record = InvocationRecord::new(number, function);
        record.requested_at = Some(date);
        if let Some(recorder) = &mut self.books.recorder {
            recorder.requested(date, number);
        }
        self.books.metrics.note_request(date);
        self.policies.watch().count_request();
        let key = self.attempts.request(record, body);
        self.explain_request(key, date);
        key
    }

    /// The same for a controller that watches the invocation.
    pub fn request_watched(
        &mut self,
        function: FunctionId,
        input: Input,
        date: SimTime,
    ) -> (AttemptKey, Rc<RefCell<Watched>>) {
        let number = self.work.workload.take_numbers(1);
        let key = self.request(number, function, None, date);
        let watched = Rc::new(RefCell::new(Watched {
            number,
            history: vec![(InvocationState::Requested, date)],
            failure: None,
            output: None,
            done: false,
            waiters: Vec::new(),
        }));
        if let Some(invocation) = self.attempts.invocation_mut(key) {
            invocation.caller = Some(Caller { input, watched: Rc::clone(&watched) });
        }
        (key, watched)
    }

    /// The entry in the queue of an attempt that is under way.
    pub fn waiting(&self, key: AttemptKey) -> Result<Waiting, Box<Error>> {
        let attempt = self.attempts.under_way(key)?;
        let part = self.work.task_of(attempt.record.invocation);
        let request = self.registry.function(attempt.record.function).request(attempt, part);
        Ok(Waiting { turn: attempt.turn(), ..Waiting::new(key, request) })
    }

    /// Schedules the next arrival of the workload: arrivals are pulled one ahead.
    pub(crate) fn pull_arrival(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        match self.work.workload.look_ahead()? {
            None => Ok(()),
            Some(SimTime::MAX) => Err(Error::BeyondClock { invocation: self.work.workload.take_numbers(1) }.into()),
            Some(date) => {
                kernel.schedule_sole(date, Event(Happening::Arrival));
                Ok(())
            }
        }
    }

    /// The next invocation of the workload is due.
    #[inline(always)]
    pub(crate) fn arrive(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let (requested, position) = match self.work.workload.take_due() {
            Some(Due::Streamed { callee, run_time }) => {
                let callee = callee.map_err(|function| Error::ForeignFunction(FunctionId(function)))?;
                (self.request_streamed(callee, run_time, kernel.now()), None)
            }
            Some(Due::Listed(position)) => (self.request_planned(position, kernel.now()), Some(position)),
            None => return Ok(()),
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
                let number = self.work.workload.take_numbers(1);
                let body = match &self.work.run_times {
                    None => run_time.map(Body::Sleep),
                    Some(run_times) => run_time.map(|run_time| run_times.body(function, run_time)),
                };
                Requested::Invocation(self.request(number, function, body, date))
            }
            Callee::Workflow(workflow) => Requested::Run(workflow),
        }
    }

    fn request_planned(&mut self, position: u32, date: SimTime) -> Requested {
        let planned = self.work.workload.listed(position);
        match planned.callee {
            Callee::Function(function) => {
                let body = planned.body.clone();
                Requested::Invocation(self.request(u64::from(position), function, body, date))
            }
            Callee::Workflow(workflow) => Requested::Run(workflow),
        }
    }

    /// The run of a workflow is due that the workload lists at a position.
    pub(crate) fn begin_planned_run(&mut self, position: u32, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.work.workload.begin_run(position);
        match self.work.workload.callee(position) {
            Callee::Workflow(workflow) => self.begin_run(workflow, Some(position), kernel),
            Callee::Function(_) => Ok(()),
        }
    }

    /// Refuses what is not of this service.
    pub(crate) fn check_callee(&self, callee: Callee) -> Result<(), Error> {
        match callee {
            Callee::Function(function) if self.registry.functions().find(function).is_none() => {
                Err(Error::ForeignFunction(function))
            }
            Callee::Workflow(workflow) if workflow.0 as usize >= self.work.workflows.len() => {
                Err(Error::ForeignWorkflow(workflow))
            }
            Callee::Function(_) | Callee::Workflow(_) => Ok(()),
        }
    }

    /// Requests what waited only for this invocation.
    #[inline(always)]
    pub(crate) fn release_dependents(&mut self, ended: u64, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.work.workload.is_awaited(ended) { self.request_dependents(ended, kernel) } else { Ok(()) }
    }

    fn request_dependents(&mut self, ended: u64, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for dependent in self.work.workload.release(ended) {
            let planned = self.work.workload.listed(dependent);
            let date = (kernel.now() + planned.delay).max(planned.at.unwrap_or(SimTime::ZERO));
            if date == SimTime::MAX {
                return Err(Error::BeyondClock { invocation: u64::from(dependent) }.into());
            }
            let due = match self.request_planned(dependent, date) {
                Requested::Invocation(key) => Happening::Message(Message::Request(key)),
                Requested::Run(_) => {
                    self.work.workload.await_run(dependent);
                    Happening::WorkflowRequested(dependent)
                }
            };
            kernel.schedule_at(date, Event(due));
        }
        Ok(())
    }
}
