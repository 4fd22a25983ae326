//! What would have been without something that happened: which thing that is, and two runs side by side.

use std::fmt::Write;
use std::sync::mpsc::{Receiver, Sender, channel};

use hearth_serverless::causes::{Cause, ContainerEnd, Parts, Sought, Undone};
use hearth_serverless::experiment::{About, Results};
use hearth_serverless::function::FunctionId;
use hearth_serverless::invocation::InvocationRecord;
use hearth_serverless::results::{FaultBegun, RecordSink, SinkError, Story, Unit};
use hearth_simcore::time::{SimDuration, SimTime};
use hearth_simcore::units::{self, Dimension};
use serde_json::{Value, json};

use crate::error::CommandError;

/// What `--without` names.
#[derive(Clone, PartialEq, Debug)]
pub enum Named {
    /// The end of the container that the invocation would have had.
    ColdStart,
    /// The end of a container of a function.
    End { function: String, node: Option<String>, at: Date },
    /// A fault on a host or link.
    Fault { on: String, at: Date },
    /// A call of a policy, by its number.
    Call(u64),
}

/// What the parts of a latency are looked at for that are to be won.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// The start of a container.
    Start,
    /// What is by faults.
    Faults,
    /// Nothing is claimed of a decision.
    Nothing,
}

/// A date as people name it, up to the last digit or unit that they give.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Date {
    from: SimTime,
    to: SimTime,
}

const FORMS: &str = "expected the number of a call in a log of decisions, cold-start, \"eviction of FUNCTION on NODE at DATE\" (or expiry, \
                     or end; without a node on any), or \"fault on HOST-OR-LINK at DATE\"; dates as in 725.5s, 12min, 12:05 or 12:05:30";

impl Named {
    /// Reads what is named.
    ///
    /// # Errors
    /// When it is nothing of the kind.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "cold-start" || text == "cold start" {
            return Ok(Self::ColdStart);
        }
        let wrong = || format!("{text:?}: {FORMS}");
        let number = text.strip_prefix("call ").unwrap_or(text);
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return number.parse().map(Self::Call).map_err(|_| wrong());
        }
        let (what, at) = text.rsplit_once(" at ").ok_or_else(wrong)?;
        let at = Date::parse(at.trim()).map_err(|problem| format!("{text:?}: {problem}"))?;
        if let Some(on) = what.strip_prefix("fault on ").or_else(|| what.strip_prefix("fault of ")) {
            return Ok(Self::Fault { on: on.trim().to_owned(), at });
        }
        let of = ["eviction of ", "expiry of ", "end of "].into_iter().find_map(|head| what.strip_prefix(head));
        let of = of.ok_or_else(wrong)?;
        let (function, node) = match of.rsplit_once(" on ") {
            Some((function, node)) => (function, Some(node.trim().to_owned())),
            None => (of, None),
        };
        Ok(Self::End { function: function.trim().to_owned(), node, at })
    }

    /// Which ends of containers are looked for, if any are.
    ///
    /// # Errors
    /// When there is no function or node of that name.
    pub fn sought(&self, about: &About) -> Result<Option<Sought>, CommandError> {
        let Self::End { function, node, at } = self else { return Ok(None) };
        let position = |names: &[String], what: &str, name: &str| {
            let position = names.iter().position(|other| other == name);
            let unknown = || CommandError::Usage(format!("--without: there is no {what} {name:?}"));
            position.and_then(|position| u32::try_from(position).ok()).ok_or_else(unknown)
        };
        let function = position(&about.functions, "function", function)?;
        let node = node.as_ref().map(|node| position(&about.nodes, "node", node)).transpose()?;
        Ok(Some(Sought { function, node, from: at.from, to: at.to }))
    }

    /// What is to happen otherwise, after a run in which it was looked for.
    ///
    /// # Errors
    /// When there was no such thing, or several.
    pub fn undone(&self, results: &Results) -> Result<(Undone, String), CommandError> {
        let about = &results.about;
        match self {
            Self::Call(number) => Err(none(format!("call {number} is no end of a container"))),
            Self::ColdStart => {
                let story = results.stories.first();
                let cold = story.and_then(|story| story.record.causes.as_ref()).and_then(|causes| causes.cold_start);
                let Some(cold) = cold else { return Err(none("the invocation had no cold start".to_owned())) };
                let undone = cold.end.and_then(|end| Some((end.undone()?, end)));
                let (undone, end) = undone
                    .ok_or_else(|| none(format!("no container had been taken away from it: {}", cold.cause.note())))?;
                Ok((undone, in_words(&end, about)))
            }
            Self::End { .. } => {
                let by_choice: Vec<(Undone, &ContainerEnd)> =
                    results.found.iter().filter_map(|end| Some((end.undone()?, end))).collect();
                match by_choice.as_slice() {
                    [(undone, end)] => Ok((*undone, in_words(end, about))),
                    [] => Err(none("no container ended so then".to_owned())),
                    several => {
                        let all: Vec<String> = several.iter().take(5).map(|(_, end)| in_words(end, about)).collect();
                        Err(none(format!("{} containers did: say which of: {}", several.len(), all.join("; "))))
                    }
                }
            }
            Self::Fault { on, at } => {
                let faults = results.stories.first().into_iter().flat_map(|story| &story.faults);
                let there: Vec<&FaultBegun> =
                    faults.filter(|fault| fault.name == *on && at.from <= fault.at && fault.at < at.to).collect();
                let words = |fault: &FaultBegun| format!("{} {} at {} s", fault.name, fault.what, fault.at);
                match there.as_slice() {
                    [fault] => Ok((fault.undone(), words(fault))),
                    [] => Err(none(format!("no fault on {on:?} came about then, before the invocation ended"))),
                    several => {
                        let all: Vec<String> = several.iter().take(5).map(|fault| words(fault)).collect();
                        Err(none(format!("{} faults did: say which of: {}", several.len(), all.join("; "))))
                    }
                }
            }
        }
    }
}

