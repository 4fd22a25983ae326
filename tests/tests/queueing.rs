//! What queueing theory says of stations with Poisson arrivals, within three standard errors of seeded simulations.
//!
//! Standard errors are those of batch means: the requests after the first tenth, in thirty batches in the order of coming.

use hearth_serverless::policy::PolicyChoice;
use hearth_serverless::prelude::*;

/// Seeded random numbers (SplitMix64), so that the tests draw as they will in any version of any library.
struct Random(u64);

impl Random {
    /// From 0 to 1, neither of them.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON / 4.0
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.uniform().ln()
    }
}

/// How long a request takes that is alone: always a mean of 1 s.
#[derive(Clone, Copy)]
enum Service {
    Exponential,
    Constant,
    /// Of two exponential ones, a short one often and a long one rarely: four times the variance, and more.
    Hyperexponential,
}

impl Service {
    const SHORT: (f64, f64) = (0.9, 0.5);
    const LONG: (f64, f64) = (0.1, 5.5);

    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Exponential => random.exponential(1.0),
            Self::Constant => 1.0,
            Self::Hyperexponential => {
                let (_, mean) = if random.uniform() < Self::SHORT.0 { Self::SHORT } else { Self::LONG };
                random.exponential(mean)
            }
        }
    }

    fn second_moment(self) -> f64 {
        match self {
            Self::Exponential => 2.0,
            Self::Constant => 1.0,
            Self::Hyperexponential => {
                [Self::SHORT, Self::LONG].into_iter().map(|(share, mean)| share * 2.0 * mean * mean).sum()
            }
        }
    }
}

/// A station: a node with so many cores, to which requests come at a rate.
#[derive(Clone, Copy)]
struct Station {
    cores: u32,
    rate: f64,
    service: Service,
    sharing: ProcessorSharing,
    /// Whoever would have to wait is rejected.
    rejects: bool,
}

/// A request: when it came, began and ended, how long it takes alone, and whether it was let in.
#[derive(Clone, Copy)]
struct Request {
    at: f64,
    started: f64,
    finished: f64,
    alone: f64,
    is_let_in: bool,
}

/// What came of so many requests, and RAM over time of those that ran, of a byte each: how many ran, summed over time.
struct Seen {
    requests: Vec<Request>,
    running_seconds: f64,
}

const SPEED: f64 = 1e9;

impl Station {
    fn loaded(cores: u32, load: f64, service: Service) -> Self {
        let rate = load * f64::from(cores);
        Self { cores, rate, service, sharing: ProcessorSharing::Dedicated, rejects: false }
    }

    fn shared(self) -> Self {
        Self { sharing: ProcessorSharing::Shared, ..self }
    }

    fn load(&self) -> f64 {
        self.rate / f64::from(self.cores)
    }

