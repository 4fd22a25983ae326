//! The `hearth` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    hearth_sim::main()
}
