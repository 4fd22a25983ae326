//! A list of nodes, of which few need no memory of their own.

use std::fmt;
use std::ops::Deref;

/// So many are kept within the list.
const FEW: usize = 3;

/// The nodes of an answer, in its order. Up to three need no allocation.
///
/// ```
/// use hearth_policy_api::NodeList;
/// let nodes: NodeList = [3, 1].into();
/// assert_eq!(nodes[..], [3, 1]);
/// assert_eq!(nodes, (0..2).map(|number| 3 - 2 * number).collect::<NodeList>());
/// ```
#[derive(Clone)]
pub struct NodeList(Nodes);

#[derive(Clone)]
enum Nodes {
    Few { count: u8, nodes: [u32; FEW] },
    Many(Vec<u32>),
}

impl NodeList {
    /// None.
    pub const EMPTY: Self = Self(Nodes::Few { count: 0, nodes: [0; FEW] });

    /// One.
    pub const fn one(node: u32) -> Self {
        Self(Nodes::Few { count: 1, nodes: [node; FEW] })
    }
}

impl Deref for NodeList {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match &self.0 {
            Nodes::Few { count, nodes } => nodes.get(..usize::from(*count)).unwrap_or(nodes),
            Nodes::Many(nodes) => nodes,
        }
    }
}

impl Default for NodeList {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl From<&[u32]> for NodeList {
    fn from(list: &[u32]) -> Self {
        let mut nodes = [0; FEW];
        match nodes.get_mut(..list.len()) {
            Some(few) => {
                few.copy_from_slice(list);
                Self(Nodes::Few { count: list.len() as u8, nodes })
            }
            None => Self(Nodes::Many(list.to_vec())),
        }
    }
}

impl<const N: usize> From<[u32; N]> for NodeList {
    fn from(list: [u32; N]) -> Self {
        list.as_slice().into()
    }
}

impl From<Vec<u32>> for NodeList {
    fn from(list: Vec<u32>) -> Self {
        if list.len() > FEW { Self(Nodes::Many(list)) } else { list.as_slice().into() }
    }
}

impl FromIterator<u32> for NodeList {
    fn from_iter<I: IntoIterator<Item = u32>>(list: I) -> Self {
        let mut list = list.into_iter();
        let (mut count, mut nodes) = (0, [0; FEW]);
        for (place, node) in nodes.iter_mut().zip(&mut list) {
            *place = node;
            count += 1;
        }
        match list.next() {
            None => Self(Nodes::Few { count, nodes }),
            Some(next) => Self(Nodes::Many(nodes.into_iter().chain([next]).chain(list).collect())),
        }
    }
}

impl PartialEq for NodeList {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for NodeList {}

impl fmt::Debug for NodeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_what_it_was_made_of_however_long_it_is() {
        for length in 0..8 {
            let list: Vec<u32> = (0..length).map(|number| number * 7 % 5).collect();
            let (collected, copied): (NodeList, NodeList) = (list.iter().copied().collect(), list.as_slice().into());
            assert_eq!((&*collected, &*copied), (&*list, &*list));
            assert_eq!((collected.clone(), NodeList::from(list.clone())), (copied, collected));
        }
        assert_eq!((NodeList::default().len(), &NodeList::one(9)[..]), (0, &[9][..]));
    }

    #[test]
    fn an_answer_is_no_larger_for_it() {
        assert_eq!(size_of::<NodeList>(), size_of::<Vec<u32>>());
    }
}
