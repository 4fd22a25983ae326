//! The head: a single-threaded server of messages, first in first out. Processing a request takes time, all other
//! messages take none, but wait their turn.

use std::collections::VecDeque;
use std::rc::Rc;

use hearth_policy_api::boundary::ContainersOf;
use hearth_policy_api::{
    AdmissionDecision, AdmissionView, ContainerChange, Ending, LONGEST_DELAY, MOST_DELAYS, PolicySlot,
};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::platform::HostId;
use hearth_simcore::time::{SimDuration, SimTime};
use slotmap::SecondaryMap;

use super::Service;
use super::attempts::{AttemptKey, Left, Waiting};
use super::containers::ShownContainers;
use super::event::{Event, Happening, Message};
use super::images::HeadImages;
use crate::error::Error;
use crate::invocation::{InvocationState, Outcome};
use crate::policy::{Method, Mistake};

/// The head's own: what it has been told and has not read, and whether it is at work.
#[derive(Debug)]
pub(crate) struct Head {
    host: HostId,
    /// The first message that has not been read. Mostly it is the only one, and never goes through the queue.
    first: Option<Message>,
    /// Those behind it, first in, first out.
    mailbox: VecDeque<Message>,
    /// It is processing a request.
    is_busy: bool,
    delays: Delays,
    /// Its storage of images.
    pub(super) images: HeadImages,
}

/// In ns.
const YEAR: u64 = 366 * 86_400 * 1_000_000_000;

/// Requests that admission has delayed.
#[derive(Debug, Default)]
struct Delays {
    /// When those that have been delayed very often had been so a multiple of [`MOST_DELAYS`] times.
    often: SecondaryMap<AttemptKey, SimTime>,
    /// How many will ask again.
    scheduled: usize,
    /// How often in a row somebody was delayed while nothing else was left to happen.
    in_vain: usize,
}

impl Delays {
    /// Whether a request that has been delayed so many times has been so for too many of them within a second.
    #[inline]
    fn are_without_end(&mut self, key: AttemptKey, delays: u32, submitted_at: Option<SimTime>, now: SimTime) -> bool {
        delays.is_multiple_of(MOST_DELAYS) && {
            let since = self.often.insert(key, now).or(submitted_at).unwrap_or(now);
            now.as_nanos() - since.as_nanos() < 1_000_000_000
        }
    }

    /// Whether a request is delayed that need not ask again: nothing else is left to happen, and all have been delayed
    /// many times since anybody was let in. A simulation would go on for ever otherwise.
    fn is_in_vain(&mut self, under_way: usize, kernel: &mut Kernel<Event>) -> bool {
        const TIMES: usize = 1000;
        if kernel.pending_events() <= self.scheduled {
            self.in_vain += 1;
        }
        self.in_vain > TIMES * (under_way + 10)
    }
}

impl Head {
    /// A head on a host, with nothing to do.
    pub fn new(host: HostId, images: HeadImages) -> Self {
        Self { host, first: None, mailbox: VecDeque::new(), is_busy: false, delays: Delays::default(), images }
    }

    /// Whether it is processing a request.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Where it is.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// Takes a message in. It is read after what is happening now, when the head comes to it.
    #[inline]
    pub fn receive(&mut self, message: Message) {
        if self.first.is_none() {
            self.first = Some(message);
        } else {
            self.mailbox.push_back(message);
        }
    }

    /// The next message, unless the head is busy or down.
    #[inline]
    fn next(&mut self, kernel: &Kernel<Event>) -> Option<Message> {
        let next = self.first?;
        if self.is_busy || !kernel.is_up(self.host) {
            return None;
        }
        self.first = self.mailbox.pop_front();
        Some(next)
    }

    /// The processing of a request is over, which is next. If the head has gone down, it begins anew.
    pub fn processed(&mut self, key: AttemptKey, kernel: &Kernel<Event>) {
        let is_up = kernel.is_up(self.host);
        let next = if is_up { Message::Processed(key) } else { Message::Request(key) };
        if let Some(second) = self.first.replace(next) {
            self.mailbox.push_front(second);
        }
        self.is_busy = false;
    }

    /// Takes those messages out that have not been read and that `take` asks for, in their order.
    pub fn take_unread(&mut self, mut take: impl FnMut(&Message) -> bool) -> Vec<Message> {
        let unread = self.first.take().into_iter().chain(std::mem::take(&mut self.mailbox));
        let (taken, kept): (VecDeque<Message>, _) = unread.partition(|message| take(message));
        self.mailbox = kept;
        self.first = self.mailbox.pop_front();
        Vec::from(taken)
    }
}

