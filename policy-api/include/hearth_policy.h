// The interface between Hearth and a policy in C, or in any language that speaks C. How to use it: docs/policy-abi.md.
//
// This file is made of the types in policy-api/src, by the test tests/tests/policy_header.rs; do not change it by hand.
//
// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef HEARTH_POLICY_H
#define HEARTH_POLICY_H

#include <stddef.h>
#include <stdint.h>

// A call has come to an answer.
#define HEARTH_OK 0

// A call has failed: why, it has told the host by `fail`.
#define HEARTH_FAILED 1

// The major version of the interface.
#define HEARTH_INTERFACE_MAJOR 2

// The minor version of the interface.
#define HEARTH_INTERFACE_MINOR 1

// A placement: nowhere now; ask again when something has changed.
#define HEARTH_PLACEMENT_WAIT 0

// A placement: on a node.
#define HEARTH_PLACEMENT_NODE 1

// A placement: never; the invocation ends as rejected.
#define HEARTH_PLACEMENT_REJECT 2

// A placement: in the next container of its function that becomes free, on a node or anywhere.
#define HEARTH_PLACEMENT_BUSY 3

// A placement: in the queues of nodes, of which the first with a free core takes it.
#define HEARTH_PLACEMENT_QUEUE 4

// A placement: on a node, in an idle container that is named.
#define HEARTH_PLACEMENT_WARM 5

// A placement: on a node, in a new container.
#define HEARTH_PLACEMENT_COLD 6

// The state of a container: it starts for an invocation.
#define HEARTH_CONTAINER_STARTING 0

// The state of a container: it starts ahead of a request.
#define HEARTH_CONTAINER_STARTING_AHEAD 1

// The state of a container: the body of an invocation has begun in it and the head has not heard of its end, or a decision of this
// round has taken it.
#define HEARTH_CONTAINER_BUSY 2

// The state of a container: nobody has it.
#define HEARTH_CONTAINER_IDLE 3

// A decision of a plan: a request goes to a node.
#define HEARTH_PLAN_RUN 0

// A decision of a plan: begin to load an image from the disk of a node into its RAM.
#define HEARTH_PLAN_LOAD 1

// A decision of a plan: begin to copy an image from the head to the disk of a node.
#define HEARTH_PLAN_COPY 2

// A decision of a plan: a request goes to a node, into an idle container that is named.
#define HEARTH_PLAN_RUN_WARM 3

// A decision of a plan: a request goes to a node, into a new container.
#define HEARTH_PLAN_RUN_COLD 4

// An admission: it is let in.
#define HEARTH_ADMISSION_ADMIT 0

// An admission: it is asked about again later.
#define HEARTH_ADMISSION_DELAY 1

// An admission: it ends as rejected.
#define HEARTH_ADMISSION_REJECT 2

// Rule of node allocation: answers are for their round alone, and every round decides anew for all that has not started.
#define HEARTH_RULE_PER_ROUND 1

// Rule of node allocation: tell of changed nodes and links.
#define HEARTH_RULE_OBSERVES (1 << 1)

// Rule of node allocation and admission: tell of the ends of attempts.
#define HEARTH_RULE_OBSERVES_ENDS (1 << 2)

// Rule of node allocation: ask for ranks.
#define HEARTH_RULE_RANKS (1 << 3)

// Rule of node allocation: `place` answers by nothing but the sets of nodes in its view.
#define HEARTH_RULE_ANSWERS_HOLD (1 << 4)

// Rule of eviction: tell of containers in use; of others: tell of all that becomes of containers.
#define HEARTH_RULE_OBSERVES_CONTAINERS (1 << 5)

// Rule of eviction: it is enough to tell of idle containers before `choose`.
#define HEARTH_RULE_HEARS_LATE (1 << 6)

// Rule of admission: everybody is let in, always.
#define HEARTH_RULE_ADMITS_ALL (1 << 7)

// Rule of keep-alive: tell of arrivals.
#define HEARTH_RULE_OBSERVES_ARRIVALS (1 << 8)

// Rule of node allocation, admission and keep-alive: show what has come of each function.
#define HEARTH_RULE_SEES_HISTORY (1 << 9)

// Rule of node allocation: ask which of those who wait are rejected.
#define HEARTH_RULE_SHEDS (1 << 10)

// Rule of node allocation: it may ask for another attempt beside one.
#define HEARTH_RULE_HEDGES (1 << 11)

// Rule of node allocation, admission and keep-alive: tell of workflows.
#define HEARTH_RULE_SEES_WORKFLOWS (1 << 12)

// Rule of node allocation: ask from where images are copied.
#define HEARTH_RULE_CHOOSES_SOURCES (1 << 13)

// Rule of node allocation: ask also while no node has a free core, since answers are `PLACEMENT_QUEUE`.
#define HEARTH_RULE_QUEUES (1 << 14)

// Rule of autoscaling: ask also when a request finds no instance with room. Since 2.1.
#define HEARTH_RULE_ASKED_ON_REQUESTS (1 << 15)

// Rule of autoscaling: it says how many nodes pools have. Since 2.1.
#define HEARTH_RULE_SCALES_POOLS (1 << 16)

// Not promised: that nobody waits while there is a place.
#define HEARTH_NOT_WORK_CONSERVING 1

// Not promised: that only nodes are picked that can make room.
#define HEARTH_NOT_RESPECTING_CAPACITY (1 << 1)

// Not promised: that everybody is let in, in the end, who finds an idle cluster.
#define HEARTH_NOT_ADMITTING_WHEN_IDLE (1 << 2)

// Not promised: that ranks keep nobody waiting for ever behind later requests of the same function.
#define HEARTH_NOT_STARVING_NOBODY (1 << 3)

// Not promised: that memory and threads do not grow with calls and instances.
#define HEARTH_NOT_BOUNDED_MEMORY (1 << 4)

// Not promised: that a call is quick, and no slower after many calls.
#define HEARTH_NOT_BOUNDED_TIME (1 << 5)

// Not promised: that dates are dates and lengths of time lengths.
#define HEARTH_NOT_SENSIBLE_TIMES (1 << 6)

// The kind of a parameter: a time, in ns.
#define HEARTH_PARAMETER_DURATION 0

// The kind of a parameter: an amount of bytes.
#define HEARTH_PARAMETER_BYTES 1

// The kind of a parameter: a whole number.
#define HEARTH_PARAMETER_INTEGER 2

// The kind of a parameter: a number.
#define HEARTH_PARAMETER_NUMBER 3

// The kind of a parameter: one of several words.
#define HEARTH_PARAMETER_CHOICE 4

// The kind of a parameter: yes or no.
#define HEARTH_PARAMETER_FLAG 5

// The kind of a parameter: text, such as the path of a file.
#define HEARTH_PARAMETER_TEXT 6

// The kind of a parameter: a list of texts. Lists cross as text, one element a line: a newline ends each, and may be left out after the
// last. `integer` of a value is how many there are.
#define HEARTH_PARAMETER_TEXTS 7

// The kind of a parameter: a list of numbers, in decimal, each within the range.
#define HEARTH_PARAMETER_NUMBERS 8

// The kind of a parameter: a list of times, each in whole ns.
#define HEARTH_PARAMETER_DURATIONS 9

// A level of the log: nothing is logged.
#define HEARTH_LOG_OFF 0

// A level of the log: what should not be.
#define HEARTH_LOG_ERROR 1

// A level of the log: what is likely not meant.
#define HEARTH_LOG_WARN 2

// A level of the log: what happens now and then.
#define HEARTH_LOG_INFO 3

// A level of the log: why an answer is what it is.
#define HEARTH_LOG_DEBUG 4

// A level of the log: each step on the way to it.
#define HEARTH_LOG_TRACE 5

// "No such image" in `RequestView::image` and the like.
#define HEARTH_NONE UINT32_MAX

// The longest delay that admission may answer, in ns: of a century no simulation sees the end. A longer one ends a run with an error.
#define HEARTH_LONGEST_DELAY 3162240000000000000

// Delayed so often within a second, a request is delayed without end, and the run ends with an error: whoever waits for something
// waits for milliseconds, and does not ask every ten microseconds.
#define HEARTH_MOST_DELAYS 100000



// The place of a service that an instance of a policy fills.
enum hearth_slot
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Who is let in.
    HEARTH_SLOT_ADMISSION,
    // Where invocations run.
    HEARTH_SLOT_NODE_ALLOCATION,
    // How long idle containers stay.
    HEARTH_SLOT_KEEP_ALIVE,
    // Which idle containers of a node go.
    HEARTH_SLOT_CONTAINERS,
    // Which images in the RAM of a node go.
    HEARTH_SLOT_IMAGES_IN_RAM,
    // Which images on the disk of a node go.
    HEARTH_SLOT_IMAGES_ON_DISK,
    // Which images on the head go.
    HEARTH_SLOT_IMAGES_ON_HEAD,
    // How many instances functions have. Since 2.1.
    HEARTH_SLOT_AUTOSCALING,
    // How many nodes pools have. Since 2.1.
    HEARTH_SLOT_CLUSTER_AUTOSCALING,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_slot hearth_slot;
#else
typedef uint32_t hearth_slot;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What kind of container an attempt was given.
enum hearth_start
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // None.
    HEARTH_START_NONE,
    // One that was made for it.
    HEARTH_START_COLD,
    // One that was idle.
    HEARTH_START_WARM,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_start hearth_start;
