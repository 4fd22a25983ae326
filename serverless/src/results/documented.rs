//! The lists of numbers in docs/scenario.md are those of the definitions.

use std::fmt::Write;

use super::{DEFINITIONS, Definition, Over, Part, Shape, Unit};

/// What stands between two marks in docs/scenario.md: `<!-- MARK -->` and `<!-- end of MARK -->`.
fn written(mark: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenario.md");
    let text = std::fs::read_to_string(file).unwrap();
    let begin = format!("<!-- {mark} -->\n");
    let end = format!("<!-- end of {mark} -->\n");
    let after = text.split_once(&begin).unwrap_or_else(|| panic!("docs/scenario.md has no {begin}")).1;
    after.split_once(&end).unwrap_or_else(|| panic!("docs/scenario.md has no {end}")).0.to_owned()
}

fn assert_documented(mark: &str, expected: &str) {
    let written = written(mark);
    assert!(written == expected, "docs/scenario.md is to say between the marks of {mark}:\n\n{expected}");
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
    assert_documented("numbers of a summary", &text);
    assert_eq!(Part::Itself.name(), "", "a number alone has no field of its own");
}
