"""What an earlier version left in Prefect's database: forms, what was typed into them, lists, deployments that are no
more. ``ezt doctor`` says whether something of it has still to be taken; ``ezt migrate`` clears it away.

By SQL on Prefect's own tables, while its server is stopped: no call of its API vacuums a file, or says what lies in
free pages. ``tests/desk/test_prefect_contract.py`` says when these tables are others.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from ezt.engine.deployments import stories
from models.backfills import BackfillEntry
from models.cases import Answer, Case
from models.liaisons import LiaisonFiling
from models.objections import Objection
from models.organisations import Officer
from models.paper_reports import PaperReport
from models.records import AuditEntry
from runtime import clock
from runtime.database import BUSY, cause_of, is_there, reading, transaction
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.audit import record

RUNS = sa.table(
    "flow_run",
    sa.column("id"),
    sa.column("name", sa.Text),
    sa.column("state_type", sa.Text),
    sa.column("parameters", sa.JSON),
    sa.column("deployment_id"),
)
STATE = sa.cast(RUNS.c.state_type, sa.Text)
"""Of a run; on PostgreSQL a type of Prefect's own, which is compared with no text."""
STATES = sa.table(
    "flow_run_state",
    sa.column("id"),
    sa.column("flow_run_id"),
    sa.column("type", sa.Text),
    sa.column("state_details", sa.JSON),
)
INPUTS = sa.table("flow_run_input", sa.column("key", sa.Text), sa.column("flow_run_id"))
ARTIFACTS = sa.table("artifact", sa.column("key", sa.Text))
ARTIFACT_NAMES = sa.table("artifact_collection", sa.column("key", sa.Text))
DEPLOYMENTS = sa.table("deployment", sa.column("id"), sa.column("name", sa.Text))
TABLES = (RUNS, STATES, INPUTS, ARTIFACTS, ARTIFACT_NAMES, DEPLOYMENTS)
"""Prefect's tables as far as they are used here."""

LISTS = ("to-do", "to-do-director", "open-cases")
"""Artifacts that were the lists of staff."""
START_FORMS = ("suspended-again-", "suspended-signature-")
"""How the inputs of start forms began; all others were a case's questions."""
SIGNED_BY = "staff_no"
"""What stands in the parameters of a run that somebody started by a form: who signed it."""
KEYSET = "run_input_keyset"
OVER = ("COMPLETED", "CANCELLED")
"""Runs that nobody takes up again."""
ENDED = (*OVER, "FAILED", "CRASHED")

