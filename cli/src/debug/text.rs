//! What is seen in a simulation, as lines for people.

use comfy_table::{CellAlignment, Table, presets};
use hearth_serverless::decisions::{CallAnswer, CallView, Decision};
use hearth_serverless::experiment::{
    About, Debugged, Happened, InspectedAttempt, InspectedContainer, InspectedInvocation, InspectedNode, Quantity,
    UpcomingEvent,
};
use hearth_serverless::invocation::InvocationRecord;
use hearth_serverless::policy::{PolicyRecord, PolicySlot};
use hearth_serverless::results::{Summary, Unit};
use hearth_simcore::time::{SimDuration, SimTime};
use serde_json::Value;

/// So many of a kind are told of the last event.
const MOST_TOLD: usize = 12;
/// So many names are told in a line.
const MOST_NAMES: usize = 8;

/// A date or a span in seconds, exact and without what says nothing.
pub fn seconds(nanos: u64) -> String {
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if part == 0 {
        return format!("{whole} s");
    }
    format!("{whole}.{} s", format!("{part:09}").trim_end_matches('0'))
}

/// A date.
pub fn date(date: SimTime) -> String {
    seconds(date.as_nanos())
}

fn span(span: SimDuration) -> String {
    seconds(span.as_nanos())
}

fn bytes(bytes: u64) -> String {
    Unit::Bytes.shown(bytes as f64)
}

/// A number of things.
pub fn count(number: u64, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}

/// Lines of a table without rules; `numbers` says which columns are to the right.
fn table(header: &[&str], numbers: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header.iter().copied());
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in rows {
        table.add_row(row);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// A list that may be cut, with what is left out.
fn cut<T>(all: Vec<T>, most: usize, line: impl Fn(&T) -> String) -> Vec<String> {
    let left = all.len().saturating_sub(most);
    let mut lines: Vec<String> = all.iter().take(most).map(line).collect();
    if left > 0 {
        lines.push(format!("  … and {left} more"));
    }
    lines
}

/// The names of what has numbers.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a>(pub &'a About);

impl Names<'_> {
    fn of(names: &[String], number: u32) -> String {
        names.get(number as usize).map_or_else(|| format!("#{number}"), Clone::clone)
    }

    /// A function.
    pub fn function(&self, number: u32) -> String {
        Self::of(&self.0.functions, number)
    }

    /// A node.
    pub fn node(&self, number: u32) -> String {
        Self::of(&self.0.nodes, number)
    }

    fn nodes(&self, numbers: &[u32]) -> String {
        if numbers.is_empty() {
            return "none".to_owned();
        }
        if numbers.len() > 1 && numbers.len() == self.0.nodes.len() {
            return format!("all {}", numbers.len());
        }
        let left = numbers.len().saturating_sub(MOST_NAMES);
        let names: Vec<String> = numbers.iter().take(MOST_NAMES).map(|node| self.node(*node)).collect();
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        names.join(", ") + &more
    }
}

fn answer(answer: &CallAnswer, names: Names<'_>, items: &str) -> String {
    let mut text = answer.word.to_owned();
    if !answer.nodes.is_empty() {
        text += &format!(" {}", names.nodes(&answer.nodes));
    }
    if !answer.items.is_empty() {
        let list: Vec<String> = answer.items.iter().take(MOST_NAMES).map(u32::to_string).collect();
        let left = answer.items.len().saturating_sub(MOST_NAMES);
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        text += &format!(" {items} {}{more}", list.join(", "));
    }
    if let Some((what, number)) = answer.count {
        text += &format!(" ({what}: {number})");
    }
    if let Some((what, time)) = answer.time {
        text += &format!(" {what} {}", seconds(time));
    }
    if let Some(reason) = &answer.reason {
        text += &format!(": {reason}");
    }
    text
}

fn items_of(slot: PolicySlot) -> &'static str {
    match slot {
        PolicySlot::ImagesInRam | PolicySlot::ImagesOnDisk | PolicySlot::ImagesOnHead => "image",
        _ => "container",
    }
}

