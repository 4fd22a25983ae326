//! `hearth policies replay`: a policy is called again as a log of decisions says, and its answers are compared.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hearth_policy_api::PolicySlot;
use hearth_serverless::decisions::Decision;
use hearth_serverless::experiment::open_decisions;
use hearth_serverless::policy::{ParameterMap, PolicyChoice, Replay, ReplayError, Replayed};
use serde_json::Value;

use super::super::selection::PluginArguments;
use crate::assignment::library_and_name;
use crate::error::CommandError;
use crate::isolation::inside;

/// The arguments of `hearth policies replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The policy: a library, as in ./libmine.so or ./libmine.so:name, or the name of one that is built in.
    policy: String,

    /// A log of decisions with full views, of `hearth run --decisions FILE --views full`.
    log: PathBuf,

    /// The slot of the log in which it serves. Without it, all those that have a policy of its name there, or the only one of its kind.
    #[arg(long, value_parser = parse_slot)]
    slot: Option<PolicySlot>,

    /// Set this parameter to this value, instead of that of the log.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    parameters: Vec<(String, Value)>,

    #[command(flatten)]
    plugins: PluginArguments,
}

fn parse_slot(path: &str) -> Result<PolicySlot, String> {
    let known = || PolicySlot::ALL.map(PolicySlot::path).join(", ");
    let slot = PolicySlot::ALL.into_iter().find(|slot| slot.path() == path);
    slot.ok_or_else(|| format!("unknown slot: expected one of {}", known()))
}

fn parse_parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

impl ReplayArguments {
    /// Whether libraries may be opened.
    pub fn may_open_libraries(&self) -> bool {
        self.plugins.are_there() || !matches!(library_and_name(&self.policy), Ok(None))
    }

    /// The folders that are searched for policies.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.plugins.all_folders()
    }

    fn choice(&self) -> Result<PolicyChoice, CommandError> {
        let wrong = |problem: &str| CommandError::Usage(format!("{}: {problem}", self.policy));
        let parameters: ParameterMap = self.parameters.iter().cloned().collect();
        Ok(match library_and_name(&self.policy).map_err(wrong)? {
            None => PolicyChoice { parameters, ..PolicyChoice::named(&self.policy) },
            Some((library, name)) => {
                PolicyChoice { name: name.map(str::to_owned), library: Some((*library).into()), parameters }
            }
        })
    }
}

/// Calls it again; an error if something else comes of a call.
pub fn replay(arguments: &ReplayArguments) -> Result<(), CommandError> {
    let file = arguments.log.display();
    let wrong = |error: ReplayError| match error {
        ReplayError::Log(_) | ReplayError::Views(_) => CommandError::Usage(format!("{file}: {error}")),
        ReplayError::NoSlot { .. } | ReplayError::EmptySlot { .. } => {
            CommandError::Usage(format!("--slot: {file}: {error}"))
        }
        error => CommandError::Usage(error.to_string()),
    };
    let replay = Replay { policy: arguments.choice()?, slot: arguments.slot };
    let log = open_decisions(&arguments.log).map_err(|error| wrong(error.into()))?;
    inside::note_doing(&format!("while {} was replayed", arguments.policy));
    let Replayed { policy, slots, same, difference } = replay.run(&arguments.plugins.catalog(), log).map_err(wrong)?;
    let slots: Vec<&str> = slots.iter().map(|slot| slot.path()).collect();
    let calls = |count: u64| if count == 1 { "1 call".to_owned() } else { format!("{count} calls") };
    let Some(difference) = difference else {
        let (same, slots) = (calls(same), slots.join(", "));
        writeln!(inside::stdout(), "{policy} in {slots}: {same} of {file} made again, all with the same answers.")?;
        return Ok(());
    };
    let then = &difference.then;
    let same = calls(same);
    let (was, is) = (then.answered(), difference.now.answered());
    let seen = shown(then);
    Err(CommandError::AnswersDiffer(format!(
        "{policy} answers otherwise, after {same} with the same answers\n  {then}\n  saw      {seen}\n  answered {was}\n  now      {is}"
    )))
}

/// What was shown, or the begin of it.
fn shown(decision: &Decision) -> String {
    const MOST: usize = 2_000;
    let seen = decision.seen.as_ref().map_or("nothing", |seen| seen.get());
    match seen.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}… (line {} of the log has all)", &seen[..end], decision.number + 1),
        None => seen.to_owned(),
    }
}
