//! `hearth sweep --on ENGINE`.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use hearth_serverless::results::Unit;
use hearth_simcore::units::{self, Dimension};

use super::super::run::parse_time;
use crate::error::CommandError;
use crate::isolation::inside;
use crate::program;
use crate::sweep::engines::files::{self, LOGS, Written};
use crate::sweep::engines::job::Job;
use crate::sweep::engines::kubernetes::Volume;
use crate::sweep::engines::sizing::{self, Wanted};
use crate::sweep::engines::{Engine, pilot, slurm, waiting};
use crate::sweep::outcome::Shown;
use crate::sweep::planned::PlannedSweep;
use crate::sweep::pool::Control;
use crate::sweep::store::Store;

/// How a plan is handed to an engine.
#[derive(Debug, Args)]
#[command(next_help_heading = "On a cluster")]
pub struct EngineArguments {
    /// Plan, and write beside the plan what this engine reads, with the command that gives it to it.
    #[arg(long, value_enum, value_name = "ENGINE", group = "planning", conflicts_with_all = ["json", "metrics", "jobs"])]
    pub on: Option<Engine>,

    /// Give that command, too.
    #[arg(long, requires = "on")]
    pub submit: bool,

    /// Wait until the job has ended, with a line of progress, and collect what has come of it (Slurm).
    #[arg(long, requires = "submit")]
    wait: bool,

    /// How long a task is to take, about, in seconds or with a unit.
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = parse_time, requires = "on")]
    task_time: Duration,

    /// The cores of a task, each with a simulation.
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "on")]
    task_cores: NonZeroUsize,

    /// The memory of a task, as in 4GB; without it, what the engine gives.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, requires = "on")]
    task_memory: Option<u64>,

    /// The most tasks that there may be; Slurm is asked for its own limit.
    #[arg(long, value_name = "NUMBER", requires = "on")]
    most_tasks: Option<NonZeroUsize>,

    /// How long a run takes, on one core; without it, some runs of the plan are measured here, for ten seconds or one run.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "on")]
    run_time: Option<Duration>,

    /// Something for the engine, as it reads it: as in --engine-option=--partition=short for Slurm.
    #[arg(long = "engine-option", value_name = "OPTION", allow_hyphen_values = true, requires = "on")]
    engine_options: Vec<String>,

    /// The image of containers (Kubernetes).
    #[arg(long, value_name = "NAME", requires = "on")]
    image: Option<String>,

    /// A claim of a volume, and the path under which pods see it (Kubernetes).
    #[arg(long = "volume", value_name = "CLAIM=PATH", requires = "on")]
    volumes: Vec<Volume>,
}

/// Bytes, as in 4GB.
fn parse_size(text: &str) -> Result<u64, String> {
    let bytes = units::parse(text, Dimension::Size).map_err(|error| error.to_string())?;
    let is_size = (1.0..1e18).contains(&bytes);
    if is_size { Ok(bytes as u64) } else { Err(format!("expected a size, as in 4GB, found {text:?}")) }
}

impl EngineArguments {
    /// Cuts the plan into tasks, writes what the engine reads, and hands it over if that is asked for.
    pub fn hand_over(&self, engine: Engine, planned: &PlannedSweep, folder: &Path) -> Result<(), CommandError> {
        if self.wait && engine != Engine::Slurm {
            let problem = "only jobs of Slurm are waited for: see how far others are with `hearth sweep status`";
            return Err(CommandError::Usage(format!("--wait: {problem}")));
        }
        let job = self.job(engine, planned)?;
        let Written { files, command } = job.written(engine, self.image.as_deref(), &self.volumes)?;
        let store = Store::shared(planned.folder());
        files.iter().try_for_each(|(name, text)| store.write(name, text.as_bytes()))?;
        let logs = planned.folder().join(LOGS);
        let unwritable =
            |error: std::io::Error| CommandError::Result { file: logs.clone(), problem: error.to_string() };
        std::fs::create_dir_all(&logs).map_err(unwritable)?;
        let (count, time) = (job.tasks.count, Unit::Seconds.shown(job.tasks.time.as_secs_f64()));
        let (runs, shown) = (planned.runs().len(), folder.display());
        let mut out = inside::stdout();
        writeln!(out, "{runs} runs are planned in {shown}, in {count} tasks of about {time}.")?;
        if !self.submit {
            writeln!(
                out,
                "`{}` hands them over, `hearth sweep collect {shown}` writes the tables.",
                files::in_words(&command)
            )?;
            return Ok(());
        }
        let printed = waiting::submit(&command)?;
        writeln!(out, "{printed}")?;
        if self.wait { self.wait_for(&printed, planned) } else { Ok(()) }
    }

    fn job(&self, engine: Engine, planned: &PlannedSweep) -> Result<Job, CommandError> {
        let open = planned.open_runs()?.len();
        let seconds = match self.run_time {
            Some(time) => time.as_secs_f64(),
            None => pilot::seconds_of_a_run(planned)?,
        };
        let limits = match engine {
            Engine::Slurm => {
                let partition = |option: &String| Some(option.strip_prefix("--partition=")?.to_owned());
                slurm::limits(self.engine_options.iter().find_map(partition).as_deref())
            }
            _ => slurm::Limits::default(),
        };
        let most = [limits.tasks, self.most_tasks.map(NonZeroUsize::get)].into_iter().flatten().min();
        let wanted = Wanted { time: self.task_time, cores: self.task_cores, most, longest: limits.time };
        let tasks = sizing::cut(open.max(1), seconds, &wanted).map_err(CommandError::Usage)?;
        let hearth = program::file()?;
        Ok(Job {
            hearth: files::as_text(&hearth)?,
            plan: files::as_text(planned.folder())?,
            tasks,
            cores: self.task_cores.get(),
            memory: self.task_memory,
            options: self.engine_options.clone(),
        })
    }

    fn wait_for(&self, printed: &str, planned: &PlannedSweep) -> Result<(), CommandError> {
        let unknown = || CommandError::Engine(format!("which job is it that sbatch told of by {printed:?}?"));
        let control = Control::default();
        control.stop_on_interrupt();
        waiting::for_slurm(planned, waiting::job_number(printed).ok_or_else(unknown)?, &control)?;
        let store = Store::for_tables(planned.folder())?;
        let outcome = planned.outcome(false)?;
        outcome.report(Some(&store), Shown { metrics: &[], json: false })?;
        planned.clear_up(&outcome)?;
        outcome.check_failures()
    }
}
