//! The containers of a node as policies are shown them that ask.

use std::cell::{OnceCell, RefCell};

use hearth_policy_api::ContainerView;
use hearth_policy_api::abi::{CONTAINER_BUSY, CONTAINER_IDLE, CONTAINER_STARTING_AHEAD};
use hearth_simcore::time::SimTime;

use super::Cluster;
use crate::node::{Container, Holder, NodeId};
use crate::table::Identifier;

/// Lists of containers, by node: each is made when somebody asks for it, and is there until the next view is shown.
#[derive(Debug, Default)]
pub(crate) struct ContainerLists {
    /// Laid out when somebody asks for the first time.
    by_node: OnceCell<Box<[OnceCell<Vec<ContainerView>>]>>,
    /// The nodes that have been asked for.
    asked: RefCell<Vec<NodeId>>,
    /// Kept for their memory.
    spare: RefCell<Vec<Vec<ContainerView>>>,
}

impl ContainerLists {
    /// Forgets all lists. Nobody can have them any more.
    #[inline(always)]
    pub fn clear(&mut self) {
        if !self.asked.get_mut().is_empty() {
            self.clear_asked();
        }
    }

    #[inline(never)]
    fn clear_asked(&mut self) {
        let Some(by_node) = self.by_node.get_mut() else { return };
        for node in self.asked.get_mut().drain(..) {
            if let Some(mut list) = by_node.get_mut(node.position()).and_then(OnceCell::take) {
                list.clear();
                self.spare.get_mut().push(list);
            }
        }
    }

    /// The list of a node, of so many, which is `filled` if it is not there yet; empty of a node that is not there.
    pub fn of(&self, node: NodeId, nodes: usize, fill: impl FnOnce(&mut Vec<ContainerView>)) -> &[ContainerView] {
        let by_node = self.by_node.get_or_init(|| (0..nodes).map(|_| OnceCell::new()).collect());
        let Some(place) = by_node.get(node.position()) else { return &[] };
        place.get_or_init(|| {
            self.asked.borrow_mut().push(node);
            let mut list = self.spare.borrow_mut().pop().unwrap_or_default();
            fill(&mut list);
            list
        })
    }
}

impl Cluster {
    /// The containers of a node, by number, with who has each. What a decision of this round has taken is shown as busy;
    /// who has a container says since when it is in use, so that this is left open here.
    pub fn containers_on(&self, node: NodeId, now: SimTime) -> impl Iterator<Item = (ContainerView, Option<Holder>)> {
        let held = self.nodes.find(node).into_iter().flat_map(|node| node.containers.iter());
        held.map(move |(position, held)| {
            let spec = &self.specs[held.function];
            let footprint = if held.idle.is_some() { spec.idle_footprint() } else { spec.footprint };
            let view = ContainerView {
                container: position as u32,
                function: held.function.0,
                created: held.created.as_nanos(),
                ram: footprint.ram,
                disk: footprint.disk,
                ..ContainerView::default()
            };
            self.with_state(view, held, now)
        })
    }

    fn with_state(&self, view: ContainerView, held: &Container, now: SimTime) -> (ContainerView, Option<Holder>) {
        match &held.idle {
            None if held.holder.is_none() => {
                (ContainerView { state: CONTAINER_STARTING_AHEAD, since: view.created, ..view }, None)
            }
            None => (ContainerView { state: CONTAINER_BUSY, ..view }, held.holder),
            // Once the round is over it is in use, or gone to make room.
            Some(idle) if idle.planned_in == self.round => {
                (ContainerView { state: CONTAINER_BUSY, since: now.as_nanos(), ..view }, None)
            }
            Some(idle) => {
                let expires = if idle.expires == SimTime::MAX { u64::MAX } else { idle.expires.as_nanos() };
                (ContainerView { state: CONTAINER_IDLE, since: idle.since.as_nanos(), expires, ..view }, None)
            }
        }
    }
}
