//! The clock, what is scheduled on it, and what moves through links, disks and processors.

mod outages;
mod processors;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Waker;

use slotmap::{SlotMap, new_key_type};

use self::outages::Outages;
use self::processors::{Goal, Processors, Shares};
pub use self::processors::{ShareId, ShareSpec};
use crate::fluid::{FlowId, FlowSpec, FluidNetwork, Use};
use crate::network::{AloneTime, Endpoint, Network, NetworkModel, Path, TransferError};
use crate::platform::{HostId, Platform};
use crate::queue::{EventHandle, EventQueue, Rank, TimerId};
use crate::time::{SimDuration, SimTime};

/// What is simulated: a state, and how each event changes it.
///
/// The model owns its type of event, small and usually an `enum`: nothing is boxed on the way from
/// [`Kernel::schedule`] to [`Model::handle`].
pub trait Model: 'static {
    /// What can happen.
    type Event: 'static;
    /// Why the simulation cannot go on.
    type Error: 'static;

    /// Applies an event at the kernel's date.
    ///
    /// # Errors
    /// An error ends the simulation; [`crate::Simulation::run`] returns it.
    fn handle(&mut self, event: Self::Event, kernel: &mut Kernel<Self::Event>) -> Result<(), Self::Error>;
}

new_key_type! {
    /// Names a transfer or computation that is under way.
    pub struct ActivityId;
}

/// Whom to tell that an activity has ended.
enum Notify<E> {
    Event(E),
    Wake(Waker),
}

enum Stage {
    /// Waiting for a date: the latency of a route, or all of a transfer that shares nothing.
    Timed(EventHandle),
    Flowing(FlowId),
    /// In a share of processors, up to a goal.
    Computing {
        share: ShareId,
        goal: Goal,
    },
}

/// What a flow is.
#[derive(Clone, Copy)]
enum Carrier {
    Activity(ActivityId),
    /// What computes in it.
    Share(ShareId),
}

struct Activity<E> {
    stage: Stage,
    /// Of a transfer.
    ends: Option<(Endpoint, Endpoint)>,
    /// How many were started before.
    number: u64,
    /// What is to move once the latency is over.
    remaining: Option<(Rc<Path>, u64)>,
    notify: Notify<E>,
}

/// Dates that would lie beyond the clock are never reached.
const LAST_DATE: SimTime = SimTime::from_nanos(u64::MAX - 2);

/// What the queue holds.
enum Due<E> {
    Event(E),
    Wake(Waker),
    Activity(ActivityId),
}

/// Something that is to come, for who looks at a simulation.
#[derive(Debug)]
pub struct Upcoming<'a, E> {
    /// When; of a transfer that moves, when it would end at its present rate. `None` where that is not known: it stands still, or
    /// computes in a share.
    pub date: Option<SimTime>,
    /// What the model hears then; `None` where a process is woken.
    pub event: Option<&'a E>,
    /// What it is.
    pub kind: UpcomingKind,
}

/// What kind of thing is to come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum UpcomingKind {
    /// A date.
    Scheduled,
    /// A date that counts only if something else is still to happen.
    InBackground,
    /// The end of a transfer.
    Transfer {
        /// From where.
        from: Endpoint,
        /// To where.
        to: Endpoint,
        /// In bytes a second; 0 while it waits for the latency of its route, or for room.
        rate: f64,
    },
    /// The end of a computation.
    Computation,
}

/// What is to be done at the date the kernel has moved to.
pub(crate) enum Fired<E> {
    Event(E),
    Wake(Waker),
}

