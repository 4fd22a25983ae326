//! What was answered, in words for people.

use serde_json::Value;

use super::Decision;

/// What a policy has answered, for people.
#[derive(Clone, PartialEq, Debug)]
pub struct CallAnswer {
    /// In one word, as in `Wait`: that of the variant where the answer is one of several.
    pub word: &'static str,
    /// The nodes that it names.
    pub nodes: Vec<u32>,
    /// The containers or images that it names.
    pub items: Vec<u32>,
    /// A time or a date that it names, with what that is.
    pub time: Option<(&'static str, u64)>,
    /// A number that it names, with what that is.
    pub count: Option<(&'static str, u64)>,
    /// Why.
    pub reason: Option<String>,
}

/// The variants of answers: as they are written, and the word for people.
const VARIANTS: [(&str, &str); 14] = [
    ("admit", "Admit"),
    ("busy", "Busy"),
    ("cold", "Cold"),
    ("copy", "Copy"),
    ("delay", "Delay"),
    ("load", "Load"),
    ("node", "Node"),
    ("queue", "Queue"),
    ("reject", "Reject"),
    ("run", "Run"),
    ("run_cold", "RunCold"),
    ("run_warm", "RunWarm"),
    ("wait", "Wait"),
    ("warm", "Warm"),
];

/// The words for answers that are none of several.
const OTHERS: [&str; 11] = ["End", "Evict", "Head", "Keep", "Nobody", "None", "Plan", "Rank", "Scale", "Start", "Stay"];

impl CallAnswer {
    /// All words by which answers are told.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> + Clone {
        VARIANTS.iter().map(|(_, word)| *word).chain(OTHERS)
    }

    /// The word that is meant, written as here or as in the log of decisions: `RunWarm` or `run_warm`.
    pub(crate) fn word_of(text: &str) -> Option<&'static str> {
        let letters = |text: &str| text.replace('_', "").to_lowercase();
        Self::words().find(|word| letters(word) == letters(text))
    }

    fn word(word: &'static str) -> Self {
        Self { word, nodes: Vec::new(), items: Vec::new(), time: None, count: None, reason: None }
    }

    fn of_nodes(word: &'static str, nodes: Vec<u32>) -> Self {
        Self { nodes, ..Self::word(word) }
    }

    fn counted(word: &'static str, what: &'static str, count: u64) -> Self {
        Self { count: Some((what, count)), ..Self::word(word) }
    }

    /// One of several: its word, and what it names.
    fn variant(answer: &Value) -> Option<Self> {
        let (word, named) = variant(answer)?;
        let nodes = match named.get("nodes") {
            Some(nodes) => nodes_in(nodes),
            None => number(named.get("node").or((word == "Node").then_some(named))).into_iter().collect(),
        };
        let items = number(named.get("container")).into_iter().collect();
        let until = named.get("until").and_then(Value::as_u64).map(|date| ("until", date));
        let delay = named.as_u64().filter(|_| word == "Delay").map(|time| ("for", time));
        let reason = named.as_str().map(str::to_owned);
        Some(Self { nodes, items, time: until.or(delay), reason, ..Self::word(word) })
    }

