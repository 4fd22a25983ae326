//! The policies that a service asks and tells, and what they want to be asked and told.

use std::rc::Rc;

use hearth_policy_api::AllocationRules;
use hearth_policy_api::boundary::{AdmissionObject, KeepAliveObject, NodeAllocationObject};

use super::Service;
use crate::error::Error;
use crate::policy::{Hosted, Mistake, PolicySet, Watch};

/// The policies of a service, but for those of eviction, which storage has.
#[derive(Debug)]
pub(crate) struct Policies {
    /// What they are called and set to.
    pub set: PolicySet,
    pub admission: Hosted<AdmissionObject>,
    pub node_allocation: Hosted<NodeAllocationObject>,
    pub keep_alive: Hosted<KeepAliveObject>,
    pub rules: AllocationRules,
    pub hears: Hears,
    /// Who sees that they come back.
    pub watch: Rc<Watch>,
}

/// What policies want to be asked and told beyond what every policy of their kind is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hears {
    /// Admission lets everybody in and need not be asked.
    pub admission_of_nobody: bool,
    pub admission_of_completions: bool,
    pub allocation_of_completions: bool,
    pub keep_alive_of_arrivals: bool,
}

impl Service {
    /// The error for what a policy did wrong.
    pub(crate) fn mistake(&self, mistake: Mistake) -> Error {
        Error::policy(&self.policies.set, mistake)
    }
}
