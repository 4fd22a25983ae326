//! Copies images to other nodes when nodes that had them are down, or have lost them with their disk.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use hearth_simcore::kernel::Kernel;

use crate::error::Error;
use crate::fault::ReplicationPolicy;
use crate::function::ImageId;
use crate::node::NodeId;
use crate::service::Service;
use crate::service::event::Event;

/// Which images are short of copies.
#[derive(Debug)]
pub(crate) struct Replication {
    policy: ReplicationPolicy,
    short: BTreeSet<ImageId>,
    /// Copies that were begun here and have not arrived.
    under_way: BTreeSet<(NodeId, ImageId)>,
    /// Something has changed since the last look.
    is_due: bool,
}

impl Replication {
    pub fn new(policy: ReplicationPolicy) -> Self {
        Self { policy, short: BTreeSet::new(), under_way: BTreeSet::new(), is_due: false }
    }

    /// Whether copies may have to be begun.
    pub fn is_due(&self) -> bool {
        self.is_due && !self.short.is_empty()
    }

    /// A node does not have an image any more, or is out of reach.
    pub fn lost(&mut self, image: ImageId) {
        self.short.insert(image);
        self.is_due = true;
    }

    /// A host or link has come or gone, or an image has arrived.
    pub fn look_again(&mut self) {
        self.is_due = true;
    }

    /// A copy has arrived.
    pub fn arrived(&mut self, node: NodeId, image: ImageId) {
        self.under_way.remove(&(node, image));
        self.is_due = true;
    }

    /// A copy came to nothing.
    pub fn interrupted(&mut self, node: NodeId, image: ImageId) {
        if self.under_way.remove(&(node, image)) {
            self.lost(image);
        }
    }
}

impl Service {
    /// Begins the copies that images are short of, as far as there are nodes with room.
    pub(crate) fn replicate(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(replication) = &mut self.recovery.replication else { return Ok(()) };
        replication.is_due = false;
        let (wanted, short) = (replication.policy.copies, replication.short.clone());
        for image in short {
            while self.copies_within_reach(image) < wanted {
                let Some(node) = self.node_for_copy(image) else { break };
                if !self.copy(node, image, kernel)? {
                    break;
                }
                self.books.metrics.replications.add(self.registry.image(image).size);
                if let Some(replication) = &mut self.recovery.replication {
                    replication.under_way.insert((node, image));
                }
            }
            if self.copies_within_reach(image) >= wanted
                && let Some(replication) = &mut self.recovery.replication
            {
                replication.short.remove(&image);
            }
        }
        Ok(())
    }

    /// How many nodes that are up have an image on their disk, or will.
    fn copies_within_reach(&self, image: ImageId) -> u32 {
        let sites = self.cluster.sites(image);
        let has = |node: &NodeId| sites.reaches_disk(*node);
        self.cluster.up().iter().filter(has).count() as u32
    }

    /// The node that is up, lacks an image, and has the most free disk: the first of those if it is enough.
    fn node_for_copy(&self, image: ImageId) -> Option<NodeId> {
        let sites = self.cluster.sites(image);
        let lacks = |node: &NodeId| !sites.reaches_disk(*node);
        let free = |node: NodeId| self.cluster.node(node).disk.free();
        let best = self.cluster.up().iter().filter(lacks).max_by_key(|node| (free(*node), Reverse(*node)))?;
        (free(best) >= self.registry.image(image).size).then_some(best)
    }

    /// The images on the disk of a node are out of reach.
    pub(crate) fn replace_copies_of(&mut self, node: NodeId) {
        let Some(replication) = &mut self.recovery.replication else { return };
        self.cluster.images_on_disk(node).for_each(|image| replication.lost(image));
    }
}
