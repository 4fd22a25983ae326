//! Opens compiled policies (feature `loader`).
//!
//! A file is looked at before any of its code runs: whether it is a library at all, whether it exports policies, and
//! for which version of the interface.

// Loading a library runs code that nobody here can check; each block says what is relied on.
#![allow(unsafe_code)]

use std::error::Error as _;
use std::fs;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityErrors, CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::library::{AbiHeader, LibHeader};
use abi_stable::sabi_types::VersionNumber;
use abi_stable::type_layout::TLFieldOrFunction;
use object::{Object, ObjectSymbol};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{PolicyDescriptor, PolicyModule, interface_version};

/// A library of policies. It stays loaded until the process ends.
#[derive(Debug)]
pub struct PolicyLibrary {
    /// The file, as it was named.
    pub path: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What it exports.
    pub policies: Vec<PolicyDescriptor>,
}

/// Why a file cannot be used as a library of policies. The messages begin with what is wrong and leave the file to be
/// named by whoever reports them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is no shared library.
    #[error("is not a shared library: build the policy with crate-type = [\"cdylib\"] and name the file it makes")]
    NotALibrary,
    /// It is a library without policies.
    #[error("is a library, but exports no policies: call hearth_policy_api::export_policies! in it")]
    NoPolicies,
    /// It was built for another version of the interface.
    #[error("is built for policy interface {found}; this hearth has {ours}: build it with hearth-policy-api {ours}")]
    OtherInterface {
        /// The version it was built for.
        found: String,
        /// The version of this program.
        ours: String,
    },
    /// It was built with an incompatible version of `abi_stable`.
    #[error("is built with abi_stable {found}; this hearth has {ours}: build it with hearth-policy-api as published")]
    OtherAbiStable {
        /// The version it was built with.
        found: String,
        /// The version of this program.
        ours: String,
    },
    /// A type differs although the versions agree.
    #[error("has another layout of {place}: {difference}. Build it with hearth-policy-api {ours} as published")]
    OtherLayout {
        /// The type, and the field in it.
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
    /// The system's loader refuses it.
    #[error("cannot be loaded: {0}")]
    System(String),
}

impl PolicyLibrary {
    /// Opens a library.
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
        let bytes = fs::read(path).map_err(|error| LoadError::Unreadable(error.to_string()))?;
        let symbols = policy_symbols(&bytes)?;
        // A name without a slash would be looked for in the system's folders.
        let absolute = path.canonicalize().map_err(|error| LoadError::Unreadable(error.to_string()))?;
        // SAFETY: the file exports the symbol of `export_policies!`, so it is a library of policies whose author wants it
        // to be loaded. Its initialisers are the Rust runtime's.
        let loaded = unsafe { libloading::Library::new(&absolute) };
        // Descriptors are handed out for good, so the library is never closed.
        let library = ManuallyDrop::new(loaded.map_err(|error| system(&error))?);
        let mut policies = Vec::new();
        for symbol in symbols {
            policies.extend_from_slice(open_module(&library, &symbol)?.policies().as_slice());
        }
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), sha256, policies })
    }
}

