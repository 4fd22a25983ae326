// A policy of each kind in Go: the built-in first-fit, lru, queue-limit, fixed and concurrency, to the byte.
//
// Build it in this folder (Go 1.19 or later, and a C compiler), and put one of its policies into a slot of a scenario:
//
//	go build -buildmode=c-shared -o policies.so .
//	hearth run SCENARIO --policy node_allocation=./policies.so
//
// What hearth reads before any code runs cannot be said in Go: it is in policies.c, with the tables of functions. The functions
// are here, marked with //export. A panic in one becomes the failure of its call (see `call`).
//
// A call from C to Go takes some 50 ns with Go 1.21 and later, and more than a microsecond before.
package main

/*
#cgo CFLAGS: -O2 -I${SRCDIR}/../../../policy-api/include
#include <stdlib.h>
#include "hearth_policy.h"
*/
import "C"

import (
	"container/list"
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// A library has no main function, but its package is to have one.
func main() {}

// ---- What all policies have in common.

// instance is a policy, and a copy of the context that it was made with, since the host's is there during create alone.
type instance struct {
	context C.hearth_context
	policy  any
}

// tell tells the host of a panic, if there is one, as the reason why a call fails. It is deferred.
func tell(context *C.hearth_context, status *C.uint32_t) {
	if cause := recover(); cause != nil {
		text := C.CString(fmt.Sprint(cause))
		defer C.free(unsafe.Pointer(text))
		*status = C.hearth_fail(context, text)
	}
}

// create makes an instance. C may not keep addresses of Go's memory: it is given that of a handle, in memory of its own.
func create(context *C.hearth_context, values C.hearth_values, made *unsafe.Pointer,
	policy func(values []C.hearth_value) any) (status C.uint32_t) {
	defer tell(context, &status)
	handle := (*cgo.Handle)(C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0)))))
	*handle = cgo.NewHandle(&instance{*context, policy(unsafe.Slice(values.data, values.length))})
	*made = unsafe.Pointer(handle)
	return C.HEARTH_OK
}

// call calls a method of the policy that an address stands for.
func call[Policy any](address unsafe.Pointer, method func(policy Policy)) (status C.uint32_t) {
	instance := (*cgo.Handle)(address).Value().(*instance)
	defer tell(&instance.context, &status)
	method(instance.policy.(Policy))
	return C.HEARTH_OK
}

//export destroyPolicy
func destroyPolicy(address unsafe.Pointer) {
	(*cgo.Handle)(address).Delete()
	C.free(address)
}

// ---- Node allocation: the first node with a free core and an idle container of the function, or else with room.

type firstFit struct{}

//export firstFitCreate
func firstFitCreate(context *C.hearth_context, values C.hearth_values, made *unsafe.Pointer) C.uint32_t {
	return create(context, values, made, func([]C.hearth_value) any { return firstFit{} })
}

//export firstFitPlace
func firstFitPlace(address unsafe.Pointer, request *C.hearth_request, cluster *C.hearth_cluster,
	answer *C.hearth_placement) C.uint32_t {
	return call(address, func(policy firstFit) {
		// The answer says HEARTH_PLACEMENT_WAIT before the call.
		if node := policy.place(request, cluster); node != C.HEARTH_NONE {
			answer.kind, answer.node = C.HEARTH_PLACEMENT_NODE, node
		}
	})
}

// place looks at nodes by functions of the header. Each is a call from Go to C, of some 50 ns: a policy that looks at many nodes
// in each decision does better to walk the words of the sets by itself, with math/bits.
func (firstFit) place(request *C.hearth_request, cluster *C.hearth_cluster) C.uint32_t {
	free := &cluster.free_core
	if warm := C.hearth_next(free, &cluster.idle_container, 0); warm != C.HEARTH_NONE {
		return warm
	}
	var evicting C.uint32_t = C.HEARTH_NONE
	for node := C.hearth_next(free, free, 0); node != C.HEARTH_NONE; node = C.hearth_next(free, free, node+1) {
		view := C.hearth_node_at(&cluster.nodes, node)
		if C.hearth_has_room(view, request) != 0 {
			return node
		}
		if evicting == C.HEARTH_NONE && C.hearth_can_make_room(view, request) != 0 {
			evicting = node
		}
	}
	return evicting
}

// ---- Eviction: the least recently used.

// lru has its items from the least to the most recently used, and where each is in that list.
type lru struct {
	useCounts bool
	order     *list.List
	places    map[C.uint32_t]*list.Element
}

// entry is an item, and whether it can be evicted: a container that runs cannot.
type entry struct {
	id     C.uint32_t
	isHere bool
}

//export lruCreate
func lruCreate(context *C.hearth_context, values C.hearth_values, made *unsafe.Pointer) C.uint32_t {
	return create(context, values, made, func(values []C.hearth_value) any {
		// The words are "use" and "load"; the value is the position of one.
		return &lru{values[0].integer == 0, list.New(), map[C.uint32_t]*list.Element{}}
	})
}

//export lruRules
func lruRules(_ unsafe.Pointer, rules *C.uint32_t) C.uint32_t {
	*rules = C.HEARTH_RULE_HEARS_LATE
	return C.HEARTH_OK
}

//export lruInsert
func lruInsert(address unsafe.Pointer, item *C.hearth_item) C.uint32_t {
	return call(address, func(policy *lru) {
		place, isKnown := policy.places[item.id]
		if !isKnown {
			policy.places[item.id] = policy.order.PushBack(&entry{item.id, true})
			return
		}
		place.Value.(*entry).isHere = true
		policy.order.MoveToBack(place)
	})
}

