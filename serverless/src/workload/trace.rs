//! Traces as scenarios ask for them: a format, where the files are, and which part of them counts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hearth_simcore::random::stream;
use hearth_simcore::time::{SimDuration, SimTime};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_pcg::Pcg64Mcg;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::azure_2019::{Azure2019, WithinMinute, files_of_days};
use super::azure_2021::Azure2021;
use super::columns::ColumnsSection;
use super::csv_trace::{CsvTrace, Order, functions_of, read_functions};
use super::order::{MOST_SORTED, Offset, Shifted, Sorted};
use super::ram::RamSection;
use super::rows::Rows;
use super::{Arrival, ArrivalSource, DeclaredFunction, MovableSource, TraceError};
use crate::quantity::{Bytes, Seconds};

/// The format of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
pub enum TraceFormat {
    /// Rows of `arrival_s,function,duration_s`, in the order of time.
    #[serde(rename = "csv")]
    Csv,
    /// The Azure Functions trace of 2019: a folder with three files a day.
    #[serde(rename = "azure-functions-2019")]
    AzureFunctions2019,
    /// The Azure Functions invocation trace of 2021: rows of `app,func,end_timestamp,duration`.
    #[serde(rename = "azure-functions-2021")]
    AzureFunctions2021,
}

impl TraceFormat {
    /// The format that a file or folder looks like.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, TraceError> {
        if path.is_dir() {
            return Ok(Self::AzureFunctions2019);
        }
        let mut rows = Rows::open_any(path)?;
        let is_2021 = rows.require(&["app", "func", "end_timestamp"]).is_ok();
        Ok(if is_2021 { Self::AzureFunctions2021 } else { Self::Csv })
    }
}

/// A trace. Files whose names end in `.gz` or `.zst` are decompressed.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a trace: an object")]
pub struct TraceSection {
    /// Its format.
    pub format: TraceFormat,
    /// The file, or for the trace of 2019 the folder, relative to the scenario file.
    pub path: PathBuf,
    /// With `csv`: a file of rows `function,memory_mb,cold_start_s`, relative to the scenario file, that declares functions
    /// without image, with this RAM limit and startup time.
    pub functions_path: Option<PathBuf>,
    /// With `csv`: what its columns are called, and in which units they are.
    #[serde(default)]
    pub columns: ColumnsSection,
    /// With `csv`: whether the rows are to be sorted by time, in memory (at most 100 million); without it, they must be.
    #[serde(default)]
    pub sort: bool,
    /// What is taken from the date of every request: a time, or `first` for the date of the first request, so that time
    /// starts with it. It comes before everything else that is chosen of a trace.
    pub offset: Option<Offset>,
    /// With the trace of 2019: which days, in this order; without it, all that are in the folder.
    #[serde(default)]
    pub days: Vec<u32>,
    /// With the trace of 2019: how the invocations of a minute lie in it.
    #[serde(default)]
    pub within_minute: WithinMinute,
    /// RAM of functions of which the trace does not tell it, the same for all or drawn for each; without it, 170 MB, the
    /// median of 2019. With `csv`, functions that nobody declares are declared with it.
    pub default_ram: Option<RamSection>,
    /// Run time of functions of which the trace of 2019 does not tell it; without it, a second.
    pub default_run_time: Option<Seconds>,
    /// With the traces of Azure: whether the functions of each application are served by the same instances, which are as the service
    /// says and have the RAM of the function with the most.
    #[serde(default)]
    pub applications: bool,
    /// How long a container takes to start, for functions that the trace declares; without it, the service's time.
    pub cold_start: Option<Seconds>,
    /// Pass over rows that are wrong, and count them, instead of stopping at the first.
    #[serde(default)]
    pub lenient: bool,
    /// Which part of the trace counts.
    #[serde(default)]
    pub select: SelectSection,
    /// How many times as many invocations: each is there so often, a fraction by chance.
    pub rate: Option<f64>,
}

/// A part of a trace; what is not given does not restrict it. Popularity is counted, and applications are drawn, among
/// what the other conditions leave.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a selection: an object")]
pub struct SelectSection {
    /// The first minutes.
    pub minutes: Option<f64>,
    /// Functions by name; those of Azure traces are called `application/function`.
    pub functions: Option<Vec<String>>,
    /// So many applications, drawn at random; a function of a CSV trace is an application of its own.
    pub sample_apps: Option<usize>,
    /// The so many functions with the most invocations.
    pub most_popular: Option<usize>,
}

