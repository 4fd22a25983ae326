//! What differs between two runs, as tables for people.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use hearth_serverless::decisions::Decision;
use hearth_serverless::experiment::{
    ComparedInvocations, ComparedRun, FunctionDifference, InvocationSide, PartedDecisions, PartedInvocation,
    RunDifference,
};
use hearth_serverless::results::Unit;
use hearth_simcore::time::SimTime;

/// So many functions are in the table.
const FUNCTIONS: usize = 10;

// Writing to a string cannot fail, so the results of `writeln!` are passed over in this file.

/// Where the runs part, what that led to, and who won and lost.
pub fn shown(difference: &RunDifference) -> String {
    let mut text = String::new();
    runs(&mut text, &difference.first, &difference.second);
    if difference.is_nothing() {
        let (decisions, invocations) = (count(difference.same_decisions), count(difference.invocations.in_both));
        let _ = writeln!(text, "\nNothing differs: {decisions} decisions and {invocations} invocations are the same.");
        return text;
    }
    decisions(&mut text, difference);
    invocations(&mut text, &difference.invocations);
    functions(&mut text, &difference.functions);
    let heads = [
        ("What that led to: the invocations that part first", &difference.led_to),
        ("Faster in the second run by most", &difference.won_most),
        ("Slower in the second run by most", &difference.lost_most),
    ];
    let nodes = [&difference.first.nodes, &difference.second.nodes].map(Vec::as_slice);
    heads.into_iter().for_each(|(title, parted)| named(&mut text, title, parted, nodes));
    text
}

/// A number of things.
pub fn count(number: u64) -> String {
    Unit::Count.shown(number as f64)
}

/// A length of time.
pub fn seconds(value: f64) -> String {
    Unit::Seconds.shown(value)
}

/// A date.
pub fn date(nanos: u64) -> String {
    format!("{} s", SimTime::from_nanos(nanos).as_secs_f64())
}

fn runs(text: &mut String, first: &ComparedRun, second: &ComparedRun) {
    let name = |run: &ComparedRun| {
        let name = if run.scenario.is_empty() { "unnamed scenario" } else { &run.scenario };
        format!("{name}, seed {}", run.seed)
    };
    let _ = writeln!(text, "first   {}\nsecond  {}", name(first), name(second));
    for (slot, [one, other]) in callers([first, second]) {
        let _ = writeln!(text, "  {slot}: {one} in the first, {other} in the second");
    }
}

/// The slots in which the runs have other policies, and these.
pub fn callers(runs: [&ComparedRun; 2]) -> Vec<(&str, [String; 2])> {
    let of = |run: &ComparedRun, slot: &str| {
        let found = run.policies.iter().find(|(other, _)| other == slot);
        found.map_or("nobody".to_owned(), |(_, policy)| policy.clone())
    };
    let mut slots: Vec<&str> = runs.into_iter().flat_map(|run| &run.policies).map(|(slot, _)| slot.as_str()).collect();
    slots.sort_unstable();
    slots.dedup();
    let policies = slots.into_iter().map(|slot| (slot, runs.map(|run| of(run, slot))));
    policies.filter(|(_, [one, other])| one != other).collect()
}

/// What parts two runs.
pub fn title_of(parted: &PartedDecisions) -> &'static str {
    let kind = |decision: &Decision| (decision.slot, decision.storage, decision.method.clone(), decision.about);
    let is_same_kind = parted.first.as_ref().map(kind) == parted.second.as_ref().map(kind);
    match (parted.is_same_question, is_same_kind) {
        (true, _) => "The first decision that differs",
        (false, true) => "The first decision that is made at another date",
        (false, false) => "The first decision that one of them makes alone",
    }
}

fn decisions(text: &mut String, difference: &RunDifference) {
    let same = count(difference.same_decisions);
    let Some(parted) = &difference.parted else {
        let _ = writeln!(text, "\nAll {same} decisions are the same.");
        views(text, difference);
        return;
    };
    let _ = writeln!(text, "\n{}, after {same} alike:", title_of(parted));
    let [of_first, of_second] = [&difference.first, &difference.second];
    let about = |decision: &Decision, run: &ComparedRun| {
        let about = decision.about.named(&run.functions, &run.nodes);
        if about.is_empty() { about } else { format!(" about {about}") }
    };
    match (&parted.first, &parted.second) {
        (Some(first), Some(second)) if parted.is_same_question => {
            let about = about(first, of_first);
            let _ = writeln!(text, "  at {}: {} of {}{about}", date(first.date_ns), first.method, first.callee());
            let _ = writeln!(text, "  first   answers {} (call {})", first.answered(), first.number);
            let _ = writeln!(text, "  second  answers {} (call {})", second.answered(), second.number);
        }
        (first, second) => {
            let line = |decision: &Option<Decision>, run: &ComparedRun| {
                let Some(of) = decision else { return "decides nothing more".to_owned() };
                let (at, about, answer) = (date(of.date_ns), about(of, run), of.answered());
                format!("at {at}: {} of {}{about} answers {answer} (call {})", of.method, of.callee(), of.number)
            };
            let _ = writeln!(text, "  first   {}\n  second  {}", line(first, of_first), line(second, of_second));
        }
    }
    views(text, difference);
}

