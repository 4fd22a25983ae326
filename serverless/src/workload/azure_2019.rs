//! The Azure Functions trace of 2019 (Shahrad et al., "Serverless in the Wild", USENIX ATC 2020): three files a day, with
//! invocations per minute, percentiles of durations, and memory.
//!
//! Invocations are drawn minute by minute. A function that has no row of durations runs for a given time, one without a row
//! of memory holds a given size. The trace gives memory for applications: every function of one holds all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hearth_simcore::random::stream;
use hearth_simcore::time::{SimDuration, SimTime};
use rand::RngExt;
use rand_distr::{Distribution as _, Poisson};
use rand_pcg::Pcg64Mcg;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::columns::TimeUnit;
use super::rows::Rows;
use super::trace::{Defaults, TraceFunction};
use super::{Arrival, ArrivalSource, TraceError};
use crate::distribution::between;

const MINUTES: usize = 1440;
const MINUTE_NANOS: u64 = 60_000_000_000;
const PERCENTS: [(f64, &str); 7] = [
    (0.0, "percentile_Average_0"),
    (1.0, "percentile_Average_1"),
    (25.0, "percentile_Average_25"),
    (50.0, "percentile_Average_50"),
    (75.0, "percentile_Average_75"),
    (99.0, "percentile_Average_99"),
    (100.0, "percentile_Average_100"),
];

/// How the invocations of a minute lie in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithinMinute {
    /// As many as the trace says, each anywhere in the minute.
    #[default]
    Uniform,
    /// A Poisson process whose mean is what the trace says.
    Poisson,
    /// As many as the trace says, at equal distances.
    Equal,
}

/// The files of one day.
#[derive(Clone, PartialEq, Debug)]
struct Day {
    invocations: PathBuf,
    durations: Option<PathBuf>,
    memory: Option<PathBuf>,
}

/// Invocations drawn from the counts of one day after the other.
#[derive(Debug)]
pub(crate) struct Azure2019 {
    days: std::vec::IntoIter<Day>,
    within: WithinMinute,
    default_run_time: SimDuration,
    /// By owner, application and function.
    positions: FxHashMap<String, u32>,
    random: Pcg64Mcg,
    /// Of the day that is being drawn: counts by minute, and durations by function.
    minutes: Vec<Vec<(u32, u32)>>,
    durations: FxHashMap<u32, Vec<(f64, f64)>>,
    /// The minute that comes next, counted from the start of the trace.
    minute: u64,
    /// The invocations of the minute that is being given, last first.
    ready: Vec<Arrival>,
    lenient: bool,
    skipped: u64,
}

/// Finds the files of the days in a folder: `invocations.csv` and so on as samplers write them, or those of the original
/// with the day in their names. Without a list of days, all there are.
fn find_days(folder: &Path, wanted: &[u32]) -> Result<Vec<Day>, TraceError> {
    let of_folder = |problem: String| TraceError { file: folder.to_owned(), line: None, column: None, problem };
    let entries =
        std::fs::read_dir(folder).map_err(|error| of_folder(format!("cannot be read as a folder: {error}")))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let named = |begin: &str| {
        files
            .iter()
            .find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begin)))
            .cloned()
    };
    let day = |number: u32| {
        let invocations = named(&format!("invocations_per_function_md.anon.d{number:02}.csv"))?;
        let durations = named(&format!("function_durations_percentiles.anon.d{number:02}.csv"));
        Some(Day { invocations, durations, memory: named(&format!("app_memory_percentiles.anon.d{number:02}.csv")) })
    };
    let days: Vec<Day> = if wanted.is_empty() {
        let sample = named("invocations.csv").map(|invocations| Day {
            invocations,
            durations: named("durations.csv"),
            memory: named("memory.csv"),
        });
        sample.into_iter().chain((1..=99).filter_map(day)).collect()
    } else {
        let find = |number: &u32| {
            let missing =
                || of_folder(format!("has no invocations_per_function_md.anon.d{number:02}.csv for day {number}"));
            day(*number).ok_or_else(missing)
        };
        wanted.iter().map(find).collect::<Result<_, _>>()?
    };
    if days.is_empty() {
        let expected = "invocations.csv or invocations_per_function_md.anon.d01.csv";
        return Err(of_folder(format!("has no invocations of the 2019 trace: expected {expected}")));
    }
    Ok(days)
}

