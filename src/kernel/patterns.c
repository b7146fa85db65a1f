/* Patterns that cut a unit of byte-level BPE into words: GPT-2's, and that of cl100k, Llama 3 and Qwen. */
#include "encoder.h"

/* The ids of a word: its own where the model has it whole and looks there first, else what merges give. */
static uint32_t word_ids(const Encoder *encoder, const uint8_t *bytes, uint32_t size, int32_t *ids)
{
    if (encoder->word_slots && words_find(encoder, bytes, size, ids))
        return 1;
    return byte_pair_ids(encoder, bytes, size, ids);
}

/* Bytes of GPT-2's contractions ('s 't 're 've 'm 'll 'd) at this place; 0: there is none. */
static uint32_t contraction(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2 || at[0] != '\'')
        return 0;
    if (at[1] == 's' || at[1] == 't' || at[1] == 'm' || at[1] == 'd')
        return 2;
    if (end - at < 3)
        return 0;
    return (at[1] == 'r' && at[2] == 'e') || (at[1] == 'v' && at[2] == 'e') || (at[1] == 'l' && at[2] == 'l') ? 3 : 0;
}

/* GPT-2's pattern: a contraction, or a space or none and a run of letters, of numbers or of anything else. */
static Outcome gpt2_unit(const Encoder *encoder, const uint8_t *at, const uint8_t *end, Ids *ids, int *left)
{
    uint32_t step;
    if (ids_room(ids, (uint64_t)(end - at)))
        return NO_MEMORY;
    while (at < end) {
        const uint8_t *start = at;
        uint32_t short_form = contraction(at, end);
        if (short_form) {
            at += short_form;
        } else {
            if (*at == ' ')
                at++;
            uint8_t kind = at < end ? encoder->kinds[point_at(at, &step)] : UNTOLD, other = kind;
            while (at < end && other == kind && kind != UNTOLD) {
                other = encoder->kinds[point_at(at, &step)];
                if (other == kind)
                    at += step;
            }
            if (kind == UNTOLD || other == UNTOLD) { /* white space too: it is never told, and no unit is cut there */
                *left = 1;
                return DONE;
            }
            if (at > end)
                at = end;
        }
        ids->used += word_ids(encoder, start, (uint32_t)(at - start), ids->ids + ids->used);
    }
    return DONE;
}

/* The same in either case, as Llama 3 and Qwen have them; other letters that fold to these are never told. */
static uint32_t any_contraction(const uint8_t *at, const uint8_t *end)
{
    uint8_t folded[3] = {0, 0, 0};
    for (uint32_t place = 0; place < 3 && at + place < end; place++)
        folded[place] = place && at[place] >= 'A' && at[place] <= 'Z' ? at[place] | 32 : at[place];
    return contraction(folded, folded + (end - at < 3 ? end - at : 3));
}

/* Llama 3's and Qwen's pattern, where white space stands in no unit but as the space that it begins with:
   a contraction; letters, with the space or one other character before them; some digits; a space or none and others. */
static Outcome split_unit(const Encoder *encoder, const uint8_t *at, const uint8_t *end, Ids *ids, int *left)
{
    if (ids_room(ids, (uint64_t)(end - at)))
        return NO_MEMORY;
    const uint8_t *space = at < end && *at == ' ' ? at : NULL;
    *left = space && at + 1 == end;
    while (at < end && !*left) {
        const uint8_t *start = at;
        uint32_t step = any_contraction(at, end), next_step = 0, most = UINT32_MAX;
        if (step) {
            at += step;
        } else {
            uint8_t kind = OTHER;
            step = 1;
            if (at != space)
                kind = encoder->kinds[point_at(at, &step)];
            uint8_t next = at + step < end ? encoder->kinds[point_at(at + step, &next_step)] : kind;
            int alone = at == space && next == NUMBER; /* no digit takes a space with it */
            if (kind == OTHER && next == LETTER)
                kind = LETTER;
            *left = kind == UNTOLD || (at == space && next == UNTOLD);
            if (kind == NUMBER)
                most = encoder->digits;
            at += step;
            for (uint32_t many = 1; at < end && many < most && !alone && !*left; many++) {
                uint8_t other = encoder->kinds[point_at(at, &step)];
                *left = other == UNTOLD;
                if (other != kind)
                    break;
                at += step;
            }
        }
        if (at > end)
            at = end;
        if (!*left)
            ids->used += word_ids(encoder, start, (uint32_t)(at - start), ids->ids + ids->used);
    }
    return DONE;
}

Outcome byte_pair_unit(const Encoder *encoder, const uint8_t *at, const uint8_t *end, Ids *ids, int *left)
{
    return encoder->digits ? split_unit(encoder, at, end, ids, left) : gpt2_unit(encoder, at, end, ids, left);
}
