"""A tokenizer's arguments as a setup may say them: max_length, stride, truncation, padding. Knows no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretune.check.sources.setup import Setup


def asked_length(setup: Setup) -> int | None:
    """The max_length that the setup asks for; None: it does not say."""
    for table, keys in ((setup.encode, ("max_length",)), (setup.training_args, ("max_length", "max_seq_length"))):
        for key in keys:
            if (value := whole_number(table.get(key))) is not None:
                return value
    return None


def asked_stride(setup: Setup) -> int | None:
    """The stride that the setup asks for; None: it does not say."""
    return whole_number(setup.encode.get("stride"))


def whole_number(value: Any) -> int | None:
    """A number of tokens; None: it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62 else None


def choice(value: Any, no: str) -> bool | str | None:
    """A tokenizer's `truncation` or `padding`: the name that means no is False."""
    if isinstance(value, str):
        return {no: False, "false": False, "no": False, "true": True}.get(value.lower(), value)
    return value if isinstance(value, bool) else None
