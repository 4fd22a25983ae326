//! Hands an array to Slurm, and follows it to its end.

use std::process::Command;
use std::thread;
use std::time::Duration;

use super::files::{in_words, last_words};
use super::slurm::ask;
use crate::error::CommandError;
use crate::progress::SweepProgress;
use crate::sweep::planned::PlannedSweep;
use crate::sweep::pool::Control;

/// How often the engine is asked.
const PAUSE: Duration = Duration::from_secs(2);
/// How often one looks whether it is to stop.
const STEP: Duration = Duration::from_millis(100);

/// Does a command, and gives what it prints.
///
/// # Errors
/// When it cannot be run or fails: what it says.
pub fn submit(command: &[String]) -> Result<String, CommandError> {
    let wrong = |problem: String| CommandError::Engine(format!("`{}`: {problem}", in_words(command)));
    let Some((program, arguments)) = command.split_first() else { return Ok(String::new()) };
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| wrong(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(wrong(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The number of an array in what `sbatch` prints: `Submitted batch job 7`.
pub fn job_number(printed: &str) -> Option<u64> {
    printed.split_whitespace().next_back()?.parse().ok()
}

/// Waits until no task of an array of Slurm is left.
///
/// # Errors
/// When runs are missing or the user does not wait any longer.
pub fn for_slurm(planned: &PlannedSweep, job: u64, control: &Control) -> Result<(), CommandError> {
    let runs = planned.runs().len();
    let progress = SweepProgress::start(runs, runs);
    while is_there(job) {
        if let Some(progress) = &progress {
            let status = planned.status()?;
            progress.show(status.done + status.failed, 0.0);
        }
        let mut waited = Duration::ZERO;
        while waited < PAUSE {
            if control.is_stopped() {
                let folder = planned.folder().display();
                return Err(CommandError::Engine(format!(
                    "nobody waits any longer, and job {job} goes on: `scancel {job}` ends it, `hearth sweep status {folder}` says \
                     how far it is, `hearth sweep collect {folder}` writes the tables"
                )));
            }
            thread::sleep(STEP);
            waited += STEP;
        }
    }
    drop(progress);
    let status = planned.status()?;
    let missing = status.open + status.running;
    if missing == 0 {
        return Ok(());
    }
    let ended = ask("sacct", &["-nXP", "-j", &job.to_string(), "-o", "JobID,State,ExitCode"]).unwrap_or_default();
    let is_bad = |line: &&str| !line.contains("|COMPLETED|");
    let states: Vec<&str> = ended.lines().filter(is_bad).take(5).collect();
    let states = if states.is_empty() { String::new() } else { format!("\n  {}", states.join("\n  ")) };
    let words = last_words(planned.folder()).map_or_else(String::new, |(path, words)| {
        format!("\nThe last words of a task are in {}:\n  {}", path.display(), words.replace('\n', "\n  "))
    });
    Err(CommandError::Engine(format!(
        "job {job} has ended, and {missing} of {runs} runs are missing: the same command with --resume goes on with them{states}{words}"
    )))
}

/// Whether the queue has tasks of an array. One that cannot be asked just now has.
fn is_there(job: u64) -> bool {
    let output = Command::new("squeue").args(["--noheader", "--array", "--jobs", &job.to_string()]).output();
    match output {
        Ok(output) if output.status.success() => !output.stdout.is_empty(),
        // Slurm forgets jobs after a while.
        Ok(output) => !String::from_utf8_lossy(&output.stderr).contains("Invalid job id"),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_job_is_the_last_word() {
        assert_eq!(job_number("Submitted batch job 7\n"), Some(7));
        assert_eq!(job_number("Submitted batch job 7 on cluster test"), None);
    }
}
