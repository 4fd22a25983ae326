//! The execution of a body, from its first step to its end, limit or failure (the timing model, sections 1, 7 and 8).

use std::rc::Rc;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::{Endpoint, TransferError};
use hearth_simcore::process::WeakContext;
use hearth_simcore::time::SimDuration;

use super::Service;
use super::attempts::{InvocationKey, LiveInvocation};
use super::event::{Event, Happening, Message, ServiceModel};
use super::sandbox::OfInvocation;
use crate::call::{Call, FunctionError};
use crate::error::Error;
use crate::function::{Body, Step};
use crate::invocation::{InvocationState, Outcome};
use crate::results::Phase;

/// What a step asks of the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effort {
    /// Nothing: it is done.
    None,
    /// To let time pass.
    Time(SimDuration),
    /// To move bytes.
    Transfer { from: Endpoint, to: Endpoint, bytes: u64 },
}

/// What bodies need of the simulation.
#[derive(Debug)]
pub(crate) struct Bodies {
    /// Where closures run.
    context: WeakContext<ServiceModel>,
    /// The failure of every invocation that timed out.
    timed_out: Rc<str>,
}

impl Bodies {
    /// Bodies of closures run in a context.
    pub fn new(context: WeakContext<ServiceModel>) -> Self {
        Self { context, timed_out: Rc::from("the time limit was reached") }
    }
}

impl Service {
    /// The container is up: the body begins, and its time limit runs.
    pub(crate) fn start_body(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let now = kernel.now();
        let Some(live) = self.attempts.get_mut(key) else {
            return Ok(());
        };
        live.record.started_at = Some(now);
        live.enter(InvocationState::Running, now);
        if let Some(occupied) = live.occupied() {
            self.books.serve(occupied.node(), occupied.container(), Phase::Run, &live.record);
        }
        let function = &self.registry.functions[live.record.function];
        let limit = function.limits.time;
        let body = live.body.clone().unwrap_or_else(|| function.body.clone());
        if let Some(after) = self.recovery.faults.crash_after() {
            // With the invocation the event loses its object.
            kernel.schedule_in_background(now + after, Event(Happening::Crashed(key)));
        }
        let Some(live) = self.attempts.get_mut(key) else { return Ok(()) };
        let node = live.node().map(|node| self.cluster.node(node));
        let length = node.and_then(|node| only_time(&body, node.speed).map(|length| node.slowed(length)));
        if self.work.workflows.is_running() && self.fetch_inputs(key, limit, kernel)? {
            return Ok(());
        }
        if let Some(length) = length {
            // Nothing can come between: one event at the end, whichever end it is.
            let (delay, end) = if limit > SimDuration::ZERO && limit <= length {
                (limit, Happening::TimeLimit(key))
            } else {
                (length, Happening::BodyEnded(key))
            };
            kernel.schedule(delay, Event(end));
            return Ok(());
        }
        self.set_time_limit(key, limit, kernel);
        self.begin_body(key, body, kernel)
    }

    pub(super) fn set_time_limit(&mut self, key: InvocationKey, limit: SimDuration, kernel: &mut Kernel<Event>) {
        if limit > SimDuration::ZERO {
            let timer = kernel.schedule(limit, Event(Happening::TimeLimit(key)));
            if let Some(live) = self.attempts.get_mut(key) {
                live.run_mut().time_limit = Some(timer);
            }
        }
    }

