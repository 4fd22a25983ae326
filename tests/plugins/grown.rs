//! Libraries of an earlier version of the interface and of a later one, in which records and tables have fewer fields or more:
//! both run, and give the same bytes as the policies that are built in. They are made from a header that is changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::same_bytes::{large, run};
use super::{failure, hearth, project_path, quickstart, text};

/// The header, changed; with it the policies in C are compiled. Nothing if there is no compiler.
fn library(folder: &Path, header: &str) -> Option<String> {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("hearth_policy.h"), header).unwrap();
    let (source, library) = (project_path("examples/policies/c/policies.c"), folder.join("policies.so"));
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-I"]).arg(folder).arg("-o").arg(&library).arg(source);
    let Ok(output) = compiler.output() else {
        println!("left out: there is no C compiler");
        return None;
    };
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(library.display().to_string())
}

fn header() -> String {
    fs::read_to_string(project_path("policy-api/include/hearth_policy.h")).unwrap()
}

fn replaced(header: &str, from: &str, to: &str) -> String {
    assert_eq!(header.matches(from).count(), 1, "{from}");
    header.replace(from, to)
}

/// Adds a field to the end of a record, and to the numbers of the layout.
fn with_another_field(header: &str, record: &str, field: &str) -> String {
    let grown = replaced(header, &format!("}} {record};"), &format!("    {field} later;\n}} {record};"));
    let line = grown.lines().find(|line| line.starts_with(&format!("    sizeof({record}), "))).unwrap().to_owned();
    let (begin, rest) = line.split_once(", ").unwrap();
    let (count, offsets) = rest.split_once(", ").unwrap();
    let count: u32 = count.parse::<u32>().unwrap() + 1;
    let offsets = offsets.trim_end_matches(", \\");
    replaced(&grown, &line, &format!("{begin}, {count}, {offsets}, offsetof({record}, later), \\"))
}

/// Takes the last field from a record, and from the numbers of the layout.
fn without_last_field(header: &str, record: &str) -> String {
    let line = header.lines().find(|line| line.starts_with(&format!("    sizeof({record}), "))).unwrap().to_owned();
    let (begin, rest) = line.split_once(", ").unwrap();
    let (count, offsets) = rest.split_once(", ").unwrap();
    let (offsets, last) = offsets.rsplit_once(&format!(", offsetof({record}, ")).unwrap();
    let last = last.trim_end_matches("), \\");
    let count: u32 = count.parse::<u32>().unwrap() - 1;
    let shorter = replaced(header, &line, &format!("{begin}, {count}, {offsets}, \\"));
    let (before, after) = shorter.split_once(&format!("}} {record};")).unwrap();
    // A field, or a function.
    let named = [format!(" {last};\n"), format!("*{last};\n"), format!("(*{last})")];
    let name = named.iter().filter_map(|name| before.rfind(name)).max().unwrap();
    let declaration = before[..name].rfind('\n').unwrap();
    format!("{}\n}} {record};{after}", &before[..declaration])
}

/// The numbers of the layout are so many more or fewer.
fn with_length(header: &str, more: i64) -> String {
    let line = header.lines().find(|line| line.starts_with("#define HEARTH_LAYOUT_LENGTH ")).unwrap();
    let length: i64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
    header.replace(line, &format!("#define HEARTH_LAYOUT_LENGTH {}", length + more))
}

/// Everything that policies are shown and asked for has a field more.
fn later_header() -> String {
    let records = [
        ("hearth_node", "uint64_t"),
        ("hearth_request", "uint64_t"),
        ("hearth_cluster", "hearth_node_set"),
        ("hearth_item", "uint64_t"),
        ("hearth_admission_view", "uint64_t"),
        ("hearth_completion", "uint64_t"),
        ("hearth_placement", "uint64_t"),
        ("hearth_node_allocation", "void *"),
        ("hearth_eviction", "void *"),
        ("hearth_policy", "void *"),
        ("hearth_parameter", "uint64_t"),
        ("hearth_library_header", "uint64_t"),
        ("hearth_autoscaling", "void *"),
        ("hearth_scale", "uint64_t"),
        ("hearth_scale_view", "uint64_t"),
    ];
    let grown = records.iter().fold(header(), |header, (record, field)| with_another_field(&header, record, field));
    let grown = replaced(&grown, "INTERFACE_MINOR 1", "INTERFACE_MINOR 7");
    with_length(&grown, records.len() as i64)
}

