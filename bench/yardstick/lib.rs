//! The yardstick of the benchmarks, and the way they are taken.
//!
//! Machines differ and are shared, so costs are quoted beside seconds in *hold steps*: one step of the hold model (pop
//! the earliest, push a later one) on `std::collections::BinaryHeap` with 10 000 pending `(u64, u64)`. Every figure is
//! taken between two measurements of the yardstick, in the same process.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::{Duration, Instant};

const PENDING: u64 = 10_000;
const STEPS: u64 = 400_000;

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
    let start = Instant::now();
    for _ in 0..STEPS {
        if let Some(Reverse((date, number))) = heap.pop() {
            heap.push(Reverse((date + draw(), number)));
        }
    }
    black_box(&heap);
    start.elapsed().as_secs_f64() * 1e9 / STEPS as f64
}

/// Measures a piece of work that consists of `units`: the best of several runs, per unit, in nanoseconds and hold steps.
pub fn measure<T>(name: &str, unit: &str, units: u64, mut work: impl FnMut() -> T) -> f64 {
    let runs = 5;
    let mut best = (f64::INFINITY, Duration::MAX);
    for _ in 0..runs {
        let before = hold_step_ns();
        let start = Instant::now();
        black_box(work());
        let elapsed = start.elapsed();
        let hold_step = before.midpoint(hold_step_ns());
        let steps = elapsed.as_secs_f64() * 1e9 / units as f64 / hold_step;
        if steps < best.0 {
            best = (steps, elapsed);
        }
    }
    let (steps, elapsed) = best;
    let nanos = elapsed.as_secs_f64() * 1e9 / units as f64;
    println!("{name:<58} {:>9.4} s {nanos:>12.1} ns/{unit:<8} {steps:>9.2} hold steps/{unit}", elapsed.as_secs_f64());
    steps
}