    fn read(method: &str, answer: &Value) -> Option<Self> {
        let whole = |name: &str| answer.get(name).and_then(Value::as_u64);
        Some(match method {
            "place" | "admit" => Self::variant(answer)?,
            "plan" => {
                let items = answer.as_array()?;
                let named = items.iter().filter_map(variant).filter_map(|(_, item)| number(item.get("node")));
                let word = if items.is_empty() { "Wait" } else { "Plan" };
                Self { nodes: named.collect(), ..Self::counted(word, "decisions", items.len() as u64) }
            }
            "shed" => match answer.get("reason").and_then(Value::as_str) {
                Some(reason) => Self { reason: Some(reason.to_owned()), ..Self::word("Reject") },
                None => Self::word("Nobody"),
            },
            "rank" => Self::counted("Rank", "rank", answer.as_u64().unwrap_or(u64::MAX)),
            "source" => match number(Some(answer)) {
                Some(node) => Self::of_nodes("Node", vec![node]),
                None => Self::word("Head"),
            },
            "on_idle" => match whole("keep_for") {
                Some(0) => Self::word("End"),
                time => Self { time: time.map(|time| ("for", time)), ..Self::word("Keep") },
            },
            "prewarm" => match whole("after") {
                Some(time) => Self { time: Some(("after", time)), ..Self::word("Start") },
                None => Self::word("None"),
            },
            "choose" => {
                let goes = |offer: &Value| {
                    let id = number(offer.get("offer").or_else(|| offer.get("also")));
                    id.filter(|_| offer.get("heard").is_some_and(|heard| heard != "pinned" && *heard != false))
                };
                Self { items: answer.as_array()?.iter().filter_map(goes).collect(), ..Self::word("Evict") }
            }
            "scale" => Self::counted("Scale", "instances", whole("wanted").unwrap_or(u64::from(u32::MAX))),
            "scale_pool" => {
                let (boot, remove) = (whole("boot")?, answer.get("remove").map(nodes_in).unwrap_or_default());
                let word = if boot == 0 && remove.is_empty() { "Stay" } else { "Scale" };
                Self { nodes: remove, ..Self::counted(word, "boot", boot) }
            }
            _ => return None,
        })
    }
}

fn number(value: Option<&Value>) -> Option<u32> {
    value?.as_u64()?.try_into().ok()
}

fn nodes_in(list: &Value) -> Vec<u32> {
    list.as_array().into_iter().flatten().filter_map(|node| number(Some(node))).collect()
}

/// The variant that an answer is, and what it names.
fn variant(answer: &Value) -> Option<(&'static str, &Value)> {
    let (written, named) = match answer {
        Value::String(word) => (word.as_str(), &Value::Null),
        Value::Object(of) => of.iter().next().map(|(word, named)| (word.as_str(), named))?,
        _ => return None,
    };
    VARIANTS.iter().find(|(of, _)| *of == written).map(|(_, word)| (*word, named))
}

