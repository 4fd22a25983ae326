//! The function manager from a controller's side: registration, states, waits, limits, and wrong answers of policies.

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::{AdmissionObject, NodeAllocationObject};
use hearth_policy_api::{ClusterView, NodeAllocation, Placement, RequestView};
use hearth_serverless::prelude::*;

fn policies() -> PolicySet {
    PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap()
}

/// One node of two cores beside a head that holds the registry.
fn simulation(policies: PolicySet) -> (Simulation, ServerlessComputeService) {
    let disk = DiskSpec::new(100 * GB, 100e6, 100e6);
    let platform = PlatformBuilder::new()
        .host("head", HostSpec::new(1, 1e9).disk(disk.clone()))
        .host("node", HostSpec::new(2, 1e9).ram(8 * GB).disk(disk))
        .link("lan", 1e9, 0.0)
        .route("head", "node", &["lan"])
        .build()
        .unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let service = ServerlessComputeService::builder("head")
        .nodes(&["node"])
        .policies(policies)
        .simulate_image_downloads(false)
        .container_startup_overhead(secs(1))
        .start(&mut simulation)
        .unwrap();
    (simulation, service)
}

fn control(
    process: impl AsyncFnOnce(Context<ServiceModel>, FunctionManager) -> Result<(), Error> + 'static,
) -> Result<(), Error> {
    let (mut simulation, service) = simulation(policies());
    simulation.spawn_on("head", async move |context| {
        let manager = FunctionManager::new(&context, &service);
        process(context, manager).await
    })?;
    simulation.run()
}

/// Sleeps for as many seconds as its input says.
async fn sleeper(manager: &FunctionManager, limits: Limits) -> Result<FunctionId, Error> {
    let image = manager.create_image("image", 100 * MB, 100 * MB)?;
    let function = manager.create_function("sleeper", &image, async |call: Call| {
        let seconds = call.input().get::<u64>().copied().unwrap_or(0);
        call.sleep(secs(seconds)).await;
        Ok(Output::new(seconds * 10))
    });
    manager.register(function, limits).await
}

#[test]
fn a_closure_that_is_hedged_gets_its_input_and_the_controller_sees_one_invocation() {
    use InvocationState::{Admitted, Completed, Queued, Requested, Running, Starting, Submitted};
    let (mut simulation, service) = simulation(policies());
    let after = secs(5);
    service.set_hedging(&mut simulation, hearth_serverless::fault::HedgePolicy { after });
    let inputs = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&inputs);
    let control = async move |context: Context<ServiceModel>| {
        let manager = FunctionManager::new(&context, &service);
        let image = manager.create_image("image", 0, 0)?;
        let function = manager.create_function("f", &image, move |call: Call| {
            let seen = Rc::clone(&seen);
            async move {
                seen.borrow_mut().push(call.input().get::<u64>().copied());
                call.sleep(secs(10)).await;
                Ok(Output::new(()))
            }
        });
        let function = manager.register(function, Limits::default()).await?;
        let invocation = manager.invoke(&function, Input::new(7_u64)).await?;
        manager.wait_one(&invocation).await;
        let states: Vec<InvocationState> = invocation.history().iter().map(|(state, _)| *state).collect();
        assert!(states.starts_with(&[Requested, Submitted, Admitted]), "{states:?}");
        assert!(states.ends_with(&[Queued, Starting, Running, Completed]), "{states:?}");
        Ok::<(), Error>(())
    };
    simulation.spawn_on("head", control).unwrap();
    simulation.run().unwrap();
    assert_eq!(*inputs.borrow(), [Some(7), Some(7)], "of both attempts");
}

