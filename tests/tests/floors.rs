//! Modules use what is below them and nothing above, as their source says; for `serverless` the order stands in
//! ARCHITECTURE.md. Tests may use everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hearth_tests::project_path;

/// Who uses whom, with a file that does.
type Arrows = BTreeMap<(String, String), PathBuf>;

fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty()).collect()
}

/// Source without comments and tests, and the names of modules that are tests.
fn code_of(file: &Path) -> (String, Vec<String>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let (mut code, mut tests, mut is_test, mut end) = (String::new(), Vec::new(), false, None::<String>);
    for line in lines {
        if let Some(brace) = &end {
            let is_over = line == brace.as_str();
            end = end.filter(|_| !is_over);
        } else if let (true, Some(module)) = (is_test, line.trim_start().strip_prefix("mod ")) {
            tests.push(words(module)[0].to_owned());
            let indentation = &line[..line.len() - line.trim_start().len()];
            end = module.ends_with('{').then(|| format!("{indentation}}}"));
        } else {
            code.push_str(line);
            code.push('\n');
        }
        is_test = line.trim_start() == "#[cfg(test)]";
    }
    (code, tests)
}

/// The first names of the paths that begin so, as in `crate::a::b` and `crate::{a::{b, c}, d}`.
fn first_names(code: &str, beginning: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (position, _) in code.match_indices(beginning) {
        if code[..position].ends_with(|before: char| before.is_alphanumeric() || "_$:".contains(before)) {
            continue;
        }
        let rest = &code[position + beginning.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.extend(words(rest).first().map(|name| (*name).to_owned()));
            continue;
        };
        let (mut depth, mut is_first) = (0, true);
        for part in group.split_inclusive(['{', '}', ',']) {
            if depth == 0 && is_first {
                names.extend(words(part).first().map(|name| (*name).to_owned()));
            }
            is_first = part.ends_with(',');
            depth += i32::from(part.ends_with('{')) - i32::from(part.ends_with('}'));
            if depth < 0 {
                break;
            }
        }
    }
    names
}

/// The file of a module and those of the modules in it, with how deep each lies.
fn files_of(folder: &Path, module: &str, depth: usize, found: &mut Vec<(PathBuf, usize)>) {
    let (file, inner) = (folder.join(module).with_extension("rs"), folder.join(module));
    let file = if file.is_file() { file } else { inner.join("mod.rs") };
    let (_, tests) = code_of(&file);
    found.push((file, depth));
    for inside in modules_in(&inner).into_iter().filter(|inside| !tests.contains(inside)) {
        files_of(&inner, &inside, depth + 1, found);
    }
}

/// The names of the modules whose files lie in a folder, if there is one.
fn modules_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| path.extension().is_some_and(|it| it == "rs") || path.join("mod.rs").is_file());
    let names = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| !["lib", "main", "mod"].contains(&name.as_str())).collect()
}

/// The modules in a crate or a module, and which of them use which.
fn read(source: &Path) -> (BTreeSet<String>, Arrows) {
    let is_crate = source.join("lib.rs").is_file();
    let (root, tests) = code_of(&source.join(if is_crate { "lib.rs" } else { "mod.rs" }));
    let mut modules = modules_in(source);
    modules.retain(|module| !tests.contains(module));
    // What the root hands on is of the module that it comes from.
    let mut of_root: BTreeMap<&str, String> = BTreeMap::new();
    for statement in root.split(';').map(words) {
        let Some(keyword) = statement.iter().position(|word| ["use", "type"].contains(word)) else { continue };
        let names = &statement[keyword + 1..];
        if let Some(from) = names.iter().find_map(|name| modules.get(*name).or_else(|| of_root.get(name)).cloned()) {
            names.iter().for_each(|name| _ = of_root.entry(*name).or_insert(from.clone()));
        }
    }
    let mut arrows = Arrows::new();
    for module in &modules {
        let mut files = Vec::new();
        files_of(source, module, 1, &mut files);
        for (file, depth) in files {
            let (code, _) = code_of(&file);
            let of_crate = if is_crate { first_names(&code, "crate::") } else { Vec::new() };
            for name in of_crate.into_iter().chain(first_names(&code, &"super::".repeat(depth))) {
                let used = modules.get(&name).or_else(|| of_root.get(name.as_str())).filter(|used| *used != module);
                if let Some(used) = used {
                    arrows.entry((module.clone(), used.clone())).or_insert_with(|| file.clone());
                }
            }
        }
    }
    (modules, arrows)
}

/// The modules of `serverless` from the lowest to the highest.
fn floors() -> Vec<String> {
    let text = fs::read_to_string(project_path("ARCHITECTURE.md")).unwrap();
    let table = text.split("### Floors of `serverless`").nth(1).expect("there is a section on floors");
    let rows = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let names = rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    names.map(str::to_owned).collect()
}

#[test]
fn no_module_of_serverless_uses_one_above_it() {
    let (floors, (modules, arrows)) = (floors(), read(&project_path("serverless/src")));
    assert_eq!(floors.iter().cloned().collect::<BTreeSet<_>>(), modules, "the table lists every module");
    assert_eq!(floors.len(), modules.len(), "and each once");
    let floor = |module: &String| floors.iter().position(|other| other == module);
    for ((user, used), file) in &arrows {
        let why = "stands above it: move what it needs below, or what needs it above";
        assert!(floor(user) > floor(used), "{}: {user} uses {used}, which {why}", file.display());
    }
}

/// A folder and all in it that are modules of modules.
fn folders(source: PathBuf) -> Vec<PathBuf> {
    let inside = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path());
    let inside: Vec<PathBuf> = inside.filter(|path| path.join("mod.rs").is_file()).flat_map(folders).collect();
    [source].into_iter().chain(inside).collect()
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    for source in ["simcore/src", "policy-api/src", "learning/src", "cli/src"]
        .into_iter()
        .flat_map(|it| folders(project_path(it)))
    {
        let (mut left, arrows) = read(&source);
        // Who uses nobody that is left, or is used by nobody, is on no circle.
        let is_on_none = |module: &String, left: &BTreeSet<String>| {
            let uses = |(user, used): &(String, String)| user == module && left.contains(used);
            let is_used = |(user, used): &(String, String)| used == module && left.contains(user);
            !arrows.keys().any(uses) || !arrows.keys().any(is_used)
        };
        while let Some(module) = left.iter().find(|module| is_on_none(module, &left)).cloned() {
            left.remove(&module);
        }
        let within = arrows.iter().filter(|((user, used), _)| left.contains(user) && left.contains(used));
        assert!(left.is_empty(), "{}: {:#?}", source.display(), within.collect::<Vec<_>>());
    }
}

#[test]
fn paths_are_read_however_they_are_written() {
    let code = "pub(crate) use crate::{a::{b, c}, d, e::*};\nlet x = $crate::f + my_crate::g + crate::h::I;";
    assert_eq!(first_names(code, "crate::"), ["a", "d", "e", "h"]);
    assert_eq!(first_names("use super::super::j; super::k", "super::super::"), ["j"]);
    assert_eq!(first_names("use super::super::j; super::k", "super::"), ["super", "k"]);
}
