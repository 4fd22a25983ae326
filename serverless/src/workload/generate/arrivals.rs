//! Arrival processes: when the next request comes.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_distr::weighted::WeightedAliasIndex;
use rand_distr::{Distribution as _, Exp1, Gamma, Weibull};
use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::Deserialize;

/// How requests come; rates are in requests per second, times in seconds.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// At equal distances.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// At distances that have nothing to do with each other: exponential ones.
    Poisson {
        /// The mean rate.
        rate: f64,
    },
    /// At distances between none and twice the mean, equally likely.
    Uniform {
        /// The mean rate.
        rate: f64,
    },
    /// At distances with Weibull's distribution: of shape below 1 in clusters, above 1 more regular.
    Weibull {
        /// The mean rate.
        rate: f64,
        /// The shape.
        shape: f64,
    },
    /// At distances with a gamma distribution: of shape below 1 in clusters, above 1 more regular.
    Gamma {
        /// The mean rate.
        rate: f64,
        /// The shape.
        shape: f64,
    },
    /// A Markov-modulated Poisson process: bursts. It goes from one state to the next and back to the first.
    Mmpp {
        /// The rate in each state.
        rates: Vec<f64>,
        /// How long each state lasts on average.
        mean_times: Vec<f64>,
    },
    /// A Poisson process whose rate goes up and down like a sine, beginning at the mean and rising.
    Sinusoid {
        /// The mean rate.
        rate: f64,
        /// How far the rate goes from the mean, as a share of it: 0 to 1.
        amplitude: f64,
        /// How long one cycle takes.
        period: f64,
    },
    /// A Poisson process with a rate of its own for each minute; after the last minute the first comes again.
    PerMinute {
        /// The rate in each minute.
        rates: Vec<f64>,
    },
    /// For each function one of these, drawn by weight; for processes of each function only.
    Mix(Vec<MixPart>),
}

/// One of the processes of a [mix](Arrivals::Mix).
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixPart {
    /// How likely it is, compared to the others.
    pub weight: f64,
    /// The process. Its rate is what all functions would have together if all had it.
    pub arrivals: Arrivals,
}

impl Arrivals {
    /// The process that a function has: this one, or one of a mix.
    pub(crate) fn of_function(&self, random: &mut Pcg64Mcg) -> &Self {
        let Self::Mix(parts) = self else { return self };
        // Refused only for weights that the check refuses.
        let drawn = WeightedAliasIndex::new(parts.iter().map(|part| part.weight).collect());
        let position = drawn.map_or(0, |drawn| drawn.sample(random));
        parts.get(position).map_or(self, |part| &part.arrivals)
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        let positive = |what: &str, number: f64| {
            if number.is_finite() && number > 0.0 { Ok(()) } else { Err(format!("{what} must be above 0")) }
        };
        let rates = |what: &str, rates: &[f64]| {
            if rates.iter().any(|rate| !rate.is_finite() || *rate < 0.0) {
                return Err(format!("{what}: rates must be at least 0"));
            }
            if rates.iter().sum::<f64>() > 0.0 {
                Ok(())
            } else {
                Err(format!("{what}: one rate at least must be above 0"))
            }
        };
        match self {
            Self::Constant { rate } | Self::Poisson { rate } | Self::Uniform { rate } => positive("rate", *rate),
            Self::Weibull { rate, shape } | Self::Gamma { rate, shape } => {
                positive("rate", *rate)?;
                positive("shape", *shape)
            }
            Self::Mmpp { rates: of_states, mean_times } => {
                rates("mmpp", of_states)?;
                mean_times.iter().try_for_each(|time| positive("mmpp: a mean time", *time))?;
                if of_states.len() == mean_times.len() {
                    Ok(())
                } else {
                    Err(format!(
                        "mmpp: {} rates and {} mean times: give one each for a state",
                        of_states.len(),
                        mean_times.len()
                    ))
                }
            }
            Self::Sinusoid { rate, amplitude, period } => {
                positive("rate", *rate)?;
                positive("period", *period)?;
                if (0.0..=1.0).contains(amplitude) { Ok(()) } else { Err("amplitude must be from 0 to 1".to_owned()) }
            }
            Self::PerMinute { rates: of_minutes } => rates("per_minute", of_minutes),
            Self::Mix(parts) => {
                let weights: Vec<f64> = parts.iter().map(|part| part.weight).collect();
                rates("mix", &weights).map_err(|problem| problem.replace("rate", "weight"))?;
                if parts.iter().any(|part| matches!(part.arrivals, Self::Mix(_))) {
                    return Err("mix: one of the processes is a mix itself".to_owned());
                }
                parts.iter().try_for_each(|part| part.arrivals.check())
            }
        }
    }

