//! Values of a scenario that are set from outside: `path=value`.

use serde_json::Value;

use super::ScenarioError;

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

impl std::str::FromStr for Override {
    type Err = ScenarioError;

    fn from_str(assignment: &str) -> Result<Self, ScenarioError> {
        let error =
            |problem: &str| ScenarioError::Override { assignment: assignment.to_owned(), problem: problem.to_owned() };
        let (path, value) = assignment.split_once('=').ok_or_else(|| error("expected path=value"))?;
        let path: Vec<String> = path.split(['.', '[']).map(|part| part.trim_end_matches(']').to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(error("the path has an empty part: expected a path such as functions[0].time_limit"));
        }
        Ok(Self { assignment: assignment.to_owned(), path, value: value.to_owned() })
    }
}

impl Override {
    pub(super) fn apply(&self, scenario: &mut Value) -> Result<(), ScenarioError> {
        let value = serde_json::from_str(&self.value).unwrap_or_else(|_| Value::String(self.value.clone()));
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
                        None => return Err(self.error(format!("the list has no element {part:?}"))),
                    }
                }
                _ => return Err(self.error(format!("there is nothing below a plain value: {part:?}"))),
            };
        }
        *target = value;
        Ok(())
    }

    fn error(&self, problem: String) -> ScenarioError {
        ScenarioError::Override { assignment: self.assignment.clone(), problem }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(assignment: &str) -> Result<Value, String> {
        let mut scenario = json!({"seed": 1, "functions": [{"name": "f"}, {"name": "g", "ram_limit": 1}]});
        let applied = assignment.parse::<Override>().and_then(|assignment| assignment.apply(&mut scenario));
        applied.map(|()| scenario).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_set_by_position_and_by_name_and_made_where_they_are_missing() {
        assert_eq!(set("seed=7").unwrap()["seed"], 7);
        assert_eq!(set("functions[1].ram_limit=2GB").unwrap()["functions"][1]["ram_limit"], "2GB");
        assert_eq!(set("functions[f].body=[{\"sleep\": 1}]").unwrap()["functions"][0]["body"][0]["sleep"], 1);
        assert_eq!(set("service.head=h").unwrap()["service"]["head"], "h");
    }

    #[test]
    fn what_names_nothing_is_refused() {
        assert_eq!(set("seed").unwrap_err(), "--set \"seed\": expected path=value");
        assert_eq!(set("functions[h].x=1").unwrap_err(), "--set \"functions[h].x=1\": the list has no element \"h\"");
        assert_eq!(set("seed.x=1").unwrap_err(), "--set \"seed.x=1\": there is nothing below a plain value: \"x\"");
        assert!(set("a..b=1").unwrap_err().contains("empty part"));
    }
}
