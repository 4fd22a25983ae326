//! Where an eviction policy offers its victims.

// The macro writes items without docs, and `unsafe` code that upholds what `abi_stable` documents.
#![allow(missing_docs, unsafe_code, non_local_definitions)]

use std::fmt;

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::{RMut, StableAbi, sabi_trait};

/// The host's reaction to an offered victim.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Accepted; more is needed.
    Accepted,
    /// In use now: does not count. Offer others.
    Pinned,
    /// Accepted, and the need is met: stop.
    Enough,
}

#[sabi_trait]
pub trait RawVictimSink {
    #[sabi(last_prefix_field)]
    fn offer(&mut self, id: u32) -> Offer;
}

/// Takes the victims that an eviction policy offers, one after the other; the host's side of [`Victims`].
pub trait VictimSink {
    /// Takes or leaves the item `id`.
    fn offer(&mut self, id: u32) -> Offer;
}

impl<S: VictimSink> RawVictimSink for S {
    fn offer(&mut self, id: u32) -> Offer {
        VictimSink::offer(self, id)
    }
}

/// Where [`crate::Eviction::choose`] offers its victims.
///
/// ```
/// use hearth_policy_api::boundary::{VictimSink, Victims};
/// use hearth_policy_api::Offer;
///
/// /// Has enough after two.
/// struct Two(Vec<u32>);
/// impl VictimSink for Two {
///     fn offer(&mut self, id: u32) -> Offer {
///         self.0.push(id);
///         if self.0.len() == 2 { Offer::Enough } else { Offer::Accepted }
///     }
/// }
/// let mut two = Two(Vec::new());
/// {
///     let mut victims = Victims::new(&mut two);
///     assert_eq!(victims.offer(7), Offer::Accepted);
///     assert!(victims.offer_all([8, 9]));
/// }
/// assert_eq!(two.0, [7, 8]);
/// ```
#[repr(C)]
#[derive(StableAbi)]
pub struct Victims<'a> {
    sink: RawVictimSink_TO<'a, RMut<'a, ()>>,
}

impl<'a> Victims<'a> {
    /// Passes on to this sink what is offered.
    pub fn new<S: VictimSink + 'a>(sink: &'a mut S) -> Self {
        Self { sink: RawVictimSink_TO::from_ptr(RMut::new(sink), TD_Opaque) }
    }

    /// Offers the item `id` and hears what becomes of it; unknown ids are an error of the policy.
    pub fn offer(&mut self, id: u32) -> Offer {
        self.sink.offer(id)
    }

    /// Offers items in this order until there is enough; gives whether there is.
    pub fn offer_all(&mut self, ids: impl IntoIterator<Item = u32>) -> bool {
        ids.into_iter().any(|id| self.offer(id) == Offer::Enough)
    }
}

impl fmt::Debug for Victims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Victims")
    }
}
