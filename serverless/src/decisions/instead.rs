//! What would have been: one call of a policy has another answer.

use hearth_policy_api::{
    AdmissionDecision, AdmissionRules, AllocationRules, AutoscalingRules, EvictionRules, KeepAliveRules, NONE,
    NodeList, Offer, Placement, PlanItem, PoolScale, Prewarming, Retention, Scale, Shed,
};
use serde_json::Value;

use super::{Answered, Decision, Offered, Seen};

/// A call whose answer is to be another one than the policy gives. The policy is called all the same, and is not told.
///
/// ```
/// use hearth_serverless::decisions::Instead;
/// let undone = Instead { call: 17, answer: None };
/// let elsewhere = Instead { call: 17, answer: Some(serde_json::json!({"node": 3})) };
/// assert_ne!(undone, elsewhere);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Instead {
    /// The number of the call in a log of decisions.
    pub call: u64,
    /// The answer as the log has it; `None` is what undoes the policy's: a placement or a delay is to wait or to let in, a container is kept
    /// until it is taken (one that was to stay for ever is not kept), nothing is planned, prewarmed or given up, instances and nodes stay
    /// as many as were wanted, and what was asked for besides is not done. Victims are others only if they are named; one that is to stay is
    /// spared by [`Undone::ContainerEnd`](crate::causes::Undone::ContainerEnd).
    pub answer: Option<Value>,
}

/// What has come of an [`Instead`].
#[derive(Clone, Debug)]
pub struct AnsweredInstead {
    /// The call, with what the policy answered: of victims, what was offered instead.
    pub was: Decision,
    /// What it was answered by then, as a log has it; else why it could not be answered so, and was not.
    pub now: Result<Value, String>,
}

/// An answer that can be given in the place of another one.
pub(crate) trait Replaceable: Answered + Sized {
    /// Whether it is given while the call lasts, by who makes the call, and not afterwards.
    const IS_GIVEN_IN_THE_CALL: bool = false;

    /// What a log has of it; nothing where it is nothing of the kind.
    fn read(_written: &Value) -> Option<Self> {
        None
    }

    /// What undoes it, in a call that shows this; nothing where nothing does.
    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        None
    }
}

fn number(value: &Value, name: &str) -> Option<u32> {
    u32::try_from(value.get(name)?.as_u64()?).ok()
}

/// A number of 32 bits, of which the greatest is written as null.
fn number_or_none(value: &Value, name: &str) -> Option<u32> {
    if value.get(name)?.is_null() { Some(NONE) } else { number(value, name) }
}

/// Nanoseconds, of which the greatest number is written as null.
fn nanos(value: &Value, name: &str) -> Option<u64> {
    let value = value.get(name)?;
    if value.is_null() { Some(u64::MAX) } else { value.as_u64() }
}

fn text(value: &Value, name: &str) -> Option<String> {
    Some(value.get(name)?.as_str()?.to_owned())
}

fn nodes(value: &Value, name: &str) -> Option<NodeList> {
    let nodes = value.get(name)?.as_array()?.iter();
    nodes.map(|node| u32::try_from(node.as_u64()?).ok()).collect::<Option<Vec<u32>>>().map(NodeList::from)
}

impl Replaceable for () {}

impl Replaceable for Placement {
    fn read(written: &Value) -> Option<Self> {
        if written == "wait" {
            return Some(Self::Wait);
        }
        let (kind, of) = written.as_object().filter(|object| object.len() == 1)?.iter().next()?;
        Some(match kind.as_str() {
            "node" => Self::Node(number(written, "node")?),
            "reject" => Self::Reject(text(written, "reject")?),
            "busy" => Self::Busy { node: number_or_none(of, "node")?, until: nanos(of, "until")? },
            "queue" => Self::Queue { nodes: nodes(of, "nodes")?, until: nanos(of, "until")? },
            "warm" => Self::Warm { node: number(of, "node")?, container: number(of, "container")? },
            "cold" => Self::Cold { node: number(of, "node")? },
            _ => return None,
        })
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        (*self != Self::Wait).then_some(Self::Wait)
    }
}

