//! Traces with a row for each invocation: `arrival_s,function,duration_s`; and lists of functions:
//! `function,memory_mb,cold_start_s`.

use std::path::Path;

use hearth_simcore::time::{SimDuration, SimTime};
use rustc_hash::FxHashMap;

use super::columns::{ColumnsSection, QuantityColumn, TimeUnit};
use super::plain_row::{PlainRow, ShortName, plain_row};
use super::rows::{Rows, shown};
use super::{Arrival, ArrivalSource, DeclaredFunction, TraceError};

/// What to do about a column that is not there.
const NAME_COLUMNS: &str = ": name yours in \"columns\", or with --column arrival=NAME:UNIT";

/// A trace that is read row by row. Times must not go back.
#[derive(Debug)]
pub struct CsvTrace {
    rows: Rows,
    arrival_unit: TimeUnit,
    /// `None` where bodies run.
    duration_unit: Option<TimeUnit>,
    functions: FxHashMap<Vec<u8>, u32>,
    /// Those functions that plain rows can name; empty if the columns are not those of plain rows.
    short_names: FxHashMap<ShortName, u32>,
    /// Plain rows that lay next to each other in memory, the next one last.
    ready: Vec<Arrival>,
    order: Order,
    last: SimTime,
    lenient: bool,
    skipped: u64,
}

/// So many plain rows are read at once, at the most.
const READY: usize = 256;

/// Whether the rows of a trace lie in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// A row that is earlier than the one before is wrong.
    ByTime,
    /// They come as they are.
    Any,
}

impl CsvTrace {
    /// Whether its rows say how long they run.
    pub(crate) fn has_durations(&self) -> bool {
        self.duration_unit.is_some()
    }

    /// Opens a trace `arrival_s,function,duration_s` of these functions; without the last column, their bodies run. A lenient one passes over rows that are wrong.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a column.
    pub fn open(path: &Path, functions: &[String], lenient: bool) -> Result<Self, TraceError> {
        Self::open_columns(path, &ColumnsSection::default(), Order::ByTime, functions, lenient)
    }

    /// Opens a trace whose columns are called as they are.
    pub(crate) fn open_columns(
        path: &Path,
        columns: &ColumnsSection,
        order: Order,
        functions: &[String],
        lenient: bool,
    ) -> Result<Self, TraceError> {
        let unit = |column: &Option<QuantityColumn<TimeUnit>>| column.as_ref().map_or(TimeUnit::SECOND, |it| it.unit);
        let (arrival_unit, duration_unit) = (unit(&columns.arrival), unit(&columns.duration));
        let names = columns.names();
        let mut rows = Rows::open_any(path)?;
        let has_duration = columns.duration.is_some() || rows.has(names[2]);
        let wanted = if has_duration { &names[..] } else { &names[..2] };
        rows.require(wanted)
            .map_err(|error| TraceError { problem: format!("{}{NAME_COLUMNS}", error.problem), ..error })?;
        let is_plain = rows.has_only(&names) && [arrival_unit, duration_unit] == [TimeUnit::SECOND; 2];
        let duration_unit = has_duration.then_some(duration_unit);
        let numbered = functions.iter().zip(0..).filter(|_| is_plain);
        let short = numbered.filter_map(|(name, position)| Some((ShortName::new(name.as_bytes())?, position)));
        let short_names = short.collect();
        let functions = functions.iter().zip(0..).map(|(name, position)| (name.clone().into_bytes(), position));
        Ok(Self {
            rows,
            arrival_unit,
            duration_unit,
            functions: functions.collect(),
            short_names,
            ready: Vec::new(),
            order,
            last: SimTime::ZERO,
            lenient,
            skipped: 0,
        })
    }

    /// Reads the plain rows in which nothing is wrong that lie in memory, up to the first other one, which it leaves where it
    /// is. Gives the first.
    fn plain_rows(&mut self) -> Option<Arrival> {
        let (mut ahead, mut last) = (self.rows.ahead(), self.last);
        let all = ahead.len();
        while self.ready.len() < READY
            && let Some(PlainRow { first, name, second, length }) = plain_row(ahead)
            && let Some(&function) = self.short_names.get(&name)
        {
            let at = SimTime::from_nanos(first);
            if at < last && self.order == Order::ByTime {
                break;
            }
            last = at;
            ahead = ahead.get(length..).unwrap_or_default();
            self.ready.push(Arrival { at, function, run_time: Some(SimDuration::from_nanos(second)) });
        }
        let taken = all - ahead.len();
        self.last = last;
        self.rows.skip_ahead(taken, self.ready.len() as u64);
        self.ready.reverse();
        self.ready.pop()
    }

