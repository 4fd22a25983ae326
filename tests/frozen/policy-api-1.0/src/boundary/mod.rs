pub use abi_stable::std_types::RResult;

mod module;
mod objects;
mod shim;

pub use module::{Constructor, Made, PolicyDescriptor, PolicyModule, interface_version};
#[doc(hidden)]
pub use module::{DescriptorFields, ModuleFields, export};
pub use objects::{
    AdmissionObject, CallFailure, Called, EvictionObject, KeepAliveObject, NodeAllocationObject, VictimSink, Victims,
};
pub use shim::{admission, eviction, keep_alive, node_allocation};
