//! `hearth policies`: lists them.

use std::io::Write;

use hearth_policy_api::{ParameterKind, PolicyKind};
use hearth_serverless::policy::FoundPolicy;

use super::super::selection::PluginArguments;
use crate::error::CommandError;
use crate::isolation::inside;

/// Lists the policies there are, by kind, and the libraries that cannot be used.
pub fn list(plugins: &PluginArguments) -> Result<(), CommandError> {
    let catalog = plugins.catalog();
    let policies = catalog.policies();
    let mut out = inside::stdout();
    for (position, kind) in PolicyKind::ALL.into_iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{kind}")?;
        for policy in policies.iter().filter(|policy| policy.descriptor.is(kind)) {
            let is_hidden = policy.library.is_some() && catalog.is_built_in(kind, policy.descriptor.name());
            list_one(&mut out, policy, is_hidden)?;
        }
    }
    if !catalog.broken_libraries().is_empty() {
        writeln!(out, "\nlibraries that cannot be used")?;
    }
    for broken in catalog.broken_libraries() {
        writeln!(out, "  {} {}", broken.path.display(), broken.problem)?;
    }
    Ok(())
}

fn list_one(out: &mut impl Write, policy: &FoundPolicy, is_hidden: bool) -> Result<(), CommandError> {
    let descriptor = &policy.descriptor;
    let (name, version, description) = (descriptor.name(), descriptor.version(), descriptor.description());
    let source = if policy.library.is_some() { "loaded" } else { "built in" };
    writeln!(out, "  {name:<24} {version:<8} {source:<8}  {description}")?;
    if let Some(library) = &policy.library {
        writeln!(out, "    from {}", library.path.display())?;
    }
    if is_hidden {
        writeln!(out, "    not used by its name, which is that of a built-in policy: name the library")?;
    }
    let parameters = descriptor.parameters();
    let width = parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or(0).max(18);
    for parameter in parameters {
        let (name, default, help) = (parameter.name, parameter.default, parameter.help);
        // What a time or a size is given in is part of its kind.
        let says_unit =
            matches!(parameter.kind, ParameterKind::Duration | ParameterKind::Durations | ParameterKind::Bytes);
        let unit =
            if parameter.unit.is_empty() || says_unit { String::new() } else { format!(" ({})", parameter.unit) };
        writeln!(out, "    {name:<width$} {help}{unit}; {}; default {default}", parameter.kind)?;
    }
    Ok(())
}
