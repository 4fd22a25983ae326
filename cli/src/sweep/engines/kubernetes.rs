//! The manifest of an indexed Job of Kubernetes.

use serde_json::{Value, json};

use super::job::Job;

/// A claim of a volume, and where pods see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Volume {
    claim: String,
    path: String,
}

impl std::str::FromStr for Volume {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected CLAIM=PATH, as in study=/data/study, found {text:?}");
        let (claim, path) = text.split_once('=').ok_or_else(wrong)?;
        let is_right = !claim.is_empty() && path.starts_with('/');
        is_right.then(|| Self { claim: claim.to_owned(), path: path.to_owned() }).ok_or_else(wrong)
    }
}

/// The manifest of a Job that does a plan, whose containers are made of an image in which `hearth` is found.
pub fn manifest(job: &Job, image: &str, volumes: &[Volume]) -> Value {
    let cores = job.cores.to_string();
    let memory = job.memory.map(|bytes| bytes.to_string());
    let mut resources = json!({"cpu": cores});
    if let Some(memory) = &memory {
        resources["memory"] = json!(memory);
    }
    let named = |number: usize| format!("volume-{number}");
    let mounts: Vec<Value> =
        (volumes.iter().enumerate()).map(|(number, of)| json!({"name": named(number), "mountPath": of.path})).collect();
    let claims = volumes.iter().enumerate();
    let claims: Vec<Value> = claims
        .map(|(number, of)| json!({"name": named(number), "persistentVolumeClaim": {"claimName": of.claim}}))
        .collect();
    let command = ["hearth", "sweep", "work", &job.plan, "--shares", &job.tasks.count.to_string(), "--jobs", &cores]
        .map(str::to_owned);
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "hearth-sweep-"},
        "spec": {
            "completionMode": "Indexed",
            "completions": job.tasks.count,
            "parallelism": job.tasks.count,
            "backoffLimitPerIndex": 3,
            "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{
                    "name": "worker",
                    "image": image,
                    "command": command,
                    "resources": {"requests": resources},
                    "volumeMounts": mounts,
                }],
                "volumes": claims,
            }},
        },
    })
}
