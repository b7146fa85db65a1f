"""Text to stdout or to a file that is never half-written: put. Knows nothing of what it is.

What a stream's encoding lacks is written as escapes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pretune.core.errors import UserError
from pretune.core.files import write_atomically


def put(text: str, output: str | None, *, escaped: bool = False) -> None:
    """Write the text.

    Args:
        text: all of it.
        output: a file; `-` or None: stdout.
        escaped: it is JSON, which writes what stdout lacks as escapes of its own.

    Raises:
        UserError: the file cannot be written.
    """
    if output in (None, "-"):
        sys.stdout.write(encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8", escaped=escaped))
        sys.stdout.flush()
        return
    path, data = Path(str(output)), text.encode("utf-8", "backslashreplace")  # \udXXX, which JSON reads as well
    try:
        if path.is_dir():
            raise UserError(f"{output} is a folder, expected a file to write")
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            path.write_bytes(data)
        else:
            write_atomically(path, data)
    except OSError as error:
        raise UserError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from None


def may_be_written(output: str, flag: str) -> None:
    """Raise before long work for a file that `put` could not write.

    Args:
        output: the file, or `-`.
        flag: what named it, for the message: `--html`.

    Raises:
        UserError: it is a folder, its folder is not there, or it may not be written.
    """
    path = Path(output)
    if output == "-":
        return
    if path.is_dir():
        raise UserError(f"{flag}: {output} is a folder, expected a file to write")
    if not path.parent.is_dir():
        raise UserError(f"{flag}: there is no folder {path.parent}", hint="make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"{flag}: {output} cannot be written: permission denied")


def encodable(text: str, encoding: str, *, escaped: bool) -> str:
    """The text with escapes for the characters that a stream in EUC-KR, ASCII or latin-1 lacks."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        if not escaped:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        import json
        import re

        return re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
    return text
