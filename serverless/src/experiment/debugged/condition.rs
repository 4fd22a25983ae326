//! When a simulation is to be stopped, as text: a small language, whose errors say where they are.

use std::fmt;

use hearth_policy_api::PolicySlot;
use hearth_simcore::time::SimDuration;
use hearth_simcore::units::{self, Dimension};

use crate::decisions::CallAnswer;
use crate::invocation::Outcome;
use crate::results::About;
use crate::service::{NodeCondition, Quantity};

/// What must be so for a simulation to be stopped after an event.
///
/// ```text
/// condition  = all { "or" all }
/// all        = one { "and" one }
/// one        = "not" one | "(" condition ")" | state | happening
/// state      = QUANTITY comparison NUMBER            as in  queue > 100
///            | "node" NAME ("up" | "down" | "draining")
///            | "invocation" NUMBER ("requested" | "submitted" | "dispatched" | "started" | "ended")
/// happening  = ("cold" | "warm") "start" [of]        a container starts for an invocation, or an idle one takes one in
///            | "eviction" [of] ["on" NAME]           an idle container goes to make room
///            | "latency" comparison TIME [of]        an invocation has ended that took so long
///            | ("completed" | "failed" | "timed_out" | "lost" | "rejected") [of]     one has ended so
///            | "policy" [SLOT] "answered" WORD       as in  policy node_allocation answered Wait, or wait
/// of         = "of" FUNCTION
/// comparison = "<" | "<=" | "=" | "!=" | ">=" | ">"
/// QUANTITY   = queue | running | bound | free_cores | containers | idle | nodes_up | requests | ended
///            | cold_starts | warm_starts
/// ```
///
/// States hold or do not after each event; what happens holds after the event in which it did. Names with spaces stand in double
/// quotes.
///
/// ```
/// use hearth_serverless::experiment::{About, Condition};
/// # let about = About { name: "".into(), seed: 0, functions: vec!["resize".into()], nodes: vec!["node-0".into()], policies: vec![] };
/// assert!(Condition::parse("queue > 100 or cold start of resize and not node node-0 down", &about).is_ok());
/// let error = Condition::parse("queue > many", &about).unwrap_err();
/// assert_eq!((error.at, error.to_string().as_str()), (8, r#"found "many", expected a number"#));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    text: String,
    pub(super) root: Node,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong with a condition, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct ConditionError {
    /// The byte of the text at which it is.
    pub at: usize,
    /// What is wrong.
    pub problem: String,
}

/// How a number is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

impl Comparison {
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::AtLeast => left >= right,
            Self::More => left > right,
        }
    }
}

/// How far an invocation has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Milestone {
    Requested,
    Submitted,
    Dispatched,
    Started,
    Ended,
}

/// A part of a condition.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
    Measured(Quantity, Comparison, u64),
    Stands(u32, NodeCondition),
    Invocation(u64, Milestone),
    Start {
        is_cold: bool,
        function: Option<u32>,
    },
    Eviction {
        function: Option<u32>,
        node: Option<u32>,
    },
    /// In ns.
    Latency(Comparison, u64, Option<u32>),
    EndedAs(Outcome, Option<u32>),
    Answered(Option<PolicySlot>, &'static str),
}

/// What begins a condition, for who has misspelt it.
const BEGINS: [&str; 13] = [
    "not",
    "node",
    "invocation",
    "cold",
    "warm",
    "eviction",
    "latency",
    "policy",
    "completed",
    "failed",
    "timed_out",
    "lost",
    "rejected",
];