/// What is taken for functions of which a trace does not tell.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    ram: RamSection,
    seed: u64,
    pub run_time: SimDuration,
    pub startup_overhead: Option<SimDuration>,
}

impl Defaults {
    /// A function that the trace declares, with its RAM if that is known.
    pub fn declare(&self, name: String, ram: Option<u64>) -> DeclaredFunction {
        let ram = ram.unwrap_or_else(|| self.ram.of(&name, self.seed));
        DeclaredFunction { name, ram, startup_overhead: self.startup_overhead }
    }
}

/// A function that a trace is about, and its application.
#[derive(Clone, Debug)]
pub(crate) struct TraceFunction {
    pub declared: DeclaredFunction,
    pub app: String,
}

impl TraceSection {
    /// All of a trace, with nothing said beside.
    pub fn whole(format: TraceFormat, path: &Path) -> Self {
        Self {
            format,
            path: path.to_owned(),
            functions_path: None,
            columns: ColumnsSection::default(),
            sort: false,
            offset: None,
            days: Vec::new(),
            within_minute: WithinMinute::default(),
            default_ram: None,
            default_run_time: None,
            applications: false,
            cold_start: None,
            lenient: false,
            select: SelectSection::default(),
            rate: None,
        }
    }
}

/// A trace that is ready to be read.
#[derive(Debug)]
pub struct OpenedTrace {
    /// Its invocations; positions are those among the functions that were there before and then those declared.
    pub source: Box<dyn ArrivalSource + Send>,
    /// The functions that it declares.
    pub declared: Vec<DeclaredFunction>,
    /// The application of each of these, where their functions are to be served together; none otherwise.
    pub applications: Vec<String>,
    /// Whether it says how long requests run; if not, bodies run.
    pub has_run_times: bool,
}

/// A trace with all of its functions, before anything is chosen of it.
struct Whole {
    source: MovableSource,
    functions: Vec<TraceFunction>,
    has_run_times: bool,
}

impl TraceSection {
    /// Opens the trace, whose relative paths start from `base`, beside functions that are there already.
    ///
    /// # Errors
    /// When a file cannot be read, lacks something, or a row that is read now is wrong.
    pub fn open(&self, base: &Path, known: &[String], seed: u64) -> Result<OpenedTrace, TraceError> {
        let Whole { source, functions, has_run_times } = self.open_all(base, known, seed)?;
        let of_known = known.iter().map(|name| (name.clone(), name.clone()));
        let names: Vec<(String, String)> =
            of_known.chain(functions.iter().map(|it| (it.declared.name.clone(), it.app.clone()))).collect();
        let keep = self.chosen_functions(base, known, &names, seed)?;
        let (end, rate) = (self.end(), self.rate.unwrap_or(1.0));
        let mut applications: Vec<String> = Vec::new();
        if self.applications {
            applications = functions.iter().map(|function| function.app.clone()).collect();
        }
        let mut declared: Vec<DeclaredFunction> = functions.into_iter().map(|function| function.declared).collect();
        share_containers(&mut declared, &applications);
        if keep.is_none() && end == SimTime::MAX && rate == 1.0 {
            return Ok(OpenedTrace { source, declared, applications, has_run_times });
        }
        let selected = Selected { source, keep, end, rate, random: stream(seed, "trace rate"), again: None };
        Ok(OpenedTrace { source: Box::new(selected), declared, applications, has_run_times })
    }

    /// The files that it is read from, in order of their names; its relative paths start from `base`.
    ///
    /// # Errors
    /// When a folder of them cannot be read.
    pub fn files(&self, base: &Path) -> Result<Vec<PathBuf>, TraceError> {
        let path = base.join(&self.path);
        let mut files = match self.format {
            TraceFormat::AzureFunctions2019 => files_of_days(&path, &self.days)?,
            _ => vec![path],
        };
        files.extend(self.functions_path.as_ref().map(|file| base.join(file)));
        Ok(files)
    }

    fn end(&self) -> SimTime {
        self.select.minutes.map_or(SimTime::MAX, |minutes| SimTime::from_secs_f64(60.0 * minutes))
    }

