//! How much a policy says of what it does.

use std::fmt;
use std::str::FromStr;

use crate::primitives::{LOG_DEBUG, LOG_ERROR, LOG_INFO, LOG_TRACE, LOG_WARN};

/// How important a line of the log is ([`Actions::log`](crate::Actions::log)), the most important first.
///
/// ```
/// use hearth_policy_api::LogLevel;
/// assert!(LogLevel::Error < LogLevel::Trace);
/// assert_eq!("warn".parse(), Ok(LogLevel::Warn));
/// assert_eq!(LogLevel::Debug.to_string(), "debug");
/// ```
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// What should not be.
    Error = LOG_ERROR,
    /// What is likely not meant.
    Warn = LOG_WARN,
    /// What happens now and then.
    Info = LOG_INFO,
    /// Why an answer is what it is.
    Debug = LOG_DEBUG,
    /// Each step on the way to it.
    Trace = LOG_TRACE,
}

impl LogLevel {
    /// All levels.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// As it crosses: of a number that is none, the least important.
    pub(crate) fn of_number(number: u32) -> Self {
        Self::ALL.into_iter().find(|level| *level as u32 == number).unwrap_or(Self::Trace)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let level = Self::ALL.into_iter().find(|level| level.name() == name);
        level.ok_or_else(|| format!("{name:?} is no level: expected error, warn, info, debug or trace"))
    }
}
