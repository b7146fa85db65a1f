/* kernel.Encoder: a tokenizer's model and what becomes of characters, as a Python object. */
#include "arguments.h"

static void encoder_dealloc(EncoderObject *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    encoder_free(&self->encoder);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static EncoderObject *made_of(PyObject *type, Model model, uint64_t merges)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
    EncoderObject *self = (EncoderObject *)allocate((PyTypeObject *)type, 0);
    if (self && encoder_make(&self->encoder, model, merges)) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    return self;
}

/* Pieces into the encoder: their code points one after the other, how many each has, its id, whether it goes on. */
static int add_pieces(EncoderObject *self, const Py_buffer *points, const Py_buffer *sizes, const Py_buffer *ids,
                      const Py_buffer *inside)
{
    Encoder *encoder = &self->encoder;
    Py_ssize_t left = items_of(points, sizeof(uint32_t), "points"), pieces = items_of(sizes, sizeof(uint32_t), "sizes");
    if (left < 0 || pieces < 0 || items_of(ids, sizeof(int32_t), "ids") < 0)
        return 0;
    int fits = ids->len == sizes->len && inside->len == pieces;
    const uint32_t *point = points->buf, *size = sizes->buf;
    for (Py_ssize_t at = 0; at < left && fits; at++)
        fits = point[at] < UNICODE;
    for (Py_ssize_t at = 0; at < pieces && fits; at++) {
        int32_t id = ((const int32_t *)ids->buf)[at];
        fits = id >= 0 && id < INT32_MAX && size[at] && (Py_ssize_t)size[at] <= left;
        if (!fits)
            break;
        if (encoder_add_piece(encoder, point, size[at], ((const uint8_t *)inside->buf)[at], id)) {
            PyErr_NoMemory();
            return 0;
        }
        encoder->ids = id >= encoder->ids ? id + 1 : encoder->ids;
        point += size[at];
        left -= size[at];
    }
    if (!fits)
        PyErr_SetString(PyExc_ValueError, "points, sizes, ids, inside: they do not fit together");
    return fits;
}

PyObject *encoder_wordpiece(PyObject *type, PyObject *arguments)
{
    Py_buffer points, sizes, ids, inside;
    int unknown;
    unsigned int longest;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*iI:wordpiece", &points, &sizes, &ids, &inside, &unknown, &longest))
        return NULL;
    EncoderObject *self = made_of(type, WORDPIECE, 0);
    if (self && !add_pieces(self, &points, &sizes, &ids, &inside))
        Py_CLEAR(self);
    if (self) {
        self->encoder.unknown = unknown;
        self->encoder.longest_word = longest;
    }
    PyBuffer_Release(&points);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&ids);
    PyBuffer_Release(&inside);
    return (PyObject *)self;
}

PyObject *encoder_unigram(PyObject *type, PyObject *arguments)
{
    Py_buffer points, sizes, ids, inside, scores;
    int unknown;
    double unknown_score;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*id:unigram", &points, &sizes, &ids, &inside, &scores, &unknown,
                          &unknown_score))
        return NULL;
    EncoderObject *self = made_of(type, UNIGRAM, 0);
    Encoder *encoder = self ? &self->encoder : NULL;
    Py_ssize_t given = items_of(&scores, sizeof(double), "scores");
    if (self && (given < 0 || !add_pieces(self, &points, &sizes, &ids, &inside)))
        Py_CLEAR(self);
    if (self && (given < encoder->ids || unknown < 0)) {
        PyErr_SetString(PyExc_ValueError, "scores: not one for each id, or no unknown token");
        Py_CLEAR(self);
    }
    if (self && !(encoder->scores = malloc((size_t)scores.len + sizeof(double)))) {
        PyErr_NoMemory();
        Py_CLEAR(self);
    }
    if (self) {
        memcpy(encoder->scores, scores.buf, (size_t)scores.len);
        encoder->unknown = unknown;
        encoder->unknown_score = unknown_score;
    }
    PyBuffer_Release(&points);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&ids);
    PyBuffer_Release(&inside);
    PyBuffer_Release(&scores);
    return (PyObject *)self;
}