    /// Checks what goes with what, and the numbers.
    ///
    /// # Errors
    /// The field that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.select.minutes.is_some_and(|minutes| !(0.0..=1e8).contains(&minutes)) {
            return Err(("select.minutes", "must be from 0 to 1e8".to_owned()));
        }
        if let Some(RamSection::Drawn(distribution)) = &self.default_ram {
            distribution.check().map_err(|problem| ("default_ram", problem))?;
        }
        if self.format == TraceFormat::Csv {
            let problem = "goes with the traces of Azure, which tell applications: name those of the functions of other traces in the scenario";
            return if self.applications { Err(("applications", problem.to_owned())) } else { Ok(()) };
        }
        let goes_with_csv = "goes with the format \"csv\": others have columns and an order of their own".to_owned();
        if self.columns != ColumnsSection::default() {
            return Err(("columns", goes_with_csv));
        }
        if self.sort { Err(("sort", goes_with_csv)) } else { Ok(()) }
    }

    /// All of the trace from its offset on.
    fn open_all(&self, base: &Path, known: &[String], seed: u64) -> Result<Whole, TraceError> {
        let mut whole = self.open_as_it_is(base, known, seed)?;
        if let Some(offset) = self.offset {
            whole.source = Box::new(Shifted::new(whole.source, offset, &base.join(&self.path)));
        }
        Ok(whole)
    }

    fn open_as_it_is(&self, base: &Path, known: &[String], seed: u64) -> Result<Whole, TraceError> {
        let path = base.join(&self.path);
        let defaults = Defaults {
            ram: self.default_ram.clone().unwrap_or(RamSection::Same(Bytes(170e6))),
            seed,
            run_time: self.default_run_time.map_or(SimDuration::from_secs(1), Seconds::duration),
            startup_overhead: self.cold_start.map(Seconds::duration),
        };
        match self.format {
            TraceFormat::Csv => {
                let declared = self.functions_path.as_ref().map(|file| read_functions(&base.join(file)));
                let mut declared = declared.transpose()?.unwrap_or_default();
                let mut names: Vec<String> =
                    known.iter().cloned().chain(declared.iter().map(|function| function.name.clone())).collect();
                if self.columns.memory.is_some() || self.default_ram.is_some() {
                    let there: BTreeSet<&String> = names.iter().collect();
                    let all = functions_of(&path, &self.columns, self.lenient)?;
                    let unknown: Vec<_> = all.into_iter().filter(|(name, _)| !there.contains(name)).collect();
                    names.extend(unknown.iter().map(|(name, _)| name.clone()));
                    declared.extend(unknown.into_iter().map(|(name, ram)| defaults.declare(name, ram)));
                }
                let of_app = |declared: DeclaredFunction| TraceFunction { app: declared.name.clone(), declared };
                let order = if self.sort { Order::Any } else { Order::ByTime };
                let rows = CsvTrace::open_columns(&path, &self.columns, order, &names, self.lenient)?;
                let has_run_times = rows.has_durations();
                let mut source: MovableSource = Box::new(rows);
                if self.sort {
                    source = Box::new(Sorted::read(source, MOST_SORTED, &path)?);
                }
                Ok(Whole { source, functions: declared.into_iter().map(of_app).collect(), has_run_times })
            }
            TraceFormat::AzureFunctions2019 => {
                let opened = Azure2019::open(&path, &self.days, self.within_minute, &defaults, self.lenient, seed)?;
                Ok(Whole { source: behind(opened.0, known), functions: opened.1, has_run_times: true })
            }
            TraceFormat::AzureFunctions2021 => {
                let opened = Azure2021::open(&path, &defaults, self.lenient)?;
                Ok(Whole { source: behind(opened.0, known), functions: opened.1, has_run_times: true })
            }
        }
    }

    /// Which functions count, by position; `None` if all do.
    fn chosen_functions(
        &self,
        base: &Path,
        known: &[String],
        names: &[(String, String)],
        seed: u64,
    ) -> Result<Option<Vec<bool>>, TraceError> {
        let SelectSection { functions, sample_apps, most_popular, .. } = &self.select;
        if functions.is_none() && sample_apps.is_none() && most_popular.is_none() {
            return Ok(None);
        }
        let mut keep = vec![true; names.len()];
        if let Some(wanted) = functions {
            let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
            let there: BTreeSet<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            if let Some(unknown) = wanted.difference(&there).next() {
                let problem = format!("has no function {unknown:?}, which is selected");
                return Err(TraceError { file: base.join(&self.path), line: None, column: None, problem });
            }
            keep.iter_mut().zip(names).for_each(|(keep, (name, _))| *keep &= wanted.contains(name.as_str()));
        }
        if let Some(count) = sample_apps {
            let apps: BTreeSet<&str> =
                names.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(it, _)| it.1.as_str()).collect();
            let apps: Vec<&str> = apps.into_iter().collect();
            let drawn: BTreeSet<&str> = apps.sample(&mut stream(seed, "trace apps"), *count).copied().collect();
            keep.iter_mut().zip(names).for_each(|(keep, (_, app))| *keep &= drawn.contains(app.as_str()));
        }
        if let Some(count) = most_popular {
            let invocations = self.count_invocations(base, known, names.len(), seed)?;
            let mut by_popularity: Vec<usize> = (0..names.len()).filter(|function| keep[*function]).collect();
            by_popularity.sort_by_key(|function| std::cmp::Reverse(invocations[*function]));
            by_popularity.iter().skip(*count).for_each(|function| keep[*function] = false);
        }
        Ok(Some(keep))
    }

    /// Reads the part of the trace that counts once, for the invocations of each function.
    fn count_invocations(
        &self,
        base: &Path,
        known: &[String],
        functions: usize,
        seed: u64,
    ) -> Result<Vec<u64>, TraceError> {
        let mut source = self.open_all(base, known, seed)?.source;
        let mut invocations = vec![0; functions];
        while let Some(arrival) = source.next_arrival()?.filter(|arrival| arrival.at < self.end()) {
            if let Some(count) = invocations.get_mut(arrival.function as usize) {
                *count += 1;
            }
        }
        Ok(invocations)
    }
}

