"""What is private to Prefect and used here, in ``ezt/engine``: each with a sentence that says what breaks where a
release changes it. The exact version is pinned, so such a release comes when somebody moves the pin, and fails here."""

import ast
import asyncio
import inspect
import json
import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.metadata import requires, version
from pathlib import Path

import prefect
import pytest
import yaml
from packaging.requirements import Requirement
from prefect import engine, flow_engine
from prefect.client.schemas.objects import StateType
from prefect.context import SettingsContext, SyncClientContext, get_settings_context
from prefect.events import related
from prefect.flows import Flow
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_base_key, keyset_from_paused_state
from prefect.server.api import server
from prefect.server.database import configurations, dependencies, orm_models
from prefect.server.orchestration import core_policy
from prefect.server.schemas.schedules import CronSchedule
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME, PREFECT_UI_STATIC_DIRECTORY
from prefect.states import Suspended
from prefect.types import _datetime
from prefect.utilities.engine import propose_state
from prefect.workers.process import ProcessWorker
from sqlalchemy.orm import DeclarativeBase

from ezt.engine import prefect_data
from ezt.engine.deployments import PREFECT_YAML, stories
from ezt.engine.leg import NOT_ASKED
from runtime import clock
from tests.conftest import ROOT


def takes(called: Callable[..., object], *names: str) -> bool:
    """Whether it can be called with these names."""
    return set(names) <= set(inspect.signature(called).parameters)


def uses(called: Callable[..., object], *words: str) -> bool:
    """Whether its code has these words."""
    code = inspect.getsource(called)
    return all(word in code for word in words)


def has_own(of: type, *names: str) -> bool:
    """Whether its instances begin with these attributes, or it has them itself."""
    begins = "".join(inspect.getsource(each.__init__) for each in of.__mro__[:-2] if "__init__" in vars(each))
    return all(hasattr(of, name) or f"self.{name}" in begins for name in names)


def columns(of: type[DeclarativeBase]) -> dict[str, set[str]]:
    return {name: set(table.columns.keys()) for name, table in of.metadata.tables.items()}


V1 = Path(prefect.__ui_static_path__)
CHINESE = (ROOT / "ezt" / "engine" / "static" / "chinese.js").read_text("utf-8")
PARTS = (
    "p-context-sidebar__body",
    "p-context-nav-item",
    "flow-run-bread-crumbs__flow-run-link",
    "page-heading-flow-run",
    "page-heading__crumbs",
    "state-list-item__tags",
)
"""Of the older pages, by their classes."""
PUT_TOGETHER = {"Past week (default)", "1 Parameter", "Level: all"}
"""Labels that the pages make of several words: tests/browser/test_prefect_pages.py sees them."""


def words() -> dict[str, str]:
    """The dictionary of the older pages."""
    found = re.search(r"const WORDS = (\{.*?\n\});", CHINESE, re.DOTALL)
    assert found is not None
    known: dict[str, str] = json.loads(found[1])
    return known


@cache
def pages() -> str:
    """The programs of the older pages."""
    return "".join(each.read_text("utf-8") for each in sorted((V1 / "assets").glob("*.js")))


def unknown_labels() -> list[str]:
    """Labels of the dictionary that stand nowhere in the older pages; deployments are ours."""
    labels = words().keys() - stories().keys() - PUT_TOGETHER
    return sorted(each for each in labels if not re.search(rf"[`\"'>] ?{re.escape(each)} ?[`\"'<]", pages()))


