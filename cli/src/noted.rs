//! What is noted of the calls of policies in a run: the log of decisions, and what policies say themselves.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use hearth_policy_api::LogLevel;
use hearth_serverless::Error;
use hearth_serverless::decisions::{DecisionSink, DecisionWriter, Observation, Views, WrittenAs};
use hearth_serverless::experiment::Experiment;
use serde::{Deserialize, Serialize};

/// The name of the file in a folder of results into which policies log.
pub const POLICY_LOG: &str = "policy.log";

/// What is written of what calls show, as an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ViewsChoice {
    /// Nothing.
    None,
    /// A hash.
    Hash,
    /// All of it, so that `hearth policies replay` can make the calls again.
    Full,
}

/// The arguments that say what is noted.
#[derive(Debug, Args)]
pub struct NotedArguments {
    /// Write each call of each policy into this file, a line of JSON each: what it was about, what was seen, answered and asked for. The
    /// file is compressed if its name ends in .gz or .zst, and one of the results if it is in the folder of --output.
    #[arg(long, value_name = "FILE")]
    pub decisions: Option<PathBuf>,

    /// What to write into --decisions of what policies saw.
    #[arg(long, value_enum, default_value = "hash", requires = "decisions")]
    views: ViewsChoice,

    /// Write into --decisions how much real time each call took, which is another in each run.
    #[arg(long, requires = "decisions")]
    call_times: bool,

    /// Write what policies log up to this level: into policy.log in the folder of --output, or to standard error.
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    policy_log: Option<LogLevel>,
}

fn level_parser() -> impl TypedValueParser<Value = LogLevel> {
    PossibleValuesParser::new(LogLevel::ALL.map(LogLevel::name)).try_map(|name| name.parse())
}

impl NotedArguments {
    /// What they ask for.
    pub fn noted(&self) -> Noted {
        let views = match self.views {
            ViewsChoice::None => Views::None,
            ViewsChoice::Hash => Views::Hash,
            ViewsChoice::Full => Views::Full,
        };
        let decisions = self.decisions.is_some();
        Noted {
            decisions: decisions.then_some(NotedDecisions { name: None, views, is_timed: self.call_times }),
            policy_log: self.policy_log.map(|level| level.name().to_owned()),
        }
    }
}

/// The log of decisions that a run writes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotedDecisions {
    /// The name of its file, if that is in the folder of the results.
    pub name: Option<String>,
    /// What is written of what calls show.
    pub views: Views,
    /// Whether it is written how long calls take.
    pub is_timed: bool,
}

/// What is noted, as a choice of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Noted {
    /// The log of decisions, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<NotedDecisions>,
    /// Up to which level policies log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_log: Option<String>,
}

impl Noted {
    /// Whether it is nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What the experiment is asked for.
    pub fn observation(&self) -> Observation {
        let decisions = self.decisions.as_ref();
        Observation {
            decisions: decisions.map(|decisions| decisions.views),
            is_timed: decisions.is_some_and(|decisions| decisions.is_timed),
            log: self.policy_log.as_ref().and_then(|level| level.parse().ok()),
            instead: None,
        }
    }

    /// The names of its files in a folder of results.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let log = self.policy_log.is_some().then_some(POLICY_LOG);
        self.decisions_name().into_iter().chain(log)
    }

    /// The name of the log of decisions in a folder of results.
    pub fn decisions_name(&self) -> Option<&str> {
        self.decisions.as_ref()?.name.as_deref()
    }

    /// A file in which there is something that is another in each run.
    pub fn unlike_itself(&self) -> Option<&str> {
        self.decisions.as_ref().filter(|decisions| decisions.is_timed)?.name.as_deref()
    }
}

/// The log of decisions of a run, once it has one: for who ends the run where the simulation does not come back.
#[derive(Clone, Debug, Default)]
pub struct OpenDecisions(Arc<OnceLock<DecisionWriter>>);

impl OpenDecisions {
    /// Has an experiment write its decisions into a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn open(&self, experiment: Experiment, path: &Path, file: Box<dyn Write + Send>) -> Result<Experiment, Error> {
        let writer = DecisionWriter::new(file, WrittenAs::of(path));
        let experiment = experiment.decide_into(Box::new(writer.clone()))?;
        self.0.get_or_init(|| writer);
        Ok(experiment)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When the rest of it cannot be written.
    pub fn finish(&self) -> io::Result<()> {
        self.0.get().map_or(Ok(()), |writer| writer.clone().finish())
    }
}

/// Has policies log to standard error.
///
/// # Errors
/// When nothing can be written there.
pub fn log_to_standard_error(experiment: Experiment) -> Result<Experiment, Error> {
    experiment.log_into(Box::new(io::stderr()))
}

/// Has policies log into a file.
///
/// # Errors
/// When the file cannot be written.
pub fn log_to(experiment: Experiment, file: Box<dyn Write + Send>) -> Result<Experiment, Error> {
    experiment.log_into(Box::new(BufWriter::new(file)))
}
