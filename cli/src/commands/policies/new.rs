//! `hearth policies new`: a crate to start from.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::interface;
use crate::error::CommandError;

/// The kinds of policy, as arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Kind {
    /// On which node an invocation runs.
    NodeAllocation,
    /// What goes when room is needed.
    Eviction,
    /// Who is let in.
    Admission,
    /// How long idle containers stay.
    KeepAlive,
}

impl Kind {
    fn source(self) -> &'static str {
        match self {
            Self::NodeAllocation => include_str!("../../../templates/node-allocation.rs"),
            Self::Eviction => include_str!("../../../templates/eviction.rs"),
            Self::Admission => include_str!("../../../templates/admission.rs"),
            Self::KeepAlive => include_str!("../../../templates/keep-alive.rs"),
        }
    }

    /// A slot that such a policy fills.
    fn slot(self) -> &'static str {
        match self {
            Self::NodeAllocation => "node_allocation",
            Self::Eviction => "eviction.containers",
            Self::Admission => "admission",
            Self::KeepAlive => "keep_alive",
        }
    }
}

/// The arguments of `hearth policies new`.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// The name of the policy, in kebab case; the crate and its folder are called the same.
    name: String,

    /// The kind of policy.
    #[arg(long, value_enum)]
    kind: Kind,

    /// The folder of hearth-policy-api to build against; without it, the one that this program was built from, or else
    /// policy-api beside the program.
    #[arg(long, value_name = "DIR")]
    policy_api: Option<PathBuf>,
}

/// Writes the crate.
pub fn new(arguments: &NewArguments) -> Result<(), CommandError> {
    let NewArguments { name, kind, policy_api } = arguments;
    check_name(name)?;
    let folder = Path::new(name);
    if folder.exists() {
        return Err(CommandError::Usage(format!("the folder {name} is there already: choose another name")));
    }
    let interface = interface::find(policy_api.as_deref())?;
    let fill = |text: &str| text.replace("policy-name", name).replace("TypeName", &type_name(name));
    let manifest = fill(include_str!("../../../templates/Cargo.toml.template"))
        .replace("POLICY_API", &format!("path = {interface:?}"));
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join(".gitignore"), "/target\n")?;
    write(&folder.join("src/lib.rs"), &fill(kind.source()))?;
    let (slot, library) = (kind.slot(), library_name(name));
    writeln!(
        std::io::stdout(),
        "{name}/src/lib.rs is the policy. Then:\n\n  cd {name}\n  cargo test\n  cargo build --release\n  \
         hearth run SCENARIO --policy {slot}=target/release/{library}\n\n\
         It is built against {}: if that or the crate moves, change the path in Cargo.toml.",
        interface.display()
    )?;
    Ok(())
}

fn check_name(name: &str) -> Result<(), CommandError> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if name.split('-').all(is_word) {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "{name:?} is no name for a policy: write words of small letters and digits with hyphens between, as in \
         least-recently-placed"
    )))
}

fn type_name(name: &str) -> String {
    let capital = |(position, letter): (usize, char)| if position == 0 { letter.to_ascii_uppercase() } else { letter };
    name.split('-').flat_map(|word| word.chars().enumerate().map(capital)).collect()
}

fn library_name(name: &str) -> String {
    format!("{}{}{}", std::env::consts::DLL_PREFIX, name.replace('-', "_"), std::env::consts::DLL_SUFFIX)
}

fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(file, text));
    written.map_err(|error| CommandError::Result { file: file.to_owned(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_hyphens() {
        for name in ["lru", "least-recently-placed", "s3-fifo"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "-", "Lru", "a--b", "a b", "3fifo", "../x", "ü"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert_eq!(type_name("least-recently-placed"), "LeastRecentlyPlaced");
    }
}
