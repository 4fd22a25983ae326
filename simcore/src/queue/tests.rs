use proptest::prelude::*;

use super::*;

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

#[test]
fn a_cancelled_front_of_a_lane_does_not_hide_the_timers_behind_it() {
    let mut queue = EventQueue::new();
    let lane = queue.add_lane(SimDuration::from_nanos(10), Rank::Normal);
    let first = queue.schedule_in_lane(lane, at(0), 1);
    let second = queue.schedule_in_lane(lane, at(1), 2);
    queue.schedule_in_lane(lane, at(2), 3);
    queue.cancel(first);
    queue.cancel(second);
    assert_eq!(queue.pop(), Some((at(12), 3)));
    assert_eq!(queue.pop(), None);
    queue.schedule_in_lane(lane, at(20), 4);
    assert_eq!(queue.pop(), Some((at(30), 4)));
}

#[test]
fn many_cancelled_events_do_not_stay() {
    let mut queue = EventQueue::new();
    for date in 0..10_000 {
        let handle = queue.schedule(at(date), Rank::Normal, date);
        queue.cancel(handle);
    }
    assert!(queue.agenda.len() < 200, "{} entries", queue.agenda.len());
    assert!(queue.is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Schedule {
        delay: u64,
        late: bool,
    },
    /// Not to be cancelled.
    Sole {
        delay: u64,
    },
    InLane {
        lane: usize,
    },
    Cancel {
        pick: usize,
    },
    Pop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..20u64, any::<bool>()).prop_map(|(delay, late)| Step::Schedule { delay, late }),
        2 => (0..20u64).prop_map(|delay| Step::Sole { delay }),
        4 => (0..3usize).prop_map(|lane| Step::InLane { lane }),
        3 => any::<usize>().prop_map(|pick| Step::Cancel { pick }),
        3 => Just(Step::Pop),
    ]
}

proptest! {
    /// The queue agrees with a list that is searched for its least (date, rank, order).
    #[test]
    fn pops_in_the_order_of_date_rank_and_scheduling(steps in proptest::collection::vec(step(), 0..400)) {
        let mut queue = EventQueue::new();
        let lanes: Vec<LaneId> = [0, 7, 15].map(|length| {
            queue.add_lane(SimDuration::from_nanos(length), if length == 7 { Rank::Late } else { Rank::Normal })
        }).to_vec();
        let mut model: Vec<(u64, bool, u64, EventHandle)> = Vec::new();
        let mut now = 0;
        for (number, step) in steps.into_iter().enumerate() {
            let number = number as u64;
            match step {
                Step::Schedule { delay, late } => {
                    let rank = if late { Rank::Late } else { Rank::Normal };
                    let handle = queue.schedule(at(now + delay), rank, number);
                    model.push((now + delay, late, number, handle));
                }
                Step::Sole { delay } => {
                    queue.schedule_sole(at(now + delay), number);
                    // A handle that names nothing, so that this is never cancelled.
                    let handle = EventHandle { order: NONE, place: u32::MAX, lane: NO_LANE };
                    model.push((now + delay, false, number, handle));
                }
                Step::InLane { lane } => {
                    let handle = queue.schedule_in_lane(lanes[lane], at(now), number);
                    model.push((now + [0, 7, 15][lane], lane == 1, number, handle));
                }
                Step::Cancel { pick } if !model.is_empty() => {
                    let pick = pick % model.len();
                    if model[pick].3.place == u32::MAX {
                        continue;
                    }
                    let (_, _, event, handle) = model.swap_remove(pick);
                    prop_assert_eq!(queue.cancel(handle), Some(event));
                    prop_assert_eq!(queue.cancel(handle), None);
                }
                Step::Cancel { .. } => {}
                Step::Pop => {
                    let least = model.iter().copied().min_by_key(|&(date, late, number, _)| (date, late, number));
                    let expected = least.map(|(date, _, number, _)| (at(date), number));
                    prop_assert_eq!(queue.next_date(), expected.map(|(date, _)| date));
                    prop_assert_eq!(queue.pop(), expected);
                    if let Some((date, number)) = expected {
                        now = date.as_nanos();
                        model.retain(|&(_, _, other, _)| other != number);
                    }
                }
            }
            prop_assert_eq!(queue.len(), model.len());
        }
    }
}
