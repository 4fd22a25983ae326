//! Consistent hashing.

use hearth_policy_api::NodeBits;

/// Spreads a number over all 64 bits (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
///
/// ```
/// use hearth_policy_toolbox::mix;
/// assert_ne!(mix(1) % 1000, mix(2) % 1000);
/// assert_eq!(mix(1), mix(1));
/// ```
pub fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A ring on which each node stands at several points (Karger et al., STOC 1997). Keys go to the next point; when nodes
/// come or go, few keys move.
///
/// ```
/// use hearth_policy_toolbox::HashRing;
/// let (ring, mut seen) = (HashRing::new(10, 100), HashRing::nobody(10));
/// let walk: Vec<u32> = ring.walk(42, &mut seen).collect();
/// assert_eq!(walk.len(), 10, "every node once");
/// assert_eq!(ring.walk(42, &mut seen).next(), Some(walk[0]));
/// ```
#[derive(Clone, Debug)]
pub struct HashRing {
    /// Points and their nodes, in the order of points.
    points: Vec<(u64, u32)>,
    nobody: NodeBits,
}

impl HashRing {
    /// A ring of nodes `0..nodes` with so many points each.
    pub fn new(nodes: u32, points_of_each: u32) -> Self {
        let point = |node: u32, replica: u32| mix(u64::from(node) << 32 | u64::from(replica));
        let of_node = |node| (0..points_of_each.max(1)).map(move |replica| (point(node, replica), node));
        let mut points: Vec<(u64, u32)> = (0..nodes).flat_map(of_node).collect();
        points.sort_unstable();
        Self { points, nobody: Self::nobody(nodes) }
    }

    /// An empty set of so many nodes, for [`HashRing::walk`].
    pub fn nobody(nodes: u32) -> NodeBits {
        NodeBits::new(nodes as usize)
    }

    /// All nodes in the order in which a key meets them. `seen` is a set of as many nodes to work with, whatever is in it:
    /// so a walk asks for no memory.
    pub fn walk<'a>(&'a self, key: u64, seen: &'a mut NodeBits) -> impl Iterator<Item = u32> + 'a {
        let start = self.points.partition_point(|(point, _)| *point < mix(!key));
        let (before, after) = self.points.split_at(start);
        seen.copy_from(&self.nobody);
        let in_order = after.iter().chain(before).map(|(_, node)| *node);
        in_order.filter(move |node| {
            let is_new = !seen.contains(*node);
            seen.insert(*node);
            is_new
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spread_and_few_move_when_a_node_comes() {
        let (ten, eleven) = (HashRing::new(10, 200), HashRing::new(11, 200));
        let home = |ring: &HashRing, key| ring.walk(key, &mut HashRing::nobody(11)).next().unwrap();
        let mut keys = [0; 10];
        let mut moved = 0;
        for key in 0..10_000 {
            keys[home(&ten, key) as usize] += 1;
            if home(&ten, key) != home(&eleven, key) {
                assert_eq!(home(&eleven, key), 10, "keys move to the new node only");
                moved += 1;
            }
        }
        assert!(keys.iter().all(|keys| (600..1500).contains(keys)), "{keys:?}");
        assert!((500..1400).contains(&moved), "{moved}");
    }
}