impl Replaceable for Vec<PlanItem> {
    fn read(written: &Value) -> Option<Self> {
        let item = |item: &Value| {
            let (kind, of) = item.as_object().filter(|object| object.len() == 1)?.iter().next()?;
            let node = number(of, "node")?;
            Some(match kind.as_str() {
                "run" => PlanItem::Run { request: number(of, "request")?, node },
                "run_warm" => {
                    PlanItem::RunWarm { request: number(of, "request")?, node, container: number(of, "container")? }
                }
                "run_cold" => PlanItem::RunCold { request: number(of, "request")?, node },
                "load" => PlanItem::Load { image: number(of, "image")?, node },
                "copy" => PlanItem::Copy { image: number(of, "image")?, node },
                _ => return None,
            })
        };
        written.as_array()?.iter().map(item).collect()
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        (!self.is_empty()).then(Vec::new)
    }
}

/// A rank.
impl Replaceable for u64 {
    fn read(written: &Value) -> Option<Self> {
        if written.is_null() { Some(Self::MAX) } else { written.as_u64() }
    }
}

/// From where an image is copied.
impl Replaceable for u32 {
    fn read(written: &Value) -> Option<Self> {
        if written.is_null() { Some(NONE) } else { Self::try_from(written.as_u64()?).ok() }
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        (*self != NONE).then_some(NONE)
    }
}

impl Replaceable for Option<Shed> {
    fn read(written: &Value) -> Option<Self> {
        if written == "nobody" {
            return Some(None);
        }
        Some(Some(Shed { head: number(written, "head")?, reason: text(written, "reason")? }))
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        self.is_some().then_some(None)
    }
}

impl Replaceable for AdmissionDecision {
    fn read(written: &Value) -> Option<Self> {
        match written.as_str() {
            Some("admit") => Some(Self::Admit),
            Some(_) => None,
            None => {
                let delay = || nanos(written, "delay").map(Self::Delay);
                delay().or_else(|| text(written, "reject").map(Self::Reject))
            }
        }
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        (*self != Self::Admit).then_some(Self::Admit)
    }
}

impl Replaceable for Retention {
    fn read(written: &Value) -> Option<Self> {
        nanos(written, "keep_for").map(|keep_for| Self { keep_for })
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        let keep_for = if self.keep_for == u64::MAX { 0 } else { u64::MAX };
        Some(Self { keep_for })
    }
}

impl Replaceable for Prewarming {
    fn read(written: &Value) -> Option<Self> {
        Some(Self { after: nanos(written, "after")?, keep_for: nanos(written, "keep_for")? })
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        (self.after != u64::MAX).then_some(Self::NONE)
    }
}

impl Replaceable for Scale {
    fn read(written: &Value) -> Option<Self> {
        number_or_none(written, "wanted").map(|wanted| Self { wanted })
    }

    fn undone(&self, seen: &Seen<'_>) -> Option<Self> {
        let Seen::Scale(view) = seen else { return None };
        (view.within_bounds(self.wanted) != view.wanted).then_some(Self { wanted: view.wanted })
    }
}

impl Replaceable for PoolScale {
    fn read(written: &Value) -> Option<Self> {
        Some(Self { boot: number(written, "boot")?, remove: nodes(written, "remove")? })
    }

    fn undone(&self, _seen: &Seen<'_>) -> Option<Self> {
        (self.boot > 0 || !self.remove.is_empty()).then_some(Self { boot: 0, remove: NodeList::EMPTY })
    }
}

/// Offered in the place of the policy, as [`offers`] reads them.
impl Replaceable for Vec<Offered> {
    const IS_GIVEN_IN_THE_CALL: bool = true;
}

impl Replaceable for AllocationRules {}
impl Replaceable for EvictionRules {}
impl Replaceable for AdmissionRules {}
impl Replaceable for KeepAliveRules {}
impl Replaceable for AutoscalingRules {}

