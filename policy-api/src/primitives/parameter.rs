//! Parameters of policies and their values, as they cross.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use super::{Slice, Text};

/// What can be set of a policy.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Debug)]
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

impl Parameter {
    /// One that says nothing.
    #[cfg(feature = "loader")]
    pub(crate) const EMPTY: Self = Self {
        size: 0,
        kind: 0,
        name: Text::EMPTY,
        unit: Text::EMPTY,
        help: Text::EMPTY,
        min: Value::NONE,
        max: Value::NONE,
        default_value: Value::NONE,
        words: Slice::new(&[]),
    };
}

/// A value of a parameter. It cannot be copied: its text is lent.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Debug)]
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
