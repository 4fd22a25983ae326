//! What a page holds of the invocations of a run, so that it can be searched without a server: every invocation in columns of differences
//! that are deflated by chunks, and what is seen before these are unpacked, or from far away.
//!
//! [`tables`] reads what the run wrote, a batch at a time ([`cause_table`] that of causes); [`rows`] makes chunks of it, [`overview`] sums it up over time, [`occupancy`] says what
//! nodes were busy with, [`containers`] takes the spans of containers from a timeline, and [`slowest`] finds whose stories are worth telling. [`column`] is how numbers are packed, [`words`] what causes are called.

mod cause_table;
pub mod column;
pub mod containers;
pub mod occupancy;
pub mod overview;
pub mod rows;
pub mod slowest;
pub mod tables;
pub mod words;

use std::path::Path;

use serde_json::{Value, json};

use self::containers::Containers;
use self::rows::{Exploration, Rows};
use self::slowest::Slow;
use self::tables::Table;
use super::theme;
use crate::error::CommandError;
use crate::result_folder::manifest::Manifest;

/// So many invocations are on a page, of all its runs together; of more, every second is, or every third, and so on.
const MOST_INVOCATIONS: u64 = 1_200_000;

/// So many bytes all chunks of a page may take: with its figures, a page stays below 20 MB.
const MOST_BYTES: u64 = 18_500_000;

/// A run as a page holds it.
#[derive(Debug)]
pub struct Explored {
    /// What the page is told of it.
    pub about: Value,
    /// What is unpacked there when it is wanted: base64 of deflated columns, by name.
    pub chunks: Vec<(String, String)>,
    /// The slowest of its invocations, as many as were asked for.
    pub slowest: Vec<Slow>,
    /// From where its dates count, in nanoseconds.
    pub origin: u64,
}

/// Why a page has no invocations of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// The run wrote no table of them.
    Table,
    /// It is longer than browsers can count nanoseconds.
    TooLong,
}

/// What a page has of a run, or why not.
pub type Found = Result<Explored, Missing>;

/// What the chunk of stories is called.
pub const STORIES: &str = "stories";

/// What a page of so many runs can hold of the one in a folder. `expected` says how many
/// invocations there were, `slowest` how many of the slowest are to be named.
///
/// # Errors
/// When a table cannot be read, or is not what Hearth writes.
pub fn of_run(folder: &Path, expected: u64, runs: u64, slowest: usize) -> Result<Found, CommandError> {
    let Some(manifest) = Manifest::read(folder)? else { return Ok(Err(Missing::Table)) };
    let sample = manifest.options.invocations.map_or(1.0, |table| table.sample);
    let mut every = ((expected as f64 * sample) / (MOST_INVOCATIONS / runs) as f64).ceil().max(1.0) as u64;
    loop {
        let mut explored = match of_every((every, slowest), folder, &manifest)? {
            Ok(explored) => explored,
            missing => return Ok(missing),
        };
        let bytes: usize = explored.chunks.iter().map(|(_, text)| text.len()).sum();
        let times = (bytes as u64).div_ceil(MOST_BYTES / runs);
        if times <= 1 {
            explored.about["sample"] = json!(sample);
            return Ok(Ok(explored));
        }
        // How much an invocation takes shows when it is packed.
        every *= times;
    }
}

fn of_every((every, slowest): (u64, usize), folder: &Path, manifest: &Manifest) -> Result<Found, CommandError> {
    let Some(invocations) = table(folder, manifest, "invocations") else { return Ok(Err(Missing::Table)) };
    let causes = table(folder, manifest, "causes");
    let timeline = manifest.lists("timeline.json").then(|| folder.join("timeline.json"));
    let exploration = Rows::new(every, timeline.is_none(), slowest).read(invocations?, causes.transpose()?)?;
    let Some(exploration) = exploration else { return Ok(Err(Missing::TooLong)) };
    let Exploration { mut about, mut chunks, ended, mut occupancy, times, slowest } = exploration;
    if let Some(timeline) = timeline {
        let containers = Containers::read(&timeline, &times, &mut occupancy)?;
        about["containers"] = containers.about();
        chunks.extend(containers.chunks(&times));
    }
    about["busy"] = json!(ended);
    about["end"] = json!(ended.max(occupancy.end()));
    about["phases"] =
        theme::PHASES.iter().map(|(name, colour)| json!({"name": name, "colour": colour.variable})).collect();
    about["occupancy"] = occupancy.about();
    chunks.push(("occupancy".to_owned(), occupancy.chunk()));
    about["every"] = json!(every);
    Ok(Ok(Explored { about, chunks, slowest, origin: times.origin }))
}

