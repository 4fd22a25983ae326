// A policy of each kind in C: the built-in first-fit, lru, queue-limit, fixed and concurrency, to the byte.
//
// Build it in this folder, and put one of its policies into a slot of a scenario:
//
//     cc -O2 -shared -fPIC -I ../../../policy-api/include -o policies.so policies.c
//     hearth run SCENARIO --policy node_allocation=./policies.so
//
// Each call answers HEARTH_OK, or says by hearth_fail why it cannot. Nothing is freed but by `destroy`.

#include "hearth_policy.h"

#include <stdio.h>
#include <stdlib.h>

// ---- Node allocation: the first node with a free core and an idle container of the function, or else with room.

// An instance is whatever the policy wants; this one remembers nothing, but an address that is not null must be there.
static uint32_t first_fit_create(const hearth_context *context, hearth_values values, void **policy) {
    static char nothing;
    (void)context, (void)values;
    *policy = &nothing;
    return HEARTH_OK;
}

static void first_fit_destroy(void *policy) { (void)policy; }

static void place_on(hearth_placement *answer, uint32_t node) {
    answer->kind = HEARTH_PLACEMENT_NODE;
    answer->node = node;
}

static uint32_t first_fit_place(void *policy, const hearth_request *request, const hearth_cluster *cluster,
                                hearth_placement *answer) {
    (void)policy;
    const hearth_node_set *free_core = &cluster->free_core;
    uint32_t warm = hearth_next(free_core, &cluster->idle_container, 0), evicting = HEARTH_NONE;
    if (warm != HEARTH_NONE) {
        place_on(answer, warm);
        return HEARTH_OK;
    }
    for (uint32_t node = hearth_next(free_core, free_core, 0); node != HEARTH_NONE;
         node = hearth_next(free_core, free_core, node + 1)) {
        const hearth_node *view = hearth_node_at(&cluster->nodes, node);
        if (hearth_has_room(view, request)) {
            place_on(answer, node);
            return HEARTH_OK;
        }
        if (evicting == HEARTH_NONE && hearth_can_make_room(view, request)) evicting = node;
    }
    // The answer says HEARTH_PLACEMENT_WAIT before the call.
    if (evicting != HEARTH_NONE) place_on(answer, evicting);
    return HEARTH_OK;
}

static const hearth_node_allocation first_fit_functions = {
    .size = sizeof(hearth_node_allocation),
    .place = first_fit_place,
};

static const hearth_policy first_fit = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("first-fit"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("the first node with a free core, warm ones before others"),
    .create = first_fit_create,
    .destroy = first_fit_destroy,
    .node_allocation = &first_fit_functions,
};

// ---- Eviction: the least recently used.

// Items are numbered densely, so a list in arrays will do. Number 0 of the list is its head; item i is number i + 1.
typedef struct {
    hearth_context context;
    int use_counts;
    uint32_t *before, *after;
    // Whether an item is in the list, and whether it can be evicted: a container that runs stays in its place.
    unsigned char *is_listed, *is_here;
    size_t capacity;
} lru_policy;

static uint32_t lru_create(const hearth_context *context, hearth_values values, void **policy) {
    lru_policy *lru = calloc(1, sizeof *lru);
    if (lru == NULL) return hearth_fail(context, "there is no memory left");
    // The context itself is there during this call alone.
    lru->context = *context;
    // The words are "use" and "load"; the value is the position of one.
    lru->use_counts = values.data[0].integer == 0;
    *policy = lru;
    return HEARTH_OK;
}

static void lru_destroy(void *policy) {
    lru_policy *lru = policy;
    free(lru->before), free(lru->after), free(lru->is_listed), free(lru->is_here), free(lru);
}

static uint32_t lru_rules(void *policy, uint32_t *rules) {
    (void)policy;
    *rules = HEARTH_RULE_HEARS_LATE;
    return HEARTH_OK;
}

