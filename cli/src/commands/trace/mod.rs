//! `hearth trace`: makes traces, turns one format into another, and tells what is in one.

mod columns;
mod statistics;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use hearth_serverless::quantity::Seconds;
use hearth_serverless::workload::generate::{Generator, GeneratorSpec};
use hearth_serverless::workload::{
    Arrival, ArrivalSource, DeclaredFunction, Offset, OpenedTrace, TraceError, TraceFormat, TraceSection,
    TraceStatistics, columns_of, functions_of, write_functions, write_trace,
};

use serde_json::{Value, json};

use crate::error::CommandError;
use crate::result_folder::claim::is_same;

/// The arguments of `hearth trace`.
#[derive(Debug, Args)]
pub struct TraceArguments {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(Debug, Subcommand)]
enum TraceCommand {
    /// Draw a trace, and write it as rows.
    Generate(GenerateArguments),
    /// Write a trace of any format, or a part of it, as rows.
    Convert(ConvertArguments),
    /// Print what a person wants to know of a trace.
    Stats(InputArguments),
    /// Print the first rows of a trace.
    Head(HeadArguments),
}

/// Where rows are written.
#[derive(Debug, Args)]
struct OutputArguments {
    /// Write the rows `arrival_s,function,duration_s` into this file; compressed if it ends in .gz or .zst.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Write the functions `function,memory_mb,cold_start_s` into this file.
    #[arg(long, value_name = "FILE")]
    functions_output: Option<PathBuf>,

    /// Replace these files if they are there.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Args)]
struct GenerateArguments {
    /// A file with a generator in JSON, as under workload.generate in a scenario.
    generator: PathBuf,

    /// Draw all random numbers from this seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    output: OutputArguments,
}

/// The formats, as arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// Rows of arrival_s,function,duration_s.
    Csv,
    /// A folder with the files of the Azure Functions trace of 2019.
    #[value(name = "azure-functions-2019")]
    AzureFunctions2019,
    /// Rows of app,func,end_timestamp,duration.
    #[value(name = "azure-functions-2021")]
    AzureFunctions2021,
}

/// A trace, and which part of it.
#[derive(Debug, Args)]
struct InputArguments {
    /// The file, or the folder of a trace of 2019; .gz and .zst are decompressed.
    trace: PathBuf,

    /// Its format; without it, the one that it looks like.
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Which column of rows holds what: arrival, function, duration or memory, with its unit if it is not seconds, as in
    /// arrival=ts_ms:ms.
    #[arg(long = "column", value_name = "FIELD=NAME[:UNIT]", value_parser = columns::assignment)]
    columns: Vec<(String, Value)>,

    /// Sort the rows by time.
    #[arg(long)]
    sort: bool,

    /// Take this time, in seconds or with a unit, from the date of every request.
    #[arg(long, value_name = "TIME", conflicts_with = "from_first")]
    offset: Option<String>,

    /// Let time start with the first request.
    #[arg(long)]
    from_first: bool,

    /// Only the first minutes.
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<f64>,

    /// Only so many functions, those with the most invocations.
    #[arg(long, value_name = "NUMBER")]
    most_popular: Option<usize>,

    /// Only so many applications, drawn at random.
    #[arg(long, value_name = "NUMBER")]
    sample_apps: Option<usize>,

    /// So many times as many invocations.
    #[arg(long, value_name = "FACTOR")]
    rate: Option<f64>,

    /// How long containers of functions that the trace declares take to start, in seconds, for the list of functions.
    #[arg(long, value_name = "SECONDS")]
    cold_start: Option<f64>,

    /// Pass over rows that are wrong, and count them.
    #[arg(long)]
    lenient: bool,

    /// Draw all random numbers from this seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Args)]
struct ConvertArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Debug, Args)]
struct HeadArguments {
    #[command(flatten)]
    input: InputArguments,

    /// How many rows.
    #[arg(short = 'n', long, default_value_t = 10)]
    rows: usize,
}

/// Runs `hearth trace`.
pub fn run(arguments: &TraceArguments) -> Result<(), CommandError> {
    match &arguments.command {
        TraceCommand::Generate(arguments) => generate(arguments),
        TraceCommand::Convert(ConvertArguments { input, output }) => {
            let mut opened = input.open()?;
            let rows = output.write(&mut *opened.source, &opened.functions, &opened.files)?;
            opened.report_skipped();
            writeln!(std::io::stdout(), "{rows} rows are in {}.", output.output.display())?;
            Ok(())
        }
        TraceCommand::Stats(input) => {
            let mut opened = input.open()?;
            let counted = TraceStatistics::of(&mut *opened.source, opened.functions.len()).map_err(of_trace)?;
            opened.report_skipped();
            write!(std::io::stdout(), "{}", statistics::text(&counted, &opened.functions))?;
            Ok(())
        }
        TraceCommand::Head(HeadArguments { input, rows }) => {
            let mut opened = input.open()?;
            let mut out = std::io::stdout().lock();
            let mut next = opened.source.next_arrival().map_err(of_trace)?;
            writeln!(out, "{}", columns_of(next.as_ref()))?;
            for _ in 0..*rows {
                let Some(Arrival { at, function, run_time }) = next else { break };
                write!(out, "{at},{}", opened.functions[function as usize].name)?;
                match run_time {
                    Some(run_time) => writeln!(out, ",{run_time}")?,
                    None => writeln!(out)?,
                }
                next = opened.source.next_arrival().map_err(of_trace)?;
            }
            Ok(())
        }
    }
}

