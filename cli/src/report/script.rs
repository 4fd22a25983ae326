//! The script of a page: the modules in `script/`, put together as one, since a page that is a single file has nowhere to import from.
//!
//! A module becomes a function that is called once and gives back what it exports; an import takes what is needed of that. Imports stand on a line
//! of their own, and what is exported is a declaration.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The modules, each after those that it imports.
const MODULES: [(&str, &str); 20] = [
    ("text", include_str!("script/text.js")),
    ("dom", include_str!("script/dom.js")),
    ("colours", include_str!("script/colours.js")),
    ("store", include_str!("script/store.js")),
    ("axis", include_str!("script/axis.js")),
    ("unpack", include_str!("script/unpack.js")),
    ("run", include_str!("script/run.js")),
    ("select", include_str!("script/select.js")),
    ("filters", include_str!("script/filters.js")),
    ("grid", include_str!("script/grid.js")),
    ("tables", include_str!("script/tables.js")),
    ("story", include_str!("script/story.js")),
    ("spans", include_str!("script/spans.js")),
    ("over_time", include_str!("script/over_time.js")),
    ("flame", include_str!("script/flame.js")),
    ("timeline", include_str!("script/timeline.js")),
    ("compare", include_str!("script/compare.js")),
    ("sortable", include_str!("script/sortable.js")),
    ("theme", include_str!("script/theme.js")),
    ("main", include_str!("script/main.js")),
];

/// What a line declares, if it exports that.
fn exported(line: &str) -> Option<&str> {
    let declared = line.strip_prefix("export ")?;
    let declared = declared.strip_prefix("async ").unwrap_or(declared);
    let name = ["function ", "class ", "const "].into_iter().find_map(|kind| declared.strip_prefix(kind))?;
    name.split(|mark: char| !mark.is_alphanumeric() && mark != '_').next()
}

/// What a line imports, and from which module.
fn imported(line: &str) -> Option<(&str, &str)> {
    let (names, from) = line.strip_prefix("import {")?.split_once("} from \"./")?;
    Some((names.trim(), from.strip_suffix(".js\";")?))
}

/// The whole script.
pub fn script() -> String {
    let mut script = String::from("\"use strict\";\n");
    // Writing to a string cannot fail.
    for (name, text) in MODULES {
        let _ = writeln!(script, "const module_{name} = (() => {{");
        for line in text.lines() {
            let _ = match imported(line) {
                Some((names, from)) => writeln!(script, "const {{ {names} }} = module_{from};"),
                None => writeln!(script, "{}", line.strip_prefix("export ").unwrap_or(line)),
            };
        }
        let names: Vec<&str> = text.lines().filter_map(exported).collect();
        let _ = writeln!(script, "return {{ {} }};\n}})();", names.join(", "));
    }
    script
}

/// A hash by which a page says what may run on it, and what gives it its looks.
pub fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_import_is_of_something_that_is_there_before() {
        let mut known: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, text) in MODULES {
            for line in text.lines() {
                assert_eq!(imported(line).is_some(), line.starts_with("import "), "{name}: {line}");
                assert_eq!(exported(line).is_some(), line.starts_with("export "), "{name}: {line}");
                let Some((names, from)) = imported(line) else { continue };
                let module = known.iter().find(|(module, _)| module == from);
                let (_, exports) = module.unwrap_or_else(|| panic!("{name}: {from} comes later"));
                for wanted in names.split(',').map(str::trim) {
                    assert!(exports.contains(&wanted), "{name}: {from} has no {wanted}");
                    let uses = text
                        .split(|mark: char| !mark.is_alphanumeric() && mark != '_')
                        .filter(|word| *word == wanted)
                        .count();
                    assert!(uses > 1, "{name}: {wanted} is not used");
                }
            }
            known.push((name.to_owned(), text.lines().filter_map(exported).collect()));
        }
    }

    #[test]
    fn nothing_ends_the_script_early_or_makes_code_of_text() {
        let script = script();
        for bad in [
            "</script",
            "<!--",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ] {
            assert!(!script.contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_hash_is_as_browsers_take_it() {
        // The example of the specification of Content Security Policy, level 3.
        assert_eq!(hash("alert('Hello, world.');"), "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
    }
}
