//! What Knative's own tests of its windows (`pkg/autoscaler/aggregation/bucketing_test.go`, knative/serving at 98e5ef9) expect, as data.
//!
//! Left out: the tests of `ResizeWindow` (`…ResizeWindow`, `…WindowUpdate3sGranularity`, `…WindowUpdateNoOp`) but for what comes before it, since no window changes
//! while a simulation runs; and the benchmark.

use super::*;

/// What is recorded, by second, or the average that is expected at a second.
enum Step {
    Record(u64, f64),
    Average(u64, f64),
    Empty(u64, bool),
}
use Step::{Average, Empty, Record};

/// Some second that is not the first there is.
const NOW: u64 = 1_000_003;

fn play(name: &str, mut buckets: Buckets, steps: &[Step]) {
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Record(second, value) => buckets.record(NOW + second, value),
            Average(second, wanted) => {
                let average = buckets.average(NOW + second);
                assert!((average - wanted).abs() < 1e-9, "{name}, step {number}: {average} for {wanted}");
            }
            Empty(second, wanted) => assert_eq!(buckets.is_empty(NOW + second), wanted, "{name}, step {number}"),
        }
    }
}

#[test]
fn the_window_average_is_knatives() {
    // `now` moves in that test: by 60 s, and then by 1 s.
    let steps = [
        Record(0, 1.0),
        Average(0, 1.0),
        Record(1, 2.0),
        Record(2, 3.0),
        Record(3, 4.0),
        Record(4, 5.0),
        Average(4, 15.0 / 5.0),
        Average(3, 15.0 / 5.0),
        Average(6, (15.0 - 1.0 - 2.0) / 3.0),
        Average(10, 0.0),
        Record(6, 91.0),
        Average(6, (15.0 - 1.0 - 2.0 + 91.0) / 5.0),
        Record(60, 1984.0),
        Average(60, 1984.0),
        Record(57, 4.0),
        Average(60, (4.0 + 1984.0) / 4.0),
        Record(61, 5.0),
        Average(61, (4.0 + 1984.0 + 5.0) / 5.0),
        Record(58, 10.0),
        Average(61, (4.0 + 10.0 + 1984.0 + 5.0) / 5.0),
        Record(55, 10.0),
        Average(61, (4.0 + 10.0 + 1984.0 + 5.0) / 5.0),
        Record(56, 10.0),
        Average(61, (4.0 + 10.0 + 1984.0 + 5.0) / 5.0),
        Record(66, 10.0),
        Average(66, 10.0),
    ];
    play("TestTimedFloat64BucketsWindowAverage", Buckets::new(5, false), &steps);
}

#[test]
fn rounding_takes_away_what_sums_have_left() {
    for (value, wanted) in [(3.6e-17, 0.0), (-3.6e-17, 0.0), (0.000_000_4, 0.0), (1.234_567_5, 1.234_568)] {
        assert_eq!(rounded(value), wanted, "TestRoundToNDigits");
    }
}

#[test]
fn descending_records_are_knatives() {
    let mut steps: Vec<Step> = (0..=8).rev().map(|second| Record(second, 5.0)).collect();
    steps.push(Average(5, 5.0));
    play("TestDescendingRecord", Buckets::new(5, false), &steps);
}

#[test]
fn holes_are_knatives() {
    let mut steps: Vec<Step> = (0..5).map(|second| Record(second, (second + 1) as f64)).collect();
    steps.extend([Average(4, 15.0 / 5.0), Record(8, 2.0), Average(8, 7.0 / 5.0)]);
    play("TestTimedFloat64BucketsHoles", Buckets::new(5, false), &steps);
}

#[test]
fn values_of_one_second_are_added_as_in_knative() {
    // Two minutes; 100 ms later is the same second.
    let steps = [
        Empty(0, true),
        Record(0, 1.0),
        Record(0, 10.0),
        Record(1, 1.0),
        Record(3, 1.0),
        Average(60, (11.0 + 1.0 + 1.0) / 4.0),
        Empty(123, false),
        Empty(124, true),
    ];
    play("TestTimedFloat64BucketsSimple, 1 s", Buckets::new(120, false), &steps);
    // Buckets of 5 s, of which 2 minutes have 24.
    let steps = [Record(0, 1.0), Record(0, 11.0), Record(1, 1.0), Average(1, 13.0 / 2.0)];
    play("TestTimedFloat64BucketsSimple, 5 s", Buckets::new(24, false), &steps);
    let many = |seconds: [u64; 5]| {
        let of = |(number, second): (usize, u64)| (0..5).map(move |more| Record(second, (number + more) as f64));
        seconds.into_iter().enumerate().flat_map(of).chain([Average(4, 100.0 / 5.0)]).collect::<Vec<_>>()
    };
    play("TestTimedFloat64BucketsManyReps", Buckets::new(60, false), &many([0, 1, 2, 3, 4]));
    play("…WithNonMonotonicalOrder", Buckets::new(60, false), &many([0, 3, 2, 1, 4]));
}

#[test]
fn the_weighted_average_is_knatives() {
    let weight = smoothing(5.0);
    let rest = 1.0 - weight;
    let mut steps = vec![
        Record(0, 2.0),
        Average(0, 2.0 * weight),
        Average(1, 2.0 * weight * rest),
        Record(1, 2.0),
        Average(1, 2.0 * weight * rest + 2.0 * weight),
    ];
    steps.extend((0..5).map(|second| Record(second + 2, (second + 2) as f64)));
    let weights = (0..5).map(|ago| f64::from(6 - ago) * weight * rest.powi(ago));
    steps.extend([Average(6, weights.sum()), Average(16, 0.0)]);
    play("TestTimedFloat64BucketsWeightedAverage", Buckets::new(5, true), &steps);
    let expected = [(100.0, 0.2), (60.0, 0.2), (40.0, 0.20567), (6.0, 0.78456)];
    for (seconds, wanted) in expected {
        assert!((smoothing(seconds) - wanted).abs() < 1e-5, "TestComputeDecayMultiplier, {seconds}");
    }
    // The six values of TestWeightedFloat64BucketsResizeWindow before it resizes.
    let mut buckets = Buckets::new(5, true);
    (0..6).for_each(|second| buckets.record(NOW + second, (second + 1) as f64));
    assert_eq!((buckets.average(NOW + 5) * 1e3).round(), 5812.0);
}
