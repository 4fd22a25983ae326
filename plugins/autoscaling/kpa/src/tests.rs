use hearth_policy_api::testkit;

use super::*;

#[test]
fn the_test_kit_finds_no_fault() {
    testkit::assert_sound(&POLICY);
}

/// A function whose instances are up at once, or never, as the policy scales it.
struct Played {
    policy: Kpa,
    view: ScaleView,
    comes_up: bool,
}

impl Played {
    fn new(settings: Settings, concurrency: u32) -> Self {
        let policy = Kpa::new(settings, &PolicyContext::default()).unwrap();
        Self { policy, view: ScaleView { concurrency, ..ScaleView::default() }, comes_up: true }
    }

    fn ask(&mut self, cause: ScaleCause) -> u32 {
        self.view.cause = cause;
        self.view.wanted = self.policy.scale(&self.view).wanted;
        if self.comes_up {
            self.view.ready = self.view.wanted;
        }
        self.view.wanted
    }

    /// So many requests are in flight for so many seconds, and as many come each second: what is wanted after each tick.
    fn seconds(&mut self, in_flight: u64, seconds: u64) -> Vec<u32> {
        (0..seconds / 2)
            .map(|_| {
                self.view.now += 2 * SECOND;
                self.view.running = in_flight;
                self.view.in_flight_seconds += 2.0 * in_flight as f64;
                self.view.arrivals += 2 * in_flight;
                self.ask(ScaleCause::Tick)
            })
            .collect()
    }

    /// A request comes that finds nothing.
    fn request(&mut self) -> u32 {
        (self.view.waiting, self.view.arrivals) = (1, self.view.arrivals + 1);
        let wanted = self.ask(ScaleCause::Request);
        self.view.waiting = 0;
        wanted
    }
}

#[test]
fn a_function_begins_with_one_instance_and_loses_it() {
    let mut played = Played::new(Settings::default(), 10);
    // Active from 4 s on, so inactive at 64 s; requests have passed the activator all the while, so that the grace is over at the next tick.
    let wanted = played.seconds(0, 80);
    assert_eq!(wanted.iter().position(|wanted| *wanted == 0), Some(32), "{wanted:?}");
    assert_eq!(wanted[..32], [1; 32]);
    let patient = Settings { scale_to_zero_pod_retention_period: 20 * SECOND, ..Settings::default() };
    let wanted = Played::new(patient, 10).seconds(0, 100);
    assert_eq!(wanted.iter().position(|wanted| *wanted == 0), Some(41), "at 84 s: {wanted:?}");
    let kept = Settings { enable_scale_to_zero: false, ..Settings::default() };
    assert_eq!(Played::new(kept, 10).seconds(0, 200), [1; 100]);
}

#[test]
fn the_grace_counts_from_when_the_activator_comes_back() {
    // Without capacity for bursts requests do not pass the activator while anything is wanted.
    let settings = Settings { target_burst_capacity: 0.0, ..Settings::default() };
    let wanted = Played::new(settings, 10).seconds(0, 120);
    assert_eq!(wanted.iter().position(|wanted| *wanted == 0), Some(46), "at 94 s: {wanted:?}");
}

#[test]
fn instances_have_so_much_of_what_is_in_flight() {
    let steady = |settings: Settings, concurrency: u32, in_flight: u64| {
        *Played::new(settings, concurrency).seconds(in_flight, 200).last().unwrap()
    };
    let (plain, of_14) = (Settings::default(), Settings { target: 14.0, ..Settings::default() });
    assert_eq!(steady(plain, 10, 70), 10, "seven of ten each");
    assert_eq!(steady(plain, u32::MAX, 140), 2, "seventy of a hundred each");
    assert_eq!(steady(of_14, 10, 70), 10, "an instance serves ten");
    assert_eq!(steady(of_14, 20, 97), 10, "seven tenths of 14 each");
    assert_eq!(steady(Settings { metric: Metric::Rps, ..plain }, 10, 280), 2, "140 a second each");
    assert_eq!(steady(Settings { target_utilization: 1.0, ..plain }, 10, 70), 7);
}

#[test]
fn a_surge_is_seen_in_the_panic_window_and_nothing_ends_in_panic() {
    let mut played = Played::new(Settings { target_utilization: 1.0, ..Settings::default() }, 10);
    assert_eq!(played.seconds(10, 60).last(), Some(&1));
    // The averages of six seconds: 10 + 90 × 2/6 and so on.
    assert_eq!(played.seconds(100, 6), [4, 7, 10]);
    // The last sign of panic is that of the first of them, at 62 s: one was ready, and four wanted.
    let falling = played.seconds(10, 62);
    assert_eq!(falling[..28], [10; 28], "{falling:?}");
    assert!(*falling.last().unwrap() < 10, "{falling:?}");
}

