//! Results and traces in object storage: S3 as `moto` plays it on this machine. Where that is not installed this says so, and
//! is left out.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use super::hearth;
use super::sweep::{POLICIES, read_json, scenario, sweep_arguments};
use super::sweep_work::{TABLES, files};

/// What nobody may see.
const SECRET: &str = "hidden/secret+of+these+tests";

const BUCKET: &str = "hearth-tests";

/// An S3 that holds one bucket, until it is dropped.
struct Store {
    server: Child,
    port: u16,
    /// Where commands keep their copies.
    temporary: tempfile::TempDir,
    /// All that commands have printed.
    printed: Mutex<String>,
}

impl Store {
    /// `None` where there is no `moto`.
    fn start(test: &str) -> Option<Self> {
        let is_there = Command::new("moto_server").arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !is_there.is_ok_and(|status| status.success()) {
            eprintln!("left out: {test} needs moto_server (pip install 'moto[server]')");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Command::new("moto_server");
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let store = Self {
            server: server.spawn().unwrap(),
            port,
            temporary: tempfile::tempdir().unwrap(),
            printed: Mutex::default(),
        };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(120), "moto_server does not start");
            thread::sleep(Duration::from_millis(50));
        }
        store.put("", b"");
        Some(store)
    }

    /// What comes of a request by HTTP to the bucket.
    fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let host = format!("127.0.0.1:{}", self.port);
        let length = body.len();
        // Who asks is looked at, not whether it is true.
        let who =
            "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let head = format!(
            "{method} /{BUCKET}{path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: {who}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let status = String::from_utf8_lossy(&answer[..end]).into_owned();
        assert!(status.contains(" 200 "), "{method} {path}: {status}");
        answer.split_off(end + 4)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.request("PUT", &if name.is_empty() { String::new() } else { format!("/{name}") }, bytes);
    }

    fn get(&self, name: &str) -> Vec<u8> {
        self.request("GET", &format!("/{name}"), b"")
    }

    /// The names of all objects that begin so.
    fn names(&self, prefix: &str) -> Vec<String> {
        let listed = self.request("GET", &format!("?list-type=2&prefix={prefix}"), b"");
        let listed = String::from_utf8(listed).unwrap();
        listed.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned()).collect()
    }

    fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "tests".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Runs `hearth`; gives its exit code, and what it printed on standard output and standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = hearth();
        command.args(arguments).envs(self.environment()).env("TMPDIR", self.temporary.path());
        let output = command.output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let mut printed = self.printed.lock().unwrap();
        printed.push_str(&out);
        printed.push_str(&err);
        (output.status.code().unwrap_or(-1), out, err)
    }

    /// What a command that must succeed prints.
    fn hearth(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        out
    }

    /// What a command that must fail says, and its exit code.
    fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let (code, out, err) = self.run(arguments);
        assert!(code != 0, "{arguments:?}: {out}");
        (code, err)
    }

    fn worker(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
        command.args(["sweep", "work"]).args(arguments).envs(self.environment()).stdout(Stdio::null()).spawn().unwrap()
    }

    fn done(&self, plan: &str) -> u64 {
        let status = self.hearth(&["sweep", "status", plan, "--json"]);
        serde_json::from_str::<Value>(&status).unwrap()["done"].as_u64().unwrap()
    }

    /// Asserts that a plan that has been collected has the tables that one machine has written.
    fn assert_same_tables(&self, prefix: &str, alone: &Path) {
        for table in TABLES {
            assert!(self.get(&format!("{prefix}/{table}")) == fs::read(alone.join(table)).unwrap(), "{table}");
        }
    }

    /// Asserts that no object and nothing that was printed holds the secret, and that nothing is left of copies.
    fn assert_discreet(&self) {
        let left: Vec<_> = fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "commands remove their copies: {left:?}");
        let printed = self.printed.lock().unwrap().clone();
        assert!(!printed.contains(SECRET), "{printed}");
        let names = self.names("");
        assert!(!names.is_empty());
        for name in names {
            let mut bytes = self.get(&name);
            if name.ends_with(".gz") {
                let mut unpacked = Vec::new();
                MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
                bytes = unpacked;
            }
            assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{name}");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn of_workers_on_a_store_that_die_the_others_do_the_runs() {
    let Some(store) = Store::start("of_workers_on_a_store_that_die_the_others_do_the_runs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let alone = folder.path().join("alone");
    let plan = format!("s3://{BUCKET}/studies/claimed");
    let arguments = ["sweep", &scenario, "--seeds", "1..30", "--vary", "platform.hosts[node].ram=2GB,4GB", "--output"];
    let told = store.hearth(&[&arguments[..], &[alone.to_str().unwrap()]].concat());
    let planned = store.hearth(&[&arguments[..], &[&plan, "--plan", "--stale-after", "1s"]].concat());
    assert_eq!(planned, format!("60 runs are planned in {plan}: `hearth sweep work {plan}` does them.\n"));
    let (code, said) = store.refused(&[&arguments[..], &[&plan, "--plan"]].concat());
    assert!(code == 2 && said.contains(&format!("--output {plan}: holds a plan already")), "{said}");
    let (code, said) = store.refused(&["sweep", "collect", &plan]);
    assert!(
        code == 1 && said.contains(&format!("60 of 60 runs are missing: see `hearth sweep status {plan}`")),
        "{said}"
    );
    let mut workers: Vec<Child> = (0..2).map(|_| store.worker(&[&plan, "--claim", "--jobs", "2"])).collect();
    let begin = Instant::now();
    while store.done(&plan) < 8 {
        assert!(begin.elapsed() < Duration::from_secs(120), "nothing goes on");
    }
    let mut killed = workers.remove(0);
    killed.kill().unwrap();
    killed.wait().unwrap();
    // One who ends well has seen that nothing is left.
    assert!(workers.remove(0).wait().unwrap().success());
    let status = store.hearth(&["sweep", "status", &plan]);
    assert_eq!(status, "60 of 60 runs done, 0 running, 0 failed, 0 open\n");
    let packed = store.names("studies/claimed/packed/");
    assert!((1..=2).contains(&packed.len()), "each worker has one object: {packed:?}");
    let collected = store.hearth(&["sweep", "collect", &plan]);
    assert_eq!(collected, told.replace(alone.to_str().unwrap(), &plan));
    store.assert_same_tables("studies/claimed", &alone);
    assert_eq!(store.names("studies/claimed/claims/"), Vec::<String>::new(), "claims are removed");
    store.assert_discreet();
}

#[test]
fn a_worker_that_is_told_to_end_hands_over_what_it_has_done() {
    let Some(store) = Store::start("a_worker_that_is_told_to_end_hands_over_what_it_has_done") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let plan = format!("s3://{BUCKET}/ended");
    store.hearth(&["sweep", &scenario, "--seeds", "1..3000", "--output", &plan, "--plan"]);
    let mut worker = Command::new(env!("CARGO_BIN_EXE_hearth"));
    worker.args(["sweep", "work", &plan, "--share", "1/1", "--jobs", "2"]).envs(store.environment());
    let mut worker = worker.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(worker.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, format!("{plan}: share 1/1, 3000 of 3000 runs\n"));
    let begin = Instant::now();
    while store.done(&plan) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(120), "nothing is handed over meanwhile");
    }
    Command::new("kill").arg(worker.id().to_string()).status().unwrap();
    line.clear();
    said.read_line(&mut line).unwrap();
    let done: u64 = line.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(130), "{line}");
    assert_eq!(store.done(&plan), done, "{line}");
}

