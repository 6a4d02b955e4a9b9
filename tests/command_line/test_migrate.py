"""``ezt migrate``: the data folder, the keys and the tables."""

import json
import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from ezt.up import free_port
from models import Base
from models.migrations import alembic_config
from runtime.database import engine
from tests.command_line.conftest import assert_refused, ezt

SETTINGS_THAT_CANNOT_WORK = [
    ({"EZT_HOME": "/dev/null/nowhere"}, "EZT_HOME"),
    ({"EZT_HOME": "/proc/nowhere"}, "EZT_HOME"),
    ({"EZT_HOME": __file__}, "EZT_HOME"),
    ({"EZT_HOME": "x" * 300}, "EZT_HOME"),
    ({"EZT_WEB_PORT": "nine"}, "EZT_WEB_PORT"),
    ({"EZT_CITY_GATEWAY": "x"}, "EZT_CITY_GATEWAY"),
    ({"EZT_CITY_GATEWAY": "[]"}, "EZT_CITY_GATEWAY"),
    ({"EZT_DATA_KEYS": "no-key", "EZT_INDEX_KEY": "x"}, "EZT_DATA_KEYS"),
    ({"EZT_DATA_KEYS": "钥匙", "EZT_INDEX_KEY": "x"}, "EZT_DATA_KEYS"),
    ({"EZT_INDEX_KEY": "x"}, "EZT_DATA_KEYS"),
    ({"EZT_PREFECT_PASSWORD": "hunter2"}, "EZT_PREFECT_PASSWORD"),
    ({"EZT_PREFECT_PASSWORD": "天王盖地虎宝塔镇河妖天王盖地虎"}, "EZT_PREFECT_PASSWORD"),
    ({"EZT_DATABASE_URL": "nonsense"}, "postgresql+psycopg://"),
    ({"EZT_DATABASE_URL": "postgresql://ezt@127.0.0.1/ezt"}, "postgresql+psycopg://"),
    ({"EZT_DATABASE_URL": "postgresql+asyncpg://ezt@127.0.0.1/ezt"}, "postgresql+psycopg://"),
    ({"EZT_DATABASE_URL": "mysql://ezt@127.0.0.1/ezt"}, "postgresql+psycopg://"),
    ({"EZT_DATABASE_URL": "nothing://ezt@127.0.0.1/ezt"}, "postgresql+psycopg://"),
    ({"EZT_DATABASE_URL": "postgresql+psycopg://ezt@127.0.0.1:port/ezt"}, "postgresql+psycopg://"),
    ({"EZT_DATABASE_URL": "postgresql+psycopg://ezt@127.0.0.1/ezt?nothing=1"}, "EZT_DATABASE_URL"),
    ({"EZT_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"}, "EZT_DATABASE_URL"),
]


def test_a_fresh_machine_gets_keys_and_tables_once(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    first = ezt("migrate", EZT_HOME=str(fresh))
    assert "密钥" in first.stdout
    assert len(first.stdout.splitlines()) == 1
    keys = (fresh / "ezt.env").read_text()
    again = ezt("migrate", "--json", EZT_HOME=str(fresh))
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert json.loads(again.stdout) == {
        "home": str(fresh),
        "from": newest,
        "to": newest,
        "steps": [],
        "said": [],
        "new_keys": False,
        "new_password": False,
    }
    assert (fresh / "ezt.env").read_text() == keys


def test_an_installation_from_before_gets_a_password_beside_its_keys(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    assert "Prefect口令" in ezt("migrate", EZT_HOME=str(fresh)).stdout
    file = fresh / "ezt.env"
    (password,) = (line for line in file.read_text().splitlines() if line.startswith("EZT_PREFECT_PASSWORD="))
    before = file.read_text().replace(password, "").strip()
    file.write_text(before)
    done = json.loads(ezt("migrate", "--json", EZT_HOME=str(fresh)).stdout)
    assert (done["new_keys"], done["new_password"]) == (False, True)
    kept, line = file.read_text().rstrip().rsplit("\n", 1)
    assert kept == before
    # Another one, 80 bits of it, and for nobody else's eyes.
    assert re.fullmatch(r"EZT_PREFECT_PASSWORD=[0-9a-f]{20}", line)
    assert line != password
    assert file.stat().st_mode & 0o077 == 0
    # One that an operator has chosen stays.
    assert not json.loads(ezt("migrate", "--json", EZT_HOME=str(fresh)).stdout)["new_password"]


def test_nobody_else_on_the_machine_reads_the_data_folder(tmp_path: Path) -> None:
    ezt("migrate", EZT_HOME=str(tmp_path / "fresh"))
    assert (tmp_path / "fresh").stat().st_mode & 0o077 == 0


def test_all_tables_are_there(home: Path) -> None:
    assert ezt("migrate").returncode == 0
    assert set(Base.metadata.tables) <= set(inspect(engine()).get_table_names())


@pytest.mark.parametrize(("environment", "word"), SETTINGS_THAT_CANNOT_WORK)
def test_what_cannot_work_is_one_chinese_line_and_leaves_no_keys(
    environment: dict[str, str], word: str, tmp_path: Path
) -> None:
    fresh = tmp_path / "fresh"
    assert_refused(ezt("migrate", **{"EZT_HOME": str(fresh)} | environment), word, "请")
    assert not (fresh / "ezt.env").exists()
    assert not (fresh / "ezt.db").exists()


def test_keys_that_are_none_stop_the_sample_data_too(installation: Path) -> None:
    assert_refused(ezt("sample-data", EZT_DATA_KEYS="no-key"), "EZT_DATA_KEYS")


def test_settings_that_are_not_utf8_are_one_chinese_line(home: Path) -> None:
    (home / "ezt.env").write_bytes("EZT_MAIL_FROM=张".encode("gb18030"))
    assert_refused(ezt("migrate"), "UTF-8", str(home / "ezt.env"))


@pytest.mark.parametrize("command", ["migrate", "sample-data", "due", "up"])
def test_a_corrupt_database_is_one_chinese_line_and_left_as_it_is(command: str, home: Path) -> None:
    corrupt = b"no database" * 1000
    (home / "ezt.db").write_bytes(corrupt)
    done = ezt(command, EZT_PREFECT_PORT=str(free_port()), EZT_WEB_PORT=str(free_port()))
    assert done.stderr.startswith("数据库不能使用")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert (home / "ezt.db").read_bytes() == corrupt


def test_a_folder_in_place_of_the_database_is_one_chinese_line(home: Path) -> None:
    (home / "ezt.db").mkdir()
    assert_refused(ezt("migrate"), "数据库无法打开")


@pytest.mark.parametrize("name", ["柯桥 e证通", "why?", "100%25#1"])
def test_the_data_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    assert ezt("migrate", EZT_HOME=str(tmp_path / name)).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {"ezt.env", "ezt.db"} <= {path.name for path in (tmp_path / name).iterdir()}


def test_fresh_keys_do_not_run_into_a_last_line_without_end(tmp_path: Path) -> None:
    (tmp_path / "ezt.env").write_text("EZT_WEB_PORT=4302")
    assert ezt("migrate", EZT_HOME=str(tmp_path)).returncode == 0
    assert ezt("sample-data", EZT_HOME=str(tmp_path)).returncode == 0
    assert (tmp_path / "ezt.env").stat().st_mode & 0o077 == 0


def test_a_database_of_a_newer_program_is_left_alone(installation: Path) -> None:
    with engine().begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    assert_refused(ezt("migrate"), "升级")
