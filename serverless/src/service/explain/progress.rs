//! How far the time of an attempt is accounted for, and what it is doing.

use hearth_simcore::time::{SimDuration, SimTime};

use super::clocks::Lasted;
use super::sites::Site;
use super::timed::{Timed, Uses};
use crate::causes::{Cause, Causes};
use crate::results::Telling;

/// What the time of an attempt was spent on so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Explained {
    pub causes: Causes,
    /// All before this date is accounted for.
    since: SimTime,
    /// How long the states of the service had lasted by then.
    lasted: Lasted,
    pub doing: Doing,
    pub queued: Queued,
    /// What it waits for before it is at the head: admission has put it off, or it is to be tried again.
    pub away: Option<Cause>,
    /// Where its image is brought for it while it is in the queue.
    pub prepared: Option<Site>,
    /// Its story, if that is told.
    pub telling: Option<Box<Telling>>,
}

/// What an attempt in a container does.
#[derive(Clone, Debug, Default)]
pub(crate) enum Doing {
    /// Nothing that takes time, or what its stage says.
    #[default]
    Nothing,
    /// One thing.
    One(Timed),
    /// A closure is at work, which may do several things at once.
    Closure(Several),
}

/// What a closure does at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Several {
    /// How many waits that count as work.
    waits: u32,
    /// What takes a time of its own, by number.
    under_way: Vec<(u32, Timed)>,
    begun: u32,
}

impl Several {
    /// Begins with one more; gives its number. What has no time of its own is a wait.
    pub fn begin(&mut self, timed: Option<Timed>) -> u32 {
        self.begun += 1;
        match timed {
            Some(timed) => self.under_way.push((self.begun, timed)),
            None => self.waits += 1,
        }
        self.begun
    }

    /// One of them is over.
    pub fn end(&mut self, number: u32) {
        let before = self.under_way.len();
        self.under_way.retain(|(other, _)| *other != number);
        self.waits -= u32::from(before == self.under_way.len() && self.waits > 0);
    }
}

/// Why it is in the queue although cores are free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Queued {
    /// By the answer of the policy.
    #[default]
    ToldToWait,
    /// There were too many containers of its function.
    AtLimit,
    /// Where it was to start was no room.
    NoRoom,
}

impl Doing {
    /// Whether data is moved.
    pub fn is_a_transfer(&self) -> bool {
        let is_one = |timed: &Timed| matches!(timed.uses(), Uses::Links(..));
        match self {
            Self::Nothing => false,
            Self::One(timed) => is_one(timed),
            Self::Closure(several) => several.under_way.iter().any(|(_, timed)| is_one(timed)),
        }
    }

