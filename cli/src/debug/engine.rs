//! Does what is said with one simulation, and says what is to be seen.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use hearth_serverless::experiment::{Condition, Debugged, Quantity, ReplaceError, Stop, Until};
use hearth_serverless::policy::PolicySlot;
use hearth_serverless::results::{Summary, Unit as Quantities, write_invocations};
use hearth_serverless::scenario::Override;
use hearth_simcore::time::SimTime;
use serde::{Deserialize, Serialize};

use super::Debuggable;
use super::command::{Command, Goal, USUAL_LENGTH, Unit};
use super::text::{self, Names};
use crate::assignment::policy_overrides;
use crate::objects::inputs::told_in;

/// Where a simulation is.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The date, in ns.
    pub date: u64,
    /// How many events have been handled.
    pub events: u64,
    /// How many decisions there have been.
    pub decisions: u64,
    /// How many requests there have been.
    pub requests: u64,
    /// How many have been let in and wait.
    pub queue: u64,
    /// How many run.
    pub running: u64,
    /// Whether nothing is left to happen.
    pub has_ended: bool,
    /// Why it cannot go on.
    pub failure: Option<String>,
}

/// What comes of a command.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// What there is to see.
    pub lines: Vec<String>,
    /// What was wrong with the command; of an expectation, that it does not hold.
    pub problem: Option<Problem>,
}

/// Why a command has come to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Problem {
    /// It is not understood, or cannot be done.
    Wrong(String),
    /// What was expected is not so.
    Unexpected(String),
}

impl Answer {
    /// What there is to see.
    pub fn of(lines: Vec<String>) -> Self {
        Self { lines, problem: None }
    }

    /// That the command cannot be done.
    pub fn wrong(problem: impl Into<String>) -> Self {
        Self { lines: Vec::new(), problem: Some(Problem::Wrong(problem.into())) }
    }
}

/// An invocation that has ended, for comparing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// Its number.
    pub invocation: u64,
    /// Its function.
    pub function: u32,
    /// In ns; `None` if it has not completed.
    pub latency: Option<u64>,
}

/// What a branch has come to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Where it is.
    pub status: Status,
    /// Its numbers, as they are shown.
    pub cells: Vec<(String, String)>,
    /// Those that have ended, by number.
    pub ended: Vec<Ended>,
    /// The names of functions.
    pub functions: Vec<String>,
}

/// What a screen shows besides what is said.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Whose last call.
    pub slot: Option<String>,
    /// Which invocation.
    pub invocation: Option<u64>,
}

/// What a screen shows, as lines.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Panes {
    pub nodes: Vec<String>,
    pub queue: Vec<String>,
    pub containers: Vec<String>,
    pub events: Vec<String>,
    pub policy: Vec<String>,
    pub invocation: Vec<String>,
    pub summary: Vec<String>,
}

/// So many lines of a pane at the most.
const MOST_LINES: usize = 1000;

/// A simulation, and what has been set.
pub struct Engine<'a> {
    debugged: Debugged,
    chosen: &'a dyn Debuggable,
    /// What has been set since the begin.
    set: Vec<Override>,
    breakpoints: Vec<Condition>,
}

impl<'a> Engine<'a> {
    /// A simulation at its begin.
    pub fn new(debugged: Debugged, chosen: &'a dyn Debuggable) -> Self {
        Self { debugged, chosen, set: Vec::new(), breakpoints: Vec::new() }
    }

    /// Where it is.
    pub fn status(&mut self) -> Status {
        let debugged = &mut self.debugged;
        Status {
            date: debugged.now().as_nanos(),
            events: debugged.events(),
            decisions: debugged.decisions(),
            requests: debugged.measure(Quantity::Requests),
            queue: debugged.measure(Quantity::Queue),
            running: debugged.measure(Quantity::Running),
            has_ended: debugged.is_over(),
            failure: debugged.failure().map(|error| told_in(error.to_string())),
        }
    }

    /// Does what is said. `is_to_pause` is shown how far it is, and says whether it is to stop there.
    pub fn execute(&mut self, line: &str, mut is_to_pause: impl FnMut() -> bool) -> Answer {
        match Command::read(line) {
            Ok(None) => Answer::default(),
            Ok(Some(command)) => self.do_it(command, &mut is_to_pause).unwrap_or_else(Answer::wrong),
            Err(problem) => Answer::wrong(problem.to_string()),
        }
    }

