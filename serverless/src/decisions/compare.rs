//! Where the decisions of two runs part.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Decision;

/// The first decisions of two runs that are not the same.
#[derive(Clone, Debug)]
pub struct Parted {
    /// That of the first run; none where it decides nothing more.
    pub first: Option<Decision>,
    /// That of the second run; none where it decides nothing more.
    pub second: Option<Decision>,
}

impl Parted {
    /// Whether both were asked the same, at the same date, and answered otherwise. If not, the runs have parted before in something
    /// that is no decision, or one decides where the other one is not asked.
    pub fn is_same_question(&self) -> bool {
        self.first.as_ref().zip(self.second.as_ref()).is_some_and(|(first, second)| is_same_question(first, second))
    }

    /// The date at which they part, in ns.
    pub fn date_ns(&self) -> u64 {
        let dates = [&self.first, &self.second].into_iter().flatten().map(|decision| decision.date_ns);
        dates.min().unwrap_or(u64::MAX)
    }
}

/// How far the decisions of two runs are the same.
#[derive(Clone, Debug, Default)]
pub struct Aligned {
    /// How many questions both were asked and answered alike.
    pub same: u64,
    /// The first question that both were asked at the same date and shown something else, and answered alike.
    pub views_parted: Option<(Decision, Decision)>,
    /// Where they part, if they do.
    pub parted: Option<Parted>,
}

impl Aligned {
    /// Compares decisions in lock step, up to the first difference. Only what has an effect counts: who is told something, is asked
    /// whether to do something that is not done by itself and does not, or lets somebody wait, may be asked in one run alone, as
    /// policies say by their rules what they are asked.
    pub fn of(first: impl Iterator<Item = Decision>, second: impl Iterator<Item = Decision>) -> Self {
        let (mut first, mut second) = (Side::new(first), Side::new(second));
        let mut aligned = Self::default();
        loop {
            let (Some(one), Some(other)) = (&first.next, &second.next) else {
                if first.pass_over_without_effect() || second.pass_over_without_effect() {
                    continue;
                }
                let (first, second) = (first.next.take(), second.next.take());
                aligned.parted = (first.is_some() || second.is_some()).then_some(Parted { first, second });
                return aligned;
            };
            if is_same_question(one, other) {
                if effects(one) != effects(other) {
                    break;
                }
                let is_seen_alike =
                    one.seen.as_ref().map(|seen| seen.get()) == other.seen.as_ref().map(|seen| seen.get());
                if !is_seen_alike && aligned.views_parted.is_none() {
                    aligned.views_parted = Some((one.clone(), other.clone()));
                }
                aligned.same += 1;
                first.pass();
                second.pass();
            } else if first.has_no_effect() && (!second.has_no_effect() || one.date_ns <= other.date_ns) {
                first.pass();
            } else if second.has_no_effect() {
                second.pass();
            } else {
                break;
            }
        }
        aligned.parted = Some(Parted { first: first.next, second: second.next });
        aligned
    }
}

/// The decisions of a run.
struct Side<I> {
    decisions: I,
    next: Option<Decision>,
    /// How many instances of each function were wanted last: to want as many again has no effect.
    wanted: BTreeMap<Option<u32>, Value>,
}

impl<I: Iterator<Item = Decision>> Side<I> {
    fn new(decisions: I) -> Self {
        let mut side = Self { decisions, next: None, wanted: BTreeMap::new() };
        side.pass();
        side
    }

    /// Goes on to the next call that was asked for an answer, or in which the policy asked for something.
    fn pass(&mut self) {
        if let Some(decision) = self.next.take()
            && decision.method == "scale"
        {
            self.wanted.insert(decision.about.function, decision.answer);
        }
        self.next = self.decisions.find(|decision| {
            let is_asked = !decision.answer.is_null() && decision.method != "rules";
            is_asked || decision.failed.is_some() || has_orders(decision)
        });
    }

    fn pass_over_without_effect(&mut self) -> bool {
        let passes = self.has_no_effect();
        if passes {
            self.pass();
        }
        passes
    }

    /// Whether everything would be the same had nobody been asked; false where there is nobody.
    fn has_no_effect(&self) -> bool {
        let Some(decision) = &self.next else { return false };
        if decision.failed.is_some() || has_orders(decision) {
            return false;
        }
        let answer = &decision.answer;
        match &*decision.method {
            "place" => answer == "wait",
            "plan" | "choose" => answer.as_array().is_some_and(Vec::is_empty),
            "admit" => answer == "admit",
            "shed" => answer == "nobody",
            "rank" => *answer == json!(0),
            "prewarm" => answer["after"].is_null(),
            "scale" => self.wanted.get(&decision.about.function) == Some(answer),
            "scale_pool" => *answer == json!({"boot": 0, "remove": []}),
            "on_idle" => false,
            _ => answer.is_null(),
        }
    }
}

