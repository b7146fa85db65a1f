/* Sums over the units of a table: of each text, of ids, of code points, of letters. */
#include "arguments.h"

static int usable(const TableObject *self)
{
    if (self->busy || self->broken)
        PyErr_SetString(PyExc_RuntimeError, self->busy ? "another thread uses the table" : "the table is damaged");
    return !self->busy && !self->broken;
}

static int first_of(const TableObject *self, unsigned int first)
{
    if (first > self->table.count)
        PyErr_SetString(PyExc_IndexError, "no such unit");
    return first <= self->table.count;
}

PyObject *table_per_text(TableObject *self, PyObject *arguments)
{
    Py_buffer lengths, flags;
    if (!PyArg_ParseTuple(arguments, "y*y*:per_text", &lengths, &flags))
        return NULL;
    PyObject *sums = NULL, *any = NULL, *made = NULL;
    const Table *table = &self->table;
    Py_ssize_t given = items_of(&lengths, sizeof(uint32_t), "lengths");
    if (given < 0 || !usable(self))
        goto done;
    if (given < (Py_ssize_t)table->count || flags.len < (Py_ssize_t)table->count) {
        PyErr_SetString(PyExc_ValueError, "lengths, flags: not one for each unit");
        goto done;
    }
    sums = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(table->texts * sizeof(int64_t)));
    any = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)table->texts);
    if (!sums || !any)
        goto done;
    const uint32_t *code = table->codes, *length = lengths.buf;
    const uint8_t *flag = flags.buf;
    char *sums_out = PyBytes_AsString(sums), *any_out = PyBytes_AsString(any);
    for (uint64_t text = 0; text < table->texts; text++) {
        int64_t sum = 0;
        uint8_t found = 0;
        for (uint32_t left = table->sizes[text]; left; left--, code++) {
            sum += length[*code];
            found |= flag[*code];
        }
        memcpy(sums_out + text * sizeof sum, &sum, sizeof sum);
        any_out[text] = found != 0;
    }
    made = PyTuple_Pack(2, sums, any);
done:
    Py_XDECREF(sums);
    Py_XDECREF(any);
    PyBuffer_Release(&lengths);
    PyBuffer_Release(&flags);
    return made;
}

PyObject *table_add_ids(TableObject *self, PyObject *arguments)
{
    Py_buffer ids, starts, lengths, out;
    if (!PyArg_ParseTuple(arguments, "y*y*y*w*:add_ids", &ids, &starts, &lengths, &out))
        return NULL;
    const Table *table = &self->table;
    Py_ssize_t given = items_of(&ids, sizeof(int32_t), "ids"), from = items_of(&starts, sizeof(int64_t), "starts");
    Py_ssize_t sized = items_of(&lengths, sizeof(uint32_t), "lengths"), most = items_of(&out, sizeof(int64_t), "out");
    int fits = given >= 0 && from >= 0 && sized >= 0 && most >= 0 && usable(self);
    if (fits && (from < (Py_ssize_t)table->count || sized < (Py_ssize_t)table->count)) {
        PyErr_SetString(PyExc_ValueError, "starts, lengths: not one for each unit");
        fits = 0;
    }
    for (uint32_t unit = 0; fits && unit < table->count; unit++) {
        int64_t times = table->total[unit], start = ((const int64_t *)starts.buf)[unit];
        uint32_t length = ((const uint32_t *)lengths.buf)[unit];
        if (!times || !length)
            continue;
        fits = start >= 0 && start + (int64_t)length <= given;
        const int32_t *id = (const int32_t *)ids.buf + (fits ? start : 0);
        for (; fits && length; length--, id++) {
            fits = *id >= 0 && *id < most;
            if (fits)
                ((int64_t *)out.buf)[*id] += times;
        }
        if (!fits)
            PyErr_SetString(PyExc_IndexError, "ids of a unit stand outside the array, or an id outside the vocabulary");
    }
    PyBuffer_Release(&ids);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&lengths);
    PyBuffer_Release(&out);
    return fits ? Py_NewRef(Py_None) : NULL;
}