#else
typedef uint32_t hearth_start;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How an attempt has ended.
enum hearth_ending
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Its body ended well.
    HEARTH_ENDING_COMPLETED,
    // Its body ended in an error, or passed a limit on data.
    HEARTH_ENDING_FAILED,
    // It reached its time limit.
    HEARTH_ENDING_TIMED_OUT,
    // Its container crashed.
    HEARTH_ENDING_CRASHED,
    // Its node went down, or the head with those that waited.
    HEARTH_ENDING_LOST,
    // Another attempt at the invocation completed first, and it was stopped wherever it was.
    HEARTH_ENDING_STOPPED,
    // Node allocation has rejected it.
    HEARTH_ENDING_REJECTED,
    // It has not ended: the place that node allocation answered came to nothing, and it is back in the queue, where
    // `NodeAllocation::place` is asked about it again. Its node had no room after all, or went down while the
    // image was on its way; or it has waited in vain for a busy container (`Placement::Busy`), or stands in the queues of
    // nodes no longer (`Placement::Queue`), and then it had no place. Only node allocation hears of this.
    HEARTH_ENDING_REQUEUED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_ending hearth_ending;
#else
typedef uint32_t hearth_ending;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What has become of a container.
enum hearth_container_change
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It is being started for an attempt: a cold start.
    HEARTH_CONTAINER_CHANGE_STARTING,
    // It is being started ahead of a request.
    HEARTH_CONTAINER_CHANGE_STARTING_AHEAD,
    // The start that an attempt waits for is over.
    HEARTH_CONTAINER_CHANGE_UP,
    // It is idle: its start ahead is over, or that of the attempt in it, and it is kept.
    HEARTH_CONTAINER_CHANGE_IDLE,
    // It was idle, and an attempt has taken it: a warm start.
    HEARTH_CONTAINER_CHANGE_TAKEN,
    // It ends after an attempt: keep-alive does not keep it.
    HEARTH_CONTAINER_CHANGE_NOT_KEPT,
    // It was idle and ends: its keep-alive is over.
    HEARTH_CONTAINER_CHANGE_EXPIRED,
    // It was idle and ends: eviction chose it.
    HEARTH_CONTAINER_CHANGE_EVICTED,
    // It was idle and ends: a policy had it ended (`Actions::end_containers`).
    HEARTH_CONTAINER_CHANGE_ENDED,
    // It was in use and has crashed.
    HEARTH_CONTAINER_CHANGE_CRASHED,
    // It is lost with its node, whether it was in use, idle or being started.
    HEARTH_CONTAINER_CHANGE_LOST,
    // It was in use and ends with an attempt that is not needed any more.
    HEARTH_CONTAINER_CHANGE_STOPPED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_container_change hearth_container_change;
#else
typedef uint32_t hearth_container_change;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why an item counts as used.
enum hearth_touch
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A container of the image was started or reused.
    HEARTH_TOUCH_USE,
    // The image was loaded from this disk into RAM.
    HEARTH_TOUCH_LOAD,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_touch hearth_touch;
#else
typedef uint32_t hearth_touch;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why an item is gone.
enum hearth_removal
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // This policy chose it and the host evicted it.
    HEARTH_REMOVAL_EVICTED,
    // It was taken into use: an idle container that runs again.
    HEARTH_REMOVAL_TAKEN,
    // It ended by itself: keep-alive over, or dropped with what it depends on.
    HEARTH_REMOVAL_ENDED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_removal hearth_removal;
#else
typedef uint32_t hearth_removal;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a container is made for.
enum hearth_creation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // An invocation, which is its first use: a cold start.
    HEARTH_CREATION_INVOCATION,
    // An invocation that keep-alive expects.
    HEARTH_CREATION_PREWARMING,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_creation hearth_creation;
#else
typedef uint32_t hearth_creation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why an autoscaler is asked.
enum hearth_scale_cause
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A period is over.
    HEARTH_SCALE_CAUSE_TICK,
    // A request: one of a dormant function, or one that found no instance with room.
    HEARTH_SCALE_CAUSE_REQUEST,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_scale_cause hearth_scale_cause;
#else
typedef uint32_t hearth_scale_cause;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How it stands with a node of a pool.
enum hearth_node_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It is off.
    HEARTH_NODE_STATE_OFF,
    // It has been asked for, and boots.
    HEARTH_NODE_STATE_BOOTING,
    // It is there.
    HEARTH_NODE_STATE_UP,
    // It takes nobody any more, and goes off when those that run there have ended.
    HEARTH_NODE_STATE_DRAINING,
    // It is on, and has failed.
    HEARTH_NODE_STATE_FAILED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_node_state hearth_node_state;
#else
typedef uint32_t hearth_node_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The host's reaction to an offered victim.
enum hearth_offer
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Accepted; more is needed.
    HEARTH_OFFER_ACCEPTED,
    // In use now: does not count. Offer others.
    HEARTH_OFFER_PINNED,
    // Accepted, and the need is met: stop.
    HEARTH_OFFER_ENOUGH,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hearth_offer hearth_offer;
#else
typedef uint32_t hearth_offer;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Text in UTF-8, not ended by a zero. In Rust it is made of text that lasts.
typedef struct {
    // The first byte; may be null where the length is 0.
    const char *data;
    // How many bytes there are.
    size_t length;
} hearth_text;

// A value of a parameter. It cannot be copied: its text is lent.
typedef struct {
    // A time in ns, an amount of bytes, a whole number, the position of a word, 1 for yes and 0 for no.
    uint64_t integer;
    // A number.
    double number;
    // Text. It lasts until `create` has returned.
    hearth_text text;
} hearth_value;

// Values next to one another that are lent.
typedef struct {
    const uint64_t *data;
    size_t length;
} hearth_words;

// A borrowed set of nodes.
typedef struct {
    // The words of the summary, and then those of the nodes.
    hearth_words bits;
    // How many words the summary has.
    size_t summary;
} hearth_node_set;

// Values next to one another that are lent.
typedef struct {
    const hearth_text *data;
    size_t length;
} hearth_texts;

// What can be set of a policy.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // One of `HEARTH_PARAMETER_…`.
    uint32_t kind;
    // Its name in scenarios, in snake case.
    hearth_text name;
    // What its numbers count; empty where they have no unit.
    hearth_text unit;
    // One line of help.
    hearth_text help;
    // The least value allowed, of a number or a whole number.
    hearth_value min;
    // The greatest value allowed, of a number or a whole number.
    hearth_value max;
    // The value when a scenario says nothing.
    hearth_value default_value;
    // The words, for `HEARTH_PARAMETER_CHOICE`.
    hearth_texts words;
} hearth_parameter;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_parameter *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_parameters;

// What an instance may call. The first argument is `handle` of its context.
typedef struct {
    // Size of this table in bytes.
    uint32_t size;
    // Says why a call fails, before it answers `HEARTH_FAILED`. The text is copied.
    void (*fail)(void *handle, hearth_text cause);
    // The handle is used in one more place, and is there until that is over, even when the instance has ended.
    void (*hold)(void *handle);
    // The handle is not used any more in a place for which `hold` was called.
    void (*release)(void *handle);
    // Has `on_timer` of the instance called at a date, in ns, with this number; it goes off once. One that is set again is put
    // off, and `UINT64_MAX` takes it back. A date that is past is now.
    void (*wake_at)(void *handle, uint64_t timer, uint64_t date);
    // Has so many containers of a function started, without evicting anything, on a node, or, with `HEARTH_NONE`, each on the node
    // with the most free RAM. Each is idle once it is up, and kept for so many ns from then on; `UINT64_MAX` keeps it. Those that
    // find no room are not started.
    void (*start_containers)(void *handle, uint32_t function, uint32_t node, uint32_t count, uint64_t keep_for);
    // Ends so many idle containers of a function at the most, those that are idle longest first, on a node, or, with
    // `HEARTH_NONE`, anywhere.
    void (*end_containers)(void *handle, uint32_t function, uint32_t node, uint32_t count);
    // Has another attempt made at the invocation of the one that `key` of its request names, beside it; the first of the two that
    // completes counts. For `HEARTH_RULE_HEDGES`.
    void (*hedge)(void *handle, uint64_t key);
    // Gives the attempt that `key` of its request names another rank in the queue.
    void (*set_rank)(void *handle, uint64_t key, uint64_t rank);
    // Takes the attempt that `key` of its request names and that stands in the queues of nodes back into the queue of the head, to be asked about again. For one that
    // stands in none it does nothing.
    void (*take_back)(void *handle, uint64_t key);
    // Has at least so many containers of a function, and at most so many, from now on; 0 and `UINT32_MAX` are no bounds. What is
    // missing is started where there is room, and stays; at the most, requests wait.
    void (*keep_between)(void *handle, uint32_t function, uint32_t floor, uint32_t ceiling);
    // Writes a line into the log of the run, if `level` (one of `HEARTH_LOG_…`) is at most `log_level`. The text is copied. Since 2.1.
    void (*log)(void *handle, uint32_t level, hearth_text text);
    // Up to which level somebody reads what is logged, one of `HEARTH_LOG_…`: look at it before a text is made. Since 2.1.
    uint32_t log_level;
    // For later.
    uint32_t reserved;
} hearth_host;

// What an instance calls its host with. It cannot be copied: what it stands for ends with the instance, unless
// `Actions` hold it.
typedef void *hearth_handle;

