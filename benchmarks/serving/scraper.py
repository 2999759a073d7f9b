"""A client that costs little: one connection, kept, whose answers are read and not looked at."""

import socket
import time
from typing import Final

_BUFFER: Final = 1 << 20


class Scraper:
    """Scrapes one port over one connection."""

    def __init__(self, port: int, *, compressed: bool) -> None:
        encoding = "gzip" if compressed else "identity"
        self._request = (
            f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: benchmark\r\n"
            f"Accept: text/plain;version=0.0.4\r\nAccept-Encoding: {encoding}\r\n\r\n"
        ).encode()
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._buffer = bytearray(_BUFFER)
        self.size = 0
        """Bytes of the last answer, without its headers."""

    def scrape(self) -> float:
        """Scrape once; return the seconds it took until all was read."""
        begun = time.perf_counter()
        try:
            self._exchange()
        except (ConnectionError, EOFError):
            # Some servers end the connection after each answer; a new one is part of the price.
            self._socket.close()
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._exchange()
        return time.perf_counter() - begun

    def ask(self) -> None:
        """Send a request, and leave its answer unread."""
        self._socket.sendall(self._request)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _exchange(self) -> None:
        self._socket.sendall(self._request)
        head = b""
        while b"\r\n\r\n" not in head:
            got = self._socket.recv(65_536)
            if not got:
                raise EOFError
            head += got
        head, _, rest = head.partition(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
        fields = {name: value.strip() for name, _, value in lines}
        if not head.split(None, 2)[1] == b"200":
            raise RuntimeError(head.decode(errors="replace"))
        if b"content-length" in fields:
            self.size = int(fields[b"content-length"])
            self._read(self.size - len(rest))
        elif fields.get(b"transfer-encoding") == b"chunked":
            self.size = self._read_chunks(rest)
        else:
            self.size = self._read_to_end(len(rest))

    def _read(self, left: int) -> None:
        while left > 0:
            got = self._socket.recv_into(self._buffer)
            if not got:
                raise EOFError
            left -= got

    def _read_chunks(self, rest: bytes) -> int:
        # The end of a chunked body is told by its last bytes; none of ours end so by chance.
        size, last = len(rest), rest[-5:]
        while not last.endswith(b"0\r\n\r\n"):
            got = self._socket.recv_into(self._buffer)
            if not got:
                raise EOFError
            size += got
            last = (last + bytes(self._buffer[max(0, got - 5) : got]))[-5:]
        return size

    def _read_to_end(self, size: int) -> int:
        while got := self._socket.recv_into(self._buffer):
            size += got
        return size
