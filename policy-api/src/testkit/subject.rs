//! Instances of the policy under test.

use super::alarms::Alarms;
use super::fault::{Fault, FaultKind};
use super::setting::Setting;
use crate::boundary::{Instance, Object, Role, Seat};
use crate::{Claims, Parameters, PolicyContext, PolicyDescriptor, PolicyKind, PolicySlot};

/// Makes instances.
pub(super) struct Subject {
    policy: PolicyDescriptor,
    kind: PolicyKind,
    pub claims: Claims,
    pub parameters: Parameters,
    /// Whether histories are played with other values of parameters, too.
    pub draws_parameters: bool,
}

impl Subject {
    /// Of a policy in one of its kinds, which promises so much.
    pub fn new(policy: &PolicyDescriptor, kind: PolicyKind, claims: Claims, parameters: Option<Parameters>) -> Self {
        let draws_parameters = parameters.is_none();
        let parameters = parameters.unwrap_or_else(|| Parameters::defaults(&policy.parameters()));
        Self { policy: *policy, kind, claims, parameters, draws_parameters }
    }

    /// What it is held to in a setting. A rate of nothing or a factor of a million, where they may be set, do what they say: with
    /// values that are drawn nobody need be let in, and times may be as long as they like.
    pub fn claims(&self, setting: &Setting) -> Claims {
        if setting.drawn.is_empty() {
            self.claims
        } else {
            Claims { lets_in_when_idle: false, sensible_times: false, ..self.claims }
        }
    }

    /// The setting that is tried first.
    pub fn plain(&self) -> Setting {
        Setting::plain(&self.parameters)
    }

    /// An instance and its timers.
    pub fn instance<T: Role>(&self, setting: &Setting, nodes: u32) -> Result<(Object<T>, Alarms), Fault> {
        let (instance, alarms) = self.instance_of_all(setting, nodes)?;
        let object = instance.role();
        let object =
            object.ok_or_else(|| Fault::new(FaultKind::NotMade, "cannot be made: is another kind of policy"))?;
        Ok((object, alarms))
    }

    /// An instance that may serve in several roles, and its timers.
    pub fn instance_of_all(&self, setting: &Setting, nodes: u32) -> Result<(Instance, Alarms), Fault> {
        let slot = match self.kind {
            PolicyKind::NodeAllocation => PolicySlot::NodeAllocation,
            PolicyKind::Eviction => PolicySlot::Containers,
            PolicyKind::Admission => PolicySlot::Admission,
            PolicyKind::KeepAlive => PolicySlot::KeepAlive,
            PolicyKind::Autoscaling => PolicySlot::Autoscaling,
        };
        let context = PolicyContext { slot, seed: setting.seed, nodes, ..PolicyContext::default() };
        let alarms = Alarms::default();
        let made = self.policy.make_instance(&setting.parameters, &Seat::new(&context, alarms.orders()));
        let instance = made.map_err(|failure| {
            let text = format!("cannot be made: {failure}");
            // What it says of parameters that do not go together is no fault; a panic is.
            let is_panic = failure.cause.starts_with("panicked");
            Fault::new(if is_panic { FaultKind::Call } else { FaultKind::NotMade }, text)
        })?;
        Ok((instance, alarms))
    }
}