CODE = re.compile(rb'\\?"code\\?": ?\\?"\d{6}\\?"')
"""A one-time code as a form or a run's parameters hold it."""
IN_CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]{2,}")
IN_LETTERS = re.compile(r"[0-9A-Za-z][0-9A-Za-z.@_+-]{5,}")
LONGEST_NAME = 20
"""Characters of a name that is looked for."""
PIECE = 1 << 22
"""Bytes of a file that are looked through at a time; what overlaps is looked at twice."""
OVERLAP = 1 << 10


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an earlier version: cases whose typed answer nobody has taken, names of the runs that hold a
    start form which has not been taken, whether anything else is to be deleted, and whether what was deleted may still
    lie in the file, because clearing did not come to its end."""

    untaken: tuple[str, ...]
    unregistered: tuple[str, ...]
    outdated: bool
    unfinished: bool

    @property
    def anything(self) -> bool:
        return self.outdated or self.unfinished


def place() -> sa.URL:
    """Where Prefect keeps its data by the settings in the environment, as a database that can be asked from here."""
    names = "PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL"
    given = next((os.environ[name] for name in names if os.environ.get(name)), "")
    if given:
        url = sa.make_url(given)
        drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
        return url.set(drivername=drivers.get(url.get_backend_name(), url.drivername))
    home = Path(os.environ.get("PREFECT_HOME") or settings().home / "prefect")
    return sa.URL.create("sqlite", database=str(home.absolute() / "prefect.db"))


def left_behind() -> Left:
    """What is left. Nothing where Prefect has no data yet."""
    prefect = _prefect()
    if prefect is None:
        return Left((), (), outdated=False, unfinished=False)
    with prefect.connect() as connection:
        typed = sa.select(INPUTS.c.key, INPUTS.c.flow_run_id).where(_of_question(), INPUTS.c.key.endswith("-response"))
        responses = [(str(key), str(run)) for key, run in connection.execute(typed).tuples()]
        begun = sa.select(RUNS.c.name, RUNS.c.parameters).where(STATE.not_in(OVER))
        unregistered = [name for name, given in connection.execute(begun).tuples() if _is_start_form(given or {})]
        outdated = any(connection.execute(each.limit(1)).first() is not None for each in _outdated())
    return Left(_untaken(responses), tuple(sorted(unregistered)), outdated, _is_unfinished())


def check_nothing_is_lost() -> Left:
    """``left_behind``, where it may be cleared away. Raises ``RefusalError`` that says what has to be done first."""
    left = left_behind()
    if left.untaken:
        raise RefusalError(
            f"{len(left.untaken)}份已经提交的答复还没有登记（{'、'.join(left.untaken[:5])}），升级会丢失它们："
            "请先用原来的程序启动Prefect和执行器，等它们登记完（ezt doctor的“旧版表单”一项），再升级。"
        )
    if left.unregistered:
        raise RefusalError(
            f"{len(left.unregistered)}份在Prefect里填写的表单还没有登记：请先用原来的程序打开这些运行，签名登记或取消"
            f"（{'、'.join(left.unregistered[:5])}），再升级。"
        )
    return left


def check_not_in_use() -> None:
    """Raise ``RefusalError`` while somebody else uses Prefect's data."""
    prefect = _prefect()
    if prefect is None:
        return
    try:
        with prefect.connect() as connection:
            _have_alone(connection)
    except DBAPIError as error:
        raise RefusalError(_undone(error)) from None
    finally:
        prefect.dispose()


def is_in_use() -> bool:
    """Whether somebody else uses Prefect's data."""
    try:
        check_not_in_use()
    except RefusalError as why:
        if str(why) != IN_USE:
            raise
        return True
    return False


def clear() -> tuple[str, ...]:
    """Clear away what an earlier version left, and look through all bytes of Prefect's data for persons and codes; what
    was done, in Chinese sentences. Nobody else may be using the data.

    Raises ``RefusalError`` when somebody is, and when it could not be brought to its end: the next call does that.
    """
    prefect = _prefect()
    if prefect is None:
        return ()
    try:
        with prefect.connect() as connection:
            _have_alone(connection)
            # Before anything is deleted: from then on only this says that the bytes have still to be seen to.
            with transaction() as session:
                record(session, BEGUN, None, "ezt", clock.now())
            gone = _delete(connection)
            connection.commit()
        with prefect.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _vacuum(connection)
            found = len(list(_personal(_contents(connection))))
        with transaction() as session:
            record(session, CLEARED, None, "ezt", clock.now(), **gone, found=found)
    except DBAPIError as error:
        raise RefusalError(_undone(error)) from None
    finally:
        prefect.dispose()
    return (_said(gone), _said_of_rest(found))


BEGUN, CLEARED = "prefect:data:clearing", "prefect:data:cleared"


def _undone(error: DBAPIError) -> str:
    cause = cause_of(error)
    if cause == BUSY:
        return IN_USE
    return (
        f"旧版留在Prefect数据库里的东西没有清理完（{cause}）：请腾出磁盘空间（不少于该数据库的大小）、检查权限，"
        "再运行 ezt migrate，它从没有做完的地方接着做。"
    )


def _is_unfinished() -> bool:
    """Whether the last clearing that began has not come to its end."""
    if not is_there():
        return False
    with reading() as session:
        if not sa.inspect(session.connection()).has_table(AuditEntry.__tablename__):
            return False
        wanted = sa.select(AuditEntry.tag).where(AuditEntry.tag.in_((BEGUN, CLEARED)))
        return session.scalar(wanted.order_by(AuditEntry.id.desc()).limit(1)) == BEGUN


