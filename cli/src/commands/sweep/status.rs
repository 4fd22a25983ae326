//! `hearth sweep status`.

use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Args;
use hearth_serverless::results::Unit;

use super::super::run::parse_time;
use crate::error::CommandError;
use crate::progress::LiveText;
use crate::sweep::planned::PlannedSweep;
use crate::sweep::status::Status;

/// The arguments of `hearth sweep status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// The folder, or place in object storage, into which `hearth sweep --plan` has written a plan.
    folder: PathBuf,

    /// Print it as JSON.
    #[arg(long)]
    json: bool,

    /// Say it again and again until nothing is left to do: on a terminal in the place of what was said before, elsewhere in a
    /// line whenever another number of runs is done, running, failed or open.
    #[arg(long, conflicts_with = "json")]
    follow: bool,

    /// How often --follow looks, in seconds or with a unit.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time, requires = "follow")]
    every: Duration,
}

/// The shortest time after which a plan is looked at again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Says how far a plan is.
pub fn run(arguments: &StatusArguments) -> Result<(), CommandError> {
    let planned = PlannedSweep::open(&arguments.folder)?;
    if arguments.follow {
        return follow(&planned, arguments.every.max(SHORTEST_PAUSE));
    }
    let status = planned.status()?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&status).unwrap_or_default())?;
    } else {
        write!(out, "{}", in_words(&status))?;
    }
    Ok(())
}

/// Says how far a plan is until all is done.
fn follow(planned: &PlannedSweep, every: Duration) -> Result<(), CommandError> {
    let mut watch = planned.watch()?;
    let mut view = LiveText::on_terminal();
    let mut told = String::new();
    loop {
        let status = watch.status()?;
        let counts = counts_in_words(&status);
        match &mut view {
            Some(view) => {
                let bar = view.bar(status.done as f64 / status.runs.max(1) as f64);
                view.show(&format!("{bar}\n{}", in_words(&status)))?;
            }
            None if counts != told => {
                writeln!(std::io::stdout(), "{}", in_words(&status).trim_end().replace('\n', "; "))?
            }
            None => {}
        }
        if status.open + status.running == 0 {
            return Ok(());
        }
        told = counts;
        thread::sleep(every);
    }
}

fn counts_in_words(status: &Status) -> String {
    let Status { runs, done, running, failed, open, left_by_dead_workers, .. } = status;
    let dead = match left_by_dead_workers {
        0 => String::new(),
        dead => format!(" ({dead} left by workers that have died)"),
    };
    format!("{done} of {runs} runs done, {running} running, {failed} failed, {open} open{dead}\n")
}

fn in_words(status: &Status) -> String {
    let mut text = counts_in_words(status);
    let seconds = |seconds: f64| Unit::Seconds.shown(seconds);
    match status.core_seconds_left {
        Some(left) if status.running + status.open > 0 => {
            let until = status.seconds_left.map(|left| format!(", {} if as many go on as now", seconds(left)));
            text.push_str(&format!("about {} of one core left{}\n", seconds(left), until.unwrap_or_default()));
        }
        _ => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_while_something_is() {
        let mut status = Status {
            runs: 10,
            done: 4,
            running: 2,
            failed: 1,
            open: 3,
            left_by_dead_workers: 1,
            core_seconds_done: 40.0,
            core_seconds_left: Some(50.0),
            seconds_left: Some(25.0),
        };
        let expected = "4 of 10 runs done, 2 running, 1 failed, 3 open (1 left by workers that have died)\n\
                        about 50.0 s of one core left, 25.0 s if as many go on as now\n";
        assert_eq!(in_words(&status), expected);
        (status.running, status.open, status.done, status.left_by_dead_workers) = (0, 0, 9, 0);
        assert_eq!(in_words(&status), "9 of 10 runs done, 0 running, 1 failed, 0 open\n");
    }
}
