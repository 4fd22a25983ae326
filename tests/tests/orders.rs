//! What policies have done at dates of their own: they are called again, and have containers started and ended (the timing
//! model, section 14).

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::{KeepAliveObject, NodeAllocationObject};
use hearth_policy_api::{
    Actions, ClusterView, Completion, KeepAlive, NONE, NodeAllocation, Placement, PolicyContext, RequestView, Retention,
};
use hearth_serverless::Error;
use hearth_serverless::function::{Body, Function};
use hearth_serverless::invocation::{InvocationRecord, Start};
use hearth_serverless::metrics::Metrics;
use hearth_serverless::prelude::*;
use hearth_serverless::workload::PlannedInvocation;

const SECOND: u64 = 1_000_000_000;

/// What is done at a date, in s.
#[derive(Clone, Copy)]
enum Step {
    Start { function: u32, node: u32, count: u32, keep_for: u64 },
    End { function: u32, node: u32, count: u32 },
}

/// When timers have gone off, in s.
type Went = Rc<RefCell<Vec<(u64, f64)>>>;

/// Keeps containers for ever, and does what its script says; timer n is for its line n.
struct Scripted {
    actions: Actions,
    script: Vec<(u64, Step)>,
    went: Went,
}

impl Scripted {
    fn new(context: &PolicyContext, script: &[(u64, Step)], went: &Went) -> Self {
        let actions = context.actions();
        script.iter().zip(0..).for_each(|((date, _), line)| actions.wake_at(line, date * SECOND));
        Self { actions, script: script.to_vec(), went: Rc::clone(went) }
    }
}

impl KeepAlive for Scripted {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: u64::MAX }
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.went.borrow_mut().push((timer, cluster.now as f64 / 1e9));
        match self.script[timer as usize].1 {
            Step::Start { function, node, count, keep_for } => {
                self.actions.start_containers(function, node, count, keep_for.saturating_mul(SECOND));
            }
            Step::End { function, node, count } => self.actions.end_containers(function, node, count),
        }
    }
}

/// A service of two nodes of two cores with 8 and 12 GB, two functions with containers of 4 GB that start in 1 s, and bodies of 2 s.
fn start(policies: PolicySet) -> Result<(Simulation, ServerlessComputeService, [FunctionId; 2]), Error> {
    let platform = PlatformBuilder::new()
        .host("head", HostSpec::new(1, 1e9))
        .host("small", HostSpec::new(2, 1e9).ram(8 * GB))
        .host("large", HostSpec::new(2, 1e9).ram(12 * GB))
        .build()
        .unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let service = ServerlessComputeService::builder("head")
        .nodes(&["small", "large"])
        .policies(policies)
        .container_startup_overhead(secs(1))
        .keep_records(true)
        .start(&mut simulation)?;
    let functions = ["f", "g"].map(|name| {
        let limits = Limits { ram: 4 * GB, ..Limits::default() };
        let function =
            Function { name: name.to_owned(), image: None, limits, startup_overhead: None, body: Body::Sleep(secs(2)) };
        service.register(&mut simulation, function).unwrap()
    });
    Ok((simulation, service, functions))
}

fn policies() -> PolicySet {
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let mut policies = PolicySet::defaults(&catalog).unwrap();
    policies.node_allocation = catalog.node_allocation("first-fit").unwrap();
    policies
}

/// What has become of requests for the functions at these dates, and when the simulation ended.
fn run(policies: PolicySet, dates: &[(u64, usize)]) -> Result<(Metrics, Vec<InvocationRecord>, f64), Error> {
    let (mut simulation, service, functions) = start(policies)?;
    let planned = dates.iter().map(|(at, function)| PlannedInvocation {
        at: Some(SimTime::ZERO + secs(*at)),
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: functions[*function].into(),
        body: None,
    });
    service.set_workload(&mut simulation, planned.collect())?;
    simulation.run()?;
    let end = simulation.now().as_secs_f64();
    let (metrics, records) = service.close(&mut simulation);
    Ok((metrics, records, end))
}

/// How requests started, when timers went off, and when the simulation ended.
type Course = (Vec<Start>, Vec<(u64, f64)>, f64);

/// What comes of a script.
fn scripted(script: &[(u64, Step)], dates: &[(u64, usize)]) -> Result<Course, Error> {
    let (went, mut set) = (Went::default(), policies());
    let (script, heard) = (script.to_vec(), Rc::clone(&went));
    let make = move |context: &PolicyContext| Scripted::new(context, &script, &heard);
    set.keep_alive = Factory::<KeepAliveObject>::in_place("scripted", make);
    let (_, records, end) = run(set, dates)?;
    Ok((records.iter().map(|record| record.start.unwrap()).collect(), went.take(), end))
}

const NOTHING: Step = Step::End { function: 0, node: NONE, count: 0 };

