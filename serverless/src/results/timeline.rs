//! What containers did, and how images moved, as a trace that Perfetto and chrome://tracing show: an array of events in
//! the Trace Event Format.
//!
//! A node is a process, a container a thread of it; the number of a container that has ended is used again. Events are named
//! by what happens, since viewers colour by name, and their arguments say to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};

use hearth_simcore::time::{SimDuration, SimTime};
use serde_json::{Value, json};

use super::About;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::invocation::{Outcome, Start};
use crate::node::ContainerId;

/// What a container does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// It starts, for an invocation.
    ColdStart,
    /// It starts ahead of one.
    Prewarming,
    /// It runs an invocation.
    Run,
    /// It waits for one.
    Idle,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::ColdStart => "cold start",
            Self::Prewarming => "prewarming",
            Self::Run => "run",
            Self::Idle => "idle",
        }
    }
}

/// How an image moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    /// From the registry to the head.
    Download,
    /// From the head to the disk of a node.
    Copy(u32),
    /// From the disk of a node into its RAM.
    Load(u32),
}

impl Move {
    fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Copy(_) => "copy",
            Self::Load(_) => "load",
        }
    }

    /// The process of the trace to which it belongs.
    fn process(self) -> u32 {
        match self {
            Self::Download => HEAD,
            Self::Copy(node) | Self::Load(node) => process(node),
        }
    }
}

/// The head's process; nodes follow.
const HEAD: u32 = 0;

fn process(node: u32) -> u32 {
    node + 1
}

/// The invocation for which a container does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Served {
    /// Its number.
    pub invocation: u64,
    /// How it starts.
    pub start: Option<Start>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    phase: Phase,
    function: FunctionId,
    served: Option<Served>,
    outcome: Outcome,
    since: SimTime,
}

/// Writes a trace while the simulation runs.
pub(crate) struct Timeline {
    target: Box<dyn Write + Send>,
    functions: Vec<String>,
    images: Vec<String>,
    /// What containers do now, by node and container.
    open: BTreeMap<(u32, u32), Open>,
    /// Containers whose thread has its name.
    named: BTreeSet<(u32, u32)>,
    is_empty: bool,
    /// The first error of writing, until somebody can be told.
    error: Option<io::Error>,
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").field("open", &self.open.len()).finish_non_exhaustive()
    }
}