/// Simulated time and resources, as models and processes use them.
///
/// ```
/// use hearth_simcore::prelude::*;
///
/// #[derive(Default)]
/// struct Log(Vec<(f64, &'static str)>);
///
/// impl Model for Log {
///     type Event = &'static str;
///     type Error = std::convert::Infallible;
///     fn handle(&mut self, event: &'static str, kernel: &mut Kernel<&'static str>) -> Result<(), Self::Error> {
///         self.0.push((kernel.now().as_secs_f64(), event));
///         Ok(())
///     }
/// }
///
/// let platform = PlatformBuilder::new()
///     .host("a", HostSpec::new(1, 1e9))
///     .host("b", HostSpec::new(1, 1e9))
///     .link("cable", 105e6, 0.0)
///     .route("a", "b", &["cable"])
///     .build()?;
/// let mut simulation = Simulation::<Log>::new(platform, 0);
/// simulation.with_model_mut(|_, kernel| {
///     let host = |name| kernel.platform().host_by_name(name).unwrap();
///     let (a, b) = (Endpoint::Memory(host("a")), Endpoint::Memory(host("b")));
///     kernel.schedule(SimDuration::from_secs(5), "timer");
///     let never = kernel.schedule_cancellable(SimDuration::from_secs(3), "taken back");
///     kernel.cancel(never);
///     // 97 of 105 bytes on the wire are payload.
///     kernel.transfer(a, b, 97_000_000, "transfer")
/// })?;
/// simulation.run()?;
/// simulation.with_model_mut(|log, _| assert_eq!(log.0, [(1.0, "transfer"), (5.0, "timer")]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Kernel<E> {
    now: SimTime,
    queue: EventQueue<Due<E>>,
    fluid: FluidNetwork,
    network: Network,
    /// By host.
    processors: Vec<Processors>,
    shares: Shares,
    activities: SlotMap<ActivityId, Activity<E>>,
    /// By slot of the flow.
    carried_by_flow: Vec<Carrier>,
    /// How many transfers and computations were started.
    started: u64,
    outages: Outages,
    /// Events that happen only while something else is still to happen, by date and order of scheduling.
    background: BTreeMap<(SimTime, u64), E>,
    background_events: u64,
    seed: u64,
    handled: u64,
}

impl<E> Kernel<E> {
    pub(crate) fn new(platform: Rc<Platform>, model: NetworkModel, seed: u64) -> Self {
        let mut fluid = FluidNetwork::new();
        let processors = vec![Processors::default(); platform.hosts().len()];
        let network = Network::new(platform, model, &mut fluid);
        Self {
            now: SimTime::ZERO,
            queue: EventQueue::new(),
            fluid,
            network,
            processors,
            shares: Shares::with_key(),
            activities: SlotMap::with_key(),
            carried_by_flow: Vec::new(),
            started: 0,
            outages: Outages::default(),
            background: BTreeMap::new(),
            background_events: 0,
            seed,
            handled: 0,
        }
    }

    /// The date.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The platform that is simulated.
    pub fn platform(&self) -> &Rc<Platform> {
        self.network.platform()
    }

    /// The seed of the simulation; draw from [`crate::random::stream`] with it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many events have been handled so far: timers, ends of transfers, wake-ups.
    pub fn events_handled(&self) -> u64 {
        self.handled
    }

    /// Schedules an event after `delay`, behind everything that is scheduled for that date already.
    #[inline]
    pub fn schedule(&mut self, delay: SimDuration, event: E) {
        self.queue.schedule(self.now + delay, Rank::Normal, Due::Event(event));
    }

    /// Schedules an event for a date; a date that is past counts as now.
    pub fn schedule_at(&mut self, date: SimTime, event: E) {
        self.queue.schedule(date.max(self.now), Rank::Normal, Due::Event(event));
    }

    /// Schedules an event after `delay` that may be [taken back](Self::cancel).
    pub fn schedule_cancellable(&mut self, delay: SimDuration, event: E) -> EventHandle {
        self.queue.schedule_cancellable(self.now + delay, Rank::Normal, Due::Event(event))
    }

    /// Schedules an event for a date, for a stream of events each of which schedules the next: it cannot be taken back,
    /// and costs less than others.
    pub fn schedule_sole(&mut self, date: SimTime, event: E) {
        self.queue.schedule_sole(date.max(self.now), Due::Event(event));
    }

