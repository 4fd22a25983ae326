//! Parameters of policies: declared once, with type, unit, default and range, and checked before a simulation starts.

// What crosses the boundary is read here; each block says why it is there.
#![allow(unsafe_code)]

use std::fmt;
use std::ops::RangeInclusive;

use crate::parameter_lists::{elements, is_element, lines, numbers};
use crate::primitives::{
    PARAMETER_BYTES, PARAMETER_CHOICE, PARAMETER_DURATION, PARAMETER_DURATIONS, PARAMETER_FLAG, PARAMETER_INTEGER,
    PARAMETER_NUMBER, PARAMETER_NUMBERS, PARAMETER_TEXT, PARAMETER_TEXTS, Parameter, Slice, Text, Value,
};

/// What [`parameters!`](crate::parameters) implements: all that can be set of a policy.
pub trait ParameterSet: Sized {
    /// The declarations, in the order of their values.
    const DECLARED: &'static [Parameter];

    /// Takes values that have been checked; where some are missing, their defaults.
    fn read(values: &[Value]) -> Self;
}

impl ParameterSet for () {
    const DECLARED: &'static [Parameter] = &[];

    fn read(_values: &[Value]) -> Self {}
}

/// What [`choice!`](crate::choice) implements: one of several words.
pub trait Choice: Copy {
    /// The words, in the order of their positions.
    const WORDS: &'static [Text];

    /// The word in this position; the first one for a position that there is not.
    fn at(position: u64) -> Self;
}

/// Declares the words of a parameter as an enum.
///
/// ```
/// hearth_policy_api::choice! {
///     /// What counts as using an image.
///     pub enum Used {
///         /// A container of it is started.
///         Use = "use",
///         /// It is loaded.
///         Load = "load",
///     }
/// }
/// hearth_policy_api::parameters! {
///     /// What can be set.
///     struct Settings {
///         /// what counts as using an image
///         touch: choice(Used) = Used::Load;
///     }
/// }
/// assert_eq!(Settings::default().touch, Used::Load);
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$doc])* $variant),+ }

        impl $crate::Choice for $name {
            const WORDS: &'static [$crate::abi::Text] = &[$($crate::abi::Text::new($word)),+];

            fn at(position: u64) -> Self {
                const ALL: &[$name] = &[$($name::$variant),+];
                *ALL.get(position as usize).unwrap_or(&ALL[0])
            }
        }
    };
}

/// Declares what can be set of a policy: a struct with a field for each parameter, whose documentation is the parameter's line
/// of help. `Default` sets each to its default.
///
/// | kind | type | what scenarios say |
/// |---|---|---|
/// | `duration` | `u64`, ns | seconds, or a time with a unit |
/// | `bytes` | `u64` | bytes, or a size with a unit |
/// | `integer(MIN..=MAX)` | `u64`; `u64::MAX` stands for "no limit" | a whole number |
/// | `number(MIN..=MAX)` | `f64` | a number |
/// | `choice(TYPE)` | `TYPE`, of [`choice!`](crate::choice) | one of its words |
/// | `word("a", "b", …)` | `&'static str` | one of these words |
/// | `flag` | `bool` | `true` or `false` |
/// | `text` | `String` | text, such as the path of a file |
/// | `texts` | `Vec<String>` | a list of texts |
/// | `numbers(MIN..=MAX)` | `Vec<f64>` | a list of numbers |
/// | `durations` | `Vec<u64>`, ns | a list of times |
///
/// The default of a list is text with an element on each line: `"1000\n5000"` are two times of 1 µs and 5 µs, `""` is an empty list.
///
/// ```
/// use hearth_policy_api::ParameterSet;
/// hearth_policy_api::parameters! {
///     /// What can be set.
///     #[derive(Clone, Debug)]
///     pub struct Settings {
///         /// how far back to look
///         pub window: duration = 60_000_000_000;
///         /// how many nodes to draw
///         pub choices: integer(1..=64) = 2, "nodes";
///         /// how far above the average load a node may be
///         pub epsilon: number(0.0..=1.0) = 0.25;
///         /// whether to count those that wait
///         pub waiting: flag = true;
///         /// what each attempt counts
///         pub weights: numbers(0.0..=1.0) = "1\n0.5";
///     }
/// }
/// let settings = Settings::default();
/// assert_eq!((settings.window, settings.choices, settings.epsilon, settings.waiting), (60_000_000_000, 2, 0.25, true));
/// assert_eq!(settings.weights, [1.0, 0.5]);
/// assert_eq!(Settings::DECLARED.len(), 5);
/// ```
///
/// A name that was not declared does not compile:
///
/// ```compile_fail
/// hearth_policy_api::parameters! {
///     /// What can be set.
///     struct Settings {
///         /// how long containers are kept
///         timeout: duration = 60_000_000_000;
///     }
/// }
/// let timeout = Settings::default().time_out;
/// ```
#[macro_export]
macro_rules! parameters {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[doc = $help:literal])+ $field_vis:vis $field:ident: $kind:ident $(($($argument:tt)*))? = $default:expr $(, $unit:literal)?;)+
    }) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[doc = $help])+ $field_vis $field: $crate::__parameter!(type $kind $($($argument)*)?),)+
        }

        impl $crate::ParameterSet for $name {
            const DECLARED: &'static [$crate::abi::Parameter] = &[
                $($crate::__parameter!(declare $kind [$($($argument)*)?] $default, ::core::stringify!($field), ::core::concat!($($help),+))
                    $(.unit($unit))?,)+
            ];

            fn read(values: &[$crate::abi::Value]) -> Self {
                let mut position = 0;
                let mut next = || {
                    position += 1;
                    values.get(position - 1).unwrap_or(&Self::DECLARED[position - 1].default_value)
                };
                Self { $($field: $crate::__parameter!(read $kind [$($($argument)*)?] next()),)+ }
            }
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                <Self as $crate::ParameterSet>::read(&[])
            }
        }
    };
}

