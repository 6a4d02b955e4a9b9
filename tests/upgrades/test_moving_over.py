"""Moving over from the forms of Prefect to the desk: nothing that was typed is lost, and nothing of it stays in
Prefect's data. What is moved is a kept installation, with a case waiting at every question."""

import json
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from ezt.engine import prefect_data
from ezt.engine.deployments import stories
from ezt.installation import prepare
from models.records import AuditEntry
from runtime.database import forget_engine, reading
from runtime.refusals import RefusalError
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import drop_database, forget_settings, on_postgresql, working_in
from tests.postgresql_server import create_database
from tests.upgrades.small_disks import SHORT, small_disk, small_disks

KEPT = sorted(Path(__file__).with_name("kept").glob("*.tar.xz"))
WAITS, ANSWERED = "YY-2026-000012", "YY-2026-000033"
"""A case of the kept installation that waits for its initial review, and one that has been answered."""
SECRETS = ("俞小云", "330621198001011213", "yuxiaoyun@example.com", '"code": "271828"')
"""What staff typed into Prefect once."""


@pytest.fixture(params=KEPT, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder of an earlier version, whose program has been replaced by this one."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    for name in ("PREFECT_HOME", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL"):
        monkeypatch.delenv(name, raising=False)
    with working_in(tmp_path / "var"):
        yield tmp_path / "var"


def prefect(home: Path) -> sqlite3.Connection:
    """Its data, where what is deleted stays as long as nobody writes over it: some builds of SQLite see to that."""
    connection = sqlite3.connect(home / "prefect" / "prefect.db", isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    return connection


def ask(home: Path, statement: str, *given: object) -> list[tuple[Any, ...]]:
    with closing(prefect(home)) as connection:
        return connection.execute(statement, given).fetchall()


def run_of(home: Path, case_no: str) -> str:
    with closing(sqlite3.connect(home / "ezt.db")) as connection:
        (found,) = connection.execute("SELECT flow_run_id FROM cases WHERE case_no = ?", (case_no,)).fetchone()
    return str(found)


def type_in(home: Path, case_no: str, key: str = "initial-review-1-1") -> None:
    """What an officer typed into a case's form: written, and not taken by a leg."""
    said = {"verdict": "不予受理", "reason": f"{SECRETS[0]}所述不实", "staff_no": "KQ001", "code": "271828"}
    ask(
        home,
        "INSERT INTO flow_run_input (id, key, value, flow_run_id) VALUES (?, ?, ?, ?)",
        *(str(uuid4()), f"suspended-{key}-response", json.dumps(said), run_of(home, case_no)),
    )


def doctor() -> str:
    (line,) = [line for line in ezt("doctor").stdout.splitlines() if "  旧版表单  " in line]
    return line


def tables_of(home: Path) -> str:
    with closing(sqlite3.connect(home / "ezt.db")) as connection:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found)


def contents(home: Path) -> bytes:
    """All bytes of Prefect's data."""
    return b"".join(path.read_bytes() for path in sorted((home / "prefect").glob("prefect.db*")))


def test_an_answer_that_nobody_has_taken_keeps_the_old_version(old: Path) -> None:
    before = tables_of(old)
    type_in(old, WAITS)
    assert doctor().startswith("错误")
    assert f"1份已提交的答复还没有登记：{WAITS}" in doctor()
    done = ezt("migrate")
    assert (done.returncode, done.stdout) == (2, "")
    assert WAITS in done.stderr
    assert "请先用原来的程序" in done.stderr
    assert tables_of(old) == before
    assert len(ask(old, "SELECT 1 FROM flow_run_input WHERE key LIKE '%-response'")) == 1


def test_forgotten_keys_keep_the_old_version_and_are_named(old: Path) -> None:
    before = tables_of(old)
    (old / "ezt.env").rename(old / "elsewhere.env")
    assert_refused(ezt("migrate"), "相配的ezt.env", str(old / "ezt.env"))
    assert tables_of(old) == before
    said = ezt("doctor").stdout
    assert "相配的ezt.env" in said
    assert "请先备份，再运行 ezt migrate" not in said
    assert not (old / "ezt.env").exists()


