"""What prefect.yaml deploys, for those who need to know it without Prefect."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PREFECT_YAML = Path(__file__).parents[1] / "prefect.yaml"


@dataclass(frozen=True, slots=True)
class Deployment:
    """``module`` is where its story is; ``cron`` is the line by which it runs, empty where somebody starts it."""

    module: str
    cron: str


@cache
def stories() -> dict[str, Deployment]:
    """The deployments in prefect.yaml by name."""
    _, *blocks = PREFECT_YAML.read_text(encoding="utf-8").split("\n  - name: ")
    return {block.split(maxsplit=1)[0]: _deployment(block) for block in blocks}


def _deployment(block: str) -> Deployment:
    (module,) = re.findall(r"entrypoint: ([\w.]+)\.\w+", block)
    return Deployment(module, "".join(re.findall(r'cron: "(.+)"', block)))
