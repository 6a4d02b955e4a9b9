"""A machine without internet: what it needs is collected on another one, and is enough."""

import os
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.operation.test_requirements import ROOMS
from tests.operator_guide import blocks, run

pytestmark = pytest.mark.thorough

NO_INDEX = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
NO_INDEX |= dict.fromkeys(("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT"), "")
IMPORT_EVERYTHING = f"""
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
for room in {sorted(ROOMS)}:
    package = import_module(room)
    assert Path(package.__file__).is_relative_to(Path.cwd()), package
    for module in walk_packages(package.__path__, f"{{room}}."):
        # What alembic and `python -m` run, not import.
        if module.name not in ("models.migrations.env", "ezt.__main__"):
            import_module(module.name)
"""


@pytest.mark.timeout(900)
def test_it_is_installed_as_printed_with_no_index_and_needs_nothing_else(home: Path, tmp_path: Path) -> None:
    """The only proof that what runs needs nothing of what tests, and that the wheelhouse lacks nothing. Costs two
    thirds of a minute of a processor, and a download the first time: build/wheelhouse stays until the lock changes."""
    run(blocks("sh wheelhouse"), home)
    folder = tmp_path / "opt"
    folder.mkdir()
    wheelhouse = ROOT / "build" / "wheelhouse"
    install = blocks("sh offline").replace("/opt/ezt", shlex.quote(str(folder)))
    # Compiled is what the test imports, not everything.
    run(install.replace("/media/wheelhouse", shlex.quote(str(wheelhouse))), home, **NO_INDEX, PIP_NO_COMPILE="1")

    def there(script: str) -> str:
        path = f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}"
        # A worker's legs are loaded for a server, which they need not find yet.
        server = "http://127.0.0.1:9/api"
        return run(f"cd {shlex.quote(str(folder))}\n{script}", home, PATH=path, PREFECT_API_URL=server)

    there("python -m pip check\nezt migrate")
    assert (home / "ezt.db").exists()
    there(f"python -c {shlex.quote(IMPORT_EVERYTHING)}")
