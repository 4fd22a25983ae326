//! What policies answer and ask for, as it is written.

use hearth_policy_api::boundary::{Order, VictimSink};
use hearth_policy_api::{
    AdmissionDecision, AdmissionRules, AllocationRules, AutoscalingRules, Commitment, EvictionRules, KeepAliveRules,
    NONE, Offer, Placement, PlanItem, PoolScale, Prewarming, Retention, Scale, Shed,
};
use serde_json::{Map, Value, json};

/// What can be written of an answer; null stands for no answer.
pub(crate) trait Answered {
    /// Whether anything is answered at all.
    const IS_ANSWER: bool = true;

    fn written(&self) -> Value;
}

/// The greatest number of its type is none.
fn date(nanos: u64) -> Value {
    json!((nanos != u64::MAX).then_some(nanos))
}

fn node(number: u32) -> Value {
    json!((number != NONE).then_some(number))
}

impl Answered for () {
    const IS_ANSWER: bool = false;

    fn written(&self) -> Value {
        Value::Null
    }
}

impl Answered for Placement {
    fn written(&self) -> Value {
        match self {
            Self::Node(node) => json!({ "node": node }),
            Self::Wait => json!("wait"),
            Self::Reject(reason) => json!({ "reject": reason }),
            Self::Busy { node: at, until } => json!({"busy": {"node": node(*at), "until": date(*until)}}),
            Self::Queue { nodes, until } => json!({"queue": {"nodes": nodes[..], "until": date(*until)}}),
            Self::Warm { node, container } => json!({"warm": {"node": node, "container": container}}),
            Self::Cold { node } => json!({"cold": {"node": node}}),
        }
    }
}

impl Answered for Vec<PlanItem> {
    fn written(&self) -> Value {
        let item = |item: &PlanItem| match item {
            PlanItem::Run { request, node } => json!({"run": {"request": request, "node": node}}),
            PlanItem::RunWarm { request, node, container } => {
                json!({"run_warm": {"request": request, "node": node, "container": container}})
            }
            PlanItem::RunCold { request, node } => json!({"run_cold": {"request": request, "node": node}}),
            PlanItem::Load { image, node } => json!({"load": {"image": image, "node": node}}),
            PlanItem::Copy { image, node } => json!({"copy": {"image": image, "node": node}}),
        };
        self.iter().map(item).collect()
    }
}

impl Answered for u64 {
    fn written(&self) -> Value {
        date(*self)
    }
}

impl Answered for u32 {
    fn written(&self) -> Value {
        node(*self)
    }
}

impl Answered for Option<Shed> {
    fn written(&self) -> Value {
        self.as_ref().map_or(json!("nobody"), |shed| json!({"head": shed.head, "reason": shed.reason}))
    }
}

impl Answered for AdmissionDecision {
    fn written(&self) -> Value {
        match self {
            Self::Admit => json!("admit"),
            Self::Delay(delay) => json!({"delay": date(*delay)}),
            Self::Reject(reason) => json!({ "reject": reason }),
        }
    }
}

impl Answered for Retention {
    fn written(&self) -> Value {
        json!({"keep_for": date(self.keep_for)})
    }
}

impl Answered for Prewarming {
    fn written(&self) -> Value {
        json!({"after": date(self.after), "keep_for": date(self.keep_for)})
    }
}

impl Answered for Scale {
    fn written(&self) -> Value {
        json!({"wanted": node(self.wanted)})
    }
}

impl Answered for PoolScale {
    fn written(&self) -> Value {
        json!({"boot": self.boot, "remove": self.remove[..]})
    }
}

/// The rules that hold, by name; those that are as ever are left out.
fn rules(rules: &[(&str, bool)]) -> Map<String, Value> {
    rules.iter().filter(|(_, holds)| *holds).map(|(name, _)| ((*name).to_owned(), json!(true))).collect()
}

macro_rules! flags {
    ($rules:expr, $type:ident { $($flag:ident),* $(; $other:ident)? }) => {{
        // Does not compile when one is missing.
        let $type { $($flag,)* $($other: _)? } = *$rules;
        rules(&[$((stringify!($flag), $flag)),*])
    }};
}