/// There is no such thing.
pub fn none(problem: String) -> CommandError {
    CommandError::Usage(format!("--without: {problem}"))
}

fn in_words(end: &ContainerEnd, about: &About) -> String {
    let name = |names: &[String], number: u32| names.get(number as usize).cloned().unwrap_or_default();
    let of = |function: FunctionId| name(&about.functions, function.number());
    let by = end.evicted_for.map_or_else(String::new, |function| format!(" for one of {}", of(function)));
    let how = end.why.name().replace('_', " ");
    format!(
        "the end of a container of {} on {} at {} s ({how}{by})",
        of(end.function),
        name(&about.nodes, end.node),
        end.at
    )
}

impl Date {
    /// Reads a date: seconds, or with a unit, or as hours and minutes.
    fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |part: &str| part.parse::<f64>().ok().filter(|number| *number >= 0.0 && number.is_finite());
        let (from, resolution) = match parts.as_slice() {
            [hours, minutes] => {
                let (hours, minutes) =
                    number(hours).zip(number(minutes)).ok_or_else(|| format!("{text:?} is no date"))?;
                (hours * 3600.0 + minutes * 60.0, 60.0)
            }
            [hours, minutes, seconds] => {
                let all = number(hours).zip(number(minutes)).zip(number(seconds));
                let ((hours, minutes), seconds) = all.ok_or_else(|| format!("{text:?} is no date"))?;
                (hours * 3600.0 + minutes * 60.0 + seconds, 1.0 / 10_f64.powi(decimals(text)))
            }
            _ => {
                let seconds = units::parse(text, Dimension::Time).map_err(|error| error.to_string())?;
                let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == ' ');
                let unit = number(digits).filter(|number| *number > 0.0).map_or(1.0, |number| seconds / number);
                (seconds, unit / 10_f64.powi(decimals(digits)))
            }
        };
        // A date as it is printed elsewhere may be rounded.
        let margin = if resolution < 60.0 { resolution } else { 0.0 };
        let date = |seconds: f64| SimTime::from_secs_f64(seconds.max(0.0));
        Ok(Self { from: date(from - margin), to: date(from + resolution) })
    }
}

/// How many digits there are after the point.
fn decimals(text: &str) -> i32 {
    text.rsplit_once('.').map_or(0, |(_, digits)| i32::try_from(digits.len()).unwrap_or(i32::MAX).min(9))
}

/// The number of an invocation, that of its function, and its latency in nanoseconds.
pub type Latency = (u64, u32, u64);

/// Latencies of all invocations of a run, by number.
#[derive(Debug)]
pub struct Latencies {
    rows: Vec<Latency>,
    handed: Sender<Vec<Latency>>,
}

impl Latencies {
    /// Gathers them, and hands them on when the run has ended.
    pub fn gather() -> (Self, Receiver<Vec<Latency>>) {
        let (handed, receiver) = channel();
        (Self { rows: Vec::new(), handed }, receiver)
    }
}

impl RecordSink for Latencies {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        if let Some((requested, finished)) = record.requested_at.zip(record.finished_at) {
            self.rows.push((record.invocation, record.function.number(), (finished - requested).as_nanos()));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.rows.sort_unstable();
        Ok(self.handed.send(std::mem::take(&mut self.rows))?)
    }
}