/// The parts of [`parameters!`](crate::parameters) that differ by kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter {
    (type duration) => { u64 };
    (type bytes) => { u64 };
    (type integer $($range:tt)*) => { u64 };
    (type number $($range:tt)*) => { f64 };
    (type choice $words:ty) => { $words };
    (type word $($words:literal),+) => { &'static str };
    (type flag) => { bool };
    (type text) => { ::std::string::String };
    (type texts) => { ::std::vec::Vec<::std::string::String> };
    (type numbers $($range:tt)*) => { ::std::vec::Vec<f64> };
    (type durations) => { ::std::vec::Vec<u64> };
    (declare duration [] $default:expr, $name:expr, $help:expr) => { $crate::abi::Parameter::duration($name, $default, $help) };
    (declare bytes [] $default:expr, $name:expr, $help:expr) => { $crate::abi::Parameter::bytes($name, $default, $help) };
    (declare integer [$range:expr] $default:expr, $name:expr, $help:expr) => {
        $crate::abi::Parameter::integer($name, $range, $default, $help)
    };
    (declare number [$range:expr] $default:expr, $name:expr, $help:expr) => {
        $crate::abi::Parameter::number($name, $range, $default, $help)
    };
    (declare choice [$words:ty] $default:expr, $name:expr, $help:expr) => {
        $crate::abi::Parameter::choice::<$words>($name, $default as u64, $help)
    };
    (declare word [$($word:literal),+] $default:expr, $name:expr, $help:expr) => {
        $crate::abi::Parameter::word($name, &[$($crate::abi::Text::new($word)),+], $default, $help)
    };
    (declare flag [] $default:expr, $name:expr, $help:expr) => { $crate::abi::Parameter::flag($name, $default, $help) };
    (declare text [] $default:expr, $name:expr, $help:expr) => { $crate::abi::Parameter::text($name, $default, $help) };
    (declare texts [] $default:expr, $name:expr, $help:expr) => { $crate::abi::Parameter::texts($name, $default, $help) };
    (declare numbers [$range:expr] $default:expr, $name:expr, $help:expr) => {
        $crate::abi::Parameter::numbers($name, $range, $default, $help)
    };
    (declare durations [] $default:expr, $name:expr, $help:expr) => {
        $crate::abi::Parameter::durations($name, $default, $help)
    };
    (read choice [$words:ty] $value:expr) => { <$words as $crate::Choice>::at($value.integer) };
    (read word [$($word:literal),+] $value:expr) => {
        [$($word),+].get($value.integer as usize).copied().unwrap_or_default()
    };
    (read number [$($range:tt)*] $value:expr) => { $value.number };
    (read flag [] $value:expr) => { $value.integer != 0 };
    (read text [] $value:expr) => { $value.to_text() };
    (read texts [] $value:expr) => { $value.to_texts() };
    (read numbers [$($range:tt)*] $value:expr) => { $value.to_numbers() };
    (read durations [] $value:expr) => { $value.to_durations() };
    (read $whole:ident [$($range:tt)*] $value:expr) => { $value.integer };
}

