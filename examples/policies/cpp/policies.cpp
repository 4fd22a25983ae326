// A policy of each kind in C++: the built-in first-fit, lru, queue-limit, fixed and concurrency, to the byte.
//
// Build it in this folder (C++20), and put one of its policies into a slot of a scenario:
//
//     g++ -std=c++20 -O2 -shared -fPIC -I ../../../policy-api/include -o policies.so policies.cpp
//     hearth run SCENARIO --policy node_allocation=./policies.so
//
// A policy is a class. Its table of functions takes calls from C to its methods, by way of `call`, which lets no exception out:
// an exception that leaves the library ends hearth.

#include "hearth_policy.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// ---- What all policies have in common.

// Does something, and tells the host of an exception in it as the reason why the call fails.
template <typename Body>
uint32_t guarded(const hearth_context &context, Body body) noexcept {
    try {
        body();
        return HEARTH_OK;
    } catch (const std::exception &exception) {
        return hearth_fail(&context, exception.what());
    } catch (...) {
        return hearth_fail(&context, "something was thrown that is no std::exception");
    }
}

// An instance: the policy, and a copy of the context that it was made with, since the host's is there during `create` alone.
template <typename Policy>
struct Instance {
    hearth_context context;
    Policy policy;
};

template <typename Policy>
uint32_t create(const hearth_context *context, hearth_values values, void **made) {
    return guarded(*context, [&] { *made = new Instance<Policy>{*context, Policy(values)}; });
}

template <typename Policy>
void destroy(void *address) {
    delete static_cast<Instance<Policy> *>(address);
}

// Calls a method of the policy that an address stands for.
template <typename Policy, typename Body>
uint32_t call(void *address, Body body) {
    auto &instance = *static_cast<Instance<Policy> *>(address);
    return guarded(instance.context, [&] { body(instance.policy); });
}

// ---- Node allocation: the first node with a free core and an idle container of the function, or else with room.

class FirstFit {
public:
    explicit FirstFit(hearth_values) {}

    // The answer says HEARTH_PLACEMENT_WAIT before the call.
    void place(const hearth_request &request, const hearth_cluster &cluster, hearth_placement &answer) const {
        if (const uint32_t node = choose(request, cluster); node != HEARTH_NONE) {
            answer.kind = HEARTH_PLACEMENT_NODE;
            answer.node = node;
        }
    }

private:
    static uint32_t choose(const hearth_request &request, const hearth_cluster &cluster) {
        const hearth_node_set &free_core = cluster.free_core;
        if (const uint32_t warm = hearth_next(&free_core, &cluster.idle_container, 0); warm != HEARTH_NONE) return warm;
        uint32_t evicting = HEARTH_NONE;
        for (uint32_t node = hearth_next(&free_core, &free_core, 0); node != HEARTH_NONE;
             node = hearth_next(&free_core, &free_core, node + 1)) {
            const hearth_node *view = hearth_node_at(&cluster.nodes, node);
            if (hearth_has_room(view, &request)) return node;
            if (evicting == HEARTH_NONE && hearth_can_make_room(view, &request)) evicting = node;
        }
        return evicting;
    }
};

constexpr hearth_node_allocation first_fit_functions = {
    .size = sizeof(hearth_node_allocation),
    .place = [](void *policy, const hearth_request *request, const hearth_cluster *cluster, hearth_placement *answer) {
        return call<FirstFit>(policy, [&](FirstFit &first_fit) { first_fit.place(*request, *cluster, *answer); });
    },
};

constexpr hearth_policy first_fit = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("first-fit"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("the first node with a free core, warm ones before others"),
    .create = create<FirstFit>,
    .destroy = destroy<FirstFit>,
    .node_allocation = &first_fit_functions,
};

// ---- Eviction: the least recently used.

class Lru {
public:
    // The words are "use" and "load"; the value is the position of one.
    explicit Lru(hearth_values values) : use_counts(values.data[0].integer == 0) {}

    void insert(const hearth_item &item) {
        // Items are numbered densely.
        if (item.id >= places.size()) places.resize(item.id + 1);
        auto &place = places[item.id];
        if (!place) place = order.insert(order.end(), Entry{item.id, true});
        promote(*place);
        (*place)->is_here = true;
    }

    void touch(uint32_t id, hearth_touch touch) {
        if (!knows(id)) return;
        if (touch == HEARTH_TOUCH_LOAD || use_counts) promote(*places[id]);
    }

