//! The cluster as policies in Python see it: arrays over the memory of the simulator, and sets of nodes. All of it is there during
//! one call alone.

// Views are addresses that are taken back when the call is over; each block says what is relied on.
#![allow(unsafe_code)]

use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_policy_api::{ClusterView, NodeBits, NodeSet, NodeView};
use pyo3::exceptions::{PyImportError, PyIndexError, PyReferenceError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::records::{Container, History, Node, seconds};

/// What is said to who uses a view when its call is over.
fn over() -> PyErr {
    PyReferenceError::new_err(
        "this view of the cluster was there during one call of the policy alone: keep what you need of it, and not the view",
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often an object is referred to.
pub fn references(object: &Py<PyAny>) -> isize {
    // SAFETY: the object is there, and the caller is attached to the interpreter.
    let count = unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) };
    // Later interpreters keep other things in the upper half.
    count & 0xffff_ffff
}

/// A column of the nodes: its name, where it lies in a record, and its type as NumPy writes it.
struct NodeColumn {
    offset: usize,
    typestr: &'static str,
}

macro_rules! node_columns {
    ($($name:ident: $typestr:literal = $index:literal),+; $($more:item)*) => {
        const NODE_COLUMNS: &[NodeColumn] = &[$(NodeColumn { offset: offset_of!(NodeView, $name), typestr: $typestr }),+];

        #[pymethods]
        impl Cluster {
            $(
                #[getter]
                fn $name(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
                    self.column(py, $index)
                }
            )+

            $($more)*
        }
    };
}

/// What NumPy makes an array of: a field of all records of nodes.
#[pyclass(frozen, module = "hearth._hearth")]
struct ColumnMemory {
    address: usize,
    nodes: usize,
    typestr: &'static str,
}

#[pymethods]
impl ColumnMemory {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("version", 3)?;
        dict.set_item("shape", (self.nodes,))?;
        dict.set_item("strides", (size_of::<NodeView>(),))?;
        dict.set_item("typestr", self.typestr)?;
        dict.set_item("data", (self.address, true))?;
        Ok(dict)
    }
}

/// An array that is made once, and how often it is referred to when nobody keeps it.
struct Array {
    object: Py<PyAny>,
    references: isize,
    /// It was handed out in this call.
    is_out: bool,
}

/// The arrays over the records that lie there.
#[derive(Default)]
struct Arrays {
    address: usize,
    nodes: usize,
    by_column: Vec<Option<Array>>,
}

/// The view of a cluster, during a call; null otherwise.
#[derive(Default)]
struct Lent(AtomicPtr<ClusterView<'static>>);

impl Lent {
    fn get(&self) -> PyResult<&ClusterView<'static>> {
        // SAFETY: the address is that of a view during its call, in which whoever is here is: a call holds the interpreter, and
        // lets go of it only inside of the policy.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }.ok_or_else(over)
    }
}

/// The sets of nodes of a cluster.
#[derive(Clone, Copy)]
enum Of {
    Up,
    FreeCore,
    IdleContainer,
    ImageInRam,
    ImageLoading,
    ImageOnDisk,
    ImageCopying,
}

/// The cluster at one decision.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct Cluster {
    /// The view, during a call.
    view: Arc<Lent>,
    arrays: Mutex<Arrays>,
    /// Arrays are copies, since the memory does not stay.
    is_copied: bool,
    /// Nodes that are up.
    #[pyo3(get)]
    up: Py<Nodes>,
    /// Nodes that are up and have a free core.
    #[pyo3(get)]
    free_core: Py<Nodes>,
    /// Nodes with an idle container of the request's function.
    #[pyo3(get)]
    idle_container: Py<Nodes>,
    /// Nodes with the request's image in RAM.
    #[pyo3(get)]
    image_in_ram: Py<Nodes>,
    /// Nodes that load the request's image into RAM.
    #[pyo3(get)]
    image_loading: Py<Nodes>,
    /// Nodes with the request's image on disk.
    #[pyo3(get)]
    image_on_disk: Py<Nodes>,
    /// Nodes that the request's image is being copied to.
    #[pyo3(get)]
    image_copying: Py<Nodes>,
    /// Whether arrays were handed out in this call.
    has_arrays_out: AtomicBool,
}