impl Value {
    const fn integer(integer: u64) -> Self {
        Self { integer, ..Self::NONE }
    }

    const fn number(number: f64) -> Self {
        Self { number, ..Self::NONE }
    }

    /// The text of the value.
    #[doc(hidden)]
    pub fn to_text(&self) -> String {
        // SAFETY: a declared default lasts, and text that the host has passed lasts while the instance is made.
        unsafe { self.text.copied() }
    }

    /// The texts of a list.
    #[doc(hidden)]
    pub fn to_texts(&self) -> Vec<String> {
        elements(&self.to_text()).map(str::to_owned).collect()
    }

    /// The numbers of a list.
    #[doc(hidden)]
    pub fn to_numbers(&self) -> Vec<f64> {
        numbers(&self.to_text())
    }

    /// The times of a list, in ns.
    #[doc(hidden)]
    pub fn to_durations(&self) -> Vec<u64> {
        numbers(&self.to_text())
    }
}

/// The line of help of documentation, which begins with a space.
const fn trimmed(help: &'static str) -> &'static str {
    match help.as_bytes() {
        [b' ', rest @ ..] => match std::str::from_utf8(rest) {
            Ok(rest) => rest,
            Err(_) => help,
        },
        _ => help,
    }
}

/// Whether a word is this one, in a constant.
const fn is_same(word: Text, text: &'static str) -> bool {
    let mut position = 0;
    if word.length != text.len() {
        return false;
    }
    // SAFETY: words of constants last, and are as long as they say.
    let word = unsafe { std::slice::from_raw_parts(word.data.cast::<u8>(), word.length) };
    while position < word.len() {
        if word[position] != text.as_bytes()[position] {
            return false;
        }
        position += 1;
    }
    true
}

#[doc(hidden)]
impl Parameter {
    const fn new(name: &'static str, kind: u32, default_value: Value, unit: &'static str, help: &'static str) -> Self {
        Self {
            size: size_of::<Self>() as u32,
            kind,
            name: Text::new(name),
            unit: Text::new(unit),
            help: Text::new(trimmed(help)),
            min: Value::NONE,
            max: Value::NONE,
            default_value,
            words: Slice::new(&[]),
        }
    }

    pub const fn duration(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, PARAMETER_DURATION, Value::integer(default), "s", help)
    }

    pub const fn bytes(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, PARAMETER_BYTES, Value::integer(default), "B", help)
    }

    pub const fn integer(name: &'static str, range: RangeInclusive<u64>, default: u64, help: &'static str) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(min <= default && default <= max, "the default is outside the range");
        let declared = Self::new(name, PARAMETER_INTEGER, Value::integer(default), "", help);
        Self { min: Value::integer(min), max: Value::integer(max), ..declared }
    }

    pub const fn number(name: &'static str, range: RangeInclusive<f64>, default: f64, help: &'static str) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(min <= default && default <= max, "the default is outside the range");
        let declared = Self::new(name, PARAMETER_NUMBER, Value::number(default), "", help);
        Self { min: Value::number(min), max: Value::number(max), ..declared }
    }

    pub const fn choice<C: Choice>(name: &'static str, default: u64, help: &'static str) -> Self {
        let declared = Self::new(name, PARAMETER_CHOICE, Value::integer(default), "", help);
        Self { words: Slice::new(C::WORDS), ..declared }
    }

    /// # Panics
    /// When the default is none of the words.
    pub const fn word(name: &'static str, words: &'static [Text], default: &'static str, help: &'static str) -> Self {
        let mut position = 0;
        while !is_same(words[position], default) {
            position += 1;
        }
        let declared = Self::new(name, PARAMETER_CHOICE, Value::integer(position as u64), "", help);
        Self { words: Slice::new(words), ..declared }
    }

    pub const fn flag(name: &'static str, default: bool, help: &'static str) -> Self {
        Self::new(name, PARAMETER_FLAG, Value::integer(default as u64), "", help)
    }

    pub const fn text(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::of_text(name, PARAMETER_TEXT, default, "", help)
    }

    pub const fn texts(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::of_text(name, PARAMETER_TEXTS, default, "", help)
    }

    pub const fn numbers(
        name: &'static str,
        range: RangeInclusive<f64>,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        let (min, max) = (Value::number(*range.start()), Value::number(*range.end()));
        Self { min, max, ..Self::of_text(name, PARAMETER_NUMBERS, default, "", help) }
    }

    pub const fn durations(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::of_text(name, PARAMETER_DURATIONS, default, "s", help)
    }

    const fn of_text(
        name: &'static str,
        kind: u32,
        default: &'static str,
        unit: &'static str,
        help: &'static str,
    ) -> Self {
        Self::new(name, kind, Value { text: Text::new(default), ..Value::NONE }, unit, help)
    }

    pub const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Text::new(unit), ..self }
    }
}

