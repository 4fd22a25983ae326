//! A run on a thread of its own, while the one that asked for it hears Ctrl-C and shows how far it is.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hearth_serverless::experiment::{Extent, Monitor};
use pyo3::prelude::*;

use super::simulate::{Ended, Invocations, Options, Said, simulate};
use crate::error::HearthError;
use crate::policy::{Given, Session};
use crate::source::Source;

/// How often Ctrl-C is looked for.
const PAUSE: Duration = Duration::from_millis(20);

/// After how long a call is told again to end, which may have begun when others were told.
pub const AGAIN: Duration = Duration::from_secs(1);

/// Room for policies that call themselves.
const STACK: usize = 64 << 20;

/// What comes next, within a pause.
pub(super) fn next<T>(receiver: &Mutex<Receiver<T>>) -> Result<T, RecvTimeoutError> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PAUSE)
}

/// A run that is under way on a thread of its own.
pub(super) struct UnderWay {
    said: Mutex<Receiver<Said>>,
    monitor: Option<(Monitor, Extent)>,
    thread: thread::JoinHandle<()>,
}

impl UnderWay {
    pub(super) fn start(
        source: Source,
        given: Vec<Given>,
        session: Session,
        options: Options,
        invocations: Invocations,
    ) -> PyResult<Self> {
        let (say, said) = mpsc::channel();
        let run = move || {
            let work = || simulate(&source, &given, &session, &options, invocations, &say);
            // One state of the interpreter for the whole run, and not for each call of a policy.
            let ended = if given.is_empty() { work() } else { Python::attach(|py| py.detach(work)) };
            let _ = say.send(Said::Ended(Box::new(ended)));
        };
        let thread = thread::Builder::new().name("hearth".to_owned()).stack_size(STACK).spawn(run)?;
        Ok(Self { said: Mutex::new(said), monitor: None, thread })
    }

    /// Waits until it has ended. Ctrl-C ends it, and raises `KeyboardInterrupt`.
    pub(super) fn wait(mut self, py: Python<'_>, progress: Option<&Py<PyAny>>, session: &Session) -> PyResult<Ended> {
        let mut interrupt = None;
        let mut stopped = Instant::now();
        loop {
            let said = py.detach(|| {
                let said = next(&self.said);
                session.lending().ask();
                said
            });
            session.lending().got();
            match said {
                Ok(Said::Began(monitor, extent)) => {
                    if interrupt.is_some() {
                        monitor.interrupt();
                    }
                    self.monitor = Some((monitor, extent));
                }
                Ok(Said::Ended(ended)) => {
                    let _ = py.detach(|| self.thread.join());
                    return interrupt.map_or(*ended, Err);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let problem = "the simulation has ended in a panic, which is told above: please report it";
                    return Err(HearthError::new_err(problem));
                }
            }
            let looked = py.check_signals().and_then(|()| self.show(py, progress));
            let is_interrupted = looked.is_err();
            if let Err(error) = looked {
                interrupt.get_or_insert(error);
            }
            if is_interrupted || interrupt.is_some() && stopped.elapsed() > AGAIN {
                stopped = Instant::now();
                self.stop(py, session);
            }
        }
    }

    pub(super) fn stop(&self, py: Python<'_>, session: &Session) {
        if let Some((monitor, _)) = &self.monitor {
            monitor.interrupt();
        }
        session.interrupt(py);
    }

    fn show(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<()> {
        let (Some(progress), Some((monitor, extent))) = (progress, &self.monitor) else { return Ok(()) };
        let (now, requests) = (monitor.now().as_secs_f64(), monitor.requests());
        let by_requests = extent.requests.map(|all| requests as f64 / all.max(1) as f64);
        let by_date = extent.end.map(|end| now / end.as_secs_f64().max(f64::MIN_POSITIVE));
        progress.call1(py, (by_requests.or(by_date).map(|share| share.clamp(0.0, 1.0)), now, requests)).map(drop)
    }
}