impl Answered for AllocationRules {
    fn written(&self) -> Value {
        let mut rules = flags!(self, AllocationRules {
            observes, observes_ends, ranks, answers_hold, sees_history, sheds, observes_containers, hedges, sees_workflows,
            chooses_sources, queues; commitment
        });
        if self.commitment == Commitment::PerRound {
            rules.insert("per_round".to_owned(), json!(true));
        }
        Value::Object(rules)
    }
}

impl Answered for EvictionRules {
    fn written(&self) -> Value {
        Value::Object(flags!(self, EvictionRules { observes_containers, hears_late }))
    }
}

impl Answered for AdmissionRules {
    fn written(&self) -> Value {
        Value::Object(flags!(
            self,
            AdmissionRules { observes_ends, admits_all, sees_history, observes_containers, sees_workflows }
        ))
    }
}

impl Answered for KeepAliveRules {
    fn written(&self) -> Value {
        Value::Object(flags!(
            self,
            KeepAliveRules { observes_arrivals, sees_history, observes_containers, sees_workflows }
        ))
    }
}

impl Answered for AutoscalingRules {
    fn written(&self) -> Value {
        let mut rules = flags!(self, AutoscalingRules { asked_on_requests, observes_containers, scales_pools; period });
        rules.insert("period".to_owned(), date(self.period));
        Value::Object(rules)
    }
}

/// What an eviction policy has offered, and what it has heard of each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Offered {
    /// A victim.
    Victim(u32, Offer),
    /// One more than is needed, and whether it goes.
    Also(u32, bool),
}

impl Answered for Vec<Offered> {
    fn written(&self) -> Value {
        let offer = |offered: &Offered| match offered {
            Offered::Victim(id, heard) => json!({"offer": id, "heard": word(*heard)}),
            Offered::Also(id, goes) => json!({"also": id, "heard": goes}),
        };
        self.iter().map(offer).collect()
    }
}

fn word(offer: Offer) -> &'static str {
    match offer {
        Offer::Accepted => "accepted",
        Offer::Pinned => "pinned",
        Offer::Enough => "enough",
    }
}

impl Offered {
    /// What was written; nothing where it is nothing of the kind.
    pub fn read(value: &Value) -> Option<Self> {
        let id = |name: &str| u32::try_from(value.get(name)?.as_u64()?).ok();
        let heard = value.get("heard")?;
        if let Some(id) = id("also") {
            return Some(Self::Also(id, heard.as_bool()?));
        }
        let heard = [Offer::Accepted, Offer::Pinned, Offer::Enough].into_iter().find(|of| word(*of) == heard)?;
        Some(Self::Victim(id("offer")?, heard))
    }
}

/// Passes offers on to a sink and notes what it says.
pub(crate) struct Noted<'a, S> {
    pub sink: &'a mut S,
    pub offered: Vec<Offered>,
}

impl<S: VictimSink> VictimSink for Noted<'_, S> {
    fn offer(&mut self, id: u32) -> Offer {
        let heard = self.sink.offer(id);
        self.offered.push(Offered::Victim(id, heard));
        heard
    }

    fn also(&mut self, id: u32) -> bool {
        let goes = self.sink.also(id);
        self.offered.push(Offered::Also(id, goes));
        goes
    }
}

/// What an instance asks for besides answering.
pub(crate) fn order(order: &Order) -> Value {
    match *order {
        Order::WakeAt { timer, date: at } => json!({"wake_at": {"timer": date(timer), "date": date(at)}}),
        Order::StartContainers { function, node: on, count, keep_for } => json!({"start_containers":
            {"function": function, "node": node(on), "count": count, "keep_for": date(keep_for)}}),
        Order::EndContainers { function, node: on, count } => {
            json!({"end_containers": {"function": function, "node": node(on), "count": node(count)}})
        }
        Order::KeepBetween { function, floor, ceiling } => {
            json!({"keep_between": {"function": function, "floor": floor, "ceiling": node(ceiling)}})
        }
        Order::Hedge { key } => json!({"hedge": {"key": key}}),
        Order::SetRank { key, rank } => json!({"set_rank": {"key": key, "rank": date(rank)}}),
        Order::TakeBack { key } => json!({"take_back": {"key": key}}),
    }
}
