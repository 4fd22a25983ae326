//! `hearth why`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, Monitor, Results, Run};

use super::reproduce;
use super::run::POLICY_TIMEOUT;
use super::selection::ScenarioArguments;
use crate::error::{CommandError, with_date};
use crate::isolation::{Isolated, inside};
use crate::objects::inputs::told_in;
use crate::result_files::to_json_of;
use crate::why::ranking::{self, By};
use crate::why::story;
use crate::why::totals::{self, Total};
use crate::why::without::{Latencies, Named, Side, Without};
use crate::{bundle, interrupt};

/// The arguments of `hearth why`. A folder of results is looked at as it is if it was written with --explain, else its scenario is run again.
#[derive(Debug, Args)]
pub struct WhyArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,

    /// Tell the story of this invocation, by its number in invocations.csv; without it, causes are ranked over all.
    invocation: Option<u64>,

    /// Run again without something that happened, and say what changes for the invocation and for all: `cold-start` (the end of the
    /// container that it would have had), "eviction of FUNCTION on NODE at DATE" (or expiry, or end) or "fault on HOST at DATE".
    #[arg(long, value_name = "WHAT", value_parser = Named::parse, requires = "invocation")]
    without: Option<Named>,

    /// Rank by this alone beside all; without it, by policy, function, node and time.
    #[arg(long, value_enum)]
    by: Option<By>,

    /// Show so many functions, nodes and causes of policies.
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl WhyArguments {
    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        self.scenario.may_open_libraries().then(|| self.scenario.base.isolated(POLICY_TIMEOUT))
    }

    /// The folder of results that is named, if one is, in which nothing is set.
    fn folder(&self) -> Result<Option<PathBuf>, CommandError> {
        let named = &self.scenario.base.scenario;
        if bundle::is_one(named) {
            let cure = "run it with `hearth run`, and name the folder of its results";
            return Err(CommandError::Usage(format!("{}: is a bundle: {cure}", named.display())));
        }
        Ok(reproduce::folder_of(named)?.map(|(folder, _)| folder.to_owned()))
    }
}

/// Says why invocations took as long as they did.
///
/// # Errors
/// When it cannot be found out.
pub fn why(arguments: &WhyArguments) -> Result<(), CommandError> {
    let folder = arguments.folder()?;
    let sets_something = arguments.scenario.sets_something();
    if arguments.invocation.is_some() && arguments.by.is_some() {
        let cure = "leave the number out to rank causes over all";
        return Err(CommandError::Usage(format!("--by: is about all invocations, not about one: {cure}")));
    }
    if let (Some(folder), None, false) = (&folder, arguments.invocation, sets_something)
        && let Some(totals) = totals::of_folder(folder)?
    {
        return rank(arguments, &totals);
    }
    let scenario = match &folder {
        Some(folder) if sets_something => {
            let cure = format!("name {}", folder.join("scenario.json").display());
            return Err(CommandError::Usage(format!(
                "{} is explained as it was run: to change something, {cure}",
                folder.display()
            )));
        }
        Some(folder) => &arguments.scenario.of_file(folder.join("scenario.json")),
        None => &arguments.scenario,
    };
    let (_, experiment) = scenario.read()?.prepare()?;
    match arguments.invocation {
        None => {
            let results = run(experiment.explained().without_records())?;
            rank(arguments, &totals::of_results(&results)?)
        }
        Some(invocation) => match &arguments.without {
            None => tell(arguments, invocation, experiment),
            Some(named) => {
                let (_, again) = scenario.read()?.prepare()?;
                compare(arguments, invocation, named, [experiment, again])
            }
        },
    }
}

fn rank(arguments: &WhyArguments, totals: &[Total]) -> Result<(), CommandError> {
    let mut out = inside::stdout();
    if arguments.json {
        writeln!(out, "{}", to_json_of(&ranking::as_json(totals, arguments.by)))?;
    } else {
        write!(out, "{}", ranking::as_text(totals, arguments.by, arguments.top))?;
    }
    Ok(())
}

/// Runs twice, the second time without what is named.
fn compare(
    arguments: &WhyArguments,
    invocation: u64,
    named: &Named,
    [first, second]: [Experiment; 2],
) -> Result<(), CommandError> {
    let first = match named.sought(first.about())? {
        Some(sought) => first.seeking(sought),
        None => first,
    };
    let before = side(first.telling(invocation))?;
    if before.results.stories.is_empty() {
        return Err(not_requested(invocation, &before.results));
    }
    let (undone, what) = named.undone(&before.results)?;
    let after = side(second.telling(invocation).without(undone))?;
    let (without, is_fault) = (Without { what, before, after }, matches!(named, Named::Fault { .. }));
    let mut out = inside::stdout();
    if arguments.json {
        writeln!(out, "{}", to_json_of(&without.as_json(is_fault)))?;
    } else {
        write!(out, "{}", without.as_text(is_fault))?;
    }
    Ok(())
}

/// Runs one and gathers its latencies.
fn side(experiment: Experiment) -> Result<Side, CommandError> {
    let (sink, latencies) = Latencies::gather();
    let results = run(experiment.record_to(Box::new(sink), 1.0))?;
    Ok(Side { results, latencies: latencies.recv().unwrap_or_default() })
}

fn not_requested(invocation: u64, results: &Results) -> CommandError {
    let count = results.metrics.invocations();
    let cure = "name one that invocations.csv has, with a date of its request";
    CommandError::Usage(format!("invocation {invocation} was not requested; there are {count}: {cure}"))
}

fn tell(arguments: &WhyArguments, invocation: u64, experiment: Experiment) -> Result<(), CommandError> {
    let results = run(experiment.telling(invocation).without_records())?;
    let Some(told) = results.stories.first() else { return Err(not_requested(invocation, &results)) };
    let mut out = inside::stdout();
    if arguments.json {
        writeln!(out, "{}", to_json_of(&story::as_json(told, &results.about)))?;
    } else {
        write!(out, "{}", story::as_text(told, &results.about))?;
    }
    Ok(())
}

/// Runs it to its end, or to where it stopped, which is then said.
pub(super) fn run(experiment: Experiment) -> Result<Results, CommandError> {
    let stopped = Monitor::of_this_thread();
    interrupt::stops(move || stopped.interrupt(), || {});
    inside::note_simulation(experiment.about(), experiment.extent());
    let Run { results, stopped, rest, .. } = experiment.run_and_keep();
    inside::come_back();
    match stopped {
        Some(Error::Interrupted) => return Err(CommandError::Interrupted),
        Some(error) => eprintln!("warning: the simulation stopped: {}", told_in(with_date(&error, &results))),
        None => {}
    }
    drop(rest);
    Ok(results)
}
