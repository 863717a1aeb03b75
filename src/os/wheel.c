// SPDX-License-Identifier: Apache-2.0
/*
 * A hierarchical timer wheel (Varghese and Lauck, 1987): 4 levels of 64 slots, a tick of 10 ms.
 *
 *   level 0: a slot per tick, 640 ms around      level 2: 41 s a slot, 44 min around
 *   level 1: 640 ms a slot, 41 s around          level 3: 44 min a slot, 47 h around
 *
 * A timer sits at the lowest level that reaches its tick. When the hand enters a slot of a higher
 * level, its timers are dealt out again to the levels below (cascade). What is further away than
 * the top level reaches goes round once more.
 *
 * At level n the hand stands in slot (tick >> 6n) % 64, which has been dealt out already: a timer
 * in that very slot is one whole round away. So slots lie 1 to 64 steps ahead, never 0.
 *
 * Cancelling only unlinks, since the timer doesn't know its wheel. A `used` bit may thus outlive
 * the slot's last timer; it is cleared when the slot is next looked at.
 */
#include "os/wheel.h"

enum { SLOT_BITS = 6, SLOT_MASK = HF_WHEEL_SLOTS - 1 };

#define REACH ((int64_t)1 << (SLOT_BITS * HF_WHEEL_LEVELS))

void hf_wheel_init(struct hf_wheel *wheel, int64_t now_ms)
{
    wheel->tick = now_ms / HF_WHEEL_TICK_MS;
    for (int level = 0; level < HF_WHEEL_LEVELS; level++) {
        wheel->used[level] = 0;
        for (int i = 0; i < HF_WHEEL_SLOTS; i++) {
            hf_list_init(&wheel->slot[level][i]);
        }
    }
}

void hf_wheel_done(struct hf_wheel *wheel)
{
    for (int level = 0; level < HF_WHEEL_LEVELS; level++) {
        for (int i = 0; i < HF_WHEEL_SLOTS; i++) {
            HF_LIST_FOREACH (&wheel->slot[level][i], link) {
                hf_link_remove(link);
            }
        }
    }
}

/* The first tick at which a timer with this due time isn't early. */
static int64_t tick_of(int64_t due_ms)
{
    return due_ms / HF_WHEEL_TICK_MS + (due_ms % HF_WHEEL_TICK_MS != 0);
}

/* Links the timer where the given tick is found. tick >= wheel->tick. */
static void place(struct hf_wheel *wheel, struct hf_timer *timer, int64_t tick)
{
    int64_t ahead = tick - wheel->tick;
    if (ahead >= REACH) {
        ahead = REACH - 1;
        tick = wheel->tick + ahead;
    }
    int level = 0;
    while (ahead >> (SLOT_BITS * (level + 1))) {
        level++;
    }
    unsigned i = (unsigned)(tick >> (SLOT_BITS * level)) & SLOT_MASK;
    hf_list_push(&wheel->slot[level][i], &timer->link);
    wheel->used[level] |= 1ull << i;
}

void hf_wheel_set(struct hf_wheel *wheel, struct hf_timer *timer, int64_t due_ms)
{
    int64_t tick = tick_of(due_ms);
    hf_link_remove(&timer->link);
    timer->due_ms = due_ms;
    place(wheel, timer, tick > wheel->tick ? tick : wheel->tick + 1);
}

/* When the hand enters the next slot of this level that holds timers; INT64_MAX: never. */
static int64_t next_of_level(struct hf_wheel *wheel, int level)
{
    int64_t hand = wheel->tick >> (SLOT_BITS * level);
    unsigned first = (unsigned)(hand + 1) & SLOT_MASK;
    while (wheel->used[level]) {
        uint64_t used = wheel->used[level];
        uint64_t ahead = used >> first | used << ((HF_WHEEL_SLOTS - first) & SLOT_MASK);
        unsigned steps = (unsigned)__builtin_ctzll(ahead);
        unsigned i = (first + steps) & SLOT_MASK;
        if (!hf_list_empty(&wheel->slot[level][i])) {
            return (hand + 1 + steps) << (SLOT_BITS * level);
        }
        wheel->used[level] &= ~(1ull << i);
    }
    return INT64_MAX;
}

static int64_t next_tick(struct hf_wheel *wheel)
{
    int64_t next = INT64_MAX;
    for (int level = 0; level < HF_WHEEL_LEVELS; level++) {
        int64_t candidate = next_of_level(wheel, level);
        next = candidate < next ? candidate : next;
    }
    return next;
}

int64_t hf_wheel_next_ms(struct hf_wheel *wheel)
{
    int64_t next = next_tick(wheel);
    return next == INT64_MAX ? next : next * HF_WHEEL_TICK_MS;
}

/* Empties the slot into out, a list head of the caller's. */
static void take_slot(struct hf_wheel *wheel, int level, struct hf_link *out)
{
    unsigned i = (unsigned)(wheel->tick >> (SLOT_BITS * level)) & SLOT_MASK;
    wheel->used[level] &= ~(1ull << i);
    hf_list_take(&wheel->slot[level][i], out);
}

/* Deals out the slots that the hand enters with this tick. */
static void cascade(struct hf_wheel *wheel)
{
    for (int level = 1; level < HF_WHEEL_LEVELS; level++) {
        if (wheel->tick & (((int64_t)1 << (SLOT_BITS * level)) - 1)) {
            return;
        }
        struct hf_link entered;
        take_slot(wheel, level, &entered);
        HF_LIST_FOREACH (&entered, link) {
            struct hf_timer *timer = HF_CONTAINER_OF(link, struct hf_timer, link);
            hf_link_remove(link);
            place(wheel, timer, tick_of(timer->due_ms));
        }
    }
}

/* Timers are taken off the list one by one, since a callback may cancel any of the others. */
static void expire(struct hf_wheel *wheel)
{
    struct hf_link due;
    take_slot(wheel, 0, &due);
    while (!hf_list_empty(&due)) {
        struct hf_timer *timer = HF_CONTAINER_OF(due.next, struct hf_timer, link);
        hf_link_remove(&timer->link);
        timer->on_due(timer);
    }
}

void hf_wheel_advance(struct hf_wheel *wheel, int64_t now_ms)
{
    int64_t now = now_ms / HF_WHEEL_TICK_MS;
    for (int64_t next = next_tick(wheel); next <= now; next = next_tick(wheel)) {
        wheel->tick = next;
        cascade(wheel);
        expire(wheel);
    }
    wheel->tick = now > wheel->tick ? now : wheel->tick;
}
