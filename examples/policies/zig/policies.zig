//! A policy of each kind in Zig: the built-in first-fit, lru, queue-limit, fixed and concurrency, to the byte.
//!
//! Build it in this folder (Zig 0.16 or later), and put one of its policies into a slot of a scenario:
//!
//!     zig translate-c -lc ../../../policy-api/include/hearth_policy.h > hearth_policy.zig && zig build-lib -dynamic -lc -O ReleaseFast -femit-bin=policies.so policies.zig
//!     hearth run SCENARIO --policy node_allocation=./policies.so
//!
//! The first half makes Zig of the header; `@cImport`, which did that within a source, has left the language. Zig's own array
//! `hearth_layout` stands for the macro HEARTH_LAYOUT, and functions here for HEARTH_TEXT and the like.
//!
//! An error becomes the failure of its call (`finish`). A panic ends hearth: Zig cannot catch one.

const std = @import("std");
const c = @import("hearth_policy.zig");
const allocator = std.heap.c_allocator;

// ---- What all policies have in common.

/// Ends a call: tells the host of an error as the reason why it fails.
fn finish(context: *const c.hearth_context, result: anyerror!void) u32 {
    result catch |err| return c.hearth_fail(context, @errorName(err).ptr);
    return c.HEARTH_OK;
}

/// The policy that an address stands for.
fn of(comptime Policy: type, address: ?*anyopaque) *Policy {
    return @ptrCast(@alignCast(address.?));
}

/// How a policy is made and how it ends: by its `init`, and by its `deinit` if it has one.
fn Lifetime(comptime Policy: type) type {
    return struct {
        fn create(context: [*c]const c.hearth_context, values: c.hearth_values, made: [*c]?*anyopaque) callconv(.c) u32 {
            const policy = allocator.create(Policy) catch |err| return finish(context, err);
            // The context is there during this call alone: who needs it later copies it.
            const initial: anyerror!Policy = Policy.init(context.*, values.data[0..values.length]);
            policy.* = initial catch |err| {
                allocator.destroy(policy);
                return finish(context, err);
            };
            made.* = policy;
            return c.HEARTH_OK;
        }

        fn destroy(address: ?*anyopaque) callconv(.c) void {
            const policy = of(Policy, address);
            if (@hasDecl(Policy, "deinit")) policy.deinit();
            allocator.destroy(policy);
        }
    };
}

fn text(string: []const u8) c.hearth_text {
    return .{ .data = string.ptr, .length = string.len };
}

fn parameters(comptime list: []const c.hearth_parameter) c.hearth_parameters {
    return .{ .data = list.ptr, .length = list.len, .stride = @sizeOf(c.hearth_parameter) };
}

// ---- Node allocation: the first node with a free core and an idle container of the function, or else with room.

const FirstFit = struct {
    fn init(_: c.hearth_context, _: []const c.hearth_value) FirstFit {
        return .{};
    }

    fn choose(request: *const c.hearth_request, cluster: *const c.hearth_cluster) ?u32 {
        const free_core = &cluster.free_core;
        const warm = c.hearth_next(free_core, &cluster.idle_container, 0);
        if (warm != c.HEARTH_NONE) return warm;
        var evicting: ?u32 = null;
        var node = c.hearth_next(free_core, free_core, 0);
        while (node != c.HEARTH_NONE) : (node = c.hearth_next(free_core, free_core, node + 1)) {
            const view = c.hearth_node_at(&cluster.nodes, node);
            if (c.hearth_has_room(view, request) != 0) return node;
            if (evicting == null and c.hearth_can_make_room(view, request) != 0) evicting = node;
        }
        return evicting;
    }

    /// The answer says HEARTH_PLACEMENT_WAIT before the call.
    fn place(_: ?*anyopaque, request: [*c]const c.hearth_request, cluster: [*c]const c.hearth_cluster, answer: [*c]c.hearth_placement) callconv(.c) u32 {
        if (choose(request, cluster)) |node| {
            answer.*.kind = c.HEARTH_PLACEMENT_NODE;
            answer.*.node = node;
        }
        return c.HEARTH_OK;
    }

    const functions = c.hearth_node_allocation{ .size = @sizeOf(c.hearth_node_allocation), .place = place };

    const policy = c.hearth_policy{
        .size = @sizeOf(c.hearth_policy),
        .name = text("first-fit"),
        .version = text("0.1.0"),
        .description = text("the first node with a free core, warm ones before others"),
        .create = Lifetime(FirstFit).create,
        .destroy = Lifetime(FirstFit).destroy,
        .node_allocation = &functions,
    };
};

