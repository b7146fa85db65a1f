/* What is given to Python's side of the kernel: buffers of the right size and alignment, bytes made of arrays. */
#ifndef PRETUNE_ARGUMENTS_H
#define PRETUNE_ARGUMENTS_H

#include "encoder.h"
#include "table.h"

typedef struct {
    PyObject_HEAD Table table;
    int busy, broken;
} TableObject;

typedef struct {
    PyObject_HEAD Encoder encoder;
    int busy;
} EncoderObject;

extern PyType_Spec table_spec, encoder_spec;

/* Raise what an outcome means; NULL. */
PyObject *raise_outcome(Outcome outcome);

/* The number of `item`s in a buffer, -1 with ValueError where it holds no whole number of them or starts askew. */
Py_ssize_t items_of(const Py_buffer *buffer, size_t item, const char *name);

/* The number of strings that `offsets` (int64, one more) cut `data` into, -1 with ValueError where they do not fit. */
Py_ssize_t strings_of(const Py_buffer *data, const Py_buffer *offsets);

PyObject *bytes_of(const void *array, uint64_t count, size_t item);

/* The functions of the module. */
PyObject *encoder_wordpiece(PyObject *module, PyObject *arguments);
PyObject *encoder_unigram(PyObject *module, PyObject *arguments);
PyObject *encoder_byte_pairs(PyObject *module, PyObject *arguments);
PyObject *fold(PyObject *module, PyObject *arguments);
PyObject *marks(PyObject *module, PyObject *arguments);

#endif
