"""A story for the worker's test: it lasts, or it dies."""

import os
import time
from pathlib import Path

from prefect import flow


@flow(persist_result=False)
def lasting(seconds: float, signal: int = 0, process_in: str = "") -> None:
    """Last so many seconds; then, with a signal, end the process by it. Its number is left in a file."""
    if process_in:
        Path(process_in).write_text(str(os.getpid()))
    time.sleep(seconds)
    if signal:
        os.kill(os.getpid(), signal)
