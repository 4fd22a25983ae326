//! What runs warn of, told once for all runs of a combination of values.

use hearth_serverless::results::Numbers;
use serde_json::{Value, json};

/// Something that one should know of runs before their numbers are believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// The values of the runs, in words.
    pub setting: String,
    /// What it is about, in one word.
    pub kind: &'static str,
    /// How many runs it is about.
    pub runs: usize,
    /// How many runs the values have.
    pub of: usize,
    /// The seed of the first of them.
    pub seed: u64,
    /// What the first of them says.
    pub message: String,
}

impl Warning {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let Self { setting, kind, runs, of, seed, message } = self;
        json!({"setting": setting, "kind": kind, "runs": runs, "of": of, "first_seed": seed, "message": message})
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { setting, kind, runs, of, seed, message } = self;
        let setting = if setting.is_empty() { String::new() } else { format!("{setting}: ") };
        write!(f, "{setting}{} in {runs} of {of} runs, seed {seed}: {message}", kind.replace('_', " "))
    }
}

/// What the summary of a run warns of: kind and message.
fn of_summary(summary: &Value) -> Vec<(&'static str, String)> {
    let numbers = Numbers::read(summary);
    let is_any = |name: &str| numbers.get(name).is_some_and(|number| number > 0.0);
    let mut found = Vec::new();
    if let Some(stalled) = summary["stalled"].as_str() {
        found.push(("stalled", stalled.to_owned()));
    } else if is_any("outcomes_unfinished") {
        found.push(("unfinished", format!("{} invocations had not ended", numbers.shown("outcomes_unfinished"))));
    }
    if is_any("skipped_rows") {
        found.push(("skipped_rows", format!("{} rows of the trace were passed over", numbers.shown("skipped_rows"))));
    }
    found
}

/// Warnings of the runs of one combination of values, by kind.
pub fn of_runs<'a>(setting: &str, runs: impl Iterator<Item = (u64, Result<&'a Value, String>)>) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    let mut all = 0;
    for (seed, outcome) in runs {
        all += 1;
        let found = outcome.map_or_else(|failure| vec![("failed", failure)], of_summary);
        for (kind, message) in found {
            match warnings.iter_mut().find(|warning| warning.kind == kind) {
                Some(warning) => warning.runs += 1,
                None => {
                    warnings.push(Warning { setting: setting.to_owned(), kind, runs: 1, of: 0, seed, message });
                }
            }
        }
    }
    warnings.iter_mut().for_each(|warning| warning.of = all);
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_with_its_first_message() {
        let good = json!({"outcomes": {"completed": 3, "unfinished": 0}});
        let stalled = |who: &str| json!({"outcomes": {"unfinished": 1}, "stalled": format!("{who} waits")});
        let (one, two) = (stalled("one"), stalled("two"));
        let runs = [(1, Ok(&good)), (2, Ok(&one)), (3, Ok(&two)), (4, Err("it broke".to_owned()))];
        let told: Vec<String> = of_runs("policy=x", runs.into_iter()).iter().map(Warning::to_string).collect();
        let expected = [
            "policy=x: stalled in 2 of 4 runs, seed 2: one waits",
            "policy=x: failed in 1 of 4 runs, seed 4: it broke",
        ];
        assert_eq!(told, expected);
        assert_eq!(of_runs("", [(1, Ok(&good))].into_iter()), []);
    }
}
