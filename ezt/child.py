"""A program that does not outlive the process which started it: ``python ezt/child.py PARENT SIGNAL USER GROUP PROGRAM
...``, as ``ezt.children`` says it.

The kernel watches, so it holds however the other one ends, and nothing has to run beside the two. Imports next to
nothing, because each start waits for it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
"""Of prctl(2). A new program keeps what it sets, a forked process does not, and a change of user takes it away."""


def end_with(parent: int, signal: int) -> None:
    """Have this process sent a signal when the thread that forked it ends, at once when ``parent`` has ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal)


if __name__ == "__main__":
    parent, signal, user, group = map(int, sys.argv[1:5])
    if user != os.geteuid():
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    end_with(parent, signal)
    os.execvp(sys.argv[5], sys.argv[5:])  # noqa: S606
