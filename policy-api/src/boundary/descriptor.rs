//! How a policy in Rust becomes a record, and how a library exports those of its crate.

// A record's text is read through an address.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;

use super::failure::{CallFailure, Called};
use super::objects::{Instance, Object, Role};
use super::seat::Seat;
use super::shim::{self, Tables};
use crate::abi::{
    INTERFACE_MAJOR, INTERFACE_MINOR, LAYOUT, LAYOUT_LENGTH, Library, LibraryHeader, PolicyRecord, Records, Slice, Text,
};
use crate::{
    Admission, Autoscaling, BatchAllocation, Claims, Eviction, KeepAlive, NodeAllocation, ParameterSet, ParameterSpec,
    Parameters, Policy, PolicyKind,
};

/// A policy's name, version, parameters, roles, and how it is made: what a library exports.
///
/// ```
/// use hearth_policy_api::*;
///
/// struct Keep;
/// impl Policy for Keep {
///     const NAME: &'static str = "keep";
///     const VERSION: &'static str = "1.0.0";
///     const DESCRIPTION: &'static str = "keeps everything";
///     type Parameters = ();
///     fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
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
/// assert_eq!((POLICY.name(), POLICY.kind()), ("keep", PolicyKind::KeepAlive));
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct PolicyDescriptor(&'static PolicyRecord);

/// What the record of a policy has without its roles.
#[doc(hidden)]
pub const fn without_roles<T: Policy>() -> PolicyRecord {
    PolicyRecord {
        size: size_of::<PolicyRecord>() as u32,
        not_promised: T::CLAIMS.not_promised(),
        name: Text::new(T::NAME),
        version: Text::new(T::VERSION),
        description: Text::new(T::DESCRIPTION),
        parameters: Records::new(T::Parameters::DECLARED),
        create: Some(shim::create::<T>),
        destroy: Some(shim::destroy::<T>),
        node_allocation: None,
        eviction: None,
        admission: None,
        keep_alive: None,
        autoscaling: None,
    }
}

macro_rules! describe {
    ($(#[$doc:meta])* $function:ident, $kind:ident, $role:ident = $table:ident) => {
        $(#[$doc])*
        pub const fn $function<T: Policy + $kind + 'static>() -> Self {
            struct Described<T>(PhantomData<T>);
            impl<T: Policy + $kind + 'static> Described<T> {
                const RECORD: &'static PolicyRecord =
                    &PolicyRecord { $role: Some(Tables::<T>::$table), ..without_roles::<T>() };
            }
            Self(Described::<T>::RECORD)
        }
    };
}

impl PolicyDescriptor {
    describe! {
        /// Describes a node allocation policy.
        node_allocation, NodeAllocation, node_allocation = PLACES
    }
    describe! {
        /// Describes a node allocation policy that plans for the whole queue.
        batch_allocation, BatchAllocation, node_allocation = PLANS
    }
    describe! {
        /// Describes an eviction policy.
        eviction, Eviction, eviction = EVICTS
    }
    describe! {
        /// Describes an admission policy.
        admission, Admission, admission = ADMITS
    }
    describe! {
        /// Describes a keep-alive policy.
        keep_alive, KeepAlive, keep_alive = KEEPS
    }
    describe! {
        /// Describes an autoscaling policy.
        autoscaling, Autoscaling, autoscaling = SCALES
    }

    fn text(text: &Text) -> &'static str {
        // SAFETY: what a policy is called lasts as long as its library, which is never closed.
        std::str::from_utf8(unsafe { text.bytes() }).unwrap_or_default()
    }

    /// The name that scenarios use, in kebab case.
    pub fn name(&self) -> &'static str {
        Self::text(&self.0.name)
    }

    /// Semantic version.
    pub fn version(&self) -> &'static str {
        Self::text(&self.0.version)
    }

    /// One line.
    pub fn description(&self) -> &'static str {
        Self::text(&self.0.description)
    }

    /// The parameters it takes. One that makes no sense is left out; libraries with such are refused.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        self.0.parameters.iter().filter_map(|declared| ParameterSpec::read(declared).ok()).collect()
    }

    /// What it promises.
    pub fn claims(&self) -> Claims {
        Claims::promised(self.0.not_promised)
    }

    /// Whether it is a policy of this kind. A controller is of several.
    pub fn is(&self, kind: PolicyKind) -> bool {
        match kind {
            PolicyKind::NodeAllocation => self.0.node_allocation.is_some(),
            PolicyKind::Eviction => self.0.eviction.is_some(),
            PolicyKind::Admission => self.0.admission.is_some(),
            PolicyKind::KeepAlive => self.0.keep_alive.is_some(),
            PolicyKind::Autoscaling => self.0.autoscaling.is_some(),
        }
    }

    /// The kinds of policy that it is, in the order of [`PolicyKind::ALL`].
    pub fn kinds(&self) -> impl Iterator<Item = PolicyKind> + use<'_> {
        PolicyKind::ALL.into_iter().filter(|kind| self.is(*kind))
    }

    /// The kind of policy; of a controller, the first.
    pub fn kind(&self) -> PolicyKind {
        self.kinds().next().unwrap_or(PolicyKind::NodeAllocation)
    }

    /// What [`controller!`](crate::controller) makes.
    #[doc(hidden)]
    pub const fn of(record: &'static PolicyRecord) -> Self {
        Self(record)
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// Why it cannot be made: it is of another kind, refuses its parameters, or panics.
    pub fn make<T: Role>(&self, parameters: &Parameters, seat: &Seat) -> Called<Object<T>> {
        self.make_instance(parameters, seat)?
            .role()
            .ok_or_else(|| CallFailure { cause: "is another kind of policy".to_owned() })
    }

    /// Makes an instance that serves in several roles.
    ///
    /// # Errors
    /// Why it cannot be made: it refuses its parameters, or panics.
    pub fn make_instance(&self, parameters: &Parameters, seat: &Seat) -> Called<Instance> {
        Instance::make(self.0, parameters, seat)
    }
}