// What an instance of a policy is made for.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // What the instance is for; of a controller, the first of its slots that is filled.
    hearth_slot slot;
    // A seed of this instance's own, derived from the seed of the simulation.
    uint64_t seed;
    // How many nodes the service has.
    uint32_t nodes;
    // The node whose storage an eviction policy serves; HEARTH_NONE for that of the head, and for other policies.
    uint32_t node;
    // RAM of the storage that an eviction policy serves, in bytes; 0 for other policies and where it has none.
    uint64_t ram;
    // Disk of the storage that an eviction policy serves, in bytes; 0 for other policies and where it has none.
    uint64_t disk;
    // What the instance may call.
    const hearth_host *host;
    // What it calls that with.
    hearth_handle handle;
} hearth_context;

// Values next to one another that are lent.
typedef struct {
    const hearth_value *data;
    size_t length;
} hearth_values;

// One waiting invocation.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // Which attempt at the invocation it is, 1 for the first. Two may be under way at once, if invocations are hedged.
    uint32_t attempt;
    // Number of the invocation, in the order of requests.
    uint64_t invocation;
    // The function's number.
    uint32_t function;
    // The number of the function's image, or HEARTH_NONE.
    uint32_t image;
    // Which task of its workflow it is, in the order of the workflow's definition; HEARTH_NONE if it is part of none.
    uint32_t task;
    // The number of the workflow; HEARTH_NONE if it is part of none.
    uint32_t workflow;
    // The number of the run of the workflow, in the order of requests; UINT64_MAX if it is part of none.
    uint64_t run;
    // When the controller asked, in ns.
    uint64_t requested_at;
    // When the service took it in, in ns.
    uint64_t submitted_at;
    // When it ought to be done by the deadline of its function, in ns; UINT64_MAX if that has none.
    uint64_t deadline;
    // The function's limit on execution time in ns; 0 is none.
    uint64_t time_limit;
    // RAM that a container of the function reserves, in bytes.
    uint64_t ram_limit;
    // Disk that a container of the function reserves, in bytes.
    uint64_t disk_limit;
    // Time that a new container of the function takes to start, in ns.
    uint64_t startup_overhead;
    // What names the attempt in `Actions`, as long as it is under way; no other attempt ever has it.
    uint64_t key;
} hearth_request;

// One compute node as a policy sees it during a scheduling round.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // Cores, i.e. the most invocations that run at once.
    uint32_t cores;
    // Cores that neither run an invocation nor are taken by a decision of this round.
    uint32_t free_cores;
    // Invocations that hold a core: starting, running, or placed here while their image is on its way. Those placed
    // by decisions of this round count.
    uint32_t running;
    // Idle containers.
    uint32_t idle_containers;
    // How many stand in the queue of the node (`Placement::Queue`), those among them who stand in
    // others, too.
    uint32_t queued;
    // Speed of a core in flop/s.
    double speed;
    // RAM in bytes.
    uint64_t ram;
    // RAM that nothing holds, less what decisions of this round will take.
    uint64_t free_ram;
    // RAM that idle containers hold, which eviction may free.
    uint64_t idle_ram;
    // RAM that images hold which no container needs, which eviction may free.
    uint64_t unused_image_ram;
    // Disk in bytes.
    uint64_t disk;
    // Disk that nothing holds, less what decisions of this round will take.
    uint64_t free_disk;
    // Disk that idle containers hold, which eviction may free.
    uint64_t idle_disk;
    // Disk that images hold which no container needs, which eviction may free.
    uint64_t unused_image_disk;
} hearth_node;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_node *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_nodes;

// What has come of a function so far, and how it stands with it. Policies see one for each function, by number, where their
// rules ask for it (`sees_history`); the host does not count otherwise.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // Containers that somebody is in, from the dispatch up to the end as the head hears of it. What decisions of this round
    // take is not among them.
    uint32_t busy;
    // Idle containers, on all nodes. In a `Completion` the one that it is about is neither idle nor busy.
    uint32_t idle;
    // Containers that are being started ahead of a request.
    uint32_t starting;
    // Attempts that were let in and have no container, whether they wait for an image, for a place in the queue, on a node, in
    // the queues of nodes or for a busy container.
    uint64_t waiting;
    // When the one of these was let in that has waited longest, in ns; UINT64_MAX if nobody waits.
    uint64_t waiting_since;
    // Attempts that were submitted, before admission is asked; retries and hedges too.
    uint64_t arrivals;
    // When the last of these was, in ns; UINT64_MAX before the first.
    uint64_t last_arrival;
    // Attempts that have ended well.
    uint64_t completed;
    // Attempts that have run to an end of their own, well or not, or to their time limit
    // (`End::is_of_whole_run`).
    uint64_t runs;
    // The mean of their run times, in ns, rounded down; 0 before the first.
    uint64_t mean_run_time;
    // What they have taken of late, in ns: an exponentially weighted mean, in which the last run has the weight 1/8 (as in TCP's
    // estimate of the round trip time, RFC 6298), rounded down each time; the first run is itself, and 0 is before it.
    uint64_t recent_run_time;
    // Containers that were made for an attempt.
    uint64_t cold_starts;
    // The mean of the times that these take from the dispatch to the begin of the body, in ns, rounded down; 0 before the first.
    // An image that is on its way takes its time before that.
    uint64_t mean_start_time;
} hearth_function_history;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_function_history *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_function_histories;

// A container, as it is at the moment of the call.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // Its number within its node, as eviction policies know it. The number of one that has ended is used again.
    uint32_t container;
    // The number of its function.
    uint32_t function;
    // One of `HEARTH_CONTAINER_…`: what becomes of it now.
    uint32_t state;
    // The invocation that is in it or for which it starts; UINT64_MAX if there is none, and if a decision of this round has
    // taken it.
    uint64_t invocation;
    // Which attempt at the invocation that is, 1 for the first; 0 if there is none.
    uint32_t attempt;
    // When it was made, in ns.
    uint64_t created;
    // Since when it is in its state, in ns.
    uint64_t since;
    // When it is ended if it is idle up to then, in ns; UINT64_MAX if never so, and if it is not idle. That date may have passed, as
    // long as the head has not come to it.
    uint64_t expires;
    // RAM that it reserves, in bytes.
    uint64_t ram;
    // Disk that it reserves, in bytes.
    uint64_t disk;
} hearth_container;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_container *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_containers;

// The way to the containers of nodes. The host lists those of a node when it is asked for them: who does not ask pays nothing.
typedef struct {
    // What `of` is to be called with.
    const void *context;
    // The containers of a node, by number; none of a node that is not there. They are there for as long as the view that this
    // is part of, also when those of other nodes are asked for meanwhile.
    hearth_containers (*of)(const void *context, uint32_t node);
} hearth_containers_of;

// The cluster at one decision, as left by the decisions before it in the same round. The last five sets are those
// of the request's function and image; a function without image finds its image everywhere.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The date, in ns.
    uint64_t now;
    // How many invocations wait, this one included.
    uint64_t waiting;
    // All nodes, by number.
    hearth_nodes nodes;
    // Nodes that are up.
    hearth_node_set up;
    // Nodes that are up and have a free core.
    hearth_node_set free_core;
    // Nodes with an idle container of the function that no decision of this round has taken.
    hearth_node_set idle_container;
    // Nodes with the image in RAM.
    hearth_node_set image_in_ram;
    // Nodes that load the image from disk into RAM, or will by a decision of this round.
    hearth_node_set image_loading;
    // Nodes with the image on disk.
    hearth_node_set image_on_disk;
    // Nodes that the image is being copied to, or will be by a decision of this round.
    hearth_node_set image_copying;
    // What has come of each function, by number, without what decisions of this round will do; empty unless the rules of the
    // policy ask for it.
    hearth_function_histories histories;
    // The containers of nodes, for who asks.
    hearth_containers_of containers;
} hearth_cluster;

// Values next to one another that are lent.
typedef struct {
    const uint32_t *data;
    size_t length;
} hearth_numbers;

// The answer to "where does this invocation run?".
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // One of `HEARTH_PLACEMENT_…`; `HEARTH_PLACEMENT_WAIT` before the call.
    uint32_t kind;
    // The node, for `HEARTH_PLACEMENT_NODE`, `HEARTH_PLACEMENT_BUSY`, `HEARTH_PLACEMENT_WARM` and `HEARTH_PLACEMENT_COLD`;
    // `HEARTH_NONE` before the call.
    uint32_t node;
    // The container, by its number within the node, for `HEARTH_PLACEMENT_WARM`; `HEARTH_NONE` before the call.
    uint32_t container;
    // Why, for `HEARTH_PLACEMENT_REJECT`. It must last until the next call for the instance.
    hearth_text reason;
    // Until when it waits, in ns, for `HEARTH_PLACEMENT_BUSY` and `HEARTH_PLACEMENT_QUEUE`; `UINT64_MAX`, as before the call, is no
    // date.
    uint64_t until;
    // The nodes in whose queues it stands, for `HEARTH_PLACEMENT_QUEUE`; none before the call. They must last until the next call
    // for the instance.
    hearth_numbers nodes;
} hearth_placement;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_request *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_requests;

// A function with waiting invocations, in a `BatchView`.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The function's number.
    uint32_t function;
    // The number of its image, or HEARTH_NONE.
    uint32_t image;
    // Limit on execution time in ns; 0 is none.
    uint64_t time_limit;
    // RAM that a container reserves, in bytes.
    uint64_t ram_limit;
    // Disk that a container reserves, in bytes.
    uint64_t disk_limit;
    // Idle containers of the function, by node.
    hearth_numbers idle_containers;
    // Nodes with the image in RAM.
    hearth_node_set image_in_ram;
    // Nodes that load the image into RAM.
    hearth_node_set image_loading;
    // Nodes with the image on disk.
    hearth_node_set image_on_disk;
    // Nodes that the image is being copied to.
    hearth_node_set image_copying;
} hearth_function;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_function *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_functions;