    /// Schedules an event that does not keep the simulation going: it happens only if something else is still to happen
    /// then, before all other events of its date.
    pub fn schedule_in_background(&mut self, date: SimTime, event: E) {
        self.background_events += 1;
        self.background.insert((date.max(self.now), self.background_events), event);
    }

    /// Makes a timer, which is not set; for events that are put off or taken back over and over.
    pub fn add_timer(&mut self) -> TimerId {
        self.queue.add_timer()
    }

    /// Has `event` fire after `delay`, instead of what the timer was set for before. It waits for all other events of its
    /// date.
    #[inline]
    pub fn set_timer(&mut self, timer: TimerId, delay: SimDuration, event: E) {
        self.queue.set_timer(timer, self.now + delay, Rank::Late, Due::Event(event));
    }

    /// Takes back what a timer was set for, if it has not fired.
    #[inline]
    pub fn clear_timer(&mut self, timer: TimerId) {
        self.queue.clear_timer(timer);
    }

    /// Forgets a timer. Its name must not be used any more.
    pub fn remove_timer(&mut self, timer: TimerId) {
        self.queue.remove_timer(timer);
    }

    /// Takes back a scheduled event; false if it has fired or was taken back.
    pub fn cancel(&mut self, handle: EventHandle) -> bool {
        self.queue.cancel(handle).is_some()
    }

    /// Starts to move bytes; `event` fires when the last has arrived.
    ///
    /// # Errors
    /// When there is no route between the ends, or an end has no disk.
    pub fn transfer(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        bytes: u64,
        event: E,
    ) -> Result<ActivityId, TransferError> {
        self.start_transfer(from, to, bytes, Notify::Event(event))
    }

    /// How long it would take to move bytes if nothing else moved from now on: what a transfer takes longer is because it shares links
    /// and disks, or because a link has been degraded meanwhile.
    ///
    /// ```
    /// # use hearth_simcore::prelude::*;
    /// # use hearth_simcore::network::AloneTime;
    /// # #[derive(Default)]
    /// # struct Ends(Vec<SimTime>);
    /// # impl Model for Ends {
    /// #     type Event = ();
    /// #     type Error = std::convert::Infallible;
    /// #     fn handle(&mut self, _: (), kernel: &mut Kernel<()>) -> Result<(), Self::Error> {
    /// #         self.0.push(kernel.now());
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let disk = DiskSpec::new(100_000_000, 100e6, 100e6);
    /// # let platform = PlatformBuilder::new().host("node", HostSpec::new(1, 1e9).disk(disk)).build()?;
    /// # let mut simulation = Simulation::<Ends>::new(platform, 0);
    /// # let alone = simulation.with_model_mut(|_, kernel| {
    /// let host = kernel.platform().host_by_name("node").unwrap();
    /// let (disk, memory) = (Endpoint::Disk(host), Endpoint::Memory(host));
    /// let AloneTime { now, whole, .. } = kernel.time_alone(disk, memory, 50_000_000)?;
    /// // There is another one beside it.
    /// kernel.transfer(disk, memory, 50_000_000, ())?;
    /// kernel.transfer(disk, memory, 50_000_000, ())?;
    /// # assert_eq!(now, whole);
    /// # Ok::<_, hearth_simcore::network::TransferError>(now)
    /// # })?;
    /// # simulation.run()?;
    /// # simulation.with_model_mut(|ends, _| {
    /// assert_eq!((alone.as_secs_f64(), ends.0[0].as_secs_f64()), (0.5, 1.0));
    /// # });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no route between the ends, or an end has no disk.
    pub fn time_alone(&mut self, from: Endpoint, to: Endpoint, bytes: u64) -> Result<AloneTime, TransferError> {
        self.network.time_alone(from, to, bytes, &self.fluid)
    }

    /// Stops a transfer or computation; its event will not fire. False if it had ended.
    pub fn cancel_activity(&mut self, activity: ActivityId) -> bool {
        self.stop(activity).is_some()
    }

