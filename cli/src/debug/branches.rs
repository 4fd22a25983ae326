//! The branches of a debugger, one of which is gone on with; what is said about branches is done here, and all else by the branch.

use std::time::Duration;

use super::command::{COMMANDS, Command};
use super::compared;
use super::engine::{Answer, Outcome, Problem, Status};
use super::link::{Fork, Gone, Link, Reply, Request};
use super::text;

/// The name of the first branch.
pub const FIRST: &str = "main";

/// How long is waited for an answer between two looks at anything else.
const PAUSE: Duration = Duration::from_millis(50);

/// A future.
struct Branch {
    name: String,
    link: Box<dyn Link>,
    status: Status,
    /// Why it is not there any more.
    gone: Option<Gone>,
}

/// How far a command is that a branch is at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The date in ns, and how many requests there have been, as far as the branch has said.
    Running(Option<(u64, u64)>),
    /// It is done.
    Done(Answer),
}

/// All branches. There is always one.
pub struct Branches {
    branches: Vec<Branch>,
    current: usize,
    forks: Box<dyn Fork>,
    /// How far a command is that the current branch is at.
    running: Option<Option<(u64, u64)>>,
    has_quit: bool,
}

impl Branches {
    /// With the first one.
    pub fn new(link: Box<dyn Link>, status: Status, forks: Box<dyn Fork>) -> Self {
        let first = Branch { name: FIRST.to_owned(), link, status, gone: None };
        Self { branches: vec![first], current: 0, forks, running: None, has_quit: false }
    }

    fn at(&self) -> &Branch {
        // There is always one, and `current` is one of them.
        &self.branches[self.current]
    }

    fn at_mut(&mut self) -> &mut Branch {
        &mut self.branches[self.current]
    }

    /// The name of the branch that is gone on with.
    pub fn name(&self) -> &str {
        &self.at().name
    }

    /// Where that is.
    pub fn status(&self) -> &Status {
        &self.at().status
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.branches.iter().map(|branch| branch.name.as_str())
    }

    /// Whether somebody has said that it is to end.
    pub fn has_quit(&self) -> bool {
        self.has_quit
    }

    /// Begins with a command; [`poll`](Self::poll) says when it is done.
    pub fn begin(&mut self, line: &str) -> Progress {
        let command = match Command::read(line) {
            Ok(None) => return Progress::Done(Answer::default()),
            Err(problem) => return Progress::Done(Answer::wrong(problem.to_string())),
            Ok(Some(command)) => command,
        };
        Progress::Done(match command {
            Command::Branch(name) => self.branch(&name),
            Command::Branches => Answer::of(self.list()),
            Command::Switch(name) => self.switch(&name),
            Command::Compare(names) => self.compare(&names),
            Command::Drop(name) => self.give_up(&name),
            Command::Help(about) => help(about.as_deref()),
            Command::Quit => {
                self.has_quit = true;
                Answer::default()
            }
            _ => {
                let branch = self.at_mut();
                let sent = match &branch.gone {
                    Some(gone) => Err(gone.clone()),
                    None => branch.link.send(&Request::Do(line.to_owned())),
                };
                match sent {
                    Ok(()) => {
                        self.running = Some(None);
                        return self.poll(Duration::ZERO);
                    }
                    Err(gone) => self.is_gone(gone),
                }
            }
        })
    }

    /// How far the command is with which it was begun, waiting so long at the most for news.
    pub fn poll(&mut self, within: Duration) -> Progress {
        let received = self.at_mut().link.receive(within);
        Progress::Done(match received {
            Ok(Some(Reply::Done { answer, status })) => {
                self.at_mut().status = status;
                self.running = None;
                answer
            }
            Ok(Some(Reply::Running { date, requests })) => {
                self.running = Some(Some((date, requests)));
                return Progress::Running(Some((date, requests)));
            }
            Ok(Some(Reply::Ends(why))) => self.is_gone(Gone(why)),
            Ok(_) => return Progress::Running(self.running.flatten()),
            Err(gone) => self.is_gone(gone),
        })
    }

    /// Has the branch stop where it is.
    pub fn pause(&mut self) {
        // One that is gone is found to be so when it is listened to.
        let _ = self.at_mut().link.send(&Request::Pause);
    }

