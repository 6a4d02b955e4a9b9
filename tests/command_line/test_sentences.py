"""What an operator is told of the usual slips: the true cause, and what to do."""

import os
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from models.migrations import newest_revision
from runtime.refusals import RefusalError
from runtime.settings import read_settings
from tests.command_line.conftest import assert_refused, ezt

NOBODY = 65534


def test_a_file_that_is_not_there_is_said_to_be_missing(installation: Path) -> None:
    for arguments in (["department", "import", "没有.csv"], ["catalogue", "import", "没有.csv"]):
        assert_refused(ezt(*arguments), "没有.csv", "不存在")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of somebody else's")
def test_settings_of_another_user_are_given_to_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as folder:
        # As a data folder may be, of which only the file is somebody else's.
        Path(folder).chmod(0o711)
        (Path(folder) / "ezt.env").touch(mode=0o600)
        monkeypatch.setenv("EZT_HOME", folder)
        os.seteuid(NOBODY)
        try:
            with pytest.raises(RefusalError, match=f"chown -R nobody {folder}") as refused:
                read_settings()
        finally:
            os.seteuid(0)
    assert "另设目录" not in str(refused.value)


def test_the_version_is_that_of_the_program_and_of_its_tables() -> None:
    said = ezt("--version").stdout
    assert said.startswith(f"ezt {version('ezt')}")
    assert said.endswith(f"表结构版本{newest_revision()}\n")
    assert len(said.splitlines()) == 1
