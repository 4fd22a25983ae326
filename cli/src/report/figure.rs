//! What a picture shows, apart from how it is drawn.

use hearth_serverless::results::Unit;

/// How an axis runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// Evenly, from zero.
    Linear,
    /// By factors.
    Logarithmic,
}

/// One of the two axes of a plot.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// What it is of.
    pub label: String,
    /// What its numbers are.
    pub unit: Unit,
    /// How it runs.
    pub scale: Scale,
}

impl Axis {
    /// An axis that runs evenly from zero.
    pub fn linear(label: &str, unit: Unit) -> Self {
        Self { label: label.to_owned(), unit, scale: Scale::Linear }
    }

    /// An axis that runs by factors.
    pub fn logarithmic(label: &str, unit: Unit) -> Self {
        Self { label: label.to_owned(), unit, scale: Scale::Logarithmic }
    }
}

/// How points are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joined {
    /// By a line.
    Line,
    /// By a line, with a mark at each.
    MarkedLine,
    /// Not at all; their intervals are crosses.
    Marks,
}

/// A point and the intervals in which the true values lie.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Across.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// Half the width of the interval of `x`.
    pub x_half: f64,
    /// Half the width of the interval of `y`.
    pub y_half: f64,
}

impl Point {
    /// A point that is known exactly.
    pub fn exact(x: f64, y: f64) -> Self {
        Self { x, y, x_half: 0.0, y_half: 0.0 }
    }
}

/// Points that belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    /// What they are of.
    pub name: String,
    /// In the order of `x` if they are joined.
    pub points: Vec<Point>,
}

/// So many series can be told apart in one plot by their colours.
pub const MOST_SERIES: usize = 7;

/// One of several plots that share their axes.
#[derive(Clone, PartialEq, Debug)]
pub struct Panel {
    /// What its series have in common; empty for the only one.
    pub title: String,
    /// What is drawn; at most [`MOST_SERIES`].
    pub series: Vec<Series>,
    /// What is drawn in grey behind them, to compare them with.
    pub others: Vec<Series>,
}

/// A plot of some series, in one panel or several.
#[derive(Clone, PartialEq, Debug)]
pub struct Plot {
    /// Across.
    pub x: Axis,
    /// Up.
    pub y: Axis,
    /// How points are joined.
    pub joined: Joined,
    /// What is drawn.
    pub panels: Vec<Panel>,
}

impl Plot {
    /// A plot of series in one panel; of more than can be told apart in several, in each of which the others are grey.
    pub fn new(x: Axis, y: Axis, joined: Joined, series: Vec<Series>) -> Self {
        let parts = series.len().div_ceil(MOST_SERIES).max(1);
        let in_part = series.len().div_ceil(parts).max(1);
        let panel = |(number, part): (usize, &[Series])| {
            let is_other = |position: &usize| position / in_part != number;
            let others = (0..series.len()).filter(is_other).map(|position| series[position].clone());
            Panel { title: String::new(), series: part.to_vec(), others: others.collect() }
        };
        let panels = series.chunks(in_part).enumerate().map(panel).collect();
        Self { x, y, joined, panels }
    }

    /// The names of all series, each once: the position of a name says how it is drawn in every panel.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for series in self.panels.iter().flat_map(|panel| &panel.series) {
            if !names.contains(&series.name.as_str()) {
                names.push(&series.name);
            }
        }
        names
    }

    /// All points, also those in grey.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        self.panels.iter().flat_map(|panel| panel.series.iter().chain(&panel.others)).flat_map(|series| &series.points)
    }
}

/// Bars beside each other, each with its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Bars {
    /// What their lengths are.
    pub unit: Unit,
    /// Name, length and half the width of its interval.
    pub rows: Vec<(String, f64, f64)>,
}

/// Bars to two sides of a line, each pair with its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Sides {
    /// What their lengths are.
    pub unit: Unit,
    /// What those to the left and to the right are of.
    pub names: [&'static str; 2],
    /// Name, and the lengths to the left and to the right.
    pub rows: Vec<(String, [f64; 2])>,
}

/// What a container did, or an image on its way.
#[derive(Clone, PartialEq, Debug)]
pub struct Span {
    /// The row: the process and the thread of the trace.
    pub row: (u64, u64),
    /// What it was.
    pub phase: String,
    /// Of which function.
    pub function: String,
    /// For which invocation, and how that started and ended, as far as it is known; empty without one.
    pub served: String,
    /// In seconds.
    pub begin: f64,
    /// In seconds.
    pub end: f64,
}

/// Containers on nodes over time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GanttChart {
    /// Names of the nodes, by process.
    pub nodes: Vec<(u64, String)>,
    /// In the order in which they ended.
    pub spans: Vec<Span>,
}

/// The content of a picture.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    /// Lines or points.
    Plot(Plot),
    /// Bars.
    Bars(Bars),
    /// Bars to two sides.
    Sides(Sides),
    /// Containers over time.
    GanttChart(GanttChart),
}

/// A picture with what is said of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// The name of its file, without ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What one should know to read it.
    pub note: String,
    /// What it shows.
    pub content: Content,
}

impl Content {
    /// Whether there is nothing to be seen.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Plot(plot) => plot.panels.iter().all(|panel| panel.series.is_empty()),
            Self::Bars(bars) => bars.rows.is_empty(),
            Self::Sides(sides) => sides.rows.is_empty(),
            Self::GanttChart(timeline) => timeline.spans.is_empty(),
        }
    }
}