impl Decision {
    /// What was answered; nothing for a call without an answer, or an answer that decides nothing.
    ///
    /// ```
    /// use hearth_serverless::decisions::Decision;
    /// let line = r#"{"call":7,"date_ns":0,"slot":"node_allocation","method":"place","answer":{"warm":{"node":3,"container":1}}}"#;
    /// let decision: Decision = serde_json::from_str(line)?;
    /// let told = decision.told().ok_or("it has an answer")?;
    /// assert_eq!((told.word, told.nodes, told.items), ("Warm", vec![3], vec![1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn told(&self) -> Option<CallAnswer> {
        match &self.failed {
            Some(cause) => Some(CallAnswer { reason: Some(cause.clone()), ..CallAnswer::word("Failed") }),
            None => CallAnswer::read(&self.method, &self.answer),
        }
    }

    /// Whether an answer is told by this word; of a plan for several, whether one of them is.
    pub(crate) fn is_told_by(&self, word: &str) -> bool {
        let in_plan = |items: &Vec<Value>| items.iter().filter_map(variant).any(|(of, _)| of == word);
        self.told().is_some_and(|told| told.word == word) || self.answer.as_array().is_some_and(in_plan)
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::{
        AdmissionDecision, NONE, Offer, Placement, PlanItem, PoolScale, Prewarming, Retention, Scale, Shed,
    };

    use super::super::answer::{Answered, Offered};
    use super::*;

    fn told(method: &str, answer: &impl Answered) -> CallAnswer {
        CallAnswer::read(method, &answer.written()).unwrap()
    }

    #[test]
    fn every_answer_is_told_as_it_was_given() {
        let word = CallAnswer::word;
        let nodes = CallAnswer::of_nodes;
        let until = |date, of| CallAnswer { time: Some(("until", date)), ..of };
        let because = |of| CallAnswer { reason: Some("full".to_owned()), ..of };
        let place = |placement| told("place", &placement);
        assert_eq!(place(Placement::Node(3)), nodes("Node", vec![3]));
        assert_eq!(place(Placement::Wait), word("Wait"));
        assert_eq!(place(Placement::Reject("full".to_owned())), because(word("Reject")));
        assert_eq!(place(Placement::Busy { node: 2, until: 9 }), until(9, nodes("Busy", vec![2])));
        assert_eq!(place(Placement::Busy { node: NONE, until: u64::MAX }), word("Busy"));
        let queue = Placement::Queue { nodes: [4, 1].into_iter().collect(), until: 7 };
        assert_eq!(place(queue), until(7, nodes("Queue", vec![4, 1])));
        let warm = CallAnswer { items: vec![5], ..nodes("Warm", vec![1]) };
        assert_eq!(place(Placement::Warm { node: 1, container: 5 }), warm);
        assert_eq!(place(Placement::Cold { node: 0 }), nodes("Cold", vec![0]));
        let admit = |decision| told("admit", &decision);
        assert_eq!(admit(AdmissionDecision::Admit), word("Admit"));
        assert_eq!(admit(AdmissionDecision::Delay(8)), CallAnswer { time: Some(("for", 8)), ..word("Delay") });
        assert_eq!(admit(AdmissionDecision::Reject("full".to_owned())), because(word("Reject")));
        assert_eq!(told("shed", &None::<Shed>), word("Nobody"));
        assert_eq!(told("shed", &Some(Shed { head: 0, reason: "full".to_owned() })), because(word("Reject")));
        assert_eq!(told("rank", &7_u64), CallAnswer::counted("Rank", "rank", 7));
        assert_eq!(told("rank", &u64::MAX), CallAnswer::counted("Rank", "rank", u64::MAX));
        assert_eq!(told("source", &2_u32), nodes("Node", vec![2]));
        assert_eq!(told("source", &NONE), word("Head"));
        assert_eq!(told("on_idle", &Retention { keep_for: 0 }), word("End"));
        assert_eq!(told("on_idle", &Retention { keep_for: u64::MAX }), word("Keep"));
        let keep = CallAnswer { time: Some(("for", 5)), ..word("Keep") };
        assert_eq!(told("on_idle", &Retention { keep_for: 5 }), keep);
        let start = CallAnswer { time: Some(("after", 5)), ..word("Start") };
        assert_eq!(told("prewarm", &Prewarming { after: 5, keep_for: 1 }), start);
        assert_eq!(told("prewarm", &Prewarming { after: u64::MAX, keep_for: 1 }), word("None"));
        assert_eq!(told("scale", &Scale { wanted: 4 }), CallAnswer::counted("Scale", "instances", 4));
        assert_eq!(told("scale_pool", &PoolScale::default()), CallAnswer::counted("Stay", "boot", 0));
        let down = PoolScale { boot: 0, remove: [6].into_iter().collect() };
        assert_eq!(told("scale_pool", &down).nodes, [6]);
        let offered = [
            Offered::Victim(1, Offer::Pinned),
            Offered::Victim(2, Offer::Accepted),
            Offered::Victim(3, Offer::Enough),
            Offered::Also(4, false),
            Offered::Also(5, true),
        ];
        assert_eq!(told("choose", &offered.to_vec()), CallAnswer { items: vec![2, 3, 5], ..word("Evict") });
        assert_eq!(told("plan", &Vec::<PlanItem>::new()), CallAnswer::counted("Wait", "decisions", 0));
        let plan = vec![PlanItem::RunWarm { request: 0, node: 1, container: 2 }, PlanItem::Load { image: 0, node: 3 }];
        assert_eq!(
            told("plan", &plan),
            CallAnswer { nodes: vec![1, 3], ..CallAnswer::counted("Plan", "decisions", 2) }
        );
    }

    #[test]
    fn a_plan_is_told_by_the_words_of_its_items_too() {
        let plan = vec![PlanItem::RunWarm { request: 0, node: 1, container: 2 }, PlanItem::Load { image: 0, node: 3 }];
        let line = r#"{"call":7,"date_ns":0,"slot":"node_allocation","method":"plan"}"#;
        let decision = Decision { answer: plan.written(), ..serde_json::from_str(line).unwrap() };
        let words = ["run_warm", "Load", "plan", "Run", "wait"].map(|text| CallAnswer::word_of(text).unwrap());
        assert_eq!(words.map(|word| decision.is_told_by(word)), [true, true, true, false, false]);
        assert_eq!(CallAnswer::word_of("perhaps"), None);
    }
}