    /// Takes out what is under way, with what was scheduled for it; `None` if it had ended.
    fn stop(&mut self, activity: ActivityId) -> Option<Activity<E>> {
        let activity = self.activities.remove(activity)?;
        match activity.stage {
            Stage::Timed(timer) => drop(self.queue.cancel(timer)),
            Stage::Flowing(flow) => drop(self.fluid.cancel(self.now, flow)),
            Stage::Computing { share, goal } => self.stop_computing(share, goal),
        }
        Some(activity)
    }

    /// Checks that a transfer between two ends is possible.
    ///
    /// # Errors
    /// When there is no route between the ends, or an end has no disk.
    pub fn check_path(&mut self, from: Endpoint, to: Endpoint) -> Result<(), TransferError> {
        self.network.path(from, to).map(drop)
    }

    pub(crate) fn wake_at(&mut self, date: SimTime, waker: Waker) -> EventHandle {
        self.queue.schedule_cancellable(date, Rank::Normal, Due::Wake(waker))
    }

    pub(crate) fn is_scheduled(&self, handle: EventHandle) -> bool {
        self.queue.is_scheduled(handle)
    }

    /// Whether an activity goes on; if so, `waker` is woken at its end.
    pub(crate) fn rewaken(&mut self, activity: ActivityId, waker: &Waker) -> bool {
        let Some(activity) = self.activities.get_mut(activity) else {
            return false;
        };
        if let Notify::Wake(held) = &mut activity.notify {
            held.clone_from(waker);
        }
        true
    }

    pub(crate) fn transfer_then_wake(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        bytes: u64,
        waker: Waker,
    ) -> Result<ActivityId, TransferError> {
        self.start_transfer(from, to, bytes, Notify::Wake(waker))
    }

    /// Computes on one core of a host; computations beyond the number of cores share them.
    pub(crate) fn compute_then_wake(&mut self, host: HostId, flops: f64, waker: Waker) -> ActivityId {
        let speed = self.network.platform().host(host).speed;
        let uses = [Use { resource: self.processors_of(host), weight: 1.0 }];
        let spec = FlowSpec { amount: flops, efficiency: 1.0, bound: speed, penalty: 1.0, uses: &uses };
        let flow = self.fluid.start(self.now, spec);
        self.flowing(flow, None, Notify::Wake(waker))
    }

    fn start_transfer(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        bytes: u64,
        notify: Notify<E>,
    ) -> Result<ActivityId, TransferError> {
        let path = self.network.path(from, to)?;
        self.check_up(from, to)?;
        let ends = Some((from, to));
        let (delay, remaining) = match self.network.model {
            NetworkModel::Ideal => (path.delay + SimDuration::from_secs_f64(bytes as f64 / path.ideal_rate), None),
            _ if path.delay == SimDuration::ZERO => {
                let flow = self.fluid.start(self.now, path.flow(bytes as f64));
                return Ok(self.flowing(flow, ends, notify));
            }
            NetworkModel::Fluid | NetworkModel::FairFluid => (path.delay, Some((path, bytes))),
        };
        let (queue, date) = (&mut self.queue, self.now + delay);
        self.started += 1;
        let number = self.started;
        Ok(self.activities.insert_with_key(|activity| {
            let timer = queue.schedule_cancellable(date, Rank::Normal, Due::Activity(activity));
            Activity { stage: Stage::Timed(timer), ends, number, remaining, notify }
        }))
    }

    fn flowing(&mut self, flow: FlowId, ends: Option<(Endpoint, Endpoint)>, notify: Notify<E>) -> ActivityId {
        self.started += 1;
        let (stage, number) = (Stage::Flowing(flow), self.started);
        let activity = self.activities.insert(Activity { stage, ends, number, remaining: None, notify });
        self.note_flow(flow, Carrier::Activity(activity));
        activity
    }

    fn note_flow(&mut self, flow: FlowId, carries: Carrier) {
        if self.carried_by_flow.len() <= flow.index() {
            self.carried_by_flow.resize(flow.index() + 1, carries);
        }
        self.carried_by_flow[flow.index()] = carries;
    }