    fn run(&self, count: usize, seed: u64) -> Seen {
        let node = HostSpec::new(self.cores, SPEED).ram(GB);
        let platform = PlatformBuilder::new().host("node", node).build().unwrap();
        let mut simulation = Simulation::new(platform, seed);
        let catalog = Catalog::new(hearth_plugins::BUILT_IN);
        let mut policies = PolicySet::defaults(&catalog).unwrap();
        if self.rejects {
            let parameters = [("limit".to_owned(), 0.into())].into_iter().collect();
            let name = Some("queue-limit".to_owned());
            policies.admission = catalog.admission(PolicyChoice { name, library: None, parameters }).unwrap();
        }
        let service = ServerlessComputeService::builder("node").nodes(&["node"]).policies(policies);
        let service = service.processors(self.sharing).keep_records(true).start(&mut simulation).unwrap();
        let limits = Limits { ram: 1, ..Limits::default() };
        let body = Body::steps([]);
        let function = Function { name: "f".to_owned(), image: None, limits, startup_overhead: None, body };
        let callee: Callee = service.register(&mut simulation, function).unwrap().into();
        let (mut gaps, mut lengths) = (Random(seed), Random(!seed));
        let mut at = 0.0;
        let mut alone = Vec::new();
        let planned = (0..count).map(|_| {
            at += gaps.exponential(1.0 / self.rate);
            alone.push(self.service.draw(&mut lengths));
            let body = Some(Body::steps([Step::Compute(alone[alone.len() - 1] * SPEED)]));
            PlannedInvocation {
                at: Some(SimTime::from_secs_f64(at)),
                after: vec![],
                delay: SimDuration::ZERO,
                callee,
                body,
            }
        });
        let planned: Vec<PlannedInvocation> = planned.collect();
        service.set_workload(&mut simulation, planned).unwrap();
        simulation.run().unwrap();
        let (metrics, records) = service.close(&mut simulation);
        let request = |record: &hearth_serverless::invocation::InvocationRecord| {
            let seconds = |date: Option<SimTime>| date.map_or(0.0, |date| date.as_nanos() as f64 / 1e9);
            Request {
                at: seconds(record.requested_at),
                started: seconds(record.started_at),
                finished: seconds(record.finished_at),
                alone: alone[record.invocation as usize],
                is_let_in: record.outcome == Outcome::Completed,
            }
        };
        let mut requests: Vec<Request> = records.iter().map(request).collect();
        requests.sort_by(|one, other| one.at.total_cmp(&other.at));
        Seen { requests, running_seconds: metrics.busy_byte_seconds() }
    }
}

/// A mean and its standard error, of values in the order of coming: the first tenth does not count.
fn of_batches(values: &[f64]) -> (f64, f64) {
    const BATCHES: usize = 30;
    let values = &values[values.len() / 10..];
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let size = values.len() / BATCHES;
    let means: Vec<f64> = values.chunks_exact(size).take(BATCHES).map(mean).collect();
    let all = mean(&means);
    let variance = means.iter().map(|mean| (mean - all).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
    (all, (variance / BATCHES as f64).sqrt())
}

/// What is seen agrees with theory within three standard errors, which are small enough for that to say something.
fn assert_agrees(what: &str, values: &[f64], theory: f64) {
    let (mean, error) = of_batches(values);
    assert!(error < 0.07 * theory, "{what}: {mean} ± {error} says nothing about {theory}");
    assert!((mean - theory).abs() < 3.0 * error, "{what}: {mean} ± {error}, theory {theory}");
}

fn values(seen: &Seen, of: impl Fn(&Request) -> f64) -> Vec<f64> {
    seen.requests.iter().map(of).collect()
}

fn time_in_system(request: &Request) -> f64 {
    request.finished - request.at
}

/// Little's law: how many are in the station, seen at dates that have nothing to do with it, is rate times time there. What the
/// service sums up over time of those that run is the sum of their times in containers.
fn assert_little(what: &str, station: &Station, seen: &Seen) {
    let let_in: Vec<Request> = seen.requests.iter().filter(|request| request.is_let_in).copied().collect();
    let in_containers: f64 = let_in.iter().map(|request| request.finished - request.started).sum();
    let relative = (seen.running_seconds / in_containers - 1.0).abs();
    assert!(relative < 1e-6, "{what}: {} running over time, {in_containers} in containers", seen.running_seconds);
    // At so many dates, each a quarter of a second after the other.
    let last = let_in.last().unwrap().at;
    let mut ends: Vec<f64> = let_in.iter().map(|request| request.finished).collect();
    ends.sort_by(f64::total_cmp);
    let (mut came, mut went) = (0, 0);
    let numbers: Vec<f64> = (0..(4.0 * last) as usize)
        .map(|tick| {
            let date = tick as f64 / 4.0;
            while came < let_in.len() && let_in[came].at <= date {
                came += 1;
            }
            while went < ends.len() && ends[went] <= date {
                went += 1;
            }
            (came - went) as f64
        })
        .collect();
    let (time, _) = of_batches(&let_in.iter().map(time_in_system).collect::<Vec<f64>>());
    let share = let_in.len() as f64 / seen.requests.len() as f64;
    let (number, error) = of_batches(&numbers);
    let expected = station.rate * share * time;
    assert!(
        (number - expected).abs() < 3.0 * error,
        "{what}: {number} ± {error} are there, {expected} by Little's law"
    );
}

fn erlang_b(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |lost, server| offered * lost / (f64::from(server) + offered * lost))
}

