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