/// What somebody keeps of a view whose call is over.
#[derive(Default)]
pub struct Kept {
    /// The name of an array: a mistake that ends the run.
    pub array: Option<&'static str>,
    /// Whether it is a set, which raises when it is used.
    pub is_set: bool,
}

/// By column: its name.
const NAMES: [&str; 14] = [
    "cores",
    "free_cores",
    "running",
    "idle_containers",
    "queued",
    "speed",
    "ram",
    "free_ram",
    "idle_ram",
    "unused_image_ram",
    "disk",
    "free_disk",
    "idle_disk",
    "unused_image_disk",
];

impl Cluster {
    /// Of a simulation, whose memory stays; or of a check, where arrays are copies.
    pub fn new(py: Python<'_>, is_copied: bool) -> PyResult<Self> {
        let view = Arc::<Lent>::default();
        let set = |of| Py::new(py, Nodes(Set::Lent(Arc::clone(&view), of)));
        Ok(Self {
            up: set(Of::Up)?,
            free_core: set(Of::FreeCore)?,
            idle_container: set(Of::IdleContainer)?,
            image_in_ram: set(Of::ImageInRam)?,
            image_loading: set(Of::ImageLoading)?,
            image_on_disk: set(Of::ImageOnDisk)?,
            image_copying: set(Of::ImageCopying)?,
            is_copied,
            view,
            arrays: Mutex::default(),
            has_arrays_out: AtomicBool::new(false),
        })
    }

    /// Shows this view, until [`Cluster::close`].
    pub fn open(&self, view: &ClusterView<'_>) {
        self.view.0.store(std::ptr::from_ref(view).cast_mut().cast(), Ordering::Relaxed);
    }

    /// Takes the view back, and says what somebody keeps of it.
    pub fn close(&self) -> Kept {
        self.view.0.store(std::ptr::null_mut(), Ordering::Relaxed);
        let Self { up, free_core, idle_container, image_in_ram, image_loading, image_on_disk, image_copying, .. } =
            self;
        let sets = [up, free_core, idle_container, image_in_ram, image_loading, image_on_disk, image_copying];
        let is_set = sets.into_iter().any(|set| references(set.as_any()) > 1);
        let is_out = self.has_arrays_out.load(Ordering::Relaxed);
        Kept { is_set, array: if is_out { self.kept_array() } else { None } }
    }

