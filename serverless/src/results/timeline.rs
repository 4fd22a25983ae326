//! What containers did, and how images moved, as a trace that Perfetto and chrome://tracing show: an array of events in
//! the Trace Event Format.
//!
//! A node is a process, a container a thread of it; the number of a container that has ended is used again. Names are
//! those of functions and images, categories say what happened.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use hearth_simcore::time::{SimDuration, SimTime};
use serde_json::{Value, json};

use crate::error::Error;
use crate::experiment::About;
use crate::function::{FunctionId, ImageId};
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
    fn category(self) -> &'static str {
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
    fn category(self) -> &'static str {
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

#[derive(Clone, Copy, Debug)]
struct Open {
    phase: Phase,
    function: FunctionId,
    since: SimTime,
}

/// Writes a trace while the simulation runs.
pub(crate) struct Timeline {
    target: Box<dyn Write + Send>,
    functions: Vec<String>,
    images: Vec<String>,
    /// What containers do now, by node and container.
    open: BTreeMap<(u32, u32), Open>,
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
        let mut timeline = Self { target, functions, images, open: BTreeMap::new(), is_empty: true, error: None };
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

    /// A container begins with something, and ends what it did before.
    pub fn begin(&mut self, node: u32, container: ContainerId, phase: Phase, function: FunctionId, now: SimTime) {
        self.end(node, container, now);
        self.open.insert((node, container.0), Open { phase, function, since: now });
    }

    /// A container ends, with what it did.
    pub fn end(&mut self, node: u32, container: ContainerId, now: SimTime) {
        if let Some(open) = self.open.remove(&(node, container.0)) {
            self.write_phase(node, container.0, open, now);
        }
    }

    fn write_phase(&mut self, node: u32, container: u32, Open { phase, function, since }: Open, now: SimTime) {
        let name = self.functions.get(function.0 as usize).cloned().unwrap_or_default();
        self.write(&json!({
            "ph": "X", "cat": phase.category(), "name": name, "pid": process(node), "tid": container,
            "ts": micros(since.since(SimTime::ZERO)), "dur": micros(now.since(since)),
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
        let name = self.images.get(image.0 as usize).cloned().unwrap_or_default();
        let id = format!("{} {} {}", how.category(), how.process(), image.0);
        self.write(&json!({
            "ph": kind, "cat": how.category(), "name": name, "pid": how.process(), "tid": 0, "id": id,
            "ts": micros(now.since(SimTime::ZERO)),
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
        timeline.begin(0, ContainerId(3), Phase::ColdStart, FunctionId(0), at(1_000));
        timeline.begin(0, ContainerId(3), Phase::Run, FunctionId(0), at(3_500));
        timeline.finish(at(10_000)).unwrap();
        let events: Vec<Value> = serde_json::from_slice(&text.0.lock().unwrap()).unwrap();
        let told: Vec<String> = events
            .iter()
            .filter(|event| event["ph"] != "M")
            .map(|event| format!("{} {} {} {}", event["ph"], event["cat"], event["ts"], event["dur"]))
            .collect();
        let expected = [
            "\"b\" \"copy\" 0.0 null",
            "\"e\" \"copy\" 0.5 null",
            "\"X\" \"cold start\" 1.0 2.5",
            "\"X\" \"run\" 3.5 6.5",
        ];
        assert_eq!(told, expected);
        assert_eq!(events.iter().filter(|event| event["ph"] == "M").count(), 4);
    }
}
