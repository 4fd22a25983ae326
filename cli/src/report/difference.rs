//! The page of two runs side by side.

use std::io::Write;

use hearth_serverless::decisions::Decision;
use hearth_serverless::experiment::{ComparedRun, FunctionDifference, PartedInvocation, RunDifference};

use super::difference_figures;
use super::draw::{DrawError, escaped};
use super::html::{self, Cell, Head};
use super::page::{figures_of, name_of, write_page};
use crate::difference::{callers, count, date, of_each, seconds, side, title_of};

/// So many functions are on a page, and in its table of them.
const MOST_FUNCTIONS: usize = 2000;

/// Writes the page of what differs between two runs.
///
/// # Errors
/// When a figure cannot be drawn, or the page cannot be written.
pub fn write(difference: &RunDifference, out: &mut impl Write) -> Result<(), DrawError> {
    let runs = [&difference.first, &difference.second];
    let names = runs.map(|run| name_of(&run.scenario));
    let title = if names[0] == names[1] { format!("{}: two runs", names[0]) } else { names.join(" and ") };
    let head = format!("<h1>{}</h1>\n<p>{}</p>\n", escaped(&title), escaped(&headline(difference)));
    let mut body = format!("<h2>The runs</h2>\n{}", table_of_runs(runs));
    if !difference.is_nothing() {
        body += &first_decision(difference);
        body += &led_to(difference);
        body += &who_won(difference)?;
        body += &by_function(difference)?;
    }
    Ok(write_page(out, &title, [&head, "", &body], &mut |_| Ok(()))?)
}

