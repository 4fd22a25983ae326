//! Images, functions, their limits and bodies.

pub mod call;
mod instances;
mod processors;

use std::rc::Rc;

use hearth_simcore::time::SimDuration;

pub use self::instances::{
    ControlPlane, InstanceSettings, Pausing, Pods, Routing, Snapshot, SnapshotPlace, StartFailure, StartPhase, Station,
};
use crate::table::identifiers;
use call::{Call, FunctionError, Output, Pending};
pub(crate) use processors::MILLIONTHS;
pub use processors::{Processors, StartupWork};

/// Names an image of a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ImageId(pub(crate) u32);

/// Names a function that is registered with a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionId(pub(crate) u32);

identifiers!(ImageId, FunctionId);

impl FunctionId {
    /// Its number: functions are numbered from 0 in the order of registration.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A container image in the registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Its name, unique within the service.
    pub name: String,
    /// Bytes on disk, and on the wire.
    pub size: u64,
    /// Bytes in RAM once it is loaded.
    pub ram_footprint: u64,
}

/// What an invocation of a function may use (the timing model, sections 1, 3 and 7).
///
/// ```
/// use hearth_serverless::prelude::*;
/// let limits = Limits { time: secs(60), ram: 200 * MB, ..Limits::default() };
/// assert_eq!(limits.disk, 0);
/// assert_eq!(limits.egress, None);
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Limits {
    /// Longest execution; zero is no limit.
    pub time: SimDuration,
    /// Bytes of RAM that each container reserves.
    pub ram: u64,
    /// Bytes of disk that each container reserves for its private storage, which may not grow beyond.
    pub disk: u64,
    /// Most bytes that an invocation may bring in from the registry; `None` is no limit.
    pub ingress: Option<u64>,
    /// Most bytes that an invocation may send to the registry; `None` is no limit.
    pub egress: Option<u64>,
    /// From request to end, as users expect it: it stops nothing, but what is later does not count as good. `None` is any
    /// time.
    pub deadline: Option<SimDuration>,
    /// What a container has of the processors of its node; goes with processors that are
    /// [shared](crate::service::ProcessorSharing::Shared), where `None` is the default.
    pub processors: Option<Processors>,
}

/// One step of a body that is given as data.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Waits.
    Sleep(SimDuration),
    /// Computes so many floating-point operations on the invocation's core, or where processors are shared on what its
    /// container gets of them.
    Compute(f64),
    /// Writes a file of so many bytes into the private storage; takes disk time.
    Write(Rc<str>, u64),
    /// Makes a file of so many bytes in the private storage; takes no time.
    Create(Rc<str>, u64),
    /// Reads a file of the private storage.
    Read(Rc<str>),
    /// Copies a file from the registry into the private storage.
    Ingress(Rc<str>),
    /// Reads a file of the registry without storing it.
    ReadRemote(Rc<str>),
    /// Copies a file from the private storage to the registry.
    Egress(Rc<str>),
    /// Saves so many bytes of state in the registry, and where the body is: another attempt reads the state and goes on
    /// after this step. Files of the private storage are part of what is saved.
    Checkpoint(u64),
    /// Fails with a message.
    Fail(Rc<str>),
}

pub(crate) type BodyFuture = Pending<'static, Result<Output, FunctionError>>;

/// What a function does when it is invoked.
#[derive(Clone)]
pub enum Body {
    /// Waits, and nothing else.
    Sleep(SimDuration),
    /// Steps, one after the other.
    Steps(Rc<[Step]>),
    /// An `async` closure; made by [`Body::closure`].
    Closure(Rc<dyn Fn(Call) -> BodyFuture>),
}

impl Body {
    /// A body of steps.
    pub fn steps(steps: impl Into<Rc<[Step]>>) -> Self {
        Self::Steps(steps.into())
    }

    /// A body that is an `async` closure with the invocation's [`Call`] in hand.
    pub fn closure<F>(closure: F) -> Self
    where
        F: AsyncFn(Call) -> Result<Output, FunctionError> + 'static,
    {
        let closure = Rc::new(closure);
        Self::Closure(Rc::new(move |call| {
            let closure = Rc::clone(&closure);
            Box::pin(async move { closure(call).await })
        }))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sleep(length) => f.debug_tuple("Sleep").field(length).finish(),
            Self::Steps(steps) => f.debug_tuple("Steps").field(steps).finish(),
            Self::Closure(_) => f.write_str("Closure"),
        }
    }
}

/// A function as it is asked to be registered.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name, unique within the service.
    pub name: String,
    /// The image its containers are made of; `None` needs no image.
    pub image: Option<ImageId>,
    /// What an invocation may use.
    pub limits: Limits,
    /// Time that a new container takes to start; `None` is the service's.
    pub startup_overhead: Option<SimDuration>,
    /// What it does.
    pub body: Body,
}
