//! What options set in a scenario: `--policy` and `--seed` as the assignments that they stand for.

use std::path::Path;

use hearth_serverless::policy::PolicySlot;
use hearth_serverless::scenario::{Override, ScenarioError};
use serde_json::json;

use crate::error::CommandError;

/// The assignment of a seed.
pub fn seed_override(seed: u64) -> Result<Override, CommandError> {
    format!("seed={seed}").parse().map_err(CommandError::Argument)
}

/// Parts of a text at the commas outside brackets and quotes.
pub fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut in_quotes) = (Vec::new(), 0, 0_i32, false);
    for (position, letter) in text.char_indices() {
        match letter {
            '"' => in_quotes = !in_quotes,
            '[' | '{' if !in_quotes => depth += 1,
            ']' | '}' if !in_quotes => depth -= 1,
            ',' if !in_quotes && depth <= 0 => {
                parts.push(&text[begin..position]);
                begin = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// `SLOT=POLICY,PARAMETER=VALUE,SLOT=POLICY…` as the assignments it stands for.
pub fn policy_overrides(choice: &str) -> Result<Vec<Override>, CommandError> {
    let mut overrides = Vec::new();
    let mut slot = None;
    for part in split_at_commas(choice) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match slot {
            Some(slot) if PolicySlot::ALL.iter().all(|other| other.path() != name) => {
                let assignment = format!("policies.{slot}.parameters.{name}={value}");
                overrides.push(assignment.parse().map_err(CommandError::Argument)?);
            }
            _ => {
                overrides.push(policy_override(part)?);
                slot = Some(name);
            }
        }
    }
    Ok(overrides)
}

/// `node_allocation=POLICY` as the assignment it stands for. The parameters of the scenario are another policy's.
fn policy_override(choice: &str) -> Result<Override, CommandError> {
    let slots: Vec<&str> = ["controller"].into_iter().chain(PolicySlot::ALL.iter().map(|slot| slot.path())).collect();
    let wrong = |problem: String| {
        CommandError::Argument(ScenarioError::Invalid { place: format!("--policy {choice:?}"), problem })
    };
    let (slot, policy) =
        choice.split_once('=').ok_or_else(|| wrong("expected SLOT=NAME or SLOT=LIBRARY".to_owned()))?;
    if !slots.contains(&slot) {
        return Err(wrong(format!("unknown slot {slot:?}: expected one of {}", slots.join(", "))));
    }
    let section = match library_and_name(policy) {
        None => json!({ "use": policy }),
        Some((library, name)) => {
            // Paths in scenarios start from the scenario, those on the command line from the current folder.
            let library = std::path::absolute(library).map_err(|error| wrong(error.to_string()))?;
            let library = library.to_str().ok_or_else(|| wrong("the path is not UTF-8 text".to_owned()))?;
            json!({ "use": name, "library": library })
        }
    };
    format!("policies.{slot}={section}").parse().map_err(CommandError::Argument)
}

/// The parts of `LIBRARY` or `LIBRARY:NAME`; `None` if it is the mere name of a policy.
fn library_and_name(policy: &str) -> Option<(&str, Option<&str>)> {
    let is_library = |path: &str| {
        path.contains(std::path::is_separator)
            || Path::new(path).extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
    };
    match policy.rsplit_once(':') {
        Some((library, name)) if is_library(library) && !name.contains(std::path::is_separator) => {
            Some((library, Some(name)))
        }
        _ if is_library(policy) => Some((policy, None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_brackets_and_quotes_part_nothing() {
        assert_eq!(split_at_commas("1,2GB,x"), ["1", "2GB", "x"]);
        assert_eq!(split_at_commas(r#"[1,2],{"a":[3,4]},"5,6""#), ["[1,2]", r#"{"a":[3,4]}"#, r#""5,6""#]);
        assert_eq!(split_at_commas(""), [""]);
    }

    #[test]
    fn policies_take_their_parameters_with_them() {
        let set = |assignment: &str| assignment.parse::<Override>().unwrap();
        let overrides = policy_overrides("keep_alive=fixed,timeout=20min,eviction.containers=lru").unwrap();
        let expected = [
            r#"policies.keep_alive={"use":"fixed"}"#,
            "policies.keep_alive.parameters.timeout=20min",
            r#"policies.eviction.containers={"use":"lru"}"#,
        ];
        assert_eq!(overrides, expected.map(set));
        let wrong = policy_overrides("timeout=20min").unwrap_err().to_string();
        assert!(wrong.contains("unknown slot \"timeout\""), "{wrong}");
    }

    #[test]
    fn a_path_is_told_from_a_name() {
        let library = |name: &str| format!("{name}.{}", std::env::consts::DLL_EXTENSION);
        assert_eq!(library_and_name("least-loaded"), None);
        assert_eq!(library_and_name("./mine"), Some(("./mine", None)));
        assert_eq!(library_and_name(&library("mine")), Some((library("mine").as_str(), None)));
        let named = format!("{}:best", library("a/mine"));
        assert_eq!(library_and_name(&named), Some((library("a/mine").as_str(), Some("best"))));
    }
}