@pytest.mark.parametrize(
    ("case_no", "key"), [(ANSWERED, "initial-review-1-1"), (WAITS, "supplement-1-1"), (WAITS, "initial-review-2-1")]
)
def test_what_was_typed_and_is_answered_or_not_asked_any_more_keeps_nobody(old: Path, case_no: str, key: str) -> None:
    type_in(old, case_no, key)
    assert doctor().startswith("注意")
    assert ezt("migrate").returncode == 0


def test_an_application_that_nobody_has_registered_keeps_the_old_version(old: Path) -> None:
    ((intake,),) = ask(old, "SELECT id FROM deployment WHERE name = 'objection-intake'")
    run = run_of(old, WAITS)
    given = json.dumps({"application": {"name": SECRETS[0], "staff_no": "KQ001", "code": ""}})
    ask(old, "UPDATE flow_run SET parameters = ?, deployment_id = ? WHERE id = ?", given, intake, run)
    assert "1份在Prefect里填写的表单还没有登记" in doctor()
    done = ezt("migrate")
    assert done.returncode == 2
    assert "签名登记或取消" in done.stderr
    ask(old, "UPDATE flow_run SET state_type = 'CANCELLED' WHERE id = ?", run)
    assert ezt("migrate").returncode == 0
    assert ask(old, "SELECT parameters FROM flow_run WHERE id = ?", run) == [("{}",)]


def test_moving_over_leaves_nothing_of_the_forms_and_nothing_of_a_person(old: Path) -> None:
    # Of what was deleted, free pages keep the words.
    for said in SECRETS:
        key = f"suspended-initial-review-1-{uuid4().hex}-response"
        ask(
            old,
            "INSERT INTO flow_run_input (id, key, value, flow_run_id) VALUES (?, ?, ?, ?)",
            *(str(uuid4()), key, f"{said} " * 2000, run_of(old, WAITS)),
        )
    ask(old, "DELETE FROM flow_run_input WHERE key LIKE '%-response'")
    ((finished,),) = ask(old, "SELECT id FROM flow_run WHERE state_type = 'COMPLETED'")
    given = json.dumps({"leave": {"absent": SECRETS[0], "code": "271828"}}, ensure_ascii=False)
    ask(old, "UPDATE flow_run SET parameters = ? WHERE id = ?", given, finished)
    assert [word for word in SECRETS if word.encode() not in contents(old)] == []
    waiting = ask(old, "SELECT id, name, parameters FROM flow_run WHERE state_type = 'PAUSED' ORDER BY id")

    done = ezt("migrate")
    assert (done.returncode, done.stderr) == (0, "")
    assert "不再有的流程5个" in done.stdout
    assert "没有姓名、号码、联系方式和验证码" in done.stdout
    assert [word for word in SECRETS if word.encode() in contents(old)] == []
    assert ask(old, "SELECT key FROM flow_run_input") == []
    assert ask(old, "SELECT key FROM artifact WHERE key IN ('to-do', 'to-do-director', 'open-cases')") == []
    assert {name for (name,) in ask(old, "SELECT name FROM deployment")} <= set(stories())
    assert ask(old, "SELECT parameters FROM flow_run WHERE id = ?", finished) == [("{}",)]
    # The runs of the cases wait as they did, but for no form.
    assert ask(old, "SELECT id, name, parameters FROM flow_run WHERE state_type = 'PAUSED' ORDER BY id") == waiting
    details = ask(old, "SELECT state_details FROM flow_run_state WHERE type = 'PAUSED'")
    assert {json.loads(each)["run_input_keyset"] for (each,) in details} == {None}
    with reading() as session:
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "prefect:data:cleared"))
    assert entry.detail["found"] == 0
    assert doctor().startswith("正常")
    # Once.
    assert len(ezt("migrate").stdout.splitlines()) == 1
    # A flow that a version without forms had would be run by its schedule for ever, and refused each time.
    ask(old, "UPDATE deployment SET name = 'case-recovery' WHERE name = 'visit'")
    assert doctor().startswith("注意")
    assert "不再有的流程1个" in ezt("migrate").stdout


