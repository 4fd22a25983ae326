//! The policies of `examples/policies` in each language, built by the very commands that the README there prints: the same bytes
//! as the built-in ones, no fault in any, and one error when something goes wrong. What needs a compiler that is not here is
//! left out, and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use super::same_bytes::{large, run};
use super::workshop::copy_folder;
use super::{failure, hearth, project_path, quickstart, text};

/// A language of `examples/policies`.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// As the README calls it.
    name: &'static str,
    /// Its folder, and what `hearth policies new` calls it.
    pub folder: &'static str,
    /// What says whether its compiler is here.
    compiler: &'static [&'static str],
}

const C: Language = Language { name: "C", folder: "c", compiler: &["cc", "--version"] };
const CPP: Language = Language { name: "C++", folder: "cpp", compiler: &["g++", "--version"] };
const ZIG: Language = Language { name: "Zig", folder: "zig", compiler: &["zig", "version"] };
const GO: Language = Language { name: "Go", folder: "go", compiler: &["go", "version"] };

/// Those in which policies are written against the header.
pub const ALL_BUT_RUST: [Language; 4] = [C, CPP, ZIG, GO];

/// A slot, and the policy that every language has for it.
const POLICIES: [(&str, &str); 7] = [
    ("/admission", "queue-limit"),
    ("/node_allocation", "first-fit"),
    ("/keep_alive", "fixed"),
    ("/eviction/containers", "lru"),
    ("/eviction/images_in_ram", "lru"),
    ("/eviction/images_on_disk", "lru"),
    ("/eviction/images_on_head", "lru"),
];

/// A command `zig` for those who have Zig from pip, in a folder that is searched.
const ZIG_OF_PIP: &str = "#!/bin/sh\nexec python3 -m ziglang \"$@\"\n";

