//! Traces: read, counted, written, and row by row.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hearth_serverless::metrics::Precise;
use hearth_serverless::results::{Cell, ColumnDescription, ColumnHead, ColumnType, HeldTable, Unit};
use hearth_serverless::workload::generate::GeneratorSpec;
use hearth_serverless::workload::{
    Arrival, ArrivalSource, DeclaredFunction, StandaloneTrace, TraceError, TraceFormat, TraceSection, TraceStatistics,
    WriteTraceError,
};
use pyo3::prelude::*;
use pyo3::types::PyString;
use serde_json::{Value, json};

use crate::error::{HearthError, wrong};
use crate::json::section;
use crate::table::Columns;

/// So many rows are read at a time, without holding the interpreter.
const ROWS: usize = 1024;

/// A trace or a generator, which can be read again and again.
#[pyclass(module = "hearth._hearth", frozen)]
pub struct Trace {
    trace: Mutex<StandaloneTrace>,
}

impl Trace {
    fn new(trace: StandaloneTrace) -> Self {
        Self { trace: Mutex::new(trace.stopped_by(is_interrupted)) }
    }

    /// The rows from the first one on, and the functions. Others may use the trace while these are read.
    fn open(&self) -> Result<(Box<dyn ArrivalSource + Send>, Vec<DeclaredFunction>), TraceError> {
        let mut trace = self.lock();
        Ok((trace.open()?, trace.functions().to_vec()))
    }

    fn lock(&self) -> MutexGuard<'_, StandaloneTrace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    /// What a handler of a signal has raised while this thread was reading.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Whether a signal has come, such as that of Ctrl-C, whose handler raises something.
fn is_interrupted() -> bool {
    let raised = Python::attach(|py| py.check_signals()).err();
    let is_raised = raised.is_some();
    RAISED.set(raised);
    is_raised
}

/// An error of reading: what a handler of a signal has raised, or what is wrong.
fn reading(error: impl std::fmt::Display) -> PyErr {
    RAISED.take().unwrap_or_else(|| wrong(error))
}

#[pymethods]
impl Trace {
    /// The functions: name, RAM in bytes, and seconds that a container takes to start, if the trace says so.
    fn functions(&self, py: Python<'_>) -> Vec<(String, u64, Option<f64>)> {
        let of = |function: &DeclaredFunction| {
            let startup = function.startup_overhead.map(|time| time.as_secs_f64());
            (function.name.clone(), function.ram, startup)
        };
        py.detach(|| self.lock().functions().iter().map(of).collect())
    }

    /// What `hearth trace stats` tells, as JSON.
    fn statistics(&self, py: Python<'_>) -> PyResult<String> {
        let counted = py.detach(|| {
            let (mut source, functions) = self.open()?;
            let counted = TraceStatistics::of(&mut *source, functions.len())?;
            Ok::<_, TraceError>(told(&counted, &functions, source.skipped_rows()).to_string())
        });
        counted.map_err(reading)
    }

    /// Writes it as rows; gives how many, and how many were passed over.
    fn save(&self, py: Python<'_>, path: PathBuf, functions: Option<PathBuf>, overwrite: bool) -> PyResult<(u64, u64)> {
        let written = py.detach(|| self.lock().write(&path, functions.as_deref(), overwrite));
        written.map_err(|error| match error {
            WriteTraceError::File { .. } => HearthError::new_err(error.to_string()),
            WriteTraceError::IsThere(_) => {
                wrong(format!("{error}: replace it with overwrite=True, or name another file"))
            }
            error => reading(error),
        })
    }

    /// The rows, one after the other.
    fn rows(&self, py: Python<'_>) -> PyResult<Rows> {
        let (source, functions) = py.detach(|| self.open()).map_err(reading)?;
        let names = functions.iter().map(|function| PyString::new(py, &function.name).unbind()).collect();
        let reading = Reading { source, ahead: VecDeque::new(), problem: None, is_at_end: false };
        Ok(Rows { reading: Mutex::new(reading), names })
    }