/// The files of the days that are wanted, each once.
///
/// # Errors
/// When the folder cannot be read, or lacks a day.
pub(super) fn files_of_days(folder: &Path, wanted: &[u32]) -> Result<Vec<PathBuf>, TraceError> {
    let days = find_days(folder, wanted)?;
    let files: BTreeSet<PathBuf> =
        days.into_iter().flat_map(|day| [Some(day.invocations), day.durations, day.memory]).flatten().collect();
    Ok(files.into_iter().collect())
}

impl Azure2019 {
    /// Opens the days in a folder, and says which functions they are about.
    pub fn open(
        folder: &Path,
        days: &[u32],
        within: WithinMinute,
        defaults: &Defaults,
        lenient: bool,
        seed: u64,
    ) -> Result<(Self, Vec<TraceFunction>), TraceError> {
        let days = find_days(folder, days)?;
        let mut memory: BTreeMap<String, u64> = BTreeMap::new();
        let mut trace = Self {
            days: Vec::new().into_iter(),
            within,
            default_run_time: defaults.run_time,
            positions: FxHashMap::default(),
            random: stream(seed, "azure 2019"),
            minutes: Vec::new(),
            durations: FxHashMap::default(),
            minute: 0,
            ready: Vec::new(),
            lenient,
            skipped: 0,
        };
        let mut names: Vec<(String, String)> = Vec::new();
        for day in &days {
            if let Some(file) = &day.memory {
                trace.read_memory(file, &mut memory)?;
            }
            let mut rows = Rows::open(&day.invocations, &["HashOwner", "HashApp", "HashFunction"])?;
            while rows.advance()? {
                let name = (text(&rows, 1)?, text(&rows, 2)?);
                trace.positions.entry(key_of(&rows)?).or_insert_with(|| {
                    names.push(name);
                    names.len() as u32 - 1
                });
            }
        }
        trace.days = days.into_iter();
        let declare = |(app, function): &(String, String)| {
            let known = memory.get(&format!("{app}/{function}")).or_else(|| memory.get(app));
            TraceFunction { declared: defaults.declare(format!("{app}/{function}"), known.copied()), app: app.clone() }
        };
        Ok((trace, names.iter().map(declare).collect()))
    }

