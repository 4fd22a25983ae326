//! Distributions that durations and sizes are drawn from.

use rand::RngExt;
use rand_distr::{Distribution as _, Exp, LogNormal, Pareto, Weibull};
use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::Deserialize;

/// A distribution of numbers that are not negative: of seconds, bytes or multiples, as the place says.
///
/// ```
/// use hearth_serverless::distribution::Distribution;
/// let lengths: Distribution = serde_json::from_str(r#"{"lognormal": {"median": 0.5, "sigma": 1.2}}"#)?;
/// assert!(lengths.check().is_ok());
/// let wrong = Distribution::Pareto { min: 1.0, shape: 0.0 };
/// assert_eq!(wrong.check(), Err("pareto: shape must be above 0".to_owned()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same.
    Constant(f64),
    /// Anything between two numbers, equally likely.
    Uniform {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// Exponential.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// The exponential of a normal distribution.
    Lognormal {
        /// The median, which is e to the mean of the logarithm.
        median: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Weibull's: of shape below 1 the longer something has lasted, the longer it will last, above 1 it wears out.
    Weibull {
        /// What 63 % do not exceed.
        scale: f64,
        /// The shape.
        shape: f64,
    },
    /// Pareto's: a power of the chance to be exceeded.
    Pareto {
        /// The least.
        min: f64,
        /// The exponent of the tail: the lower, the heavier.
        shape: f64,
    },
    /// One of several numbers, equally likely.
    Choice(Vec<f64>),
    /// Percentiles of what was measured, as pairs of percent and number, with straight lines between.
    Percentiles(Vec<(f64, f64)>),
}

impl Distribution {
    /// Checks the numbers.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        let not_negative = |name: &str, number: f64| {
            if number.is_finite() && number >= 0.0 { Ok(()) } else { Err(format!("{name} must be at least 0")) }
        };
        let positive = |name: &str, number: f64| {
            if number.is_finite() && number > 0.0 { Ok(()) } else { Err(format!("{name} must be above 0")) }
        };
        match self {
            Self::Constant(number) => not_negative("constant: the number", *number),
            Self::Uniform { min, max } => {
                not_negative("uniform: min", *min)?;
                not_negative("uniform: max", *max)?;
                if min <= max { Ok(()) } else { Err("uniform: min must not be above max".to_owned()) }
            }
            Self::Exponential { mean } => positive("exponential: mean", *mean),
            Self::Lognormal { median, sigma } => {
                positive("lognormal: median", *median)?;
                not_negative("lognormal: sigma", *sigma)
            }
            Self::Weibull { scale, shape } => {
                positive("weibull: scale", *scale)?;
                positive("weibull: shape", *shape)
            }
            Self::Pareto { min, shape } => {
                positive("pareto: min", *min)?;
                positive("pareto: shape", *shape)
            }
            Self::Choice(numbers) if numbers.is_empty() => Err("choice: give at least one number".to_owned()),
            Self::Choice(numbers) => numbers.iter().try_for_each(|number| not_negative("choice: a number", *number)),
            Self::Percentiles(points) => {
                points.iter().try_for_each(|(_, number)| not_negative("percentiles: a number", *number))?;
                let rising = points
                    .is_sorted_by(|(percent, number), (next_percent, next)| percent < next_percent && number <= next);
                let (first, last) = (points.first().map(|point| point.0), points.last().map(|point| point.0));
                if rising && first == Some(0.0) && last == Some(100.0) {
                    Ok(())
                } else {
                    Err("percentiles: they must rise from 0 to 100 percent, and the numbers with them".to_owned())
                }
            }
        }
    }

    /// Gets ready to draw; the numbers have been checked.
    pub(crate) fn sampler(&self) -> Sampler {
        // The library checks once more what has been checked; what it would refuse is taken for its mean.
        match self {
            Self::Constant(number) => Sampler::Constant(*number),
            Self::Uniform { min, max } => Sampler::Uniform { min: *min, span: max - min },
            Self::Exponential { mean } => Exp::new(1.0 / mean).map_or(Sampler::Constant(*mean), Sampler::Exponential),
            Self::Lognormal { median, sigma } => {
                LogNormal::new(median.ln(), *sigma).map_or(Sampler::Constant(*median), Sampler::Lognormal)
            }
            Self::Weibull { scale, shape } => {
                Weibull::new(*scale, *shape).map_or(Sampler::Constant(*scale), Sampler::Weibull)
            }
            Self::Pareto { min, shape } => Pareto::new(*min, *shape).map_or(Sampler::Constant(*min), Sampler::Pareto),
            Self::Choice(numbers) => Sampler::Choice(numbers.clone()),
            Self::Percentiles(points) => Sampler::Percentiles(points.clone()),
        }
    }
}

