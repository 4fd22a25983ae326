//! Shares against an exact processor-sharing queue that goes from event to event, and what a start and an end cost.

use proptest::prelude::*;

use crate::kernel::ActivityId;
use crate::prelude::*;

const HOSTS: usize = 2;
const SHARES: usize = 5;
const CORES: [u32; HOSTS] = [1, 3];
const SPEED: f64 = 1e9;

/// What is done at a date.
#[derive(Clone, Copy, Debug)]
enum Action {
    Start { share: usize, flops: f64 },
    Stop(usize),
    Resize { share: usize, limit: f64, threads: f64 },
    Slow { host: usize, slowness: f64 },
    Remove(usize),
}

/// What a share is: its host, limit, threads and weight.
type Described = (usize, f64, f64, f64);

#[derive(Clone, Copy, Debug)]
enum Happened {
    Action(usize),
    Ended(usize),
}

/// Plays actions on shares, and notes when computations end.
#[derive(Default)]
struct Player {
    actions: Vec<Action>,
    shares: Vec<Option<ShareId>>,
    hosts: Vec<crate::platform::HostId>,
    activities: Vec<Option<ActivityId>>,
    ends: Vec<Option<SimTime>>,
    last: SimTime,
}

impl Model for Player {
    type Event = Happened;
    type Error = std::convert::Infallible;

    fn handle(&mut self, event: Happened, kernel: &mut Kernel<Happened>) -> Result<(), Self::Error> {
        // Rates are worked out before time moves on, so not between events of one date.
        if kernel.now() > self.last {
            for (host, cores) in self.hosts.iter().zip(CORES) {
                let used = kernel.cores_in_use(*host);
                assert!(used <= f64::from(cores) * (1.0 + 1e-9), "{used} of {cores} cores");
            }
        }
        self.last = kernel.now();
        match event {
            Happened::Ended(number) => self.ends[number] = Some(kernel.now()),
            Happened::Action(number) => match self.actions[number] {
                Action::Start { share, flops } => {
                    let number = self.activities.len();
                    let started =
                        self.shares[share].and_then(|share| kernel.compute(share, flops, Happened::Ended(number)));
                    self.activities.push(started);
                    self.ends.push(None);
                }
                Action::Stop(number) => {
                    if let Some(activity) = self.activities.get(number).copied().flatten() {
                        kernel.cancel_activity(activity);
                    }
                }
                Action::Resize { share, limit, threads } => {
                    if let Some(share) = self.shares[share] {
                        kernel.resize_share(share, limit, threads);
                    }
                }
                Action::Slow { host, slowness } => kernel.set_slowness(self.hosts[host], slowness),
                Action::Remove(share) => {
                    if let Some(share) = self.shares[share].take() {
                        kernel.remove_share(share);
                    }
                }
            },
        }
        Ok(())
    }
}

/// The dates at which computations end, in ns, and what each share has used, in core-seconds.
fn played(shares: &[Described], actions: &[(u64, Action)]) -> (Vec<Option<f64>>, Vec<f64>) {
    let builder = PlatformBuilder::new().host("h0", HostSpec::new(CORES[0], SPEED));
    let platform = builder.host("h1", HostSpec::new(CORES[1], SPEED)).build().unwrap();
    let mut simulation = Simulation::<Player>::new(platform, 0);
    simulation.with_model_mut(|player, kernel| {
        player.hosts = ["h0", "h1"].map(|name| kernel.platform().host_by_name(name).unwrap()).to_vec();
        let share = |&(host, limit, threads, weight): &Described| {
            Some(kernel.add_share(ShareSpec { host: player.hosts[host], limit, threads, weight }))
        };
        player.shares = shares.iter().map(share).collect();
        player.actions = actions.iter().map(|(_, action)| *action).collect();
        for (number, (at, _)) in actions.iter().enumerate() {
            kernel.schedule_at(SimTime::from_nanos(*at), Happened::Action(number));
        }
    });
    simulation.run().unwrap();
    simulation.with_model_mut(|player, kernel| {
        let used = player.shares.iter().map(|share| share.map_or(0.0, |share| kernel.processor_seconds(share)));
        assert!(kernel.is_at_rest());
        (player.ends.iter().map(|end| end.map(|end| end.as_nanos() as f64)).collect(), used.collect())
    })
}

/// What is left of a computation in the exact queue.
struct Computation {
    number: usize,
    left: f64,
    /// By how many operations that may be off where dates are whole nanoseconds: what is computed in the time by which the dates are
    /// off at which its rate changes, and in a nanosecond of each rate.
    within: f64,
}

/// A share in the exact queue.
struct Queue {
    described: Described,
    left: Vec<Computation>,
    used: f64,
    is_there: bool,
}

