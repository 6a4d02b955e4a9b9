"""A PostgreSQL server of our own: the binaries are Debian's, the data in a folder that is new."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from ezt.up import free_port

FAST = ("fsync=off", "full_page_writes=off")
"""For servers that nobody kills: nothing rests on what reaches the disk."""


def binaries() -> Path:
    """Where Debian keeps the PostgreSQL server's programs: out of PATH, by version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert versions, "请安装PostgreSQL服务器程序（Debian：apt-get install postgresql），测试不跳过它"
    return versions[-1]


@contextmanager
def postgresql_server(data: Path, *more: str) -> Iterator[str]:
    """A server with its data in an empty folder and ``more`` settings; its URL without a database name."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    # It will not run as root.
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid} if os.geteuid() == 0 else {}
    os.chown(data, user.pw_uid, user.pw_gid)
    # Temporary folders are kept to the user who made them; the server's user has to pass through.
    for folder in [data, *data.parents]:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    data.chmod(0o700)
    initdb = [binaries() / "initdb", "-D", data, "-U", "ezt", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/", **identity)
    port = free_port()
    command = [binaries() / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data]
    for setting in ("max_connections=200", *more):
        command += ["-c", setting]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **identity)
    try:
        url = f"postgresql+psycopg://ezt@127.0.0.1:{port}"
        _wait(url)
        yield url
    finally:
        # On SIGTERM it would wait for connections that somebody has left open.
        server.send_signal(signal.SIGINT)
        server.wait()


def create_database(server: str, name: str, template: str = "template1") -> None:
    """Create a database as a copy of another one."""
    with as_superuser(server) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())


def as_superuser(server: str) -> psycopg.Connection[Any]:
    """A connection on which databases can be created."""
    return psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True)


def _wait(server: str) -> None:
    """Wait until it lets anybody in: for a while it listens and says that it is starting."""
    until = time.monotonic() + 60
    while True:
        try:
            as_superuser(server).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < until, "PostgreSQL没有启动"
            time.sleep(0.05)
