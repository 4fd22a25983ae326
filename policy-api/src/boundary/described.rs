//! The types of all fields, as `abi_stable` describes them: what the numbers of [`LAYOUT`](crate::abi::LAYOUT) do not tell two
//! libraries in Rust, that a field is an `f32` here and a `u32` there.

#[cfg(feature = "abi_stable")]
pub(super) use with_abi_stable::ADDRESS;
#[cfg(all(feature = "abi_stable", feature = "loader"))]
pub(super) use with_abi_stable::difference;

/// No description: it was built without `abi_stable`.
#[cfg(not(feature = "abi_stable"))]
pub(super) const ADDRESS: *const () = std::ptr::null();

#[cfg(feature = "abi_stable")]
mod with_abi_stable {
    // Another library's description is read through an address.
    #![cfg_attr(feature = "loader", allow(unsafe_code))]

    use abi_stable::StableAbi;
    use abi_stable::library::AbiHeader;
    use abi_stable::type_layout::TypeLayout;

    use crate::abi::{
        AdmissionAnswer, AdmissionTable, AutoscalingTable, EvictionTable, Host, KeepAliveTable, LibraryHeader,
        NodeAllocationTable, Parameter, PlacementAnswer, PlanItemRecord, PlanSink, PolicyRecord, PoolScaleAnswer,
        PrewarmingAnswer, RetentionAnswer, ScaleAnswer, ShedAnswer, Text, Value, VictimSinkRecord,
    };
    use crate::containers::ContainersOf;
    use crate::{
        AdmissionView, BatchView, ClusterView, Completion, ContainerChange, ContainerEvent, ContainerView, CopyView,
        Creation, DelayedStart, End, Ending, EvictionItem, FunctionHistory, FunctionView, LinkView, Need, NodePoolView,
        NodeSet, NodeState, NodeView, PendingView, PolicyContext, PolicySlot, PoolNodeView, QueueView, Removal,
        RequestView, ScaleCause, ScaleView, Start, TaskView, Touch, WorkflowView,
    };

    /// The description of a library.
    #[repr(C)]
    struct Description {
        /// Which version of `abi_stable` it is of; of another one nothing more is read.
        header: AbiHeader,
        count: usize,
        types: [&'static TypeLayout; TYPES.len()],
    }

    const TYPES: &[&TypeLayout] = &[
        Text::LAYOUT,
        Value::LAYOUT,
        NodeSet::<'static>::LAYOUT,
        LibraryHeader::LAYOUT,
        PolicyRecord::LAYOUT,
        Parameter::LAYOUT,
        Host::LAYOUT,
        PolicyContext::LAYOUT,
        NodeAllocationTable::LAYOUT,
        PlacementAnswer::LAYOUT,
        PlanSink::LAYOUT,
        PlanItemRecord::LAYOUT,
        EvictionTable::LAYOUT,
        VictimSinkRecord::LAYOUT,
        AdmissionTable::LAYOUT,
        AdmissionAnswer::LAYOUT,
        KeepAliveTable::LAYOUT,
        RetentionAnswer::LAYOUT,
        PrewarmingAnswer::LAYOUT,
        NodeView::LAYOUT,
        LinkView::<'static>::LAYOUT,
        RequestView::LAYOUT,
        ClusterView::<'static>::LAYOUT,
        FunctionView::<'static>::LAYOUT,
        BatchView::<'static>::LAYOUT,
        End::LAYOUT,
        EvictionItem::LAYOUT,
        Need::LAYOUT,
        AdmissionView::<'static>::LAYOUT,
        Completion::<'static>::LAYOUT,
        Ending::LAYOUT,
        Start::LAYOUT,
        Touch::LAYOUT,
        Removal::LAYOUT,
        Creation::LAYOUT,
        PolicySlot::LAYOUT,
        DelayedStart::LAYOUT,
        FunctionHistory::LAYOUT,
        QueueView::<'static>::LAYOUT,
        ShedAnswer::LAYOUT,
        ContainerEvent::LAYOUT,
        ContainerChange::LAYOUT,
        CopyView::<'static>::LAYOUT,
        TaskView::<'static>::LAYOUT,
        WorkflowView::<'static>::LAYOUT,
        ContainerView::LAYOUT,
        ContainersOf::<'static>::LAYOUT,
        AutoscalingTable::LAYOUT,
        ScaleAnswer::LAYOUT,
        ScaleView::LAYOUT,
        ScaleCause::LAYOUT,
        PoolScaleAnswer::LAYOUT,
        NodePoolView::<'static>::LAYOUT,
        PoolNodeView::LAYOUT,
        PendingView::LAYOUT,
        NodeState::LAYOUT,
    ];

    static DESCRIPTION: Description = {
        let mut types = [Text::LAYOUT; TYPES.len()];
        let mut position = 0;
        while position < TYPES.len() {
            types[position] = TYPES[position];
            position += 1;
        }
        Description { header: AbiHeader::VALUE, count: TYPES.len(), types }
    };

    /// Where the description of this crate lies.
    pub(in super::super) const ADDRESS: *const () = (&raw const DESCRIPTION).cast();

    /// The first field that has another type there than here; nothing is compared with a library of another version of
    /// `abi_stable`.
    ///
    /// # Safety
    /// The address must be null, or [`ADDRESS`] of some library.
    #[cfg(feature = "loader")]
    pub(in super::super) unsafe fn difference(address: *const ()) -> Option<(String, String)> {
        // SAFETY: the address is one of a description, which begins with a header in every version of `abi_stable`.
        let theirs = unsafe { address.cast::<AbiHeader>().as_ref() }?;
        if !theirs.is_valid() {
            return None;
        }
        // SAFETY: of this version of `abi_stable`, so it is laid out as it is here, with as many types as it says.
        let theirs = unsafe {
            let count = &raw const (*address.cast::<Description>()).count;
            let types = (&raw const (*address.cast::<Description>()).types).cast::<&'static TypeLayout>();
            std::slice::from_raw_parts(types, *count)
        };
        TYPES.iter().zip(theirs).find_map(|(ours, theirs)| difference_of(ours, theirs))
    }

    /// Fields that both have must be the same; more of them at the end are of a later version.
    #[cfg(feature = "loader")]
    fn difference_of(ours: &TypeLayout, theirs: &TypeLayout) -> Option<(String, String)> {
        let name = ours.name();
        if name != theirs.name() {
            return Some((name.to_owned(), format!("{name} here, {} there", theirs.name())));
        }
        let fields = |layout: &TypeLayout| layout.get_fields().map(|fields| fields.to_vec()).unwrap_or_default();
        fields(ours).iter().zip(&fields(theirs)).find_map(|(ours, theirs)| {
            let place = format!("{} in {name}", ours.name());
            if ours.name() != theirs.name() {
                return Some((place, format!("field {} here, {} there", ours.name(), theirs.name())));
            }
            let (here, there) = (ours.full_type().to_string(), theirs.full_type().to_string());
            (here != there).then(|| (place, format!("{here} here, {there} there")))
        })
    }
}
