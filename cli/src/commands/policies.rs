//! `hearth policies`.

use std::io::Write;

use hearth_policy_api::{PolicyDescriptor, PolicyKind};

use crate::error::CommandError;

/// Lists the policies there are, by kind.
pub fn list() -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    for (position, kind) in PolicyKind::ALL.into_iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{kind}")?;
        for policy in hearth_plugins::BUILT_IN.iter().filter(|policy| policy.kind() == kind) {
            list_one(&mut out, policy)?;
        }
    }
    Ok(())
}

fn list_one(out: &mut impl Write, policy: &PolicyDescriptor) -> Result<(), CommandError> {
    writeln!(out, "  {:<20} {:<8} built in  {}", policy.name, policy.version, policy.description)?;
    for parameter in policy.parameters {
        let (name, default, help) = (parameter.name, parameter.default, parameter.help);
        writeln!(out, "    {name:<18} {help}; {}; default {default}", parameter.kind)?;
    }
    Ok(())
}