// The cluster and the whole queue at the start of a round.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The date, in ns.
    uint64_t now;
    // All nodes, by number.
    hearth_nodes nodes;
    // Nodes that are up.
    hearth_node_set up;
    // The waiting requests in the order of submission.
    hearth_requests queue;
    // The functions of the waiting requests, by ascending number.
    hearth_functions functions;
    // What has come of each function there is, by number; empty unless the rules of the policy ask for it.
    hearth_function_histories histories;
    // The containers of nodes, for who asks.
    hearth_containers_of containers;
} hearth_batch;

// A decision of a plan.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // One of `HEARTH_PLAN_…`.
    uint32_t kind;
    // Position in the queue, for `HEARTH_PLAN_RUN`, `HEARTH_PLAN_RUN_WARM` and `HEARTH_PLAN_RUN_COLD`.
    uint32_t request;
    // The image, for `HEARTH_PLAN_LOAD` and `HEARTH_PLAN_COPY`.
    uint32_t image;
    // The node.
    uint32_t node;
    // The container, by its number within the node, for `HEARTH_PLAN_RUN_WARM`.
    uint32_t container;
} hearth_plan_item;

// Where `plan` puts its decisions.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // Adds a decision, in the order in which they count.
    void (*add)(void *sink, const hearth_plan_item *item);
    // What `add` is to be called with.
    void *sink;
} hearth_plan;

// A link of the network as a policy is told of it.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The link's number, in the order of the platform.
    uint32_t link;
    // The part of its bandwidth that faults leave to it: 0 while it is down, 1 when it is whole, between while it is
    // degraded. Of several faults the worst counts.
    double share;
    // The nodes whose route to the head crosses the link, there or back.
    hearth_node_set nodes;
} hearth_link;

// The end of an attempt that had been let in.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // Which attempt at the invocation it was, 1 for the first.
    uint32_t attempt;
    // The date, in ns: when its core is given back, if it has one.
    uint64_t now;
    // Number of the invocation, in the order of requests.
    uint64_t invocation;
    // The function's number.
    uint32_t function;
    // The node on which it had a core, or waited for its image; HEARTH_NONE if it had no place.
    uint32_t node;
    // The number of its container on the node; HEARTH_NONE if it had none.
    uint32_t container;
    // What kind of container that was.
    hearth_start start;
    // How it ended.
    hearth_ending ending;
    // Idle containers of the function on the node before keep-alive is asked, its own included; 0 if its container has
    // ended with it, or it had none.
    uint32_t idle_of_function;
    // When its body began, in ns; UINT64_MAX if it never did.
    uint64_t started_at;
    // How long its body ran up to its end, or until it was cut off, in ns; 0 if it never began.
    uint64_t run_time;
    // RAM that its container held, in bytes; 0 without a container.
    uint64_t ram;
    // What names the attempt in `Actions`, as in its request; nobody has it after the end but who is back in the queue.
    uint64_t key;
} hearth_end;

// An attempt that waited for a busy container (`Placement::Busy`) has got one, or one that stood in the queues of nodes
// (`Placement::Queue`) has got a core.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // Which attempt at the invocation it is, 1 for the first.
    uint32_t attempt;
    // The date, in ns.
    uint64_t now;
    // Number of the invocation, in the order of requests.
    uint64_t invocation;
    // The function's number.
    uint32_t function;
    // The node on which it has a core now.
    uint32_t node;
    // The number of its container on the node; HEARTH_NONE for one that has stood in queues and waits there for its image now.
    uint32_t container;
    // What names the attempt in `Actions`, as in its request.
    uint64_t key;
} hearth_delayed_start;

// Those who wait for a place: of each function the first, and how many there are. Who waits for an image to be on the head, on a
// node or for a busy container stands in no queue.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The date, in ns.
    uint64_t now;
    // How many wait in the queue.
    uint64_t waiting;
    // The first of each function of which somebody waits, in the order of the queue. `RequestView::submitted_at` says since when.
    hearth_requests heads;
    // How many wait of the function of each of these.
    hearth_words lengths;
    // All nodes, by number.
    hearth_nodes nodes;
    // Nodes that are up and have a free core.
    hearth_node_set free_core;
    // What has come of each function, by number; empty unless the rules of the policy ask for it.
    hearth_function_histories histories;
} hearth_queue;

// Which of those who wait is rejected.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // Its place among the heads of the queue; `HEARTH_NONE`, as before the call, is nobody.
    uint32_t head;
    // Why. It must last until the next call for the instance.
    hearth_text reason;
} hearth_shed;

// Something has become of a container.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // What has become of it.
    hearth_container_change change;
    // When, in ns.
    uint64_t now;
    // Its node.
    uint32_t node;
    // Its number on the node, which may be used again after its end.
    uint32_t container;
    // Its function.
    uint32_t function;
    // RAM that it holds, in bytes.
    uint64_t ram;
    // Disk that it holds, in bytes.
    uint64_t disk;
} hearth_container_event;

// A task of a workflow.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The function that it invokes.
    uint32_t function;
    // How many instances of it there are, beside one another.
    uint32_t instances;
    // The tasks that must have ended before it, by their places in the workflow.
    hearth_numbers after;
    // The tasks that wait for it, in the same way.
    hearth_numbers followers;
} hearth_task;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_task *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_tasks;

// A workflow: tasks that follow one another. A request says of which workflow it is a task, and which one
// (`RequestView::workflow`, `RequestView::task`).
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The number of the workflow.
    uint32_t workflow;
    // How long a run may take, in ns; UINT64_MAX where that is not said.
    uint64_t deadline;
    // Its tasks, by their places.
    hearth_tasks tasks;
} hearth_workflow;

// An image is about to be copied to the disk of a node, and more than the head has it.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The image.
    uint32_t image;
    // The date, in ns.
    uint64_t now;
    // How large it is, in bytes.
    uint64_t bytes;
    // The node that it goes to.
    uint32_t node;
    // Whether the head has it; if not, it would be downloaded again first.
    uint32_t is_on_head;
    // How many copies are on their way from the head to nodes.
    uint32_t sending_of_head;
    // The nodes that have it on their disk, are up, and have a way to the other one that is up. There is one at least.
    hearth_node_set holders;
    // By node: how many copies are on their way from it to other nodes.
    hearth_numbers sending;
} hearth_copy;

// Where an invocation runs. Neither of two policies need have all functions: what is null is not called, and is not to be asked for
// in the rules. A policy has either `place` or `plan`.
typedef struct {
    // Size of this table in bytes.
    uint32_t size;
    // Writes how the policy is to be asked, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    uint32_t (*rules)(void *policy, uint32_t *rules);
    // Where a request runs.
    uint32_t (*place)(void *policy,
                      const hearth_request *request,
                      const hearth_cluster *cluster,
                      hearth_placement *answer);
    // What is done with all that wait; for policies that plan for the whole queue.
    uint32_t (*plan)(void *policy, const hearth_batch *batch, const hearth_plan *plan);
    // The rank of a request, for `HEARTH_RULE_RANKS`.
    uint32_t (*rank)(void *policy, const hearth_request *request, uint64_t now, uint64_t *rank);
    // A node has changed, for `HEARTH_RULE_OBSERVES`; `up` is 1 or 0.
    uint32_t (*observe)(void *policy, uint32_t node, const hearth_node *view, uint32_t up);
    // A link has changed, for `HEARTH_RULE_OBSERVES`; may be null all the same.
    uint32_t (*observe_link)(void *policy, const hearth_link *link);
    // An attempt has ended, for `HEARTH_RULE_OBSERVES_ENDS`.
    uint32_t (*on_end)(void *policy, const hearth_end *end);
    // One that waited for a busy container has got one, or one that stood in the queues of nodes a core, for
    // `HEARTH_RULE_OBSERVES_ENDS`; may be null all the same.
    uint32_t (*on_delayed_start)(void *policy, const hearth_delayed_start *start);
    // A timer has gone off that was set by `wake_at` of the host.
    uint32_t (*on_timer)(void *policy, uint64_t timer, const hearth_cluster *cluster);
    // Whether one of those who wait is rejected, for `HEARTH_RULE_SHEDS`.
    uint32_t (*shed)(void *policy, const hearth_queue *queue, hearth_shed *answer);
    // Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    uint32_t (*on_container)(void *policy, const hearth_container_event *event);
    // There is a workflow, for `HEARTH_RULE_SEES_WORKFLOWS`.
    uint32_t (*on_workflow)(void *policy, const hearth_workflow *workflow);
    // Writes from which node an image is copied, for `HEARTH_RULE_CHOOSES_SOURCES`; `HEARTH_NONE`, as before the call, is the head.
    uint32_t (*source)(void *policy, const hearth_copy *copy, uint32_t *node);
} hearth_node_allocation;

// What may be evicted: an idle container, or an image in one storage.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The item's number, unique among those inserted and dense: containers are numbered within their node, images
    // over the platform.
    uint32_t id;
    // The container's function, or HEARTH_NONE for an image.
    uint32_t function;
    // RAM that goes free with it, in bytes.
    uint64_t ram;
    // Disk that goes free with it, in bytes.
    uint64_t disk;
    // What it would cost to have it again, in ns: a container's startup time; 0 where that is unknown.
    uint64_t cost;
    // The date from which it may be evicted, in ns.
    uint64_t since;
    // The date at which its keep-alive is over, in ns; UINT64_MAX is never.
    uint64_t expires;
} hearth_item;

