//! Pools of nodes that come and go (the timing model, section 16): dates worked out by hand.

use hearth_policy_api::{
    Autoscaling, AutoscalingRules, NodeList, NodePoolView, Policy, PolicyContext, PolicyDescriptor, PolicyError,
    PoolScale, parameters,
};
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::prelude::secs;
use hearth_serverless::scenario::Scenario;
use hearth_tests::{Text, merge};
use serde_json::{Value, json};

parameters! {
    /// What [`Scripted`] does.
    #[derive(Clone, Copy, Debug)]
    struct Script {
        /// at which tick node 0 goes
        remove_at: duration = 0;
        /// at which tick a node is booted
        boot_at: duration = 0;
    }
}

/// Has node 0 go and one node boot, each at a date, which is a whole second.
struct Scripted(Script);

impl Policy for Scripted {
    const NAME: &'static str = "scripted";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "nodes come and go by a script";
    type Parameters = Script;

    fn new(script: Script, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self(script))
    }
}

impl Autoscaling for Scripted {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: 1_000_000_000, scales_pools: true, ..AutoscalingRules::default() }
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        let Script { remove_at, boot_at } = self.0;
        let remove = if pool.now == remove_at { NodeList::one(0) } else { NodeList::EMPTY };
        PoolScale { boot: u32::from(pool.now == boot_at), remove }
    }
}

/// A head and three nodes of two cores, all in a pool, of which one is on at the begin; f runs for 2 s after a start of 1 s.
fn scenario(changes: &Value) -> Value {
    let mut scenario = json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [
                {"name": "head", "cores": 1, "speed": "1Gf", "ram": "1GB",
                 "disk": {"capacity": "10GB", "read_bandwidth": "1GBps", "write_bandwidth": "1GBps"}},
                {"name": "node", "count": 3, "cores": 2, "speed": "1Gf", "ram": "8GB", "power": {"idle": 100, "busy": 200},
                 "disk": {"capacity": "10GB", "read_bandwidth": "1GBps", "write_bandwidth": "1GBps"}}],
            "links": [{"name": "lan", "bandwidth": "1GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s",
                    "simulate_image_downloads": false,
                    "node_pools": [{"name": "workers", "nodes": ["node-*"], "initial": 1}]},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": "2s"}]}],
        "workload": {"invocations": []},
        "policies": {"cluster_autoscaling": {"use": "scripted"}},
    });
    merge(&mut scenario, changes);
    scenario
}

fn prepare(changes: &Value) -> Result<Experiment, String> {
    let mut policies = hearth_plugins::BUILT_IN.to_vec();
    policies.push(PolicyDescriptor::autoscaling::<Scripted>());
    let read = Scenario::from_json(&scenario(changes).to_string()).map_err(|error| error.to_string())?;
    Experiment::prepare(&read, &Catalog::new(&policies)).map_err(|error| error.to_string())
}

/// The results, and the rows of `nodes.csv`.
fn run(changes: &Value) -> (Results, Vec<String>) {
    let written = Text::default();
    let experiment = prepare(changes).unwrap().write_nodes(Box::new(written.clone())).unwrap();
    let results = experiment.run().unwrap();
    (results, written.written().lines().skip(1).map(str::to_owned).collect())
}

/// Invocations of f at dates in s.
fn at(dates: &[f64]) -> Value {
    json!(dates.iter().map(|date| json!({"at": date, "function": "f"})).collect::<Vec<_>>())
}

/// When each began, in s, and on which node.
fn begins(results: &Results) -> Vec<(f64, u32)> {
    let begin = |record: &hearth_serverless::invocation::InvocationRecord| {
        (record.started_at.unwrap().as_secs_f64(), record.node.unwrap())
    };
    results.records.iter().map(begin).collect()
}

fn scripted(remove_at: &str, boot_at: &str) -> Value {
    json!({"use": "scripted", "parameters": {"remove_at": remove_at, "boot_at": boot_at}})
}

