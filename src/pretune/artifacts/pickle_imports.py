"""Which imports of a pickle are a tensor's own, and which can run anything. Imports none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS = "BFloat16 Bool Byte Char ComplexDouble ComplexFloat Double Float Half Int Long Short".split()
_DENSE = [kind for kind in _KINDS if not kind.startswith("Complex")]
_SPARSE = [kind for kind in _DENSE if kind != "Bool"]
_REBUILD = (
    "device_tensor_from_cpu_tensor device_tensor_from_numpy meta_tensor_no_storage nested_tensor parameter"
    " parameter_with_state qtensor sparse_tensor tensor tensor_v2 tensor_v3 wrapper_subclass"
).split()
_DTYPES = (
    "bfloat16 bits16 bits1x8 bits2x4 bits4x2 bits8 bool complex128 complex32 complex64 float16 float32 float64"
    " float4_e2m1fn_x2 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu"
    " int1 int2 int3 int4 int5 int6 int7 int8 int16 int32 int64"
    " uint1 uint2 uint3 uint4 uint5 uint6 uint7 uint8 uint16 uint32 uint64"
    " qint32 qint8 quint2x4 quint4x2 quint8 per_channel_affine per_channel_affine_float_qparams"
    " per_channel_symmetric per_tensor_affine per_tensor_symmetric"
).split()

TENSOR_IMPORTS = frozenset(
    (
        "_codecs.encode builtins.bytearray builtins.complex builtins.set collections.Counter collections.OrderedDict"
        " torch.QInt32Storage torch.QInt8Storage torch.QUInt2x4Storage torch.QUInt4x2Storage torch.QUInt8Storage"
        " torch.Size torch.Tensor torch._tensor._rebuild_from_type_v2 torch.device torch.nn.parameter.Parameter"
        " torch.serialization._get_layout torch.storage.TypedStorage torch.storage.UntypedStorage"
    ).split()
    + [f"torch.{where}{kind}Storage" for where in ("", "cuda.") for kind in _KINDS]
    + [f"torch.{where}{kind}Tensor" for where in ("", "cuda.") for kind in _DENSE]
    + [f"torch.{where}{kind}Tensor" for where in ("sparse.", "cuda.sparse.") for kind in _SPARSE]
    + [f"torch._utils._rebuild_{what}" for what in _REBUILD]
    + [f"torch.{dtype}" for dtype in _DTYPES]
)
"""What `torch.load(weights_only=True)` allows: torch 2.13, torch/_weights_only_unpickler.py, `_get_allowed_globals`."""

RUNS_ANYTHING = frozenset(
    (
        "_io _pickle _posixsubprocess _socket _thread asyncio bdb builtins cProfile cloudpickle code codeop commands"
        " concurrent copyreg ctypes dill doctest ensurepip ftplib functools glob http httpx imaplib importlib inspect"
        " io joblib linecache logging marshal mmap multiprocessing nt operator os pathlib pdb pickle pip pkgutil"
        " platform poplib popen2 posix posixpath profile pty pydoc requests runpy shelve shutil signal site smtplib"
        " socket ssl subprocess sys sysconfig telnetlib tempfile threading timeit trace types urllib venv webbrowser"
        " xmlrpc zipimport"
    ).split()
)
"""Top modules whose names let a pickle run a program, open a file or reach the network."""

_HARMLESS = frozenset(
    (
        "builtins.bool builtins.bytes builtins.dict builtins.float builtins.frozenset builtins.int builtins.list"
        " builtins.object builtins.range builtins.slice builtins.str builtins.tuple copyreg._reconstructor"
        " pathlib.Path pathlib.PosixPath pathlib.PurePosixPath pathlib.WindowsPath types.SimpleNamespace"
    ).split()
)
_HARMFUL = (
    "numpy.f2py numpy.load numpy.testing pandas.eval pandas.read_pickle torch._inductor torch.distributed.rpc torch.hub"
    " torch.jit torch.load torch.package torch.serialization.load torch.utils.cpp_extension"
).split()
_PYTHON_2: Mapping[str, str] = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "exceptions": "builtins",
    "cPickle": "pickle",
    "UserDict": "collections",
}


def dotted(module: str, name: str) -> str:
    """The import as Python 3 names it: `__builtin__`, `eval` -> `builtins.eval`. At most 200 characters are kept."""
    return f"{_PYTHON_2.get(module, module)}.{name}"[:200]


def beyond_tensors(imports: Iterable[str]) -> tuple[str, ...]:
    """The imports that `torch.load(weights_only=True)` refuses."""
    return tuple(name for name in imports if name not in TENSOR_IMPORTS)


def runs_anything(imports: Iterable[str]) -> tuple[str, ...]:
    """The imports by which a pickle can run a program, open a file or reach the network.

    >>> runs_anything(["collections.OrderedDict", "posix.system", "numpy.core.multiarray.scalar"])
    ('posix.system',)
    """
    return tuple(
        name
        for name in beyond_tensors(imports)
        if name not in _HARMLESS and (name.partition(".")[0] in RUNS_ANYTHING or _under(name, _HARMFUL))
    )


def _under(name: str, roots: Iterable[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)