    /// The array that somebody keeps, if somebody does.
    fn kept_array(&self) -> Option<&'static str> {
        self.has_arrays_out.store(false, Ordering::Relaxed);
        let mut arrays = lock(&self.arrays);
        if self.is_copied {
            arrays.address = 0;
        }
        let mut kept = None;
        for (column, array) in arrays.by_column.iter_mut().enumerate() {
            let Some(array) = array.as_mut().filter(|array| array.is_out) else { continue };
            array.is_out = false;
            if references(&array.object) > array.references {
                kept = kept.or(NAMES.get(column).copied());
            }
        }
        kept
    }

    fn view(&self) -> PyResult<&ClusterView<'static>> {
        self.view.get()
    }

    fn column(&self, py: Python<'_>, column: usize) -> PyResult<Py<PyAny>> {
        let nodes = &self.view()?.nodes;
        // Records of a later version are longer than ours; those of this program are as long.
        let (address, count) = (nodes.iter().next().map_or(0, |first| std::ptr::from_ref(first) as usize), nodes.len());
        if let Some(array) = self.ready_array(py, column, (address, count)) {
            return Ok(array);
        }
        let Some(NodeColumn { offset, typestr }) = NODE_COLUMNS.get(column) else { return Err(over()) };
        let memory = Bound::new(py, ColumnMemory { address: address + offset, nodes: count, typestr })?;
        let mut object = asarray(py)?.call1(py, (memory,))?;
        if self.is_copied {
            object = object.call_method0(py, "copy")?;
            object.call_method1(py, "setflags", (false,))?;
        }
        // Other threads of the policy may have been here meanwhile, and the call be over.
        self.view()?;
        if let Some(array) = self.ready_array(py, column, (address, count)) {
            return Ok(array);
        }
        let array = Array { references: references(&object), object: object.clone_ref(py), is_out: true };
        if let Some(slot) = lock(&self.arrays).by_column.get_mut(column) {
            *slot = Some(array);
        }
        Ok(object)
    }

    /// The array of a column over these records, if it was made before.
    fn ready_array(&self, py: Python<'_>, column: usize, records: (usize, usize)) -> Option<Py<PyAny>> {
        self.has_arrays_out.store(true, Ordering::Relaxed);
        let mut arrays = lock(&self.arrays);
        if (arrays.address, arrays.nodes) != records {
            *arrays = Arrays { address: records.0, nodes: records.1, by_column: Vec::new() };
            arrays.by_column.resize_with(NODE_COLUMNS.len(), || None);
        }
        let array = arrays.by_column.get_mut(column)?.as_mut()?;
        array.is_out = true;
        Some(array.object.clone_ref(py))
    }
}

/// NumPy's `asarray`.
fn asarray(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    ASARRAY.get_or_try_init(py, || {
        let numpy = py.import("numpy").map_err(|_| {
            PyImportError::new_err("arrays of the nodes need NumPy: pip install numpy, or ask cluster.node(number)")
        })?;
        Ok(numpy.getattr("asarray")?.unbind())
    })
}

node_columns! {
    cores: "<u4" = 0, free_cores: "<u4" = 1, running: "<u4" = 2, idle_containers: "<u4" = 3, queued: "<u4" = 4, speed: "<f8" = 5,
    ram: "<u8" = 6, free_ram: "<u8" = 7, idle_ram: "<u8" = 8, unused_image_ram: "<u8" = 9, disk: "<u8" = 10, free_disk: "<u8" = 11,
    idle_disk: "<u8" = 12, unused_image_disk: "<u8" = 13;

    /// The date, in seconds.
    #[getter]
    fn now(&self) -> PyResult<f64> {
        Ok(seconds(self.view()?.now))
    }

    /// How many invocations wait, this one included.
    #[getter]
    fn waiting(&self) -> PyResult<u64> {
        Ok(self.view()?.waiting)
    }

    /// How many nodes there are.
    fn __len__(&self) -> PyResult<usize> {
        Ok(self.view()?.nodes.len())
    }

    /// A node, by its number: a copy, which may be kept.
    fn node(&self, number: usize) -> PyResult<Node> {
        let nodes = &self.view()?.nodes;
        nodes.get(number).map(|node| Node(*node)).ok_or_else(|| {
            PyIndexError::new_err(format!("there is no node {number}: there are {}, from 0 on", nodes.len()))
        })
    }

    /// The containers of a node: copies, which may be kept.
    fn containers_on(&self, number: u32) -> PyResult<Vec<Container>> {
        Ok(self.view()?.containers_on(number).iter().map(|container| Container(*container)).collect())
    }

    /// What has come of a function so far, where the policy `sees_history`: a copy, which may be kept.
    fn history(&self, function: u32) -> PyResult<History> {
        Ok(History(*self.view()?.history(function)))
    }







}

/// A set of nodes.
#[pyclass(frozen, module = "hearth._hearth", name = "NodeSet")]
pub struct Nodes(Set);

enum Set {
    /// One of a view, during its call.
    Lent(Arc<Lent>, Of),
    /// One of its own, which is there for as long as this, of so many nodes.
    Own(NodeBits, usize),
}

