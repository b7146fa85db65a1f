/* The module pretune.corpus._kernel: what corpus/unit_store.py and corpus/kernel_encoder.py call. No global state. */
#include "arguments.h"

/* What the tokens of each unit are, from flags of each id: 1 unknown, 2 bare space, 4 jamo, 8 byte. */
PyObject *marks(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer ids, lengths, flags;
    if (!PyArg_ParseTuple(arguments, "y*y*y*:marks", &ids, &lengths, &flags))
        return NULL;
    PyObject *any = NULL, *bare = NULL, *made = NULL;
    Py_ssize_t given = items_of(&ids, sizeof(int32_t), "ids"), units = items_of(&lengths, sizeof(uint32_t), "lengths");
    if (given < 0 || units < 0)
        goto done;
    any = PyBytes_FromStringAndSize(NULL, units);
    bare = PyBytes_FromStringAndSize(NULL, units * (Py_ssize_t)sizeof(uint32_t));
    if (!any || !bare)
        goto done;
    char *any_out = PyBytes_AsString(any), *bare_out = PyBytes_AsString(bare);
    const int32_t *id = ids.buf;
    for (Py_ssize_t unit = 0; unit < units; unit++) {
        uint32_t length = ((const uint32_t *)lengths.buf)[unit], spaces = 0;
        uint8_t all = 0;
        int fits = (Py_ssize_t)length <= given;
        given -= length;
        for (; fits && length; length--, id++) {
            fits = *id >= 0 && *id < flags.len;
            if (fits) {
                uint8_t flag = ((const uint8_t *)flags.buf)[*id];
                all |= flag;
                spaces += (flag >> 1) & 1;
            }
        }
        if (!fits) {
            PyErr_SetString(PyExc_IndexError, "ids, lengths, flags: they do not fit together");
            goto done;
        }
        any_out[unit] = (char)all;
        memcpy(bare_out + unit * (Py_ssize_t)sizeof spaces, &spaces, sizeof spaces);
    }
    made = PyTuple_Pack(2, any, bare);
done:
    Py_XDECREF(any);
    Py_XDECREF(bare);
    PyBuffer_Release(&ids);
    PyBuffer_Release(&lengths);
    PyBuffer_Release(&flags);
    return made;
}

static int prepare(PyObject *module)
{
    PyObject *table = PyType_FromModuleAndSpec(module, &table_spec, NULL);
    PyObject *encoder = PyType_FromModuleAndSpec(module, &encoder_spec, NULL);
    int failed = !table || !encoder || PyModule_AddObjectRef(module, "Table", table) ||
                 PyModule_AddObjectRef(module, "Encoder", encoder) ||
                 PyObject_SetAttrString(encoder, "_table", table) ||
                 PyModule_AddIntConstant(module, "LONGEST", LONGEST);
    Py_XDECREF(table);
    Py_XDECREF(encoder);
    return failed ? -1 : 0;
}

static PyMethodDef methods[] = {
    {"fold", fold, METH_VARARGS,
     "fold(data, offsets, kinds, lowers) -> (data, offsets int64, sizes uint32, flags uint8): the texts without white "
     "space and case; flags 1: holds a screened character, 2: a run of more than 100 letters, 4: not folded."},
    {"marks", marks, METH_VARARGS,
     "marks(ids int32, lengths uint32, flags uint8) -> (all flags of each unit uint8, its bare spaces uint32)."},
    {NULL, NULL, 0, NULL}};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, {0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_kernel", "Cuts, counts and encodes texts. See cut.py.", 0,
                                 methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void)
{
    return PyModuleDef_Init(&definition);
}