/// A distribution, ready to draw from.
#[derive(Clone, Debug)]
pub(crate) enum Sampler {
    Constant(f64),
    Uniform { min: f64, span: f64 },
    Exponential(Exp<f64>),
    Lognormal(LogNormal<f64>),
    Weibull(Weibull<f64>),
    Pareto(Pareto<f64>),
    Choice(Vec<f64>),
    Percentiles(Vec<(f64, f64)>),
}

impl Sampler {
    pub fn draw(&self, random: &mut Pcg64Mcg) -> f64 {
        match self {
            Self::Constant(number) => *number,
            Self::Uniform { min, span } => min + span * random.random::<f64>(),
            Self::Exponential(exponential) => exponential.sample(random),
            Self::Lognormal(lognormal) => lognormal.sample(random),
            Self::Weibull(weibull) => weibull.sample(random),
            Self::Pareto(pareto) => pareto.sample(random),
            Self::Choice(numbers) => numbers[random.random_range(0..numbers.len())],
            Self::Percentiles(points) => between(points, 100.0 * random.random::<f64>()),
        }
    }
}

/// The number at a percentage, on the straight line between the points around it.
pub(crate) fn between(points: &[(f64, f64)], percent: f64) -> f64 {
    let above = points.partition_point(|(at, _)| *at <= percent);
    match (above.checked_sub(1).and_then(|below| points.get(below)), points.get(above)) {
        (Some((from, low)), Some((to, high))) => low + (high - low) * (percent - from) / (to - from),
        (Some((_, last)), None) => *last,
        (None, first) => first.map_or(0.0, |(_, number)| *number),
    }
}

#[cfg(test)]
mod tests {
    use hearth_simcore::random::stream;

    use super::*;

    /// Mean and share below the median, of many draws.
    fn drawn(distribution: &Distribution, median: f64) -> (f64, f64) {
        let (sampler, mut random) = (distribution.sampler(), stream(1, "test"));
        let draws: Vec<f64> = (0..200_000).map(|_| sampler.draw(&mut random)).collect();
        let count = draws.len() as f64;
        let below = draws.iter().filter(|draw| **draw < median).count();
        (draws.iter().sum::<f64>() / count, below as f64 / count)
    }

    #[test]
    fn means_and_medians_are_those_of_the_formulas() {
        let rows = [
            (Distribution::Uniform { min: 1.0, max: 3.0 }, 2.0, 2.0),
            (Distribution::Exponential { mean: 2.0 }, 2.0, 2.0 * std::f64::consts::LN_2),
            (Distribution::Lognormal { median: 2.0, sigma: 0.5 }, 2.0 * 0.125_f64.exp(), 2.0),
            (Distribution::Weibull { scale: 2.0, shape: 2.0 }, std::f64::consts::PI.sqrt(), 2.0 * 2_f64.ln().sqrt()),
            (Distribution::Pareto { min: 1.0, shape: 3.0 }, 1.5, 2_f64.powf(1.0 / 3.0)),
            (Distribution::Percentiles(vec![(0.0, 0.0), (50.0, 1.0), (100.0, 5.0)]), 1.75, 1.0),
        ];
        for (distribution, mean, median) in rows {
            assert_eq!(distribution.check(), Ok(()));
            let (of_draws, below) = drawn(&distribution, median);
            assert!((of_draws / mean - 1.0).abs() < 0.02, "{distribution:?}: mean {of_draws}, not {mean}");
            assert!((below - 0.5).abs() < 0.01, "{distribution:?}: {below} are below the median");
        }
    }

    #[test]
    fn numbers_that_make_no_distribution_are_refused() {
        for (distribution, problem) in [
            (Distribution::Constant(-1.0), "constant: the number must be at least 0"),
            (Distribution::Uniform { min: 2.0, max: 1.0 }, "uniform: min must not be above max"),
            (Distribution::Exponential { mean: f64::NAN }, "exponential: mean must be above 0"),
            (Distribution::Choice(vec![]), "choice: give at least one number"),
            (
                Distribution::Percentiles(vec![(0.0, 2.0), (100.0, 1.0)]),
                "percentiles: they must rise from 0 to 100 percent, and the numbers with them",
            ),
        ] {
            assert_eq!(distribution.check(), Err(problem.to_owned()));
        }
    }
}
