//! Something that takes a time of its own, and longer where faults slow it down or where it shares what it uses.

use hearth_simcore::network::{AloneTime, Endpoint};
use hearth_simcore::time::{SimDuration, SimTime};

use crate::causes::Cause;
use crate::node::NodeId;

/// The causes of its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    /// What it takes alone.
    alone: Cause,
    /// What it takes longer by a fault.
    fault: Cause,
    /// What it takes longer beside others.
    sharing: Cause,
}

impl Kind {
    pub const DOWNLOAD: Self = Self::transfer(Cause::ImageDownload, Cause::ImageDownloadSharing);
    pub const COPY: Self = Self::transfer(Cause::ImageCopy, Cause::ImageCopySharing);
    pub const LOAD: Self = Self::transfer(Cause::ImageLoad, Cause::ImageLoadSharing);
    pub const DATA: Self = Self::transfer(Cause::DataTransfer, Cause::DataTransferSharing);
    /// What an instance is restored from is read.
    pub const SNAPSHOT: Self = Self::transfer(Cause::ContainerStart, Cause::ContainerStartSharing);
    pub const START: Self = Self::on_processors(Cause::ContainerStart, Cause::ContainerStartSharing);
    pub const WORK: Self = Self::on_processors(Cause::Work, Cause::WorkSharing);

    const fn transfer(alone: Cause, sharing: Cause) -> Self {
        Self { alone, fault: Cause::DegradedLink, sharing }
    }

    const fn on_processors(alone: Cause, sharing: Cause) -> Self {
        Self { alone, fault: Cause::SlowNode, sharing }
    }
}

/// It is under way since a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Timed {
    began: SimTime,
    /// How long it takes alone without faults, and with those there are, from its begin on.
    whole: SimDuration,
    slowed: SimDuration,
    /// How much of it, at its begin, takes the same whatever happens.
    fixed: SimDuration,
    kind: Kind,
    uses: Uses,
}

/// What it uses that faults may slow down while it is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Uses {
    /// Nothing: its length was settled when it began.
    Nothing,
    /// Links and disks, for so many bytes.
    Links((Endpoint, Endpoint), u64),
    /// Shared processors of a node.
    Processors(NodeId),
}

impl Timed {
    /// It begins, and takes so long alone: without faults, and with those there are.
    #[inline]
    pub fn new(kind: Kind, began: SimTime, (whole, slowed): (SimDuration, SimDuration)) -> Self {
        Self { began, whole, slowed: slowed.max(whole), fixed: SimDuration::ZERO, kind, uses: Uses::Nothing }
    }

    /// The same, which computes on shared processors of a node.
    pub fn computing(kind: Kind, began: SimTime, times: (SimDuration, SimDuration), node: NodeId) -> Self {
        Self { uses: Uses::Processors(node), ..Self::new(kind, began, times) }
    }

    /// A transfer begins.
    pub fn transfer(kind: Kind, began: SimTime, alone: AloneTime, ends: (Endpoint, Endpoint), bytes: u64) -> Self {
        let (fixed, uses) = (alone.latency, Uses::Links(ends, bytes));
        Self { fixed, uses, ..Self::new(kind, began, (alone.whole, alone.now)) }
    }

    /// It and another one are under way, and both are waited for, which began at the same date.
    pub fn beside(self, other: Self) -> Self {
        Self { whole: self.whole.max(other.whole), slowed: self.slowed.max(other.slowed), ..self }
    }

    /// From now on all of it would take another time, by faults.
    pub fn change(&mut self, slowed: SimDuration, now: SimTime) {
        let passed = now.since(self.began).max(self.fixed);
        let of = |length: SimDuration| length.as_nanos().saturating_sub(self.fixed.as_nanos()) as f64;
        let left = 1.0 - (of(passed) / of(self.slowed).max(1.0)).min(1.0);
        self.slowed = (passed + SimDuration::from_nanos((of(slowed) * left).round() as u64)).max(self.whole);
    }

    /// What it is up to a date, if nothing has made it longer by then: nearly always so.
    #[inline]
    pub fn is_all_alone(&self, to: SimTime) -> Option<Cause> {
        (to <= self.began + self.whole).then_some(self.kind.alone)
    }

    /// What a span of it was spent on: the time that it takes alone, what faults make longer, and what others do.
    #[inline]
    pub fn split(&self, from: SimTime, to: SimTime) -> [(Cause, SimDuration); 3] {
        let until = |end: SimTime| end.min(to).since(from);
        let (alone, slowed) = (until(self.began + self.whole), until(self.began + self.slowed));
        let rest = to.since(from);
        let minus = |more: SimDuration, less: SimDuration| SimDuration::from_nanos(more.as_nanos() - less.as_nanos());
        [(self.kind.alone, alone), (self.kind.fault, minus(slowed, alone)), (self.kind.sharing, minus(rest, slowed))]
    }

    /// What it uses that faults may slow down.
    pub fn uses(&self) -> Uses {
        self.uses
    }

    /// How long it takes alone without faults.
    pub fn whole(&self) -> SimDuration {
        self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(timed: Timed, from: u64, to: u64) -> [u64; 3] {
        timed.split(SimTime::from_nanos(from), SimTime::from_nanos(to)).map(|(_, length)| length.as_nanos())
    }

    #[test]
    fn a_span_is_first_what_it_takes_alone_then_what_faults_and_then_what_others_make_longer() {
        let of = |whole: u64, slowed: u64| (SimDuration::from_nanos(whole), SimDuration::from_nanos(slowed));
        let mut timed = Timed::new(Kind::COPY, SimTime::from_nanos(100), of(10, 30));
        assert_eq!(split(timed, 100, 150), [10, 20, 20]);
        assert_eq!(split(timed, 100, 105), [5, 0, 0]);
        // Who comes later waits for the rest of each.
        assert_eq!(split(timed, 108, 150), [2, 20, 20]);
        assert_eq!(split(timed, 120, 150), [0, 10, 20]);
        assert_eq!(split(timed, 140, 150), [0, 0, 10]);
        // Half of it is done; the other half takes as long as without faults.
        timed.change(SimDuration::from_nanos(10), SimTime::from_nanos(115));
        assert_eq!(split(timed, 100, 150), [10, 10, 30]);
    }
}