PyObject *table_add_points(TableObject *self, PyObject *arguments)
{
    Py_buffer out;
    if (!PyArg_ParseTuple(arguments, "w*:add_points", &out))
        return NULL;
    const Table *table = &self->table;
    Py_ssize_t most = items_of(&out, sizeof(int64_t), "out");
    int fits = most >= 0 && usable(self);
    for (uint32_t unit = 0; fits && unit < table->count; unit++) {
        int64_t times = table->total[unit];
        const uint8_t *at = table->bytes + table->spans[unit].at, *end = at + table->spans[unit].size;
        for (uint32_t size; times && at < end; at += size) {
            uint32_t point = point_at(at, &size);
            if ((Py_ssize_t)point < most)
                ((int64_t *)out.buf)[point] += times;
        }
    }
    PyBuffer_Release(&out);
    return fits ? Py_NewRef(Py_None) : NULL;
}

PyObject *table_new_points(TableObject *self, PyObject *arguments)
{
    unsigned int first;
    if (!PyArg_ParseTuple(arguments, "I:new_points", &first) || !usable(self) || !first_of(self, first))
        return NULL;
    Table *table = &self->table;
    uint32_t *found = NULL;
    uint64_t used = 0, room = 0;
    const uint8_t *at = table->bytes + (first < table->count ? table->spans[first].at : table->bytes_used);
    const uint8_t *end = table->bytes + table->bytes_used;
    for (uint32_t size; first < table->count && at < end; at += size) {
        uint32_t point = point_at(at, &size);
        if (point >= UNICODE || table->seen[point])
            continue;
        if (grow(&found, &room, used + 1, sizeof *found)) {
            free(found);
            return PyErr_NoMemory();
        }
        table->seen[point] = 1;
        found[used++] = point;
    }
    PyObject *made = bytes_of(found, used, sizeof *found);
    free(found);
    return made;
}

PyObject *table_letters(TableObject *self, PyObject *arguments)
{
    Py_buffer scripts, hangul;
    unsigned int first;
    if (!PyArg_ParseTuple(arguments, "Iy*y*:letters", &first, &scripts, &hangul))
        return NULL;
    const Table *table = &self->table;
    PyObject *of = NULL, *many = NULL, *whole = NULL, *made = NULL;
    if (!usable(self) || !first_of(self, first))
        goto done;
    if (scripts.len < UNICODE || hangul.len < UNICODE) {
        PyErr_SetString(PyExc_ValueError, "scripts, hangul: not one for each code point");
        goto done;
    }
    Py_ssize_t count = (Py_ssize_t)(table->count - first);
    of = PyBytes_FromStringAndSize(NULL, count);
    many = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(uint32_t));
    whole = PyBytes_FromStringAndSize(NULL, count);
    if (!of || !many || !whole)
        goto done;
    char *of_out = PyBytes_AsString(of), *many_out = PyBytes_AsString(many), *whole_out = PyBytes_AsString(whole);
    for (uint32_t unit = first; unit < table->count; unit++) {
        const uint8_t *at = table->bytes + table->spans[unit].at, *end = at + table->spans[unit].size;
        uint32_t letters = 0;
        uint8_t script = 0, kinds = 0;
        for (uint32_t size; at < end; at += size) {
            uint32_t point = point_at(at, &size);
            if (point >= UNICODE)
                continue;
            if (!script)
                script = ((const uint8_t *)scripts.buf)[point];
            uint8_t kind = ((const uint8_t *)hangul.buf)[point];
            letters += kind != 0;
            kinds |= kind;
        }
        of_out[unit - first] = (char)script;
        memcpy(many_out + (size_t)(unit - first) * sizeof letters, &letters, sizeof letters);
        whole_out[unit - first] = (kinds & 2) != 0;
    }
    made = PyTuple_Pack(3, of, many, whole);
done:
    Py_XDECREF(of);
    Py_XDECREF(many);
    Py_XDECREF(whole);
    PyBuffer_Release(&scripts);
    PyBuffer_Release(&hangul);
    return made;
}

PyObject *table_single(TableObject *self, PyObject *arguments)
{
    unsigned int first;
    if (!PyArg_ParseTuple(arguments, "I:single", &first) || !usable(self) || !first_of(self, first))
        return NULL;
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(self->table.count - first));
    char *out = made ? PyBytes_AsString(made) : NULL;
    for (uint32_t unit = first; out && unit < self->table.count; unit++)
        out[unit - first] = self->table.parts[unit] == ONE_WORD;
    return made;
}
