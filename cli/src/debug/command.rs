//! What can be said to the debugger, as text: a word, and what it is about.

use std::path::PathBuf;

use hearth_serverless::policy::PolicySlot;
use hearth_simcore::time::{SimDuration, SimTime};
use hearth_simcore::units::{self, Dimension};

/// What is said.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Go on by so many of these.
    Step(Unit, u64),
    /// Go on to there.
    Run(Goal),
    /// Stop wherever this condition holds.
    Break(String),
    /// Say where it is stopped.
    Breaks,
    /// Stop there no more: the number of one, or all of them.
    Delete(Option<usize>),
    /// Fail unless this condition holds.
    Expect(String),
    /// Where the simulation is, and what has happened last.
    Where,
    /// All nodes.
    Nodes,
    /// A node by its name.
    Node(String),
    /// Who waits, so many at the most.
    Queue(usize),
    /// An invocation.
    Invocation(u64),
    /// Containers: of a function, on a node.
    Containers(Option<String>, Option<String>),
    /// What is to come, so much at the most.
    Events(usize),
    /// The policies.
    Policies,
    /// What the policy in a slot saw and answered last.
    Policy(PolicySlot),
    /// What has come of it so far.
    Summary,
    /// Write the invocations that have ended into a file.
    Save(PathBuf),
    /// Another policy from now on, as `--policy` names it.
    Set(String),
    /// Another future that begins here, of this name.
    Branch(String),
    /// All branches.
    Branches,
    /// Go on with another branch.
    Switch(String),
    /// Branches side by side: these, or all.
    Compare(Vec<String>),
    /// Give up a branch.
    Drop(String),
    /// What can be said: all, or one command.
    Help(Option<String>),
    /// End.
    Quit,
}

/// What is stepped by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Event,
    Decision,
    Date,
}

/// Where to go on to.
#[derive(Clone, PartialEq, Debug)]
pub enum Goal {
    End,
    Date(SimTime),
    For(SimDuration),
    Until(String),
}

/// A command, its other names, what follows it, and what it does.
pub struct Described {
    pub name: &'static str,
    pub others: &'static [&'static str],
    pub usage: &'static str,
    pub does: &'static str,
}

const fn described(
    name: &'static str,
    others: &'static [&'static str],
    usage: &'static str,
    does: &'static str,
) -> Described {
    Described { name, others, usage, does }
}

/// All commands, as help lists them.
pub const COMMANDS: [Described; 24] = [
    described(
        "step",
        &["s"],
        "[N] [event | decision | date]",
        "go on by an event, to the next call of a policy, or by all of the next date",
    ),
    described(
        "run",
        &["r", "continue", "c"],
        "[to DATE | for TIME | until CONDITION | to end]",
        "go on to there; without anything, to the end",
    ),
    described("break", &["b"], "CONDITION", "stop wherever this holds, whatever is run to"),
    described("breaks", &[], "", "list these conditions"),
    described("delete", &[], "N | all", "stop there no more"),
    described("where", &["w"], "", "the date, and what has happened in the last event"),
    described("nodes", &["n"], "", "all nodes: cores, RAM, disk, containers"),
    described("node", &[], "NAME", "a node with its containers and images"),
    described("queue", &["q"], "[N]", "who waits, since when, and for what"),
    described("invocation", &["i"], "NUMBER", "an invocation: its states so far, and what it waits for"),
    described("containers", &[], "[of FUNCTION] [on NODE]", "containers, and whose they are"),
    described("events", &["e"], "[N]", "what is to come"),
    described("policies", &[], "", "the policies that are there now"),
    described("policy", &["p"], "SLOT", "what the policy there saw in its last call, and what it answered"),
    described("summary", &[], "", "what has come of it so far"),
    described("save", &[], "FILE", "write the invocations that have ended, as invocations.csv of a run"),
    described("set", &[], "SLOT=POLICY[,PARAMETER=VALUE…]", "another policy, or other parameters, from this date on"),
    described("branch", &[], "NAME", "another future that begins here; go on in it"),
    described("branches", &[], "", "list the branches"),
    described("switch", &[], "NAME", "go on in another branch"),
    described("compare", &[], "[NAME…]", "branches side by side, and who won or lost"),
    described("drop", &[], "NAME", "give up a branch"),
    described("expect", &[], "CONDITION", "fail unless this holds now: for scripts"),
    described("quit", &["exit", "x"], "", "end"),
];

/// So many lines of a list, unless another number is asked for.
pub const USUAL_LENGTH: usize = 20;

/// What is wrong with a command.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misread(pub String);

fn misread<T>(problem: impl Into<String>) -> Result<T, Misread> {
    Err(Misread(problem.into()))
}

