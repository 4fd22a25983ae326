//! Parameters of policies: declared with type, default and range, and checked before a simulation starts.

use thiserror::Error;

/// What kind of value a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    /// A time, given as seconds or with a unit; read with [`Parameters::duration`].
    Duration,
    /// A whole number from `min` to `max`; read with [`Parameters::integer`].
    Integer {
        /// The least value allowed.
        min: u64,
        /// The greatest value allowed.
        max: u64,
    },
    /// A number from `min` to `max`; read with [`Parameters::number`].
    Number {
        /// The least value allowed.
        min: f64,
        /// The greatest value allowed.
        max: f64,
    },
    /// One of several words; read with [`Parameters::choice`].
    Choice(&'static [&'static str]),
}

/// One parameter that a policy declares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name in scenarios, in snake case.
    pub name: &'static str,
    /// What values it takes.
    pub kind: ParameterKind,
    /// The value when a scenario says nothing.
    pub default: ParameterValue,
    /// One line of help, with the unit.
    pub help: &'static str,
}

/// A value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterValue {
    /// Nanoseconds.
    Duration(u64),
    /// A whole number.
    Integer(u64),
    /// A number.
    Number(f64),
    /// A word, as declared in [`ParameterKind::Choice`].
    Choice(&'static str),
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
/// const SPECS: &[ParameterSpec] = &[ParameterSpec {
///     name: "limit",
///     kind: ParameterKind::Integer { min: 1, max: 1_000 },
///     default: ParameterValue::Integer(10),
///     help: "requests that may wait",
/// }];
/// let mut parameters = Parameters::defaults(SPECS);
/// assert_eq!(parameters.integer("limit"), 10);
/// parameters.set("limit", ParameterValue::Integer(20))?;
/// assert_eq!(parameters.integer("limit"), 20);
/// assert!(parameters.set("limit", ParameterValue::Integer(0)).is_err());
/// assert!(parameters.set("limits", ParameterValue::Integer(1)).is_err());
/// # Ok::<(), ParameterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    specs: &'static [ParameterSpec],
    values: Vec<ParameterValue>,
}

impl Parameters {
    /// Every parameter at its default.
    pub fn defaults(specs: &'static [ParameterSpec]) -> Self {
        Self { specs, values: specs.iter().map(|spec| spec.default).collect() }
    }

    /// The declarations, in order.
    pub fn specs(&self) -> &'static [ParameterSpec] {
        self.specs
    }

    /// The declaration of a parameter.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`], with the names that exist.
    pub fn spec(&self, name: &str) -> Result<&'static ParameterSpec, ParameterError> {
        self.specs.iter().find(|spec| spec.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.specs.iter().map(|spec| spec.name).collect();
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
        if let Some(ParameterValue::Choice(word)) = self.get(name) { word } else { "" }
    }
}

impl ParameterKind {
    fn admits(&self, value: ParameterValue) -> bool {
        match (*self, value) {
            (Self::Duration, ParameterValue::Duration(_)) => true,
            (Self::Integer { min, max }, ParameterValue::Integer(value)) => (min..=max).contains(&value),
            (Self::Number { min, max }, ParameterValue::Number(value)) => (min..=max).contains(&value),
            (Self::Choice(words), ParameterValue::Choice(word)) => words.contains(&word),
            _ => false,
        }
    }
}

impl std::fmt::Display for ParameterKind {
    /// What would be right, as in "a whole number from 1 to 10".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Duration => f.write_str("a time in seconds, or with a unit (ns us ms s min h d)"),
            Self::Integer { min, max: u64::MAX } => write!(f, "a whole number from {min}"),
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Number { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

impl std::fmt::Display for ParameterValue {
    /// The value as a scenario would give it, durations in seconds; the greatest whole number is no limit.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Duration(nanos) => write!(f, "{}s", *nanos as f64 / 1e9),
            Self::Integer(u64::MAX) => f.write_str("no limit"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Choice(word) => f.write_str(word),
        }
    }
}
