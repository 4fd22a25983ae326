//! What an instance of a policy may call.

#![allow(unsafe_code)]

use std::fmt;

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use super::{LOG_OFF, Text};

/// What an instance may call. The first argument is `handle` of its context.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct Host {
    /// Size of this table in bytes.
    pub size: u32,
    /// Says why a call fails, before it answers `HEARTH_FAILED`. The text is copied.
    pub fail: unsafe extern "C" fn(handle: *mut (), cause: Text),
    /// The handle is used in one more place, and is there until that is over, even when the instance has ended.
    pub hold: unsafe extern "C" fn(handle: *mut ()),
    /// The handle is not used any more in a place for which `hold` was called.
    pub release: unsafe extern "C" fn(handle: *mut ()),
    /// Has `on_timer` of the instance called at a date, in ns, with this number; it goes off once. One that is set again is put
    /// off, and `UINT64_MAX` takes it back. A date that is past is now.
    pub wake_at: unsafe extern "C" fn(handle: *mut (), timer: u64, date: u64),
    /// Has so many containers of a function started, without evicting anything, on a node, or, with `HEARTH_NONE`, each on the node
    /// with the most free RAM. Each is idle once it is up, and kept for so many ns from then on; `UINT64_MAX` keeps it. Those that
    /// find no room are not started.
    pub start_containers: unsafe extern "C" fn(handle: *mut (), function: u32, node: u32, count: u32, keep_for: u64),
    /// Ends so many idle containers of a function at the most, those that are idle longest first, on a node, or, with
    /// `HEARTH_NONE`, anywhere.
    pub end_containers: unsafe extern "C" fn(handle: *mut (), function: u32, node: u32, count: u32),
    /// Has another attempt made at the invocation of the one that `key` of its request names, beside it; the first of the two that
    /// completes counts. For `HEARTH_RULE_HEDGES`.
    pub hedge: unsafe extern "C" fn(handle: *mut (), key: u64),
    /// Gives the attempt that `key` of its request names another rank in the queue.
    pub set_rank: unsafe extern "C" fn(handle: *mut (), key: u64, rank: u64),
    /// Takes the attempt that `key` of its request names and that stands in the queues of nodes back into the queue of the head, to be asked about again. For one that
    /// stands in none it does nothing.
    pub take_back: unsafe extern "C" fn(handle: *mut (), key: u64),
    /// Has at least so many containers of a function, and at most so many, from now on; 0 and `UINT32_MAX` are no bounds. What is
    /// missing is started where there is room, and stays; at the most, requests wait.
    pub keep_between: unsafe extern "C" fn(handle: *mut (), function: u32, floor: u32, ceiling: u32),
    /// Writes a line into the log of the run, if `level` (one of `HEARTH_LOG_…`) is at most `log_level`. The text is copied. Since 2.1.
    pub log: unsafe extern "C" fn(handle: *mut (), level: u32, text: Text),
    /// Up to which level somebody reads what is logged, one of `HEARTH_LOG_…`: look at it before a text is made. Since 2.1.
    pub log_level: u32,
    /// For later.
    pub reserved: u32,
}

/// What an instance calls its host with. It cannot be copied: what it stands for ends with the instance, unless
/// [`Actions`](crate::Actions) hold it.
#[repr(transparent)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Debug)]
pub struct Handle(pub(crate) *mut ());

impl Handle {
    /// That of no instance.
    pub const NONE: Self = Self(std::ptr::null_mut());
}

impl Host {
    /// For instances that are made by hand, as in tests of a rule: what they say goes nowhere.
    pub const DEAF: Self = {
        unsafe extern "C" fn fail(_handle: *mut (), _cause: Text) {}
        unsafe extern "C" fn hold(_handle: *mut ()) {}
        unsafe extern "C" fn wake_at(_handle: *mut (), _timer: u64, _date: u64) {}
        unsafe extern "C" fn start_containers(_: *mut (), _function: u32, _node: u32, _count: u32, _keep_for: u64) {}
        unsafe extern "C" fn end_containers(_: *mut (), _function: u32, _node: u32, _count: u32) {}
        unsafe extern "C" fn hedge(_handle: *mut (), _key: u64) {}
        unsafe extern "C" fn log(_handle: *mut (), _level: u32, _text: Text) {}
        let (size, set_rank, take_back) = (size_of::<Self>() as u32, wake_at, hedge);
        let (release, keep_between) = (hold, end_containers);
        Self {
            size,
            fail,
            hold,
            release,
            wake_at,
            start_containers,
            end_containers,
            hedge,
            set_rank,
            take_back,
            keep_between,
            log,
            log_level: LOG_OFF,
            reserved: 0,
        }
    };
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

/// Where `choose` offers its victims.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct VictimSinkRecord {
    /// Size of this record in bytes.
    pub size: u32,
    /// Offers the item `id`; answers one of `HEARTH_OFFER_…`.
    pub offer: unsafe extern "C" fn(sink: *mut (), id: u32) -> u32,
    /// What `offer` and `also` are to be called with.
    pub sink: *mut (),
    /// Has the item `id` go as well, which is not needed; answers 1 if it goes, and 0 if it is in use and stays.
    pub also: unsafe extern "C" fn(sink: *mut (), id: u32) -> u32,
}
