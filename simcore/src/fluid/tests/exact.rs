//! Dates against whole numbers: flows that share one resource equally, with nothing rounded but the dates.

use proptest::prelude::*;

use super::*;

/// No more flows at once than this, so that all that is divided by their number stays a whole number of 128 bits.
const MOST: usize = 36;

/// The least number that all numbers up to [`MOST`] divide.
const DIVISIBLE: i128 = 144_403_552_893_600;

const NANOS: i128 = 1_000_000_000;

/// What each flow moves per byte of its amount: parts of a byte.
const PARTS: i128 = DIVISIBLE * NANOS;

/// Equal shares of a capacity in bytes/s, exactly.
struct Exact {
    capacity: i128,
    /// What a flow that was there all the time has moved, in parts.
    moved: i128,
    now: u64,
    /// By number of the start, with what is moved when it ends, in parts.
    flows: Vec<(usize, i128)>,
}

impl Exact {
    fn advance(&mut self, date: u64) {
        if !self.flows.is_empty() {
            self.moved += self.capacity * i128::from(date - self.now) * (DIVISIBLE / self.flows.len() as i128);
        }
        self.now = date;
    }

    /// The first to end, the date in nanoseconds, and how far from the middle between two dates it is, in nanoseconds.
    fn next(&self) -> Option<(usize, u64, f64)> {
        let (number, end) = *self.flows.iter().min_by_key(|(number, end)| (self.date(*end).0, *number))?;
        let (date, from_middle) = self.date(end);
        Some((number, date, from_middle))
    }

    fn date(&self, end: i128) -> (u64, f64) {
        let share = self.capacity * (DIVISIBLE / self.flows.len() as i128);
        let left = (end - self.moved).max(0);
        let (whole, rest) = (left / share, left % share);
        let from_middle = (2 * rest - share).abs() as f64 / (2 * share) as f64;
        (self.now + whole as u64 + u64::from(2 * rest >= share), from_middle)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A flow ends on the very nanosecond that is nearest to the exact date, the later of two that are as near, however often
    /// its share has changed, and of those of one date the one started first ends first.
    #[test]
    fn flows_of_one_resource_end_on_the_nearest_nanosecond(
        capacity in prop_oneof![
            1_000_000..4_000_000_000_i64,
            proptest::sample::select(vec![3_000_000_000, 2_000_000_000, 1_000_000_000, 200_000_000, 33_000_000]),
        ],
        starts in proptest::collection::vec((0..3_000_000_000_u64, prop_oneof![Just(100_000_000_u32), 1..200_000_000_u32]), 1..200),
        efficiency in prop_oneof![Just(1.0), Just(0.97)],
    ) {
        let mut starts = starts;
        starts.sort_unstable();
        let mut network = FluidNetwork::new();
        let disk = network.add_resource(capacity as f64);
        let uses = [Use { resource: disk, weight: efficiency }];
        let mut exact = Exact { capacity: i128::from(capacity), moved: 0, now: 0, flows: Vec::new() };
        let mut ids = Vec::new();
        let mut coming = starts.iter().enumerate().peekable();
        loop {
            let next = exact.next();
            let begins = coming.peek().map(|(_, (date, _))| *date).filter(|_| exact.flows.len() < MOST);
            let Some(date) = begins.into_iter().chain(next.map(|(_, date, _)| date)).min() else { break };
            let now = if let Some((number, ends, from_middle)) = next.filter(|(_, ends, _)| *ends == date.max(exact.now)) {
                let found = network.next_completion().unwrap();
                // The last bits may decide where the exact date is next to the middle between two, but not in the middle.
                prop_assert!(found.as_nanos() == ends || (from_middle > 0.0 && from_middle < 1e-4 && found.as_nanos().abs_diff(ends) == 1),
                    "ends at {} ns, exactly {ends}, {from_middle} from the middle", found.as_nanos());
                let ended = network.pop_completed(found).unwrap();
                let position = ids.iter().position(|id| *id == Some(ended)).unwrap();
                prop_assert!(position == number || from_middle < 1e-4 || exact.flows.len() < 2, "another one ends");
                exact.advance(found.as_nanos());
                exact.flows.retain(|(other, _)| *other != position);
                found
            } else {
                let Some((number, (_, amount))) = coming.next() else { break };
                let now = SimTime::from_nanos(date.max(exact.now));
                exact.advance(now.as_nanos());
                let spec = FlowSpec { amount: f64::from(*amount), efficiency, bound: FREE, penalty: 0.001, uses: &uses };
                ids.resize(number, None);
                ids.push(Some(network.start(now, spec)));
                exact.flows.push((number, exact.moved + i128::from(*amount) * PARTS));
                now
            };
            network.settle(now);
        }
        prop_assert!(network.is_empty());
    }
}

/// Odd numbers of bytes at two a nanosecond: each date lies in the very middle between two.
#[test]
fn of_two_dates_that_are_as_near_it_is_the_later_one() {
    for penalty in [1.0, 0.001, 2.2537e-5, 7.1e-5] {
        for bytes in (100_000_001..100_004_001_u64).step_by(2) {
            let mut network = FluidNetwork::new();
            let disk = network.add_resource(2e9);
            let uses = [Use { resource: disk, weight: 0.97 }];
            let spec = FlowSpec { amount: bytes as f64, efficiency: 0.97, bound: FREE, penalty, uses: &uses };
            network.start(SimTime::ZERO, spec);
            network.settle(SimTime::ZERO);
            assert_eq!(network.next_completion().map(SimTime::as_nanos), Some(bytes.div_ceil(2)));
        }
    }
}
