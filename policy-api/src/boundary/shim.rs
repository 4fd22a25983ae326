//! Wraps a policy so that nothing unwinds out of it.

use std::any::Any;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RResult, RString, RVec};

use super::objects::{
    AdmissionObject, CallFailure, Called, EvictionObject, KeepAliveObject, NodeAllocationObject, RawAdmission,
    RawAdmission_TO, RawEviction, RawEviction_TO, RawKeepAlive, RawKeepAlive_TO, RawNodeAllocation,
    RawNodeAllocation_TO,
};
use crate::{
    Admission, AdmissionDecision, AdmissionRules, AdmissionView, AllocationRules, BatchView, ClusterView, Completion,
    Creation, End, Eviction, EvictionItem, EvictionRules, KeepAlive, KeepAliveRules, LinkView, Need, NodeAllocation,
    NodeView, Placement, PlanItem, Prewarming, Removal, RequestView, Retention, Touch, Victims,
};

thread_local! {
    /// Where the last panic was, once [`silence_panics`] has been called.
    static PANIC_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics note their place instead of printing it. For compiled policies, whose copy of the standard library has
/// nothing else in it that could panic; the host reports what is caught.
pub(super) fn silence_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
        // A panic in a destructor of the thread comes too late to note its place.
        let _ = PANIC_PLACE.try_with(|slot| *slot.borrow_mut() = place);
    }));
}

/// Calls a policy; a panic becomes a value.
pub(super) fn contain<T>(call: impl FnOnce() -> T) -> Called<T> {
    // A policy that has panicked is not called again, so nobody sees what a panic left half done.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => RResult::ROk(answer),
        Err(payload) => RResult::RErr(failure(payload)),
    }
}

#[cold]
fn failure(payload: Box<dyn Any + Send>) -> CallFailure {
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => format!("panicked: {text}"),
        (_, Some(text)) => format!("panicked: {text}"),
        _ => "panicked, without a message".to_owned(),
    };
    // The destructor of an unknown payload may panic in its turn.
    std::mem::forget(payload);
    let place = PANIC_PLACE.with(RefCell::take).map_or(String::new(), |place| format!(" (at {place})"));
    CallFailure { cause: RString::from(message + &place) }
}

/// A policy whose destructor cannot unwind either.
struct Shim<T>(ManuallyDrop<T>);

impl<T> Shim<T> {
    fn new(policy: T) -> Self {
        Self(ManuallyDrop::new(policy))
    }
}

impl<T> Drop for Shim<T> {
    fn drop(&mut self) {
        let drop = AssertUnwindSafe(|| {
            // SAFETY: this is the destructor, and nothing touches the policy after it.
            #[allow(unsafe_code)]
            unsafe {
                ManuallyDrop::drop(&mut self.0);
            }
        });
        // What a policy has to say when it goes can no longer change a result.
        catch_unwind(drop).unwrap_or_else(std::mem::forget);
    }
}

impl<T: NodeAllocation> RawNodeAllocation for Shim<T> {
    fn rules(&self) -> Called<AllocationRules> {
        contain(|| self.0.rules())
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Called<Placement> {
        contain(|| self.0.place(request, cluster))
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut RVec<PlanItem>) -> Called<()> {
        contain(|| self.0.plan(batch, plan))
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) -> Called<()> {
        contain(|| self.0.observe(node, view, up))
    }

    fn rank(&mut self, request: &RequestView, now: u64) -> Called<u64> {
        contain(|| self.0.rank(request, now))
    }

    fn on_end(&mut self, end: &End) -> Called<()> {
        contain(|| self.0.on_end(end))
    }

    fn observe_link(&mut self, link: &LinkView<'_>) -> Called<()> {
        contain(|| self.0.observe_link(link))
    }
}

impl<T: Eviction> RawEviction for Shim<T> {
    fn rules(&self) -> Called<EvictionRules> {
        contain(|| self.0.rules())
    }

    fn insert(&mut self, item: &EvictionItem) -> Called<()> {
        contain(|| self.0.insert(item))
    }

    fn touch(&mut self, id: u32, touch: Touch) -> Called<()> {
        contain(|| self.0.touch(id, touch))
    }

    fn remove(&mut self, id: u32, removal: Removal) -> Called<()> {
        contain(|| self.0.remove(id, removal))
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) -> Called<()> {
        contain(|| self.0.choose(need, victims))
    }

    fn created(&mut self, container: &EvictionItem, creation: Creation) -> Called<()> {
        contain(|| self.0.created(container, creation))
    }

    fn ended(&mut self, id: u32) -> Called<()> {
        contain(|| self.0.ended(id))
    }
}

impl<T: Admission> RawAdmission for Shim<T> {
    fn rules(&self) -> Called<AdmissionRules> {
        contain(|| self.0.rules())
    }

    fn on_end(&mut self, end: &End) -> Called<()> {
        contain(|| self.0.on_end(end))
    }

    fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> Called<AdmissionDecision> {
        contain(|| self.0.admit(request, view))
    }
}

impl<T: KeepAlive> RawKeepAlive for Shim<T> {
    fn rules(&self) -> Called<KeepAliveRules> {
        contain(|| self.0.rules())
    }

    fn on_idle(&mut self, completion: &Completion) -> Called<Retention> {
        contain(|| self.0.on_idle(completion))
    }

    fn on_arrival(&mut self, function: u32, now: u64) -> Called<()> {
        contain(|| self.0.on_arrival(function, now))
    }

    fn prewarm(&mut self, completion: &Completion) -> Called<Prewarming> {
        contain(|| self.0.prewarm(completion))
    }
}

/// A node allocation policy as the host calls it, compiled in or not.
pub fn node_allocation<T: NodeAllocation + 'static>(policy: T) -> NodeAllocationObject {
    RawNodeAllocation_TO::from_value(Shim::new(policy), TD_Opaque)
}

/// An eviction policy as the host calls it, compiled in or not.
pub fn eviction<T: Eviction + 'static>(policy: T) -> EvictionObject {
    RawEviction_TO::from_value(Shim::new(policy), TD_Opaque)
}

/// An admission policy as the host calls it, compiled in or not.
pub fn admission<T: Admission + 'static>(policy: T) -> AdmissionObject {
    RawAdmission_TO::from_value(Shim::new(policy), TD_Opaque)
}

/// A keep-alive policy as the host calls it, compiled in or not.
pub fn keep_alive<T: KeepAlive + 'static>(policy: T) -> KeepAliveObject {
    RawKeepAlive_TO::from_value(Shim::new(policy), TD_Opaque)
}