/// Functions of an application have the same containers, with room for any of them.
fn share_containers(declared: &mut [DeclaredFunction], applications: &[String]) {
    let mut most: FxHashMap<&str, u64> = FxHashMap::default();
    for (function, application) in declared.iter().zip(applications) {
        let of_application = most.entry(application).or_default();
        *of_application = function.ram.max(*of_application);
    }
    for (function, application) in declared.iter_mut().zip(applications) {
        function.ram = most.get(application.as_str()).copied().unwrap_or(function.ram);
    }
}

/// A source whose functions come after those that are there already.
fn behind(source: impl ArrivalSource + Send + 'static, known: &[String]) -> MovableSource {
    Box::new(Behind { source, by: known.len() as u32 })
}

#[derive(Debug)]
struct Behind<S> {
    source: S,
    by: u32,
}

impl<S: ArrivalSource> ArrivalSource for Behind<S> {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        let arrival = self.source.next_arrival()?;
        Ok(arrival.map(|arrival| Arrival { function: arrival.function + self.by, ..arrival }))
    }

    fn skipped_rows(&self) -> u64 {
        self.source.skipped_rows()
    }
}

/// A part of a source, more or less often.
#[derive(Debug)]
struct Selected {
    source: MovableSource,
    keep: Option<Vec<bool>>,
    end: SimTime,
    rate: f64,
    random: Pcg64Mcg,
    /// An invocation that is to come again, and how often.
    again: Option<(Arrival, u64)>,
}

impl ArrivalSource for Selected {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        loop {
            if let Some((arrival, times)) = &mut self.again
                && let Some(left) = times.checked_sub(1)
            {
                *times = left;
                return Ok(Some(*arrival));
            }
            let Some(arrival) = self.source.next_arrival()?.filter(|arrival| arrival.at < self.end) else {
                return Ok(None);
            };
            if self.keep.as_ref().is_some_and(|keep| keep.get(arrival.function as usize) != Some(&true)) {
                continue;
            }
            if self.rate == 1.0 {
                return Ok(Some(arrival));
            }
            let by_chance = self.random.random::<f64>() < self.rate.fract();
            self.again = Some((arrival, self.rate as u64 + u64::from(by_chance)));
        }
    }

    fn skipped_rows(&self) -> u64 {
        self.source.skipped_rows()
    }
}
