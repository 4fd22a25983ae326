//! The figures of a single run.

use hearth_serverless::results::{DEFINITIONS, Definition, Numbers, RunTable, Section, Shape, Unit};

use super::figure::{Axis, Bars, Content, Figure, Joined, Plot, Point, Series};
use super::folder::{RunFolder, Table};

/// All figures for which there are data.
pub fn of(run: &RunFolder) -> Vec<Figure> {
    let mut figures = Vec::new();
    let column = |path: &str| {
        let name = Definition::at(path).map_or(path, |definition| definition.title).to_owned();
        Series { name, points: cdf(&run.distributions, path) }
    };
    let times = ["latency", "waiting", "cold_start_delay"].map(column).to_vec();
    figures.push(cdf_figure(
        "latency-cdf",
        "Latency, waiting and delay of cold starts",
        LATENCY_NOTE,
        ("latency, waiting or delay", Unit::Seconds),
        times,
    ));
    figures.push(cdf_figure(
        "slowdown-cdf",
        "Slowdown: latency over execution time",
        "",
        ("slowdown", Unit::Plain),
        vec![column("slowdown")],
    ));
    let ratios = Series { name: "functions".to_owned(), ..column("cold_start_ratio_of_functions") };
    figures.push(ratio_cdf_figure("function-cold-starts-cdf", vec![ratios]));
    if let Some(series) = &run.series {
        figures.extend(time_series(&[("", series)]));
    }
    figures.extend(traffic(&run.numbers));
    if let Some(timeline) = &run.timeline {
        figures.push(Figure {
            name: "timeline".to_owned(),
            title: "Containers on nodes".to_owned(),
            note: "A row is a container of a node; its number is used again when it has ended.".to_owned(),
            content: Content::GanttChart(timeline.clone()),
        });
    }
    figures.retain(|figure| !figure.content.is_empty());
    figures
}

const LATENCY_NOTE: &str = "Latency from the request to the end, of completed invocations; waiting from the request to the start. A line that begins above 0 % is of times some of which are zero, which a logarithmic axis cannot show.";

/// The points of a cumulative distribution: values across, shares up.
pub fn cdf(distributions: &Table, column: &str) -> Vec<Point> {
    let shares = distributions.column("share").iter().flatten();
    let pairs = shares.zip(distributions.column(column));
    pairs.filter_map(|(share, value)| value.map(|value| Point::exact(value, *share))).collect()
}

/// A figure of cumulative distributions over requests on a logarithmic axis, of which label and unit are given.
pub fn cdf_figure(name: &str, title: &str, note: &str, (label, unit): (&str, Unit), mut series: Vec<Series>) -> Figure {
    series.retain(|series| series.points.iter().any(|point| point.x > 0.0));
    let (x, y) = (Axis::logarithmic(label, unit), Axis::linear("share of requests", Unit::Share));
    let content = Content::Plot(Plot::new(x, y, Joined::Line, series));
    Figure { name: name.to_owned(), title: title.to_owned(), note: note.to_owned(), content }
}

/// How the cold-start ratios of functions are distributed.
pub fn ratio_cdf_figure(name: &str, mut series: Vec<Series>) -> Figure {
    series.retain(|series| !series.points.is_empty());
    let (x, y) = (
        Axis::linear("share of cold starts of a function", Unit::Share),
        Axis::linear("share of functions", Unit::Share),
    );
    Figure {
        name: name.to_owned(),
        title: "Cold starts by function".to_owned(),
        note: "Each function counts the same, however often it is invoked; the further to the left, the better."
            .to_owned(),
        content: Content::Plot(Plot::new(x, y, Joined::Line, series)),
    }
}

/// A picture of the time series.
struct Course {
    name: &'static str,
    title: &'static str,
    note: &'static str,
    /// What is shown.
    label: &'static str,
    /// Columns, which have the same unit, with their names in the picture.
    columns: &'static [(&'static str, &'static str)],
}

/// Pictures of the time series.
const COURSES: [Course; 6] = [
    Course {
        name: "requests-over-time",
        title: "Requests and starts in each interval",
        note: "",
        label: "number in an interval",
        columns: &[("requests", "requests"), ("completed", "completed"), ("cold starts", "cold_starts")],
    },
    Course {
        name: "load-over-time",
        title: "Running and waiting at the end of each interval",
        note: "",
        label: "invocations",
        columns: &[("running", "running"), ("queued", "queued")],
    },
    Course {
        name: "memory-over-time",
        title: "Memory of containers",
        note: "",
        label: "memory",
        columns: &[("running", "used_memory_bytes"), ("idle", "idle_memory_bytes")],
    },
    Course {
        name: "warm-containers-over-time",
        title: "Idle containers",
        note: "",
        label: "idle containers",
        columns: &[("idle containers", "warm_containers")],
    },
    Course {
        name: "instances-over-time",
        title: "Instances against demand at the end of each interval",
        note: INSTANCES_NOTE,
        label: "instances",
        columns: &[
            ("needed by the requests under way", "instances_needed"),
            ("wanted", "instances_wanted"),
            ("ready", "instances_ready"),
            ("starting", "instances_starting"),
        ],
    },
    Course {
        name: "nodes-over-time",
        title: "Nodes of pools that are on at the end of each interval",
        note: "",
        label: "nodes",
        columns: &[("on", "nodes_on")],
    },
];

const INSTANCES_NOTE: &str = "Needed are as many as the requests under way would fill, function by function; wanted are as many as the autoscaler says. Where fewer are ready than needed, requests wait; where more are, there is room to spare.";