#[test]
fn timers_go_off_at_their_dates_while_something_is_left_and_make_nothing_longer() {
    let (_, went, end) =
        scripted(&[(5, NOTHING), (1, NOTHING), (21, NOTHING), (400, NOTHING)], &[(0, 0), (20, 0)]).unwrap();
    // Between requests too, in the order of dates; and not once everybody is done.
    assert_eq!(went, [(1, 1.0), (0, 5.0), (2, 21.0)]);
    let (_, _, without) = scripted(&[], &[(0, 0), (20, 0)]).unwrap();
    assert_eq!(end, without);
}

#[test]
fn containers_are_started_where_there_is_most_room_and_found_warm() {
    use Start::{Cold, Warm};
    let start = |count, node| Step::Start { function: 0, node, count, keep_for: 100 };
    // They are up after 1 s.
    assert_eq!(scripted(&[(10, start(1, NONE))], &[(0, 1), (12, 0)]).unwrap().0, [Cold, Warm]);
    assert_eq!(scripted(&[(10, start(1, NONE))], &[(0, 1), (10, 0)]).unwrap().0, [Cold, Cold]);
    // The function itself has none on its node, and is kept for so long.
    let forty = Step::Start { function: 0, node: 1, count: 1, keep_for: 40 };
    assert_eq!(scripted(&[(10, forty)], &[(0, 1), (51, 0)]).unwrap().0, [Cold, Warm]);
    assert_eq!(scripted(&[(10, forty)], &[(0, 1), (52, 0)]).unwrap().0, [Cold, Cold]);
    // One container is on the small node; 4 + 12 GB are free, and hold four. Two cores a node serve four at once.
    let all = [(0, 1), (12, 0), (12, 0), (12, 0), (12, 0)];
    assert_eq!(scripted(&[(10, start(4, NONE))], &all).unwrap().0, [Cold, Warm, Warm, Warm, Cold]);
}

#[test]
fn containers_are_ended_longest_idle_first() {
    use Start::{Cold, Warm};
    // Both of f are idle from 3 and 13 on, on the small node.
    let two = [(0, 0), (0, 0), (10, 0), (30, 0), (30, 0)];
    let end = |count, node| Step::End { function: 0, node, count };
    assert_eq!(scripted(&[], &two).unwrap().0, [Cold, Cold, Warm, Warm, Warm]);
    assert_eq!(scripted(&[(20, end(1, NONE))], &two).unwrap().0, [Cold, Cold, Warm, Warm, Cold]);
    assert_eq!(scripted(&[(20, end(9, 0))], &two).unwrap().0, [Cold, Cold, Warm, Cold, Cold]);
    assert_eq!(scripted(&[(20, end(9, 1))], &two).unwrap().0, [Cold, Cold, Warm, Warm, Warm]);
    assert_eq!(scripted(&[(20, Step::End { function: 1, node: NONE, count: 9 })], &two).unwrap().0[3..], [Warm, Warm]);
}

#[test]
fn what_is_not_there_cannot_be_asked_for() {
    let refused = |step| scripted(&[(1, step)], &[(0, 0)]).unwrap_err().to_string();
    let start = |function, node, count| Step::Start { function, node, count, keep_for: 1 };
    let said = |call: &str, cause: &str| format!("policies.keep_alive: \"scripted\" failed in {call}: {cause}");
    assert_eq!(refused(start(2, NONE, 1)), said("start_containers", "names function 2 of 2"));
    assert_eq!(refused(start(0, 2, 1)), said("start_containers", "names node 2 of 2"));
    assert_eq!(
        refused(start(0, 0, 1_000_001)),
        said("start_containers", "asks for 1000001 containers at once: expected at most 1000000")
    );
    assert_eq!(
        refused(Step::End { function: 7, node: NONE, count: 1 }),
        said("end_containers", "names function 7 of 2")
    );
}

/// Lets each request wait for 3 s.
struct Hesitant(Actions);

impl NodeAllocation for Hesitant {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let until = request.submitted_at + 3 * SECOND;
        if cluster.now < until {
            self.0.wake_at(request.invocation, until);
            return Placement::Wait;
        }
        cluster.free_core.first().into()
    }
}

#[test]
fn who_was_told_to_wait_is_asked_about_again_when_a_timer_goes_off() {
    let mut set = policies();
    let make = |context: &PolicyContext| Hesitant(context.actions());
    set.node_allocation = Factory::<NodeAllocationObject>::in_place("hesitant", make);
    // Nothing else happens meanwhile.
    let (_, records, _) = run(set, &[(2, 0), (50, 0)]).unwrap();
    let begun: Vec<f64> = records.iter().map(|record| record.started_at.unwrap().as_secs_f64()).collect();
    assert_eq!(begun, [6.0, 53.0]);
}
