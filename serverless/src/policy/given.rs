//! Values of parameters as scenarios and command lines give them.

use hearth_policy_api::{ParameterError, ParameterKind, ParameterValue, Parameters};
use hearth_simcore::time::SimDuration;
use hearth_simcore::units::{self, Dimension};
use serde_json::Value;

/// Sets a parameter to a value as scenarios give it: with units, or numbers in seconds and bytes.
///
/// # Errors
/// When there is no such parameter, or the value does not suit it.
pub fn set_parameter(parameters: &mut Parameters, name: &str, value: &Value) -> Result<(), ParameterError> {
    let kind = parameters.spec(name)?.kind.clone();
    let value = read_value(&kind, value).ok_or_else(|| ParameterError::Unsuitable {
        name: name.to_owned(),
        found: value.to_string(),
        expected: kind.to_string(),
    })?;
    parameters.set(name, value)
}

fn read_value(kind: &ParameterKind, value: &Value) -> Option<ParameterValue> {
    match kind {
        ParameterKind::Duration => duration(value).map(ParameterValue::Duration),
        ParameterKind::Bytes => Some(ParameterValue::Bytes(quantity(value, Dimension::Size)?.round() as u64)),
        ParameterKind::Integer { .. } => value.as_u64().map(ParameterValue::Integer),
        ParameterKind::Number { .. } => value.as_f64().map(ParameterValue::Number),
        ParameterKind::Choice(words) => word(words, value).map(ParameterValue::Choice),
        ParameterKind::Flag => value.as_bool().map(ParameterValue::Flag),
        ParameterKind::Text => text(value).map(ParameterValue::Text),
        ParameterKind::Texts => elements(value).iter().map(text).collect::<Option<_>>().map(ParameterValue::Texts),
        ParameterKind::Numbers { .. } => {
            elements(value).iter().map(Value::as_f64).collect::<Option<_>>().map(ParameterValue::Numbers)
        }
        ParameterKind::Durations => {
            elements(value).iter().map(duration).collect::<Option<_>>().map(ParameterValue::Durations)
        }
    }
}

fn quantity(value: &Value, dimension: Dimension) -> Option<f64> {
    match value {
        Value::String(text) => units::parse(text, dimension).ok(),
        number => number.as_f64().filter(|number| *number >= 0.0),
    }
}

fn duration(value: &Value) -> Option<u64> {
    Some(SimDuration::from_secs_f64(quantity(value, Dimension::Time)?).as_nanos())
}

/// The word that was given. A command line gives `null`, `true` and `1` as what they are in JSON: where a word is asked for, they
/// are words.
fn word(words: &[String], value: &Value) -> Option<String> {
    let is_it = |word: &&String| match value {
        Value::String(given) => given == *word,
        other => serde_json::from_str::<Value>(word).is_ok_and(|word| word == *other),
    };
    words.iter().find(is_it).cloned()
}

/// The elements of a list: those of an array, or of text in brackets as a command line gives it, with commas between them; anything else
/// is a list of one.
fn elements(value: &Value) -> Vec<Value> {
    let plain = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    match value {
        Value::Array(elements) => elements.clone(),
        Value::String(text) => match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inside) if inside.trim().is_empty() => Vec::new(),
            Some(inside) => split_at_commas(inside).into_iter().map(|part| plain(part.trim())).collect(),
            None => vec![value.clone()],
        },
        other => vec![other.clone()],
    }
}

/// The value of a parameter of this kind that results tell so: as scenarios would give it.
pub(super) fn as_told(kind: &ParameterKind, told: &str) -> Value {
    let plain = || serde_json::from_str(told).unwrap_or_else(|_| Value::String(told.to_owned()));
    match kind {
        ParameterKind::Integer { .. } if told == "no limit" => Value::from(u64::MAX),
        ParameterKind::Integer { .. } | ParameterKind::Number { .. } | ParameterKind::Flag => plain(),
        // With an element on each line or in quotes, as `{:?}` writes them, they are JSON but for rare letters.
        ParameterKind::Texts => plain(),
        _ => Value::String(told.to_owned()),
    }
}

