//! Opens compiled policies (feature `loader`).
//!
//! A file is read once. What was read is looked at before any code of it runs: whether it is a library for this machine, whole as far as
//! can be seen, whether it exports policies, for which version of the interface, and where it takes all fields of all records to
//! lie. Then exactly these bytes are opened, from a copy that nobody else has, so that the file can be built or copied anew at any time.
//!
//! # Copies
//!
//! On Linux the copy is in memory; elsewhere, and where the system does not let code in such a file run, it is a file with a name of its
//! own in the folder for temporary files, which is gone again once it has been opened. On Windows, where nobody can write a library
//! that is in use, the file itself is opened.
//!
//! Each opening has a copy of its own, and with it static variables of its own (not on Windows). It stays for good: a process that
//! opens libraries again and again grows by their size, and by an open file each.
//!
//! A library does not find its folder: `dladdr` tells of the copy. One that looks there for other libraries by `$ORIGIN` is
//! copied into the same folder for a moment, if that can be written.

mod elf;
mod entries;
#[cfg(windows)]
mod locked_file;
mod machine;
mod names;
#[cfg(not(windows))]
mod private_copy;
mod records;
mod sense;

use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

pub use names::names_in;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::PolicyDescriptor;

/// A library of policies. It stays loaded until the process ends.
#[derive(Debug)]
pub struct PolicyLibrary {
    /// The file, as it was named.
    pub path: PathBuf,
    /// SHA-256 of what was opened, in hexadecimal.
    pub sha256: String,
    /// What it exports.
    pub policies: Vec<PolicyDescriptor>,
    /// Where other processes of the user find what was opened, as long as this process lives. On Linux.
    pub copy: Option<PathBuf>,
}

/// Why a file cannot be used as a library of policies. The messages begin with what is wrong and leave the file to be
/// named by whoever reports them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is no shared library.
    #[error(
        "is not a shared library: build the policy as one (crate-type = [\"cdylib\"], or cc -shared -fPIC) and name the \
         file it makes"
    )]
    NotALibrary,
    /// The file is a library for another processor.
    #[error("is built for {found}, this machine is {ours}: build it for this one")]
    OtherMachine {
        /// The processor it was built for.
        found: String,
        /// The processor of this program.
        ours: String,
    },
    /// The file is a library for another system.
    #[error("is a library for {found}, and this system is {ours}: build it for this one")]
    OtherSystem {
        /// The system it was built for.
        found: &'static str,
        /// The system of this program.
        ours: &'static str,
    },
    /// Parts of the file are missing or make no sense.
    #[error("is damaged or cut short: {0}. Copy or build it again")]
    Damaged(String),
    /// It is a library without policies.
    #[error(
        "is a library, but exports no policies: call hearth_policy_api::export_policies! in it, or HEARTH_EXPORT_POLICIES \
         of hearth_policy.h"
    )]
    NoPolicies,
    /// It was built for another version of the interface.
    #[error("is built for policy interface {found}; this hearth has {ours}: build it with hearth-policy-api {ours}")]
    OtherInterface {
        /// The version it was built for.
        found: String,
        /// The version of this program.
        ours: String,
    },
    /// A record differs although the versions agree.
    #[error(
        "has another layout of {place}: {difference}. Build it with hearth-policy-api or hearth_policy.h of {ours}, as \
         published"
    )]
    OtherLayout {
        /// The record, and the field in it.
        place: String,
        /// How it differs.
        difference: String,
        /// The version of this program.
        ours: String,
    },
    /// A panic in it would end the process.
    #[error(
        "is built with panic = \"abort\", so that a panic in it would end hearth: build it with panic = \"unwind\""
    )]
    AbortsOnPanic,
    /// A policy in it makes no sense.
    #[error("exports policy {policy}, which {problem}")]
    Policy {
        /// Its name in quotes, or its position.
        policy: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// It needs another library, which is not there.
    #[error("needs {library}, which is not found: {cure}")]
    Lacks {
        /// The other library.
        library: String,
        /// What to do.
        cure: &'static str,
    },
    /// The system's loader refuses it.
    #[error("cannot be loaded: {0}")]
    System(String),
}

impl PolicyLibrary {
    /// Opens a library, with static variables of its own.
    ///
    /// # Errors
    /// Why it cannot be used. A file that is not a library of policies for this version of the interface is found out
    /// before it is loaded.
    ///
    /// ```
    /// use hearth_policy_api::boundary::loader::{LoadError, PolicyLibrary};
    /// let error = PolicyLibrary::open("Cargo.toml".as_ref()).unwrap_err();
    /// assert_eq!(error, LoadError::NotALibrary);
    /// ```
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        Self::open_copy(path, path)
    }

    /// Opens a copy of a library, such as the [`copy`](Self::copy) that another process has opened, under the name of the file. Where
    /// the copy is not there, the file is opened.
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub fn open_copy(path: &Path, copy: &Path) -> Result<Self, LoadError> {
        let source = if copy.is_file() { copy } else { path };
        #[cfg(windows)]
        let _unchanged = locked_file::lock(source).map_err(unreadable)?;
        // What is no file might never come to an end.
        if !fs::metadata(source).map_err(unreadable)?.is_file() {
            return Err(LoadError::Unreadable("it is not a file".to_owned()));
        }
        let bytes = fs::read(source).map_err(unreadable)?;
        #[cfg_attr(windows, expect(unused_variables, reason = "a library lies where its neighbours are"))]
        let needs = machine::check(&bytes)?;
        let symbols = entries::entries(&bytes)?;
        #[cfg(not(windows))]
        let opened = private_copy::open(path, &bytes, needs.neighbours);
        #[cfg(windows)]
        let opened = locked_file::open(source).map(|library| (library, None));
        let (library, copy) = opened?;
        // Descriptors are handed out for good, so the library is never closed.
        let library = ManuallyDrop::new(library);
        let policies = records::policies(&library, &symbols)?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), sha256, policies, copy })
    }
}

fn unreadable(error: io::Error) -> LoadError {
    LoadError::Unreadable(error.to_string())
}
