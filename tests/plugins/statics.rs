//! What a library keeps outside its instances: each catalog opens a copy of its own, so runs side by side do not meet in it.

use std::path::Path;
use std::thread;

use hearth_serverless::experiment::Experiment;
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::{Override, Scenario};

use super::project_path;
use super::trial::trial;

fn catalog() -> Catalog {
    Catalog::new(hearth_plugins::BUILT_IN)
}

/// What comes of a run whose policy rejects every second request of all that its library has ever been asked about.
fn records(library: &Path, catalog: &Catalog) -> String {
    let policy = format!(r#"policies.admission={{"library": {library:?}, "parameters": {{"how": "count"}}}}"#);
    let set: Override = policy.parse().unwrap();
    let scenario = Scenario::read(&project_path("examples/quickstart.json"), &[set]).unwrap();
    format!("{:?}", Experiment::prepare(&scenario, catalog).unwrap().run().unwrap().records)
}

#[test]
fn runs_with_catalogs_of_their_own_give_what_they_give_alone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = trial(folder.path(), "trial.so", &[]) else { return };
    let alone = records(&library, &catalog());
    assert!(alone.contains("call 34") && !alone.contains("call 36"), "{alone}");
    let library = &library;
    let side_by_side: Vec<String> = thread::scope(|scope| {
        let runs = || (0..5).map(|_| records(library, &catalog())).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(runs)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(side_by_side.iter().all(|records| *records == alone));
    // One catalog opens a library once: what is kept there goes from run to run.
    let shared = catalog();
    assert_eq!(records(library, &shared), alone);
    assert!(records(library, &shared).contains("call 68"));
}
