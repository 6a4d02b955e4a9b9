"""What prefect.yaml deploys, for those who need to know it without Prefect."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PREFECT_YAML = Path(__file__).parents[2] / "prefect.yaml"


@dataclass(frozen=True, slots=True)
class Deployment:
    """``entrypoint`` is its story, a function with its module; ``cron`` is the line by which it runs, empty where
    somebody starts it."""

    entrypoint: str
    cron: str


@cache
def stories() -> dict[str, Deployment]:
    """The deployments in prefect.yaml by name."""
    _, *blocks = PREFECT_YAML.read_text(encoding="utf-8").split("\n  - name: ")
    return {block.split(maxsplit=1)[0]: _deployment(block) for block in blocks}


def _deployment(block: str) -> Deployment:
    (entrypoint,) = re.findall(r"entrypoint: ([\w.]+)$", block, re.MULTILINE)
    return Deployment(entrypoint, "".join(re.findall(r'cron: "(.+)"', block)))
