//! The containers of a node, for policies that look at them.

// The host's side is called through an address; each block says why that is sound.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::fmt;

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::Records;
use crate::primitives::{CONTAINER_BUSY, CONTAINER_IDLE};

/// A container, as it is at the moment of the call.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerView {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// Its number within its node, as eviction policies know it. The number of one that has ended is used again.
    pub container: u32,
    /// The number of its function.
    pub function: u32,
    /// One of `HEARTH_CONTAINER_…`: what becomes of it now.
    pub state: u32,
    /// The invocation that is in it or for which it starts; `u64::MAX` if there is none, and if a decision of this round has
    /// taken it.
    pub invocation: u64,
    /// Which attempt at the invocation that is, 1 for the first; 0 if there is none.
    pub attempt: u32,
    /// When it was made, in ns.
    pub created: u64,
    /// Since when it is in its state, in ns.
    pub since: u64,
    /// When it is ended if it is idle up to then, in ns; `u64::MAX` if never so, and if it is not idle. That date may have passed, as
    /// long as the head has not come to it.
    pub expires: u64,
    /// RAM that it reserves, in bytes.
    pub ram: u64,
    /// Disk that it reserves, in bytes.
    pub disk: u64,
}

impl ContainerView {
    /// Whether a request of its function can have it ([`Placement::Warm`](crate::Placement::Warm)).
    ///
    /// ```
    /// use hearth_policy_api::{ContainerView, abi};
    /// let busy = ContainerView { state: abi::CONTAINER_BUSY, ..ContainerView::default() };
    /// assert!(ContainerView::default().is_idle() && !busy.is_idle());
    /// ```
    pub fn is_idle(&self) -> bool {
        self.state == CONTAINER_IDLE
    }

    /// Whether an invocation has it and its body has begun, or a decision of this round has taken it.
    pub fn is_busy(&self) -> bool {
        self.state == CONTAINER_BUSY
    }
}

impl Default for ContainerView {
    /// Container 0 of function 0, idle since the begin and for ever.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            container: 0,
            function: 0,
            state: CONTAINER_IDLE,
            invocation: u64::MAX,
            attempt: 0,
            created: 0,
            since: 0,
            expires: u64::MAX,
            ram: 0,
            disk: 0,
        }
    }
}

/// Knows the containers of nodes; the host's side of [`ContainersOf`].
pub trait ContainerSource {
    /// The containers of a node, by number; none of one that is not there.
    fn containers_on(&self, node: u32) -> &[ContainerView];
}

impl ContainerSource for Vec<Vec<ContainerView>> {
    /// Those in the place of the node.
    fn containers_on(&self, node: u32) -> &[ContainerView] {
        self.get(node as usize).map_or(&[], Vec::as_slice)
    }
}

/// The way to the containers of nodes. The host lists those of a node when it is asked for them: who does not ask pays nothing.
///
/// ```
/// use hearth_policy_api::boundary::ContainersOf;
/// use hearth_policy_api::{ClusterView, ContainerView};
///
/// let nodes = vec![vec![ContainerView::default()], vec![]];
/// let cluster = ClusterView { containers: ContainersOf::new(&nodes), ..ClusterView::default() };
/// let on = |node| cluster.containers_on(node).len();
/// assert_eq!([on(0), on(1), on(2)], [1, 0, 0]);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct ContainersOf<'a> {
    /// What `of` is to be called with.
    pub(crate) context: *const (),
    /// The containers of a node, by number; none of a node that is not there. They are there for as long as the view that this
    /// is part of, also when those of other nodes are asked for meanwhile.
    pub(crate) of: unsafe extern "C" fn(context: *const (), node: u32) -> Records<'a, ContainerView>,
}

impl<'a> ContainersOf<'a> {
    /// Of nodes that have none, or of which nobody tells.
    pub const NONE: Self = {
        unsafe extern "C" fn none<'a>(_context: *const (), _node: u32) -> Records<'a, ContainerView> {
            Records::new(&[])
        }
        Self { context: std::ptr::null(), of: none }
    };

    /// Of what a source knows.
    pub fn new<S: ContainerSource>(source: &'a S) -> Self {
        unsafe extern "C" fn of<'a, S: ContainerSource + 'a>(
            context: *const (),
            node: u32,
        ) -> Records<'a, ContainerView> {
            // SAFETY: the address is that of the source below, which is lent for `'a`.
            let source: &'a S = unsafe { &*context.cast::<S>() };
            Records::new(source.containers_on(node))
        }
        Self { context: std::ptr::from_ref(source).cast(), of: of::<S> }
    }

    /// The containers of a node, by number; none of a node that is not there.
    pub fn on(&self, node: u32) -> Records<'a, ContainerView> {
        // SAFETY: made by `new`, here or on the other side of the boundary, of a source that is lent for `'a`.
        unsafe { (self.of)(self.context, node) }
    }
}

/// The same way, which notes whose containers are asked for: for a host that writes down what a policy was shown.
///
/// ```
/// use hearth_policy_api::ContainerView;
/// use hearth_policy_api::boundary::{AskedContainers, ContainersOf};
///
/// let nodes = vec![vec![ContainerView::default()], vec![]];
/// let asked = AskedContainers::new(ContainersOf::new(&nodes));
/// assert_eq!([1, 0, 1].map(|node| asked.view().on(node).len()), [0, 1, 0]);
/// assert_eq!(asked.nodes(), [0, 1]);
/// ```
#[derive(Debug)]
pub struct AskedContainers<'a> {
    of: ContainersOf<'a>,
    nodes: RefCell<Vec<u32>>,
}

impl<'a> AskedContainers<'a> {
    /// Passes on to this one.
    pub fn new(of: ContainersOf<'a>) -> Self {
        Self { of, nodes: RefCell::default() }
    }

    /// What is shown.
    pub fn view<'b>(&'b self) -> ContainersOf<'b>
    where
        'a: 'b,
    {
        unsafe extern "C" fn of<'b>(context: *const (), node: u32) -> Records<'b, ContainerView> {
            // SAFETY: the address is that of the value below, which is lent for `'b`.
            let asked: &'b AskedContainers<'b> = unsafe { &*context.cast() };
            asked.nodes.borrow_mut().push(node);
            asked.of.on(node)
        }
        ContainersOf { context: std::ptr::from_ref(self).cast(), of }
    }

    /// The nodes that were asked for, by number, each once.
    pub fn nodes(&self) -> Vec<u32> {
        let mut nodes = self.nodes.borrow().clone();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The containers of a node, which is not noted.
    pub fn on(&self, node: u32) -> Records<'a, ContainerView> {
        self.of.on(node)
    }
}

impl fmt::Debug for ContainersOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContainersOf")
    }
}