impl fmt::Debug for PolicyDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<String> = self.kinds().map(|kind| kind.to_string()).collect();
        write!(f, "{} policy {:?} {}", kinds.join(" and "), self.name(), self.version())
    }
}

/// The version of the interface that this crate is: major and minor.
///
/// ```
/// assert_eq!(hearth_policy_api::boundary::interface_version().0, 2);
/// ```
pub fn interface_version() -> (u32, u32) {
    (INTERFACE_MAJOR, INTERFACE_MINOR)
}

/// What [`export_policies!`](crate::export_policies) expands to.
#[doc(hidden)]
pub const fn library(policies: &'static [PolicyDescriptor], aborts_on_panic: bool) -> Library {
    // SAFETY: a descriptor is a reference and nothing else.
    let policies: &'static [&'static PolicyRecord] = unsafe { std::mem::transmute(policies) };
    let header = LibraryHeader {
        size: size_of::<LibraryHeader>() as u32,
        major: INTERFACE_MAJOR,
        minor: INTERFACE_MINOR,
        needs_minor: INTERFACE_MINOR,
        aborts: aborts_on_panic as u32,
        layout_length: LAYOUT_LENGTH as u32,
        policies: Slice::new(policies),
        prepare: Some(shim::silence_panics),
        described: super::described::ADDRESS,
    };
    Library { header, layout: LAYOUT }
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
///     type Parameters = ();
///     fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
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
            static POLICIES: &[$crate::PolicyDescriptor] = &[$($policy),+];

            // SAFETY: the name of the crate is in the name of the symbol, so no other symbol has it.
            #[unsafe(export_name = ::core::concat!("hearth_policies_2__", ::core::env!("CARGO_CRATE_NAME")))]
            pub static LIBRARY: $crate::abi::Library =
                $crate::boundary::library(POLICIES, ::core::cfg!(panic = "abort"));
        };
    };
}

/// Describes a policy of several kinds with one state: a *controller*. Real platforms couple decisions: who decides where an
/// invocation runs knows what is kept where.
///
/// The type implements the trait of each kind. [`on_timer`](crate::NodeAllocation::on_timer) is called of the first of node
/// allocation, keep-alive, admission and autoscaling that it serves as.
///
/// ```
/// use hearth_policy_api::*;
///
/// /// Keeps containers as long as there were placements.
/// #[derive(Default)]
/// struct Coupled {
///     placed: u64,
/// }
///
/// impl Policy for Coupled {
///     const NAME: &'static str = "coupled";
///     const VERSION: &'static str = "1.0.0";
///     const DESCRIPTION: &'static str = "keeps by what it has placed";
///     type Parameters = ();
///     fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
///         Ok(Self::default())
///     }
/// }
/// impl NodeAllocation for Coupled {
///     fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
///         self.placed += u64::from(!cluster.free_core.is_empty());
///         cluster.free_core.first().into()
///     }
/// }
/// impl KeepAlive for Coupled {
///     fn on_idle(&mut self, _completion: &Completion) -> Retention {
///         Retention { keep_for: self.placed * 1_000_000_000 }
///     }
/// }
///
/// const POLICY: PolicyDescriptor = controller!(Coupled: node_allocation, keep_alive);
/// assert_eq!(POLICY.kinds().collect::<Vec<_>>(), [PolicyKind::NodeAllocation, PolicyKind::KeepAlive]);
/// ```
#[macro_export]
macro_rules! controller {
    ($policy:ty: $($role:ident),+ $(,)?) => {
        $crate::PolicyDescriptor::of(const {
            &$crate::abi::PolicyRecord {
                $($role: ::core::option::Option::Some($crate::boundary::tables::$role::<$policy>()),)+
                ..$crate::boundary::without_roles::<$policy>()
            }
        })
    };
}
