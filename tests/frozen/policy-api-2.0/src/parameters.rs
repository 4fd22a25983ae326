//! Parameters of policies: declared with type, unit, default and range, and checked before a simulation starts.

use std::fmt;
use std::ops::RangeInclusive;

use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RStr, RVec};
use thiserror::Error;

/// One of the words of [`ParameterSpec::choice`].
///
/// ```
/// use hearth_policy_api::word;
/// assert_eq!(word("use").as_str(), "use");
/// ```
pub const fn word(text: &'static str) -> RStr<'static> {
    RStr::from_str(text)
}

/// What kind of value a parameter takes.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    /// A time, given as seconds or with a unit; read with [`Parameters::duration`].
    Duration,
    /// An amount of bytes, given as a number or with a unit; read with [`Parameters::bytes`].
    Bytes,
    /// A whole number; read with [`Parameters::integer`].
    Integer {
        /// The least value allowed.
        min: u64,
        /// The greatest value allowed.
        max: u64,
    },
    /// A number; read with [`Parameters::number`].
    Number {
        /// The least value allowed.
        min: f64,
        /// The greatest value allowed.
        max: f64,
    },
    /// One of several words; read with [`Parameters::choice`].
    Choice(RSlice<'static, RStr<'static>>),
    /// Yes or no; read with [`Parameters::flag`].
    Flag,
}

/// A value of a parameter.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub enum ParameterValue {
    /// Nanoseconds.
    Duration(u64),
    /// Bytes.
    Bytes(u64),
    /// A whole number.
    Integer(u64),
    /// A number.
    Number(f64),
    /// A word, as declared in [`ParameterKind::Choice`].
    Choice(RStr<'static>),
    /// Yes or no.
    Flag(bool),
}

/// One parameter that a policy declares.
///
/// ```
/// use hearth_policy_api::{ParameterSpec, word};
/// const PARAMETERS: &[ParameterSpec] = &[
///     ParameterSpec::duration("timeout", 600_000_000_000, "how long an idle container is kept"),
///     ParameterSpec::integer("limit", 1..=1_000, 10, "how many may wait").unit("requests"),
///     ParameterSpec::number("epsilon", 0.0..=1.0, 0.25, "how far above the average load a node may be"),
///     ParameterSpec::choice("touch", &[word("use"), word("load")], "use", "what counts as using an image"),
/// ];
/// assert_eq!(PARAMETERS[0].unit.as_str(), "s");
/// ```
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name in scenarios, in snake case.
    pub name: RStr<'static>,
    /// What values it takes.
    pub kind: ParameterKind,
    /// The value when a scenario says nothing.
    pub default: ParameterValue,
    /// What its numbers count; empty where they have no unit.
    pub unit: RStr<'static>,
    /// One line of help.
    pub help: RStr<'static>,
}

impl ParameterSpec {
    const fn new(
        name: &'static str,
        kind: ParameterKind,
        default: ParameterValue,
        unit: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name: word(name), kind, default, unit: word(unit), help: word(help) }
    }

    /// A time; the default in ns.
    pub const fn duration(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, ParameterKind::Duration, ParameterValue::Duration(default), "s", help)
    }

    /// An amount of bytes.
    pub const fn bytes(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, ParameterKind::Bytes, ParameterValue::Bytes(default), "B", help)
    }

    /// A whole number in a range; a default of `u64::MAX` stands for "no limit".
    pub const fn integer(name: &'static str, range: RangeInclusive<u64>, default: u64, help: &'static str) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(min <= default && default <= max, "the default is outside the range");
        Self::new(name, ParameterKind::Integer { min, max }, ParameterValue::Integer(default), "", help)
    }

    /// A number in a range.
    pub const fn number(name: &'static str, range: RangeInclusive<f64>, default: f64, help: &'static str) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(min <= default && default <= max, "the default is outside the range");
        Self::new(name, ParameterKind::Number { min, max }, ParameterValue::Number(default), "", help)
    }

    /// One of several [words](word).
    pub const fn choice(
        name: &'static str,
        words: &'static [RStr<'static>],
        default: &'static str,
        help: &'static str,
    ) -> Self {
        let kind = ParameterKind::Choice(RSlice::from_slice(words));
        Self::new(name, kind, ParameterValue::Choice(word(default)), "", help)
    }

    /// Yes or no.
    pub const fn flag(name: &'static str, default: bool, help: &'static str) -> Self {
        Self::new(name, ParameterKind::Flag, ParameterValue::Flag(default), "", help)
    }

    /// Says what the numbers count.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = word(unit);
        self
    }
}

/// Why a value does not suit a parameter.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ParameterError {
    /// The policy has no such parameter.
    #[error("unknown parameter {name:?}: the policy takes {known}")]
    Unknown {
        /// The name found.
        name: String,
        /// The names that exist, in words.
        known: String,
    },
    /// The value is of another type or outside the range.
    #[error("parameter {name:?}: found {found}, expected {expected}")]
    Unsuitable {
        /// The parameter.
        name: String,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
    },
}

