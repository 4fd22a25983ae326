//! Puts figures and tables on one page that needs nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use hearth_serverless::policy::PolicyRecord;
use hearth_serverless::results::{Metric, Unit};
use serde_json::{Value, json};

use super::draw::{DrawError, escaped, for_page, to_svg};
use super::explore::{Found, Missing};
use super::figure::{Content, Figure};
use super::folder::{RunFolder, SweepFolder};
use super::{run_figures, script, sweep_figures, theme};
use crate::sweep::axes::words;
use crate::sweep::comparison::Comparison;
use crate::sweep::text;

/// What the page of a run begins with.
const HEADLINE: [&str; 4] = ["invocations", "cold_start_ratio", "latency_p50", "latency_p99"];

// Writing to a string cannot fail, so the results of `write!` are passed over in this file.

/// A run as it comes onto a page.
#[derive(Debug)]
pub struct RunOnPage {
    /// What to call it.
    pub label: String,
    /// Where it lies, for commands that the page names.
    pub path: String,
    /// What is in its folder.
    pub run: RunFolder,
    /// Its invocations, or why they are not there.
    pub explored: Found,
}

/// Writes the page of a run, or of several beside each other.
///
/// # Errors
/// When a figure cannot be drawn, or the page cannot be written.
pub fn of_runs(runs: &[RunOnPage], out: &mut impl Write) -> Result<(), DrawError> {
    let Some(first) = runs.first() else { return Ok(()) };
    let is_alone = runs.len() == 1;
    let name = name_of(&first.run.summary.scenario);
    let mut head = format!("<h1>{}</h1>\n", escaped(&name));
    let mut body = String::new();
    for (number, on_page) in runs.iter().enumerate() {
        let RunOnPage { label, run, explored, .. } = on_page;
        let label = if is_alone { String::new() } else { format!("<strong>{}</strong>: ", escaped(label)) };
        head.push_str(&headline(&label, run));
        let mut figures = run_figures::of(run);
        if !is_alone {
            let _ = writeln!(body, "<h2>Figures of {}</h2>", escaped(&on_page.label));
            figures.iter_mut().for_each(|figure| figure.name = format!("run-{number}-{}", figure.name));
        }
        if let Err(missing) = explored {
            let _ = writeln!(body, "<p>{label}{}</p>", why_missing(*missing));
        }
        if is_alone {
            body.push_str("<h2>Figures</h2>\n");
        }
        body.push_str(&figures_of(&figures)?);
    }
    let used: Vec<(String, &Policies)> =
        runs.iter().map(|on_page| (on_page.label.clone(), &on_page.run.summary.policies)).collect();
    let _ = writeln!(body, "<h2>Policies</h2>\n{}", policies(&used));
    for (scenario, on_page) in
        runs.iter().filter_map(|on_page| on_page.run.scenario.as_ref().map(|scenario| (scenario, on_page)))
    {
        let of = if is_alone { String::new() } else { format!(" of {}", escaped(&on_page.label)) };
        let _ = writeln!(body, "<h2>Scenario{of}</h2>\n{}", folded("scenario.json", scenario));
    }
    for on_page in runs {
        let of = if is_alone { String::new() } else { format!(" of {}", escaped(&on_page.label)) };
        let _ = writeln!(body, "<h2>Summary{of}</h2>\n{}", folded("summary.json", &on_page.run.written));
    }
    let data = if runs.iter().any(|on_page| on_page.explored.is_ok()) { data_of(runs) } else { String::new() };
    let chunks = runs.iter().filter_map(|on_page| on_page.explored.as_ref().ok()).enumerate();
    let chunks =
        chunks.flat_map(|(number, explored)| explored.chunks.iter().map(move |(name, text)| (number, name, text)));
    Ok(write_page(out, &name, [&head, &data, &body], &mut |out: &mut dyn Write| {
        chunks.clone().try_for_each(|(run, name, text)| {
            writeln!(out, "<script type=\"text/plain\" id=\"run-{run}-{name}\">{text}</script>")
        })
    })?)
}

