//! What each number of a summary is: where it stands, what it says, its unit, and what it is over. Tables, comparisons,
//! figures and the documentation are made from these definitions.
//!
//! ```
//! use hearth_serverless::results::{Metric, Unit};
//! let metric = Metric::find("latency_p99").unwrap();
//! assert_eq!((metric.title.as_str(), metric.unit), ("99th percentile of latency", Unit::Seconds));
//! assert_eq!(metric.unit.shown(0.25), "250 ms");
//! ```

mod definitions;
mod numbers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use self::definitions::DEFINITIONS;
pub use self::numbers::Numbers;
use super::Unit;
use crate::metrics::Distribution;

/// What a number is over. Two runs can be compared by a mean only if it is over the same in both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Over {
    /// The whole run.
    Everything,
    /// The requests that completed.
    Completed,
    /// The requests whose body began.
    Started,
    /// All starts, also those of further attempts.
    Starts,
    /// The requests that started in a new container.
    ColdStarts,
    /// The runs of workflows that completed.
    WorkflowRuns,
    /// The faults after which the queue recovered.
    Recoveries,
}

impl Over {
    /// All that are parts of something.
    pub const PARTS: [Self; 6] =
        [Self::Completed, Self::Started, Self::Starts, Self::ColdStarts, Self::WorkflowRuns, Self::Recoveries];

    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Everything => "all requests",
            Self::Completed => "the requests that completed",
            Self::Started => "the requests that started",
            Self::Starts => "the starts that there were",
            Self::ColdStarts => "the requests that started cold",
            Self::WorkflowRuns => "the runs of workflows that completed",
            Self::Recoveries => "the faults after which the queue recovered",
        }
    }
}

/// Numbers that are told together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    /// How many requests there were, and how they ended.
    Requests,
    /// Starts, cold and warm.
    Starts,
    /// Times of requests.
    Times,
    /// Images moved and evicted.
    Images,
    /// Containers that came and went beside those that requests started.
    Containers,
    /// Nodes that came and went.
    Nodes,
    /// Memory over time, and the time that it is summed over.
    Memory,
    /// Processors that are shared.
    Processors,
    /// What went wrong, and what users got all the same.
    Faults,
    /// Runs of workflows.
    Workflows,
    /// Money.
    Cost,
    /// Energy.
    Energy,
    /// The simulation itself.
    Simulation,
}

/// What stands at a path of a summary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A number.
    Number,
    /// How often something moved, and how many bytes in all.
    Moved,
    /// How values are distributed.
    Distribution,
    /// How ratios are distributed over functions.
    OfFunctions,
}

/// A number of a shape.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// The number itself.
    Itself,
    /// How many there are.
    Count,
    /// Bytes in all.
    Bytes,
    /// The mean.
    Mean,
    /// The first quartile.
    P25,
    /// The median.
    P50,
    /// The third quartile.
    P75,
    /// What 90 % do not exceed.
    P90,
    /// What 99 % do not exceed.
    P99,
    /// What 99.9 % do not exceed.
    P999,
    /// The greatest.
    Max,
}

impl Part {
    /// Its field; empty for a number alone.
    pub fn name(self) -> &'static str {
        match self {
            Self::Itself => "",
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::Mean => "mean",
            Self::P25 => "p25",
            Self::P50 => "p50",
            Self::P75 => "p75",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p999",
            Self::Max => "max",
        }
    }
}

impl Part {
    /// What it is of a distribution; `None` if it is no part of one.
    pub(crate) fn of<const BITS: u32>(self, values: &Distribution<BITS>) -> Option<f64> {
        match self {
            Self::Count => Some(values.count() as f64),
            Self::Mean => Some(values.mean()),
            Self::P25 => Some(values.percentile(0.25)),
            Self::P50 => Some(values.percentile(0.5)),
            Self::P75 => Some(values.percentile(0.75)),
            Self::P90 => Some(values.percentile(0.9)),
            Self::P99 => Some(values.percentile(0.99)),
            Self::P999 => Some(values.percentile(0.999)),
            Self::Max => Some(values.max()),
            Self::Itself | Self::Bytes => None,
        }
    }
}