    // A container that is taken nearly always comes back: it keeps its place.
    void remove(uint32_t id, hearth_removal removal) {
        if (!knows(id)) return;
        auto &place = places[id];
        (*place)->is_here = false;
        if (removal == HEARTH_REMOVAL_TAKEN) return;
        order.erase(*place);
        place.reset();
    }

    void choose(const hearth_victims &victims) const {
        for (const Entry &entry : order) {
            if (entry.is_here && hearth_offer_victim(&victims, entry.id) == HEARTH_OFFER_ENOUGH) return;
        }
    }

private:
    struct Entry {
        uint32_t id;
        // Whether it can be evicted: a container that runs cannot.
        bool is_here;
    };

    bool knows(uint32_t id) const { return id < places.size() && places[id]; }
    void promote(std::list<Entry>::iterator place) { order.splice(order.end(), order, place); }

    bool use_counts;
    // From the least to the most recently used, and where each item is in there.
    std::list<Entry> order;
    std::vector<std::optional<std::list<Entry>::iterator>> places;
};

constexpr hearth_eviction lru_functions = {
    .size = sizeof(hearth_eviction),
    .rules = [](void *, uint32_t *rules) -> uint32_t {
        *rules = HEARTH_RULE_HEARS_LATE;
        return HEARTH_OK;
    },
    .insert = [](void *policy, const hearth_item *item) {
        return call<Lru>(policy, [&](Lru &lru) { lru.insert(*item); });
    },
    .touch = [](void *policy, uint32_t id, hearth_touch touch, uint64_t) {
        return call<Lru>(policy, [&](Lru &lru) { lru.touch(id, touch); });
    },
    .remove = [](void *policy, uint32_t id, hearth_removal removal, uint64_t) {
        return call<Lru>(policy, [&](Lru &lru) { lru.remove(id, removal); });
    },
    .choose = [](void *policy, const hearth_need *, const hearth_victims *victims) {
        return call<Lru>(policy, [&](Lru &lru) { lru.choose(*victims); });
    },
};

constexpr hearth_text lru_words[] = {HEARTH_TEXT("use"), HEARTH_TEXT("load")};

constexpr hearth_parameter lru_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_CHOICE,
        .name = HEARTH_TEXT("touch"),
        .help = HEARTH_TEXT("what counts as using an image: running a container of it, or only loading it"),
        .words = {lru_words, std::size(lru_words)},
    },
};

constexpr hearth_policy lru = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("lru"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("the least recently used first"),
    .parameters = HEARTH_RECORDS(lru_parameters),
    .create = create<Lru>,
    .destroy = destroy<Lru>,
    .eviction = &lru_functions,
};

// ---- Admission: a request that would have to wait is rejected when too many wait already.

class QueueLimit {
public:
    explicit QueueLimit(hearth_values values) : limit(values.data[0].integer), per_function(values.data[1].integer) {}

    // The answer says HEARTH_ADMISSION_ADMIT before the call.
    void admit(const hearth_request &request, const hearth_admission_view &view, hearth_admission_answer &answer) {
        const bool is_full = view.waiting >= limit, is_full_of_function = view.waiting_of_function >= per_function;
        if ((!is_full && !is_full_of_function) || hearth_has_place_for(&view, &request)) return;
        reason = is_full ? std::to_string(view.waiting) + " invocations wait, the limit is " + std::to_string(limit)
                         : std::to_string(view.waiting_of_function) + " invocations of the function wait, the limit is " +
                               std::to_string(per_function);
        answer.kind = HEARTH_ADMISSION_REJECT;
        answer.reason = {reason.data(), reason.size()};
    }

private:
    uint64_t limit, per_function;
    // The reason of the last rejection, which must last until the next call.
    std::string reason;
};

constexpr hearth_admission queue_limit_functions = {
    .size = sizeof(hearth_admission),
    .admit = [](void *policy, const hearth_request *request, const hearth_admission_view *view,
                hearth_admission_answer *answer) {
        return call<QueueLimit>(policy, [&](QueueLimit &limits) { limits.admit(*request, *view, *answer); });
    },
};

