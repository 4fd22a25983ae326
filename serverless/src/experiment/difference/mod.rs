//! Two runs side by side: the first decision that differs, what it led to, and whose latency became another one.
//!
//! Both run at once, each on a thread of its own, and pass on what they decide and what becomes of invocations as it comes. Decisions are
//! compared in lock step up to the first that differs, and invocations by their number, so that memory does not grow with either.

mod feed;
mod invocations;
mod spread;
mod sums;
mod table;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde::Serialize;

use self::feed::{Feed, spawn};
pub use self::invocations::{
    DifferencesOverTime, FunctionDifference, IntervalDifference, InvocationSide, PartedInvocation,
};
use self::invocations::{Matching, Told};
pub use self::spread::DifferenceBin;
pub use self::sums::ComparedInvocations;
use super::Experiment;
use crate::decisions::{Aligned, Decision, Observation, Views};
use crate::error::Error;
use crate::results::TableTarget;

/// How runs are compared.
#[derive(Debug)]
pub struct DifferenceOptions {
    /// How many invocations are named: of those that part first, win most and lose most.
    pub named: usize,
    /// Where a row is written for each invocation that is in both runs, if anywhere.
    pub table: Option<TableTarget>,
}

impl Default for DifferenceOptions {
    /// Ten, and no table.
    fn default() -> Self {
        Self { named: 10, table: None }
    }
}

/// What is to be noted of each of two experiments that are compared.
pub const COMPARED: Observation =
    Observation { decisions: Some(Views::Hash), is_timed: false, log: None, instead: None };

/// Why two runs cannot be compared.
#[derive(Debug)]
pub enum DifferenceError<E> {
    /// One of them could not be prepared.
    Preparation(E),
    /// The table cannot be written.
    Table(Error),
    /// One of them ended without a word, as in a panic.
    Lost,
}

/// One of the two runs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ComparedRun {
    /// What its scenario is called.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The policies, by slot, with their versions.
    pub policies: Vec<(String, String)>,
    /// How many calls its policies were asked and told up to where the runs part.
    pub calls: u64,
    /// Why it stopped before its end, if it did.
    pub stopped: Option<String>,
    /// The names of functions, by number.
    #[serde(skip)]
    pub functions: Vec<String>,
    /// The names of nodes, by number.
    #[serde(skip)]
    pub nodes: Vec<String>,
}

/// Where the decisions of two runs part.
#[derive(Clone, Debug, Serialize)]
pub struct PartedDecisions {
    /// Whether both were asked the same at the same date, and answered otherwise; if not, one decides where the other does not.
    pub is_same_question: bool,
    /// That of the first run; none where it decides nothing more.
    pub first: Option<Decision>,
    /// That of the second run; none where it decides nothing more.
    pub second: Option<Decision>,
}

/// What two runs have in common, and what not.
#[derive(Clone, Debug, Serialize)]
pub struct RunDifference {
    /// The first run.
    pub first: ComparedRun,
    /// The second run.
    pub second: ComparedRun,
    /// How many decisions were the same before they part.
    pub same_decisions: u64,
    /// The first question that both were asked, were shown something else and answered alike: the runs have parted, but not by a decision.
    pub parted_views: Option<(Decision, Decision)>,
    /// Where decisions part, if they do.
    pub parted: Option<PartedDecisions>,
    /// What became of invocations.
    pub invocations: ComparedInvocations,
    /// By function, those whose latency changed most in all first.
    pub functions: Vec<FunctionDifference>,
    /// By the date of the request.
    pub over_time: DifferencesOverTime,
    /// By how far latencies are apart.
    pub distribution: Vec<DifferenceBin>,
    /// The invocations that part first, by date: what the first difference led to.
    pub led_to: Vec<PartedInvocation>,
    /// Those that are faster in the second run by most.
    pub won_most: Vec<PartedInvocation>,
    /// Those that are slower in the second run by most.
    pub lost_most: Vec<PartedInvocation>,
}

