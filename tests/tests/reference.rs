//! The dates that WRENCH gave for the scenarios under `tests/reference`: every date within a microsecond, every node and
//! outcome.

use std::path::Path;

use hearth_serverless::experiment::Results;
use hearth_serverless::invocation::InvocationRecord;
use hearth_tests::{project_path, run_scenario};

const TOLERANCE_S: f64 = 1e-6;

/// What differs from the expected table, a line each.
fn differences(results: &Results, expected: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(expected).unwrap();
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut found = Vec::new();
    if rows.len() != results.records.len() {
        found.push(format!("{} invocations, expected {}", results.records.len(), rows.len()));
    }
    for row in rows {
        let number: u64 = row[0].parse().unwrap();
        let Some(record) = results.records.iter().find(|record| record.invocation == number) else {
            found.push(format!("invocation {number} is missing"));
            continue;
        };
        for (column, wanted) in columns.iter().zip(&row).skip(1) {
            let got = field(results, record, column);
            let same = match (wanted.parse::<f64>(), got.parse::<f64>()) {
                (Ok(wanted), Ok(got)) => (wanted - got).abs() <= TOLERANCE_S,
                _ => wanted == got,
            };
            if !same {
                found.push(format!("invocation {number}: {column} is {got:?}, expected {wanted:?}"));
            }
        }
    }
    found
}

fn field(results: &Results, record: &InvocationRecord, column: &str) -> String {
    let date = match column {
        "function" => return results.about.functions[record.function.number() as usize].clone(),
        "node" => {
            return record.node.map_or(String::new(), |node| results.about.nodes[node as usize].clone());
        }
        "outcome" => return record.outcome.as_str().to_owned(),
        "requested_at" => record.requested_at,
        "submitted_at" => record.submitted_at,
        "dispatched_at" => record.dispatched_at,
        "started_at" => record.started_at,
        "finished_at" => record.finished_at,
        _ => panic!("unknown column {column}"),
    };
    date.map(|date| date.to_string()).unwrap_or_default()
}

#[test]
fn every_reference_case_agrees_in_every_date_node_and_outcome() {
    let mut cases = 0;
    let mut report = Vec::new();
    let mut names: Vec<_> = std::fs::read_dir(project_path("tests/reference"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    for name in names {
        cases += 1;
        let results = run_scenario(&format!("tests/reference/{name}"));
        let expected = project_path("tests/reference").join(name.replace(".json", ".expected.csv"));
        let found = differences(&results, &expected);
        report.extend(found.iter().take(5).map(|difference| format!("{name}: {difference}")));
    }
    assert_eq!(cases, 30);
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn a_difference_of_two_microseconds_is_seen() {
    let mut results = run_scenario("tests/reference/s01_cold_start.json");
    let finished = results.records[0].finished_at.unwrap();
    results.records[0].finished_at = Some(finished + hearth_serverless::prelude::SimDuration::from_nanos(2_000));
    let found = differences(&results, &project_path("tests/reference/s01_cold_start.expected.csv"));
    assert_eq!(found.len(), 1, "{found:?}");
}