fn erlang_c(servers: u32, offered: f64) -> f64 {
    let lost = erlang_b(servers, offered);
    let load = offered / f64::from(servers);
    lost / (1.0 - load * (1.0 - lost))
}

/// M/M/c/c and M/G/c/c: Erlang's loss formula, whatever the service times.
#[test]
fn who_finds_no_core_is_lost_as_erlang_b_says() {
    for service in [Service::Exponential, Service::Hyperexponential] {
        let station = Station { rejects: true, ..Station::loaded(5, 0.8, service) };
        let seen = station.run(20_000, 1);
        let lost = values(&seen, |request| f64::from(u8::from(!request.is_let_in)));
        assert_agrees("Erlang B", &lost, erlang_b(5, 4.0));
        assert_little("Erlang B", &station, &seen);
    }
}

/// M/M/c: who waits, and how long.
#[test]
fn who_finds_no_core_waits_as_erlang_c_says() {
    let station = Station::loaded(4, 0.6, Service::Exponential);
    let seen = station.run(30_000, 2);
    let waits = erlang_c(4, 2.4);
    let waited = values(&seen, |request| f64::from(u8::from(request.started > request.at)));
    assert_agrees("Erlang C", &waited, waits);
    let wait = values(&seen, |request| request.started - request.at);
    assert_agrees("M/M/c", &wait, waits / (4.0 - 2.4));
    assert_little("M/M/c", &station, &seen);
}

/// M/D/1, M/M/1 and M/G/1, first come, first served: Pollaczek and Khinchine.
#[test]
fn one_core_in_turn_is_as_pollaczek_and_khinchine_say() {
    for (what, service) in
        [("M/D/1", Service::Constant), ("M/M/1", Service::Exponential), ("M/G/1", Service::Hyperexponential)]
    {
        let station = Station::loaded(1, 0.5, service);
        let seen = station.run(30_000, 3);
        let wait = values(&seen, |request| request.started - request.at);
        let theory = station.rate * service.second_moment() / (2.0 * (1.0 - station.load()));
        assert_agrees(what, &wait, theory);
        assert_little(what, &station, &seen);
    }
}

/// M/M/1, M/D/1 and M/G/1 with processor sharing: E\[T\] = E\[S\] / (1 - load) whatever the service times, and in proportion to
/// what each takes by itself.
#[test]
fn a_core_that_is_shared_is_insensitive() {
    for (what, service) in
        [("M/M/1-PS", Service::Exponential), ("M/D/1-PS", Service::Constant), ("M/G/1-PS", Service::Hyperexponential)]
    {
        let station = Station::loaded(1, 0.6, service).shared();
        let seen = station.run(20_000, 4);
        assert!(seen.requests.iter().all(|request| request.started == request.at), "{what}: nobody needs a core");
        assert_agrees(what, &values(&seen, time_in_system), 1.0 / (1.0 - station.load()));
        let alike = |request: &Request| time_in_system(request) / request.alone;
        assert_agrees(what, &values(&seen, alike), 1.0 / (1.0 - station.load()));
        assert_little(what, &station, &seen);
    }
}

/// Several cores of which nobody can use more than one: as many are there as in M/M/c, of which each rate is the same.
#[test]
fn cores_that_are_shared_by_bodies_of_one_thread_are_as_many_as_erlang_c_says() {
    let station = Station::loaded(4, 0.75, Service::Exponential).shared();
    let seen = station.run(20_000, 5);
    assert_agrees("M/M/c-PS", &values(&seen, time_in_system), 1.0 + erlang_c(4, 3.0) / (4.0 - 3.0));
    assert_little("M/M/c-PS", &station, &seen);
}