impl RunDifference {
    /// Whether nothing is another: no decision, and nothing that became of an invocation.
    pub fn is_nothing(&self) -> bool {
        self.parted.is_none() && self.parted_views.is_none() && self.invocations.are_all_the_same()
    }
}

/// Runs two experiments side by side and compares them. Each is prepared where it runs, with [`COMPARED`]; what comes with it is dropped
/// when it has run.
///
/// ```
/// use hearth_serverless::experiment::{COMPARED, DifferenceOptions, Experiment, difference_of};
/// use hearth_serverless::policy::Catalog;
/// use hearth_serverless::scenario::Scenario;
/// let scenario = |timeout: &str| Scenario::from_json(&r#"{"format": "hearth-scenario/1",
///     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
///     "service": {"head": "all", "registry": "all", "nodes": ["all"], "container_startup_overhead": 1}, "functions": [{"name": "f"}],
///     "policies": {"keep_alive": {"use": "fixed", "parameters": {"timeout": "TIMEOUT"}}},
///     "workload": {"invocations": [{"at": 1, "function": "f"}, {"at": 60, "function": "f"}]}}"#.replace("TIMEOUT", timeout));
/// let prepare = |scenario: Scenario| move || {
///     Experiment::prepare_observed(&scenario, &Catalog::new(hearth_plugins::BUILT_IN), &COMPARED).map(|experiment| (experiment, ()))
/// };
/// let (short, long) = (prepare(scenario("10s")?), prepare(scenario("5min")?));
/// let difference = difference_of(short, long, DifferenceOptions::default()).unwrap();
/// let parted = difference.parted.unwrap();
/// assert_eq!(parted.first.unwrap().answered(), r#"{"keep_for":10000000000}"#);
/// // The second request is spared a cold start.
/// assert_eq!((difference.invocations.won, difference.led_to[0].invocation), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When one of them cannot be prepared, or the table cannot be written.
pub fn difference_of<E: Send + 'static, G>(
    first: impl FnOnce() -> Result<(Experiment, G), E> + Send,
    second: impl FnOnce() -> Result<(Experiment, G), E> + Send,
    options: DifferenceOptions,
) -> Result<RunDifference, DifferenceError<E>> {
    let has_parted = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let feeds = [spawn(scope, first, &has_parted), spawn(scope, second, &has_parted)];
        compare(feeds, &has_parted, options)
    })
}

fn compare<E: 'static>(
    [mut first, mut second]: [Feed<E>; 2],
    has_parted: &AtomicBool,
    options: DifferenceOptions,
) -> Result<RunDifference, DifferenceError<E>> {
    let begins = [first.begin()?, second.begin()?];
    let matching = Matching::new(&begins, options.named, options.table).map_err(DifferenceError::Table)?;
    let matching = RefCell::new(matching);
    let aligned = Aligned::of(first.decisions(0, &matching), second.decisions(1, &matching));
    has_parted.store(true, Ordering::Relaxed);
    let mut matching = matching.into_inner();
    let mut feeds = [&mut first, &mut second];
    while let Some(side) = matching.next_side(feeds.each_ref().map(|feed| feed.has_ended())) {
        let [one, other] = &mut feeds;
        let feed = if side == 0 { one } else { other };
        feed.pull(side, &mut matching);
    }
    let Aligned { same, views_parted, parted } = aligned;
    let [one, other] = begins.map(|begin| begin.run);
    let Told { all, functions, over_time, distribution, led_to, won_most, lost_most } =
        matching.finish().map_err(DifferenceError::Table)?;
    let parted = parted.map(|parted| PartedDecisions {
        is_same_question: parted.is_same_question(),
        first: parted.first,
        second: parted.second,
    });
    Ok(RunDifference {
        first: first.end(one)?,
        second: second.end(other)?,
        same_decisions: same,
        parted_views: views_parted,
        parted,
        invocations: all,
        functions,
        over_time,
        distribution,
        led_to,
        won_most,
        lost_most,
    })
}