/// The table of a name, if the run wrote it, in either form.
fn table(folder: &Path, manifest: &Manifest, name: &str) -> Option<Result<Table, CommandError>> {
    let forms = ["csv", "parquet"].map(|form| format!("{name}.{form}"));
    forms.iter().find(|file| manifest.lists(file)).map(|file| Table::open(&folder.join(file)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::column::tests::{unfolded, unpacked};
    use super::*;
    use crate::noted::Noted;
    use crate::output_choice::{InvocationsTable, TableFormat};
    use crate::result_folder::manifest::{Options, Output};

    /// A run of ten invocations, one after the other in a container of its node.
    fn folder_of_ten() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        let mut table = "invocation,function,requested_at,submitted_at,dispatched_at,started_at,finished_at,node,start,outcome,failure\n".to_owned();
        let mut events = vec![json!({"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "n"}})];
        for number in 0..10 {
            table += &format!("{number},f,{number}.1,{number}.2,{number}.2,{number}.3,{number}.75,n,warm,completed,\n");
            let arguments = json!({"function": "f", "invocation": number, "start": "warm", "outcome": "completed"});
            let begin = f64::from(number) * 1e6;
            events.push(json!({"ph": "X", "name": "run", "pid": 1, "tid": 0, "ts": begin + 3e5, "dur": 4.5e5, "args": arguments}));
            events.push(json!({"ph": "X", "name": "idle", "pid": 1, "tid": 0, "ts": begin + 7.5e5, "dur": 5.5e5, "args": {"function": "f"}}));
        }
        fs::write(folder.path().join("invocations.csv"), table).unwrap();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        fs::write(folder.path().join("timeline.json"), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
        let invocations = Some(InvocationsTable { format: TableFormat::Csv, sample: 1.0 });
        let timeline = Some("timeline.json".to_owned());
        let (time_series, noted) = (None, Noted::default());
        let options = Options { invocations, time_series, timeline, policy_timeout_s: 10.0, explain: false, noted };
        let mut manifest = Manifest::new(options, None);
        let names = ["invocations.csv", "timeline.json"].map(str::to_owned);
        manifest.files = names.into_iter().map(|name| Output { name, sha256: None }).collect();
        (folder, manifest)
    }

    fn chunk(explored: &Explored, name: &str) -> Vec<Vec<u64>> {
        unpacked(&explored.chunks.iter().find(|(of, _)| of == name).unwrap().1)
    }

    #[test]
    fn of_too_many_invocations_some_are_kept_and_all_are_counted() {
        let (folder, manifest) = folder_of_ten();
        for (every, kept) in [(1, 10), (3, 4), (20, 1)] {
            let explored = of_every((every, 0), folder.path(), &manifest).unwrap().unwrap();
            let rows = chunk(&explored, "rows-0");
            let mut number = 0;
            let numbers = rows[0].iter().map(|difference| {
                number += unfolded(*difference);
                number
            });
            assert!(numbers.eq((0..10).step_by(every as usize)));
            assert_eq!(rows[9], vec![650_000_000; kept], "latency");
            assert_eq!(explored.about["invocations"], 10);
            let intervals = explored.about["overview"]["intervals"].as_array().unwrap();
            assert_eq!(intervals.iter().map(|interval| interval[0].as_u64().unwrap()).sum::<u64>(), 10);
            let [width, full] = ["width", "full"].map(|name| explored.about["occupancy"][name].as_f64().unwrap());
            let seconds = |column: &[u64]| column.iter().sum::<u64>() as f64 / full * width / 1e9;
            let busy: Vec<f64> = chunk(&explored, "occupancy").iter().map(|column| seconds(column)).collect();
            assert!((busy[0] - 4.5).abs() < 0.01 && (busy[1] - 5.5).abs() < 0.01, "run and idle: {busy:?}");
        }
    }

    #[test]
    fn dates_that_follow_from_others_are_not_written() {
        let (folder, manifest) = folder_of_ten();
        let explored = of_every((1, 0), folder.path(), &manifest).unwrap().unwrap();
        assert_eq!(explored.about["containers"]["containers"], json!([[0, 0, 20]]));
        let [ways, rows, functions, begins, ends] = chunk(&explored, "spans-0").try_into().unwrap();
        // Bodies from start to finish, and idle from there to the next one; the last one ends by itself.
        let mut expected = [15, 25].repeat(10);
        expected[19] = 26;
        assert_eq!((ways, functions, begins), (expected, vec![0; 10], vec![]));
        assert_eq!((rows[0], rows[2], ends), (1, 3, vec![550_000_000]));
    }

    #[test]
    fn a_timeline_of_something_else_is_refused() {
        let (folder, manifest) = folder_of_ten();
        let refused = |text: &str| {
            fs::write(folder.path().join("timeline.json"), text).unwrap();
            of_every((1, 0), folder.path(), &manifest).unwrap_err().to_string()
        };
        assert!(refused("[\n{\"ph\": 1}\n]").contains("timeline.json: is not what Hearth writes"));
        let nowhere = r#"[{"ph": "X", "name": "run", "pid": 7, "tid": 0, "ts": 0, "dur": 1, "args": {}}]"#;
        assert!(refused(nowhere).contains("no node is 7"));
    }
}
