//! What the screen is at: which pane, what has been said, what is typed.

use std::time::Duration;

use hearth_serverless::policy::PolicySlot;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

use super::keys::{self, Wish};
use crate::debug::branches::{Branches, Progress};
use crate::debug::command::Command;
use crate::debug::engine::{Answer, Panes, Wanted};

/// The names of the panes, in the order of their numbers.
pub const PANES: [&str; 7] = ["nodes", "queue", "containers", "events", "policy", "invocation", "summary"];

const QUEUE: usize = 1;
const POLICY: usize = 4;
const INVOCATION: usize = 5;

/// So many lines of what has been said are kept.
const MOST_SAID: usize = 2000;

/// A line of what has been said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// A command.
    Command(String),
    /// What came of it.
    Answer(String),
    /// What was wrong with it.
    Problem(String),
}

/// What the screen is at.
pub struct State {
    pub branches: Branches,
    pub has_colours: bool,
    pub panes: Panes,
    /// The pane that is shown.
    pub pane: usize,
    /// The first line of it that is seen.
    pub scroll: usize,
    /// How many of its lines are seen; known once it has been drawn.
    pub height: usize,
    pub said: Vec<Said>,
    /// The command that is typed.
    pub input: Option<Input>,
    /// Whether a branch is at a command, and how far it is.
    pub running: Option<Option<(u64, u64)>>,
    pub is_helping: bool,
    wanted: Wanted,
    /// Commands that were typed, and which of these was brought back.
    history: Vec<String>,
    recalled: Option<usize>,
    is_stopped: bool,
}

impl State {
    pub fn new(branches: Branches, has_colours: bool) -> Self {
        let mut state = Self {
            branches,
            has_colours,
            panes: Panes::default(),
            pane: 0,
            scroll: 0,
            height: 0,
            said: vec![Said::Answer("? lists the keys, : begins a command, q quits.".to_owned())],
            input: None,
            running: None,
            is_helping: false,
            wanted: Wanted::default(),
            history: Vec::new(),
            recalled: None,
            is_stopped: false,
        };
        state.look();
        state
    }

    /// Whether somebody has had enough.
    pub fn has_quit(&self) -> bool {
        self.is_stopped || self.branches.has_quit()
    }

    /// Whether it was Ctrl-C that ended it.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// The lines of the pane that is shown.
    pub fn lines(&self) -> &[String] {
        let panes = &self.panes;
        match self.pane {
            0 => &panes.nodes,
            QUEUE => &panes.queue,
            2 => &panes.containers,
            3 => &panes.events,
            POLICY => &panes.policy,
            INVOCATION => &panes.invocation,
            _ => &panes.summary,
        }
    }

    /// Looks at the branch anew.
    fn look(&mut self) {
        if let Some(panes) = self.branches.panes(&self.wanted) {
            self.panes = panes;
        }
        self.scroll = self.scroll.min(self.lines().len().saturating_sub(1));
    }

    /// Hears how far the branch is.
    pub fn go_on(&mut self) {
        if self.running.is_some() {
            let progress = self.branches.poll(Duration::ZERO);
            self.hear(progress);
        }
    }

    fn hear(&mut self, progress: Progress) {
        match progress {
            Progress::Running(far) => self.running = Some(far),
            Progress::Done(answer) => {
                self.running = None;
                self.note(answer);
                self.look();
            }
        }
    }

    fn note(&mut self, answer: Answer) {
        let problem = answer.said().map(str::to_owned);
        self.said.extend(answer.lines.into_iter().map(Said::Answer));
        let problem = problem.iter().flat_map(|problem| problem.lines()).map(|line| Said::Problem(line.to_owned()));
        self.said.extend(problem);
        let too_many = self.said.len().saturating_sub(MOST_SAID);
        self.said.drain(..too_many);
    }

