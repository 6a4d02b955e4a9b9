"""Query and authenticate beside bare FastAPI endpoints that do one indexed SQLite read, one worker process each, in one
run: ``python -m bench.certificate_use``. Requests a second, the 99th percentile at 16 connections, and memory.
"""

import asyncio
import json
import os
import secrets
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import select

from bench.figures import Figure, arguments, noted, save
from ezt import children
from ezt.samples import data as samples
from models.certificates import Certificate, CertificateType
from models.migrations import migrate
from models.organisations import Application
from regulation.certificates import CertificateState
from runtime.database import reading, transaction
from runtime.keys import ensure_keys
from runtime.signing import sign

CONNECTIONS = 16
KEY, QUERY, AUTHENTICATE = "KQ-SCJG", "/api/v1/certificates/query", "/api/v1/certificates/authenticate"

bare = FastAPI()
"""What the interface is measured against: the usual endpoint, and one as fast as it can be written."""
ONE_READ = "SELECT identifier, state FROM certificates WHERE holder_index = ?"


@bare.get("/usual/{holder_index}")
def usual(holder_index: str) -> dict[str, str]:
    """One indexed read as FastAPI's guide does it: in a thread, over a connection of its own."""
    with closing(sqlite3.connect(Path(os.environ["EZT_HOME"]) / "ezt.db")) as connection:
        identifier, state = connection.execute(ONE_READ, (holder_index,)).fetchone()
    return {"identifier": identifier, "state": state}


@cache
def _connection() -> sqlite3.Connection:
    return sqlite3.connect(Path(os.environ["EZT_HOME"]) / "ezt.db")


@bare.get("/fastest/{holder_index}")
async def fastest(holder_index: str) -> dict[str, str]:
    """One indexed read in the event loop, over one connection for good."""
    identifier, state = _connection().execute(ONE_READ, (holder_index,)).fetchone()
    return {"identifier": identifier, "state": state}


def fill(certificates: int) -> list[tuple[str, str, str]]:
    """The sample, and copies of one of its rows under other indexes up to so many; holders that can be asked about, as
    (number, certificate's number, index)."""
    samples.load()
    with transaction() as session:
        session.get_one(Application, KEY).calls_a_minute = 10**9
        session.connection().exec_driver_sql(
            "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?) "
            "INSERT INTO certificates (identifier, root, version, type_code, number, number_index, holder_kind, "
            "holder_name, holder_number_kind, holder_number, holder_index, face, issued_on, valid_until_on, state, "
            "remark, read_at) "
            "SELECT 'filler.' || n, 'filler.' || n, 1, type_code, number, lower(hex(randomblob(32))), holder_kind, "
            "holder_name, holder_number_kind, holder_number, lower(hex(randomblob(32))), face, issued_on, "
            "valid_until_on, state, remark, read_at FROM certificates, counted WHERE certificates.id = 1",
            (max(1, certificates - 4000),),
        )
        session.connection().exec_driver_sql(
            "INSERT INTO certificate_holders (certificate_id, place, field, holder_kind, name, number_kind, number, "
            "holder_index) SELECT id, 1, 'holder', holder_kind, holder_name, holder_number_kind, holder_number, "
            "holder_index FROM certificates WHERE identifier LIKE 'filler.%'"
        )
    with reading() as session:
        wanted = (
            select(Certificate.holder_number, Certificate.number, Certificate.holder_index)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name == "营业执照", Certificate.state == CertificateState.VALID)
        )
        return [tuple(row) for row in session.execute(wanted.limit(600)).tuples()]


def signed(path: str, body: bytes) -> bytes:
    """A request's bytes, signed now."""
    secret = samples.application_secret(samples.DEFAULT_SEED, KEY)
    now, nonce = int(time.time() * 1000), secrets.token_hex(16)
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-EZT-Key: {KEY}\r\nX-EZT-Time: {now}\r\nX-EZT-Nonce: {nonce}\r\n"
        f"X-EZT-Signature: {sign(secret, 'POST', path, now, nonce, body)}\r\n\r\n"
    ).encode() + body


async def load(port: int, request: Callable[[int], bytes], seconds: float) -> list[float]:
    """Ask over so many connections for a while; how long each answer took, in seconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def one(place: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            place += CONNECTIONS
            sent = request(place)
            started = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            took.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(one(place) for place in range(CONNECTIONS)))
    return took


def measured(application: str, request: Callable[[int], bytes], seconds: float, rounds: int) -> list[list[float]]:
    """Requests a second and 99th percentile in ms of one worker process under load, round by round, and its memory in
    MB at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--log-level", "critical"]
    server = children.start([*command, "--no-access-log"], cwd=Path(__file__).parents[1])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if server.poll() is not None:
                    raise RuntimeError(f"ended with {server.returncode}") from None
                time.sleep(0.05)
        asyncio.run(load(port, request, 1))
        loads = [asyncio.run(load(port, request, seconds)) for _ in range(rounds)]
        memory = next(
            int(line.split()[1]) / 1024
            for line in Path(f"/proc/{server.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
    finally:
        server.terminate()
        server.wait()
    rates = [len(took) / seconds for took in loads]
    slowest = [statistics.quantiles(took, n=100)[98] * 1000 for took in loads]
    return [rates, slowest, [memory]]


def main() -> None:
    given = arguments(__doc__, certificates=1_000_000, seconds=3, rounds=5)
    with tempfile.TemporaryDirectory() as home:
        os.environ["EZT_HOME"] = home
        ensure_keys()
        migrate()
        holders = fill(given.certificates)

        def asking(path: str) -> Callable[[int], bytes]:
            said = {
                "item": "330603-SCJG-001",
                "business_no": "SP-2026-000123",
                "operator": "SCJG-017",
                "purpose": "核对主体资格",
                "certificate_type": "营业执照",
            }

            def request(place: int) -> bytes:
                number, certificate, _ = holders[place % len(holders)]
                named = {"holder_number": number} | ({} if path == QUERY else {"certificate": certificate})
                return signed(path, json.dumps(said | named).encode())

            return request

        def plain(path: str) -> Callable[[int], bytes]:
            return lambda place: f"GET /{path}/{holders[place % len(holders)][2]} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

        usual_one, fastest_one = "the usual FastAPI endpoint", "the fastest FastAPI endpoint"
        asked = {
            usual_one: ("bench.certificate_use:bare", plain("usual"), None),
            fastest_one: ("bench.certificate_use:bare", plain("fastest"), None),
            "query": ("web.app:app", asking(QUERY), usual_one),
            "authenticate": ("web.app:app", asking(AUTHENTICATE), usual_one),
        }
        figures, failed = [], dict[str, str]()
        for name, (application, request, beside) in asked.items():
            measures = list[list[float]]([[], [], []])
            with noted(failed, name):
                measures = measured(application, request, given.seconds, given.rounds)
            for what, unit, values in zip(
                ("", ", slowest 1%", ", memory"), ("requests/s", "ms", "MB"), measures, strict=True
            ):
                ratio_to = beside and f"{beside}{what}"
                of, ended = "certificates", failed.get(name, "")
                figures.append(Figure(f"{name}{what}", unit, given.certificates, of, values, ratio_to, failed=ended))
    save(given.results, "certificate_use", figures)


if __name__ == "__main__":
    main()
