"""Imported for what it imports: all that a leg needs. The process that legs are forked from does so and then waits, for
a leg of a case is some milliseconds of work, and importing Prefect and the stories takes seconds."""

import gc
import re
from importlib import import_module
from pathlib import Path

import prefect.workers.process  # noqa: F401

import ezt.leg  # noqa: F401

_STORIES = (Path(__file__).parents[1] / "prefect.yaml").read_text(encoding="utf-8")
for _module in sorted(set(re.findall(r"entrypoint: ([\w.]+)\.\w+", _STORIES))):
    import_module(_module)
# What is here now stays: no leg has to look through it for garbage, and its memory stays shared.
gc.collect()
gc.freeze()