    /// The process with all rates multiplied; the numbers have been checked.
    pub(crate) fn process(&self, factor: f64) -> Process {
        let kind = match self {
            Self::Constant { rate } => Kind::Constant(1.0 / (rate * factor)),
            Self::Poisson { rate } => Kind::Poisson(1.0 / (rate * factor)),
            Self::Uniform { rate } => Kind::Uniform(2.0 / (rate * factor)),
            Self::Weibull { rate, shape } => {
                // The mean of a Weibull distribution is its scale times Γ(1 + 1/shape).
                let scale = 1.0 / (rate * factor * libm::tgamma(1.0 + 1.0 / shape));
                Weibull::new(scale, *shape).map_or(Kind::Poisson(1.0 / (rate * factor)), Kind::Weibull)
            }
            Self::Gamma { rate, shape } => {
                let scale = 1.0 / (rate * factor * shape);
                Gamma::new(*shape, scale).map_or(Kind::Poisson(1.0 / (rate * factor)), Kind::Gamma)
            }
            Self::Mmpp { rates, mean_times } => Kind::Mmpp {
                rates: rates.iter().map(|rate| rate * factor).collect(),
                mean_times: mean_times.clone(),
                state: 0,
                until: None,
            },
            Self::Sinusoid { rate, amplitude, period } => {
                Kind::Sinusoid { rate: rate * factor, amplitude: *amplitude, period: *period }
            }
            Self::PerMinute { rates } => {
                let rates: Vec<f64> = rates.iter().map(|rate| rate * factor).collect();
                Kind::PerMinute { rates }
            }
            // A function has one of them, and without functions the check refuses a mix.
            Self::Mix(parts) => {
                return parts.first().map_or(Process { now: 0.0, kind: Kind::Constant(f64::INFINITY) }, |part| {
                    part.arrivals.process(factor)
                });
            }
        };
        Process { now: 0.0, kind }
    }
}

/// An arrival process on its way.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    now: f64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The distance.
    Constant(f64),
    /// The mean distance.
    Poisson(f64),
    /// The greatest distance.
    Uniform(f64),
    Weibull(Weibull<f64>),
    Gamma(Gamma<f64>),
    Mmpp {
        rates: Vec<f64>,
        mean_times: Vec<f64>,
        state: usize,
        until: Option<f64>,
    },
    Sinusoid {
        rate: f64,
        amplitude: f64,
        period: f64,
    },
    PerMinute {
        rates: Vec<f64>,
    },
}

fn exponential(random: &mut Pcg64Mcg) -> f64 {
    Exp1.sample(random)
}

