//! Reads the log of decisions.

use std::fmt;
use std::io::BufRead;

use serde_json::Value;

use super::{Decision, DecisionsHeader, FORMAT};

/// Why a log cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{problem}", if *line == 0 { String::new() } else { format!("line {line}: ") })]
pub struct LogError {
    /// The line, from 1; 0 is the whole file.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// A log of decisions, read line by line.
pub struct DecisionLog {
    lines: Box<dyn BufRead + Send>,
    header: DecisionsHeader,
    line: u64,
    text: String,
    last: u64,
}

impl fmt::Debug for DecisionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionLog").field("line", &self.line).finish_non_exhaustive()
    }
}

impl DecisionLog {
    /// Reads the first line.
    ///
    /// # Errors
    /// When it is no log of decisions, or one of another version.
    pub fn new(mut lines: Box<dyn BufRead + Send>) -> Result<Self, LogError> {
        let wrong = |problem: String| LogError { line: 1, problem };
        let mut text = String::new();
        // No more is looked at of a file that is something else.
        let mut begin = std::io::Read::take(&mut lines, FIRST_LINE_AT_MOST);
        begin.read_line(&mut text).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let expected = format!("expected the first line of a log of decisions, with \"format\": {FORMAT:?}");
        let value: Value = serde_json::from_str(&text).map_err(|_| wrong(expected.clone()))?;
        match value.get("format").and_then(Value::as_str) {
            Some(FORMAT) => {}
            Some(other) => return Err(wrong(format!("found format {other:?}, expected {FORMAT:?}"))),
            None => return Err(wrong(expected)),
        }
        let header = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { lines, header, line: 1, text, last: 0 })
    }

    /// What the decisions are of.
    pub fn header(&self) -> &DecisionsHeader {
        &self.header
    }

    fn wrong(&self, problem: impl Into<String>) -> LogError {
        LogError { line: self.line, problem: problem.into() }
    }

    fn read(&mut self) -> Result<Option<Decision>, LogError> {
        self.text.clear();
        self.line += 1;
        let read = self.lines.read_line(&mut self.text);
        if read.map_err(|error| self.wrong(format!("cannot be read: {error}")))? == 0 {
            return Ok(None);
        }
        if !self.text.ends_with('\n') {
            return Err(self.wrong("is cut short: the run did not come to its end"));
        }
        let decision: Decision = serde_json::from_str(&self.text).map_err(|error| self.wrong(error.to_string()))?;
        if decision.number != self.last + 1 {
            return Err(self.wrong(format!("has call {}, expected {}", decision.number, self.last + 1)));
        }
        self.last = decision.number;
        Ok(Some(decision))
    }
}

/// The names of a hundred thousand functions and as many nodes.
const FIRST_LINE_AT_MOST: u64 = 1 << 28;

impl Iterator for DecisionLog {
    type Item = Result<Decision, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
