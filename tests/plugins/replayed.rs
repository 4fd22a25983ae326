//! Libraries are called again as a log of decisions says, and say what they do in the log of the run.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{failure, hearth, project_path, quickstart, text};

/// A library of a source in C; nothing if there is no compiler.
fn compiled(folder: &Path, name: &str, source: &Path, arguments: &[&str]) -> Option<String> {
    let library = folder.join(name).display().to_string();
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-I"]).arg(project_path("policy-api/include")).args(arguments);
    let Ok(output) = compiler.arg("-o").arg(&library).arg(source).output() else {
        println!("left out: there is no C compiler");
        return None;
    };
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(library)
}

#[test]
fn a_library_answers_as_the_built_in_policies_that_were_logged() {
    let folder = tempfile::tempdir().unwrap();
    let source = project_path("examples/policies/c/policies.c");
    let Some(library) = compiled(folder.path(), "policies.so", &source, &[]) else { return };
    let log = folder.path().join("decisions.jsonl.gz").display().to_string();
    let policies = ["node_allocation=first-fit", "keep_alive=fixed,timeout=90s", "admission=queue-limit,limit=4"];
    let mut arguments = vec!["run".to_owned(), quickstart(), "--decisions".to_owned(), log.clone()];
    arguments.extend(["--views", "full"].map(str::to_owned));
    arguments.extend(policies.iter().flat_map(|policy| ["--policy".to_owned(), (*policy).to_owned()]));
    let output = hearth(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = hearth(&["policies", "replay", &library, &log]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let all = ["admission", "node_allocation", "keep_alive", "eviction.containers", "eviction.images_on_head"];
    assert!(all.iter().all(|slot| said.contains(slot)) && said.contains("all with the same answers"), "{said}");
    let (code, said) =
        failure(&["policies", "replay", &format!("{library}:fixed"), &log, "--parameter", "timeout=91s"]);
    assert_eq!(code, 1);
    assert!(said.contains("answered {\"keep_for\":90000000000}\n  now      {\"keep_for\":91000000000}"), "{said}");
}

/// A keep-alive policy that says what it does.
const TALKS: &str = r#"
#include "hearth_policy.h"

static hearth_context kept;

static uint32_t create(const hearth_context *context, hearth_values values, void **policy) {
    (void)values;
    kept = *context;
    hearth_log(context, HEARTH_LOG_INFO, "is made");
    *policy = &kept;
    return HEARTH_OK;
}

static void destroy(void *policy) { (void)policy; }

static uint32_t on_idle(void *policy, const hearth_completion *completion, hearth_retention *answer) {
    (void)policy;
    hearth_log(&kept, HEARTH_LOG_DEBUG, completion->function == 0 ? "keeps\none" : "keeps another");
    hearth_log(&kept, HEARTH_LOG_TRACE, "nobody hears that");
    answer->keep_for = 1;
    return HEARTH_OK;
}

static const hearth_keep_alive functions = { .size = sizeof functions, .on_idle = on_idle };
static const hearth_policy talks = {
    .size = sizeof talks, .name = HEARTH_TEXT("talks"), .version = HEARTH_TEXT("1.0.0"),
    .description = HEARTH_TEXT("says what it does"), .create = create, .destroy = destroy, .keep_alive = &functions,
};

HEARTH_EXPORT_POLICIES(&talks);
"#;

#[test]
fn a_library_says_what_it_does_if_somebody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("talks.c");
    fs::write(&source, TALKS).unwrap();
    let Some(library) = compiled(folder.path(), "talks.so", &source, &[]) else { return };
    let policy = format!("keep_alive={library}");
    let results = folder.path().join("results");
    let (log, target) = (results.join("d.jsonl").display().to_string(), results.display().to_string());
    let (run, scenario) = (["--policy", policy.as_str(), "--policy-log", "debug"], quickstart());
    let output = hearth(&[&["run", &scenario, "--output", &target, "--decisions", &log], &run[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = fs::read_to_string(results.join("policy.log")).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["0.000000000 info keep_alive: is made", "6.486978728 debug keep_alive: keeps\\none"]);
    assert!(!said.contains("nobody hears that"), "{said}");
    let decisions = fs::read_to_string(&log).unwrap();
    let told = decisions.lines().filter(|line| line.contains(r#""log":[{"level":"debug","text":"keeps"#)).count();
    assert_eq!(told, lines.len() - 1);
    // Without a folder it goes to standard error.
    let output = hearth(&[&["run", &scenario], &run[..]].concat());
    assert_eq!(text(&output.stderr), said);
    let output = hearth(&["run", &scenario, "--policy", &policy]);
    assert_eq!(text(&output.stderr), "");
}
