//! What options set in a scenario: `--policy` and `--seed` as the assignments that they stand for.

use std::borrow::Cow;
use std::path::Path;

use hearth_serverless::policy::{PolicySlot, split_at_commas};
use hearth_serverless::scenario::{Override, ScenarioError};
use serde_json::json;

use crate::error::CommandError;

/// The assignment of a seed.
pub fn seed_override(seed: u64) -> Result<Override, CommandError> {
    format!("seed={seed}").parse().map_err(CommandError::Argument)
}

/// What has a policy in a scenario, as `--policy` names it.
fn slots() -> impl Iterator<Item = &'static str> {
    ["controller"].into_iter().chain(PolicySlot::ALL.iter().map(|slot| slot.path()))
}

fn wrong(choice: &str, problem: impl Into<String>) -> CommandError {
    CommandError::Argument(ScenarioError::Invalid { place: format!("--policy {choice:?}"), problem: problem.into() })
}

/// `SLOT=POLICY,PARAMETER=VALUE,SLOT=POLICY…` as the assignments it stands for.
pub fn policy_overrides(choice: &str) -> Result<Vec<Override>, CommandError> {
    let mut overrides = Vec::new();
    let mut slot = None;
    for part in split_at_commas(choice) {
        let (name, value) = match part.split_once('=') {
            Some(parts) => parts,
            None if slot.is_some() => {
                let cure =
                    "a path with a comma or a colon stands in double quotes, as in node_allocation=\"a,b.so\":name";
                let problem = format!("found {part:?} after a comma, expected PARAMETER=VALUE or SLOT=POLICY; {cure}");
                return Err(wrong(choice, problem));
            }
            None => (part, ""),
        };
        match slot {
            Some(slot) if slots().all(|other| other != name) => {
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
    let (slot, policy) = choice.split_once('=').ok_or_else(|| wrong(choice, "expected SLOT=NAME or SLOT=LIBRARY"))?;
    if slots().all(|other| other != slot) {
        let known = slots().collect::<Vec<_>>().join(", ");
        return Err(wrong(choice, format!("unknown slot {slot:?}: expected one of {known}")));
    }
    let section = match library_and_name(policy).map_err(|problem| wrong(choice, problem))? {
        None => json!({ "use": policy }),
        Some((library, name)) => {
            // Paths in scenarios start from the scenario, those on the command line from the current folder.
            let library = std::path::absolute(&*library).map_err(|error| wrong(choice, error.to_string()))?;
            let library = library.to_str().ok_or_else(|| wrong(choice, "the path is not UTF-8 text"))?;
            json!({ "use": name, "library": library })
        }
    };
    format!("policies.{slot}={section}").parse().map_err(CommandError::Argument)
}

/// A library, and the name of a policy in it.
pub type LibraryAndName<'a> = (Cow<'a, str>, Option<&'a str>);

/// The parts of `LIBRARY` or `LIBRARY:NAME`; `None` if it is the mere name of a policy. A library may stand in double quotes, of which
/// two stand for one.
pub fn library_and_name(policy: &str) -> Result<Option<LibraryAndName<'_>>, &'static str> {
    if let Some(quoted) = policy.strip_prefix('"') {
        let (mut library, mut rest) = (String::new(), quoted);
        let after = loop {
            let (part, after) = rest.split_once('"').ok_or("the path has no closing quote")?;
            library += part;
            match after.strip_prefix('"') {
                Some(more) => (library, rest) = (library + "\"", more),
                None => break after,
            }
        };
        return match (after, library.is_empty()) {
            (_, true) => Err("there is no path between the quotes"),
            ("", _) => Ok(Some((library.into(), None))),
            (rest, _) => match rest.strip_prefix(':') {
                Some(name) if !name.is_empty() => Ok(Some((library.into(), Some(name)))),
                _ => Err("expected nothing or :NAME after the closing quote"),
            },
        };
    }
    let is_library = |path: &str| {
        path.contains(std::path::is_separator)
            || Path::new(path).extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
    };
    // What stands before the colon of a drive is no library, and what follows it no name.
    Ok(match policy.rsplit_once(':') {
        Some((library, name)) if is_library(library) && !name.contains(std::path::is_separator) => {
            Some((library.into(), Some(name)))
        }
        _ if is_library(policy) => Some((policy.into(), None)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let parts = |policy: &str| {
            let parts = library_and_name(policy).unwrap();
            parts.map(|(library, name)| (library.into_owned(), name.map(str::to_owned)))
        };
        let path = |library: &str| Some((library.to_owned(), None));
        let named = |library: &str, name: &str| Some((library.to_owned(), Some(name.to_owned())));
        assert_eq!(parts("least-loaded"), None);
        assert_eq!(parts("./mine"), path("./mine"));
        assert_eq!(parts(&library("mine")), path(&library("mine")));
        assert_eq!(parts(&format!("{}:best", library("a/mine"))), named(&library("a/mine"), "best"));
        // The drives of Windows.
        assert_eq!(parts(&library("C:/a/mine")), path(&library("C:/a/mine")));
        assert_eq!(parts(&library("C:mine")), path(&library("C:mine")));
        assert_eq!(parts(&format!("{}:best", library("C:/mine"))), named(&library("C:/mine"), "best"));
    }

    #[test]
    fn paths_in_quotes_may_hold_colons_commas_and_quotes() {
        let overrides = |choice: &str| {
            let overrides = policy_overrides(choice).map_err(|error| error.to_string())?;
            let parts = |of: &Override| {
                let value = serde_json::from_str::<serde_json::Value>(of.parts().1).unwrap_or_default();
                (of.parts().0.to_owned(), value)
            };
            Ok::<_, String>(overrides.iter().map(parts).collect::<Vec<_>>())
        };
        let section = |path: &str, name: Option<&str>| json!({ "use": name, "library": path });
        let allocation = |path, name| ("policies.node_allocation".to_owned(), section(path, name));
        for (choice, path, name) in [
            (r#""/a:b,c.so":name"#, "/a:b,c.so", Some("name")),
            (r#""/a:b,c.so""#, "/a:b,c.so", None),
            (r#""/a""b.so""#, "/a\"b.so", None),
            (r#""/a""""""#, "/a\"\"", None),
            (r#""/[a{b=c":x"#, "/[a{b=c", Some("x")),
        ] {
            let set = overrides(&format!("node_allocation={choice}"));
            assert_eq!(set, Ok(vec![allocation(path, name)]), "{choice}");
        }
        let set = overrides(r#"node_allocation="/a,b.so":x,window=5,controller="/d:e.so""#).unwrap();
        assert_eq!(set[0], allocation("/a,b.so", Some("x")));
        assert_eq!(set[1], ("policies.node_allocation.parameters.window".to_owned(), json!(5)));
        assert_eq!(set[2], ("policies.controller".to_owned(), section("/d:e.so", None)));
        for (choice, problem) in [
            (r#"node_allocation="/a"#, "the path has no closing quote"),
            (r#"node_allocation="""#, "there is no path between the quotes"),
            (r#"node_allocation="/a"b"#, "expected nothing or :NAME after the closing quote"),
            (r#"node_allocation="/a":"#, "expected nothing or :NAME after the closing quote"),
            (
                "node_allocation=/a,b.so",
                "found \"b.so\" after a comma, expected PARAMETER=VALUE or SLOT=POLICY; a path ",
            ),
        ] {
            let said = overrides(choice).unwrap_err();
            assert!(said.starts_with("--policy ") && said.contains(problem), "{choice}: {said}");
        }
    }
}
