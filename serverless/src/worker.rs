//! A thread beside the one that simulates, which does jobs in the order in which they were begun.
//!
//! Who begins a job gets what came of it when it waits for it, so no result depends on how fast anybody is. Jobs wait for
//! nobody, so waiting for one comes to an end.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// A handle on the thread, which starts with the first job and has ended when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Worker(Arc<Thread>);

/// `None` where no thread could be had.
struct Thread(OnceLock<Option<Running>>);

struct Running {
    jobs: Sender<Job>,
    handle: JoinHandle<()>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

impl Worker {
    /// One that has nothing to do yet.
    pub fn new() -> Self {
        Self(Arc::new(Thread(OnceLock::new())))
    }

    /// Begins a job. Where no thread can be had it is done here and now.
    pub fn begin<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Pending<T> {
        let (sender, outcome) = sync_channel(1);
        let job: Job = Box::new(move || {
            // What a job was about is gone with it when it panics. Nobody may wait any more.
            let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
        });
        match self.0.0.get_or_init(|| Running::start().ok()) {
            Some(running) => {
                if let Err(unsent) = running.jobs.send(job) {
                    (unsent.0)();
                }
            }
            None => job(),
        }
        Pending(outcome)
    }
}

impl Running {
    fn start() -> std::io::Result<Self> {
        let (jobs, waiting) = channel::<Job>();
        let work = move || waiting.iter().for_each(|job| job());
        let handle = thread::Builder::new().name("hearth-worker".to_owned()).spawn(work)?;
        Ok(Self { jobs, handle })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(Running { jobs, handle }) = self.0.take().flatten() {
            drop(jobs);
            // Jobs do not unwind.
            let _ = handle.join();
        }
    }
}

/// What will come of a job.
pub(crate) struct Pending<T>(Receiver<thread::Result<T>>);

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl<T> Pending<T> {
    /// Waits for the end of the job; the error is what it panicked with.
    pub fn wait(&self) -> thread::Result<T> {
        self.0.recv().unwrap_or_else(|_| Err(nothing_came()))
    }

    /// Waits for the end of the job, but no longer than a wall-clock time; `None` if that is over.
    pub fn wait_at_most(&self, time: Duration) -> Option<thread::Result<T>> {
        match self.0.recv_timeout(time) {
            Ok(outcome) => Some(outcome),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(nothing_came())),
        }
    }
}

fn nothing_came() -> Box<dyn Any + Send> {
    Box::new("its thread has ended")
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn jobs_are_done_in_their_order_on_one_thread_that_is_another() {
        let worker = Worker::new();
        let jobs: Vec<_> = (0..100).map(|number| worker.begin(move || (number, thread::current().id()))).collect();
        let done: Vec<_> = jobs.iter().map(|job| job.wait().unwrap()).collect();
        assert!(done.iter().map(|(number, _)| *number).eq(0..100));
        assert!(done.iter().all(|(_, thread)| *thread == done[0].1 && *thread != thread::current().id()));
    }

    #[test]
    fn a_panic_is_told_to_who_waits_and_the_next_job_is_done() {
        let worker = Worker::new();
        let (first, second) = (worker.begin(|| panic!("on purpose")), worker.begin(|| 2));
        let panic: thread::Result<()> = first.wait();
        assert_eq!(message(&*panic.unwrap_err()), "on purpose");
        assert_eq!(second.wait_at_most(Duration::from_secs(60)).unwrap().unwrap(), 2);
    }

    #[test]
    fn the_thread_has_ended_with_the_last_handle() {
        let is_done = Arc::new(AtomicBool::new(false));
        let (worker, done) = (Worker::new(), Arc::clone(&is_done));
        let other = worker.clone();
        let job = worker.begin(move || {
            thread::sleep(Duration::from_millis(50));
            done.store(true, Ordering::Relaxed);
        });
        assert!(job.wait_at_most(Duration::from_millis(1)).is_none());
        drop((job, worker));
        drop(other);
        assert!(is_done.load(Ordering::Relaxed));
    }
}