constexpr hearth_parameter queue_limit_parameters[] = {
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

constexpr hearth_policy queue_limit = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("queue-limit"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("rejects requests when too many wait"),
    .parameters = HEARTH_RECORDS(queue_limit_parameters),
    .create = create<QueueLimit>,
    .destroy = destroy<QueueLimit>,
    .admission = &queue_limit_functions,
};

// ---- Keep-alive: as long for all.

class Fixed {
public:
    explicit Fixed(hearth_values values) : timeout(values.data[0].integer) {}

    void on_idle(hearth_retention &answer) const { answer.keep_for = timeout; }

private:
    // In ns.
    uint64_t timeout;
};

constexpr hearth_keep_alive fixed_functions = {
    .size = sizeof(hearth_keep_alive),
    .on_idle = [](void *policy, const hearth_completion *, hearth_retention *answer) {
        return call<Fixed>(policy, [&](Fixed &fixed) { fixed.on_idle(*answer); });
    },
};

constexpr hearth_parameter fixed_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_DURATION,
        .name = HEARTH_TEXT("timeout"),
        .unit = HEARTH_TEXT("s"),
        .help = HEARTH_TEXT("how long an idle container is kept"),
        .default_value = HEARTH_INTEGER(600'000'000'000),
    },
};

constexpr hearth_policy fixed = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("fixed"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("keeps idle containers for a fixed time"),
    .parameters = HEARTH_RECORDS(fixed_parameters),
    .create = create<Fixed>,
    .destroy = destroy<Fixed>,
    .keep_alive = &fixed_functions,
};

// ---- Autoscaling: as many instances as the requests in flight fill.

class Concurrency {
public:
    explicit Concurrency(hearth_values values)
        : target(values.data[0].number), unlimited(values.data[1].number), period(values.data[2].integer) {
        if (period == 0) throw std::runtime_error("the parameter period must be more than 0, or nothing would ever shrink");
    }

    uint64_t ticks() const { return period; }

    void scale(const hearth_scale_view &view, hearth_scale &answer) const {
        double serves = view.concurrency == HEARTH_NONE ? unlimited : std::max(1.0, double(view.concurrency));
        // There are a million instances at the most.
        double filled = std::min(1e6, std::ceil(double(view.waiting + view.running) / (target > 0.0 ? target : serves)));
        // Only a tick has instances end. The answer says `wanted` of the view before the call.
        auto wanted = static_cast<uint32_t>(filled);
        if (view.cause == HEARTH_SCALE_CAUSE_TICK || wanted > answer.wanted) answer.wanted = wanted;
    }

private:
    double target, unlimited;
    // In ns.
    uint64_t period;
};

constexpr hearth_autoscaling concurrency_functions = {
    .size = sizeof(hearth_autoscaling),
    .rules =
        [](void *, uint32_t *rules) -> uint32_t {
            *rules = HEARTH_RULE_ASKED_ON_REQUESTS;
            return HEARTH_OK;
        },
    .period =
        [](void *policy, uint64_t *period) {
            return call<Concurrency>(policy, [&](Concurrency &concurrency) { *period = concurrency.ticks(); });
        },
    .scale =
        [](void *policy, const hearth_scale_view *view, hearth_scale *answer) {
            return call<Concurrency>(policy, [&](Concurrency &concurrency) { concurrency.scale(*view, *answer); });
        },
};

constexpr hearth_parameter concurrency_parameters[] = {
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_NUMBER,
        .name = HEARTH_TEXT("target"),
        .unit = HEARTH_TEXT("requests"),
        .help = HEARTH_TEXT("how many requests there are to be in flight for each instance; 0 for as many as it serves"),
        .max = HEARTH_NUMBER(1e6),
    },
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_NUMBER,
        .name = HEARTH_TEXT("unlimited"),
        .unit = HEARTH_TEXT("requests"),
        .help = HEARTH_TEXT("how many where an instance serves any number"),
        .min = HEARTH_NUMBER(0.01),
        .max = HEARTH_NUMBER(1e6),
        .default_value = HEARTH_NUMBER(100.0),
    },
    {
        .size = sizeof(hearth_parameter),
        .kind = HEARTH_PARAMETER_DURATION,
        .name = HEARTH_TEXT("period"),
        .unit = HEARTH_TEXT("s"),
        .help = HEARTH_TEXT("how long it is from one tick to the next"),
        .default_value = HEARTH_INTEGER(2'000'000'000),
    },
};

constexpr hearth_policy concurrency = {
    .size = sizeof(hearth_policy),
    .name = HEARTH_TEXT("concurrency"),
    .version = HEARTH_TEXT("0.1.0"),
    .description = HEARTH_TEXT("as many instances as the requests in flight fill"),
    .parameters = HEARTH_RECORDS(concurrency_parameters),
    .create = create<Concurrency>,
    .destroy = destroy<Concurrency>,
    .autoscaling = &concurrency_functions,
};

// ---- What the library exports.

}  // namespace

HEARTH_EXPORT_POLICIES(&first_fit, &lru, &queue_limit, &fixed, &concurrency);
