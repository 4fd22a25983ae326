use proptest::prelude::*;

use super::*;

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

#[test]
fn a_timer_that_is_put_off_stays_where_it_was_until_then() {
    let mut queue = EventQueue::new();
    let timer = queue.add_timer();
    for date in 0..1000 {
        queue.set_timer(timer, at(10 + date), Rank::Late, date);
    }
    assert_eq!((queue.agenda.len(), queue.len()), (1, 1));
    queue.schedule(at(1009), Rank::Normal, 0);
    assert_eq!(queue.pop(), Some((at(1009), 0)));
    assert_eq!(queue.pop(), Some((at(1009), 999)));
    assert_eq!((queue.pop(), queue.clear_timer(timer)), (None, None));
}

#[test]
fn timers_that_come_and_go_do_not_stay() {
    let mut queue = EventQueue::new();
    for date in 0..10_000 {
        let timer = queue.add_timer();
        queue.set_timer(timer, at(date), Rank::Normal, date);
        queue.set_timer(timer, at(date / 2), Rank::Normal, date);
        queue.remove_timer(timer);
    }
    assert!(queue.agenda.len() < 200 && queue.timers.len() == 1, "{} entries", queue.agenda.len());
    assert!(queue.is_empty());
}

#[test]
fn many_cancelled_events_do_not_stay() {
    let mut queue = EventQueue::new();
    for date in 0..10_000 {
        let handle = queue.schedule_cancellable(at(date), Rank::Normal, date);
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
    Cancellable {
        delay: u64,
        late: bool,
    },
    Sole {
        delay: u64,
    },
    Cancel {
        pick: usize,
    },
    SetTimer {
        timer: usize,
        delay: u64,
        late: bool,
    },
    ClearTimer {
        timer: usize,
    },
    /// A new one takes its place.
    RemoveTimer {
        timer: usize,
    },
    Pop,
}

const TIMERS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let ahead = || (0..20u64, any::<bool>());
    prop_oneof![
        2 => ahead().prop_map(|(delay, late)| Step::Schedule { delay, late }),
        3 => ahead().prop_map(|(delay, late)| Step::Cancellable { delay, late }),
        2 => (0..20u64).prop_map(|delay| Step::Sole { delay }),
        3 => any::<usize>().prop_map(|pick| Step::Cancel { pick }),
        4 => (0..TIMERS, ahead()).prop_map(|(timer, (delay, late))| Step::SetTimer { timer, delay, late }),
        2 => (0..TIMERS).prop_map(|timer| Step::ClearTimer { timer }),
        1 => (0..TIMERS).prop_map(|timer| Step::RemoveTimer { timer }),
        4 => Just(Step::Pop),
    ]
}

/// How an event in the list can be taken back.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Hold {
    Nothing,
    Handle(EventHandle),
    Timer(usize),
}

/// A list that is searched for its least (date, rank, order).
type List = Vec<(u64, bool, u64, Hold)>;

/// Takes the event of a timer out of the list.
fn take_timer(list: &mut List, timer: usize) -> Option<u64> {
    let position = list.iter().position(|(.., hold)| *hold == Hold::Timer(timer))?;
    Some(list.swap_remove(position).2)
}

proptest! {
    /// The queue agrees with a list that is searched.
    #[test]
    fn pops_in_the_order_of_date_rank_and_scheduling(steps in proptest::collection::vec(step(), 0..400)) {
        let mut queue = EventQueue::new();
        let mut timers = [(); TIMERS].map(|()| queue.add_timer());
        let mut list = List::new();
        let mut now = 0;
        let rank = |late| if late { Rank::Late } else { Rank::Normal };
        for (number, step) in steps.into_iter().enumerate() {
            let number = number as u64;
            match step {
                Step::Schedule { delay, late } => {
                    queue.schedule(at(now + delay), rank(late), number);
                    list.push((now + delay, late, number, Hold::Nothing));
                }
                Step::Cancellable { delay, late } => {
                    let handle = queue.schedule_cancellable(at(now + delay), rank(late), number);
                    list.push((now + delay, late, number, Hold::Handle(handle)));
                }
                Step::Sole { delay } => {
                    queue.schedule_sole(at(now + delay), number);
                    list.push((now + delay, false, number, Hold::Nothing));
                }
                Step::SetTimer { timer, delay, late } => {
                    queue.set_timer(timers[timer], at(now + delay), rank(late), number);
                    take_timer(&mut list, timer);
                    list.push((now + delay, late, number, Hold::Timer(timer)));
                }
                Step::ClearTimer { timer } => {
                    prop_assert_eq!(queue.clear_timer(timers[timer]), take_timer(&mut list, timer));
                    prop_assert_eq!(queue.clear_timer(timers[timer]), None);
                }
                Step::RemoveTimer { timer } => {
                    queue.remove_timer(timers[timer]);
                    take_timer(&mut list, timer);
                    timers[timer] = queue.add_timer();
                }
                Step::Cancel { pick } if !list.is_empty() => {
                    let pick = pick % list.len();
                    if let Hold::Handle(handle) = list[pick].3 {
                        let (_, _, event, _) = list.swap_remove(pick);
                        prop_assert!(queue.is_scheduled(handle));
                        prop_assert_eq!(queue.cancel(handle), Some(event));
                        prop_assert_eq!(queue.cancel(handle), None);
                    }
                }
                Step::Cancel { .. } => {}
                Step::Pop => {
                    let least = list.iter().copied().min_by_key(|&(date, late, number, _)| (date, late, number));
                    let expected = least.map(|(date, _, number, _)| (at(date), number));
                    prop_assert_eq!(queue.next_date(), expected.map(|(date, _)| date));
                    prop_assert_eq!(queue.pop(), expected);
                    if let Some((date, number)) = expected {
                        now = date.as_nanos();
                        list.retain(|&(_, _, other, _)| other != number);
                    }
                }
            }
            prop_assert_eq!(queue.len(), list.len());
            let mut expected = list.clone();
            expected.sort_unstable_by_key(|&(date, late, number, _)| (date, late, number));
            let pending: Vec<_> = queue.pending().iter().map(|(date, number)| (date.as_nanos(), **number)).collect();
            prop_assert_eq!(pending, expected.iter().map(|(date, _, number, _)| (*date, *number)).collect::<Vec<_>>());
        }
    }
}
