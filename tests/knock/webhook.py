"""A webhook on loopback that can do what real ones do wrong. Knows nothing of pretune."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from typing import Any

GOOD = b"ok"
RESET = struct.pack("ii", 1, 0)


class Webhook:
    """A server on a free port of 127.0.0.1; a context manager.

    Args:
        faults: what each request meets, the last for all that follow: `ok`, `slow`, `trickle`, `reset`, `redirect`,
            `garbage`, or a status such as `404` or `503 1` (with Retry-After: 1).
        tls: a file with certificate and key, for https.

    Attributes:
        bodies: what was posted, in order.
        times: when, monotonic.
        lines: the request lines.
    """

    def __init__(self, *faults: str, tls: str = "") -> None:
        self.faults = list(faults) or ["ok"]
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.lines: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._tls: ssl.SSLContext | None = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(tls)
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}/services/T0/B0/verysecretpath"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Webhook:  # noqa: PYI034 - never subclassed
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):  # a thread left in accept() would take the connections of the next server
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def texts(self) -> list[str]:
        """The texts that were posted, in whatever form."""
        return [
            body["text"] if "text" in body else f"{body.get('title', '')}\n{body.get('message', '')}"
            for body in self.bodies
        ]

    def wait(self, part: str, seconds: float = 15) -> str:
        """The first text that holds `part`, waited for."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for text in self.texts():
                if part in text:
                    return text
            time.sleep(0.02)
        raise AssertionError(f"{part!r} did not come: {self.texts()}")

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                return
        with connection, connection.makefile("rwb") as file:
            try:
                first = file.readline()
                length = 0
                while (line := file.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                body = file.read(length)
                if not first:
                    return
                fault = self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]
                self.bodies.append(json.loads(body) if body else {"text": first.decode()})
                self.times.append(time.monotonic())
                self.lines.append(first.decode())
                self._do(fault, connection, file)
            except (OSError, ValueError):
                return

    def _do(self, fault: str, connection: socket.socket, file: Any) -> None:
        good = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(GOOD), GOOD)
        if fault == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        elif fault == "slow":
            self._over.wait(20)
        elif fault == "trickle":
            for byte in good:
                file.write(bytes([byte]))
                file.flush()
                self._over.wait(0.5)
        elif fault == "redirect":
            file.write(f"HTTP/1.1 302 Found\r\nLocation: {self.url}\r\nContent-Length: 0\r\n\r\n".encode())
        elif fault == "garbage":
            file.write(b"\x00\xff\xfenonsense\r\n\r\n")
        elif fault == "ok":
            file.write(good)
        else:
            code, _, after = fault.partition(" ")
            extra = f"Retry-After: {after}\r\n" if after else ""
            file.write(f"HTTP/1.1 {code} No\r\n{extra}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