#[test]
fn a_node_boots_for_who_waits_and_goes_when_it_is_unneeded() {
    let (results, rows) = run(&json!({
        "service": {"node_pools": {"0": {"initial": 0, "boot": {"constant": 30}, "price_per_hour": 3.6}}},
        "policies": {"cluster_autoscaling": {"use": "cluster-autoscaler"}},
        "workload": {"invocations": at(&[3.0, 700.0])},
    }));
    // Asked for at the tick at 10 s, up at 40 s, the container at 41 s. From the tick at 50 s on the node is unneeded, and goes at 650 s.
    assert_eq!(begins(&results), [(41.0, 0), (741.0, 0)]);
    assert_eq!(
        rows,
        ["node-0,0,10.000000000,40.000000000,650.000000000,650.000000000", "node-0,0,710.000000000,740.000000000,,"]
    );
    // From 3 s to 743 s it is on for 640 s and for 33 s.
    let (metrics, window) = (&results.metrics, results.metrics.window());
    let used = &metrics.node_pools[0];
    assert_eq!((used.booted, used.removed, used.node_seconds(window)), (2, 1, 673.0));
    assert!((used.cost(window) - 0.673).abs() < 1e-12);
    // Idle watts from the begin of the boot; a core for 3 s each.
    let energy = metrics.energy.unwrap();
    assert_eq!((energy.idle_joules, energy.busy_joules), (67_300.0, 2.0 * 3.0 * 50.0));
}

#[test]
fn the_time_series_shows_the_nodes_that_are_on() {
    let series = |pools: bool| {
        let changes = json!({
            "service": {"node_pools": {"0": {"initial": 0, "boot": {"constant": 30}}}},
            "policies": {"cluster_autoscaling": {"use": "cluster-autoscaler"}},
            "workload": {"invocations": at(&[3.0, 700.0])},
        });
        let without = json!({"service": {"node_pools": []}, "workload": {"invocations": at(&[3.0])}});
        let text = Text::default();
        let experiment = prepare(if pools { &changes } else { &without }).unwrap();
        let experiment = experiment.write_time_series(secs(100), 1000, Box::new(text.clone())).unwrap();
        experiment.run().unwrap();
        let rows: Vec<Vec<String>> =
            text.written().lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let position = rows[0].iter().position(|column| column == "nodes_on")?;
        Some(rows[1..=8].iter().map(|row| row[position].clone()).collect::<Vec<_>>().concat())
    };
    // The dates are those of the test above: from 10 s to 650 s, and from 710 s on.
    assert_eq!(series(true).unwrap(), "11111101");
    assert_eq!(series(false), None);
}

#[test]
fn so_many_nodes_boot_as_those_who_wait_fill() {
    let (results, _) = run(&json!({
        "service": {"node_pools": {"0": {"initial": 0, "boot": {"constant": 5}}}},
        "policies": {"cluster_autoscaling": {"use": "cluster-autoscaler"}},
        // Two cores each, and no more than three nodes.
        "workload": {"invocations": at(&[1.0, 1.0, 1.0])},
    }));
    assert_eq!(begins(&results), [(16.0, 0), (16.0, 0), (16.0, 1)]);
    assert_eq!(results.metrics.node_pools[0].booted, 2);
}