/// How many cores each share gets: as much as its limit and threads let it, or in proportion to its weight where that is less.
fn cores_of(queues: &[Queue], host: usize) -> Vec<f64> {
    let bound = |queue: &Queue| {
        let (on, limit, threads, _) = queue.described;
        if on == host { limit.min(threads * queue.left.len() as f64) } else { 0.0 }
    };
    let mut got = vec![0.0; queues.len()];
    let mut open: Vec<usize> = (0..queues.len()).filter(|number| bound(&queues[*number]) > 0.0).collect();
    let mut left = f64::from(CORES[host]);
    loop {
        let weights: f64 = open.iter().map(|number| queues[*number].described.3).sum();
        let part = |number: usize| left * queues[number].described.3 / weights;
        let (held, others): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|number| bound(&queues[**number]) <= part(**number));
        if held.is_empty() {
            open.iter().for_each(|number| got[*number] = part(*number));
            return got;
        }
        for number in &held {
            got[*number] = bound(&queues[*number]);
        }
        left -= held.iter().map(|number| got[*number]).sum::<f64>();
        open = others;
    }
}

/// The date of an end in ns, and by how many ns it may be off where dates are whole ones.
type End = (f64, f64);

/// The same as [`played`], from event to event, with nothing kept between them but what is left.
fn reckoned(shares: &[Described], actions: &[(u64, Action)]) -> (Vec<Option<End>>, Vec<f64>) {
    let queue = |described: &Described| Queue { described: *described, left: Vec::new(), used: 0.0, is_there: true };
    let mut queues: Vec<Queue> = shares.iter().map(queue).collect();
    let (mut now, mut slowness, mut ends) = (0.0_f64, [1.0; HOSTS], Vec::new());
    let mut actions: std::collections::VecDeque<(u64, Action)> = actions.iter().copied().collect();
    // By how much the last date may be off, at which rates may have changed, and what they were, by computation.
    let (mut off, mut before) = (0.0_f64, std::collections::BTreeMap::<usize, f64>::new());
    loop {
        let cores: Vec<Vec<f64>> = (0..HOSTS).map(|host| cores_of(&queues, host)).collect();
        // In operations a nanosecond, of each computation of a share.
        let rates: Vec<f64> = (0..queues.len())
            .map(|number| {
                let host = queues[number].described.0;
                cores[host][number] * SPEED / 1e9 / slowness[host] / queues[number].left.len().max(1) as f64
            })
            .collect();
        for (queue, rate) in queues.iter_mut().zip(&rates) {
            for computation in &mut queue.left {
                let old = before.insert(computation.number, *rate).unwrap_or(*rate);
                // What a flow that is halted has done is known to the nanosecond.
                computation.within += off * (rate - old).abs() + old;
            }
        }
        let of_queue = |number: usize| queues[number].left.iter().map(move |computation| (number, computation));
        let all = (0..queues.len()).flat_map(of_queue);
        let next = all
            .map(|(number, it)| (now + it.left / rates[number], number, it.number, it.within / rates[number]))
            .min_by(|one, other| one.0.total_cmp(&other.0));
        let (date, ended) = match (next, actions.front()) {
            (None, None) => return (ends, queues.iter().map(|queue| queue.used).collect()),
            (Some((end, number, of, within)), Some((at, _))) if end <= *at as f64 + 0.5 => {
                (end, Some((number, of, within)))
            }
            (_, Some((at, _))) => (*at as f64, None),
            (Some((end, number, of, within)), None) => (end, Some((number, of, within))),
        };
        for (number, queue) in queues.iter_mut().enumerate() {
            if !queue.left.is_empty() {
                queue.used += cores[queue.described.0][number] * (date - now) / 1e9;
                queue.left.iter_mut().for_each(|computation| computation.left -= rates[number] * (date - now));
            }
        }
        now = date;
        off = 0.0;
        if let Some((number, of, within)) = ended {
            queues[number].left.retain(|computation| computation.number != of);
            // It ends at a whole nanosecond, and numbers have sixteen digits.
            off = within + 1.0 + now * 1e-13;
            ends[of] = Some((now, off));
            continue;
        }
        match actions.pop_front().unwrap().1 {
            Action::Start { share, flops } => {
                if queues[share].is_there {
                    queues[share].left.push(Computation { number: ends.len(), left: flops, within: 0.0 });
                }
                ends.push(None);
            }
            Action::Stop(number) => queues.iter_mut().for_each(|queue| queue.left.retain(|it| it.number != number)),
            Action::Resize { share, limit, threads } => {
                (queues[share].described.1, queues[share].described.2) = (limit, threads);
            }
            Action::Slow { host, slowness: factor } => slowness[host] = factor,
            Action::Remove(share) => (queues[share].left, queues[share].is_there) = (Vec::new(), false),
        }
    }
}

