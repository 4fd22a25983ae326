//! Finds policies by kind and name, and checks their parameters.

use std::collections::BTreeMap;

use hearth_policy_api::{
    Admission, Constructor, Eviction, KeepAlive, NodeAllocation, ParameterError, ParameterKind, ParameterValue,
    Parameters, PolicyDescriptor, PolicyKind,
};
use hearth_simcore::time::SimDuration;
use hearth_simcore::units::{self, Dimension};
use serde_json::Value;

use super::{Factory, PolicyRecord};

/// Why a policy cannot be used as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SelectionError {
    /// There is no policy of that kind and name.
    #[error("unknown {kind} policy {name:?}: there are {known}")]
    Unknown {
        /// The kind that was asked for.
        kind: PolicyKind,
        /// The name that was asked for.
        name: String,
        /// The names that exist, in words.
        known: String,
    },
    /// A parameter is unknown or its value unsuitable.
    #[error("{kind} policy {name:?}: {cause}")]
    Parameter {
        /// The policy's kind.
        kind: PolicyKind,
        /// The policy's name.
        name: String,
        /// What is wrong.
        cause: ParameterError,
    },
}

/// Values for parameters, as in a scenario.
pub type ParameterMap = serde_json::Map<String, Value>;

/// The policies there are.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    descriptors: Vec<&'static PolicyDescriptor>,
}

impl Catalog {
    /// A catalog of these policies; of several with one kind and name the first counts.
    pub fn new(descriptors: &[&'static PolicyDescriptor]) -> Self {
        Self { descriptors: descriptors.to_vec() }
    }

    /// All policies, in the order given.
    pub fn descriptors(&self) -> &[&'static PolicyDescriptor] {
        &self.descriptors
    }

    fn find(&self, kind: PolicyKind, name: &str) -> Result<&'static PolicyDescriptor, SelectionError> {
        let mut of_kind = self.descriptors.iter().filter(|descriptor| descriptor.kind() == kind);
        of_kind.clone().find(|descriptor| descriptor.name == name).copied().ok_or_else(|| {
            let names: Vec<&str> = of_kind.by_ref().map(|descriptor| descriptor.name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            SelectionError::Unknown { kind, name: name.to_owned(), known }
        })
    }

    fn select(
        &self,
        kind: PolicyKind,
        name: &str,
        given: &ParameterMap,
    ) -> Result<(Constructor, Parameters, PolicyRecord), SelectionError> {
        let descriptor = self.find(kind, name)?;
        let mut parameters = Parameters::defaults(descriptor.parameters);
        for (parameter, value) in given {
            set_parameter(&mut parameters, parameter, value).map_err(|cause| SelectionError::Parameter {
                kind,
                name: name.to_owned(),
                cause,
            })?;
        }
        let words = descriptor
            .parameters
            .iter()
            .filter_map(|spec| parameters.get(spec.name).map(|value| (spec.name.to_owned(), value.to_string())));
        let record = PolicyRecord {
            name: descriptor.name.to_owned(),
            version: descriptor.version.to_owned(),
            library_sha256: None,
            parameters: words.collect::<BTreeMap<_, _>>(),
        };
        Ok((descriptor.constructor, parameters, record))
    }

    /// The node allocation policy of that name.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn node_allocation(
        &self,
        name: &str,
        parameters: &ParameterMap,
    ) -> Result<Factory<dyn NodeAllocation>, SelectionError> {
        let kind = PolicyKind::NodeAllocation;
        match self.select(kind, name, parameters)? {
            (Constructor::NodeAllocation(make), parameters, record) => {
                Ok(Factory::new(record, move |context| make(&parameters, context)))
            }
            _ => Err(self.not_of_kind(kind, name)),
        }
    }

    /// The eviction policy of that name.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn eviction(&self, name: &str, parameters: &ParameterMap) -> Result<Factory<dyn Eviction>, SelectionError> {
        let kind = PolicyKind::Eviction;
        match self.select(kind, name, parameters)? {
            (Constructor::Eviction(make), parameters, record) => {
                Ok(Factory::new(record, move |context| make(&parameters, context)))
            }
            _ => Err(self.not_of_kind(kind, name)),
        }
    }

    /// The admission policy of that name.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn admission(&self, name: &str, parameters: &ParameterMap) -> Result<Factory<dyn Admission>, SelectionError> {
        let kind = PolicyKind::Admission;
        match self.select(kind, name, parameters)? {
            (Constructor::Admission(make), parameters, record) => {
                Ok(Factory::new(record, move |context| make(&parameters, context)))
            }
            _ => Err(self.not_of_kind(kind, name)),
        }
    }

    /// The keep-alive policy of that name.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn keep_alive(&self, name: &str, parameters: &ParameterMap) -> Result<Factory<dyn KeepAlive>, SelectionError> {
        let kind = PolicyKind::KeepAlive;
        match self.select(kind, name, parameters)? {
            (Constructor::KeepAlive(make), parameters, record) => {
                Ok(Factory::new(record, move |context| make(&parameters, context)))
            }
            _ => Err(self.not_of_kind(kind, name)),
        }
    }

    fn not_of_kind(&self, kind: PolicyKind, name: &str) -> SelectionError {
        SelectionError::Unknown { kind, name: name.to_owned(), known: "none".to_owned() }
    }
}

fn set_parameter(parameters: &mut Parameters, name: &str, value: &Value) -> Result<(), ParameterError> {
    let kind = parameters.spec(name)?.kind;
    let value = read_value(kind, value).ok_or_else(|| ParameterError::Unsuitable {
        name: name.to_owned(),
        found: value.to_string(),
        expected: kind.to_string(),
    })?;
    parameters.set(name, value)
}

fn read_value(kind: ParameterKind, value: &Value) -> Option<ParameterValue> {
    match kind {
        ParameterKind::Duration => {
            let seconds = match value {
                Value::String(text) => units::parse(text, Dimension::Time).ok()?,
                number => number.as_f64().filter(|seconds| *seconds >= 0.0)?,
            };
            Some(ParameterValue::Duration(SimDuration::from_secs_f64(seconds).as_nanos()))
        }
        ParameterKind::Integer { .. } => value.as_u64().map(ParameterValue::Integer),
        ParameterKind::Number { .. } => value.as_f64().map(ParameterValue::Number),
        ParameterKind::Choice(words) => {
            let given = value.as_str()?;
            words.iter().find(|word| **word == given).map(|word| ParameterValue::Choice(word))
        }
    }
}
