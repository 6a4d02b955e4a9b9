"""Imported for what it imports: all that a leg needs. The process that legs are forked from does so and then waits, for
a leg of a case is some milliseconds of work, and importing Prefect and the stories takes seconds."""

import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, configure_mappers

from ezt.engine.deployments import stories
from ezt.engine.leg import client
from models.cases import Case
from notifications.rendering import load_templates
from runtime.database import engine, reading
from runtime.keys import keys
from runtime.refusals import RefusalError
from tasks.case.calendars import working_days
from tasks.desk.sheets import sheet_of

USED = (
    "prefect.workers.process",
    # What these and their libraries import only when it is first used.
    "anyio._backends._asyncio",
    "encodings.idna",
    "holidays.countries",
    "prefect.concurrency.services",
    "prefect.task_engine",
    "prefect.utilities.visualization",
    "psycopg",
)


def _subclasses(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)


def ask_about_nothing(session: Session) -> list[Any]:
    """Ask every question whose statement the tasks keep (tasks.case.step) about no case: it is compiled then. What was
    answered: nothing."""
    tasks = [module for name, module in sys.modules.items() if name.startswith("tasks.")]
    rows: list[Any] = []
    for statement in {each for task in tasks for each in vars(task).values() if isinstance(each, Select)}:
        wanted = statement.compile().binds.values()
        about: dict[str, Any] = {each.key: [] if each.expanding else None for each in wanted if each.required}
        # What asks about nothing in particular is answered with everything there is.
        if about:
            rows += session.execute(statement, about)
            rows += session.connection().execute(statement, about)
    return rows


for _module in (*USED, *(each.entrypoint.rpartition(".")[0] for each in stories().values())):
    import_module(_module)
# And what is built only when it is first used.
configure_mappers()
for _model in {each for each in _subclasses(BaseModel) if not each.__pydantic_complete__}:
    _model.model_rebuild()
client()
load_templates()
# What is wrong here is said by the leg that needs it.
with suppress(SQLAlchemyError, RefusalError):
    keys()
    with reading() as _session:
        working_days(_session)
        ask_about_nothing(_session)
        _newest = _session.scalar(select(Case.case_no).order_by(Case.opened_at.desc()).limit(1))
    if _newest is not None:
        # Its statements are kept as compiled.
        sheet_of(_newest)
    # A connection is nobody's but the process's that opened it.
    engine().dispose()
# What is here now stays: no leg has to look through it for garbage, and its memory stays shared.
gc.collect()
gc.freeze()
