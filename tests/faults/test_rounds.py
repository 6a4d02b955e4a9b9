"""A short round of ``make faults``: a worker, Prefect's server, the web processes and the database are killed once each
while objections are open on an installation with two workers and two web processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, certificates_with_address
from tests.faults.lives import lives, proportions
from tests.faults.storm import kills

SEED, CASES = 330603, 12


@pytest.mark.timeout(900)
def test_whatever_is_killed_every_case_ends_as_it_should(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rounds")
    command = [sys.executable, "-m", "tests.faults.rounds", "--rounds", "1"]
    for name, value in {"cases": CASES, "seed": SEED, "page": folder / "page", "results": folder / "results"}.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    results = json.loads((folder / "results").read_text(encoding="utf-8"))
    found = results["played"]["found"]
    assert (found["cases"], found["doubles"], found["wrong"]) == (CASES, 0, [])
    assert sorted(kill["what"].rstrip(" 12") for kill in results["kills"]) == ["database", "server", "web", "worker"]
    page = (folder / "page").read_text(encoding="utf-8")
    assert f"| cases, each at its end, numbers without a gap | {CASES} |" in page


def test_the_same_seed_draws_the_same(sample_data: Path) -> None:
    held = certificates_with_address() * CASES
    first, second, other = (lives(seed, CASES, list(held)) for seed in (SEED, SEED, SEED + 1))
    assert [(life.end.name, life.ways) for life in first] == [(life.end.name, life.ways) for life in second]
    assert [life.ways for life in first] != [life.ways for life in other]
    assert proportions(first) == proportions(other)
    assert kills(SEED, 10, 200, 550) == kills(SEED, 10, 200, 550) != kills(SEED + 1, 10, 200, 550)
    assert [kill.round for kill in kills(SEED, 10, 200, 550)] == sorted([*range(1, 11)] * 4)
