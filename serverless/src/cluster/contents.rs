//! Names for what is in the set of nodes with a free core, as it comes and goes in rounds: a round that begins as the one before and
//! takes the last cores of the same nodes in the same order goes through the same names.

use rustc_hash::FxHashMap;

use crate::node::NodeId;

/// A name for what is in the set. Two contents never have the same name; one that comes by another way may have several.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Content(u64);

/// The names given since the set last changed for good.
#[derive(Debug, Default)]
pub(super) struct Contents {
    now: Content,
    at_begin: Content,
    last: u64,
    /// What one becomes without a node.
    without: FxHashMap<(Content, NodeId), Content>,
}

impl Contents {
    pub fn now(&self) -> Content {
        self.now
    }

    fn fresh(&mut self) -> Content {
        self.last += 1;
        Content(self.last)
    }

    /// A round begins.
    pub fn begin(&mut self) {
        self.at_begin = self.now;
    }

    /// A round takes the last core of a node.
    pub fn take(&mut self, node: NodeId) {
        self.now = match self.without.get(&(self.now, node)) {
            Some(known) => *known,
            None => {
                let fresh = self.fresh();
                self.without.insert((self.now, node), fresh);
                fresh
            }
        };
    }

    /// What the round has taken is back.
    pub fn take_back(&mut self) {
        self.now = self.at_begin;
    }

    /// The set has changed otherwise.
    pub fn change(&mut self) {
        self.now = self.fresh();
        self.without.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_way_has_the_same_names_until_something_changes_for_good() {
        let mut contents = Contents::default();
        let way = |contents: &mut Contents, nodes: [u32; 2]| {
            contents.begin();
            let names = nodes.map(|node| {
                contents.take(NodeId(node));
                contents.now()
            });
            contents.take_back();
            names
        };
        let first = way(&mut contents, [3, 5]);
        assert_eq!(way(&mut contents, [3, 5]), first);
        let other = way(&mut contents, [5, 3]);
        assert!(first[0] != other[0] && first[1] != other[1]);
        contents.change();
        assert!(way(&mut contents, [3, 5]).iter().all(|name| !first.contains(name) && !other.contains(name)));
    }
}
