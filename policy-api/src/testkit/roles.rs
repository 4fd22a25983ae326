//! The roles in which a policy is checked: each of its kinds, and for a controller all of them together.

use super::fault::Counterexample;
use super::history::Visit;
use super::subject::Subject;
use super::{Options, admission, allocation, autoscaling, eviction, keep_alive};
use crate::{PolicyDescriptor, PolicyKind};

/// Does something with each role.
pub(super) fn visit(
    policy: &PolicyDescriptor,
    options: &Options,
    visitor: &mut impl Visit,
) -> Result<(), Counterexample> {
    let claims = options.claims.unwrap_or_else(|| policy.claims());
    let subject = |kind| Subject::new(policy, kind, claims, options.parameters.clone());
    for kind in policy.kinds() {
        let subject = subject(kind);
        match kind {
            PolicyKind::NodeAllocation => visitor.visit(&allocation::Check { subject, is_joint: false }),
            PolicyKind::Eviction => visitor.visit(&eviction::Check { subject }),
            PolicyKind::Admission => visitor.visit(&admission::Check { subject }),
            PolicyKind::KeepAlive => visitor.visit(&keep_alive::Check { subject }),
            PolicyKind::Autoscaling => visitor.visit(&autoscaling::Check { subject }),
        }?;
    }
    // Of the others each storage has an instance of its own.
    let together = [PolicyKind::NodeAllocation, PolicyKind::Admission, PolicyKind::KeepAlive];
    if policy.is(PolicyKind::NodeAllocation) && together.iter().filter(|kind| policy.is(**kind)).count() > 1 {
        let subject = subject(PolicyKind::NodeAllocation);
        visitor.visit(&allocation::Check { subject, is_joint: true })?;
    }
    Ok(())
}