/// What is most important, in a line.
fn headline(difference: &RunDifference) -> String {
    let all = &difference.invocations;
    if difference.is_nothing() {
        let decisions = count(difference.same_decisions);
        return format!("Nothing differs: {decisions} decisions and {} invocations are the same.", count(all.in_both));
    }
    let [first, second] = all.mean_latency_s;
    format!(
        "Of {} invocations in both runs, {} are faster in the second, by {} in all, and {} slower, by {}; mean latency {} and {}.",
        count(all.in_both),
        count(all.won),
        seconds(all.won_s),
        count(all.lost),
        seconds(all.lost_s),
        seconds(first),
        seconds(second),
    )
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn number(value: u64) -> Cell {
    Cell::number(count(value), value as f64)
}

fn time(value: f64) -> Cell {
    Cell::number(seconds(value), value)
}

const BOTH: [Head; 3] = [Head::Text(""), Head::Text("first"), Head::Text("second")];

fn table_of_runs(runs: [&ComparedRun; 2]) -> String {
    let row = |title: &str, of: &dyn Fn(&ComparedRun) -> String| {
        let [first, second] = runs.map(of);
        vec![text(title), Cell::Text(first), Cell::Text(second)]
    };
    let mut rows = vec![row("scenario", &|run| name_of(&run.scenario)), row("seed", &|run| run.seed.to_string())];
    for (slot, [first, second]) in callers(runs) {
        rows.push(vec![text(format!("policy of {slot}")), Cell::Text(first), Cell::Text(second)]);
    }
    if runs.iter().any(|run| run.stopped.is_some()) {
        rows.push(row("stopped", &|run| run.stopped.clone().unwrap_or_else(|| "no".to_owned())));
    }
    html::facts("What ran; policies that both have alike are left out", &BOTH, rows)
}

/// Where the decisions part, with both answers.
fn first_decision(difference: &RunDifference) -> String {
    let same = count(difference.same_decisions);
    let mut body = String::from("<h2>The first decision that differs</h2>\n");
    match &difference.parted {
        None => body += &format!("<p>All {same} decisions are the same.</p>\n"),
        Some(parted) => {
            let sides = [(&parted.first, &difference.first), (&parted.second, &difference.second)];
            let row = |title: &str, of: &dyn Fn(&Decision, &ComparedRun) -> String| {
                let [first, second] = sides
                    .map(|(decision, run)| decision.as_ref().map_or_else(String::new, |decision| of(decision, run)));
                vec![text(title), Cell::Text(first), Cell::Text(second)]
            };
            let nothing = sides.iter().any(|(decision, _)| decision.is_none());
            let rows = [
                row("at", &|decision, _| date(decision.date_ns)),
                row("policy of", &|decision, _| decision.callee()),
                row("is called for", &|decision, _| decision.method.to_string()),
                row("about", &|decision, run| decision.about.named(&run.functions, &run.nodes)),
                row("answers", &|decision, _| decision.answered()),
                row("call number", &|decision, _| decision.number.to_string()),
            ];
            let ends = if nothing { " One of them decides nothing more." } else { "" };
            let caption = format!("{}, after {same} alike.{ends}", title_of(parted));
            body += &html::facts(&caption, &BOTH, rows);
        }
    }
    if let Some((first, _)) = &difference.parted_views {
        let (at, callee) = (date(first.date_ns), first.callee());
        let what =
            format!("Before, at {at}, {} of {callee} was shown something else, and answered alike.", first.method);
        body += &format!("<p>{}</p>\n", escaped(&what));
    }
    body
}

fn led_to(difference: &RunDifference) -> String {
    if difference.led_to.is_empty() {
        return String::new();
    }
    let heads = [
        Head::Number("invocation"),
        Head::Text("function"),
        Head::Number("parts at"),
        Head::Text("in what"),
        Head::Text("first"),
        Head::Text("second"),
        Head::Number("difference"),
    ];
    let nodes = [&difference.first.nodes, &difference.second.nodes];
    let row = |parted: &PartedInvocation| {
        let PartedInvocation { parted_at_s, parted_in, difference_s, .. } = parted;
        vec![
            Cell::number(parted.invocation.to_string(), parted.invocation as f64),
            text(&parted.function),
            Cell::number(format!("{parted_at_s} s"), *parted_at_s),
            text(*parted_in),
            Cell::Text(side(parted_in, &parted.first, nodes[0])),
            Cell::Text(side(parted_in, &parted.second, nodes[1])),
            change(*difference_s),
        ]
    };
    let caption = "The invocations that part first, by date; the difference is the latency in the second run less that in the first";
    let rows = difference.led_to.iter().map(row);
    format!("<h2>What it led to</h2>\n{}", html::sortable(caption, &heads, rows))
}

/// A difference of latencies, if there is one.
fn change(seconds_s: Option<f64>) -> Cell {
    seconds_s.map_or_else(|| Cell::Number("–".to_owned(), None), |change| Cell::number(signed(change), change))
}

/// With the sign that it has.
fn signed(change: f64) -> String {
    let sign = if change > 0.0 { "+" } else { "" };
    format!("{sign}{}", seconds(change)).replace('-', "−")
}

fn who_won(difference: &RunDifference) -> Result<String, DrawError> {
    let mut body = String::from("<h2>Who won and who lost</h2>\n");
    let all = &difference.invocations;
    let row = |(title, [first, second]): (&str, [String; 2])| vec![text(title), Cell::Text(first), Cell::Text(second)];
    let more = [
        ("invocations in it alone", [all.only_first, all.only_second].map(count)),
        ("faster than in the other", [all.lost, all.won].map(count)),
        ("by, in all", [all.lost_s, all.won_s].map(seconds)),
    ];
    let caption = format!(
        "{} invocations are in both runs, and {} of them part in something",
        count(all.in_both),
        count(all.parted)
    );
    body += &html::facts(&caption, &BOTH, of_each(all).into_iter().chain(more).map(row));
    let figures = difference_figures::of(difference);
    body += &figures_of(&figures)?;
    body += &html::behind(
        "How far latencies are apart",
        &[Head::Text("by"), Head::Number("faster in the second"), Head::Number("slower in the second")],
        difference
            .distribution
            .iter()
            .map(|bin| vec![Cell::Text(difference_figures::name_of_bin(bin)), number(bin.won), number(bin.lost)]),
    );
    body += &over_time(difference);
    let heads = [
        Head::Number("invocation"),
        Head::Text("function"),
        Head::Number("requested at"),
        Head::Number("latency in the first"),
        Head::Number("in the second"),
        Head::Number("difference"),
        Head::Text("parts in"),
    ];
    let row = |parted: &PartedInvocation| {
        let requested = parted.first.requested_at.map(|at| at.as_secs_f64());
        let [first, second] = [&parted.first, &parted.second].map(|side| side.latency_ns().map(|ns| ns as f64 / 1e9));
        vec![
            Cell::number(parted.invocation.to_string(), parted.invocation as f64),
            text(&parted.function),
            requested.map_or_else(|| Cell::Number(String::new(), None), |at| Cell::number(format!("{at} s"), at)),
            first.map_or_else(|| change(None), time),
            second.map_or_else(|| change(None), time),
            change(parted.difference_s),
            text(parted.parted_in),
        ]
    };
    let (won, lost) = (&difference.won_most, &difference.lost_most);
    let caption = format!(
        "{} that won most and {} that lost most, of those that complete in both",
        count(won.len() as u64),
        count(lost.len() as u64)
    );
    body += &html::sortable(&caption, &heads, won.iter().chain(lost.iter().rev()).map(row));
    Ok(body)
}

fn over_time(difference: &RunDifference) -> String {
    let heads = [
        Head::Number("from"),
        Head::Number("invocations"),
        Head::Number("faster"),
        Head::Number("by"),
        Head::Number("slower"),
        Head::Number("by"),
        Head::Number("mean latency in the first"),
        Head::Number("in the second"),
    ];
    let rows = difference.over_time.intervals.iter().map(|interval| {
        let of = &interval.invocations;
        let [first, second] = of.mean_latency_s;
        let from = Cell::number(format!("{} s", interval.from_s), interval.from_s);
        vec![
            from,
            number(of.in_both),
            number(of.won),
            time(of.won_s),
            number(of.lost),
            time(of.lost_s),
            time(first),
            time(second),
        ]
    });
    let caption = format!("Requests of every {}", seconds(difference.over_time.step_s));
    html::behind(&caption, &heads, rows)
}

fn by_function(difference: &RunDifference) -> Result<String, DrawError> {
    let heads = [
        Head::Text("function"),
        Head::Number("in both runs"),
        Head::Number("faster"),
        Head::Number("slower"),
        Head::Number("mean latency in the first"),
        Head::Number("in the second"),
        Head::Number("in all"),
        Head::Number("cold in the first"),
        Head::Number("in the second"),
        Head::Number("in the first alone"),
        Head::Number("in the second alone"),
    ];
    let row = |FunctionDifference { function, invocations: of }: &FunctionDifference| {
        let ([first, second], [cold, cold_second]) = (of.mean_latency_s, of.cold_starts);
        vec![
            text(function),
            number(of.in_both),
            number(of.won),
            number(of.lost),
            time(first),
            time(second),
            change(Some(of.difference_s)),
            number(cold),
            number(cold_second),
            number(of.only_first),
            number(of.only_second),
        ]
    };
    let functions = &difference.functions;
    let more = functions.len().saturating_sub(MOST_FUNCTIONS);
    let left_out = if more == 0 { String::new() } else { format!("; {} more are left out", count(more as u64)) };
    let caption = format!("Functions, those whose latency changed most first{left_out}");
    let table = html::sortable(&caption, &heads, functions.iter().take(MOST_FUNCTIONS).map(row));
    let figures = figures_of(&difference_figures::by_function(difference))?;
    Ok(format!("<h2>By function</h2>\n{figures}{table}"))
}
