//! What a network sees of a container that becomes idle: numbers from 0 to 1.

use hearth_policy_api::Completion;

use crate::{ByFunction, IdleTimes};

const SECOND: f64 = 1e9;
/// The weight of the newest idle time once there are as many as it says.
const NEWEST: f64 = 1.0 / 16.0;
/// Up to how long an idle time is for it to be counted, in seconds.
const WITHIN: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];

/// What is seen of one function. Means are of all idle times at first, and of the last ones later.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    idle_times: u64,
    /// In ns.
    last: u64,
    /// Of logarithms.
    mean: f64,
    variance: f64,
    within: [f64; WITHIN.len()],
}

impl Seen {
    fn add(&mut self, idle_time: u64) {
        self.idle_times += 1;
        self.last = idle_time;
        let weight = (1.0 / self.idle_times as f64).max(NEWEST);
        let distance = logarithm(idle_time as f64 / SECOND) - self.mean;
        self.mean += weight * distance;
        self.variance = (1.0 - weight) * (self.variance + weight * distance * distance);
        for (share, most) in self.within.iter_mut().zip(WITHIN) {
            *share += weight * (f64::from(u8::from(idle_time as f64 <= most * SECOND)) - *share);
        }
    }
}

/// `ln(1 + x)`, of the same bits on every machine.
fn logarithm(x: f64) -> f64 {
    libm::log1p(x)
}

/// From 0 to 1 on a logarithmic scale that begins to be one at `unit` and ends at `most`.
fn scaled(value: f64, unit: f64, most: f64) -> f64 {
    logarithm(value / unit) / logarithm(most / unit)
}

/// A time in ns, up to a day.
fn time(nanos: u64) -> f64 {
    scaled(nanos as f64 / SECOND, 1.0, 86_400.0)
}

/// A time in ns that takes milliseconds or minutes.
fn short_time(nanos: u64) -> f64 {
    scaled(nanos as f64 / SECOND, 0.01, 1000.0)
}

/// Collects what a network sees when a container becomes idle, from what every keep-alive policy may be told: by a policy whose
/// [rules](hearth_policy_api::KeepAliveRules) have `observes_arrivals` and `sees_history`. Who trains a network and who runs it
/// use this, so both see the same bits.
///
/// An idle time of a function is from the end of an execution to the first request after it. Of these, shares, mean and spread are
/// of all so far, and from the sixteenth on the newest has the weight 1/16.
///
/// | feature | from 0 to 1 |
/// |---|---|
/// | `idle_times_seen` | `n / (n + 8)` of the number of idle times so far |
/// | `last_idle_time` | `ln(1 + t) / ln(1 + day)` of the last one in seconds |
/// | `mean_idle_time` | the mean of these logarithms |
/// | `spread_of_idle_time` | their standard deviation, in the same unit |
/// | `idle_times_within_1s`, `…_10s`, `…_1min`, `…_5min`, `…_10min`, `…_30min`, `…_1h`, `…_2h` | the share of idle times that are not longer |
/// | `time_since_arrival` | since the last request of the function, as `last_idle_time` |
/// | `arrivals` | how many requests of the function there were, logarithmic up to a million |
/// | `cold_start_share` | containers made for requests, a request |
/// | `start_time` | how long these took to start on average, logarithmic from 10 ms up to 1000 s |
/// | `run_time` | how long the invocation ran, on the same scale |
/// | `ram` | of the container, logarithmic from 16 MB up to 64 GB |
/// | `idle_beside` | `1 − 1/n` of the idle containers of the function on the node, this one included |
/// | `busy` | `n / (n + 4)` of the containers of the function that somebody is in, everywhere |
///
/// ```
/// use hearth_policy_api::Completion;
/// use hearth_policy_toolbox::KeepAliveFeatures;
/// let mut features = KeepAliveFeatures::default();
/// let first = features.on_idle(&Completion { now: 0, ..Completion::default() });
/// assert_eq!(first[0], 0.0, "no idle time has been seen");
/// features.on_arrival(0, 5_000_000_000);
/// let second = features.on_idle(&Completion { now: 6_000_000_000, ..Completion::default() });
/// let of = |name: &str| second[KeepAliveFeatures::NAMES.iter().position(|of| *of == name).unwrap()];
/// assert_eq!((of("idle_times_within_1s"), of("idle_times_within_10s")), (0.0, 1.0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct KeepAliveFeatures {
    idle_times: IdleTimes,
    seen: ByFunction<Seen>,
}

impl KeepAliveFeatures {
    /// How many there are.
    pub const COUNT: usize = 12 + WITHIN.len();