    fn do_it(&mut self, command: Command, is_to_pause: &mut dyn FnMut() -> bool) -> Result<Answer, String> {
        Ok(Answer::of(match command {
            Command::Step(unit, times) => self.step(unit, times, is_to_pause),
            Command::Run(goal) => {
                let until = match goal {
                    Goal::End => Until::End,
                    Goal::Date(date) if date < self.debugged.now() => {
                        let (date, now) = (text::date(date), text::date(self.debugged.now()));
                        return Err(format!(
                            "{date} has passed: it is {now}; time does not go back, but a branch stays where it is"
                        ));
                    }
                    Goal::Date(date) => Until::Date(date),
                    Goal::For(time) => Until::Date(self.debugged.now() + time),
                    Goal::Until(condition) => Until::Condition(self.condition(&condition)?),
                };
                let stop = self.debugged.run(&until, &self.breakpoints, is_to_pause);
                self.stopped(stop, Some(&until))
            }
            Command::Break(condition) => {
                let condition = self.condition(&condition)?;
                self.breakpoints.push(condition);
                vec![format!(
                    "breakpoint {}: {}",
                    self.breakpoints.len(),
                    self.breakpoints.last().map(ToString::to_string).unwrap_or_default()
                )]
            }
            Command::Breaks if self.breakpoints.is_empty() => vec!["no breakpoints".to_owned()],
            Command::Breaks => (1..).zip(&self.breakpoints).map(|(number, of)| format!("{number}  {of}")).collect(),
            Command::Delete(None) => {
                self.breakpoints.clear();
                vec!["no breakpoints".to_owned()]
            }
            Command::Delete(Some(number)) if (1..=self.breakpoints.len()).contains(&number) => {
                let deleted = self.breakpoints.remove(number - 1);
                vec![format!("deleted: {deleted}")]
            }
            Command::Delete(Some(number)) => {
                return Err(format!("there is no breakpoint {number}: `breaks` lists them"));
            }
            Command::Expect(condition) => {
                let condition = self.condition(&condition)?;
                if !self.debugged.holds(&condition) {
                    let (date, events) = (text::date(self.debugged.now()), self.debugged.events());
                    let problem = format!("expected {condition}, which does not hold at {date}, after event {events}");
                    return Ok(Answer { lines: Vec::new(), problem: Some(Problem::Unexpected(problem)) });
                }
                vec![format!("{condition}: holds")]
            }
            Command::Where => self.where_it_is(),
            Command::Nodes => text::nodes(&self.debugged.nodes()),
            Command::Node(name) => {
                let number = self.number_of("node", &name, |about| &about.nodes)?;
                let node = self.debugged.node(number).ok_or("there is no such node")?;
                text::node(&node, Names(self.debugged.about()))
            }
            Command::Queue(most) => self.queue(most),
            Command::Invocation(number) => {
                let known = self.debugged.invocation(number);
                let known = known.ok_or_else(|| {
                    format!("invocation {number} has not been requested by {}", text::date(self.debugged.now()))
                })?;
                text::invocation(number, &known, Names(self.debugged.about()))
            }
            Command::Containers(function, node) => {
                let function =
                    function.map(|name| self.number_of("function", &name, |about| &about.functions)).transpose()?;
                let node = node.map(|name| self.number_of("node", &name, |about| &about.nodes)).transpose()?;
                self.containers(function, node)
            }
            Command::Events(most) => text::events(&self.debugged.upcoming(most)),
            Command::Policies => text::policies(self.debugged.policies()),
            Command::Policy(slot) => self.policy(slot),
            Command::Summary => text::summary(&mut self.debugged),
            Command::Save(file) => self.save(&file)?,
            Command::Set(choice) => self.replace(&choice)?,
            Command::Branch(_)
            | Command::Branches
            | Command::Switch(_)
            | Command::Compare(_)
            | Command::Drop(_)
            | Command::Help(_)
            | Command::Quit => return Err("is no command for a branch".to_owned()),
        }))
    }

    fn condition(&self, condition: &str) -> Result<Condition, String> {
        Condition::parse(condition, self.debugged.about()).map_err(|error| {
            let column = condition.get(..error.at).unwrap_or_default().chars().count();
            format!("{error}\n  {condition}\n  {}^", " ".repeat(column))
        })
    }

