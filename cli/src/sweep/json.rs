//! The comparison as JSON, for other programs.

use hearth_serverless::results::Metric;
use serde_json::{Map, Value, json};

use super::axes;
use super::comparison::{Comparison, Row};
use super::grid::{Baseline, Grid};
use super::statistics::Estimate;
use super::warnings::Warning;

fn estimate(estimate: &Estimate) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("mean".to_owned(), json!(estimate.mean));
    if let Some([low, high]) = estimate.interval() {
        object.extend([("low".to_owned(), json!(low)), ("high".to_owned(), json!(high))]);
    }
    object
}

fn row(grid: &Grid, row: &Row, metrics: &[&Metric]) -> Value {
    let labels = grid.labels(&row.settings);
    let values: Map<String, Value> =
        grid.axes.iter().zip(labels).map(|(axis, label)| (axis.name.clone(), json!(label))).collect();
    let number = |metric: &&Metric| {
        let mean = row.mean(metric);
        let mut number = mean.map(estimate).unwrap_or_default();
        number.insert("runs".to_owned(), json!(mean.map_or(0, |mean| mean.count)));
        if let Some(is_comparable) = row.is_comparable(metric) {
            let difference = row.difference(metric).map(|difference| Value::Object(estimate(difference)));
            number.insert("difference".to_owned(), difference.unwrap_or_default());
            number.insert("comparable".to_owned(), json!(is_comparable));
        }
        (metric.name.clone(), Value::Object(number))
    };
    let numbers: Map<String, Value> = metrics.iter().map(number).collect();
    json!({
        "setting": grid.describe(&row.settings),
        "values": values,
        "completed_share": row.completed.mean,
        "metrics": numbers,
    })
}

/// Everything that a comparison says, of some numbers.
pub fn of_comparison(
    grid: &Grid,
    comparison: &Comparison,
    metrics: &[&Metric],
    baseline: Option<Baseline>,
    warnings: &[Warning],
) -> Value {
    let axes = grid.axes.iter().zip(axes::column_names(grid)).map(|(axis, column)| {
        let quantities = axes::quantities(axis);
        let labels: Vec<&str> = axis.settings.iter().map(|setting| setting.label.as_str()).collect();
        let unit = quantities.as_ref().map_or("", |(_, unit)| unit.name());
        json!({"name": axis.name, "column": column, "labels": labels, "unit": unit, "values": quantities.map(|(values, _)| values)})
    });
    let about = |metric: &&Metric| (metric.name.clone(), json!({"title": metric.title, "unit": metric.unit.name()}));
    json!({
        "format": "hearth-comparison/1",
        "hearth": env!("CARGO_PKG_VERSION"),
        "axes": axes.collect::<Vec<_>>(),
        "seeds": grid.seeds,
        "seeds_alike": comparison.are_seeds_alike,
        "baseline": baseline.map(|base| json!({"axis": grid.axes[base.axis].name, "value": grid.axes[base.axis].settings[base.setting].label})),
        "metrics": metrics.iter().map(about).collect::<Map<_, _>>(),
        "rows": comparison.rows.iter().map(|of| row(grid, of, metrics)).collect::<Vec<_>>(),
        "warnings": warnings.iter().map(Warning::to_json).collect::<Vec<_>>(),
    })
}