fn views(text: &mut String, difference: &RunDifference) {
    if let Some((first, _)) = &difference.parted_views {
        let (at, method, callee) = (date(first.date_ns), &first.method, first.callee());
        let _ = writeln!(text, "  Before, at {at}, {method} of {callee} was shown something else, and answered alike.");
    }
}

fn invocations(text: &mut String, all: &ComparedInvocations) {
    let _ = writeln!(text, "\n{} invocations in both runs, of which {} part", count(all.in_both), count(all.parted));
    let alone = [("first", all.only_first), ("second", all.only_second)];
    for (which, number) in alone.into_iter().filter(|(_, number)| *number > 0) {
        let _ = writeln!(text, "  {} only in the {which}", count(number));
    }
    let (won, lost) = (count(all.won), count(all.lost));
    let _ = writeln!(text, "  {won} faster in the second, by {} in all", seconds(all.won_s));
    let _ = writeln!(text, "  {lost} slower in the second, by {} in all", seconds(all.lost_s));
    for (what, [one, other]) in of_each(all) {
        let _ = writeln!(text, "  {what} {one} and {other}");
    }
}

/// What invocations come to in each of the runs.
pub fn of_each(all: &ComparedInvocations) -> [(&'static str, [String; 2]); 3] {
    [
        ("mean latency", all.mean_latency_s.map(seconds)),
        ("cold starts", all.cold_starts.map(count)),
        ("completed", all.completed.map(count)),
    ]
}

fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(heads.to_vec());
    table
}

fn push(text: &mut String, mut table: Table, numbers_from: usize) {
    table.column_iter_mut().skip(numbers_from).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    for line in table.lines() {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
}

fn functions(text: &mut String, functions: &[FunctionDifference]) {
    let moved = |of: &&FunctionDifference| !of.invocations.are_all_the_same();
    if functions.len() < 2 || !functions.iter().any(|of| moved(&of)) {
        return;
    }
    let _ = writeln!(text, "\nBy function, those whose latency changed most first");
    let mut rows =
        table(&["function", "in both", "faster", "slower", "mean latency", "second", "in all", "cold", "second"]);
    for FunctionDifference { function, invocations: of } in functions.iter().filter(moved).take(FUNCTIONS) {
        let [first, second] = of.mean_latency_s;
        let [cold, cold_second] = of.cold_starts;
        rows.add_row(vec![
            function.clone(),
            count(of.in_both),
            count(of.won),
            count(of.lost),
            seconds(first),
            seconds(second),
            Unit::Seconds.shown_difference(of.difference_s),
            count(cold),
            count(cold_second),
        ]);
    }
    push(text, rows, 1);
    let more = functions.iter().filter(moved).count().saturating_sub(FUNCTIONS);
    if more > 0 {
        let _ = writeln!(text, "  and {} more", count(more as u64));
    }
}

fn named(text: &mut String, title: &str, parted: &[PartedInvocation], [of_first, of_second]: [&[String]; 2]) {
    if parted.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    let mut rows = table(&["at", "invocation", "function", "in", "first", "second", "latency"]);
    for invocation in parted {
        let what = invocation.parted_in;
        rows.add_row(vec![
            format!("{} s", invocation.parted_at_s),
            invocation.invocation.to_string(),
            invocation.function.clone(),
            what.to_owned(),
            side(what, &invocation.first, of_first),
            side(what, &invocation.second, of_second),
            invocation.difference_s.map_or("-".to_owned(), |difference| Unit::Seconds.shown_difference(difference)),
        ]);
    }
    push(text, rows, 6);
}

/// What a run says of where an invocation parts.
pub fn side(what: &str, side: &InvocationSide, nodes: &[String]) -> String {
    let at = |date: Option<SimTime>| date.map_or("never".to_owned(), |date| format!("{} s", date.as_secs_f64()));
    match what {
        "requested" => at(side.requested_at),
        "submitted" => at(side.submitted_at),
        "dispatched" => {
            let name = |node: u32| nodes.get(node as usize).cloned().unwrap_or_else(|| node.to_string());
            let node = side.node.map_or(String::new(), |node| format!(" on {}", name(node)));
            let start = side.start.map_or(String::new(), |start| format!(" {}", start.as_str()));
            format!("{}{start}{node}", at(side.dispatched_at))
        }
        "started" => at(side.started_at),
        _ => format!("{} {}", side.outcome.as_str(), at(side.finished_at)),
    }
}
