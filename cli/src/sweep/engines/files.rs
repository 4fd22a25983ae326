//! The files that engines read, and the command that gives them a plan.

use std::path::{Path, PathBuf};

use super::job::Job;
use super::{Engine, kubernetes};
use crate::error::CommandError;

/// The folder of what tasks have said that did not end well, in that of the plan.
pub const LOGS: &str = "logs";

/// What is written for an engine.
#[derive(Debug)]
pub struct Written {
    /// The files, by name in the folder of the plan.
    pub files: Vec<(&'static str, String)>,
    /// The command that hands the plan over.
    pub command: Vec<String>,
}

/// A word as a shell reads it.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:,@%".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A command as a shell reads it.
pub fn in_words(command: &[String]) -> String {
    command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The folder of a plan and the path of this program, as text.
///
/// # Errors
/// When one is not UTF-8 text.
pub fn as_text(path: &Path) -> Result<String, CommandError> {
    let not_text = || CommandError::Usage(format!("{}: is not UTF-8 text, which files of engines are", path.display()));
    path.to_str().map(str::to_owned).ok_or_else(not_text)
}

impl Job {
    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.plan)
    }

    fn worker(&self, share: &str) -> String {
        let (hearth, plan) = (quoted(&self.hearth), quoted(&self.plan));
        format!("{hearth} sweep work {plan} --share {share}/{} --jobs {} --quiet", self.tasks.count, self.cores)
    }

    /// A script that does the share of its first argument.
    fn task_script(&self) -> String {
        let log = format!("{}/$1.log", quoted(&self.file(LOGS)));
        format!(
            "#!/bin/sh\n# Does share $1 of {}; what it says is kept where it did not end well.\nset -eu\n\
             {} >>{log} 2>&1\nrm -f {log}\n",
            self.tasks.count,
            self.worker("\"$1\"")
        )
    }

    fn for_slurm(&self) -> Result<Written, CommandError> {
        let log = self.file(&format!("{LOGS}/%a.log"));
        // Slurm knows no quotes in its comments.
        if log.contains(char::is_whitespace) {
            return Err(CommandError::Usage(format!(
                "--output {}: has a space in it, which Slurm does not read",
                self.plan
            )));
        }
        let minutes = self.tasks.limit.as_secs().div_ceil(60);
        let mut script = String::from("#!/bin/sh\n");
        let mut option = |text: String| script.push_str(&format!("#SBATCH {text}\n"));
        option("--job-name=hearth-sweep".to_owned());
        option(format!("--array=1-{}", self.tasks.count));
        option(format!("--time={minutes}"));
        option(format!("--cpus-per-task={}", self.cores));
        if let Some(bytes) = self.memory {
            option(format!("--mem={}M", bytes.div_ceil(1 << 20)));
        }
        option("--requeue".to_owned());
        option("--open-mode=append".to_owned());
        option(format!("--output={log}"));
        self.options.iter().cloned().for_each(option);
        script.push_str(&format!(
            "# What a task says is kept where it did not end well.\nset -eu\n{}\nrm -f {}/\"$SLURM_ARRAY_TASK_ID\".log\n",
            self.worker("\"$SLURM_ARRAY_TASK_ID\""),
            quoted(&self.file(LOGS))
        ));
        let command = ["sbatch".to_owned(), self.file("slurm.sh")].into();
        Ok(Written { files: vec![("slurm.sh", script)], command })
    }

    fn for_hyperqueue(&self) -> Written {
        let memory =
            self.memory.map(|bytes| format!(" --resource mem={}", bytes.div_ceil(1 << 20))).unwrap_or_default();
        let options: String = self.options.iter().map(|option| format!(" {}", quoted(option))).collect();
        let script = format!(
            "#!/bin/sh\n# Gives HyperQueue the tasks; with the options that follow, as in --wait.\nset -eu\n\
             hq submit --name hearth-sweep --array 1-{} --cpus {}{memory} --time-request {}s --max-fails {} --crash-limit 5 \
             --stdout none --stderr none{options} \"$@\" -- sh -c 'exec sh \"$0\" \"$HQ_TASK_ID\"' {}\n\
             case \" $* \" in *\" --wait \"* | *\" --progress \"*) ;; *) exit ;; esac\n\
             # Who has waited is told by HyperQueue that all tasks have ended, and not how.\n\
             for log in {}/*.log; do\n    \
             [ ! -e \"$log\" ] || {{ echo \"tasks have failed, the first with $log\" >&2; exit 1; }}\ndone\n",
            self.tasks.count,
            self.cores,
            self.tasks.time.as_secs().max(1),
            self.tasks.count,
            quoted(&self.file("task.sh")),
            quoted(&self.file(LOGS))
        );
        let command = ["sh".to_owned(), self.file("hq.sh")].into();
        Written { files: vec![("task.sh", self.task_script()), ("hq.sh", script)], command }
    }

