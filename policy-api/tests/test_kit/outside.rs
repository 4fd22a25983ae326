//! The seeds of an author from outside: 47 defects, each with the fault that it is found by. Those that the other tables have
//! stand there; the others are here.

mod admitting;
mod evicting;
mod keeping;
mod placing;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hearth_policy_api::testkit::{self, Options, SecondProcess};
use hearth_policy_api::*;

use super::{check_rows_with, defective, leak, parameters_with, tick};

/// So many ns are a second.
const SECOND: u64 = 1_000_000_000;

static PLACE: u64 = 7;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// How long the process has run.
fn elapsed() -> Duration {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed()
}

/// The policies of this file in a second process.
fn elsewhere(kind: &str, defect: &str) -> SecondProcess {
    SecondProcess::new(
        std::env::current_exe().unwrap(),
        ["outside::hands_over_in_a_second_process", "--exact"].map(Into::into).into(),
        vec![("HEARTH_TEST_KIT_SEED", format!("{kind}/{defect}").into())],
    )
}

fn policy(kind: &str) -> PolicyDescriptor {
    match kind {
        "places" => PolicyDescriptor::node_allocation::<placing::Seeded>(),
        "evicts" => PolicyDescriptor::eviction::<evicting::Evictor>(),
        "admits" => PolicyDescriptor::admission::<admitting::Door>(),
        _ => PolicyDescriptor::keep_alive::<keeping::Keeper>(),
    }
}

#[test]
fn hands_over_in_a_second_process() {
    let Ok(seed) = std::env::var("HEARTH_TEST_KIT_SEED") else { return };
    let (kind, defect) = seed.split_once('/').unwrap();
    let policy = policy(kind);
    let parameters = Some(parameters_with(&policy, defect));
    testkit::hand_over(&policy, &Options { parameters, ..Options::default() });
}

fn check_everywhere(kind: &str, rows: &[(&'static str, &'static str)]) {
    check_rows_with(&policy(kind), rows, |defect| Some(elsewhere(kind, defect)));
}

/// The author's 47 seeds, and the policy and defect of these tables that each is. Of the clock by the minute alone nobody can tell
/// in less than a minute: it is found where a check lasts into another one.
#[rustfmt::skip]
const SEEDS: [(&str, &str, &str); 47] = [
    ("order of a hash map, placement", "allocation", "the order of a hash map"),
    ("order of a hash map, eviction", "eviction", "the order of a hash set"),
    ("clock in ns", "allocation", "the clock"),
    ("elapsed time", "places", "the time that has gone by"),
    ("address on the heap", "allocation", "an address"),
    ("static state", "allocation", "state that instances share"),
    ("thread-local state", "places", "state of the thread"),
    ("thread that changes answers", "places", "a thread that changes answers"),
    ("64 B a call leaked", "allocation", "leaks memory"),
    ("history leaked", "admission", "grows with every request"),
    ("off by one byte of RAM", "places", "one byte too few"),
    ("disk ignored", "allocation", "ignores disk"),
    ("index that trusts a dead node", "allocation", "a node that is down"),
    ("own decisions not counted", "places", "does not count its own decisions"),
    ("a function starved", "places", "starves a function"),
    ("times that overflow", "keep-alive", "subtracts below zero"),
    ("stop at pinned", "evicts", "stops at pinned ones"),
    ("pinned counted as freed", "eviction", "counts pinned ones"),
    ("taken ignored", "eviction", "keeps what was taken"),
    ("popped while choosing", "evicts", "takes items out as it chooses"),
    ("touched twice", "evicts", "counts touches twice"),
    ("disk-only items skipped", "evicts", "skips items of disk alone"),
    ("delay of nothing", "admission", "delays by nothing"),
    ("rank from the clock", "places", "ranks by the clock"),
    ("rank that starves the oldest", "places", "ranks that starve the oldest"),
    ("address of a static", "places", "an address of a static"),
    ("process id", "places", "the number of the process"),
    ("everybody rejected", "places", "rejects everybody"),
    ("Delay(1) when busy", "admits", "delays by a nanosecond when busy"),
    ("a bucket that never refills", "admits", "a bucket that is never filled"),
    ("Delay(u64::MAX - 1)", "admits", "delays for almost ever when busy"),
    ("more than 8 functions", "keeps", "knows eight functions"),
    ("more than 64 nodes", "places", "knows 64 nodes"),
    ("ids of 64 and more", "evicts", "knows 64 items"),
    ("dates beyond 49 days", "keeps", "counts in 32 bits of milliseconds"),
    ("odd seeds", "places", "odd seeds"),
    ("a parameter at another value", "", "other_values_of_parameters_are_drawn_and_told"),
    ("a mistyped parameter", "", "no longer compiles: parameters are fields"),
    ("a cost that grows", "places", "a cost that grows with the number of calls"),
    ("1 ms a call", "places", "a millisecond a call"),
    ("a date for a duration", "keeps", "keeps until a date"),
    ("seconds for ns", "keeps", "keeps for seconds and not nanoseconds"),
    ("leak on a rare path", "places", "leaks when it lets wait"),
    ("1 B a call", "places", "a byte a call"),
    ("1 MB an instance", "places", "a megabyte an instance"),
    ("a thread an instance", "places", "a thread an instance"),
    ("clock by the minute", "", "not found"),
];

