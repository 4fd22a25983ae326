//! What fails, what is tried again, and how the service recovers: the parts of that, each with a file of its own.

use super::faults::Faults;
use super::links::LinkChanges;
use super::recovering::Recovering;
use super::replication::Replication;
use super::retrying::Retries;
use crate::fault::HedgePolicy;

/// Faults, and what is done about them.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    pub faults: Faults,
    /// Faults of which the queue has not recovered.
    pub recovering: Vec<Recovering>,
    pub link_changes: LinkChanges,
    pub retries: Option<Retries>,
    pub hedge: Option<HedgePolicy>,
    pub replication: Option<Replication>,
}

impl Recovery {
    /// Whether an invocation may take several attempts.
    pub fn has_attempts(&self) -> bool {
        self.retries.is_some() || self.hedge.is_some()
    }
}
