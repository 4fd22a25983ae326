//! Tables for people.

use std::fmt::Write;

use hearth_serverless::experiment::Results;
use hearth_serverless::metrics::Moved;
use hearth_serverless::results::{DistributionSummary, Summary, WorkflowsSummary};

use crate::quantity::{byte_seconds, bytes, duration, joules, money, three_digits};

/// The summary of a run that took `wall_s` seconds as text.
pub fn of_summary(results: &Results, summary: &Summary, wall_s: f64) -> String {
    let nodes = results.about.nodes.len();
    let mut text = String::new();
    let name = if summary.scenario.is_empty() { "unnamed scenario" } else { &summary.scenario };
    let simulated = duration(results.ended_at.as_secs_f64());
    let _ = writeln!(text, "{name}: {simulated} simulated on {}, seed {}\n", count(nodes as u64, "node"), summary.seed);
    outcomes(&mut text, summary);
    starts(&mut text, summary);
    times(&mut text, summary);
    traffic(&mut text, summary);
    if let Some(faults) = summary.faults {
        let _ = writeln!(text, "\n  {:<30}{:>6}", "faults", faults.count);
        for (name, number) in [("retries", faults.retries), ("hedged requests", faults.hedges)] {
            if number > 0 {
                let _ = writeln!(text, "  {name:<30}{number:>6}");
            }
        }
        let lost = format!("{} core·s", three_digits(faults.lost_core_seconds));
        let _ = writeln!(text, "  work lost                           {lost:>11}");
        let availability = format!("{:.2} %", 100.0 * summary.service_level.availability);
        let _ = writeln!(text, "  availability                        {availability:>11}");
        if faults.time_to_recover.count > 0 {
            let mean = duration(faults.time_to_recover.mean);
            let _ = writeln!(text, "  time to recover, mean               {mean:>11}");
        }
    }
    if let Some(workflows) = &summary.workflows {
        runs(&mut text, workflows);
    }
    costs(&mut text, summary);
    if summary.skipped_rows > 0 {
        let _ = writeln!(text, "  rows of the trace passed over {:>6}", summary.skipped_rows);
    }
    policies(&mut text, summary);
    let _ = writeln!(text, "\n{} events in {}", summary.events, duration(wall_s));
    text
}

// Writing to a string cannot fail, so the results of `writeln!` are passed over in this file.

fn outcomes(text: &mut String, summary: &Summary) {
    let _ = writeln!(text, "  invocations  {:>9}", summary.invocations);
    for (outcome, number) in summary.outcomes.iter().filter(|(_, number)| **number > 0) {
        let _ = writeln!(
            text,
            "    {:<11}{number:>9}  {:>6}",
            outcome.replace('_', " "),
            share(*number, summary.invocations)
        );
    }
}

fn starts(text: &mut String, summary: &Summary) {
    let starts = summary.cold_starts + summary.warm_starts;
    let _ = writeln!(text, "  starts       {starts:>9}");
    for (kind, number) in [("cold", summary.cold_starts), ("warm", summary.warm_starts)] {
        let _ = writeln!(text, "    {kind:<11}{number:>9}  {:>6}", share(number, starts));
    }
}

fn times(text: &mut String, summary: &Summary) {
    let _ = writeln!(text, "\n  {:<11}{:>11}{:>11}{:>11}{:>11}{:>11}", "", "mean", "p50", "p90", "p99", "max");
    for (name, times) in [("latency", &summary.latency), ("waiting", &summary.waiting)] {
        let _ = writeln!(text, "  {name:<11}{}", columns_of(times));
    }
}

/// Mean, percentiles and maximum of times; dashes where there are none.
fn columns_of(times: &DistributionSummary) -> String {
    let DistributionSummary { count, mean, p50, p90, p99, max, .. } = *times;
    let shown = |time: &f64| if count == 0 { "–".to_owned() } else { duration(*time) };
    [mean, p50, p90, p99, max].iter().map(|time| format!("{:>11}", shown(time))).collect()
}

fn traffic(text: &mut String, summary: &Summary) {
    let moved = |moved: Moved| format!("{:>6}  {:>9}", moved.count, bytes(moved.bytes as f64));
    let _ = writeln!(text);
    for (name, amount) in [
        ("images downloaded to the head", summary.images.downloads),
        ("images copied to nodes", summary.images.copies),
        ("images loaded into RAM", summary.images.loads),
        ("images evicted from RAM", summary.evictions.images_in_ram),
        ("images evicted from disks", summary.evictions.images_on_disk),
        ("images evicted from the head", summary.evictions.images_on_head),
    ] {
        if amount.count > 0 {
            let _ = writeln!(text, "  {name:<30}{}", moved(amount));
        }
    }
    for (name, number) in [
        ("idle containers evicted", summary.evictions.containers),
        ("idle containers expired", summary.expired_containers),
        ("containers prewarmed", summary.prewarmed_containers),
    ] {
        if number > 0 {
            let _ = writeln!(text, "  {name:<30}{number:>6}");
        }
    }
    let memory = summary.memory_byte_seconds;
    let _ = writeln!(text, "  memory used by invocations          {:>11}", byte_seconds(memory.used));
    let _ = writeln!(text, "  memory held by idle containers      {:>11}", byte_seconds(memory.idle));
}

fn runs(text: &mut String, workflows: &WorkflowsSummary) {
    let _ = writeln!(text, "\n  workflows    {:>9}", workflows.runs);
    for (outcome, number) in
        [("completed", workflows.completed), ("failed", workflows.failed), ("unfinished", workflows.unfinished)]
    {
        if number > 0 {
            let _ = writeln!(text, "    {outcome:<11}{number:>9}  {:>6}", share(number, workflows.runs));
        }
    }
    if let Some(within) = workflows.within_deadline {
        let _ = writeln!(text, "    within deadline      {:>5.1} %", 100.0 * within);
    }
    let _ = writeln!(text, "  {:<11}{}", "makespan", columns_of(&workflows.makespan));
    let path = workflows.critical_path_s;
    let all = path.waiting + path.starting + path.transfer + path.running;
    let of_all = |seconds: f64| if all > 0.0 { 100.0 * seconds / all } else { 0.0 };
    let _ = writeln!(
        text,
        "  of which waiting {:.1} %, starting {:.1} %, data {:.1} %, running {:.1} %",
        of_all(path.waiting),
        of_all(path.starting),
        of_all(path.transfer),
        of_all(path.running)
    );
}

fn costs(text: &mut String, summary: &Summary) {
    if summary.cost.is_some() || summary.energy.is_some() {
        let _ = writeln!(text);
    }
    if let Some(cost) = &summary.cost {
        let _ = writeln!(text, "  cost ({})", cost.prices);
        for (name, amount) in [("requests", cost.requests), ("compute", cost.compute), ("total", cost.total)] {
            let _ = writeln!(text, "    {name:<32}{:>13}", format!("{} {}", money(amount), cost.currency));
        }
    }
    if let Some(energy) = summary.energy {
        let amounts = [
            ("energy taken by nodes", energy.joules),
            ("  of it idle", energy.idle_joules),
            ("  of it by busy cores", energy.busy_joules),
        ];
        for (name, amount) in amounts {
            let _ = writeln!(text, "  {name:<36}{:>11}", joules(amount));
        }
    }
}

fn policies(text: &mut String, summary: &Summary) {
    let _ = writeln!(text, "\n  policies");
    for (slot, policy) in &summary.policies {
        let parameters: Vec<String> = policy.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = format!("    {slot:<25}{:<20}{}", policy.name, parameters.join(" "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}