impl Service {
    /// Has the head read its messages until one takes time. All rounds of scheduling are here, after a message: none is
    /// inside of anything else that happens.
    #[inline(never)]
    pub(crate) fn work_off_mailbox(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        while let Some(message) = self.head.next(kernel) {
            if self.begins_processing(message, kernel) {
                break;
            }
            self.handle(message, kernel)?;
            self.after_message(kernel)?;
        }
        Ok(())
    }

    /// Whether the message is a request that takes the head time, which begins.
    #[inline]
    fn begins_processing(&mut self, message: Message, kernel: &mut Kernel<Event>) -> bool {
        let Message::Request(key) = message else { return false };
        if self.settings.processing_overhead == SimDuration::ZERO {
            return false;
        }
        self.settle(key, kernel.now());
        self.head.is_busy = true;
        kernel.schedule(self.settings.processing_overhead, Event(Happening::HeadProcessed(key)));
        true
    }

    // A part of the loop over messages, which alone calls it: compiled apart, that loop takes more instructions.
    #[inline(always)]
    fn handle(&mut self, message: Message, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        match message {
            Message::Request(key) | Message::Processed(key) => self.submit(key, kernel)?,
            Message::AdmitAgain(key) => self.ask_again(key, kernel)?,
            Message::Downloaded(image) => self.downloaded(image, kernel)?,
            Message::Copied { node, image } => self.copied(node, image, kernel)?,
            Message::Loaded { node, image } => self.loaded(node, image, kernel)?,
            Message::Ended(key) => {
                self.note_unread_end(false);
                self.completed(key, kernel)?;
            }
            Message::WaitOver(key) => self.wait_over(key, kernel)?,
            Message::Changed => {}
            Message::InstanceReady(key) => self.instance_ready(key, kernel)?,
            Message::Prewarm(function) => self.prewarm(function, kernel),
            Message::Prewarmed(starting) => self.prewarmed(starting, kernel)?,
            Message::KeepAliveOver { node, container, spell } => self.keep_alive_over(node, container, spell, kernel),
        }
        Ok(())
    }

    #[inline(always)]
    fn after_message(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.is_settled() && !self.recovery.is_due() {
            self.rounds.begin_anew();
            return Ok(());
        }
        self.follow_up(kernel)
    }

    /// Does what a message has set in motion, or may have.
    #[inline(never)]
    fn follow_up(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.is_settled() {
            self.rounds.begin_anew();
        } else {
            self.schedule(kernel)?;
            if self.instances.await_nodes() {
                self.place_instances(kernel)?;
            }
            self.cluster.drop_orphans();
            // After the round, which has begun to copy what has just come: it would be the first to go otherwise.
            self.retry_downloads(kernel)?;
        }
        self.recover(kernel)
    }

    /// Whether there is nothing that a message could have set in motion: nobody waits, no image is to be moved or dropped.
    #[inline]
    fn is_settled(&self) -> bool {
        self.attempts.queue().len() == 0
            && !self.attempts.is_core_awaited()
            && !self.rounds.is_stalled()
            && !self.cluster.has_orphans()
            && !self.head.images.is_stalled()
            && !self.instances.await_nodes()
    }

    fn submit(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let now = kernel.now();
        self.settle(key, now);
        let Some(attempt) = self.attempts.submit(key) else { return Ok(()) };
        if attempt.number() == 1 {
            self.books.metrics.requests += 1;
        }
        attempt.record.submitted_at = Some(now);
        let function = attempt.record.function;
        let part = self.work.task_of(attempt.record.invocation);
        let waiting = Waiting::new(key, self.registry.function(function).request(attempt, part));
        self.attempts.tell_of_submission(key, now);
        self.plan_hedge(key, kernel);
        if self.policies.see_history() {
            self.count_arrival(function, now);
        }
        self.policies.tell_of_arrival(function, now);
        self.call_off_prewarming(function, kernel);
        self.ask_admission(&waiting, kernel)
    }

    /// A request that admission has put off asks again, unless it is gone.
    fn ask_again(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.head.delays.scheduled -= 1;
        if self.attempts.get(key).is_none() {
            return Ok(());
        }
        self.settle(key, kernel.now());
        let waiting = self.waiting(key)?;
        self.ask_admission(&waiting, kernel)
    }

