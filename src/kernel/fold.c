/* Texts without case and white space, as repeats.folded_text makes them of plain characters; what else is left. */
#include "arguments.h"

/* Kinds of code points: what folding does, and what a screen asks. */
enum { FOLDS = 3, KEPT = 0, BLANK = 1, UPPER = 2, ODD = 3, SCREENED = 8, ENDS_RUN = 16 };
enum { HAS_SCREENED = 1, HAS_RUN = 2, NOT_FOLDED = 4, RUN = 100 };

typedef struct {
    uint8_t *out;
    int64_t *ends;
    uint32_t *sizes;
    uint8_t *flags;
} Folded;

static uint8_t *spell(uint32_t point, uint8_t *out)
{
    if (point < 0x80) {
        *out++ = (uint8_t)point;
    } else if (point < 0x800) {
        *out++ = (uint8_t)(0xC0 | point >> 6);
        *out++ = (uint8_t)(0x80 | (point & 63));
    } else if (point < 0x10000) {
        *out++ = (uint8_t)(0xE0 | point >> 12);
        *out++ = (uint8_t)(0x80 | (point >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (point & 63));
    } else {
        *out++ = (uint8_t)(0xF0 | point >> 18);
        *out++ = (uint8_t)(0x80 | (point >> 12 & 63));
        *out++ = (uint8_t)(0x80 | (point >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (point & 63));
    }
    return out;
}

static uint32_t bytes_for(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* No text becomes longer: a capital whose small letter takes more bytes is left. */
static void fold_texts(const uint8_t *data, const int64_t *offsets, Py_ssize_t texts,
                       const uint8_t *kinds, const uint32_t *lowers, Folded *made)
{
    uint8_t *out = made->out;
    made->ends[0] = 0;
    for (Py_ssize_t text = 0; text < texts; text++) {
        const uint8_t *at = data + offsets[text], *end = data + offsets[text + 1];
        uint32_t size = 0, run = 0, step;
        uint8_t flags = 0;
        for (; at < end; at += step) {
            uint32_t point = point_before(at, end, &step);
            uint8_t kind = point < UNICODE ? kinds[point] : ODD;
            run = kind & ENDS_RUN ? 0 : run + 1;
            if (run > RUN)
                flags |= HAS_RUN;
            if (kind & SCREENED)
                flags |= HAS_SCREENED;
            uint32_t lower = (kind & FOLDS) == UPPER ? lowers[point] : 0;
            if ((kind & FOLDS) == ODD || bytes_for(lower) > step) {
                flags |= NOT_FOLDED;
            } else if ((kind & FOLDS) == UPPER) {
                out = spell(lower, out);
                size++;
            } else if ((kind & FOLDS) == KEPT) {
                memcpy(out, at, step);
                out += step;
                size++;
            }
        }
        made->ends[text + 1] = out - made->out;
        made->sizes[text] = size;
        made->flags[text] = flags;
    }
}

PyObject *fold(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer data, offsets, kinds, lowers;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*:fold", &data, &offsets, &kinds, &lowers))
        return NULL;
    Folded folded = {0};
    PyObject *parts[4] = {NULL, NULL, NULL, NULL}, *made = NULL;
    Py_ssize_t texts = strings_of(&data, &offsets), points = items_of(&lowers, sizeof(uint32_t), "lowers");
    if (texts < 0 || points < 0)
        goto done;
    if (kinds.len < UNICODE || points < UNICODE) {
        PyErr_SetString(PyExc_ValueError, "kinds, lowers: not one for each code point");
        goto done;
    }
    int64_t room = ((const int64_t *)offsets.buf)[texts] - ((const int64_t *)offsets.buf)[0];
    folded.out = malloc((size_t)room + PADDING);
    folded.ends = malloc(((size_t)texts + 1) * sizeof *folded.ends);
    folded.sizes = malloc(((size_t)texts + 1) * sizeof *folded.sizes);
    folded.flags = malloc((size_t)texts + 1);
    if (!folded.out || !folded.ends || !folded.sizes || !folded.flags) {
        PyErr_NoMemory();
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    fold_texts(data.buf, offsets.buf, texts, kinds.buf, lowers.buf, &folded);
    Py_END_ALLOW_THREADS
    parts[0] = bytes_of(folded.out, (uint64_t)folded.ends[texts], 1);
    parts[1] = bytes_of(folded.ends, (uint64_t)texts + 1, sizeof *folded.ends);
    parts[2] = bytes_of(folded.sizes, (uint64_t)texts, sizeof *folded.sizes);
    parts[3] = bytes_of(folded.flags, (uint64_t)texts, 1);
    if (parts[0] && parts[1] && parts[2] && parts[3])
        made = PyTuple_Pack(4, parts[0], parts[1], parts[2], parts[3]);
done:
    for (int at = 0; at < 4; at++)
        Py_XDECREF(parts[at]);
    free(folded.out);
    free(folded.ends);
    free(folded.sizes);
    free(folded.flags);
    PyBuffer_Release(&data);
    PyBuffer_Release(&offsets);
    PyBuffer_Release(&kinds);
    PyBuffer_Release(&lowers);
    return made;
}
