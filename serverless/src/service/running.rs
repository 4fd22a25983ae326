//! The execution of a body, from its first step to its end, limit or failure (the timing model, sections 1, 7 and 8).

use std::rc::Rc;

use hearth_simcore::kernel::{Kernel, ShareId};
use hearth_simcore::network::{Endpoint, TransferError};
use hearth_simcore::process::WeakContext;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::{Attempt, AttemptKey, LiveInvocation};
use super::event::{Event, Happening, Message, ServiceModel};
use super::explain::Kind;
use super::sandbox::OfInvocation;
use crate::error::Error;
use crate::function::call::{Call, FunctionError};
use crate::function::{Body, Step};
use crate::invocation::{InvocationState, Outcome, Start};
use crate::results::Phase;

/// What a step asks of the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effort {
    /// Nothing: it is done.
    None,
    /// To let time pass: so long without faults, and so long with those there are.
    Time { whole: SimDuration, slowed: SimDuration },
    /// To compute so many operations on shared processors.
    Compute(f64),
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
    /// The container has started of an attempt, which may be gone.
    pub(crate) fn container_started(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(attempt) = self.attempts.get(key) else { return Ok(()) };
        if self.cluster.startup_work(attempt.record.function).is_some()
            && let Some(occupied) = attempt.occupied()
        {
            self.cluster.end_startup(occupied.node(), occupied.container(), &mut self.books, kernel);
        }
        self.explain_doing(key, None, kernel.now());
        self.start_running(key, kernel)
    }

    /// The container is up: the body begins once its data is there, and its time limit runs.
    pub(super) fn start_running(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let now = kernel.now();
        let attempt = self.attempts.under_way_mut(key)?;
        attempt.record.started_at = Some(now);
        if attempt.record.start == Some(Start::Cold)
            && let Some(occupied) = attempt.occupied()
        {
            self.cluster.note_up(occupied, now);
        }
        // What an instance does is not about one of its requests.
        if self.books.timeline.is_some()
            && let Some(occupied) = attempt.occupied()
        {
            self.books.serve(occupied.node(), occupied.container(), Phase::Run, &attempt.record);
        }
        if let Some(after) = self.recovery.crash_after() {
            // If the attempt has ended by then, nothing comes of the event.
            kernel.schedule_in_background(now + after, Event(Happening::Crashed(key)));
        }
        self.attempts.enter(key, InvocationState::Running, now);
        if self.work.is_any_run_under_way() && self.fetch_inputs(key, kernel)? {
            return Ok(());
        }
        self.begin_body(key, kernel)
    }

    /// Begins with a body whose data is there, and with its time limit if that does not run yet.
    #[inline(always)]
    pub(super) fn begin_body(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let (attempt, node) = self.attempts.dispatched(key)?;
        let function = self.registry.function(attempt.record.function);
        let body = attempt.body.as_ref().unwrap_or(&function.body);
        let runs_already = attempt.execution().is_some_and(|execution| execution.time_limit.is_some());
        let limit = if runs_already { SimDuration::ZERO } else { function.limits.time };
        let node = self.cluster.node(node);
        // Where processors are shared, how long something computes is not known.
        let speed = (!self.cluster.shares_processors()).then_some(node.speed);
        if let Some(whole) = only_time(body, speed) {
            let length = node.slowed(whole);
            // Nothing can come between: one event at the end, whichever end it is.
            let (delay, end) = if limit > SimDuration::ZERO && limit <= length {
                (limit, Happening::TimeLimit(key))
            } else {
                (length, Happening::BodyEnded(key))
            };
            kernel.schedule(delay, Event(end));
            self.explain_timed(key, Kind::WORK, (whole, length), kernel.now());
            return Ok(());
        }
        let closure = if let Body::Closure(closure) = body { Some(Rc::clone(closure)) } else { None };
        self.set_time_limit(key, limit, kernel)?;
        match closure {
            Some(closure) => self.start_closure(key, &*closure, kernel.now()),
            None => self.start_steps(key, kernel),
        }
    }

    pub(super) fn set_time_limit(
        &mut self,
        key: AttemptKey,
        limit: SimDuration,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        if limit > SimDuration::ZERO {
            let timer = kernel.schedule_cancellable(limit, Event(Happening::TimeLimit(key)));
            self.attempts.under_way_mut(key)?.execution_mut().time_limit = Some(timer);
        }
        Ok(())
    }

    /// Begins with the first step, or with the one after the last checkpoint.
    fn start_steps(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let checkpoint = self.attempts.invocation(key).and_then(LiveInvocation::checkpoint).cloned();
        if let Some(checkpoint) = checkpoint {
            let bytes = checkpoint.bytes;
            self.attempts.under_way_mut(key)?.execution_mut().resume(checkpoint);
            if bytes > 0 {
                return self.read_state(key, bytes, kernel);
            }
        }
        if self.advance_steps(key, kernel)? {
            // Whoever started the body is still at work: the end waits for its turn.
            kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
        }
        Ok(())
    }

    /// Reads the state that an attempt before has saved.
    fn read_state(&mut self, key: AttemptKey, bytes: u64, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let (_, node) = self.attempts.dispatched(key)?;
        let ends = (Endpoint::Disk(self.registry.host()), Endpoint::Memory(self.cluster.node(node).host));
        let ended = Event(Happening::StepEnded(key));
        self.explain_transfer(key, ends, bytes, kernel);
        let started = kernel.transfer(ends.0, ends.1, bytes, ended).map(drop);
        if self.is_up(key, started)? {
            return Ok(());
        }
        kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
        Ok(())
    }

    /// Whether a transfer of a body has begun; the body has failed if a host or link is down.
    pub(super) fn is_up(&mut self, key: AttemptKey, started: Result<(), TransferError>) -> Result<bool, Box<Error>> {
        match started {
            Ok(()) => Ok(true),
            Err(error @ (TransferError::HostDown(_) | TransferError::LinkDown(_))) => {
                self.attempts.under_way_mut(key)?.fail(FunctionError::new(error.to_string()));
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn start_closure(
        &mut self,
        key: AttemptKey,
        closure: &dyn Fn(Call) -> crate::function::BodyFuture,
        now: SimTime,
    ) -> Result<(), Box<Error>> {
        // Without a simulation nobody would run it.
        let Some(context) = self.bodies.context.upgrade() else { return Ok(()) };
        let (_, node) = self.attempts.dispatched(key)?;
        let node = self.cluster.node(node);
        let caller = self.attempts.invocation(key).and_then(|invocation| invocation.caller.as_ref());
        let input = caller.map(|caller| caller.input.clone()).unwrap_or_default();
        let sandbox = OfInvocation { context: context.on(node.host), key };
        let body = closure(Call::new(sandbox, input, &node.name, node.speed));
        self.explain_closure(key, now);
        let process = context.spawn({
            let context = context.clone();
            async move {
                let result = body.await;
                context.with_model(|model, kernel| {
                    if let Some(attempt) = model.service().attempts.get_mut(key) {
                        attempt.execution_mut().result = Some(result);
                    }
                    kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
                });
            }
        });
        self.attempts.under_way_mut(key)?.execution_mut().process = Some(process);
        Ok(())
    }

    /// What the current step waited for is over.
    pub(crate) fn step_ended(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        // A transfer outlasts the invocation that reached its time limit while the head is busy.
        if !self.attempts.get(key).is_some_and(Attempt::is_running) {
            return Ok(());
        }
        if self.advance_steps(key, kernel)? { self.body_ended(key, kernel) } else { Ok(()) }
    }

    /// Goes through the steps up to one that takes time; true if there is none and the body has ended.
    fn advance_steps(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        loop {
            let Some(step) = self.next_step(key)? else { return Ok(true) };
            let ended = Event(Happening::StepEnded(key));
            match self.begin_step(key, &step) {
                Ok(Effort::None) => {}
                Ok(Effort::Compute(flops)) => return self.begin_computing(key, flops, kernel).map(|()| false),
                Ok(Effort::Time { whole, slowed }) => {
                    self.explain_timed(key, Kind::WORK, (whole, slowed), kernel.now());
                    kernel.schedule(slowed, ended);
                    return Ok(false);
                }
                Ok(Effort::Transfer { from, to, bytes }) => {
                    self.explain_transfer(key, (from, to), bytes, kernel);
                    let started = kernel.transfer(from, to, bytes, ended).map(drop);
                    return self.is_up(key, started).map(|begun| !begun);
                }
                Err(failure) => {
                    self.attempts.under_way_mut(key)?.fail(failure);
                    return Ok(true);
                }
            }
        }
    }

    /// Goes on to the next step; `None` after the last. What a checkpoint before it has saved is kept.
    fn next_step(&mut self, key: AttemptKey) -> Result<Option<Step>, Box<Error>> {
        let attempt = self.attempts.under_way_mut(key)?;
        let function = self.registry.function(attempt.record.function);
        let steps = match attempt.body.as_ref().unwrap_or(&function.body) {
            Body::Steps(steps) => Rc::clone(steps),
            Body::Sleep(_) | Body::Closure(_) => return Ok(None),
        };
        let execution = attempt.execution_mut();
        let next = execution.step;
        execution.step += 1;
        let last = next.checked_sub(1).and_then(|last| steps.get(last));
        if let Some(Step::Checkpoint(bytes)) = last {
            let saved = execution.save(next, *bytes);
            if let Some(invocation) = self.attempts.invocation_mut(key) {
                invocation.keep(saved);
            }
        }
        Ok(steps.get(next).cloned())
    }

    /// Checks a step against the limits and the files there are, counts what it uses, and says what it takes.
    pub(crate) fn begin_step(&mut self, key: AttemptKey, step: &Step) -> Result<Effort, FunctionError> {
        let gone = || FunctionError::new("the invocation has ended");
        let attempt = self.attempts.get_mut(key).ok_or_else(gone)?;
        let node = self.cluster.node(attempt.node().ok_or_else(gone)?);
        let limits = self.registry.function(attempt.record.function).limits;
        let (disk, memory) = (Endpoint::Disk(node.host), Endpoint::Memory(node.host));
        let registry = Endpoint::Disk(self.registry.host());
        let remote = |file: &Rc<str>| {
            let size = self.registry.file_size(file);
            size.ok_or_else(|| FunctionError::new(format!("the registry has no file {file:?}")))
        };
        Ok(match step {
            Step::Sleep(whole) => Effort::Time { whole: *whole, slowed: node.slowed(*whole) },
            Step::Compute(flops) if self.cluster.shares_processors() => Effort::Compute(*flops),
            Step::Compute(flops) => {
                let whole = SimDuration::from_secs_f64(flops / node.speed);
                Effort::Time { whole, slowed: node.slowed(whole) }
            }
            Step::Fail(message) => return Err(FunctionError::new(&**message)),
            Step::Create(file, size) => {
                store(attempt, file, *size, limits.disk)?;
                Effort::None
            }
            Step::Write(file, size) => {
                store(attempt, file, *size, limits.disk)?;
                Effort::Transfer { from: memory, to: disk, bytes: *size }
            }
            Step::Read(file) => Effort::Transfer { from: disk, to: memory, bytes: private(attempt, file)? },
            Step::Ingress(file) => {
                let size = remote(file)?;
                count(&mut attempt.execution_mut().ingress, size, limits.ingress, "ingress")?;
                store(attempt, file, size, limits.disk)?;
                Effort::Transfer { from: registry, to: disk, bytes: size }
            }
            Step::ReadRemote(file) => {
                let size = remote(file)?;
                count(&mut attempt.execution_mut().ingress, size, limits.ingress, "ingress")?;
                Effort::Transfer { from: registry, to: memory, bytes: size }
            }
            Step::Checkpoint(0) => Effort::None,
            Step::Checkpoint(bytes) => Effort::Transfer { from: memory, to: registry, bytes: *bytes },
            Step::Egress(file) => {
                let size = private(attempt, file)?;
                count(&mut attempt.execution_mut().egress, size, limits.egress, "egress")?;
                Effort::Transfer { from: disk, to: registry, bytes: size }
            }
        })
    }

    /// The body of an attempt came to its end, well or not, unless the attempt has ended before.
    pub(crate) fn body_ended(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(attempt) = self.attempts.get_mut(key).filter(|attempt| attempt.is_running()) else {
            return Ok(());
        };
        let limit = self.registry.function(attempt.record.function).limits.time;
        let run_time = kernel.now().since(attempt.record.started_at.unwrap_or_default());
        if limit > SimDuration::ZERO && run_time >= limit {
            return self.time_limit_reached(key, kernel);
        }
        attempt.record.outcome = match attempt.execution().and_then(|execution| execution.result.as_ref()) {
            Some(Err(failure)) => {
                attempt.record.failure = Some(Rc::from(failure.message()));
                Outcome::Failed
            }
            _ => Outcome::Completed,
        };
        if self.recovery.crashes_at_end() {
            return self.crashed(key, kernel);
        }
        finish(attempt, kernel);
        self.explain_body_end(key, kernel.now());
        self.count_processors(key, kernel)?;
        self.report_end(key, kernel);
        Ok(())
    }

    /// The time limit of an attempt is reached, unless it has ended: its body is stopped. A transfer that it waited for goes
    /// on to its end, as in WRENCH, where storage services carry it out; what comes of it finds no invocation.
    pub(crate) fn time_limit_reached(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(attempt) = self.attempts.get_mut(key).filter(|attempt| attempt.is_running()) else { return Ok(()) };
        attempt.record.outcome = Outcome::TimedOut;
        attempt.record.failure = Some(Rc::clone(&self.bodies.timed_out));
        if let Some(process) = attempt.execution_if_any().and_then(|execution| execution.process.take()) {
            process.cancel();
        }
        finish(attempt, kernel);
        self.explain_body_end(key, kernel.now());
        self.count_processors(key, kernel)?;
        self.report_end(key, kernel);
        Ok(())
    }

    /// Computes in the container of an attempt.
    fn begin_computing(&mut self, key: AttemptKey, flops: f64, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let ended = Event(Happening::StepEnded(key));
        let attempt = self.attempts.under_way_mut(key)?;
        let Some((node, container)) = attempt.place() else {
            return Err(Error::internal("a body computes that has no container").into());
        };
        attempt.execution_mut().computation = self.cluster.compute(node, container, flops, ended, kernel);
        let function = attempt.record.function;
        let cores = self.cluster.cores_of_computation(function);
        self.explain_computing((key, Kind::WORK), node, (flops, cores), kernel.now());
        Ok(())
    }

    /// The share of processors of the container of an attempt, where they are shared.
    pub(super) fn share_of(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Option<ShareId> {
        let (node, container) = self.attempts.get(key)?.place()?;
        self.cluster.share_of(node, container, kernel)
    }

    /// Counts what a body that has ended has used of shared processors.
    #[inline]
    fn count_processors(&mut self, key: AttemptKey, kernel: &Kernel<Event>) -> Result<(), Box<Error>> {
        if self.cluster.shares_processors()
            && let Some((node, container)) = self.attempts.under_way(key)?.place()
        {
            self.cluster.count_processors(node, container, &mut self.books, kernel);
        }
        Ok(())
    }

    /// The body has ended: the head hears of it.
    fn report_end(&mut self, key: AttemptKey, kernel: &Kernel<Event>) {
        self.note_end(key, false, kernel.now());
        self.note_unread_end(true);
        self.head.receive(Message::Ended(key));
    }
}

/// The body of an attempt ends now, and its time limit does not run any more.
fn finish(attempt: &mut Attempt, kernel: &mut Kernel<Event>) {
    attempt.record.finished_at = Some(kernel.now());
    if let Some(timer) = attempt.execution().and_then(|execution| execution.time_limit) {
        kernel.cancel(timer);
    }
    if let Some(computation) = attempt.execution_if_any().and_then(|execution| execution.computation.take()) {
        kernel.cancel_activity(computation);
    }
}

/// How long a body takes that has one step at the most, which lets time pass; `None` for any other, and without a speed for one that
/// computes. (The steps of longer
/// bodies have events of their own: of those that end at one date, the one whose last step began first is handled first.)
pub(super) fn only_time(body: &Body, speed: Option<f64>) -> Option<SimDuration> {
    let steps = match body {
        Body::Sleep(length) => return Some(*length),
        Body::Steps(steps) => steps,
        Body::Closure(_) => return None,
    };
    match &**steps {
        [] => Some(SimDuration::ZERO),
        [Step::Sleep(length)] => Some(*length),
        [Step::Compute(flops)] => speed.map(|speed| SimDuration::from_secs_f64(flops / speed)),
        _ => None,
    }
}

fn private(attempt: &Attempt, file: &str) -> Result<u64, FunctionError> {
    let size = attempt.execution().and_then(|execution| execution.storage.size_of(file));
    size.ok_or_else(|| FunctionError::new(format!("the private storage has no file {file:?}")))
}

fn store(attempt: &mut Attempt, file: &Rc<str>, size: u64, limit: u64) -> Result<(), FunctionError> {
    let would_hold = attempt.execution_mut().storage.used_with(file, size);
    if would_hold > limit {
        return Err(FunctionError::new(format!(
            "writing {file:?} ({size} B) would make the private storage {would_hold} B, over the disk limit of {limit} B"
        )));
    }
    attempt.execution_mut().storage.put(Rc::clone(file), size);
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
