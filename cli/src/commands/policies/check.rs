//! `hearth policies check`: the test kit, on a compiled library or on what is built in.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use hearth_policy_api::boundary::loader::PolicyLibrary;
use hearth_policy_api::testkit::{self, Options};
use hearth_policy_api::{ParameterValue, PolicyDescriptor};

use super::super::run::parse_time;
use crate::error::CommandError;
use crate::isolation::inside;

/// The arguments of `hearth policies check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The library; without it, the built-in policies are checked.
    pub library: Option<PathBuf>,

    /// How many histories to try for each policy.
    #[arg(long, default_value_t = 1000)]
    cases: u32,

    /// Give up on a policy whose check takes longer than this, in seconds or with a unit.
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = parse_time)]
    timeout: Duration,
}

/// Checks every policy and says what is wrong; an error if anything is.
pub fn check(arguments: &CheckArguments) -> Result<(), CommandError> {
    let policies = match &arguments.library {
        None => hearth_plugins::BUILT_IN.to_vec(),
        Some(path) => open(path)?,
    };
    // Late enough for a clock of whole seconds to have moved on.
    let options = Options { cases: arguments.cases, later: Duration::from_millis(1100), ..Options::default() };
    let mut unsound = Vec::new();
    for policy in &policies {
        let timer = Timer::start(policy, arguments.timeout);
        inside::note_doing(&format!("while {} was checked", policy.name()));
        let outcome = testkit::check(policy, &options);
        drop(timer);
        let mut out = inside::stdout();
        let kinds: Vec<String> = policy.kinds().map(|kind| kind.to_string()).collect();
        let (name, kind) = (policy.name(), kinds.join(" and "));
        match outcome {
            Ok(()) => writeln!(out, "{name} ({kind}): no fault in {} histories", arguments.cases)?,
            Err(fault) if arguments.library.is_none() && lacks_a_text(policy) && fault.fault.starts_with(NOT_MADE) => {
                writeln!(out, "{name} ({kind}): not checked, since without parameters it {fault}")?;
            }
            Err(fault) => {
                writeln!(out, "{name} ({kind}): {fault}")?;
                unsound.push(name.to_string());
            }
        }
    }
    if unsound.is_empty() { Ok(()) } else { Err(CommandError::Unsound(unsound.join(", "))) }
}

/// How the kit says that there is nothing to check.
const NOT_MADE: &str = "cannot be made";

/// Whether a policy has a parameter that is text and empty by default, such as the path of a file that it may not do without.
fn lacks_a_text(policy: &PolicyDescriptor) -> bool {
    policy.parameters().iter().any(|parameter| parameter.default == ParameterValue::Text(String::new()))
}

fn open(path: &Path) -> Result<Vec<PolicyDescriptor>, CommandError> {
    let library = PolicyLibrary::open(path);
    let library = library.map_err(|cause| CommandError::Usage(format!("{} {cause}", path.display())))?;
    Ok(library.policies)
}

/// Ends the process when a check does not end: a call that does not come back cannot be called off.
struct Timer(#[expect(dead_code, reason = "dropping it is the signal")] mpsc::Sender<()>);

impl Timer {
    fn start(policy: &PolicyDescriptor, limit: Duration) -> Self {
        let (sender, receiver) = mpsc::channel();
        let name = policy.name().to_string();
        thread::spawn(move || {
            if receiver.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                let limit = limit.as_secs_f64();
                eprintln!("error: {name}: the check has not ended in {limit} s: a call may not come back");
                inside::leave(1);
            }
        });
        Self(sender)
    }
}
