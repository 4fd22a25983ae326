//! Who a mean is over. A policy that refuses most requests has a short latency: of those that it did not refuse. Means are
//! compared without a remark only where they are over the same requests.

use hearth_serverless::results::{Numbers, Over, RequestSets};

/// The members that some numbers of a run are over.
#[derive(Clone, PartialEq, Debug)]
pub struct Population {
    members: u64,
    whole: u64,
    /// The same for the same members; `None` where members are not known one by one.
    identity: Option<String>,
}

impl Population {
    /// That of the numbers of a run, with the fingerprints of its sets of requests.
    pub fn of(numbers: &Numbers, sets: Option<&RequestSets>, over: Over) -> Self {
        let count = |name: &str| numbers.get(name).unwrap_or(0.0) as u64;
        let (requests, started) = (count("invocations"), count("waiting_count"));
        let starts = count("cold_starts") + count("warm_starts");
        // Those left out say it all where the requests are the same, and none left out needs no list.
        let without = |members: u64, set: fn(&RequestSets) -> &String| {
            let left_out = if members == requests { Some("") } else { sets.map(|sets| set(sets).as_str()) };
            left_out.map(|left_out| format!("{requests} without {left_out}"))
        };
        let (members, whole, identity) = match over {
            Over::Everything => (requests, requests, Some(String::new())),
            Over::Completed => {
                let completed = count("outcomes_completed");
                (completed, requests, without(completed, |sets| &sets.not_completed))
            }
            Over::Started => (started, requests, without(started, |sets| &sets.not_started)),
            // Who started more than once, or was lost before its body began, is not known.
            Over::Starts if starts != started => (started, requests, None),
            Over::Starts => (started, requests, without(started, |sets| &sets.not_started)),
            Over::ColdStarts => {
                let cold = count("cold_start_delay_count");
                let members = sets.map(|sets| format!("{requests} of them {}", sets.started_cold));
                (cold, started, members)
            }
            Over::WorkflowRuns => {
                let (completed, runs) = (count("workflows_completed"), count("workflows_runs"));
                (completed, runs, (completed == runs).then(|| format!("all {runs}")))
            }
            Over::Recoveries => {
                let (recovered, left) = (count("faults_time_to_recover_count"), count("faults_unrecovered"));
                (recovered, recovered + left, (left == 0).then(|| format!("all {recovered}")))
            }
        };
        Self { members, whole, identity }
    }

    /// The members over all that there could be; 1 where there could be none.
    pub fn share(&self) -> f64 {
        if self.whole == 0 { 1.0 } else { self.members as f64 / self.whole as f64 }
    }

    /// Whether nothing is left out.
    pub fn is_whole(&self) -> bool {
        self.members == self.whole
    }

    /// Whether the members of both are known to be the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.identity.is_some() && self.identity == other.identity
    }
}

#[cfg(test)]
mod tests {
    use hearth_serverless::results::Metric;
    use serde_json::json;

    use super::*;

    /// The population of means of latency.
    fn completed(requests: u64, completed: u64, sets: Option<&RequestSets>) -> Population {
        let summary = json!({"invocations": requests, "outcomes": {"completed": completed}});
        Population::of(&Numbers::read(&summary), sets, Over::Completed)
    }

    #[test]
    fn the_same_requests_are_told_from_as_many_others() {
        let of = |requests, among, set: &str| {
            let sets = RequestSets { not_completed: set.to_owned(), ..RequestSets::default() };
            completed(requests, among, Some(&sets))
        };
        assert!(of(10, 10, "00").is_same(&of(10, 10, "00")));
        assert!(of(10, 9, "ab").is_same(&of(10, 9, "ab")));
        assert!(!of(10, 9, "ab").is_same(&of(10, 9, "cd")), "as many, but others");
        assert!(!of(10, 10, "00").is_same(&of(11, 11, "00")), "another workload");
        assert_eq!((of(10, 9, "ab").share(), of(0, 0, "00").share()), (0.9, 1.0));
    }

    #[test]
    fn results_that_name_no_sets_are_the_same_only_if_all_completed() {
        let old = |among| completed(10, among, None);
        assert!(old(10).is_same(&old(10)) && !old(9).is_same(&old(9)));
    }

    #[test]
    fn what_is_counted_are_numbers_of_summaries() {
        let source = include_str!("population.rs").split("#[cfg(test)]").next().unwrap();
        let names: Vec<&str> = source.split("count(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(names.len() >= 10 && names.iter().all(|name| Metric::find(name).is_some()), "{names:?}");
    }
}
