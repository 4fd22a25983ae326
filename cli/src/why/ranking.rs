//! Causes ranked: over all invocations, by the policy whose answer they are, and by function, node and time.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::ValueEnum;
use hearth_serverless::results::Unit;
use serde_json::{Value, json};

use super::totals::Total;

/// By what causes are ranked beside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum By {
    /// By function.
    Function,
    /// By the node on which invocations ran.
    Node,
    /// By the policy whose answer it is.
    Policy,
    /// By the date of the request.
    Time,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Node => "node",
            Self::Policy => "policy",
            Self::Time => "interval",
        }
    }
}

// Writing to a string cannot fail, so the results of `writeln!` are passed over in this file.

fn shown(seconds: f64) -> String {
    Unit::Seconds.shown(seconds)
}

fn share(part: f64, all: f64) -> String {
    if all > 0.0 { format!("{:.1} %", 100.0 * part / all) } else { String::new() }
}

/// So many of the longest, the longest first; those of one length by name.
fn longest(mut rows: Vec<&Total>, most: usize) -> Vec<&Total> {
    rows.sort_by(|one, other| other.seconds.total_cmp(&one.seconds).then_with(|| one.cause.cmp(&other.cause)));
    rows.truncate(most);
    rows
}

/// What each policy's answers cost: parts of latencies that are theirs, and cold starts.
fn by_policy(totals: &[Total]) -> Vec<&Total> {
    totals.iter().filter(|row| row.of == "all" && row.policy.is_some()).collect()
}

/// As text.
pub fn as_text(totals: &[Total], by: Option<By>, most: usize) -> String {
    let mut text = String::new();
    let of_all = |is_of_latency: bool| -> Vec<&Total> {
        totals.iter().filter(|row| row.of == "all" && row.is_of_latency() == is_of_latency).collect()
    };
    let latency: f64 = of_all(true).iter().map(|row| row.seconds).sum();
    let invocations = totals.first().map_or(0, |row| row.of_invocations);
    let _ = writeln!(
        text,
        "latency of {} invocations: {} in all, {} each",
        Unit::Count.shown(invocations as f64),
        shown(latency),
        shown(if invocations > 0 { latency / invocations as f64 } else { 0.0 }),
    );
    lines(&mut text, "cause", &longest(of_all(true), usize::MAX), latency);
    let cold = of_all(false);
    if !cold.is_empty() {
        let starts: u64 = cold.iter().map(|row| row.invocations).sum();
        let all: f64 = cold.iter().map(|row| row.seconds).sum();
        let _ = writeln!(text, "\n{} cold starts, which took {}: why there was no container", starts, shown(all));
        let mut cold = cold;
        cold.sort_by_key(|row| std::cmp::Reverse(row.invocations));
        lines(&mut text, "cause", &cold, all);
    }
    let of_policies = by_policy(totals);
    if !of_policies.is_empty() && by.is_none_or(|by| by == By::Policy) {
        let _ = writeln!(text, "\nby policy");
        let mut policies: BTreeMap<&str, Vec<&Total>> = BTreeMap::new();
        of_policies
            .into_iter()
            .for_each(|row| policies.entry(row.policy.as_deref().unwrap_or_default()).or_default().push(row));
        for (policy, rows) in policies {
            let all: f64 = rows.iter().map(|row| row.seconds).sum();
            let _ = writeln!(text, "  {policy}: {}", shown(all));
            for row in longest(rows, most) {
                let _ =
                    writeln!(text, "    {:>10}  {} ({} invocations)", shown(row.seconds), row.title(), row.invocations);
            }
        }
    }
    let tables = by.map_or(vec![By::Function, By::Node, By::Time], |by| vec![by]);
    for of in tables.into_iter().filter(|of| *of != By::Policy) {
        // Who asks for the course of time alone sees all of it.
        groups(&mut text, totals, of, if by == Some(By::Time) { usize::MAX } else { most });
    }
    text
}

