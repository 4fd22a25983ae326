//! What may grow, and the scenarios in which it does. What is not named grows with it: a node has as much to do among many as
//! among few, a function is asked for as often.

use serde_json::{Value, json};

/// Something that grows.
pub(crate) struct Case {
    /// What grows.
    pub name: &'static str,
    /// The policy that differs between cases of one name; empty where none does.
    pub policy: &'static str,
    /// What costs are given a piece of.
    pub unit: &'static str,
    /// How much there is of it.
    pub sizes: [u64; 3],
    /// The scenario of a size and a policy.
    pub scenario: fn(u64, &str) -> Value,
}

impl Case {
    /// Its name, with the policy where there are cases for several.
    pub fn title(&self) -> String {
        if self.policy.is_empty() { self.name.to_owned() } else { format!("{}, {}", self.name, self.policy) }
    }
}

const fn case(
    name: &'static str,
    policy: &'static str,
    unit: &'static str,
    sizes: [u64; 3],
    scenario: fn(u64, &str) -> Value,
) -> Case {
    Case { name, policy, unit, sizes, scenario }
}

const QUEUE: [u64; 3] = [1_000, 3_000, 10_000];
const IDLE: [u64; 3] = [1_000, 3_000, 10_000];
const NODES: [u64; 3] = [300, 1_000, 3_000];

pub(crate) const CASES: &[Case] = &[
    case("requests", "first-fit", "request", [20_000, 60_000, 200_000], requests),
    case("requests", "least-loaded", "request", [20_000, 60_000, 200_000], requests),
    case("functions", "first-fit", "function", [2_000, 6_000, 20_000], functions),
    case("functions", "least-loaded", "function", [2_000, 6_000, 20_000], functions),
    case("functions, a process of arrivals each", "first-fit", "function", [2_000, 6_000, 20_000], processes),
    case("nodes", "first-fit", "node", NODES, nodes),
    case("nodes", "least-loaded", "node", NODES, nodes),
    case("nodes", "fcfs", "node", NODES, nodes),
    case("nodes", "random", "node", [100, 300, 1_000], nodes),
    case("nodes", "workload-balancing", "node", [100, 300, 1_000], nodes),
    case("queue", "first-fit", "request", QUEUE, queue),
    case("queue", "least-loaded", "request", QUEUE, queue),
    case("queue", "fcfs", "request", QUEUE, queue),
    case("queue", "random", "request", QUEUE, queue),
    case("queue", "workload-balancing", "request", QUEUE, queue),
    case("idle containers, all fit", "lru", "container", IDLE, idle_that_fit),
    case("idle containers, half fit", "lru", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "greedy-dual", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "random", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "freq", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "size", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "s3-fifo", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "ttl-first", "container", IDLE, idle_under_pressure),
    case("idle containers, half fit", "ram", "container", IDLE, idle_under_pressure),
    case("images", "", "image", [25, 100, 400], images),
    case("transfers from one disk", "", "request", [2_000, 6_000, 20_000], transfers),
    case("hosts that fail", "", "host", [2_500, 10_000, 40_000], failing_hosts),
    case("requests, overload with faults", "first-fit", "request", QUEUE, overload),
    case("requests, overload with faults", "least-loaded", "request", QUEUE, overload),
    case("runs of workflows", "", "run", [300, 1_000, 3_000], workflow_runs),
    case("tasks beside one another", "", "task", [300, 1_000, 3_000], wide_workflows),
    case("tasks after one another", "", "task", [300, 1_000, 3_000], long_workflows),
    case("admissions that delay", "", "request", [3_000, 10_000, 30_000], delays),
];

/// Nodes without disks, on which functions without images run.
fn scenario(nodes: u64, cores: u64, ram: &str, workload: Value) -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf"},
            {"name": "node", "count": nodes, "cores": cores, "speed": "1Gf", "ram": ram},
        ]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": 0.5},
        "workload": workload,
        "policies": {"node_allocation": {"use": "first-fit"}},
    })
}

fn with_allocation(mut scenario: Value, policy: &str) -> Value {
    scenario["policies"]["node_allocation"]["use"] = json!(policy);
    scenario
}

fn generated(functions: u64, zipf: f64, rate: u64, requests: u64) -> Value {
    json!({"generate": {
        "arrivals": {"poisson": {"rate": rate}}, "requests": requests,
        "functions": {"count": functions, "zipf": zipf, "ram": {"choice": [128e6, 256e6, 512e6, 1024e6]}},
        "run_time": {"lognormal": {"median": 0.6, "sigma": 0.5}},
    }})
}

fn requests(size: u64, policy: &str) -> Value {
    with_allocation(scenario(200, 100_000, "65536MB", generated(100, 1.0, 200, size)), policy)
}

fn functions(size: u64, policy: &str) -> Value {
    with_allocation(scenario(1_000, 100_000, "65536MB", generated(size, 1.0, size / 50, 10 * size)), policy)
}

fn processes(size: u64, policy: &str) -> Value {
    let mut scenario = functions(size, policy);
    scenario["workload"]["generate"]["per_function"] = json!(true);
    scenario
}

fn nodes(size: u64, policy: &str) -> Value {
    with_allocation(scenario(size, 2, "8GB", generated(100, 1.0, size, 20 * size)), policy)
}

fn named(functions: u64) -> Value {
    (0..functions).map(|number| json!({"name": format!("f{number}"), "ram_limit": "128MB"})).collect()
}

fn at_once(requests: u64, functions: u64) -> Value {
    let request = |number| json!({"at": 0, "function": format!("f{}", number % functions), "body": [{"sleep": 0.5}]});
    json!({"invocations": (0..requests).map(request).collect::<Value>()})
}

