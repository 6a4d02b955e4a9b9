"""Whatever comes in is bounded before anything looks at it: texts, lists and mappings of every address and form, and
what a body may hold. Nobody's page waits for somebody else's hostile body."""

import ast
import importlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from ezt.up import free_port
from runtime.refusals import InputError
from runtime.words import LONGEST_WORDS
from tests.conftest import ROOT, web_process
from tests.interface.conftest import caller_of
from web.app import app
from web.backfills import BackfillSubmission
from web.objection_batches import BatchSubmission
from web.objections import ObjectionSubmission, ReplyBody
from web.requests import ENTRIES, ENTRIES_OF_ROWS, MEMBERS, read_as, read_as_utf_8

SHORT_FORMATS = {"date", "date-time"}
"""What is read from the first few characters on, and refused where they are none."""


def unbounded(node: Any, where: str, known: dict[str, Any]) -> Iterator[str]:
    """Where in a JSON schema something has no end."""
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from unbounded(each, f"{where}[{number}]", known)
        return
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        yield from unbounded(known[name], f"{where}:{name}", known)
    match node.get("type"):
        case "string" if not {"maxLength", "enum", "const"} & node.keys() and node.get("format") not in SHORT_FORMATS:
            if "contentMediaType" not in node and not ends(node.get("pattern", "")):
                yield where
        case "array" if "maxItems" not in node:
            yield where
        case "object" if node.get("additionalProperties", False) is not False:
            if "maxProperties" not in node:
                yield where
            named = node.get("propertyNames", {"type": "string"})
            if node["additionalProperties"] is not True:
                yield from unbounded(named, f"{where}/names", known)
    for name, each in node.items():
        if name not in {"default", "examples", "propertyNames"}:
            yield from unbounded(each, f"{where}/{name}", known)


def ends(pattern: str) -> bool:
    """Whether a text that a pattern takes, from its beginning to its end, is short."""
    parts = pattern.split("|") if pattern.startswith("^$|") else [pattern]
    return all(
        part.startswith("^") and part.endswith("$") and parser.parse(part).getwidth()[1] < LONGEST_WORDS
        for part in parts
    )


def forms() -> Iterator[type[BaseModel]]:
    """The models by which pages check what was typed."""
    for file in sorted((ROOT / "web").glob("*.py")):
        module = importlib.import_module(f"web.{file.stem}")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"checked", "checked_with_files"}:
                form = getattr(module, node.args[0].id, None) if isinstance(node.args[0], ast.Name) else None
                if isinstance(form, type):
                    yield form


def test_every_text_list_and_mapping_that_an_address_takes_has_an_end() -> None:
    shown = FastAPI()
    for context in iter_route_contexts(app.routes):
        # The pages too, which the document does not name.
        if isinstance(route := context.original_route, APIRoute):
            extra = route.openapi_extra
            shown.add_api_route(context.path, route.endpoint, methods=list(route.methods), openapi_extra=extra)
    document = shown.openapi()
    known = document["components"]["schemas"]
    without = [
        place
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for taken in ("parameters", "requestBody")
        for place in unbounded(operation.get(taken, {}), f"{method} {path} {taken}", known)
    ]
    assert without == []
    assert len(document["paths"]) > 60


def test_every_field_of_a_form_has_an_end() -> None:
    found = set(forms())
    assert len(found) > 7
    schemas = {form.__name__: form.model_json_schema() for form in found}
    assert [each for name, schema in schemas.items() for each in unbounded(schema, name, schema.get("$defs", {}))] == []


def members(number: int) -> str:
    return ",".join(f'"a{n}":0' for n in range(number))