// ---- Eviction: the least recently used.

const Lru = struct {
    context: c.hearth_context,
    use_counts: bool,
    /// Items are numbered densely, so a list within an array will do. Entry 0 is its head; item i is entry i + 1.
    entries: std.ArrayList(Entry) = .empty,

    const Entry = struct {
        before: u32 = 0,
        after: u32 = 0,
        is_listed: bool = false,
        /// Whether it can be evicted: a container that runs stays in its place.
        is_here: bool = false,
    };

    /// The words are "use" and "load"; the value is the position of one.
    fn init(context: c.hearth_context, values: []const c.hearth_value) Lru {
        return .{ .context = context, .use_counts = values[0].integer == 0 };
    }

    pub fn deinit(self: *Lru) void {
        self.entries.deinit(allocator);
    }

    fn unlink(self: *Lru, number: u32) void {
        const entries = self.entries.items;
        const entry = &entries[number];
        entries[entry.before].after = entry.after;
        entries[entry.after].before = entry.before;
        entry.is_listed = false;
    }

    /// Makes an item the most recently used one.
    fn promote(self: *Lru, number: u32) void {
        const entries = self.entries.items;
        if (entries[number].is_listed) self.unlink(number);
        const last = entries[0].before;
        entries[number] = .{ .before = last, .is_listed = true, .is_here = entries[number].is_here };
        entries[last].after = number;
        entries[0].before = number;
    }

    /// The entry of an item that is in the list.
    fn find(self: *Lru, id: u32) ?u32 {
        const number = id + 1;
        return if (number < self.entries.items.len and self.entries.items[number].is_listed) number else null;
    }

    fn add(self: *Lru, id: u32) !void {
        const number = id + 1;
        const there = self.entries.items.len;
        if (number >= there) try self.entries.appendNTimes(allocator, .{}, number + 1 - there);
        self.promote(number);
        self.entries.items[number].is_here = true;
    }

    fn rules(_: ?*anyopaque, answer: [*c]u32) callconv(.c) u32 {
        answer.* = c.HEARTH_RULE_HEARS_LATE;
        return c.HEARTH_OK;
    }

    fn insert(address: ?*anyopaque, item: [*c]const c.hearth_item) callconv(.c) u32 {
        const self = of(Lru, address);
        return finish(&self.context, self.add(item.*.id));
    }

    fn touch(address: ?*anyopaque, id: u32, kind: c.hearth_touch, _: u64) callconv(.c) u32 {
        const self = of(Lru, address);
        if (kind == c.HEARTH_TOUCH_LOAD or self.use_counts) {
            if (self.find(id)) |number| self.promote(number);
        }
        return c.HEARTH_OK;
    }

    fn remove(address: ?*anyopaque, id: u32, removal: c.hearth_removal, _: u64) callconv(.c) u32 {
        const self = of(Lru, address);
        if (self.find(id)) |number| {
            self.entries.items[number].is_here = false;
            if (removal != c.HEARTH_REMOVAL_TAKEN) self.unlink(number);
        }
        return c.HEARTH_OK;
    }

    fn choose(address: ?*anyopaque, _: [*c]const c.hearth_need, victims: [*c]const c.hearth_victims) callconv(.c) u32 {
        const entries = of(Lru, address).entries.items;
        if (entries.len == 0) return c.HEARTH_OK;
        var number = entries[0].after;
        while (number != 0) : (number = entries[number].after) {
            if (!entries[number].is_here) continue;
            if (c.hearth_offer_victim(victims, number - 1) == c.HEARTH_OFFER_ENOUGH) break;
        }
        return c.HEARTH_OK;
    }

    const functions = c.hearth_eviction{
        .size = @sizeOf(c.hearth_eviction),
        .rules = rules,
        .insert = insert,
        .touch = touch,
        .remove = remove,
        .choose = choose,
    };

    const words = [_]c.hearth_text{ text("use"), text("load") };

    const policy = c.hearth_policy{
        .size = @sizeOf(c.hearth_policy),
        .name = text("lru"),
        .version = text("0.1.0"),
        .description = text("the least recently used first"),
        .parameters = parameters(&.{.{
            .size = @sizeOf(c.hearth_parameter),
            .kind = c.HEARTH_PARAMETER_CHOICE,
            .name = text("touch"),
            .help = text("what counts as using an image: running a container of it, or only loading it"),
            .words = .{ .data = &words, .length = words.len },
        }}),
        .create = Lifetime(Lru).create,
        .destroy = Lifetime(Lru).destroy,
        .eviction = &functions,
    };
};