impl Timeline {
    /// Begins a trace about an experiment.
    pub fn new(about: &About, images: Vec<String>, target: Box<dyn Write + Send>) -> Self {
        let functions = about.functions.clone();
        let (open, named) = (BTreeMap::new(), BTreeSet::new());
        let mut timeline = Self { target, functions, images, open, named, is_empty: true, error: None };
        let head = [(HEAD, "head")];
        let nodes = (0..).zip(&about.nodes).map(|(node, name)| (process(node), name.as_str()));
        for (process, name) in head.into_iter().chain(nodes) {
            timeline.write(&json!({"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}}));
            let place =
                json!({"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}});
            timeline.write(&place);
        }
        timeline
    }

    /// A container begins with something, perhaps for an invocation, and ends what it did before.
    pub fn begin(
        &mut self,
        node: u32,
        container: ContainerId,
        phase: Phase,
        function: FunctionId,
        served: Option<Served>,
        now: SimTime,
    ) {
        self.end(node, container, now);
        if self.named.insert((node, container.0)) {
            let name = format!("container {}", container.0);
            let (process, thread) = (process(node), container.0);
            self.write(
                &json!({"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": {"name": name}}),
            );
        }
        let outcome = Outcome::Unfinished;
        self.open.insert((node, container.0), Open { phase, function, served, outcome, since: now });
    }

    /// The invocation that a container runs has ended so.
    pub fn note_outcome(&mut self, node: u32, container: ContainerId, outcome: Outcome) {
        if let Some(open) = self.open.get_mut(&(node, container.0)) {
            open.outcome = outcome;
        }
    }

    /// A container ends, with what it did.
    pub fn end(&mut self, node: u32, container: ContainerId, now: SimTime) {
        if let Some(open) = self.open.remove(&(node, container.0)) {
            self.write_phase(node, container.0, open, now);
        }
    }

    fn write_phase(&mut self, node: u32, container: u32, open: Open, now: SimTime) {
        let Open { phase, function, served, outcome, since } = open;
        let mut arguments = json!({"function": self.functions.get(function.0 as usize)});
        if let Some(Served { invocation, start }) = served {
            arguments["invocation"] = json!(invocation);
            arguments["start"] = json!(start.map(Start::as_str));
            if phase == Phase::Run {
                arguments["outcome"] = json!(outcome.as_str());
            }
        }
        self.write(&json!({
            "ph": "X", "cat": phase.name(), "name": phase.name(), "pid": process(node), "tid": container,
            "ts": micros(since.since(SimTime::ZERO)), "dur": micros(now.since(since)), "args": arguments,
        }));
    }

    /// An image begins to move.
    pub fn begin_move(&mut self, image: ImageId, how: Move, now: SimTime) {
        self.write_move("b", image, how, now);
    }

    /// An image has arrived.
    pub fn end_move(&mut self, image: ImageId, how: Move, now: SimTime) {
        self.write_move("e", image, how, now);
    }

    fn write_move(&mut self, kind: &str, image: ImageId, how: Move, now: SimTime) {
        let arguments = json!({"image": self.images.get(image.0 as usize)});
        let id = format!("{} {} {}", how.name(), how.process(), image.0);
        self.write(&json!({
            "ph": kind, "cat": how.name(), "name": how.name(), "pid": how.process(), "tid": 0, "id": id,
            "ts": micros(now.since(SimTime::ZERO)), "args": arguments,
        }));
    }

    /// Ends the trace at a date, with what is going on then.
    pub fn finish(mut self, now: SimTime) -> Result<(), Error> {
        for ((node, container), open) in std::mem::take(&mut self.open) {
            self.write_phase(node, container, open, now);
        }
        let begin = if self.is_empty { "[" } else { "" };
        let ended = self.error.take().map_or(Ok(()), Err);
        let ended = ended.and_then(|()| writeln!(self.target, "{begin}\n]")).and_then(|()| self.target.flush());
        ended.map_err(|error| Error::Result { what: "timeline", cause: error.to_string() })
    }

    fn write(&mut self, event: &Value) {
        if self.error.is_some() {
            return;
        }
        let before = if std::mem::take(&mut self.is_empty) { "[\n" } else { ",\n" };
        self.error = write!(self.target, "{before}{event}").err();
    }
}

/// Microseconds, the unit of the format; below a hundred days exact to the nanosecond.
fn micros(time: SimDuration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn phases_follow_each_other_and_the_last_ends_with_the_trace() {
        let text = Text::default();
        let (functions, nodes) = (vec!["f".to_owned()], vec!["node-0".to_owned()]);
        let about = About { name: String::new(), seed: 0, functions, nodes, policies: Vec::new() };
        let mut timeline = Timeline::new(&about, vec!["img".to_owned()], Box::new(text.clone()));
        let at = SimTime::from_nanos;
        timeline.begin_move(ImageId(0), Move::Copy(0), at(0));
        timeline.end_move(ImageId(0), Move::Copy(0), at(500));
        let served = Some(Served { invocation: 7, start: Some(Start::Cold) });
        timeline.begin(0, ContainerId(3), Phase::ColdStart, FunctionId(0), served, at(1_000));
        timeline.begin(0, ContainerId(3), Phase::Run, FunctionId(0), served, at(3_500));
        timeline.note_outcome(0, ContainerId(3), Outcome::TimedOut);
        timeline.begin(0, ContainerId(3), Phase::Idle, FunctionId(0), None, at(9_000));
        timeline.finish(at(10_000)).unwrap();
        let events: Vec<Value> = serde_json::from_slice(&text.0.lock().unwrap()).unwrap();
        let told: Vec<String> = events
            .iter()
            .filter(|event| event["ph"] != "M")
            .map(|event| {
                format!("{} {} {} {} {}", event["ph"], event["name"], event["ts"], event["dur"], event["args"])
            })
            .collect();
        let expected = [
            r#""b" "copy" 0.0 null {"image":"img"}"#,
            r#""e" "copy" 0.5 null {"image":"img"}"#,
            r#""X" "cold start" 1.0 2.5 {"function":"f","invocation":7,"start":"cold"}"#,
            r#""X" "run" 3.5 5.5 {"function":"f","invocation":7,"outcome":"timed_out","start":"cold"}"#,
            r#""X" "idle" 9.0 1.0 {"function":"f"}"#,
        ];
        assert_eq!(told, expected);
        let names: Vec<&Value> = events.iter().filter(|event| event["name"] == "thread_name").collect();
        assert_eq!(names.len(), 1, "once for each container");
        assert_eq!((&names[0]["tid"], &names[0]["args"]["name"]), (&json!(3), &json!("container 3")));
    }
}
