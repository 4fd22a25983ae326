//! `hearth_policy.h` is made of the types that cross the boundary: it is current, and a C and a C++ compiler take every field
//! to lie where Rust does.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use hearth_policy_api::abi::{FIELDS, Field, LAYOUT_LENGTH};

fn policy_api(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy-api").join(path)
}

/// Types of Rust and what they are called in C.
const NAMES: &[(&str, &str)] = &[
    ("Text", "hearth_text"),
    ("Value", "hearth_value"),
    ("NodeSet", "hearth_node_set"),
    ("LibraryHeader", "hearth_library_header"),
    ("PolicyRecord", "hearth_policy"),
    ("Parameter", "hearth_parameter"),
    ("Handle", "hearth_handle"),
    ("Host", "hearth_host"),
    ("PolicyContext", "hearth_context"),
    ("NodeAllocationTable", "hearth_node_allocation"),
    ("PlacementAnswer", "hearth_placement"),
    ("PlanSink", "hearth_plan"),
    ("PlanItemRecord", "hearth_plan_item"),
    ("EvictionTable", "hearth_eviction"),
    ("VictimSinkRecord", "hearth_victims"),
    ("AdmissionTable", "hearth_admission"),
    ("AdmissionAnswer", "hearth_admission_answer"),
    ("KeepAliveTable", "hearth_keep_alive"),
    ("RetentionAnswer", "hearth_retention"),
    ("PrewarmingAnswer", "hearth_prewarming"),
    ("AutoscalingTable", "hearth_autoscaling"),
    ("ScaleAnswer", "hearth_scale"),
    ("ScaleView", "hearth_scale_view"),
    ("ScaleCause", "hearth_scale_cause"),
    ("PoolScaleAnswer", "hearth_pool_scale"),
    ("NodePoolView", "hearth_node_pool"),
    ("PoolNodeView", "hearth_pool_node"),
    ("PendingView", "hearth_pending"),
    ("NodeState", "hearth_node_state"),
    ("NodeView", "hearth_node"),
    ("LinkView", "hearth_link"),
    ("RequestView", "hearth_request"),
    ("ClusterView", "hearth_cluster"),
    ("FunctionView", "hearth_function"),
    ("BatchView", "hearth_batch"),
    ("End", "hearth_end"),
    ("DelayedStart", "hearth_delayed_start"),
    ("QueueView", "hearth_queue"),
    ("ShedAnswer", "hearth_shed"),
    ("FunctionHistory", "hearth_function_history"),
    ("ContainerView", "hearth_container"),
    ("ContainersOf", "hearth_containers_of"),
    ("EvictionItem", "hearth_item"),
    ("Need", "hearth_need"),
    ("AdmissionView", "hearth_admission_view"),
    ("Completion", "hearth_completion"),
    ("Ending", "hearth_ending"),
    ("Start", "hearth_start"),
    ("Touch", "hearth_touch"),
    ("Removal", "hearth_removal"),
    ("Creation", "hearth_creation"),
    ("ContainerChange", "hearth_container_change"),
    ("ContainerEvent", "hearth_container_event"),
    ("TaskView", "hearth_task"),
    ("CopyView", "hearth_copy"),
    ("WorkflowView", "hearth_workflow"),
    ("Offer", "hearth_offer"),
    ("PolicySlot", "hearth_slot"),
    ("Slice_u32", "hearth_numbers"),
    ("Slice_u64", "hearth_words"),
    ("Slice_Text", "hearth_texts"),
    ("Slice_Value", "hearth_values"),
    ("Slice______PolicyRecord", "hearth_policies"),
    ("Records_NodeView", "hearth_nodes"),
    ("Records_PoolNodeView", "hearth_pool_nodes"),
    ("Records_PendingView", "hearth_pending_all"),
    ("Records_FunctionHistory", "hearth_function_histories"),
    ("Records_RequestView", "hearth_requests"),
    ("Records_ContainerView", "hearth_containers"),
    ("Records_FunctionView", "hearth_functions"),
    ("Records_TaskView", "hearth_tasks"),
    ("Records_Parameter", "hearth_parameters"),
];

