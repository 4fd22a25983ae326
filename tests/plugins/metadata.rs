//! What a library says of its policies is checked when it is opened, and what they say in a run is shown without harm.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::trial::trial;
use super::{failure, hearth, quickstart, text};

#[test]
fn names_and_parameters_that_make_no_sense_are_refused_with_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("-DDESCRIPTION=\"{}\"", "x".repeat(1001));
    let long_name = format!("-DNAME=\"{}\"", "x".repeat(101));
    let rows: &[(&[&str], &str)] = &[
        (
            &["-DPOLICIES=&trial,&second"],
            "\"trial\", which is there twice as admission policy: give one of them another name",
        ),
        (
            &["-DNAME=\"\""],
            "number 1, which has no name of letters, digits and hyphens: give it one, as in \"my-policy\"",
        ),
        (&["-DNAME=\"a b\""], "\"a b\", which has no name of letters, digits and hyphens"),
        (&["-DNAME=\"a\\033[2Jb\""], "\"a\\u{1b}[2Jb\", which has control characters in its name: leave them out"),
        (&[&long_name], &format!("\"{}\", which has a name of 101 characters: at most 100 are shown", "x".repeat(101))),
        (&["-DVERSION=\"1\\n2\""], "\"trial\", which has control characters in its version: leave them out"),
        (
            &["-DDESCRIPTION=\"a\\xe2\\x80\\xae\""],
            "\"trial\", which has control characters in its description: leave them out",
        ),
        (&["-DDESCRIPTION=\"\\377\""], "\"trial\", which has a description that is no UTF-8: write it as such"),
        (&[&long], "\"trial\", which has a description of 1001 characters: at most 1000 are shown"),
        (&["-DPOLICIES=NULL"], "number 1, which is at no address: name each policy in HEARTH_EXPORT_POLICIES"),
        (
            &["-DPARAMETERS=CHOICE(\"a\"),TEXTS(\"a\")"],
            "\"trial\", which has two parameters \"a\": give one of them another name",
        ),
        (
            &["-DPARAMETERS=CHOICE(\"\")"],
            "\"trial\", which has a parameter number 1, which has no name of letters, digits and _ that begins with a letter: give it one",
        ),
        (&["-DPARAMETERS=CHOICE(\"a.b\")"], "\"trial\", which has a parameter \"a.b\", which has no name of letters"),
        (
            &["-DPARAMETERS=CHOICE(\"keep_alive\")"],
            "\"trial\", which has a parameter \"keep_alive\", which stands for something else in --policy and in scenarios: give it another name",
        ),
        (
            &["-DPARAMETERS=CHOICE(\"autoscaling\")"],
            "\"trial\", which has a parameter \"autoscaling\", which stands for something else in --policy and in scenarios",
        ),
        (
            &["-DPARAMETERS=CHOICE(\"use\")"],
            "\"trial\", which has a parameter \"use\", which stands for something else",
        ),
        (
            &["-DPARAMETERS=CHOICE(\"a\")", "-DWORDS={NULL,0}"],
            "which has a parameter \"a\", which has an empty word: leave it out, or name it",
        ),
        (
            &["-DPARAMETERS=CHOICE(\"a\")", "-DWORDS=HEARTH_TEXT(\"x\"),HEARTH_TEXT(\"x\")"],
            "which has a parameter \"a\", which has the word \"x\" twice: leave one out",
        ),
        (
            &["-DPARAMETERS={PARAMETER(HEARTH_PARAMETER_CHOICE,\"a\")}"],
            "which has a parameter \"a\", which is a choice of 0 words: give from 1 to 1000",
        ),
        (
            &["-DPARAMETERS={PARAMETER(77,\"a\")}"],
            "which has a parameter \"a\", whose kind is 77, which this hearth does not know: use one of hearth_policy.h",
        ),
        (
            &["-DPARAMETERS=INTEGER(\"a\",1,9,10)"],
            "which has a parameter \"a\", whose default is 10: give a whole number from 1 to 9",
        ),
        (
            &["-DPARAMETERS=INTEGER(\"a\",9,1,5)"],
            "which has a parameter \"a\", whose range from 9 to 1 is empty: exchange them",
        ),
        (
            &["-DPARAMETERS=NUMBER(\"a\",0,1,1.5)"],
            "which has a parameter \"a\", whose default is 1.5: give a number from 0 to 1",
        ),
        (
            &["-DPARAMETERS=NUMBER(\"a\",0,0.0/0.0,1)"],
            "which has a parameter \"a\", whose least, greatest or default value is not a number: give all three",
        ),
        (
            &["-DPARAMETERS={PARAMETER(HEARTH_PARAMETER_NUMBERS,\"a\"),.default_value={0,0,HEARTH_TEXT(\"1\\nx\")}}"],
            "which has a parameter \"a\", whose default is [\"1\", \"x\"]: give a number a line",
        ),
        (
            &["-DPARAMETERS={PARAMETER(HEARTH_PARAMETER_TEXT,\"a\"),.default_value={0,0,HEARTH_TEXT(\"\\033\")}}"],
            "which has a parameter \"a\", which has control characters in its default: leave them out",
        ),
    ];
    for (position, (arguments, expected)) in rows.iter().enumerate() {
        let Some(library) = trial(folder.path(), &format!("{position}.so"), arguments) else { return };
        let (code, message) = failure(&["run", &quickstart(), "--policy", &format!("admission={}", library.display())]);
        let said = message.split_once("exports policy ").unwrap_or_else(|| panic!("{arguments:?}: {message}")).1;
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(code, 2);
    }
}

