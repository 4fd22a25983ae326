//! The lists of numbers and columns in docs/scenario.md are those of the definitions.

use std::fmt::Write;

use super::{ColumnType, DEFINITIONS, Definition, Over, Part, RunTable, Shape, Unit};

/// What stands between two marks in docs/scenario.md: `<!-- MARK -->` and `<!-- end of MARK -->`.
fn written(mark: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenario.md");
    let text = std::fs::read_to_string(file).unwrap();
    let begin = format!("<!-- {mark} -->\n");
    let end = format!("<!-- end of {mark} -->\n");
    let after = text.split_once(&begin).unwrap_or_else(|| panic!("docs/scenario.md has no {begin}")).1;
    after.split_once(&end).unwrap_or_else(|| panic!("docs/scenario.md has no {end}")).0.to_owned()
}

/// Checks what stands between marks.
fn assert_documented(expected: &[(String, String)]) {
    let wrong = expected.iter().filter(|(mark, expected)| written(mark) != *expected);
    let told = wrong.map(|(mark, expected)| format!("between the marks of {mark}:\n\n{expected}\n"));
    let told: String = told.collect();
    assert!(told.is_empty(), "docs/scenario.md is to say\n{told}");
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Plain => "ratio",
        Unit::Share => "share",
        other => other.name(),
    }
}

fn parts(shape: Shape) -> String {
    let names: Vec<String> = shape.parts().iter().map(|part| format!("`{}`", part.name())).collect();
    names.join(", ")
}

fn of(definition: &Definition) -> String {
    let Definition { title, note, .. } = definition;
    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
    let over = if definition.over == Over::Everything { "" } else { definition.over.words() };
    let over = if over.is_empty() { String::new() } else { format!("; over {over}") };
    format!("{title}{note}{over}")
}

#[test]
fn the_numbers_of_a_summary() {
    let mut text = String::new();
    for (shape, words) in [
        (Shape::Moved, "What moved has"),
        (Shape::Distribution, "A distribution has"),
        (Shape::OfFunctions, "One over functions has"),
    ] {
        writeln!(text, "{words} {}.", parts(shape)).unwrap();
    }
    text.push_str("\n| path in `summary.json` | what stands there | unit | what it says |\n|---|---|---|---|\n");
    for definition in DEFINITIONS {
        let kind = match definition.shape {
            Shape::Number => "number",
            Shape::Moved => "moved",
            Shape::Distribution => "distribution",
            Shape::OfFunctions => "over functions",
        };
        let path = definition.path;
        writeln!(text, "| `{path}` | {kind} | {} | {} |", unit(definition.unit), of(definition)).unwrap();
    }
    assert_documented(&[("numbers of a summary".to_owned(), text)]);
    assert_eq!(Part::Itself.name(), "", "a number alone has no field of its own");
}

#[test]
fn the_columns_of_tables() {
    let of_table = |table: RunTable| {
        let mut text = String::from("| column | unit | what it says |\n|---|---|---|\n");
        for column in table.columns() {
            let unit = match column.head.kind {
                ColumnType::Name | ColumnType::Text => "text",
                ColumnType::Flag => "`true` or `false`",
                ColumnType::Count | ColumnType::Whole | ColumnType::Number => unit(column.unit),
            };
            writeln!(text, "| `{}` | {unit} | {} |", column.head.name, column.note).unwrap();
        }
        (format!("columns of {}", table.file()), text)
    };
    assert_documented(&RunTable::ALL.map(of_table));
}
