//! `hearth why`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hearth_serverless::Error;
use hearth_serverless::decisions::{Instead, Observation, Views};
use hearth_serverless::experiment::{Experiment, Monitor, Results, Run};

use serde_json::Value;

use super::reproduce;
use super::run::POLICY_TIMEOUT;
use super::selection::ScenarioArguments;
use crate::error::{CommandError, with_date};
use crate::isolation::{Isolated, inside};
use crate::objects::inputs::told_in;
use crate::result_files::to_json_of;
use crate::why::call::{Other, SoughtCall};
use crate::why::ranking::{self, By};
use crate::why::story;
use crate::why::totals::{self, Total};
use crate::why::without::{Claim, Latencies, Named, Side, Without, none};
use crate::{bundle, interrupt};

/// The arguments of `hearth why`. A folder of results is looked at as it is if it was written with --explain, else its scenario is run again.
#[derive(Debug, Args)]
pub struct WhyArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,

    /// Tell the story of this invocation, by its number in invocations.csv; without it, causes are ranked over all.
    invocation: Option<u64>,

    /// Run again without something that happened, and say what changes for the invocation and for all: `cold-start` (the end of the
    /// container that it would have had), "eviction of FUNCTION on NODE at DATE" (or expiry, or end), "fault on HOST at DATE", or a decision,
    /// by the number of the call in the story or in a log of decisions.
    #[arg(long, value_name = "WHAT", value_parser = Named::parse, requires = "invocation")]
    without: Option<Named>,

    /// What the decision of --without is to be instead, as a log of decisions has it, as in '{"node": 3}'; without it, what undoes it.
    #[arg(long, value_name = "JSON", value_parser = answer, requires = "without")]
    answer: Option<Value>,

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

fn answer(text: &str) -> Result<Value, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("is no JSON: {error}; expected an answer as in \"wait\", with its quotes"))
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
    let Some(invocation) = arguments.invocation else {
        let (_, experiment) = scenario.read()?.prepare()?;
        let results = run(experiment.explained().without_records())?;
        return rank(arguments, &totals::of_results(&results)?);
    };
    let prepare = |instead: Option<Instead>| {
        // Calls are counted, so that the story can say by which numbers they are named.
        let observation = Observation { decisions: Some(Views::None), instead, ..Observation::default() };
        Ok(scenario.read()?.prepare_observed(&observation)?.1)
    };
    match &arguments.without {
        None => tell(arguments, invocation, prepare(None)?),
        Some(_) if arguments.answer.is_some() && !matches!(arguments.without, Some(Named::Call(_))) => {
            let cure = "name a decision by the number of its call";
            Err(CommandError::Usage(format!("--answer: only a decision has another answer: {cure}")))
        }
        Some(named) => compare(arguments, invocation, named, prepare),
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
    prepare: impl Fn(Option<Instead>) -> Result<Experiment, CommandError>,
) -> Result<(), CommandError> {
    let first = prepare(None)?;
    let first = match named.sought(first.about())? {
        Some(sought) => first.seeking(sought),
        None => first,
    };
    let (first, call) = match named {
        Named::Call(number) => {
            let sought = SoughtCall::of_number(*number);
            let kept = first.decide_into(Box::new(sought.clone()));
            (kept.map_err(|error| CommandError::Simulation(error.to_string()))?, Some(sought))
        }
        _ => (first, None),
    };
    let (before, stopped) = side(first.telling(invocation))?;
    warn_of_stop(stopped);
    if before.results.stories.is_empty() {
        return Err(not_requested(invocation, &before.results));
    }
    let other = match call {
        Some(call) => Other::of_call(&call, arguments.answer.clone(), &before.results.about)?,
        None => {
            let (undone, what) = named.undone(&before.results)?;
            let claim = if matches!(named, Named::Fault { .. }) { Claim::Faults } else { Claim::Start };
            Other { undone: Some(undone), instead: None, what, claim }
        }
    };
    let (after, stopped) = side(other.applied_to(prepare(other.instead.clone())?).telling(invocation))?;
    let what = other.said(&after.results)?;
    match stopped {
        // The policy has not answered so, and is not to be blamed.
        Some(stopped) if other.instead.is_some() => {
            return Err(none(format!("{what}: the simulation stopped: {stopped}")));
        }
        stopped => warn_of_stop(stopped),
    }
    let without = Without { what, claim: other.claim, before, after };
    let mut out = inside::stdout();
    if arguments.json {
        writeln!(out, "{}", to_json_of(&without.as_json()))?;
    } else {
        write!(out, "{}", without.as_text())?;
    }
    Ok(())
}

/// Runs one and gathers its latencies; and what stopped it.
fn side(experiment: Experiment) -> Result<(Side, Option<String>), CommandError> {
    let (sink, latencies) = Latencies::gather();
    let (results, stopped) = run_until_stopped(experiment.record_to(Box::new(sink), 1.0))?;
    Ok((Side { results, latencies: latencies.recv().unwrap_or_default() }, stopped))
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
    let (results, stopped) = run_until_stopped(experiment)?;
    warn_of_stop(stopped);
    Ok(results)
}

fn warn_of_stop(stopped: Option<String>) {
    stopped.iter().for_each(|stopped| eprintln!("warning: the simulation stopped: {stopped}"));
}

/// Runs it to its end, or to where it stopped, with why.
fn run_until_stopped(experiment: Experiment) -> Result<(Results, Option<String>), CommandError> {
    let stopped = Monitor::of_this_thread();
    interrupt::stops(move || stopped.interrupt(), || {});
    inside::note_simulation(experiment.about(), experiment.extent());
    let Run { results, stopped, rest, .. } = experiment.run_and_keep();
    inside::come_back();
    let stopped = match stopped {
        Some(Error::Interrupted) => return Err(CommandError::Interrupted),
        Some(error) => Some(told_in(with_date(&error, &results)).to_string()),
        None => None,
    };
    drop(rest);
    Ok((results, stopped))
}
