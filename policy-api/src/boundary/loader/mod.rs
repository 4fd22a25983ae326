//! Opens compiled policies (feature `loader`).
//!
//! A file is looked at before any of its code runs: whether it is a library for this machine, whether it exports policies, for
//! which version of the interface, and where it takes all fields of all records to lie.

// Loading a library runs code that nobody here can check; each block says what is relied on.
#![allow(unsafe_code)]

use std::error::Error as _;
use std::fs;
use std::mem::{ManuallyDrop, offset_of};
use std::path::{Path, PathBuf};

use object::{Object, ObjectSection, ObjectSymbol};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::PolicyDescriptor;
use crate::ParameterSpec;
use crate::abi::{
    AdmissionTable, ENTRY_SYMBOL, EvictionTable, FIELDS, INTERFACE_MAJOR, INTERFACE_MINOR, KeepAliveTable, LAYOUT,
    LibraryHeader, NodeAllocationTable, PolicyRecord, Records, Text,
};

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
    #[error(
        "is not a shared library: build the policy as one (crate-type = [\"cdylib\"], or cc -shared -fPIC) and name the \
         file it makes"
    )]
    NotALibrary,
    /// The file is a library for another processor.
    #[error("is a library for {found}; this hearth runs on {ours}: build it for this machine")]
    OtherMachine {
        /// The processor it was built for.
        found: String,
        /// The processor of this program.
        ours: String,
    },
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
        /// What is wrong.
        problem: String,
    },
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
        let symbols = entries(&bytes)?;
        // A name without a slash would be looked for in the system's folders.
        let absolute = path.canonicalize().map_err(|error| LoadError::Unreadable(error.to_string()))?;
        // SAFETY: the file exports the symbol of a library of policies, so its author wants it to be loaded; what its
        // initialisers do is theirs.
        let loaded = unsafe { libloading::Library::new(&absolute) };
        // Descriptors are handed out for good, so the library is never closed.
        let library = ManuallyDrop::new(loaded.map_err(|error| system(&error))?);
        let mut policies = Vec::new();
        for symbol in symbols {
            policies.extend(policies_of(&library, &symbol)?);
        }
        check_names(&policies)?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), sha256, policies })
    }
}

/// What the system's loader says, which is the cause of what `libloading` says.
fn system(error: &libloading::Error) -> LoadError {
    LoadError::System(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

fn ours() -> String {
    format!("{INTERFACE_MAJOR}.{INTERFACE_MINOR}")
}

/// The symbols that lead to policies of this major version of the interface, whose headers have been checked.
fn entries(bytes: &[u8]) -> Result<Vec<String>, LoadError> {
    let file = object::File::parse(bytes).map_err(|_| LoadError::NotALibrary)?;
    if file.kind() != object::ObjectKind::Dynamic {
        return Err(LoadError::NotALibrary);
    }
    check_machine(&file)?;
    let symbols = symbols(&file)?;
    let (prefix, _) = ENTRY_SYMBOL.split_at(ENTRY_SYMBOL.len() - INTERFACE_MAJOR.to_string().len());
    let versions = symbols.iter().filter_map(|(name, address)| {
        let rest = name.strip_prefix(prefix)?;
        Some((name, rest.split_once("__").map_or(rest, |(version, _)| version), *address))
    });
    let (mut of_ours, other): (Vec<_>, Vec<_>) =
        versions.partition(|(_, version, _)| *version == INTERFACE_MAJOR.to_string());
    of_ours.sort_unstable();
    of_ours.dedup();
    match (of_ours.is_empty(), other.first()) {
        (true, Some((_, version, _))) => {
            return Err(LoadError::OtherInterface { found: format!("{version}.x"), ours: ours() });
        }
        (true, None) => return Err(LoadError::NoPolicies),
        (false, _) => {}
    }
    for (_, _, address) in &of_ours {
        check_header(&file, *address)?;
    }
    Ok(of_ours.into_iter().map(|(name, ..)| name.clone()).collect())
}

fn check_machine(file: &object::File<'_>) -> Result<(), LoadError> {
    let name = |architecture: object::Architecture| match architecture {
        object::Architecture::I386 => "x86".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    let (found, ours) = (name(file.architecture()), std::env::consts::ARCH.to_owned());
    // Of a machine that either does not know, the system's loader has the word.
    if found == ours || found == "unknown" {
        return Ok(());
    }
    Err(LoadError::OtherMachine { found, ours })
}

/// Names and addresses of what a library exports: dynamic symbols on ELF; Mach-O and PE list exports.
fn symbols(file: &object::File<'_>) -> Result<Vec<(String, u64)>, LoadError> {
    let dynamic = file.dynamic_symbols().filter(|symbol| symbol.is_definition());
    let mut found: Vec<(String, u64)> =
        dynamic.filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address()))).collect();
    for export in file.exports().map_err(|_| LoadError::NotALibrary)?.flatten() {
        if let (object::NameOrOrdinal::Name(name), object::ExportTarget::Address { address, .. }) =
            (export.name(), export.target())
        {
            found.push((String::from_utf8_lossy(name).into_owned(), address));
        }
    }
    // Mach-O puts an underscore before every name.
    let without = |name: String| match name.strip_prefix('_') {
        Some(rest) if rest.starts_with("hearth_policies_") => rest.to_owned(),
        _ => name,
    };
    Ok(found.into_iter().map(|(name, address)| (without(name), address)).collect())
}