// How much is to be freed.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The date, in ns.
    uint64_t now;
    // Bytes of RAM; 0 when RAM is not short.
    uint64_t ram;
    // Bytes of disk; 0 when disk is not short.
    uint64_t disk;
} hearth_need;

// Where `choose` offers its victims.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // Offers the item `id`; answers one of `HEARTH_OFFER_…`.
    uint32_t (*offer)(void *sink, uint32_t id);
    // What `offer` and `also` are to be called with.
    void *sink;
    // Has the item `id` go as well, which is not needed; answers 1 if it goes, and 0 if it is in use and stays.
    uint32_t (*also)(void *sink, uint32_t id);
} hearth_victims;

// Which idle containers or images go when room is needed.
typedef struct {
    // Size of this table in bytes.
    uint32_t size;
    // Writes how the policy is to be told, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    uint32_t (*rules)(void *policy, uint32_t *rules);
    // An item may be evicted from now on.
    uint32_t (*insert)(void *policy, const hearth_item *item);
    // An item was used, at a date in ns; may be null.
    uint32_t (*touch)(void *policy, uint32_t id, hearth_touch touch, uint64_t now);
    // An item is gone, since a date in ns.
    uint32_t (*remove)(void *policy, uint32_t id, hearth_removal removal, uint64_t now);
    // Offers victims.
    uint32_t (*choose)(void *policy, const hearth_need *need, const hearth_victims *victims);
    // A container was made, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    uint32_t (*created)(void *policy, const hearth_item *container, hearth_creation creation);
    // A container in use has ended, at a date in ns, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    uint32_t (*ended)(void *policy, uint32_t id, uint64_t now);
    // A timer has gone off that was set by `wake_at` of the host.
    uint32_t (*on_timer)(void *policy, uint64_t timer, uint64_t now);
} hearth_eviction;

// The service at the moment at which admission is asked.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // How often this request was delayed before.
    uint32_t delays;
    // The date, in ns.
    uint64_t now;
    // Admitted invocations that have not been dispatched to a container, without this request.
    uint64_t waiting;
    // Of these, those of the request's function.
    uint64_t waiting_of_function;
    // Of those that wait, those that have been given a node and wait for their image there. The core that each will take is not
    // among the free ones.
    uint64_t placed;
    // Invocations that run: each holds a core, but for those in instances, whose cores are the instances' own.
    uint64_t running;
    // Of these, those of the request's function.
    uint64_t running_of_function;
    // Free cores of the nodes that are up.
    uint64_t free_cores;
    // The nodes, as node allocation would be shown them for this request.
    const hearth_cluster *cluster;
} hearth_admission_view;

// What happens to a request.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // One of `HEARTH_ADMISSION_…`; `HEARTH_ADMISSION_ADMIT` before the call.
    uint32_t kind;
    // After how many ns it is asked about again, for `HEARTH_ADMISSION_DELAY`.
    uint64_t delay;
    // Why, for `HEARTH_ADMISSION_REJECT`. It must last until the next call for the instance.
    hearth_text reason;
} hearth_admission_answer;

// Which requests are let in.
typedef struct {
    // Size of this table in bytes.
    uint32_t size;
    // Writes how the policy is to be asked, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    uint32_t (*rules)(void *policy, uint32_t *rules);
    // Whether a request is let in.
    uint32_t (*admit)(void *policy,
                      const hearth_request *request,
                      const hearth_admission_view *view,
                      hearth_admission_answer *answer);
    // An attempt has ended, for `HEARTH_RULE_OBSERVES_ENDS`.
    uint32_t (*on_end)(void *policy, const hearth_end *end);
    // A timer has gone off that was set by `wake_at` of the host.
    uint32_t (*on_timer)(void *policy, uint64_t timer, const hearth_cluster *cluster);
    // Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    uint32_t (*on_container)(void *policy, const hearth_container_event *event);
    // There is a workflow, for `HEARTH_RULE_SEES_WORKFLOWS`.
    uint32_t (*on_workflow)(void *policy, const hearth_workflow *workflow);
} hearth_admission;

// A container whose invocation has run to its end.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The date, in ns.
    uint64_t now;
    // The function's number.
    uint32_t function;
    // The node.
    uint32_t node;
    // How long the invocation ran, in ns.
    uint64_t run_time;
    // RAM that the container holds, in bytes.
    uint64_t ram;
    // Idle containers of the function on the node, this one included.
    uint32_t idle_of_function;
    // What has come of each function, by number; empty unless the rules of the policy ask for it.
    hearth_function_histories histories;
} hearth_completion;

// What becomes of an idle container.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // Not used yet: 0.
    uint32_t reserved;
    // How long it is kept, in ns; 0, as before the call, ends it at once, and `UINT64_MAX` keeps it.
    uint64_t keep_for;
} hearth_retention;

// A container to be started ahead of the next request.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // Not used yet: 0.
    uint32_t reserved;
    // How long after the completion its start begins, in ns; `UINT64_MAX`, as before the call, is never.
    uint64_t after;
    // How long it is kept from the end of its start unless it is used or evicted before, in ns; `UINT64_MAX` keeps it.
    uint64_t keep_for;
} hearth_prewarming;

// How long idle containers stay.
typedef struct {
    // Size of this table in bytes.
    uint32_t size;
    // Writes how the policy is to be told, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    uint32_t (*rules)(void *policy, uint32_t *rules);
    // A container has become idle.
    uint32_t (*on_idle)(void *policy, const hearth_completion *completion, hearth_retention *answer);
    // A request was submitted, for `HEARTH_RULE_OBSERVES_ARRIVALS`.
    uint32_t (*on_arrival)(void *policy, uint32_t function, uint64_t now);
    // Whether a container is started later for the next request; null is never.
    uint32_t (*prewarm)(void *policy, const hearth_completion *completion, hearth_prewarming *answer);
    // A timer has gone off that was set by `wake_at` of the host.
    uint32_t (*on_timer)(void *policy, uint64_t timer, const hearth_cluster *cluster);
    // Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    uint32_t (*on_container)(void *policy, const hearth_container_event *event);
    // There is a workflow, for `HEARTH_RULE_SEES_WORKFLOWS`.
    uint32_t (*on_workflow)(void *policy, const hearth_workflow *workflow);
} hearth_keep_alive;

// How it stands with a function that is served by instances, when its autoscaler is asked.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The function's number.
    uint32_t function;
    // The date, in ns.
    uint64_t now;
    // How many requests an instance serves at once at the most; HEARTH_NONE is without limit.
    uint32_t concurrency;
    // How many instances there are at the least.
    uint32_t min_scale;
    // How many instances there are at the most; HEARTH_NONE is any number.
    uint32_t max_scale;
    // Instances that take requests.
    uint32_t ready;
    // Instances that have been asked for and are not up.
    uint32_t starting;
    // Instances that take no more requests and end when theirs have.
    uint32_t stopping;
    // The last answer, within the bounds; `min_scale` before the first.
    uint32_t wanted;
    // Why the policy is asked.
    hearth_scale_cause cause;
    // Requests that wait for an instance.
    uint64_t waiting;
    // Requests in instances.
    uint64_t running;
    // When the first of those that wait was let in, in ns; UINT64_MAX if nobody waits.
    uint64_t waiting_since;
    // Requests let in so far.
    uint64_t arrivals;
    // When the last of them was, in ns; UINT64_MAX before the first.
    uint64_t last_arrival;
    // The integral over time, since the simulation began, of the requests that wait or are in instances, in requests x seconds.
    double in_flight_seconds;
    // The same of those in instances alone.
    double running_seconds;
} hearth_scale_view;

// How many instances there are to be.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // So many; `wanted` of the view before the call. The host holds it between `min_scale` and `max_scale`.
    uint32_t wanted;
} hearth_scale;

// A node of a pool.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The node's number.
    uint32_t node;
    // How it stands with it.
    hearth_node_state state;
    // How many invocations run there, or are to start there.
    uint32_t running;
    // Since when it stands so, in ns.
    uint64_t since;
    // RAM of the node, in bytes.
    uint64_t ram;
    // RAM that containers hold there, or that is promised, in bytes.
    uint64_t used_ram;
    // What idle containers hold of that.
    uint64_t idle_ram;
    // Cores of the node, in millionths.
    uint64_t processors;
    // What is taken of them, in millionths of a core: by invocations, or where processors are shared by the requests of containers.
    uint64_t used_processors;
} hearth_pool_node;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_pool_node *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_pool_nodes;

// Those of one function that have found no place on any node: requests, or instances where the function is served by these.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The function's number.
    uint32_t function;
    // How many there are.
    uint64_t count;
    // Since when the first of them waits, in ns.
    uint64_t since;
    // RAM that each of them needs, in bytes.
    uint64_t ram;
    // Disk that each of them needs, in bytes.
    uint64_t disk;
    // Cores that each of them needs, in millionths.
    uint64_t processors;
} hearth_pending;

// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
// its end, so that they lie further apart.
typedef struct {
    const hearth_pending *data;
    size_t length;
    // From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    size_t stride;
} hearth_pending_all;

// A pool of nodes, when its policy is asked.
typedef struct {
    // Size of this record in bytes, as whoever has made it knows it.
    uint32_t size;
    // The pool's number, from 0 in the order of the scenario.
    uint32_t pool;
    // The date, in ns.
    uint64_t now;
    // How many nodes are on at the least.
    uint32_t min;
    // How many nodes are on at the most.
    uint32_t max;
    // Its nodes, by number.
    hearth_pool_nodes nodes;
    // Who has found no place on any node, by function: of the whole service, as any pool may take them.
    hearth_pending_all pending;
} hearth_node_pool;

