/* Cuts texts into units, and counts them and their words, block by block. */
#include "table.h"

enum { BATCH = 64 };

/* Whether a text is cut before a space: what stands before it, marks left out, is not space-like. */
static inline int cut_before(const uint8_t *kinds, const uint8_t *begin, const uint8_t *space, const uint8_t *end)
{
    if (space[-1] < 0x80)
        return !(kinds[space[-1]] & NO_CUT_BEHIND);
    const uint8_t *at = space;
    while (at > begin) {
        uint32_t size;
        do
            at--;
        while (at > begin && (*at & 0xC0) == 0x80);
        uint8_t kind = kinds[point_before(at, end, &size)];
        if (kind & NO_CUT_BEHIND)
            return 0;
        if (!(kind & MARK))
            return 1;
    }
    return 1;
}

typedef struct {
    const uint8_t *at;
    uint32_t size;
    uint64_t hash;
    int64_t times;
} Piece;

/* Number and count some pieces; what the first loops touch is there when the last one needs it. */
static Outcome count(Table *table, const Piece *pieces, int many)
{
    if (grow(&table->codes, &table->codes_room, table->codes_used + (uint64_t)many, sizeof *table->codes))
        return NO_MEMORY;
    for (int at = 0; at < many; at++) {
        uint64_t value = table->slots[pieces[at].hash & table->mask];
        if (value)
            __builtin_prefetch(&table->spans[(uint32_t)value - 1]);
    }
    for (int at = 0; at < many; at++) {
        uint64_t value = table->slots[pieces[at].hash & table->mask];
        if (value) {
            __builtin_prefetch(table->bytes + table->spans[(uint32_t)value - 1].at);
            __builtin_prefetch(&table->now[(uint32_t)value - 1], 1);
        }
    }
    for (int at = 0; at < many; at++) {
        uint32_t unit;
        Outcome outcome = table_number_of(table, pieces[at].at, pieces[at].size, pieces[at].hash, &unit);
        if (outcome)
            return outcome;
        table->codes[table->codes_used++] = unit;
        if (!table->now[unit] && pieces[at].times)
            table->met[table->met_count++] = unit;
        table->now[unit] += pieces[at].times;
    }
    return DONE;
}

/* The first space at or behind `at`; `end` of the text, or beyond it, where there is none. */
static inline const uint8_t *next_space(const uint8_t *at, const uint8_t *end, const uint8_t *memory)
{
    while (at < end && memory - at >= 8) {
        uint64_t value = eight_bytes(at) ^ 0x2020202020202020ull;
        uint64_t zero = (value - 0x0101010101010101ull) & ~value & 0x8080808080808080ull;
        if (zero)
            return at + (__builtin_ctzll(zero) >> 3);
        at += 8;
    }
    while (at < end && *at != ' ')
        at++;
    return at;
}

/* The counts of this block's units to those of all blocks, and to the words in them. */
static void add_up(Table *table)
{
    for (uint64_t at = 0; at < table->met_count; at++) {
        uint32_t unit = table->met[at], parts = table->parts[unit];
        int64_t times = table->now[unit];
        table->total[unit] += times;
        table->now[unit] = 0;
        const uint32_t *word = parts == ONE_WORD ? &unit : table->words + table->first[unit];
        for (uint32_t left = parts == ONE_WORD ? 1 : parts; left; left--, word++) {
            if (!table->word_now[*word])
                table->words_met[table->words_met_count++] = *word;
            table->word_now[*word] += times;
        }
    }
}

/* Cut and count the texts of a block; `times`: how often each stands there (NULL: once). */
Outcome table_add_texts(Table *table, const uint8_t *data, const uint8_t *end, const int64_t *offsets, int64_t texts,
                        const int64_t *times)
{
    table->codes_used = table->met_count = table->words_met_count = table->texts = 0;
    if (grow(&table->sizes, &table->sizes_room, (uint64_t)texts, sizeof *table->sizes))
        return NO_MEMORY;
    Piece pieces[BATCH];
    int waiting = 0;
    Outcome outcome = DONE;
    for (int64_t text = 0; text < texts; text++) {
        const uint8_t *begin = data + offsets[text], *stop = data + offsets[text + 1], *start = begin, *at = begin;
        uint32_t size = 0;
        while (start < stop) {
            at = next_space(at, stop, end);
            if (at < stop && (at == begin || !cut_before(table->kinds, begin, at, end))) {
                at++;
                continue;
            }
            if (at > stop)
                at = stop;
            Piece *piece = &pieces[waiting];
            *piece = (Piece){start, (uint32_t)(at - start), 0, times ? times[text] : 1};
            piece->hash = hash_of(start, piece->size, end);
            __builtin_prefetch(&table->slots[piece->hash & table->mask]);
            size++;
            if (++waiting == BATCH) {
                if ((outcome = count(table, pieces, waiting)))
                    return outcome;
                waiting = 0;
            }
            start = at++;
        }
        table->sizes[text] = size;
    }
    table->texts = (uint64_t)texts;
    if ((outcome = count(table, pieces, waiting)))
        return outcome;
    add_up(table);
    return DONE;
}

/* Number strings as they are, without their words; their numbers are then in `codes`. */
Outcome table_add_strings(Table *table, const uint8_t *data, const uint8_t *end, const int64_t *offsets,
                          int64_t strings)
{
    table->codes_used = table->met_count = table->words_met_count = table->texts = 0;
    table->wordless = 1;
    Outcome outcome = DONE;
    for (int64_t at = 0; at < strings && outcome == DONE; at++) {
        const uint8_t *begin = data + offsets[at];
        uint32_t size = (uint32_t)(offsets[at + 1] - offsets[at]);
        Piece piece = {begin, size, hash_of(begin, size, end), 0};
        outcome = count(table, &piece, 1);
    }
    table->wordless = 0;
    return outcome;
}