PRIVATE: dict[str, Callable[[], bool]] = {
    "A worker does not hand its due runs to _submit_run any more: ezt.engine.worker forks no leg.": lambda: (
        uses(ProcessWorker._submit_scheduled_flow_runs, "self._submit_run", "acquire_on_behalf_of_nowait(flow_run.id)")
        and takes(ProcessWorker._submit_run, "flow_run")
    ),
    "A worker keeps its runs in hand elsewhere: ezt.engine.worker takes a run twice, or never again.": lambda: has_own(
        ProcessWorker, "_submitting_flow_run_ids", "_limiter", "_release_limit_slot", "_client", "_logger"
    ),
    "A worker watches for cancelled runs elsewhere: ezt.engine.worker leaves runs behind in its watch.": lambda: (
        has_own(ProcessWorker, "_cancelling_observer")
        and uses(ProcessWorker._submit_run, "_cancelling_observer.remove_in_flight_flow_run_id")
    ),
    "A worker reports a leg that died otherwise: ezt.engine.worker leaves it running for ever.": lambda: takes(
        ProcessWorker._propose_crashed_state, "flow_run", "message"
    ),
    "A state is proposed otherwise: ezt.engine.worker takes no run.": lambda: takes(
        propose_state, "client", "state", "flow_run_id"
    ),
    "A process of Prefect's carries a run out otherwise: ezt.engine.leg runs no story.": lambda: (
        takes(flow_engine.run_flow, "flow", "flow_run", "return_type")
        and list(inspect.signature(engine.handle_engine_signals).parameters) == ["flow_run_id"]
    ),
    "Settings or client of a leg are made otherwise: ezt.engine.leg asks as whoever started it.": lambda: (
        set(SettingsContext.model_fields) >= {"profile", "settings"}
        and get_settings_context().settings.copy_with_update(updates=NOT_ASKED) is not None
        and callable(SyncClientContext.get)
    ),
    "What events name is not kept in RESOURCE_CACHE: every leg asks the server four things more.": lambda: (
        isinstance(related.RESOURCE_CACHE, dict)
        and uses(related.related_resources_from_run_context, "RESOURCE_CACHE")
        and callable(_datetime.now)
    ),
    "A flow's results are stored otherwise: every leg asks the server where.": lambda: has_own(Flow, "result_storage"),
    "SQLite's transactions begin otherwise: Submit fails with 'database is locked' under load.": lambda: (
        isinstance(configurations.SQLITE_BEGIN_MODE, ContextVar)
        and takes(configurations.AioSqliteConfiguration.begin_transaction, "session", "with_for_update")
        and callable(dependencies.temporary_database_config)
    ),
    "The newer pages are found elsewhere: they are served and ask a company abroad (docs/adr/0032).": lambda: (
        isinstance(prefect.__ui_v2_static_path__, Path) and uses(server.create_ui_app, "__ui_v2_static_path__")
    ),
    "The older pages are copied elsewhere: they are served without our stylesheet and script.": lambda: (
        PREFECT_UI_STATIC_DIRECTORY.name == "PREFECT_UI_STATIC_DIRECTORY" and uses(server.create_ui_app, '"v1"')
    ),
    "The older pages begin otherwise: they ask for no stylesheet or script of ours.": lambda: bool(
        "<meta charset" in (V1 / "index.html").read_text("utf-8").partition("<head>")[2]
    ),
    "The older pages name their parts otherwise: no menu leads to the desk, or typed words are translated.": lambda: (
        all(part in pages() for part in PARTS)
    ),
    "The server is made otherwise: ezt.engine.prefect_server starts none.": lambda: takes(server.create_app, "final"),
    "Prefect's tables are others: ezt migrate clears away nothing, or the wrong things.": lambda: all(
        columns(orm_models.Base)[table.name] >= set(table.columns.keys()) for table in prefect_data.TABLES
    ),
    "Prefect's states have other names: ezt migrate forgets the parameters of runs that go on.": lambda: (
        set(prefect_data.ENDED) < {state.value for state in StateType}
        and "PAUSED" in {each.value for each in StateType}
    ),
    "Prefect's data lie elsewhere: ezt migrate finds none to clear away.": lambda: (
        PREFECT_HOME.name == "PREFECT_HOME"
        and PREFECT_API_DATABASE_CONNECTION_URL.name == "PREFECT_API_DATABASE_CONNECTION_URL"
    ),
    "Forms have other keys: what was typed into a start form is not found, and ezt migrate misses forms.": lambda: (
        keyset_from_base_key("suspended-k")["response"] == "suspended-k-response"
        and keyset_from_paused_state(Suspended(pause_key="k"))["schema"] == "suspended-k-schema"
    ),
    "A form's description is given otherwise: a refused start form does not say why.": lambda: takes(
        RunInput.with_initial_data, "description"
    ),
    "A form that is there before the suspension is kept now: flows.asking may write it first again.": lambda: uses(
        core_policy.HandlePausingFlows.after_transition, "delete_flow_run_input"
    ),
}


def test_the_dictionary_knows_every_deployment_by_the_name_of_its_flow() -> None:
    flows = {name: story.entrypoint.rpartition(".") for name, story in stories().items()}
    named = {name: getattr(import_module(module), flow).name for name, (module, _, flow) in flows.items()}
    assert {name: said for name, said in words().items() if name in named} == named, (
        "请更正ezt/engine/static/chinese.js"
    )


def test_the_labels_of_the_dictionary_are_those_of_the_older_pages() -> None:
    assert unknown_labels() == [], "Prefect的页面改了这些文字，工作人员会看到英文：请更正ezt/engine/static/chinese.js"


def test_the_dictionary_is_short_and_no_label_stands_there_twice() -> None:
    # What we call ourselves is not Prefect's.
    assert len(words().keys() - stories().keys()) <= 115
    assert len(re.findall(r'^  ".+?": ".+?",?$', CHINESE, re.MULTILINE)) == len(words())
    assert all(re.search(r"[\u4e00-\u9fff]", said) for said in words().values())


@pytest.mark.parametrize("broken", PRIVATE)
def test_what_is_private_to_prefect_is_as_it_was(broken: str) -> None:
    try:
        holds = PRIVATE[broken]()
    except (AttributeError, ImportError, KeyError, TypeError) as error:
        pytest.fail(f"{broken} ({error})")
    assert holds, broken


def schedules() -> list[dict[str, str]]:
    deployments = yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"]
    return [each for deployment in deployments for each in deployment.get("schedules", ())]


@pytest.mark.parametrize("schedule", schedules(), ids=lambda each: each["cron"])
def test_what_runs_by_the_clock_has_a_next_time(schedule: dict[str, str]) -> None:
    """What it is reckoned with (``whenever``) refused, in one release, the time zones that Prefect gives it: nothing
    that is scheduled was ever run."""
    given = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    first, second = asyncio.run(given.get_dates(2, start=clock.now()))
    assert clock.now() <= first < second


def test_the_version_is_one_and_the_same_everywhere() -> None:
    (pinned,) = {str(each.specifier) for each in map(Requirement, requires("ezt") or []) if each.name == "prefect"}
    assert pinned == f"=={version('prefect')}", "请按requirements.lock安装Prefect"
    assert yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["prefect-version"] == version("prefect")
    locked = re.findall(r"^prefect==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    assert locked == [version("prefect")]


INSIDES = ("prefect.server", "prefect.workers", "prefect.engine", "prefect.flow_engine", "prefect.utilities")


def test_only_the_engine_reaches_into_prefect() -> None:
    found = []
    for folder in ("ezt", "flows", "tasks", "web", "models", "notifications", "gateways", "runtime"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.is_relative_to(ROOT / "ezt" / "engine"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
                found += [
                    f"{path.relative_to(ROOT)}: {name}"
                    for name in names
                    if name.startswith(INSIDES) or (name.startswith("prefect.") and "._" in name)
                ]
    assert found == []