// Makes room for item `id`; 0 if there is no memory left.
static int lru_grow(lru_policy *lru, uint32_t id) {
    size_t capacity = lru->capacity == 0 ? 64 : lru->capacity;
    while (capacity <= (size_t)id + 1) capacity *= 2;
    if (capacity == lru->capacity) return 1;
    uint32_t *before = realloc(lru->before, capacity * sizeof *before);
    if (before != NULL) lru->before = before;
    uint32_t *after = realloc(lru->after, capacity * sizeof *after);
    if (after != NULL) lru->after = after;
    unsigned char *is_listed = realloc(lru->is_listed, capacity);
    if (is_listed != NULL) lru->is_listed = is_listed;
    unsigned char *is_here = realloc(lru->is_here, capacity);
    if (is_here != NULL) lru->is_here = is_here;
    if (before == NULL || after == NULL || is_listed == NULL || is_here == NULL) return 0;
    for (size_t item = lru->capacity; item < capacity; item++) before[item] = after[item] = is_listed[item] = is_here[item] = 0;
    lru->capacity = capacity;
    return 1;
}

static void lru_unlink(lru_policy *lru, uint32_t number) {
    lru->after[lru->before[number]] = lru->after[number];
    lru->before[lru->after[number]] = lru->before[number];
    lru->is_listed[number] = 0;
}

// Makes an item the most recently used one.
static void lru_promote(lru_policy *lru, uint32_t number) {
    if (lru->is_listed[number]) lru_unlink(lru, number);
    uint32_t last = lru->before[0];
    lru->before[number] = last, lru->after[number] = 0;
    lru->after[last] = number, lru->before[0] = number;
    lru->is_listed[number] = 1;
}

static uint32_t lru_insert(void *policy, const hearth_item *item) {
    lru_policy *lru = policy;
    if (!lru_grow(lru, item->id)) return hearth_fail(&lru->context, "there is no memory left");
    lru_promote(lru, item->id + 1);
    lru->is_here[item->id + 1] = 1;
    return HEARTH_OK;
}

static int lru_knows(const lru_policy *lru, uint32_t id) { return (size_t)id + 1 < lru->capacity && lru->is_listed[id + 1]; }

static uint32_t lru_touch(void *policy, uint32_t id, hearth_touch touch, uint64_t now) {
    (void)now;
    lru_policy *lru = policy;
    if ((touch == HEARTH_TOUCH_LOAD || lru->use_counts) && lru_knows(lru, id)) lru_promote(lru, id + 1);
    return HEARTH_OK;
}

static uint32_t lru_remove(void *policy, uint32_t id, hearth_removal removal, uint64_t now) {
    (void)now;
    lru_policy *lru = policy;
    if (!lru_knows(lru, id)) return HEARTH_OK;
    lru->is_here[id + 1] = 0;
    if (removal != HEARTH_REMOVAL_TAKEN) lru_unlink(lru, id + 1);
    return HEARTH_OK;
}

static uint32_t lru_choose(void *policy, const hearth_need *need, const hearth_victims *victims) {
    lru_policy *lru = policy;
    (void)need;
    if (lru->capacity == 0) return HEARTH_OK;
    for (uint32_t number = lru->after[0]; number != 0; number = lru->after[number]) {
        if (lru->is_here[number] && hearth_offer_victim(victims, number - 1) == HEARTH_OFFER_ENOUGH) break;
    }
    return HEARTH_OK;
}

static const hearth_text lru_words[] = { HEARTH_TEXT("use"), HEARTH_TEXT("load") };

static const hearth_parameter lru_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_CHOICE,
        .name = HEARTH_TEXT("touch"),
        .help = HEARTH_TEXT("what counts as using an image: running a container of it, or only loading it"),
        .words = { lru_words, 2 },
    },
};

static const hearth_eviction lru_functions = {
    .size = sizeof(hearth_eviction),
    .rules = lru_rules,
    .insert = lru_insert,
    .touch = lru_touch,
    .remove = lru_remove,
    .choose = lru_choose,
};