    /// All that takes a time of its own.
    pub fn under_way(&mut self) -> impl Iterator<Item = &mut Timed> {
        let (one, several) = match self {
            Self::Nothing => (None, None),
            Self::One(timed) => (Some(timed), None),
            Self::Closure(several) => (None, Some(several.under_way.iter_mut().map(|(_, timed)| timed))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

impl Queued {
    fn cause(self) -> Cause {
        match self {
            Self::ToldToWait => Cause::PolicyWait,
            Self::AtLimit => Cause::ContainerLimit,
            Self::NoRoom => Cause::NodeFull,
        }
    }
}

impl Explained {
    /// Nothing of it is accounted for, from a date on.
    pub fn begin(&mut self, date: SimTime, lasted: Lasted) {
        self.causes.parts.clear();
        self.causes.cold_start = None;
        (self.since, self.lasted) = (date, lasted);
        (self.doing, self.queued, self.away) = (Doing::Nothing, Queued::default(), None);
        (self.prepared, self.telling) = (None, None);
    }

    /// The date up to which all is accounted for.
    #[inline]
    pub fn since(&self) -> SimTime {
        self.since
    }

    /// Whether nothing is left to be accounted for. A request may be planned for later.
    #[inline]
    pub fn is_settled(&self, now: SimTime) -> bool {
        now <= self.since
    }

    /// What comes from now on is no part of the latency.
    #[inline]
    pub fn is_over(&mut self) {
        self.since = SimTime::MAX;
    }

    #[inline]
    fn settled(&mut self, now: SimTime, lasted: Lasted) {
        (self.since, self.lasted) = (now, lasted);
    }

    /// Parts of the time up to now, one after the other as far as that is known.
    #[inline]
    fn put(&mut self, parts: &[(Cause, SimDuration)]) {
        for (cause, length) in parts {
            self.causes.parts.add(*cause, *length);
        }
        if let Some(telling) = &mut self.telling {
            let mut from = self.since;
            for (cause, length) in parts {
                telling.spent(*cause, from, *length);
                from = from + *length;
            }
        }
    }

    /// All up to now has this cause.
    #[inline]
    pub fn spend(&mut self, cause: Cause, now: SimTime, lasted: Lasted) {
        self.put(&[(cause, now.since(self.since))]);
        self.settled(now, lasted);
    }

    /// All up to now was spent at the head, in its queue or by what it did, unless it was down.
    pub fn spend_at_head(&mut self, cause: Cause, now: SimTime, lasted: Lasted) {
        if lasted.head_down == self.lasted.head_down {
            return self.spend(cause, now, lasted);
        }
        let down = lasted.since(self.lasted).head_down;
        self.put(&[(Cause::HeadDown, down), (cause, minus(now.since(self.since), down))]);
        self.settled(now, lasted);
    }

    /// All up to now was spent in the queue; what is left of it is by a move of its image, if one is under way.
    #[inline]
    pub fn spend_in_queue(&mut self, image: Option<&Timed>, now: SimTime, lasted: Lasted) {
        if image.is_none() && lasted == self.lasted {
            return self.spend(self.queued.cause(), now, lasted);
        }
        let Lasted { head_down, cores_busy, head_busy } = lasted.since(self.lasted);
        let left = minus(minus(minus(now.since(self.since), head_down), cores_busy), head_busy);
        let of_others = [(Cause::HeadDown, head_down), (Cause::CoresBusy, cores_busy), (Cause::HeadQueue, head_busy)];
        match image {
            // As if what is left had been the last of it: its date is not known.
            Some(image) => {
                let [alone, fault, sharing] = image.split(SimTime::from_nanos(now.as_nanos() - left.as_nanos()), now);
                let [down, busy, head] = of_others;
                self.put(&[down, busy, head, alone, fault, sharing]);
            }
            None => {
                let [down, busy, head] = of_others;
                self.put(&[down, busy, head, (self.queued.cause(), left)]);
            }
        }
        self.settled(now, lasted);
    }

    /// All up to now was spent on something that takes its time.
    #[inline]
    pub fn spend_on(&mut self, timed: &Timed, now: SimTime, lasted: Lasted) {
        if let Some(cause) = timed.is_all_alone(now) {
            return self.spend(cause, now, lasted);
        }
        self.put(&timed.split(self.since, now));
        self.settled(now, lasted);
    }

    /// All up to now was spent on what it does, which is `otherwise` if it is nothing that takes a time of its own.
    #[inline]
    pub fn spend_on_what_it_does(&mut self, otherwise: Cause, now: SimTime, lasted: Lasted) {
        let timed = match &self.doing {
            Doing::One(timed) => Some(timed),
            // While it waits for something else as well, that is work.
            Doing::Closure(several) if several.waits == 0 => several.under_way.last().map(|(_, timed)| timed),
            Doing::Nothing | Doing::Closure(_) => None,
        };
        let cause = timed.map_or(Some(otherwise), |timed| timed.is_all_alone(now));
        match (cause, timed) {
            (None, Some(timed)) => {
                let timed = *timed;
                self.spend_on(&timed, now, lasted);
            }
            (cause, _) => self.spend(cause.unwrap_or(otherwise), now, lasted),
        }
    }
}

fn minus(more: SimDuration, less: SimDuration) -> SimDuration {
    SimDuration::from_nanos(more.as_nanos().saturating_sub(less.as_nanos()))
}
