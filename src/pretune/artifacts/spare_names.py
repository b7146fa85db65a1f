"""Names that model makers give to slots they leave free: is_spare_name. Knows no files."""

from __future__ import annotations

import re

_SPARE = re.compile(
    r"\[\|?(?:unused|reserved|control|placeholder|dummy|spare)[_-]?\d+\|?\]"
    r"|\[\|?unused[_-]?\w{0,8}\|?\]"
    r"|<(?:unused|extra|madeupword|reserved|SPECIAL|placeholder|dummy|empty|spare)_?\d+>|<unused_token_\d+>"
    r"|<\|(?:reserved_special_token|reserved_token|reserved|extra|dummy|placeholder)_?\d+\|>|<\|unused[_-]?\w{0,20}\|>"
    r"|madeupword\d+",
    re.IGNORECASE,
)


def is_spare_name(token: str) -> bool:
    """Whether an entry's name says that it was left free: `[unused7]`, `<|reserved_special_token_3|>`, `<SPECIAL_20>`.

    T5's `<extra_id_7>` does not: it is a sentinel that pretraining uses.
    """
    return _SPARE.fullmatch(token) is not None
