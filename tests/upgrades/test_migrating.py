"""``ezt migrate`` says what it has changed, and what it could not change it leaves as it was."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from ezt import commands
from models import migrations
from models.migrations import Step, alembic_config
from runtime.database import engine, forget_engine
from tests.command_line.conftest import ezt
from tests.conftest import forget_settings
from tests.upgrades.small_disks import small_disk, small_disks

NEWEST = str(ScriptDirectory.from_config(alembic_config("sqlite://")).get_current_head())
GOOD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9001", "{before}"
in_chinese = "部门有了电话"


def upgrade() -> None:
    op.create_table("phones", sa.Column("number", sa.Text(), primary_key=True))
    op.add_column("departments", sa.Column("phone", sa.Text(), nullable=False, server_default="0575"))
    op.execute("UPDATE departments SET name = name || '（改）'")
"""
BAD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9002", "9001"
in_chinese = "部门的邮箱必填"


def upgrade() -> None:
    with op.batch_alter_table("departments") as batch:
        batch.alter_column("email", new_column_name="mail", existing_type=sa.Text())
    op.execute("DELETE FROM use_list_versions")
    {fails}
"""
FAILED = (
    "升级数据库到9002（部门的邮箱必填）没有成功（{why}），所有改动都已撤回，数据库仍是{before}。"
    "请确认各服务已停止、磁盘空间足够，再运行 ezt migrate；仍不成功的，先换回原来的程序继续使用，并报告此问题。\n"
)
FAILURES = {
    "IntegrityError|UniqueViolation": "op.execute(\"UPDATE departments SET name = 'x'\")",
    "KeyError": "{}['钥匙']",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind once."""
    kind: str = request.param
    return kind


@pytest.fixture
def later_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this program one whose tables go on by these migrations."""

    def made(*scripts: str) -> None:
        folder = tmp_path / "versions"
        folder.mkdir(exist_ok=True)
        for number, script in enumerate(scripts, 9001):
            (folder / f"{number}.py").write_text(script, encoding="utf-8")
        own = str(Path(migrations.__file__).parent / "versions")

        def config(url: str = "") -> Config:
            made = alembic_config(url)
            made.set_main_option("path_separator", "newline")
            made.set_main_option("version_locations", f"{own}\n{folder}")
            return made

        monkeypatch.setattr(migrations, "alembic_config", config)

    return made


def migrate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What the command prints, and what it says on standard error."""
    capsys.readouterr()
    with suppress(SystemExit):
        migrate_here(monkeypatch)
    return capsys.readouterr()


def migrate_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command in this process, whose program is another one."""
    monkeypatch.setattr(sys, "argv", ["ezt", "migrate"])
    commands.main()


def everything(url: str) -> str:
    """All that a database holds, its tables included, as the statements that would make it again."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with sqlite3.connect(address.database or "") as connection:
            return "\n".join(connection.iterdump())
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    said = subprocess.run(["pg_dump", f"--dbname={plain}"], capture_output=True, text=True, check=True).stdout
    # A word of its own each time, against what might stand in the data.
    return "\n".join(line for line in said.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.fixture
def database(sample_data: Path) -> str:
    return engine().url.render_as_string(hide_password=False)


@pytest.mark.parametrize("named", list(FAILURES))
def test_what_fails_half_way_leaves_the_old_database_and_says_what_to_do(
    named: str,
    database: str,
    later_program: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = everything(database)
    later_program(GOOD.format(before=NEWEST), BAD.format(fails=FAILURES[named]))
    said, refused = migrate(capsys, monkeypatch)
    forget_engine()
    assert everything(database) == before
    (why,) = [name for name in named.split("|") if name in refused]
    assert said == ""
    assert refused == FAILED.format(why=why, before=NEWEST)
    # The program of before goes on with it, and the mended one changes it.
    assert json.loads(ezt("migrate", "--json").stdout)["steps"] == []
    later_program(GOOD.format(before=NEWEST), BAD.format(fails=""))
    said, refused = migrate(capsys, monkeypatch)
    assert refused == ""
    assert said.splitlines() == [
        f"数据库已从{NEWEST}升级到9002，共2步。",
        "9001  部门有了电话",
        "9002  部门的邮箱必填",
    ]
    after = everything(database)
    assert "（改）" in after
    assert "phones" in after


def test_it_says_from_which_version_to_which_and_each_step(home: Path) -> None:
    command.upgrade(alembic_config(), "0016")
    forget_settings()
    first, *steps = ezt("migrate").stdout.splitlines()
    assert first == f"数据库已从0016升级到{NEWEST}，共{int(NEWEST) - 16}步。"
    assert steps[:2] == [
        "0017  验证码先核销后办理，填错的计数；录入人只记工号",
        "0018  报送的内容留摘要，同一编号换了内容能识别",
    ]
    assert ezt("migrate").stdout == f"数据库已是最新版本{NEWEST}，没有改动。\n"


def test_a_new_installation_is_told_of_its_tables_and_keys_and_not_of_every_step(tmp_path: Path) -> None:
    home = tmp_path / "var"
    said = ezt("migrate", EZT_HOME=str(home)).stdout
    file = home / "ezt.env"
    assert said == f"已建立数据库（版本{NEWEST}），密钥已写入{file}，Prefect口令已写入{file}，请妥善备份。\n"


def test_a_program_gets_the_steps_as_json(home: Path) -> None:
    command.upgrade(alembic_config(), "0017")
    forget_settings()
    said = json.loads(ezt("migrate", "--json").stdout)
    assert (said["from"], said["to"], said["steps"][0]["version"]) == ("0017", NEWEST, "0018")


def test_every_step_says_in_chinese_what_it_brings() -> None:
    for script in ScriptDirectory.from_config(alembic_config("sqlite://")).walk_revisions():
        what = Step.of(script).what
        assert any("一" <= letter <= "鿿" for letter in what), script.revision


LARGE = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9001", "{before}"
in_chinese = "扫描件"


def upgrade() -> None:
    op.create_table("scans", sa.Column("content", sa.LargeBinary()))
    op.execute("INSERT INTO scans VALUES (zeroblob(1000000))")
"""


@small_disks
def test_a_disk_that_is_full_at_the_commit_is_one_chinese_line(
    home: Path,
    later_program: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with small_disk(home, 16 * 2**20) as filler:
        assert ezt("migrate").returncode == 0
        forget_engine()
        later_program(LARGE.format(before=NEWEST))
        filler(500_000)
        with pytest.raises(SystemExit) as left:
            migrate_here(monkeypatch)
        said, refused = capsys.readouterr()
        assert (left.value.code, said) == (2, "")
        named = FAILED.replace("9002（部门的邮箱必填）", "9001（扫描件）")
        assert refused == named.format(why="磁盘已满", before=NEWEST)
        forget_engine()
        filler(0)
        migrate_here(monkeypatch)
        assert "升级到9001" in capsys.readouterr().out
        forget_engine()
