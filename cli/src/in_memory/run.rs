//! A run that is in memory.

use hearth_serverless::experiment::{PolicyTime, Results};
use hearth_serverless::results::{HeldTable, Summary};
use serde_json::Value;

use super::{Picture, undrawn};
use crate::error::CommandError;
use crate::report::draw::DrawError;
use crate::report::figure::Figure;
use crate::report::folder::RunFolder;
use crate::report::{page, run_figures};
use crate::result_files::Took;
use crate::table;

/// The figures that a notebook shows.
const SMALL: [&str; 3] = ["latency-cdf", "requests-over-time", "memory-over-time"];

/// What the command prints of a run that took so many seconds of real time.
///
/// ```
/// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
/// # use hearth_serverless::results::Summary;
/// let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart.json");
/// let scenario = Scenario::read(scenario.as_ref(), &[])?;
/// let run = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN))?.run_and_keep();
/// let text = hearth_sim::in_memory::run_text(&run.results, &Summary::new(&run.results), 0.5, run.times);
/// assert!(text.starts_with("quickstart: 8.34 min simulated on 3 nodes, seed 42"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn run_text(results: &Results, summary: &Summary, wall_s: f64, policies: Vec<PolicyTime>) -> String {
    table::of_summary(results, summary, &Took { wall_s, policies })
}

/// What is to be seen of a run.
#[derive(Clone, Debug)]
pub struct RunPictures {
    figures: Vec<Figure>,
}

impl RunPictures {
    /// Of a run by its summary, its distributions and, if there is one, its time series.
    ///
    /// # Errors
    /// When the summary is not one.
    pub fn new(summary: Value, distributions: &HeldTable, series: Option<&HeldTable>) -> Result<Self, CommandError> {
        let run = RunFolder::in_memory(summary, Some(distributions), series);
        let run = run.map_err(|error| CommandError::Usage(format!("the summary is not one: {error}")))?;
        Ok(Self { figures: run_figures::of(&run) })
    }

    /// All figures.
    ///
    /// # Errors
    /// When one cannot be drawn, which is a mistake of this program.
    pub fn all(&self) -> Result<Vec<Picture>, CommandError> {
        self.figures.iter().map(Picture::of).collect::<Result<_, DrawError>>().map_err(|error| undrawn(&error))
    }

    /// HTML that needs nothing else, for a notebook: text, and a few figures.
    ///
    /// # Errors
    /// When a figure cannot be drawn, which is a mistake of this program.
    pub fn html(&self, text: &str) -> Result<String, CommandError> {
        let small = SMALL.iter().filter_map(|name| self.figures.iter().find(|figure| figure.name == *name));
        page::part_of_run(text, &small.cloned().collect::<Vec<_>>()).map_err(|error| undrawn(&error))
    }
}