/// Why invocations are not on a page, and what helps.
fn why_missing(missing: Missing) -> &'static str {
    match missing {
        Missing::Table => {
            "There is no table of invocations, of which this page would show each. Run it again with <code>--output</code> and without \
             <code>--invocations none</code>."
        }
        Missing::TooLong => {
            "It is longer than 104 days, of which browsers cannot count the nanoseconds: this page has its figures, and not each invocation."
        }
    }
}

/// What is most important about a run, in a line.
fn headline(label: &str, run: &RunFolder) -> String {
    let summary = &run.summary;
    let [invocations, cold, median, most] = HEADLINE.map(|name| run.numbers.shown(name));
    let mut line = format!(
        "<p>{label}{invocations} invocations, {cold} of starts cold, median latency {median}, 99 % within {most}; seed {}.</p>\n",
        summary.seed,
    );
    if summary.interrupted {
        let why = summary.stopped_by.as_deref().unwrap_or("interrupted");
        let _ = writeln!(line, "<p><strong>Stopped before its end: {}</strong></p>", escaped(why));
    }
    line
}

/// What the script is told before it unpacks anything, and the place where it puts what it shows.
fn data_of(runs: &[RunOnPage]) -> String {
    // Runs that differ in their seeds alone belong together.
    let mut groups: Vec<Value> = Vec::new();
    let mut told = Vec::new();
    for RunOnPage { label, path, run, explored } in runs {
        let mut scenario = run.scenario.clone().unwrap_or_default();
        scenario.as_object_mut().map(|scenario| scenario.remove("seed"));
        let group = groups.iter().position(|group| *group == scenario);
        let group = group.unwrap_or_else(|| {
            groups.push(scenario);
            groups.len() - 1
        });
        let Ok(explored) = explored else { continue };
        let mut about = explored.about.clone();
        about["label"] = json!(label);
        about["path"] = json!(path);
        about["seed"] = json!(run.summary.seed);
        about["group"] = json!(group);
        told.push(about);
    }
    // Nothing in it can end the element: that begins with the one mark that is written otherwise.
    let told = json!({"runs": told}).to_string().replace('<', "\\u003c");
    format!(
        "<div id=\"explore\"><noscript><p>This page shows invocations, causes and nodes by a script, which this browser does not run. What does not \
         need it follows.</p></noscript></div>\n<script type=\"application/json\" id=\"about\">{told}</script>\n"
    )
}

/// The page of a sweep.
///
/// # Errors
/// When a figure cannot be drawn, or the page cannot be written.
pub fn of_sweep(sweep: &SweepFolder, out: &mut impl Write) -> Result<(), DrawError> {
    let comparison = &sweep_figures::comparison(sweep);
    let name = name_of(sweep.about["scenario"]["name"].as_str().unwrap_or_default());
    let head = format!("<h1>{}</h1>\n", escaped(&name));
    let mut body = String::new();
    let seeds: Vec<String> = sweep.grid.seeds.iter().map(u64::to_string).collect();
    let (runs, all) = (sweep.runs.len(), sweep.grid.points().len());
    let _ = writeln!(body, "<p>{runs} of {all} runs; seeds {}.</p>", seeds.join(", "));
    for warning in sweep.about["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(body, "<p><strong>{}</strong></p>", escaped(&warning_of(warning)));
    }
    let _ = writeln!(body, "{}", comparison_table(sweep, comparison));
    body.push_str(&figures_of(&sweep_figures::of(sweep, comparison))?);
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
    Ok(write_page(out, &name, [&head, "", &body], &mut |_| Ok(()))?)
}

