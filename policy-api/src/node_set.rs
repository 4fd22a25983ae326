//! Sets of nodes as bitmaps with a summary, so that "the first node with a free core and the image in RAM" is a few
//! words of AND even for ten thousand nodes.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::Slice;

const WORD: usize = u64::BITS as usize;

/// A set of nodes that its owner changes; policies see it as a [`NodeSet`].
///
/// ```
/// use hearth_policy_api::NodeBits;
/// let mut free = NodeBits::new(10_000);
/// free.insert(70);
/// free.insert(9_999);
/// let mut warm = NodeBits::new(10_000);
/// warm.insert(9_999);
/// assert_eq!(free.view().first(), Some(70));
/// assert_eq!(free.view().first_also_in(&warm.view()), Some(9_999));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeBits {
    /// A summary, and then the bits of the nodes: next to each other, since both are looked at. Bit w of the summary is set when
    /// word w of the nodes is not zero.
    bits: Vec<u64>,
    /// How many words the summary has.
    summary: usize,
}

impl NodeBits {
    /// An empty set over nodes `0..nodes`.
    pub fn new(nodes: usize) -> Self {
        let words = nodes.div_ceil(WORD);
        let summary = words.div_ceil(WORD);
        Self { bits: vec![0; summary + words], summary }
    }

    /// The set of all nodes `0..nodes`.
    pub fn full(nodes: usize) -> Self {
        let mut all = Self::new(nodes);
        (0..nodes).for_each(|node| all.insert(node as u32));
        all
    }

    /// Adds a node. Nodes outside the set's range are not stored.
    #[inline]
    pub fn insert(&mut self, node: u32) {
        let word = node as usize / WORD;
        if let Some(bits) = self.bits.get_mut(self.summary + word) {
            *bits |= 1 << (node as usize % WORD);
            self.bits[word / WORD] |= 1 << (word % WORD);
        }
    }

    /// Takes a node out.
    #[inline]
    pub fn remove(&mut self, node: u32) {
        let word = node as usize / WORD;
        if let Some(bits) = self.bits.get_mut(self.summary + word) {
            *bits &= !(1 << (node as usize % WORD));
            if *bits == 0 {
                self.bits[word / WORD] &= !(1 << (word % WORD));
            }
        }
    }

    /// Adds or removes a node.
    #[inline]
    pub fn set(&mut self, node: u32, present: bool) {
        if present { self.insert(node) } else { self.remove(node) }
    }

    /// Makes this set equal to `other`, which is over the same nodes, without allocating.
    pub fn copy_from(&mut self, other: &NodeBits) {
        self.bits.clone_from(&other.bits);
        self.summary = other.summary;
    }

    /// Whether a node is in the set.
    #[inline]
    pub fn contains(&self, node: u32) -> bool {
        let word = self.bits.get(self.summary + node as usize / WORD).copied().unwrap_or(0);
        word & (1 << (node as usize % WORD)) != 0
    }

    /// The set as policies see it.
    #[inline]
    pub fn view(&self) -> NodeSet<'_> {
        NodeSet { bits: Slice::new(&self.bits), summary: self.summary }
    }
}

/// A borrowed set of nodes.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct NodeSet<'a> {
    /// The words of the summary, and then those of the nodes.
    pub(crate) bits: Slice<'a, u64>,
    /// How many words the summary has.
    pub(crate) summary: usize,
}

impl<'a> NodeSet<'a> {
    /// The set without any node.
    pub const fn empty() -> Self {
        Self { bits: Slice::new(&[]), summary: 0 }
    }

    /// The words of the summary, and those of the nodes.
    #[inline]
    fn parts(&self) -> (&'a [u64], &'a [u64]) {
        self.bits.as_slice().split_at_checked(self.summary).unwrap_or_default()
    }

