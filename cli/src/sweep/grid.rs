//! Which runs there are: every combination of policies, varied values and seeds.

use std::fmt;

use hearth_serverless::policy::split_at_commas;
use hearth_serverless::scenario::{Override, ScenarioError};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::assignment::policy_overrides;
use crate::error::CommandError;

/// The name of the axis of policies.
pub const POLICY: &str = "policy";

/// Grids beyond this are a mistake.
const MOST_RUNS: usize = 1_000_000;

/// One value of an axis.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The value as it was given.
    pub label: String,
    /// What it sets.
    pub overrides: Vec<Override>,
}

/// Something that varies.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The path in the scenario, or [`POLICY`].
    pub name: String,
    /// Its values, each once.
    pub settings: Vec<Setting>,
}

/// All combinations of the values of some axes, each with every seed.
#[derive(Clone, Debug)]
pub struct Grid {
    /// What varies, policies first.
    pub axes: Vec<Axis>,
    /// The seeds.
    pub seeds: Vec<u64>,
}

/// One run of a grid: the position of its value on each axis, and its seed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Point {
    /// By axis.
    pub settings: Vec<usize>,
    /// The seed.
    pub seed: u64,
}

/// A value of one axis to which the others are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Baseline {
    /// The position of the axis.
    pub axis: usize,
    /// The position of the value.
    pub setting: usize,
}

fn axis(name: &str, option: &str, settings: Vec<Setting>) -> Result<Axis, CommandError> {
    for (position, setting) in settings.iter().enumerate() {
        if settings[..position].iter().any(|other| other.label == setting.label) {
            return Err(CommandError::Usage(format!("{option}: {:?} is given twice", setting.label)));
        }
    }
    Ok(Axis { name: name.to_owned(), settings })
}

/// The axis that `--policy` options make: each is one alternative. `None` without any.
fn policy_axis(policies: &[String]) -> Result<Option<Axis>, CommandError> {
    if policies.is_empty() {
        return Ok(None);
    }
    let setting = |text: &String| Ok(Setting { label: text.clone(), overrides: policy_overrides(text)? });
    let settings: Result<Vec<Setting>, CommandError> = policies.iter().map(setting).collect();
    axis(POLICY, "--policy", settings?).map(Some)
}

/// The axis of `--vary path=v1,v2,…`.
fn varied_axis(text: &str) -> Result<Axis, CommandError> {
    let wrong = |error: ScenarioError| {
        let problem = match error {
            ScenarioError::Override { problem, .. } if !text.contains('=') => {
                format!("{problem}, with values after it, as in platform.hosts[node].ram=4GB,8GB")
            }
            ScenarioError::Override { problem, .. } => problem,
            other => other.to_string(),
        };
        CommandError::Usage(format!("--vary {text:?}: {problem}"))
    };
    // The path ends where that of an assignment does; only the values are parted.
    let first: Override = text.parse().map_err(wrong)?;
    let (path, values) = first.parts();
    let setting = |value: &str| {
        let assignment: Override = format!("{path}={value}").parse().map_err(wrong)?;
        Ok(Setting { label: value.to_owned(), overrides: vec![assignment] })
    };
    let settings = match values.strip_prefix('@') {
        Some(file) => named_values(path, file)?,
        None => split_at_commas(values).into_iter().map(setting).collect::<Result<_, CommandError>>()?,
    };
    axis(path, &format!("--vary {path}"), settings)
}

/// The values of `--vary path=@file`: the file has an object with a name for each value.
fn named_values(path: &str, file: &str) -> Result<Vec<Setting>, CommandError> {
    let wrong = |problem: String| CommandError::Usage(format!("--vary {path}=@{file}: {problem}"));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("the file cannot be read: {error}")))?;
    let values: InOrder = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let setting = |(label, value): (String, Value)| {
        let assignment: Override = format!("{path}={value}").parse().map_err(CommandError::Argument)?;
        Ok(Setting { label, overrides: vec![assignment] })
    };
    values.0.into_iter().map(setting).collect()
}

