//! Values of a scenario that are set from outside: `path=value`.

use serde_json::Value;

use super::ScenarioError;
use super::suggestion::did_you_mean;

/// One assignment, such as `service.container_startup_overhead=2s` or `functions[resize].ram_limit=1GB`. Elements of a
/// list are named by position or by their `name`. The value is JSON, or else taken as text.
///
/// ```
/// use hearth_serverless::scenario::Override;
/// assert!("functions[resize].ram_limit=1GB".parse::<Override>().is_ok());
/// assert!("functions[resize].ram_limit".parse::<Override>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    assignment: String,
    path: Vec<String>,
    value: String,
}

impl std::fmt::Display for Override {
    /// The assignment as it was given.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.assignment)
    }
}

impl std::str::FromStr for Override {
    type Err = ScenarioError;

    fn from_str(assignment: &str) -> Result<Self, ScenarioError> {
        let error =
            |problem: &str| ScenarioError::Override { assignment: assignment.to_owned(), problem: problem.to_owned() };
        let (path, value) = split_assignment(assignment).ok_or_else(|| error("expected path=value"))?;
        let path = parse_path(path).map_err(error)?;
        Ok(Self { assignment: assignment.to_owned(), path, value: value.to_owned() })
    }
}

/// Parts at the first `=` outside brackets: names of elements may hold one.
fn split_assignment(assignment: &str) -> Option<(&str, &str)> {
    let mut in_brackets = false;
    let end = assignment.find(|letter| {
        in_brackets = letter == '[' || in_brackets && letter != ']';
        letter == '=' && !in_brackets
    });
    // A bracket that is never closed holds the rest; parsing the path says so.
    let end = end.or_else(|| assignment.find('='))?;
    Some((&assignment[..end], &assignment[end + 1..]))
}

/// The parts of a path such as `functions[resize].body[0].sleep`.
pub(super) fn parse_path(path: &str) -> Result<Vec<String>, &'static str> {
    const EMPTY: &str = "the path has an empty part: expected a path such as functions[0].time_limit";
    let mut parts = Vec::new();
    let mut rest = path;
    loop {
        let (part, after) = rest.split_at(rest.find(['.', '[', ']']).unwrap_or(rest.len()));
        parts.push(part.to_owned());
        rest = after;
        while let Some(inside) = rest.strip_prefix('[') {
            let (element, after) = inside.split_once(']').ok_or("the path has a \"[\" without its \"]\"")?;
            parts.push(element.to_owned());
            rest = after;
        }
        if parts.iter().any(String::is_empty) {
            return Err(EMPTY);
        }
        rest = match rest.strip_prefix('.') {
            Some(after) => after,
            None if rest.is_empty() => return Ok(parts),
            None if rest.starts_with(']') => return Err("the path has a \"]\" without its \"[\""),
            None => return Err("the path has no \".\" after a \"]\": expected a path such as functions[0].time_limit"),
        };
    }
}

/// What there is in a list, for somebody who named something else.
fn contents(list: &[Value], part: &str) -> String {
    let names: Vec<&str> = list.iter().filter_map(|element| element["name"].as_str()).collect();
    if list.is_empty() {
        ": it is empty".to_owned()
    } else if names.is_empty() {
        format!(": they are numbered from 0 to {}", list.len() - 1)
    } else {
        let more = if names.len() > 8 { ", …" } else { "" };
        let shown: Vec<&str> = names.iter().take(8).copied().collect();
        format!(": there are {}{more}{}", shown.join(", "), did_you_mean(part, names))
    }
}

impl Override {
    /// The path and the value, as they were given.
    ///
    /// ```
    /// use hearth_serverless::scenario::Override;
    /// let assignment: Override = "functions[f].ram_limit=1GB".parse()?;
    /// assert_eq!(assignment.parts(), ("functions[f].ram_limit", "1GB"));
    /// # Ok::<(), hearth_serverless::scenario::ScenarioError>(())
    /// ```
    pub fn parts(&self) -> (&str, &str) {
        split_assignment(&self.assignment).unwrap_or((&self.assignment, ""))
    }