// ---- Admission: a request that would have to wait is rejected when too many wait already.

const QueueLimit = struct {
    context: c.hearth_context,
    limit: u64,
    per_function: u64,
    /// The reason of the last rejection, which must last until the next call.
    reason: [128]u8 = undefined,

    fn init(context: c.hearth_context, values: []const c.hearth_value) QueueLimit {
        return .{ .context = context, .limit = values[0].integer, .per_function = values[1].integer };
    }

    fn decide(self: *QueueLimit, request: *const c.hearth_request, view: *const c.hearth_admission_view, answer: *c.hearth_admission_answer) !void {
        const is_full = view.waiting >= self.limit;
        if (!is_full and view.waiting_of_function < self.per_function) return;
        if (c.hearth_has_place_for(view, request) != 0) return;
        const reason = if (is_full)
            try std.fmt.bufPrint(&self.reason, "{d} invocations wait, the limit is {d}", .{ view.waiting, self.limit })
        else
            try std.fmt.bufPrint(&self.reason, "{d} invocations of the function wait, the limit is {d}", .{ view.waiting_of_function, self.per_function });
        answer.kind = c.HEARTH_ADMISSION_REJECT;
        answer.reason = text(reason);
    }

    /// The answer says HEARTH_ADMISSION_ADMIT before the call.
    fn admit(address: ?*anyopaque, request: [*c]const c.hearth_request, view: [*c]const c.hearth_admission_view, answer: [*c]c.hearth_admission_answer) callconv(.c) u32 {
        const self = of(QueueLimit, address);
        return finish(&self.context, self.decide(request, view, answer));
    }

    const functions = c.hearth_admission{ .size = @sizeOf(c.hearth_admission), .admit = admit };

    const policy = c.hearth_policy{
        .size = @sizeOf(c.hearth_policy),
        .name = text("queue-limit"),
        .version = text("0.1.0"),
        .description = text("rejects requests when too many wait"),
        .parameters = parameters(&.{
            .{
                .size = @sizeOf(c.hearth_parameter),
                .kind = c.HEARTH_PARAMETER_INTEGER,
                .name = text("limit"),
                .unit = text("invocations"),
                .help = text("how many may wait"),
                .max = .{ .integer = std.math.maxInt(u64) },
                .default_value = .{ .integer = 1000 },
            },
            .{
                .size = @sizeOf(c.hearth_parameter),
                .kind = c.HEARTH_PARAMETER_INTEGER,
                .name = text("per_function"),
                .unit = text("invocations"),
                .help = text("how many of one function may wait"),
                .max = .{ .integer = std.math.maxInt(u64) },
                .default_value = .{ .integer = std.math.maxInt(u64) },
            },
        }),
        .create = Lifetime(QueueLimit).create,
        .destroy = Lifetime(QueueLimit).destroy,
        .admission = &functions,
    };
};

// ---- Keep-alive: as long for all.

const Fixed = struct {
    /// In ns.
    timeout: u64,

    fn init(_: c.hearth_context, values: []const c.hearth_value) Fixed {
        return .{ .timeout = values[0].integer };
    }

    fn onIdle(address: ?*anyopaque, _: [*c]const c.hearth_completion, answer: [*c]c.hearth_retention) callconv(.c) u32 {
        answer.*.keep_for = of(Fixed, address).timeout;
        return c.HEARTH_OK;
    }

    const functions = c.hearth_keep_alive{ .size = @sizeOf(c.hearth_keep_alive), .on_idle = onIdle };

    const policy = c.hearth_policy{
        .size = @sizeOf(c.hearth_policy),
        .name = text("fixed"),
        .version = text("0.1.0"),
        .description = text("keeps idle containers for a fixed time"),
        .parameters = parameters(&.{.{
            .size = @sizeOf(c.hearth_parameter),
            .kind = c.HEARTH_PARAMETER_DURATION,
            .name = text("timeout"),
            .unit = text("s"),
            .help = text("how long an idle container is kept"),
            .default_value = .{ .integer = 600_000_000_000 },
        }}),
        .create = Lifetime(Fixed).create,
        .destroy = Lifetime(Fixed).destroy,
        .keep_alive = &functions,
    };
};

