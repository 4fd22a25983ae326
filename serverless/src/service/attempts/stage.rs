//! Where an attempt stands, and what it has there.

use crate::cluster::{Occupied, Promise};
use crate::function::ImageId;
use crate::node::NodeId;
use crate::service::instances::{InstanceKey, Seat};

/// The stage of an attempt; it is in one at a time.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Its request is on the way to the head, or waits there.
    Requested,
    /// The head has processed the request and asks admission.
    Submitted,
    /// Admission has put it off.
    Delayed,
    /// It is being given a place.
    Admitted,
    /// It waits for its image to be on the head.
    AwaitsImage(ImageId),
    /// It waits in the queue.
    Queued,
    /// It waits on a node for its image there.
    Bound {
        /// What is kept for it.
        promise: Promise,
        /// The image.
        image: ImageId,
    },
    /// It waits for a container of its function that is in use, on this node or anywhere.
    AwaitsContainer(Option<NodeId>),
    /// It stands in the queues of nodes.
    AwaitsCore,
    /// It waits for an instance of its function, in the queue of that or at an instance.
    AwaitsInstance(Option<InstanceKey>),
    /// It is in an instance of its function.
    Served(Seat),
    /// It has a container and a core: the container starts, its body runs, or the head has not heard of its end.
    Held(Occupied),
    /// It has left all of these; the head may have to hear of it.
    Ended,
}

impl Stage {
    /// Whether it has come to the queue and has not started.
    pub fn has_turn(&self) -> bool {
        matches!(self, Self::Queued | Self::Bound { .. } | Self::AwaitsContainer(_) | Self::AwaitsCore)
    }

    /// Whether it is admitted and has no container.
    #[inline]
    pub fn waits(&self) -> bool {
        matches!(
            self,
            Self::Admitted
                | Self::AwaitsImage(_)
                | Self::Queued
                | Self::Bound { .. }
                | Self::AwaitsContainer(_)
                | Self::AwaitsCore
                | Self::AwaitsInstance(_)
        )
    }
}