/// Victims, by number, as they are written in a log or as numbers alone; those that come on top are marked.
pub(crate) fn offers(written: &Value) -> Option<Vec<Offered>> {
    let offer = |value: &Value| match value.as_u64() {
        Some(id) => Some(Offered::Victim(u32::try_from(id).ok()?, Offer::Accepted)),
        None => Offered::read(value),
    };
    written.as_array()?.iter().map(offer).collect()
}

/// What is answered instead, in a call that shows this; nothing if what was asked for besides is all that is undone; else why it cannot be.
pub(crate) fn instead_of<T: Replaceable>(
    answer: &T,
    instead: &Instead,
    seen: &Seen<'_>,
    has_asked: bool,
) -> Result<Option<T>, String> {
    match (&instead.answer, answer.undone(seen)) {
        (Some(written), _) => {
            let expected = if T::IS_ANSWER { "expected one as in a log of decisions" } else { "it was asked nothing" };
            let problem = || format!("{written} is no answer to it: {expected}");
            T::read(written).map(Some).ok_or_else(problem)
        }
        (None, Some(undone)) => Ok(Some(undone)),
        (None, None) if has_asked => Ok(None),
        (None, None) if !T::IS_ANSWER => Err("it was told something, and asked nothing".to_owned()),
        (None, None) => {
            Err("there is nothing in it to undo: say what is to be answered instead, as a log of decisions has it"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_read<T: Replaceable + PartialEq + std::fmt::Debug>(answer: &T) -> Result<(), TestCaseError> {
        let read = T::read(&answer.written());
        prop_assert_eq!(read.as_ref(), Some(answer));
        Ok(())
    }

    /// Among them the greatest, which stands for none.
    fn small() -> impl Strategy<Value = u32> {
        prop_oneof![3 => 0..100_u32, 1 => Just(NONE)]
    }

    fn long() -> impl Strategy<Value = u64> {
        prop_oneof![3 => any::<u64>(), 1 => Just(u64::MAX)]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(a in 0..100_u32, b in small(), long in long(), nodes in prop::collection::vec(0..9_u32, 0..6), words in ".*") {
            let of_placement = [
                Placement::Node(a), Placement::Wait, Placement::Reject(words.clone()), Placement::Busy { node: b, until: long },
                Placement::Queue { nodes: nodes.clone().into(), until: long }, Placement::Warm { node: a, container: a + 1 },
                Placement::Cold { node: a },
            ];
            of_placement.iter().try_for_each(is_read)?;
            let (request, node, image, container) = (a, a + 1, a + 2, a + 3);
            is_read(&vec![
                PlanItem::Run { request, node }, PlanItem::RunWarm { request, node, container }, PlanItem::RunCold { request, node },
                PlanItem::Load { image, node }, PlanItem::Copy { image, node },
            ])?;
            is_read(&long)?;
            is_read(&b)?;
            [None, Some(Shed { head: a, reason: words.clone() })].iter().try_for_each(is_read)?;
            let of_admission = [AdmissionDecision::Admit, AdmissionDecision::Delay(long), AdmissionDecision::Reject(words)];
            of_admission.iter().try_for_each(is_read)?;
            is_read(&Retention { keep_for: long })?;
            is_read(&Prewarming { after: long, keep_for: 7 })?;
            is_read(&Scale { wanted: b })?;
            is_read(&PoolScale { boot: a, remove: nodes.into() })?;
        }
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        use serde_json::json;
        for wrong in [
            json!("stay"),
            json!({"node": -1}),
            json!({"node": 1, "cold": 1}),
            json!({"warm": {"node": 1}}),
            json!(3),
            json!(null),
        ] {
            assert_eq!(Placement::read(&wrong), None, "{wrong}");
        }
        assert_eq!(AdmissionDecision::read(&json!("wait")), None);
        assert_eq!(Retention::read(&json!({"keep_for": "1s"})), None);
        assert_eq!(offers(&json!([1, {"offer": 2, "heard": "pinned"}])).map(|offers| offers.len()), Some(2));
        assert_eq!(offers(&json!([-1])), None);
    }
}