    fn for_parallel(&self) -> Written {
        let options: String = self.options.iter().map(|option| format!(" {}", quoted(option))).collect();
        let jobs = match self.cores {
            1 => "--jobs 100%".to_owned(),
            cores => format!("--jobs {}%", (100 / cores).max(1)),
        };
        let script = format!(
            "#!/bin/sh\n# Does the tasks on this machine, or on others with the options that follow, as in --sshloginfile FILE.\n\
             set -eu\nexec parallel {jobs} --line-buffer{options} \"$@\" sh {} ::: $(seq {})\n",
            quoted(&self.file("task.sh")),
            self.tasks.count
        );
        let command = ["sh".to_owned(), self.file("parallel.sh")].into();
        Written { files: vec![("task.sh", self.task_script()), ("parallel.sh", script)], command }
    }

    fn for_htcondor(&self) -> Written {
        let memory =
            self.memory.map(|bytes| format!("request_memory = {}MB\n", bytes.div_ceil(1 << 20))).unwrap_or_default();
        let options: String = self.options.iter().map(|option| format!("{option}\n")).collect();
        let undollared = |text: &str| text.replace('$', "$(DOLLAR)");
        let submit = format!(
            "# Jobs see the folder of the plan under the same path.\nuniverse = vanilla\nexecutable = /bin/sh\n\
             share = $(Process) + 1\narguments = \"'{}' $INT(share)\"\nlog = {}\nrequest_cpus = {}\n{memory}\
             should_transfer_files = NO\nmax_retries = 3\n{options}queue {}\n",
            undollared(&self.file("task.sh").replace('\'', "''").replace('"', "\"\"")),
            undollared(&self.file("htcondor.log")),
            self.cores,
            self.tasks.count
        );
        let command = ["condor_submit".to_owned(), self.file("htcondor.sub")].into();
        Written { files: vec![("task.sh", self.task_script()), ("htcondor.sub", submit)], command }
    }

    /// The files for an engine, and the command that gives it the plan.
    ///
    /// # Errors
    /// When something is missing that the engine must be told, or it cannot be told.
    pub fn written(
        &self,
        engine: Engine,
        image: Option<&str>,
        volumes: &[kubernetes::Volume],
    ) -> Result<Written, CommandError> {
        match engine {
            Engine::Slurm => self.for_slurm(),
            Engine::Hq => Ok(self.for_hyperqueue()),
            Engine::Parallel => Ok(self.for_parallel()),
            Engine::Htcondor => Ok(self.for_htcondor()),
            Engine::Kubernetes => {
                let missing = || {
                    let cure = "say with --image what pods are made of, and with --volume CLAIM=PATH where they see the folder";
                    CommandError::Usage(format!("--on kubernetes: {cure}"))
                };
                let image = image.filter(|_| !volumes.is_empty()).ok_or_else(missing)?;
                let manifest =
                    serde_json::to_string_pretty(&kubernetes::manifest(self, image, volumes)).unwrap_or_default();
                let command = ["kubectl", "create", "--filename", &self.file("job.json")].map(str::to_owned).into();
                Ok(Written { files: vec![("job.json", manifest + "\n")], command })
            }
        }
    }
}

/// The log of the task that has written last, and its last lines.
pub fn last_words(plan: &Path) -> Option<(PathBuf, String)> {
    let entries = std::fs::read_dir(plan.join(LOGS)).ok()?;
    let dated = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
    });
    let (_, path) = dated.max()?;
    let text = String::from_utf8_lossy(&std::fs::read(&path).ok()?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    Some((path, lines.get(lines.len().saturating_sub(5)..)?.join("\n")))
}