    /// Begins with a body that does more than let time pass.
    pub(super) fn begin_body(
        &mut self,
        key: InvocationKey,
        body: Body,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Error> {
        match body {
            Body::Steps(_) | Body::Sleep(_) => {
                let state = self.attempts.get_mut(key).and_then(LiveInvocation::resume);
                if let Some(bytes) = state.filter(|bytes| *bytes > 0) {
                    return self.read_state(key, bytes, kernel);
                }
                if self.advance_steps(key, kernel)? {
                    // Whoever started the body is still at work: the end waits for its turn.
                    kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
                }
            }
            Body::Closure(closure) => self.start_closure(key, &*closure),
        }
        Ok(())
    }

    /// Reads the state that an attempt before has saved.
    fn read_state(&mut self, key: InvocationKey, bytes: u64, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let Some(node) = self.attempts.get(key).and_then(|live| live.node()) else { return Ok(()) };
        let memory = Endpoint::Memory(self.cluster.node(node).host);
        let ended = Event(Happening::StepEnded(key));
        let started = kernel.transfer(Endpoint::Disk(self.registry.host), memory, bytes, ended).map(drop);
        if self.is_up(key, started)? {
            return Ok(());
        }
        kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
        Ok(())
    }

    /// Whether a transfer of a body has begun; the body has failed if a host or link is down.
    pub(super) fn is_up(&mut self, key: InvocationKey, started: Result<(), TransferError>) -> Result<bool, Error> {
        match started {
            Ok(()) => Ok(true),
            Err(error @ (TransferError::HostDown(_) | TransferError::LinkDown(_))) => {
                if let Some(live) = self.attempts.get_mut(key) {
                    live.run_mut().result = Some(Err(FunctionError::new(error.to_string())));
                }
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn start_closure(&mut self, key: InvocationKey, closure: &dyn Fn(Call) -> crate::function::BodyFuture) {
        let Some(live) = self.attempts.get_mut(key) else { return };
        let (Some(context), Some(node)) = (self.bodies.context.upgrade(), live.node()) else {
            return;
        };
        let node = self.cluster.node(node);
        let input = live.caller.as_ref().map(|caller| caller.input.clone()).unwrap_or_default();
        let sandbox = OfInvocation { context: context.on(node.host), key };
        let call = Call::new(sandbox, input, &node.name, node.speed);
        let body = closure(call);
        live.run_mut().process = Some(context.spawn({
            let context = context.clone();
            async move {
                let result = body.await;
                context.with_model(|model, kernel| {
                    let service = model.service();
                    if let Some(live) = service.attempts.get_mut(key) {
                        live.run_mut().result = Some(result);
                    }
                    kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
                });
            }
        }));
    }

    /// What the current step waited for is over.
    pub(crate) fn step_ended(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        // A transfer outlasts the invocation that reached its time limit while the head is busy.
        if !self.attempts.get(key).is_some_and(LiveInvocation::is_running) {
            return Ok(());
        }
        if self.advance_steps(key, kernel)? { self.body_ended(key, kernel) } else { Ok(()) }
    }

    /// Goes through the steps up to one that takes time; true if there is none and the body has ended.
    fn advance_steps(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) -> Result<bool, Error> {
        loop {
            let Some(live) = self.attempts.get_mut(key) else {
                return Ok(false);
            };
            let function = &self.registry.functions[live.record.function];
            let Body::Steps(steps) = live.body.as_ref().unwrap_or(&function.body) else {
                return Ok(false);
            };
            let next = live.run().map_or(0, |run| run.step);
            let (step, last) = (steps.get(next).cloned(), next.checked_sub(1).and_then(|last| steps.get(last)));
            if let Some(Step::Checkpoint(bytes)) = last.cloned() {
                live.save(next, bytes);
            }
            let Some(step) = step else {
                return Ok(true);
            };
            live.run_mut().step += 1;
            let ended = Event(Happening::StepEnded(key));
            match self.begin_step(key, &step) {
                Ok(Effort::None) => {}
                Ok(Effort::Time(length)) => {
                    kernel.schedule(length, ended);
                    return Ok(false);
                }
                Ok(Effort::Transfer { from, to, bytes }) => {
                    let started = kernel.transfer(from, to, bytes, ended).map(drop);
                    return self.is_up(key, started).map(|begun| !begun);
                }
                Err(failure) => {
                    if let Some(live) = self.attempts.get_mut(key) {
                        live.run_mut().result = Some(Err(failure));
                    }
                    return Ok(true);
                }
            }
        }
    }

    /// Checks a step against the limits and the files there are, counts what it uses, and says what it takes.
    pub(crate) fn begin_step(&mut self, key: InvocationKey, step: &Step) -> Result<Effort, FunctionError> {
        let gone = || FunctionError::new("the invocation has ended");
        let live = self.attempts.get_mut(key).ok_or_else(gone)?;
        let node = self.cluster.node(live.node().ok_or_else(gone)?);
        let limits = &self.registry.functions[live.record.function].limits;
        let (disk, memory) = (Endpoint::Disk(node.host), Endpoint::Memory(node.host));
        let registry = Endpoint::Disk(self.registry.host);
        let remote = |file: &Rc<str>| {
            let size = self.registry.files.get(&**file).copied();
            size.ok_or_else(|| FunctionError::new(format!("the registry has no file {file:?}")))
        };
        Ok(match step {
            Step::Sleep(length) => Effort::Time(node.slowed(*length)),
            Step::Compute(flops) => Effort::Time(node.slowed(SimDuration::from_secs_f64(flops / node.speed))),
            Step::Fail(message) => return Err(FunctionError::new(&**message)),
            Step::Create(file, size) => {
                store(live, file, *size, limits.disk)?;
                Effort::None
            }
            Step::Write(file, size) => {
                store(live, file, *size, limits.disk)?;
                Effort::Transfer { from: memory, to: disk, bytes: *size }
            }
            Step::Read(file) => Effort::Transfer { from: disk, to: memory, bytes: private(live, file)? },
            Step::Ingress(file) => {
                let size = remote(file)?;
                count(&mut live.run_mut().ingress, size, limits.ingress, "ingress")?;
                store(live, file, size, limits.disk)?;
                Effort::Transfer { from: registry, to: disk, bytes: size }
            }
            Step::ReadRemote(file) => {
                let size = remote(file)?;
                count(&mut live.run_mut().ingress, size, limits.ingress, "ingress")?;
                Effort::Transfer { from: registry, to: memory, bytes: size }
            }
            Step::Checkpoint(0) => Effort::None,
            Step::Checkpoint(bytes) => Effort::Transfer { from: memory, to: registry, bytes: *bytes },
            Step::Egress(file) => {
                let size = private(live, file)?;
                count(&mut live.run_mut().egress, size, limits.egress, "egress")?;
                Effort::Transfer { from: disk, to: registry, bytes: size }
            }
        })
    }

    /// The body came to its end, well or not.
    pub(crate) fn body_ended(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let Some(live) = self.attempts.get_mut(key).filter(|live| live.is_running()) else {
            return Ok(());
        };
        let limit = self.registry.functions[live.record.function].limits.time;
        let run_time = kernel.now().since(live.record.started_at.unwrap_or_default());
        if limit > SimDuration::ZERO && run_time >= limit {
            self.time_limit_reached(key, kernel);
            return Ok(());
        }
        live.record.outcome = match live.run().and_then(|run| run.result.as_ref()) {
            Some(Err(failure)) => {
                live.record.failure = Some(Rc::from(failure.message()));
                Outcome::Failed
            }
            _ => Outcome::Completed,
        };
        if self.recovery.faults.crashes_at_end() {
            return self.crashed(key, kernel);
        }
        self.end_run(key, kernel);
        Ok(())
    }

    /// The time limit of an invocation is reached: its body is stopped. A transfer that it waited for goes on to its
    /// end, as in WRENCH, where storage services carry it out; what comes of it finds no invocation.
    pub(crate) fn time_limit_reached(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) {
        let Some(live) = self.attempts.get_mut(key).filter(|live| live.is_running()) else { return };
        live.record.outcome = Outcome::TimedOut;
        live.record.failure = Some(Rc::clone(&self.bodies.timed_out));
        if let Some(process) = live.run().is_some().then(|| live.run_mut().process.take()).flatten() {
            process.cancel();
        }
        self.end_run(key, kernel);
    }

    fn end_run(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) {
        if let Some(live) = self.attempts.get_mut(key) {
            live.record.finished_at = Some(kernel.now());
            if let Some(timer) = live.run().and_then(|run| run.time_limit) {
                kernel.cancel(timer);
            }
            let twin = live.twin;
            self.note_end(twin, false, kernel.now());
        }
        self.head.receive(Message::Ended(key));
    }
}

/// How long a body takes that has one step at the most, which lets time pass; `None` for any other. (The steps of longer
/// bodies have events of their own: of those that end at one date, the one whose last step began first is handled first.)
pub(super) fn only_time(body: &Body, speed: f64) -> Option<SimDuration> {
    let steps = match body {
        Body::Sleep(length) => return Some(*length),
        Body::Steps(steps) => steps,
        Body::Closure(_) => return None,
    };
    match &**steps {
        [] => Some(SimDuration::ZERO),
        [Step::Sleep(length)] => Some(*length),
        [Step::Compute(flops)] => Some(SimDuration::from_secs_f64(flops / speed)),
        _ => None,
    }
}

fn private(live: &LiveInvocation, file: &str) -> Result<u64, FunctionError> {
    let size = live.run().and_then(|run| run.storage.size_of(file));
    size.ok_or_else(|| FunctionError::new(format!("the private storage has no file {file:?}")))
}

fn store(live: &mut LiveInvocation, file: &Rc<str>, size: u64, limit: u64) -> Result<(), FunctionError> {
    let would_hold = live.run_mut().storage.used_with(file, size);
    if would_hold > limit {
        return Err(FunctionError::new(format!(
            "writing {file:?} ({size} B) would make the private storage {would_hold} B, over the disk limit of {limit} B"
        )));
    }
    live.run_mut().storage.put(Rc::clone(file), size);
    Ok(())
}

fn count(used: &mut u64, bytes: u64, limit: Option<u64>, what: &str) -> Result<(), FunctionError> {
    let would_be = used.saturating_add(bytes);
    if let Some(limit) = limit
        && would_be > limit
    {
        return Err(FunctionError::new(format!("{would_be} B of {what}, over the {what} limit of {limit} B")));
    }
    *used = would_be;
    Ok(())
}
