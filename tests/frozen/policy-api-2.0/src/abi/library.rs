//! What a library exports, and what an instance of a policy is made with.

#![allow(unsafe_code)]

use std::fmt;

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use super::{AdmissionTable, EvictionTable, KeepAliveTable, LAYOUT_LENGTH, NodeAllocationTable, Records, Slice, Text};
use crate::PolicyContext;

/// The major version of the interface.
pub const INTERFACE_MAJOR: u32 = 2;
/// The minor version of the interface.
pub const INTERFACE_MINOR: u32 = 0;

/// What the name of the symbol begins with that a library exports: a [`Library`]. A library in C has this name itself;
/// crates put two underscores and their name behind it, so that many can be linked into one program.
pub const ENTRY_SYMBOL: &str = "hearth_policies_2";

/// What is read of a library before any of its code runs.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct LibraryHeader {
    /// Size of this record in bytes.
    pub size: u32,
    /// The major version of the interface that the library was built for.
    pub major: u32,
    /// The minor version of the interface that the library was built for.
    pub minor: u32,
    /// The least minor version of the host that the library can do with.
    pub needs_minor: u32,
    /// 1 if a failure that unwinds the stack ends the process (`panic = "abort"`), else 0.
    pub aborts: u32,
    /// How many numbers `HEARTH_LAYOUT` had when the library was built.
    pub layout_length: u32,
    /// The policies: addresses of records, one behind the other.
    pub policies: Slice<'static, &'static PolicyRecord>,
    /// Called once after the library has been opened, before anything else of it; may be null.
    pub prepare: Option<unsafe extern "C" fn()>,
    /// For libraries in Rust: where `abi_stable`'s description of all records lies. Null in others.
    pub described: *const (),
}

/// What the entry symbol stands for: the header, and `HEARTH_LAYOUT` as it was when the library was built.
#[repr(C)]
pub struct Library {
    /// What the library has.
    pub header: LibraryHeader,
    /// Where all fields of all records lie, as [`LAYOUT`](super::LAYOUT) has it.
    pub layout: [u16; LAYOUT_LENGTH],
}

// SAFETY: nothing in it changes.
unsafe impl Sync for Library {}

/// A policy: what it is called, what can be set, how it is made, and the roles it has.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct PolicyRecord {
    /// Size of this record in bytes.
    pub size: u32,
    /// What the policy does not promise, as `HEARTH_NOT_…` added up.
    pub not_promised: u32,
    /// The name that scenarios use, in kebab case.
    pub name: Text,
    /// Semantic version.
    pub version: Text,
    /// One line.
    pub description: Text,
    /// What can be set.
    pub parameters: Records<'static, Parameter>,
    /// Makes an instance from the values of the parameters, in their order, and writes it to `policy`. The instance must be
    /// fit to be used by the thread that made it.
    pub create: Option<
        unsafe extern "C" fn(context: *const PolicyContext, values: Slice<'_, Value>, policy: *mut *mut ()) -> u32,
    >,
    /// Ends an instance. Nothing is called for it afterwards.
    pub destroy: Option<unsafe extern "C" fn(policy: *mut ())>,
    /// Where an invocation runs, if the policy says that.
    pub node_allocation: Option<&'static NodeAllocationTable>,
    /// Which idle containers or images go, if the policy says that.
    pub eviction: Option<&'static EvictionTable>,
    /// Which requests are let in, if the policy says that.
    pub admission: Option<&'static AdmissionTable>,
    /// How long idle containers stay, if the policy says that.
    pub keep_alive: Option<&'static KeepAliveTable>,
}

// SAFETY: nothing in it changes.
unsafe impl Sync for PolicyRecord {}
// SAFETY: as above.
unsafe impl Send for PolicyRecord {}

/// What can be set of a policy.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Size of this record in bytes.
    pub size: u32,
    /// One of `HEARTH_PARAMETER_…`.
    pub kind: u32,
    /// Its name in scenarios, in snake case.
    pub name: Text,
    /// What its numbers count; empty where they have no unit.
    pub unit: Text,
    /// One line of help.
    pub help: Text,
    /// The least value allowed, of a number or a whole number.
    pub min: Value,
    /// The greatest value allowed, of a number or a whole number.
    pub max: Value,
    /// The value when a scenario says nothing.
    pub default_value: Value,
    /// The words, for `HEARTH_PARAMETER_CHOICE`.
    pub words: Slice<'static, Text>,
}

/// A value of a parameter.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// A time in ns, an amount of bytes, a whole number, the position of a word, 1 for yes and 0 for no.
    pub integer: u64,
    /// A number.
    pub number: f64,
    /// Text. It lasts until `create` has returned.
    pub text: Text,
}

impl Value {
    /// A value that is none of these.
    pub const NONE: Self = Self { integer: 0, number: 0.0, text: Text::EMPTY };
}

/// What an instance may call. The first argument is `handle` of its context.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct Host {
    /// Size of this table in bytes.
    pub size: u32,
    /// Says why a call fails, before it answers `HEARTH_FAILED`. The text is copied.
    pub fail: unsafe extern "C" fn(handle: *mut (), cause: Text),
    /// The handle is used in one more place, and is there until that is over, even when the instance has ended.
    pub hold: unsafe extern "C" fn(handle: *mut ()),
    /// The handle is not used any more in a place for which `hold` was called.
    pub release: unsafe extern "C" fn(handle: *mut ()),
    /// Has `on_timer` of the instance called at a date, in ns, with this number; it goes off once. One that is set again is put
    /// off, and `UINT64_MAX` takes it back. A date that is past is now.
    pub wake_at: unsafe extern "C" fn(handle: *mut (), timer: u64, date: u64),
    /// Has so many containers of a function started, without evicting anything, on a node, or, with `HEARTH_NONE`, each on the node
    /// with the most free RAM. Each is idle once it is up, and kept for so many ns from then on; `UINT64_MAX` keeps it. Those that
    /// find no room are not started.
    pub start_containers: unsafe extern "C" fn(handle: *mut (), function: u32, node: u32, count: u32, keep_for: u64),
    /// Ends so many idle containers of a function at the most, those that are idle longest first, on a node, or, with
    /// `HEARTH_NONE`, anywhere.
    pub end_containers: unsafe extern "C" fn(handle: *mut (), function: u32, node: u32, count: u32),
}

impl Host {
    /// For instances that are made by hand, as in tests of a rule: what they say goes nowhere.
    pub const DEAF: Self = {
        unsafe extern "C" fn fail(_handle: *mut (), _cause: Text) {}
        unsafe extern "C" fn hold(_handle: *mut ()) {}
        unsafe extern "C" fn wake_at(_handle: *mut (), _timer: u64, _date: u64) {}
        unsafe extern "C" fn start_containers(_: *mut (), _function: u32, _node: u32, _count: u32, _keep_for: u64) {}
        unsafe extern "C" fn end_containers(_: *mut (), _function: u32, _node: u32, _count: u32) {}
        let size = size_of::<Self>() as u32;
        Self { size, fail, hold, release: hold, wake_at, start_containers, end_containers }
    };
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

impl fmt::Debug for PolicyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyRecord")
    }
}

impl fmt::Debug for LibraryHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryHeader").field("major", &self.major).field("minor", &self.minor).finish_non_exhaustive()
    }
}
