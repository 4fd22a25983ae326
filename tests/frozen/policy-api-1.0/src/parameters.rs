use std::fmt;
use std::ops::RangeInclusive;

use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RStr, RVec};
use thiserror::Error;

pub const fn word(text: &'static str) -> RStr<'static> {
    RStr::from_str(text)
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    Duration,
    Bytes,
    Integer {
        min: u64,
        max: u64,
    },
    Number {
        min: f64,
        max: f64,
    },
    Choice(RSlice<'static, RStr<'static>>),
    Flag,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub enum ParameterValue {
    Duration(u64),
    Bytes(u64),
    Integer(u64),
    Number(f64),
    Choice(RStr<'static>),
    Flag(bool),
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct ParameterSpec {
    pub name: RStr<'static>,
    pub kind: ParameterKind,
    pub default: ParameterValue,
    pub unit: RStr<'static>,
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

    pub const fn duration(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, ParameterKind::Duration, ParameterValue::Duration(default), "s", help)
    }

    pub const fn bytes(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, ParameterKind::Bytes, ParameterValue::Bytes(default), "B", help)
    }

    pub const fn integer(name: &'static str, range: RangeInclusive<u64>, default: u64, help: &'static str) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(min <= default && default <= max, "the default is outside the range");
        Self::new(name, ParameterKind::Integer { min, max }, ParameterValue::Integer(default), "", help)
    }

    pub const fn number(name: &'static str, range: RangeInclusive<f64>, default: f64, help: &'static str) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(min <= default && default <= max, "the default is outside the range");
        Self::new(name, ParameterKind::Number { min, max }, ParameterValue::Number(default), "", help)
    }

    pub const fn choice(
        name: &'static str,
        words: &'static [RStr<'static>],
        default: &'static str,
        help: &'static str,
    ) -> Self {
        let kind = ParameterKind::Choice(RSlice::from_slice(words));
        Self::new(name, kind, ParameterValue::Choice(word(default)), "", help)
    }

    pub const fn flag(name: &'static str, default: bool, help: &'static str) -> Self {
        Self::new(name, ParameterKind::Flag, ParameterValue::Flag(default), "", help)
    }

    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = word(unit);
        self
    }
}

#[derive(Clone, Debug, PartialEq, Error)]
pub enum ParameterError {
    #[error("unknown parameter {name:?}: the policy takes {known}")]
    Unknown {
        name: String,
        known: String,
    },
    #[error("parameter {name:?}: found {found}, expected {expected}")]
    Unsuitable {
        name: String,
        found: String,
        expected: String,
    },
}

#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub struct Parameters {
    specs: RSlice<'static, ParameterSpec>,
    values: RVec<ParameterValue>,
}

impl Parameters {
    pub fn defaults(specs: &'static [ParameterSpec]) -> Self {
        Self { specs: specs.into(), values: specs.iter().map(|spec| spec.default).collect() }
    }

    pub fn specs(&self) -> &'static [ParameterSpec] {
        self.specs.as_slice()
    }

    pub fn spec(&self, name: &str) -> Result<&'static ParameterSpec, ParameterError> {
        self.specs().iter().find(|spec| spec.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.specs().iter().map(|spec| spec.name.as_str()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            ParameterError::Unknown { name: name.to_owned(), known }
        })
    }

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

    pub fn get(&self, name: &str) -> Option<ParameterValue> {
        self.specs.iter().zip(&self.values).find(|(spec, _)| spec.name == name).map(|(_, value)| *value)
    }

    pub fn duration(&self, name: &str) -> u64 {
        if let Some(ParameterValue::Duration(nanos)) = self.get(name) { nanos } else { 0 }
    }

    pub fn bytes(&self, name: &str) -> u64 {
        if let Some(ParameterValue::Bytes(bytes)) = self.get(name) { bytes } else { 0 }
    }

    pub fn integer(&self, name: &str) -> u64 {
        if let Some(ParameterValue::Integer(value)) = self.get(name) { value } else { 0 }
    }

    pub fn number(&self, name: &str) -> f64 {
        if let Some(ParameterValue::Number(value)) = self.get(name) { value } else { 0.0 }
    }

    pub fn choice(&self, name: &str) -> &'static str {
        if let Some(ParameterValue::Choice(word)) = self.get(name) { word.as_str() } else { "" }
    }

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
