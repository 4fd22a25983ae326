//! What happened to one invocation, told by date.

use hearth_simcore::time::{SimDuration, SimTime};

use crate::causes::{Cause, Undone};
use crate::invocation::InvocationRecord;

/// What happened to one invocation: what its time was spent on, and what was decided about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// What came of it.
    pub record: InvocationRecord,
    /// In the order of dates.
    pub events: Vec<StoryEvent>,
    /// The faults that came about before it ended, in the order of dates.
    pub faults: Vec<FaultBegun>,
}

/// A fault has come about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultBegun {
    /// Its number in the plan.
    pub number: u32,
    /// When.
    pub at: SimTime,
    /// The host or link.
    pub name: String,
    /// What happened to it, in words.
    pub what: &'static str,
}

impl FaultBegun {
    /// What has it not happen this time.
    pub fn undone(&self) -> Undone {
        Undone::Fault { number: self.number, at: self.at }
    }
}

/// A part of a story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoryEvent {
    /// A span of its time has been spent on these, in this order as far as that is known.
    Spent {
        /// Since when.
        from: SimTime,
        /// Until when.
        to: SimTime,
        /// The parts of it, which add up to it.
        parts: Vec<(Cause, SimDuration)>,
    },
    /// Something was decided or came about.
    Told {
        /// When.
        at: SimTime,
        /// What, in words.
        what: String,
    },
}

impl StoryEvent {
    /// When it was, or began.
    pub fn date(&self) -> SimTime {
        match self {
            Self::Spent { from, .. } => *from,
            Self::Told { at, .. } => *at,
        }
    }
}

/// A story while it is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Telling {
    events: Vec<StoryEvent>,
    /// How often the last thing that was told has been so in a row.
    times: u32,
}

impl Telling {
    /// Time was spent on something from a date on.
    pub fn spent(&mut self, cause: Cause, from: SimTime, length: SimDuration) {
        if length == SimDuration::ZERO {
            return;
        }
        // What is told in between does not divide a span of the same cause from the rest of it.
        let last = self.events.iter_mut().rev().find(|event| matches!(event, StoryEvent::Spent { .. }));
        if let Some(StoryEvent::Spent { to, parts, .. }) = last
            && *to == from
            && let [.., (of, sum)] = parts.as_mut_slice()
            && *of == cause
        {
            *sum += length;
            *to = *to + length;
            return;
        }
        self.events.push(StoryEvent::Spent { from, to: from + length, parts: vec![(cause, length)] });
    }

    /// Something was decided or came about. What is said several times in a row is told once, with how often.
    pub fn tell(&mut self, at: SimTime, what: String) {
        let said = |text: &str| match text.rsplit_once(" (") {
            Some((said, _)) if text.ends_with(')') => said.to_owned(),
            _ => text.to_owned(),
        };
        let last = self.events.iter_mut().rev().find(|event| matches!(event, StoryEvent::Told { .. }));
        if let Some(StoryEvent::Told { what: before, .. }) = last
            && said(before) == said(&what)
        {
            self.times += 1;
            let added = what.rsplit_once(" (").map_or("", |(_, added)| added);
            let call =
                added.strip_prefix("call ").map(|call| call.trim_end_matches(')').split(';').next().unwrap_or(call));
            let last = call.map_or("last".to_owned(), |call| format!("last call {call}"));
            *before = format!("{} ({} times, {last} at {:.3} s)", said(&what), self.times, at.as_secs_f64());
            return;
        }
        self.times = 1;
        self.events.push(StoryEvent::Told { at, what });
    }

    /// Ends it.
    pub fn finish(mut self, record: InvocationRecord, faults: Vec<FaultBegun>) -> Story {
        self.events.sort_by_key(StoryEvent::date);
        Story { record, events: self.events, faults }
    }
}