#[test]
fn shares_on_a_store_come_to_what_one_machine_writes() {
    let Some(store) = Store::start("shares_on_a_store_come_to_what_one_machine_writes") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, unpacked, page] = ["alone", "unpacked", "page.html"].map(|name| folder.path().join(name));
    let plan = format!("s3://{BUCKET}/shared");
    let more = ["--interval", "10s", "--invocations", "all", "--baseline", POLICIES[1]];
    store.hearth(&[&sweep_arguments(&scenario, alone.to_str().unwrap())[..], &more].concat());
    store.hearth(&[&sweep_arguments(&scenario, &plan)[..], &more, &["--plan"]].concat());
    // One share twice at once, as when an engine takes a worker for dead.
    let workers = ["1/2", "2/2", "2/2"].map(|share| store.worker(&[&plan, "--share", share]));
    workers.into_iter().for_each(|mut worker| assert!(worker.wait().unwrap().success()));
    assert_eq!(store.names("shared/packed/").len(), 3);
    store.hearth(&["sweep", "collect", &plan, "--unpack"]);
    store.assert_same_tables("shared", &alone);
    for name in store.names("shared/runs/") {
        let file = unpacked.join(name.strip_prefix("shared/").unwrap());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, store.get(&name)).unwrap();
    }
    let of_runs = |sweep: &Path| -> BTreeMap<_, _> { files(&sweep.join("runs")) };
    assert!(of_runs(&unpacked) == of_runs(&alone), "runs are the same, file by file");
    store.hearth(&["report", &plan, "--output", page.to_str().unwrap()]);
    assert_eq!(store.hearth(&["report", &plan]), format!("The report is {plan}/report.html.\n"));
    assert!(store.get("shared/report.html") == fs::read(page).unwrap());
    // Without `--plan` one machine plans, does and collects all of it.
    let at_once = format!("s3://{BUCKET}/at-once");
    store.hearth(&[&sweep_arguments(&scenario, &at_once)[..], &more].concat());
    store.assert_same_tables("at-once", &alone);
    let (code, said) = store.refused(&[&sweep_arguments(&scenario, &at_once)[..], &more].concat());
    assert!(code != 0 && said.contains("--resume"), "{said}");
    store.hearth(&[&sweep_arguments(&scenario, &at_once)[..], &more, &["--resume"]].concat());
    // What has failed is run again by one who goes on, as in a folder.
    let failing = format!("s3://{BUCKET}/failing");
    let failing = ["sweep", &scenario, "--vary", "max_events_without_progress=1,1000000", "--output", &failing];
    for (more, workers) in [(&[][..], 1), (&["--resume"], 2)] {
        let (code, said) = store.refused(&[&failing[..], more].concat());
        assert!(code == 1 && said.contains("1 of 2 runs failed, the first with"), "{said}");
        assert_eq!(store.names("failing/packed/").len(), workers);
    }
    let (code, said) = store.refused(&["sweep", &scenario, "--on", "parallel", "--output", &format!("{plan}2")]);
    assert!(code == 2 && said.contains("write the plan there with --plan"), "{said}");
    let (code, said) = store.refused(&["sweep", "work", "s3://no-such-bucket/plan", "--share", "1/2"]);
    assert!(code == 2 && said.contains("s3://no-such-bucket/plan cannot be read"), "{said}");
    let (code, said) = store.refused(&["sweep", "status", &format!("s3://{BUCKET}/nowhere")]);
    assert!(code == 2 && said.contains(&format!("s3://{BUCKET}/nowhere/plan.json: cannot be read")), "{said}");
    let (code, said) = store.refused(&["sweep", "status", &format!("s3://me:{SECRET}@bucket/a")]);
    assert!(code == 2 && said.contains("variables of the environment"), "{said}");
    store.assert_discreet();
}