    /// Passes over a row that is wrong, or not.
    fn allow<T>(&mut self, read: Result<T, TraceError>) -> Result<Option<T>, TraceError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.lenient => {
                self.skipped += 1;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn read_memory(&mut self, file: &Path, memory: &mut BTreeMap<String, u64>) -> Result<(), TraceError> {
        let mut rows = Rows::open(file, &["HashApp", "AverageAllocatedMb"])?;
        // Samplers give a function beside the application.
        let of_function = rows.require(&["HashFunction"]).is_ok();
        while rows.advance()? {
            let row = || {
                let app = text(&rows, 0)?;
                let name = if of_function { format!("{app}/{}", text(&rows, 2)?) } else { app };
                Ok((name, rows.size(1, 1e6)?))
            };
            if let Some((name, bytes)) = self.allow(row())? {
                memory.insert(name, bytes);
            }
        }
        Ok(())
    }

    /// Reads the counts and durations of the next day; false if there is none.
    fn next_day(&mut self) -> Result<bool, TraceError> {
        let Some(day) = self.days.next() else { return Ok(false) };
        self.durations.clear();
        if let Some(file) = &day.durations {
            self.read_durations(file)?;
        }
        self.minutes = vec![Vec::new(); MINUTES];
        let minutes: Vec<String> = (1..=MINUTES).map(|minute| minute.to_string()).collect();
        let columns: Vec<&str> =
            ["HashOwner", "HashApp", "HashFunction"].into_iter().chain(minutes.iter().map(String::as_str)).collect();
        let mut rows = Rows::open(&day.invocations, &columns)?;
        while rows.advance()? {
            let row = || {
                let function = self.positions.get(&key_of(&rows)?).copied();
                let mut counts = Vec::new();
                for minute in 0..MINUTES {
                    match rows.whole(3 + minute)? {
                        0 => {}
                        count => counts.push((minute, count)),
                    }
                }
                Ok((function, counts))
            };
            let row = row();
            if let Some((Some(function), counts)) = self.allow(row)? {
                for (minute, count) in counts {
                    self.minutes[minute].push((function, count));
                }
            }
        }
        Ok(true)
    }

    fn read_durations(&mut self, file: &Path) -> Result<(), TraceError> {
        let columns: Vec<&str> = ["HashOwner", "HashApp", "HashFunction"]
            .into_iter()
            .chain(PERCENTS.iter().map(|(_, column)| *column))
            .collect();
        let mut rows = Rows::open(file, &columns)?;
        while rows.advance()? {
            let row = || {
                let mut points = Vec::with_capacity(PERCENTS.len());
                for (number, (percent, _)) in PERCENTS.iter().enumerate() {
                    points.push((*percent, rows.number_of(3 + number, TimeUnit::MILLISECOND)?));
                }
                Ok((key_of(&rows)?, points))
            };
            let row = row();
            if let Some((key, points)) = self.allow(row)?
                && let Some(function) = self.positions.get(&key)
            {
                self.durations.insert(*function, points);
            }
        }
        Ok(())
    }

    /// Draws the invocations of the next minute.
    fn draw_minute(&mut self) {
        let Some(counts) = self.minutes.get((self.minute % MINUTES as u64) as usize) else { return };
        let start = self.minute * MINUTE_NANOS;
        for &(function, count) in counts {
            let number = match self.within {
                // A mean above zero is never refused.
                WithinMinute::Poisson => {
                    Poisson::new(f64::from(count)).map_or(count, |poisson| poisson.sample(&mut self.random) as u32)
                }
                WithinMinute::Uniform | WithinMinute::Equal => count,
            };
            for position in 0..number {
                let share = match self.within {
                    WithinMinute::Equal => (f64::from(position) + 0.5) / f64::from(number),
                    WithinMinute::Uniform | WithinMinute::Poisson => self.random.random::<f64>(),
                };
                let at = SimTime::from_nanos(start + (share * MINUTE_NANOS as f64) as u64);
                let run_time = self.durations.get(&function).map_or(self.default_run_time, |points| {
                    SimDuration::from_secs_f64(between(points, 100.0 * self.random.random::<f64>()) / 1e3)
                });
                self.ready.push(Arrival { at, function, run_time: Some(run_time) });
            }
        }
        // Last first, so that the next one is taken off the end.
        self.ready.sort_by_key(|arrival| std::cmp::Reverse((arrival.at, arrival.function)));
    }
}

fn text(rows: &Rows, column: usize) -> Result<String, TraceError> {
    Ok(String::from_utf8_lossy(rows.text(column)?).into_owned())
}

/// Owner, application and function, the first three columns.
fn key_of(rows: &Rows) -> Result<String, TraceError> {
    Ok(format!("{}/{}/{}", text(rows, 0)?, text(rows, 1)?, text(rows, 2)?))
}

impl ArrivalSource for Azure2019 {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        loop {
            if let Some(arrival) = self.ready.pop() {
                return Ok(Some(arrival));
            }
            if self.minute.is_multiple_of(MINUTES as u64) && !self.next_day()? {
                return Ok(None);
            }
            self.draw_minute();
            self.minute += 1;
        }
    }

    fn skipped_rows(&self) -> u64 {
        self.skipped
    }
}