/// A run and what its latencies were.
#[derive(Debug)]
pub struct Side {
    /// What came of it.
    pub results: Results,
    /// By number.
    pub latencies: Vec<Latency>,
}

/// Two runs that differ in one thing that happened.
#[derive(Debug)]
pub struct Without {
    /// What did not happen in the second, in words.
    pub what: String,
    /// What it was said to cost.
    pub claim: Claim,
    /// As it was.
    pub before: Side,
    /// Without it.
    pub after: Side,
}

/// One of which the latency is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Changed {
    invocation: u64,
    function: u32,
    before: u64,
    after: u64,
}

impl Changed {
    fn by(self) -> i128 {
        i128::from(self.after) - i128::from(self.before)
    }
}

fn parts_of(story: Option<&Story>) -> Parts {
    story.and_then(|story| story.record.causes.as_ref()).map(|causes| causes.parts.clone()).unwrap_or_default()
}

fn shown(nanos: i128) -> String {
    Unit::Seconds.shown(nanos.unsigned_abs() as f64 / 1e9)
}

fn change(nanos: i128) -> String {
    match nanos {
        0 => "the same".to_owned(),
        1.. => format!("{} more", shown(nanos)),
        _ => format!("{} less", shown(nanos)),
    }
}

impl Without {
    /// What the thing was said to cost: the start of a container, or what is by faults.
    fn claimed(&self) -> SimDuration {
        let parts = parts_of(self.before.results.stories.first());
        // Its image may have been there all the same.
        let of_start = [Cause::ContainerStart, Cause::ContainerStartSharing];
        let of_faults = [
            Cause::HeadDown,
            Cause::SlowNode,
            Cause::DegradedLink,
            Cause::InterruptedTransfer,
            Cause::LostAttempts,
            Cause::RetryPause,
        ];
        let of: &[Cause] = match self.claim {
            Claim::Start => &of_start,
            Claim::Faults => &of_faults,
            Claim::Nothing => &[],
        };
        of.iter().fold(SimDuration::ZERO, |sum, cause| sum + parts.of(*cause))
    }

    /// Those whose latency is another, those that gain most first.
    fn changed(&self) -> Vec<Changed> {
        let mut after = self.after.latencies.iter().peekable();
        let mut changed = Vec::new();
        for &(invocation, function, before) in &self.before.latencies {
            while after.next_if(|(other, ..)| *other < invocation).is_some() {}
            if let Some(&(_, _, now)) = after.next_if(|(other, ..)| *other == invocation)
                && now != before
            {
                changed.push(Changed { invocation, function, before, after: now });
            }
        }
        changed.sort_by_key(|it| (it.by(), it.invocation));
        changed
    }

