//! The yardstick: nanoseconds of one hold step on this machine.

fn main() {
    let mut steps: Vec<f64> = (0..9).map(|_| hearth_bench::hold_step_ns()).collect();
    steps.sort_by(f64::total_cmp);
    println!("one hold step: {:.1} ns (median of 9; least {:.1}, greatest {:.1})", steps[4], steps[0], steps[8]);
}