// What becomes of the nodes of a pool.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // So many more are to be on; 0 before the call. The host boots no more than `max` of the view allows.
    uint32_t boot;
    // The nodes that are to go off, in this order, down to `min` of the view; none before the call. They must last until the next
    // call for the instance.
    hearth_numbers remove;
} hearth_pool_scale;

// How many instances functions have, and how many nodes pools have. Either of `scale` and `scale_pool` may be null. Since 2.1.
typedef struct {
    // Size of this table in bytes.
    uint32_t size;
    // Writes how the policy is to be asked, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    uint32_t (*rules)(void *policy, uint32_t *rules);
    // Writes how long it is from one tick to the next, in ns: 0 is never, and 2 s stand there before the call. Called once, after
    // `rules`; null is 2 s.
    uint32_t (*period)(void *policy, uint64_t *period);
    // How many instances a function is to have: at a request while there are none, none are wanted and nobody waits; at each tick
    // otherwise; and for `HEARTH_RULE_ASKED_ON_REQUESTS` when a request finds no instance with room.
    uint32_t (*scale)(void *policy, const hearth_scale_view *view, hearth_scale *answer);
    // A timer has gone off that was set by `wake_at` of the host.
    uint32_t (*on_timer)(void *policy, uint64_t timer, const hearth_cluster *cluster);
    // Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    uint32_t (*on_container)(void *policy, const hearth_container_event *event);
    // What becomes of the nodes of a pool, at each tick, for `HEARTH_RULE_SCALES_POOLS`.
    uint32_t (*scale_pool)(void *policy, const hearth_node_pool *pool, hearth_pool_scale *answer);
} hearth_autoscaling;

// A policy: what it is called, what can be set, how it is made, and the roles it has.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // What the policy does not promise, as `HEARTH_NOT_…` added up.
    uint32_t not_promised;
    // The name that scenarios use, in kebab case.
    hearth_text name;
    // Semantic version.
    hearth_text version;
    // One line.
    hearth_text description;
    // What can be set.
    hearth_parameters parameters;
    // Makes an instance from the values of the parameters, in their order, and writes it to `policy`. The instance must be
    // fit to be used by the thread that made it.
    uint32_t (*create)(const hearth_context *context, hearth_values values, void **policy);
    // Ends an instance. Nothing is called for it afterwards.
    void (*destroy)(void *policy);
    // Where an invocation runs, if the policy says that.
    const hearth_node_allocation *node_allocation;
    // Which idle containers or images go, if the policy says that.
    const hearth_eviction *eviction;
    // Which requests are let in, if the policy says that.
    const hearth_admission *admission;
    // How long idle containers stay, if the policy says that.
    const hearth_keep_alive *keep_alive;
    // How many instances functions have, or nodes pools, if the policy says that. Since 2.1.
    const hearth_autoscaling *autoscaling;
} hearth_policy;

// Values next to one another that are lent.
typedef struct {
    const hearth_policy *const *data;
    size_t length;
} hearth_policies;

// What is read of a library before any of its code runs.
typedef struct {
    // Size of this record in bytes.
    uint32_t size;
    // The major version of the interface that the library was built for.
    uint32_t major;
    // The minor version of the interface that the library was built for.
    uint32_t minor;
    // The least minor version of the host that the library can do with.
    uint32_t needs_minor;
    // 1 if a failure that unwinds the stack ends the process (`panic = "abort"`), else 0.
    uint32_t aborts;
    // How many numbers `HEARTH_LAYOUT` had when the library was built.
    uint32_t layout_length;
    // The policies: addresses of records, one behind the other.
    hearth_policies policies;
    // Called once after the library has been opened, before anything else of it; may be null.
    void (*prepare)(void);
    // For libraries in Rust: where `abi_stable`'s description of all records lies. Null in others.
    const void *described;
} hearth_library_header;

// How many numbers HEARTH_LAYOUT has.
#define HEARTH_LAYOUT_LENGTH 470

