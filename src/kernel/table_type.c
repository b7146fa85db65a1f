/* kernel.Table: the table of units as a Python object. Arrays come as buffers and go as bytes. */
#include "arguments.h"

static PyObject *table_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *glue = NULL;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Table takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "|U:Table", &glue))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    TableObject *self = (TableObject *)allocate(type, 0);
    if (!self)
        return NULL;
    Outcome outcome = table_make(&self->table);
    if (outcome) {
        Py_DECREF(self);
        return raise_outcome(outcome);
    }
    for (Py_ssize_t at = 0; glue && at < PyUnicode_GetLength(glue); at++)
        self->table.kinds[PyUnicode_ReadChar(glue, at)] |= NO_CUT_BEHIND;
    return (PyObject *)self;
}

static void table_dealloc(TableObject *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    table_free(&self->table);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* Whether the table may be used now. */
static int usable(TableObject *self)
{
    if (self->busy || self->broken) {
        PyErr_SetString(PyExc_RuntimeError, self->busy ? "another thread uses the table" : "the table is damaged");
        return 0;
    }
    return 1;
}

static PyObject *finish(TableObject *self, Outcome outcome)
{
    self->broken |= outcome != DONE;
    return outcome ? raise_outcome(outcome) : PyLong_FromUnsignedLong(self->table.count);
}

static PyObject *add_texts(TableObject *self, PyObject *arguments)
{
    Py_buffer data, offsets, times = {0};
    if (!PyArg_ParseTuple(arguments, "y*y*|z*:add_texts", &data, &offsets, &times))
        return NULL;
    PyObject *made = NULL;
    Py_ssize_t texts = strings_of(&data, &offsets);
    Py_ssize_t given = times.buf ? items_of(&times, sizeof(int64_t), "times") : texts;
    if (texts < 0 || given < 0 || !usable(self))
        goto done;
    int fits = given == texts;
    for (Py_ssize_t at = 0; fits && times.buf && at < texts; at++)
        fits = ((const int64_t *)times.buf)[at] > 0;
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "times: not one positive number for each text");
        goto done;
    }
    Outcome outcome;
    self->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    outcome = table_add_texts(&self->table, data.buf, (const uint8_t *)data.buf + data.len, offsets.buf, texts,
                              times.buf);
    Py_END_ALLOW_THREADS
    self->busy = 0;
    made = finish(self, outcome);
done:
    PyBuffer_Release(&data);
    PyBuffer_Release(&offsets);
    if (times.obj)
        PyBuffer_Release(&times);
    return made;
}

static PyObject *add_strings(TableObject *self, PyObject *arguments)
{
    Py_buffer data, offsets;
    if (!PyArg_ParseTuple(arguments, "y*y*:add_strings", &data, &offsets))
        return NULL;
    PyObject *made = NULL;
    Py_ssize_t strings = strings_of(&data, &offsets);
    if (strings >= 0 && usable(self))
        made = finish(self, table_add_strings(&self->table, data.buf, (const uint8_t *)data.buf + data.len,
                                              offsets.buf, strings));
    PyBuffer_Release(&data);
    PyBuffer_Release(&offsets);
    return made;
}

static PyObject *clear(TableObject *self, PyObject *none)
{
    (void)none;
    if (!usable(self))
        return NULL;
    table_clear(&self->table);
    Py_RETURN_NONE;
}

static PyObject *block(TableObject *self, PyObject *none)
{
    (void)none;
    if (!usable(self))
        return NULL;
    PyObject *codes = bytes_of(self->table.codes, self->table.codes_used, sizeof *self->table.codes);
    PyObject *sizes = bytes_of(self->table.sizes, self->table.texts, sizeof *self->table.sizes);
    PyObject *made = codes && sizes ? PyTuple_Pack(2, codes, sizes) : NULL;
    Py_XDECREF(codes);
    Py_XDECREF(sizes);
    return made;
}

/* The words of the block and how often each runs in it; adds them to the sums, so it can be asked once. */
static PyObject *take_words(TableObject *self, PyObject *none)
{
    (void)none;
    if (!usable(self))
        return NULL;
    Table *table = &self->table;
    PyObject *words = bytes_of(table->words_met, table->words_met_count, sizeof *table->words_met);
    PyObject *counts = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(table->words_met_count * sizeof(int64_t)));
    PyObject *made = words && counts ? PyTuple_Pack(2, words, counts) : NULL;
    if (made) {
        char *out = PyBytes_AsString(counts);
        for (uint64_t at = 0; at < table->words_met_count; at++) {
            uint32_t word = table->words_met[at];
            int64_t count = table->word_now[word];
            memcpy(out + at * sizeof count, &count, sizeof count);
            table->word_now[word] = 0;
            table->word_total[word] += count;
            if (count > table->word_peak[word])
                table->word_peak[word] = count;
        }
        table->words_met_count = 0;
    }
    Py_XDECREF(words);
    Py_XDECREF(counts);
    return made;
}

static PyObject *sums(TableObject *self, PyObject *none)
{
    (void)none;
    if (!usable(self))
        return NULL;
    const Table *table = &self->table;
    PyObject *units = bytes_of(table->total, table->count, sizeof *table->total);
    PyObject *words = bytes_of(table->word_total, table->count, sizeof *table->word_total);
    PyObject *peaks = bytes_of(table->word_peak, table->count, sizeof *table->word_peak);
    PyObject *made = units && words && peaks ? PyTuple_Pack(3, units, words, peaks) : NULL;
    Py_XDECREF(units);
    Py_XDECREF(words);
    Py_XDECREF(peaks);
    return made;
}

