//! Completions and manual pages hold what the help says.

use std::fs;

use super::hearth;

/// The subcommands, without `help`, and the long options that the help of a command tells.
fn told(path: &[&str]) -> (Vec<String>, Vec<String>) {
    let output = hearth().args(path).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let names = commands.lines().filter_map(|line| line.split_whitespace().next());
    let options = help
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() > 2 && word.starts_with("--"));
    (names.filter(|name| *name != "help").map(str::to_owned).collect(), options.map(str::to_owned).collect())
}

/// All commands, as the words that call them.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        found.extend(told(&words).0.into_iter().map(|name| [path.clone(), vec![name]].concat()));
        next += 1;
    }
    found
}

#[test]
fn there_is_a_manual_page_for_every_command_with_all_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let output = hearth().arg("man").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for path in commands {
        let name = [vec!["hearth".to_owned()], path.clone()].concat().join("-");
        let page = fs::read_to_string(folder.path().join(format!("{name}.1"))).unwrap().replace("\\-", "-");
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        for option in told(&words).1 {
            assert!(page.contains(&option), "{name} is silent about {option}");
        }
    }
}

#[test]
fn every_shell_completes_all_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = hearth().args(["completions", shell]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        for word in commands().concat() {
            assert!(text.contains(&word), "{shell} does not know {word}");
        }
    }
}
