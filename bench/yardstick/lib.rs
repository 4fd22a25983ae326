//! The yardstick of the benchmarks, and the way they are taken.
//!
//! Machines differ and are shared, so costs are quoted beside seconds in *hold steps*: one step of the hold model (pop
//! the earliest, push a later one) on `std::collections::BinaryHeap` with 10 000 pending `(u64, u64)`. Every figure is
//! taken between two measurements of the yardstick, in the same process. Times are of the processor where the system tells
//! them, so that who else uses the machine counts little.

mod requests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::{Duration, Instant};

pub use requests::{measure_requests, run};

const PENDING: u64 = 10_000;
const STEPS: u64 = 400_000;

/// Processor time of this thread since some date; `None` where the system does not tell.
fn processor_time() -> Option<Duration> {
    // Linux brings the count up to date when a thread gives way, and else once in a few milliseconds.
    std::thread::yield_now();
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(counts.split_whitespace().next()?.parse().ok()?))
}

/// Measures the processor time of the thread that started it, or the time on the wall where the system does not tell.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    processor: Option<Duration>,
    wall: Instant,
}

impl Stopwatch {
    /// One that starts now.
    pub fn start() -> Self {
        Self { processor: processor_time(), wall: Instant::now() }
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        let processor = self.processor.and_then(|start| processor_time()?.checked_sub(start));
        processor.unwrap_or_else(|| self.wall.elapsed())
    }
}

/// Nanoseconds of one hold step, now.
pub fn hold_step_ns() -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % 1_000_000
    };
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> = (0..PENDING).map(|number| Reverse((draw(), number))).collect();
    let start = Stopwatch::start();
    for _ in 0..STEPS {
        if let Some(Reverse((date, number))) = heap.pop() {
            heap.push(Reverse((date + draw(), number)));
        }
    }
    black_box(&heap);
    start.elapsed().as_secs_f64() * 1e9 / STEPS as f64
}

/// What a piece of work took at best.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Hold steps of all of it.
    pub steps: f64,
    /// How long it took.
    pub time: Duration,
}

/// The best of several runs of a piece of work, in hold steps: at most `runs`, and none further once they have taken
/// `enough`.
pub fn best_of<T>(runs: u32, enough: Duration, mut work: impl FnMut() -> T) -> Cost {
    let mut best = Cost { steps: f64::INFINITY, time: Duration::MAX };
    let mut spent = Duration::ZERO;
    for _ in 0..runs {
        let before = hold_step_ns();
        let start = Stopwatch::start();
        black_box(work());
        let time = start.elapsed();
        let hold_step = before.midpoint(hold_step_ns());
        let steps = time.as_secs_f64() * 1e9 / hold_step;
        if steps < best.steps {
            best = Cost { steps, time };
        }
        spent += time;
        if spent > enough {
            break;
        }
    }
    best
}

/// Measures a piece of work that consists of `units`: the best of several runs, per unit, in nanoseconds and hold steps.
pub fn measure<T>(name: &str, unit: &str, units: u64, work: impl FnMut() -> T) -> f64 {
    let best = best_of(5, Duration::MAX, work);
    let steps = best.steps / units as f64;
    let seconds = best.time.as_secs_f64();
    let nanos = seconds * 1e9 / units as f64;
    println!("{name:<58} {seconds:>9.4} s {nanos:>12.1} ns/{unit:<8} {steps:>9.2} hold steps/{unit}");
    steps
}
