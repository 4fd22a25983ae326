//! Finds numbers of summaries by their names.

use hearth_serverless::results::Metric;
use hearth_serverless::scenario::did_you_mean;

use crate::error::CommandError;

/// The number that somebody asks for with `--metric`.
///
/// # Errors
/// When there is none: what was probably meant.
pub fn asked_for(name: &str) -> Result<&'static Metric, String> {
    Metric::find(name).ok_or_else(|| {
        let known = || Metric::all().map(|metric| metric.name.as_str());
        let cure = did_you_mean(name, known());
        let all = if cure.is_empty() {
            format!(": there are {}", known().collect::<Vec<_>>().join(", "))
        } else {
            String::new()
        };
        format!("--metric {name:?} is no number of a summary{cure}{all}")
    })
}

/// The numbers that somebody asks for.
///
/// # Errors
/// When there is no such number.
pub fn all_asked_for(names: &[String]) -> Result<Vec<&'static Metric>, CommandError> {
    names.iter().map(|name| asked_for(name).map_err(CommandError::Usage)).collect()
}

/// The numbers of these names.
pub fn all_named(names: &[&str]) -> Vec<&'static Metric> {
    let found = names.iter().map(|name| (name, Metric::find(name)));
    found
        .filter_map(|(name, metric)| {
            debug_assert!(metric.is_some(), "{name} is no number of a summary");
            metric
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_studies_ask_for_numbers_that_there_are() {
        let studies = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/studies")).unwrap();
        let mut asked = 0;
        for script in studies.filter_map(|study| std::fs::read_to_string(study.unwrap().path().join("run.sh")).ok()) {
            let mut words = script.split_whitespace();
            while words.any(|word| word == "--metric") {
                asked_for(words.next().unwrap()).unwrap();
                asked += 1;
            }
        }
        assert!(asked > 5, "{asked}");
    }

    #[test]
    fn a_name_with_dots_is_met_with_the_right_one() {
        let error = asked_for("latency.mean").unwrap_err();
        assert_eq!(error, "--metric \"latency.mean\" is no number of a summary: did you mean \"latency_mean\"?");
        let error = asked_for("speed").unwrap_err();
        assert!(error.contains("there are cold_start_delay_count, "), "{error}");
        asked_for("memory_byte_seconds_idle").unwrap();
    }
}
