//! Means and their confidence.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The confidence of intervals.
pub const CONFIDENCE: f64 = 0.95;

/// The mean of some values, and how far the true one may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// How many values there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Half the width of the interval that holds the true mean with [`CONFIDENCE`], by Student's t distribution; `None`
    /// for a single value.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The estimate from values; `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let degrees = count as f64 - 1.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / degrees;
        let student = StudentsT::new(0.0, 1.0, degrees).ok();
        let quantile = student.map(|student| student.inverse_cdf(0.5 + CONFIDENCE / 2.0));
        let half_width = quantile.map(|quantile| quantile * (variance / count as f64).sqrt());
        Some(Self { count, mean, half_width })
    }

    /// The lower and upper end of the interval.
    pub fn interval(&self) -> Option<[f64; 2]> {
        self.half_width.map(|half| [self.mean - half, self.mean + half])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worked_example() {
        // Standard deviation √2.5, t quantile for 4 degrees of freedom 2.776: 2.776 × √(2.5 / 5).
        let estimate = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((estimate.count, estimate.mean), (5, 3.0));
        assert!((estimate.half_width.unwrap() - 1.963).abs() < 0.001, "{estimate:?}");
        assert_eq!(Estimate::of(&[7.0]).unwrap().half_width, None);
        assert_eq!(Estimate::of(&[7.0, 7.0]).unwrap().interval(), Some([7.0, 7.0]));
        assert_eq!(Estimate::of(&[]), None);
    }
}