    /// Moves the clock to the next thing that happens, no later than `horizon`, and says what it is. Ends of flows
    /// come before scheduled events of the same date.
    #[inline(always)]
    pub(crate) fn advance(&mut self, horizon: SimTime) -> Option<Fired<E>> {
        let horizon = horizon.min(LAST_DATE);
        // One call, so that it is compiled into the loop of every simulation.
        if let Some(limit) = self.before_background(horizon)
            && let Some(fired) = self.advance_foreground(limit)
        {
            return Some(fired);
        }
        self.advance_background(horizon)
    }

    /// The last date before the next event in the background, at most the horizon; `None` if that is at the very start.
    fn before_background(&self, horizon: SimTime) -> Option<SimTime> {
        let Some((&(date, _), _)) = self.background.first_key_value() else { return Some(horizon) };
        date.as_nanos().checked_sub(1).map(|before| horizon.min(SimTime::from_nanos(before)))
    }

    /// The next event in the background, if it is due and something else is left to happen.
    fn advance_background(&mut self, horizon: SimTime) -> Option<Fired<E>> {
        let &(date, number) = self.background.first_key_value()?.0;
        if self.is_at_rest() || date > horizon {
            return None;
        }
        self.now = date;
        self.handled += 1;
        self.background.remove(&(date, number)).map(Fired::Event)
    }

    #[inline(always)]
    fn advance_foreground(&mut self, horizon: SimTime) -> Option<Fired<E>> {
        loop {
            if !self.fluid.is_still()
                && let Some(flow) = self.next_flow(horizon)
            {
                self.handled += 1;
                return Some(flow);
            }
            let (date, due) = self.queue.pop_until(horizon)?;
            self.now = date;
            let fired = match due {
                Due::Event(event) => Fired::Event(event),
                Due::Wake(waker) => Fired::Wake(waker),
                Due::Activity(activity) => match self.timer_of_activity(activity) {
                    Some(fired) => fired,
                    None => continue,
                },
            };
            self.handled += 1;
            return Some(fired);
        }
    }

    /// The end of a flow, if that comes next.
    fn next_flow(&mut self, horizon: SimTime) -> Option<Fired<E>> {
        let queue_date = self.queue.next_date();
        let flow_now = self.fluid.next_completion() == Some(self.now);
        if !flow_now && queue_date != Some(self.now) && self.fluid.needs_settling() {
            self.fluid.settle(self.now);
        }
        loop {
            let date =
                self.fluid.next_completion().filter(|date| *date <= queue_date.unwrap_or(LAST_DATE).min(horizon))?;
            self.now = date;
            if let Some(fired) = self.end_flow() {
                return Some(fired);
            }
        }
    }

    fn end_flow(&mut self) -> Option<Fired<E>> {
        let flow = self.fluid.pop_completed(self.now)?;
        match *self.carried_by_flow.get(flow.index())? {
            Carrier::Activity(activity) => self.end_activity(activity),
            Carrier::Share(share) => self.end_computing(share),
        }
    }

    /// The latency of a transfer is over, or all of it.
    fn timer_of_activity(&mut self, id: ActivityId) -> Option<Fired<E>> {
        let activity = self.activities.get_mut(id)?;
        let Some((path, bytes)) = activity.remaining.take() else {
            return self.end_activity(id);
        };
        let flow = self.fluid.start(self.now, path.flow(bytes as f64));
        activity.stage = Stage::Flowing(flow);
        self.note_flow(flow, Carrier::Activity(id));
        None
    }

    fn end_activity(&mut self, activity: ActivityId) -> Option<Fired<E>> {
        Some(match self.activities.remove(activity)?.notify {
            Notify::Event(event) => Fired::Event(event),
            Notify::Wake(waker) => Fired::Wake(waker),
        })
    }

