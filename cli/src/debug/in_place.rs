//! A branch in this process, where no other can be made of it: there is one.

use std::collections::VecDeque;
use std::time::Duration;

use super::engine::{Engine, Status};
use super::link::{Fork, Gone, Link, Reply, Request};

/// A simulation in this process. It does what it is asked at once.
pub struct InPlace {
    engine: Engine<'static>,
    replies: VecDeque<Reply>,
    is_to_pause: Box<dyn FnMut() -> bool>,
}

impl InPlace {
    /// One that asks now and then whether it is to stop.
    pub fn new(engine: Engine<'static>, is_to_pause: impl FnMut() -> bool + 'static) -> Self {
        Self { engine, replies: VecDeque::new(), is_to_pause: Box::new(is_to_pause) }
    }

    /// Where it is.
    pub fn status(&mut self) -> Status {
        self.engine.status()
    }
}

impl Link for InPlace {
    fn send(&mut self, request: &Request) -> Result<(), Gone> {
        let reply = match request {
            Request::Do(line) => {
                let answer = self.engine.execute(line, &mut self.is_to_pause);
                Reply::Done { answer, status: self.engine.status() }
            }
            Request::Panes(wanted) => Reply::Panes(Box::new(self.engine.panes(wanted))),
            Request::Outcome => Reply::Outcome(Box::new(self.engine.outcome())),
            Request::Status => Reply::Status(self.engine.status()),
            Request::Pause | Request::Branch(_) => return Ok(()),
        };
        self.replies.push_back(reply);
        Ok(())
    }

    fn receive(&mut self, _within: Duration) -> Result<Option<Reply>, Gone> {
        Ok(self.replies.pop_front())
    }
}

/// No other branch can be made.
pub struct NoForks;

impl Fork for NoForks {
    fn fork(&mut self, _from: &mut dyn Link, _name: &str) -> Result<(Box<dyn Link>, Status), String> {
        let cure = "run the scenario again up to this date, and go on otherwise";
        Err(format!("a branch is a copy of this process, which this system cannot make (it has no fork): {cure}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debug::Debuggable;
    use crate::debug::branches::Branches;
    use crate::error::CommandError;
    use hearth_serverless::experiment::Debugged;
    use hearth_serverless::policy::Catalog;
    use hearth_serverless::scenario::{Override, Scenario, ScenarioText};
    use std::path::Path;

    struct Quickstart;

    impl Debuggable for Quickstart {
        fn with(&self, more: &[Override]) -> Result<Scenario, CommandError> {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart.json");
            ScenarioText::read(&path).and_then(|text| text.with(more)).map_err(CommandError::Argument)
        }

        fn prepare(&self) -> Result<Debugged, CommandError> {
            let catalog = Catalog::new(hearth_plugins::BUILT_IN);
            Debugged::prepare(&self.with(&[])?, &catalog).map_err(CommandError::Argument)
        }
    }

    #[test]
    fn without_processes_all_is_there_but_branches() {
        let mut first = InPlace::new(Engine::new(Quickstart.prepare().unwrap(), &Quickstart), || false);
        let status = first.status();
        let mut branches = Branches::new(Box::new(first), status, Box::new(NoForks));
        let mut say = |line: &str| branches.execute(line, &mut || false);
        assert!(say("run until cold start").lines.iter().any(|line| line.ends_with("cold start: holds")));
        assert!(!say("nodes").lines.is_empty());
        assert!(say("branch other").said().is_some_and(|problem| problem.contains("it has no fork")));
        assert!(say("run").lines.iter().any(|line| line.contains("nothing is left to happen")));
        assert!(say("compare").said().is_some());
        assert!(say("set keep_alive=no-keep-alive").said().is_some_and(|problem| problem.contains("has ended")));
    }
}
