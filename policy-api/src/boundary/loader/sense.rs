//! Whether what a library says of its policies makes sense: names, kinds and parameters.

// Text of a library is read through an address.
#![allow(unsafe_code)]

use std::collections::BTreeSet;

use super::super::said::{SAID_AT_MOST, moves, said};
use super::LoadError;
use crate::abi::{
    PARAMETER_CHOICE, PARAMETER_DURATIONS, PARAMETER_INTEGER, PARAMETER_NUMBER, PARAMETER_NUMBERS, PARAMETER_TEXT,
    PARAMETER_TEXTS, Parameter, PolicyRecord, Slice, Text,
};
use crate::{ParameterSpec, PolicyDescriptor, PolicyKind, PolicySlot};

/// How many bytes a name, a version, a unit or a word may have.
const LONGEST_NAME: usize = 100;
/// How many words a parameter may have, and lines a list.
const MOST: usize = 1_000;
/// What stands beside parameters in scenarios and on command lines, so that none can be called so; slots are not, either.
const RESERVED: [&str; 4] = ["controller", "library", "parameters", "use"];

/// What is wrong, as a message goes on after "which ".
type Checked<T> = Result<T, String>;

/// Checks what a policy says of itself, which was built for this minor version of the interface.
pub(super) fn check_policy(policy: &'static PolicyRecord, minor: u32) -> Checked<()> {
    let PolicyRecord { name, version, description, parameters, .. } = policy;
    let name = text("name", name, LONGEST_NAME)?;
    let is_kebab = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || !name.chars().all(is_kebab) {
        return Err("has no name of letters, digits and hyphens: give it one, as in \"my-policy\"".to_owned());
    }
    text("version", version, LONGEST_NAME)?;
    text("description", description, SAID_AT_MOST)?;
    if policy.create.is_none() || policy.destroy.is_none() {
        return Err("has no create, or no destroy: set both".to_owned());
    }
    check_roles(policy)?;
    let mut names = BTreeSet::new();
    for (position, declared) in parameters.iter().enumerate() {
        // SAFETY: what is declared lasts.
        let name = unsafe { said(declared.name) };
        let place = if name.is_empty() { format!("number {}", position + 1) } else { format!("\"{name}\"") };
        check_parameter(declared, minor).map_err(|problem| format!("has a parameter {place}, {problem}"))?;
        if !names.insert(name) {
            return Err(format!("has two parameters {place}: give one of them another name"));
        }
    }
    Ok(())
}

/// Checks a parameter; what is wrong goes on after its name.
fn check_parameter(declared: &'static Parameter, minor: u32) -> Checked<()> {
    let of = |what: &str, said, most| text(what, said, most).map_err(which);
    let name = of("name", &declared.name, LONGEST_NAME)?;
    let is_snake = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !name.chars().all(is_snake) {
        return Err("which has no name of letters, digits and _ that begins with a letter: give it one".to_owned());
    }
    // Nobody could know of a slot that came later.
    let is_known = |slot: &PolicySlot| minor > 0 || slot.kind() != PolicyKind::Autoscaling;
    if RESERVED.contains(&name) || PolicySlot::ALL.iter().any(|slot| is_known(slot) && slot.path() == name) {
        return Err("which stands for something else in --policy and in scenarios: give it another name".to_owned());
    }
    of("unit", &declared.unit, LONGEST_NAME)?;
    of("help", &declared.help, SAID_AT_MOST)?;
    let Parameter { min, max, default_value, .. } = declared;
    match declared.kind {
        PARAMETER_CHOICE => check_words(&declared.words)?,
        PARAMETER_TEXT => drop(of("default", &default_value.text, SAID_AT_MOST)?),
        PARAMETER_INTEGER if min.integer > max.integer => {
            return Err(format!("whose range from {} to {} is empty: exchange them", min.integer, max.integer));
        }
        PARAMETER_TEXTS | PARAMETER_NUMBERS | PARAMETER_DURATIONS => check_list(&default_value.text)?,
        _ => {}
    }
    match declared.kind {
        PARAMETER_NUMBER | PARAMETER_NUMBERS => {
            let (min, max, default) = (min.number, max.number, default_value.number);
            if min.is_nan() || max.is_nan() || default.is_nan() {
                return Err("whose least, greatest or default value is not a number: give all three".to_owned());
            }
            if min > max {
                return Err(format!("whose range from {min} to {max} is empty: exchange them"));
            }
        }
        _ => {}
    }
    ParameterSpec::read(declared).map(drop)
}