def test_what_is_found_afterwards_is_said(old: Path) -> None:
    ask(old, "UPDATE flow SET labels = ?", json.dumps({"note": '"code": "271828"'}))
    done = ezt("migrate")
    assert done.returncode == 0
    assert "Prefect的数据库里还有" in done.stdout
    assert "删去该数据库后启动" in done.stdout


def test_nothing_is_cleared_away_nor_upgraded_under_a_server_that_runs(old: Path) -> None:
    before = tables_of(old)
    with closing(prefect(old)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM flow_run").fetchall()
        done = ezt("migrate")
        assert done.returncode == 2
        assert "请先停止Prefect服务端" in done.stderr
    assert tables_of(old) == before
    assert "已清理Prefect的数据" in ezt("migrate").stdout


@small_disks
def test_a_disk_that_fills_while_prefect_s_data_are_cleared_is_named_and_the_rest_made_up_for(
    old: Path, tmp_path: Path
) -> None:
    for said in SECRETS:
        # Beside a form; what was typed into one that nobody has taken would stop the upgrade.
        key = f"suspended-initial-review-1-{uuid4().hex}-schema"
        ask(
            old,
            "INSERT INTO flow_run_input (id, key, value, flow_run_id) VALUES (?, ?, ?, ?)",
            *(str(uuid4()), key, f"{said} " * 2000, run_of(old, WAITS)),
        )
    before, size = tables_of(old), (old / "prefect" / "prefect.db").stat().st_size
    # The tables are on another disk than Prefect's data.
    with small_disk(old / "prefect", size + 2 * SHORT) as filler:
        filler(size // 2)
        done = ezt("migrate")
        assert done.returncode == 2
        assert f"数据库已从{before}升级到" in done.stdout
        assert "没有清理完（磁盘已满）" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "清理没有做完" in doctor()
        filler(0)
        subprocess.run(["mount", "-o", f"remount,size={4 * size}", str(old / "prefect")], check=True)
        done = ezt("migrate")
        assert (done.returncode, done.stderr) == (0, "")
        assert "没有姓名、号码、联系方式和验证码" in done.stdout
        assert [word for word in SECRETS if word.encode() in contents(old)] == []
        assert doctor().startswith("正常")


def test_where_prefect_has_no_data_there_is_nothing_to_move(old: Path) -> None:
    (old / "prefect" / "prefect.db").unlink()
    assert doctor().startswith("正常")
    assert "已清理" not in ezt("migrate").stdout
    assert not (old / "prefect" / "prefect.db").exists()


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_prefect_s_data_on_postgresql_are_cleared_the_same_way(
    old: Path, postgresql: str, deployed_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_database(postgresql, "moving", deployed_postgresql)
    monkeypatch.setenv(*next(iter(on_postgresql(f"{postgresql}/moving").items())))
    forget_settings()
    engine = sa.create_engine(f"{postgresql}/moving", poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            flow = connection.exec_driver_sql("SELECT id FROM flow LIMIT 1").scalar()
            run = connection.exec_driver_sql(
                "INSERT INTO flow_run (name, flow_id, state_type, parameters) "
                "VALUES ('起', %s, 'COMPLETED', %s) RETURNING id",
                (flow, json.dumps({"leave": {"code": "271828", "name": SECRETS[0]}})),
            ).scalar()
            connection.exec_driver_sql(
                "INSERT INTO flow_run_input (key, value, flow_run_id) VALUES (%s, %s, %s)",
                ("suspended-scan-1-1-schema", SECRETS[0], run),
            )
            connection.exec_driver_sql("UPDATE deployment SET name = 'staff-task-completion' WHERE name = 'visit'")
        assert prefect_data.left_behind().anything
        with engine.connect() as other:
            other.exec_driver_sql("SELECT 1")
            with pytest.raises(RefusalError, match="请先停止Prefect服务端"):
                prefect_data.clear()
        prepare()
        said = " ".join(prefect_data.clear())
        assert "不再有的流程1个" in said
        assert "没有姓名、号码、联系方式和验证码" in said
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM flow_run_input").scalar() == 0
            assert connection.exec_driver_sql("SELECT parameters FROM flow_run").scalar() == {}
        assert not prefect_data.left_behind().anything
    finally:
        engine.dispose()
        forget_engine()
        drop_database(postgresql, "moving")