/// Reads the numbers of a header from the file, as no relocation touches them, and checks them.
fn check_header(file: &object::File<'_>, address: u64) -> Result<(), LoadError> {
    let read = |offset: usize, length: usize| {
        let at = address + offset as u64;
        file.sections().find_map(|section| section.data_range(at, length as u64).ok().flatten())
    };
    let number = |offset: usize| -> Result<u32, LoadError> {
        let bytes = read(offset, size_of::<u32>()).and_then(|bytes| bytes.try_into().ok());
        Ok(u32::from_ne_bytes(bytes.ok_or(LoadError::NoPolicies)?))
    };
    let size = number(offset_of!(LibraryHeader, size))?;
    let (major, minor) = (number(offset_of!(LibraryHeader, major))?, number(offset_of!(LibraryHeader, minor))?);
    let needs_minor = number(offset_of!(LibraryHeader, needs_minor))?;
    if major != INTERFACE_MAJOR || needs_minor > INTERFACE_MINOR {
        let found = if major == INTERFACE_MAJOR { needs_minor } else { minor };
        return Err(LoadError::OtherInterface { found: format!("{major}.{found}"), ours: ours() });
    }
    let length = number(offset_of!(LibraryHeader, layout_length))? as usize;
    let layout = read(size as usize, length.min(1 << 16) * size_of::<u16>()).ok_or(LoadError::NoPolicies)?;
    let layout: Vec<u16> =
        layout.chunks_exact(size_of::<u16>()).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]])).collect();
    if let Some((place, difference)) = layout_difference(&layout) {
        return Err(LoadError::OtherLayout { place, difference, ours: ours() });
    }
    if number(offset_of!(LibraryHeader, aborts))? != 0 {
        return Err(LoadError::AbortsOnPanic);
    }
    Ok(())
}

/// The first number that differs from ours. A record that has more fields on one side is of a later version there; fields that
/// both have must lie at the same place.
fn layout_difference(theirs: &[u16]) -> Option<(String, String)> {
    let (mut ours, mut theirs, mut fields) = (&LAYOUT[..], theirs, &FIELDS[..]);
    while let [size, count, rest @ ..] = ours {
        let [their_size, their_count, their_rest @ ..] = theirs else {
            return None;
        };
        let (count, their_count) = (usize::from(*count), usize::from(*their_count));
        let (offsets, next) = rest.split_at_checked(count)?;
        let Some((their_offsets, their_next)) = their_rest.split_at_checked(their_count) else {
            return Some(("the interface".to_owned(), "the numbers of the library end too early".to_owned()));
        };
        let (of_record, next_fields) = fields.split_at_checked(1 + count)?;
        let pairs = of_record[1..].iter().zip(offsets.iter().zip(their_offsets));
        let record = of_record[0].record;
        for (field, (here, there)) in pairs {
            if here != there {
                let place = format!("{} in {record}", field.name.unwrap_or_default());
                return Some((place, format!("it begins at byte {here} here, at byte {there} there")));
            }
        }
        if count == their_count && size != their_size {
            return Some((record.to_owned(), format!("{size} bytes here, {their_size} there")));
        }
        (ours, theirs, fields) = (next, their_next, next_fields);
    }
    None
}

/// The policies behind a symbol.
fn policies_of(library: &libloading::Library, symbol: &str) -> Result<Vec<PolicyDescriptor>, LoadError> {
    // SAFETY: the symbol is that of a library's header, which has been checked in the file.
    let header = unsafe {
        let address = library.get::<*const LibraryHeader>(symbol.as_bytes()).map_err(|error| system(&error))?;
        &**address
    };
    #[cfg(feature = "abi_stable")]
    // SAFETY: null, or what `export_policies!` has put there.
    if let Some((place, difference)) = unsafe { super::described::difference(header.described) } {
        return Err(LoadError::OtherLayout { place, difference, ours: ours() });
    }
    if let Some(prepare) = header.prepare {
        // SAFETY: the library wants it to be called before anything else.
        unsafe { prepare() };
    }
    if header.policies.is_empty() {
        return Err(LoadError::NoPolicies);
    }
    header.policies.iter().enumerate().map(|(position, policy)| whole_policy(position, policy)).collect()
}

/// A record as long as ours: of a shorter one, of an earlier version, what it does not have is taken from `empty`.
///
/// # Safety
/// The address must be one of a record that begins with its size.
unsafe fn whole<T: Copy>(address: *const T, empty: T) -> &'static T {
    let mut whole = empty;
    // SAFETY: the record has as many bytes as it says, and ours as many as are copied.
    unsafe {
        let size = (*address.cast::<u32>() as usize).min(size_of::<T>());
        std::ptr::copy_nonoverlapping(address.cast::<u8>(), (&raw mut whole).cast::<u8>(), size);
    }
    // Libraries are never closed.
    Box::leak(Box::new(whole))
}