fn limit() -> impl Strategy<Value = f64> {
    prop_oneof![2 => Just(1.0), 1 => Just(f64::INFINITY), 3 => 0.05..2.0_f64]
}

fn threads() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(1.0), 1 => Just(2.0)]
}

fn described() -> impl Strategy<Value = Described> {
    let weight = prop_oneof![2 => Just(1.0), 1 => Just(2.0), 2 => 0.1..10.0_f64];
    (0..HOSTS, limit(), threads(), weight)
}

fn action() -> impl Strategy<Value = (u64, Action)> {
    let flops = prop_oneof![1 => Just(1e9), 1 => Just(0.0), 6 => 1e6..3e9_f64];
    let slowness = prop::sample::select(vec![1.0, 2.0, 3.5]);
    let action = prop_oneof![
        12 => (0..SHARES, flops).prop_map(|(share, flops)| Action::Start { share, flops }),
        2 => (0..20_usize).prop_map(Action::Stop),
        1 => (0..SHARES, limit(), threads()).prop_map(|(share, limit, threads)| Action::Resize { share, limit, threads }),
        1 => (0..HOSTS, slowness).prop_map(|(host, slowness)| Action::Slow { host, slowness }),
        1 => (0..SHARES).prop_map(Action::Remove),
    ];
    let at = prop_oneof![1 => (0..8_u64).prop_map(|seconds| seconds * 500_000_000), 3 => 0..8_000_000_000_u64];
    (at, action)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Dates agree to a few nanoseconds: each end is rounded to one, which moves those after it.
    #[test]
    fn shares_are_an_exact_processor_sharing_queue(
        shares in prop::collection::vec(described(), SHARES),
        actions in prop::collection::vec(action(), 1..40),
    ) {
        let mut actions = actions;
        actions.sort_by_key(|(at, _)| *at);
        let ((ends, used), (expected, expected_used)) = (played(&shares, &actions), reckoned(&shares, &actions));
        prop_assert_eq!(ends.len(), expected.len());
        for (number, (end, expected)) in ends.iter().zip(&expected).enumerate() {
            match (end, expected) {
                (Some(end), Some((expected, within))) => prop_assert!((end - expected).abs() <= *within, "{number}: {end} ns, not {expected}"),
                // One that is stopped within the nanosecond in which it ends.
                (None, None) => {}
                _ => prop_assert!(false, "{}: {:?}, not {:?}", number, end, expected),
            }
        }
        for (share, (used, expected)) in used.iter().zip(&expected_used).enumerate() {
            // What a share that is gone has used is not known any more.
            prop_assert!(*used == 0.0 || (used - expected).abs() < 1e-7, "share {share}: {used} core s, not {expected}");
        }
    }
}

/// One host with so many shares that compute, which fill it up.
fn crowd(shares: u32, limit: impl Fn(u32) -> f64) -> (Simulation<Player>, Vec<ShareId>) {
    let platform = PlatformBuilder::new().host("h0", HostSpec::new(64, SPEED)).build().unwrap();
    let mut simulation = Simulation::<Player>::new(platform, 0);
    let ids = simulation.with_model_mut(|player, kernel| {
        let host = kernel.platform().host_by_name("h0").unwrap();
        player.hosts = vec![host];
        let add = |number| {
            let share = kernel.add_share(ShareSpec {
                host,
                limit: limit(number),
                threads: 1.0,
                weight: 1.0 + f64::from(number % 7),
            });
            kernel.compute(share, 1e12 + f64::from(number), Happened::Ended(number as usize));
            share
        };
        let ids: Vec<ShareId> = (0..shares).map(add).collect();
        kernel.fluid.settle(SimTime::ZERO);
        ids
    });
    (simulation, ids)
}

/// What a start and an end cost does not depend on how many compute, nor on whether many are held by limits of their own.
#[test]
fn a_start_and_an_end_look_at_no_more_when_ten_thousand_compute() {
    let looked_at = |shares: u32, limit: fn(u32) -> f64| {
        let (mut simulation, ids) = crowd(shares, limit);
        simulation.with_model_mut(|_, kernel| {
            kernel.compute(ids[1], 1e9, Happened::Ended(0));
            kernel.fluid.settle(SimTime::ZERO);
            let start = kernel.fluid.looked_at();
            kernel.remove_share(ids[2]);
            kernel.fluid.settle(SimTime::ZERO);
            [start, kernel.fluid.looked_at()]
        })
    };
    for limit in [|_| 1.0, |number| if number % 2 == 0 { 0.001 } else { 1.0 }] {
        let (few, many) = (looked_at(200, limit), looked_at(10_000, limit));
        assert_eq!(few, many);
        assert!(many.iter().all(|looked_at| *looked_at <= 3), "{many:?}");
    }
}
