//! Policies to start from in other languages than Rust: those of `examples/policies`, of which the sections of other kinds are
//! left out, beside the header that this program carries.

use clap::ValueEnum;
use hearth_policy_api::carried;

use super::kind::Kind;

/// The languages of policies, as arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Language {
    /// A crate.
    Rust,
    /// A file in C.
    C,
    /// A file in C++20.
    Cpp,
    /// A file in Zig.
    Zig,
    /// A package in Go, with its tables in C.
    Go,
}

/// What a folder is to have.
pub struct Start {
    /// Names and contents.
    pub files: Vec<(&'static str, String)>,
    /// What makes the library `policy.so` of it, given in the folder.
    pub command: String,
}

/// What sections of a source begin with.
const SECTION: &str = "// ---- ";

impl Kind {
    /// What the title of its section in a source begins with, the policy there, and what the list of exported ones has for it in C
    /// and in Zig.
    fn section(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::NodeAllocation => ("Node allocation:", "first-fit", "&first_fit", "&FirstFit.policy"),
            Self::Eviction => ("Eviction:", "lru", "&lru", "&Lru.policy"),
            Self::Admission => ("Admission:", "queue-limit", "&queue_limit", "&QueueLimit.policy"),
            Self::KeepAlive => ("Keep-alive:", "fixed", "&fixed", "&Fixed.policy"),
            Self::Autoscaling => ("Autoscaling:", "concurrency", "&concurrency", "&Concurrency.policy"),
        }
    }
}

impl Language {
    /// A policy of a kind under a name; nothing for Rust, which has templates of its own.
    pub fn start(self, name: &str, kind: Kind) -> Option<Start> {
        let sources: &[(&str, &str)] = match self {
            Self::Rust => return None,
            Self::C => &[("policy.c", include_str!("../../../templates/policies.c"))],
            Self::Cpp => &[("policy.cpp", include_str!("../../../templates/policies.cpp"))],
            Self::Zig => &[("policy.zig", include_str!("../../../templates/policies.zig"))],
            Self::Go => &[
                ("policy.go", include_str!("../../../templates/policies.go")),
                ("policy.c", include_str!("../../../templates/policies-of-go.c")),
            ],
        };
        let mut files: Vec<(&str, String)> =
            sources.iter().map(|(file, source)| (*file, of_kind(source, name, kind))).collect();
        let command = files.first().map(|(_, source)| command(source)).unwrap_or_default();
        files.push(("hearth_policy.h", carried::HEADER.to_owned()));
        if self == Self::Go {
            files.push(("go.mod", format!("module example.org/{name}\n\ngo 1.19\n")));
        }
        files.push((".gitignore", "/policy.so\n/policy.h\n/hearth_policy.zig\n".to_owned()));
        files.push(("README.md", readme(name, kind, &command)));
        Some(Start { files, command })
    }
}

/// A source with the policy of one kind alone, under another name, and with the header in its own folder.
fn of_kind(source: &str, name: &str, kind: Kind) -> String {
    let (title, old_name, in_c, in_zig) = kind.section();
    let mut sections = source.split(SECTION);
    let mut text = sections.next().unwrap_or_default().to_owned();
    let others = Kind::ALL.into_iter().filter(|other| *other != kind).map(|other| other.section().0);
    let others: Vec<&str> = others.collect();
    for section in sections.filter(|section| !others.iter().any(|other| section.starts_with(other))) {
        text.push_str(SECTION);
        text.push_str(section);
    }
    // Go does not compile what is imported and not used.
    if !text.contains("list.List") {
        text = text.replace("\t\"container/list\"\n", "");
    }
    let all_of = |pick: fn(Kind) -> &'static str| Kind::ALL.map(pick).join(", ");
    text.replace(&all_of(|kind| kind.section().2), in_c)
        .replace(&all_of(|kind| kind.section().3), in_zig)
        .replace("A policy of each kind in ", &format!("The policy {name} in "))
        .replace(
            ": the built-in first-fit, lru, queue-limit, fixed and concurrency, to the byte.",
            &format!(", which begins as {old_name}."),
        )
        .replace("put one of its policies into a slot", "put its policy into a slot")
        .replace("--policy node_allocation=./policies.so", &format!("--policy {}=./policy.so", kind.slot()))
        .replace("-I ../../../policy-api/include", "-I .")
        .replace("-I${SRCDIR}/../../../policy-api/include", "-I${SRCDIR}")
        .replace("../../../policy-api/include/hearth_policy.h", "hearth_policy.h")
        .replace("policies.so", "policy.so")
        .replace("policies.c", "policy.c")
        .replace("policies.zig", "policy.zig")
        .replace("policies.go", "policy.go")
        .replace(&format!("{old_name:?}"), &format!("{name:?}"))
        .replace(&format!("{title} "), &format!("{title} at first, "))
}

/// The command that a source prints at its head.
fn command(source: &str) -> String {
    let mut comments = source.lines().map(|line| line.trim_start_matches(['/', '!', ' ', '\t']));
    comments.find(|line| line.contains("policy.so")).unwrap_or_default().to_owned()
}

fn readme(name: &str, kind: Kind, command: &str) -> String {
    format!(
        "# {name}\n\nBuild it in this folder, check it and run it:\n\n```sh\n{command}\nhearth policies check policy.so\n\
         hearth run SCENARIO --policy {}=./policy.so\n```\n\n`hearth_policy.h` says what a policy is shown and what it may \
         answer. It is that of the `hearth` which wrote this folder.\n",
        kind.slot()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_has_one_policy_of_the_name_and_no_path_of_the_project() {
        for language in [Language::C, Language::Cpp, Language::Zig, Language::Go] {
            for kind in Kind::ALL {
                let start = language.start("mine", kind).unwrap();
                assert!(start.command.contains("policy.so") && !start.command.contains(".."), "{}", start.command);
                let text: String = start
                    .files
                    .iter()
                    .filter(|(file, _)| *file != "hearth_policy.h")
                    .fold(String::new(), |text, (_, content)| text + content);
                assert!(text.contains("\"mine\"") && !text.contains("../") && !text.contains("policies.so"), "{text}");
                for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
                    let name = format!("{:?}", other.section().1);
                    assert!(!text.contains(&name), "{language:?} {kind:?} has {name}");
                }
            }
        }
        assert!(Language::Rust.start("mine", Kind::Eviction).is_none());
    }
}
