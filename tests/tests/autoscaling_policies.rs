//! Policies of autoscaling in whole simulations: which one a scenario has, what it is told besides being asked, and what it may do.

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::AutoscalingObject;
use hearth_policy_api::*;
use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, chosen_policies};
use hearth_serverless::function::{Body, Function};
use hearth_serverless::policy::{Catalog, Factory, PolicySlot};
use hearth_serverless::prelude::*;
use hearth_serverless::scenario::Scenario;
use hearth_serverless::workload::PlannedInvocation;
use serde_json::{Value, json};

const SECOND: u64 = 1_000_000_000;

/// A policy of two kinds.
struct Both;

impl Policy for Both {
    const NAME: &'static str = "both";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "keeps nothing and wants nothing";
    type Parameters = ();
    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl KeepAlive for Both {
    fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
        Retention { keep_for: 0 }
    }
}

impl Autoscaling for Both {
    fn scale(&mut self, _view: &ScaleView) -> Scale {
        Scale { wanted: 0 }
    }
}

const BOTH: PolicyDescriptor = controller!(Both: keep_alive, autoscaling);

fn catalog() -> Catalog {
    Catalog::new(&[&[BOTH], hearth_plugins::BUILT_IN].concat())
}

fn scenario(policies: &Value) -> Scenario {
    let scenario = json!({
        "format": "hearth-scenario/1", "network_model": "ideal",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf"}, {"name": "node", "cores": 4, "speed": "1Gf", "ram": "16GB"}],
            "links": [{"name": "lan", "bandwidth": "1GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node"]},
        "functions": [{"name": "f", "body": [{"sleep": "1s"}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}]}, "policies": policies,
    });
    Scenario::from_json(&scenario.to_string()).unwrap()
}

/// The name and a parameter of the autoscaling policy that a scenario has, if it has one.
fn chosen(policies: &Value, parameter: &str) -> Result<Option<(String, Option<String>)>, String> {
    let policies = chosen_policies(&scenario(policies), &catalog()).map_err(|error| error.to_string())?;
    let of_slot = policies.into_iter().find(|(slot, _)| *slot == PolicySlot::Autoscaling);
    Ok(of_slot.map(|(_, record)| (record.name, record.parameters.get(parameter).cloned())))
}

#[test]
fn a_scenario_has_the_policy_that_it_names_and_else_none() {
    let named = |name: &str, value: Option<&str>| Ok(Some((name.to_owned(), value.map(str::to_owned))));
    assert_eq!(chosen(&json!({}), ""), Ok(None));
    assert_eq!(chosen(&json!({"autoscaling": {}}), ""), named("none", None));
    let kpa = json!({"autoscaling": {"use": "kpa", "parameters": {"stable_window": "30s"}}});
    assert_eq!(chosen(&kpa, "stable_window"), named("kpa", Some("30s")));
    assert_eq!(chosen(&json!({"controller": {"use": "both"}}), ""), named("both", None));
    let beside = json!({"controller": {"use": "both"}, "autoscaling": {"use": "lambda"}});
    assert_eq!(chosen(&beside, "burst"), named("lambda", Some("1000")));
    let other = json!({"controller": {"use": "knative-autoscaler"}});
    assert_eq!(chosen(&other, ""), Ok(None), "a controller of other kinds");
    let refused = |policies: Value| chosen(&policies, "").unwrap_err();
    assert_eq!(
        refused(json!({"autoscaling": {"use": "fixed"}})),
        "policies.autoscaling: unknown autoscaling policy \"fixed\": there are both, cluster-autoscaler, concurrency, kpa, lambda, none"
    );
    let wrong = refused(json!({"autoscaling": {"use": "kpa", "parameters": {"metric": "memory"}}}));
    assert!(wrong.starts_with("policies.autoscaling: autoscaling policy \"kpa\": parameter \"metric\""), "{wrong}");
    let policies =
        json!({"keep_alive": {"use": "fixed"}, "autoscaling": {"use": "none"}, "controller": {"use": "both"}});
    let nowhere = Experiment::prepare(&scenario(&policies), &catalog()).unwrap_err().to_string();
    assert!(nowhere.contains("in policies.keep_alive and policies.autoscaling"), "{nowhere}");
}

#[test]
fn what_does_not_go_together_is_an_error_before_the_run() {
    let policies = json!({"autoscaling": {"use": "kpa", "parameters": {"stable_window": "1s"}}});
    let error = Experiment::prepare(&scenario(&policies), &catalog()).unwrap_err().to_string();
    let cause = "\"kpa\" cannot be made: the parameter stable_window must be from 6 s to 1 h";
    assert!(error.contains(&format!("policies.autoscaling: {cause}")), "{error}");
}