    /// Whether a node is in the set.
    #[inline]
    pub fn contains(&self, node: u32) -> bool {
        let word = self.bits.as_slice().get(self.summary + node as usize / WORD).copied().unwrap_or(0);
        word & (1 << (node as usize % WORD)) != 0
    }

    /// The lowest-numbered node.
    pub fn first(&self) -> Option<u32> {
        self.first_also_in(self)
    }

    /// The lowest-numbered node that is in both sets.
    #[inline]
    pub fn first_also_in(&self, other: &NodeSet<'_>) -> Option<u32> {
        let ((summary, words), (other_summary, others)) = (self.parts(), other.parts());
        for (block, (mine, theirs)) in summary.iter().zip(other_summary).enumerate() {
            let mut candidates = mine & theirs;
            while candidates != 0 {
                let word = block * WORD + candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                let both = words.get(word).copied().unwrap_or(0) & others.get(word).copied().unwrap_or(0);
                if both != 0 {
                    return Some((word * WORD) as u32 + both.trailing_zeros());
                }
            }
        }
        None
    }

    /// The nodes in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.iter_also_in(self)
    }

    /// The nodes that are in both sets, in ascending order.
    pub fn iter_also_in<'b>(&self, other: &NodeSet<'b>) -> impl Iterator<Item = u32> + use<'a, 'b> {
        let ((summary, words), (other_summary, others)) = (self.parts(), other.parts());
        summary.iter().zip(other_summary).enumerate().flat_map(move |(block, (mine, theirs))| {
            set_bits(mine & theirs).flat_map(move |offset| {
                let word = block * WORD + offset as usize;
                let both = words.get(word).copied().unwrap_or(0) & others.get(word).copied().unwrap_or(0);
                set_bits(both).map(move |bit| (word * WORD) as u32 + bit)
            })
        })
    }

    /// How many nodes the set holds.
    pub fn count(&self) -> usize {
        self.parts().1.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the set holds no node.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.parts().0.iter().all(|block| *block == 0)
    }
}

/// The positions of the ones of a word, lowest first.
fn set_bits(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros();
        word &= word - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_node_leaves_the_summary_only_when_its_word_is_empty() {
        let mut bits = NodeBits::new(200);
        bits.insert(130);
        bits.insert(131);
        bits.remove(130);
        assert_eq!(bits.view().iter().collect::<Vec<_>>(), [131]);
        bits.remove(131);
        assert!(bits.view().is_empty());
        assert_eq!(bits, NodeBits::new(200));
    }

    #[test]
    fn nodes_outside_the_range_are_ignored() {
        let mut bits = NodeBits::new(3);
        bits.insert(64);
        bits.remove(64);
        assert!(bits.view().is_empty() && !bits.contains(64));
    }

    #[test]
    fn the_first_in_both_is_the_first_of_all_in_both() {
        let mut state = 1_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for round in 0..2000 {
            let mut sets = [(); 2].map(|()| NodeBits::new([3, 70, 5000][round % 3]));
            for set in &mut sets {
                let nodes = [3, 70, 5000][round % 3];
                (0..draw(4)).for_each(|_| set.insert(draw(nodes) as u32));
                (0..draw(2)).for_each(|_| set.insert(nodes as u32 / 2));
            }
            let [mine, theirs] = sets.each_ref().map(NodeBits::view);
            assert_eq!(mine.first_also_in(&theirs), mine.iter_also_in(&theirs).next());
        }
    }

    #[test]
    fn intersection_walks_both_sets_in_order() {
        let (mut a, mut b) = (NodeBits::new(9000), NodeBits::new(9000));
        (0..9000).step_by(2).for_each(|node| a.insert(node));
        (0..9000).step_by(3).for_each(|node| b.insert(node));
        let both: Vec<u32> = a.view().iter_also_in(&b.view()).collect();
        assert_eq!(both, (0..9000).step_by(6).collect::<Vec<_>>());
        assert_eq!(NodeBits::full(9000).view().count(), 9000);
    }
}