PyObject *encoder_byte_pairs(PyObject *type, PyObject *arguments)
{
    Py_buffer first, second, to, of_byte;
    unsigned char digits = 0;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*|b:byte_pairs", &first, &second, &to, &of_byte, &digits))
        return NULL;
    Py_ssize_t merges = items_of(&first, sizeof(int32_t), "first");
    EncoderObject *self = NULL;
    int fits = merges >= 0 && items_of(&second, sizeof(int32_t), "second") == merges &&
               items_of(&to, sizeof(int32_t), "to") == merges && items_of(&of_byte, sizeof(int32_t), "of_byte") == 256;
    for (Py_ssize_t at = 0; at < merges && fits; at++)
        fits = ((const int32_t *)first.buf)[at] >= 0 && ((const int32_t *)second.buf)[at] >= 0;
    if (!fits && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "first, second, to, of_byte: they do not fit together");
    if (fits)
        self = made_of(type, BYTE_PAIRS, (uint64_t)merges);
    for (Py_ssize_t at = 0; self && at < merges; at++)
        encoder_add_merge(&self->encoder, ((const int32_t *)first.buf)[at], ((const int32_t *)second.buf)[at],
                          ((const int32_t *)to.buf)[at], (uint32_t)at);
    if (self) {
        encoder_know_bytes(&self->encoder, of_byte.buf);
        self->encoder.digits = digits;
    }
    PyBuffer_Release(&first);
    PyBuffer_Release(&second);
    PyBuffer_Release(&to);
    PyBuffer_Release(&of_byte);
    return (PyObject *)self;
}

static int usable(const EncoderObject *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError, "another thread uses the encoder");
    return !self->busy;
}

static PyObject *learn(EncoderObject *self, PyObject *arguments)
{
    Py_buffer points, kinds, sizes, forms;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*:learn", &points, &kinds, &sizes, &forms))
        return NULL;
    Encoder *encoder = &self->encoder;
    PyObject *made = NULL;
    Py_ssize_t count = items_of(&points, sizeof(uint32_t), "points"), left = items_of(&forms, sizeof(uint32_t), "forms");
    if (count < 0 || left < 0 || !usable(self))
        goto done;
    const uint32_t *point = points.buf, *form = forms.buf;
    const uint8_t *kind = kinds.buf, *size = sizes.buf;
    int fits = kinds.len == count && sizes.len == count;
    for (Py_ssize_t at = 0; at < count && fits; at++) {
        fits = point[at] < UNICODE && size[at] <= left && (kind[at] != ALONE || size[at] || encoder->model == BYTE_PAIRS);
        if (!fits)
            break;
        if (grow(&encoder->forms, &encoder->forms_room, encoder->forms_used + size[at], sizeof *form)) {
            PyErr_NoMemory();
            goto done;
        }
        if (size[at])
            memcpy(encoder->forms + encoder->forms_used, form, size[at] * sizeof *form);
        encoder->kinds[point[at]] = kind[at];
        encoder->form_sizes[point[at]] = size[at];
        encoder->form_starts[point[at]] = (uint32_t)encoder->forms_used;
        encoder->forms_used += size[at];
        form += size[at];
        left -= size[at];
    }
    if (fits)
        made = Py_NewRef(Py_None);
    else
        PyErr_SetString(PyExc_ValueError, "points, kinds, sizes, forms: they do not fit together");
done:
    PyBuffer_Release(&points);
    PyBuffer_Release(&kinds);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&forms);
    return made;
}

static PyObject *add_words(EncoderObject *self, PyObject *arguments)
{
    Py_buffer bytes, sizes, ids;
    if (!PyArg_ParseTuple(arguments, "y*y*y*:add_words", &bytes, &sizes, &ids))
        return NULL;
    PyObject *made = NULL;
    Py_ssize_t words = items_of(&sizes, sizeof(uint32_t), "sizes"), left = bytes.len;
    int fits = words >= 0 && items_of(&ids, sizeof(int32_t), "ids") == words && words < INT32_MAX / 4 &&
               left < INT32_MAX && self->encoder.model == BYTE_PAIRS && !self->encoder.word_slots;
    for (Py_ssize_t at = 0; at < words && fits; at++) {
        left -= ((const uint32_t *)sizes.buf)[at];
        fits = left >= 0;
    }
    if ((!fits || left) && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "bytes, sizes, ids: they do not fit together, or were added before");
    if (!PyErr_Occurred() && usable(self)) {
        if (encoder_add_words(&self->encoder, bytes.buf, sizes.buf, ids.buf, (uint32_t)words))
            PyErr_NoMemory();
        else
            made = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&bytes);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&ids);
    return made;
}