    fn number_of(
        &self,
        what: &str,
        name: &str,
        names: impl Fn(&hearth_serverless::experiment::About) -> &Vec<String>,
    ) -> Result<u32, String> {
        let names = names(self.debugged.about());
        let position = names.iter().position(|known| known == name);
        position.map(|position| position as u32).ok_or_else(|| {
            let meant = hearth_serverless::scenario::did_you_mean(name, names.iter().map(String::as_str));
            format!("there is no {what} {name:?}{meant}")
        })
    }

    fn step(&mut self, unit: Unit, times: u64, is_to_pause: &mut dyn FnMut() -> bool) -> Vec<String> {
        let until = match unit {
            Unit::Event => Until::Events(times),
            Unit::Decision => Until::Decision,
            Unit::Date => Until::NextDate,
        };
        let again = if unit == Unit::Event { 1 } else { times };
        let mut stop = Stop::Reached;
        for _ in 0..again {
            stop = self.debugged.run(&until, &self.breakpoints, &mut *is_to_pause);
            if stop != Stop::Reached {
                break;
            }
        }
        self.stopped(stop, None)
    }

    /// Why it was stopped, where, and what has happened last.
    fn stopped(&mut self, stop: Stop, until: Option<&Until>) -> Vec<String> {
        let why = match (stop, until) {
            (Stop::Reached, Some(Until::Condition(condition))) => format!("{condition}: holds"),
            (Stop::Reached, _) => String::new(),
            (Stop::Breakpoint(position), _) => {
                let condition = self.breakpoints.get(position).map(ToString::to_string).unwrap_or_default();
                format!("breakpoint {}: {condition}", position + 1)
            }
            (Stop::Paused, _) => "paused".to_owned(),
            (Stop::Ended, _) => "nothing is left to happen".to_owned(),
            (Stop::Failed, _) => {
                let error = self.debugged.failure().map(|error| told_in(error.to_string())).unwrap_or_default();
                format!("the simulation stopped: {error}")
            }
        };
        let mut lines = self.where_it_is();
        if let Some(first) = lines.first_mut().filter(|_| !why.is_empty()) {
            *first += &format!(": {why}");
        }
        lines
    }

    fn where_it_is(&mut self) -> Vec<String> {
        let (date, events) = (text::date(self.debugged.now()), self.debugged.events());
        let mut lines = vec![format!("at {date}, after event {events}")];
        lines.extend(text::happened(&self.debugged.happened(), Names(self.debugged.about())));
        lines
    }

    fn queue(&mut self, most: usize) -> Vec<String> {
        let (attempts, now) = (self.debugged.attempts(), self.debugged.now());
        text::queue(&attempts, most, now, Names(self.debugged.about()))
    }

    fn containers(&mut self, function: Option<u32>, node: Option<u32>) -> Vec<String> {
        let nodes = match node {
            Some(node) => self.debugged.node(node).into_iter().collect(),
            None => self.debugged.nodes(),
        };
        let of_function = |number: u32| function.is_none_or(|function| function == number);
        let containers: Vec<_> =
            nodes.into_iter().flat_map(|node| node.containers).filter(|of| of_function(of.function)).collect();
        text::containers(&containers, Names(self.debugged.about()), true)
    }

    fn policy(&self, slot: PolicySlot) -> Vec<String> {
        let record = self.debugged.policies().iter().find(|(of, _)| *of == slot).map(|(_, record)| record);
        let name = record.map_or("nobody".to_owned(), text::policy_in_a_line);
        let mut lines = vec![format!("{}: {name}", slot.path())];
        match self.debugged.last_call(slot) {
            Some(last) => lines.extend(text::seen(&last.0, &last.1, Names(self.debugged.about()))),
            None => lines.push("  has not been asked yet".to_owned()),
        }
        lines
    }

    fn save(&mut self, file: &Path) -> Result<Vec<String>, String> {
        let results = self.debugged.results_so_far();
        let wrong = |error: &dyn std::fmt::Display| format!("{} cannot be written: {error}", file.display());
        let target = File::create(file).map_err(|error| wrong(&error))?;
        let mut target = BufWriter::new(target);
        write_invocations(&results, &mut target).map_err(|error| wrong(&error))?;
        target.flush().map_err(|error| wrong(&error))?;
        let count = text::count(results.records.len() as u64, "invocation has ended", "invocations have ended");
        Ok(vec![format!(
            "{count}, and {} in {}",
            if results.records.len() == 1 { "is" } else { "are" },
            file.display()
        )])
    }

