//! What a program hands to authors who have nothing else: the header, and the sources of this crate (feature `carried`).

/// `hearth_policy.h`.
pub const HEADER: &str = include_str!("../include/hearth_policy.h");

macro_rules! sources {
    ($($file:literal),+ $(,)?) => {
        /// The sources that a policy in Rust needs, by their path under `src`: without the test kit and the loader they depend on no
        /// other crate.
        pub const SOURCES: &[(&str, &str)] = &[$(($file, include_str!($file))),+];
    };
}

sources![
    "abi/header.rs",
    "abi/layout.rs",
    "abi/library.rs",
    "abi/mod.rs",
    "abi/tables.rs",
    "actions.rs",
    "admission.rs",
    "autoscaling.rs",
    "boundary/described.rs",
    "boundary/descriptor.rs",
    "boundary/failure.rs",
    "boundary/mod.rs",
    "boundary/objects.rs",
    "boundary/rules.rs",
    "boundary/said.rs",
    "boundary/seat.rs",
    "boundary/shim.rs",
    "cluster.rs",
    "container_event.rs",
    "containers.rs",
    "copy.rs",
    "delayed_start.rs",
    "end.rs",
    "eviction.rs",
    "history.rs",
    "keep_alive.rs",
    "lib.rs",
    "log_level.rs",
    "node_allocation.rs",
    "node_list.rs",
    "node_pool.rs",
    "node_set.rs",
    "parameter_lists.rs",
    "parameters.rs",
    "policy.rs",
    "primitives/codes.rs",
    "primitives/host.rs",
    "primitives/mod.rs",
    "primitives/parameter.rs",
    "primitives/slices.rs",
    "queue.rs",
    "victims.rs",
    "workflow.rs",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn below(folder: &Path, inside: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{inside}{}", entry.file_name().to_str().unwrap());
            match entry.path().is_dir() {
                true => below(&entry.path(), &(path + "/"), found),
                false => drop(found.insert(path)),
            }
        }
    }

    #[test]
    fn all_sources_are_carried_but_those_for_hosts() {
        let mut there = BTreeSet::new();
        below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut there);
        let for_hosts = ["testkit/", "boundary/loader/", "boundary/tests.rs", "carried.rs"];
        there.retain(|file| !for_hosts.iter().any(|begin| file.starts_with(begin)));
        assert_eq!(SOURCES.iter().map(|(file, _)| (*file).to_owned()).collect::<BTreeSet<_>>(), there);
    }
}
