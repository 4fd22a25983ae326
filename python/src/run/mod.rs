//! Runs: [`simulate`](simulate::simulate) does one on a thread of its own ([`under_way`]), [`result`] is what comes of it, [`streaming`] what comes of it as it
//! goes on.

mod result;
mod simulate;
mod streaming;
mod under_way;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use hearth_serverless::policy::PolicySlot;
use pyo3::prelude::*;

pub use self::result::RunResult;
use self::simulate::{Invocations, Options};
pub use self::streaming::{Stream, stream};
pub use self::under_way::AGAIN;
use self::under_way::UnderWay;
use crate::policy::{Given, Session};
use crate::source::Source;

/// Runs a scenario.
#[pyfunction]
#[pyo3(signature = (source, policies, options, progress=None))]
pub fn run(
    py: Python<'_>,
    source: &Source,
    policies: Vec<Given>,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<RunResult> {
    let session = Session::keeping();
    let share = options.sample;
    let invocations = if share > 0.0 { Invocations::Kept(share) } else { Invocations::Left };
    let under_way = UnderWay::start(source.clone(), policies, session.clone(), options, invocations)?;
    under_way.wait(py, progress.as_ref(), &session)?.into_run(py, &session)
}

/// The summary of a run, as JSON: what a worker of a sweep does.
#[pyfunction]
pub fn summarise(
    py: Python<'_>,
    source: &Source,
    policies: Vec<Given>,
    copies: Vec<(PathBuf, PathBuf)>,
) -> PyResult<String> {
    let (threads, explain) = (NonZeroUsize::new(1), false);
    let options = Options { sample: 0.0, interval_s: None, most_rows: 0, threads, explain, copies };
    Ok(run(py, source, policies, options, None)?.summary)
}

/// The slots of policies, as scenarios name them.
#[pyfunction]
pub fn slots() -> Vec<(&'static str, String)> {
    PolicySlot::ALL.iter().map(|slot| (slot.path(), slot.kind().to_string())).collect()
}
