//! Where invocations come from that are not listed one by one: a trace or a generator, read as a stream.

use std::fmt;
use std::path::PathBuf;

use hearth_simcore::time::{SimDuration, SimTime};
use thiserror::Error;

/// An invocation that a source gives: at this date, of the function at this position in the source's list, which runs
/// for this time, or its body.
///
/// ```
/// use hearth_serverless::prelude::*;
/// use hearth_serverless::workload::Arrival;
/// let arrival = Arrival { at: SimTime::from_secs_f64(1.5), function: 0, run_time: Some(secs(2)) };
/// assert_eq!(arrival.at.as_nanos(), 1_500_000_000);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When it is requested.
    pub at: SimTime,
    /// The position of its function among the functions that the source is about.
    pub function: u32,
    /// How long it runs; `None` runs the body of the function.
    pub run_time: Option<SimDuration>,
}

/// What is wrong in a file of a trace.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct TraceError {
    /// The file, or the part of a scenario that is no file.
    pub file: PathBuf,
    /// The line, from 1, if it is about one.
    pub line: Option<u64>,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for TraceError {
    /// File, line and column, and what is wrong there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Invocations in the order of their dates, one after the other.
///
/// ```
/// use hearth_serverless::prelude::*;
/// use hearth_serverless::workload::{Arrival, ArrivalSource, TraceError};
///
/// /// One a second, for ever.
/// #[derive(Debug)]
/// struct Metronome(u64);
///
/// impl ArrivalSource for Metronome {
///     fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
///         self.0 += 1;
///         Ok(Some(Arrival { at: SimTime::ZERO + secs(self.0), function: 0, run_time: None }))
///     }
/// }
/// assert_eq!(Metronome(3).next_arrival().map(|arrival| arrival.map(|it| it.at)), Ok(Some(SimTime::from_secs_f64(4.0))));
/// ```
pub trait ArrivalSource: fmt::Debug {
    /// The next invocation; `None` once there are no more. Never earlier than the one before.
    ///
    /// # Errors
    /// When the trace cannot be read on.
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError>;

    /// Rows that were passed over so far because something was wrong with them.
    fn skipped_rows(&self) -> u64 {
        0
    }
}

/// A function that a trace or generator declares: without image.
#[derive(Clone, PartialEq, Debug)]
pub struct DeclaredFunction {
    /// Its name.
    pub name: String,
    /// RAM of a container, in bytes.
    pub ram: u64,
    /// How long a container takes to start; `None` is the service's time.
    pub startup_overhead: Option<SimDuration>,
}