/// All at once, so that they wait.
fn queue(size: u64, policy: &str) -> Value {
    let mut scenario = with_allocation(scenario(16, 4, "64GB", at_once(size, 100)), policy);
    scenario["functions"] = named(100);
    scenario
}

/// One idle container for each of many functions, on a few nodes.
fn idle(size: u64, fitting: f64, eviction: &str) -> Value {
    let megabytes = (size as f64 * 480.0 / 8.0 * fitting) as u64;
    let workload = generated(size, 0.5, size / 50, 10 * size);
    let mut scenario = scenario(8, 100_000, &format!("{megabytes}MB"), workload);
    scenario["policies"]["keep_alive"] = json!({"use": "fixed", "parameters": {"timeout": "1000h"}});
    scenario["policies"]["eviction"] = json!({"containers": {"use": eviction}});
    with_allocation(scenario, "least-loaded")
}

fn idle_that_fit(size: u64, eviction: &str) -> Value {
    idle(size, 4.0, eviction)
}

fn idle_under_pressure(size: u64, eviction: &str) -> Value {
    idle(size, 0.5, eviction)
}

/// WRENCH's nodes of 16 cores with a link each, and a function for each image of 100 MB.
fn with_images(images: u64, rate: u64, requests: u64) -> Value {
    let disk = json!({"capacity": "2000GB", "read_bandwidth": "1000MBps", "write_bandwidth": "1000MBps"});
    let image = |number| json!({"name": format!("i{number}"), "size": "100MB", "ram_footprint": "50MB"});
    let function = |number| json!({"name": format!("f{number}"), "image": format!("i{number}"), "ram_limit": "128MB"});
    json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [
                {"name": "user", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "head", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "node", "count": 256, "cores": 16, "speed": "10Gf", "ram": "64GB", "disk": disk, "star": "rack"},
            ],
            "stars": [{"name": "rack", "bandwidth": "1000MBps", "latency": "2us"}],
            "links": [{"name": "wan", "bandwidth": "1000MBps", "latency": "20us"}],
            "routes": [
                {"from": "user", "to": "head", "links": ["wan"]},
                {"from": "head", "to": "rack", "links": []},
                {"from": "user", "to": "rack", "links": ["wan"]},
            ],
        },
        "service": {"head": "head", "registry": "user", "nodes": ["node-*"], "container_startup_overhead": 0.1},
        "images": (0..images).map(image).collect::<Value>(),
        "functions": (0..images).map(function).collect::<Value>(),
        "workload": {"generate": {
            "arrivals": {"poisson": {"rate": rate}}, "requests": requests,
            "run_time": {"lognormal": {"median": 0.6, "sigma": 0.5}},
        }},
        "policies": {"node_allocation": {"use": "least-loaded"}},
    })
}

fn images(size: u64, _: &str) -> Value {
    with_images(size, 30, 60 * size)
}

fn transfers(size: u64, _: &str) -> Value {
    with_images(100, 300, size)
}

/// Each fails once in 1 000 s, which is also how long the run lasts.
fn failing_hosts(size: u64, _: &str) -> Value {
    let mut scenario = scenario(size, 2, "8GB", generated(100, 1.0, size / 100, 10 * size));
    scenario["faults"] = drawn_faults(1_000);
    scenario
}

fn drawn_faults(between: u64) -> Value {
    json!({"drawn": [{
        "hosts": "node-*", "time_between_failures": {"exponential": {"mean": between}},
        "time_to_repair": {"exponential": {"mean": 20}},
    }]})
}

/// Twice as many as the nodes can serve.
fn overload(size: u64, policy: &str) -> Value {
    let mut scenario = with_allocation(scenario(32, 4, "8GB", generated(100, 1.0, 360, size)), policy);
    scenario["faults"] = drawn_faults(100);
    scenario["recovery"] = json!({"retry": {"max_attempts": 5}});
    scenario
}

/// Workflows of such tasks, one a second, on nodes that can serve them.
fn workflows(nodes: u64, runs: u64, tasks: Value) -> Value {
    let workload = json!({"generate": {
        "arrivals": {"poisson": {"rate": 1}}, "requests": runs, "workflows": ["w"],
    }});
    let mut scenario = scenario(nodes, 8, "64GB", workload);
    scenario["functions"] = json!([{"name": "f", "ram_limit": "128MB"}]);
    scenario["workflows"] = json!([{"name": "w", "tasks": tasks}]);
    with_allocation(scenario, "least-loaded")
}

fn task(name: &str, after: &[&str], copies: u64) -> Value {
    json!({"name": name, "function": "f", "after": after, "map": copies, "run_time": {"constant": 0.5}})
}

fn workflow_runs(size: u64, _: &str) -> Value {
    workflows(16, size, json!([task("split", &[], 1), task("work", &["split"], 8), task("join", &["work"], 1)]))
}

fn wide_workflows(size: u64, _: &str) -> Value {
    workflows(16, 10, json!([task("split", &[], 1), task("work", &["split"], size - 2), task("join", &["work"], 1)]))
}

fn long_workflows(size: u64, _: &str) -> Value {
    let name = |number: u64| format!("t{number}");
    let before = |number: u64| number.checked_sub(1).map(name);
    let tasks =
        (0..size).map(|number| task(&name(number), &before(number).as_deref().into_iter().collect::<Vec<_>>(), 1));
    workflows(16, 10, tasks.collect())
}

/// Ten times as many as get a token, all at once.
fn delays(size: u64, _: &str) -> Value {
    let mut scenario = scenario(100, 16, "64GB", at_once(size, 100));
    scenario["functions"] = named(100);
    scenario["policies"]["admission"] =
        json!({"use": "token-bucket", "parameters": {"rate": 100, "burst": 100, "excess": "delay"}});
    scenario
}