#[test]
fn functions_without_instances_run_as_without_autoscaling() {
    let run = |policies: Value| {
        let run = Experiment::prepare(&scenario(&policies), &catalog()).unwrap().run_and_keep();
        let is_called = run.times.iter().any(|time| time.slot == PolicySlot::Autoscaling);
        (format!("{:?}", run.results.metrics), run.results.records, is_called)
    };
    let (metrics, records, is_called) = run(json!({}));
    let (with_metrics, with_records, is_called_with) = run(json!({"autoscaling": {"use": "kpa"}}));
    assert_eq!((is_called, is_called_with), (false, true), "it is made, and asked for its rules");
    assert_eq!(metrics, with_metrics);
    assert!(records == with_records);
}

/// What a policy was told.
type Told = Rc<RefCell<Vec<String>>>;

/// Has a container started at 5 s, and writes down what it is told.
struct Listener {
    actions: Actions,
    told: Told,
}

impl Autoscaling for Listener {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { observes_containers: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, _view: &ScaleView) -> Scale {
        Scale { wanted: 0 }
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.told.borrow_mut().push(format!(
            "timer {timer} at {} s, {} nodes",
            cluster.now / SECOND,
            cluster.nodes.len()
        ));
        self.actions.start_containers(0, 0, 1, SECOND);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.told.borrow_mut().push(format!("{:?} at {} s", event.change, event.now / SECOND));
    }
}

/// A request at 0 s and one at 20 s, whose bodies take 2 s.
fn run_with(factory: Option<Factory<AutoscalingObject>>) -> Result<(), Error> {
    let platform = PlatformBuilder::new()
        .host("head", HostSpec::new(1, 1e9))
        .host("node", HostSpec::new(2, 1e9).ram(8 * GB))
        .build()
        .unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let mut policies = PolicySet::defaults(&catalog()).unwrap();
    policies.keep_alive = catalog().keep_alive("no-keep-alive").unwrap();
    policies.autoscaling = factory;
    let service = ServerlessComputeService::builder("head").nodes(&["node"]).policies(policies);
    let service = service.start(&mut simulation)?;
    let limits = Limits { ram: GB, ..Limits::default() };
    let body = Body::Sleep(secs(2));
    let function = Function { name: "f".to_owned(), image: None, limits, startup_overhead: None, body };
    let function = service.register(&mut simulation, function)?;
    let planned = [0, 20].map(|at| PlannedInvocation {
        at: Some(SimTime::ZERO + secs(at)),
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: function.into(),
        body: None,
    });
    service.set_workload(&mut simulation, planned.into())?;
    simulation.run()?;
    Ok(())
}

#[test]
fn an_autoscaler_has_timers_gives_orders_and_hears_of_containers() {
    let told = Told::default();
    let noted = Rc::clone(&told);
    let factory = Factory::<AutoscalingObject>::in_place("listener", move |context| {
        assert_eq!(context.slot, PolicySlot::Autoscaling);
        let actions = context.actions();
        actions.wake_at(7, 5 * SECOND);
        Listener { actions, told: Rc::clone(&noted) }
    });
    run_with(Some(factory)).unwrap();
    let expected = [
        "Starting at 0 s",
        "Up at 0 s",
        "NotKept at 2 s",
        "timer 7 at 5 s, 1 nodes",
        "StartingAhead at 5 s",
        "Idle at 5 s",
        "Expired at 6 s",
        "Starting at 20 s",
        "Up at 20 s",
        "NotKept at 22 s",
    ];
    assert_eq!(*told.borrow(), expected);
}

/// Fails in whatever it is called for.
struct Failing(bool);

impl Autoscaling for Failing {
    fn rules(&self) -> AutoscalingRules {
        assert!(!self.0, "no rules");
        AutoscalingRules { observes_containers: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, _view: &ScaleView) -> Scale {
        Scale { wanted: 0 }
    }

    fn on_container(&mut self, _event: &ContainerEvent) {
        panic!("not this one");
    }
}

#[test]
fn a_panic_of_an_autoscaler_names_the_policy_and_the_call() {
    let failed = |in_rules: bool| {
        run_with(Some(Factory::<AutoscalingObject>::in_place("failing", move |_| Failing(in_rules))))
            .unwrap_err()
            .to_string()
    };
    assert!(failed(true).starts_with("policies.autoscaling: \"failing\" failed in rules: panicked: no rules"));
    let said = failed(false);
    assert!(
        said.starts_with("policies.autoscaling: \"failing\" failed in on_container: panicked: not this one"),
        "{said}"
    );
}
