"""Faults that are ordered of a stand-in for its next calls."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass
class Faulty:
    """What misbehaves to order; what is ordered is one of its own faults. Several threads may call it."""

    _faults: Counter[StrEnum] = field(default_factory=Counter, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def order(self, fault: StrEnum, times: int = 1) -> None:
        """Let the next ``times`` calls that can fail this way do so."""
        with self._lock:
            self._faults[fault] += times

    def ordered(self, fault: StrEnum) -> bool:
        """Whether this call is to fail this way; uses up one order."""
        with self._lock:
            due = self._faults[fault] > 0
            self._faults[fault] -= due
            return due