impl Command {
    /// Reads a line; `None` if it says nothing, or is a remark that begins with `#`.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn read(line: &str) -> Result<Option<Self>, Misread> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let is_it = |described: &&Described| described.name == word || described.others.contains(&word);
        let Some(described) = COMMANDS.iter().find(is_it) else {
            return match word {
                "help" | "h" | "?" => Ok(Some(Self::Help((!rest.is_empty()).then(|| rest.to_owned())))),
                _ => {
                    let known = COMMANDS.iter().map(|described| described.name).chain(["help"]);
                    let meant = hearth_serverless::scenario::did_you_mean(word, known);
                    let cure = if meant.is_empty() { ": `help` lists the commands" } else { &meant };
                    misread(format!("unknown command {word:?}{cure}"))
                }
            };
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let usage = || Misread(format!("expected `{} {}`, found {rest:?}", described.name, described.usage));
        let alone = |command: Self| if words.is_empty() { Ok(command) } else { Err(usage()) };
        let name = |command: fn(String) -> Self| match unquoted(rest) {
            "" => Err(usage()),
            name => Ok(command(name.to_owned())),
        };
        let length = || match words.as_slice() {
            [] => Ok(USUAL_LENGTH),
            [number] => number.parse().map_err(|_| usage()),
            _ => Err(usage()),
        };
        Ok(Some(match described.name {
            "step" => step(&words).ok_or_else(usage)?,
            "run" => Self::Run(goal(rest).map_err(|problem| problem.unwrap_or_else(usage))?),
            "break" => name(Self::Break)?,
            "breaks" => alone(Self::Breaks)?,
            "delete" if rest == "all" => Self::Delete(None),
            "delete" => Self::Delete(Some(rest.parse().map_err(|_| usage())?)),
            "where" => alone(Self::Where)?,
            "nodes" => alone(Self::Nodes)?,
            "node" => name(Self::Node)?,
            "queue" => Self::Queue(length()?),
            "invocation" => Self::Invocation(rest.parse().map_err(|_| usage())?),
            "containers" => containers(rest).ok_or_else(usage)?,
            "events" => Self::Events(length()?),
            "policies" => alone(Self::Policies)?,
            "policy" => Self::Policy(slot(rest)?),
            "summary" => alone(Self::Summary)?,
            "save" => name(|file| Self::Save(file.into()))?,
            "set" => name(Self::Set)?,
            "branch" => Self::Branch(branch_name(rest).ok_or_else(usage)?),
            "branches" => alone(Self::Branches)?,
            "switch" => name(Self::Switch)?,
            "compare" => Self::Compare(words.into_iter().map(str::to_owned).collect()),
            "drop" => name(Self::Drop)?,
            "expect" => name(Self::Expect)?,
            _ => alone(Self::Quit)?,
        }))
    }
}

fn unquoted(text: &str) -> &str {
    // A condition may begin and end with a name in quotes, and holds more of them then.
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) if !inner.contains('"') => inner,
        _ => text,
    }
}

fn branch_name(text: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    (!text.is_empty() && text.chars().all(is_plain)).then(|| text.to_owned())
}

fn step(words: &[&str]) -> Option<Command> {
    let unit = |word: &str| match word {
        "event" | "events" => Some(Unit::Event),
        "decision" | "decisions" => Some(Unit::Decision),
        "date" | "dates" => Some(Unit::Date),
        _ => None,
    };
    let number = |word: &str| word.parse().ok().filter(|number| *number > 0);
    match words {
        [] => Some(Command::Step(Unit::Event, 1)),
        [word] => match unit(word) {
            Some(unit) => Some(Command::Step(unit, 1)),
            None => Some(Command::Step(Unit::Event, number(word)?)),
        },
        [first, second] => match unit(first) {
            Some(unit) => Some(Command::Step(unit, number(second)?)),
            None => Some(Command::Step(unit(second)?, number(first)?)),
        },
        _ => None,
    }
}

/// Where to go on to; the error is that of the place, if there is something to say about it.
fn goal(text: &str) -> Result<Goal, Option<Misread>> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match (word, rest) {
        ("", _) => Ok(Goal::End),
        ("to", "end" | "the end") => Ok(Goal::End),
        ("until", condition) if !condition.is_empty() => Ok(Goal::Until(condition.to_owned())),
        ("to", place) if place.starts_with("invocation") => {
            let has_milestone = place.split_whitespace().count() > 2;
            Ok(Goal::Until(if has_milestone { place.to_owned() } else { format!("{place} requested") }))
        }
        ("to", date) => Ok(Goal::Date(SimTime::from_secs_f64(seconds(date)?))),
        ("for", time) => Ok(Goal::For(SimDuration::from_secs_f64(seconds(time)?))),
        _ => Err(None),
    }
}

