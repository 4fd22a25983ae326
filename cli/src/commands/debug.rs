//! `hearth debug`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hearth_serverless::experiment::Debugged;
use hearth_serverless::scenario::{Override, Scenario};

use super::run::{POLICY_TIMEOUT, parse_time};
use super::selection::{ChosenScenario, ScenarioArguments};
use crate::debug::{self, Debuggable, Options};
use crate::error::CommandError;

/// The arguments of `hearth debug`.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct DebugArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,

    /// Take commands from this file, or from standard input (-), one a line, and print what comes of each. The first that is wrong ends
    /// with exit code 2, and an `expect` that does not hold with 1. So it is, too, where standard input is no terminal.
    #[arg(long, value_name = "FILE")]
    commands: Option<PathBuf>,

    /// Ask for commands line by line instead of filling the terminal.
    #[arg(long)]
    plain: bool,

    /// Give up a branch when one call of a policy takes longer than this, in seconds of real time or with a unit; 0 waits for ever.
    /// Without it, 10s.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    policy_timeout: Option<Duration>,
}

const HELP: &str = "\
Commands (`help COMMAND` says more, `?` lists the keys of the screen):
  run to 2min | run until queue > 100 | run to invocation 17 ended | step | step decision | step date
  nodes | queue | invocation 17 | containers of f | events | policy node_allocation | summary
  set keep_alive=fixed,timeout=1min      another policy, or other parameters, from this date on
  branch NAME | switch NAME | compare    other futures that begin here, side by side

  hearth debug scenario.json
  printf 'run until cold start of resize\\nqueue\\n' | hearth debug scenario.json";

impl Debuggable for ChosenScenario<'static> {
    fn with(&self, more: &[Override]) -> Result<Scenario, CommandError> {
        ChosenScenario::with(self, more)
    }

    fn prepare(&self) -> Result<Debugged, CommandError> {
        self.prepare_stepped()
    }
}

/// Debugs a scenario.
pub fn run(arguments: &DebugArguments) -> Result<(), CommandError> {
    let options = Options {
        commands: arguments.commands.clone(),
        is_plain: arguments.plain,
        policy_timeout: arguments.policy_timeout.unwrap_or(POLICY_TIMEOUT),
        is_input_taken: arguments.scenario.base.is_standard_input(),
    };
    // They are there as long as the process, as is what is debugged.
    let scenario: &'static ScenarioArguments = Box::leak(Box::new(arguments.scenario.clone()));
    debug::run(&options, &|| Ok(Box::new(scenario.read()?)))
}
