//! What containers did, from the timeline of a run.
//!
//! Most spans begin where the one before ends, or at a date of the invocation that they are for: such dates are not written again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::folder::wrong;
use super::super::theme;
use super::column::{Columns, difference};
use super::occupancy::Occupancy;
use super::rows::Times;
use super::tables::NOTHING;
use crate::error::CommandError;

/// So many spans are unpacked together, and those of a container that they begin with.
const CHUNK: usize = 1 << 16;

/// No invocation of the page.
const NO_ROW: u32 = u32::MAX;

/// What a container does for a while.
#[derive(Clone, Copy, Debug)]
struct Span {
    begin: u64,
    end: u64,
    /// The invocation for which, by its place on the page.
    row: u32,
    function: u32,
    phase: u8,
}

/// The spans of all containers.
#[derive(Debug)]
pub struct Containers {
    /// By node and container.
    spans: BTreeMap<(u32, u32), Vec<Span>>,
    nodes: Vec<String>,
    functions: Vec<String>,
}

/// An event of a timeline, as far as it matters here.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    ph: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    pid: u32,
    #[serde(default)]
    tid: u32,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    #[serde(borrow)]
    args: Option<Arguments<'a>>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Option<Cow<'a, str>>,
    #[serde(default)]
    invocation: Option<u64>,
}

/// Microseconds as nanoseconds.
fn nanoseconds(micros: f64) -> u64 {
    (micros * 1e3).round().max(0.0) as u64
}

impl Containers {
    /// Reads a timeline, and adds what it tells of nodes to what these were busy with. Nodes and functions get the numbers that they have
    /// on the page.
    ///
    /// # Errors
    /// When it cannot be read, or is not what Hearth writes.
    pub fn read(path: &Path, times: &Times, occupancy: &mut Occupancy) -> Result<Self, CommandError> {
        let unreadable = |error: std::io::Error| wrong(path, format!("cannot be read: {error}"));
        let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(unreadable)?);
        let mut containers =
            Self { spans: BTreeMap::new(), nodes: times.node_names.clone(), functions: times.function_names.clone() };
        let mut numbers: BTreeMap<String, u32> =
            (0..).zip(&containers.functions).map(|(number, name)| (name.clone(), number)).collect();
        let mut node_of: BTreeMap<u32, u32> = BTreeMap::new();
        let mut line = String::new();
        while {
            line.clear();
            file.read_line(&mut line).map_err(unreadable)? > 0
        } {
            // An event stands on a line of its own.
            let text = line.trim_matches(|mark: char| mark.is_whitespace() || matches!(mark, '[' | ']' | ','));
            if text.is_empty() {
                continue;
            }
            let event: Event<'_> = serde_json::from_str(text)
                .map_err(|error| wrong(path, format!("is not what Hearth writes: {error}")))?;
            let arguments = event.args;
            if event.ph == "M" && event.name == "process_name" {
                let name = arguments.and_then(|arguments| arguments.name).unwrap_or_default();
                let found = containers.nodes.iter().position(|node| *node == name);
                let number = found.unwrap_or(containers.nodes.len());
                if found.is_none() {
                    // No invocation ran there.
                    containers.nodes.push(name.into_owned());
                }
                node_of.insert(event.pid, number as u32);
                continue;
            }
            let Some(phase) = theme::PHASES.iter().position(|(name, _)| event.ph == "X" && event.name == *name) else {
                continue;
            };
            let [begin, end] = [event.ts, event.ts + event.dur].map(|at| nanoseconds(at).saturating_sub(times.origin));
            let node = node_of.get(&event.pid).copied();
            let node =
                node.ok_or_else(|| wrong(path, format!("is not what Hearth writes: no node is {}", event.pid)))?;
            occupancy.add(node, phase as u8, begin, end);
            let (name, invocation) = arguments.map_or((None, None), |of| (of.function, of.invocation));
            let row = match invocation.map(|number| times.numbers.binary_search(&number)) {
                Some(Ok(row)) => row as u32,
                // It is not on the page, and so is not what was done for it.
                Some(Err(_)) => continue,
                None => NO_ROW,
            };
            let name = name.unwrap_or_default();
            let function = match numbers.get(name.as_ref()) {
                Some(number) => *number,
                None => {
                    let number = containers.functions.len() as u32;
                    numbers.insert(name.clone().into_owned(), number);
                    containers.functions.push(name.into_owned());
                    number
                }
            };
            let spans = containers.spans.entry((node, event.tid)).or_default();
            spans.push(Span { begin, end, row, function, phase: phase as u8 });
        }
        containers.spans.values_mut().for_each(|spans| spans.sort_by_key(|span| span.begin));
        Ok(containers)
    }

    /// What the page is told: the containers in their order, with how many spans each has.
    pub fn about(&self) -> Value {
        let of = |(key, spans): (&(u32, u32), &Vec<Span>)| json!([key.0, key.1, spans.len()]);
        let in_chunks: Vec<usize> = self.cut().iter().map(Vec::len).collect();
        let containers: Vec<Value> = self.spans.iter().map(of).collect();
        json!({"containers": containers, "in_chunks": in_chunks, "functions": self.functions, "nodes": self.nodes})
    }

    /// The spans of containers that are unpacked together.
    fn cut(&self) -> Vec<Vec<&[Span]>> {
        let mut chunks: Vec<Vec<&[Span]>> = Vec::new();
        let mut held = CHUNK;
        for spans in self.spans.values() {
            if held >= CHUNK {
                chunks.push(Vec::new());
                held = 0;
            }
            held += spans.len();
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(spans);
            }
        }
        chunks
    }

    /// The spans, by chunk.
    pub fn chunks(&self, times: &Times) -> Vec<(String, String)> {
        let packed =
            |(number, containers): (usize, &Vec<&[Span]>)| (format!("spans-{number}"), pack(containers, times));
        self.cut().iter().enumerate().map(packed).collect()
    }
}