fn seconds(text: &str) -> Result<f64, Option<Misread>> {
    units::parse(text, Dimension::Time).map_err(|error| Some(Misread(error.to_string())))
}

fn containers(text: &str) -> Option<Command> {
    let (mut function, mut node, mut rest) = (None, None, text);
    while !rest.is_empty() {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        let after = after.trim_start();
        let (name, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        match word {
            "of" if function.is_none() => function = Some(name.to_owned()),
            "on" if node.is_none() => node = Some(name.to_owned()),
            _ => return None,
        }
        rest = left.trim_start();
    }
    Some(Command::Containers(function, node))
}

fn slot(text: &str) -> Result<PolicySlot, Misread> {
    let found = PolicySlot::ALL.into_iter().find(|slot| slot.path() == text);
    found.ok_or_else(|| {
        let slots = PolicySlot::ALL.map(PolicySlot::path).join(", ");
        Misread(format!("expected a slot, found {text:?}: there are {slots}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Command {
        Command::read(line).unwrap().unwrap()
    }

    fn wrong(line: &str) -> String {
        Command::read(line).unwrap_err().to_string()
    }

    #[test]
    fn what_is_said_is_read_in_all_its_forms() {
        assert_eq!(Command::read("  "), Ok(None));
        assert_eq!(Command::read("# a remark"), Ok(None));
        assert_eq!(read("s"), Command::Step(Unit::Event, 1));
        assert_eq!(read("step 5"), Command::Step(Unit::Event, 5));
        assert_eq!(read("step decision"), Command::Step(Unit::Decision, 1));
        assert_eq!(read("step 2 dates"), Command::Step(Unit::Date, 2));
        assert_eq!(read("step date 2"), Command::Step(Unit::Date, 2));
        assert_eq!(read("run"), Command::Run(Goal::End));
        assert_eq!(read("run to 2min"), Command::Run(Goal::Date(SimTime::from_secs_f64(120.0))));
        assert_eq!(read("run for 1.5"), Command::Run(Goal::For(SimDuration::from_secs_f64(1.5))));
        assert_eq!(read("c until queue > 3"), Command::Run(Goal::Until("queue > 3".to_owned())));
        assert_eq!(read("run to invocation 7"), Command::Run(Goal::Until("invocation 7 requested".to_owned())));
        assert_eq!(read("run to invocation 7 ended"), Command::Run(Goal::Until("invocation 7 ended".to_owned())));
        assert_eq!(
            read("containers on node-1 of \"a b\""),
            Command::Containers(Some("a b".into()), Some("node-1".into()))
        );
        assert_eq!(read("policy eviction.containers"), Command::Policy(PolicySlot::Containers));
        assert_eq!(read("compare a b"), Command::Compare(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read("delete all"), Command::Delete(None));
        assert_eq!(read("? run"), Command::Help(Some("run".to_owned())));
        assert_eq!(read("node \"a b\""), Command::Node("a b".to_owned()));
        assert_eq!(read("break cold start of \"f\""), Command::Break("cold start of \"f\"".to_owned()));
    }

    #[test]
    fn what_is_not_understood_is_said_with_what_was_expected() {
        assert_eq!(wrong("stop"), "unknown command \"stop\": did you mean \"step\"?");
        assert_eq!(wrong("fly away"), "unknown command \"fly\": `help` lists the commands");
        assert_eq!(wrong("step sideways"), "expected `step [N] [event | decision | date]`, found \"sideways\"");
        assert_eq!(wrong("step 0"), "expected `step [N] [event | decision | date]`, found \"0\"");
        assert!(wrong("run to 5parsecs").contains("parsecs"), "{}", wrong("run to 5parsecs"));
        assert!(wrong("run to -1").contains("-1"), "{}", wrong("run to -1"));
        assert!(wrong("run away").starts_with("expected `run "));
        assert!(wrong("nodes all").starts_with("expected `nodes "));
        assert!(
            wrong("policy everywhere").contains("there are admission, node_allocation"),
            "{}",
            wrong("policy everywhere")
        );
        assert!(wrong("branch a b").starts_with("expected `branch NAME`"));
        assert!(wrong("containers of").starts_with("expected `containers "));
    }

    #[test]
    fn each_command_is_read_by_each_of_its_names() {
        for described in &COMMANDS {
            for name in [described.name].iter().chain(described.others) {
                let with_nothing = Command::read(name);
                let with_something = Command::read(&format!("{name} 1"));
                assert!(with_nothing.is_ok() || with_something.is_ok() || described.name == "policy", "{name}");
            }
        }
    }
}