    /// All that is to come as far as it is known now, the earliest first and what has no date last. For who looks at a simulation:
    /// it takes as long as there is to come, and changes nothing.
    ///
    /// ```
    /// use hearth_simcore::kernel::UpcomingKind;
    /// use hearth_simcore::prelude::*;
    /// # #[derive(Default)]
    /// # struct Silent;
    /// # impl Model for Silent {
    /// #     type Event = &'static str;
    /// #     type Error = std::convert::Infallible;
    /// #     fn handle(&mut self, _: &'static str, _: &mut Kernel<&'static str>) -> Result<(), Self::Error> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// let platform = PlatformBuilder::new().host("a", HostSpec::new(1, 1e9)).build()?;
    /// let mut simulation = Simulation::<Silent>::new(platform, 0);
    /// simulation.with_model_mut(|_, kernel| {
    ///     kernel.schedule(SimDuration::from_secs(2), "later");
    ///     kernel.schedule(SimDuration::from_secs(1), "soon");
    ///     let events: Vec<_> = kernel.upcoming().iter().filter_map(|one| one.event.copied()).collect();
    ///     assert_eq!(events, ["soon", "later"]);
    ///     assert_eq!(kernel.upcoming()[0].kind, UpcomingKind::Scheduled);
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn upcoming(&self) -> Vec<Upcoming<'_, E>> {
        let scheduled = self.queue.pending().into_iter().filter_map(|(date, due)| {
            let (event, kind) = match due {
                Due::Event(event) => (Some(event), UpcomingKind::Scheduled),
                Due::Wake(_) => (None, UpcomingKind::Scheduled),
                Due::Activity(activity) => self.upcoming_end(self.activities.get(*activity)?),
            };
            Some(Upcoming { date: Some(date), event, kind })
        });
        let background = self.background.iter().map(|((date, _), event)| Upcoming {
            date: Some(*date),
            event: Some(event),
            kind: UpcomingKind::InBackground,
        });
        let mut moving: Vec<_> = self.activities.values().filter(|of| !matches!(of.stage, Stage::Timed(_))).collect();
        moving.sort_unstable_by_key(|activity| activity.number);
        let moving = moving.into_iter().map(|activity| {
            let (event, kind) = self.upcoming_end(activity);
            Upcoming { date: self.date_at_this_rate(activity), event, kind }
        });
        let mut upcoming: Vec<_> = background.chain(moving).chain(scheduled).collect();
        upcoming.sort_by_key(|one| one.date.unwrap_or(SimTime::MAX));
        upcoming
    }

    fn upcoming_end<'a>(&self, activity: &'a Activity<E>) -> (Option<&'a E>, UpcomingKind) {
        let event = if let Notify::Event(event) = &activity.notify { Some(event) } else { None };
        let rate = match activity.stage {
            Stage::Flowing(flow) => self.fluid.speed(flow).unwrap_or_default(),
            Stage::Timed(_) | Stage::Computing { .. } => 0.0,
        };
        let kind = match activity.ends {
            Some((from, to)) => UpcomingKind::Transfer { from, to, rate },
            None => UpcomingKind::Computation,
        };
        (event, kind)
    }

    /// When a flow would end if its rate stayed what it is.
    fn date_at_this_rate(&self, activity: &Activity<E>) -> Option<SimTime> {
        let Stage::Flowing(flow) = activity.stage else { return None };
        let (speed, remaining) = (self.fluid.speed(flow)?, self.fluid.remaining(self.now, flow)?);
        (speed > 0.0).then(|| self.now + SimDuration::from_secs_f64(remaining / speed))
    }

    /// How many events and transfers are to come, without those in the background.
    pub fn pending_events(&self) -> usize {
        self.queue.len() + self.fluid.len()
    }

    /// Whether nothing is left to happen but what was scheduled in the background.
    pub fn is_at_rest(&self) -> bool {
        self.queue.is_empty() && self.fluid.is_still()
    }

    /// Moves the clock on to a date at which nothing happens.
    pub(crate) fn skip_to(&mut self, date: SimTime) {
        self.now = self.now.max(date);
    }
}
