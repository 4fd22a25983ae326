//! The test kit (feature `testkit`): holds a policy to what it owes the host, over histories drawn at random.
//!
//! A history is a list of what happens to a cluster, to a store of items, or to a stream of requests. The kit plays it
//! against a model of the host and checks every answer; a history that shows a fault is made as small as possible and
//! told call by call. A policy's own test is one line:
//!
//! ```
//! use hearth_policy_api::testkit;
//! use hearth_policy_api::*;
//! # struct FirstFree;
//! # impl Policy for FirstFree {
//! #     const NAME: &'static str = "first-free";
//! #     const VERSION: &'static str = "1.0.0";
//! #     const DESCRIPTION: &'static str = "the lowest-numbered node with a free core";
//! #     type Parameters = ();
//! #     fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> { Ok(FirstFree) }
//! # }
//! # impl NodeAllocation for FirstFree {
//! #     fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
//! #         cluster.free_core.first().into()
//! #     }
//! # }
//! # const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<FirstFree>();
//! // It looks at no RAM, which it promises without meaning to.
//! let fault = testkit::check(&POLICY, &testkit::Options::default()).unwrap_err();
//! assert!(fault.to_string().contains("which cannot make room"), "{fault}");
//! ```
//!
//! What is checked:
//!
//! | of | what |
//! |---|---|
//! | every policy | no panic; the same answers to the same history, in another instance, at another place in memory, at another time and in a second process; with [`Claims`]: memory and time of a call that do not grow with the number of calls, nothing left of instances, times that are meant as they are given |
//! | node allocation | nodes that exist, are up and have a free core; items of plans that exist, each request once; with [`Claims`]: nobody waits while there is a place (but for a busy container), no place without room, everybody runs in the end, not everybody is rejected, no rank starves |
//! | eviction | victims that are there, each once; none after the need is met; enough, whatever was inserted, touched, pinned and removed before |
//! | admission | delays that come to an end; with [`Claims`]: an idle cluster lets requests in |
//! | keep-alive | with [`Claims`]: times that have not overflowed |
//! | autoscaling | no more instances than a host takes; nor a node that is not of the pool; with [`Claims`]: an instance and a node for who waits, and a period that is meant as it is given |
//! | controllers | all of that, in each kind, and in all of them but autoscaling at once where it is of node allocation |
//!
//! Attempts end in every way that there is ([`Ending`](crate::Ending)), are tried again and have others beside them: where a policy
//! counts for itself, one that it forgets or takes off twice shows as somebody who waits for nothing, or as its own panic.
//!
//! [`Claims`]: crate::Claims

mod admission;
mod alarms;
mod allocation;
mod asked;
mod autoscaling;
mod census;
mod cluster;
mod delays;
mod elsewhere;
mod eviction;
mod fault;
mod growth;
mod histories;
mod history;
mod keep_alive;
mod log;
mod model;
mod quiet;
mod roles;
mod setting;
mod sinks;
mod stopwatch;
mod subject;
mod workflows;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use cluster::{TestBatch, TestCluster, TestFunction, idle_node};
pub use elsewhere::{SecondProcess, hand_over, is_second_process};
pub use fault::{Claim, Counterexample, FaultKind};
pub use sinks::{RecordingSink, SummingSink, idle_container, item, offered_by};

use crate::{Claims, Parameters, PolicyDescriptor};

/// How thoroughly to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many histories are drawn.
    pub cases: u32,
    /// Values for the parameters, with which all histories are played. Without them most are played with the defaults, and some
    /// with values drawn from the ranges and words that the policy declares.
    pub parameters: Option<Parameters>,
    /// Histories are played again so long after the first time, to find out answers that hang on the clock.
    pub later: Duration,
    /// What the policy is held to instead of what it says itself.
    pub claims: Option<Claims>,
    /// Where all histories are played again, to find out answers that hang on addresses or on the process; nowhere without it.
    pub second_process: Option<SecondProcess>,
}

impl Default for Options {
    /// 256 histories, default parameters and others, the claims of the policy, all in this process and at once.
    fn default() -> Self {
        Self { cases: 256, parameters: None, later: Duration::ZERO, claims: None, second_process: None }
    }
}

/// One check at a time: what others allocate would be taken for a leak.
static TURN: Mutex<()> = Mutex::new(());

/// Checks a policy, built in or loaded.
///
/// # Errors
/// The first fault found, with the history that shows it.
pub fn check(policy: &PolicyDescriptor, options: &Options) -> Result<(), Counterexample> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let _quiet = quiet::Quiet::begin();
    let begin = Instant::now();
    let mut playing = history::Playing { options, digests: Vec::new() };
    roles::visit(policy, options, &mut playing)?;
    let digests = playing.digests;
    let second = options.second_process.as_ref();
    let second = second.map(|of| elsewhere::Second::start(of, &digests, options.later, begin.elapsed())).transpose()?;
    roles::visit(policy, options, &mut history::Proving)?;
    if let Some(second) = second.flatten()
        && second.compare(policy, options)?
    {
        return Ok(());
    }
    roles::visit(policy, options, &mut history::Later { options, begin, digests: digests.iter() })
}

/// Checks a policy in a test.
///
/// # Panics
/// With the counterexample, if there is one.
///
/// ```
/// use hearth_policy_api::testkit::assert_sound;
/// # use hearth_policy_api::*;
/// # struct Keep;
/// # impl Policy for Keep {
/// #     const NAME: &'static str = "keep";
/// #     const VERSION: &'static str = "1.0.0";
/// #     const DESCRIPTION: &'static str = "keeps everything";
/// #     type Parameters = ();
/// #     fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> { Ok(Keep) }
/// # }
/// # impl KeepAlive for Keep {
/// #     fn on_idle(&mut self, _completion: &Completion) -> Retention { Retention { keep_for: u64::MAX } }
/// # }
/// # const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<Keep>();
/// assert_sound(&POLICY);
/// ```
pub fn assert_sound(policy: &PolicyDescriptor) {
    let number = elsewhere::count_check();
    if is_second_process() {
        if elsewhere::is_wanted(number) {
            let _quiet = quiet::Quiet::begin();
            hand_over(policy, &Options::default());
            // What else the test has to say, it says in the first process.
            std::process::exit(0);
        }
        return;
    }
    let options = Options { second_process: elsewhere::of_this_test(number), ..Options::default() };
    if let Err(fault) = check(policy, &options) {
        panic!("{policy:?}: {fault}");
    }
}