static const hearth_policy lru = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("lru"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("the least recently used first"),
    .parameters = HEARTH_RECORDS(lru_parameters),
    .create = lru_create,
    .destroy = lru_destroy,
    .eviction = &lru_functions,
};

// ---- Admission: a request that would have to wait is rejected when too many wait already.

typedef struct {
    uint64_t limit, per_function;
    // The reason of the last rejection, which must last until the next call.
    char reason[96];
} queue_limit_policy;

static uint32_t queue_limit_create(const hearth_context *context, hearth_values values, void **policy) {
    queue_limit_policy *limits = calloc(1, sizeof *limits);
    if (limits == NULL) return hearth_fail(context, "there is no memory left");
    limits->limit = values.data[0].integer;
    limits->per_function = values.data[1].integer;
    *policy = limits;
    return HEARTH_OK;
}

static uint32_t queue_limit_admit(void *policy, const hearth_request *request, const hearth_admission_view *view,
                                  hearth_admission_answer *answer) {
    queue_limit_policy *limits = policy;
    int is_full = view->waiting >= limits->limit, is_full_of_function = view->waiting_of_function >= limits->per_function;
    if ((!is_full && !is_full_of_function) || hearth_has_place_for(view, request)) return HEARTH_OK;
    int length = is_full ? snprintf(limits->reason, sizeof limits->reason, "%llu invocations wait, the limit is %llu",
                                    (unsigned long long)view->waiting, (unsigned long long)limits->limit)
                         : snprintf(limits->reason, sizeof limits->reason,
                                    "%llu invocations of the function wait, the limit is %llu",
                                    (unsigned long long)view->waiting_of_function, (unsigned long long)limits->per_function);
    answer->kind = HEARTH_ADMISSION_REJECT;
    answer->reason.data = limits->reason;
    answer->reason.length = (size_t)length;
    return HEARTH_OK;
}

static const hearth_parameter queue_limit_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_INTEGER,
        .name = HEARTH_TEXT("limit"),
        .unit = HEARTH_TEXT("invocations"),
        .help = HEARTH_TEXT("how many may wait"),
        .max = HEARTH_INTEGER(UINT64_MAX),
        .default_value = HEARTH_INTEGER(1000),
    },
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_INTEGER,
        .name = HEARTH_TEXT("per_function"),
        .unit = HEARTH_TEXT("invocations"),
        .help = HEARTH_TEXT("how many of one function may wait"),
        .max = HEARTH_INTEGER(UINT64_MAX),
        .default_value = HEARTH_INTEGER(UINT64_MAX),
    },
};

static const hearth_admission queue_limit_functions = {
    .size = sizeof(hearth_admission),
    .admit = queue_limit_admit,
};

static const hearth_policy queue_limit = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("queue-limit"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("rejects requests when too many wait"),
    .parameters = HEARTH_RECORDS(queue_limit_parameters),
    .create = queue_limit_create,
    .destroy = free,
    .admission = &queue_limit_functions,
};

// ---- Keep-alive: as long for all.

static uint32_t fixed_create(const hearth_context *context, hearth_values values, void **policy) {
    uint64_t *timeout = malloc(sizeof *timeout);
    if (timeout == NULL) return hearth_fail(context, "there is no memory left");
    *timeout = values.data[0].integer;
    *policy = timeout;
    return HEARTH_OK;
}

static uint32_t fixed_on_idle(void *policy, const hearth_completion *completion, hearth_retention *answer) {
    (void)completion;
    answer->keep_for = *(const uint64_t *)policy;
    return HEARTH_OK;
}

static const hearth_parameter fixed_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_DURATION,
        .name = HEARTH_TEXT("timeout"),
        .unit = HEARTH_TEXT("s"),
        .help = HEARTH_TEXT("how long an idle container is kept"),
        .default_value = HEARTH_INTEGER(600000000000),
    },
};

