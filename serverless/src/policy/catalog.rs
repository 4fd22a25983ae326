//! Finds policies by kind and name, built in or compiled, and checks their parameters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hearth_policy_api::boundary::loader::{LoadError, PolicyLibrary};
use hearth_policy_api::boundary::{
    AdmissionObject, AutoscalingObject, EvictionObject, KeepAliveObject, NodeAllocationObject, Object, Role,
};
use hearth_policy_api::{ParameterError, Parameters, PolicyDescriptor, PolicyKind};
use serde_json::Value;

use super::given::set_parameter;
use super::library::{BrokenLibrary, Libraries};
use super::own::{self, OwnPolicies};
use super::{Controller, Factory, PolicyRecord};

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
    /// A library cannot be used.
    #[error("{} {cause}", path.display())]
    Library {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: LoadError,
    },
    /// A library does not have the policy that was asked for.
    #[error("{} has no {kind} policy{name}: it has {known}", path.display())]
    NotInLibrary {
        /// The file.
        path: PathBuf,
        /// The kind that was asked for.
        kind: PolicyKind,
        /// The name that was asked for, as a message goes on.
        name: String,
        /// What it has, in words.
        known: String,
    },
    /// A library has several policies of that kind, and none was named.
    #[error("{} has several {kind} policies: name one of {known}", path.display())]
    SeveralInLibrary {
        /// The file.
        path: PathBuf,
        /// The kind that was asked for.
        kind: PolicyKind,
        /// Their names, in words.
        known: String,
    },
    /// There is no controller of that name, or in that library; or there are several, and none was named.
    #[error("no controller{name}: there are {known}. A controller is a policy of several kinds with one state")]
    NoController {
        /// The name that was asked for, as a message goes on.
        name: String,
        /// Those that exist, in words.
        known: String,
    },
    /// A parameter is unknown or its value unsuitable.
    #[error("{kind} policy {name}: {cause}")]
    Parameter {
        /// The policy's kind.
        kind: PolicyKind,
        /// The policy's name, and its library.
        name: String,
        /// What is wrong.
        cause: ParameterError,
    },
}

/// Values for parameters, as in a scenario.
pub type ParameterMap = serde_json::Map<String, Value>;

/// Which policy is wanted.
///
/// ```
/// use hearth_serverless::policy::PolicyChoice;
/// let by_name = PolicyChoice::named("first-fit");
/// assert_eq!(by_name.library, None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PolicyChoice {
    /// Its name; in a library, the only one of its kind needs no name.
    pub name: Option<String>,
    /// The library it is in; without it, built-in policies and then those in plugin folders are searched.
    pub library: Option<PathBuf>,
    /// Values for its parameters.
    pub parameters: ParameterMap,
}

impl PolicyChoice {
    /// The policy of that name, with its default parameters.
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }
}

impl From<&str> for PolicyChoice {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

/// A policy and the library it is from; none is built in.
#[derive(Clone, Debug)]
pub struct FoundPolicy {
    /// The policy.
    pub descriptor: PolicyDescriptor,
    /// Its library.
    pub library: Option<Rc<PolicyLibrary>>,
}

/// The policies there are. A thread has its own, so runs side by side share no static variable of a library; runs one after the other with
/// one catalog do (see [`Libraries`]).
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    own: OwnPolicies,
    built_in: Vec<PolicyDescriptor>,
    libraries: Libraries,
}

impl Catalog {
    /// A catalog of these policies; of several with one kind and name the first counts. Libraries can still be named
    /// by their path.
    pub fn new(built_in: &[PolicyDescriptor]) -> Self {
        Self { built_in: built_in.to_vec(), ..Self::default() }
    }

    /// With policies of the program itself, which come before others of their names.
    pub fn with_own(mut self, own: OwnPolicies) -> Self {
        self.own = own;
        self
    }

    /// Searches these libraries, too, for policies that are not built in.
    pub fn with_libraries(mut self, libraries: Libraries) -> Self {
        self.libraries = libraries;
        self
    }

    /// Everything there is: built-in policies, then those of libraries in plugin folders.
    pub fn policies(&self) -> Vec<FoundPolicy> {
        let built_in = self.built_in.iter().map(|descriptor| FoundPolicy { descriptor: *descriptor, library: None });
        let loaded = self.libraries.shelf().libraries.iter().flat_map(|library| {
            let found = |descriptor: &PolicyDescriptor| (*descriptor, Some(Rc::clone(library)));
            library.policies.iter().map(found).map(|(descriptor, library)| FoundPolicy { descriptor, library })
        });
        built_in.chain(loaded).collect()
    }

    /// Libraries in plugin folders that cannot be used.
    pub fn broken_libraries(&self) -> &[BrokenLibrary] {
        &self.libraries.shelf().broken
    }

