"""How a contender is told to play: so many lives a line on standard input, the processor seconds of its process as a
line back. Standard library only, because contenders run in an environment without the program."""

import os
import sys
import time
from collections.abc import Callable

ENGINE_ONLY = "the engine's own record alone: no case, no audit trail, no outbox"
STEPS = (
    "accept_objection",
    "prepare_pursuit",
    "record_letter",
    "take_reply",
    "decide_outcome",
    "correct_certificate",
    "tell_users_of_wrong_value",
    "close_objection",
)
"""The eight durable steps of an objection."""
WAITS = {"accept_objection": "initial-review", "take_reply": "verification-reply"}
"""Before which steps a contender waits, and for what: the officer's review and the bureau's reply."""


def perform(play: Callable[[], object]) -> None:
    """Play lives as long as somebody asks for more. What libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    play()
    answers.write("ready\n")
    for line in sys.stdin:
        before = time.process_time()
        for _ in range(int(line)):
            play()
        answers.write(f"{time.process_time() - before}\n")