static PyObject *leave_pairs(EncoderObject *self, PyObject *arguments)
{
    Py_buffer pairs;
    if (!PyArg_ParseTuple(arguments, "y*:leave_pairs", &pairs))
        return NULL;
    const uint8_t *pair = pairs.buf;
    for (Py_ssize_t at = 0; at + 1 < pairs.len; at += 2)
        if (pair[at] < 128 && pair[at + 1] < 128)
            self->encoder.pairs[pair[at] * 128 + pair[at + 1]] = 1;
    PyBuffer_Release(&pairs);
    Py_RETURN_NONE;
}

static PyObject *encode(EncoderObject *self, PyObject *arguments)
{
    PyObject *given, *made = NULL, *ids_out = NULL, *lengths_out = NULL;
    unsigned int from, to;
    if (!PyArg_ParseTuple(arguments, "OII:encode", &given, &from, &to))
        return NULL;
    PyObject *type = PyObject_GetAttrString((PyObject *)Py_TYPE((PyObject *)self), "_table");
    if (!type)
        return NULL;
    int right = PyObject_IsInstance(given, type);
    Py_DECREF(type);
    if (right < 1) {
        if (!right)
            PyErr_SetString(PyExc_TypeError, "encode takes a Table");
        return NULL;
    }
    TableObject *table = (TableObject *)given;
    if (table->busy || table->broken || self->busy || from > to || to > table->table.count) {
        PyErr_SetString(PyExc_RuntimeError, "no such units, or another thread uses them");
        return NULL;
    }
    Ids ids = {0};
    uint32_t *lengths = malloc(((size_t)(to - from) + 1) * sizeof *lengths);
    Outcome outcome = lengths ? DONE : NO_MEMORY;
    self->busy = table->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    if (outcome == DONE)
        outcome = encoder_units(&self->encoder, &table->table, from, to, &ids, lengths);
    Py_END_ALLOW_THREADS
    self->busy = table->busy = 0;
    if (outcome) {
        raise_outcome(outcome);
    } else {
        ids_out = bytes_of(ids.ids, ids.used, sizeof *ids.ids);
        lengths_out = bytes_of(lengths, to - from, sizeof *lengths);
        made = ids_out && lengths_out ? PyTuple_Pack(2, ids_out, lengths_out) : NULL;
    }
    Py_XDECREF(ids_out);
    Py_XDECREF(lengths_out);
    free(ids.ids);
    free(lengths);
    return made;
}

static PyMethodDef methods[] = {
    {"wordpiece", encoder_wordpiece, METH_VARARGS | METH_CLASS,
     "wordpiece(points, sizes, ids, inside, unknown, longest_word). BERT's."},
    {"unigram", encoder_unigram, METH_VARARGS | METH_CLASS,
     "unigram(points, sizes, ids, inside, scores, unknown, unknown_score). Behind Metaspace."},
    {"byte_pairs", encoder_byte_pairs, METH_VARARGS | METH_CLASS, 
     "byte_pairs(first, second, to, of_byte, digits=0). Behind GPT-2's pattern, or one that cuts after so many digits."},
    {"add_words", (PyCFunction)(void *)add_words, METH_VARARGS,
     "add_words(bytes, sizes uint32, ids int32). Tokens that are looked for before merges."},
    {"learn", (PyCFunction)(void *)learn, METH_VARARGS,
     "learn(points, kinds, sizes, forms). What becomes of code points; of kind 0 it is not known any more."},
    {"leave_pairs", (PyCFunction)(void *)leave_pairs, METH_VARARGS,
     "leave_pairs(pairs). Units that hold one of these pairs of ASCII characters are left."},
    {"encode", (PyCFunction)(void *)encode, METH_VARARGS,
     "encode(table, first, last) -> (ids int32, lengths uint32); the length of a unit that is left is LEFT."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_dealloc, (void *)encoder_dealloc},
                              {Py_tp_methods, methods},
                              {Py_tp_doc, "A tokenizer's model and what becomes of characters."},
                              {0, NULL}};

PyType_Spec encoder_spec = {"pretune.corpus._kernel.Encoder", sizeof(EncoderObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