fn of_trace(error: TraceError) -> CommandError {
    CommandError::Usage(error.to_string())
}

fn generate(arguments: &GenerateArguments) -> Result<(), CommandError> {
    let file = arguments.generator.display();
    let wrong = |problem: String| CommandError::Usage(format!("{file}: {problem}"));
    let text = fs::read_to_string(&arguments.generator).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let spec: GeneratorSpec = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    spec.check().map_err(wrong)?;
    if spec.run_time.is_none() && spec.workflows.is_none() {
        return Err(wrong("missing field `run_time`: here are no functions whose bodies could run".to_owned()));
    }
    let others = spec.workflows.clone().unwrap_or_else(|| vec!["0".to_owned()]);
    let (mut generator, mut functions) = Generator::new(&spec, others.len() as u32, arguments.seed);
    if functions.is_empty() {
        let named = others.into_iter().map(|name| DeclaredFunction { name, ram: 0, startup_overhead: None });
        functions.extend(named);
    }
    let rows = arguments.output.write(&mut generator, &functions, std::slice::from_ref(&arguments.generator))?;
    writeln!(std::io::stdout(), "{rows} rows are in {}.", arguments.output.output.display())?;
    Ok(())
}

/// A trace with all its functions.
struct Opened {
    source: Box<dyn ArrivalSource>,
    functions: Vec<DeclaredFunction>,
    /// What it is read from.
    files: Vec<PathBuf>,
}

impl Opened {
    fn report_skipped(&self) {
        let skipped = self.source.skipped_rows();
        if skipped > 0 {
            eprintln!("warning: {skipped} rows were passed over");
        }
    }
}

impl InputArguments {
    fn open(&self) -> Result<Opened, CommandError> {
        for (name, number) in [("--minutes", self.minutes), ("--rate", self.rate), ("--cold-start", self.cold_start)] {
            if number.is_some_and(|number| !(0.0..=1e9).contains(&number)) {
                return Err(CommandError::Usage(format!("{name}: must be from 0 to 1e9")));
            }
        }
        let format = match self.format {
            Some(Format::Csv) => TraceFormat::Csv,
            Some(Format::AzureFunctions2019) => TraceFormat::AzureFunctions2019,
            Some(Format::AzureFunctions2021) => TraceFormat::AzureFunctions2021,
            None => TraceFormat::of(&self.trace).map_err(of_trace)?,
        };
        let mut section = TraceSection::whole(format, &self.trace);
        section.columns =
            columns::section(&self.columns).map_err(|error| CommandError::Usage(format!("--column {error}")))?;
        section.sort = self.sort;
        section.offset = self.offset()?;
        section.lenient = self.lenient;
        section.rate = self.rate;
        section.cold_start = self.cold_start.map(Seconds);
        section.select.minutes = self.minutes;
        section.select.most_popular = self.most_popular;
        section.select.sample_apps = self.sample_apps;
        section.check().map_err(|(field, problem)| CommandError::Usage(format!("--{field}: {problem}")))?;
        let known = match format {
            TraceFormat::Csv if section.columns.memory.is_none() => {
                let all = functions_of(&self.trace, &section.columns, self.lenient).map_err(of_trace)?;
                all.into_iter().map(|(name, _)| name).collect()
            }
            // The trace declares its functions.
            _ => Vec::new(),
        };
        let OpenedTrace { source, declared, .. } = section.open(Path::new(""), &known, self.seed).map_err(of_trace)?;
        let of_rows = known.into_iter().map(|name| DeclaredFunction { name, ram: 0, startup_overhead: None });
        let files = section.files(Path::new("")).map_err(of_trace)?;
        Ok(Opened { source, functions: of_rows.chain(declared).collect(), files })
    }

    fn offset(&self) -> Result<Option<Offset>, CommandError> {
        let time = self.offset.as_ref().map(|text| {
            let seconds = serde_json::from_value::<Seconds>(json!(text));
            seconds.map(Offset::Time).map_err(|error| CommandError::Usage(format!("--offset: {error}")))
        });
        Ok(time.transpose()?.or_else(|| self.from_first.then_some(Offset::First)))
    }
}

impl OutputArguments {
    /// Refuses to write over what is read, or over what is there unless that is asked for.
    fn check(&self, read: &[PathBuf]) -> Result<(), CommandError> {
        for file in [Some(&self.output), self.functions_output.as_ref()].into_iter().flatten() {
            let wrong = |problem: &str| CommandError::Usage(format!("{}: {problem}", file.display()));
            if read.iter().any(|other| is_same(other, file)) {
                return Err(wrong("is what is read: name another file"));
            }
            if file.is_file() && !self.overwrite {
                return Err(wrong("is there already: replace it with --overwrite, or name another file"));
            }
        }
        Ok(())
    }

    fn write(
        &self,
        source: &mut dyn ArrivalSource,
        functions: &[DeclaredFunction],
        read: &[PathBuf],
    ) -> Result<u64, CommandError> {
        self.check(read)?;
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |error: std::io::Error| match error.downcast::<TraceError>() {
                Ok(of_source) => of_trace(of_source),
                Err(error) => CommandError::Result { file, problem: error.to_string() },
            }
        };
        if let Some(file) = &self.functions_output {
            write_functions(file, functions).map_err(failed(file))?;
        }
        let names: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
        write_trace(&self.output, source, &names).map_err(failed(&self.output))
    }
}
