//! Knative's own decision tables (`pkg/autoscaler/scaling/autoscaler_test.go`, knative/serving at 98e5ef9), as data.
//!
//! Left out:
//! - `TestAutoscalerScaleDownDelayNotReachable` and the row `AutoscalerStableModeDecreaseNonReachable`: there are no revisions that
//!   others replace, so each function is reachable.
//! - `TestAutoscalerNoDataNoAutoscale`, `TestCantCountPods` and `TestNewFail`: nothing is scraped or looked up that could fail.
//! - `TestAutoscalerStartMetrics`, and of `TestAutoscalerMetrics` and `TestAutoscalerMetricsWithRPS` what is not a decision: no metrics
//!   are exported.

use super::*;

const SECOND: u64 = 1_000_000_000;
const TICK: u64 = 2 * SECOND;
const WINDOW: u64 = 60 * SECOND;
const UTILIZATION: f64 = 0.75;
/// Some date that is not the begin.
const NOW: u64 = 1_000 * SECOND;

/// `newTestAutoscaler`.
fn spec(target: f64, target_burst_capacity: f64) -> Spec {
    Spec {
        target,
        total: target / UTILIZATION,
        target_burst_capacity,
        panic_threshold: 2.0,
        max_scale_up_rate: 10.0,
        max_scale_down_rate: 10.0,
        activation_scale: 0,
        stable_window: WINDOW,
        scale_down_delay: 0,
        tick: TICK,
    }
}

/// A row: after so many seconds, so many pods are ready, and what both windows have observed; how many are wanted.
#[derive(Clone, Copy)]
struct Row {
    at: f64,
    ready: u32,
    stable: f64,
    panic: f64,
    wanted: u32,
    /// Whether it panics afterwards and since when, in seconds, where the test looks.
    panics: Option<Option<f64>>,
}

const fn row(at: f64, ready: u32, stable: f64, panic: f64, wanted: u32) -> Row {
    Row { at, ready, stable, panic, wanted, panics: None }
}

const fn seen(row: Row, panics: Option<f64>) -> Row {
    Row { panics: Some(panics), ..row }
}

/// `expectedEBC`.
fn expected_excess(spec: &Spec, row: &Row) -> f64 {
    match spec.target_burst_capacity {
        0.0 => 0.0,
        -1.0 => -1.0,
        capacity => (spec.target / UTILIZATION * f64::from(row.ready) - capacity - row.panic).floor(),
    }
}

fn date(seconds: f64) -> u64 {
    NOW + (seconds * SECOND as f64) as u64
}

fn play(name: &str, spec: &Spec, rows: &[Row]) {
    play_on(name, &mut Decider::new(spec, 1, NOW), spec, rows);
}

fn play_on(name: &str, decider: &mut Decider, spec: &Spec, rows: &[Row]) {
    for (number, row) in rows.iter().enumerate() {
        let observed = Observed { stable: row.stable, panic: row.panic };
        let decision = decider.decide(spec, row.ready, observed, date(row.at));
        assert_eq!(decision.wanted, row.wanted, "{name}, row {number}");
        // As there, what rounding leaves is passed over.
        let difference = decision.excess_burst_capacity - expected_excess(spec, row);
        assert!(difference.abs() <= 1.0, "{name}, row {number}: {difference}");
        if let Some(panics) = row.panics {
            assert_eq!(decider.panics_since, panics.map(date), "{name}, row {number}");
        }
    }
}

