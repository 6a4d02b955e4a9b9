"""What the guide for departments prints works as printed; the OpenAPI document is true of whatever is thrown at it."""

import json
import re
import secrets
import subprocess
import sys
import time
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from schemathesis.specs.openapi.checks import response_schema_conformance

from models.organisations import Application
from runtime.database import transaction
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign
from tasks.certificates.requests import AnsweredState
from tests.interface.conftest import EXAMPLES, GUIDE, Caller, caller_of, example, licence
from web.app import app


def test_the_client_in_the_guide_works_as_printed(department: Caller) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(program.splitlines()) <= 45
    held = licence()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            "EZT_BASE": department.base,
            "EZT_KEY": department.key,
            "EZT_SECRET": department.secret,
            "HOLDER_NUMBER": held.holder_number,
            "PYTHONIOENCODING": "utf-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n")
    assert first == "营业执照 有效"
    answer = json.loads(rest)
    assert [field["value"] for field in answer["fields"]] == [held.face["address"]]
    assert answer["withheld"] == ["capital"]


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_example_in_the_guide_is_taken_as_printed(web: str, path: str) -> None:
    caller = caller_of(web, "KQ-MZ" if "backfills" in path else "KQ-SCJG")
    answer = caller.post(path, example(path))
    assert answer.status_code == 201, answer.text


def test_the_guide_names_every_operation_and_state() -> None:
    for said in [*app.openapi()["paths"], *AnsweredState]:
        assert re.search(rf"[`\s]{re.escape(said)}`", GUIDE), said


class Signing(requests.auth.AuthBase):
    """Signs whatever is sent, as a department's system does, so that the fuzz gets past the door."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        content = body if isinstance(body, bytes) else body.encode()
        now, nonce = int(time.time() * 1000), secrets.token_hex(16)
        signature = sign(self.caller.secret, request.method or "", request.path_url, now, nonce, content)
        request.headers.update(
            {KEY: self.caller.key, TIME: str(now), NONCE: nonce, SIGNATURE: signature},
        )
        return request


SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", app)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


# Prefect's client, once a test has spoken to a server, keeps a connection alive in a thread, with random numbers.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_whatever_is_sent_is_answered_as_the_document_says(web: str, department: Caller, operation: Any) -> None:
    caller = caller_of(web, "SX-DSJ") if "verification-replies" in operation.path else department
    with transaction() as session:
        session.get_one(Application, caller.key).calls_a_minute = 10**6
    held = licence()

    @seed(20261125)
    @settings(max_examples=40, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=HealthCheck)
    @given(case=operation.as_strategy(), about_somebody=strategies.booleans())
    def answered(case: Any, about_somebody: bool) -> None:
        if about_somebody and isinstance(case.body, dict):
            # Random text never finds anything: let half of the calls be about somebody, for a real item.
            known = {"item": "330603-SCJG-001", "certificate_type": "营业执照", "holder_number": held.holder_number}
            case.body |= {name: value for name, value in known.items() if name in case.body}
        answer = case.call(base_url=web, auth=Signing(caller), timeout=30)
        assert answer.status_code != 500, case.as_curl_command()
        said = operation.definition.raw["responses"]
        assert str(answer.status_code) in said, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0] == "application/problem+json"
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert re.search("[一-鿿]", problem["detail"])
        else:
            case.validate_response(answer, checks=[response_schema_conformance])

    answered()


def test_every_body_is_described_where_it_stands() -> None:
    """A reference would lead nowhere: its models are not among those of the document, and the fuzz sent nothing."""
    bodies = [
        operation["requestBody"]
        for path in app.openapi()["paths"].values()
        for operation in path.values()
        if "requestBody" in operation
    ]
    assert len(bodies) > 30
    assert "$ref" not in json.dumps(bodies)