/// Whether a policy has asked for something that is more than to be called again.
fn has_orders(decision: &Decision) -> bool {
    decision.orders.iter().any(does_something)
}

fn does_something(order: &Value) -> bool {
    order.get("wake_at").is_none()
}

/// What comes of a decision.
fn effects(decision: &Decision) -> (&Value, &Option<String>, Vec<&Value>) {
    let orders = decision.orders.iter().filter(|order| does_something(order)).collect();
    (&decision.answer, &decision.failed, orders)
}

fn is_same_question(one: &Decision, other: &Decision) -> bool {
    one.date_ns == other.date_ns
        && (one.slot, one.storage, &one.method, one.about) == (other.slot, other.storage, &other.method, other.about)
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::PolicySlot;

    use super::super::About;
    use super::*;

    fn asked(date_ns: u64, method: &'static str, about: u64, answer: Value) -> Decision {
        Decision {
            number: 0,
            date_ns,
            slot: PolicySlot::NodeAllocation,
            storage: None,
            method: method.into(),
            about: About { invocation: Some(about), ..About::default() },
            seen: None,
            answer,
            failed: None,
            orders: Vec::new(),
            log: Vec::new(),
            took_ns: None,
        }
    }

    fn placed(date_ns: u64, about: u64, node: u32) -> Decision {
        asked(date_ns, "place", about, json!({ "node": node }))
    }

    fn waits(date_ns: u64, about: u64) -> Decision {
        asked(date_ns, "place", about, json!("wait"))
    }

    /// The dates of what parts.
    type Dates = Option<(Option<u64>, Option<u64>)>;

    fn align(first: &[Decision], second: &[Decision]) -> (u64, Dates) {
        let aligned = Aligned::of(first.iter().cloned(), second.iter().cloned());
        let date = |decision: &Option<Decision>| decision.as_ref().map(|decision| decision.date_ns);
        (aligned.same, aligned.parted.map(|parted| (date(&parted.first), date(&parted.second))))
    }

    #[test]
    fn what_has_no_effect_may_be_asked_in_one_run_alone() {
        let run = [placed(1, 0, 0), placed(5, 1, 1)];
        let more = [
            asked(0, "new", 0, Value::Null),
            asked(0, "shed", 0, json!("nobody")),
            placed(1, 0, 0),
            waits(2, 1),
            waits(4, 1),
            asked(4, "on_end", 0, Value::Null),
            placed(5, 1, 1),
            waits(9, 2),
        ];
        assert_eq!(align(&run, &more), (2, None));
        assert_eq!(align(&more, &run), (2, None));
        assert_eq!(align(&more, &more), (6, None));
        assert_eq!(align(&[], &[]), (0, None));
    }

    #[test]
    fn the_first_other_answer_is_found_also_where_one_waits() {
        let run = [placed(1, 0, 0), placed(5, 1, 1), placed(6, 2, 1)];
        let other = [placed(1, 0, 0), placed(5, 1, 0), placed(6, 2, 1)];
        assert_eq!(align(&run, &other), (1, Some((Some(5), Some(5)))));
        let later = [placed(1, 0, 0), waits(5, 1), placed(7, 1, 1)];
        assert_eq!(align(&run, &later), (1, Some((Some(5), Some(5)))));
        assert_eq!(align(&run, &run[..2]), (2, Some((Some(6), None))));
        assert_eq!(align(&[placed(3, 0, 0)], &[waits(4, 0), placed(8, 0, 0)]), (0, Some((Some(3), Some(8)))));
    }

    #[test]
    fn to_be_called_again_is_no_effect_and_containers_are() {
        let ordering = |order: Value| Decision { orders: vec![order], ..asked(2, "on_timer", 0, Value::Null) };
        let (wakes, ends) = (ordering(json!({"wake_at": {}})), ordering(json!({"end_containers": {}})));
        assert_eq!(align(&[wakes], &[]), (0, None));
        assert_eq!(align(&[ends], &[]), (0, Some((Some(2), None))));
    }

    #[test]
    fn as_many_instances_as_before_are_no_other_decision() {
        let scale = |date_ns, wanted: u32| asked(date_ns, "scale", 0, json!({ "wanted": wanted }));
        let often = [scale(2, 1), scale(4, 1), scale(6, 3), scale(8, 3)];
        assert_eq!(align(&often, &[scale(2, 1), scale(6, 3)]), (2, None));
        assert_eq!(align(&often, &[scale(2, 1), scale(8, 3)]), (1, Some((Some(6), Some(8)))));
    }
}
