//! The axes of a grid as columns of a table and as axes of a figure: names that programs can use, words for people, and
//! values as numbers in base units where they are quantities.

use hearth_serverless::results::Unit;
use hearth_simcore::units::{self, Dimension};

use super::grid::{Axis, Grid, POLICY};

/// The values of an axis as numbers in base units, and the unit; `None` if they are not all numbers or quantities.
pub fn quantities(axis: &Axis) -> Option<(Vec<f64>, Unit)> {
    let parse = |parse: &dyn Fn(&str) -> Option<f64>| -> Option<Vec<f64>> {
        axis.settings.iter().map(|setting| parse(setting.label.trim_matches('"'))).collect()
    };
    let finite = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
    let with_unit = |dimension: Dimension| parse(&|text| units::parse(text, dimension).ok());
    let of_unit = [
        (Dimension::Time, Unit::Seconds),
        (Dimension::Size, Unit::Bytes),
        (Dimension::Rate, Unit::BytesPerSecond),
        (Dimension::Work, Unit::Work),
    ];
    if axis.name == POLICY {
        return None;
    }
    let plain = parse(&finite).map(|values| (values, Unit::Plain));
    plain.or_else(|| of_unit.into_iter().find_map(|(dimension, unit)| Some((with_unit(dimension)?, unit))))
}

/// The name of the column of each axis: letters, digits and `_` alone, with the unit at its end where values are quantities.
pub fn column_names(grid: &Grid) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for axis in &grid.axes {
        let unit = quantities(axis).map_or("", |(_, unit)| unit.name());
        let name = column_name(&axis.name, unit);
        // Paths that differ in marks alone are numbered.
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

/// The names that tables have beside those of axes.
const TAKEN: [&str; 5] = ["setting", "seed", "metric", "unit", "runs"];

fn column_name(path: &str, unit: &str) -> String {
    let is_part_of_name = |letter: char| letter.is_ascii_alphanumeric();
    let words: Vec<&str> = path.split(|letter| !is_part_of_name(letter)).filter(|word| !word.is_empty()).collect();
    let mut name = words.join("_").to_lowercase();
    if TAKEN.contains(&name.as_str()) || name.starts_with(|letter: char| letter.is_ascii_digit()) || name.is_empty() {
        name = format!("varied_{name}");
    }
    let has_unit = unit.is_empty() || name.ends_with(&format!("_{unit}"));
    if has_unit { name } else { format!("{name}_{unit}") }
}

/// What an axis is, in words: `RAM of node` for `platform.hosts[node].ram`.
pub fn words(path: &str) -> String {
    let mut parts: Vec<(&str, bool)> = Vec::new();
    for part in path.split('.') {
        let (field, elements) = part.split_at(part.find('[').unwrap_or(part.len()));
        parts.push((field, false));
        parts.extend(elements.split(['[', ']']).filter(|element| !element.is_empty()).map(|element| (element, true)));
    }
    // The number of an element of a list stands without brackets, too.
    let is_element = |(part, in_brackets): &(&str, bool)| *in_brackets || part.parse::<usize>().is_ok();
    let Some((last, rest)) = parts.split_last() else { return path.to_owned() };
    // Parameters are those of what stands before.
    let rest = rest.strip_suffix(&[("parameters", false)]).unwrap_or(rest);
    let field = in_words(last.0);
    match rest.last() {
        Some(whose) if is_element(whose) => format!("{field} of {}", whose.0),
        Some(whose) if !SECTIONS.contains(&whose.0) => format!("{field} ({})", in_words(whose.0)),
        _ => field,
    }
}

/// Parts of a path that say nothing of what stands below them.
const SECTIONS: [&str; 6] = ["service", "workload", "generate", "trace", "platform", "policies"];

fn in_words(field: &str) -> String {
    let word = |word: &str| match word {
        "ram" => "RAM".to_owned(),
        "ttl" => "TTL".to_owned(),
        "s" => "(s)".to_owned(),
        other => other.to_owned(),
    };
    field.split('_').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(vary: &[&str]) -> Grid {
        let vary: Vec<String> = vary.iter().map(|text| (*text).to_owned()).collect();
        Grid::new(&["keep_alive=fixed".to_owned()], &vary, vec![1]).unwrap()
    }

    #[test]
    fn values_are_numbers_in_base_units() {
        let of = |values: &str| quantities(&grid(&[&format!("x={values}")]).axes[1]);
        assert_eq!(of("1,2.5"), Some((vec![1.0, 2.5], Unit::Plain)));
        assert_eq!(of("30s,2min"), Some((vec![30.0, 120.0], Unit::Seconds)));
        assert_eq!(of("4GB,16GiB"), Some((vec![4e9, 17_179_869_184.0], Unit::Bytes)));
        assert_eq!(of("\"4GB\",8GB"), Some((vec![4e9, 8e9], Unit::Bytes)));
        assert_eq!(of("1MBps,2GBps"), Some((vec![1e6, 2e9], Unit::BytesPerSecond)));
        assert_eq!(of("1Gf,2Gf"), Some((vec![1e9, 2e9], Unit::Work)));
        assert_eq!(of("10,2min"), Some((vec![10.0, 120.0], Unit::Seconds)));
        for text in ["lru,fifo", "2GB,30s", "nan,1", "true,false"] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(quantities(&grid(&[]).axes[0]), None, "policies are names");
    }

    #[test]
    fn names_of_columns_are_words_with_units() {
        let grid = grid(&[
            "platform.hosts[node-1].ram=2GB,4GB",
            "workload.generate.duration_s=10,20",
            "functions.0.time_limit=10s,20s",
            "seed=1,2",
            "images[a.b].size=1MB",
            "images[a-b].size=1MB",
        ]);
        let expected = [
            "policy",
            "platform_hosts_node_1_ram_bytes",
            "workload_generate_duration_s",
            "functions_0_time_limit_s",
            "varied_seed",
            "images_a_b_size_bytes",
            "images_a_b_size_bytes_2",
        ];
        assert_eq!(column_names(&grid), expected);
    }

    #[test]
    fn paths_are_told_in_words() {
        for (path, words) in [
            ("platform.hosts[node].ram", "RAM of node"),
            ("images[img].size", "size of img"),
            ("functions.0.time_limit", "time limit of 0"),
            ("workload.generate.arrivals.poisson.rate", "rate (poisson)"),
            ("policies.keep_alive.parameters.timeout", "timeout (keep alive)"),
            ("service.container_startup_overhead", "container startup overhead"),
            ("recovery", "recovery"),
            ("policy", "policy"),
        ] {
            assert_eq!(super::words(path), words);
        }
    }
}