fn compare(library: &str, folder: &Path) {
    let built_in = large("first-fit", "lru");
    let mut loaded = built_in.clone();
    for slot in ["/admission", "/node_allocation", "/keep_alive", "/eviction/containers"] {
        loaded["policies"].pointer_mut(slot).unwrap()["library"] = library.into();
    }
    let (built_in, loaded) = (run(&built_in, folder), run(&loaded, folder));
    assert!(built_in == loaded, "{:?} {:?}", built_in.1, loaded.1);
}

#[test]
fn a_library_of_an_earlier_interface_runs() {
    let folder = tempfile::tempdir().unwrap();
    let records = ["hearth_request", "hearth_node_allocation", "hearth_cluster", "hearth_policy"];
    let shorter = records.iter().fold(header(), |header, record| without_last_field(&header, record));
    // What does not know of autoscaling has no such policy.
    let shorter = with_length(&shorter, -4);
    let source = project_path("examples/policies/c/policies.c");
    let without = fs::read_to_string(source).unwrap().replace("    .autoscaling = &concurrency_functions,\n", "");
    let without = without
        .replace(", &concurrency);", ");")
        .replace("static const hearth_policy concurrency", "const hearth_policy concurrency");
    fs::write(folder.path().join("hearth_policy.h"), shorter).unwrap();
    fs::write(folder.path().join("policies.c"), without).unwrap();
    let library = folder.path().join("policies.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-I"]).arg(folder.path()).arg("-o").arg(&library);
    let Ok(output) = compiler.arg(folder.path().join("policies.c")).output() else {
        println!("left out: there is no C compiler");
        return;
    };
    assert!(output.status.success(), "{}", text(&output.stderr));
    let built_in = large("first-fit", "lru");
    let mut loaded = built_in.clone();
    for slot in ["/admission", "/node_allocation", "/keep_alive", "/eviction/containers"] {
        loaded["policies"].pointer_mut(slot).unwrap()["library"] = library.display().to_string().into();
    }
    assert!(run(&built_in, folder.path()) == run(&loaded, folder.path()));
}

#[test]
fn a_library_of_a_later_interface_runs_if_it_can_do_with_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let undemanding =
        later_header().replace("#define HEARTH_NEEDS_MINOR HEARTH_INTERFACE_MINOR", "#define HEARTH_NEEDS_MINOR 0");
    let Some(undemanding) = library(&folder.path().join("undemanding"), &undemanding) else { return };
    compare(&undemanding, folder.path());
    let output = hearth(&["policies", "check", &undemanding, "--cases", "64"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    let Some(demanding) = library(&folder.path().join("demanding"), &later_header()) else { return };
    let (code, message) = failure(&["run", &quickstart(), "--policy", &format!("admission={demanding}")]);
    assert!(message.contains("is built for policy interface 2.7; this hearth has 2.1"), "{message}");
    assert_eq!(code, 2);
}

#[test]
fn a_library_in_which_a_field_lies_elsewhere_is_refused_before_it_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    // The library would write a file if any of its code ran.
    let mark = folder.path().join("mark");
    let moved = header().replace("    uint32_t free_cores;\n", "    uint64_t free_cores;\n")
        + &format!(
            "#include <stdio.h>\n__attribute__((constructor)) static void leave_mark(void) {{ FILE *file = fopen({:?}, \
             \"w\"); if (file != NULL) fclose(file); }}\n",
            mark.display().to_string()
        );
    let Some(library) = library(folder.path(), &moved) else { return };
    let (code, message) = failure(&["run", &quickstart(), "--policy", &format!("admission={library}")]);
    let expected = "has another layout of running in hearth_node: it begins at byte 12 here, at byte 16 there.";
    assert!(message.contains(expected), "{message}");
    assert_eq!(code, 2);
    assert!(!mark.exists(), "code of the library has run");
}