    /// Does what a command says and waits for it. `is_to_pause` is asked now and then.
    pub fn execute(&mut self, line: &str, is_to_pause: &mut dyn FnMut() -> bool) -> Answer {
        let mut progress = self.begin(line);
        loop {
            match progress {
                Progress::Done(answer) => return answer,
                Progress::Running(_) => {
                    if is_to_pause() {
                        self.pause();
                    }
                    progress = self.poll(PAUSE);
                }
            }
        }
    }

    /// What a screen shows of the branch.
    #[cfg(all(unix, feature = "screen"))]
    pub fn panes(&mut self, wanted: &super::engine::Wanted) -> Option<super::engine::Panes> {
        match self.ask(self.current, &Request::Panes(wanted.clone())) {
            Ok(Reply::Panes(panes)) => Some(*panes),
            _ => None,
        }
    }

    /// Asks a branch that is at nothing, and waits for the answer.
    fn ask(&mut self, position: usize, request: &Request) -> Result<Reply, Gone> {
        let branch = &mut self.branches[position];
        let asked = match &branch.gone {
            Some(gone) => Err(gone.clone()),
            None => branch.link.send(request).and_then(|()| {
                loop {
                    match branch.link.receive(PAUSE)? {
                        Some(Reply::Ends(why)) => break Err(Gone(why)),
                        Some(Reply::Running { .. }) | None => {}
                        Some(reply) => break Ok(reply),
                    }
                }
            }),
        };
        if let Err(gone) = &asked {
            branch.gone = Some(gone.clone());
        }
        asked
    }

    /// The branch is gone: says so.
    fn is_gone(&mut self, gone: Gone) -> Answer {
        self.running = None;
        let others = self.branches.len() > 1;
        let branch = self.at_mut();
        let cure = if others { ": `switch` to another branch" } else { "" };
        let answer = Answer::wrong(format!("branch {} is gone: {gone}{cure}", branch.name));
        branch.gone = Some(gone);
        answer
    }

    fn position(&self, name: &str) -> Result<usize, String> {
        let position = self.branches.iter().position(|branch| branch.name == name);
        position.ok_or_else(|| {
            let meant = hearth_serverless::scenario::did_you_mean(name, self.names());
            let known = self.names().collect::<Vec<_>>().join(", ");
            let known = if meant.is_empty() { format!(": there are {known}") } else { meant };
            format!("there is no branch {name:?}{known}")
        })
    }

    fn branch(&mut self, name: &str) -> Answer {
        if self.position(name).is_ok() {
            return Answer::wrong(format!("there is a branch {name:?} already: choose another name"));
        }
        let Self { branches, current, forks, .. } = self;
        let from = &mut branches[*current];
        if let Some(gone) = &from.gone {
            return Answer::wrong(format!("branch {} is gone: {gone}", from.name));
        }
        match forks.fork(&mut *from.link, name) {
            Ok((link, status)) => {
                let line = format!("branch {name} begins where {} is, at {}", from.name, text::seconds(status.date));
                self.branches.push(Branch { name: name.to_owned(), link, status, gone: None });
                self.current = self.branches.len() - 1;
                Answer::of(vec![line])
            }
            Err(problem) => Answer::wrong(problem),
        }
    }

    fn list(&self) -> Vec<String> {
        let width = self.names().map(str::len).max().unwrap_or_default();
        let line = |(position, branch): (usize, &Branch)| {
            let mark = if position == self.current { '*' } else { ' ' };
            let how = match (&branch.gone, &branch.status) {
                (Some(gone), _) => format!("gone: {gone}"),
                (None, Status { failure: Some(failure), .. }) => format!("stopped: {failure}"),
                (None, status) => {
                    let end = if status.has_ended { ", at its end" } else { "" };
                    format!("at {}, after event {}{end}", text::seconds(status.date), status.events)
                }
            };
            format!("{mark} {:width$}  {how}", branch.name)
        };
        self.branches.iter().enumerate().map(line).collect()
    }

    fn switch(&mut self, name: &str) -> Answer {
        match self.position(name) {
            Ok(position) => {
                self.current = position;
                Answer::of(vec![format!("on branch {name}, at {}", text::seconds(self.status().date))])
            }
            Err(problem) => Answer::wrong(problem),
        }
    }

