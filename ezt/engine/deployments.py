"""What prefect.yaml deploys, for those who need to know it without Prefect."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

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
    # The loader in C reads it in a hundredth of a second, the other one takes ten times as long.
    said = yaml.load(PREFECT_YAML.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {
        each["name"]: Deployment(each["entrypoint"], "".join(when["cron"] for when in each.get("schedules", [])))
        for each in said["deployments"]
    }