    fn replace(&mut self, choice: &str) -> Result<Vec<String>, String> {
        let more = policy_overrides(choice).map_err(|error| error.to_string().replacen("--policy", "set", 1))?;
        let mut set = self.set.clone();
        set.extend(more);
        let scenario = self.chosen.with(&set).map_err(|error| error.to_string())?;
        let replaced = self.debugged.replace(&scenario).map_err(|error| match error {
            ReplaceError::Failed(problem) => format!("the simulation stopped: {}", told_in(problem)),
            other => told_in(other.to_string()),
        })?;
        self.set = set;
        if replaced.is_empty() {
            return Ok(vec!["nothing has changed: that policy is there, with these parameters".to_owned()]);
        }
        let now = text::date(self.debugged.now());
        let line = |(slot, record): &(PolicySlot, _)| {
            format!("from {now} on, {} is {}", slot.path(), text::policy_in_a_line(record))
        };
        let mut lines: Vec<String> = replaced.iter().map(line).collect();
        lines.extend(text::happened(&self.debugged.happened(), Names(self.debugged.about())));
        Ok(lines)
    }

    /// What a screen shows.
    pub fn panes(&mut self, wanted: &Wanted) -> Panes {
        let slot = PolicySlot::ALL.into_iter().find(|slot| Some(slot.path()) == wanted.slot.as_deref());
        let slot = slot.unwrap_or(PolicySlot::NodeAllocation);
        let mut policy = text::policies(self.debugged.policies());
        policy.push(String::new());
        policy.extend(self.policy(slot));
        let invocation = match wanted.invocation {
            Some(number) => match self.debugged.invocation(number) {
                Some(known) => text::invocation(number, &known, Names(self.debugged.about())),
                None => vec![format!("invocation {number} has not been requested yet")],
            },
            None => vec!["name one: `invocation 17`".to_owned()],
        };
        let mut nodes = text::nodes(&self.debugged.nodes());
        let mut containers = self.containers(None, None);
        [&mut nodes, &mut containers].into_iter().for_each(|lines| lines.truncate(MOST_LINES));
        Panes {
            nodes,
            queue: self.queue(MOST_LINES),
            containers,
            events: text::events(&self.debugged.upcoming(10 * USUAL_LENGTH)),
            policy,
            invocation,
            summary: text::summary(&mut self.debugged),
        }
    }

    /// What it has come to, for comparing.
    pub fn outcome(&mut self) -> Outcome {
        let summary = Summary::new(&self.debugged.results_so_far());
        let seconds = |value: f64| Quantities::Seconds.shown(value);
        let latency = &summary.latency;
        let of_latency = |value: f64| if latency.count == 0 { "–".to_owned() } else { seconds(value) };
        let status = self.status();
        let mut cells = vec![
            ("date", text::seconds(status.date)),
            ("events", status.events.to_string()),
            ("requests", status.requests.to_string()),
            ("ended", summary.invocations.to_string()),
            ("completed", summary.outcomes.get("completed").copied().unwrap_or_default().to_string()),
            ("latency, mean", of_latency(latency.mean)),
            ("latency, p50", of_latency(latency.p50)),
            ("latency, p99", of_latency(latency.p99)),
            ("cold starts", summary.cold_starts.to_string()),
            ("evictions", summary.evictions.containers.to_string()),
        ];
        if let Some(cost) = &summary.cost {
            cells.push(("cost", format!("{} {}", Quantities::Money.shown(cost.total), cost.currency)));
        }
        let mut cells: Vec<(String, String)> =
            cells.into_iter().map(|(what, shown)| (what.to_owned(), shown)).collect();
        for (slot, record) in self.debugged.policies() {
            cells.push((slot.path().to_owned(), text::policy_in_a_line(record)));
        }
        let ended = self.debugged.ended();
        let ended = ended.iter().map(|record| {
            let completed = record.outcome == hearth_serverless::invocation::Outcome::Completed;
            let latency = record.requested_at.zip(record.finished_at).filter(|_| completed);
            Ended {
                invocation: record.invocation,
                function: record.function.number(),
                latency: latency.map(|(from, to)| SimTime::since(to, from).as_nanos()),
            }
        });
        Outcome { status, cells, ended: ended.collect(), functions: self.debugged.about().functions.clone() }
    }
}
