//! What a page says of causes and of the words in tables.

use hearth_serverless::causes::{Cause, ColdStartCause};
use hearth_serverless::results::RunTable;
use serde_json::{Value, json};

use super::super::theme;

/// What a page says of a cause.
pub fn of_cause(cause: Cause) -> Value {
    json!({
        "name": cause.name(), "title": cause.title(), "note": cause.note(), "family": cause.family().name(),
        "policy": cause.policy().map(|slot| slot.path()), "colour": theme::of_family(cause.family()).variable,
    })
}

/// What a page says of a word in a table.
pub fn of_word(column: &str, word: &str) -> Value {
    let cold_start = ColdStartCause::ALL.into_iter().find(|cause| column == "cold_start" && cause.name() == word);
    json!({"name": word, "note": cold_start.map(ColdStartCause::note)})
}

/// What a page says of a column beside the causes.
pub fn of_column(name: &str) -> Option<String> {
    // Its note may go on with the words that there are.
    let note = RunTable::Causes.column(name)?.note;
    Some(note.split(':').next().unwrap_or_default().to_owned())
}
