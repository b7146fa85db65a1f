/* The three models: WordPiece, Unigram and byte-pair merges, each on one word, as the library `tokenizers` does them. */
#include "encoder.h"

static inline uint32_t step(const Encoder *encoder, uint32_t node, uint32_t point)
{
    int64_t slot = steps_find(&encoder->steps, ((uint64_t)node << 21 | point) + 1);
    return slot < 0 ? 0 : encoder->steps.values[slot];
}

/* The longest piece first; a word of which any rest has none is unknown as a whole. */
uint32_t wordpiece_ids(const Encoder *encoder, const uint32_t *points, uint32_t size, int32_t *ids)
{
    uint32_t used = 0;
    for (uint32_t at = 0; at < size && size <= encoder->longest_word;) {
        uint32_t node = at ? 2 : 1, end = at;
        for (uint32_t next = at; next < size && (node = step(encoder, node, points[next])); next++)
            if (encoder->id_of_node[node] >= 0) {
                ids[used] = encoder->id_of_node[node];
                end = next + 1;
            }
        if (end == at)
            break;
        used++;
        at = end;
        if (at == size)
            return used;
    }
    ids[0] = encoder->unknown;
    return 1;
}

/* The path of the best sum of scores, of equal ones the first; unknown characters side by side are one token. */
uint32_t unigram_ids(const Encoder *encoder, const uint32_t *points, uint32_t size, int32_t *ids)
{
    double best[MOST_POINTS + 1];
    int32_t id[MOST_POINTS + 1];
    uint32_t from[MOST_POINTS + 1];
    uint8_t reached[MOST_POINTS + 1];
    memset(reached, 0, size + 1);
    best[0] = 0;
    for (uint32_t at = 0; at < size; at++) {
        uint32_t node = 1;
        int single = 0;
        for (uint32_t next = at; next < size && (node = step(encoder, node, points[next])); next++) {
            int32_t piece = encoder->id_of_node[node];
            if (piece < 0)
                continue;
            double score = best[at] + encoder->scores[piece];
            if (!reached[next + 1] || score > best[next + 1]) {
                reached[next + 1] = 1;
                best[next + 1] = score;
                id[next + 1] = piece;
                from[next + 1] = at;
            }
            single |= next == at;
        }
        double score = best[at] + encoder->unknown_score;
        if (!single && (!reached[at + 1] || score > best[at + 1])) {
            reached[at + 1] = 1;
            best[at + 1] = score;
            id[at + 1] = encoder->unknown;
            from[at + 1] = at;
        }
    }
    uint32_t used = 0;
    for (uint32_t end = size; end > 0; end = from[end])
        if (!used || id[end] != encoder->unknown || ids[used - 1] != encoder->unknown)
            ids[used++] = id[end];
    for (uint32_t at = 0; at < used / 2; at++) {
        int32_t other = ids[at];
        ids[at] = ids[used - 1 - at];
        ids[used - 1 - at] = other;
    }
    return used;
}

/* The merge of the lowest rank first, of equal ones the leftmost, until there is none. */
uint32_t byte_pair_ids(const Encoder *encoder, const uint8_t *bytes, uint32_t size, int32_t *ids)
{
    Merge between[LONGEST]; /* what a token and the next one become */
    for (uint32_t at = 0; at < size; at++)
        ids[at] = encoder->of_byte[bytes[at]];
    for (uint32_t at = 0; at + 1 < size; at++)
        between[at] = encoder->of_bytes[bytes[at] * 256 + bytes[at + 1]];
    while (size > 1) {
        uint32_t lowest = NO_MERGE, place = 0;
        for (uint32_t at = 0; at + 1 < size; at++)
            if (between[at].rank < lowest) {
                lowest = between[at].rank;
                place = at;
            }
        if (lowest == NO_MERGE)
            break;
        ids[place] = between[place].to;
        size_t behind = size - place - 2; /* tokens behind the two; as many merges, which stand between two each */
        memmove(ids + place + 1, ids + place + 2, behind * sizeof *ids);
        memmove(between + place, between + place + 1, behind * sizeof *between);
        size--;
        if (place + 1 < size)
            between[place] = merge_of(encoder, ids[place], ids[place + 1]);
        if (place)
            between[place - 1] = merge_of(encoder, ids[place - 1], ids[place]);
    }
    return size;
}