    fn ask_admission(&mut self, waiting: &Waiting, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.policies.admits_all() {
            return self.admit(waiting, kernel);
        }
        self.tell_of_containers();
        let key = waiting.key;
        let delays = self.attempts.under_way(key)?.delays;
        let (all, of_function) = (self.attempts.counts(), self.attempts.counts_of(waiting.function));
        let (waiting_with_it, sees_history) = (self.attempts.queue().len() + 1, self.policies.admission_sees_history());
        let (placed, free_cores) =
            (self.cluster.promised_cores(self.attempts.holding_cores()), self.cluster.free_cores());
        let Self { cluster, attempts, container_lists, policies, .. } = self;
        let shown = ShownContainers::new(cluster, attempts, container_lists, kernel.now());
        let containers = ContainersOf::new(&shown);
        let cluster = cluster.view(&waiting.request, waiting_with_it, kernel.now(), sees_history, containers);
        let view = AdmissionView {
            now: kernel.now().as_nanos(),
            waiting: all.waiting,
            waiting_of_function: of_function.waiting,
            placed,
            running: all.running,
            running_of_function: of_function.running,
            free_cores,
            delays,
            cluster: &cluster,
            ..AdmissionView::default()
        };
        let decision = policies.admit(&waiting.request, &view)?;
        self.tell_of_admission(key, &decision, kernel.now());
        match decision {
            AdmissionDecision::Admit => self.admit(waiting, kernel),
            AdmissionDecision::Delay(nanos) if nanos > LONGEST_DELAY => {
                let cause = format!("delays a request by {} years: reject it, if it is not to be let in", nanos / YEAR);
                Err(self.policies.error(Mistake::new(PolicySlot::Admission, Method::Admit, cause)))
            }
            AdmissionDecision::Delay(nanos) => {
                let attempt = self.attempts.under_way_mut(key)?;
                attempt.delay();
                let (delays, submitted_at) = (attempt.delays, attempt.record.submitted_at);
                self.explain_delay(key);
                if self.head.delays.are_without_end(key, delays, submitted_at, kernel.now()) {
                    return Err(self.delayed_without_end(waiting));
                }
                if self.head.delays.is_in_vain(self.attempts.len(), kernel) {
                    return Ok(());
                }
                self.head.delays.scheduled += 1;
                let again = Event(Happening::Message(Message::AdmitAgain(key)));
                // At least a nanosecond: a policy that always delays by nothing must not stop the clock.
                kernel.schedule(SimDuration::from_nanos(nanos.max(1)), again);
                Ok(())
            }
            AdmissionDecision::Reject(reason) => self.reject(key, reason.as_str(), kernel),
        }
    }

    #[cold]
    fn delayed_without_end(&self, waiting: &Waiting) -> Box<Error> {
        let cause = format!(
            "has delayed a request of function {} {} times within a second: delay by longer, until what it waits for may have come, or \
             reject it",
            waiting.request.function, MOST_DELAYS
        );
        self.policies.error(Mistake::new(PolicySlot::Admission, Method::Admit, cause))
    }

    fn admit(&mut self, waiting: &Waiting, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.head.delays.in_vain = 0;
        self.attempts.enter(waiting.key, InvocationState::Admitted, kernel.now());
        self.attempts.admit(waiting.key)?;
        if self.policies.see_history() {
            self.count_admission(waiting.key, waiting.function, kernel.now());
        }
        if self.instances.serve(waiting.function) {
            return self.route(waiting.key, waiting.function, kernel);
        }
        match self.registry.function(waiting.function).image {
            Some(image) if !self.head.images.is_here(image) => self.await_download(waiting.key, image, kernel),
            _ => self.enqueue(waiting, kernel),
        }
    }

    /// Ends an invocation that did not get to run.
    pub(crate) fn reject(
        &mut self,
        key: AttemptKey,
        reason: &str,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.take_out(key, Ending::Rejected, kernel)?;
        self.attempts.under_way_mut(key)?.end(Outcome::Rejected, Rc::from(reason), kernel.now());
        self.note_end(key, true, kernel.now());
        self.conclude(key, kernel)
    }

    /// Takes an attempt that has ended so out of whatever it is in, and gives back what it holds: a container ends.
    pub(crate) fn take_out(
        &mut self,
        key: AttemptKey,
        ending: Ending,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.tell_of_end(key, ending, kernel.now());
        self.settle(key, kernel.now());
        match self.attempts.leave(key) {
            Left::Nothing => Ok(()),
            Left::Promised(promise) => {
                self.cluster.redeem(promise);
                Ok(())
            }
            Left::Timer(timer) => {
                kernel.cancel(timer);
                Ok(())
            }
            Left::Occupied(occupied) => {
                let why = match ending {
                    Ending::Crashed => ContainerChange::Crashed,
                    Ending::Lost => ContainerChange::Lost,
                    _ => ContainerChange::Stopped,
                };
                self.abandon(key, occupied, why, kernel)
            }
            Left::Stood(wait) => {
                self.has_stood(&wait, kernel);
                Ok(())
            }
            Left::Awaited(function, at) => self.leave_queue(key, function, at, kernel),
            Left::Seat(seat) => {
                // An instance outlives a request that is stopped.
                let why = match ending {
                    Ending::Crashed => ContainerChange::Crashed,
                    Ending::Lost => ContainerChange::Lost,
                    _ => ContainerChange::Ended,
                };
                self.stop_body(key, kernel)?;
                self.leave_instance(seat, why, kernel)
            }
        }
    }
}
