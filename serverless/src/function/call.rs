//! What the body of a function has in hand when it is an `async` closure.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use hearth_simcore::time::{SimDuration, SimTime};

use super::Step;

/// A value that is handed to a function or comes back from one. It weighs nothing: what it stands for on the network
/// is for the body to transfer.
#[derive(Clone, Default)]
struct Payload(Option<Rc<dyn Any>>);

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "a value" } else { "nothing" })
    }
}

/// What an invocation is given.
///
/// ```
/// use hearth_serverless::prelude::*;
/// assert_eq!(Input::new(7_u32).get::<u32>(), Some(&7));
/// assert_eq!(Input::default().get::<u32>(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Input(Payload);

impl Input {
    /// An input of any value.
    pub fn new(value: impl Any) -> Self {
        Self(Payload(Some(Rc::new(value))))
    }

    /// The value, if there is one of that type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.0.as_ref()?.downcast_ref()
    }
}

/// What the body of an invocation returns.
#[derive(Clone, Debug, Default)]
pub struct Output(Payload);

impl Output {
    /// An output of any value.
    pub fn new(value: impl Any) -> Self {
        Self(Payload(Some(Rc::new(value))))
    }

    /// The value, if there is one of that type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.0.as_ref()?.downcast_ref()
    }
}

/// Why a body failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct FunctionError(String);

impl FunctionError {
    /// A failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0
    }
}

/// Something that takes simulated time.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What carries out what a body asks for: the service that runs it.
pub(crate) trait Sandbox {
    /// The date.
    fn now(&self) -> SimTime;
    /// Waits.
    fn sleep(&self, length: SimDuration) -> Pending<'_, ()>;
    /// Computes so many operations, which take so long on a core of one's own.
    fn compute(&self, flops: f64, alone: SimDuration) -> Pending<'_, ()>;
    /// Does a step, within the limits of the function.
    fn perform(&self, step: Step) -> Pending<'_, Result<(), FunctionError>>;
    /// Bytes in the private storage.
    fn used(&self) -> u64;
}

/// One invocation, as its body sees it.
#[derive(Clone)]
pub struct Call {
    sandbox: Rc<dyn Sandbox>,
    input: Input,
    node: Rc<str>,
    /// Floating-point operations per second of the invocation's core.
    speed: f64,
}

impl Call {
    pub(crate) fn new(sandbox: impl Sandbox + 'static, input: Input, node: &str, speed: f64) -> Self {
        Self { sandbox: Rc::new(sandbox), input, node: Rc::from(node), speed }
    }

    /// What the invocation was given.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The name of the node that it runs on.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The date.
    pub fn now(&self) -> SimTime {
        self.sandbox.now()
    }

    /// Waits.
    pub async fn sleep(&self, length: SimDuration) {
        self.sandbox.sleep(length).await;
    }

    /// Computes so many floating-point operations on the invocation's core, or where processors are shared on what its container gets
    /// of them: what it computes at once shares that.
    pub async fn compute(&self, flops: f64) {
        self.sandbox.compute(flops, SimDuration::from_secs_f64(flops / self.speed)).await;
    }

    /// The files of this invocation in its container.
    pub fn storage(&self) -> Storage<'_> {
        Storage { call: self }
    }

    /// Reads a file of the registry without storing it. Counts against the ingress limit.
    ///
    /// # Errors
    /// When the registry has no such file, or the limit would be passed.
    pub async fn read_remote(&self, file: &str) -> Result<(), FunctionError> {
        self.sandbox.perform(Step::ReadRemote(Rc::from(file))).await
    }

    /// Copies a file from the registry into the private storage. Counts against the ingress and disk limits.
    ///
    /// # Errors
    /// When the registry has no such file, or a limit would be passed.
    pub async fn ingress(&self, file: &str) -> Result<(), FunctionError> {
        self.sandbox.perform(Step::Ingress(Rc::from(file))).await
    }

    /// Copies a file from the private storage to the registry. Counts against the egress limit.
    ///
    /// # Errors
    /// When there is no such file, or the limit would be passed.
    pub async fn egress(&self, file: &str) -> Result<(), FunctionError> {
        self.sandbox.perform(Step::Egress(Rc::from(file))).await
    }
}

/// The private storage of an invocation: on its node's disk, gone when it ends.
#[derive(Clone, Copy)]
pub struct Storage<'a> {
    call: &'a Call,
}

impl Storage<'_> {
    /// Writes a file, which takes disk time; one of that name is replaced.
    ///
    /// # Errors
    /// When the storage would grow beyond the function's disk limit; nothing is written then.
    pub async fn write(&self, file: &str, bytes: u64) -> Result<(), FunctionError> {
        self.call.sandbox.perform(Step::Write(Rc::from(file), bytes)).await
    }

    /// Makes a file in no time; one of that name is replaced.
    ///
    /// # Errors
    /// When the storage would grow beyond the function's disk limit.
    pub async fn create(&self, file: &str, bytes: u64) -> Result<(), FunctionError> {
        self.call.sandbox.perform(Step::Create(Rc::from(file), bytes)).await
    }

    /// Reads a file, which takes disk time.
    ///
    /// # Errors
    /// When there is no such file.
    pub async fn read(&self, file: &str) -> Result<(), FunctionError> {
        self.call.sandbox.perform(Step::Read(Rc::from(file))).await
    }

    /// Bytes that the files hold.
    pub fn used(&self) -> u64 {
        self.call.sandbox.used()
    }
}