    /// What they are called, in their order.
    pub const NAMES: [&'static str; Self::COUNT] = [
        "idle_times_seen",
        "last_idle_time",
        "mean_idle_time",
        "spread_of_idle_time",
        "idle_times_within_1s",
        "idle_times_within_10s",
        "idle_times_within_1min",
        "idle_times_within_5min",
        "idle_times_within_10min",
        "idle_times_within_30min",
        "idle_times_within_1h",
        "idle_times_within_2h",
        "time_since_arrival",
        "arrivals",
        "cold_start_share",
        "start_time",
        "run_time",
        "ram",
        "idle_beside",
        "busy",
    ];

    /// A request of a function has come, at a date in ns.
    pub fn on_arrival(&mut self, function: u32, now: u64) {
        if let Some(idle_time) = self.idle_times.arrived(function, now) {
            self.seen.get_mut(function).add(idle_time);
        }
    }

    /// A container has become idle: what is to be seen of it.
    pub fn on_idle(&mut self, completion: &Completion) -> [f32; Self::COUNT] {
        self.idle_times.ended(completion.function, completion.now);
        let seen = self.seen.get(completion.function).copied().unwrap_or_default();
        let history = completion.history();
        let idle_times = seen.idle_times as f64;
        let whole_range = logarithm(86_400.0);
        let [a, b, c, d, e, f, g, h] = seen.within;
        [
            idle_times / (idle_times + 8.0),
            time(seen.last),
            seen.mean / whole_range,
            seen.variance.max(0.0).sqrt() / whole_range,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            time(completion.now.saturating_sub(history.last_arrival)),
            scaled(history.arrivals as f64, 1.0, 1e6),
            history.cold_starts as f64 / history.arrivals.max(1) as f64,
            short_time(history.mean_start_time),
            short_time(completion.run_time),
            scaled(completion.ram as f64, 16e6, 64e9),
            1.0 - 1.0 / f64::from(completion.idle_of_function.max(1)),
            f64::from(history.busy) / (f64::from(history.busy) + 4.0),
        ]
        .map(|feature| feature.clamp(0.0, 1.0) as f32)
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::{FunctionHistory, Records};

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn of(features: &[f32], name: &str) -> f64 {
        let position = KeepAliveFeatures::NAMES.iter().position(|of| *of == name).unwrap();
        f64::from(features[position])
    }

    /// What is seen of a function after these idle times, in seconds.
    fn after(idle_times: &[u64]) -> [f32; KeepAliveFeatures::COUNT] {
        let mut features = KeepAliveFeatures::default();
        let mut now = 0;
        for idle_time in idle_times {
            features.on_idle(&Completion { now, function: 3, ..Completion::default() });
            now += idle_time * SECOND;
            features.on_arrival(3, now);
            // Another request while the first one runs ends no idle time.
            features.on_arrival(3, now + 1);
        }
        features.on_idle(&Completion { now, function: 3, ..Completion::default() })
    }

    #[test]
    fn means_are_of_all_at_first_and_of_the_last_ones_later() {
        let three = after(&[5, 5, 60]);
        assert_eq!(of(&three, "idle_times_seen"), f64::from(3.0_f32 / 11.0));
        let [five, minute] = [5.0, 60.0].map(|seconds: f64| (1.0 + seconds).ln() / 86_401.0_f64.ln());
        let mean = (2.0 * five + minute) / 3.0;
        let spread = ((2.0 * five * five + minute * minute) / 3.0 - mean * mean).sqrt();
        assert!(
            (of(&three, "mean_idle_time") - mean).abs() < 1e-6 && (of(&three, "last_idle_time") - minute).abs() < 1e-5
        );
        assert!((of(&three, "spread_of_idle_time") - spread).abs() < 1e-6);
        let shares = ["1s", "10s", "1min", "2h"].map(|time| of(&three, &format!("idle_times_within_{time}")));
        assert_eq!(shares.map(|share| (share * 3.0).round()), [0.0, 2.0, 3.0, 3.0]);
        let changed: Vec<u64> = [[5; 40], [500; 40]].concat();
        assert!(of(&after(&changed), "idle_times_within_10s") < 0.1, "of which half were");
    }

    #[test]
    fn whatever_comes_lies_between_0_and_1() {
        let histories = [FunctionHistory {
            arrivals: u64::MAX,
            last_arrival: 0,
            cold_starts: u64::MAX,
            mean_start_time: u64::MAX,
            busy: u32::MAX,
            ..FunctionHistory::default()
        }];
        let most = Completion {
            now: u64::MAX,
            run_time: u64::MAX,
            ram: u64::MAX,
            idle_of_function: u32::MAX,
            histories: Records::new(&histories),
            ..Completion::default()
        };
        let mut features = KeepAliveFeatures::default();
        features.on_idle(&Completion::default());
        features.on_arrival(0, u64::MAX);
        for seen in [features.on_idle(&most), KeepAliveFeatures::default().on_idle(&Completion::default())] {
            assert!(seen.iter().all(|feature| (0.0..=1.0).contains(feature)), "{seen:?}");
        }
        assert_eq!(of(&features.on_idle(&most), "ram"), 1.0);
    }
}
