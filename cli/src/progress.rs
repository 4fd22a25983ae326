//! What is seen on a terminal while simulations run.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use console::Term;
use hearth_serverless::experiment::{Extent, Monitor};
use hearth_serverless::results::Unit;
use hearth_simcore::time::SimTime;
use indicatif::{ProgressBar, ProgressStyle};

/// How often the line changes.
const PAUSE: Duration = Duration::from_millis(200);
/// How many letters a bar may have, so that it does not change with every digit beside it.
const BARS: [usize; 4] = [30, 20, 10, 0];

/// Which part of a simulation is over, as far as that can be known.
pub fn share_done(extent: Extent, now: SimTime, requests: u64) -> f64 {
    let of_requests = extent.requests.map(|all| requests as f64 / all.max(1) as f64);
    let of_time = extent.end.map(|end| now.as_secs_f64() / end.as_secs_f64().max(1e-9));
    of_requests.or(of_time).map_or(0.0, |share| share.min(1.0))
}

/// What is said beside the bar.
struct Part {
    text: String,
    /// Those of the greatest go first where there is no room.
    dispensable: u8,
}

/// A bar for the share that is done, percent, and the parts in their order, in so many columns. A part that has no room is left
/// out as a whole: a number that is cut is another number.
fn line(share: Option<f64>, parts: &[Part], columns: usize) -> String {
    let percent = share.map(|share| format!("{:>3.0} %", (100.0 * share).floor()));
    let render = |limit: u8, bar: usize| {
        let bar = share.filter(|_| bar > 0).map(|share| bar_of(share, bar));
        let parts: Vec<&str> =
            parts.iter().filter(|part| part.dispensable <= limit).map(|part| part.text.as_str()).collect();
        let parts = Some(parts.join(", ")).filter(|parts| !parts.is_empty());
        bar.into_iter().chain(percent.clone()).chain(parts).collect::<Vec<_>>().join("  ")
    };
    let limits = || parts.iter().map(|part| part.dispensable).chain([0]).collect::<std::collections::BTreeSet<u8>>();
    // Everything with the longest bar, then a shorter one, then none; then the next part goes.
    let choices = limits().into_iter().rev().flat_map(|limit| BARS.map(move |bar| (limit, bar)));
    let fits = |text: &String| text.chars().count() <= columns;
    let bare = percent.clone().filter(fits).unwrap_or_default();
    choices.map(|(limit, bar)| render(limit, bar)).find(fits).unwrap_or(bare)
}

fn bar_of(share: f64, length: usize) -> String {
    let done = ((share * length as f64) as usize).min(length);
    "█".repeat(done) + &"░".repeat(length - done)
}

/// Seconds that are left when a share of the work has taken so long.
fn time_left(start: Instant, share: f64) -> Option<Part> {
    let left = (share > 0.0).then(|| start.elapsed().as_secs_f64() * (1.0 - share) / share);
    left.map(|left| Part { text: format!("{} left", Unit::Seconds.shown(left)), dispensable: 0 })
}

/// A line that is drawn anew again and again, where standard error is a terminal.
#[derive(Debug)]
struct Line {
    bar: ProgressBar,
    terminal: Term,
}

impl Line {
    fn new() -> Option<Self> {
        io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            // The template is right; the default style would do as well.
            bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
            Self { bar, terminal: Term::stderr() }
        })
    }

    fn show(&self, share: Option<f64>, parts: &[Part]) {
        let columns = usize::from(self.terminal.size().1);
        self.bar.set_message(line(share, parts, columns));
        self.bar.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Some lines on standard output that are drawn anew again and again; the last ones stay.
#[derive(Debug)]
pub struct LiveText {
    terminal: Term,
    shown: Vec<String>,
}

impl LiveText {
    /// `None` where standard output is no terminal.
    pub fn on_terminal() -> Option<Self> {
        io::stdout().is_terminal().then(|| Self { terminal: Term::stdout(), shown: Vec::new() })
    }

    /// A bar as long as there is room for.
    pub fn bar(&self, share: f64) -> String {
        line(Some(share), &[], usize::from(self.terminal.size().1))
    }

    /// Draws lines in the place of those before, if they are others. One that is too long ends with the terminal: where it went on
    /// below, it would not be found again.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn show(&mut self, text: &str) -> io::Result<()> {
        let columns = usize::from(self.terminal.size().1);
        let lines: Vec<String> = text.lines().map(|line| line.chars().take(columns).collect()).collect();
        if lines == self.shown {
            return Ok(());
        }
        self.terminal.clear_last_lines(self.shown.len())?;
        self.shown = lines;
        self.shown.iter().try_for_each(|line| self.terminal.write_line(line))
    }
}