/// The values of a policy's parameters, each checked against its [`ParameterSpec`].
///
/// ```
/// use hearth_policy_api::*;
/// const SPECS: &[ParameterSpec] = &[ParameterSpec::integer("limit", 1..=1_000, 10, "requests that may wait")];
/// let mut parameters = Parameters::defaults(SPECS);
/// assert_eq!(parameters.integer("limit"), 10);
/// parameters.set("limit", ParameterValue::Integer(20))?;
/// assert_eq!(parameters.integer("limit"), 20);
/// assert!(parameters.set("limit", ParameterValue::Integer(0)).is_err());
/// assert!(parameters.set("limits", ParameterValue::Integer(1)).is_err());
/// # Ok::<(), ParameterError>(())
/// ```
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub struct Parameters {
    specs: RSlice<'static, ParameterSpec>,
    values: RVec<ParameterValue>,
}

impl Parameters {
    /// Every parameter at its default.
    pub fn defaults(specs: &'static [ParameterSpec]) -> Self {
        Self { specs: specs.into(), values: specs.iter().map(|spec| spec.default).collect() }
    }

    /// The declarations, in order.
    pub fn specs(&self) -> &'static [ParameterSpec] {
        self.specs.as_slice()
    }

    /// The declaration of a parameter.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`], with the names that exist.
    pub fn spec(&self, name: &str) -> Result<&'static ParameterSpec, ParameterError> {
        self.specs().iter().find(|spec| spec.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.specs().iter().map(|spec| spec.name.as_str()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            ParameterError::Unknown { name: name.to_owned(), known }
        })
    }

    /// Sets a parameter.
    ///
    /// # Errors
    /// When there is no such parameter, or the value is of another type or out of range.
    pub fn set(&mut self, name: &str, value: ParameterValue) -> Result<(), ParameterError> {
        let spec = self.spec(name)?;
        if !spec.kind.admits(value) {
            let (found, expected) = (value.to_string(), spec.kind.to_string());
            return Err(ParameterError::Unsuitable { name: name.to_owned(), found, expected });
        }
        for (candidate, slot) in self.specs.iter().zip(&mut self.values) {
            if candidate.name == name {
                *slot = value;
            }
        }
        Ok(())
    }

    /// The value of a parameter, or `None` where none of that name is declared.
    pub fn get(&self, name: &str) -> Option<ParameterValue> {
        self.specs.iter().zip(&self.values).find(|(spec, _)| spec.name == name).map(|(_, value)| *value)
    }

    /// A duration in ns; 0 where no such duration is declared, which is a mistake in the policy.
    pub fn duration(&self, name: &str) -> u64 {
        if let Some(ParameterValue::Duration(nanos)) = self.get(name) { nanos } else { 0 }
    }

    /// An amount of bytes; 0 where none of that name is declared, which is a mistake in the policy.
    pub fn bytes(&self, name: &str) -> u64 {
        if let Some(ParameterValue::Bytes(bytes)) = self.get(name) { bytes } else { 0 }
    }

    /// A whole number; 0 where none of that name is declared, which is a mistake in the policy.
    pub fn integer(&self, name: &str) -> u64 {
        if let Some(ParameterValue::Integer(value)) = self.get(name) { value } else { 0 }
    }

    /// A number; 0 where none of that name is declared, which is a mistake in the policy.
    pub fn number(&self, name: &str) -> f64 {
        if let Some(ParameterValue::Number(value)) = self.get(name) { value } else { 0.0 }
    }

    /// A word; empty where none of that name is declared, which is a mistake in the policy.
    pub fn choice(&self, name: &str) -> &'static str {
        if let Some(ParameterValue::Choice(word)) = self.get(name) { word.as_str() } else { "" }
    }

    /// Yes or no; no where none of that name is declared, which is a mistake in the policy.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(ParameterValue::Flag(true)))
    }
}

impl ParameterKind {
    fn admits(&self, value: ParameterValue) -> bool {
        match (*self, value) {
            (Self::Duration, ParameterValue::Duration(_))
            | (Self::Bytes, ParameterValue::Bytes(_))
            | (Self::Flag, ParameterValue::Flag(_)) => true,
            (Self::Integer { min, max }, ParameterValue::Integer(value)) => (min..=max).contains(&value),
            (Self::Number { min, max }, ParameterValue::Number(value)) => (min..=max).contains(&value),
            (Self::Choice(words), ParameterValue::Choice(word)) => words.contains(&word),
            _ => false,
        }
    }
}

impl fmt::Display for ParameterKind {
    /// What would be right, as in "a whole number from 1 to 10".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration => f.write_str("a time in seconds, or with a unit (ns us ms s min h d)"),
            Self::Bytes => f.write_str("a size in bytes, or with a unit (B kB MB GB TB KiB MiB GiB TiB)"),
            Self::Integer { min, max: u64::MAX } => write!(f, "a whole number from {min}"),
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Number { min, max } if max.is_infinite() => write!(f, "a number from {min}"),
            Self::Number { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Choice(words) => {
                let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
                write!(f, "one of {}", words.join(", "))
            }
            Self::Flag => f.write_str("true or false"),
        }
    }
}

impl fmt::Display for ParameterValue {
    /// The value as a scenario would give it, durations in seconds; the greatest whole number is no limit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(nanos) => write!(f, "{}s", *nanos as f64 / 1e9),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
            Self::Integer(u64::MAX) => f.write_str("no limit"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Choice(word) => f.write_str(word.as_str()),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}