    fn row(&mut self) -> Result<Arrival, TraceError> {
        let at = SimTime::ZERO + self.rows.time(0, self.arrival_unit)?;
        if at < self.last && self.order == Order::ByTime {
            let problem = format!(
                "{at} s is before {} s, the time of the row before: \"sort\": true (or --sort) sorts the rows by time",
                self.last
            );
            return Err(self.rows.wrong(0, problem));
        }
        let name = self.rows.text(1)?;
        let Some(&function) = self.functions.get(name) else {
            let problem =
                format!("unknown function {}: the scenario or its functions_path must declare it", shown(name));
            return Err(self.rows.wrong(1, problem));
        };
        let run_time = self.duration_unit.map(|unit| self.rows.time(2, unit)).transpose()?;
        self.last = at;
        Ok(Arrival { at, function, run_time })
    }
}

impl ArrivalSource for CsvTrace {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        if let Some(arrival) = self.ready.pop().or_else(|| self.plain_rows()) {
            return Ok(Some(arrival));
        }
        while self.rows.advance()? {
            match self.row() {
                Ok(arrival) => return Ok(Some(arrival)),
                Err(_) if self.lenient => self.skipped += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn skipped_rows(&self) -> u64 {
        self.skipped
    }
}

/// Reads a list of functions: names, memory in megabytes (10⁶ B) and the time that a container takes to start; where that
/// is not given, it is the service's.
///
/// # Errors
/// When the file cannot be read, lacks a column, or a row is wrong.
pub fn read_functions(path: &Path) -> Result<Vec<DeclaredFunction>, TraceError> {
    let mut rows = Rows::open(path, &["function", "memory_mb"])?;
    let has_startup = rows.require(&["cold_start_s"]).is_ok();
    let mut functions: Vec<DeclaredFunction> = Vec::new();
    let mut lines: FxHashMap<String, usize> = FxHashMap::default();
    while rows.advance()? {
        let name = String::from_utf8_lossy(rows.text(0)?).into_owned();
        if name.is_empty() {
            return Err(rows.wrong(0, "is empty: give the function a name".to_owned()));
        }
        if lines.insert(name.clone(), functions.len()).is_some() {
            return Err(rows.wrong(0, format!("{name:?} is listed already: names must differ")));
        }
        let ram = rows.size(1, 1e6)?;
        let is_given = has_startup && !rows.text(2)?.trim_ascii().is_empty();
        let startup_overhead = if is_given { Some(rows.seconds(2)?) } else { None };
        functions.push(DeclaredFunction { name, ram, startup_overhead });
    }
    Ok(functions)
}

/// The functions that a trace of rows is about, by first appearance, and the most bytes of memory that a row of each has,
/// if there is a column of memory; reads it to its end. A lenient reader passes over rows that are wrong.
///
/// # Errors
/// When the file cannot be read, lacks a column, or a row is wrong.
pub fn functions_of(
    path: &Path,
    columns: &ColumnsSection,
    lenient: bool,
) -> Result<Vec<(String, Option<u64>)>, TraceError> {
    let mut rows = Rows::open(path, &[columns.function_name()])?;
    if let Some(memory) = &columns.memory {
        rows.require(&[&memory.name])?;
    }
    let mut positions: FxHashMap<Vec<u8>, usize> = FxHashMap::default();
    let mut functions: Vec<(String, Option<u64>)> = Vec::new();
    while rows.advance()? {
        let bytes = columns.memory.as_ref().map(|memory| rows.size(1, memory.unit.bytes)).transpose();
        let (name, bytes) = match rows.text(0).and_then(|name| Ok((name, bytes?))) {
            Ok(row) => row,
            Err(_) if lenient => continue,
            Err(error) => return Err(error),
        };
        match positions.get(name).and_then(|position| functions.get_mut(*position)) {
            Some((_, most)) => *most = (*most).max(bytes),
            None => {
                positions.insert(name.to_owned(), functions.len());
                functions.push((String::from_utf8_lossy(name).into_owned(), bytes));
            }
        }
    }
    Ok(functions)
}