impl Process {
    /// The date of the next request, in seconds.
    pub fn next(&mut self, random: &mut Pcg64Mcg) -> f64 {
        match &mut self.kind {
            Kind::Constant(distance) => self.now += *distance,
            Kind::Poisson(mean) => self.now += *mean * exponential(random),
            Kind::Uniform(greatest) => self.now += *greatest * random.random::<f64>(),
            Kind::Weibull(distances) => self.now += distances.sample(random),
            Kind::Gamma(distances) => self.now += distances.sample(random),
            Kind::Mmpp { rates, mean_times, state, until } => {
                let mut end = until.unwrap_or_else(|| mean_times[0] * exponential(random));
                // What is left of a distance goes on at the rate of the next state: exponentials have no memory.
                let mut distance = exponential(random);
                while self.now + distance / rates[*state] > end {
                    distance -= (end - self.now) * rates[*state];
                    self.now = end;
                    *state = (*state + 1) % rates.len();
                    end += mean_times[*state] * exponential(random);
                }
                self.now += distance / rates[*state];
                *until = Some(end);
            }
            // Lewis and Shedler's thinning: candidates at the highest rate, kept by chance.
            Kind::Sinusoid { rate, amplitude, period } => loop {
                let highest = *rate * (1.0 + *amplitude);
                self.now += exponential(random) / highest;
                let now = *rate * (1.0 + *amplitude * (TAU * self.now / *period).sin());
                if random.random::<f64>() * highest < now {
                    break;
                }
            },
            Kind::PerMinute { rates } => {
                let mut distance = exponential(random);
                loop {
                    let minute = (self.now / 60.0).floor();
                    let rate = rates[minute as usize % rates.len()];
                    let end = (minute + 1.0) * 60.0;
                    if self.now + distance / rate <= end {
                        break self.now += distance / rate;
                    }
                    distance -= (end - self.now) * rate;
                    self.now = end;
                }
            }
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use hearth_simcore::random::stream;

    use super::*;

    fn dates(arrivals: &Arrivals, until: f64) -> Vec<f64> {
        arrivals.check().unwrap();
        let (mut process, mut random) = (arrivals.process(1.0), stream(3, "test"));
        std::iter::from_fn(|| Some(process.next(&mut random))).take_while(|date| *date < until).collect()
    }

    /// The squared coefficient of variation of the distances: 1 for Poisson.
    fn variation(dates: &[f64]) -> f64 {
        let distances: Vec<f64> = dates.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let count = distances.len() as f64;
        let mean = distances.iter().sum::<f64>() / count;
        distances.iter().map(|distance| (distance - mean).powi(2)).sum::<f64>() / count / mean.powi(2)
    }

    #[test]
    fn rates_and_variations_are_those_of_the_formulas() {
        let rows = [
            (Arrivals::Constant { rate: 20.0 }, 20.0, 0.0),
            (Arrivals::Poisson { rate: 20.0 }, 20.0, 1.0),
            (Arrivals::Uniform { rate: 20.0 }, 20.0, 1.0 / 3.0),
            // Γ(1 + 2/k) / Γ(1 + 1/k)² − 1 at k = 2.
            (Arrivals::Weibull { rate: 20.0, shape: 2.0 }, 20.0, 4.0 / std::f64::consts::PI - 1.0),
            (Arrivals::Gamma { rate: 20.0, shape: 4.0 }, 20.0, 0.25),
            (Arrivals::Sinusoid { rate: 20.0, amplitude: 0.0, period: 60.0 }, 20.0, 1.0),
            (Arrivals::PerMinute { rates: vec![20.0] }, 20.0, 1.0),
            (Arrivals::Mmpp { rates: vec![20.0, 20.0], mean_times: vec![3.0, 5.0] }, 20.0, 1.0),
        ];
        for (arrivals, rate, expected) in rows {
            let dates = dates(&arrivals, 10_000.0);
            assert!((dates.len() as f64 / 10_000.0 / rate - 1.0).abs() < 0.01, "{arrivals:?}: {} came", dates.len());
            let found = variation(&dates);
            assert!((found - expected).abs() < 0.02, "{arrivals:?}: variation {found}, not {expected}");
        }
    }

    #[test]
    fn rates_that_change_change_when_they_should() {
        let count =
            |dates: &[f64], from: f64, to: f64| dates.iter().filter(|date| (from..to).contains(*date)).count() as f64;
        let minutes = dates(&Arrivals::PerMinute { rates: vec![0.0, 50.0, 10.0] }, 360.0);
        assert_eq!(count(&minutes, 0.0, 60.0) + count(&minutes, 180.0, 240.0), 0.0);
        assert!((count(&minutes, 60.0, 120.0) / 3000.0 - 1.0).abs() < 0.1);
        assert!((count(&minutes, 300.0, 360.0) / 600.0 - 1.0).abs() < 0.2);
        let wave = dates(&Arrivals::Sinusoid { rate: 50.0, amplitude: 1.0, period: 1000.0 }, 1000.0);
        // ∫ of 50 (1 + sin) over the first and the second half of a cycle.
        assert!((count(&wave, 0.0, 500.0) / (25_000.0 + 50_000.0 / std::f64::consts::PI) - 1.0).abs() < 0.03);
        let bursts = dates(&Arrivals::Mmpp { rates: vec![100.0, 0.0], mean_times: vec![10.0, 10.0] }, 20_000.0);
        assert!((bursts.len() as f64 / 1_000_000.0 - 1.0).abs() < 0.1, "{}", bursts.len());
        assert!(variation(&bursts) > 10.0);
    }

    #[test]
    fn numbers_that_make_no_process_are_refused() {
        for (arrivals, problem) in [
            (Arrivals::Poisson { rate: 0.0 }, "rate must be above 0"),
            (Arrivals::Weibull { rate: 1.0, shape: -1.0 }, "shape must be above 0"),
            (Arrivals::PerMinute { rates: vec![] }, "per_minute: one rate at least must be above 0"),
            (Arrivals::Sinusoid { rate: 1.0, amplitude: 1.5, period: 1.0 }, "amplitude must be from 0 to 1"),
            (
                Arrivals::Mmpp { rates: vec![1.0], mean_times: vec![] },
                "mmpp: 1 rates and 0 mean times: give one each for a state",
            ),
        ] {
            assert_eq!(arrivals.check(), Err(problem.to_owned()));
        }
    }
}
