//! What runs warn of, told once for all runs of a combination of values.

use hearth_serverless::results::Numbers;
use serde_json::{Value, json};

/// What a run warns of: in one word, and in many.
pub type Told = (&'static str, String);

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

/// What the summary of a run warns of, which has these numbers.
pub fn of_summary(summary: &Value, numbers: &Numbers) -> Vec<Told> {
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

/// What a run warns of that has failed.
pub fn of_failure(error: String) -> Vec<Told> {
    vec![("failed", error)]
}

/// Warnings of the runs of a grid, whose runs of the same values follow one another.
#[derive(Debug, Default)]
pub struct Collected {
    warnings: Vec<Warning>,
    /// The values of the last run, where their warnings begin, and how many runs they have had.
    last: Option<(Vec<usize>, usize, usize)>,
}

impl Collected {
    /// Adds a run that has ended or failed. `describe` has its values in words.
    pub fn add(&mut self, settings: &[usize], seed: u64, told: &[Told], describe: impl FnOnce() -> String) {
        if self.last.as_ref().is_none_or(|(last, ..)| last != settings) {
            self.end_values();
            self.last = Some((settings.to_vec(), self.warnings.len(), 0));
        }
        let Some((_, begin, runs)) = &mut self.last else { return };
        *runs += 1;
        let begin = *begin;
        let mut new = Vec::new();
        for (kind, message) in told {
            match self.warnings.iter_mut().skip(begin).find(|warning| warning.kind == *kind) {
                Some(warning) => warning.runs += 1,
                None => new.push((*kind, message.clone())),
            }
        }
        if new.is_empty() {
            return;
        }
        let setting = describe();
        self.warnings.extend(new.into_iter().map(|(kind, message)| Warning {
            setting: setting.clone(),
            kind,
            runs: 1,
            of: 0,
            seed,
            message,
        }));
    }

    fn end_values(&mut self) {
        if let Some((_, begin, runs)) = self.last.take() {
            self.warnings.iter_mut().skip(begin).for_each(|warning| warning.of = runs);
        }
    }

    /// All of them, by values and kind.
    pub fn finish(mut self) -> Vec<Warning> {
        self.end_values();
        self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_with_its_first_message() {
        let good = json!({"outcomes": {"completed": 3, "unfinished": 0}});
        let stalled = |who: &str| json!({"outcomes": {"unfinished": 1}, "stalled": format!("{who} waits")});
        let told = |summary: &Value| of_summary(summary, &Numbers::read(summary));
        let mut collected = Collected::default();
        collected.add(&[0], 1, &told(&stalled("zero")), || "policy=w".to_owned());
        let runs = [told(&good), told(&stalled("one")), told(&stalled("two")), of_failure("it broke".to_owned())];
        for (seed, told) in (1..).zip(&runs) {
            collected.add(&[1], seed, told, || "policy=x".to_owned());
        }
        let told: Vec<String> = collected.finish().iter().map(Warning::to_string).collect();
        let expected = [
            "policy=w: stalled in 1 of 1 runs, seed 1: zero waits",
            "policy=x: stalled in 2 of 4 runs, seed 2: one waits",
            "policy=x: failed in 1 of 4 runs, seed 4: it broke",
        ];
        assert_eq!(told, expected);
        assert_eq!(Collected::default().finish(), []);
    }
}
