//! The log that policies write by themselves.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};

use hearth_policy_api::boundary::Logged;
use hearth_policy_api::{LogLevel, NONE};
use hearth_simcore::time::SimTime;

/// Lines with the simulated date, the level and who says it.
pub(crate) struct PolicyLog {
    pub level: LogLevel,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// What was said before somebody took it.
    held: Vec<u8>,
    target: Option<Box<dyn Write>>,
    error: Option<io::Error>,
}

impl fmt::Debug for PolicyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a log of policies up to {}", self.level)
    }
}

impl PolicyLog {
    /// Nobody takes it yet.
    pub fn new(level: LogLevel) -> Self {
        Self { level, state: RefCell::default() }
    }

    /// Has a target take everything.
    pub fn set_target(&self, mut target: Box<dyn Write>) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        target.write_all(&std::mem::take(&mut state.held))?;
        state.target = Some(target);
        Ok(())
    }

    /// A policy says something.
    pub fn hear(&self, date: SimTime, logged: &Logged) {
        let Logged { slot, node, level, text } = logged;
        let node = if *node == NONE { String::new() } else { format!(" of node {node}") };
        let mut state = self.state.borrow_mut();
        if state.error.is_some() {
            return;
        }
        let line = format!("{date} {level} {}{node}: {text}\n", slot.path());
        let State { held, target, error } = &mut *state;
        match target {
            Some(target) => *error = target.write_all(line.as_bytes()).err(),
            None => held.extend_from_slice(line.as_bytes()),
        }
    }

    /// The simulation begins: what nobody takes by now nobody ever will.
    pub fn begin(&self) {
        let mut state = self.state.borrow_mut();
        if state.target.is_none() {
            state.held = Vec::new();
            state.target = Some(Box::new(io::sink()));
        }
    }

    /// Nothing is said any more.
    pub fn finish(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        match (state.error.take(), &mut state.target) {
            (Some(error), _) => Err(error),
            (None, Some(target)) => target.flush(),
            (None, None) => Ok(()),
        }
    }
}