/// The keys and values of a JSON object in the order of the text.
struct InOrder(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = InOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a name for each value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

impl Grid {
    /// The grid of `--policy` and `--vary` options.
    ///
    /// # Errors
    /// When one of them is wrong, something varies twice, or there are too many combinations.
    pub fn new(policies: &[String], vary: &[String], seeds: Vec<u64>) -> Result<Self, CommandError> {
        let mut axes: Vec<Axis> = policy_axis(policies)?.into_iter().collect();
        for text in vary {
            let axis = varied_axis(text)?;
            if axes.iter().any(|other| other.name == axis.name) {
                return Err(CommandError::Usage(format!("--vary {}: varies already", axis.name)));
            }
            axes.push(axis);
        }
        Self::of_axes(axes, seeds)
    }

    /// The grid of these axes.
    ///
    /// # Errors
    /// When a value has the label of another one of its axis, or there are too many combinations.
    pub fn of_axes(axes: Vec<Axis>, seeds: Vec<u64>) -> Result<Self, CommandError> {
        let lengths = axes.iter().map(|axis| axis.settings.len()).chain([seeds.len()]);
        let runs = lengths.fold(1_usize, usize::saturating_mul);
        if runs > MOST_RUNS {
            return Err(CommandError::Usage(format!("{runs} runs are too many: at most {MOST_RUNS}")));
        }
        Ok(Self { axes, seeds })
    }

    /// All combinations of values, without seeds; the last axis varies fastest.
    pub fn combinations(&self) -> Vec<Vec<usize>> {
        let extend = |shorter: Vec<Vec<usize>>, axis: &Axis| {
            let longer = |settings: &Vec<usize>| {
                let settings = settings.clone();
                (0..axis.settings.len()).map(move |next| settings.iter().copied().chain([next]).collect())
            };
            shorter.iter().flat_map(longer).collect()
        };
        self.axes.iter().fold(vec![Vec::new()], extend)
    }

    /// Which of [`Grid::combinations`] this is.
    pub fn number(&self, settings: &[usize]) -> usize {
        self.axes.iter().zip(settings).fold(0, |number, (axis, setting)| number * axis.settings.len() + setting)
    }

    /// All runs; seeds vary fastest.
    pub fn points(&self) -> Vec<Point> {
        let of = |settings: Vec<usize>| {
            self.seeds.iter().map(move |seed| Point { settings: settings.clone(), seed: *seed }).collect::<Vec<_>>()
        };
        self.combinations().into_iter().flat_map(of).collect()
    }

    /// What a combination sets in the scenario.
    pub fn overrides(&self, settings: &[usize]) -> Vec<Override> {
        let chosen = self.axes.iter().zip(settings).map(|(axis, setting)| &axis.settings[*setting]);
        chosen.flat_map(|setting| setting.overrides.clone()).collect()
    }

    /// The values of a combination, as they were given.
    pub fn labels(&self, settings: &[usize]) -> Vec<&str> {
        self.axes.iter().zip(settings).map(|(axis, setting)| axis.settings[*setting].label.as_str()).collect()
    }

    /// A combination in words, for messages.
    pub fn describe(&self, settings: &[usize]) -> String {
        let labels = self.labels(settings);
        let parts: Vec<String> =
            self.axes.iter().zip(labels).map(|(axis, label)| format!("{}={label}", axis.name)).collect();
        parts.join(" ")
    }

    /// The value of this label on the axis of this name.
    pub fn value(&self, axis: &str, label: &str) -> Option<Baseline> {
        let axis = self.axes.iter().position(|of| of.name == axis)?;
        let setting = self.axes[axis].settings.iter().position(|setting| setting.label == label)?;
        Some(Baseline { axis, setting })
    }

    /// The value that `--baseline` names: one of the policies, or `path=value` of something that varies.
    ///
    /// # Errors
    /// When there is no such value.
    pub fn baseline(&self, text: &str) -> Result<Baseline, CommandError> {
        for (axis, of) in self.axes.iter().enumerate() {
            let is_meant = |setting: &Setting| {
                (of.name == POLICY && setting.label == text) || format!("{}={}", of.name, setting.label) == text
            };
            if let Some(setting) = of.settings.iter().position(is_meant) {
                return Ok(Baseline { axis, setting });
            }
        }
        let of_axis = |axis: &Axis| {
            let prefix = if axis.name == POLICY { String::new() } else { format!("{}=", axis.name) };
            axis.settings.iter().map(move |setting| format!("{prefix}{}", setting.label)).collect::<Vec<_>>()
        };
        let known: Vec<String> = self.axes.iter().flat_map(of_axis).collect();
        let known =
            if known.is_empty() { "nothing varies".to_owned() } else { format!("there are {}", known.join("; ")) };
        Err(CommandError::Usage(format!("--baseline {text:?} is none of the values: {known}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(policies: &[&str], vary: &[&str]) -> Result<Grid, CommandError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Grid::new(&owned(policies), &owned(vary), vec![1, 2])
    }

    #[test]
    fn every_combination_comes_once_with_every_seed() {
        let policies = ["keep_alive=fixed,timeout=1min", "keep_alive=no-keep-alive"];
        let grid = grid(&policies, &["functions[f].ram_limit=1GB,2GB,3GB"]).unwrap();
        let points = grid.points();
        assert_eq!(points.len(), 12);
        assert!(points.is_sorted());
        assert_eq!(grid.labels(&points[11].settings), ["keep_alive=no-keep-alive", "3GB"]);
        assert_eq!(
            grid.describe(&points[0].settings),
            "policy=keep_alive=fixed,timeout=1min functions[f].ram_limit=1GB"
        );
        assert_eq!(grid.overrides(&points[0].settings).len(), 3);
        let numbers: Vec<usize> = grid.combinations().iter().map(|settings| grid.number(settings)).collect();
        assert_eq!(numbers, (0..6).collect::<Vec<_>>());
    }

    #[test]
    fn a_baseline_is_a_policy_or_a_value() {
        let grid = grid(&["keep_alive=fixed", "keep_alive=no-keep-alive"], &["seedling=a,b"]).unwrap();
        assert_eq!(grid.baseline("keep_alive=no-keep-alive").unwrap(), Baseline { axis: 0, setting: 1 });
        assert_eq!(grid.baseline("seedling=b").unwrap(), Baseline { axis: 1, setting: 1 });
        let error = grid.baseline("fixed").unwrap_err().to_string();
        let known = "there are keep_alive=fixed; keep_alive=no-keep-alive; seedling=a; seedling=b";
        assert!(error.ends_with(known), "{error}");
    }

    #[test]
    fn mistakes_are_named() {
        let error = |policies: &[&str], vary: &[&str]| grid(policies, vary).unwrap_err().to_string();
        assert_eq!(error(&[], &["a.b=1,1"]), "--vary a.b: \"1\" is given twice");
        assert_eq!(error(&[], &["a=1", "a=2"]), "--vary a: varies already");
        assert!(error(&[], &["a"]).starts_with("--vary \"a\": expected path=value, with values after it"));
        assert!(error(&[], &["a[=1"]).starts_with("--vary \"a[=1\": the path has a \"[\""));
        assert!(error(&["fixed"], &[]).contains("expected SLOT=NAME"));
    }
}