/// What kind of value a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// A time, given as seconds or with a unit.
    Duration,
    /// An amount of bytes, given as a number or with a unit.
    Bytes,
    /// A whole number.
    Integer {
        /// The least value allowed.
        min: u64,
        /// The greatest value allowed.
        max: u64,
    },
    /// A number.
    Number {
        /// The least value allowed.
        min: f64,
        /// The greatest value allowed.
        max: f64,
    },
    /// One of several words.
    Choice(Vec<String>),
    /// Yes or no.
    Flag,
    /// Text.
    Text,
    /// A list of texts, each on one line.
    Texts,
    /// A list of numbers.
    Numbers {
        /// The least value allowed.
        min: f64,
        /// The greatest value allowed.
        max: f64,
    },
    /// A list of times, each given as seconds or with a unit.
    Durations,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
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
    Choice(String),
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Nanoseconds.
    Durations(Vec<u64>),
}

/// One parameter that a policy declares, as a host has read it.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name in scenarios, in snake case.
    pub name: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// The value when a scenario says nothing.
    pub default: ParameterValue,
    /// What its numbers count; empty where they have no unit.
    pub unit: String,
    /// One line of help.
    pub help: String,
}

impl ParameterSpec {
    /// Reads a declaration; why it makes no sense, as a message goes on after its name.
    pub(crate) fn read(declared: &'static Parameter) -> Result<Self, String> {
        // SAFETY: what is declared lasts as long as its library, which is never closed.
        let text = |text: &Text| unsafe { text.copied() };
        let name = text(&declared.name);
        let Parameter { default_value: Value { integer, number, .. }, min, max, .. } = declared;
        let (integer, number) = (*integer, *number);
        let (kind, default) = match declared.kind {
            PARAMETER_DURATION => (ParameterKind::Duration, ParameterValue::Duration(integer)),
            PARAMETER_BYTES => (ParameterKind::Bytes, ParameterValue::Bytes(integer)),
            PARAMETER_INTEGER => {
                (ParameterKind::Integer { min: min.integer, max: max.integer }, ParameterValue::Integer(integer))
            }
            PARAMETER_NUMBER => {
                (ParameterKind::Number { min: min.number, max: max.number }, ParameterValue::Number(number))
            }
            PARAMETER_CHOICE => {
                let words: Vec<String> = declared.words.iter().map(text).collect();
                let default = words.get(integer as usize).cloned();
                let default = default.ok_or("whose default is none of its words: give the position of one")?;
                (ParameterKind::Choice(words), ParameterValue::Choice(default))
            }
            PARAMETER_FLAG => (ParameterKind::Flag, ParameterValue::Flag(integer != 0)),
            PARAMETER_TEXT => (ParameterKind::Text, ParameterValue::Text(text(&declared.default_value.text))),
            PARAMETER_TEXTS => (ParameterKind::Texts, ParameterValue::Texts(declared.default_value.to_texts())),
            PARAMETER_NUMBERS => (
                ParameterKind::Numbers { min: min.number, max: max.number },
                ParameterValue::Numbers(all_of(declared.default_value.to_numbers(), &declared.default_value)?),
            ),
            PARAMETER_DURATIONS => (
                ParameterKind::Durations,
                ParameterValue::Durations(all_of(declared.default_value.to_durations(), &declared.default_value)?),
            ),
            other => {
                return Err(format!(
                    "whose kind is {other}, which this hearth does not know: use one of hearth_policy.h"
                ));
            }
        };
        if !kind.admits(&default) {
            return Err(format!("whose default is {default}: give {kind}"));
        }
        Ok(Self { name, kind, default, unit: text(&declared.unit), help: text(&declared.help) })
    }
}

