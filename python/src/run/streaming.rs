//! The invocations of a run, which come as it goes on.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};

use hearth_serverless::results::HeldTable;
use pyo3::prelude::*;

use super::result::RunResult;
use super::simulate::{Invocations, Options};
use super::under_way::{UnderWay, next};
use crate::policy::{Given, Session};
use crate::source::Source;
use crate::table::Columns;

/// Invocations of a run that come as it goes on.
#[pyclass(module = "hearth._hearth")]
pub struct Stream {
    batches: Option<Mutex<Receiver<HeldTable>>>,
    under_way: Option<UnderWay>,
    session: Session,
    /// Whether a table was handed on.
    has_begun: bool,
    /// What came of it, once it has ended.
    run: Option<Py<RunResult>>,
}

impl Stream {
    /// Waits for the end of the run.
    fn end(&mut self, py: Python<'_>) -> PyResult<()> {
        self.batches = None;
        if let Some(under_way) = self.under_way.take() {
            let run = under_way.wait(py, None, &self.session)?.into_run(py, &self.session)?;
            self.run = Some(Py::new(py, run)?);
        }
        Ok(())
    }
}

#[pymethods]
impl Stream {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Columns>> {
        loop {
            let Some(batches) = &self.batches else { return Ok(None) };
            let lending = self.session.lending();
            let next = py.detach(|| {
                let next = next(batches);
                lending.ask();
                next
            });
            lending.got();
            match next {
                // The last table may be empty, and says only as the first what the columns are.
                Ok(table) if table.rows() == 0 && self.has_begun => {}
                Ok(table) => {
                    self.has_begun = true;
                    return Columns::new(table).map(Some);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = py.check_signals() {
                        self.close(py);
                        return Err(error);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.end(py)?;
                    return Ok(None);
                }
            }
        }
    }

    /// Ends the run before its end.
    fn close(&mut self, py: Python<'_>) {
        // Who has nobody to hand invocations to stops.
        self.batches = None;
        if let Some(under_way) = self.under_way.take() {
            under_way.stop(py, &self.session);
            let _ = under_way.wait(py, None, &self.session);
        }
    }

    /// What came of the run, once all invocations have been taken.
    #[getter]
    fn run(&self, py: Python<'_>) -> Option<Py<RunResult>> {
        self.run.as_ref().map(|run| run.clone_ref(py))
    }
}

/// So many tables wait for whoever takes them.
const WAITING: usize = 2;

/// Runs a scenario, and hands its invocations on, so many at a time.
#[pyfunction]
pub fn stream(source: &Source, policies: Vec<Given>, options: Options, rows: usize) -> PyResult<Stream> {
    let (sender, batches) = mpsc::sync_channel(WAITING);
    let session = Session::default();
    let invocations = Invocations::Streamed(rows, sender);
    let under_way = UnderWay::start(source.clone(), policies, session.clone(), options, invocations)?;
    let (batches, under_way) = (Some(Mutex::new(batches)), Some(under_way));
    Ok(Stream { batches, under_way, session, has_begun: false, run: None })
}
