"""A PostgreSQL server of our own: the binaries are Debian's, the data in a folder that is new."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from ezt import children
from ezt.up import free_port

FAST = ("fsync=off", "full_page_writes=off")
"""For servers that nobody kills: nothing rests on what reaches the disk."""


def binaries() -> Path:
    """Where Debian keeps the PostgreSQL server's programs: out of PATH, by version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert versions, "请安装PostgreSQL服务器程序（Debian：apt-get install postgresql），测试不跳过它"
    return versions[-1]


class PostgreSQL:
    """A server with its data in an empty folder and ``more`` settings, on a port of its own; it can be killed."""

    def __init__(self, data: Path, *more: str) -> None:
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        # It will not run as root.
        self._user = user.pw_uid, user.pw_gid
        os.chown(data, user.pw_uid, user.pw_gid)
        # Temporary folders are kept to the user who made them; the server's user has to pass through.
        for folder in [data, *data.parents]:
            if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o011)
        data.chmod(0o700)
        initdb = [binaries() / "initdb", "-D", data, "-U", "ezt", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", user=user.pw_uid, group=user.pw_gid)
        self.port = free_port()
        self.url = f"postgresql+psycopg://ezt@127.0.0.1:{self.port}"
        self._command = [binaries() / "postgres", "-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", data]
        for setting in ("max_connections=200", *more):
            self._command += ["-c", setting]

    def start(self) -> None:
        """Start it, after a kill with what it finds; it lets nobody in yet."""
        self._server = children.start(
            self._command,
            # At once, without a word to whoever is connected: it takes its shared memory with it.
            at_my_end=signal.SIGQUIT,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def wait(self) -> None:
        """Wait until it lets anybody in: for a while it listens and says that it is starting."""
        until = time.monotonic() + 60
        while not self.lets_in():
            assert time.monotonic() < until, "PostgreSQL没有启动"
            time.sleep(0.05)

    def lets_in(self) -> bool:
        try:
            as_superuser(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL it and all that serve its connections."""
        serving = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text().split()
        for process in (self._server.pid, *map(int, serving)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._server.wait()

    def stop(self) -> None:
        # On SIGTERM it would wait for connections that somebody has left open.
        self._server.send_signal(signal.SIGINT)
        self._server.wait()


@contextmanager
def server_folder() -> Iterator[Path]:
    """An empty folder for a server's data while the block runs. It is not among pytest's: whenever somebody starts
    pytest, it shuts the folder of all its runs to everybody else, and the server's user is somebody else."""
    with TemporaryDirectory(prefix="postgresql-") as folder:
        yield Path(folder)


@contextmanager
def postgresql_server(data: Path, *more: str) -> Iterator[str]:
    """A server while the block runs; its URL without a database name."""
    server = PostgreSQL(data, *more)
    server.start()
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()


def create_database(server: str, name: str, template: str = "template1") -> None:
    """Create a database as a copy of another one."""
    with as_superuser(server) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())


def as_superuser(server: str) -> psycopg.Connection[Any]:
    """A connection on which databases can be created."""
    return psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True)
