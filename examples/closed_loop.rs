//! A closed-loop controller: three users each wait for their answer, think for a while and ask again.
//!
//! `cargo run --release --example closed_loop`

use hearth_serverless::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let disk = DiskSpec::new(500 * GB, 400e6, 300e6);
    let platform = PlatformBuilder::new()
        .host("users", HostSpec::new(4, 10e9).disk(disk.clone()))
        .host("head", HostSpec::new(4, 10e9).disk(disk.clone()))
        .group("node", 2, HostSpec::new(1, 20e9).ram(8 * GB).disk(disk))
        .link("wan", 125e6, 5e-3)
        .link("lan", 1.25e9, 50e-6)
        .route("users", "head", &["wan"])
        .route("head", "node-*", &["lan"])
        .build()?;
    let mut simulation = Simulation::new(platform, 42);
    let service = ServerlessComputeService::builder("head")
        .registry("users")
        .nodes(&["node-*"])
        .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?)
        .container_startup_overhead(SimDuration::from_secs_f64(0.5))
        .start(&mut simulation)?;

    simulation.spawn_on("users", async move |context| {
        let manager = FunctionManager::new(&context, &service);
        let image = manager.create_image("model", 400 * MB, 300 * MB)?;
        let function = manager.create_function("predict", &image, async |call: Call| {
            call.compute(30.0 * GFLOP).await;
            Ok(Output::new(call.node().to_owned()))
        });
        let limits = Limits { time: secs(60), ram: GB, ..Limits::default() };
        let predict = manager.register(function, limits).await?;

        let users = (0..3).map(|user| {
            let (context, manager) = (context.clone(), manager.clone());
            context.clone().spawn(async move {
                for round in 0..4 {
                    let asked = context.now();
                    let Ok(invocation) = manager.invoke(&predict, Input::default()).await else {
                        return;
                    };
                    manager.wait_one(&invocation).await;
                    let output = invocation.output();
                    let node =
                        output.as_ref().and_then(|output| output.get::<String>()).map_or("nowhere", String::as_str);
                    println!("user {user}, round {round}: asked at {asked}, answered at {} by {node}", context.now());
                    context.sleep(secs(1 + user)).await;
                }
            })
        });
        join_all(users).await;
        Ok(())
    })?;
    simulation.run()?;

    let (metrics, _) = service.close(&mut simulation);
    println!(
        "{} cold starts, {} warm, mean latency {:.3} s",
        metrics.cold_starts,
        metrics.warm_starts,
        metrics.latency.mean()
    );
    Ok(())
}
