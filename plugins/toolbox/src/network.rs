//! A small multi-layer perceptron, with weights from a file.

use std::fmt::Display;

use hearth_policy_api::PolicyError;
use serde::Deserialize;

/// The version of the file's format.
const FORMAT: &str = "hearth-network/1";
/// The most layers, and the most numbers that come out of one.
const MOST: usize = 4096;

/// What a network must be of for who uses it.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// What it decides on, with the unit of its actions: `decides` in the file.
    pub decides: &'a str,
    /// What it is shown, by name and in order.
    pub features: &'a [&'a str],
}

/// A network that chooses one of some actions by what it is shown: dense layers, of whose last numbers the greatest counts.
///
/// Its file is JSON:
///
/// ```json
/// {
///   "format": "hearth-network/1",
///   "decides": "keep_for_s",
///   "features": ["last_idle_time", "ram"],
///   "actions": [0, 60, 600],
///   "layers": [
///     {"weights": [[0.5, -1.25], [2.0, 0.0]], "biases": [0.0, 0.1], "activation": "tanh"},
///     {"weights": [[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]], "biases": [0.0, 0.0, 0.0], "activation": "none"}
///   ]
/// }
/// ```
///
/// `weights` has a row for each number that comes out of the layer, as PyTorch's `Linear.weight` has; `activation` is `none`, `tanh` or
/// `relu`. Weights are read as `f32`; sums are of 64 bits, so that the order in which others add them up hardly ever decides.
///
/// ```
/// use hearth_policy_toolbox::{Network, Shape};
/// let shape = Shape { decides: "keep_for_s", features: &["ram"] };
/// let json = r#"{"format": "hearth-network/1", "decides": "keep_for_s", "features": ["ram"], "actions": [0, 60],
///     "layers": [{"weights": [[1], [-1]], "biases": [0, 0.5], "activation": "none"}]}"#;
/// let mut network = Network::from_json(json, &shape)?;
/// assert_eq!(network.outputs(&[1.0]), [1.0, -0.5]);
/// assert_eq!([0.0, 0.25, 0.5].map(|ram| network.choose(&[ram])), [60.0, 0.0, 0.0], "of equals the first");
/// # Ok::<(), hearth_policy_api::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    actions: Vec<f64>,
    layers: Vec<Layer>,
    /// What goes into a layer, and what comes out.
    before: Vec<f64>,
    after: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Layer {
    /// All that one number goes into lies side by side.
    weights: Vec<f64>,
    biases: Vec<f64>,
    activation: Activation,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Activation {
    None,
    Tanh,
    Relu,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    decides: String,
    features: Vec<String>,
    actions: Vec<f64>,
    layers: Vec<LayerSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerSection {
    weights: Vec<Vec<f32>>,
    biases: Vec<f32>,
    activation: Activation,
}

impl Network {
    /// The network of a file.
    ///
    /// # Errors
    /// When it cannot be read, is not such a file, or is for something else.
    pub fn read(path: &str, shape: &Shape<'_>) -> Result<Self, PolicyError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|cause| PolicyError::new(format!("{path} cannot be read: {cause}")))?;
        Self::from_json(&text, shape).map_err(|error| PolicyError::new(format!("{path}: {error}")))
    }

    /// The network of a file with this text.
    ///
    /// # Errors
    /// When it is not such a file, or is for something else.
    pub fn from_json(text: &str, shape: &Shape<'_>) -> Result<Self, PolicyError> {
        let file: File =
            serde_json::from_str(text).map_err(|cause| PolicyError::new(format!("no network: {cause}")))?;
        check("format", &file.format, &FORMAT)?;
        check("decides", &file.decides, &shape.decides)?;
        check_features(&file.features, shape.features)?;
        if file.actions.is_empty() || file.layers.is_empty() || file.layers.len() > MOST {
            return Err(PolicyError::new(format!(
                "actions and layers: expected at least one, and at most {MOST} layers"
            )));
        }
        let mut inputs = file.features.len();
        let mut layers = Vec::new();
        for (number, section) in file.layers.into_iter().enumerate() {
            let layer =
                Layer::of(section, inputs).map_err(|cause| PolicyError::new(format!("layers[{number}]: {cause}")))?;
            inputs = layer.biases.len();
            layers.push(layer);
        }
        if inputs != file.actions.len() {
            let problem = format!("{inputs} numbers come out of the last layer, for {} actions", file.actions.len());
            return Err(PolicyError::new(problem));
        }
        Ok(Self { actions: file.actions, layers, before: Vec::new(), after: Vec::new() })
    }

    /// What it chooses from.
    pub fn actions(&self) -> &[f64] {
        &self.actions
    }

    /// What comes out of its last layer: a number for each action.
    pub fn outputs(&mut self, features: &[f32]) -> &[f64] {
        self.after.clear();
        self.after.extend(features.iter().map(|feature| f64::from(*feature)));
        for layer in &self.layers {
            std::mem::swap(&mut self.before, &mut self.after);
            layer.pass(&self.before, &mut self.after);
        }
        &self.after
    }

    /// The action whose number is the greatest; of equals the first.
    pub fn choose(&mut self, features: &[f32]) -> f64 {
        let (mut chosen, mut greatest) = (0, f64::NEG_INFINITY);
        for (position, number) in self.outputs(features).iter().enumerate() {
            if *number > greatest {
                (chosen, greatest) = (position, *number);
            }
        }
        self.actions.get(chosen).copied().unwrap_or_default()
    }
}

impl Layer {
    fn of(section: LayerSection, inputs: usize) -> Result<Self, String> {
        let LayerSection { weights, biases, activation } = section;
        let outputs = biases.len();
        if outputs == 0 || outputs > MOST {
            return Err(format!("has {outputs} biases: expected 1 to {MOST}"));
        }
        if weights.len() != outputs {
            return Err(format!("has {} rows of weights and {outputs} biases: expected as many", weights.len()));
        }
        if let Some(row) = weights.iter().position(|row| row.len() != inputs) {
            return Err(format!("row {row} of weights has {}, for {inputs} numbers that go in", weights[row].len()));
        }
        let of_input = |input: usize| weights.iter().map(move |row| f64::from(row[input]));
        let weights = (0..inputs).flat_map(of_input).collect();
        Ok(Self { weights, biases: biases.into_iter().map(f64::from).collect(), activation })
    }

    fn pass(&self, before: &[f64], after: &mut Vec<f64>) {
        after.clone_from(&self.biases);
        for (number, weights) in before.iter().zip(self.weights.chunks_exact(self.biases.len())) {
            for (sum, weight) in after.iter_mut().zip(weights) {
                *sum += number * weight;
            }
        }
        match self.activation {
            Activation::None => {}
            // The functions of `libm` give the same bits on every machine.
            Activation::Tanh => after.iter_mut().for_each(|sum| *sum = libm::tanh(*sum)),
            Activation::Relu => after.iter_mut().for_each(|sum| *sum = sum.max(0.0)),
        }
    }
}

fn check(what: &str, found: &str, expected: &dyn Display) -> Result<(), PolicyError> {
    if found == expected.to_string() {
        return Ok(());
    }
    Err(PolicyError::new(format!("{what} is {found:?}: expected \"{expected}\"")))
}

fn check_features(found: &[String], expected: &[&str]) -> Result<(), PolicyError> {
    let differs = |(number, (found, expected)): (usize, (&String, &&str))| (found != expected).then_some(number);
    let problem = match found.iter().zip(expected).enumerate().find_map(differs) {
        Some(number) => format!("features[{number}] is {:?}: expected {:?}", found[number], expected[number]),
        None if found.len() == expected.len() => return Ok(()),
        None => format!("has {} features: expected {}", found.len(), expected.len()),
    };
    Err(PolicyError::new(format!(
        "{problem}; it was trained on what this version of Hearth does not show it: train it again"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape<'_> = Shape { decides: "colour", features: &["wide", "high"] };

    fn text(layers: &str) -> String {
        format!(
            r#"{{"format": "hearth-network/1", "decides": "colour", "features": ["wide", "high"], "actions": [4, 8],
            "layers": {layers}}}"#
        )
    }

    const TWO: &str = r#"[
        {"weights": [[1, 2], [0.5, -1], [0, 4]], "biases": [0.25, 0, -1], "activation": "tanh"},
        {"weights": [[1, 0, 1], [-1, 3, 0]], "biases": [0, 0.5], "activation": "relu"}]"#;

    #[test]
    fn a_worked_example() {
        let mut network = Network::from_json(&text(TWO), &SHAPE).unwrap();
        let hidden = [1.0 * 0.5 + 2.0 * 0.25 + 0.25, 0.5 * 0.5 - 0.25, 4.0 * 0.25 - 1.0].map(f64::tanh);
        let expected = [hidden[0] + hidden[2], (-hidden[0] + 3.0 * hidden[1] + 0.5).max(0.0)];
        let found = network.outputs(&[0.5, 0.25]);
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15), "{found:?}");
        assert_eq!(found[1], 0.0, "relu");
        assert_eq!(network.choose(&[0.5, 0.25]), 4.0);
        assert_eq!(network.choose(&[0.5, -1.0]), 8.0);
        assert_eq!(network.actions(), [4.0, 8.0]);
    }

    fn problem(text: &str) -> String {
        Network::from_json(text, &SHAPE).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        let whole = text(TWO);
        let changed = |from: &str, to: &str| {
            assert!(whole.contains(from));
            problem(&whole.replacen(from, to, 1))
        };
        assert_eq!(changed("network/1", "network/2"), r#"format is "hearth-network/2": expected "hearth-network/1""#);
        assert_eq!(changed("\"colour\"", "\"size\""), r#"decides is "size": expected "colour""#);
        let said = changed("\"high\"", "\"deep\"");
        assert!(said.starts_with(r#"features[1] is "deep": expected "high"; it was trained on"#), "{said}");
        assert!(changed(", \"high\"", "").starts_with("has 1 features: expected 2;"));
        assert_eq!(changed("[4, 8]", "[4, 8, 9]"), "2 numbers come out of the last layer, for 3 actions");
        assert!(changed("[4, 8]", "[]").starts_with("actions and layers: expected at least one"));
        assert_eq!(changed("[0.5, -1]", "[0.5]"), "layers[0]: row 1 of weights has 1, for 2 numbers that go in");
        assert_eq!(changed("[0, 0.5]", "[0]"), "layers[1]: has 2 rows of weights and 1 biases: expected as many");
        assert_eq!(changed("[0, 0.5]", "[]"), "layers[1]: has 0 biases: expected 1 to 4096");
        assert!(changed("[0, 0.5]", "[0, 1e60]").starts_with("no network: number out of range at line"));
        assert!(changed("\"relu\"", "\"gelu\"").starts_with("no network: unknown variant `gelu`, expected one of"));
        assert!(changed("\"decides\"", "\"decide\"").starts_with("no network: unknown field `decide`"));
        assert!(problem("[").starts_with("no network: EOF while parsing"));
        let missing = Network::read("/nowhere/network.json", &SHAPE).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/network.json cannot be read: "), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.json");
        std::fs::write(&path, "{}").unwrap();
        let said = Network::read(path.to_str().unwrap(), &SHAPE).unwrap_err().to_string();
        assert!(said.contains("network.json: no network: missing field `format`"), "{said}");
    }
}