/// The elements of a default, if none of its lines was passed over.
fn all_of<T>(read: Vec<T>, default: &Value) -> Result<Vec<T>, String> {
    let lines = default.to_texts();
    if read.len() == lines.len() { Ok(read) } else { Err(format!("whose default is {lines:?}: give a number a line")) }
}

/// Why a value does not suit a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterError {
    /// The policy has no such parameter.
    Unknown {
        /// The name found.
        name: String,
        /// The names that exist, in words.
        known: String,
    },
    /// The value is of another type or outside the range.
    Unsuitable {
        /// The parameter.
        name: String,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
    },
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, known } => write!(f, "unknown parameter {name:?}: the policy takes {known}"),
            Self::Unsuitable { name, found, expected } => {
                write!(f, "parameter {name:?}: found {found}, expected {expected}")
            }
        }
    }
}

impl std::error::Error for ParameterError {}

/// The values of a policy's parameters as a host keeps them, each checked against its [`ParameterSpec`].
///
/// ```
/// use hearth_policy_api::*;
/// let limit = ParameterSpec {
///     name: "limit".to_owned(),
///     kind: ParameterKind::Integer { min: 1, max: 1_000 },
///     default: ParameterValue::Integer(10),
///     unit: "requests".to_owned(),
///     help: "how many may wait".to_owned(),
/// };
/// let mut parameters = Parameters::defaults(&[limit]);
/// assert_eq!(parameters.get("limit"), Some(&ParameterValue::Integer(10)));
/// parameters.set("limit", ParameterValue::Integer(20))?;
/// assert!(parameters.set("limit", ParameterValue::Integer(0)).is_err());
/// assert!(parameters.set("limits", ParameterValue::Integer(1)).is_err());
/// # Ok::<(), ParameterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    specs: Vec<ParameterSpec>,
    values: Vec<ParameterValue>,
}

impl Parameters {
    /// Every parameter at its default.
    pub fn defaults(specs: &[ParameterSpec]) -> Self {
        Self { specs: specs.to_vec(), values: specs.iter().map(|spec| spec.default.clone()).collect() }
    }

    /// The declarations, in order.
    pub fn specs(&self) -> &[ParameterSpec] {
        &self.specs
    }

