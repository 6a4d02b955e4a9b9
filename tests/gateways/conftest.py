"""Stand-in bureaus on loopback, the settings that point to them, and somebody who takes their callbacks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateways.stand_in import StandIn, running
from gateways.superior_bureaus import VerificationMessage
from gateways.zhejiang_gateway import Matter
from regulation.objections import Bureau, Pursuit

APP_KEY, APP_SECRET = "the-app-key", "the-app-secret"


@pytest.fixture(autouse=True)
def _no_waiting(without_waits: None) -> None:
    """Tests here are about what goes wrong."""


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until a condition is true; fail after a minute: processes start slowly on a machine that is busy."""

    def wait(condition: Callable[[], object]) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until, "it did not happen"
            time.sleep(0.01)

    return wait


@pytest.fixture
def start_bureau(installation: Path, configure: Callable[..., None]) -> Iterator[Callable[..., StandIn]]:
    """Start a stand-in and point the settings of its bureau to it."""
    with ExitStack() as servers:

        def start(bureau: Bureau = Bureau.CITY, **behaviour: Any) -> StandIn:
            stand_in = servers.enter_context(running(StandIn(APP_KEY, APP_SECRET, name=bureau, **behaviour)))
            point_to(configure, stand_in, bureau)
            return stand_in

        yield start


@pytest.fixture
def city(start_bureau: Callable[..., StandIn]) -> StandIn:
    """The city's stand-in, which replies at once."""
    return start_bureau()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_city(
    request: pytest.FixtureRequest, install: Callable[[str, str], Path], configure: Callable[..., None]
) -> Iterator[StandIn]:
    """The city's stand-in for an installation on either database."""
    install(request.param, "migrated")
    with running(StandIn(APP_KEY, APP_SECRET)) as stand_in:
        point_to(configure, stand_in, Bureau.CITY)
        yield stand_in


def point_to(configure: Callable[..., None], stand_in: StandIn, bureau: Bureau) -> None:
    prefix = f"EZT_{bureau.name}_GATEWAY__"
    configure(**{f"{prefix}URL": stand_in.url, f"{prefix}APP_KEY": stand_in.app_key, f"{prefix}APP_SECRET": APP_SECRET})


@pytest.fixture
def message() -> VerificationMessage:
    """A verification request about an invented person."""
    return VerificationMessage(
        case_no="YY2026000001",
        idempotency_key="YY2026000001-1",
        pursuit=Pursuit.REQUEST,
        type_code="11100000000013338W001",
        type_name="中华人民共和国居民身份证",
        certificate_reference="330603199001011234",
        field_code="address",
        field_name="住址",
        stated="柯桥区某某路一号",
        proposed="柯桥区某某路二号",
        reason="搬家后没有更新",
        grounds=["准确性", "时效性"],
        received_on=date(2026, 2, 13),
        due_on=date(2026, 2, 25),
        matter=Matter(
            power_matters="异议核查",
            sub_power_matters="电子证照数据核实",
            accesscard_id="K001",
            material_name="居民身份证",
            sponsor_name="柯桥区大数据中心",
            sponsor_code="330603",
            project_id="YY2026000001",
        ),
    )


@dataclass
class Listener:
    """A server that keeps what is posted to it, and answers with the statuses it was given, 200 after the last."""

    url: str
    statuses: list[int] = field(default_factory=list)
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody who takes callbacks."""

    def take(handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        heard.posts.append((handler.path, dict(handler.headers), body))
        handler.send_response(heard.statuses.pop(0) if heard.statuses else 200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    handler = type("Handler", (BaseHTTPRequestHandler,), {"do_POST": take, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        heard = Listener(f"http://127.0.0.1:{server.server_address[1]}/replies?from=city")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield heard
        server.shutdown()
        thread.join()
