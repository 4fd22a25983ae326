//! `hearth platforms`: platforms by name, over which scenarios are written, and where their numbers come from.

use std::io::{self, Write};

use clap::Args;
use clap::builder::PossibleValuesParser;
use hearth_serverless::scenario::{Origin, Preset, PresetSetting};
use serde::Serialize;
use serde_json::Value;

use crate::error::CommandError;

/// The arguments of `hearth platforms`.
#[derive(Debug, Args)]
pub struct PlatformsArguments {
    /// Show all settings of this one, where each comes from, and what it leaves out.
    #[arg(value_parser = names())]
    name: Option<String>,

    /// Print it, or all of them, as JSON.
    #[arg(long)]
    json: bool,
}

/// The names that there are.
pub fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Preset::names())
}

/// Lists the platforms, or tells of one.
pub fn run(arguments: &PlatformsArguments) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    match (arguments.name.as_deref().and_then(Preset::named), arguments.json) {
        (None, false) => list(&mut out)?,
        (None, true) => writeln!(out, "{}", to_json(Preset::all()))?,
        (Some(preset), false) => tell(&mut out, preset)?,
        (Some(preset), true) => writeln!(out, "{}", to_json(preset))?,
    }
    Ok(())
}

fn list(out: &mut impl Write) -> io::Result<()> {
    for preset in Preset::all() {
        writeln!(out, "{:<24} {}", preset.name, preset.title)?;
        writeln!(out, "    {}", preset.rules)?;
    }
    writeln!(out, "\nhearth platforms NAME shows the settings of one, and where they come from.")
}

fn tell(out: &mut impl Write, preset: &Preset) -> io::Result<()> {
    writeln!(out, "{}: {}\n  {}\n\nsettings", preset.name, preset.title, preset.rules)?;
    let settings = preset.settings();
    let shown: Vec<String> = settings.iter().map(|setting| shown(setting.value)).collect();
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let path_width = longest(&mut settings.iter().map(|setting| setting.path.len()));
    let value_width = longest(&mut shown.iter().map(|value| value.chars().count()));
    for (PresetSetting { path, origin, .. }, value) in settings.iter().zip(&shown) {
        let number = origin.map_or(String::new(), |origin| format!("{} [{}]", origin.kind, number_of(preset, origin)));
        writeln!(out, "  {path:<path_width$}  {value:<value_width$}  {number}")?;
    }
    writeln!(out, "\nwhere they come from")?;
    for (position, origin) in preset.origins.iter().enumerate() {
        writeln!(out, "  [{}] {}: {}", position + 1, origin.kind, origin.from)?;
    }
    writeln!(out, "\nwhat is missing")?;
    preset.missing.iter().try_for_each(|missing| writeln!(out, "  - {missing}"))
}

/// As JSON; there is nothing in it that JSON cannot hold.
fn to_json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The number of an origin, from 1 on.
fn number_of(preset: &Preset, origin: &Origin) -> usize {
    preset.origins.iter().position(|other| other == origin).map_or(0, |position| position + 1)
}

/// A value as `--set` takes it.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
