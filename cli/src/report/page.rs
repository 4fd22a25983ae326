//! Puts figures and tables on one page that needs nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use hearth_serverless::policy::PolicyRecord;
use hearth_serverless::results::{Metric, Unit};
use serde_json::{Value, json};

use super::draw::{DrawError, escaped, for_page, to_svg};
use super::figure::{Content, Figure, GanttChart};
use super::folder::{RunFolder, SweepFolder};
use super::theme;
use crate::sweep::axes::words;
use crate::sweep::comparison::Comparison;
use crate::sweep::text;

/// What the page of a run begins with.
const HEADLINE: [&str; 4] = ["invocations", "cold_start_ratio", "latency_p50", "latency_p99"];

/// So many spans a page can hold and still move smoothly.
const MOST_SPANS: usize = 300_000;

// Writing to a string cannot fail, so the results of `write!` are passed over in this file.

/// The page of a run.
pub fn of_run(run: &RunFolder, figures: &[Figure]) -> Result<String, DrawError> {
    let summary = &run.summary;
    let name = name_of(&summary.scenario);
    let mut body = format!("<h1>{}</h1>\n", escaped(&name));
    let [invocations, cold, median, most] = HEADLINE.map(|name| run.numbers.shown(name));
    let _ = writeln!(
        body,
        "<p>{invocations} invocations, {cold} of starts cold, median latency {median}, 99 % within {most}; seed {}.</p>",
        summary.seed,
    );
    if summary.interrupted {
        let why = summary.stopped_by.as_deref().unwrap_or("interrupted");
        let _ = writeln!(body, "<p><strong>Stopped before its end: {}</strong></p>", escaped(why));
    }
    body.push_str(&figures_of(figures)?);
    if run.timeline.is_none() {
        body.push_str(
            "<p>For the containers on their nodes, run with <code>--timeline DIR/timeline.json</code>.</p>\n",
        );
    }
    let _ = writeln!(body, "<h2>Policies</h2>\n{}", policies(&[(String::new(), &summary.policies)]));
    if let Some(scenario) = &run.scenario {
        let _ = writeln!(body, "<h2>Scenario</h2>\n{}", folded("scenario.json", scenario));
    }
    let _ = writeln!(body, "<h2>Summary</h2>\n{}", folded("summary.json", &run.written));
    Ok(page(&name, &body))
}

/// The page of a sweep.
pub fn of_sweep(sweep: &SweepFolder, comparison: &Comparison, figures: &[Figure]) -> Result<String, DrawError> {
    let name = name_of(sweep.about["scenario"]["name"].as_str().unwrap_or_default());
    let mut body = format!("<h1>{}</h1>\n", escaped(&name));
    let seeds: Vec<String> = sweep.grid.seeds.iter().map(u64::to_string).collect();
    let (runs, all) = (sweep.runs.len(), sweep.grid.points().len());
    let _ = writeln!(body, "<p>{runs} of {all} runs; seeds {}.</p>", seeds.join(", "));
    for warning in sweep.about["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(body, "<p><strong>{}</strong></p>", escaped(&warning_of(warning)));
    }
    let _ = writeln!(body, "{}", comparison_table(sweep, comparison));
    body.push_str(&figures_of(figures)?);
    let mut by_setting: BTreeMap<&[usize], &RunFolder> = BTreeMap::new();
    for (point, run) in &sweep.runs {
        by_setting.entry(&point.settings).or_insert(run);
    }
    let used: Vec<(String, &Policies)> =
        by_setting.iter().map(|(settings, run)| (sweep.grid.describe(settings), &run.summary.policies)).collect();
    let _ = writeln!(body, "<h2>Policies</h2>\n{}", policies(&used));
    let mut about = sweep.about.clone();
    let scenario = about.as_object_mut().and_then(|about| about.remove("scenario")).unwrap_or_default();
    let _ = writeln!(body, "<h2>Scenario</h2>\n{}\n{}", folded("The sweep", &about), folded("The scenario", &scenario));
    Ok(page(&name, &body))
}

/// A warning of `sweep.json`, in words.
fn warning_of(warning: &Value) -> String {
    let text = |name: &str| warning[name].as_str().unwrap_or_default();
    let (setting, kind) = (text("setting"), text("kind").replace('_', " "));
    let setting = if setting.is_empty() { String::new() } else { format!("{setting}: ") };
    format!("{setting}{kind} in {} of {} runs: {}", warning["runs"], warning["of"], text("message"))
}

fn name_of(scenario: &str) -> String {
    if scenario.is_empty() { "unnamed scenario".to_owned() } else { scenario.to_owned() }
}

/// A value as JSON, to be unfolded.
fn folded(title: &str, value: &Value) -> String {
    let text = escaped(&serde_json::to_string_pretty(value).unwrap_or_default());
    format!("<details><summary>{title}</summary><pre>{text}</pre></details>")
}

