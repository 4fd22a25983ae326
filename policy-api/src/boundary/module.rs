//! What a library of policies exports.

// The prefix types write `unsafe` code that upholds what `abi_stable` documents.
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

/// What a constructor gives: the object, or why it cannot be made; a panic on the way is a failed call.
pub type Made<T> = Called<RResult<T, PolicyError>>;

/// Makes instances of a policy from its checked parameters.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub enum Constructor {
    /// Of a node allocation policy.
    NodeAllocation(extern "C" fn(&Parameters, &PolicyContext) -> Made<NodeAllocationObject>),
    /// Of an eviction policy.
    Eviction(extern "C" fn(&Parameters, &PolicyContext) -> Made<EvictionObject>),
    /// Of an admission policy.
    Admission(extern "C" fn(&Parameters, &PolicyContext) -> Made<AdmissionObject>),
    /// Of a keep-alive policy.
    KeepAlive(extern "C" fn(&Parameters, &PolicyContext) -> Made<KeepAliveObject>),
}

/// The fields of a [`PolicyDescriptor`]; new ones go to the end.
#[doc(hidden)]
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PolicyDescriptor)))]
#[sabi(missing_field(panic))]
pub struct DescriptorFields {
    /// The name that scenarios use, in kebab case.
    pub name: RStr<'static>,
    /// Semantic version.
    pub version: RStr<'static>,
    /// One line.
    pub description: RStr<'static>,
    /// The parameters it takes.
    pub parameters: RSlice<'static, ParameterSpec>,
    /// What it promises.
    pub claims: Claims,
    /// Makes instances.
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

/// A policy's name, version, parameters and constructor: what a plugin crate exports.
///
/// ```
/// use hearth_policy_api::*;
///
/// struct Keep;
/// impl Policy for Keep {
///     const NAME: &'static str = "keep";
///     const VERSION: &'static str = "1.0.0";
///     const DESCRIPTION: &'static str = "keeps everything";
///     fn new(_parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
///         Ok(Keep)
///     }
/// }
/// impl KeepAlive for Keep {
///     fn on_idle(&mut self, _completion: &Completion) -> Retention {
///         Retention { keep_for: u64::MAX }
///     }
/// }
///
/// pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<Keep>();
/// assert_eq!((POLICY.name().as_str(), POLICY.kind()), ("keep", PolicyKind::KeepAlive));
/// ```
impl PolicyDescriptor {
    describe! {
        /// Describes a node allocation policy.
        node_allocation, NodeAllocation, NodeAllocationObject
    }
    describe! {
        /// Describes an eviction policy.
        eviction, Eviction, EvictionObject
    }
    describe! {
        /// Describes an admission policy.
        admission, Admission, AdmissionObject
    }
    describe! {
        /// Describes a keep-alive policy.
        keep_alive, KeepAlive, KeepAliveObject
    }

    /// The kind of policy, which the constructor tells.
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

/// The fields of a [`PolicyModule`]; new ones go to the end.
#[doc(hidden)]
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PolicyModule)))]
#[sabi(missing_field(panic))]
pub struct ModuleFields {
    /// The policies of the library.
    pub policies: RSlice<'static, PolicyDescriptor>,
    /// Whether a panic in the library ends the process (`panic = "abort"`).
    pub aborts_on_panic: bool,
    /// Makes panics in the library silent, for the host to report them.
    #[sabi(last_prefix_field)]
    pub silence_panics: extern "C" fn(),
}

impl RootModule for PolicyModule {
    abi_stable::declare_root_module_statics! {PolicyModule}
    const BASE_NAME: &'static str = "hearth_policies";
    const NAME: &'static str = "hearth_policies";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}

/// The version of the interface that this crate is: major and minor.
///
/// ```
/// assert_eq!(hearth_policy_api::boundary::interface_version().0, 2);
/// ```
pub fn interface_version() -> (u64, u64) {
    let number = |text: &str| text.parse().unwrap_or(0);
    (number(env!("CARGO_PKG_VERSION_MAJOR")), number(env!("CARGO_PKG_VERSION_MINOR")))
}

extern "C" fn silence_panics() {
    shim::silence_panics();
}

/// What [`export_policies!`](crate::export_policies) expands to.
#[doc(hidden)]
pub mod export {
    pub use abi_stable::library::{__call_root_module_loader as call, LibHeader, RootModuleResult};

    use super::{CheckTypeLayout, ModuleFields, PolicyDescriptor, PolicyModule, PrefixTypeTrait, silence_panics};

    /// The module of a library. Made once for each library, and libraries are never unloaded.
    pub fn module(policies: &'static [PolicyDescriptor], aborts_on_panic: bool) -> PolicyModule {
        ModuleFields { policies: policies.into(), aborts_on_panic, silence_panics }.leak_into_prefix()
    }

    /// The header of a library.
    ///
    /// # Safety
    /// `constructor` must give what [`call`] gives for a function that returns [`module`].
    pub const unsafe fn header(constructor: extern "C" fn() -> RootModuleResult) -> LibHeader {
        // SAFETY: the caller vouches that what is constructed is a `PolicyModule`.
        unsafe { LibHeader::from_constructor::<PolicyModule>(constructor, CheckTypeLayout::Yes) }
    }
}

/// Exports the policies of a crate, so that the `cdylib` made of it can be loaded.
///
/// The same crate can be linked into a program as an `rlib`: the symbol is the crate's own.
///
/// ```
/// use hearth_policy_api::*;
///
/// struct OpenDoor;
/// impl Policy for OpenDoor {
///     const NAME: &'static str = "open-door";
///     const VERSION: &'static str = "1.0.0";
///     const DESCRIPTION: &'static str = "lets everybody in";
///     fn new(_parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
///         Ok(OpenDoor)
///     }
/// }
/// impl Admission for OpenDoor {
///     fn admit(&mut self, _request: &RequestView, _load: &AdmissionView<'_>) -> AdmissionDecision {
///         AdmissionDecision::Admit
///     }
/// }
/// export_policies!(PolicyDescriptor::admission::<OpenDoor>());
/// # fn main() {}
/// ```
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

            // SAFETY: the name of the crate is in the name of the symbol, so no other symbol has it.
            #[unsafe(export_name = ::core::concat!("hearth_policies_2__", ::core::env!("CARGO_CRATE_NAME")))]
            // SAFETY: `construct` is made as `header` asks.
            pub static HEADER: export::LibHeader = unsafe { export::header(construct) };
        };
    };
}