    fn execute(&mut self, line: &str) {
        self.said.push(Said::Command(line.to_owned()));
        // What has a pane is shown there.
        let shown = match Command::read(line) {
            Ok(Some(Command::Invocation(number))) => {
                self.wanted.invocation = Some(number);
                Some(INVOCATION)
            }
            Ok(Some(Command::Policy(slot))) => {
                self.wanted.slot = Some(slot.path().to_owned());
                Some(POLICY)
            }
            Ok(Some(Command::Policies)) => Some(POLICY),
            Ok(Some(Command::Nodes)) => Some(0),
            Ok(Some(Command::Queue(_))) => Some(QUEUE),
            Ok(Some(Command::Containers(None, None))) => Some(2),
            Ok(Some(Command::Events(_))) => Some(3),
            Ok(Some(Command::Summary)) => Some(PANES.len() - 1),
            _ => None,
        };
        if let Some(pane) = shown {
            self.show(pane);
            self.look();
            return;
        }
        let progress = self.branches.begin(line);
        self.hear(progress);
    }

    fn show(&mut self, pane: usize) {
        if pane < PANES.len() && pane != self.pane {
            (self.pane, self.scroll) = (pane, 0);
        }
    }

    /// A key is pressed.
    pub fn press(&mut self, key: KeyEvent) {
        if self.running.is_some() {
            if matches!(keys::wish(&key), Some(Wish::Stop)) {
                self.branches.pause();
            }
        } else if self.is_helping {
            self.is_helping = false;
            self.is_stopped = keys::is_stop(&key);
        } else if self.input.is_some() {
            self.type_key(&key);
        } else if let Some(wish) = keys::wish(&key) {
            self.grant(wish, &key);
        }
    }

    fn grant(&mut self, wish: Wish, key: &KeyEvent) {
        match wish {
            Wish::Do(line) => self.execute(line),
            Wish::Type(begin) => self.input = Some(Input::new(begin.to_owned())),
            Wish::Pane(pane) => self.show(pane),
            Wish::NextPane => self.show((self.pane + 1) % PANES.len()),
            Wish::PreviousPane => self.show((self.pane + PANES.len() - 1) % PANES.len()),
            Wish::Scroll(lines) => self.scroll_by(lines),
            Wish::Page(pages) => self.scroll_by(pages * self.height.max(1) as isize),
            Wish::Edge(end) => self.scroll_by(end * self.lines().len() as isize),
            Wish::Branch(by) => self.next_branch(by),
            Wish::NextSlot => {
                let now = PolicySlot::ALL.iter().position(|slot| Some(slot.path()) == self.wanted.slot.as_deref());
                let next = now.map_or(0, |now| (now + 1) % PolicySlot::ALL.len());
                self.wanted.slot = PolicySlot::ALL.get(next).map(|slot| slot.path().to_owned());
                self.show(POLICY);
                self.look();
            }
            Wish::Help => self.is_helping = true,
            Wish::Quit => self.execute("quit"),
            Wish::Stop => self.is_stopped = keys::is_stop(key),
        }
    }

    fn scroll_by(&mut self, lines: isize) {
        let last = self.lines().len().saturating_sub(self.height.max(1));
        self.scroll = self.scroll.saturating_add_signed(lines).min(last);
    }

    fn next_branch(&mut self, by: isize) {
        let names: Vec<String> = self.branches.names().map(str::to_owned).collect();
        let Some(now) = names.iter().position(|name| name == self.branches.name()) else { return };
        let next = (now as isize + by).rem_euclid(names.len() as isize) as usize;
        if let Some(name) = names.get(next).filter(|_| next != now) {
            self.execute(&format!("switch {name}"));
        }
    }

    fn type_key(&mut self, key: &KeyEvent) {
        let Some(input) = &mut self.input else { return };
        match key.code {
            _ if keys::is_stop(key) => self.input = None,
            KeyCode::Esc => self.input = None,
            KeyCode::Enter => {
                let line = input.value().trim().to_owned();
                (self.input, self.recalled) = (None, None);
                if !line.is_empty() {
                    self.history.push(line.clone());
                    self.execute(&line);
                }
            }
            KeyCode::Up => self.recall(-1),
            KeyCode::Down => self.recall(1),
            _ => {
                if let Some(request) = keys::edit(key) {
                    input.handle(request);
                }
            }
        }
    }

    /// Brings an earlier command back, or the one after it.
    fn recall(&mut self, by: isize) {
        let at = self.recalled.unwrap_or(self.history.len());
        let at = at.saturating_add_signed(by).min(self.history.len());
        let line = self.history.get(at).cloned().unwrap_or_default();
        self.recalled = Some(at);
        self.input = Some(Input::new(line));
    }
}