/// Where a span begins: where the one before ends.
const FOLLOWS: u64 = 0;
/// When its invocation began.
const AT_START: u64 = 1;
/// When that got a container.
const AT_DISPATCH: u64 = 2;
/// So long after the begin of the one before.
const AFTER_BEGIN: u64 = 3;
/// Where it ends: when its invocation ended.
const AT_FINISH: u64 = 0;
/// Where the next one begins.
const AT_NEXT: u64 = 1;
/// So much later.
const AFTER: u64 = 2;

/// Packs the spans of containers: ways of beginning and ending, phases, rows, functions, and what is not known from these.
fn pack(containers: &[&[Span]], times: &Times) -> String {
    let (mut ways, mut rows, mut functions, mut begins, mut ends) = (vec![], vec![], vec![], vec![], vec![]);
    let known = |dates: &[u64], span: &Span| dates.get(span.row as usize).copied().unwrap_or(NOTHING);
    // The begin of a span as far as it does not depend on the one before.
    let own = |span: &Span| match span.begin {
        begin if begin == known(&times.started, span) => AT_START,
        begin if begin == known(&times.dispatched, span) => AT_DISPATCH,
        _ => AFTER_BEGIN,
    };
    for spans in containers {
        let (mut row_before, mut function_before) = (0, 0);
        for (place, span) in spans.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|before| spans.get(before));
            let begin = match (own(span), before) {
                (AFTER_BEGIN, Some(before)) if before.end == span.begin => FOLLOWS,
                (way, _) => way,
            };
            if begin == AFTER_BEGIN {
                begins.push(difference(span.begin, before.map_or(0, |before| before.begin)));
            }
            let next = spans.get(place + 1);
            let end = match next {
                _ if span.end == known(&times.finished, span) => AT_FINISH,
                Some(next) if next.begin == span.end && own(next) != AFTER_BEGIN => AT_NEXT,
                _ => AFTER,
            };
            if end == AFTER {
                ends.push(span.end.saturating_sub(span.begin));
            }
            ways.push((u64::from(span.phase) * 4 + begin) * 3 + end);
            if span.row == NO_ROW {
                rows.push(0);
                let is_same = span.function == function_before;
                functions.push(if is_same { 0 } else { u64::from(span.function) + 1 });
            } else {
                rows.push(difference(span.row.into(), row_before) + 1);
                row_before = span.row.into();
            }
            function_before = span.function;
        }
    }
    let mut columns = Columns::default();
    [&ways, &rows, &functions, &begins, &ends].into_iter().for_each(|column| columns.add(column));
    columns.packed()
}
