//! Whole runs against the laws that a policy is to obey: formulas of queueing and caching, and caches played by hand.

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::{Outcome, Start};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

/// A node of so many cores and so much RAM, in GB; containers are kept until room is needed.
fn scenario(cores: u32, ram: u64) -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                               {"name": "node", "cores": cores, "speed": "1Gf", "ram": format!("{ram}GB")}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node"]},
        "policies": {"node_allocation": {"use": "first-fit"},
                     "keep_alive": {"use": "fixed", "parameters": {"timeout": "3650d"}}},
    })
}

/// Numbers without a pattern (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The mean of some runs, and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// The share of requests that find M/M/c/K full: with offered load `a`, from the weights of its states.
fn blocking(cores: u32, places: u32, load: f64) -> f64 {
    let mut weights = vec![1.0];
    for state in 1..=places {
        weights.push(weights[state as usize - 1] * load / f64::from(state.min(cores)));
    }
    weights[places as usize] / weights.iter().sum::<f64>()
}

/// The share rejected with six requests a second of one second each.
fn rejected(cores: u32, ram: u64, placement: &str, limit: u64) -> (f64, f64) {
    let mut scenario = scenario(cores, ram);
    scenario["functions"] = json!([{"name": "f", "ram_limit": "1GB"}]);
    scenario["workload"] = json!({"generate": {
        "arrivals": {"poisson": {"rate": 6}}, "requests": 8_000, "run_time": {"exponential": {"mean": 1}}}});
    scenario["policies"]["node_allocation"]["use"] = json!(placement);
    scenario["policies"]["admission"] = json!({"use": "queue-limit", "parameters": {"limit": limit}});
    let shares = (0..6).map(|seed| {
        scenario["seed"] = json!(seed);
        let results = run(&scenario);
        results.metrics.outcome(Outcome::Rejected) as f64 / results.metrics.invocations() as f64
    });
    mean(&shares.collect::<Vec<f64>>())
}

#[test]
fn a_queue_limit_rejects_what_the_formula_of_its_queue_says() {
    assert!((blocking(8, 8, 6.0) - 0.1219).abs() < 5e-5, "Erlang B as in its tables");
    // The places are those of cores, or of RAM; `fcfs` looks at the whole queue, the others at each request alone.
    for (cores, ram, placement, limit) in
        [(8, 64, "first-fit", 0), (8, 64, "fcfs", 0), (64, 8, "least-loaded", 0), (8, 64, "first-fit", 3)]
    {
        let expected = blocking(8, 8 + limit, 6.0);
        let (share, error) = rejected(cores, ram, placement, u64::from(limit));
        let what = format!("{cores} cores, {ram} GB, {placement}, limit {limit}: {share} ± {error}, not {expected}");
        assert!(error < 0.05 * expected && (share - expected).abs() < 4.0 * error, "{what}");
    }
}

/// A container in the cache that is played by hand.
struct Kept {
    function: usize,
    /// When it is free again, in ns.
    free_at: u64,
}

/// A request: date and run time in ns, and the function.
type Request = (u64, u64, usize);

/// The starts of containers in a cache that evicts what was made first, of functions of so many GB; a container starts in
/// a second.
fn first_in_first_out(requests: &[Request], sizes: &[u64], capacity: u64) -> u64 {
    let mut kept: Vec<Kept> = Vec::new();
    let mut starts = 0;
    for &(at, run_time, function) in requests {
        let idle = |container: &Kept| container.free_at < at;
        // Which one of its function it takes is that which was used last.
        let warm = kept.iter_mut().filter(|container| container.function == function && idle(container));
        if let Some(container) = warm.max_by_key(|container| container.free_at) {
            container.free_at = at + run_time;
            continue;
        }
        let mut held: u64 = kept.iter().map(|container| sizes[container.function]).sum();
        while held + sizes[function] > capacity {
            let oldest = kept.iter().position(idle).expect("there is room for all that run");
            held -= sizes[kept.remove(oldest).function];
        }
        starts += 1;
        kept.push(Kept { function, free_at: at + 1_000_000_000 + run_time });
    }
    starts
}

