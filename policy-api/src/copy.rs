//! Where an image is copied from.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{NONE, NodeSet, Slice};

/// An image is about to be copied to the disk of a node, and more than the head has it.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct CopyView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The image.
    pub image: u32,
    /// The date, in ns.
    pub now: u64,
    /// How large it is, in bytes.
    pub bytes: u64,
    /// The node that it goes to.
    pub node: u32,
    /// Whether the head has it; if not, it would be downloaded again first.
    pub is_on_head: u32,
    /// How many copies are on their way from the head to nodes.
    pub sending_of_head: u32,
    /// The nodes that have it on their disk, are up, and have a way to the other one that is up. There is one at least.
    pub holders: NodeSet<'a>,
    /// By node: how many copies are on their way from it to other nodes.
    pub sending: Slice<'a, u32>,
}

impl CopyView<'_> {
    /// The holder from which the fewest copies are on their way, of several the lowest; [`NONE`] if there is none.
    ///
    /// ```
    /// use hearth_policy_api::{CopyView, NONE, NodeBits, Slice};
    /// let mut holders = NodeBits::new(4);
    /// assert_eq!(CopyView { holders: holders.view(), ..CopyView::default() }.least_busy_holder(), NONE);
    /// [1, 2, 3].map(|node| holders.insert(node));
    /// let copy = CopyView { holders: holders.view(), sending: Slice::new(&[0, 2, 1, 1]), ..CopyView::default() };
    /// assert_eq!(copy.least_busy_holder(), 2);
    /// ```
    pub fn least_busy_holder(&self) -> u32 {
        let sending = |node: &u32| self.sending.get(*node as usize).copied().unwrap_or(0);
        self.holders.iter().min_by_key(|node| (sending(node), *node)).unwrap_or(NONE)
    }
}

impl Default for CopyView<'_> {
    /// Image 0, which is empty, goes to node 0, and nobody but the head has it.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            image: 0,
            now: 0,
            bytes: 0,
            node: 0,
            is_on_head: 1,
            holders: NodeSet::empty(),
            sending: Slice::new(&[]),
            sending_of_head: 0,
        }
    }
}
