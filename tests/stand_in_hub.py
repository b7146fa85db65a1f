"""A model hub on loopback: as much of the hub's HTTP interface as huggingface_hub needs to look at models, and a count of bytes.

It answers as huggingface.co does: what files there are (`/api/models/…`), files themselves (`/{repo}/resolve/{commit}/{file}`), large
ones by a redirect to another host, with ranges, entity tags, commits and error codes. It has no accounts: any token is let in.
"""

import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

PIECE = 16 * 1024


@dataclass
class Repository:
    """A repository that the hub serves.

    Attributes:
        folder: its files.
        commit: what `main` is now.
        branches: name -> commit.
        kind: models or datasets.
        gated: the listing is public, the files are not.
    """

    folder: Path
    commit: str
    branches: dict[str, str]
    kind: str = "models"
    gated: bool = False

    def files(self) -> list[Path]:
        """All files, by name."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


@dataclass
class StandInHub:
    """The server; `with StandInHub() as hub` starts it.

    Attributes:
        served: `org/name/file` -> bytes of it that were sent.
        asked: method and path of each request, in order.
        tokens: path -> the Authorization header it came with.
        fault: None; a number: answer everything with this status; "slow": answer after `pause` seconds; "html": a login page.
        storage_fault: the same, for the host that large files are redirected to.
        ignores_ranges: large files are sent whole, whatever range was asked for.
        aliases: old name -> present name, answered by a redirect.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    served: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    fault: int | str | None = None
    storage_fault: int | str | None = None
    pause: float = 1.0
    ignores_ranges: bool = False
    answered: int = 0

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def storage(self) -> str:
        """Where large files lie: another host, which must never see a token."""
        return f"http://localhost:{self._server.server_port}/storage"

    def add(
        self, name: str, folder: Path, *, kind: str = "models", gated: bool = False, branches: tuple[str, ...] = ()
    ) -> str:
        """Serve a folder as a repository; give back its commit. Adding it again is a new commit."""
        known = self.repositories.get(name)
        commit = hashlib.sha1(f"{name}{known.commit if known else ''}".encode()).hexdigest()
        self.repositories[name] = Repository(
            folder, commit, {"main": commit, **dict.fromkeys(branches, commit)}, kind, gated
        )
        return commit

    def bytes_of(self, name: str) -> int:
        """Bytes sent of a repository's files, all together."""
        return sum(count for file, count in self.served.items() if file.startswith(f"{name}/"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: StandInHub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what is wanted."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5
    server: _Server

    def setup(self) -> None:
        """A small buffer, so that bytes counted as sent are bytes the client took, or nearly."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
        super().setup()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        """Same as GET without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer one request."""
        hub = self.server.hub
        path = unquote(urlsplit(self.path).path)
        hub.asked.append(f"{self.command} {path}")
        hub.tokens[path] = self.headers.get("Authorization", "")
        storage = path.startswith("/storage/")
        if self._faulty(hub.storage_fault if storage else hub.fault):
            return
        if storage:
            repo, _, file = path.removeprefix("/storage/").partition("//")
            self._send_file(repo, hub.repositories[repo], file, large=True)
        elif path.startswith("/api/"):
            self._listing(path.removeprefix("/api/"))
        elif "/resolve/" in path:
            repo, _, rest = path[1:].partition("/resolve/")
            self._resolve(repo, *rest.partition("/")[::2])
        else:
            self._refuse(404, "RepoNotFound")

    def _faulty(self, fault: int | str | None) -> bool:
        if fault == "slow":
            time.sleep(self.server.hub.pause)
        if fault == "html":
            self._send(200, b"<!DOCTYPE html><html><body>please log in</body></html>", {"Content-Type": "text/html"})
        elif isinstance(fault, int):
            self._send(fault, b"", {"Retry-After": "30"} if fault == 429 else {})
        return fault is not None and fault != "slow"

    def _find(self, repo: str, kind: str) -> Repository | None:
        """The repository, or None after having answered."""
        hub = self.server.hub
        if repo in hub.aliases:
            self._send(307, b"", {"Location": self.path.replace(repo, hub.aliases[repo], 1)})
            return None
        found = hub.repositories.get(repo)
        if found is None or found.kind != kind:
            code = (404, "RepoNotFound") if self.headers.get("Authorization") else (401, "")
            self._refuse(*code)  # as huggingface.co: to a stranger, what is missing and what is private look alike
            return None
        return found

    def _listing(self, path: str) -> None:
        kind, _, rest = path.partition("/")
        repo, revision = rest, "main"
        for mark in ("/revision/", "/tree/"):
            if mark in rest:
                repo, _, revision = rest.partition(mark)
        found = self._find(repo, kind)
        if found is None:
            return
        commit = found.branches.get(revision, revision)
        if commit not in found.branches.values():
            self._refuse(404, "RevisionNotFound")
            return
        names = [(path.relative_to(found.folder).as_posix(), path.stat().st_size) for path in found.files()]
        if "/tree/" in rest:
            self._send_json([{"type": "file", "path": name, "size": size, "oid": commit} for name, size in names])
            return
        sized = "blobs=" in self.path
        siblings = [{"rfilename": name, **({"size": size} if sized else {})} for name, size in names]
        gated = "manual" if found.gated else False
        self._send_json({"id": repo, "modelId": repo, "sha": commit, "gated": gated, "tags": [], "siblings": siblings})

    def _resolve(self, repo: str, revision: str, file: str) -> None:
        found = self._find(repo, "models")
        if found is None:
            return
        if found.gated:
            self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
            return
        commit = found.branches.get(revision, revision)
        path = found.folder / file
        if commit not in found.branches.values():
            self._refuse(404, "RevisionNotFound")
        elif not path.is_file():
            self._refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
        elif path.suffix in {".safetensors", ".bin"} or path.stat().st_size > 10_000_000:
            size = path.stat().st_size
            linked = {"X-Repo-Commit": commit, "X-Linked-Size": str(size), "X-Linked-Etag": _tag(path)}
            self._send(302, b"", {"Location": f"{self.server.hub.storage}/{repo}//{file}", **linked})
        else:
            self._send_file(repo, found, file, headers={"X-Repo-Commit": commit})

    def _send_file(
        self, repo: str, found: Repository, file: str, *, headers: Mapping[str, str] | None = None, large: bool = False
    ) -> None:
        path = found.folder / file
        size = path.stat().st_size
        first, last, status = 0, size - 1, 200
        asked = self.headers.get("Range", "")
        if asked and not (large and self.server.hub.ignores_ranges):
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = (
                (int(start), min(int(end) if end else last, last)) if start else (max(0, size - int(end)), last)
            )
            status = 206
            if first > last:
                self._send(416, b"", {"Content-Range": f"bytes */{size}"})
                return
        self.send_response(status)
        ranged = {"Content-Range": f"bytes {first}-{last}/{size}"} if status == 206 else {}
        for name, value in {"ETag": _tag(path), **ranged, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command == "HEAD":
            return
        with path.open("rb") as source:
            source.seek(first)
            left = last - first + 1
            while left:
                piece = source.read(min(PIECE, left))
                self.wfile.write(piece)
                self.server.hub.served[f"{repo}/{file}"] += len(piece)
                self.server.hub.answered += len(piece)
                left -= len(piece)

    def _refuse(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, b"", {**({"X-Error-Code": code} if code else {}), **(headers or {})})

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.server.hub.answered += len(body)


def _tag(path: Path) -> str:
    """An entity tag, as good as the content's for files that tests write once."""
    return '"' + hashlib.sha1(f"{path.name}{path.stat().st_size}{path.stat().st_mtime_ns}".encode()).hexdigest() + '"'