/// The variables that stand for colours, on light ground and on dark.
fn variables() -> [String; 2] {
    let variables = |code: &dyn Fn(theme::Colour) -> String| -> String {
        theme::all().map(|colour| format!("--{}: {}; ", colour.variable, code(colour))).collect()
    };
    [variables(&|colour| theme::hex(colour.light)), variables(&|colour| theme::hex(colour.dark))]
}

fn page(title: &str, body: &str) -> String {
    let [light, dark] = variables();
    include_str!("page.html")
        .replace("{{title}}", &escaped(title))
        .replace("{{light}}", &light)
        .replace("{{dark}}", &dark)
        .replace("{{body}}", body)
}

/// What a notebook shows in a cell: needs nothing else, and follows the ground of the notebook.
fn part(body: &str) -> String {
    let [light, dark] = variables();
    include_str!("part.html").replace("{{light}}", &light).replace("{{dark}}", &dark).replace("{{body}}", body)
}

/// A run for a notebook: the summary as text, and figures.
pub fn part_of_run(text: &str, figures: &[Figure]) -> Result<String, DrawError> {
    Ok(part(&format!("<pre>{}</pre>\n{}", escaped(text), figures_of(figures)?)))
}

/// A sweep for a notebook: its table, and figures.
pub fn part_of_sweep(sweep: &SweepFolder, comparison: &Comparison, figures: &[Figure]) -> Result<String, DrawError> {
    Ok(part(&format!("{}\n{}", comparison_table(sweep, comparison), figures_of(figures)?)))
}

fn figures_of(figures: &[Figure]) -> Result<String, DrawError> {
    let mut html = String::from("<div class=\"figures\">\n");
    for figure in figures {
        let picture = match &figure.content {
            Content::GanttChart(timeline) => interactive(timeline, &figure.title),
            _ => for_page(&to_svg(figure)?),
        };
        let is_wide = match &figure.content {
            Content::GanttChart(_) => true,
            Content::Plot(plot) => plot.panels.len() > 1,
            Content::Bars(_) => false,
        };
        let class = if is_wide { " class=\"wide\"" } else { "" };
        let (name, note) = (escaped(&figure.name), escaped(&figure.note));
        let _ = writeln!(html, "<figure{class} id=\"{name}\">\n{picture}\n<figcaption>{note}</figcaption>\n</figure>");
    }
    html.push_str("</div>\n");
    Ok(html)
}

/// Containers on nodes, to zoom into.
fn interactive(timeline: &GanttChart, title: &str) -> String {
    let mut rows: BTreeMap<(u64, u64), usize> = timeline.spans.iter().map(|span| (span.row, 0)).collect();
    rows.values_mut().enumerate().for_each(|(number, row)| *row = number);
    let node = |process: u64| {
        let found = timeline.nodes.iter().find(|(number, _)| *number == process);
        found.map_or_else(|| process.to_string(), |(_, name)| name.clone())
    };
    let mut functions: BTreeMap<&str, usize> = timeline.spans.iter().map(|span| (span.function.as_str(), 0)).collect();
    functions.values_mut().enumerate().for_each(|(number, function)| *function = number);
    let kind = |phase: &str| theme::PHASES.iter().position(|(name, _)| *name == phase).unwrap_or(0);
    let mut spans: Vec<_> = timeline.spans.iter().collect();
    spans.sort_by(|one, other| one.begin.total_cmp(&other.begin));
    let left_out = spans.len().saturating_sub(MOST_SPANS);
    spans.truncate(MOST_SPANS);
    let end = spans.iter().map(|span| span.end).fold(1e-9, f64::max);
    let micro = |seconds: f64| (seconds * 1e6).round() / 1e6;
    let data = json!({
        "end": end,
        "rows": rows.keys().map(|(process, thread)| json!([node(*process), format!("container {thread}")])).collect::<Vec<_>>(),
        "kinds": theme::PHASES.map(|(name, colour)| json!([name, colour.variable])),
        "functions": functions.keys().collect::<Vec<_>>(),
        "spans": spans.iter().map(|span| json!([
            rows[&span.row], kind(&span.phase), functions[span.function.as_str()], micro(span.begin), micro(span.end), span.served,
        ])).collect::<Vec<_>>(),
    });
    let keys: String = theme::PHASES
        .iter()
        .map(|(name, colour)| format!("<span style=\"--of: var(--{})\">{name}</span>", colour.variable))
        .collect();
    let more = if left_out > 0 { format!("<p>The last {left_out} spans are left out.</p>") } else { String::new() };
    format!(
        "<h2>{}</h2>\n<p class=\"keys\">{keys}</p>\n<p>Wheel or + and − zoom, dragging or arrow keys move, Shift and wheel go \
         through the rows, a double click shows all, also what is kept idle after the last run.</p>{more}\n<canvas id=\"timeline-canvas\" tabindex=\"0\" role=\"img\" \
         aria-label=\"{}\"></canvas>\n<p id=\"told\" aria-live=\"polite\"></p>\n<script type=\"application/json\" \
         id=\"timeline-data\">{}</script>\n<script>{}</script>",
        escaped(title),
        escaped(title),
        data.to_string().replace("</", "<\\/"),
        include_str!("timeline.js"),
    )
}