    fn give_up(&mut self, name: &str) -> Answer {
        match self.position(name) {
            Ok(_) if self.branches.len() == 1 => Answer::wrong("the last branch stays: `quit` ends"),
            Ok(position) if position == self.current => {
                Answer::wrong(format!("{name} is the branch that you are on: `switch` to another one first"))
            }
            Ok(position) => {
                self.branches.remove(position);
                self.current -= usize::from(self.current > position);
                Answer::of(vec![format!("branch {name} is given up")])
            }
            Err(problem) => Answer::wrong(problem),
        }
    }

    fn compare(&mut self, names: &[String]) -> Answer {
        let all = || self.names().map(str::to_owned).collect::<Vec<_>>();
        let names = match names {
            [] => all(),
            // One is held against the one that is gone on with.
            [only] if *only != self.name() => vec![self.name().to_owned(), only.clone()],
            _ => names.to_vec(),
        };
        if names.len() < 2 {
            return Answer::wrong("there is nothing to compare with: `branch NAME` makes another future");
        }
        let mut outcomes: Vec<(String, Outcome)> = Vec::new();
        for name in names {
            let position = match self.position(&name) {
                Ok(position) => position,
                Err(problem) => return Answer::wrong(problem),
            };
            match self.ask(position, &Request::Outcome) {
                Ok(Reply::Outcome(outcome)) => outcomes.push((name, *outcome)),
                Ok(_) => return Answer::wrong(format!("branch {name} has answered something else")),
                Err(gone) => return Answer::wrong(format!("branch {name} is gone: {gone}")),
            }
        }
        Answer::of(compared::compare(&outcomes))
    }
}

impl Answer {
    /// What was wrong, in words.
    pub fn said(&self) -> Option<&str> {
        match &self.problem {
            Some(Problem::Wrong(problem) | Problem::Unexpected(problem)) => Some(problem),
            None => None,
        }
    }
}

/// What can be said.
fn help(about: Option<&str>) -> Answer {
    let line = |name: &str, usage: &str| format!("{name} {usage}").trim_end().to_owned();
    if let Some(about) = about {
        if about == "conditions" || about == "condition" {
            return Answer::of(CONDITIONS.lines().map(str::to_owned).collect());
        }
        let found = COMMANDS.iter().find(|described| described.name == about || described.others.contains(&about));
        return match found {
            Some(described) => {
                let mut lines = vec![line(described.name, described.usage), format!("  {}", described.does)];
                if !described.others.is_empty() {
                    lines.push(format!("  or, in short: {}", described.others.join(", ")));
                }
                Answer::of(lines)
            }
            None => Answer::wrong(format!("there is no command {about:?}: `help` lists them")),
        };
    }
    let own = ("help [COMMAND | conditions]".to_owned(), "this, more of a command, or how conditions are written");
    let all = COMMANDS.iter().map(|described| (line(described.name, described.usage), described.does)).chain([own]);
    // What takes more room than most has a line of its own.
    let line = |(usage, does): (String, &str)| match usage.chars().count() {
        ..=USAGE => vec![format!("{usage:USAGE$}  {does}")],
        _ => vec![usage, format!("{:USAGE$}  {does}", "")],
    };
    Answer::of(all.flat_map(line).collect())
}

/// So many letters of a command stand beside what it does.
const USAGE: usize = 35;

/// How conditions are written.
const CONDITIONS: &str = "\
a condition joins these with and, or, not and parentheses:
  QUANTITY < | <= | = | != | >= | > NUMBER     as in queue > 100; quantities are queue, running, bound, free_cores,
                                               containers, idle, nodes_up, requests, ended, cold_starts, warm_starts
  node NAME up | down | draining
  invocation NUMBER requested | submitted | dispatched | started | ended
and, after the event in which it has happened:
  cold start [of FUNCTION]                     a container starts for an invocation
  warm start [of FUNCTION]                     an idle container takes one in
  eviction [of FUNCTION] [on NODE]             an idle container goes to make room
  latency < | <= | … TIME [of FUNCTION]        an invocation has ended that took so long, as in latency > 2s
  completed | failed | timed_out | lost | rejected [of FUNCTION]
  policy [SLOT] answered WORD                  as in policy node_allocation answered Wait";