#[test]
fn every_seed_is_a_row_of_a_table() {
    for (seed, kind, defect) in SEEDS.iter().filter(|(_, kind, _)| !kind.is_empty()) {
        let policy = match *kind {
            "allocation" => PolicyDescriptor::node_allocation::<super::allocation::Allocator>(),
            "eviction" => PolicyDescriptor::eviction::<super::eviction::Evictor>(),
            "admission" => PolicyDescriptor::admission::<super::admission::Door>(),
            "keep-alive" => PolicyDescriptor::keep_alive::<super::keep_alive::Keeper>(),
            kind => policy(kind),
        };
        assert_eq!(parameters_with(&policy, defect).get("defect").unwrap().to_string(), *defect, "{seed}");
    }
}

/// Is sound at the default value of its parameter, and at no other.
struct OfOneValue {
    window: u64,
    words: &'static str,
}

hearth_policy_api::parameters! {
    /// What can be set.
    pub struct Window {
        /// how many to look at
        window: integer(0..=100) = 10;
        /// how
        how: word("well", "badly") = "well";
    }
}

impl Policy for OfOneValue {
    const NAME: &'static str = "of-one-value";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "is right with its defaults";
    type Parameters = Window;

    fn new(parameters: Window, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { window: parameters.window, words: parameters.how })
    }
}

impl KeepAlive for OfOneValue {
    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        assert_ne!(self.words, "badly", "nobody has thought of that");
        Retention { keep_for: SECOND + completion.run_time / self.window }
    }
}

#[test]
fn other_values_of_parameters_are_drawn_and_told() {
    let policy = PolicyDescriptor::keep_alive::<OfOneValue>();
    let _alone = super::alone();
    let found = testkit::check(&policy, &Options::default()).unwrap_err();
    let said = found.to_string();
    assert!(said.contains("(parameter window = 0)") != said.contains("(parameter how = badly)"), "{said}");
    assert!(found.history.len() < 6, "{said}");
    // With values that are given, nothing is drawn.
    let given = Some(Parameters::defaults(&policy.parameters()));
    assert_eq!(testkit::check(&policy, &Options { parameters: given, ..Options::default() }), Ok(()));
}

#[test]
#[should_panic(expected = "in a second process")]
fn a_test_plays_in_a_second_process() {
    if std::thread::current().name() == Some("main") {
        panic!("tests run one at a time: nothing is played in a second process");
    }
    struct AtAnAddress;
    impl Policy for AtAnAddress {
        const NAME: &'static str = "at-an-address";
        const VERSION: &'static str = "1.0.0";
        const DESCRIPTION: &'static str = "keeps by where the library lies";
        type Parameters = ();
        fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
            Ok(Self)
        }
    }
    impl KeepAlive for AtAnAddress {
        fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
            Retention { keep_for: std::ptr::from_ref(&PLACE) as u64 / 4096 % 600 * SECOND + SECOND }
        }
    }
    let _alone = super::alone();
    // The first check of the test is skipped there, the second one played.
    testkit::assert_sound(&PolicyDescriptor::admission::<super::OpenDoor>());
    testkit::assert_sound(&PolicyDescriptor::keep_alive::<AtAnAddress>());
}

/// A ring of so many entries is no leak, and a policy that has one says so.
#[test]
fn a_claim_that_is_taken_back_takes_the_finding_back() {
    let policy = PolicyDescriptor::node_allocation::<placing::Seeded>();
    let options = |defect, claims| Options {
        parameters: Some(parameters_with(&policy, defect)),
        claims: Some(claims),
        cases: 32,
        ..Options::default()
    };
    for (defect, claims) in [
        ("a byte a call", Claims { bounded_memory: false, ..Claims::ALL }),
        ("a megabyte an instance", Claims { bounded_memory: false, ..Claims::ALL }),
        ("a millisecond a call", Claims { bounded_time: false, ..Claims::ALL }),
        ("ranks that starve the oldest", Claims { starves_nobody: false, ..Claims::ALL }),
        ("rejects everybody", Claims { lets_in_when_idle: false, ..Claims::ALL }),
        ("one byte too few", Claims { respects_capacity: false, work_conserving: false, ..Claims::ALL }),
        ("starves a function", Claims { work_conserving: false, ..Claims::ALL }),
    ] {
        let _alone = super::alone();
        let found = testkit::check(&policy, &options(defect, Claims::ALL)).unwrap_err();
        assert!(matches!(found.kind, testkit::FaultKind::Promise(_)), "{defect}: {found}");
        assert_eq!(testkit::check(&policy, &options(defect, claims)), Ok(()), "{defect}");
    }
}