/// What the system's loader says, which is the cause of what `libloading` says.
fn system(error: &libloading::Error) -> LoadError {
    LoadError::System(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

fn ours() -> String {
    let (major, minor) = interface_version();
    format!("{major}.{minor}")
}

/// The symbols that lead to policies of this major version of the interface.
fn policy_symbols(bytes: &[u8]) -> Result<Vec<String>, LoadError> {
    let file = object::File::parse(bytes).map_err(|_| LoadError::NotALibrary)?;
    if file.kind() != object::ObjectKind::Dynamic {
        return Err(LoadError::NotALibrary);
    }
    // Dynamic symbols on ELF; Mach-O and PE list exports.
    let mut names: Vec<String> =
        file.dynamic_symbols().filter_map(|symbol| Some(symbol.name().ok()?.to_owned())).collect();
    for export in file.exports().map_err(|_| LoadError::NotALibrary)?.flatten() {
        if let object::NameOrOrdinal::Name(name) = export.name() {
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    // Mach-O puts an underscore before every name.
    let policies = names.iter().filter_map(|name| {
        let name = name.strip_prefix('_').filter(|rest| rest.starts_with("hearth_policies_")).unwrap_or(name);
        Some((name, name.strip_prefix("hearth_policies_")?.split_once("__")?.0))
    });
    let major = interface_version().0.to_string();
    let (mut of_ours, other): (Vec<_>, Vec<_>) = policies.partition(|(_, version)| *version == major);
    of_ours.sort_unstable();
    of_ours.dedup();
    match (of_ours.is_empty(), other.first()) {
        (false, _) => Ok(of_ours.into_iter().map(|(name, _)| name.to_owned()).collect()),
        (true, Some((_, version))) => Err(LoadError::OtherInterface { found: format!("{version}.x"), ours: ours() }),
        (true, None) => Err(LoadError::NoPolicies),
    }
}

fn open_module(library: &libloading::Library, symbol: &str) -> Result<PolicyModule, LoadError> {
    // SAFETY: the symbol is a `LibHeader`, which begins with an `AbiHeader` in every version of `abi_stable`; the header
    // is checked before anything after it is read.
    let header = unsafe {
        let address = library.get::<*const AbiHeader>(symbol.as_bytes());
        let address = address.map_err(|error| system(&error))?;
        &**address
    };
    if !header.is_valid() {
        let version = |header: &AbiHeader| format!("{}.{}", header.abi_major, header.abi_minor);
        return Err(LoadError::OtherAbiStable { found: version(header), ours: version(&AbiHeader::VALUE) });
    }
    // SAFETY: a valid header is the beginning of a `LibHeader` of this version of `abi_stable`.
    let header = unsafe { &*std::ptr::from_ref(header).cast::<LibHeader>() };
    check_version(header)?;
    // `abi_stable` lets the second have more fields than the first at the ends of modules and of tables of methods. The
    // other way round it is for programs that load newer libraries than they know; here the library is the older one.
    let layout = header.layout().ok_or(LoadError::NoPolicies)?;
    // Nothing goes from one library to another, so what was found of other libraries does not count.
    let checked = check_layout_compatibility_with_globals(layout, PolicyModule::LAYOUT, &CheckingGlobals::new());
    checked.map_err(|errors| other_layout(&errors))?;
    // SAFETY: everything that the library knows of is laid out as it is here. What it does not know of yet is past the end
    // of its own tables, which carry their length, and is then answered by the defaults.
    let module = unsafe { header.unchecked_layout::<PolicyModule>() };
    let module = module.map_err(|error| LoadError::System(error.to_string()))?;
    if module.aborts_on_panic() {
        return Err(LoadError::AbortsOnPanic);
    }
    module.silence_panics()();
    Ok(module)
}

fn check_version(header: &LibHeader) -> Result<(), LoadError> {
    let found = VersionNumber::new(header.version_strings()).map_err(|error| LoadError::System(error.to_string()))?;
    if u64::from(found.minor) > interface_version().1 {
        return Err(LoadError::OtherInterface { found: format!("{}.{}", found.major, found.minor), ours: ours() });
    }
    Ok(())
}

/// The first difference, in a line.
fn other_layout(errors: &AbiInstabilityErrors) -> LoadError {
    // A difference deep inside shows in all types around it, too: in their sizes.
    let with_cause = errors.errors.iter().filter(|error| !error.errs.is_empty());
    let innermost = with_cause.rev().max_by_key(|error| error.stack_trace.len());
    let steps = innermost.map_or(&[][..], |error| error.stack_trace.as_slice());
    let place = match steps {
        [.., outer, inner] => format!("{} in {}", step_name(&inner.found), step_type(&outer.found)),
        [only] => step_name(&only.found),
        [] => "the interface".to_owned(),
    };
    let difference = innermost.and_then(|error| error.errs.first()).map_or_else(String::new, describe);
    LoadError::OtherLayout { place, difference, ours: ours() }
}

fn step_name(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.name().to_owned(),
        TLFieldOrFunction::Function(function) => function.name.to_string(),
    }
}

fn step_type(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.layout().name().to_owned(),
        TLFieldOrFunction::Function(function) => function.name.to_string(),
    }
}

/// The check takes what the library has for expected, and what is here for found.
fn describe(difference: &AbiInstability) -> String {
    match difference {
        AbiInstability::Name(types) => format!("{} here, {} there", types.found.name(), types.expected.name()),
        AbiInstability::Size(sizes) => format!("{} bytes here, {} there", sizes.found, sizes.expected),
        AbiInstability::FieldCountMismatch(counts) => {
            format!("{} fields here, {} there", counts.found, counts.expected)
        }
        AbiInstability::UnexpectedField(fields) => {
            format!("field {} here, {} there", fields.found.name(), fields.expected.name())
        }
        AbiInstability::TooManyVariants(counts) => format!("{} variants here, {} there", counts.found, counts.expected),
        other => {
            let words = format!("{other:?}");
            words.split_whitespace().take(20).collect::<Vec<_>>().join(" ")
        }
    }
}