    /// Whether it names the platform that the scenario is written over.
    pub(super) fn is_of_base(&self) -> bool {
        self.path == ["base"]
    }

    /// The value: as JSON, or as text.
    pub(super) fn value(&self) -> Value {
        serde_json::from_str(&self.value).unwrap_or_else(|_| Value::String(self.value.clone()))
    }

    pub(super) fn apply(&self, scenario: &mut Value) -> Result<(), ScenarioError> {
        let value = self.value();
        let mut target = scenario;
        for part in &self.path {
            target = match target {
                // A part that is not there is made: the scenario's own check finds names that do not exist.
                Value::Object(map) => map.entry(part.as_str()).or_insert_with(|| Value::Object(Default::default())),
                Value::Array(list) => {
                    let position = part.parse().ok().filter(|position| *position < list.len());
                    let named = || list.iter().position(|element| element["name"] == part.as_str());
                    match position.or_else(named) {
                        Some(position) => &mut list[position],
                        None => {
                            return Err(self.error(format!("the list has no element {part:?}{}", contents(list, part))));
                        }
                    }
                }
                _ => return Err(self.error(format!("there is nothing below a plain value: {part:?}"))),
            };
        }
        *target = value;
        Ok(())
    }

    pub(super) fn error(&self, problem: String) -> ScenarioError {
        ScenarioError::Override { assignment: self.assignment.clone(), problem }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(assignment: &str) -> Result<Value, String> {
        let mut scenario = json!({
            "seed": 1,
            "images": [],
            "functions": [{"name": "f", "body": [{"sleep": 1}, {"sleep": 2}]}, {"name": "g", "ram_limit": 1}, {"name": "resize"}],
        });
        let applied = assignment.parse::<Override>().and_then(|assignment| assignment.apply(&mut scenario));
        applied.map(|()| scenario).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_set_by_position_and_by_name_and_made_where_they_are_missing() {
        assert_eq!(set("seed=7").unwrap()["seed"], 7);
        assert_eq!(set("functions[1].ram_limit=2GB").unwrap()["functions"][1]["ram_limit"], "2GB");
        assert_eq!(set("functions[f].body=[{\"sleep\": 7}]").unwrap()["functions"][0]["body"], json!([{"sleep": 7}]));
        assert_eq!(set("service.head=h").unwrap()["service"]["head"], "h");
    }

    #[test]
    fn names_in_brackets_may_hold_dots_and_equals_signs() {
        let mut scenario = json!({"functions": [{"name": "a.b=c", "time_limit": 1}]});
        "functions[a.b=c].time_limit=x=y".parse::<Override>().unwrap().apply(&mut scenario).unwrap();
        assert_eq!(scenario["functions"][0]["time_limit"], "x=y");
    }

    #[test]
    fn what_names_nothing_is_refused() {
        let rows = [
            ("seed", "expected path=value"),
            ("seed.x=1", "there is nothing below a plain value: \"x\""),
            ("functions[h].x=1", "the list has no element \"h\": there are f, g, resize"),
            (
                "functions[resise].x=1",
                "the list has no element \"resise\": there are f, g, resize: did you mean \"resize\"?",
            ),
            ("functions[3].x=1", "the list has no element \"3\": there are f, g, resize"),
            ("functions[f].body[2].sleep=1", "the list has no element \"2\": they are numbered from 0 to 1"),
            ("images[0].size=1", "the list has no element \"0\": it is empty"),
            ("a..b=1", "the path has an empty part: expected a path such as functions[0].time_limit"),
            ("functions[].x=1", "the path has an empty part: expected a path such as functions[0].time_limit"),
            ("=1", "the path has an empty part: expected a path such as functions[0].time_limit"),
            ("functions[0.x=1", "the path has a \"[\" without its \"]\""),
            ("functions]0.x=1", "the path has a \"]\" without its \"[\""),
            ("functions[0]x=1", "the path has no \".\" after a \"]\": expected a path such as functions[0].time_limit"),
        ];
        for (assignment, problem) in rows {
            assert_eq!(set(assignment).unwrap_err(), format!("--set {assignment:?}: {problem}"));
        }
    }
}