/// Runs the quickstart with the trial; gives exit code, what is said, and its invocations as CSV.
fn run(library: &Path, output: &Path, parameters: &str) -> (Option<i32>, String, String) {
    let policy = format!("admission={}{parameters}", library.display());
    let target = output.display().to_string();
    let output = hearth(&["run", &quickstart(), "--policy", &policy, "--output", &target, "--overwrite"]);
    let rows = fs::read_to_string(format!("{target}/invocations.csv")).unwrap();
    (output.status.code(), text(&output.stderr), rows)
}

#[test]
fn what_a_policy_says_is_one_line_and_no_longer_than_said() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let Some(library) = trial(folder.path(), "trial.so", &[]) else { return };
    let clean = "\\u{1b}[2J\\u{1b}[31mnothing\\r\\nerror: \"of\", this\u{fffd}\\u{202e}";
    let (code, said, _) = run(&library, &results, ",how=fail");
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("failed in admit: {clean}, at 0.001 s")) && said.lines().count() == 1, "{said:?}");
    let summary = fs::read_to_string(results.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert!(summary["stopped_by"].as_str().unwrap().contains(clean));
    let (code, _, rows) = run(&library, &results, ",how=escapes");
    assert_eq!((code, rows.lines().count()), (Some(0), 35));
    assert!(rows.contains(&clean.replace('"', "\"\"")), "{rows}");
    assert!(!rows.contains('\u{1b}'));
    let (_, _, rows) = run(&library, &results, ",how=long");
    assert!(rows.len() < 34 * 1500 && rows.contains("xxx… (209714200 bytes more)"), "{} bytes", rows.len());
}

#[test]
fn words_of_a_choice_may_look_like_numbers_and_like_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = trial(folder.path(), "trial.so", &[]) else { return };
    let library = library.display().to_string();
    for word in ["null", "true", "1", "well"] {
        let policy = format!("admission={library},how={word}");
        let by_set = format!(r#"policies.admission={{"library":"{library}","parameters":{{"how":{word}}}}}"#);
        let in_quotes = by_set.replace(":well}", ":\"well\"}");
        for arguments in [["--policy", &policy], ["--set", &in_quotes]] {
            let output = hearth(&[&["run", quickstart().as_str(), "--json"], &arguments[..]].concat());
            assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
            let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(summary["policies"]["admission"]["parameters"]["how"], word);
        }
    }
    let (code, message) = failure(&["run", &quickstart(), "--policy", &format!("admission={library},how=2")]);
    assert!(code == 2 && message.contains("parameter \"how\": found 2, expected one of well, sleep"), "{message}");
}

