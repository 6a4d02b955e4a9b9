"""Rectification (督促整改, Article 17): the stages of a finding's case."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a rectification stands. The values are what people read."""

    FOUND = "待处置"
