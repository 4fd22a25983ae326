//! The policies that are built into `hearth`.
//!
//! ```
//! let names: Vec<&str> = hearth_plugins::BUILT_IN.iter().map(|policy| policy.name()).collect();
//! assert!(names.contains(&"fcfs") && names.contains(&"lru"));
//! ```

use hearth_policy_api::PolicyDescriptor;

/// All of them, by kind and name.
pub static BUILT_IN: &[PolicyDescriptor] = &[
    hearth_admission_always::POLICY,
    hearth_admission_concurrency_limit::POLICY,
    hearth_admission_queue_limit::POLICY,
    hearth_admission_slo_shedding::POLICY,
    hearth_admission_token_bucket::POLICY,
    hearth_eviction_arc::POLICY,
    hearth_eviction_belady::POLICY,
    hearth_eviction_fifo::POLICY,
    hearth_eviction_freq::POLICY,
    hearth_eviction_gdsf::POLICY,
    hearth_eviction_greedy_dual::POLICY,
    hearth_eviction_landlord::POLICY,
    hearth_eviction_lfu::POLICY,
    hearth_eviction_lru::POLICY,
    hearth_eviction_ram::POLICY,
    hearth_eviction_random::POLICY,
    hearth_eviction_s3_fifo::POLICY,
    hearth_eviction_sieve::POLICY,
    hearth_eviction_size::POLICY,
    hearth_eviction_ttl_first::POLICY,
    hearth_eviction_w_tinylfu::POLICY,
    hearth_eviction_watermark::POLICY,
    hearth_keep_alive_adaptive::POLICY,
    hearth_keep_alive_fixed::POLICY,
    hearth_keep_alive_hybrid_histogram::POLICY,
    hearth_keep_alive_no_keep_alive::POLICY,
    hearth_keep_alive_chain_prewarming::POLICY,
    hearth_keep_alive_knative_autoscaler::POLICY,
    hearth_keep_alive_provisioned_concurrency::POLICY,
    hearth_node_allocation_best_fit::POLICY,
    hearth_node_allocation_consistent_hashing::POLICY,
    hearth_node_allocation_delayed_warm_start::POLICY,
    hearth_node_allocation_edf::POLICY,
    hearth_node_allocation_fair::POLICY,
    hearth_node_allocation_fcfs::POLICY,
    hearth_node_allocation_firm_deadline::POLICY,
    hearth_node_allocation_first_fit::POLICY,
    hearth_node_allocation_hash_locality::POLICY,
    hearth_node_allocation_hedged_requests::POLICY,
    hearth_node_allocation_hermod::POLICY,
    hearth_node_allocation_image_locality::POLICY,
    hearth_node_allocation_join_shortest_queue::POLICY,
    hearth_node_allocation_last_to_expire::POLICY,
    hearth_node_allocation_least_loaded::POLICY,
    hearth_node_allocation_power_of_d::POLICY,
    hearth_node_allocation_random::POLICY,
    hearth_node_allocation_round_robin::POLICY,
    hearth_node_allocation_sept::POLICY,
    hearth_node_allocation_sparrow::POLICY,
    hearth_node_allocation_warm_first::POLICY,
    hearth_node_allocation_workload_balancing::POLICY,
    hearth_node_allocation_worst_fit::POLICY,
];