impl Nodes {
    /// A set that may be kept.
    pub fn copied(set: &NodeSet<'_>, nodes: usize) -> Self {
        let mut bits = NodeBits::new(nodes);
        set.iter().for_each(|node| bits.insert(node));
        Self(Set::Own(bits, nodes))
    }

    fn set(&self) -> PyResult<NodeSet<'_>> {
        Ok(match &self.0 {
            Set::Own(bits, _) => bits.view(),
            Set::Lent(view, of) => {
                let view = view.get()?;
                match of {
                    Of::Up => view.up,
                    Of::FreeCore => view.free_core,
                    Of::IdleContainer => view.idle_container,
                    Of::ImageInRam => view.image_in_ram,
                    Of::ImageLoading => view.image_loading,
                    Of::ImageOnDisk => view.image_on_disk,
                    Of::ImageCopying => view.image_copying,
                }
            }
        })
    }

    /// How many nodes there are, in the set or not.
    fn nodes(&self) -> PyResult<usize> {
        match &self.0 {
            Set::Own(_, nodes) => Ok(*nodes),
            Set::Lent(view, _) => Ok(view.get()?.nodes.len()),
        }
    }

    fn combined(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> PyResult<Self> {
        let (mine, theirs, nodes) = (self.set()?, other.set()?, self.nodes()?.max(other.nodes()?));
        let mut bits = NodeBits::new(nodes);
        for node in 0..u32::try_from(nodes).unwrap_or(u32::MAX) {
            bits.set(node, keep(mine.contains(node), theirs.contains(node)));
        }
        Ok(Self(Set::Own(bits, nodes)))
    }
}

#[pymethods]
impl Nodes {
    /// The node with the lowest number; None if there is none.
    fn first(&self) -> PyResult<Option<u32>> {
        Ok(self.set()?.first())
    }

    /// The node with the lowest number that is in both sets; None if there is none.
    fn first_also_in(&self, other: &Self) -> PyResult<Option<u32>> {
        Ok(self.set()?.first_also_in(&other.set()?))
    }

    /// The nodes, lowest first.
    fn to_list(&self) -> PyResult<Vec<u32>> {
        Ok(self.set()?.iter().collect())
    }

    /// For each node whether it is in the set, as an array of NumPy: a copy.
    fn mask(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let set = self.set()?;
        let mut flags = vec![false; self.nodes()?];
        set.iter().filter_map(|node| flags.get_mut(node as usize).map(|flag| *flag = true)).for_each(drop);
        let bytes: Vec<u8> = flags.into_iter().map(u8::from).collect();
        let numpy = py.import("numpy")?;
        let array = numpy.call_method1("frombuffer", (pyo3::types::PyBytes::new(py, &bytes), "?"))?;
        Ok(array.unbind())
    }

    fn __contains__(&self, node: u32) -> PyResult<bool> {
        Ok(self.set()?.contains(node))
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.set()?.count())
    }

    fn __bool__(&self) -> PyResult<bool> {
        Ok(!self.set()?.is_empty())
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let list = self.to_list()?.into_pyobject(py)?;
        Ok(list.try_iter()?.into_any().unbind())
    }

    fn __and__(&self, other: &Self) -> PyResult<Self> {
        self.combined(other, |mine, theirs| mine && theirs)
    }

    fn __or__(&self, other: &Self) -> PyResult<Self> {
        self.combined(other, |mine, theirs| mine || theirs)
    }

    fn __sub__(&self, other: &Self) -> PyResult<Self> {
        self.combined(other, |mine, theirs| mine && !theirs)
    }

    fn __repr__(&self) -> String {
        match self.set() {
            Ok(set) => format!("NodeSet({:?})", set.iter().collect::<Vec<_>>()),
            Err(_) => "NodeSet(of a call that is over)".to_owned(),
        }
    }
}