/// What a policy has asked for besides, of a log of decisions.
fn order(order: &Value, names: Names<'_>) -> String {
    let named = |(what, of): (&String, &Value)| {
        let number = of.as_u64()?;
        let small = u32::try_from(number).unwrap_or(u32::MAX);
        Some(match what.as_str() {
            "function" => format!("{what} {}", names.function(small)),
            "node" => format!("{what} {}", names.node(small)),
            "date" | "keep_for" => format!("{what} {}", seconds(number)),
            _ => format!("{what} {number}"),
        })
    };
    let one = |(what, of): (&String, &Value)| {
        let parts: Vec<String> = of.as_object().into_iter().flatten().filter_map(named).collect();
        format!("{what} ({})", parts.join(", "))
    };
    order.as_object().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// What was answered and asked for in a call.
fn decided(call: &Decision, names: Names<'_>) -> String {
    let mut parts: Vec<String> = call.told().iter().map(|told| answer(told, names, items_of(call.slot))).collect();
    parts.extend(call.orders.iter().map(|of| format!("asks for {}", order(of, names))));
    parts.join("; ")
}

/// A call of a policy, in a line.
pub fn call(call: &Decision, names: Names<'_>) -> String {
    let about = match (call.about.invocation, call.about.function) {
        (Some(invocation), Some(function)) => {
            format!(" about invocation {invocation} of {}", names.function(function))
        }
        (None, Some(function)) => format!(" about {}", names.function(function)),
        (Some(invocation), None) => format!(" about invocation {invocation}"),
        (None, None) => String::new(),
    };
    let at = call.storage.map_or(String::new(), |node| format!(" on {}", names.node(node)));
    format!("{} {}{at}{about}: {}", call.slot.path(), call.method, decided(call, names))
}

fn end(record: &InvocationRecord, names: Names<'_>) -> String {
    let latency = record.requested_at.zip(record.finished_at).map(|(from, to)| to.since(from));
    let took = latency.map_or(String::new(), |latency| format!(" after {}", span(latency)));
    let why = record.failure.as_ref().map_or(String::new(), |failure| format!(": {failure}"));
    let function = names.function(record.function.number());
    format!("invocation {} of {function} {}{took}{why}", record.invocation, record.outcome.as_str().replace('_', " "))
}

/// What has happened in the last event.
pub fn happened(happened: &Happened<'_>, names: Names<'_>) -> Vec<String> {
    let mut lines = cut(happened.calls.iter().collect(), MOST_TOLD, |of| format!("  {}", call(of, names)));
    lines.extend(cut(happened.ended.iter().collect(), MOST_TOLD, |record| format!("  {}", end(record, names))));
    lines
}

/// All nodes.
pub fn nodes(nodes: &[InspectedNode]) -> Vec<String> {
    let row = |node: &InspectedNode| {
        let idle =
            node.containers.iter().filter(|container| container.expires.is_some() || container.invocations.is_empty());
        let idle = idle.count();
        vec![
            node.name.clone(),
            node.condition.as_str().to_owned(),
            format!("{}/{}", node.running, node.cores),
            node.queued.to_string(),
            format!("{} of {}", bytes(node.ram - node.free_ram), bytes(node.ram)),
            format!("{} of {}", bytes(node.disk - node.free_disk), bytes(node.disk)),
            (node.containers.len() - idle).to_string(),
            idle.to_string(),
        ]
    };
    table(
        &["node", "is", "cores", "queued", "RAM", "disk", "in use", "idle"],
        &[2, 3, 4, 5, 6, 7],
        nodes.iter().map(row),
    )
}

/// A node, with what is on it.
pub fn node(node: &InspectedNode, names: Names<'_>) -> Vec<String> {
    let list = |images: &[String]| if images.is_empty() { "none".to_owned() } else { images.join(", ") };
    let promised = if node.promised > 0 { format!(", {} promised", node.promised) } else { String::new() };
    let mut lines = vec![
        format!("{} is {}", node.name, node.condition.as_str()),
        format!("  cores   {} of {} taken{promised}", node.running, node.cores),
        format!("  RAM     {} of {} taken", bytes(node.ram - node.free_ram), bytes(node.ram)),
        format!("  disk    {} of {} taken", bytes(node.disk - node.free_disk), bytes(node.disk)),
        format!("  images  in RAM: {}; on disk: {}", list(&node.images_in_ram), list(&node.images_on_disk)),
    ];
    if node.queued > 0 {
        lines.push(format!("  queue   {}", count(node.queued.into(), "invocation", "invocations")));
    }
    lines.extend(containers(&node.containers, names, false));
    lines
}

/// Containers, with their nodes or without.
pub fn containers(containers: &[InspectedContainer], names: Names<'_>, with_nodes: bool) -> Vec<String> {
    if containers.is_empty() {
        return vec!["no containers".to_owned()];
    }
    let row = |container: &InspectedContainer| {
        let whose: Vec<String> = container.invocations.iter().map(u64::to_string).collect();
        let whose = if whose.is_empty() { "–".to_owned() } else { whose.join(", ") };
        let expires = container.expires.map_or("–".to_owned(), date);
        let mut row = vec![
            container.container.to_string(),
            names.function(container.function),
            container.state.as_str().to_owned(),
            date(container.since),
            whose,
            bytes(container.ram),
            expires,
        ];
        if with_nodes {
            row.insert(0, names.node(container.node));
        }
        row
    };
    let mut header = vec!["container", "function", "is", "since", "invocation", "RAM", "kept until"];
    if with_nodes {
        header.insert(0, "node");
    }
    let first = usize::from(with_nodes);
    table(&header, &[first, first + 3, first + 5, first + 6], containers.iter().map(row))
}

/// Who waits.
pub fn queue(attempts: &[InspectedAttempt], most: usize, now: SimTime, names: Names<'_>) -> Vec<String> {
    let waiting: Vec<&InspectedAttempt> = attempts.iter().filter(|attempt| attempt.waits).collect();
    if waiting.is_empty() {
        return vec!["nobody waits".to_owned()];
    }
    let row = |attempt: &&InspectedAttempt| {
        let since = attempt.record.submitted_at.or(attempt.record.requested_at).unwrap_or(now);
        let (function, why) = (attempt.record.function.number(), attempt.waits_for.clone().unwrap_or_default());
        let which = if attempt.attempt > 1 {
            format!("{} (attempt {})", attempt.record.invocation, attempt.attempt)
        } else {
            attempt.record.invocation.to_string()
        };
        vec![which, names.function(function), date(since), span(now.since(since)), attempt.stage.to_owned(), why]
    };
    let left = waiting.len().saturating_sub(most);
    let mut lines = table(
        &["invocation", "function", "since", "for", "stands", "because it"],
        &[0, 2, 3],
        waiting.iter().take(most).map(row),
    );
    if left > 0 {
        lines.push(format!("… and {left} more"));
    }
    lines
}

/// An invocation: its states so far.
pub fn invocation(number: u64, invocation: &InspectedInvocation, names: Names<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let records = invocation.attempts.iter().map(|attempt| (&attempt.record, Some(attempt)));
    for (record, attempt) in records.chain(invocation.ended.iter().map(|record| (record, None))) {
        let which =
            attempt.filter(|attempt| attempt.attempt > 1).map(|attempt| format!(", attempt {}", attempt.attempt));
        let function = names.function(record.function.number());
        let stands = match attempt {
            Some(attempt) => attempt.stage.to_owned(),
            None => record.outcome.as_str().replace('_', " "),
        };
        lines.push(format!("invocation {number} of {function}{}: {stands}", which.unwrap_or_default()));
        let at = record.node.map_or(String::new(), |node| {
            let container = attempt.and_then(|attempt| attempt.container);
            let container = container.map_or(String::new(), |container| format!(", container {container}"));
            let start = record.start.map_or(String::new(), |start| format!(", a {} start", start.as_str()));
            format!(" on {}{container}{start}", names.node(node))
        });
        let dates = [
            ("requested", record.requested_at, String::new()),
            ("submitted", record.submitted_at, String::new()),
            ("dispatched", record.dispatched_at, at),
            ("started", record.started_at, String::new()),
            ("ended", record.finished_at, String::new()),
        ];
        let mut before: Option<SimTime> = None;
        for (what, when, more) in dates {
            let Some(when) = when else { continue };
            let after = before.map_or(String::new(), |before| format!("  (+{})", span(when.since(before))));
            lines.push(format!("  {what:<11}{}{after}{more}", date(when)));
            before = Some(when);
        }
        if let Some(attempt) = attempt {
            if attempt.delays > 0 {
                lines.push(format!("  admission has delayed it {}", count(attempt.delays.into(), "time", "times")));
            }
            if let Some((rank, turn)) = attempt.turn {
                lines.push(format!("  its turn in the queue: rank {rank}, number {turn}"));
            }
            lines.extend(attempt.waits_for.as_ref().map(|why| format!("  {why}")));
        }
        lines.extend(record.failure.as_ref().filter(|_| attempt.is_none()).map(|failure| format!("  {failure}")));
    }
    lines
}

/// What is to come.
pub fn events(upcoming: &[UpcomingEvent]) -> Vec<String> {
    if upcoming.is_empty() {
        return vec!["nothing is to come".to_owned()];
    }
    let row = |event: &UpcomingEvent| {
        let when = event.date.map_or("some time".to_owned(), date);
        let how = match event {
            UpcomingEvent { is_estimate: true, .. } => ", at this rate",
            UpcomingEvent { in_background: true, .. } => ", if anything else happens then",
            _ => "",
        };
        vec![when, format!("{}{how}", event.what)]
    };
    table(&["at", "what"], &[0], upcoming.iter().map(row))
}

fn parameters(record: &PolicyRecord) -> String {
    let parameters: Vec<String> = record.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.join(", ")
}

/// A policy, in a line.
pub fn policy_in_a_line(record: &PolicyRecord) -> String {
    let parameters = parameters(record);
    if parameters.is_empty() { record.name.clone() } else { format!("{} ({parameters})", record.name) }
}

/// The policies.
pub fn policies(policies: &[(PolicySlot, PolicyRecord)]) -> Vec<String> {
    let row = |(slot, record): &(PolicySlot, PolicyRecord)| {
        vec![slot.path().to_owned(), record.name.clone(), record.version.clone(), parameters(record)]
    };
    table(&["slot", "policy", "version", "parameters"], &[], policies.iter().map(row))
}

/// What a policy saw in a call, and what it answered.
pub fn seen(of: &Decision, view: &CallView, names: Names<'_>) -> Vec<String> {
    let mut lines = vec![format!("call {} at {}", of.number, seconds(of.date_ns)), format!("  {}", call(of, names))];
    if let Some(request) = &view.request {
        let deadline = if request.deadline == u64::MAX { "none".to_owned() } else { seconds(request.deadline) };
        lines.push(format!(
            "  saw request: invocation {}, attempt {}, of {}, submitted at {}, RAM {}, deadline {deadline}",
            request.invocation,
            request.attempt,
            names.function(request.function),
            seconds(request.submitted_at),
            bytes(request.ram_limit)
        ));
    }
    let number = |what: &str, number: u64| match (what, u32::try_from(number)) {
        ("node", Ok(node)) => names.node(node),
        _ => number.to_string(),
    };
    let numbers = view.numbers.iter().map(|(what, of)| format!("{what}: {}", number(what, *of)));
    let times = view.times.iter().map(|(what, time)| format!("{what}: {}", seconds(*time)));
    let sizes = view.sizes.iter().map(|(what, size)| format!("{what}: {}", bytes(*size)));
    let numbers: Vec<String> = numbers.chain(times).chain(sizes).collect();
    if !numbers.is_empty() {
        lines.push(format!("  saw {}", numbers.join(", ")));
    }
    lines.extend(view.sets.iter().map(|(what, nodes)| format!("  saw {what}: {}", names.nodes(nodes))));
    if !view.queue.is_empty() {
        let waiting: Vec<String> =
            view.queue.iter().take(MOST_NAMES).map(|request| request.invocation.to_string()).collect();
        let left = view.queue.len().saturating_sub(MOST_NAMES);
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        lines.push(format!("  saw queue: invocations {}{more}", waiting.join(", ")));
    }
    let row = |(number, node): (u32, &hearth_policy_api::NodeView)| {
        vec![
            names.node(number),
            format!("{}/{}", node.free_cores, node.cores),
            node.running.to_string(),
            node.idle_containers.to_string(),
            node.queued.to_string(),
            bytes(node.free_ram),
            bytes(node.idle_ram),
            bytes(node.unused_image_ram),
        ]
    };
    if !view.nodes.is_empty() {
        let header = ["node", "free cores", "running", "idle", "queued", "free RAM", "idle RAM", "unused images"];
        let shown = (0..).zip(view.nodes.iter().take(super::command::USUAL_LENGTH)).map(row);
        lines.extend(table(&header, &[1, 2, 3, 4, 5, 6, 7], shown).into_iter().map(|line| format!("    {line}")));
        let left = view.nodes.len().saturating_sub(super::command::USUAL_LENGTH);
        if left > 0 {
            lines.push(format!("    … and {left} more nodes"));
        }
    }
    lines
}

/// What has come of it so far.
pub fn summary(debugged: &mut Debugged) -> Vec<String> {
    let summary = Summary::new(&debugged.results_so_far());
    let seconds = |value: f64| Unit::Seconds.shown(value);
    let latency = &summary.latency;
    let mut lines = vec![
        format!("requests    {}", debugged.measure(Quantity::Requests)),
        format!("ended       {}", summary.invocations),
    ];
    let outcomes = summary.outcomes.iter().filter(|(_, number)| **number > 0);
    let outcomes: Vec<String> = outcomes.map(|(name, number)| format!("{number} {}", name.replace('_', " "))).collect();
    if !outcomes.is_empty() {
        lines.push(format!("            {}", outcomes.join(", ")));
    }
    lines.push(format!("starts      {} cold, {} warm", summary.cold_starts, summary.warm_starts));
    if latency.count > 0 {
        lines.push(format!(
            "latency     mean {}, median {}, 99 % {}, most {}",
            seconds(latency.mean),
            seconds(latency.p50),
            seconds(latency.p99),
            seconds(latency.max)
        ));
        let waiting = &summary.waiting;
        lines.push(format!("waiting     mean {}, 99 % {}", seconds(waiting.mean), seconds(waiting.p99)));
    }
    lines.push(format!("evictions   {}", count(summary.evictions.containers, "container", "containers")));
    if let Some(cost) = &summary.cost {
        lines.push(format!("cost        {} {} ({})", Unit::Money.shown(cost.total), cost.currency, cost.prices));
    }
    if let Some(energy) = &summary.energy {
        lines.push(format!("energy      {}", Unit::Joules.shown(energy.joules)));
    }
    lines
}
