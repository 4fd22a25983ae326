//! Policies of the program itself, by kind and name.

use hearth_policy_api::PolicyKind;
use hearth_policy_api::boundary::{
    AdmissionObject, AutoscalingObject, EvictionObject, KeepAliveObject, NodeAllocationObject,
};

use super::{Factory, PolicyChoice};

/// Policies of the program itself, which scenarios name as they do others. They take no parameters: the program has made them as they
/// are to be.
///
/// ```
/// use hearth_policy_api::boundary::KeepAliveObject;
/// use hearth_policy_api::{Completion, KeepAlive, Retention};
/// use hearth_serverless::policy::{Catalog, Factory, OwnPolicies};
/// struct Hour;
/// impl KeepAlive for Hour {
///     fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
///         Retention { keep_for: 3_600_000_000_000 }
///     }
/// }
/// let hour = Factory::<KeepAliveObject>::in_place("hour", |_| Hour);
/// let own = OwnPolicies { keep_alive: vec![hour], ..OwnPolicies::default() };
/// let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
/// assert!(catalog.keep_alive("hour").is_ok() && catalog.admission("hour").is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct OwnPolicies {
    /// Where invocations run.
    pub node_allocation: Vec<Factory<NodeAllocationObject>>,
    /// What is evicted.
    pub eviction: Vec<Factory<EvictionObject>>,
    /// Who is let in.
    pub admission: Vec<Factory<AdmissionObject>>,
    /// How long idle containers stay.
    pub keep_alive: Vec<Factory<KeepAliveObject>>,
    /// How many instances functions have, and nodes pools.
    pub autoscaling: Vec<Factory<AutoscalingObject>>,
}

/// The one that is chosen, if it is among these.
pub(super) fn chosen<O>(policies: &[Factory<O>], choice: &PolicyChoice) -> Option<Factory<O>> {
    let name = choice.name.as_deref().filter(|_| choice.library.is_none())?;
    policies.iter().find(|policy| policy.name() == name).cloned()
}

impl OwnPolicies {
    /// The names of those of a kind.
    pub(super) fn names(&self, kind: PolicyKind) -> Vec<&str> {
        fn all<O>(policies: &[Factory<O>]) -> Vec<&str> {
            policies.iter().map(Factory::name).collect()
        }
        match kind {
            PolicyKind::NodeAllocation => all(&self.node_allocation),
            PolicyKind::Eviction => all(&self.eviction),
            PolicyKind::Admission => all(&self.admission),
            PolicyKind::KeepAlive => all(&self.keep_alive),
            PolicyKind::Autoscaling => all(&self.autoscaling),
        }
    }
}
