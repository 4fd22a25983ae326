//! What a Slurm cluster lets one do, asked from itself.

use std::process::Command;
use std::time::Duration;

/// What a cluster allows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// The most tasks that an array can have.
    pub tasks: Option<usize>,
    /// The longest that a job may run.
    pub time: Option<Duration>,
}

/// What a program prints; `None` where it cannot be asked.
pub fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The limits of the cluster that this machine belongs to; of the partition that is named, or of the default one.
pub fn limits(partition: Option<&str>) -> Limits {
    let config = ask("scontrol", &["show", "config"]).unwrap_or_default();
    let partitions = ask("scontrol", &["--oneliner", "show", "partition"]).unwrap_or_default();
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let account = ["-nP", "show", "assoc", "format=MaxSubmitJobs", &format!("user={user}")].map(str::to_owned);
    let account = ask("sacctmgr", &account.each_ref().map(String::as_str)).unwrap_or_default();
    found_in(&config, &partitions, &account, partition)
}

/// The limits in what `scontrol show config`, `scontrol --oneliner show partition` and `sacctmgr` print.
fn found_in(config: &str, partitions: &str, account: &str, partition: Option<&str>) -> Limits {
    let configured = |name: &str| {
        let value = |line: &str| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim().parse::<usize>().ok()).flatten()
        };
        config.lines().find_map(value)
    };
    // Numbers of tasks go up to one less than the size, and begin with 1 here.
    let of_array = configured("MaxArraySize").map(|size| size.saturating_sub(1));
    let of_controller = configured("MaxJobCount");
    let of_user = account.lines().filter_map(|line| line.trim().parse().ok()).min();
    let field = |line: &'_ str, name: &str| -> Option<String> {
        line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let is_meant = |line: &&str| match partition {
        Some(name) => field(line, "PartitionName").as_deref() == Some(name),
        None => field(line, "Default").as_deref() == Some("YES"),
    };
    let time = partitions.lines().find(is_meant).and_then(|line| parse_time(&field(line, "MaxTime")?));
    Limits { tasks: [of_array, of_controller, of_user].into_iter().flatten().min(), time }
}

/// A time as Slurm tells it: `[days-]hours:minutes:seconds`; `None` if there is no limit.
fn parse_time(text: &str) -> Option<Duration> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let parts = clock.split(':').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    Some(Duration::from_secs(((days.parse::<u64>().ok()? * 24 + hours) * 60 + minutes) * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str =
        "Configuration data as of 2026\nMaxArraySize            = 101\nMaxJobCount             = 10000\n";
    const PARTITIONS: &str = "PartitionName=short AllowGroups=ALL Default=NO MaxTime=00:30:00 State=UP\n\
                              PartitionName=all AllowGroups=ALL Default=YES MaxTime=2-01:00:00 State=UP\n";

    #[test]
    fn limits_are_those_that_the_cluster_tells() {
        let hours = |hours: u64| Some(Duration::from_secs(3_600 * hours));
        let limits = |account, partition| found_in(CONFIG, PARTITIONS, account, partition);
        assert_eq!(limits("", None), Limits { tasks: Some(100), time: hours(49) });
        assert_eq!(limits("\n50\n", None).tasks, Some(50));
        assert_eq!(limits("", Some("short")).time, Some(Duration::from_secs(1_800)));
        assert_eq!(found_in("", &PARTITIONS.replace("2-01:00:00", "UNLIMITED"), "", None), Limits::default());
    }
}
