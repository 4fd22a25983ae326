//! The numbers of one run.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Definition, Metric, Over, Part, Shape};
use crate::results::Summary;

/// The numbers of a summary that are there: what is of nothing, such as the mean latency where no request completed, is not.
///
/// ```
/// use hearth_serverless::results::Numbers;
/// let summary = serde_json::json!({"latency": {"count": 2, "mean": 1.5}, "waiting": {"count": 0, "mean": 0.0}});
/// let numbers = Numbers::read(&summary);
/// assert_eq!(["latency_mean", "waiting_count", "waiting_mean"].map(|name| numbers.get(name)), [Some(1.5), Some(0.0), None]);
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Numbers(BTreeMap<&'static str, f64>);

impl Numbers {
    /// Those of a summary that was read from its file. A number that the Hearth that wrote it did not know is not there.
    pub fn read(summary: &Value) -> Self {
        let all = Metric::all().filter_map(|metric| Some((metric.name.as_str(), read(metric, summary)?)));
        let mut numbers = Self(all.collect());
        // Whoever never started did not start cold.
        if ["cold_starts", "warm_starts"].iter().all(|name| numbers.get(name).unwrap_or(0.0) == 0.0) {
            numbers.0.retain(|name, _| Metric::find(name).is_none_or(|metric| metric.over != Over::Starts));
        }
        numbers
    }

    /// Those of a summary.
    pub fn of(summary: &Summary) -> Self {
        // By its text, since a sum of bytes may be greater than what values of JSON hold as a whole number. There is nothing in
        // a summary that JSON cannot hold.
        let text = serde_json::to_string(summary).unwrap_or_default();
        Self::read(&serde_json::from_str(&text).unwrap_or_default())
    }

    /// The number of a name, if it is there.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// One of the numbers of a definition, if it is there.
    pub fn part(&self, definition: &Definition, part: Part) -> Option<f64> {
        self.get(&definition.name_of(part))
    }

    /// The number of a name with its unit, as people read it; a dash where there is none.
    pub fn shown(&self, name: &str) -> String {
        let number = self.get(name).zip(Metric::find(name));
        number.map_or_else(|| "–".to_owned(), |(number, metric)| metric.unit.shown(number))
    }

    /// All that are there, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(name, number)| (*name, *number))
    }
}

fn read(metric: &Metric, summary: &Value) -> Option<f64> {
    let Metric { definition, part, .. } = metric;
    let value = definition.path.split('.').try_fold(summary, |value, field| value.get(field))?;
    if *part == Part::Itself {
        return value.as_f64();
    }
    let is_of_nothing = definition.shape == Shape::Distribution && value.get(Part::Count.name())?.as_u64() == Some(0);
    if is_of_nothing && *part != Part::Count { None } else { value.get(part.name())?.as_f64() }
}
