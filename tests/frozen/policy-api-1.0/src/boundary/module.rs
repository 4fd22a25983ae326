#![allow(unsafe_code)]

use abi_stable::StableAbi;
use abi_stable::library::{CheckTypeLayout, RootModule};
use abi_stable::prefix_type::{PrefixTypeTrait, WithMetadata};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RSlice, RStr};

use super::objects::{AdmissionObject, Called, EvictionObject, KeepAliveObject, NodeAllocationObject};
use super::shim;
use crate::{
    Admission, Claims, Eviction, KeepAlive, NodeAllocation, ParameterSpec, Parameters, Policy, PolicyContext,
    PolicyError, PolicyKind, word,
};

pub type Made<T> = Called<RResult<T, PolicyError>>;

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub enum Constructor {
    NodeAllocation(extern "C" fn(&Parameters, &PolicyContext) -> Made<NodeAllocationObject>),
    Eviction(extern "C" fn(&Parameters, &PolicyContext) -> Made<EvictionObject>),
    Admission(extern "C" fn(&Parameters, &PolicyContext) -> Made<AdmissionObject>),
    KeepAlive(extern "C" fn(&Parameters, &PolicyContext) -> Made<KeepAliveObject>),
}

#[doc(hidden)]
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PolicyDescriptor)))]
#[sabi(missing_field(panic))]
pub struct DescriptorFields {
    pub name: RStr<'static>,
    pub version: RStr<'static>,
    pub description: RStr<'static>,
    pub parameters: RSlice<'static, ParameterSpec>,
    pub claims: Claims,
    #[sabi(last_prefix_field)]
    pub constructor: Constructor,
}

macro_rules! describe {
    ($(#[$doc:meta])* $function:ident, $kind:ident, $object:ident) => {
        $(#[$doc])*
        pub const fn $function<T: Policy + $kind + 'static>() -> Self {
            extern "C" fn construct<T: Policy + $kind + 'static>(
                parameters: &Parameters,
                context: &PolicyContext,
            ) -> Made<$object> {
                shim::contain(|| T::new(parameters, context).map(shim::$function).into())
            }
            struct Described<T>(std::marker::PhantomData<T>);
            impl<T: Policy + $kind + 'static> Described<T> {
                const FIELDS: &'static WithMetadata<DescriptorFields> = &WithMetadata::new(DescriptorFields {
                    name: word(T::NAME),
                    version: word(T::VERSION),
                    description: word(T::DESCRIPTION),
                    parameters: RSlice::from_slice(T::PARAMETERS),
                    claims: T::CLAIMS,
                    constructor: Constructor::$kind(construct::<T>),
                });
            }
            PolicyDescriptor(Described::<T>::FIELDS.static_as_prefix())
        }
    };
}

impl PolicyDescriptor {
    describe! {
        node_allocation, NodeAllocation, NodeAllocationObject
    }
    describe! {
        eviction, Eviction, EvictionObject
    }
    describe! {
        admission, Admission, AdmissionObject
    }
    describe! {
        keep_alive, KeepAlive, KeepAliveObject
    }

    pub fn kind(&self) -> PolicyKind {
        match self.constructor() {
            Constructor::NodeAllocation(_) => PolicyKind::NodeAllocation,
            Constructor::Eviction(_) => PolicyKind::Eviction,
            Constructor::Admission(_) => PolicyKind::Admission,
            Constructor::KeepAlive(_) => PolicyKind::KeepAlive,
        }
    }
}

impl std::fmt::Debug for PolicyDescriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} policy {:?} {}", self.kind(), self.name(), self.version())
    }
}

#[doc(hidden)]
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PolicyModule)))]
#[sabi(missing_field(panic))]
pub struct ModuleFields {
    pub policies: RSlice<'static, PolicyDescriptor>,
    pub aborts_on_panic: bool,
    #[sabi(last_prefix_field)]
    pub silence_panics: extern "C" fn(),
}

impl RootModule for PolicyModule {
    abi_stable::declare_root_module_statics! {PolicyModule}
    const BASE_NAME: &'static str = "hearth_policies";
    const NAME: &'static str = "hearth_policies";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}

pub fn interface_version() -> (u64, u64) {
    let number = |text: &str| text.parse().unwrap_or(0);
    (number(env!("CARGO_PKG_VERSION_MAJOR")), number(env!("CARGO_PKG_VERSION_MINOR")))
}

extern "C" fn silence_panics() {
    shim::silence_panics();
}

#[doc(hidden)]
pub mod export {
    pub use abi_stable::library::{__call_root_module_loader as call, LibHeader, RootModuleResult};

    use super::{CheckTypeLayout, ModuleFields, PolicyDescriptor, PolicyModule, PrefixTypeTrait, silence_panics};

    pub fn module(policies: &'static [PolicyDescriptor], aborts_on_panic: bool) -> PolicyModule {
        ModuleFields { policies: policies.into(), aborts_on_panic, silence_panics }.leak_into_prefix()
    }

    pub const unsafe fn header(constructor: extern "C" fn() -> RootModuleResult) -> LibHeader {
        unsafe { LibHeader::from_constructor::<PolicyModule>(constructor, CheckTypeLayout::Yes) }
    }
}

#[macro_export]
macro_rules! export_policies {
    ($($policy:expr),+ $(,)?) => {
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::boundary::export;

            static POLICIES: &[$crate::PolicyDescriptor] = &[$($policy),+];

            extern "C" fn construct() -> export::RootModuleResult {
                export::call(|| export::module(POLICIES, ::core::cfg!(panic = "abort")))
            }

            #[unsafe(export_name = ::core::concat!("hearth_policies_1__", ::core::env!("CARGO_CRATE_NAME")))]
            pub static HEADER: export::LibHeader = unsafe { export::header(construct) };
        };
    };
}