static const hearth_keep_alive fixed_functions = {
    .size = sizeof(hearth_keep_alive),
    .on_idle = fixed_on_idle,
};

static const hearth_policy fixed = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("fixed"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("keeps idle containers for a fixed time"),
    .parameters = HEARTH_RECORDS(fixed_parameters),
    .create = fixed_create,
    .destroy = free,
    .keep_alive = &fixed_functions,
};

// ---- Autoscaling: as many instances as the requests in flight fill.

typedef struct {
    double target, unlimited;
    // In ns.
    uint64_t period;
} concurrency_policy;

static uint32_t concurrency_create(const hearth_context *context, hearth_values values, void **policy) {
    if (values.data[2].integer == 0) return hearth_fail(context, "the parameter period must be more than 0, or nothing would ever shrink");
    concurrency_policy *settings = malloc(sizeof *settings);
    if (settings == NULL) return hearth_fail(context, "there is no memory left");
    settings->target = values.data[0].number;
    settings->unlimited = values.data[1].number;
    settings->period = values.data[2].integer;
    *policy = settings;
    return HEARTH_OK;
}

static uint32_t concurrency_rules(void *policy, uint32_t *rules) {
    (void)policy;
    *rules = HEARTH_RULE_ASKED_ON_REQUESTS;
    return HEARTH_OK;
}

static uint32_t concurrency_period(void *policy, uint64_t *period) {
    *period = ((const concurrency_policy *)policy)->period;
    return HEARTH_OK;
}

static uint32_t concurrency_scale(void *policy, const hearth_scale_view *view, hearth_scale *answer) {
    const concurrency_policy *settings = policy;
    double target = view->concurrency == HEARTH_NONE ? settings->unlimited : view->concurrency == 0 ? 1.0 : view->concurrency;
    if (settings->target > 0.0) target = settings->target;
    double filled = (double)(view->waiting + view->running) / target;
    // There are a million instances at the most.
    uint32_t wanted = filled < 1e6 ? (uint32_t)filled : 1000000;
    if (wanted < filled && wanted < 1000000) wanted++;
    // Only a tick has instances end. The answer says `wanted` of the view before the call.
    if (view->cause == HEARTH_SCALE_CAUSE_TICK || wanted > answer->wanted) answer->wanted = wanted;
    return HEARTH_OK;
}

static const hearth_autoscaling concurrency_functions = {
    .size = sizeof(hearth_autoscaling),
    .rules = concurrency_rules,
    .period = concurrency_period,
    .scale = concurrency_scale,
};

static const hearth_parameter concurrency_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_NUMBER,
        .name = HEARTH_TEXT("target"),
        .unit = HEARTH_TEXT("requests"),
        .help = HEARTH_TEXT("how many requests there are to be in flight for each instance; 0 for as many as it serves"),
        .max = HEARTH_NUMBER(1000000.0),
    },
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_NUMBER,
        .name = HEARTH_TEXT("unlimited"),
        .unit = HEARTH_TEXT("requests"),
        .help = HEARTH_TEXT("how many where an instance serves any number"),
        .min = HEARTH_NUMBER(0.01),
        .max = HEARTH_NUMBER(1000000.0),
        .default_value = HEARTH_NUMBER(100.0),
    },
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_DURATION,
        .name = HEARTH_TEXT("period"),
        .unit = HEARTH_TEXT("s"),
        .help = HEARTH_TEXT("how long it is from one tick to the next"),
        .default_value = HEARTH_INTEGER(2000000000),
    },
};

static const hearth_policy concurrency = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("concurrency"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("as many instances as the requests in flight fill"),
    .parameters = HEARTH_RECORDS(concurrency_parameters),
    .create = concurrency_create,
    .destroy = free,
    .autoscaling = &concurrency_functions,
};

// ---- What the library exports.

HEARTH_EXPORT_POLICIES(&first_fit, &lru, &queue_limit, &fixed, &concurrency);
