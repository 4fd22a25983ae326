//! A function that downloads a photo, computes, writes the result and sends it back, with limits that it may hit.
//!
//! `cargo run --release --example download_compute_write`

use hearth_serverless::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let disk = DiskSpec::new(500 * GB, 200e6, 150e6);
    let platform = PlatformBuilder::new()
        .host("registry", HostSpec::new(4, 10e9).disk(disk.clone()))
        .host("head", HostSpec::new(4, 10e9).disk(disk.clone()))
        .host("node", HostSpec::new(4, 20e9).ram(16 * GB).disk(disk))
        .link("wan", 50e6, 10e-3)
        .link("lan", 1.25e9, 50e-6)
        .route("registry", "head", &["wan"])
        .route("registry", "node", &["wan", "lan"])
        .route("head", "node", &["lan"])
        .build()?;
    let mut simulation = Simulation::new(platform, 7);
    let service = ServerlessComputeService::builder("head")
        .registry("registry")
        .nodes(&["node"])
        .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?)
        .container_startup_overhead(SimDuration::from_secs_f64(0.8))
        .start(&mut simulation)?;

    simulation.spawn_on("registry", async move |context| {
        let manager = FunctionManager::new(&context, &service);
        manager.create_file("photo.raw", 40 * MB)?;
        let image = manager.create_image("developer", 250 * MB, 120 * MB)?;
        let develop = manager.create_function("develop", &image, async |call: Call| {
            call.ingress("photo.raw").await?;
            call.storage().read("photo.raw").await?;
            call.compute(25.0 * GFLOP).await;
            let quality = call.input().get::<u64>().copied().unwrap_or(1);
            call.storage().write("photo.jpg", quality * 8 * MB).await?;
            call.egress("photo.jpg").await?;
            Ok(Output::new(call.storage().used()))
        });
        let limits = Limits {
            time: secs(30),
            ram: 512 * MB,
            disk: 100 * MB,
            ingress: Some(50 * MB),
            egress: Some(20 * MB),
            ..Limits::default()
        };
        let develop = manager.register(develop, limits).await?;
        // The third would send more than it may, the fourth would fill its storage.
        let mut invocations = Vec::new();
        for quality in [1_u64, 2, 3, 9] {
            invocations.push(manager.invoke(&develop, Input::new(quality)).await?);
        }
        manager.wait_all(&invocations).await;
        for invocation in &invocations {
            println!("invocation {}:", invocation.number());
            for (state, date) in invocation.history().iter() {
                println!("  {date} {state:?}");
            }
            if let Some(failure) = invocation.failure() {
                println!("  because {failure}");
            }
        }
        Ok(())
    })?;
    simulation.run()?;
    Ok(())
}
