//! Where an eviction policy offers its victims.

// A sink is called through an address; each block says why that is sound.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;

use crate::primitives::VictimSinkRecord;

/// The host's reaction to an offered victim.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Accepted; more is needed.
    Accepted,
    /// In use now: does not count. Offer others.
    Pinned,
    /// Accepted, and the need is met: stop.
    Enough,
}

/// Takes the victims that an eviction policy offers, one after the other; the host's side of [`Victims`].
pub trait VictimSink {
    /// Takes or leaves the item `id`.
    fn offer(&mut self, id: u32) -> Offer;

    /// Takes or leaves the item `id` beyond what is needed; gives whether it is taken. A sink that does not say takes nothing.
    fn also(&mut self, _id: u32) -> bool {
        false
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
pub struct Victims<'a> {
    record: VictimSinkRecord,
    sink: PhantomData<&'a mut ()>,
}

impl<'a> Victims<'a> {
    /// Passes on to this sink what is offered.
    pub fn new<S: VictimSink + 'a>(sink: &'a mut S) -> Self {
        unsafe extern "C" fn offer<S: VictimSink>(sink: *mut (), id: u32) -> u32 {
            // SAFETY: the address is that of the sink below, which is borrowed for as long as anybody can call this.
            unsafe { &mut *sink.cast::<S>() }.offer(id) as u32
        }
        unsafe extern "C" fn also<S: VictimSink>(sink: *mut (), id: u32) -> u32 {
            // SAFETY: as above.
            u32::from(unsafe { &mut *sink.cast::<S>() }.also(id))
        }
        let size = size_of::<VictimSinkRecord>() as u32;
        let sink = std::ptr::from_mut(sink).cast();
        let record = VictimSinkRecord { size, offer: offer::<S>, sink, also: also::<S> };
        Self { record, sink: PhantomData }
    }

    /// What crosses the boundary.
    pub(crate) fn record(&self) -> &VictimSinkRecord {
        &self.record
    }

    /// What has crossed the boundary.
    ///
    /// # Safety
    /// The record must be one of a sink that is there for `'a`, and nobody else's meanwhile.
    pub(crate) unsafe fn crossed(record: &VictimSinkRecord) -> Self {
        Self { record: *record, sink: PhantomData }
    }

    /// Offers the item `id` and hears what becomes of it; unknown ids are an error of the policy.
    #[inline]
    pub fn offer(&mut self, id: u32) -> Offer {
        // SAFETY: the sink is there, and this is the only way to it.
        match unsafe { (self.record.offer)(self.record.sink, id) } {
            0 => Offer::Accepted,
            1 => Offer::Pinned,
            _ => Offer::Enough,
        }
    }

    /// Has the item `id` go as well, which is not needed: a policy may free more than was asked for, so that it is asked less often.
    /// Gives whether it goes: what is in use stays. Unknown ids, and those that were offered, are an error of the policy.
    #[inline]
    pub fn also(&mut self, id: u32) -> bool {
        // SAFETY: as above.
        unsafe { (self.record.also)(self.record.sink, id) != 0 }
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
