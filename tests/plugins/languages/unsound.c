// A node allocation policy that does one thing wrong, which is chosen when it is compiled: tests/plugins/languages.rs.

#include "hearth_policy.h"

#ifndef NAME
#define NAME "unsound"
#endif

static uint32_t create(const hearth_context *context, hearth_values values, void **policy) {
    static hearth_context kept;
    (void)values;
#ifdef CREATE_FAILS
    return hearth_fail(context, "it does not want to");
#endif
    kept = *context;
    *policy = &kept;
    return HEARTH_OK;
}

static void destroy(void *policy) { (void)policy; }

static uint32_t rules(void *policy, uint32_t *rules) {
    (void)policy;
    *rules = 0;
#ifdef RULES
    *rules = RULES;
#endif
    return HEARTH_OK;
}

#ifdef THROWS
// In C++, where somebody has not caught it.
void throws(void);
#endif

static uint32_t place(void *policy, const hearth_request *request, const hearth_cluster *cluster, hearth_placement *answer) {
    (void)policy, (void)request, (void)cluster, (void)answer;
#if defined(FAILS)
    return hearth_fail(policy, "as asked");
#elif defined(FAILS_SILENTLY)
    return HEARTH_FAILED;
#elif defined(THROWS)
    throws();
#elif defined(ANSWERS)
    answer->kind = ANSWERS;
    answer->node = 1000000;
#endif
    return HEARTH_OK;
}

static uint32_t plan(void *policy, const hearth_batch *batch, const hearth_plan *plan) {
    (void)policy, (void)batch;
    hearth_plan_item item = { sizeof item, 77, 0, 0, 0 };
    hearth_add_to_plan(plan, &item);
    return HEARTH_OK;
}

static const hearth_eviction eviction = { .size = sizeof eviction };

static const hearth_node_allocation functions = {
    .size = sizeof functions,
    .rules = rules,
#ifndef NO_PLACE
    .place = place,
#endif
#ifdef PLAN
    .plan = plan,
#endif
};

static const hearth_policy policy = {
    .size = sizeof policy,
    .name = HEARTH_TEXT(NAME),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("does one thing wrong"),
#ifndef NO_CREATE
    .create = create,
#endif
    .destroy = destroy,
#ifndef NO_TABLE
    .node_allocation = &functions,
#endif
#ifdef EVICTS_TOO
    .eviction = &eviction,
#endif
};

// Referred to, whatever is chosen.
const void *unused[] = { &functions, &eviction, (void *)create, (void *)place, (void *)plan };

#ifdef TWICE
HEARTH_EXPORT_POLICIES(&policy, &policy);
#else
HEARTH_EXPORT_POLICIES(&policy);
#endif