#[test]
fn scale_down_delay() {
    let of = |scale_down_delay| Spec { panic_threshold: 100.0, scale_down_delay, ..spec(10.0, 0.0) };
    let five_minutes = of(300 * SECOND);
    let mut decider = Decider::new(&five_minutes, 0, NOW);
    let simple = [row(2.0, 0, 40.0, 40.0, 4), row(300.0, 0, 0.0, 0.0, 4), row(302.0, 0, 0.0, 0.0, 0)];
    play_on("TestAutoscalerScaleDownDelay/simple", &mut decider, &five_minutes, &simple);
    let gradual = [
        row(540.0, 0, 40.0, 40.0, 4),
        row(600.0, 0, 30.0, 30.0, 4),
        row(660.0, 0, 0.0, 0.0, 4),
        row(840.0, 0, 0.0, 0.0, 3),
        row(900.0, 0, 0.0, 0.0, 0),
    ];
    play_on("TestAutoscalerScaleDownDelay/gradual", &mut decider, &five_minutes, &gradual);
    let none = [row(0.0, 0, 40.0, 40.0, 4), row(0.5, 0, 20.0, 20.0, 2)];
    play("TestAutoscalerScaleDownDelayZero", &of(0), &none);
}

#[test]
fn stable_mode() {
    play("TestAutoscalerMetrics", &spec(10.0, 100.0), &[seen(row(0.0, 1, 50.0, 50.0, 5), Some(0.0))]);
    play("TestAutoscalerMetricsWithRPS", &spec(10.0, 100.0), &[seen(row(61.0, 1, 100.0, 99.0, 10), Some(61.0))]);
    let increase = [row(0.0, 1, 50.0, 10.0, 5), row(0.0, 1, 100.0, 10.0, 10)];
    play("TestAutoscalerStableModeIncreaseWithConcurrencyDefault", &spec(10.0, 101.0), &increase);
    let increase = [row(0.0, 1, 50.0, 50.0, 5), row(0.0, 1, 100.0, 99.0, 10)];
    play("TestAutoscalerStableModeIncreaseWithRPS", &spec(10.0, 101.0), &increase);
    let decrease = [row(0.0, 8, 100.0, 100.0, 10), row(0.0, 8, 50.0, 50.0, 5)];
    play("TestAutoscalerStableModeDecrease", &spec(10.0, 98.0), &decrease);
    let to_zero = [row(0.0, 1, 1.0, 0.0, 1), row(0.0, 1, 0.0, 0.0, 0)];
    play("TestAutoscalerStableModeNoTrafficScaleToZero", &spec(10.0, 75.0), &to_zero);
    let activated = Spec { activation_scale: 2, ..spec(10.0, 75.0) };
    let activation = [row(0.0, 1, 0.0, 0.0, 0), row(0.0, 1, 1.0, 0.0, 2)];
    play("TestAutoscalerActivationScale", &activated, &activation);
}

#[test]
fn panic_mode() {
    let slow_increase = [
        seen(row(0.0, 10, 11.0, 25.0, 25), Some(0.0)),
        seen(row(30.0, 40, 30.0, 41.0, 41), Some(0.0)),
        seen(row(62.0, 55, 50.0, 56.0, 50), None),
    ];
    play("TestAutoscalerUnpanicAfterSlowIncrease", &spec(1.0, 98.0), &slow_increase);
    let extended = [seen(row(0.0, 10, 11.0, 25.0, 25), Some(0.0)), seen(row(30.0, 40, 30.0, 80.0, 80), Some(30.0))];
    play("TestAutoscalerExtendPanicWindow", &spec(1.0, 98.0), &extended);
    let exponential = [
        row(0.0, 1, 6.0, 6.0, 6),
        seen(row(0.0, 6, 36.0, 36.0, 36), Some(0.0)),
        seen(row(1.0, 36, 216.0, 216.0, 216), Some(1.0)),
        seen(row(1.0, 216, 1296.0, 1296.0, 1296), Some(1.0)),
        row(2.0, 1296, 1296.0, 1296.0, 1296),
    ];
    play("TestAutoscalerPanicModeExponentialTrackAndStabilize", &spec(1.0, 101.0), &exponential);
    let up_and_down = [
        row(0.0, 1, 100.0, 100.0, 10),
        row(0.0, 10, 100.0, 1000.0, 100),
        row(30.0, 10, 1.0, 1.0, 100),
        row(61.0, 10, 1.0, 1.0, 1),
    ];
    play("TestAutoscalerPanicThenUnPanicScaleDown", &spec(10.0, 93.0), &up_and_down);
}

