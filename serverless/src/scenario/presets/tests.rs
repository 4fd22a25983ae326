//! What presets owe: an origin for everything, and none for nothing.

use super::*;

#[test]
fn all_files_are_read_and_stand_in_the_order_of_names() {
    assert_eq!(Preset::all().len(), FILES.len());
    assert!(Preset::names().is_sorted());
    for (name, text) in FILES {
        assert_eq!(serde_json::from_str::<Preset>(text).unwrap().name, name);
    }
}

#[test]
fn every_setting_has_an_origin_and_every_origin_a_setting() {
    for preset in Preset::all() {
        let settings = preset.settings();
        assert!(settings.len() > 10, "{}", preset.name);
        for PresetSetting { path, origin, .. } in &settings {
            assert!(origin.is_some(), "{}: {path} comes from nowhere", preset.name);
        }
        for origin in &preset.origins {
            assert!(!origin.of.is_empty() && !origin.from.is_empty(), "{}: {origin:?}", preset.name);
            for of in &origin.of {
                let is_of = |setting: &PresetSetting<'_>| {
                    is_at_or_below(&setting.path, of) && setting.origin.is_some_and(|other| other == origin)
                };
                assert!(settings.iter().any(is_of), "{}: nothing comes from {of}", preset.name);
            }
        }
        let paths: Vec<&String> = preset.origins.iter().flat_map(|origin| &origin.of).collect();
        let mut distinct = paths.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), paths.len(), "{}: a path stands twice", preset.name);
        assert!(!preset.missing.is_empty(), "{}: nothing is missing?", preset.name);
    }
}

#[test]
fn settings_are_set_by_their_paths() {
    for preset in Preset::all() {
        for PresetSetting { path, value, .. } in preset.settings() {
            let mut scenario = preset.scenario.clone();
            format!("{path}={value}").parse::<super::super::Override>().unwrap().apply(&mut scenario).unwrap();
            assert_eq!(scenario, preset.scenario, "{}: {path}", preset.name);
        }
    }
}

#[test]
fn presets_read_no_files() {
    for preset in Preset::all() {
        super::super::change_paths(&mut preset.scenario.clone(), |path| panic!("{}: {path}", preset.name));
    }
}
