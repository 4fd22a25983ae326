//! How many steps a second a fleet makes: `cargo run --release -p hearth-learning --example steps_per_second -- ENVIRONMENTS THREADS`.

use std::env::args;
use std::num::NonZeroUsize;
use std::time::Instant;

use hearth_learning::{Fleet, KeepAliveTask, Task};

const STEPS: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<NonZeroUsize> = args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let [environments, threads] = numbers.as_slice() else { return Err("expected ENVIRONMENTS THREADS".into()) };
    let task = Task::keep_alive(Task::default_keep_alive(), KeepAliveTask::default())?;
    let mut fleet = Fleet::new(&task, *environments, *threads)?;
    let mut seeds: Vec<u64> = (0..environments.get() as u64).collect();
    fleet.begin(&seeds.iter().copied().enumerate().collect::<Vec<_>>())?;
    let begun = Instant::now();
    let mut episodes = 0;
    for step in 0..STEPS {
        let actions: Vec<usize> = (0..environments.get()).map(|number| (step + number) % task.actions()).collect();
        let batch = fleet.step(&actions, Some(&seeds))?;
        for (number, _) in &batch.ends {
            episodes += 1;
            seeds[*number] += environments.get() as u64;
        }
    }
    let steps = STEPS * environments.get();
    let rate = steps as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{steps} steps of {environments} environments on {threads} threads, {episodes} episodes: {rate:.0} steps/s"
    );
    Ok(())
}