/// The hit ratio of each of these under LRU with room for so many: Che's approximation (Che, Tung and Wang, IEEE JSAC 2002).
fn che(rates: &[f64], room: f64) -> Vec<f64> {
    let held = |time: f64| rates.iter().map(|rate| -(-rate * time).exp_m1()).sum::<f64>();
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        (low, high) = if held(middle) < room { (middle, high) } else { (low, middle) };
    }
    rates.iter().map(|rate| -(-rate * low).exp_m1()).collect()
}

/// Idle containers on a node with room for forty, of two hundred functions with popularity by Zipf's law: a start is warm as a
/// list in the order of the last use says, request for request, and as often as Che's approximation says.
#[test]
fn idle_containers_under_lru_are_found_as_che_says() {
    const FUNCTIONS: usize = 200;
    const ROOM: usize = 40;
    let weights: Vec<f64> = (1..=FUNCTIONS).map(|rank| (rank as f64).powf(-0.8)).collect();
    let sum: f64 = weights.iter().sum();
    let shares: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    let platform = PlatformBuilder::new().host("node", HostSpec::new(64, SPEED).ram(ROOM as u64 * GB)).build().unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let mut policies = PolicySet::defaults(&catalog).unwrap();
    let parameters = [("timeout".to_owned(), "365d".into())].into_iter().collect();
    let name = Some("fixed".to_owned());
    policies.keep_alive = catalog.keep_alive(PolicyChoice { name, library: None, parameters }).unwrap();
    let service = ServerlessComputeService::builder("node").nodes(&["node"]).policies(policies);
    let service = service.keep_records(true).start(&mut simulation).unwrap();
    let function = |number: usize| Function {
        name: format!("f{number}"),
        image: None,
        limits: Limits { ram: GB, ..Limits::default() },
        startup_overhead: None,
        body: Body::steps([Step::Sleep(SimDuration::from_nanos(1000))]),
    };
    let callees: Vec<Callee> =
        (0..FUNCTIONS).map(|number| service.register(&mut simulation, function(number)).unwrap().into()).collect();
    let (mut random, mut at) = (Random(6), 0.0);
    let mut asked = Vec::new();
    let mut last_used: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for _ in 0..30_000 {
        at += random.exponential(1.0);
        let mut drawn = random.uniform();
        let number = shares.iter().position(|share| {
            drawn -= share;
            drawn < 0.0
        });
        let number = number.unwrap_or(FUNCTIONS - 1);
        let position = last_used.iter().position(|other| *other == number);
        found.push(position.is_some());
        match position {
            Some(position) => drop(last_used.remove(position)),
            None if last_used.len() == ROOM => drop(last_used.pop()),
            None => {}
        }
        last_used.insert(0, number);
        let (callee, date) = (callees[number], Some(SimTime::from_secs_f64(at)));
        asked.push(PlannedInvocation { at: date, after: vec![], delay: SimDuration::ZERO, callee, body: None });
    }
    service.set_workload(&mut simulation, asked).unwrap();
    simulation.run().unwrap();
    let (_, mut records) = service.close(&mut simulation);
    records.sort_by_key(|record| record.invocation);
    let is_warm: Vec<bool> =
        records.iter().map(|record| record.start == Some(hearth_serverless::invocation::Start::Warm)).collect();
    assert_eq!(is_warm, found, "start for start as in the list");
    let expected: f64 = che(&shares, ROOM as f64).iter().zip(&shares).map(|(ratio, share)| ratio * share).sum();
    let warm: Vec<f64> = is_warm.iter().map(|warm| f64::from(u8::from(*warm))).collect();
    assert_agrees("LRU", &warm, expected);
}