    /// As text.
    pub fn as_text(&self) -> String {
        let mut text = String::new();
        let stories = (self.before.results.stories.first(), self.after.results.stories.first());
        let (before, after) = (parts_of(stories.0), parts_of(stories.1));
        let by = i128::from(after.sum().as_nanos()) - i128::from(before.sum().as_nanos());
        let number = stories.0.map_or(0, |story| story.record.invocation);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "without {}", self.what);
        let _ = writeln!(
            text,
            "\ninvocation {number}: {} instead of {}, {}",
            shown(after.sum().as_nanos().into()),
            shown(before.sum().as_nanos().into()),
            change(by),
        );
        for cause in Cause::ALL {
            let by = i128::from(after.of(cause).as_nanos()) - i128::from(before.of(cause).as_nanos());
            if by != 0 {
                let _ = writeln!(text, "  {:>14}  {}", change(by), cause.title());
            }
        }
        let claimed = i128::from(self.claimed().as_nanos());
        if by > -claimed && self.claim != Claim::Nothing {
            let more: Vec<&str> =
                Cause::ALL.into_iter().filter(|cause| after.of(*cause) > before.of(*cause)).map(Cause::title).collect();
            let cold = |story: Option<&Story>| story?.record.causes.as_ref()?.cold_start;
            let why = match cold(stories.1) {
                Some(cold) if self.claim == Claim::Start => {
                    format!("it starts cold all the same: {}", cold.cause.note())
                }
                _ if more.is_empty() => "the rest of it was not by that".to_owned(),
                _ => format!("there is more of: {}", more.join(", ")),
            };
            let _ = writeln!(text, "  not all of {} that went with it is won: {why}", shown(claimed));
        }
        self.tell_of_all(&mut text);
        text
    }

    fn tell_of_all(&self, text: &mut String) {
        let changed = self.changed();
        let (faster, slower) =
            (changed.iter().filter(|it| it.by() < 0).count(), changed.iter().filter(|it| it.by() > 0).count());
        let all: i128 = changed.iter().map(|it| it.by()).sum();
        let metrics = (&self.before.results.metrics, &self.after.results.metrics);
        let _ = writeln!(text, "\nall: {} in sum; {faster} faster, {slower} slower", change(all));
        let line = |text: &mut String, what: &str, before: String, after: String| {
            let _ = writeln!(text, "  {what:<22}{before:>10} → {after:>10}");
        };
        line(text, "cold starts", metrics.0.cold_starts.to_string(), metrics.1.cold_starts.to_string());
        let seconds = |value: f64| Unit::Seconds.shown(value);
        line(text, "latency, mean", seconds(metrics.0.latency.mean()), seconds(metrics.1.latency.mean()));
        for (name, share) in [("latency, p50", 0.5), ("latency, p99", 0.99)] {
            line(
                text,
                name,
                seconds(metrics.0.latency.percentile(share)),
                seconds(metrics.1.latency.percentile(share)),
            );
        }
        let tell = |text: &mut String, it: &Changed| {
            let names = &self.before.results.about.functions;
            let name = names.get(it.function as usize).map_or("", String::as_str);
            let _ = writeln!(
                text,
                "  {:>14}  invocation {} of {name}: {} instead of {}",
                change(it.by()),
                it.invocation,
                shown(it.after.into()),
                shown(it.before.into()),
            );
        };
        const MOST: usize = 5;
        if faster > 0 {
            let _ = writeln!(text, "\nwho wins most");
            changed.iter().filter(|it| it.by() < 0).take(MOST).for_each(|it| tell(text, it));
        }
        if slower > 0 {
            let _ = writeln!(text, "\nwho loses most");
            changed.iter().rev().filter(|it| it.by() > 0).take(MOST).for_each(|it| tell(text, it));
        }
    }

    /// For programs.
    pub fn as_json(&self) -> Value {
        let side = |side: &Side| {
            let parts = parts_of(side.results.stories.first());
            let causes: serde_json::Map<String, Value> =
                parts.iter().map(|(cause, length)| (cause.name().to_owned(), json!(length.as_secs_f64()))).collect();
            json!({
                "latency_s": parts.sum().as_secs_f64(), "causes": causes,
                "all": {"cold_starts": side.results.metrics.cold_starts, "latency_mean_s": side.results.metrics.latency.mean(),
                        "latency_p50_s": side.results.metrics.latency.percentile(0.5),
                        "latency_p99_s": side.results.metrics.latency.percentile(0.99)},
            })
        };
        let changed: Vec<Value> = self
            .changed()
            .into_iter()
            .map(|it| {
                let name = self.before.results.about.functions.get(it.function as usize);
                json!({"invocation": it.invocation, "function": name, "before_s": it.before as f64 / 1e9, "after_s": it.after as f64 / 1e9})
            })
            .collect();
        json!({
            "without": self.what,
            "invocation": self.before.results.stories.first().map(|story| story.record.invocation),
            "claimed_s": (self.claim != Claim::Nothing).then(|| self.claimed().as_secs_f64()),
            "before": side(&self.before), "after": side(&self.after), "changed": changed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_read_up_to_the_last_digit() {
        let of = |text: &str| match Named::parse(text).unwrap() {
            Named::End { function, node, at } => (function, node, at.from.as_secs_f64(), at.to.as_secs_f64()),
            other => panic!("{other:?}"),
        };
        let node = || Some("node-3".to_owned());
        assert_eq!(of("eviction of f on node-3 at 12:05"), ("f".to_owned(), node(), 43_500.0, 43_560.0));
        assert_eq!(of("expiry of a b at 725.5"), ("a b".to_owned(), None, 725.4, 725.6));
        assert_eq!(of("end of f on node-3 at 2min"), ("f".to_owned(), node(), 120.0, 180.0));
        assert_eq!(of("end of f at 0:00:01"), ("f".to_owned(), None, 0.0, 2.0));
        assert_eq!(Named::parse("cold-start"), Ok(Named::ColdStart));
        assert_eq!([Named::parse("17"), Named::parse("call 17")], [Ok(Named::Call(17)), Ok(Named::Call(17))]);
        for wrong in [
            "",
            "-17",
            "call",
            "1.5",
            "99999999999999999999",
            "eviction of f",
            "end of f at noon",
            "end of f at 1:x",
            "removal of f at 1",
        ] {
            assert!(Named::parse(wrong).is_err(), "{wrong}");
        }
    }
}
