//! Applications: their functions are served by the same instances, as one function is that all requests are for.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::checks::*;
use super::instances::{check, control_plane, instances};
use super::scenarios::*;
use super::{cases, run_with};
use crate::experiment::Results;

/// What containers of a function are like, which its application says.
const MEASURES: [&str; 6] =
    ["image", "ram_limit", "disk_limit", "container_startup_overhead", "processors", "instances"];

/// Makes those functions applications that have a number, with the containers of the first of each, and so served by instances.
pub(super) fn into_applications(scenario: &mut Value, of: &[Option<u8>], instances: &Value) {
    let mut applications: Vec<Value> = Vec::new();
    for (function, of) in scenario["functions"].as_array_mut().unwrap().iter_mut().zip(of) {
        let Some(of) = of else { continue };
        let (name, function) = (format!("a{of}"), function.as_object_mut().unwrap());
        let measures: Vec<(&str, Value)> =
            MEASURES.into_iter().filter_map(|field| Some((field, function.remove(field)?))).collect();
        function.insert("application".to_owned(), json!(name));
        if applications.iter().any(|other| other["name"] == name) {
            continue;
        }
        let mut application = json!({"name": name});
        measures.into_iter().for_each(|(field, value)| application[field] = value);
        application["instances"] = instances.clone();
        applications.push(application);
    }
    scenario["applications"] = json!(applications);
}

/// What comes of each invocation, and of the instances.
fn what_comes(results: &Results) -> (Vec<String>, u64, f64) {
    let of_record = |record: &crate::invocation::InvocationRecord| {
        let mut record = record.clone();
        record.function = crate::function::FunctionId(0);
        format!("{record:?}")
    };
    let records = results.records.iter().map(of_record).collect();
    (records, results.metrics.instances, results.metrics.instance_seconds())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn functions_alike_of_an_application_are_served_as_one_function_that_all_requests_are_for(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        instances in instances(),
        control_plane in control_plane(),
        autoscaling in prop::sample::select(vec!["concurrency", "lambda", "kpa"]),
        node_allocation in prop::sample::select(vec!["first-fit", "least-loaded", "round-robin", "random"]),
    ) {
        let mut several = scenario;
        several["service"]["control_plane"] = control_plane;
        several["service"]["backfilling"] = json!("unlimited");
        // Policies that know functions would know that there are several.
        several["policies"] = json!({"autoscaling": {"use": autoscaling}, "node_allocation": {"use": node_allocation}});
        if let Some((faults, recovery)) = faults {
            (several["faults"], several["recovery"]) = (faults, recovery);
        }
        let mut one = several.clone();
        let function = several["functions"][0].clone();
        for (number, other) in several["functions"].as_array_mut().unwrap().iter_mut().enumerate() {
            other.clone_from(&function);
            other["name"] = json!(format!("f{number}"));
        }
        into_applications(&mut several, &[Some(0); 4], &instances);
        one["functions"] = json!([function]);
        one["functions"][0]["instances"] = instances;
        for invocation in one["workload"]["invocations"].as_array_mut().unwrap() {
            invocation["function"] = json!("f0");
        }
        let (Some(several), Some(one)) =
            (run_with(&several, hearth_plugins::BUILT_IN, check), run_with(&one, hearth_plugins::BUILT_IN, check))
        else {
            return Ok(());
        };
        prop_assert_eq!(what_comes(&several?), what_comes(&one?));
    }

    #[test]
    fn an_application_of_one_function_is_that_function_with_instances(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        served in proptest::collection::vec(instances(), 4),
        autoscaling in prop::sample::select(vec!["concurrency", "lambda", "kpa"]),
    ) {
        let mut of_functions = scenario;
        of_functions["policies"]["autoscaling"] = json!({"use": autoscaling});
        if let Some((faults, recovery)) = faults {
            (of_functions["faults"], of_functions["recovery"]) = (faults, recovery);
        }
        let mut of_applications = of_functions.clone();
        into_applications(&mut of_applications, &[Some(0), Some(1), Some(2), Some(3)], &Value::Null);
        for (application, instances) in of_applications["applications"].as_array_mut().unwrap().iter_mut().zip(&served) {
            application["instances"] = instances.clone();
        }
        for (function, instances) in of_functions["functions"].as_array_mut().unwrap().iter_mut().zip(served) {
            function["instances"] = instances;
        }
        let (Some(of_functions), Some(of_applications)) = (
            run_with(&of_functions, hearth_plugins::BUILT_IN, check),
            run_with(&of_applications, hearth_plugins::BUILT_IN, check),
        ) else {
            return Ok(());
        };
        prop_assert_eq!(files_of(&of_functions?), files_of(&of_applications?));
    }
}
