//! What a policy can do wrong, and how the kit tells it.

use std::fmt;

use crate::Claims;

/// A promise of [`Claims`], as faults name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// [`Claims::work_conserving`].
    WorkConserving,
    /// [`Claims::respects_capacity`].
    RespectsCapacity,
    /// [`Claims::lets_in_when_idle`].
    LetsInWhenIdle,
    /// [`Claims::starves_nobody`].
    StarvesNobody,
    /// [`Claims::bounded_memory`].
    BoundedMemory,
    /// [`Claims::bounded_time`].
    BoundedTime,
    /// [`Claims::sensible_times`].
    SensibleTimes,
}

impl Claim {
    /// All promises.
    pub const ALL: [Self; 7] = [
        Self::WorkConserving,
        Self::RespectsCapacity,
        Self::LetsInWhenIdle,
        Self::StarvesNobody,
        Self::BoundedMemory,
        Self::BoundedTime,
        Self::SensibleTimes,
    ];

    /// The field of [`Claims`].
    ///
    /// ```
    /// assert_eq!(hearth_policy_api::testkit::Claim::BoundedMemory.field(), "bounded_memory");
    /// ```
    pub fn field(self) -> &'static str {
        match self {
            Self::WorkConserving => "work_conserving",
            Self::RespectsCapacity => "respects_capacity",
            Self::LetsInWhenIdle => "lets_in_when_idle",
            Self::StarvesNobody => "starves_nobody",
            Self::BoundedMemory => "bounded_memory",
            Self::BoundedTime => "bounded_time",
            Self::SensibleTimes => "sensible_times",
        }
    }

    /// What a policy says in C that does not promise it.
    pub fn in_c(self) -> &'static str {
        match self {
            Self::WorkConserving => "HEARTH_NOT_WORK_CONSERVING",
            Self::RespectsCapacity => "HEARTH_NOT_RESPECTING_CAPACITY",
            Self::LetsInWhenIdle => "HEARTH_NOT_ADMITTING_WHEN_IDLE",
            Self::StarvesNobody => "HEARTH_NOT_STARVING_NOBODY",
            Self::BoundedMemory => "HEARTH_NOT_BOUNDED_MEMORY",
            Self::BoundedTime => "HEARTH_NOT_BOUNDED_TIME",
            Self::SensibleTimes => "HEARTH_NOT_SENSIBLE_TIMES",
        }
    }

    /// Whether it is promised.
    pub fn is_in(self, claims: &Claims) -> bool {
        match self {
            Self::WorkConserving => claims.work_conserving,
            Self::RespectsCapacity => claims.respects_capacity,
            Self::LetsInWhenIdle => claims.lets_in_when_idle,
            Self::StarvesNobody => claims.starves_nobody,
            Self::BoundedMemory => claims.bounded_memory,
            Self::BoundedTime => claims.bounded_time,
            Self::SensibleTimes => claims.sensible_times,
        }
    }

    /// The same promises without this one.
    ///
    /// ```
    /// use hearth_policy_api::{Claims, testkit::Claim};
    /// let claims = Claim::BoundedTime.taken_from(Claims::ALL);
    /// assert_eq!(claims, Claims { bounded_time: false, ..Claims::ALL });
    /// ```
    pub fn taken_from(self, mut claims: Claims) -> Claims {
        *match self {
            Self::WorkConserving => &mut claims.work_conserving,
            Self::RespectsCapacity => &mut claims.respects_capacity,
            Self::LetsInWhenIdle => &mut claims.lets_in_when_idle,
            Self::StarvesNobody => &mut claims.starves_nobody,
            Self::BoundedMemory => &mut claims.bounded_memory,
            Self::BoundedTime => &mut claims.bounded_time,
            Self::SensibleTimes => &mut claims.sensible_times,
        } = false;
        claims
    }
}

/// What kind of fault it is, and so what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It cannot be made with these parameters: nothing was checked.
    NotMade,
    /// A call failed, by a panic or an error: that would end a run.
    Call,
    /// An answer or an order that the host would not take: that would end a run.
    Answer,
    /// Not the same answers to the same calls: a run could not be repeated.
    Reproducibility,
    /// Something that it promises, unless it takes this claim back.
    Promise(Claim),
}

impl fmt::Display for FaultKind {
    /// What becomes of it, and what takes it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMade => f.write_str("nothing was checked"),
            Self::Call | Self::Answer => f.write_str("no claim takes this back: it would end a run with an error"),
            Self::Reproducibility => f.write_str("no claim takes this back: no run could be repeated"),
            Self::Promise(claim) => {
                write!(f, "a policy that means it says so: {}: false in CLAIMS ({} in C)", claim.field(), claim.in_c())
            }
        }
    }
}

/// A fault as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub kind: FaultKind,
    pub text: String,
}

impl Fault {
    pub fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// With the calls that led to it.
    pub fn after(self, history: Vec<String>) -> Counterexample {
        Counterexample { kind: self.kind, fault: self.text, history }
    }
}

impl From<String> for Fault {
    /// An answer that the host would not take.
    fn from(text: String) -> Self {
        Self::new(FaultKind::Answer, text)
    }
}

/// A fault, if that is promised which it is against.
pub(super) fn claimed(claims: Claims, claim: Claim, text: String) -> Result<(), Fault> {
    if claim.is_in(&claims) { Err(Fault::new(FaultKind::Promise(claim), text)) } else { Ok(()) }
}

/// A fault of a policy, and the shortest history found that shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Counterexample {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// What the policy did wrong.
    pub fault: String,
    /// The calls that led to it, one a line.
    pub history: Vec<String>,
}

/// Of a longer history, the display leaves out the middle.
const SHOWN_AT_FIRST: usize = 14;
const SHOWN_AT_LAST: usize = 6;

impl fmt::Display for Counterexample {
    /// The fault, the calls that led to it, as lines, and what takes it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if !self.history.is_empty() {
            write!(f, "\nafter")?;
        }
        let left_out = self.history.len().saturating_sub(SHOWN_AT_FIRST + SHOWN_AT_LAST);
        for (position, call) in self.history.iter().enumerate() {
            match position.checked_sub(SHOWN_AT_FIRST) {
                Some(0) if left_out > 0 => write!(f, "\n  … {left_out} more …")?,
                Some(beyond) if beyond < left_out => {}
                _ => write!(f, "\n  {call}")?,
            }
        }
        write!(f, "\n({})", self.kind)
    }
}
