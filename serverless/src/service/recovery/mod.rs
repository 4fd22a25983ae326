//! What fails, what is tried again, and how the service recovers: the parts of that, each with a file of its own.

mod faults;
mod hedging;
mod links;
mod recovering;
mod replication;
mod retrying;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use self::faults::Faults;
use self::links::LinkChanges;
use self::recovering::Recoveries;
use self::replication::Replication;
use self::retrying::Retries;
use super::Service;
use super::event::Event;
use crate::error::Error;
use crate::fault::{HedgePolicy, ReplicationPolicy, RetryPolicy};
use crate::function::ImageId;
use crate::node::NodeId;

/// Faults, and what is done about them.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    pub(super) faults: Faults,
    recoveries: Recoveries,
    link_changes: LinkChanges,
    retries: Option<Retries>,
    hedge: Option<HedgePolicy>,
    replication: Option<Replication>,
}

impl Recovery {
    /// Whether an invocation may take several attempts.
    pub fn has_attempts(&self) -> bool {
        self.retries.is_some() || self.hedge.is_some()
    }

    /// Has invocations tried again; draws from the seed of the simulation.
    pub fn set_retries(&mut self, policy: RetryPolicy, seed: u64) {
        self.retries = Some(Retries::new(policy, seed));
    }

    /// Has invocations asked for a second time that take long.
    pub fn set_hedging(&mut self, policy: HedgePolicy) {
        self.hedge = Some(policy);
    }

    /// Has images copied to other nodes when copies are lost.
    pub fn set_replication(&mut self, policy: ReplicationPolicy) {
        self.replication = Some(Replication::new(policy));
    }

    /// Whether containers crash.
    pub fn containers_crash(&self) -> bool {
        self.faults.containers_crash()
    }

    /// After how long the container of an attempt crashes that has begun to run; `None` if not by a rate.
    pub fn crash_after(&mut self) -> Option<SimDuration> {
        self.faults.crash_after()
    }

    /// Whether the container of an attempt crashes at the end of its run.
    pub fn crashes_at_end(&mut self) -> bool {
        self.faults.crashes_at_end()
    }

    /// An image is on the head, from where it can be copied.
    pub fn image_is_on_head(&mut self) {
        if let Some(replication) = &mut self.replication {
            replication.look_again();
        }
    }

    /// A copy of an image has arrived.
    pub fn image_is_copied(&mut self, node: NodeId, image: ImageId) {
        if let Some(replication) = &mut self.replication {
            replication.arrived(node, image);
        }
    }

    /// Whether something is to be looked at after a message.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.recoveries.is_any_awaited() || self.replication.as_ref().is_some_and(Replication::is_due)
    }

    /// Of how many faults the queue has not recovered.
    pub fn unrecovered(&self) -> u64 {
        self.recoveries.count()
    }
}

impl Service {
    /// Goes on with what is done about faults, after a message.
    pub(super) fn recover(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.recovery.replication.as_ref().is_some_and(Replication::is_due) {
            self.replicate(kernel)?;
        }
        if self.recovery.recoveries.is_any_awaited() {
            self.note_recoveries(kernel.now());
        }
        Ok(())
    }
}
