"""Programs of ours that look at what strangers sent, each in a process of its own with limits on memory and time.

A small file can unfold to anything or take for ever, and where native code reads it, its end would be the end of
whoever called it.
"""

import ctypes
import errno
import os
import resource
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class _Calls:
    """What seccomp(2) knows of a machine: how it calls it, the numbers of system calls by which others are reached or
    files are changed, and, by the numbers of those that open a file, which argument says whether for writing."""

    architecture: int
    others: tuple[int, ...]
    files: tuple[int, ...]
    opens: Mapping[int, int]


_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
"""Of classic BPF, of seccomp(2) and of prctl(2)."""
_MADE_FOR = {
    "x86_64": _Calls(
        0xC000003E,
        # socket, connect, sendto, bind, listen, socketpair; clone, fork, vfork, execve, kill, ptrace, tkill, tgkill
        (41, 42, 44, 49, 50, 53, 56, 57, 58, 59, 62, 101, 200, 234),
        # rename, mkdir, rmdir, creat, link, unlink, symlink, chmod, chown, truncate, and those that end in -at
        (82, 83, 84, 85, 86, 87, 88, 90, 92, 76, 258, 260, 263, 264, 265, 266, 268, 316),
        # open, openat
        {2: 1, 257: 2},
    ),
    "aarch64": _Calls(
        0xC00000B7,
        (198, 203, 206, 200, 201, 199, 220, 221, 129, 117, 130, 131),
        (34, 35, 36, 37, 38, 53, 54, 45, 276),
        {56: 2},
    ),
}
_ON_BOTH = (425, 434, 435, 437, 438)
"""io_uring_setup, pidfd_open, clone3, openat2, pidfd_getfd."""
_KEEP_WITHIN = "from tasks.tables.limited_processes import keep_within; keep_within({memory}, {seconds}); {program}"


@contextmanager
def limited_process(
    program: str, file: BinaryIO, memory: int, seconds: int, *arguments: str
) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs ``program``, a line of Python of ours, with ``file`` from its beginning as standard input,
    until the block ends; in at most so many bytes of ``memory`` and ``seconds`` of computing."""
    # Where our own buffer stands is not where the file itself does.
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    command = [sys.executable, "-P", "-c", _KEEP_WITHIN.format(memory=memory, seconds=seconds, program=program)]
    # Of our settings, keys among them, it needs none.
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "LANG": "C.UTF-8"}
    # Our own program, with arguments of ours.
    with subprocess.Popen(  # noqa: S603
        [*command, *arguments],
        env=environment,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
    ) as process:
        try:
            yield process
        finally:
            # Whoever has seen enough does not wait for the rest.
            process.kill()


def shut_in() -> None:
    """From here on this process starts no other, talks to nobody and changes no file, whatever it is made to do: the
    kernel refuses it (seccomp). Raises ``OSError`` or ``KeyError`` where the kernel cannot be asked to."""
    calls = _MADE_FOR[os.uname().machine]
    refuse = _bpf(_RETURN, _REFUSE | errno.EPERM)
    # The second word of what the kernel shows of a call is the architecture, whose numbers these are, the first one the
    # number; those of x32 are the same calls by higher ones.
    program = [_bpf(_LOAD, 4), _bpf(_JUMP_EQUAL, calls.architecture, 1, 0), _bpf(_RETURN, _KILL), _bpf(_LOAD, 0)]
    program += [_bpf(_JUMP_ABOVE, 0x40000000, 0, 1), _bpf(_RETURN, _KILL)]
    for number in (*calls.others, *calls.files, *_ON_BOTH):
        program += [_bpf(_JUMP_EQUAL, number, 0, 1), refuse]
    for number, argument in calls.opens.items():
        writes = _bpf(_JUMP_ANY, os.O_WRONLY | os.O_RDWR, 0, 1)
        program += [_bpf(_JUMP_EQUAL, number, 0, 4), _bpf(_LOAD, 16 + 8 * argument), writes, refuse]
        program.append(_bpf(_RETURN, _ALLOW))
    program.append(_bpf(_RETURN, _ALLOW))
    instructions = ctypes.create_string_buffer(b"".join(program))
    filtered = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(instructions)))
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for asked in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, filtered, 0, 0)):
        if libc.prctl(*asked):
            raise OSError(ctypes.get_errno(), "prctl")


def _bpf(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    """An instruction of a filter: what it does, by which value, and how many instructions are skipped."""
    return struct.pack("HBBI", code, if_so, if_not, value)


def keep_within(memory: int, seconds: int) -> None:
    """Limit this process to so many bytes of memory and seconds of computing, without a dump of what it held."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
