//! The debugger on a whole terminal: what is to be seen in panes, and a line for commands.

mod draw;
mod keys;
mod state;
#[cfg(test)]
mod tests;

use std::env;
use std::io;
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::{DefaultTerminal, restore, try_init};

use super::branches::Branches;
use crate::error::CommandError;
use crate::interrupt;

use self::state::State;

/// How long is waited for a key between two looks at anything else.
const PAUSE: Duration = Duration::from_millis(40);

/// Whether colours are wanted (<https://no-color.org>).
fn has_colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A terminal that this program has to itself until this is dropped, however that comes about.
struct Taken(DefaultTerminal);

impl Taken {
    fn take() -> io::Result<Self> {
        try_init().map(Self).inspect_err(|_| restore())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // What cannot be put back cannot be helped either.
        let _ = self.0.show_cursor();
        // A panic has done so already, and what it says is not to be written over.
        if !thread::panicking() {
            restore();
        }
    }
}

/// Shows the branches until somebody has had enough.
///
/// # Errors
/// When the terminal cannot be used, or Ctrl-C ends it.
pub fn run(branches: Branches) -> Result<(), CommandError> {
    interrupt::stops(|| {}, || {});
    let mut state = State::new(branches, has_colours());
    let mut terminal = Taken::take()?;
    while !state.has_quit() {
        terminal.0.draw(|frame| draw::draw(frame, &mut state))?;
        if event::poll(PAUSE)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => state.press(key),
                _ => {}
            }
        }
        // Of signals from outside; a key of that name is one among others.
        if interrupt::take() {
            return Err(CommandError::Stopped);
        }
        state.go_on();
    }
    drop(terminal);
    if state.is_stopped() { Err(CommandError::Stopped) } else { Ok(()) }
}