/// What the simulation makes of the same.
fn cold_starts(requests: &[Request], sizes: &[u64], capacity: u64, eviction: &str) -> u64 {
    let mut scenario = scenario(1000, capacity);
    let function =
        |(number, size): (usize, &u64)| json!({"name": format!("f{number}"), "ram_limit": format!("{size}GB")});
    scenario["functions"] = sizes.iter().enumerate().map(function).collect();
    scenario["service"]["container_startup_overhead"] = json!("1s");
    scenario["policies"]["eviction"] = json!({"containers": {"use": eviction}});
    let invocation = |(at, run_time, function): &Request| json!({"at": format!("{at}ns"), "function": format!("f{function}"), "body": [{"sleep": format!("{run_time}ns")}]});
    scenario["workload"] = json!({"invocations": requests.iter().map(invocation).collect::<Vec<_>>()});
    let results = run(&scenario);
    assert_eq!(results.metrics.outcome(Outcome::Completed), requests.len() as u64);
    results.records.iter().filter(|record| record.start == Some(Start::Cold)).count() as u64
}

/// So many requests of functions in proportion to weights, with these means of the gap and the run time, in s.
fn requests(count: usize, weights: &[f64], gap: f64, run_time: f64) -> Vec<Request> {
    let (mut numbers, mut at) = (Numbers(7), 0);
    let drawn = (0..count).map(|_| {
        let exponential = |mean: f64, share: f64| (-mean * 1e9 * (1.0 - share).ln()) as u64 + 1;
        at += exponential(gap, numbers.share());
        let mut point = numbers.share() * weights.iter().sum::<f64>();
        let function = weights.iter().position(|weight| {
            point -= weight;
            point < 0.0
        });
        (at, exponential(run_time, numbers.share()), function.unwrap_or(0))
    });
    drawn.collect()
}

#[test]
fn fifo_evicts_containers_in_the_order_of_their_creation() {
    // Several containers of a function at a time, of different sizes; up to some fifteen run at once.
    let weights: Vec<f64> = (1..=30).map(|rank| 1.0 / f64::from(rank)).collect();
    let sizes: Vec<u64> = (0..30).map(|function| 1 + function % 4).collect();
    let requests = requests(4000, &weights, 0.25, 2.0);
    let starts = first_in_first_out(&requests, &sizes, 80);
    assert!((400..2000).contains(&starts), "{starts} of 4000: neither all nor none start cold");
    assert_eq!(cold_starts(&requests, &sizes, 80, "fifo"), starts);
    assert_ne!(cold_starts(&requests, &sizes, 80, "lru"), starts);
}

#[test]
fn fifo_and_random_miss_as_often_as_gelenbe_says_and_lru_less() {
    // Requests one after the other, three places for five functions. Gelenbe, "A unified approach to the evaluation of a
    // class of replacement algorithms", IEEE Transactions on Computers 1973: under FIFO and random replacement the cache
    // holds a set with a probability in proportion to the product of its items' popularities. King 1971: under LRU it
    // holds the last three with p(a) p(b) / (1 - p(a)) p(c) / (1 - p(a) - p(b)).
    let popularity = [0.4, 0.3, 0.15, 0.1, 0.05];
    let (mut weight, mut weighted_misses, mut of_lru) = (0.0, 0.0, 0.0);
    for (a, first) in popularity.iter().enumerate() {
        for (b, second) in popularity.iter().enumerate().filter(|(b, _)| *b != a) {
            for (_, third) in popularity.iter().enumerate().filter(|(c, _)| *c != a && *c != b) {
                let miss = 1.0 - first - second - third;
                weight += first * second * third;
                weighted_misses += first * second * third * miss;
                of_lru += first * second / (1.0 - first) * third / (1.0 - first - second) * miss;
            }
        }
    }
    let requests = requests(40_000, &popularity, 1.0, 0.001);
    let spaced: Vec<Request> =
        requests.iter().zip(0..).map(|(it, number)| (it.0 + number * 2_000_000_000, it.1, it.2)).collect();
    for (eviction, expected) in
        [("fifo", weighted_misses / weight), ("random", weighted_misses / weight), ("lru", of_lru)]
    {
        let misses = cold_starts(&spaced, &[1; 5], 3, eviction) as f64 / 40_000.0;
        let error = (expected * (1.0 - expected) / 40_000.0).sqrt();
        assert!((misses - expected).abs() < 4.0 * error, "{eviction}: {misses}, not {expected} ± {error}");
    }
}
