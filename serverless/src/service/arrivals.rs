//! Invocations are requested as the workload has them: at their dates, or after others.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::InvocationKey;
use super::event::{Event, Happening, Message};
use crate::error::Error;
use crate::function::{Body, FunctionId};
use crate::workflow::{Callee, WorkflowId};
use crate::workload::Due;

/// What has been requested.
enum Requested {
    Invocation(InvocationKey),
    /// It begins when it is due.
    Run(WorkflowId),
}

impl Service {
    /// Schedules the next arrival of the workload: arrivals are pulled one ahead.
    pub(crate) fn pull_arrival(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        match self.workload.look_ahead()? {
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
        let (requested, position) = match self.workload.take_due() {
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
                let number = self.workload.take_numbers(1);
                Requested::Invocation(self.request(number, function, run_time.map(Body::Sleep), date))
            }
            Callee::Workflow(workflow) => Requested::Run(workflow),
        }
    }

    fn request_planned(&mut self, position: u32, date: SimTime) -> Requested {
        let planned = self.workload.listed(position);
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
        self.workload.begin_run(position);
        match self.workload.callee(position) {
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
        for dependent in self.workload.release(ended) {
            let planned = self.workload.listed(dependent);
            let date = (kernel.now() + planned.delay).max(planned.at.unwrap_or(SimTime::ZERO));
            if date == SimTime::MAX {
                return Err(Error::BeyondClock { invocation: u64::from(dependent) });
            }
            let due = match self.request_planned(dependent, date) {
                Requested::Invocation(key) => Happening::Message(Message::Request(key)),
                Requested::Run(_) => {
                    self.workload.await_run(dependent);
                    Happening::WorkflowRequested(dependent)
                }
            };
            kernel.schedule_at(date, Event(due));
        }
        Ok(())
    }
}