// ---- Autoscaling: as many instances as the requests in flight fill.

const Concurrency = struct {
    target: f64,
    unlimited: f64,
    /// In ns.
    period: u64,

    fn init(_: c.hearth_context, values: []const c.hearth_value) !Concurrency {
        // 0 would be never, and nothing would ever shrink.
        if (values[2].integer == 0) return error.PeriodOfNothing;
        return .{ .target = values[0].number, .unlimited = values[1].number, .period = values[2].integer };
    }

    fn rules(_: ?*anyopaque, answer: [*c]u32) callconv(.c) u32 {
        answer.* = c.HEARTH_RULE_ASKED_ON_REQUESTS;
        return c.HEARTH_OK;
    }

    fn ticks(address: ?*anyopaque, answer: [*c]u64) callconv(.c) u32 {
        answer.* = of(Concurrency, address).period;
        return c.HEARTH_OK;
    }

    fn scale(address: ?*anyopaque, view: [*c]const c.hearth_scale_view, answer: [*c]c.hearth_scale) callconv(.c) u32 {
        const settings = of(Concurrency, address);
        const serves: f64 = if (view.*.concurrency == c.HEARTH_NONE) settings.unlimited else @floatFromInt(@max(1, view.*.concurrency));
        const in_flight: f64 = @floatFromInt(view.*.waiting + view.*.running);
        // There are a million instances at the most.
        const target = if (settings.target > 0) settings.target else serves;
        const filled = @min(1e6, @ceil(in_flight / target));
        const wanted: u32 = @intFromFloat(filled);
        // Only a tick has instances end. The answer says `wanted` of the view before the call.
        if (view.*.cause == c.HEARTH_SCALE_CAUSE_TICK or wanted > answer.*.wanted) answer.*.wanted = wanted;
        return c.HEARTH_OK;
    }

    const functions = c.hearth_autoscaling{
        .size = @sizeOf(c.hearth_autoscaling),
        .rules = rules,
        .period = ticks,
        .scale = scale,
    };

    const policy = c.hearth_policy{
        .size = @sizeOf(c.hearth_policy),
        .name = text("concurrency"),
        .version = text("0.1.0"),
        .description = text("as many instances as the requests in flight fill"),
        .parameters = parameters(&.{
            .{
                .size = @sizeOf(c.hearth_parameter),
                .kind = c.HEARTH_PARAMETER_NUMBER,
                .name = text("target"),
                .unit = text("requests"),
                .help = text("how many requests there are to be in flight for each instance; 0 for as many as it serves"),
                .max = .{ .number = 1e6 },
            },
            .{
                .size = @sizeOf(c.hearth_parameter),
                .kind = c.HEARTH_PARAMETER_NUMBER,
                .name = text("unlimited"),
                .unit = text("requests"),
                .help = text("how many where an instance serves any number"),
                .min = .{ .number = 0.01 },
                .max = .{ .number = 1e6 },
                .default_value = .{ .number = 100 },
            },
            .{
                .size = @sizeOf(c.hearth_parameter),
                .kind = c.HEARTH_PARAMETER_DURATION,
                .name = text("period"),
                .unit = text("s"),
                .help = text("how long it is from one tick to the next"),
                .default_value = .{ .integer = 2_000_000_000 },
            },
        }),
        .create = Lifetime(Concurrency).create,
        .destroy = Lifetime(Concurrency).destroy,
        .autoscaling = &functions,
    };
};

// ---- What the library exports: HEARTH_EXPORT_POLICIES in C.

const policies = [_][*c]const c.hearth_policy{ &FirstFit.policy, &Lru.policy, &QueueLimit.policy, &Fixed.policy, &Concurrency.policy };

export const hearth_policies_2 = c.hearth_library{
    .header = .{
        .size = @sizeOf(c.hearth_library_header),
        .major = c.HEARTH_INTERFACE_MAJOR,
        .minor = c.HEARTH_INTERFACE_MINOR,
        .needs_minor = c.HEARTH_INTERFACE_MINOR,
        .layout_length = c.HEARTH_LAYOUT_LENGTH,
        .policies = .{ .data = &policies, .length = policies.len },
    },
    .layout = c.hearth_layout,
};
