//! Finds the links between two hosts.
//!
//! Routes are given between *ends*: hosts and routers, patterns of host names, and zones (a star is a zone). A point
//! answers to its own end, to those of the patterns it matches and to those of the zones around it, in this order.

use rustc_hash::FxHashMap;

use super::{Link, LinkId};

/// A host (numbered as such) or a router (numbered after the hosts).
pub(super) type Point = u32;
/// Points first, then patterns, then zones.
pub(super) type End = u32;

/// A route between two ends. Between zones it leads from a gateway of one to a gateway of the other.
#[derive(Clone, Debug)]
pub(super) struct GivenRoute {
    pub links: Vec<LinkId>,
    pub from_gateway: Option<Point>,
    pub to_gateway: Option<Point>,
    /// Whether it also serves the other direction.
    pub symmetric: bool,
}

/// A point's link to the centre of its star, one for each direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoke {
    pub zone: End,
    pub up: LinkId,
    pub down: LinkId,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Routing {
    /// By point: the ends it answers to besides itself, nearest first.
    pub ends: Vec<Vec<End>>,
    /// By point: its link to the centre of its star.
    pub spokes: Vec<Option<Spoke>>,
    /// By zone that is a star: the link that all traffic through its centre crosses.
    pub backbones: FxHashMap<End, LinkId>,
    /// The centre of each star, as a router.
    pub centres: FxHashMap<Point, End>,
    /// Looked up, never walked.
    pub given: FxHashMap<(End, End), GivenRoute>,
}

impl Routing {
    /// The links from one point to another, or `None` if there is no route.
    pub fn links(&self, from: Point, to: Point, links: &[Link]) -> Option<Vec<LinkId>> {
        let mut path = Vec::new();
        self.extend(from, to, links, &mut path).then_some(path)
    }

    fn ends_of(&self, point: Point) -> impl Iterator<Item = End> + Clone {
        std::iter::once(point).chain(self.ends.get(point as usize).into_iter().flatten().copied())
    }

    /// Adds the links from one point to another to a path; false if there is no route.
    fn extend(&self, from: Point, to: Point, links: &[Link], path: &mut Vec<LinkId>) -> bool {
        if from == to {
            return true;
        }
        for from_end in self.ends_of(from) {
            for to_end in self.ends_of(to) {
                if let Some(route) = self.given.get(&(from_end, to_end)) {
                    return self.extend(from, route.from_gateway.unwrap_or(from), links, path) && {
                        path.extend_from_slice(&route.links);
                        self.extend(route.to_gateway.unwrap_or(to), to, links, path)
                    };
                }
                if let Some(route) = self.given.get(&(to_end, from_end)).filter(|route| route.symmetric) {
                    return self.extend(from, route.to_gateway.unwrap_or(from), links, path) && {
                        path.extend(route.links.iter().rev().map(|link| links[link.index()].reverse));
                        self.extend(route.from_gateway.unwrap_or(to), to, links, path)
                    };
                }
            }
        }
        self.extend_within_star(from, to, path)
    }

    fn extend_within_star(&self, from: Point, to: Point, path: &mut Vec<LinkId>) -> bool {
        let spoke = |point: Point| self.spokes.get(point as usize).copied().flatten();
        let zone = |point: Point| spoke(point).map(|spoke| spoke.zone).or_else(|| self.centres.get(&point).copied());
        let Some(star) = zone(from).filter(|star| zone(to) == Some(*star)) else {
            return false;
        };
        path.extend(spoke(from).map(|spoke| spoke.up));
        path.extend(self.backbones.get(&star));
        path.extend(spoke(to).map(|spoke| spoke.down));
        true
    }
}