    /// Where other processes find copies of the libraries that have been opened, by path, as long as this process lives
    /// ([`Libraries::with_copies`]).
    pub fn copies(&self) -> BTreeMap<PathBuf, PathBuf> {
        self.libraries.copies()
    }

    /// The library in a plugin folder whose policy of this kind and name is not found, since one of that name is built in. That is told from
    /// files, none of which is opened for it; on Linux alone.
    pub fn hidden_library(&self, kind: PolicyKind, name: &str) -> Option<&Path> {
        self.is_built_in(kind, name).then(|| self.libraries.file_with(kind, name)).flatten()
    }

    /// Whether a policy of this kind and name is built in, or one of the program itself.
    pub fn is_built_in(&self, kind: PolicyKind, name: &str) -> bool {
        self.own.names(kind).contains(&name)
            || self.built_in.iter().any(|descriptor| descriptor.is(kind) && descriptor.name() == name)
    }

    /// Whether a policy of this kind and name is one of the program itself.
    pub(super) fn is_own(&self, kind: PolicyKind, choice: &PolicyChoice) -> bool {
        choice.library.is_none() && choice.name.as_deref().is_some_and(|name| self.own.names(kind).contains(&name))
    }

    /// Whether a controller of this name is built in.
    pub fn has_controller(&self, name: &str) -> bool {
        self.built_in.iter().any(|descriptor| descriptor.kinds().count() > 1 && descriptor.name() == name)
    }

    pub(super) fn find(&self, kind: PolicyKind, choice: &PolicyChoice) -> Result<FoundPolicy, SelectionError> {
        match (&choice.library, &choice.name) {
            (Some(path), name) => self.find_in_library(kind, path, name.as_deref()),
            (None, name) => self.find_by_name(kind, name.as_deref().unwrap_or_default()),
        }
    }

    fn find_by_name(&self, kind: PolicyKind, name: &str) -> Result<FoundPolicy, SelectionError> {
        let is_it = |descriptor: &&PolicyDescriptor| descriptor.is(kind) && descriptor.name() == name;
        if let Some(descriptor) = self.built_in.iter().find(is_it) {
            return Ok(FoundPolicy { descriptor: *descriptor, library: None });
        }
        let policies = self.policies();
        policies.iter().find(|found| is_it(&&found.descriptor)).cloned().ok_or_else(|| {
            let of_kind = policies.iter().filter(|found| found.descriptor.is(kind));
            let own = self.own.names(kind).into_iter();
            let mut known = names(of_kind.map(|found| found.descriptor.name()).chain(own));
            if let Some(broken) = self.broken_libraries().first() {
                known += &format!("; {} {}", broken.path.display(), broken.problem);
            }
            SelectionError::Unknown { kind, name: name.to_owned(), known }
        })
    }

    fn find_in_library(
        &self,
        kind: PolicyKind,
        path: &Path,
        name: Option<&str>,
    ) -> Result<FoundPolicy, SelectionError> {
        let opened = self.libraries.open(path);
        let library = opened.map_err(|cause| SelectionError::Library { path: path.to_owned(), cause })?;
        let of_kind = || library.policies.iter().filter(|descriptor| descriptor.is(kind));
        let mut matching = of_kind().filter(|descriptor| name.is_none_or(|name| descriptor.name() == name));
        let path = path.to_owned();
        match (matching.next(), matching.next(), name) {
            (Some(_), Some(_), None) => {
                let known = names(of_kind().map(PolicyDescriptor::name));
                Err(SelectionError::SeveralInLibrary { path, kind, known })
            }
            (Some(descriptor), ..) => Ok(FoundPolicy { descriptor: *descriptor, library: Some(Rc::clone(&library)) }),
            (None, ..) => {
                let name = name.map_or(String::new(), |name| format!(" {name:?}"));
                let all = library.policies.iter().map(|policy| format!("{} ({})", policy.name(), policy.kind()));
                let known = all.collect::<Vec<_>>().join(", ");
                Err(SelectionError::NotInLibrary { path, kind, name, known })
            }
        }
    }

    fn select(
        &self,
        kind: PolicyKind,
        choice: &PolicyChoice,
    ) -> Result<(PolicyDescriptor, Parameters, PolicyRecord), SelectionError> {
        configure(self.find(kind, choice)?, kind, choice)
    }

