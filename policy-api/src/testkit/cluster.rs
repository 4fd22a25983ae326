//! Clusters and queues made by hand, for unit tests of a rule.

use crate::containers::ContainersOf;
use crate::{BatchView, ClusterView, ContainerView, FunctionView, NONE, NodeBits, NodeView, RequestView};

/// A cluster as one request sees it; change its parts at will.
#[derive(Debug)]
pub struct TestCluster {
    /// The nodes.
    pub nodes: Vec<NodeView>,
    /// Nodes with a free core.
    pub free_core: NodeBits,
    /// Nodes with an idle container of the function.
    pub idle_container: NodeBits,
    /// Nodes with the image in RAM.
    pub image_in_ram: NodeBits,
    /// Nodes that load the image.
    pub image_loading: NodeBits,
    /// Nodes with the image on disk.
    pub image_on_disk: NodeBits,
    /// Nodes that the image is being copied to.
    pub image_copying: NodeBits,
    /// The containers of each node; those of nodes that are not there are none.
    pub containers: Vec<Vec<ContainerView>>,
    up: NodeBits,
}

/// A node with plenty of everything and eight free cores.
pub fn idle_node() -> NodeView {
    let plenty = 1 << 40;
    NodeView {
        cores: 8,
        free_cores: 8,
        speed: 1e9,
        ram: plenty,
        free_ram: plenty,
        disk: plenty,
        free_disk: plenty,
        ..NodeView::default()
    }
}

impl TestCluster {
    /// A cluster of idle nodes without any image.
    pub fn new(nodes: usize) -> Self {
        let none = || NodeBits::new(nodes);
        Self {
            nodes: vec![idle_node(); nodes],
            free_core: NodeBits::full(nodes),
            idle_container: none(),
            image_in_ram: none(),
            image_loading: none(),
            image_on_disk: none(),
            image_copying: none(),
            containers: Vec::new(),
            up: NodeBits::full(nodes),
        }
    }

    /// Takes all cores of a node.
    pub fn take_cores(&mut self, node: u32) {
        self.nodes[node as usize].free_cores = 0;
        self.free_core.remove(node);
    }

    /// The cluster as a policy sees it.
    pub fn view(&self) -> ClusterView<'_> {
        ClusterView {
            now: 0,
            waiting: 1,
            nodes: self.nodes.as_slice().into(),
            up: self.up.view(),
            free_core: self.free_core.view(),
            idle_container: self.idle_container.view(),
            image_in_ram: self.image_in_ram.view(),
            image_loading: self.image_loading.view(),
            image_on_disk: self.image_on_disk.view(),
            image_copying: self.image_copying.view(),
            containers: ContainersOf::new(&self.containers),
            ..ClusterView::default()
        }
    }
}

/// A function in a [`TestBatch`].
#[derive(Debug)]
pub struct TestFunction {
    /// The number of its image.
    pub image: u32,
    /// RAM of a container.
    pub ram_limit: u64,
    /// Idle containers by node.
    pub idle_containers: Vec<u32>,
    nowhere: NodeBits,
}

/// A cluster and queue as a policy for whole batches sees them.
#[derive(Debug)]
pub struct TestBatch {
    /// The nodes.
    pub nodes: Vec<NodeView>,
    /// Nodes that are up.
    pub up: NodeBits,
    queue: Vec<RequestView>,
    functions: Vec<TestFunction>,
}

impl TestBatch {
    /// A cluster of idle nodes and an empty queue.
    pub fn new(nodes: usize) -> Self {
        Self { nodes: vec![idle_node(); nodes], up: NodeBits::full(nodes), queue: Vec::new(), functions: Vec::new() }
    }

    /// Adds a request of a function at the end of the queue. Functions are numbered from 0.
    pub fn add_request(&mut self, function: u32) {
        let nodes = self.nodes.len();
        while self.functions.len() <= function as usize {
            let (idle_containers, nowhere) = (vec![0; nodes], NodeBits::new(nodes));
            self.functions.push(TestFunction { image: NONE, ram_limit: 0, idle_containers, nowhere });
        }
        let invocation = self.queue.len() as u64;
        self.queue.push(RequestView { invocation, function, ..RequestView::default() });
    }

    /// A function, to change.
    pub fn function(&mut self, function: u32) -> &mut TestFunction {
        &mut self.functions[function as usize]
    }

    /// Shows the batch to a policy.
    pub fn show<T>(&self, look: impl FnOnce(&BatchView<'_>) -> T) -> T {
        let views = self.functions.iter().enumerate().map(|(number, function)| FunctionView {
            function: number as u32,
            image: function.image,
            time_limit: 0,
            ram_limit: function.ram_limit,
            disk_limit: 0,
            idle_containers: function.idle_containers.as_slice().into(),
            image_in_ram: function.nowhere.view(),
            image_loading: function.nowhere.view(),
            image_on_disk: function.nowhere.view(),
            image_copying: function.nowhere.view(),
            ..FunctionView::default()
        });
        let functions: Vec<FunctionView<'_>> = views.collect();
        look(&BatchView {
            now: 0,
            nodes: self.nodes.as_slice().into(),
            up: self.up.view(),
            queue: self.queue.as_slice().into(),
            functions: functions.as_slice().into(),
            ..BatchView::default()
        })
    }
}