// For each record its size, how many fields follow, and where each lies.
#define HEARTH_LAYOUT { \
    sizeof(hearth_text), 2, offsetof(hearth_text, data), offsetof(hearth_text, length), \
    sizeof(hearth_numbers), 2, offsetof(hearth_numbers, data), offsetof(hearth_numbers, length), \
    sizeof(hearth_nodes), 3, offsetof(hearth_nodes, data), offsetof(hearth_nodes, length), offsetof(hearth_nodes, stride), \
    sizeof(hearth_value), 3, offsetof(hearth_value, integer), offsetof(hearth_value, number), offsetof(hearth_value, text), \
    sizeof(hearth_node_set), 2, offsetof(hearth_node_set, bits), offsetof(hearth_node_set, summary), \
    sizeof(hearth_library_header), 9, offsetof(hearth_library_header, size), offsetof(hearth_library_header, major), offsetof(hearth_library_header, minor), offsetof(hearth_library_header, needs_minor), offsetof(hearth_library_header, aborts), offsetof(hearth_library_header, layout_length), offsetof(hearth_library_header, policies), offsetof(hearth_library_header, prepare), offsetof(hearth_library_header, described), \
    sizeof(hearth_policy), 13, offsetof(hearth_policy, size), offsetof(hearth_policy, not_promised), offsetof(hearth_policy, name), offsetof(hearth_policy, version), offsetof(hearth_policy, description), offsetof(hearth_policy, parameters), offsetof(hearth_policy, create), offsetof(hearth_policy, destroy), offsetof(hearth_policy, node_allocation), offsetof(hearth_policy, eviction), offsetof(hearth_policy, admission), offsetof(hearth_policy, keep_alive), offsetof(hearth_policy, autoscaling), \
    sizeof(hearth_parameter), 9, offsetof(hearth_parameter, size), offsetof(hearth_parameter, kind), offsetof(hearth_parameter, name), offsetof(hearth_parameter, unit), offsetof(hearth_parameter, help), offsetof(hearth_parameter, min), offsetof(hearth_parameter, max), offsetof(hearth_parameter, default_value), offsetof(hearth_parameter, words), \
    sizeof(hearth_host), 14, offsetof(hearth_host, size), offsetof(hearth_host, fail), offsetof(hearth_host, hold), offsetof(hearth_host, release), offsetof(hearth_host, wake_at), offsetof(hearth_host, start_containers), offsetof(hearth_host, end_containers), offsetof(hearth_host, hedge), offsetof(hearth_host, set_rank), offsetof(hearth_host, take_back), offsetof(hearth_host, keep_between), offsetof(hearth_host, log), offsetof(hearth_host, log_level), offsetof(hearth_host, reserved), \
    sizeof(hearth_context), 9, offsetof(hearth_context, size), offsetof(hearth_context, slot), offsetof(hearth_context, seed), offsetof(hearth_context, nodes), offsetof(hearth_context, node), offsetof(hearth_context, ram), offsetof(hearth_context, disk), offsetof(hearth_context, host), offsetof(hearth_context, handle), \
    sizeof(hearth_node_allocation), 14, offsetof(hearth_node_allocation, size), offsetof(hearth_node_allocation, rules), offsetof(hearth_node_allocation, place), offsetof(hearth_node_allocation, plan), offsetof(hearth_node_allocation, rank), offsetof(hearth_node_allocation, observe), offsetof(hearth_node_allocation, observe_link), offsetof(hearth_node_allocation, on_end), offsetof(hearth_node_allocation, on_delayed_start), offsetof(hearth_node_allocation, on_timer), offsetof(hearth_node_allocation, shed), offsetof(hearth_node_allocation, on_container), offsetof(hearth_node_allocation, on_workflow), offsetof(hearth_node_allocation, source), \
    sizeof(hearth_placement), 7, offsetof(hearth_placement, size), offsetof(hearth_placement, kind), offsetof(hearth_placement, node), offsetof(hearth_placement, container), offsetof(hearth_placement, reason), offsetof(hearth_placement, until), offsetof(hearth_placement, nodes), \
    sizeof(hearth_plan), 3, offsetof(hearth_plan, size), offsetof(hearth_plan, add), offsetof(hearth_plan, sink), \
    sizeof(hearth_plan_item), 6, offsetof(hearth_plan_item, size), offsetof(hearth_plan_item, kind), offsetof(hearth_plan_item, request), offsetof(hearth_plan_item, image), offsetof(hearth_plan_item, node), offsetof(hearth_plan_item, container), \
    sizeof(hearth_eviction), 9, offsetof(hearth_eviction, size), offsetof(hearth_eviction, rules), offsetof(hearth_eviction, insert), offsetof(hearth_eviction, touch), offsetof(hearth_eviction, remove), offsetof(hearth_eviction, choose), offsetof(hearth_eviction, created), offsetof(hearth_eviction, ended), offsetof(hearth_eviction, on_timer), \
    sizeof(hearth_victims), 4, offsetof(hearth_victims, size), offsetof(hearth_victims, offer), offsetof(hearth_victims, sink), offsetof(hearth_victims, also), \
    sizeof(hearth_admission), 7, offsetof(hearth_admission, size), offsetof(hearth_admission, rules), offsetof(hearth_admission, admit), offsetof(hearth_admission, on_end), offsetof(hearth_admission, on_timer), offsetof(hearth_admission, on_container), offsetof(hearth_admission, on_workflow), \
    sizeof(hearth_admission_answer), 4, offsetof(hearth_admission_answer, size), offsetof(hearth_admission_answer, kind), offsetof(hearth_admission_answer, delay), offsetof(hearth_admission_answer, reason), \
    sizeof(hearth_keep_alive), 8, offsetof(hearth_keep_alive, size), offsetof(hearth_keep_alive, rules), offsetof(hearth_keep_alive, on_idle), offsetof(hearth_keep_alive, on_arrival), offsetof(hearth_keep_alive, prewarm), offsetof(hearth_keep_alive, on_timer), offsetof(hearth_keep_alive, on_container), offsetof(hearth_keep_alive, on_workflow), \
    sizeof(hearth_retention), 3, offsetof(hearth_retention, size), offsetof(hearth_retention, reserved), offsetof(hearth_retention, keep_for), \
    sizeof(hearth_prewarming), 4, offsetof(hearth_prewarming, size), offsetof(hearth_prewarming, reserved), offsetof(hearth_prewarming, after), offsetof(hearth_prewarming, keep_for), \
    sizeof(hearth_node), 15, offsetof(hearth_node, size), offsetof(hearth_node, cores), offsetof(hearth_node, free_cores), offsetof(hearth_node, running), offsetof(hearth_node, idle_containers), offsetof(hearth_node, queued), offsetof(hearth_node, speed), offsetof(hearth_node, ram), offsetof(hearth_node, free_ram), offsetof(hearth_node, idle_ram), offsetof(hearth_node, unused_image_ram), offsetof(hearth_node, disk), offsetof(hearth_node, free_disk), offsetof(hearth_node, idle_disk), offsetof(hearth_node, unused_image_disk), \
    sizeof(hearth_link), 4, offsetof(hearth_link, size), offsetof(hearth_link, link), offsetof(hearth_link, share), offsetof(hearth_link, nodes), \
    sizeof(hearth_request), 16, offsetof(hearth_request, size), offsetof(hearth_request, attempt), offsetof(hearth_request, invocation), offsetof(hearth_request, function), offsetof(hearth_request, image), offsetof(hearth_request, task), offsetof(hearth_request, workflow), offsetof(hearth_request, run), offsetof(hearth_request, requested_at), offsetof(hearth_request, submitted_at), offsetof(hearth_request, deadline), offsetof(hearth_request, time_limit), offsetof(hearth_request, ram_limit), offsetof(hearth_request, disk_limit), offsetof(hearth_request, startup_overhead), offsetof(hearth_request, key), \
    sizeof(hearth_cluster), 13, offsetof(hearth_cluster, size), offsetof(hearth_cluster, now), offsetof(hearth_cluster, waiting), offsetof(hearth_cluster, nodes), offsetof(hearth_cluster, up), offsetof(hearth_cluster, free_core), offsetof(hearth_cluster, idle_container), offsetof(hearth_cluster, image_in_ram), offsetof(hearth_cluster, image_loading), offsetof(hearth_cluster, image_on_disk), offsetof(hearth_cluster, image_copying), offsetof(hearth_cluster, histories), offsetof(hearth_cluster, containers), \
    sizeof(hearth_function), 11, offsetof(hearth_function, size), offsetof(hearth_function, function), offsetof(hearth_function, image), offsetof(hearth_function, time_limit), offsetof(hearth_function, ram_limit), offsetof(hearth_function, disk_limit), offsetof(hearth_function, idle_containers), offsetof(hearth_function, image_in_ram), offsetof(hearth_function, image_loading), offsetof(hearth_function, image_on_disk), offsetof(hearth_function, image_copying), \
    sizeof(hearth_batch), 8, offsetof(hearth_batch, size), offsetof(hearth_batch, now), offsetof(hearth_batch, nodes), offsetof(hearth_batch, up), offsetof(hearth_batch, queue), offsetof(hearth_batch, functions), offsetof(hearth_batch, histories), offsetof(hearth_batch, containers), \
    sizeof(hearth_end), 14, offsetof(hearth_end, size), offsetof(hearth_end, attempt), offsetof(hearth_end, now), offsetof(hearth_end, invocation), offsetof(hearth_end, function), offsetof(hearth_end, node), offsetof(hearth_end, container), offsetof(hearth_end, start), offsetof(hearth_end, ending), offsetof(hearth_end, idle_of_function), offsetof(hearth_end, started_at), offsetof(hearth_end, run_time), offsetof(hearth_end, ram), offsetof(hearth_end, key), \
    sizeof(hearth_item), 8, offsetof(hearth_item, size), offsetof(hearth_item, id), offsetof(hearth_item, function), offsetof(hearth_item, ram), offsetof(hearth_item, disk), offsetof(hearth_item, cost), offsetof(hearth_item, since), offsetof(hearth_item, expires), \
    sizeof(hearth_need), 4, offsetof(hearth_need, size), offsetof(hearth_need, now), offsetof(hearth_need, ram), offsetof(hearth_need, disk), \
    sizeof(hearth_admission_view), 10, offsetof(hearth_admission_view, size), offsetof(hearth_admission_view, delays), offsetof(hearth_admission_view, now), offsetof(hearth_admission_view, waiting), offsetof(hearth_admission_view, waiting_of_function), offsetof(hearth_admission_view, placed), offsetof(hearth_admission_view, running), offsetof(hearth_admission_view, running_of_function), offsetof(hearth_admission_view, free_cores), offsetof(hearth_admission_view, cluster), \
    sizeof(hearth_completion), 8, offsetof(hearth_completion, size), offsetof(hearth_completion, now), offsetof(hearth_completion, function), offsetof(hearth_completion, node), offsetof(hearth_completion, run_time), offsetof(hearth_completion, ram), offsetof(hearth_completion, idle_of_function), offsetof(hearth_completion, histories), \
    sizeof(hearth_delayed_start), 8, offsetof(hearth_delayed_start, size), offsetof(hearth_delayed_start, attempt), offsetof(hearth_delayed_start, now), offsetof(hearth_delayed_start, invocation), offsetof(hearth_delayed_start, function), offsetof(hearth_delayed_start, node), offsetof(hearth_delayed_start, container), offsetof(hearth_delayed_start, key), \
    sizeof(hearth_function_history), 14, offsetof(hearth_function_history, size), offsetof(hearth_function_history, busy), offsetof(hearth_function_history, idle), offsetof(hearth_function_history, starting), offsetof(hearth_function_history, waiting), offsetof(hearth_function_history, waiting_since), offsetof(hearth_function_history, arrivals), offsetof(hearth_function_history, last_arrival), offsetof(hearth_function_history, completed), offsetof(hearth_function_history, runs), offsetof(hearth_function_history, mean_run_time), offsetof(hearth_function_history, recent_run_time), offsetof(hearth_function_history, cold_starts), offsetof(hearth_function_history, mean_start_time), \
    sizeof(hearth_queue), 8, offsetof(hearth_queue, size), offsetof(hearth_queue, now), offsetof(hearth_queue, waiting), offsetof(hearth_queue, heads), offsetof(hearth_queue, lengths), offsetof(hearth_queue, nodes), offsetof(hearth_queue, free_core), offsetof(hearth_queue, histories), \
    sizeof(hearth_container_event), 8, offsetof(hearth_container_event, size), offsetof(hearth_container_event, change), offsetof(hearth_container_event, now), offsetof(hearth_container_event, node), offsetof(hearth_container_event, container), offsetof(hearth_container_event, function), offsetof(hearth_container_event, ram), offsetof(hearth_container_event, disk), \
    sizeof(hearth_task), 5, offsetof(hearth_task, size), offsetof(hearth_task, function), offsetof(hearth_task, instances), offsetof(hearth_task, after), offsetof(hearth_task, followers), \
    sizeof(hearth_workflow), 4, offsetof(hearth_workflow, size), offsetof(hearth_workflow, workflow), offsetof(hearth_workflow, deadline), offsetof(hearth_workflow, tasks), \
    sizeof(hearth_copy), 9, offsetof(hearth_copy, size), offsetof(hearth_copy, image), offsetof(hearth_copy, now), offsetof(hearth_copy, bytes), offsetof(hearth_copy, node), offsetof(hearth_copy, is_on_head), offsetof(hearth_copy, sending_of_head), offsetof(hearth_copy, holders), offsetof(hearth_copy, sending), \
    sizeof(hearth_shed), 3, offsetof(hearth_shed, size), offsetof(hearth_shed, head), offsetof(hearth_shed, reason), \
    sizeof(hearth_container), 11, offsetof(hearth_container, size), offsetof(hearth_container, container), offsetof(hearth_container, function), offsetof(hearth_container, state), offsetof(hearth_container, invocation), offsetof(hearth_container, attempt), offsetof(hearth_container, created), offsetof(hearth_container, since), offsetof(hearth_container, expires), offsetof(hearth_container, ram), offsetof(hearth_container, disk), \
    sizeof(hearth_containers_of), 2, offsetof(hearth_containers_of, context), offsetof(hearth_containers_of, of), \
    sizeof(hearth_autoscaling), 7, offsetof(hearth_autoscaling, size), offsetof(hearth_autoscaling, rules), offsetof(hearth_autoscaling, period), offsetof(hearth_autoscaling, scale), offsetof(hearth_autoscaling, on_timer), offsetof(hearth_autoscaling, on_container), offsetof(hearth_autoscaling, scale_pool), \
    sizeof(hearth_scale), 2, offsetof(hearth_scale, size), offsetof(hearth_scale, wanted), \
    sizeof(hearth_scale_view), 18, offsetof(hearth_scale_view, size), offsetof(hearth_scale_view, function), offsetof(hearth_scale_view, now), offsetof(hearth_scale_view, concurrency), offsetof(hearth_scale_view, min_scale), offsetof(hearth_scale_view, max_scale), offsetof(hearth_scale_view, ready), offsetof(hearth_scale_view, starting), offsetof(hearth_scale_view, stopping), offsetof(hearth_scale_view, wanted), offsetof(hearth_scale_view, cause), offsetof(hearth_scale_view, waiting), offsetof(hearth_scale_view, running), offsetof(hearth_scale_view, waiting_since), offsetof(hearth_scale_view, arrivals), offsetof(hearth_scale_view, last_arrival), offsetof(hearth_scale_view, in_flight_seconds), offsetof(hearth_scale_view, running_seconds), \
    sizeof(hearth_pool_scale), 3, offsetof(hearth_pool_scale, size), offsetof(hearth_pool_scale, boot), offsetof(hearth_pool_scale, remove), \
    sizeof(hearth_node_pool), 7, offsetof(hearth_node_pool, size), offsetof(hearth_node_pool, pool), offsetof(hearth_node_pool, now), offsetof(hearth_node_pool, min), offsetof(hearth_node_pool, max), offsetof(hearth_node_pool, nodes), offsetof(hearth_node_pool, pending), \
    sizeof(hearth_pool_node), 10, offsetof(hearth_pool_node, size), offsetof(hearth_pool_node, node), offsetof(hearth_pool_node, state), offsetof(hearth_pool_node, running), offsetof(hearth_pool_node, since), offsetof(hearth_pool_node, ram), offsetof(hearth_pool_node, used_ram), offsetof(hearth_pool_node, idle_ram), offsetof(hearth_pool_node, processors), offsetof(hearth_pool_node, used_processors), \
    sizeof(hearth_pending), 7, offsetof(hearth_pending, size), offsetof(hearth_pending, function), offsetof(hearth_pending, count), offsetof(hearth_pending, since), offsetof(hearth_pending, ram), offsetof(hearth_pending, disk), offsetof(hearth_pending, processors), \
}