/// A line while many simulations run.
#[derive(Debug)]
pub struct SweepProgress {
    line: Line,
    start: Instant,
    runs: usize,
    jobs: usize,
}

impl SweepProgress {
    /// A line for so many runs, which so many jobs do; `None` where standard error is no terminal.
    pub fn start(runs: usize, jobs: usize) -> Option<Self> {
        Line::new().map(|line| Self { line, start: Instant::now(), runs, jobs })
    }

    /// So many jobs have ended, and the runs under way have done so many runs' worth of work.
    pub fn show(&self, ended: usize, under_way: f64) {
        let ended = ended * self.runs / self.jobs.max(1);
        let share = (ended as f64 + under_way) / self.runs.max(1) as f64;
        let runs = Part { text: format!("{ended} of {} runs", self.runs), dispensable: 1 };
        let parts: Vec<Part> = [runs].into_iter().chain(time_left(self.start, share)).collect();
        self.line.show(Some(share.min(1.0)), &parts);
    }

    /// What shows it, if it is there.
    pub fn shows(progress: Option<Self>) -> impl Fn(usize, f64) {
        move |ended, under_way| {
            if let Some(progress) = &progress {
                progress.show(ended, under_way);
            }
        }
    }
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
        let Some(line) = Line::new() else {
            return Self { end: None, thread: None };
        };
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || show(&line, &monitor, extent, &ended));
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // The line is gone from the terminal before anything is printed; a thread that failed shows nothing more.
            let _ = thread.join();
        }
    }
}

fn show(line: &Line, monitor: &Monitor, extent: Extent, ended: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let known = extent.requests.is_some() || extent.end.is_some();
    while ended.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
        let (now, requests) = (monitor.now(), monitor.requests());
        let share = known.then(|| share_done(extent, now, requests));
        let left = share.and_then(|share| time_left(start, share));
        line.show(share, &parts(now.as_secs_f64(), requests, start.elapsed().as_secs_f64(), left));
    }
}

/// What is said of a run: simulated seconds, requests, and what is left.
fn parts(simulated: f64, requests: u64, elapsed: f64, left: Option<Part>) -> Vec<Part> {
    let rate = requests as f64 / elapsed;
    let parts = [
        Part { text: format!("{} simulated", Unit::Seconds.shown(simulated)), dispensable: 3 },
        Part { text: format!("{requests} requests"), dispensable: 2 },
        Part { text: format!("{rate:.0}/s"), dispensable: 1 },
    ];
    parts.into_iter().chain(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> Option<Part> {
        Some(Part { text: text.to_owned(), dispensable: 0 })
    }

    fn at(columns: usize) -> String {
        line(Some(0.4), &parts(3600.0 * 5.55, 400_000, 0.801, left("1.20 min left")), columns)
    }

    #[test]
    fn parts_go_as_wholes_in_the_order_of_importance() {
        let wide = "████████████░░░░░░░░░░░░░░░░░░   40 %  5.55 h simulated, 400000 requests, 499376/s, 1.20 min left";
        assert_eq!(at(200), wide);
        assert_eq!(at(80), "████░░░░░░   40 %  5.55 h simulated, 400000 requests, 499376/s, 1.20 min left");
        assert_eq!(at(60), "████░░░░░░   40 %  400000 requests, 499376/s, 1.20 min left");
        assert_eq!(at(40), " 40 %  499376/s, 1.20 min left");
        assert_eq!(at(20), " 40 %  1.20 min left");
        assert_eq!((at(10), at(3)), (" 40 %".to_owned(), String::new()));
    }

    #[test]
    fn no_number_is_ever_cut() {
        for columns in 0..250 {
            let line = at(columns);
            assert!(line.chars().count() <= columns, "{line}");
            let told = line.trim_start_matches(['█', '░', ' ']).trim_start_matches("40 %").trim();
            for part in told.split(", ").filter(|part| !part.is_empty()) {
                let whole = ["5.55 h simulated", "400000 requests", "499376/s", "1.20 min left"];
                assert!(whole.contains(&part), "{columns} columns: {part:?}");
            }
        }
    }

    #[test]
    fn without_an_end_there_is_no_bar() {
        let text = line(None, &parts(1.5, 10, 2.0, None), 80);
        assert_eq!(text, "1.50 s simulated, 10 requests, 5/s");
    }

    #[test]
    fn a_bar_ends_with_the_work() {
        assert_eq!((bar_of(0.0, 4), bar_of(0.5, 4), bar_of(1.0, 4)), ("░░░░".into(), "██░░".into(), "████".into()));
    }
}
