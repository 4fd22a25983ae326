//! What a history is played under: a seed, a date at which it begins, and values of parameters.

use proptest::prelude::*;

use super::log::Log;
use crate::{ParameterKind, ParameterSpec, ParameterValue, Parameters};

/// A day in ns.
pub(super) const DAY: u64 = 86_400_000_000_000;
/// The first whole number that a `f64` does not have.
const BEYOND_FLOATS: u64 = (1 << 53) + 1;

#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub seed: u64,
    /// The date at which the history begins, in ns.
    pub begin: u64,
    pub parameters: Parameters,
    /// Those that were drawn.
    pub drawn: Vec<String>,
}

impl Setting {
    /// The one that is tried first.
    pub fn plain(parameters: &Parameters) -> Self {
        Self { seed: 42, begin: 0, parameters: parameters.clone(), drawn: Vec::new() }
    }

    /// Notes what is unusual about it.
    pub fn note(&self, log: &mut Log) {
        for name in &self.drawn {
            if let Some(value) = self.parameters.get(name) {
                log.note(format!("(parameter {name} = {value})"));
            }
        }
        if self.seed != 42 {
            log.note(format!("(seed {})", self.seed));
        }
        if self.begin != 0 {
            log.note(format!("(it begins at {} ns)", self.begin));
        }
    }

    /// Draws settings; the values of parameters too, if that is wanted.
    pub fn draw(given: &Parameters, draws_parameters: bool) -> impl Strategy<Value = Self> + use<> {
        let seed = prop_oneof![3 => Just(42), 1 => any::<u64>()];
        let begin = prop_oneof![
            6 => Just(0),
            1 => (50 * DAY)..(400 * DAY),
            1 => BEYOND_FLOATS..(1 << 56),
        ];
        let specs: Vec<ParameterSpec> = if draws_parameters { given.specs().to_vec() } else { Vec::new() };
        let draw = prop_oneof![10 => Just(None), 1 => any::<u32>().prop_map(Some)];
        let draws = proptest::collection::vec(draw, specs.len());
        let given = given.clone();
        (seed, begin, draws).prop_map(move |(seed, begin, draws)| {
            let mut setting = Self { seed, begin, ..Self::plain(&given) };
            for (spec, draw) in specs.iter().zip(draws) {
                let value = draw.and_then(|number| value(spec, u64::from(number)));
                if let Some(value) = value.filter(|value| setting.parameters.set(&spec.name, value.clone()).is_ok())
                    && value != spec.default
                {
                    setting.drawn.push(spec.name.clone());
                }
            }
            setting
        })
    }
}

/// A number of so many bits at the most, small ones as likely as large ones.
fn spread(number: u64, bits: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
    let length = number % (bits + 1);
    mixed & ((1 << length) - 1)
}

/// A value that a parameter may have, by a number; none for text, of which nobody knows what it means.
fn value(spec: &ParameterSpec, number: u64) -> Option<ParameterValue> {
    Some(match &spec.kind {
        // Up to three days.
        ParameterKind::Duration => ParameterValue::Duration(spread(number, 48)),
        ParameterKind::Bytes => ParameterValue::Bytes(spread(number, 44)),
        ParameterKind::Integer { min, max } => ParameterValue::Integer(match number % 6 {
            0 => *min,
            1 => *max,
            _ => min.saturating_add(spread(number / 6, 20)).min(*max),
        }),
        ParameterKind::Number { min, max } => ParameterValue::Number(between(*min, *max, number)),
        ParameterKind::Choice(words) => {
            ParameterValue::Choice(words.get(number.checked_rem(words.len() as u64)? as usize)?.clone())
        }
        ParameterKind::Flag => ParameterValue::Flag(number.is_multiple_of(2)),
        ParameterKind::Numbers { min, max } => {
            ParameterValue::Numbers((0..number % 5).map(|place| between(*min, *max, number / 5 + place * 7)).collect())
        }
        ParameterKind::Durations => {
            ParameterValue::Durations((0..number % 5).map(|place| spread(number / 5 + place * 7, 48)).collect())
        }
        ParameterKind::Text | ParameterKind::Texts => return None,
    })
}

/// A number within bounds, these among them.
fn between(min: f64, max: f64, number: u64) -> f64 {
    match number % 6 {
        0 => min,
        1 if max.is_finite() => max,
        _ if max.is_finite() => min + (max - min) * (number % 1009) as f64 / 1009.0,
        _ => min + spread(number / 6, 20) as f64 / 16.0,
    }
}