#[test]
fn a_run_is_handed_over_to_a_store_and_drawn_from_it() {
    let Some(store) = Store::start("a_run_is_handed_over_to_a_store_and_drawn_from_it") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let here = folder.path().join("here");
    let there = format!("s3://{BUCKET}/run");
    store.hearth(&["run", &scenario, "--output", here.to_str().unwrap()]);
    let timeline = format!("{there}/timeline.json");
    let told = store.hearth(&["run", &scenario, "--output", &there, "--timeline", &timeline]);
    assert!(told.contains(&format!("\nResults are in {there}.\n")), "{told}");
    for name in ["summary.json", "functions.csv", "invocations.csv", "scenario.json"] {
        assert!(store.get(&format!("run/{name}")) == fs::read(here.join(name)).unwrap(), "{name}");
    }
    let (code, said) = store.refused(&["run", &scenario, "--output", &there]);
    assert!(code == 2 && said.contains(&format!("--output {there}: holds a run already")), "{said}");
    // Another command is at it, or has been until a moment ago: not even the scenario is run.
    store.put("taken/claims/run.1", b"another process");
    let (code, said) = store.refused(&["run", &scenario, "--output", &format!("s3://{BUCKET}/taken")]);
    assert!(code == 2 && said.contains("/taken: another command writes a run there"), "{said}");
    assert_eq!(store.names("taken/"), ["taken/claims/run.1"]);
    store.hearth(&["report", &there]);
    assert!(!store.get("run/report.html").is_empty());
    // What is replaced goes, with what was drawn of it.
    store.hearth(&["run", &scenario, "--output", &there, "--overwrite", "--invocations", "none"]);
    let gone = ["run/invocations.csv", "run/timeline.json", "run/report.html"];
    let left = store.names("run/");
    assert!(gone.iter().all(|name| !left.iter().any(|there| there == name)), "{left:?}");
    assert!(left.contains(&"run/run.json".to_owned()));
    assert!(left.iter().all(|name| !name.contains("claims")), "claims are removed: {left:?}");
    store.assert_discreet();
}

