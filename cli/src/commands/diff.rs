//! `hearth diff`: two runs side by side.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use hearth_serverless::experiment::{
    COMPARED, DifferenceError, DifferenceOptions, Experiment, Monitor, RunDifference, Watchdog, difference_of,
};

use super::reproduce;
use super::run::{POLICY_TIMEOUT, parse_time};
use super::selection::{PluginArguments, ScenarioArguments, Settings};
use crate::difference;
use crate::error::CommandError;
use crate::interrupt;
use crate::isolation::{Isolated, inside};
use crate::report;
use crate::result_folder::claim;

/// So many invocations are named on a page, in each list.
const ON_PAGE: usize = 200;

/// The arguments of `hearth diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The first run: a scenario file, or a folder of results, whose run is made again.
    first: PathBuf,

    /// The second run; without it, the first one with what is set by --policy, --set and the like.
    second: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    plugins: PluginArguments,

    /// Name so many invocations: of those that part first, win most and lose most.
    #[arg(long, value_name = "N", default_value = "10")]
    most: NonZeroUsize,

    /// Write a row for each invocation that is in both runs into this file, as CSV.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,

    /// Write what differs as a page into this file, as HTML: tables that are sorted and searched, and figures. It needs no network.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,

    /// Replace the files of --table and --page.
    #[arg(long)]
    overwrite: bool,

    /// Print what differs as JSON instead of tables.
    #[arg(long)]
    json: bool,

    /// End when one call of a policy takes longer than this, in seconds of real time or with a unit; 0 waits for ever.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    policy_timeout: Duration,
}

impl DiffArguments {
    /// The two runs, with what is set in the second.
    fn runs(&self) -> Result<[ScenarioArguments; 2], CommandError> {
        let second = self.second.as_ref().unwrap_or(&self.first);
        if self.second.is_none() && self.settings.is_nothing() {
            let cure = "name another run, or change this one with --policy, --set, --seed or --platform";
            return Err(CommandError::Usage(format!(
                "{} alone has nothing to differ from: {cure}",
                self.first.display()
            )));
        }
        let first = scenario_of(&self.first)?;
        let second = scenario_of(second)?;
        Ok([
            ScenarioArguments::of(first, &self.plugins, &Settings::default()),
            ScenarioArguments::of(second, &self.plugins, &self.settings),
        ])
    }

    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        let runs = self.runs().ok()?;
        let opens = runs.iter().any(ScenarioArguments::may_open_libraries);
        opens.then(|| {
            Isolated::within(
                if self.policy_timeout.is_zero() { POLICY_TIMEOUT } else { self.policy_timeout },
                self.plugins.all_folders(),
            )
        })
    }

    /// The files that are written, before anything runs: of the table and of the page.
    fn files(&self) -> Result<[Option<BufWriter<File>>; 2], CommandError> {
        if let (Some(table), Some(page)) = (&self.table, &self.page)
            && (table == page || claim::is_same(table, page))
        {
            return Err(CommandError::Usage("--table and --page name one file: name two".to_owned()));
        }
        let named = [("--table", &self.table), ("--page", &self.page)];
        let open = |(option, path): (&str, &Option<PathBuf>)| {
            let Some(path) = path else { return Ok(None) };
            let wrong = |problem: String| CommandError::Usage(format!("{option} {}: {problem}", path.display()));
            if path.exists() && !self.overwrite {
                return Err(wrong("is there already: replace it with --overwrite, or name another file".to_owned()));
            }
            let file = File::create(path).map_err(|error| wrong(error.to_string()))?;
            Ok(Some(BufWriter::new(file)))
        };
        let [table, page] = named.map(open);
        Ok([table?, page?])
    }
}

/// The scenario of a run: the file itself, or that in a folder of results.
fn scenario_of(path: &Path) -> Result<PathBuf, CommandError> {
    match reproduce::folder_of(path)? {
        Some((folder, _)) => Ok(folder.join("scenario.json")),
        None if path.is_dir() => {
            Err(CommandError::Usage(format!("{}: holds no results of `hearth run`", path.display())))
        }
        None if path == Path::new("-") => {
            Err(CommandError::Usage("a scenario of standard input cannot be compared: name a file".to_owned()))
        }
        None => Ok(path.to_owned()),
    }
}

/// The simulations that run, for Ctrl-C.
type Monitors = Arc<Mutex<Vec<Monitor>>>;

/// Runs both and says where they part.
pub fn diff(arguments: &DiffArguments) -> Result<(), CommandError> {
    let [first, second] = arguments.runs()?;
    let [table, page] = arguments.files()?;
    let table = table.map(|file| Box::new(file) as Box<dyn Write + Send>);
    let most = arguments.most.get();
    let named = if page.is_some() { most.max(ON_PAGE) } else { most };
    let options = DifferenceOptions { named, table: table.map(Into::into) };
    let monitors = Monitors::default();
    let stopped = Arc::clone(&monitors);
    interrupt::stops(
        move || stopped.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Monitor::interrupt),
        || {},
    );
    inside::note_doing("while two runs were compared");
    let prepare = |run: ScenarioArguments| {
        let (limit, monitors) = (arguments.policy_timeout, Arc::clone(&monitors));
        move || prepared(&run, limit, &monitors)
    };
    let mut difference = difference_of(prepare(first), prepare(second), options).map_err(|error| match error {
        DifferenceError::Preparation(error) => error,
        DifferenceError::Table(error) => CommandError::Simulation(error.to_string()),
        DifferenceError::Lost => CommandError::Simulation("one of the runs has ended without a word".to_owned()),
    })?;
    if interrupt::is_asked() {
        return Err(CommandError::Interrupted);
    }
    if let Some(mut page) = page {
        let written = report::difference::write(&difference, &mut page);
        written.map_err(|error| CommandError::Simulation(format!("the page cannot be written: {error}")))?;
    }
    for named in [&mut difference.led_to, &mut difference.won_most, &mut difference.lost_most] {
        named.truncate(most);
    }
    tell(&difference, arguments.json)?;
    let runs = [("first", &difference.first), ("second", &difference.second)];
    let stopped = runs.into_iter().find_map(|(which, run)| Some((which, run.stopped.as_ref()?)));
    match stopped {
        Some((which, error)) => Err(CommandError::Simulation(format!("the {which} run: {error}"))),
        None => Ok(()),
    }
}

fn prepared(
    run: &ScenarioArguments,
    limit: Duration,
    monitors: &Monitors,
) -> Result<(Experiment, Option<Watchdog>), CommandError> {
    let watchdog = (limit > Duration::ZERO).then(|| {
        Watchdog::start(limit, |stuck| {
            eprintln!("error: the simulation stopped: {stuck}");
            inside::leave(1)
        })
    });
    monitors.lock().unwrap_or_else(PoisonError::into_inner).push(Monitor::of_this_thread());
    let (_, experiment) = run.read()?.prepare_observed(&COMPARED)?;
    Ok((experiment, watchdog))
}

fn tell(difference: &RunDifference, as_json: bool) -> Result<(), CommandError> {
    let mut out = inside::stdout();
    if as_json {
        // Numbers, text and what decisions were written as: there is nothing in it that JSON cannot hold.
        writeln!(out, "{}", serde_json::to_string_pretty(difference).unwrap_or_default())?;
    } else {
        write!(out, "{}", difference::shown(difference))?;
    }
    Ok(())
}