/// Checks the default of a list: each line of it by itself.
fn check_list(default: &Text) -> Checked<()> {
    if default.length > MOST * SAID_AT_MOST || default.data.is_null() && default.length > 0 {
        return Err(format!("whose default has {} bytes: give a shorter one", default.length));
    }
    // SAFETY: what a library says of itself lasts.
    unsafe { default.bytes() }.split(|byte| *byte == b'\n').try_for_each(|line| {
        let line = Text { data: line.as_ptr().cast(), length: line.len() };
        text("line of its default", &line, SAID_AT_MOST).map(drop).map_err(which)
    })
}

/// Checks the words of a choice.
fn check_words(words: &Slice<'static, Text>) -> Checked<()> {
    if words.length == 0 || words.length > MOST || words.data.is_null() {
        return Err(format!("which is a choice of {} words: give from 1 to {MOST}", words.length));
    }
    let mut all = BTreeSet::new();
    for word in words.iter() {
        let word = text("word", word, LONGEST_NAME).map_err(which)?;
        if word.is_empty() {
            return Err("which has an empty word: leave it out, or name it".to_owned());
        }
        if !all.insert(word) {
            return Err(format!("which has the word {word:?} twice: leave one out"));
        }
    }
    Ok(())
}

fn which(problem: String) -> String {
    format!("which {problem}")
}

/// A text that a library says of itself.
fn text<'a>(what: &str, text: &'a Text, most: usize) -> Checked<&'a str> {
    if text.length > 4 * most || text.data.is_null() && text.length > 0 {
        return Err(format!("has a {what} of {} bytes: at most {most} are shown", text.length));
    }
    // SAFETY: what a library says of itself lasts.
    let text = std::str::from_utf8(unsafe { text.bytes() });
    let text = text.map_err(|_| format!("has a {what} that is no UTF-8: write it as such"))?;
    if text.chars().any(moves) {
        return Err(format!("has control characters in its {what}: leave them out"));
    }
    match text.chars().count() {
        characters if characters > most => {
            Err(format!("has a {what} of {characters} characters: at most {most} are shown"))
        }
        _ => Ok(text),
    }
}

/// Whether a policy has roles that go together, with the functions that every policy of their kinds has.
fn check_roles(policy: &PolicyRecord) -> Result<(), String> {
    let PolicyRecord { node_allocation, eviction, admission, keep_alive, autoscaling, .. } = policy;
    let others = node_allocation.is_some() || admission.is_some() || keep_alive.is_some() || autoscaling.is_some();
    match (others, eviction.is_some()) {
        (false, false) => return Err("has no table of functions: it is no kind of policy".to_owned()),
        (true, true) => {
            return Err("is an eviction policy and more: eviction has an instance for each storage".to_owned());
        }
        _ => {}
    }
    if node_allocation.is_some_and(|table| table.place.is_some() == table.plan.is_some()) {
        return Err("has both place and plan, or neither: node allocation needs one of them".to_owned());
    }
    let lacks = [
        (
            eviction.is_some_and(|of| of.insert.is_none() || of.remove.is_none() || of.choose.is_none()),
            "insert, remove or choose",
        ),
        (admission.is_some_and(|table| table.admit.is_none()), "admit"),
        (keep_alive.is_some_and(|table| table.on_idle.is_none()), "on_idle"),
        (autoscaling.is_some_and(|table| table.scale.is_none() && table.scale_pool.is_none()), "scale or scale_pool"),
    ];
    match lacks.iter().find(|(lacks, _)| *lacks) {
        Some((_, what)) => Err(format!("has no {what}, which its kind of policy needs")),
        None => Ok(()),
    }
}

/// Whether no two policies of one kind have the same name.
pub(super) fn check_names(policies: &[PolicyDescriptor]) -> Result<(), LoadError> {
    for (position, policy) in policies.iter().enumerate() {
        let same = |kind: &PolicyKind| {
            policies[..position].iter().any(|other| other.name() == policy.name() && other.is(*kind))
        };
        if let Some(kind) = policy.kinds().find(same) {
            let problem = format!("is there twice as {kind} policy: give one of them another name");
            return Err(LoadError::Policy { policy: format!("{:?}", policy.name()), problem });
        }
    }
    Ok(())
}