static PyObject *strings(TableObject *self, PyObject *arguments)
{
    Py_buffer numbers;
    unsigned int skip;
    if (!PyArg_ParseTuple(arguments, "y*I:strings", &numbers, &skip))
        return NULL;
    PyObject *data = NULL, *offsets = NULL, *made = NULL;
    Py_ssize_t count = items_of(&numbers, sizeof(uint32_t), "numbers");
    const uint32_t *wanted = numbers.buf;
    const Table *table = &self->table;
    int64_t size = 0;
    if (count < 0 || !usable(self))
        goto done;
    for (Py_ssize_t at = 0; at < count; at++) {
        if (wanted[at] >= table->count || table->spans[wanted[at]].size < skip) {
            PyErr_SetString(PyExc_IndexError, "no such unit, or it is shorter than what is to be left out");
            goto done;
        }
        size += table->spans[wanted[at]].size - skip;
    }
    data = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    offsets = PyBytes_FromStringAndSize(NULL, (count + 1) * (Py_ssize_t)sizeof size);
    if (!data || !offsets)
        goto done;
    char *bytes = PyBytes_AsString(data), *places = PyBytes_AsString(offsets);
    int64_t used = 0;
    memcpy(places, &used, sizeof used);
    for (Py_ssize_t at = 0; at < count; at++) {
        Span span = table->spans[wanted[at]];
        memcpy(bytes + used, table->bytes + span.at + skip, span.size - skip);
        used += span.size - skip;
        memcpy(places + (at + 1) * (Py_ssize_t)sizeof used, &used, sizeof used);
    }
    made = PyTuple_Pack(2, data, offsets);
done:
    PyBuffer_Release(&numbers);
    Py_XDECREF(data);
    Py_XDECREF(offsets);
    return made;
}

PyObject *table_per_text(TableObject *self, PyObject *arguments);
PyObject *table_add_ids(TableObject *self, PyObject *arguments);
PyObject *table_add_points(TableObject *self, PyObject *arguments);
PyObject *table_new_points(TableObject *self, PyObject *arguments);
PyObject *table_letters(TableObject *self, PyObject *arguments);
PyObject *table_single(TableObject *self, PyObject *arguments);

static PyObject *get_count(TableObject *self, void *none)
{
    (void)none;
    return PyLong_FromUnsignedLong(self->table.count);
}

static PyObject *get_size(TableObject *self, void *none)
{
    (void)none;
    return PyLong_FromUnsignedLongLong(self->table.bytes_used);
}

static PyMethodDef methods[] = {
    {"add_texts", (PyCFunction)(void *)add_texts, METH_VARARGS,
     "add_texts(data, offsets, times=None) -> units so far. Cut, number and count the texts of a block."},
    {"add_strings", (PyCFunction)(void *)add_strings, METH_VARARGS,
     "add_strings(data, offsets) -> units so far. Number strings as they are."},
    {"clear", (PyCFunction)(void *)clear, METH_NOARGS, "clear(). Forget all units and counts."},
    {"block", (PyCFunction)(void *)block, METH_NOARGS,
     "block() -> (codes, sizes), uint32: the unit of each place of the block, and units of each text."},
    {"take_words", (PyCFunction)(void *)take_words, METH_NOARGS,
     "take_words() -> (words uint32, counts int64): the words of the block, once."},
    {"sums", (PyCFunction)(void *)sums, METH_NOARGS,
     "sums() -> (units, words, peaks), int64: occurrences of each unit, of each as a running word, most in a block."},
    {"strings", (PyCFunction)(void *)strings, METH_VARARGS,
     "strings(numbers, skip) -> (data, offsets int64): these units without their first bytes."},
    {"per_text", (PyCFunction)(void *)table_per_text, METH_VARARGS,
     "per_text(lengths uint32, flags uint8) -> (sums int64, any uint8), for each text of the block."},
    {"add_ids", (PyCFunction)(void *)table_add_ids, METH_VARARGS,
     "add_ids(ids int32, starts int64, lengths uint32, out int64). Add up how often each id occurs."},
    {"add_points", (PyCFunction)(void *)table_add_points, METH_VARARGS,
     "add_points(out int64). Add up how often each code point occurs."},
    {"new_points", (PyCFunction)(void *)table_new_points, METH_VARARGS,
     "new_points(first) -> uint32: code points of the units from `first` on that were never asked for before."},
    {"letters", (PyCFunction)(void *)table_letters, METH_VARARGS,
     "letters(first, scripts uint8, hangul uint8) -> (script, letters uint32, syllables uint8) of the units."},
    {"single", (PyCFunction)(void *)table_single, METH_VARARGS,
     "single(first) -> uint8: which of the units from `first` on are one word behind a space."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef properties[] = {{"count", (getter)(void *)get_count, NULL, "Units.", NULL},
                                   {"size", (getter)(void *)get_size, NULL, "Bytes of all units.", NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {{Py_tp_new, (void *)table_new},
                              {Py_tp_dealloc, (void *)table_dealloc},
                              {Py_tp_methods, methods},
                              {Py_tp_getset, properties},
                              {Py_tp_doc, "Table(glue=''): different units of texts, their numbers and counts."},
                              {0, NULL}};

PyType_Spec table_spec = {"pretune.corpus._kernel.Table", sizeof(TableObject), 0, Py_TPFLAGS_DEFAULT, slots};
