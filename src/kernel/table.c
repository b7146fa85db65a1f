/* Units and words get their numbers: memory, slots, the words of a unit. */
#include "table.h"

#include "space_table.h"

enum { FIRST_SLOTS = 1 << 14 };

Outcome table_make(Table *table)
{
    memset(table, 0, sizeof *table);
    table->mask = FIRST_SLOTS - 1;
    table->slots = calloc(FIRST_SLOTS, sizeof *table->slots);
    table->kinds = calloc(POINTS, 1);
    table->seen = calloc(POINTS, 1);
    if (!table->slots || !table->kinds || !table->seen || grow(&table->bytes, &table->bytes_room, 1, 1))
        return NO_MEMORY;
    for (size_t at = 0; at < sizeof SPACE_TABLE / sizeof *SPACE_TABLE; at++)
        for (uint32_t point = SPACE_TABLE[at].first; point <= SPACE_TABLE[at].last; point++)
            table->kinds[point] |= SPACE_TABLE[at].kind;
    return DONE;
}

void table_free(Table *table)
{
    void *parts[] = {table->slots,     table->spans, table->now,   table->total, table->word_now, table->word_total,
                     table->word_peak, table->first, table->parts, table->met,   table->words_met, table->bytes,
                     table->words,     table->codes, table->sizes, table->kinds, table->seen};
    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++)
        free(parts[at]);
    memset(table, 0, sizeof *table);
}

/* Forget all units; what characters are stays known. */
void table_clear(Table *table)
{
    table->count = 0;
    table->bytes_used = table->words_used = table->codes_used = 0;
    table->met_count = table->words_met_count = table->texts = 0;
    memset(table->slots, 0, (table->mask + 1) * sizeof *table->slots);
}

static Outcome more_units(Table *table)
{
    uint64_t wanted = (uint64_t)table->count + 1;
    uint64_t room = table->room;
    /* each array by itself, and the common room last: after a failure all are as large as it says */
#define GROW(array)                                                                                                    \
    room = table->room;                                                                                                \
    if (grow(&table->array, &room, wanted, sizeof *table->array))                                                      \
        return NO_MEMORY;
    GROW(spans)
    GROW(now)
    GROW(total)
    GROW(word_now)
    GROW(word_total)
    GROW(word_peak)
    GROW(first)
    GROW(parts)
    GROW(met)
    GROW(words_met)
#undef GROW
    table->room = room;
    return DONE;
}

static void put(Table *table, uint64_t hash, uint32_t number)
{
    uint64_t slot = hash & table->mask;
    while (table->slots[slot])
        slot = (slot + 1) & table->mask;
    table->slots[slot] = (hash & 0xFFFFFFFF00000000ull) | (number + 1);
}

static Outcome more_slots(Table *table)
{
    uint64_t size = (table->mask + 1) * 2;
    uint64_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return NO_MEMORY;
    free(table->slots);
    table->slots = slots;
    table->mask = size - 1;
    const uint8_t *end = table->bytes + table->bytes_used + PADDING;
    for (uint32_t unit = 0; unit < table->count; unit++)
        put(table, hash_of(table->bytes + table->spans[unit].at, table->spans[unit].size, end), unit);
    return DONE;
}

/* Number the words of a unit, each as what it is behind a space. */
static Outcome part_words(Table *table, uint32_t unit)
{
    uint32_t at = table->spans[unit].at, end = at + table->spans[unit].size, size, step;
    const uint8_t *kinds = table->kinds;
    if (end - at > 1 && table->bytes[at] == ' ') {
        uint32_t next = at + 1;
        while (next < end && !(kinds[point_at(table->bytes + next, &step)] & WHITE))
            next += step;
        if (next >= end) {
            table->parts[unit] = ONE_WORD;
            return DONE;
        }
    }
    uint8_t small[256], *word = small, *large = NULL;
    uint64_t large_room = 0;
    Outcome outcome = DONE;
    while (at < end && outcome == DONE) {
        if (kinds[point_at(table->bytes + at, &step)] & WHITE) {
            at += step;
            continue;
        }
        uint32_t start = at, number;
        while (at < end && !(kinds[point_at(table->bytes + at, &step)] & WHITE))
            at += step;
        if (at > end) /* a character cut short */
            at = end;
        size = at - start + 1;
        if (size > sizeof small) {
            if ((outcome = grow(&large, &large_room, size, 1)))
                break;
            word = large;
        } else {
            word = small;
        }
        word[0] = ' ';
        memcpy(word + 1, table->bytes + start, size - 1);
        outcome = table_number_of(table, word, size, hash_of(word, size, word + size), &number);
        if (outcome == DONE)
            outcome = grow(&table->words, &table->words_room, table->words_used + 1, sizeof *table->words);
        if (outcome == DONE) {
            table->words[table->words_used++] = number;
            table->parts[unit]++;
        }
    }
    free(large);
    return outcome;
}

Outcome table_new_unit(Table *table, const uint8_t *at, uint32_t size, uint64_t hash, uint32_t *number)
{
    if (table->bytes_used + size > MOST_BYTES)
        return TOO_LARGE;
    if (table->count >= table->room && more_units(table))
        return NO_MEMORY;
    if (grow(&table->bytes, &table->bytes_room, table->bytes_used + size, 1))
        return NO_MEMORY;
    if (((uint64_t)table->count + 1) * 5 > (table->mask + 1) * 3 && more_slots(table))
        return NO_MEMORY;
    uint32_t unit = table->count++;
    memcpy(table->bytes + table->bytes_used, at, size);
    memset(table->bytes + table->bytes_used + size, 0, PADDING);
    table->spans[unit] = (Span){(uint32_t)table->bytes_used, size};
    table->bytes_used += size;
    table->now[unit] = table->total[unit] = 0;
    table->word_now[unit] = table->word_total[unit] = table->word_peak[unit] = 0;
    table->first[unit] = (uint32_t)table->words_used;
    table->parts[unit] = 0;
    put(table, hash, unit);
    *number = unit;
    return table->wordless ? DONE : part_words(table, unit);
}