/// A warning of `sweep.json`, in words.
fn warning_of(warning: &Value) -> String {
    let text = |name: &str| warning[name].as_str().unwrap_or_default();
    let (setting, kind) = (text("setting"), text("kind").replace('_', " "));
    let setting = if setting.is_empty() { String::new() } else { format!("{setting}: ") };
    format!("{setting}{kind} in {} of {} runs: {}", warning["runs"], warning["of"], text("message"))
}

pub(super) fn name_of(scenario: &str) -> String {
    if scenario.is_empty() { "unnamed scenario".to_owned() } else { scenario.to_owned() }
}

/// A text of more lines than this is not put on paper.
const MOST_LINES: usize = 300;

/// A value as JSON, to be unfolded.
fn folded(title: &str, value: &Value) -> String {
    let text = escaped(&serde_json::to_string_pretty(value).unwrap_or_default());
    let class = if text.lines().count() > MOST_LINES { " class=\"long\"" } else { "" };
    format!(
        "<details{class}><summary>{title}</summary><pre tabindex=\"0\" role=\"region\" aria-label=\"{title}\">{text}</pre></details>"
    )
}

/// The variables that stand for colours, on light ground and on dark.
fn variables() -> [String; 2] {
    let variables = |code: &dyn Fn(theme::Colour) -> String| -> String {
        theme::all().map(|colour| format!("--{}: {}; ", colour.variable, code(colour))).collect()
    };
    [variables(&|colour| theme::hex(colour.light)), variables(&|colour| theme::hex(colour.dark))]
}

/// Writes a page, of which the last part may be long.
pub(super) fn write_page(
    out: &mut impl Write,
    title: &str,
    [head, data, body]: [&str; 3],
    chunks: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let [light, dark] = variables();
    let style = include_str!("page.css").replace("{{light}}", &light).replace("{{dark}}", &dark);
    let script = script::script();
    let title = escaped(title);
    let (style_hash, script_hash) = (script::hash(&style), script::hash(&script));
    for (number, part) in include_str!("page.html").split("{{").enumerate() {
        let (name, rest) = if number == 0 { ("", part) } else { part.split_once("}}").unwrap_or(("", part)) };
        let text = match name {
            "title" => &title,
            "style" => &style,
            "style-hash" => &style_hash,
            "script" => &script,
            "script-hash" => &script_hash,
            "head" => head,
            "data" => data,
            "body" => body,
            _ => "",
        };
        out.write_all(text.as_bytes())?;
        if name == "chunks" {
            chunks(&mut *out)?;
        }
        out.write_all(rest.as_bytes())?;
    }
    out.flush()
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

pub(super) fn figures_of(figures: &[Figure]) -> Result<String, DrawError> {
    let mut html = String::from("<div class=\"figures\">\n");
    for figure in figures {
        let picture = for_page(&to_svg(figure)?);
        let is_wide = match &figure.content {
            Content::Plot(plot) => plot.panels.len() > 1,
            Content::Bars(_) | Content::Sides(_) | Content::GanttChart(_) => false,
        };
        let class = if is_wide { " class=\"wide\"" } else { "" };
        let (name, note) = (escaped(&figure.name), escaped(&figure.note));
        let _ = writeln!(html, "<figure{class} id=\"{name}\">\n{picture}\n<figcaption>{note}</figcaption>\n</figure>");
    }
    html.push_str("</div>\n");
    Ok(html)
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
        "<div class=\"scroll\"><table class=\"sortable\">\n<caption>Means of each combination of values</caption>\n\
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
            let value = row.mean(metric).map_or(String::new(), |mean| format!(" data-value=\"{}\"", mean.mean));
            format!("<td class=\"number\"{value}>{}</td>", kept_together(&cell))
        };
        let numbers: String = metrics.iter().map(cell).collect();
        let completed = kept_together(&Unit::Share.shown(row.completed.mean));
        let _ = writeln!(
            html,
            "<tr>{labels}<td class=\"number\" data-value=\"{}\">{completed}</td>{numbers}</tr>",
            row.completed.mean
        );
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