    /// All rows as a table, and how many were passed over.
    fn table(&self, py: Python<'_>) -> PyResult<(Columns, u64)> {
        let read = py.detach(|| {
            let (mut source, functions) = self.open()?;
            let mut table = HeldTable::new(columns());
            while let Some(Arrival { at, function, run_time }) = source.next_arrival()? {
                let name = functions.get(function as usize).map_or("", |function| function.name.as_str());
                let run_time = run_time.map_or(Cell::Nothing, Cell::Length);
                // The cells are those of the columns below.
                let _ = table.row([Cell::Date(at), Cell::Text(name), run_time]);
            }
            Ok::<_, TraceError>((table, source.skipped_rows()))
        });
        let (table, skipped) = read.map_err(reading)?;
        Ok((Columns::new(table)?, skipped))
    }
}

/// The columns of the table of a trace.
fn columns() -> [ColumnDescription; 3] {
    let column = |name: &str, kind, is_optional, unit, note: &str| {
        let head = ColumnHead { name: name.to_owned(), kind, is_optional };
        ColumnDescription { head, unit, note: note.to_owned() }
    };
    [
        column("arrival_s", ColumnType::Number, false, Unit::Seconds, "the date of the request"),
        column("function", ColumnType::Name, false, Unit::Plain, "the function that is asked for"),
        column("duration_s", ColumnType::Number, true, Unit::Seconds, "how long its body runs, if the trace tells"),
    ]
}

/// The rows of a trace.
#[pyclass(module = "hearth._hearth", frozen)]
pub struct Rows {
    reading: Mutex<Reading>,
    names: Vec<Py<PyString>>,
}

struct Reading {
    source: Box<dyn ArrivalSource + Send>,
    ahead: VecDeque<Arrival>,
    /// What was wrong with the row after those that have been read ahead.
    problem: Option<String>,
    is_at_end: bool,
}

impl Reading {
    fn read_ahead(&mut self) {
        while self.ahead.len() < ROWS && !self.is_at_end {
            match self.source.next_arrival() {
                Ok(Some(arrival)) => self.ahead.push_back(arrival),
                Ok(None) => self.is_at_end = true,
                Err(error) => {
                    self.problem = Some(error.to_string());
                    self.is_at_end = true;
                }
            }
        }
    }
}

/// Arrival in seconds, function, and duration in seconds if the trace tells it.
type Row = (f64, Py<PyString>, Option<f64>);

#[pymethods]
impl Rows {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Row>> {
        let next = py.detach(|| {
            let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
            if reading.ahead.is_empty() {
                reading.read_ahead();
            }
            match reading.ahead.pop_front() {
                Some(arrival) => Ok(Some(arrival)),
                None => reading.problem.take().map_or(Ok(None), Err),
            }
        });
        let Some(Arrival { at, function, run_time }) = next.map_err(reading)? else { return Ok(None) };
        let Some(name) = self.names.get(function as usize) else { return Ok(None) };
        Ok(Some((at.as_secs_f64(), name.clone_ref(py), run_time.map(|time| time.as_secs_f64()))))
    }

    /// How many rows have been passed over so far, among those that were read ahead, too.
    fn skipped_rows(&self) -> u64 {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).source.skipped_rows()
    }
}

/// Opens a trace: a section of a scenario as JSON, in which the format may be missing.
#[pyfunction]
pub fn read_trace(py: Python<'_>, text: &str, seed: u64) -> PyResult<Trace> {
    let mut said: Value = section("trace", text)?;
    if let Some(fields) = said.as_object_mut().filter(|fields| !fields.contains_key("format")) {
        let path = fields.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
        let format = py.detach(|| TraceFormat::of(Path::new(&path))).map_err(wrong)?;
        let name = match format {
            TraceFormat::Csv => "csv",
            TraceFormat::AzureFunctions2019 => "azure-functions-2019",
            TraceFormat::AzureFunctions2021 => "azure-functions-2021",
        };
        fields.insert("format".to_owned(), name.into());
    }
    let section: TraceSection = section("trace", &said.to_string())?;
    py.detach(|| StandaloneTrace::of(section, seed)).map(Trace::new).map_err(wrong)
}

/// What a generator draws: a section of a scenario as JSON, which messages call `name` and which stands in a file.
#[pyfunction]
#[pyo3(signature = (text, name, file, seed))]
pub fn generate_trace(text: &str, name: &str, file: Option<PathBuf>, seed: u64) -> PyResult<Trace> {
    let spec: GeneratorSpec = section(name, text)?;
    let trace = StandaloneTrace::generated(spec, seed).map_err(|problem| wrong(format!("{name}: {problem}")))?;
    Ok(Trace::new(match file {
        Some(file) => trace.read_from(&file),
        None => trace,
    }))
}

fn told(counted: &TraceStatistics, functions: &[DeclaredFunction], skipped: u64) -> Value {
    let mut by_function: Vec<(&str, u64)> =
        functions.iter().map(|function| function.name.as_str()).zip(counted.by_function.iter().copied()).collect();
    by_function.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let span = counted.last.since(counted.first).as_secs_f64();
    json!({
        "requests": counted.requests,
        "functions": by_function.iter().filter(|(_, count)| *count > 0).count(),
        "known_functions": functions.len(),
        "first_s": counted.first.as_secs_f64(),
        "last_s": counted.last.as_secs_f64(),
        "span_s": span,
        "mean_rate": (span > 0.0).then(|| counted.requests as f64 / span),
        "per_minute": counted.per_minute,
        "by_function": by_function,
        "gap_s": distribution(&counted.gaps),
        "duration_s": distribution(&counted.durations),
        "skipped_rows": skipped,
    })
}

/// The numbers that the command shows; nothing where nothing was counted.
fn distribution(times: &Precise) -> Option<Value> {
    (times.count() > 0).then(|| {
        json!({
            "mean": times.mean(),
            "p50": times.percentile(0.5),
            "p90": times.percentile(0.9),
            "p99": times.percentile(0.99),
            "max": times.max(),
        })
    })
}