fn lines(text: &mut String, head: &str, rows: &[&Total], all: f64) {
    let width = rows.iter().map(|row| row.title().chars().count()).max().unwrap_or(0).max(head.len());
    let _ = writeln!(text, "  {head:<width$}  {:>10}  {:>7}  {:>11}  {:>10}", "time", "share", "invocations", "each");
    for row in rows {
        let each = if row.invocations > 0 { row.seconds / row.invocations as f64 } else { 0.0 };
        let _ = writeln!(
            text,
            "  {:<width$}  {:>10}  {:>7}  {:>11}  {:>10}",
            row.title(),
            shown(row.seconds),
            share(row.seconds, all),
            Unit::Count.shown(row.invocations as f64),
            shown(each),
        );
    }
}

/// So many functions, nodes or intervals with the most latency, each with its first causes.
fn groups(text: &mut String, totals: &[Total], by: By, most: usize) {
    let mut groups: Vec<(String, Vec<&Total>)> = Vec::new();
    for row in totals.iter().filter(|row| row.of == by.word() && row.is_of_latency()) {
        let subject = row.subject();
        match groups.last_mut() {
            Some((last, rows)) if *last == subject => rows.push(row),
            _ => groups.push((subject, vec![row])),
        }
    }
    let latency = |rows: &[&Total]| rows.iter().map(|row| row.seconds).sum::<f64>();
    let all: f64 = groups.iter().map(|(_, rows)| latency(rows)).sum();
    let count = groups.len();
    if count < 2 {
        return;
    }
    let by_length =
        |(_, one): &(_, Vec<&Total>), (_, other): &(_, Vec<&Total>)| latency(other).total_cmp(&latency(one));
    let mut ordered: Vec<usize> = (0..count).collect();
    ordered.sort_by(|one, other| by_length(&groups[*one], &groups[*other]));
    ordered.truncate(most);
    if by == By::Time {
        // Those with the most, as they came.
        ordered.sort_unstable();
    }
    let groups: Vec<&(String, Vec<&Total>)> = ordered.into_iter().map(|position| &groups[position]).collect();
    let name = if by == By::Time { "time of the request" } else { by.word() };
    let more = if groups.len() < count { format!(" ({} of {count})", groups.len()) } else { String::new() };
    let _ = writeln!(text, "\nby {name}{more}");
    let width = groups.iter().map(|(subject, _)| subject.chars().count()).max().unwrap_or(0);
    for (subject, rows) in groups {
        let sum = latency(rows);
        let first: Vec<String> =
            longest(rows.clone(), 3).iter().map(|row| format!("{} {}", row.title(), share(row.seconds, sum))).collect();
        let _ = writeln!(text, "  {subject:<width$}  {:>10}  {:>7}  {}", shown(sum), share(sum, all), first.join(", "));
    }
}

/// For programs: the rows, as in `cause_totals.csv`.
pub fn as_json(totals: &[Total], by: Option<By>) -> Value {
    let of = |of: &str, is_of_latency: bool| -> Vec<Value> {
        let rows = totals.iter().filter(|row| row.of == of && row.is_of_latency() == is_of_latency);
        rows.map(|row| {
            let mut value = json!({"cause": row.cause, "seconds": row.seconds, "invocations": row.invocations});
            if let Some(policy) = &row.policy {
                value["policy"] = json!(policy);
            }
            if let Some(name) = &row.name {
                value[of] = json!(name);
            }
            if let Some(from) = row.from {
                value["from_s"] = json!(from);
            }
            value
        })
        .collect()
    };
    let latency: f64 = totals.iter().filter(|row| row.of == "all" && row.is_of_latency()).map(|row| row.seconds).sum();
    let mut value = json!({
        "invocations": totals.first().map_or(0, |row| row.of_invocations),
        "latency_s": latency,
        "causes": of("all", true),
        "cold_starts": of("all", false),
    });
    for (of_what, name) in [(By::Function, "by_function"), (By::Node, "by_node"), (By::Time, "by_time")] {
        if by.is_none_or(|by| by == of_what) {
            value[name] = json!(of(of_what.word(), true));
        }
    }
    value
}