impl Condition {
    /// Reads a condition about a scenario, whose functions and nodes it may name.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str, about: &About) -> Result<Self, ConditionError> {
        let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len(), about };
        let root = parser.any()?;
        match parser.peek() {
            None => Ok(Self { text: text.trim().to_owned(), root }),
            Some(_) => Err(parser.unexpected("\"and\", \"or\" or the end")),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
struct Token {
    at: usize,
    text: String,
    is_quoted: bool,
}

const SIGNS: &str = "<>=!";

fn tokens(text: &str) -> Result<Vec<Token>, ConditionError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let length = if first == '"' {
            let Some(length) = rest.get(1..).and_then(|after| after.find('"')) else {
                return Err(ConditionError { at, problem: "the name has no closing quote".to_owned() });
            };
            let name = rest.get(1..=length).unwrap_or_default().to_owned();
            tokens.push(Token { at, text: name, is_quoted: true });
            length + 2
        } else {
            let length = if first == '(' || first == ')' {
                1
            } else if SIGNS.contains(first) {
                rest.find(|letter| !SIGNS.contains(letter)).unwrap_or(rest.len())
            } else {
                let ends = |letter: char| letter.is_whitespace() || "()\"".contains(letter) || SIGNS.contains(letter);
                rest.find(ends).unwrap_or(rest.len())
            };
            tokens.push(Token { at, text: rest.get(..length).unwrap_or_default().to_owned(), is_quoted: false });
            length
        };
        rest = rest.get(length..).unwrap_or_default();
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    about: &'a About,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    fn unexpected(&self, expected: &str) -> ConditionError {
        let found = self.peek().map_or("the end".to_owned(), |token| format!("{:?}", token.text));
        ConditionError { at: self.at(), problem: format!("found {found}, expected {expected}") }
    }

    /// Takes the next word, if it is this one.
    fn takes(&mut self, word: &str) -> bool {
        let is_it = self.peek().is_some_and(|token| !token.is_quoted && token.text == word);
        self.next += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, word: &str) -> Result<(), ConditionError> {
        if self.takes(word) { Ok(()) } else { Err(self.unexpected(&format!("{word:?}"))) }
    }

    fn any(&mut self) -> Result<Node, ConditionError> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Node::Any))
    }

    fn all(&mut self) -> Result<Node, ConditionError> {
        let mut parts = vec![self.one()?];
        while self.takes("and") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Node::All))
    }

    fn one(&mut self) -> Result<Node, ConditionError> {
        if self.takes("not") {
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inner = self.any()?;
            self.expect(")")?;
            return Ok(inner);
        }
        for (word, is_cold) in [("cold", true), ("warm", false)] {
            if self.takes(word) {
                self.expect("start")?;
                return Ok(Node::Start { is_cold, function: self.of_function()? });
            }
        }
        if self.takes("eviction") {
            let function = self.of_function()?;
            let node = if self.takes("on") { Some(self.node()?) } else { None };
            return Ok(Node::Eviction { function, node });
        }
        if self.takes("latency") {
            let (comparison, time) = (self.comparison()?, self.time()?);
            return Ok(Node::Latency(comparison, time, self.of_function()?));
        }
        if self.takes("node") {
            let node = self.node()?;
            let conditions = [NodeCondition::Up, NodeCondition::Down, NodeCondition::Draining];
            let condition = conditions.into_iter().find(|condition| self.takes(condition.as_str()));
            return condition
                .map(|condition| Node::Stands(node, condition))
                .ok_or_else(|| self.unexpected("\"up\", \"down\" or \"draining\""));
        }
        if self.takes("invocation") {
            return self.invocation();
        }
        if self.takes("policy") {
            return self.answered();
        }
        let ended = [Outcome::Completed, Outcome::Failed, Outcome::TimedOut, Outcome::Lost, Outcome::Rejected];
        if let Some(outcome) = ended.into_iter().find(|outcome| self.takes(outcome.as_str())) {
            return Ok(Node::EndedAs(outcome, self.of_function()?));
        }
        if let Some(quantity) = Quantity::ALL.into_iter().find(|quantity| self.takes(quantity.name())) {
            let comparison = self.comparison()?;
            return Ok(Node::Measured(quantity, comparison, self.number()?));
        }
        let quantities = Quantity::ALL.map(Quantity::name);
        let known = BEGINS.iter().copied().chain(quantities);
        let found = self.peek().map_or("", |token| token.text.as_str());
        let meant = crate::scenario::did_you_mean(found, known);
        let list = BEGINS.iter().copied().chain(quantities).collect::<Vec<_>>().join(", ");
        Err(self.unexpected(&format!(
            "a condition{}",
            if meant.is_empty() { format!(", which begins with one of {list}") } else { meant }
        )))
    }

    fn invocation(&mut self) -> Result<Node, ConditionError> {
        let number = self.number()?;
        let milestones = [
            ("requested", Milestone::Requested),
            ("submitted", Milestone::Submitted),
            ("dispatched", Milestone::Dispatched),
            ("started", Milestone::Started),
            ("ended", Milestone::Ended),
        ];
        let found = milestones.into_iter().find(|(word, _)| self.takes(word));
        let expected = "one of \"requested\", \"submitted\", \"dispatched\", \"started\", \"ended\"";
        found.map(|(_, milestone)| Node::Invocation(number, milestone)).ok_or_else(|| self.unexpected(expected))
    }

    fn answered(&mut self) -> Result<Node, ConditionError> {
        let slot = if self.takes("answered") {
            None
        } else {
            let slot = PolicySlot::ALL.into_iter().find(|slot| self.takes(slot.path()));
            if slot.is_none() {
                let slots = PolicySlot::ALL.map(PolicySlot::path).join(", ");
                return Err(self.unexpected(&format!("\"answered\" or a slot: {slots}")));
            }
            self.expect("answered")?;
            slot
        };
        let word = self.peek().and_then(|token| CallAnswer::word_of(&token.text));
        let Some(word) = word else {
            let mut words: Vec<&str> = CallAnswer::words().collect();
            words.sort_unstable();
            return Err(self.unexpected(&format!("an answer: {}", words.join(", "))));
        };
        self.next += 1;
        Ok(Node::Answered(slot, word))
    }

    fn of_function(&mut self) -> Result<Option<u32>, ConditionError> {
        if !self.takes("of") {
            return Ok(None);
        }
        let about = self.about;
        self.name("function", &about.functions).map(Some)
    }

    fn node(&mut self) -> Result<u32, ConditionError> {
        let about = self.about;
        self.name("node", &about.nodes)
    }

    fn name(&mut self, what: &str, names: &[String]) -> Result<u32, ConditionError> {
        let Some(token) = self.peek() else { return Err(self.unexpected(&format!("the name of a {what}"))) };
        let Some(position) = names.iter().position(|name| *name == token.text) else {
            let meant = crate::scenario::did_you_mean(&token.text, names.iter().map(String::as_str));
            let problem = format!("there is no {what} {:?}{meant}", token.text);
            return Err(ConditionError { at: token.at, problem });
        };
        self.next += 1;
        Ok(position as u32)
    }

    fn comparison(&mut self) -> Result<Comparison, ConditionError> {
        let comparisons = [
            ("<", Comparison::Less),
            ("<=", Comparison::AtMost),
            ("=", Comparison::Equal),
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            (">=", Comparison::AtLeast),
            (">", Comparison::More),
        ];
        let found = comparisons.into_iter().find(|(sign, _)| self.takes(sign));
        found.map(|(_, comparison)| comparison).ok_or_else(|| self.unexpected("one of <, <=, =, !=, >=, >"))
    }

    fn number(&mut self) -> Result<u64, ConditionError> {
        let number = self.peek().filter(|token| !token.is_quoted).and_then(|token| token.text.parse().ok());
        let number = number.ok_or_else(|| self.unexpected("a number"))?;
        self.next += 1;
        Ok(number)
    }

    fn time(&mut self) -> Result<u64, ConditionError> {
        let text = self.peek().map_or(String::new(), |token| token.text.clone());
        let seconds = units::parse(&text, Dimension::Time).ok().filter(|seconds| *seconds >= 0.0);
        let seconds = seconds.ok_or_else(|| self.unexpected("a time, in seconds or with a unit, as in 500ms"))?;
        self.next += 1;
        Ok(SimDuration::from_secs_f64(seconds).as_nanos())
    }
}