/// Parts of a text at the commas outside brackets and quotes.
///
/// ```
/// use hearth_serverless::policy::split_at_commas;
/// assert_eq!(split_at_commas("1,[2,3],\"4,5\""), ["1", "[2,3]", "\"4,5\""]);
/// ```
pub fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut in_quotes) = (Vec::new(), 0, 0_i32, false);
    for (position, letter) in text.char_indices() {
        match letter {
            '"' => in_quotes = !in_quotes,
            '[' | '{' if !in_quotes => depth += 1,
            ']' | '}' if !in_quotes => depth -= 1,
            ',' if !in_quotes && depth <= 0 => {
                parts.push(&text[begin..position]);
                begin = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// A text. What a command line gives as `1` or `true` is text, where text is asked for; of a number with a point nobody knows any more how
/// it was written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_f64() => None,
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &ParameterKind, value: Value) -> Option<ParameterValue> {
        read_value(kind, &value)
    }

    #[test]
    fn words_may_look_like_numbers_and_like_nothing() {
        let words = ["null", "true", "1", "1.50", "1e3", "[1]", "none"].map(str::to_owned).to_vec();
        let choice = ParameterKind::Choice(words);
        // As the parts of `--policy` and `--set` are read: JSON, or else text.
        for given in ["null", "true", "1", "1.50", "1e3", "[1]", "none", "\"null\"", "\"1\""] {
            let value = serde_json::from_str(given).unwrap_or_else(|_| json!(given));
            let expected = ParameterValue::Choice(given.trim_matches('"').to_owned());
            assert_eq!(read(&choice, value), Some(expected), "{given}");
        }
        for given in [json!(2), json!(false), json!("True"), json!({"a": 1}), json!("1.5")] {
            assert_eq!(read(&choice, given.clone()), None, "{given}");
        }
    }

    #[test]
    fn what_results_tell_is_what_was_set() {
        let values = [
            (ParameterKind::Duration, ParameterValue::Duration(1_500_000_001)),
            (ParameterKind::Bytes, ParameterValue::Bytes(12_345)),
            (ParameterKind::Integer { min: 0, max: u64::MAX }, ParameterValue::Integer(u64::MAX)),
            (ParameterKind::Integer { min: 0, max: 9 }, ParameterValue::Integer(7)),
            (ParameterKind::Number { min: 0.0, max: 1.0 }, ParameterValue::Number(0.1)),
            (ParameterKind::Number { min: 0.0, max: 9.0 }, ParameterValue::Number(3.0)),
            (ParameterKind::Choice(vec!["true".to_owned()]), ParameterValue::Choice("true".to_owned())),
            (ParameterKind::Flag, ParameterValue::Flag(true)),
            (ParameterKind::Text, ParameterValue::Text("1.50".to_owned())),
            (ParameterKind::Texts, ParameterValue::Texts(vec!["a, b".to_owned(), "\"c\"".to_owned()])),
            (ParameterKind::Texts, ParameterValue::Texts(Vec::new())),
            (ParameterKind::Numbers { min: 0.0, max: 9.0 }, ParameterValue::Numbers(vec![0.5, 2.0])),
            (ParameterKind::Durations, ParameterValue::Durations(vec![1, 2_000_000_000])),
        ];
        for (kind, value) in values {
            assert_eq!(read_value(&kind, &as_told(&kind, &value.to_string())), Some(value));
        }
    }

    #[test]
    fn commas_in_brackets_and_quotes_part_nothing() {
        assert_eq!(split_at_commas("1,2GB,x"), ["1", "2GB", "x"]);
        assert_eq!(split_at_commas(r#"[1,2],{"a":[3,4]},"5,6""#), ["[1,2]", r#"{"a":[3,4]}"#, r#""5,6""#]);
        assert_eq!(split_at_commas(""), [""]);
    }

    #[test]
    fn lists_are_arrays_or_text_in_brackets_or_one_element() {
        let texts = |list: &[&str]| Some(ParameterValue::Texts(list.iter().map(|text| (*text).to_owned()).collect()));
        for (given, expected) in [
            (json!(["a", "b"]), texts(&["a", "b"])),
            (json!("[a,b, c]"), texts(&["a", "b", "c"])),
            (json!("[\"a,b\",c]"), texts(&["a,b", "c"])),
            (json!("a"), texts(&["a"])),
            (json!(["1", 2, true]), texts(&["1", "2", "true"])),
            (json!([]), texts(&[])),
            (json!("[]"), texts(&[])),
            (json!([["a"]]), None),
            (json!("[1.50]"), None),
            (json!(["1.50"]), texts(&["1.50"])),
        ] {
            assert_eq!(read(&ParameterKind::Texts, given.clone()), expected, "{given}");
        }
        let numbers = ParameterKind::Numbers { min: 0.0, max: 1.0 };
        assert_eq!(read(&numbers, json!([0.5, 1])), Some(ParameterValue::Numbers(vec![0.5, 1.0])));
        assert_eq!(read(&numbers, json!(0.5)), Some(ParameterValue::Numbers(vec![0.5])));
        assert_eq!(read(&numbers, json!(["a"])), None);
        let times = |list: &[u64]| Some(ParameterValue::Durations(list.to_vec()));
        assert_eq!(read(&ParameterKind::Durations, json!([1, "5min"])), times(&[1_000_000_000, 300_000_000_000]));
        assert_eq!(read(&ParameterKind::Durations, json!("[1ms,2us]")), times(&[1_000_000, 2_000]));
        assert_eq!(read(&ParameterKind::Durations, json!(["1GB"])), None);
    }
}
