//! `hearth policies new`: a policy to start from, in a folder that has all that it is built with.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use hearth_policy_api::boundary::interface_version;
use hearth_policy_api::carried;

use super::interface;
use super::kind::Kind;
use super::languages::{Language, Start};
use crate::error::CommandError;

/// The arguments of `hearth policies new`.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// The name of the policy, in kebab case; its folder is called the same.
    name: String,

    /// The kind of policy.
    #[arg(long, value_enum)]
    kind: Kind,

    /// What it is written in.
    #[arg(long, value_enum, default_value = "rust")]
    language: Language,

    /// For Rust: writes the interface beside the policy, so that it is built without a network and wherever the folder goes. So it
    /// is, too, where no folder of the interface is found.
    #[arg(long, conflicts_with = "policy_api")]
    vendor: bool,

    /// For Rust: the folder of hearth-policy-api to build against; without it, the one that this program was built from, or else
    /// policy-api beside the program.
    #[arg(long, value_name = "DIR")]
    policy_api: Option<PathBuf>,
}

/// Writes the folder.
pub fn new(arguments: &NewArguments) -> Result<(), CommandError> {
    let NewArguments { name, kind, language, vendor, policy_api } = arguments;
    check_name(name)?;
    if *language != Language::Rust && (*vendor || policy_api.is_some()) {
        return Err(CommandError::Usage(
            "--vendor and --policy-api are for policies in Rust: leave them out".to_owned(),
        ));
    }
    let folder = Path::new(name);
    if folder.exists() {
        return Err(CommandError::Usage(format!("the folder {name} is there already: choose another name")));
    }
    match language.start(name, *kind) {
        Some(start) => write_start(folder, name, *kind, &start),
        None => match interface::find(policy_api.as_deref()) {
            Ok(Some(interface)) if !vendor => write_crate(folder, name, *kind, &interface),
            Ok(_) => write_vendored(folder, name, *kind),
            Err(error) => Err(error),
        },
    }
}

fn write_start(folder: &Path, name: &str, kind: Kind, start: &Start) -> Result<(), CommandError> {
    for (file, text) in &start.files {
        write(&folder.join(file), text)?;
    }
    let (source, command, slot) = (start.files.first().map_or("", |(file, _)| file), &start.command, kind.slot());
    writeln!(
        std::io::stdout(),
        "{name}/{source} is the policy. Then:\n\n  cd {name}\n  {command}\n  hearth policies check policy.so\n  \
         hearth run SCENARIO --policy {slot}=./policy.so"
    )?;
    Ok(())
}

/// What stands in a template for the name of the policy and of its type.
fn fill(text: &str, name: &str) -> String {
    text.replace("policy-name", name).replace("TypeName", &type_name(name))
}

/// A crate that is built against the interface in a folder.
fn write_crate(folder: &Path, name: &str, kind: Kind, interface: &Path) -> Result<(), CommandError> {
    let manifest = fill(include_str!("../../../templates/Cargo.toml.template"), name)
        .replace("POLICY_API", &format!("path = {interface:?}"));
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join(".gitignore"), "/target\n")?;
    write(&folder.join("src/lib.rs"), &fill(kind.source(), name))?;
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

/// A crate that is built against the interface as this program carries it. The test kit, which depends on other crates, stays out,
/// and so do the tests that use it: `hearth policies check` is the same test kit.
fn write_vendored(folder: &Path, name: &str, kind: Kind) -> Result<(), CommandError> {
    let manifest = include_str!("../../../templates/Cargo.toml.template");
    let (manifest, _) = manifest.split_once("[dependencies]").unwrap_or((manifest, ""));
    let manifest = format!(
        "{}[dependencies]\nhearth-policy-api = {{ path = \"hearth-policy-api\" }}\n\n\
         # It is a workspace of its own, wherever it lies.\n[workspace]\n",
        fill(manifest, name)
    );
    let source = kind.source();
    let (source, _) = source.split_once("\n#[cfg(test)]").unwrap_or((source, ""));
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join(".gitignore"), "/target\n")?;
    write(&folder.join("src/lib.rs"), &fill(source, name))?;
    let interface = folder.join("hearth-policy-api");
    let (major, minor) = interface_version();
    let of_interface = include_str!("../../../templates/interface.toml.template");
    write(&interface.join("Cargo.toml"), &of_interface.replace("INTERFACE", &format!("{major}.{minor}.0")))?;
    for (file, text) in carried::SOURCES {
        write(&interface.join("src").join(file), text)?;
    }
    let (slot, library) = (kind.slot(), library_name(name));
    writeln!(
        std::io::stdout(),
        "{name}/src/lib.rs is the policy, and {name}/hearth-policy-api the interface that it is built against. Then:\n\n  \
         cd {name}\n  cargo build --release\n  hearth policies check target/release/{library}\n  \
         hearth run SCENARIO --policy {slot}=target/release/{library}"
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