IN_USE = "Prefect的数据库正在使用，不能清理旧版留下的表单：请先停止Prefect服务端和执行器，再运行 ezt migrate。"


def _said(gone: dict[str, int]) -> str:
    return (
        f"已清理Prefect的数据：表单和提交的内容{gone['inputs']}条、清单{gone['lists']}个、"
        f"运行参数{gone['parameters']}条、不再有的流程{gone['deployments']}个，并压缩了它的数据库"
    )


def _said_of_rest(found: int) -> str:
    if not found:
        return "已逐字节核对Prefect的数据库，没有姓名、号码、联系方式和验证码"
    return (
        f"Prefect的数据库里还有{found}处姓名、号码、联系方式或验证码：请停止各服务，删去该数据库后启动并重新部署流程，"
        "办件由“系统巡检”重新发起"
    )


def _prefect() -> sa.Engine | None:
    """Prefect's database; ``None`` where there is none, or none of its tables."""
    url = place()
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _as_prefect_does)
    try:
        there = sa.inspect(engine).has_table(INPUTS.name)
    except OperationalError:
        raise RefusalError("Prefect的数据库无法打开，请检查PREFECT_HOME、数据目录的权限和数据库服务。") from None
    return engine if there else None


def _as_prefect_does(connection: Any, _: object) -> None:
    """What refers to a deleted row goes with it; and nothing of what is deleted stays in its page."""
    for pragma in ("foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _is_start_form(parameters: dict[str, Any]) -> bool:
    return any(isinstance(given, dict) and SIGNED_BY in given for given in parameters.values())


def _of_question() -> sa.ColumnElement[bool]:
    return sa.and_(*(~INPUTS.c.key.startswith(start) for start in START_FORMS))


def _outdated() -> tuple[sa.Select[Any], ...]:
    """What this version does not make."""
    return (
        sa.select(INPUTS.c.key),
        sa.select(ARTIFACTS.c.key).where(ARTIFACTS.c.key.in_(LISTS)),
        sa.select(DEPLOYMENTS.c.id).where(DEPLOYMENTS.c.name.not_in(stories())),
    )


def _untaken(responses: list[tuple[str, str]]) -> tuple[str, ...]:
    """Of what was typed into cases' forms (by the input's key and its run), the cases that still wait for it."""
    if not responses:
        return ()
    with reading() as session:
        if not sa.inspect(session.connection()).has_table(Case.__tablename__):
            return ()
        # Column by column: this may be the database of an earlier version.
        wanted = sa.select(Case.flow_run_id, Case.case_no, Case.waiting_for)
        waits = {
            str(run): (case_no, waiting_for or "")
            for run, case_no, waiting_for in session.execute(wanted.where(Case.closed_at.is_(None))).tuples()
        }
        found = set()
        for key, run in responses:
            asked = key.removeprefix("suspended-").removesuffix("-response")
            case_no, waiting_for = waits.get(run, ("", ""))
            if not case_no or asked.rpartition("-")[0] != waiting_for:
                continue
            question, _, turn = waiting_for.rpartition("-")
            taken = sa.select(Answer.id).where(
                Answer.case_no == case_no,
                sa.or_(
                    Answer.source_key == f"{run}:{asked}",
                    sa.and_(Answer.question == question, Answer.turn == int(turn), Answer.refusal.is_(None)),
                ),
            )
            if session.scalar(taken.limit(1)) is None:
                found.add(case_no)
    return tuple(sorted(found))


def _have_alone(connection: sa.Connection) -> None:
    """Raise ``RefusalError`` while somebody else has the data open."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA locking_mode = EXCLUSIVE")
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        return
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    if connection.exec_driver_sql(others).scalar():
        raise RefusalError(IN_USE)


def _delete(connection: sa.Connection) -> dict[str, int]:
    """Delete what this version does not need; how much of each kind."""
    inputs = connection.execute(sa.delete(INPUTS)).rowcount
    for state, details in (
        connection.execute(
            sa.select(STATES.c.id, STATES.c.state_details).where(sa.cast(STATES.c.type, sa.Text) == "PAUSED")
        )
        .tuples()
        .all()
    ):
        keyset = (details or {}).get(KEYSET)
        if keyset:
            # Whoever resumes the run by hand is not asked for a form that is not there.
            without = sa.update(STATES).where(STATES.c.id == state).values(state_details={**details, KEYSET: None})
            connection.execute(without)
    lists = 0
    for table in (ARTIFACTS, ARTIFACT_NAMES):
        lists += connection.execute(sa.delete(table).where(table.c.key.in_(LISTS))).rowcount
    outdated = sa.select(DEPLOYMENTS.c.id).where(DEPLOYMENTS.c.name.not_in(stories()))
    connection.execute(sa.delete(RUNS).where(RUNS.c.deployment_id.in_(outdated), STATE.not_in(ENDED)))
    deployments = connection.execute(sa.delete(DEPLOYMENTS).where(DEPLOYMENTS.c.name.not_in(stories()))).rowcount
    return {
        "inputs": inputs,
        "lists": lists,
        "parameters": _forget_parameters(connection),
        "deployments": deployments,
    }


def _forget_parameters(connection: sa.Connection) -> int:
    """Of runs that are over, leave nothing but which case they were of; of how many runs something was forgotten."""
    forgotten = 0
    for run, given in (
        connection.execute(sa.select(RUNS.c.id, RUNS.c.parameters).where(STATE.in_(ENDED))).tuples().all()
    ):
        public = {name: value for name, value in (given or {}).items() if name == "case_no"}
        if public != (given or {}):
            connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(parameters=public))
            forgotten += 1
    return forgotten


def _vacuum(connection: sa.Connection) -> None:
    """Write what is left anew: nothing of what was deleted lies in a free page any more."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    for table in TABLES:
        connection.exec_driver_sql(f'VACUUM FULL "{table.name}"')


def _contents(connection: sa.Connection) -> Iterator[bytes]:
    """All that Prefect has stored: of SQLite the files as they are; of PostgreSQL, whose files are not ours to read,
    every row of every table."""
    if connection.dialect.name == "sqlite":
        database = place().database or ""
        for path in (database, f"{database}-wal", f"{database}-journal"):
            if Path(path).exists():
                yield from _pieces(Path(path))
        return
    for table in sa.inspect(connection).get_table_names():
        for row in connection.exec_driver_sql(f'SELECT t::text FROM "{table}" t'):  # noqa: S608
            yield str(row[0]).encode()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        before = b""
        while piece := file.read(PIECE):
            yield before + piece
            before = piece[-OVERLAP:]


def _personal(contents: Iterable[bytes]) -> Iterator[str]:
    """What of persons, and which codes, stand in there."""
    words = frozenset(_of_persons())
    for content in contents:
        yield from (code.decode() for code in CODE.findall(content))
        text = content.decode("utf-8", errors="replace")
        escaped = re.sub(r"(?<!\\)\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
        for said in {text, escaped}:
            yield from (word for word in IN_LETTERS.findall(said) if word in words)
            for run in IN_CHINESE.findall(said):
                yield from (
                    run[start : start + length]
                    for start in range(len(run) - 1)
                    for length in range(2, min(LONGEST_NAME, len(run) - start) + 1)
                    if run[start : start + length] in words
                )


def _of_persons() -> Iterator[str]:
    """Names, numbers and addresses of those who had to do with a case."""
    columns: tuple[Any, ...] = (
        Objection.objector_name,
        Objection.email,
        Objection.phone,
        Objection.certificate_reference,
        LiaisonFiling.name,
        LiaisonFiling.phone,
        LiaisonFiling.email,
        PaperReport.email,
        PaperReport.phone,
        Officer.name,
        Officer.email,
    )
    with reading() as session:
        for column in columns:
            yield from (word for word in session.scalars(sa.select(column)) if word and len(word) >= 2)
        for entered in session.scalars(sa.select(BackfillEntry.given)):
            yield from (value for field, value in entered.items() if field.endswith(("name", "number")) and value[1:])
