// What the library exports: its policies, with the tables that lead to the functions in policies.go. Go builds this file along.

#include "hearth_policy.h"

// Functions in Go are declared here as they are called. (What cgo writes for them in _cgo_export.h is without `const`.)

// ---- What all policies have in common.

void destroyPolicy(void *policy);

// ---- Node allocation: the first node with a free core and an idle container of the function, or else with room.

uint32_t firstFitCreate(const hearth_context *context, hearth_values values, void **made);
uint32_t firstFitPlace(void *policy, const hearth_request *request, const hearth_cluster *cluster, hearth_placement *answer);

static const hearth_node_allocation first_fit_functions = {
    .size = sizeof(hearth_node_allocation),
    .place = firstFitPlace,
};

static const hearth_policy first_fit = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("first-fit"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("the first node with a free core, warm ones before others"),
    .create = firstFitCreate,
    .destroy = destroyPolicy,
    .node_allocation = &first_fit_functions,
};

// ---- Eviction: the least recently used.

uint32_t lruCreate(const hearth_context *context, hearth_values values, void **made);
uint32_t lruRules(void *policy, uint32_t *rules);
uint32_t lruInsert(void *policy, const hearth_item *item);
uint32_t lruTouch(void *policy, uint32_t id, hearth_touch touch, uint64_t now);
uint32_t lruRemove(void *policy, uint32_t id, hearth_removal removal, uint64_t now);
uint32_t lruChoose(void *policy, const hearth_need *need, const hearth_victims *victims);

static const hearth_eviction lru_functions = {
    .size = sizeof(hearth_eviction),
    .rules = lruRules,
    .insert = lruInsert,
    .touch = lruTouch,
    .remove = lruRemove,
    .choose = lruChoose,
};

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

static const hearth_policy lru = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("lru"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("the least recently used first"),
    .parameters = HEARTH_RECORDS(lru_parameters),
    .create = lruCreate,
    .destroy = destroyPolicy,
    .eviction = &lru_functions,
};

// ---- Admission: a request that would have to wait is rejected when too many wait already.

uint32_t queueLimitCreate(const hearth_context *context, hearth_values values, void **made);
void queueLimitDestroy(void *policy);
uint32_t queueLimitAdmit(void *policy, const hearth_request *request, const hearth_admission_view *view,
                         hearth_admission_answer *answer);

static const hearth_admission queue_limit_functions = {
    .size = sizeof(hearth_admission),
    .admit = queueLimitAdmit,
};

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

static const hearth_policy queue_limit = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("queue-limit"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("rejects requests when too many wait"),
    .parameters = HEARTH_RECORDS(queue_limit_parameters),
    .create = queueLimitCreate,
    .destroy = queueLimitDestroy,
    .admission = &queue_limit_functions,
};

// ---- Keep-alive: as long for all.

uint32_t fixedCreate(const hearth_context *context, hearth_values values, void **made);
uint32_t fixedOnIdle(void *policy, const hearth_completion *completion, hearth_retention *answer);

static const hearth_keep_alive fixed_functions = {
    .size = sizeof(hearth_keep_alive),
    .on_idle = fixedOnIdle,
};

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

static const hearth_policy fixed = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("fixed"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("keeps idle containers for a fixed time"),
    .parameters = HEARTH_RECORDS(fixed_parameters),
    .create = fixedCreate,
    .destroy = destroyPolicy,
    .keep_alive = &fixed_functions,
};

// ---- Autoscaling: as many instances as the requests in flight fill.

uint32_t concurrencyCreate(const hearth_context *context, hearth_values values, void **made);
uint32_t concurrencyRules(void *policy, uint32_t *rules);
uint32_t concurrencyPeriod(void *policy, uint64_t *period);
uint32_t concurrencyScale(void *policy, const hearth_scale_view *view, hearth_scale *answer);

static const hearth_autoscaling concurrency_functions = {
    .size = sizeof(hearth_autoscaling),
    .rules = concurrencyRules,
    .period = concurrencyPeriod,
    .scale = concurrencyScale,
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
    .create = concurrencyCreate,
    .destroy = destroyPolicy,
    .autoscaling = &concurrency_functions,
};

// ---- What the library exports.

HEARTH_EXPORT_POLICIES(&first_fit, &lru, &queue_limit, &fixed, &concurrency);
