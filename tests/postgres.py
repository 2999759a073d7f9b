"""A real PostgreSQL for tests: a server of its own on a free loopback port, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PASSWORD = "pa ss/w:rd@%"
"""What a URL has to escape."""


def _programs() -> Path:
    """Where Debian keeps the server's programs, or wherever `initdb` is on PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parts[-2])
    assert versions, "no PostgreSQL: `make servers` installs it"
    return versions[-1]


@dataclass(slots=True)
class PostgresServer:
    """A server's folder and port; started, stopped, killed at will."""

    folder: Path
    port: int

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs, as a user that it lets."""
        program = [str(_programs() / command[0]), *command[1:]]
        if os.geteuid() == 0:  # the server refuses to run as root
            program = [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                *program,
            ]
        return subprocess.run(
            program, capture_output=True, text=True, check=check, timeout=60, cwd=self.folder
        )

    def start(self) -> None:
        """Start, and return when it takes connections."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "start", "-w", "-D", str(self.folder / "data"), "-o", options, "-l", log)

    def stop(self, how: str = "fast") -> None:
        """Stop: `fast` as an administrator does, `immediate` as a crash does."""
        self.run("pg_ctl", "stop", "-w", "-D", str(self.folder / "data"), "-m", how, check=False)

    def url(self, database: str) -> str:
        password = "pa%20ss%2Fw%3Ard%40%25"
        return f"postgresql://itnio:{password}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex}"
        self.run("createdb", "-h", str(self.folder), "-p", str(self.port), "-U", "itnio", name)
        return self.url(name)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server that has one role, `itnio`, with a password."""
    # Not below pytest's own folder: that only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="itnio-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = PostgresServer(folder, free.getsockname()[1])
    try:
        secret = folder / "password"
        secret.write_text(_PASSWORD)
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            for path in (folder, secret):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        server.run(
            *("initdb", "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256"),
            *("--username=itnio", f"--pwfile={secret}", "--pgdata", str(folder / "data")),
        )
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
