//! `hearth policies check`: the test kit, on a compiled library or on what is built in.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use hearth_policy_api::boundary::loader::PolicyLibrary;
use hearth_policy_api::testkit::{self, Claim, FaultKind, Options, SecondProcess};
use hearth_policy_api::{Claims, ParameterError, ParameterValue, Parameters, PolicyDescriptor};
use hearth_serverless::policy::set_parameter;
use hearth_serverless::scenario::did_you_mean;
use serde_json::Value;

use super::super::run::parse_time;
use crate::error::CommandError;
use crate::isolation::{inside, own_arguments};
use crate::program;

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

    /// Play all histories of the policies that have this parameter with this value of it, and the defaults of the others; with
    /// POLICY.NAME=VALUE those of one policy alone. Without it some histories are played with values that are drawn.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    parameters: Vec<Given>,

    /// Play histories again so long after the first time, in seconds or with a unit: answers from a clock differ then. With what is
    /// taken without it, those from a clock of whole seconds do; with 61s, those from one of minutes.
    #[arg(long, value_name = "TIME", default_value = "1100ms", value_parser = parse_time)]
    later: Duration,

    /// Do not hold the policies to this promise, whatever they say themselves.
    #[arg(long = "waive", value_name = "CLAIM", value_parser = parse_claim)]
    waived: Vec<Claim>,

    /// Play the histories of the policy in this position alone, in the second process of a check.
    #[arg(long, value_name = "POSITION", hide = true)]
    pub play: Option<usize>,
}

/// Checks every policy and says what is wrong; an error if anything is.
pub fn check(arguments: &CheckArguments) -> Result<(), CommandError> {
    let policies = match &arguments.library {
        None => hearth_plugins::BUILT_IN.to_vec(),
        Some(path) => open(path)?,
    };
    if let Some(position) = arguments.play {
        return policies.get(position).map_or(Ok(()), |policy| play(policy, arguments));
    }
    arguments.parameters.iter().try_for_each(|given| given.find(&policies))?;
    let mut unsound = Vec::new();
    for (position, policy) in policies.iter().enumerate() {
        let options = Options { second_process: second_process(position), ..options(policy, arguments)? };
        let timer = Timer::start(policy, arguments.timeout);
        inside::note_doing(&format!("while {} was checked", policy.name()));
        let outcome = testkit::check(policy, &options);
        drop(timer);
        let mut out = inside::stdout();
        let kinds: Vec<String> = policy.kinds().map(|kind| kind.to_string()).collect();
        let (name, kind) = (policy.name(), kinds.join(" and "));
        match outcome {
            Ok(()) => writeln!(out, "{name} ({kind}): no fault in {} histories", arguments.cases)?,
            Err(fault)
                if arguments.library.is_none()
                    && fault.kind == FaultKind::NotMade
                    && lacks_a_text(policy, &options) =>
            {
                writeln!(out, "{name} ({kind}): not checked, since without parameters it {}", fault.fault)?;
            }
            Err(fault) => {
                writeln!(out, "{name} ({kind}): {fault}")?;
                unsound.push(name.to_string());
            }
        }
    }
    if unsound.is_empty() { Ok(()) } else { Err(CommandError::Unsound(unsound.join(", "))) }
}

/// How a policy is checked.
fn options(policy: &PolicyDescriptor, arguments: &CheckArguments) -> Result<Options, CommandError> {
    let mut parameters = Parameters::defaults(&policy.parameters());
    let given: Vec<&Given> = arguments.parameters.iter().filter(|given| given.is_of(policy)).collect();
    for Given { name, value, text, .. } in &given {
        set_to(&mut parameters, name, value)
            .map_err(|error| CommandError::Usage(format!("--parameter {text}: {}: {error}", policy.name())))?;
    }
    let waive = |claims: Claims| arguments.waived.iter().fold(claims, |claims, claim| claim.taken_from(claims));
    Ok(Options {
        cases: arguments.cases,
        later: arguments.later,
        parameters: (!given.is_empty()).then_some(parameters),
        claims: Some(waive(policy.claims())),
        second_process: None,
    })
}

/// Sets a parameter to what is written, which is a word or a value as in a scenario.
fn set_to(parameters: &mut Parameters, name: &str, text: &str) -> Result<(), ParameterError> {
    let as_text = set_parameter(parameters, name, &Value::String(text.to_owned()));
    match (as_text, serde_json::from_str::<Value>(text)) {
        (Err(_), Ok(value)) => set_parameter(parameters, name, &value),
        (as_text, _) => as_text,
    }
}

/// A value that is given for a parameter, of one policy or of all that have it.
#[derive(Clone, Debug)]
struct Given {
    policy: Option<String>,
    name: String,
    value: String,
    /// As it was written.
    text: String,
}

impl Given {
    fn is_of(&self, policy: &PolicyDescriptor) -> bool {
        self.policy.as_ref().is_none_or(|name| name == policy.name())
            && policy.parameters().iter().any(|parameter| parameter.name == self.name)
    }

    /// Some policy must have the parameter.
    fn find(&self, policies: &[PolicyDescriptor]) -> Result<(), CommandError> {
        if policies.iter().any(|policy| self.is_of(policy)) {
            return Ok(());
        }
        let is_meant = |policy: &&PolicyDescriptor| self.policy.as_ref().is_none_or(|name| name == policy.name());
        let all = policies.iter().filter(is_meant).flat_map(PolicyDescriptor::parameters);
        let mut known: Vec<String> = all.map(|parameter| parameter.name).collect();
        known.sort_unstable();
        known.dedup();
        let hint = did_you_mean(&self.name, known.iter().map(String::as_str));
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(CommandError::Usage(format!("--parameter {}: no policy here has it; there are {known}{hint}", self.text)))
    }
}

fn parse_parameter(text: &str) -> Result<Given, String> {
    let (place, value) = text.split_once('=').ok_or("expected NAME=VALUE or POLICY.NAME=VALUE")?;
    let (policy, name) = match place.split_once('.') {
        Some((policy, name)) => (Some(policy.to_owned()), name),
        None => (None, place),
    };
    Ok(Given { policy, name: name.to_owned(), value: value.to_owned(), text: text.to_owned() })
}

fn parse_claim(text: &str) -> Result<Claim, String> {
    let wanted = text.replace('-', "_");
    let fields = || Claim::ALL.map(Claim::field);
    Claim::ALL
        .into_iter()
        .find(|claim| claim.field() == wanted)
        .ok_or_else(|| format!("expected one of {}{}", fields().join(", "), did_you_mean(&wanted, fields())))
}

/// This program again, with the same arguments, for the policy in a position.
fn second_process(position: usize) -> Option<SecondProcess> {
    let (program, words) = program::again().ok()?;
    let own = [OsString::from("--play"), OsString::from(position.to_string())];
    let arguments = words.into_iter().chain(own_arguments()).chain(own).collect();
    Some(SecondProcess::new(program, arguments, Vec::new()))
}

/// The second process of a check.
fn play(policy: &PolicyDescriptor, arguments: &CheckArguments) -> Result<(), CommandError> {
    let _timer = Timer::start(policy, arguments.timeout);
    testkit::hand_over(policy, &options(policy, arguments)?);
    Ok(())
}

/// Whether a policy has a parameter that is text and empty, such as the path of a file that it may not do without.
fn lacks_a_text(policy: &PolicyDescriptor, options: &Options) -> bool {
    options.parameters.is_none()
        && policy.parameters().iter().any(|parameter| parameter.default == ParameterValue::Text(String::new()))
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