fn one_or(mut parts: Vec<Node>, several: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            several(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Node, (usize, String)> {
        let functions = vec!["f".to_owned(), "two words".to_owned()];
        let nodes = vec!["node-0".to_owned(), "node-1".to_owned()];
        let about = About { name: String::new(), seed: 0, functions, nodes, policies: Vec::new() };
        Condition::parse(text, &about).map(|it| it.root).map_err(|error| (error.at, error.problem))
    }

    #[test]
    fn each_kind_is_read() {
        let queue = |comparison, number| Node::Measured(Quantity::Queue, comparison, number);
        assert_eq!(parse("queue>100"), Ok(queue(Comparison::More, 100)));
        assert_eq!(parse(" free_cores <= 0 "), Ok(Node::Measured(Quantity::FreeCores, Comparison::AtMost, 0)));
        assert_eq!(parse("cold start"), Ok(Node::Start { is_cold: true, function: None }));
        assert_eq!(parse("warm start of \"two words\""), Ok(Node::Start { is_cold: false, function: Some(1) }));
        assert_eq!(parse("eviction of f on node-1"), Ok(Node::Eviction { function: Some(0), node: Some(1) }));
        assert_eq!(parse("latency >= 1.5ms of f"), Ok(Node::Latency(Comparison::AtLeast, 1_500_000, Some(0))));
        assert_eq!(parse("node node-1 down"), Ok(Node::Stands(1, NodeCondition::Down)));
        assert_eq!(parse("invocation 17 started"), Ok(Node::Invocation(17, Milestone::Started)));
        assert_eq!(parse("policy answered wait"), Ok(Node::Answered(None, "Wait")));
        let slot = Some(PolicySlot::Containers);
        assert_eq!(parse("policy eviction.containers answered Evict"), Ok(Node::Answered(slot, "Evict")));
        assert_eq!(parse("policy answered run_warm"), parse("policy answered RunWarm"));
        assert_eq!(parse("timed_out of f"), Ok(Node::EndedAs(Outcome::TimedOut, Some(0))));
    }

    #[test]
    fn numbers_are_compared_as_the_signs_say() {
        let holds = |sign: &str| {
            let Ok(Node::Measured(_, comparison, _)) = parse(&format!("queue {sign} 2")) else { panic!("{sign}") };
            [1, 2, 3].map(|left| comparison.holds(left, 2))
        };
        assert_eq!((holds("<"), holds("<=")), ([true, false, false], [true, true, false]));
        assert_eq!(
            (holds("="), holds("=="), holds("!=")),
            ([false, true, false], [false, true, false], [true, false, true])
        );
        assert_eq!((holds(">="), holds(">")), ([false, true, true], [false, false, true]));
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let cold = || Node::Start { is_cold: true, function: None };
        let queue = || Node::Measured(Quantity::Queue, Comparison::Equal, 1);
        let not = |node| Node::Not(Box::new(node));
        let expected = Node::Any(vec![cold(), Node::All(vec![not(queue()), cold()])]);
        assert_eq!(parse("cold start or not queue = 1 and cold start"), Ok(expected));
        let expected = Node::All(vec![Node::Any(vec![cold(), queue()]), not(Node::Any(vec![cold(), cold()]))]);
        assert_eq!(parse("(cold start or queue==1) and not (cold start or cold start)"), Ok(expected));
    }

    #[test]
    fn an_error_says_where_and_what_was_expected() {
        let wrong = |text: &str| parse(text).unwrap_err();
        assert_eq!(wrong("queue > x"), (8, "found \"x\", expected a number".to_owned()));
        assert_eq!(wrong("queue"), (5, "found the end, expected one of <, <=, =, !=, >=, >".to_owned()));
        assert_eq!(wrong("queue => 1").0, 6);
        assert_eq!(wrong("qeue > 1"), (0, "found \"qeue\", expected a condition: did you mean \"queue\"?".to_owned()));
        assert_eq!(wrong("cold start of g"), (14, "there is no function \"g\"".to_owned()));
        assert_eq!(wrong("node node-7 up"), (5, "there is no node \"node-7\": did you mean \"node-0\"?".to_owned()));
        assert_eq!(wrong("(cold start"), (11, "found the end, expected \")\"".to_owned()));
        assert_eq!(wrong("cold start cold start").0, 11);
        assert_eq!(wrong("eviction of \"f"), (12, "the name has no closing quote".to_owned()));
        assert_eq!(wrong("latency > -1").0, 10);
        assert_eq!(wrong("policy nobody answered Wait").0, 7);
        assert_eq!(wrong("policy answered Perhaps").0, 16);
        assert_eq!(wrong("invocation 1 sleeps").0, 13);
        assert_eq!(wrong("").0, 0);
        assert_eq!(wrong("é > 1").0, 0);
    }
}
