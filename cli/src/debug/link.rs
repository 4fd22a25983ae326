//! What a debugger and its branches say to each other: each branch is a simulation of its own, most often in a process of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::engine::{Answer, Outcome, Panes, Status, Wanted};

/// What a branch is asked. It answers one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Request {
    /// To do what a command says.
    Do(String),
    /// What a screen shows.
    Panes(Wanted),
    /// What it has come to.
    Outcome,
    /// Where it is.
    Status,
    /// To stop where it is, if it runs. There is no answer but that of what it was at.
    Pause,
    /// To make another branch of itself, which introduces itself by this name.
    Branch(String),
}

/// What it answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// A branch is there.
    Here {
        /// Its name.
        name: String,
        /// Where it is.
        status: Status,
    },
    /// It cannot begin: what is wrong, and the exit code for that.
    Refused {
        /// What is wrong.
        problem: String,
        /// The exit code.
        code: u8,
    },
    /// It is still at it, and has come to here.
    Running {
        /// The date, in ns.
        date: u64,
        /// How many requests there have been.
        requests: u64,
    },
    /// What has come of a command, and where it is now.
    Done {
        /// What has come of it.
        answer: Answer,
        /// Where it is.
        status: Status,
    },
    /// What a screen shows.
    Panes(Box<Panes>),
    /// What it has come to.
    Outcome(Box<Outcome>),
    /// Where it is.
    Status(Status),
    /// It ends, because of this.
    Ends(String),
}

/// A branch is not there any more: why, as far as that is known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Gone(pub String);

/// The way to a branch.
pub trait Link {
    /// Asks it something.
    fn send(&mut self, request: &Request) -> Result<(), Gone>;

    /// Its next answer, if there is one within a time.
    fn receive(&mut self, within: Duration) -> Result<Option<Reply>, Gone>;
}

/// Makes a branch of another one.
pub trait Fork {
    /// One that is where the other is, of this name; or why there cannot be one.
    fn fork(&mut self, from: &mut dyn Link, name: &str) -> Result<(Box<dyn Link>, Status), String>;
}