//export lruTouch
func lruTouch(address unsafe.Pointer, id C.uint32_t, touch C.hearth_touch, _ C.uint64_t) C.uint32_t {
	return call(address, func(policy *lru) {
		place, isKnown := policy.places[id]
		if isKnown && (touch == C.HEARTH_TOUCH_LOAD || policy.useCounts) {
			policy.order.MoveToBack(place)
		}
	})
}

//export lruRemove
func lruRemove(address unsafe.Pointer, id C.uint32_t, removal C.hearth_removal, _ C.uint64_t) C.uint32_t {
	return call(address, func(policy *lru) {
		place, isKnown := policy.places[id]
		if !isKnown {
			return
		}
		// A container that is taken nearly always comes back: it keeps its place.
		place.Value.(*entry).isHere = false
		if removal != C.HEARTH_REMOVAL_TAKEN {
			policy.order.Remove(place)
			delete(policy.places, id)
		}
	})
}

//export lruChoose
func lruChoose(address unsafe.Pointer, _ *C.hearth_need, victims *C.hearth_victims) C.uint32_t {
	return call(address, func(policy *lru) {
		for place := policy.order.Front(); place != nil; place = place.Next() {
			item := place.Value.(*entry)
			if item.isHere && C.hearth_offer_victim(victims, item.id) == C.HEARTH_OFFER_ENOUGH {
				return
			}
		}
	})
}

// ---- Admission: a request that would have to wait is rejected when too many wait already.

// queueLimit has its limits, and the reason of the last rejection, which must last until the next call: in memory of C.
type queueLimit struct {
	limit, perFunction C.uint64_t
	reason             *[128]byte
}

//export queueLimitCreate
func queueLimitCreate(context *C.hearth_context, values C.hearth_values, made *unsafe.Pointer) C.uint32_t {
	return create(context, values, made, func(values []C.hearth_value) any {
		return &queueLimit{values[0].integer, values[1].integer, (*[128]byte)(C.malloc(128))}
	})
}

//export queueLimitDestroy
func queueLimitDestroy(address unsafe.Pointer) {
	call(address, func(policy *queueLimit) { C.free(unsafe.Pointer(policy.reason)) })
	destroyPolicy(address)
}

//export queueLimitAdmit
func queueLimitAdmit(address unsafe.Pointer, request *C.hearth_request, view *C.hearth_admission_view,
	answer *C.hearth_admission_answer) C.uint32_t {
	return call(address, func(policy *queueLimit) {
		isFull, isFullOfFunction := view.waiting >= policy.limit, view.waiting_of_function >= policy.perFunction
		// The answer says HEARTH_ADMISSION_ADMIT before the call.
		if (!isFull && !isFullOfFunction) || C.hearth_has_place_for(view, request) != 0 {
			return
		}
		reason := fmt.Sprintf("%d invocations of the function wait, the limit is %d", view.waiting_of_function, policy.perFunction)
		if isFull {
			reason = fmt.Sprintf("%d invocations wait, the limit is %d", view.waiting, policy.limit)
		}
		answer.kind = C.HEARTH_ADMISSION_REJECT
		answer.reason.data = (*C.char)(unsafe.Pointer(policy.reason))
		answer.reason.length = C.size_t(copy(policy.reason[:], reason))
	})
}

// ---- Keep-alive: as long for all.

// fixed is the time for which containers are kept, in ns.
type fixed struct{ timeout C.uint64_t }

//export fixedCreate
func fixedCreate(context *C.hearth_context, values C.hearth_values, made *unsafe.Pointer) C.uint32_t {
	return create(context, values, made, func(values []C.hearth_value) any { return fixed{values[0].integer} })
}

//export fixedOnIdle
func fixedOnIdle(address unsafe.Pointer, _ *C.hearth_completion, answer *C.hearth_retention) C.uint32_t {
	return call(address, func(policy fixed) { answer.keep_for = policy.timeout })
}

// ---- Autoscaling: as many instances as the requests in flight fill.

// concurrency is how many requests there are to be for each instance, and the time between two ticks in ns.
type concurrency struct {
	target, unlimited C.double
	period            C.uint64_t
}

//export concurrencyCreate
func concurrencyCreate(context *C.hearth_context, values C.hearth_values, made *unsafe.Pointer) C.uint32_t {
	return create(context, values, made, func(values []C.hearth_value) any {
		if values[2].integer == 0 {
			panic("the parameter period must be more than 0, or nothing would ever shrink")
		}
		return concurrency{values[0].number, values[1].number, values[2].integer}
	})
}

//export concurrencyRules
func concurrencyRules(_ unsafe.Pointer, rules *C.uint32_t) C.uint32_t {
	*rules = C.HEARTH_RULE_ASKED_ON_REQUESTS
	return C.HEARTH_OK
}

//export concurrencyPeriod
func concurrencyPeriod(address unsafe.Pointer, period *C.uint64_t) C.uint32_t {
	return call(address, func(policy concurrency) { *period = policy.period })
}

//export concurrencyScale
func concurrencyScale(address unsafe.Pointer, view *C.hearth_scale_view, answer *C.hearth_scale) C.uint32_t {
	return call(address, func(policy concurrency) {
		target := policy.target
		switch {
		case target > 0:
		case view.concurrency == C.HEARTH_NONE:
			target = policy.unlimited
		case view.concurrency == 0:
			target = 1
		default:
			target = C.double(view.concurrency)
		}
		// There are a million instances at the most.
		wanted, filled := C.uint32_t(1000000), C.double(view.waiting+view.running)/target
		if filled < 1e6 {
			if wanted = C.uint32_t(filled); C.double(wanted) < filled {
				wanted++
			}
		}
		// Only a tick has instances end. The answer says `wanted` of the view before the call.
		if view.cause == C.HEARTH_SCALE_CAUSE_TICK || wanted > answer.wanted {
			answer.wanted = wanted
		}
	})
}
