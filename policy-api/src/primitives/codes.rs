//! The numbers by which policies answer, and by which they say how they want to be asked.

/// A placement: nowhere now; ask again when something has changed.
pub const PLACEMENT_WAIT: u32 = 0;
/// A placement: on a node.
pub const PLACEMENT_NODE: u32 = 1;
/// A placement: never; the invocation ends as rejected.
pub const PLACEMENT_REJECT: u32 = 2;
/// A placement: in the next container of its function that becomes free, on a node or anywhere.
pub const PLACEMENT_BUSY: u32 = 3;
/// A placement: in the queues of nodes, of which the first with a free core takes it.
pub const PLACEMENT_QUEUE: u32 = 4;
/// A placement: on a node, in an idle container that is named.
pub const PLACEMENT_WARM: u32 = 5;
/// A placement: on a node, in a new container.
pub const PLACEMENT_COLD: u32 = 6;

/// The state of a container: it starts for an invocation.
pub const CONTAINER_STARTING: u32 = 0;
/// The state of a container: it starts ahead of a request.
pub const CONTAINER_STARTING_AHEAD: u32 = 1;
/// The state of a container: the body of an invocation has begun in it and the head has not heard of its end, or a decision of this
/// round has taken it.
pub const CONTAINER_BUSY: u32 = 2;
/// The state of a container: nobody has it.
pub const CONTAINER_IDLE: u32 = 3;

/// A decision of a plan: a request goes to a node.
pub const PLAN_RUN: u32 = 0;
/// A decision of a plan: begin to load an image from the disk of a node into its RAM.
pub const PLAN_LOAD: u32 = 1;
/// A decision of a plan: begin to copy an image from the head to the disk of a node.
pub const PLAN_COPY: u32 = 2;
/// A decision of a plan: a request goes to a node, into an idle container that is named.
pub const PLAN_RUN_WARM: u32 = 3;
/// A decision of a plan: a request goes to a node, into a new container.
pub const PLAN_RUN_COLD: u32 = 4;

/// An admission: it is let in.
pub const ADMISSION_ADMIT: u32 = 0;
/// An admission: it is asked about again later.
pub const ADMISSION_DELAY: u32 = 1;
/// An admission: it ends as rejected.
pub const ADMISSION_REJECT: u32 = 2;

/// Rule of node allocation: answers are for their round alone, and every round decides anew for all that has not started.
pub const RULE_PER_ROUND: u32 = 1;
/// Rule of node allocation: tell of changed nodes and links.
pub const RULE_OBSERVES: u32 = 1 << 1;
/// Rule of node allocation and admission: tell of the ends of attempts.
pub const RULE_OBSERVES_ENDS: u32 = 1 << 2;
/// Rule of node allocation: ask for ranks.
pub const RULE_RANKS: u32 = 1 << 3;
/// Rule of node allocation: `place` answers by nothing but the sets of nodes in its view.
pub const RULE_ANSWERS_HOLD: u32 = 1 << 4;
/// Rule of eviction: tell of containers in use; of others: tell of all that becomes of containers.
pub const RULE_OBSERVES_CONTAINERS: u32 = 1 << 5;
/// Rule of eviction: it is enough to tell of idle containers before `choose`.
pub const RULE_HEARS_LATE: u32 = 1 << 6;
/// Rule of admission: everybody is let in, always.
pub const RULE_ADMITS_ALL: u32 = 1 << 7;
/// Rule of keep-alive: tell of arrivals.
pub const RULE_OBSERVES_ARRIVALS: u32 = 1 << 8;
/// Rule of node allocation, admission and keep-alive: show what has come of each function.
pub const RULE_SEES_HISTORY: u32 = 1 << 9;
/// Rule of node allocation: ask which of those who wait are rejected.
pub const RULE_SHEDS: u32 = 1 << 10;
/// Rule of node allocation: it may ask for another attempt beside one.
pub const RULE_HEDGES: u32 = 1 << 11;
/// Rule of node allocation, admission and keep-alive: tell of workflows.
pub const RULE_SEES_WORKFLOWS: u32 = 1 << 12;
/// Rule of node allocation: ask from where images are copied.
pub const RULE_CHOOSES_SOURCES: u32 = 1 << 13;
/// Rule of node allocation: ask also while no node has a free core, since answers are `PLACEMENT_QUEUE`.
pub const RULE_QUEUES: u32 = 1 << 14;
/// Rule of autoscaling: ask also when a request finds no instance with room. Since 2.1.
pub const RULE_ASKED_ON_REQUESTS: u32 = 1 << 15;
/// Rule of autoscaling: it says how many nodes pools have. Since 2.1.
pub const RULE_SCALES_POOLS: u32 = 1 << 16;

/// Not promised: that nobody waits while there is a place.
pub const NOT_WORK_CONSERVING: u32 = 1;
/// Not promised: that only nodes are picked that can make room.
pub const NOT_RESPECTING_CAPACITY: u32 = 1 << 1;
/// Not promised: that everybody is let in, in the end, who finds an idle cluster.
pub const NOT_ADMITTING_WHEN_IDLE: u32 = 1 << 2;

/// Not promised: that ranks keep nobody waiting for ever behind later requests of the same function.
pub const NOT_STARVING_NOBODY: u32 = 1 << 3;

/// Not promised: that memory and threads do not grow with calls and instances.
pub const NOT_BOUNDED_MEMORY: u32 = 1 << 4;

/// Not promised: that a call is quick, and no slower after many calls.
pub const NOT_BOUNDED_TIME: u32 = 1 << 5;

/// Not promised: that dates are dates and lengths of time lengths.
pub const NOT_SENSIBLE_TIMES: u32 = 1 << 6;

/// The kind of a parameter: a time, in ns.
pub const PARAMETER_DURATION: u32 = 0;
/// The kind of a parameter: an amount of bytes.
pub const PARAMETER_BYTES: u32 = 1;
/// The kind of a parameter: a whole number.
pub const PARAMETER_INTEGER: u32 = 2;
/// The kind of a parameter: a number.
pub const PARAMETER_NUMBER: u32 = 3;
/// The kind of a parameter: one of several words.
pub const PARAMETER_CHOICE: u32 = 4;
/// The kind of a parameter: yes or no.
pub const PARAMETER_FLAG: u32 = 5;
/// The kind of a parameter: text, such as the path of a file.
pub const PARAMETER_TEXT: u32 = 6;
/// The kind of a parameter: a list of texts. Lists cross as text, one element a line: a newline ends each, and may be left out after the
/// last. `integer` of a value is how many there are.
pub const PARAMETER_TEXTS: u32 = 7;
/// The kind of a parameter: a list of numbers, in decimal, each within the range.
pub const PARAMETER_NUMBERS: u32 = 8;
/// The kind of a parameter: a list of times, each in whole ns.
pub const PARAMETER_DURATIONS: u32 = 9;

/// A level of the log: nothing is logged.
pub const LOG_OFF: u32 = 0;
/// A level of the log: what should not be.
pub const LOG_ERROR: u32 = 1;
/// A level of the log: what is likely not meant.
pub const LOG_WARN: u32 = 2;
/// A level of the log: what happens now and then.
pub const LOG_INFO: u32 = 3;
/// A level of the log: why an answer is what it is.
pub const LOG_DEBUG: u32 = 4;
/// A level of the log: each step on the way to it.
pub const LOG_TRACE: u32 = 5;
