//! Invocations: their states, dates and outcomes.

use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::task::Waker;

use hearth_simcore::time::SimTime;

use crate::causes::Causes;
use crate::function::FunctionId;
use crate::function::call::Output;

/// Where an invocation stands on its way through the service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum InvocationState {
    /// The controller has asked; the head has not processed the request yet.
    Requested,
    /// The head has processed the request.
    Submitted,
    /// Admission let it in.
    Admitted,
    /// Its image is being downloaded, copied or loaded.
    WaitingForImage,
    /// It waits for a place on a node.
    Queued,
    /// It has a core and its container is starting.
    Starting,
    /// Its body runs.
    Running,
    /// Its body ended well.
    Completed,
    /// Its body ended in an error, or passed a limit on data.
    Failed,
    /// It reached its time limit.
    TimedOut,
    /// It was not admitted, or could not be placed.
    Rejected,
}

impl InvocationState {
    /// Whether an invocation in this state has ended.
    pub fn is_final(self) -> bool {
        self >= Self::Completed
    }
}

/// How an invocation ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its body ended well.
    Completed,
    /// It reached its time limit.
    TimedOut,
    /// Its body ended in an error, or passed a limit on data, or its image could not be had.
    Failed,
    /// It was not admitted, or could not be placed.
    Rejected,
    /// Its node died.
    Lost,
    /// The simulation stopped before it ended.
    Unfinished,
}

impl Outcome {
    /// All outcomes, in the order of reports.
    pub const ALL: [Outcome; 6] =
        [Self::Completed, Self::TimedOut, Self::Failed, Self::Rejected, Self::Lost, Self::Unfinished];

    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Lost => "lost",
            Self::Unfinished => "unfinished",
        }
    }
}

/// What kind of container an invocation ran in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Start {
    /// One that was started for it.
    Cold,
    /// One that another invocation left idle.
    Warm,
}

impl Start {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
        }
    }
}

/// What is known of one invocation, as in a row of `invocations.csv`. Dates are those of the timing model, section 1.
#[derive(Clone, PartialEq, Debug)]
pub struct InvocationRecord {
    /// Its number.
    pub invocation: u64,
    /// Its function.
    pub function: FunctionId,
    /// When the controller asked; `None` if it never did.
    pub requested_at: Option<SimTime>,
    /// When the head had processed the request.
    pub submitted_at: Option<SimTime>,
    /// When it got a container and a core.
    pub dispatched_at: Option<SimTime>,
    /// When its body began.
    pub started_at: Option<SimTime>,
    /// When its body ended, or it was rejected; for one that timed out its start plus the limit.
    pub finished_at: Option<SimTime>,
    /// The number of the node it ran on.
    pub node: Option<u32>,
    /// Cold or warm, once it was dispatched.
    pub start: Option<Start>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, if it did not end well.
    pub failure: Option<Rc<str>>,
    /// What its latency is made of, where a run is [explained](crate::experiment::Experiment::explained). The parts go up to the end, or
    /// to the end of the simulation if it has not ended.
    pub causes: Option<Box<Causes>>,
}

impl InvocationRecord {
    /// The record of an invocation of which nothing has happened.
    pub(crate) fn new(invocation: u64, function: FunctionId) -> Self {
        Self {
            invocation,
            function,
            requested_at: None,
            submitted_at: None,
            dispatched_at: None,
            started_at: None,
            finished_at: None,
            node: None,
            start: None,
            outcome: Outcome::Unfinished,
            failure: None,
            causes: None,
        }
    }
}

/// What a service shows of an invocation to those who hold its handle.
#[derive(Debug)]
pub(crate) struct Watched {
    pub number: u64,
    pub history: Vec<(InvocationState, SimTime)>,
    pub failure: Option<Rc<str>>,
    pub output: Option<Output>,
    /// The head has told the controller of the end.
    pub done: bool,
    pub waiters: Vec<Waker>,
}

impl Watched {
    /// Notes a state, unless it is the last one.
    pub fn enter(&mut self, state: InvocationState, now: SimTime) {
        if self.history.last().is_none_or(|(last, _)| *last != state) {
            self.history.push((state, now));
        }
    }
}

/// A handle on an invocation, from [`crate::FunctionManager::invoke`], whose documentation has an example. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub(crate) watched: Rc<RefCell<Watched>>,
}

impl Invocation {
    /// Its number: invocations of a service are numbered in the order of requests.
    pub fn number(&self) -> u64 {
        self.watched.borrow().number
    }

    /// Where it stands.
    pub fn state(&self) -> InvocationState {
        self.watched.borrow().history.last().map_or(InvocationState::Requested, |(state, _)| *state)
    }

    /// Every state it has been in so far, with the date of entering it.
    pub fn history(&self) -> Ref<'_, [(InvocationState, SimTime)]> {
        Ref::map(self.watched.borrow(), |watched| watched.history.as_slice())
    }

    /// When it first entered a state.
    pub fn entered(&self, state: InvocationState) -> Option<SimTime> {
        self.watched.borrow().history.iter().find(|(entered, _)| *entered == state).map(|(_, date)| *date)
    }

    /// Whether it has ended and the controller was told.
    pub fn is_done(&self) -> bool {
        self.watched.borrow().done
    }

    /// Why it did not end well.
    pub fn failure(&self) -> Option<String> {
        self.watched.borrow().failure.as_deref().map(str::to_owned)
    }

    /// What its body returned, once it has completed.
    pub fn output(&self) -> Option<Output> {
        self.watched.borrow().output.clone()
    }
}

/// What a simulation waited for that could not go on, although there was time left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stall {
    /// How many invocations have not ended.
    pub invocations: u64,
    /// The first of them.
    pub first: u64,
    /// What that one waits for.
    pub reason: String,
}

impl std::fmt::Display for Stall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nothing is left to happen, but {}", self.who())
    }
}

impl Stall {
    /// Who waits for what, as in `invocation 3 waits for … (2 more have not ended)`.
    pub(crate) fn who(&self) -> String {
        let others = match self.invocations {
            0 | 1 => String::new(),
            others => format!(" ({} more have not ended)", others - 1),
        };
        format!("invocation {} {}{others}", self.first, self.reason)
    }
}