// The same as a constant, for languages that cannot read the macro.
static const uint16_t hearth_layout[HEARTH_LAYOUT_LENGTH] = HEARTH_LAYOUT;

// Text that lasts, for records that do.
#define HEARTH_TEXT(literal) { literal, sizeof(literal) - 1 }

// The records of an array that lasts, as `hearth_parameters`.
#define HEARTH_RECORDS(array) { array, sizeof(array) / sizeof *(array), sizeof *(array) }

// A value of a parameter, for its range and its default.
#define HEARTH_INTEGER(value) { value, 0, { NULL, 0 } }
#define HEARTH_NUMBER(value) { 0, value, { NULL, 0 } }

// The least minor version of the host that the library can do with. One that looks at the size of a record before it reads a
// field that came later may define a lower one before it includes this file.
#ifndef HEARTH_NEEDS_MINOR
#define HEARTH_NEEDS_MINOR HEARTH_INTERFACE_MINOR
#endif

// What the entry symbol of a library stands for.
typedef struct {
    hearth_library_header header;
    uint16_t layout[HEARTH_LAYOUT_LENGTH];
} hearth_library;

#if defined(_WIN32)
#define HEARTH_VISIBLE __declspec(dllexport)
#else
#define HEARTH_VISIBLE __attribute__((visibility("default")))
#endif
#ifdef __cplusplus
#define HEARTH_EXTERN extern "C"
#else
#define HEARTH_EXTERN extern
#endif

// Exports policies: addresses of records, with commas between. Once a library.
#define HEARTH_EXPORT_POLICIES(...) \
    static const hearth_policy *const hearth_exported[] = { __VA_ARGS__ }; \
    HEARTH_EXTERN HEARTH_VISIBLE const hearth_library hearth_policies_2; \
    const hearth_library hearth_policies_2 = { \
        { sizeof(hearth_library_header), HEARTH_INTERFACE_MAJOR, HEARTH_INTERFACE_MINOR, HEARTH_NEEDS_MINOR, 0, \
          HEARTH_LAYOUT_LENGTH, { hearth_exported, sizeof hearth_exported / sizeof *hearth_exported }, NULL, NULL }, \
        HEARTH_LAYOUT }

// Tells the host why a call fails; a call ends with `return hearth_fail(&context, "…")`. The context is a copy of the one that
// `create` was called with.
static inline uint32_t hearth_fail(const hearth_context *context, const char *cause) {
    hearth_text text = { cause, 0 };
    while (cause[text.length] != 0) text.length++;
    context->host->fail(context->handle, text);
    return HEARTH_FAILED;
}

// Whether somebody reads what is logged at this level, one of HEARTH_LOG_…. Hosts of 2.0 have no log.
static inline int hearth_logs(const hearth_context *context, uint32_t level) {
    return offsetof(hearth_host, log_level) < context->host->size && level <= context->host->log_level;
}

// Writes a line into the log of the run, if somebody reads it.
static inline void hearth_log(const hearth_context *context, uint32_t level, const char *line) {
    hearth_text text = { line, 0 };
    if (!hearth_logs(context, level)) return;
    while (line[text.length] != 0) text.length++;
    context->host->log(context->handle, level, text);
}

// The node of this number. It must be below `nodes.length`.
static inline const hearth_node *hearth_node_at(const hearth_nodes *nodes, uint32_t node) {
    return (const hearth_node *)((const char *)nodes->data + node * nodes->stride);
}

// The request in this position of a batch's queue. It must be below `queue.length`.
static inline const hearth_request *hearth_request_at(const hearth_requests *queue, uint32_t position) {
    return (const hearth_request *)((const char *)queue->data + position * queue->stride);
}

// The containers of a node, by number; none of a node that is not there. For languages that cannot call through an address in a
// record.
static inline hearth_containers hearth_containers_on(const hearth_containers_of *containers, uint32_t node) {
    return containers->of(containers->context, node);
}

// The container in this position of a list. It must be below `containers.length`.
static inline const hearth_container *hearth_container_at(const hearth_containers *containers, uint32_t position) {
    return (const hearth_container *)((const char *)containers->data + position * containers->stride);
}

// Whether a node is in a set.
static inline int hearth_contains(const hearth_node_set *set, uint32_t node) {
    size_t word = set->summary + node / 64;
    return word < set->bits.length && (set->bits.data[word] >> (node % 64) & 1) != 0;
}

// The position of the lowest one of a word that is not 0.
static inline uint32_t hearth_lowest(uint64_t word) {
#if (defined(__GNUC__) || defined(__clang__)) && !defined(__Aro__)
    return (uint32_t)__builtin_ctzll(word);
#else
    // Half of what is left in each step. For compilers without the above, and for `zig translate-c`, which does not know it.
    uint32_t position = 0;
    for (uint32_t half = 32; half != 0; half /= 2) {
        if ((word >> position & (((uint64_t)1 << half) - 1)) == 0) position += half;
    }
    return position;
#endif
}

// The lowest-numbered node from `from` on that is in both sets, or HEARTH_NONE. To walk a set, name it twice and go on from the
// node behind the last one.
static inline uint32_t hearth_next(const hearth_node_set *one, const hearth_node_set *other, uint32_t from) {
    size_t summary = one->summary < other->summary ? one->summary : other->summary;
    for (size_t block = from / 64 / 64; block < summary; block++) {
        uint64_t words = one->bits.data[block] & other->bits.data[block];
        if (block == from / 64 / 64) words &= ~(uint64_t)0 << (from / 64 % 64);
        for (; words != 0; words &= words - 1) {
            size_t word = block * 64 + hearth_lowest(words);
            uint64_t nodes = one->bits.data[one->summary + word] & other->bits.data[other->summary + word];
            if (word == from / 64) nodes &= ~(uint64_t)0 << (from % 64);
            if (nodes != 0) return (uint32_t)(word * 64) + hearth_lowest(nodes);
        }
    }
    return HEARTH_NONE;
}

// Whether a new container of the request has room on a node now, without any eviction.
static inline int hearth_has_room(const hearth_node *node, const hearth_request *request) {
    return node->free_ram >= request->ram_limit && node->free_disk >= request->disk_limit;
}

// Whether a new container of the request would have room once idle containers and unused images are evicted.
static inline int hearth_can_make_room(const hearth_node *node, const hearth_request *request) {
    return node->free_ram + node->idle_ram + node->unused_image_ram >= request->ram_limit
        && node->free_disk + node->idle_disk + node->unused_image_disk >= request->disk_limit;
}

// Whether a request would find its place now: whether a node with a free core has an idle container of its function or could
// make room for a new one, and more cores are free than invocations wait for one.
static inline int hearth_has_place_for(const hearth_admission_view *view, const hearth_request *request) {
    const hearth_cluster *cluster = view->cluster;
    uint64_t wait_for_core = view->waiting > view->placed ? view->waiting - view->placed : 0;
    if (wait_for_core >= view->free_cores) return 0;
    for (uint32_t node = hearth_next(&cluster->free_core, &cluster->free_core, 0); node != HEARTH_NONE;
         node = hearth_next(&cluster->free_core, &cluster->free_core, node + 1)) {
        if (hearth_contains(&cluster->idle_container, node)) return 1;
        if (hearth_can_make_room(hearth_node_at(&cluster->nodes, node), request)) return 1;
    }
    return 0;
}

// Offers a victim; answers one of HEARTH_OFFER_…. For languages that cannot call through an address in a record.
static inline uint32_t hearth_offer_victim(const hearth_victims *victims, uint32_t id) {
    return victims->offer(victims->sink, id);
}

// Adds a decision to a plan; likewise.
static inline void hearth_add_to_plan(const hearth_plan *plan, const hearth_plan_item *item) { plan->add(plan->sink, item); }

#endif  /* HEARTH_POLICY_H */