#[test]
fn lists_come_from_scenarios_and_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = trial(folder.path(), "trial.so", &[]) else { return };
    let results = folder.path().join("results");
    let heard = |parameters: &str| {
        let (_, said, rows) = run(&library, &results, &format!(",how=lists{parameters}"));
        assert_eq!(said, "");
        let row = rows.lines().nth(1).unwrap().to_owned();
        let begin = row.find("2:").or_else(|| row.find("0:")).or_else(|| row.find("1:"));
        row[begin.unwrap_or_else(|| panic!("{row}"))..].trim_end_matches([',', '"']).replace("\"\"", "\"")
    };
    assert_eq!(heard(""), "2:a;b c;|1:0.5;|0:|");
    assert_eq!(
        heard(r#",names=["x,y","z"],weights=[1,0.25],limits=[1,5min]"#),
        "2:x,y;z;|2:1;0.25;|2:1000000000;300000000000;|"
    );
    assert_eq!(heard(",names=[],weights=0.75,limits=20ms"), "0:|1:0.75;|1:20000000;|");
    let section =
        json!({"library": library, "parameters": {"how": "lists", "names": ["x", "1"], "limits": ["1us", 2]}});
    let set = format!("policies.admission={section}");
    let output = hearth(&["run", &quickstart(), "--json", "--set", &set]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let parameters = &summary["policies"]["admission"]["parameters"];
    assert_eq!(
        parameters,
        &json!({"how": "lists", "names": "[\"x\", \"1\"]", "weights": "[0.5]", "limits": "[0.000001s, 2s]"})
    );
    for (given, expected) in [
        (",weights=[0.5,2]", "parameter \"weights\": found [0.5, 2], expected a list of numbers from 0 to 1"),
        (",limits=[1GB]", "parameter \"limits\": found \"[1GB]\", expected a list of times in seconds, or with a unit"),
        (r#",names=["a\nb"]"#, "parameter \"names\": found [\"a\\nb\"], expected a list of texts, as in [\"a\",\"b\"]"),
    ] {
        let (code, message) =
            failure(&["run", &quickstart(), "--policy", &format!("admission={}{given}", library.display())]);
        assert!(code == 2 && message.contains(expected), "{message}");
    }
    let list = text(&hearth(&["policies", "--plugin-dir", folder.path().to_str().unwrap()]).stdout);
    for line in [
        "names              what is wanted; a list of texts, as in [\"a\",\"b\"]; default [\"a\", \"b c\"]\n",
        "weights            what is wanted; a list of numbers from 0 to 1; default [0.5]\n",
        "limits             what is wanted; a list of times in seconds, or with a unit (ns us ms s min h d); default []\n",
    ] {
        assert!(list.contains(line), "{line} is not in {list}");
    }
}

#[test]
fn a_policy_that_is_hidden_by_one_that_is_built_in_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let Some(library) = trial(&plugins, "one.so", &["-DNAME=\"always\""]) else { return };
    fs::copy(&library, plugins.join("two.so")).unwrap();
    trial(&plugins, "three.so", &[]);
    let plugins = plugins.to_str().unwrap();
    let list = text(&hearth(&["policies", "--plugin-dir", plugins]).stdout).replace(plugins, "PLUGINS");
    let hidden = "PLUGINS/one.so\n    not used by its name, which is that of a built-in policy: name the library\n";
    assert!(list.contains(hidden), "{list}");
    let hidden = "PLUGINS/three.so\n    not";
    assert!(!list.contains(hidden), "{list}");
    let run = |arguments: &[&str]| {
        let output = hearth(&[&["run", quickstart().as_str(), "--plugin-dir", plugins, "-q"], arguments].concat());
        (output.status.code(), text(&output.stderr).replace(plugins, "PLUGINS"))
    };
    let expected = "warning: policies.admission: \"always\" is the built-in policy; one of the same name in PLUGINS/one.so is not used: \
                    name that library to use it\n";
    assert_eq!(run(&["--policy", "admission=always"]), (Some(0), expected.to_owned()));
    assert_eq!(run(&["--policy", &format!("admission={plugins}/one.so")]), (Some(0), String::new()));
}
