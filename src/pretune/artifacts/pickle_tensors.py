"""The tensors, storages and dtypes that a torch pickle speaks of, told from the calls it would make. Makes no call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pretune.artifacts.tensor_table import is_size

if TYPE_CHECKING:
    from collections.abc import Mapping

OPAQUE: Final = object()
"""A value that a tensor table needs not know."""

STORAGES: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "Float:F32 Half:F16 BFloat16:BF16 Double:F64 Long:I64 Int:I32 Short:I16 Char:I8 Byte:U8 Bool:BOOL"
        " ComplexFloat:C64 ComplexDouble:C128 QInt8:QI8 QUInt8:QU8 QInt32:QI32 Untyped:U8"
    ).split()
)
"""`torch.FloatStorage` and its like -> a safetensors word."""

DTYPES: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "float32:F32 float16:F16 bfloat16:BF16 float64:F64 int64:I64 int32:I32 int16:I16 int8:I8 uint8:U8 uint16:U16"
        " uint32:U32 uint64:U64 bool:BOOL complex64:C64 complex128:C128 float8_e4m3fn:F8_E4M3 float8_e5m2:F8_E5M2"
        " float8_e4m3fnuz:F8_E4M3FNUZ float8_e5m2fnuz:F8_E5M2FNUZ float8_e8m0fnu:F8_E8M0 float4_e2m1fn_x2:F4"
    ).split()
)
"""`torch.float32` and its like -> a safetensors word."""

_DICTS = frozenset({"collections.OrderedDict", "builtins.dict", "collections.defaultdict"})
_PARAMETERS = frozenset(
    {
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch.nn.parameter.Parameter",
    }
)


@dataclass(frozen=True, slots=True)
class Import:
    """A name that the pickle would import."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """The flat memory behind tensors.

    Attributes:
        dtype: a safetensors word, "?" when unknown.
        key: its name in the file.
        elements: how many numbers it holds.
    """

    dtype: str
    key: str
    elements: int


@dataclass(frozen=True, slots=True)
class PickledTensor:
    """A tensor as the pickle describes it.

    Attributes:
        shape: its dimensions.
        dtype: a safetensors word, "?" when unknown.
        storage: what it views; None for one without values (meta).
        offset: the first element of the storage that it views.
    """

    shape: tuple[int, ...]
    dtype: str
    storage: Storage | None
    offset: int = 0


def stored(reference: Any) -> Storage | None:
    """The storage that a persistent id names: ("storage", type, key, device, elements); None when it is none."""
    if not isinstance(reference, tuple) or len(reference) < 5 or not isinstance(reference[1], Import):
        return None
    word, kind, key, _, elements, *_ = reference
    if word != "storage" or not isinstance(key, int | str) or not is_size(elements):
        return None
    dtype = STORAGES.get(kind.name.rpartition(".")[2].removesuffix("Storage"), "?")
    return Storage(dtype, str(key)[:200], elements)


def called(function: Any, arguments: Any) -> Any:
    """What stands for the result of a call: a tensor, a dict, a tuple of sizes, or OPAQUE."""
    if not isinstance(function, Import) or not isinstance(arguments, tuple):
        return OPAQUE
    if function.name == "torch._tensor._rebuild_from_type_v2" and len(arguments) >= 3:
        function, arguments = arguments[0], arguments[2]
        if not isinstance(function, Import) or not isinstance(arguments, tuple):
            return OPAQUE
    if function.name in _DICTS:
        return {}
    if function.name in _PARAMETERS:
        return arguments[0] if arguments and isinstance(arguments[0], PickledTensor) else OPAQUE
    if function.name == "torch.Size":
        return arguments[0] if arguments and isinstance(arguments[0], tuple) else OPAQUE
    if function.name == "torch._utils._rebuild_meta_tensor_no_storage" and len(arguments) >= 2:
        return _tensor(arguments[1], _dtype(arguments[0]), None)
    if function.name.startswith("torch._utils._rebuild_") and len(arguments) >= 3 and isinstance(arguments[0], Storage):
        storage = arguments[0]
        given = arguments[6] if function.name.endswith("_tensor_v3") and len(arguments) > 6 else None
        return _tensor(arguments[2], storage.dtype if given is None else _dtype(given), storage, arguments[1])
    return OPAQUE


def _tensor(shape: Any, dtype: str, storage: Storage | None, offset: Any = 0) -> Any:
    if not isinstance(shape, tuple) or len(shape) > 64 or not all(map(is_size, shape)) or not is_size(offset):
        return OPAQUE
    return PickledTensor(shape, dtype, storage, offset)


def _dtype(value: Any) -> str:
    return DTYPES.get(value.name.removeprefix("torch."), "?") if isinstance(value, Import) else "?"
