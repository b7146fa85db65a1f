/* The table of units and words: what cuts texts, gives each different unit a number and counts it. Knows no Python. */
#ifndef PRETUNE_TABLE_H
#define PRETUNE_TABLE_H

#include "kernel.h"

/* Kinds of code points, as bits (see cut.py). */
enum { NO_CUT_BEHIND = 1, MARK = 2, WHITE = 4 };

/* In `parts`: the unit is one word behind a space, its own and only word. */
#define ONE_WORD 0xFFFFFFFFu

/* Bytes of all units together. */
#define MOST_BYTES 0x7FFFFFFFull

typedef struct {
    uint32_t at, size;
} Span;

typedef struct {
    uint64_t *slots, mask;       /* open addressing: the upper half of a hash, and a number + 1; 0: free */
    uint32_t count;              /* units, words that are no unit of a text included */
    uint64_t room;               /* of each array that follows */
    Span *spans;                 /* where each stands in `bytes` */
    int64_t *now, *total;        /* occurrences as a unit: in this block, in all */
    int64_t *word_now, *word_total, *word_peak; /* running words: in this block, in all, most in any block */
    uint32_t *first, *parts;     /* its words: where in `words`, how many */
    uint32_t *met, *words_met;   /* units and words of this block */
    uint64_t met_count, words_met_count;
    uint8_t *bytes;              /* all units one after the other */
    uint64_t bytes_used, bytes_room;
    uint32_t *words;             /* the words of the units that are not ONE_WORD */
    uint64_t words_used, words_room;
    uint32_t *codes;             /* the unit of each place of this block */
    uint64_t codes_used, codes_room;
    uint32_t *sizes;             /* units of each text of this block */
    uint64_t texts, sizes_room;
    uint8_t *kinds, *seen;       /* by code point */
    int wordless;                /* units are numbered without their words */
} Table;

Outcome table_make(Table *table);
void table_free(Table *table);
void table_clear(Table *table);
Outcome table_add_texts(Table *table, const uint8_t *data, const uint8_t *end, const int64_t *offsets, int64_t texts,
                        const int64_t *times);
Outcome table_add_strings(Table *table, const uint8_t *data, const uint8_t *end, const int64_t *offsets,
                          int64_t strings);

/* A unit that is not there yet: its number. Texts' own memory must not be the table's. */
Outcome table_new_unit(Table *table, const uint8_t *at, uint32_t size, uint64_t hash, uint32_t *number);

static inline Outcome table_number_of(Table *table, const uint8_t *at, uint32_t size, uint64_t hash, uint32_t *number)
{
    for (uint64_t slot = hash & table->mask; table->slots[slot]; slot = (slot + 1) & table->mask) {
        uint64_t value = table->slots[slot];
        if (value >> 32 != hash >> 32)
            continue;
        uint32_t unit = (uint32_t)value - 1;
        if (table->spans[unit].size == size && !memcmp(table->bytes + table->spans[unit].at, at, size)) {
            *number = unit;
            return DONE;
        }
    }
    return table_new_unit(table, at, size, hash, number);
}

#endif
