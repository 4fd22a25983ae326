//! A bar on a terminal while a simulation runs.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hearth_serverless::experiment::Extent;
use hearth_serverless::policy::Monitor;
use indicatif::{ProgressBar, ProgressStyle};

use crate::table::duration;

/// How often the bar moves.
const PAUSE: Duration = Duration::from_millis(200);
/// Steps of a bar whose length is known.
const STEPS: u64 = 1000;

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
    // The templates are right; the default style would do as well.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    while ended.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
        let (now, requests) = (monitor.now().as_secs_f64(), monitor.requests());
        let rate = requests as f64 / start.elapsed().as_secs_f64();
        let of_requests = extent.requests.map(|all| requests as f64 / all.max(1) as f64);
        let of_time = extent.end.map(|end| now / end.as_secs_f64().max(1e-9));
        let share = of_requests.or(of_time).map_or(0.0, |share| share.min(1.0));
        let left = (share > 0.0).then(|| start.elapsed().as_secs_f64() * (1.0 - share) / share);
        let left = left.map_or(String::new(), |left| format!(", {} left", duration(left)));
        // Before the position, which draws the bar.
        bar.set_message(format!("{} simulated, {requests} requests, {rate:.0}/s{left}", duration(now)));
        bar.set_position((share * STEPS as f64) as u64);
        bar.tick();
    }
    bar.finish_and_clear();
}
