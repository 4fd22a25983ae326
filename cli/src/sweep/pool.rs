//! Runs on all cores: each simulation has a thread to itself, and shares nothing with the others, so what comes of it is
//! what would come of it alone.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use hearth_serverless::experiment::Board;
use hearth_serverless::experiment::{Extent, Monitor};

use crate::error::CommandError;
use crate::interrupt;
use crate::progress::share_done;

/// How often somebody looks.
const PAUSE: Duration = Duration::from_millis(200);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that simulates, seen from the others.
#[derive(Clone, Debug)]
struct Worker {
    monitor: Monitor,
    /// How much there is to simulate in the current run, and how many requests the thread had counted before it.
    current: Arc<Mutex<Option<(Extent, u64)>>>,
}

/// Tells the threads to stop, and the others how far they are.
#[derive(Clone, Debug, Default)]
pub struct Control {
    is_stopped: Arc<AtomicBool>,
    workers: Arc<Mutex<Vec<Worker>>>,
}

impl Control {
    /// No run begins any more, and those under way end with what they are doing.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        lock(&self.workers).iter().for_each(|worker| worker.monitor.interrupt());
    }

    /// Whether it has been told to stop.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Runs' worth of work that those under way have done.
    fn under_way(&self) -> f64 {
        let share = |worker: &Worker| {
            let (extent, before) = (*lock(&worker.current))?;
            Some(share_done(extent, worker.monitor.now(), worker.monitor.requests() - before))
        };
        lock(&self.workers).iter().filter_map(share).sum()
    }

    /// Stops when Ctrl-C asks for it.
    pub fn stop_on_interrupt(&self) {
        let control = self.clone();
        interrupt::stops(move || control.stop(), || {});
    }
}

/// What a thread says of itself while it runs.
#[derive(Debug)]
pub struct Announce {
    worker: Worker,
}

impl Announce {
    /// Of a thread that nobody asks how far it is.
    pub fn of_this_thread() -> Self {
        Self { worker: Worker { monitor: Monitor::of_this_thread(), current: Arc::default() } }
    }

    /// Shows how far a simulation is that runs elsewhere in the place of the thread; false once that is to stop.
    #[cfg(unix)]
    pub fn follow(&self, board: &Board) -> bool {
        if let Some((_, before)) = *lock(&self.worker.current) {
            self.worker.monitor.follow(board, before);
        }
        !self.worker.monitor.is_interrupted()
    }

    /// A simulation of this extent begins.
    pub fn begin(&self, extent: Extent) {
        *lock(&self.worker.current) = Some((extent, self.worker.monitor.requests()));
    }
}

/// How many threads simulate: as many as are asked for, or one for each core.
pub fn threads(asked: Option<NonZeroUsize>) -> usize {
    asked.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

/// Runs jobs `0..jobs` on so many threads and gives what came of each, in order: `None` of those that did not run because
/// all was stopped. An error that concerns all stops the others. `look` is called now and then, and after each, with how many have ended
/// and how many runs' worth of work is under way.
///
/// # Errors
/// The first error for which `is_fatal` holds. Others are given with their job.
pub fn run_all<State, Outcome: Send>(
    jobs: usize,
    threads: usize,
    control: &Control,
    mut look: impl FnMut(usize, f64),
    state: impl Fn() -> State + Sync,
    run: impl Fn(&mut State, usize, &Announce) -> Result<Outcome, CommandError> + Sync,
) -> Result<Vec<Option<Result<Outcome, CommandError>>>, CommandError> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut outcomes: Vec<Option<Result<Outcome, CommandError>>> = (0..jobs).map(|_| None).collect();
    let mut fatal = None;
    thread::scope(|scope| {
        for _ in 0..threads.min(jobs) {
            let (sender, next, state, run) = (sender.clone(), &next, &state, &run);
            scope.spawn(move || {
                let worker = Worker { monitor: Monitor::of_this_thread(), current: Arc::default() };
                lock(&control.workers).push(worker.clone());
                let announce = Announce { worker };
                let mut state = state();
                while !control.is_stopped() {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= jobs {
                        break;
                    }
                    let outcome = run(&mut state, job, &announce);
                    *lock(&announce.worker.current) = None;
                    // The other end is there until all threads have ended.
                    let _ = sender.send((job, outcome));
                }
            });
        }
        drop(sender);
        let mut ended = 0;
        loop {
            match receiver.recv_timeout(PAUSE) {
                Ok((_, Err(CommandError::Interrupted))) => {}
                Ok((_, Err(error))) if error.is_fatal_to_a_sweep() => {
                    fatal.get_or_insert(error);
                    control.stop();
                }
                Ok((job, outcome)) => {
                    ended += 1;
                    outcomes[job] = Some(outcome);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            look(ended, control.under_way());
        }
    });
    fatal.map_or(Ok(outcomes), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_stand_in_the_order_of_jobs() {
        let run = |_: &mut (), job: usize, _: &Announce| {
            thread::sleep(Duration::from_millis(if job.is_multiple_of(2) { 3 } else { 0 }));
            if job == 5 { Err(CommandError::Unsound("five".to_owned())) } else { Ok(job) }
        };
        let outcomes = run_all(20, 4, &Control::default(), |_, _| (), || (), run).unwrap();
        for (job, outcome) in outcomes.into_iter().enumerate() {
            match outcome.unwrap() {
                Ok(value) => assert_eq!(value, job),
                Err(error) => assert_eq!((job, error.to_string().as_str()), (5, "unsound: five")),
            }
        }
    }

    #[test]
    fn what_concerns_all_stops_all() {
        let run = |_: &mut (), job: usize, _: &Announce| {
            if job == 1 { Err(CommandError::Usage("wrong".to_owned())) } else { Ok(()) }
        };
        let error = run_all(1_000_000, 2, &Control::default(), |_, _| (), || (), run).unwrap_err();
        assert_eq!(error.to_string(), "wrong");
    }
}