#[test]
fn traces_are_read_from_a_store() {
    let Some(store) = Store::start("traces_are_read_from_a_store") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = scenario(folder.path());
    let [rows, functions] = ["rows.csv", "functions.csv"].map(|name| folder.path().join(name));
    let generator = folder.path().join("generator.json");
    let mut scenario = read_json(Path::new(&file));
    fs::write(&generator, scenario["workload"]["generate"].to_string()).unwrap();
    store.hearth(&[
        "trace",
        "generate",
        generator.to_str().unwrap(),
        "--output",
        rows.to_str().unwrap(),
        "--functions-output",
        functions.to_str().unwrap(),
    ]);
    let bytes = fs::read(&rows).unwrap();
    store.put("traces/rows.csv", &bytes);
    store.put("traces/functions.csv", &fs::read(&functions).unwrap());
    let [trace, plan] = ["traces/rows.csv", "traced"].map(|name| format!("s3://{BUCKET}/{name}"));
    let of_trace =
        json!({"format": "csv", "path": trace, "functions_path": format!("s3://{BUCKET}/traces/functions.csv")});
    scenario["workload"] = json!({ "trace": of_trace });
    fs::write(&file, scenario.to_string()).unwrap();
    let [alone, run] = ["alone", "run"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let arguments = ["sweep", &file, "--seeds", "1..4", "--output"];
    store.hearth(&[&arguments[..], &[&alone]].concat());
    store.hearth(&[&arguments[..], &[&plan, "--plan"]].concat());
    assert!(String::from_utf8(store.get("traced/plan.json")).unwrap().contains(&format!("\"path\": \"{trace}\"")));
    store.hearth(&["sweep", "work", &plan, "--share", "1/1"]);
    store.hearth(&["sweep", "collect", &plan]);
    store.assert_same_tables("traced", Path::new(&alone));
    // The same comes of it as of files, and of what it wrote.
    store.hearth(&["run", &file, "--output", &run]);
    let manifest = read_json(&Path::new(&run).join("run.json"));
    assert!(manifest["inputs"].as_array().unwrap().iter().any(|input| input["path"] == trace), "{manifest}");
    assert_eq!(read_json(&Path::new(&run).join("scenario.json"))["workload"]["trace"], of_trace);
    let (code, said, warned) = store.run(&["run", &run]);
    assert!(code == 0 && said.contains("files are the same") && warned.is_empty(), "{said} {warned}");
    // Packed, it is read from the bundle; left out, from the store.
    let [whole, without] = ["whole.hearth", "without.hearth"].map(|name| folder.path().join(name));
    let [whole, without] = [&whole, &without].map(|bundle| bundle.to_str().unwrap());
    store.hearth(&["pack", &run, "-o", whole]);
    assert!(store.hearth(&["pack", &run, "-o", without, "--without-traces"]).contains("2 of them left out"));
    let verified = hearth().args(["run", whole, "--verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    store.hearth(&["run", without, "--verify"]);
    store.hearth(&["run", without, "--verify", "--inputs", folder.path().to_str().unwrap()]);
    // Not what was planned with.
    store.put("traces/rows.csv", &bytes[..bytes.len() / 2]);
    let (code, said) = store.refused(&["sweep", "work", &plan, "--share", "1/1"]);
    assert!(code == 2 && said.contains(&format!("{trace} is not what was planned with")), "{said}");
    let (code, said) = store.refused(&["run", without, "--verify"]);
    assert!(code == 2 && said.contains(&format!("{trace} is another one, with the SHA-256")), "{said}");
    store.put("traces/rows.csv", b"no,trace\n1\n");
    let (code, said) = store.refused(&["validate", &file]);
    assert!(code == 2 && said.contains(&format!("{trace}:")), "{said}");
    store.assert_discreet();
}