#[test]
fn an_invocation_shows_each_state_with_its_date() {
    use InvocationState::{Admitted, Completed, Queued, Requested, Running, Starting, Submitted, WaitingForImage};
    control(async |context, manager| {
        let function = sleeper(&manager, Limits::default()).await?;
        let invocation = manager.invoke(&function, Input::new(5_u64)).await?;
        assert!(!manager.is_done(&invocation));
        manager.wait_one(&invocation).await;
        assert!(manager.is_done(&invocation));
        let states: Vec<_> = invocation.history().iter().map(|(state, _)| *state).collect();
        assert_eq!(states, [Requested, Submitted, Admitted, WaitingForImage, Queued, Starting, Running, Completed]);
        // A second to copy, one to load, one to start, five to run.
        let entered = |state| invocation.entered(state).map(|date: SimTime| date.as_secs_f64());
        assert_eq!([Starting, Running, Completed].map(entered), [Some(2.0), Some(3.0), Some(8.0)]);
        assert_eq!(invocation.output().and_then(|output| output.get::<u64>().copied()), Some(50));
        assert_eq!(context.now(), SimTime::from_secs_f64(8.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn any_number_of_waiters_hear_of_the_end() {
    let woken = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&woken);
    control(async move |context, manager| {
        let function = sleeper(&manager, Limits::default()).await?;
        let invocation = manager.invoke(&function, Input::new(5_u64)).await?;
        let waiters = (0..3).map(|number| {
            let (context, manager, invocation, log) =
                (context.clone(), manager.clone(), invocation.clone(), Rc::clone(&log));
            context.clone().spawn(async move {
                context.sleep(secs(number)).await;
                manager.wait_one(&invocation).await;
                log.borrow_mut().push((number, context.now().as_secs_f64()));
            })
        });
        join_all(waiters).await;
        // Who comes after the end does not wait.
        manager.wait_one(&invocation).await;
        Ok(())
    })
    .unwrap();
    assert_eq!(*woken.borrow(), [(0, 8.0), (1, 8.0), (2, 8.0)]);
}

#[test]
fn waiting_for_any_and_for_all() {
    control(async |context, manager| {
        let function = sleeper(&manager, Limits::default()).await?;
        let mut invocations = Vec::new();
        for seconds in [9_u64, 4] {
            invocations.push(manager.invoke(&function, Input::new(seconds)).await?);
        }
        assert_eq!(manager.wait_any(&invocations).await, Some(1));
        assert_eq!(context.now(), SimTime::from_secs_f64(7.0));
        manager.wait_all(&invocations).await;
        assert_eq!(context.now(), SimTime::from_secs_f64(12.0));
        assert_eq!(manager.wait_any(&[]).await, None);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_body_that_reaches_its_time_limit_is_stopped() {
    control(async |context, manager| {
        let function = sleeper(&manager, Limits { time: secs(2), ..Limits::default() }).await?;
        for seconds in [2_u64, 100] {
            let invocation = manager.invoke(&function, Input::new(seconds)).await?;
            manager.wait_one(&invocation).await;
            assert_eq!(invocation.state(), InvocationState::TimedOut);
            assert_eq!(invocation.failure().as_deref(), Some("the time limit was reached"));
            assert!(invocation.output().is_none());
        }
        assert_eq!(context.now(), SimTime::from_secs_f64(7.0), "the second found the container warm");
        Ok(())
    })
    .unwrap();
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    control(async |_, manager| {
        let image = manager.create_image("image", 100 * MB, 100 * MB)?;
        let define = |name: &str| manager.define(name, Some(image), Body::steps([]));
        let too_large = manager.register(define("f"), Limits { ram: 8 * GB, ..Limits::default() }).await.unwrap_err();
        assert_eq!(
            too_large.to_string(),
            "function \"f\" cannot be registered: image and limits need 8100000000 B of RAM and 100000000 B of disk on \
             one node; the most that nodes have is 8000000000 B of RAM and 100000000000 B of disk"
        );
        manager.register(define("f"), Limits::default()).await?;
        let twice = manager.register(define("f"), Limits::default()).await.unwrap_err();
        assert_eq!(twice.to_string(), "function \"f\" exists already: choose another name");
        let image_twice = manager.create_image("image", 1, 1).unwrap_err();
        assert_eq!(image_twice.to_string(), "image \"image\" exists already: choose another name");
        Ok(())
    })
    .unwrap();
}

#[test]
fn limits_on_data_fail_the_invocation_that_passes_them() {
    control(async |_, manager| {
        manager.create_file("in", 30 * MB)?;
        let steps = |steps: &[Step]| Body::steps(steps.to_vec());
        let file = || Rc::from("in");
        let limits = Limits { disk: 50 * MB, ingress: Some(40 * MB), egress: Some(20 * MB), ..Limits::default() };
        for (name, body, message) in [
            ("ingress", steps(&[Step::Ingress(file()), Step::ReadRemote(file())]), "60000000 B of ingress, over the ingress limit of 40000000 B"),
            ("egress", steps(&[Step::Ingress(file()), Step::Egress(file())]), "30000000 B of egress, over the egress limit of 20000000 B"),
            ("disk", steps(&[Step::Create(file(), 51 * MB)]), "writing \"in\" (51000000 B) would make the private storage 51000000 B, over the disk limit of 50000000 B"),
            ("registry", steps(&[Step::ReadRemote(Rc::from("out"))]), "the registry has no file \"out\""),
        ] {
            let function = manager.register(manager.define(name, None, body), limits).await?;
            let invocation = manager.invoke(&function, Input::default()).await?;
            manager.wait_one(&invocation).await;
            assert_eq!(invocation.state(), InvocationState::Failed, "{name}");
            assert_eq!(invocation.failure().as_deref(), Some(message));
        }
        // A file that is written again counts once.
        let body = steps(&[Step::Create(file(), 40 * MB), Step::Create(file(), 50 * MB)]);
        let function = manager.register(manager.define("again", None, body), limits).await?;
        let invocation = manager.invoke(&function, Input::default()).await?;
        manager.wait_one(&invocation).await;
        assert_eq!(invocation.state(), InvocationState::Completed);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_workload_that_names_what_is_not_there_is_refused() {
    let (mut simulation, service) = simulation(policies());
    let function = Function {
        name: "f".to_owned(),
        image: None,
        limits: Limits::default(),
        startup_overhead: None,
        body: Body::steps([]),
    };
    let function = service.register(&mut simulation, function).unwrap();
    let planned =
        PlannedInvocation { at: None, after: vec![3], delay: SimDuration::ZERO, callee: function.into(), body: None };
    let error = service.set_workload(&mut simulation, vec![planned]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invocation 0 of the workload is to follow 3, which is not there: positions begin at 0"
    );
}

/// Delays every request for ever.
#[derive(Debug)]
struct Never;

impl hearth_policy_api::Admission for Never {
    fn admit(
        &mut self,
        _request: &RequestView,
        _load: &hearth_policy_api::AdmissionView<'_>,
    ) -> hearth_policy_api::AdmissionDecision {
        hearth_policy_api::AdmissionDecision::Delay(u64::MAX)
    }
}

#[test]
fn a_delay_beyond_the_end_of_time_is_a_mistake_that_names_the_policy() {
    let mut policies = policies();
    policies.admission = Factory::<AdmissionObject>::in_place("never", |_| Never);
    let (mut simulation, service) = simulation(policies);
    let (name, limits, body) = ("f".to_owned(), Limits::default(), Body::steps([]));
    let function = Function { name, image: None, limits, startup_overhead: None, body };
    let function = service.register(&mut simulation, function).unwrap();
    let planned = PlannedInvocation {
        at: None,
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: function.into(),
        body: None,
    };
    service.set_workload(&mut simulation, vec![planned]).unwrap();
    let error = simulation.run().unwrap_err().to_string();
    assert_eq!(
        error,
        "policies.admission: \"never\" failed in admit: delays a request by 583 years: reject it, if it is not to be let in"
    );
    assert_eq!(service.close(&mut simulation).0.outcome(Outcome::Unfinished), 1);
}

/// Always answers the same.
#[derive(Debug)]
struct Stubborn(Placement);

impl NodeAllocation for Stubborn {
    fn place(&mut self, _request: &RequestView, _cluster: &ClusterView<'_>) -> Placement {
        self.0.clone()
    }
}

fn run_with(placement: Placement) -> (Result<(), Error>, hearth_serverless::metrics::Metrics) {
    let mut policies = policies();
    policies.node_allocation =
        Factory::<NodeAllocationObject>::in_place("stubborn", move |_| Stubborn(placement.clone()));
    let (mut simulation, service) = simulation(policies);
    let (name, limits, body) = ("f".to_owned(), Limits::default(), Body::steps([Step::Sleep(secs(5))]));
    let function = Function { name, image: None, limits, startup_overhead: None, body };
    let function = service.register(&mut simulation, function).unwrap();
    let planned = PlannedInvocation {
        at: None,
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: function.into(),
        body: None,
    };
    service.set_workload(&mut simulation, vec![planned; 3]).unwrap();
    let outcome = simulation.run();
    (outcome, service.close(&mut simulation).0)
}

#[test]
fn a_policy_that_names_a_node_on_which_nothing_can_run_is_named() {
    let message = |node| run_with(Placement::Node(node)).0.unwrap_err().to_string();
    assert_eq!(
        message(7),
        "policies.node_allocation: \"stubborn\" failed in place: answered node 7, but there are nodes 0 to 0"
    );
    // Two run on node 0; the third is asked about when one of them has ended.
    assert!(run_with(Placement::Node(0)).0.is_ok());
}

#[test]
fn a_policy_may_reject_and_may_let_wait_for_ever() {
    let (outcome, metrics) = run_with(Placement::Reject("not today".into()));
    outcome.unwrap();
    assert_eq!(metrics.outcome(Outcome::Rejected), 3);
    let (outcome, metrics) = run_with(Placement::Wait);
    outcome.unwrap();
    assert_eq!(metrics.outcome(Outcome::Unfinished), 3);
}

/// Plans the whole queue in every round, and its answers bind.
#[derive(Debug)]
struct BatchBinding;

impl hearth_policy_api::BatchAllocation for BatchBinding {
    fn plan(&mut self, batch: &hearth_policy_api::BatchView<'_>, plan: &mut Vec<hearth_policy_api::PlanItem>) {
        plan.extend((0..batch.queue.len() as u32).map(|request| hearth_policy_api::PlanItem::Run { request, node: 0 }));
    }
}

#[test]
fn a_plan_that_binds_starts_everybody_once() {
    let mut policies = policies();
    policies.node_allocation = Factory::<NodeAllocationObject>::in_place_batch("batch", |_| BatchBinding);
    let (mut simulation, service) = simulation(policies);
    let image = Image { name: "image".to_owned(), size: 100 * MB, ram_footprint: 100 * MB };
    let image = service.create_image(&mut simulation, image).unwrap();
    let (name, limits, body) = ("f".to_owned(), Limits::default(), Body::steps([Step::Sleep(secs(1))]));
    let function = Function { name, image: Some(image), limits, startup_overhead: None, body };
    let function = service.register(&mut simulation, function).unwrap();
    let planned = PlannedInvocation {
        at: None,
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: function.into(),
        body: None,
    };
    service.set_workload(&mut simulation, vec![planned; 5]).unwrap();
    simulation.run().unwrap();
    let metrics = service.close(&mut simulation).0;
    assert_eq!((metrics.outcome(Outcome::Completed), metrics.cold_starts + metrics.warm_starts), (5, 5));
}

#[test]
fn what_a_closure_does_has_its_causes_alone_and_at_once() {
    use hearth_serverless::causes::Cause;
    let disk = DiskSpec::new(100 * GB, 100e6, 100e6);
    let platform = PlatformBuilder::new().host("all", HostSpec::new(1, 1e9).ram(8 * GB).disk(disk)).build().unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let service = ServerlessComputeService::builder("all")
        .registry("all")
        .nodes(&["all"])
        .policies(policies())
        .simulate_image_downloads(false)
        .keep_records(true)
        .explain(true)
        .start(&mut simulation)
        .unwrap();
    simulation
        .spawn_on("all", async move |context| {
            let manager = FunctionManager::new(&context, &service);
            let image = manager.create_image("image", 1, 1)?;
            let function = manager.create_function("f", &image, async |call: Call| {
                call.compute(2e9).await;
                let storage = call.storage();
                // 100 MB to a disk of 100 MB/s: a second of its own.
                storage.write("alone", 100 * MB).await?;
                // Two at once take twice as long, of which half is by the other.
                let moved = join_all([storage.write("a", 100 * MB), storage.write("b", 100 * MB)]).await;
                assert!(moved.iter().all(Result::is_ok), "{moved:?}");
                Ok(Output::new(()))
            });
            let limits = Limits { disk: GB, ram: MB, ..Limits::default() };
            let function = manager.register(function, limits).await?;
            let invocation = manager.invoke(&function, Input::default()).await?;
            manager.wait_one(&invocation).await;
            Ok(())
        })
        .unwrap();
    simulation.run().unwrap();
    let (_, records) = service.close(&mut simulation);
    let record = &records[0];
    let causes = record.causes.as_ref().unwrap();
    let of = |cause: Cause| causes.parts.of(cause).as_secs_f64();
    let near = |cause: Cause, seconds: f64| assert!((of(cause) - seconds).abs() < 1e-6, "{cause:?} {causes:?}");
    near(Cause::Work, 2.0);
    near(Cause::DataTransfer, 2.0);
    near(Cause::DataTransferSharing, 1.0);
    assert_eq!(causes.parts.sum(), record.finished_at.unwrap() - record.requested_at.unwrap());
}
