"""Asks the model hub: parts of a file by range requests, and what went wrong in one line. Knows no cache.

huggingface_hub spoke through requests until 0.36 and through httpx since 1.0; both are served. It is imported
inside the functions, so that a check of a folder never pays for it.
"""

from __future__ import annotations

import errno
import logging
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

PASS_OVER = 2**20
"""A server that ignores ranges sends the file from its start; up to here its beginning is passed over, never more."""

_ON_DISK = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST})
_PIECE = 64 * 2**10
_LIBRARIES = frozenset({"huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "hf_xet"})


@contextmanager
def quietly() -> Iterator[None]:
    """Keep huggingface_hub's bars, warnings and log lines off the terminal, and put its settings back after."""
    library = _library()
    log = logging.getLogger("huggingface_hub")
    level, shown = log.level, not library.are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.setLevel(logging.CRITICAL)
        if shown:
            library.disable_progress_bars()
        try:
            yield
        finally:
            log.setLevel(level)
            if shown:
                library.enable_progress_bars()


@contextmanager
def told(name: str) -> Iterator[None]:
    """Ask quietly, and turn whatever goes wrong between here and the hub into one line about `name`.

    Raises:
        UserError: the hub could not be asked, or said no.
    """
    try:
        with quietly():
            yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError | ValueError) or type(error).__module__.partition(".")[0] in _LIBRARIES:
            raise explained(error, name) from None
        raise


def explained(error: Exception, name: str) -> UserError:
    """What the hub's refusal, or the way to it, means to the user."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    kind = type(error).__name__
    again = "try again later, or give a folder"
    if kind == "OfflineModeIsEnabled":
        return UserError(f"{name} is not asked of the hub: HF_HUB_OFFLINE is set", hint="unset HF_HUB_OFFLINE")
    if kind in {"EntryNotFoundError", "RemoteEntryNotFoundError"}:
        return UserError(f"the hub has no such file in {name} any more", hint=again)
    if kind == "RevisionNotFoundError":
        return UserError(
            f"{name} has no such branch, tag or commit", hint=f"see {_endpoint()}/{_plain(name)}/tree/main"
        )
    if kind == "GatedRepoError" or status == 403:
        return UserError(
            f"{name} is gated: the hub gives its files only to accounts that were granted access",
            hint=f"ask for access on {_endpoint()}/{_plain(name)}, then `hf auth login`",
        )
    if kind == "RepositoryNotFoundError" or status in {401, 404}:
        return UserError(
            f"{name} is neither a folder here nor a model that the hub shows to you",
            hint="check the spelling; for a private model, `hf auth login`",
        )
    if kind == "HFValidationError":
        return UserError(f"{name} is neither a folder here nor a name the hub allows", hint="expected org/name")
    if status == 429:
        wait = getattr(error, "response").headers.get("Retry-After", "")  # noqa: B009 - mypy knows no response
        after = f"wait {wait} seconds" if wait.isdigit() else "wait a few minutes"
        return UserError(f"{name}: the hub answers 429, too many requests", hint=f"{after}, or `hf auth login`")
    if status:
        return UserError(f"{name}: the hub answers {status}", hint=again)
    if "Timeout" in kind or isinstance(error, TimeoutError):
        return UserError(f"{name}: the hub does not answer in time ({_endpoint()})", hint=again)
    if isinstance(error, ValueError) or kind == "FileMetadataError":
        return UserError(
            f"{name}: what answers at {_endpoint()} is not a model hub", hint="check HF_ENDPOINT and the proxy"
        )
    if kind == "LocalEntryNotFoundError" and isinstance(error.__cause__, Exception):
        return explained(error.__cause__, name)
    if isinstance(error, OSError) and error.errno in _ON_DISK:
        reason = (error.strerror or str(error)).lower()
        return UserError(
            f"{name}: the hub's cache cannot be written: {reason}", hint="set HF_HOME to a folder of yours"
        )
    return UserError(f"{name}: there is no connection to {_endpoint()}", hint="check the network, or give a folder")


def fetch(url: str, offset: int, length: int, *, model: str, file: str) -> bytes:
    """`length` bytes of a file from `offset` on, and not one piece more than that.

    Redirects to the storage host are followed; the token is sent to the hub alone (both HTTP libraries see to that).

    Raises:
        UserError: refused, broken off, or the server sends whole files only and `offset` lies far inside.
    """
    from huggingface_hub import constants

    if length <= 0:
        return b""
    library = _library()
    headers = library.build_hf_headers() | {
        "Range": f"bytes={offset}-{offset + length - 1}",
        "Accept-Encoding": "identity",
    }
    with told(model), _answer(url, headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT) as (response, pieces):
        library.hf_raise_for_status(response)
        skip = 0 if response.status_code == 206 else offset
        begins = str(response.headers.get("Content-Range", "")).removeprefix("bytes ").partition("-")[0].strip()
        if skip > PASS_OVER or (response.status_code == 206 and begins != str(offset)):
            raise UserError(
                f"{model}/{file} cannot be looked into: its server sends whole files only, not parts of them",
                hint="download the model (`hf download NAME`) and give its folder",
            )
        data = bytearray()
        for piece in pieces:
            data += piece
            if len(data) >= skip + length:
                break
        if len(data) < skip + length:
            raise UserError(f"{model}/{file}: the hub broke off after {len(data):,} bytes", hint="try again")
    return bytes(data[skip : skip + length])


@contextmanager
def _answer(url: str, headers: dict[str, str], *, timeout: float) -> Iterator[tuple[Any, Iterator[bytes]]]:
    """The response, with its body unread, and the body's pieces as they come."""
    session = _library().get_session()
    if callable(getattr(session, "stream", None)):  # httpx, huggingface_hub >= 1
        with session.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            yield response, response.iter_raw()
    else:  # requests
        with session.get(url, headers=headers, timeout=timeout, stream=True) as response:
            yield response, response.iter_content(_PIECE)


def _library() -> Any:
    """huggingface_hub's tools, which it documents but does not export for type checkers."""
    return import_module("huggingface_hub.utils")


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def _plain(name: str) -> str:
    return name.partition("@")[0]