#[test]
fn a_node_that_drains_goes_on_with_what_it_has_and_takes_nobody() {
    let long = json!({"at": 0.5, "function": "f", "body": [{"sleep": "10s"}]});
    let run = |boot_at: &str| {
        run(&json!({
            "service": {"node_pools": {"0": {"boot": {"constant": 4}}}},
            "policies": {"cluster_autoscaling": scripted("5s", boot_at)},
            "workload": {"invocations": [long, {"at": 6, "function": "f"}]},
        }))
    };
    // It drains from 5 s on, until the body ends at 11.5 s. One that is booted after that is the first again.
    let (results, rows) = run("13s");
    assert_eq!(begins(&results), [(1.5, 0), (18.0, 0)]);
    assert_eq!(
        rows,
        ["node-0,0,0.000000000,0.000000000,5.000000000,11.500000000", "node-0,0,13.000000000,17.000000000,,"]
    );
    // While it drains it is taken back, at once.
    let (results, rows) = run("8s");
    assert_eq!(begins(&results), [(1.5, 0), (9.0, 0)]);
    assert_eq!(rows, ["node-0,0,0.000000000,0.000000000,,"]);
    assert_eq!(results.metrics.node_pools[0].booted, 0);
}

#[test]
fn a_node_that_boots_is_called_off_and_the_lowest_bound_holds() {
    let (results, rows) = run(&json!({
        "service": {"node_pools": {"0": {"initial": 0, "boot": {"constant": 10}}}},
        "policies": {"cluster_autoscaling": scripted("5s", "2s")},
        "workload": {"invocations": at(&[1.0])}, "horizon": "20s",
    }));
    assert_eq!(rows, ["node-0,0,2.000000000,,,5.000000000"]);
    assert_eq!(results.records[0].started_at, None);
    let failure = results.records[0].failure.as_deref().unwrap();
    let said = "waits in the queue: no node is up; 3 are off or boot, as policies.cluster_autoscaling, \"scripted\", has answered";
    assert_eq!(failure, said);
    let (_, rows) = run(&json!({
        "service": {"node_pools": {"0": {"min": 1}}},
        "policies": {"cluster_autoscaling": scripted("5s", "2h")},
        "workload": {"invocations": at(&[1.0, 10.0])},
    }));
    assert_eq!(rows, ["node-0,0,0.000000000,0.000000000,,"], "one has to be on");
}

#[test]
fn instances_move_off_a_node_that_drains() {
    let (results, rows) = run(&json!({
        "service": {"node_pools": {"0": {"initial": 2}}, "instances": {"concurrency": 2, "min_scale": 1}},
        "policies": {"cluster_autoscaling": scripted("5s", "2h")},
        "workload": {"invocations": at(&[4.5, 5.2, 8.0])},
    }));
    // The first is served to its end; the second waits for the instance that was begun in its place at 5 s.
    assert_eq!(begins(&results), [(4.5, 0), (6.0, 1), (8.0, 1)]);
    assert_eq!(rows[0], "node-0,0,0.000000000,0.000000000,5.000000000,6.500000000");
}

#[test]
fn images_are_there_again_where_the_disk_is_kept() {
    let copies = |content: &str| {
        let (results, _) = run(&json!({
            "images": [{"name": "image", "size": "1GB", "ram_footprint": 0}],
            "functions": {"0": {"image": "image"}},
            "service": {"node_pools": {"0": {"disk_content": content}}},
            "policies": {"cluster_autoscaling": scripted("10s", "20s"), "keep_alive": {"use": "no-keep-alive"}},
            "workload": {"invocations": at(&[0.0, 21.0])},
        }));
        assert_eq!(results.metrics.node_pools[0].removed, 1);
        (results.metrics.copies.count, begins(&results)[1].0.round())
    };
    assert_eq!((copies("kept"), copies("lost")), ((1, 22.0), (2, 23.0)));
}

#[test]
fn a_node_that_fails_while_it_is_off_or_boots_is_there_when_both_are_over() {
    let run = |from: f64, length: f64| {
        let (results, _) = run(&json!({
            "service": {"node_pools": {"0": {"initial": 0, "boot": {"constant": 10}}}},
            "policies": {"cluster_autoscaling": scripted("2h", "5s")},
            "faults": {"scripted": [{"at": from, "host": "node-0", "for": length}]},
            "workload": {"invocations": at(&[1.0])},
        }));
        begins(&results)[0]
    };
    assert_eq!(run(2.0, 1.0), (16.0, 0), "over before it is asked for");
    assert_eq!(run(2.0, 10.0), (16.0, 0), "over while it boots");
    assert_eq!(run(2.0, 20.0), (23.0, 0), "over after it has booted");
    assert_eq!(run(6.0, 20.0), (27.0, 0), "begun while it boots");
}