#[test]
fn a_request_that_finds_nothing_is_a_poke() {
    let mut played = Played::new(Settings { initial_scale: 0, ..Settings::default() }, 10);
    assert_eq!(played.seconds(0, 10), [0; 5]);
    played.view.now += SECOND / 2;
    assert_eq!(played.request(), 1);
    // Once something is wanted, the ticks decide.
    (played.view.waiting, played.view.now) = (50, played.view.now + SECOND / 2);
    assert_eq!(played.request(), 1);
    // After long silence the window begins anew: a poke is one request, and not one in sixty seconds.
    let mut late = Played::new(Settings { initial_scale: 0, ..Settings::default() }, 1);
    late.seconds(0, 600);
    assert_eq!(late.request(), 2, "of which an instance is to have 0.7");
}

#[test]
fn what_does_not_come_up_is_given_up_in_the_end() {
    let settings = Settings { initial_scale: 0, progress_deadline: 30 * SECOND, ..Settings::default() };
    let mut played = Played::new(settings, 10);
    played.comes_up = false;
    played.seconds(0, 10);
    assert_eq!(played.request(), 1);
    let wanted = played.seconds(0, 130);
    // For as long as its request is in the window, something is wanted; then it is past the deadline of 60 s.
    let given_up = wanted.iter().position(|wanted| *wanted == 0);
    assert!(given_up.is_some_and(|tick| (28..34).contains(&tick)), "{wanted:?}");
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let refusal = |settings| Kpa::new(settings, &PolicyContext::default()).unwrap_err().to_string();
    let plain = Settings::default();
    assert!(refusal(Settings { tick: 0, ..plain }).contains("tick"));
    assert!(refusal(Settings { stable_window: 5 * SECOND, ..plain }).contains("from 6 s to 1 h"));
    assert!(refusal(Settings { target_burst_capacity: -0.5, ..plain }).contains("-1, 0 or more"));
}

/// `pkg/reconciler/autoscaling/resources/target_test.go`: the concurrency of the container, `u32::MAX` for its 0, the annotation of the target, 0
/// for none, and the utilization; what comes of them.
#[test]
fn targets_are_knatives() {
    const UNLIMITED: u32 = u32::MAX;
    let concurrency = [
        ("defaults", UNLIMITED, 0.0, 1.0, (100.0, 100.0)),
        ("default CC + 80% TU", UNLIMITED, 0.0, 0.8, (80.0, 100.0)),
        ("non-default CC and TU", UNLIMITED, 2.0, 0.3, (0.6, 2.0)),
        ("with container concurrency 12, TU annotation 75%", 12, 0.0, 0.75, (9.0, 12.0)),
        ("with container concurrency 10 and TU=80%", 10, 0.0, 0.8, (8.0, 10.0)),
        ("with container concurrency 1 and TU=80%", 1, 0.0, 0.8, (0.8, 1.0)),
        ("with container concurrency 1", 1, 0.0, 1.0, (1.0, 1.0)),
        ("with container concurrency 10", 10, 0.0, 1.0, (10.0, 10.0)),
        ("with target annotation 1", UNLIMITED, 1.0, 1.0, (1.0, 1.0)),
        ("with target annotation 1 and TU=0.1%", UNLIMITED, 1.0, 0.001, (LEAST_TARGET, 1.0)),
        ("with target annotation 1 and TU=75%", UNLIMITED, 1.0, 0.75, (0.75, 1.0)),
        ("with target annotation 10 and TU=75%", UNLIMITED, 10.0, 0.75, (7.5, 10.0)),
        ("with container concurrency greater than target annotation", 10, 1.0, 1.0, (1.0, 1.0)),
        ("with target annotation greater than default", UNLIMITED, 500.0, 1.0, (500.0, 500.0)),
        ("with target annotation greater than container concurrency", 1, 10.0, 1.0, (1.0, 1.0)),
    ];
    let rps = [
        ("RPS: defaults", 1, 0.0, 0.7, (140.0, 200.0)),
        ("RPS: with target annotation 1", UNLIMITED, 1.0, 0.7, (0.7, 1.0)),
        ("RPS: with TU annotation 75%", UNLIMITED, 0.0, 0.75, (150.0, 200.0)),
        ("RPS: with target annotation greater than default", UNLIMITED, 300.0, 0.7, (210.0, 300.0)),
    ];
    for (metric, rows) in [(Metric::Concurrency, &concurrency[..]), (Metric::Rps, &rps[..])] {
        for (name, serves, target, target_utilization, wanted) in rows {
            let settings =
                Settings { metric, target: *target, target_utilization: *target_utilization, ..Settings::default() };
            assert_eq!(settings.target(*serves), *wanted, "{name}");
        }
    }
}
