/* Encoders and their tables, and units cut into what a model encodes at once. */
#include "encoder.h"

static uint64_t step_key(uint32_t node, uint32_t point)
{
    return ((uint64_t)node << 21 | point) + 1;
}

/* `merges`: how many are going to be added; what pieces need is made as they come. */
Outcome encoder_make(Encoder *encoder, Model model, uint64_t merges)
{
    memset(encoder, 0, sizeof *encoder);
    encoder->model = model;
    encoder->kinds = calloc(POINTS, 1);
    encoder->form_sizes = calloc(POINTS, 1);
    encoder->form_starts = calloc(POINTS, sizeof *encoder->form_starts);
    if (!encoder->kinds || !encoder->form_sizes || !encoder->form_starts)
        return NO_MEMORY;
    uint64_t size = 1024;
    while (size < merges * 2)
        size *= 2;
    if (model == BYTE_PAIRS) {
        encoder->merge_mask = size - 1;
        encoder->merges = calloc(size, sizeof *encoder->merges);
        encoder->of_bytes = malloc(256 * 256 * sizeof *encoder->of_bytes);
        return encoder->merges && encoder->of_bytes ? DONE : NO_MEMORY;
    }
    encoder->steps.mask = size - 1;
    encoder->steps.keys = calloc(size, sizeof *encoder->steps.keys);
    encoder->steps.values = malloc(size * sizeof *encoder->steps.values);
    if (!encoder->steps.keys || !encoder->steps.values)
        return NO_MEMORY;
    if (grow(&encoder->id_of_node, &encoder->nodes_room, 3, sizeof *encoder->id_of_node))
        return NO_MEMORY;
    for (encoder->nodes = 0; encoder->nodes < 3; encoder->nodes++)
        encoder->id_of_node[encoder->nodes] = -1;
    return DONE;
}

void encoder_free(Encoder *encoder)
{
    void *parts[] = {encoder->steps.keys, encoder->steps.values, encoder->id_of_node, encoder->scores, encoder->merges,
                     encoder->kinds,      encoder->form_sizes,   encoder->form_starts, encoder->forms,
                     encoder->word_bytes, encoder->word_slots,   encoder->word_starts, encoder->word_ids,
                     encoder->of_bytes};
    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++)
        free(parts[at]);
    memset(encoder, 0, sizeof *encoder);
}

static Outcome more_steps(Steps *steps)
{
    uint64_t size = (steps->mask + 1) * 2;
    Steps more = {calloc(size, sizeof *more.keys), size - 1, malloc(size * sizeof *more.values)};
    if (!more.keys || !more.values) {
        free(more.keys);
        free(more.values);
        return NO_MEMORY;
    }
    for (uint64_t at = 0; at <= steps->mask; at++) {
        if (!steps->keys[at])
            continue;
        uint64_t slot = slot_of(steps->keys[at]) & more.mask;
        while (more.keys[slot])
            slot = (slot + 1) & more.mask;
        more.keys[slot] = steps->keys[at];
        more.values[slot] = steps->values[at];
    }
    free(steps->keys);
    free(steps->values);
    *steps = more;
    return DONE;
}

Outcome encoder_add_piece(Encoder *encoder, const uint32_t *points, uint32_t size, int inside, int32_t id)
{
    uint32_t node = inside ? 2 : 1;
    for (uint32_t at = 0; at < size; at++) {
        if ((uint64_t)encoder->nodes * 5 > (encoder->steps.mask + 1) * 3 && more_steps(&encoder->steps))
            return NO_MEMORY;
        uint64_t key = step_key(node, points[at]), slot = slot_of(key) & encoder->steps.mask;
        while (encoder->steps.keys[slot] && encoder->steps.keys[slot] != key)
            slot = (slot + 1) & encoder->steps.mask;
        if (!encoder->steps.keys[slot]) {
            if (grow(&encoder->id_of_node, &encoder->nodes_room, (uint64_t)encoder->nodes + 1,
                     sizeof *encoder->id_of_node))
                return NO_MEMORY;
            encoder->steps.keys[slot] = key;
            encoder->steps.values[slot] = encoder->nodes;
            encoder->id_of_node[encoder->nodes++] = -1;
        }
        node = encoder->steps.values[slot];
    }
    encoder->id_of_node[node] = id; /* of a piece that is there twice the last one counts, as in a map */
    return DONE;
}

void encoder_add_merge(Encoder *encoder, int32_t first, int32_t second, int32_t to, uint32_t rank)
{
    uint64_t key = ((uint64_t)(uint32_t)first << 32 | (uint32_t)second) + 1, slot = slot_of(key) & encoder->merge_mask;
    while (encoder->merges[slot].key && encoder->merges[slot].key != key)
        slot = (slot + 1) & encoder->merge_mask;
    encoder->merges[slot] = (MergeSlot){key, {rank, to}};
}

/* The tokens of the bytes; once, when all merges were added. */
void encoder_know_bytes(Encoder *encoder, const int32_t *of_byte)
{
    memcpy(encoder->of_byte, of_byte, sizeof encoder->of_byte);
    for (uint32_t first = 0; first < 256; first++)
        for (uint32_t second = 0; second < 256; second++)
            encoder->of_bytes[first * 256 + second] = merge_of(encoder, of_byte[first], of_byte[second]);
}

