//! Invocations summed up over time, for what is seen first.

use hearth_serverless::results::{Intervals, Summed};
use hearth_simcore::time::SimTime;
use serde_json::{Value, json};

/// What was requested in an interval.
#[derive(Clone, Debug, Default)]
struct Interval {
    invocations: u64,
    cold: u64,
    /// Of those that have one.
    latency: u128,
    /// By cause.
    causes: Vec<u128>,
}

impl Summed for Interval {
    fn merge(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.cold += other.cold;
        self.latency += other.latency;
        for (cause, nanos) in other.causes.iter().enumerate() {
            self.add(cause, *nanos);
        }
    }
}

impl Interval {
    fn add(&mut self, cause: usize, nanos: u128) {
        if self.causes.len() <= cause {
            self.causes.resize(cause + 1, 0);
        }
        self.causes[cause] += nanos;
    }
}

/// Sums over time, by the date of the request.
#[derive(Debug, Default)]
pub struct Overview {
    intervals: Intervals<Interval>,
}

impl Overview {
    /// Adds an invocation with the parts of its latency, each with the number of its cause.
    pub fn add(&mut self, requested: u64, is_cold: bool, latency: Option<u64>, parts: &[(usize, u64)]) {
        if let Some(interval) = self.intervals.at(SimTime::from_nanos(requested)) {
            interval.invocations += 1;
            interval.cold += u64::from(is_cold);
            interval.latency += u128::from(latency.unwrap_or(0));
            parts.iter().for_each(|(cause, nanos)| interval.add(*cause, u128::from(*nanos)));
        }
    }

    /// What the page is told: sums of each interval, times in nanoseconds.
    pub fn about(&self) -> Value {
        let of = |interval: &Interval| {
            let causes: Vec<f64> = interval.causes.iter().map(|nanos| *nanos as f64).collect();
            json!([interval.invocations, interval.cold, interval.latency as f64, causes])
        };
        let step = self.intervals.length().as_nanos();
        let first = self.intervals.all().next().map_or(0, |(begin, _)| begin.as_nanos() / step);
        let intervals: Vec<Value> = self.intervals.all().map(|(_, interval)| of(interval)).collect();
        json!({"step": step, "first": first, "intervals": intervals})
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn intervals_are_a_recount(
            invocations in proptest::collection::vec((0..90_000_000_000_000_u64, 0..3_usize, 0..1_000_000_u64), 1..60),
            begin in prop_oneof![Just(0_u64), 0..2_000_000_000_000_000_000_u64],
        ) {
            let mut overview = Overview::default();
            for (requested, cause, nanos) in &invocations {
                overview.add(begin + requested, *cause == 0, Some(nanos + 7), &[(*cause, *nanos), (3, 7)]);
            }
            let about = overview.about();
            let step = about["step"].as_u64().unwrap();
            let intervals = about["intervals"].as_array().unwrap();
            prop_assert!(intervals.len() <= 240);
            let counted: u64 = intervals.iter().map(|interval| interval[0].as_u64().unwrap()).sum();
            prop_assert_eq!(counted, invocations.len() as u64);
            for (number, interval) in (about["first"].as_u64().unwrap()..).zip(intervals) {
                let here: Vec<_> = invocations.iter().filter(|(requested, ..)| (begin + requested) / step == number).collect();
                let cold = here.iter().filter(|(_, cause, _)| *cause == 0).count();
                prop_assert_eq!((interval[0].as_u64(), interval[1].as_u64()), (Some(here.len() as u64), Some(cold as u64)));
                let latency: u64 = here.iter().map(|(_, _, nanos)| nanos + 7).sum();
                prop_assert_eq!(interval[2].as_f64(), Some(latency as f64));
                for cause in 0..3 {
                    let sum: u64 = here.iter().filter(|(_, of, _)| *of == cause).map(|(_, _, nanos)| nanos).sum();
                    prop_assert_eq!(interval[3][cause].as_f64().unwrap_or(0.0), sum as f64);
                }
            }
        }
    }
}
