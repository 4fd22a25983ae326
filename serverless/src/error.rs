//! Why a simulation of a serverless platform cannot start or go on.

use hearth_simcore::network::TransferError;
use hearth_simcore::simulation::UnknownHost;

use crate::policy::{ConstructionError, Mistake, MistakeMade, PolicySet, PolicySlot, SelectionError};
use crate::workflow::WorkflowProblem;

/// Everything that can go wrong around a [`crate::ServerlessComputeService`]; each says what and where, and the cure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A host was named that the platform does not have.
    #[error(transparent)]
    UnknownHost(#[from] UnknownHost),
    /// A policy cannot take the place of another one while a simulation runs.
    #[error("policies.{}: {policy} cannot come now: {why}", slot.path())]
    Irreplaceable {
        /// Where it was to serve.
        slot: PolicySlot,
        /// Its name, and its library if it was loaded.
        policy: String,
        /// Why not.
        why: String,
    },
    /// A host cannot do what it is asked to.
    #[error("host {host:?} cannot be {role}: {reason}")]
    UnsuitableHost {
        /// The host.
        host: String,
        /// What it was to be.
        role: &'static str,
        /// What it lacks.
        reason: String,
    },
    /// A compute node was listed twice.
    #[error("compute node {0:?} is listed twice: name each node once")]
    DuplicateNode(String),
    /// Two images or functions of a service have one name.
    #[error("{what} {name:?} exists already: choose another name")]
    DuplicateName {
        /// Image, function or file.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A second service was to be started in a simulation.
    #[error("the simulation has a service already: a simulation has one, start another simulation for the other")]
    SecondService,
    /// A function names an image that this service does not have.
    #[error("function {0:?} is made of an image of another service: create the image with the same manager")]
    ForeignImage(String),
    /// A function was invoked that this service does not have.
    #[error("{0:?} is a function of another service: register it with the same manager")]
    ForeignFunction(crate::function::FunctionId),
    /// Functions are to be served by the same instances that cannot be.
    #[error("the functions of an application: {0}")]
    Application(
        /// What is wrong.
        String,
    ),
    /// An invocation of a workload is to follow one that is not there.
    #[error(
        "invocation {position} of the workload is to follow {predecessor}, which is not there: positions begin at 0"
    )]
    UnknownPredecessor {
        /// Which invocation.
        position: usize,
        /// Whom it is to follow.
        predecessor: usize,
    },
    /// A workflow was asked for that this service does not have.
    #[error("{0:?} is a workflow of another service: create it with the same service")]
    ForeignWorkflow(crate::workflow::WorkflowId),
    /// A workflow makes no sense.
    #[error("workflow {workflow:?}: {problem}")]
    Workflow {
        /// The workflow.
        workflow: String,
        /// What is wrong.
        problem: WorkflowProblem,
    },
    /// A workflow of WfCommons cannot be read.
    #[error("{}: {error}", file.display())]
    WfCommons {
        /// Its file.
        file: std::path::PathBuf,
        /// What is wrong in it.
        error: crate::workflow::WfCommonsError,
    },
    /// No node could ever run a function.
    #[error("function {function:?} cannot be registered: {reason}")]
    Registration {
        /// The function.
        function: String,
        /// What does not fit, with numbers.
        reason: String,
    },
    /// Bytes cannot get from one host to another.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A trace cannot be read.
    #[error(transparent)]
    Trace(#[from] crate::workload::TraceError),
    /// A request would come at a date that the clock cannot hold.
    #[error(
        "invocation {invocation} would be requested later than 2⁶⁴ ns (584 years) after the start, where the clock ends: \
         is a time before it in another unit?"
    )]
    BeyondClock {
        /// Its number.
        invocation: u64,
    },
    /// Requests that were read never came.
    #[error("{read} requests were read, and {simulated} were simulated: please report this, with the scenario")]
    LostRequests {
        /// How many were read.
        read: u64,
        /// How many were simulated.
        simulated: u64,
    },
    /// The simulator contradicts itself.
    #[error("{what}, at {place}: this is a mistake in the simulator; please report it, with the scenario")]
    Internal {
        /// What is not so that must be.
        what: &'static str,
        /// The line of the program that found it.
        place: &'static std::panic::Location<'static>,
    },
    /// A policy is unknown or its parameters are wrong.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// A policy could not be made.
    #[error(transparent)]
    PolicyConstruction(#[from] ConstructionError),
    /// A policy for the whole queue decides itself who passes whom.
    #[error(
        "backfilling {backfilling:?} does not go with policies.node_allocation, {policy}, which plans for the whole queue at \
         once: choose \"unlimited\", or a policy that is asked for one request after the other"
    )]
    BatchBackfilling {
        /// What was chosen.
        backfilling: &'static str,
        /// The name of the policy.
        policy: String,
    },
    /// A pool of nodes makes no sense.
    #[error("node pool {pool:?}: {problem}")]
    NodePool {
        /// Its name.
        pool: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A policy was to say how many nodes pools have, and says how many instances functions have.
    #[error(
        "policies.cluster_autoscaling: {0} says how many instances functions have, not how many nodes pools have: choose \
         \"cluster-autoscaler\", or name it under policies.autoscaling"
    )]
    NoClusterAutoscaler(String),
    /// A policy gave an answer that cannot be followed.
    #[error("policies.{}: {policy} failed in {method}: {cause}", slot.path())]
    Policy {
        /// Where it serves.
        slot: PolicySlot,
        /// Its name, and its library if it was loaded.
        policy: String,
        /// In which call.
        method: &'static str,
        /// What is wrong with the answer.
        cause: String,
    },
    /// A result cannot be written while the simulation runs.
    #[error("the {what} cannot be written: {cause}")]
    Result {
        /// Which result.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// Events come, but no invocation moves on.
    #[error(
        "{events} events in a row, since {since} s, have moved no invocation on{}: mend that, or allow more of them with \
         --set max_events_without_progress=N (0: any number)",
        waiting.as_ref().map_or(String::new(), |stall| format!(": {}", stall.who()))
    )]
    NoProgress {
        /// How many.
        events: u64,
        /// The date of the last event before that moved one on.
        since: hearth_simcore::time::SimTime,
        /// Who waits for what, if anybody is under way.
        waiting: Option<crate::invocation::Stall>,
    },
    /// More invocations are under way than memory holds.
    #[error(
        "more than {0} invocations are under way: requests come faster than they end; lower the rate, add nodes or let \
         admission reject some"
    )]
    TooManyUnderWay(
        /// The most that may be.
        usize,
    ),
    /// Somebody stopped the simulation.
    #[error("interrupted")]
    Interrupted,
    /// A process of the simulation ended in an error of its own.
    #[error("a process failed: {0}")]
    Process(Box<dyn std::error::Error + Send + Sync>),
}

/// Within the service errors are boxed: a result that is none is then a register, and not a place in memory.
impl From<Box<Error>> for Error {
    fn from(error: Box<Error>) -> Self {
        *error
    }
}

impl From<TransferError> for Box<Error> {
    fn from(error: TransferError) -> Self {
        Box::new(error.into())
    }
}

impl From<crate::workload::TraceError> for Box<Error> {
    fn from(error: crate::workload::TraceError) -> Self {
        Box::new(error.into())
    }
}

impl Error {
    /// The simulator contradicts itself in the line that calls this.
    #[cold]
    #[track_caller]
    pub(crate) fn internal(what: &'static str) -> Self {
        debug_assert!(false, "{what}");
        Self::Internal { what, place: std::panic::Location::caller() }
    }

    /// A result cannot be written.
    #[cold]
    pub(crate) fn unwritten(what: &'static str, error: &std::io::Error) -> Self {
        Self::Result { what, cause: error.to_string() }
    }

    pub(crate) fn policy(policies: &PolicySet, mistake: Mistake) -> Self {
        let MistakeMade { slot, method, cause } = mistake.into_inner();
        Self::Policy { slot, policy: policies.describe(slot), method, cause }
    }
}