/// The files in which the types are.
const FILES: &[&str] = &[
    "abi/mod.rs",
    "primitives/codes.rs",
    "primitives/slices.rs",
    "primitives/parameter.rs",
    "primitives/host.rs",
    "abi/header.rs",
    "abi/tables.rs",
    "cluster.rs",
    "container_event.rs",
    "copy.rs",
    "containers.rs",
    "node_set.rs",
    "node_allocation.rs",
    "eviction.rs",
    "admission.rs",
    "keep_alive.rs",
    "autoscaling.rs",
    "node_pool.rs",
    "end.rs",
    "delayed_start.rs",
    "history.rs",
    "queue.rs",
    "workflow.rs",
    "policy.rs",
    "victims.rs",
];

/// What comes before the types.
const BEGINNING: &str = "\
// The interface between Hearth and a policy in C, or in any language that speaks C. How to use it: docs/policy-abi.md.
//
// This file is made of the types in policy-api/src, by the test tests/tests/policy_header.rs; do not change it by hand.
//
// SPDX-License-Identifier: MIT OR Apache-2.0";

/// The types of `policy-api/src` in C.
fn types() -> String {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        cpp_compat: true,
        header: Some(BEGINNING.to_owned()),
        include_guard: Some("HEARTH_POLICY_H".to_owned()),
        no_includes: true,
        sys_includes: ["stddef.h", "stdint.h"].map(str::to_owned).into(),
        documentation_style: cbindgen::DocumentationStyle::C99,
        usize_is_size_t: true,
        line_length: 120,
        tab_width: 4,
        style: cbindgen::Style::Type,
        ..cbindgen::Config::default()
    };
    config.enumeration.prefix_with_name = true;
    config.enumeration.rename_variants = cbindgen::RenameRule::ScreamingSnakeCase;
    config.export.prefix = Some("HEARTH_".to_owned());
    config.export.renaming_overrides_prefixing = true;
    config.export.rename = NAMES.iter().map(|(rust, c)| ((*rust).to_owned(), (*c).to_owned())).collect();
    let is_plain = |name: &String| !name.contains('_');
    config.export.include = NAMES.iter().map(|(rust, _)| (*rust).to_owned()).filter(is_plain).collect();
    config.export.exclude = [
        "ENTRY_SYMBOL",
        "Library",
        "WORD",
        "Claims",
        "PolicyKind",
        "LogLevel",
        "Prewarming",
        "AutoscalingRules",
        "Scale",
        "PoolScale",
    ]
    .map(str::to_owned)
    .into();
    let builder = FILES.iter().fold(cbindgen::Builder::new().with_config(config), |builder, file| {
        builder.with_src(policy_api("src").join(file))
    });
    let mut written = Vec::new();
    builder.generate().unwrap().write(&mut written);
    String::from_utf8(written).unwrap()
}

/// Comments without what only readers of Rust can use, and constants without those that are no numbers.
fn for_readers_of_c(types: &str) -> String {
    let (mut text, mut in_example) = (Vec::<&str>::new(), false);
    for line in types.lines() {
        let comment = line.trim_start().strip_prefix("//").map(str::trim);
        let is_fence = comment.is_some_and(|comment| comment.starts_with("```"));
        in_example ^= is_fence;
        // What a type of Rust has of its own.
        let is_of_a_type = |name: &str| name.starts_with("hearth_") || name.chars().any(|of| of.is_ascii_lowercase());
        let name = line.strip_prefix("#define ").and_then(|rest| rest.split(' ').next());
        if name.is_some_and(is_of_a_type) {
            while text.last().is_some_and(|line| line.starts_with("//")) {
                text.pop();
            }
        } else if is_fence && !in_example {
            // The line that announces the example, and the empty ones around it.
            while text.last().is_some_and(|line| line.trim().trim_start_matches('/').trim().is_empty()) {
                text.pop();
            }
            if text.last().is_some_and(|line| line.ends_with(':')) {
                text.pop();
            }
            while text
                .last()
                .is_some_and(|line| line.trim().trim_start_matches('/').trim().is_empty() && line.contains("//"))
            {
                text.pop();
            }
        } else if !in_example && !is_fence {
            text.push(line);
        }
    }
    let mut text = text.join("\n") + "\n";
    for (rust, c) in [("`u64::MAX`", "UINT64_MAX"), ("[`NONE`]", "HEARTH_NONE"), ("[`crate::NONE`]", "HEARTH_NONE")] {
        text = text.replace(rust, c);
    }
    let mut text = text.replace("[`", "`").replace("`]", "`").replace("`crate::", "`");
    // Where the name of a link leads to.
    while let Some(begin) = text.find("`(crate::") {
        let end = begin + text[begin..].find(')').unwrap();
        text.replace_range(begin + 1..=end, "");
    }
    text
}