impl Shape {
    /// The numbers that it has, in the order of the summary.
    pub fn parts(self) -> &'static [Part] {
        use Part::{Bytes, Count, Itself, Max, Mean, P25, P50, P75, P90, P99, P999};
        match self {
            Self::Number => &[Itself],
            Self::Moved => &[Count, Bytes],
            Self::Distribution => &[Count, Mean, P50, P90, P99, P999, Max],
            Self::OfFunctions => &[Mean, P25, P50, P75, P90],
        }
    }

    /// The one that is shown where there is room for one.
    pub fn main_part(self) -> Part {
        match self {
            Self::Number => Part::Itself,
            Self::Moved => Part::Bytes,
            Self::Distribution => Part::Mean,
            Self::OfFunctions => Part::P50,
        }
    }

    /// What one of its numbers says of what a title says.
    fn title_of(self, part: Part, title: &str) -> String {
        let words = match part {
            Part::Itself | Part::Bytes => return title.to_owned(),
            Part::Count if self == Self::Moved => "number of",
            Part::Count => "values of",
            Part::Mean => "mean",
            Part::P25 => "first quartile",
            Part::P50 => "median",
            Part::P75 => "third quartile",
            Part::P90 => "90th percentile",
            Part::P99 => "99th percentile",
            Part::P999 => "99.9th percentile",
            Part::Max => "greatest",
        };
        match part {
            _ if self == Self::OfFunctions => format!("{title}, {words} of functions"),
            Part::P90 | Part::P99 | Part::P999 => format!("{words} of {title}"),
            _ => format!("{words} {title}"),
        }
    }
}

/// A number of a summary, or several of one shape: a line of [`DEFINITIONS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Where it stands in `summary.json`: the fields on the way to it, with dots between.
    pub path: &'static str,
    /// What it says, in words.
    pub title: &'static str,
    /// The same in the few words of a run's table, where they differ.
    short: Option<&'static str>,
    /// Its unit; that of the parts that do not count.
    pub unit: Unit,
    /// What it is over; counts are over everything.
    pub over: Over,
    /// What stands there.
    pub shape: Shape,
    /// With which others it is told.
    pub section: Section,
    /// What one should know beside its title; may be empty.
    pub note: &'static str,
}

impl Definition {
    const fn new(section: Section, shape: Shape, path: &'static str, title: &'static str, unit: Unit) -> Self {
        Self { path, title, short: None, unit, over: Over::Everything, shape, section, note: "" }
    }

    const fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    const fn short(self, short: &'static str) -> Self {
        Self { short: Some(short), ..self }
    }

    const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// The definition at a path.
    pub fn at(path: &str) -> Option<&'static Self> {
        DEFINITIONS.iter().find(|definition| definition.path == path)
    }

    /// What a run's table calls it.
    pub fn label(&self) -> &'static str {
        self.short.unwrap_or(self.title)
    }

    /// Its numbers.
    pub fn metrics(&'static self) -> impl Iterator<Item = Metric> {
        self.shape.parts().iter().map(move |part| Metric {
            name: self.name_of(*part),
            title: self.title_of(*part),
            unit: if *part == Part::Count { Unit::Count } else { self.unit },
            over: if *part == Part::Count { Over::Everything } else { self.over },
            definition: self,
            part: *part,
        })
    }

    /// What one of its numbers says, in words.
    pub fn title_of(&self, part: Part) -> String {
        self.shape.title_of(part, self.title)
    }

    /// The name of one of its numbers.
    pub fn name_of(&self, part: Part) -> String {
        let path = self.path.replace('.', "_");
        if part == Part::Itself { path } else { format!("{path}_{}", part.name()) }
    }
}

/// A single number of a summary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric {
    /// What it is called on the command line and in tables for programs: its path in the summary with `_` between the parts.
    pub name: String,
    /// What it says, in words.
    pub title: String,
    /// Its unit.
    pub unit: Unit,
    /// What it is over.
    pub over: Over,
    /// The definition that it follows from.
    pub definition: &'static Definition,
    /// Which of its numbers it is.
    pub part: Part,
}

static METRICS: LazyLock<BTreeMap<String, Metric>> = LazyLock::new(|| {
    DEFINITIONS.iter().flat_map(Definition::metrics).map(|metric| (metric.name.clone(), metric)).collect()
});

impl Metric {
    /// All numbers of summaries, by name.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        METRICS.values()
    }

    /// The number of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        METRICS.get(name)
    }
}
