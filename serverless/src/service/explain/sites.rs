//! Moves of images that somebody waits for: to the head, to the disk of a node and into its RAM.

use std::collections::BTreeMap;

use super::timed::Timed;
use crate::function::ImageId;
use crate::node::NodeId;

/// Where an image is wanted: on a node, or on the head.
pub(crate) type Site = (Option<NodeId>, ImageId);

/// What becomes of an image there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    /// It moves.
    Under(Timed),
    /// It has come, and the head has not read so.
    Arrived,
}

/// An image that moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving {
    pub what: Move,
    /// What was before, if it was a move.
    pub before: Option<Timed>,
}

/// All images that move. Where there is none, an image that somebody waits for is blocked.
#[derive(Debug, Default)]
pub(super) struct Sites(BTreeMap<Site, Moving>);

impl Sites {
    /// A move begins.
    pub fn begin(&mut self, site: Site, timed: Timed) {
        self.0.insert(site, Moving { what: Move::Under(timed), before: None });
    }

    /// An image comes that takes no time.
    pub fn arrive_at_once(&mut self, site: Site) {
        self.0.insert(site, Moving { what: Move::Arrived, before: None });
    }

    /// It has come.
    pub fn arrive(&mut self, site: Site) {
        if let Some(moving) = self.0.get_mut(&site)
            && let Move::Under(timed) = std::mem::replace(&mut moving.what, Move::Arrived)
        {
            moving.before = Some(timed);
        }
    }

    /// It is there, or will not come.
    pub fn end(&mut self, site: Site) {
        self.0.remove(&site);
    }

    pub fn get(&self, site: Site) -> Option<&Moving> {
        self.0.get(&site)
    }

    /// Which images move where.
    pub fn moving(&self) -> impl Iterator<Item = Site> {
        let under_way = self.0.iter().filter(|(_, moving)| matches!(moving.what, Move::Under(_)));
        under_way.map(|(site, _)| *site)
    }

    /// All moves that are under way.
    pub fn under_way(&mut self) -> impl Iterator<Item = &mut Timed> {
        self.0.values_mut().filter_map(|moving| match &mut moving.what {
            Move::Under(timed) => Some(timed),
            Move::Arrived => None,
        })
    }
}
