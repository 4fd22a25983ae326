//! Eviction: which idle containers or images go when room is needed.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::NONE;
use crate::victims::Victims;

/// What may be evicted: an idle container, or an image in one storage.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictionItem {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The item's number, unique among those inserted and dense: containers are numbered within their node, images
    /// over the platform.
    pub id: u32,
    /// The container's function, or [`crate::NONE`] for an image.
    pub function: u32,
    /// RAM that goes free with it, in bytes.
    pub ram: u64,
    /// Disk that goes free with it, in bytes.
    pub disk: u64,
    /// What it would cost to have it again, in ns: a container's startup time; 0 where that is unknown.
    pub cost: u64,
    /// The date from which it may be evicted, in ns.
    pub since: u64,
    /// The date at which its keep-alive is over, in ns; `u64::MAX` is never.
    pub expires: u64,
}

impl Default for EvictionItem {
    /// Image 0, which holds nothing and may go at any time.
    fn default() -> Self {
        let size = size_of::<Self>() as u32;
        Self { size, id: 0, function: NONE, ram: 0, disk: 0, cost: 0, since: 0, expires: u64::MAX }
    }
}

/// Why an item counts as used.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A container of the image was started or reused.
    Use,
    /// The image was loaded from this disk into RAM.
    Load,
}

/// Why an item is gone.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// This policy chose it and the host evicted it.
    Evicted,
    /// It was taken into use: an idle container that runs again.
    Taken,
    /// It ended by itself: keep-alive over, or dropped with what it depends on.
    Ended,
}

/// What a container is made for.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// An invocation, which is its first use: a cold start.
    Invocation,
    /// An invocation that keep-alive expects.
    Prewarming,
}

/// How much is to be freed.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The date, in ns.
    pub now: u64,
    /// Bytes of RAM; 0 when RAM is not short.
    pub ram: u64,
    /// Bytes of disk; 0 when disk is not short.
    pub disk: u64,
}

impl Default for Need {
    /// Nothing, at date 0.
    fn default() -> Self {
        Self { size: size_of::<Self>() as u32, now: 0, ram: 0, disk: 0 }
    }
}

/// How the host is to tell an eviction policy.
///
/// ```
/// use hearth_policy_api::EvictionRules;
/// let rules = EvictionRules { hears_late: true, ..EvictionRules::default() };
/// assert!(!rules.observes_containers);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvictionRules {
    /// Whether to call [`Eviction::created`] and [`Eviction::ended`].
    pub observes_containers: bool,
    /// Whether it is enough to hear of idle containers when it is asked to choose. The host then tells of those that have become
    /// idle since and still are, in the order in which they did, and nothing of one that was taken before the policy has heard
    /// of it. For a policy that orders containers by the last time that they became idle this changes no answer, and it saves
    /// two calls for each invocation. One that counts uses, remembers more than the last, or looks at when it is called must
    /// say no; and it says nothing for one that observes containers.
    pub hears_late: bool,
}

/// Ranks victims. Each storage of each node has an instance of its own.
///
/// # The life of an item
///
/// An image may be evicted as soon as it is there: it begins with [`Eviction::insert`] and ends with [`Eviction::remove`].
/// A container may be evicted while it is idle, so it comes and goes: `insert` when it becomes idle, `remove` with
/// [`Removal::Taken`] when it runs again. A policy that is to know more than that of containers (how old they are, how
/// often they were used, whether their function has any) sets [`EvictionRules::observes_containers`] and hears of all their life:
///
/// ```text
/// created ─┬─► insert ─┬─► remove(Taken) ─┬─► insert …
///          │           │                  └─► ended
///          └─► ended   └─► remove(Evicted or Ended)
/// ```
///
/// The age of a container is then told with [`Eviction::created`], whose item is `since` the date of its creation. To order
/// by it, a policy keeps the order in which containers were created and drops each at `ended`, and at `remove` unless it is
/// `Taken`; in between it only notes which may be evicted. The built-in `fifo` does that.
///
/// # Choosing
///
/// Choosing changes nothing: the host removes the accepted victims afterwards, telling [`Eviction::remove`] with
/// [`Removal::Evicted`] of each. It asks only when what is there suffices; to offer too little all the same, an item
/// twice or one that is not there is an error that ends the simulation, with the policy named.
///
/// One that evicts what is cheapest to have again:
///
/// ```
/// use std::collections::BTreeSet;
/// use hearth_policy_api::boundary::{VictimSink, Victims};
/// use hearth_policy_api::{Eviction, EvictionItem, Need, Offer, Removal, Touch};
///
/// #[derive(Default)]
/// struct Cheapest(BTreeSet<(u64, u32)>);
///
/// impl Eviction for Cheapest {
///     fn insert(&mut self, item: &EvictionItem) {
///         self.0.insert((item.cost, item.id));
///     }
///     fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}
///     fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
///         self.0.retain(|(_, other)| *other != id);
///     }
///     fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
///         for (_, id) in &self.0 {
///             if victims.offer(*id) == Offer::Enough {
///                 return;
///             }
///         }
///     }
/// }
///
/// struct All(Vec<u32>);
/// impl VictimSink for All {
///     fn offer(&mut self, id: u32) -> Offer {
///         self.0.push(id);
///         Offer::Accepted
///     }
/// }
///
/// let mut policy = Cheapest::default();
/// for (id, cost) in [(0, 30), (1, 10), (2, 20)] {
///     policy.insert(&EvictionItem { id, cost, ram: 1, ..EvictionItem::default() });
/// }
/// let mut all = All(Vec::new());
/// policy.choose(&Need { ram: 3, ..Need::default() }, &mut Victims::new(&mut all));
/// assert_eq!(all.0, [1, 2, 0]);
/// ```
pub trait Eviction {
    /// How to tell this policy; read once, after construction.
    fn rules(&self) -> EvictionRules {
        EvictionRules::default()
    }

    /// An item may be evicted from now on, as the newest: a container became idle, an image arrived.
    fn insert(&mut self, item: &EvictionItem);

    /// An item was used at the date `now`, in ns.
    fn touch(&mut self, id: u32, touch: Touch, now: u64);

    /// An item is gone since the date `now`, in ns.
    fn remove(&mut self, id: u32, removal: Removal, now: u64);

    /// Offers victims, best first, until the sink answers [`Offer::Enough`](crate::Offer::Enough) or there are no more. What is to go
    /// beyond that is named with [`Victims::also`].
    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>);

    /// A container was made. It is in use and cannot be evicted before it is inserted, under the same number; `since` is the
    /// date of its creation and `expires` is never. Called when [`EvictionRules::observes_containers`] is set.
    fn created(&mut self, _container: &EvictionItem, _creation: Creation) {}

    /// A container in use has ended at the date `now`, in ns: it is not kept, it crashed, or its node went down. Its number may be used again. Called
    /// when [`EvictionRules::observes_containers`] is set.
    fn ended(&mut self, _id: u32, _now: u64) {}

    /// A timer has gone off that this policy has set by [`Actions::wake_at`](crate::Actions::wake_at).
    fn on_timer(&mut self, _timer: u64, _now: u64) {}
}
