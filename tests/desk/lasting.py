"""A story for the worker's test: it lasts, or it dies."""

import os
import time

from prefect import flow


@flow(persist_result=False)
def lasting(seconds: float, signal: int = 0) -> None:
    """Last so many seconds; then, with a signal, end the process by it."""
    time.sleep(seconds)
    if signal:
        os.kill(os.getpid(), signal)