/// A policy with all its tables as long as ours, once it makes sense.
fn whole_policy(position: usize, policy: &'static PolicyRecord) -> Result<PolicyDescriptor, LoadError> {
    let none = PolicyRecord {
        size: 0,
        not_promised: 0,
        name: Text::EMPTY,
        version: Text::EMPTY,
        description: Text::EMPTY,
        parameters: Records::new(&[]),
        create: None,
        destroy: None,
        node_allocation: None,
        eviction: None,
        admission: None,
        keep_alive: None,
    };
    // SAFETY: what the header leads to begins with its size, as do the tables.
    let whole = unsafe {
        let mut policy = *whole(policy, none);
        policy.node_allocation = policy.node_allocation.map(|table| whole(table, NodeAllocationTable::EMPTY));
        policy.eviction = policy.eviction.map(|table| whole(table, EvictionTable::EMPTY));
        policy.admission = policy.admission.map(|table| whole(table, AdmissionTable::EMPTY));
        policy.keep_alive = policy.keep_alive.map(|table| whole(table, KeepAliveTable::EMPTY));
        Box::leak(Box::new(policy))
    };
    check_policy(whole).map_err(|problem| {
        // SAFETY: as above.
        let name = unsafe { whole.name.copied() };
        let policy = if name.is_empty() { format!("number {}", position + 1) } else { format!("{name:?}") };
        LoadError::Policy { policy, problem }
    })?;
    Ok(PolicyDescriptor::of(whole))
}

fn check_policy(policy: &'static PolicyRecord) -> Result<(), String> {
    let descriptor = PolicyDescriptor::of(policy);
    for (what, text) in [("name", &policy.name), ("version", &policy.version), ("description", &policy.description)] {
        // SAFETY: what a policy is called lasts.
        let text =
            std::str::from_utf8(unsafe { text.bytes() }).map_err(|_| format!("has a {what} that is no UTF-8"))?;
        if text.chars().any(char::is_control) {
            return Err(format!("has control characters in its {what}"));
        }
    }
    let is_kebab = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if descriptor.name().is_empty() || !descriptor.name().chars().all(is_kebab) {
        return Err("has no name of letters, digits and hyphens".to_owned());
    }
    if policy.create.is_none() || policy.destroy.is_none() {
        return Err("has no create, or no destroy".to_owned());
    }
    check_roles(policy)?;
    let mut names = Vec::new();
    for declared in policy.parameters.iter() {
        let ParameterSpec { name, unit, help, .. } = ParameterSpec::read(declared)?;
        if name.is_empty() || [&name, &unit, &help].iter().any(|text| text.chars().any(char::is_control)) {
            return Err(format!("has a parameter {name:?} without a name, or with control characters"));
        }
        if names.contains(&name) {
            return Err(format!("has two parameters {name:?}"));
        }
        names.push(name);
    }
    Ok(())
}

/// Whether a policy has roles that go together, with the functions that every policy of their kinds has.
fn check_roles(policy: &PolicyRecord) -> Result<(), String> {
    let PolicyRecord { node_allocation, eviction, admission, keep_alive, .. } = policy;
    let others = node_allocation.is_some() || admission.is_some() || keep_alive.is_some();
    match (others, eviction.is_some()) {
        (false, false) => return Err("has no table of functions: it is no kind of policy".to_owned()),
        (true, true) => {
            return Err("is an eviction policy and more: eviction has an instance for each storage".to_owned());
        }
        _ => {}
    }
    if node_allocation.is_some_and(|table| table.place.is_some() == table.plan.is_some()) {
        return Err("has both place and plan, or neither: node allocation needs one of them".to_owned());
    }
    let lacks = [
        (
            eviction.is_some_and(|of| of.insert.is_none() || of.remove.is_none() || of.choose.is_none()),
            "insert, remove or choose",
        ),
        (admission.is_some_and(|table| table.admit.is_none()), "admit"),
        (keep_alive.is_some_and(|table| table.on_idle.is_none()), "on_idle"),
    ];
    match lacks.iter().find(|(lacks, _)| *lacks) {
        Some((_, what)) => Err(format!("has no {what}, which its kind of policy needs")),
        None => Ok(()),
    }
}

/// Whether no two policies of one kind have the same name.
fn check_names(policies: &[PolicyDescriptor]) -> Result<(), LoadError> {
    for (position, policy) in policies.iter().enumerate() {
        let is_same =
            |other: &PolicyDescriptor| other.name() == policy.name() && other.kinds().any(|kind| policy.is(kind));
        if policies[..position].iter().any(is_same) {
            let policy = format!("{:?}", policy.name());
            return Err(LoadError::Policy { policy, problem: "is there twice".to_owned() });
        }
    }
    Ok(())
}