#[test]
fn a_pool_in_which_nothing_changes_changes_nothing() {
    let workload = json!({"generate": {
        "arrivals": {"poisson": {"rate": 2.0}}, "run_time": {"exponential": {"mean": 1.0}}, "duration_s": 100}});
    let common = json!({"functions": {"0": {"body": []}}, "workload": workload});
    let with = |pools: Value, policy: Value| {
        let mut changes = common.clone();
        changes["service"] = json!({"node_pools": pools});
        changes["policies"] = json!({"cluster_autoscaling": policy});
        run(&changes).0
    };
    let without = with(json!([]), Value::Null);
    let pool = json!([{"name": "workers", "nodes": ["node-*"], "min": 3, "boot": {"constant": 9}}]);
    let full = with(pool, json!({"use": "cluster-autoscaler"}));
    assert_eq!(without.records, full.records);
    assert_eq!(without.metrics.energy, full.metrics.energy);
    let (used, window) = (&full.metrics.node_pools[0], full.metrics.window());
    assert!((used.node_seconds(window) - 3.0 * window.length().as_secs_f64()).abs() < 1e-6);
}

#[test]
fn pools_that_make_no_sense_are_refused() {
    let said = |changes: &Value| prepare(changes).map(drop).unwrap_err();
    let pool = |pool: Value| json!({"service": {"node_pools": {"0": pool}}});
    let pools = |pools: Value| json!({"service": {"node_pools": pools}});
    let cases = [
        (
            pool(json!({"nodes": []})),
            "service.node_pools[0].nodes: there are none: name at least one node of the service",
        ),
        (pool(json!({"max": 0})), "service.node_pools[0].max: no nodes: expected at least 1, or nothing for all"),
        (pool(json!({"min": 4, "max": 3})), "service.node_pools[0].min: 4 nodes are more than max, which is 3"),
        (pool(json!({"min": 2})), "service.node_pools[0].initial: found 1 nodes: expected at least 2"),
        (pool(json!({"max": 2, "initial": 3})), "service.node_pools[0].initial: found 3 nodes: expected from 0 to 2"),
        (
            pool(json!({"price_per_hour": -1})),
            "service.node_pools[0].price_per_hour: found -1, expected a number from 0 to 1e9",
        ),
        (pool(json!({"boot": {"constant": -1}})), "service.node_pools[0].boot: "),
        (pool(json!({"nodes": ["worker-*"]})), "service.node_pools: "),
        (
            pool(json!({"nodes": ["head"]})),
            "service.node_pools: node pool \"workers\": \"head\" is no node of the service: name it in service.nodes",
        ),
        (
            pool(json!({"min": 4, "initial": 4})),
            "service.node_pools: node pool \"workers\": at least 4 nodes are to be on, and there are 3",
        ),
        (
            pools(json!([{"name": "a", "nodes": ["node-*"]}, {"name": "b", "nodes": ["node-1"]}])),
            "service.node_pools: node pool \"b\": node \"node-1\" is named twice: a node is in one pool, once",
        ),
        (
            pools(json!([{"name": "a", "nodes": ["node-0"]}, {"name": "a", "nodes": ["node-1"]}])),
            "service.node_pools[1].name: ",
        ),
        (
            json!({"policies": {"cluster_autoscaling": {"use": "kpa"}}}),
            "service: policies.cluster_autoscaling: \"kpa\" says how many instances functions have, not how many nodes pools have",
        ),
    ];
    for (changes, expected) in cases {
        let said = said(&changes);
        assert!(said.starts_with(expected), "{changes}: {said}");
    }
}