impl Language {
    /// Whether its compiler is here; says so if not.
    pub fn is_here(self) -> bool {
        let [program, argument] = self.compiler else { return false };
        let is_here = Command::new("sh")
            .args(["-c", &format!("{program} {argument}")])
            .env("PATH", search_path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !is_here {
            println!("left out: {}, since {program} is not here", self.name);
        }
        is_here
    }

    /// The command that the README prints.
    fn command(self) -> String {
        let readme = fs::read_to_string(project_path("examples/policies/README.md")).unwrap();
        let section = readme.split(&format!("## {}\n", self.name)).nth(1).unwrap();
        section.split("```sh\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap().to_owned()
    }

    /// Builds the policies in a copy of their folder, with something else in a source if that is asked for.
    fn build(self, project: &Path, change: Option<(&str, &str, &str)>) -> PathBuf {
        let folder = project.join("examples/policies").join(self.folder);
        copy_folder(&project_path("examples/policies").join(self.folder), &folder);
        copy_folder(&project_path("policy-api/include"), &project.join("policy-api/include"));
        if let Some((file, from, to)) = change {
            let source = fs::read_to_string(folder.join(file)).unwrap();
            assert_eq!(source.matches(from).count(), 1, "{from}");
            fs::write(folder.join(file), source.replace(from, to)).unwrap();
        }
        shell(&folder, &self.command());
        folder.join("policies.so")
    }
}

/// Runs a command of the README, or of what `hearth policies new` writes.
pub fn shell(folder: &Path, command: &str) {
    let output = Command::new("sh")
        .args(["-eu", "-c", command])
        .current_dir(folder)
        .env("PATH", search_path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}:\n{}", text(&output.stderr));
}

/// Where programs are looked for.
fn search_path() -> String {
    static WRITING: Mutex<()> = Mutex::new(());
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    if !programs.join("zig").exists() {
        fs::create_dir_all(&programs).unwrap();
        fs::write(programs.join("zig"), ZIG_OF_PIP).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(programs.join("zig"), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    format!("{}:{}", std::env::var("PATH").unwrap(), programs.display())
}

/// A scenario with four policies in all slots of theirs, from a library if there is one. What the scenario sets of them stays set.
fn with_the_four(scenario: &Value, library: Option<&Path>) -> Value {
    let mut chosen = scenario.clone();
    let mut policies = json!({"eviction": {}});
    for (slot, name) in POLICIES {
        let mut policy = json!({ "use": name });
        let given = scenario.pointer(&format!("/policies{slot}"));
        if let Some(given) = given.filter(|given| given["use"] == name && given["parameters"].is_object()) {
            policy["parameters"] = given["parameters"].clone();
        }
        if let Some(library) = library {
            policy["library"] = json!(library);
        }
        let (parent, last) = slot.rsplit_once('/').unwrap();
        policies.pointer_mut(parent).unwrap()[last] = policy;
    }
    chosen["policies"] = policies;
    chosen
}

fn is_the_same_everywhere(language: Language) {
    if !language.is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = language.build(folder.path(), None);
    gives_the_built_in_bytes(language.name, &library, 5);
    scales_as_the_built_in_one(language, &library);
}

/// The autoscaling policy of a library gives the bytes of the built-in one, whatever instances serve.
fn scales_as_the_built_in_one(language: Language, library: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let example = fs::read_to_string(project_path("examples/instances.json")).unwrap();
    let mut scenario: Value = serde_json::from_str(&example).unwrap();
    scenario["workload"]["generate"]["duration_s"] = json!(300);
    let rows = [
        (json!(1), json!({})),
        (json!(10), json!({"target": 2.5, "period": "1s"})),
        (json!("unlimited"), json!({"unlimited": 7})),
    ];
    let mut seen = Vec::new();
    for (concurrency, parameters) in rows {
        for function in scenario["functions"].as_array_mut().unwrap() {
            function["instances"]["concurrency"] = concurrency.clone();
        }
        scenario["policies"]["autoscaling"] = json!({"use": "concurrency", "parameters": parameters});
        let built_in = run(&scenario, folder.path());
        scenario["policies"]["autoscaling"]["library"] = json!(library);
        let loaded = run(&scenario, folder.path());
        assert!(built_in == loaded, "{concurrency} differs with {}: {:?} {:?}", language.name, built_in.1, loaded.1);
        seen.push(built_in.0);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "each row is another run");
}

#[test]
fn a_period_of_nothing_is_refused_in_every_language() {
    for language in ALL_BUT_RUST.into_iter().filter(|language| language.is_here()) {
        let folder = tempfile::tempdir().unwrap();
        let library = language.build(folder.path(), None).display().to_string();
        let example = project_path("examples/instances.json").display().to_string();
        let file = folder.path().join("scenario.json");
        let mut scenario: Value = serde_json::from_str(&fs::read_to_string(example).unwrap()).unwrap();
        scenario["policies"]["autoscaling"] =
            json!({"use": "concurrency", "library": library, "parameters": {"period": "0s"}});
        fs::write(&file, scenario.to_string()).unwrap();
        let (code, message) = failure(&["run", file.to_str().unwrap()]);
        assert!(message.contains("cannot be made: "), "{}: {message}", language.name);
        assert_eq!(code, 2, "{}", language.name);
    }
}

/// The policies of a library, of which there are so many, are sound, and give the bytes of the built-in ones in all reference cases.
pub fn gives_the_built_in_bytes(name: &str, library: &Path, policies: usize) {
    let folder = tempfile::tempdir().unwrap();
    let check = hearth(&["policies", "check", library.to_str().unwrap(), "--cases", "64"]);
    assert!(check.status.success(), "{name}: {}", text(&check.stdout));
    assert_eq!(text(&check.stdout).matches("no fault in 64 histories").count(), policies);
    let mut scenarios = vec![("large".to_owned(), large("first-fit", "lru"))];
    for entry in fs::read_dir(project_path("tests/reference")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let scenario = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            scenarios.push((path.display().to_string(), scenario));
        }
    }
    assert_eq!(scenarios.len(), 31);
    for (case, scenario) in scenarios {
        let built_in = run(&with_the_four(&scenario, None), folder.path());
        let loaded = run(&with_the_four(&scenario, Some(library)), folder.path());
        assert!(built_in.0.lines().count() > 1, "{case} has no invocations");
        assert!(built_in == loaded, "{case} differs with {name}: {:?} {:?}", built_in.1, loaded.1);
    }
}

#[test]
fn policies_in_c_are_the_built_in_ones() {
    is_the_same_everywhere(C);
}

#[test]
fn policies_in_cpp_are_the_built_in_ones() {
    is_the_same_everywhere(CPP);
}

#[test]
fn policies_in_zig_are_the_built_in_ones() {
    is_the_same_everywhere(ZIG);
}

#[test]
fn policies_in_go_are_the_built_in_ones() {
    is_the_same_everywhere(GO);
}

#[test]
fn what_each_language_calls_an_error_is_told_as_one() {
    let (placed, in_go) = ("answer.node = node;", "answer.kind, answer.node = C.HEARTH_PLACEMENT_NODE, node");
    let in_zig = "        self.promote(number);\n        self.entries";
    let rows = [
        (CPP, "policies.cpp", placed, "throw std::runtime_error(\"as asked\");", "place: as asked"),
        (CPP, "policies.cpp", placed, "throw 7;", "place: something was thrown that is no std::exception"),
        (ZIG, "policies.zig", in_zig, "if (number > 0) return error.AsAsked;\n        self.entries", "insert: AsAsked"),
        (GO, "policies.go", in_go, "panic(\"as asked\")", "place: as asked"),
    ];
    for (language, file, from, to, said) in rows {
        if !language.is_here() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let library = language.build(folder.path(), Some((file, from, to)));
        let slot = if said.starts_with("place") { "node_allocation" } else { "eviction.images_in_ram" };
        let (code, message) = failure(&["run", &quickstart(), "--policy", &format!("{slot}={}", library.display())]);
        assert!(message.contains(&format!(" failed in {said}, at ")), "{}: {message}", language.name);
        assert_eq!(code, 1);
    }
}

#[test]
fn what_a_policy_in_c_does_wrong_is_told_by_one_error() {
    if !C.is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("unsound.so");
    let placed = "\"unsound\" of FILE failed in place: ";
    let ruled = "\"unsound\" of FILE failed in rules: ";
    let exported = "FILE exports policy \"unsound\", which ";
    let unnamed = "FILE exports policy number 1, which ";
    let rows = [
        ("-DFAILS", 1, placed, "as asked"),
        ("-DFAILS_SILENTLY", 1, placed, "failed, and does not say why"),
        ("-DANSWERS=77", 1, placed, "answered a placement of kind 77, which this hearth does not know"),
        ("-DANSWERS=1", 1, placed, "answered node 1000000, but there are nodes 0 to 2"),
        (
            "-DNO_PLACE -DPLAN",
            1,
            "\"unsound\" of FILE failed in plan: ",
            "answered a decision of kind 77, which this hearth does not know",
        ),
        ("-DCREATE_FAILS", 2, "\"unsound\" of FILE ", "cannot be made: it does not want to"),
        ("-DRULES=HEARTH_RULE_OBSERVES", 2, ruled, "asks for observe to be called, which is null"),
        ("-DRULES=HEARTH_RULE_RANKS", 2, ruled, "asks for rank to be called, which is null"),
        ("-DRULES=0x40000000", 2, ruled, "asks for rules 0x40000000, which its kind of policy does not have here"),
        ("-DPLAN", 2, exported, "has both place and plan, or neither: node allocation needs one of them"),
        ("-DNO_PLACE", 2, exported, "has both place and plan, or neither: node allocation needs one of them"),
        ("-DNO_CREATE", 2, exported, "has no create, or no destroy: set both"),
        ("-DNO_TABLE", 2, exported, "has no table of functions: it is no kind of policy"),
        ("-DEVICTS_TOO", 2, exported, "is an eviction policy and more: eviction has an instance for each storage"),
        ("-DTWICE", 2, exported, "is there twice as node allocation policy: give one of them another name"),
        ("'-DNAME=\"\"'", 2, unnamed, "has no name of letters, digits and hyphens: give it one, as in \"my-policy\""),
        (
            "'-DNAME=\"un\\nsound\"'",
            2,
            "FILE exports policy \"un\\nsound\", which ",
            "has control characters in its name: leave them out",
        ),
        (
            "'-DNAME=\"un\\xff\"'",
            2,
            "FILE exports policy \"un\u{fffd}\", which ",
            "has a name that is no UTF-8: write it as such",
        ),
    ];
    for (definition, expected_code, subject, said) in rows {
        let _ = fs::remove_file(&library);
        let command = format!(
            "cc -w -shared -fPIC {definition} -I {} -o unsound.so {}",
            project_path("policy-api/include").display(),
            project_path("tests/plugins/languages/unsound.c").display()
        );
        shell(folder.path(), &command);
        let choice = format!("node_allocation={}", library.display());
        let (code, message) = failure(&["run", &quickstart(), "--policy", &choice]);
        let message = message.replace(&library.display().to_string(), "FILE");
        // Of what happens in a simulation, the date is told.
        let message = message.strip_suffix(", at 3.760996907 s").filter(|_| expected_code == 1).unwrap_or(&message);
        assert!(message.ends_with(&format!("policies.node_allocation: {subject}{said}")), "{definition}: {message}");
        assert_eq!(code, expected_code, "{definition}");
    }
}

#[test]
fn an_exception_that_nobody_catches_ends_the_process_that_the_library_is_in() {
    if !C.is_here() || !CPP.is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sources = project_path("tests/plugins/languages");
    let command = format!(
        "g++ -c -fPIC {0}/throws.cpp && cc -w -shared -fPIC -fexceptions -DTHROWS -I {1} -o unsound.so {0}/unsound.c throws.o \
         -lstdc++",
        sources.display(),
        project_path("policy-api/include").display()
    );
    shell(folder.path(), &command);
    let library = folder.path().join("unsound.so").display().to_string();
    let output = hearth(&["run", &quickstart(), "--policy", &format!("node_allocation={library}")]);
    let said = text(&output.stderr);
    let expected = format!(
        "policies.node_allocation: \"unsound\" of {library} ended the process in place: signal 6 (SIGABRT: abort), at 3.760996907 s"
    );
    assert!(said.contains(&expected) && output.status.code() == Some(1), "{said}");
}

/// A million invocations in each language, and how long they take beside the built-in policies. Takes minutes.
#[test]
#[ignore = "takes minutes: HEARTH=target/dist/hearth cargo test -p hearth-sim --test plugins a_million -- --ignored --nocapture"]
fn a_million_invocations_are_the_same() {
    let program = std::env::var("HEARTH").unwrap_or(env!("CARGO_BIN_EXE_hearth").to_owned());
    let folder = tempfile::tempdir().unwrap();
    let timed = |library: Option<&Path>| {
        let (file, target) = (folder.path().join("million.json"), folder.path().join("results"));
        fs::write(&file, with_the_four(&million(), library).to_string()).unwrap();
        let start = Instant::now();
        let mut command = Command::new(&program);
        let output = command.arg("run").arg(&file).args(["--overwrite", "--output"]).arg(&target).output().unwrap();
        let seconds = start.elapsed().as_secs_f64();
        assert!(output.status.success(), "{}", text(&output.stderr));
        (seconds, fs::read(target.join("invocations.csv")).unwrap())
    };
    let here: Vec<Language> = ALL_BUT_RUST.into_iter().filter(|language| language.is_here()).collect();
    for language in here {
        let library = language.build(&folder.path().join(language.folder), None);
        let ((built_in, expected), (loaded, rows)) = (timed(None), timed(Some(&library)));
        assert_eq!(expected.iter().filter(|byte| **byte == b'\n').count(), 1_000_001);
        assert!(expected == rows, "{} differs", language.name);
        println!("{}: {loaded:.2} s, built in {built_in:.2} s: {:.3}", language.name, loaded / built_in);
    }
}

/// A million invocations of a hundred functions on two hundred nodes, whose memory is short: containers are evicted.
fn million() -> Value {
    let function = |i: u64| {
        json!({"name": format!("f{i}"), "ram_limit": (64 << (i % 4)) * 1_000_000, "container_startup_overhead": 0.5,
               "body": [{"sleep": 0.1 + (i * 7 % 11) as f64 / 10.0}]})
    };
    let invocation =
        |i: u64| json!({"at": (i * 7919 % 1_000_003) as f64 / 500.0, "function": format!("f{}", i * i % 101 % 100)});
    json!({
        "format": "hearth-scenario/1", "name": "million", "seed": 9,
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "10Gf"},
                      {"name": "node", "count": 200, "cores": 4, "speed": "10Gf", "ram": "2GB"}],
            "links": [{"name": "lan", "bandwidth": "10GBps", "latency": "10us"}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "functions": (0..100).map(function).collect::<Vec<_>>(),
        "workload": {"invocations": (0..1_000_000).map(invocation).collect::<Vec<_>>()},
    })
}