HOSTILE = {
    "blanks": (BackfillSubmission, json.dumps({"values": {"经营范围": f"a{' ' * 20_000}b"}})),
    "members": (ObjectionSubmission, f"{{{members(300_000)}}}"),
    "elements": (ObjectionSubmission, f'{{"attachments":[{"0," * 300_000}0]}}'),
    "names": (BackfillSubmission, f'{{"values":{{{members(300_000)}}}}}'),
    "what a bureau sends": (ReplyBody, f"{{{members(300_000)}}}"),
    "forms": (BatchSubmission, f'{{"objections":[{{{members(MEMBERS + 1)}}}]}}'),
    "depth": (ReplyBody, '{"reason":' + "[" * 1_000_000),
    "a long text": (ObjectionSubmission, json.dumps({"reason": " " * 10_000_000})),
    "mistakes": (ObjectionSubmission, f"{{{members(ENTRIES)}}}"),
    "a long name": (ObjectionSubmission, f'{{"{"k" * 10_000_000}":1}}'),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_is_refused_in_a_short_sentence(what: str) -> None:
    model, body = HOSTILE[what]
    entries = ENTRIES_OF_ROWS if model is BatchSubmission else ENTRIES
    with pytest.raises(InputError) as refused:
        read_as(model, body.encode(), entries)
    assert len(str(refused.value)) < 300


def test_a_body_of_too_much_is_refused_unread_and_of_too_many_mistakes_says_how_many() -> None:
    with pytest.raises(InputError, match=f"请求体超过{ENTRIES}项"):
        read_as(ReplyBody, HOSTILE["what a bureau sends"][1].encode())
    with pytest.raises(InputError, match="有20012处填写有误"):
        read_as(ObjectionSubmission, HOSTILE["mistakes"][1].encode())
    with pytest.raises(InputError, match="不是有效的JSON"):
        read_as(ReplyBody, HOSTILE["depth"][1].encode())


def test_a_form_of_too_many_fields_is_cut_off_before_they_are_read(web: str) -> None:
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(f"{web}/paper-reports", content=b"&" * 20_000_000, headers=sent).status_code == 413
    assert httpx.post(f"{web}/paper-reports", content=b"demand=1&" * 99, headers=sent).status_code == 422


@pytest.mark.thorough
def test_the_web_process_answers_while_hostile_bodies_come(web: str) -> None:
    """Through a process of its own: in this one the test itself would be held up as well."""
    with web_process(os.environ, free_port()) as (address, _), ThreadPoolExecutor(8) as many:
        signed = caller_of(address, "KQ-SCJG")
        sent = [
            *(many.submit(signed.post, "/api/v1/backfills", HOSTILE[what][1].encode()) for what in ("blanks", "names")),
            *(
                many.submit(httpx.post, f"{address}{path}", content=HOSTILE[what][1].encode(), timeout=300)
                for what in ("members", "elements", "a long text", "mistakes", "a long name")
                for path in ("/api/v1/holder-sessions", "/api/v1/objections/nobody/supplements")
            ),
        ]
        while not all(each.done() for each in sent):
            assert httpx.get(f"{address}/health", timeout=5).json() == {"status": "ok"}
        assert {each.result().status_code for each in sent} == {422}


def test_a_form_is_read_as_utf_8_whatever_its_sender_says(web: str) -> None:
    """Python knows character sets whose reading takes the square of the time, and some that read into broken text."""
    for charset in ("punycode", "utf-7", "unicode_escape"):
        body = '--B\r\nContent-Disposition: form-data; name="text"\r\n\r\n+2AA-\\ud800张-\r\n--B--\r\n'.encode()
        headers = {"Content-Type": f"multipart/form-data; boundary=B; charset={charset}", "Origin": web}
        answer = httpx.post(f"{web}/objections/abc/supplements", content=body, headers=headers)
        assert answer.status_code == 404, (charset, answer.text)
    sent = "multipart/form-data; charset=x; boundary=B"
    scope: dict[str, Any] = {"type": "http", "headers": [(b"content-type", sent.encode())]}
    read_as_utf_8(scope, sent)
    assert scope["headers"] == [(b"content-type", b'multipart/form-data; boundary="B"')]
