/* Buffers that Python gives, looked at before they are used. */
#include "arguments.h"

PyObject *raise_outcome(Outcome outcome)
{
    if (outcome == TOO_LARGE)
        PyErr_SetString(PyExc_OverflowError, "the table of units is full");
    else
        PyErr_NoMemory();
    return NULL;
}

Py_ssize_t items_of(const Py_buffer *buffer, size_t item, const char *name)
{
    if (buffer->len % (Py_ssize_t)item || (buffer->len && (uintptr_t)buffer->buf % item)) {
        PyErr_Format(PyExc_ValueError, "%s: %zd bytes at this place are no array of items of %zu bytes", name,
                     buffer->len, item);
        return -1;
    }
    return buffer->len / (Py_ssize_t)item;
}

Py_ssize_t strings_of(const Py_buffer *data, const Py_buffer *offsets)
{
    Py_ssize_t count = items_of(offsets, sizeof(int64_t), "offsets");
    if (count < 0)
        return -1;
    const int64_t *places = offsets->buf;
    int fits = count > 0 && places[0] >= 0 && places[count - 1] <= data->len;
    for (Py_ssize_t at = 1; at < count && fits; at++)
        fits = places[at] >= places[at - 1] && places[at] - places[at - 1] <= (int64_t)MOST_BYTES;
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "offsets: they do not ascend within the data, or a string is too long");
        return -1;
    }
    return count - 1;
}

PyObject *bytes_of(const void *array, uint64_t count, size_t item)
{
    return PyBytes_FromStringAndSize(count ? array : "", (Py_ssize_t)(count * item));
}
