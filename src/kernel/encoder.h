/* Ids of units as `tokenizers` gives them: WordPiece behind BERT's pre-tokenizer, Unigram behind Metaspace, byte-level BPE.

   What becomes of each code point is told by who makes the encoder (it asks the tokenizer itself); a unit with one that
   was not told, with the beginning of an added token or of more than LONGEST bytes is left to the tokenizer. */
#ifndef PRETUNE_ENCODER_H
#define PRETUNE_ENCODER_H

#include "kernel.h"
#include "table.h"

typedef enum { WORDPIECE, UNIGRAM, BYTE_PAIRS } Model;

/* What becomes of a code point; UNTOLD: the unit is left. Of BPE: what the pattern takes it for. */
enum { UNTOLD = 0, DROPPED = 1, SPACE = 2, ALONE = 3, PART = 4 };
enum { LETTER = 1, NUMBER = 2, OTHER = 3 };

/* Bytes of a unit; code points that it may become; the length that says that a unit was left. */
enum { LONGEST = 400, MOST_POINTS = 512 };
#define LEFT 0xFFFFFFFFu

typedef struct {
    int32_t *ids;
    uint64_t used, room;
} Ids;

typedef struct {
    uint64_t *keys, mask; /* (node, code point) + 1; 0: free */
    uint32_t *values;     /* the node behind */
} Steps;

/* What two tokens side by side become, and before which others; NO_MERGE: they stay apart. */
#define NO_MERGE UINT32_MAX
typedef struct {
    uint32_t rank;
    int32_t to;
} Merge;

/* A place of the table of merges: all of it in one line of the processor's cache. */
typedef struct {
    uint64_t key; /* (id, id) + 1; 0: free */
    Merge merge;
} MergeSlot;

typedef struct {
    Model model;
    Steps steps;
    /* WordPiece and Unigram: node 1 is the root of what begins a word, 2 of what stands inside one */
    int32_t *id_of_node;
    uint64_t nodes_room;
    uint32_t nodes, longest_word;
    double *scores, unknown_score;
    int32_t unknown, ids;
    /* BPE */
    MergeSlot *merges;
    uint64_t merge_mask;
    Merge *of_bytes; /* of two bytes: first * 256 + second */
    int32_t of_byte[256];
    uint8_t digits; /* most in a word of Llama 3's and Qwen's pattern; 0: the pattern is GPT-2's */
    /* tokens that are looked for before merges (ignore_merges): bytes one after the other, hashed */
    uint8_t *word_bytes;
    uint32_t *word_slots, *word_starts, word_mask; /* of a slot the number + 1; 0: free */
    int32_t *word_ids;
    /* what becomes of a code point, by code point; of several, where they stand in `forms` and how many */
    uint8_t *kinds, *form_sizes;
    uint32_t *form_starts, *forms;
    uint64_t forms_used, forms_room;
    /* pairs of ASCII characters that an added token begins with */
    uint8_t pairs[128 * 128];
} Encoder;

Outcome encoder_make(Encoder *encoder, Model model, uint64_t merges);
void encoder_free(Encoder *encoder);
Outcome encoder_add_piece(Encoder *encoder, const uint32_t *points, uint32_t size, int inside, int32_t id);
void encoder_add_merge(Encoder *encoder, int32_t first, int32_t second, int32_t to, uint32_t rank);
void encoder_know_bytes(Encoder *encoder, const int32_t *of_byte);
Outcome encoder_add_words(Encoder *encoder, const uint8_t *bytes, const uint32_t *sizes, const int32_t *ids,
                          uint32_t words);
Outcome encoder_units(const Encoder *encoder, const Table *table, uint32_t from, uint32_t to, Ids *ids,
                      uint32_t *lengths);

Outcome ids_room(Ids *ids, uint64_t more);

/* The parts of one unit, encoded behind `ids`, which has room. */
uint32_t wordpiece_ids(const Encoder *encoder, const uint32_t *points, uint32_t size, int32_t *ids);
uint32_t unigram_ids(const Encoder *encoder, const uint32_t *points, uint32_t size, int32_t *ids);
uint32_t byte_pair_ids(const Encoder *encoder, const uint8_t *bytes, uint32_t size, int32_t *ids);

Outcome byte_pair_unit(const Encoder *encoder, const uint8_t *at, const uint8_t *end, Ids *ids, int *left);

static inline uint64_t slot_of(uint64_t key)
{
    key *= 0x9E3779B97F4A7C15ull;
    return key ^ key >> 29;
}

/* Where the value of a key stands, -1: nowhere. */
static inline int64_t steps_find(const Steps *steps, uint64_t key)
{
    for (uint64_t slot = slot_of(key) & steps->mask;; slot = (slot + 1) & steps->mask) {
        if (steps->keys[slot] == key)
            return (int64_t)slot;
        if (!steps->keys[slot])
            return -1;
    }
}

static inline Merge merge_of(const Encoder *encoder, int32_t first, int32_t second)
{
    static const Merge none = {NO_MERGE, -1};
    uint64_t key = ((uint64_t)(uint32_t)first << 32 | (uint32_t)second) + 1;
    for (uint64_t slot = slot_of(key) & encoder->merge_mask;; slot = (slot + 1) & encoder->merge_mask) {
        if (encoder->merges[slot].key == key)
            return encoder->merges[slot].merge;
        if (!encoder->merges[slot].key)
            return none;
    }
}

/* The id of a word that is a token; 0: it is none. */
static inline int words_find(const Encoder *encoder, const uint8_t *bytes, uint32_t size, int32_t *id)
{
    for (uint64_t slot = hash_of(bytes, size, bytes + size);; slot++) {
        uint32_t word = encoder->word_slots[slot & encoder->word_mask];
        if (!word)
            return 0;
        uint32_t start = encoder->word_starts[word - 1];
        if (encoder->word_starts[word] - start == size && !memcmp(encoder->word_bytes + start, bytes, size)) {
            *id = encoder->word_ids[word - 1];
            return 1;
        }
    }
}

#endif
