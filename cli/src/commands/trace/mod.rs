//! `hearth trace`: makes traces, turns one format into another, and tells what is in one.

mod columns;
mod statistics;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hearth_serverless::quantity::Seconds;
use hearth_serverless::workload::generate::GeneratorSpec;
use hearth_serverless::workload::{
    Arrival, Offset, StandaloneError, StandaloneTrace, TraceError, TraceFormat, TraceSection, TraceStatistics,
    WriteTraceError, columns_of,
};
use serde_json::{Value, json};

use crate::error::CommandError;

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
        TraceCommand::Generate(arguments) => arguments.output.write(&mut generator(arguments)?),
        TraceCommand::Convert(ConvertArguments { input, output }) => output.write(&mut input.open()?),
        TraceCommand::Stats(input) => {
            let mut trace = input.open()?;
            let mut source = trace.open().map_err(of_trace)?;
            let counted = TraceStatistics::of(&mut *source, trace.functions().len()).map_err(of_trace)?;
            report_skipped(source.skipped_rows());
            write!(std::io::stdout(), "{}", statistics::text(&counted, trace.functions()))?;
            Ok(())
        }
        TraceCommand::Head(HeadArguments { input, rows }) => {
            let mut trace = input.open()?;
            let mut source = trace.open().map_err(of_trace)?;
            let mut out = std::io::stdout().lock();
            let mut next = source.next_arrival().map_err(of_trace)?;
            writeln!(out, "{}", columns_of(next.as_ref()))?;
            for _ in 0..*rows {
                let Some(Arrival { at, function, run_time }) = next else { break };
                write!(out, "{at},{}", trace.functions()[function as usize].name)?;
                match run_time {
                    Some(run_time) => writeln!(out, ",{run_time}")?,
                    None => writeln!(out)?,
                }
                next = source.next_arrival().map_err(of_trace)?;
            }
            Ok(())
        }
    }
}

fn of_trace(error: TraceError) -> CommandError {
    CommandError::Usage(error.to_string())
}

fn report_skipped(rows: u64) {
    if rows > 0 {
        eprintln!("warning: {rows} rows were passed over");
    }
}

fn generator(arguments: &GenerateArguments) -> Result<StandaloneTrace, CommandError> {
    let file = arguments.generator.display();
    let wrong = |problem: String| CommandError::Usage(format!("{file}: {problem}"));
    let text = fs::read_to_string(&arguments.generator).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let spec: GeneratorSpec = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(StandaloneTrace::generated(spec, arguments.seed).map_err(wrong)?.read_from(&arguments.generator))
}

impl InputArguments {
    fn open(&self) -> Result<StandaloneTrace, CommandError> {
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
        StandaloneTrace::of(section, self.seed).map_err(|error| match error {
            StandaloneError::Field { field, problem } => {
                CommandError::Usage(format!("--{}: {problem}", field.replace('_', "-")))
            }
            StandaloneError::Trace(error) => of_trace(error),
        })
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
    fn write(&self, trace: &mut StandaloneTrace) -> Result<(), CommandError> {
        let written = trace.write(&self.output, self.functions_output.as_deref(), self.overwrite);
        let (rows, skipped) = written.map_err(|error| match error {
            WriteTraceError::File { file, problem } => CommandError::Result { file, problem },
            WriteTraceError::IsThere(_) => {
                CommandError::Usage(format!("{error}: replace it with --overwrite, or name another file"))
            }
            error => CommandError::Usage(error.to_string()),
        })?;
        report_skipped(skipped);
        writeln!(std::io::stdout(), "{rows} rows are in {}.", self.output.display())?;
        Ok(())
    }
}