/// Means and differences, with the share that completed before all others.
fn comparison_table(sweep: &SweepFolder, comparison: &Comparison) -> String {
    let mut metrics = text::usually_shown();
    metrics.retain(|metric| comparison.metrics.contains(metric));
    let header: String =
        sweep.grid.axes.iter().map(|axis| format!("<th scope=\"col\">{}</th>", escaped(&words(&axis.name)))).collect();
    let number = |title: &str| format!("<th scope=\"col\" class=\"number\">{}</th>", escaped(title));
    let numbers: String = metrics.iter().map(|metric| number(&metric.title)).collect();
    let mut html = format!(
        "<div class=\"scroll\"><table>\n<caption>Means of each combination of values</caption>\n\
         <thead><tr>{header}{}{numbers}</tr></thead>\n<tbody>\n",
        number("completed")
    );
    for row in &comparison.rows {
        let labels: String = sweep
            .grid
            .labels(&row.settings)
            .iter()
            .map(|label| format!("<td class=\"label\">{}</td>", breakable(label)))
            .collect();
        let cell = |metric: &&Metric| {
            let difference = text::difference(comparison, row, metric);
            let difference = difference.map_or(String::new(), |difference| format!("<br><small>{difference}</small>"));
            let cell = format!("{}{difference}", text::mean(comparison, row, metric));
            format!("<td class=\"number\">{}</td>", kept_together(&cell))
        };
        let numbers: String = metrics.iter().map(cell).collect();
        let completed = kept_together(&Unit::Share.shown(row.completed.mean));
        let _ = writeln!(html, "<tr>{labels}<td class=\"number\">{completed}</td>{numbers}</tr>");
    }
    html.push_str("</tbody></table></div>\n");
    if let Some(baseline) = sweep.baseline {
        let label = &sweep.grid.axes[baseline.axis].settings[baseline.setting].label;
        let _ = writeln!(html, "<p>Small: differences to {}, seed by seed.</p>", escaped(label));
    }
    for note in text::notes(&sweep.grid, comparison, &metrics, |metric| &metric.title) {
        let _ = writeln!(html, "<p>{} {}</p>", text::MARK, escaped(&note));
    }
    let seeds = text::about_seeds(&sweep.grid, comparison);
    let figures = if seeds.contains('±') { " Figures show the intervals as bands, lines or crosses." } else { "" };
    let _ = writeln!(html, "<p>{seeds}{figures}</p>");
    html
}

/// A text that may go on in the next line after its marks.
fn breakable(text: &str) -> String {
    ["=", ",", "."].iter().fold(escaped(text), |text, mark| text.replace(mark, &format!("{mark}<wbr>")))
}

/// Numbers that stay with their units; what is after ± may go on in the next line.
fn kept_together(text: &str) -> String {
    text.replace(' ', "\u{a0}").replace("\u{a0}±", " ±").replace("<br><small>", "<br> <small>")
}

/// The policy in each slot.
type Policies = BTreeMap<String, PolicyRecord>;

/// Names, versions, parameters and hashes of policies; what all combinations share is told once.
fn policies(used: &[(String, &Policies)]) -> String {
    let mut rows: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (combination, policies) in used {
        for (slot, policy) in *policies {
            let parameters: Vec<String> =
                policy.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let library = match &policy.library_sha256 {
                Some(hash) => format!("<code>{}</code>", escaped(hash)),
                None => "built in".to_owned(),
            };
            let row = format!(
                "<td>{}</td><td>{}</td><td>{}</td><td>{library}</td>",
                escaped(&policy.name),
                escaped(&policy.version),
                escaped(&parameters.join(" ")),
            );
            rows.entry((slot.clone(), row)).or_default().push(combination);
        }
    }
    let mut html = String::from("<div class=\"scroll\"><table>\n<caption>Policies in use</caption>\n<thead><tr>");
    for head in ["slot", "policy", "version", "parameters", "library, SHA-256", "where"] {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for ((slot, row), combinations) in rows {
        let of =
            if combinations.len() == used.len() { "everywhere".to_owned() } else { escaped(&combinations.join("; ")) };
        let _ = writeln!(html, "<tr><td>{}</td>{row}<td>{of}</td></tr>", escaped(&slot));
    }
    html.push_str("</tbody></table></div>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_with_numbers_of_summaries() {
        assert!(HEADLINE.iter().all(|name| Metric::find(name).is_some()));
    }
}
