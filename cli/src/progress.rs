//! A bar on a terminal while a simulation runs.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hearth_serverless::experiment::Extent;
use hearth_serverless::policy::Monitor;
use hearth_simcore::time::SimTime;
use indicatif::{ProgressBar, ProgressStyle};

use crate::table::duration;

/// How often the bar moves.
const PAUSE: Duration = Duration::from_millis(200);
/// Steps of a bar whose length is known.
const STEPS: u64 = 1000;

/// Which part of a simulation is over, as far as that can be known.
pub fn share_done(extent: Extent, now: SimTime, requests: u64) -> f64 {
    let of_requests = extent.requests.map(|all| requests as f64 / all.max(1) as f64);
    let of_time = extent.end.map(|end| now.as_secs_f64() / end.as_secs_f64().max(1e-9));
    of_requests.or(of_time).map_or(0.0, |share| share.min(1.0))
}

/// Seconds that are left when a share of the work has taken so long.
fn time_left(start: Instant, share: f64) -> String {
    let left = (share > 0.0).then(|| start.elapsed().as_secs_f64() * (1.0 - share) / share);
    left.map_or(String::new(), |left| format!(", {} left", duration(left)))
}

/// A bar on a terminal while many simulations run.
#[derive(Debug)]
pub struct SweepProgress {
    bar: ProgressBar,
    start: Instant,
    runs: usize,
}

impl SweepProgress {
    /// A bar for so many runs; `None` where standard error is no terminal.
    pub fn start(runs: usize) -> Option<Self> {
        io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(STEPS);
            bar.set_style(style("{bar:30} {percent:>3} %  {wide_msg}"));
            Self { bar, start: Instant::now(), runs }
        })
    }

    /// So many runs have ended, and those under way have done so many runs' worth of work.
    pub fn show(&self, ended: usize, under_way: f64) {
        let share = (ended as f64 + under_way) / self.runs.max(1) as f64;
        self.bar.set_message(format!("{ended} of {} runs{}", self.runs, time_left(self.start, share)));
        self.bar.set_position((share * STEPS as f64) as u64);
        self.bar.tick();
    }
}

impl Drop for SweepProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are right; the default style would do as well.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Shows the progress until it is dropped; nothing where standard error is no terminal.
#[derive(Debug)]
pub struct Progress {
    /// Dropping it ends the thread.
    end: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Progress {
    /// Watches a simulation of this extent.
    pub fn start(monitor: Monitor, extent: Extent) -> Self {
        if !io::stderr().is_terminal() {
            return Self { end: None, thread: None };
        }
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || show(&monitor, extent, &ended));
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // The bar is gone from the terminal before anything is printed; a thread that failed shows nothing more.
            let _ = thread.join();
        }
    }
}

fn show(monitor: &Monitor, extent: Extent, ended: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let known = extent.requests.is_some() || extent.end.is_some();
    let bar = if known { ProgressBar::new(STEPS) } else { ProgressBar::new_spinner() };
    let template = if known { "{bar:30} {percent:>3} %  {wide_msg}" } else { "{spinner} {wide_msg}" };
    bar.set_style(style(template));
    while ended.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
        let (now, requests) = (monitor.now(), monitor.requests());
        let rate = requests as f64 / start.elapsed().as_secs_f64();
        let share = share_done(extent, now, requests);
        let left = time_left(start, share);
        // Before the position, which draws the bar.
        bar.set_message(format!("{} simulated, {requests} requests, {rate:.0}/s{left}", duration(now.as_secs_f64())));
        bar.set_position((share * STEPS as f64) as u64);
        bar.tick();
    }
    bar.finish_and_clear();
}
