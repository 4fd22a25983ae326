//! Admission: whether a request is let in.

use abi_stable::StableAbi;
use abi_stable::std_types::RString;

use crate::{Completion, RequestView};

/// The load at a moment, as admission sees it.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionView {
    /// The date, in ns.
    pub now: u64,
    /// Admitted invocations that have not been dispatched to a container, without this request.
    pub waiting: u64,
    /// Of these, those of the request's function.
    pub waiting_of_function: u64,
    /// Invocations that hold a core.
    pub running: u64,
    /// Of these, those of the request's function.
    pub running_of_function: u64,
    /// Free cores of the nodes that are up.
    pub free_cores: u64,
    /// How often this request was delayed before.
    pub delays: u32,
}

/// What happens to a request.
#[repr(u8)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub enum AdmissionDecision {
    /// It is let in.
    Admit,
    /// It is asked about again after so many ns.
    Delay(u64),
    /// It ends as rejected, for this reason.
    Reject(RString),
}

/// How the host is to ask an admission policy. Since interface 1.2.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionRules {
    /// Whether to call [`Admission::on_completion`].
    pub observes_completions: bool,
    /// Everybody is let in, always: the host need not ask.
    pub admits_all: bool,
}

/// Decides which requests are let in.
///
/// ```
/// use hearth_policy_api::{Admission, AdmissionDecision, AdmissionView, RequestView};
///
/// /// Asks those who find no free core to come again in a second, but not for ever.
/// struct Patient;
///
/// impl Admission for Patient {
///     fn admit(&mut self, _request: &RequestView, load: &AdmissionView) -> AdmissionDecision {
///         match load {
///             AdmissionView { free_cores: 1.., .. } => AdmissionDecision::Admit,
///             AdmissionView { delays: 5.., .. } => AdmissionDecision::Reject("came five times for nothing".into()),
///             _ => AdmissionDecision::Delay(1_000_000_000),
///         }
///     }
/// }
/// let full = AdmissionView::default();
/// assert_eq!(Patient.admit(&RequestView::default(), &full), AdmissionDecision::Delay(1_000_000_000));
/// ```
pub trait Admission {
    /// Called once for each request when the head has processed it, and again after each delay.
    fn admit(&mut self, request: &RequestView, load: &AdmissionView) -> AdmissionDecision;

    /// How to ask this policy; read once, after construction. Since interface 1.2.
    fn rules(&self) -> AdmissionRules {
        AdmissionRules::default()
    }

    /// An invocation has run to its end. Called when [`AdmissionRules::observes_completions`] is set. Since interface
    /// 1.2.
    fn on_completion(&mut self, _completion: &Completion) {}
}