/// The numbers that a library carries, as C works them out.
fn layout() -> String {
    let mut records: Vec<(&str, Vec<&str>)> = Vec::new();
    for Field { record, name, .. } in FIELDS {
        match name {
            None => records.push((record, Vec::new())),
            Some(name) => records.last_mut().unwrap().1.push(name),
        }
    }
    let mut text = "// How many numbers HEARTH_LAYOUT has.\n".to_owned();
    let _ = write!(text, "#define HEARTH_LAYOUT_LENGTH {LAYOUT_LENGTH}\n\n");
    text += "// For each record its size, how many fields follow, and where each lies.\n#define HEARTH_LAYOUT { \\\n";
    for (record, fields) in records {
        let _ = write!(text, "    sizeof({record}), {}", fields.len());
        fields.iter().for_each(|field| text += &format!(", offsetof({record}, {field})"));
        text += ", \\\n";
    }
    text + "}\n"
}

fn header() -> String {
    let types = for_readers_of_c(&types());
    let (types, end) = types.rsplit_once("#endif").unwrap();
    format!("{}\n\n{}\n{}\n#endif{end}", types.trim_end(), layout(), include_str!("policy_header/tail.h"))
}

#[test]
fn the_header_is_that_of_the_types() {
    let file = policy_api("include/hearth_policy.h");
    let header = header();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&file, &header).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    assert!(committed == header, "make it anew: UPDATE_HEADER=1 cargo test -p hearth-tests policy_header");
}

/// Compiles a file; nothing where the compiler is not there.
fn compiles(compiler: &str, file: &Path, arguments: &[&str]) -> Option<Result<(), String>> {
    let mut command = Command::new(compiler);
    command.args(arguments).arg("-I").arg(policy_api("include")).arg("-fsyntax-only").arg(file);
    let output = command.output().ok()?;
    Some(if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) })
}

/// A program that compiles if every record is as long as in Rust, and every field where it is there.
fn assertions(word: &str) -> String {
    let mut text = "#include \"hearth_policy.h\"\n".to_owned();
    for Field { record, name, bytes } in FIELDS {
        let what = name.map_or(format!("sizeof({record})"), |name| format!("offsetof({record}, {name})"));
        let _ = writeln!(text, "{word}({what} == {bytes}, \"{what}\");");
    }
    text
}

#[test]
fn c_and_cpp_take_every_field_to_lie_where_rust_does() {
    let folder = tempfile::tempdir().unwrap();
    let languages: [(&str, &str, &str, &[&str]); 3] = [
        ("gcc", "of.c", "_Static_assert", &["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]),
        ("gcc", "of.c", "_Static_assert", &["-std=c99", "-Wall", "-Wextra", "-Werror"]),
        ("g++", "of.cpp", "static_assert", &["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror"]),
    ];
    for (compiler, name, word, arguments) in languages {
        let file = folder.path().join(name);
        std::fs::write(&file, assertions(word)).unwrap();
        match compiles(compiler, &file, arguments) {
            None => println!("left out: {compiler} is not there"),
            Some(compiled) => compiled.unwrap(),
        }
        // A test that cannot fail is none.
        std::fs::write(&file, assertions(word).replacen("== 16", "== 17", 1)).unwrap();
        assert!(compiles(compiler, &file, arguments).is_none_or(|compiled| compiled.is_err()), "{compiler}");
    }
}
