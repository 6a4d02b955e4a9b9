"""A database whose keys are not there: nobody makes others for it, and all are told which file to bring back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from ezt.backups import back_up
from models.organisations import Officer
from runtime.database import engine, forget_engine, transaction
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import forget_settings
from tests.upgrades.test_migrating import everything

MATCHING = "相配的ezt.env"
WRITING = [
    ["officer", "add", "KQ901", "样例负责人", "fuze@example.cn", "--director"],
    ["officer", "list"],
    ["application", "add", "KQ-NEW", "绍兴市柯桥区市场监督管理局"],
    ["key", "rotate"],
    ["backup", "never.ezt"],
    ["sample-data"],
]


@pytest.fixture
def restored(sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new data folder into which somebody has restored a backup, and forgotten ``ezt.env``."""
    back_up(tmp_path / "backup.ezt")
    new = tmp_path / "new"
    monkeypatch.setenv("EZT_HOME", str(new))
    forget_settings()
    done = ezt("restore", str(tmp_path / "backup.ezt"))
    assert f"请先把与它相配的ezt.env（与备份一同另存的那份）放到{new / 'ezt.env'}" in done.stdout
    return new


def contents() -> str:
    said = everything(engine().url.render_as_string(hide_password=False))
    forget_engine()
    return said


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_no_keys_are_made_for_what_others_have_sealed(restored: Path, command: str, sample_data: Path) -> None:
    before = contents()
    done = ezt(command)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"{MATCHING}（与备份一同另存的那份）放到{restored / 'ezt.env'}" in done.stderr
    assert not (restored / "ezt.env").exists()
    assert contents() == before
    (restored / "ezt.env").write_bytes((sample_data / "ezt.env").read_bytes())
    assert ezt("migrate").returncode == 0


@pytest.mark.parametrize("arguments", WRITING, ids=lambda each: "-".join(each[:2]))
@pytest.mark.parametrize("given", ["", "others"])
def test_nothing_is_written_with_keys_that_do_not_fit(
    restored: Path, arguments: list[str], given: str, tmp_path: Path
) -> None:
    if given:
        ezt("migrate", EZT_HOME=str(tmp_path / "another"))
        (restored / "ezt.env").write_bytes((tmp_path / "another" / "ezt.env").read_bytes())
    before = contents()
    assert_refused(ezt(*arguments), "ezt.env")
    assert contents() == before


def test_the_doctor_says_which_file_to_bring_back_and_never_to_make_keys(restored: Path) -> None:
    said = ezt("doctor").stdout
    assert MATCHING in said
    assert "ezt migrate" not in said
    assert "Error" not in said


def test_on_postgresql_too_and_with_the_keys_of_another_installation(
    install: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("postgresql", "filled")
    monkeypatch.setenv("EZT_HOME", str(tmp_path / "new"))
    forget_settings()
    assert_refused(ezt("migrate"), MATCHING)
    assert not (tmp_path / "new").exists()
    assert "ezt migrate" not in ezt("doctor").stdout
    ezt("migrate", EZT_HOME=str(tmp_path / "another"), EZT_DATABASE_URL="")
    assert_refused(ezt("migrate", EZT_HOME=str(tmp_path / "another")), MATCHING)


def test_one_value_that_no_key_opens_is_one_chinese_line(sample_data: Path) -> None:
    with transaction() as session:
        # Neither the first row nor the last, which are looked at before a command begins.
        _, middle, *_ = session.scalars(select(Officer.staff_no).order_by(Officer.staff_no))
        strangers = (
            "UPDATE officers SET name = 'AAAAA' || substr(name, 6), email = 'AAAAA' || substr(email, 6) "
            "WHERE staff_no = :middle"
        )
        session.execute(text(strangers), {"middle": middle})
    assert_refused(ezt("officer", "list"), "用别的密钥加密", "ezt.env")
    said = ezt("doctor").stdout
    assert "用别的密钥加密" in said
    assert "Error" not in said