/// The unit of a column of the time series.
fn unit_of(column: &str) -> Option<Unit> {
    RunTable::TimeSeries.column(column).map(|column| column.unit)
}

/// The course of time of one or more runs, each with its name.
pub fn time_series(runs: &[(&str, &Table)]) -> Vec<Figure> {
    let of_group = |Course { name, title, note, label, columns }: Course| {
        let unit = columns.first().and_then(|(_, column)| unit_of(column)).unwrap_or(Unit::Plain);
        let series = |(run, table): &(&str, &Table)| {
            let of_column = |(label, column): &(&str, &str)| {
                let pairs = table.column("time_s").iter().zip(table.column(column));
                let points: Vec<Point> =
                    pairs.filter_map(|(time, value)| Some(Point::exact((*time)?, (*value)?))).collect();
                let points = thinned(points);
                let name = [*run, *label].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
                Series { name, points }
            };
            // Some columns are of scenarios that others are not.
            columns.iter().map(of_column).filter(|series| !series.points.is_empty()).collect::<Vec<_>>()
        };
        let (x, y) = (Axis::linear("time", Unit::Seconds), Axis::linear(label, unit));
        let plot = Plot::new(x, y, Joined::Line, runs.iter().flat_map(series).collect());
        Figure { name: name.to_owned(), title: title.to_owned(), note: note.to_owned(), content: Content::Plot(plot) }
    };
    COURSES.into_iter().map(of_group).filter(|figure| !figure.content.is_empty()).collect()
}

/// A line has no more points than this: a picture is not wider in dots.
const MOST_POINTS: usize = 2_000;

/// The points of a line, or if there are more than a picture can show, the least and the greatest of every so many, so
/// that what stands out still does.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let of_chunk = |chunk: &[Point]| {
        let position = |best: fn(f64, f64) -> bool| {
            (1..chunk.len()).fold(0, |one, other| if best(chunk[other].y, chunk[one].y) { other } else { one })
        };
        let (least, greatest) = (position(|one, other| one < other), position(|one, other| one > other));
        let kept = [least.min(greatest), least.max(greatest)].map(|position| chunk[position]);
        kept.into_iter().take(if least == greatest { 1 } else { 2 }).collect::<Vec<_>>()
    };
    points.chunks(points.len().div_ceil(MOST_POINTS / 2)).flat_map(of_chunk).collect()
}

/// Containers that came and went, in this order; others that are told with them follow.
const CONTAINERS: [&str; 4] = ["cold_starts", "prewarmed_containers", "evictions.containers", "expired_containers"];

/// Containers in numbers, and image traffic in bytes.
fn traffic(numbers: &Numbers) -> Vec<Figure> {
    let others = |definition: &&Definition| {
        let is_other = definition.section == Section::Containers && !CONTAINERS.contains(&definition.path);
        is_other && definition.unit == Unit::Count
    };
    let containers = CONTAINERS.iter().filter_map(|path| Definition::at(path)).chain(DEFINITIONS.iter().filter(others));
    let images = |definition: &&Definition| definition.section == Section::Images && definition.shape == Shape::Moved;
    let figure = |name: &str, title: &str, unit: Unit, bars: Vec<&Definition>| {
        let value = |definition: &Definition| numbers.part(definition, definition.shape.main_part()).unwrap_or(0.0);
        // The title of the picture says that it is of images.
        let label = |definition: &Definition| definition.title.trim_start_matches("images ").to_owned();
        let rows = bars.into_iter().map(|definition| (label(definition), value(definition), 0.0));
        Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            note: String::new(),
            content: Content::Bars(Bars { unit, rows: rows.filter(|(_, value, _)| *value > 0.0).collect() }),
        }
    };
    vec![
        figure("containers", "Containers", Unit::Count, containers.collect()),
        figure("image-traffic", "Images moved and evicted", Unit::Bytes, DEFINITIONS.iter().filter(images).collect()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_of_containers_are_numbers_of_summaries() {
        assert!(CONTAINERS.iter().all(|path| Definition::at(path).is_some_and(|of| of.unit == Unit::Count)));
    }

    #[test]
    fn what_is_drawn_are_columns_of_tables_and_those_of_a_picture_have_one_unit() {
        for Course { name, columns, .. } in COURSES {
            let units: Vec<Unit> = columns.iter().map(|(_, column)| unit_of(column).unwrap()).collect();
            assert!(units.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
        }
        for column in ["share", "latency", "waiting", "cold_start_delay", "slowdown", "cold_start_ratio_of_functions"] {
            assert!(RunTable::Distributions.column(column).is_some(), "{column}");
        }
    }

    #[test]
    fn a_line_of_many_points_keeps_its_peaks() {
        let long: Vec<Point> = (0..30_001)
            .map(|time| {
                let height = if time == 12_345 { 70.0 } else { f64::from(time % 7) };
                Point::exact(f64::from(time), height - if time == 20_000 { 90.0 } else { 0.0 })
            })
            .collect();
        let short = thinned(long.clone());
        assert!((1_000..=MOST_POINTS).contains(&short.len()), "{}", short.len());
        assert!(short.windows(2).all(|pair| pair[0].x < pair[1].x));
        assert!(short.iter().all(|point| long.contains(point)));
        for peak in [12_345.0, 20_000.0] {
            assert!(short.iter().any(|point| point.x == peak), "{peak}");
        }
        assert_eq!(thinned(short.clone()), short);
    }
}