/* Words that are tokens whole, looked for before merges; once for an encoder. */
Outcome encoder_add_words(Encoder *encoder, const uint8_t *bytes, const uint32_t *sizes, const int32_t *ids,
                          uint32_t words)
{
    uint64_t slots = 64, total = 0;
    while (slots < (uint64_t)words * 2)
        slots *= 2;
    for (uint32_t word = 0; word < words; word++)
        total += sizes[word];
    encoder->word_mask = (uint32_t)(slots - 1);
    encoder->word_slots = calloc(slots, sizeof *encoder->word_slots);
    encoder->word_starts = malloc(((size_t)words + 1) * sizeof *encoder->word_starts);
    encoder->word_ids = malloc(((size_t)words + 1) * sizeof *encoder->word_ids);
    encoder->word_bytes = malloc(total + PADDING);
    if (!encoder->word_slots || !encoder->word_starts || !encoder->word_ids || !encoder->word_bytes)
        return NO_MEMORY;
    memcpy(encoder->word_bytes, bytes, total);
    uint32_t start = 0;
    for (uint32_t word = 0; word < words; word++) {
        uint64_t slot = hash_of(bytes + start, sizes[word], bytes + start + sizes[word]);
        while (encoder->word_slots[slot & encoder->word_mask])
            slot++;
        encoder->word_slots[slot & encoder->word_mask] = word + 1;
        encoder->word_starts[word] = start;
        encoder->word_ids[word] = ids[word];
        start += sizes[word];
    }
    encoder->word_starts[words] = start;
    return DONE;
}

Outcome ids_room(Ids *ids, uint64_t more)
{
    return grow(&ids->ids, &ids->room, ids->used + more, sizeof *ids->ids);
}

/* Whether an added token may begin in a unit. */
static int may_hold_added(const Encoder *encoder, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t at = 1; at < size; at++)
        if ((bytes[at] | bytes[at - 1]) < 128 && encoder->pairs[bytes[at - 1] * 128 + bytes[at]])
            return 1;
    return 0;
}

/* The model's ids of the word so far. */
static Outcome end_word(const Encoder *encoder, const uint32_t *word, uint32_t *size, Ids *ids)
{
    if (!*size)
        return DONE;
    if (ids_room(ids, *size))
        return NO_MEMORY;
    ids->used += wordpiece_ids(encoder, word, *size, ids->ids + ids->used);
    *size = 0;
    return DONE;
}

/* BERT's words: parts of one stand together, white space ends it, punctuation marks and Han characters stand alone. */
static Outcome bert_unit(const Encoder *encoder, const uint8_t *at, const uint8_t *end, Ids *ids, int *left)
{
    uint32_t word[MOST_POINTS], size = 0, step;
    while (at < end) {
        uint32_t point = point_at(at, &step);
        uint8_t kind = encoder->kinds[point];
        const uint32_t *form = encoder->forms + encoder->form_starts[point];
        uint32_t form_size = encoder->form_sizes[point];
        at += step;
        if (kind == UNTOLD || size + form_size > MOST_POINTS) {
            *left = 1;
            return DONE;
        }
        if (kind == PART) {
            memcpy(word + size, form, form_size * sizeof *form);
            size += form_size;
        } else if (kind != DROPPED) {
            if (end_word(encoder, word, &size, ids))
                return NO_MEMORY;
            if (kind == ALONE) {
                if (ids_room(ids, form_size))
                    return NO_MEMORY;
                ids->used += wordpiece_ids(encoder, form, form_size, ids->ids + ids->used);
            }
        }
    }
    return end_word(encoder, word, &size, ids);
}

/* Metaspace's only word of a unit: a visible space, and what stands behind the space. */
static Outcome metaspace_unit(const Encoder *encoder, const uint8_t *at, const uint8_t *end, Ids *ids, int *left)
{
    uint32_t word[MOST_POINTS], size = 0, step;
    word[size++] = 0x2581;
    if (at < end && *at == ' ')
        at++;
    *left = at == end;
    while (at < end && !*left) {
        uint32_t point = point_at(at, &step), form_size = encoder->form_sizes[point];
        at += step;
        *left = encoder->kinds[point] != PART || size + form_size > MOST_POINTS;
        if (!*left) {
            memcpy(word + size, encoder->forms + encoder->form_starts[point], form_size * sizeof *word);
            size += form_size;
        }
    }
    if (*left)
        return DONE;
    if (ids_room(ids, size))
        return NO_MEMORY;
    ids->used += unigram_ids(encoder, word, size, ids->ids + ids->used);
    return DONE;
}

/* The ids of the units from..to, one after the other, and how many each has, or LEFT. */
Outcome encoder_units(const Encoder *encoder, const Table *table, uint32_t from, uint32_t to, Ids *ids,
                      uint32_t *lengths)
{
    for (uint32_t unit = from; unit < to; unit++) {
        const uint8_t *at = table->bytes + table->spans[unit].at, *end = at + table->spans[unit].size;
        uint64_t before = ids->used;
        int left = end - at > LONGEST || may_hold_added(encoder, at, table->spans[unit].size);
        Outcome outcome = DONE;
        if (!left && encoder->model == WORDPIECE)
            outcome = bert_unit(encoder, at, end, ids, &left);
        else if (!left && encoder->model == UNIGRAM)
            outcome = metaspace_unit(encoder, at, end, ids, &left);
        else if (!left)
            outcome = byte_pair_unit(encoder, at, end, ids, &left);
        if (outcome)
            return outcome;
        if (left)
            ids->used = before;
        lengths[unit - from] = left ? LEFT : (uint32_t)(ids->used - before);
    }
    return DONE;
}