    /// The declaration of a parameter.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`], with the names that exist.
    pub fn spec(&self, name: &str) -> Result<&ParameterSpec, ParameterError> {
        self.specs.iter().find(|spec| spec.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
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
        if !spec.kind.admits(&value) {
            let (found, expected) = (value.to_string(), spec.kind.to_string());
            return Err(ParameterError::Unsuitable { name: name.to_owned(), found, expected });
        }
        for (candidate, slot) in self.specs.iter().zip(&mut self.values) {
            if candidate.name == name {
                slot.clone_from(&value);
            }
        }
        Ok(())
    }

    /// The value of a parameter, or `None` where none of that name is declared.
    pub fn get(&self, name: &str) -> Option<&ParameterValue> {
        self.specs.iter().zip(&self.values).find(|(spec, _)| spec.name == name).map(|(_, value)| value)
    }

    /// The values as they cross, and the lists among them as text, from which they are borrowed, as is other text from here.
    pub(crate) fn values(&self) -> (Vec<Value>, Vec<String>) {
        let list = |value: &ParameterValue| match value {
            ParameterValue::Texts(texts) => Some(lines(texts)),
            ParameterValue::Numbers(numbers) => Some(lines(numbers)),
            ParameterValue::Durations(times) => Some(lines(times)),
            _ => None,
        };
        let lists: Vec<String> = self.values.iter().filter_map(list).collect();
        let mut next = lists.iter();
        let mut of_list = |length: usize| Value {
            text: Text::lent(next.next().map_or("", |list| list)),
            ..Value::integer(length as u64)
        };
        let value = |(spec, value): (&ParameterSpec, &ParameterValue)| match value {
            ParameterValue::Duration(integer) | ParameterValue::Bytes(integer) | ParameterValue::Integer(integer) => {
                Value::integer(*integer)
            }
            ParameterValue::Number(number) => Value::number(*number),
            ParameterValue::Choice(word) => {
                let position = match &spec.kind {
                    ParameterKind::Choice(words) => words.iter().position(|of| of == word),
                    _ => None,
                };
                Value { text: Text::lent(word), ..Value::integer(position.unwrap_or(0) as u64) }
            }
            ParameterValue::Flag(is_set) => Value::integer(u64::from(*is_set)),
            ParameterValue::Text(text) => Value { text: Text::lent(text), ..Value::NONE },
            ParameterValue::Texts(list) => of_list(list.len()),
            ParameterValue::Numbers(list) => of_list(list.len()),
            ParameterValue::Durations(list) => of_list(list.len()),
        };
        let values = self.specs.iter().zip(&self.values).map(value).collect();
        (values, lists)
    }
}

impl ParameterKind {
    fn admits(&self, value: &ParameterValue) -> bool {
        match (self, value) {
            (Self::Duration, ParameterValue::Duration(_))
            | (Self::Bytes, ParameterValue::Bytes(_))
            | (Self::Flag, ParameterValue::Flag(_))
            | (Self::Text, ParameterValue::Text(_))
            | (Self::Durations, ParameterValue::Durations(_)) => true,
            (Self::Texts, ParameterValue::Texts(texts)) => texts.iter().all(|text| is_element(text)),
            (Self::Numbers { min, max }, ParameterValue::Numbers(numbers)) => {
                numbers.iter().all(|number| (min..=max).contains(&number))
            }
            (Self::Integer { min, max }, ParameterValue::Integer(value)) => (min..=max).contains(&value),
            (Self::Number { min, max }, ParameterValue::Number(value)) => (min..=max).contains(&value),
            (Self::Choice(words), ParameterValue::Choice(word)) => words.contains(word),
            _ => false,
        }
    }
}

impl fmt::Display for ParameterKind {
    /// What would be right, as in "a whole number from 1 to 10".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration => write!(f, "a time in {TIMES}"),
            Self::Bytes => f.write_str("a size in bytes, or with a unit (B kB MB GB TB KiB MiB GiB TiB)"),
            Self::Integer { min, max: u64::MAX } => write!(f, "a whole number from {min}"),
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Number { min, max } => write!(f, "a number from {}", Range(*min, *max)),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Flag => f.write_str("true or false"),
            Self::Text => f.write_str("text"),
            Self::Texts => f.write_str("a list of texts, as in [\"a\",\"b\"]"),
            Self::Numbers { min, max } => write!(f, "a list of numbers from {}", Range(*min, *max)),
            Self::Durations => write!(f, "a list of times in {TIMES}"),
        }
    }
}

/// How times are given.
const TIMES: &str = "seconds, or with a unit (ns us ms s min h d)";

/// A range of numbers, of which infinity is no bound.
struct Range(f64, f64);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(min, max) = self;
        if max.is_infinite() { write!(f, "{min}") } else { write!(f, "{min} to {max}") }
    }
}

impl fmt::Display for ParameterValue {
    /// The value as a scenario would give it, durations in seconds; the greatest whole number is no limit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(nanos) => write!(f, "{}", Seconds(*nanos)),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
            Self::Integer(u64::MAX) => f.write_str("no limit"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Choice(word) | Self::Text(word) => f.write_str(word),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Texts(texts) => write!(f, "{texts:?}"),
            Self::Numbers(numbers) => f.write_str(&list(numbers.iter())),
            Self::Durations(times) => f.write_str(&list(times.iter().map(|nanos| Seconds(*nanos)))),
        }
    }
}

/// A time as a scenario would give it.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0 as f64 / 1e9)
    }
}

/// A list as a scenario would give it.
fn list(elements: impl Iterator<Item = impl fmt::Display>) -> String {
    let elements: Vec<String> = elements.map(|element| element.to_string()).collect();
    format!("[{}]", elements.join(", "))
}