#[test]
fn rates() {
    let up = [row(0.0, 1, 1000.0, 1001.0, 10), row(0.0, 10, 1000.0, 1001.0, 100)];
    play("TestAutoscalerRateLimitScaleUp", &spec(10.0, 61.0), &up);
    let down = [row(0.0, 100, 1.0, 1.0, 10), row(0.0, 10, 1.0, 1.0, 1)];
    play("TestAutoscalerRateLimitScaleDown", &spec(10.0, 61.0), &down);
    let none_ready = [row(0.0, 0, 1000.0, 888.0, 10)];
    play("TestAutoscalerUseOnePodAsMinimumIfEndpointsNotFound", &spec(10.0, 81.0), &none_ready);
    let mut decider = Decider::new(&spec(10.0, 77.0), 1, NOW);
    let name = "TestAutoscalerUpdateTarget";
    play_on(name, &mut decider, &spec(10.0, 77.0), &[row(0.0, 1, 100.0, 101.0, 10)]);
    play_on(name, &mut decider, &spec(1.0, 71.0), &[row(0.0, 10, 100.0, 101.0, 100)]);
}

#[test]
fn the_table_of_test_autoscaler_scale() {
    let panics = |ready| Decider { panics_since: Some(NOW - 5 * SECOND), most: ready, delay: None };
    let fresh = |spec: &Spec| Decider::new(spec, 1, NOW);
    let rows: Vec<(&str, Spec, Option<Decider>, Row)> = vec![
        ("NoDataAtZeroNoAutoscale", spec(10.0, 100.0), None, row(0.0, 1, 0.0, 0.0, 0)),
        ("NoDataAtZeroNoAutoscaleWithExplicitEPs", spec(10.0, 100.0), None, row(0.0, 1, 0.0, 0.0, 0)),
        ("StableModeUnlimitedTBC", spec(181.0, -1.0), None, row(0.0, 1, 21.0, 26.0, 1)),
        ("0TBC", spec(10.0, 0.0), None, row(0.0, 1, 50.0, 49.0, 5)),
        ("StableModeNoChange", spec(10.0, 100.0), None, row(0.0, 1, 50.0, 50.0, 5)),
        ("PanicStableLargerThanPanic", spec(1.0, 100.0), Some(panics(5)), row(0.0, 5, 50.0, 30.0, 50)),
        ("PanicStableLessThanPanic", spec(1.0, 100.0), Some(panics(5)), row(0.0, 5, 20.0, 30.0, 30)),
        ("StableModeNoChangeAlreadyScaled", spec(10.0, 100.0), None, row(0.0, 5, 50.0, 50.0, 5)),
        (
            "StableModeIncreaseWithSmallScaleUpRate",
            Spec { max_scale_up_rate: 1.1, ..spec(1.0, 1982.0) },
            None,
            row(0.0, 2, 3.0, 3.1, 3),
        ),
        (
            "StableModeDecreaseWithSmallScaleDownRate",
            Spec { max_scale_down_rate: 1.1, ..spec(10.0, 1982.0) },
            None,
            row(0.0, 100, 1.0, 1.0, 90),
        ),
        ("PanicModeDoublePodCount", spec(10.0, 84.0), None, row(0.0, 1, 50.0, 100.0, 10)),
    ];
    for (name, spec, decider, row) in rows {
        play_on(name, &mut decider.unwrap_or_else(|| fresh(&spec)), &spec, &[row]);
    }
}

#[test]
fn it_starts_in_panic_mode_where_several_are_ready() {
    let spec = Spec { panic_threshold: 220.0, total: 120.0, ..spec(100.0, 11.0) };
    for (ready, panics) in [(0, false), (1, false), (2, true)] {
        let decider = Decider::new(&spec, ready, NOW);
        assert_eq!((decider.panics_since.is_some(), decider.most), (panics, ready), "TestStartInPanicMode");
    }
}