    /// The controller of that name, or in that library.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn controller(&self, choice: impl Into<PolicyChoice>) -> Result<Controller, SelectionError> {
        let choice = choice.into();
        let is_here = choice.name.as_ref().is_some_and(|name| self.has_controller(name));
        let all = match &choice.library {
            None if is_here => {
                let found = |descriptor: &PolicyDescriptor| FoundPolicy { descriptor: *descriptor, library: None };
                self.built_in.iter().map(found).collect()
            }
            None => self.policies(),
            Some(path) => {
                let opened = self.libraries.open(path);
                let library = opened.map_err(|cause| SelectionError::Library { path: path.clone(), cause })?;
                let found = |descriptor: &PolicyDescriptor| FoundPolicy {
                    descriptor: *descriptor,
                    library: Some(Rc::clone(&library)),
                };
                library.policies.iter().map(found).collect()
            }
        };
        let controllers: Vec<FoundPolicy> =
            all.into_iter().filter(|found| found.descriptor.kinds().count() > 1).collect();
        let is_it = |found: &&FoundPolicy| choice.name.as_ref().is_none_or(|name| found.descriptor.name() == name);
        let mut matching = controllers.iter().filter(is_it);
        let (Some(found), None) = (matching.next(), matching.next().filter(|_| choice.name.is_none())) else {
            let name = choice.name.as_ref().map_or(String::new(), |name| format!(" {name:?}"));
            let known = names(controllers.iter().map(|found| found.descriptor.name()));
            return Err(SelectionError::NoController { name, known });
        };
        let (descriptor, parameters, record) = configure(found.clone(), found.descriptor.kind(), &choice)?;
        Ok(Controller::new(descriptor, parameters, record))
    }

    fn factory<T: Role>(
        &self,
        kind: PolicyKind,
        own: &[Factory<Object<T>>],
        choice: &PolicyChoice,
    ) -> Result<Factory<Object<T>>, SelectionError> {
        if let Some(own) = own::chosen(own, choice) {
            return match choice.parameters.keys().next() {
                None => Ok(own),
                Some(parameter) => {
                    let cause = ParameterError::Unknown { name: parameter.clone(), known: "none".to_owned() };
                    Err(SelectionError::Parameter { kind, name: own.record.to_string(), cause })
                }
            };
        }
        let (descriptor, parameters, record) = self.select(kind, choice)?;
        Ok(Factory::new(record, move |seat| descriptor.make(&parameters, seat)))
    }

    /// The node allocation policy of that name, or in that library.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn node_allocation(
        &self,
        choice: impl Into<PolicyChoice>,
    ) -> Result<Factory<NodeAllocationObject>, SelectionError> {
        self.factory(PolicyKind::NodeAllocation, &self.own.node_allocation, &choice.into())
    }

    /// The eviction policy of that name, or in that library.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn eviction(&self, choice: impl Into<PolicyChoice>) -> Result<Factory<EvictionObject>, SelectionError> {
        self.factory(PolicyKind::Eviction, &self.own.eviction, &choice.into())
    }

    /// The admission policy of that name, or in that library.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn admission(&self, choice: impl Into<PolicyChoice>) -> Result<Factory<AdmissionObject>, SelectionError> {
        self.factory(PolicyKind::Admission, &self.own.admission, &choice.into())
    }

    /// The keep-alive policy of that name, or in that library.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn keep_alive(&self, choice: impl Into<PolicyChoice>) -> Result<Factory<KeepAliveObject>, SelectionError> {
        self.factory(PolicyKind::KeepAlive, &self.own.keep_alive, &choice.into())
    }

    /// The autoscaling policy of that name, or in that library.
    ///
    /// # Errors
    /// When there is none, or a parameter does not suit it.
    pub fn autoscaling(&self, choice: impl Into<PolicyChoice>) -> Result<Factory<AutoscalingObject>, SelectionError> {
        self.factory(PolicyKind::Autoscaling, &self.own.autoscaling, &choice.into())
    }
}

/// A policy with its parameters set as chosen, and what it is called.
fn configure(
    found: FoundPolicy,
    kind: PolicyKind,
    choice: &PolicyChoice,
) -> Result<(PolicyDescriptor, Parameters, PolicyRecord), SelectionError> {
    let FoundPolicy { descriptor, library } = found;
    let mut record = PolicyRecord {
        name: descriptor.name().to_string(),
        version: descriptor.version().to_string(),
        library: library.as_ref().map(|library| library.path.clone()),
        library_sha256: library.as_ref().map(|library| library.sha256.clone()),
        parameters: BTreeMap::new(),
    };
    let mut parameters = Parameters::defaults(&descriptor.parameters());
    for (parameter, value) in &choice.parameters {
        set_parameter(&mut parameters, parameter, value).map_err(|cause| SelectionError::Parameter {
            kind,
            name: record.to_string(),
            cause,
        })?;
    }
    let value_of = |name: &String| Some((name.clone(), parameters.get(name)?.to_string()));
    record.parameters = parameters.specs().iter().filter_map(|spec| value_of(&spec.name)).collect();
    Ok((descriptor, parameters, record))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
