"""A correction as departments see it over HTTP (Articles 3 and 12): name, number, last day, state, second holder."""

from typing import Any

import pytest

from regulation.catalogue import STATE
from tests.articles.conftest import Counter
from tests.articles.test_article_12_corrected_values import FIELDS, SECOND, WRONG, Permit, permit_that_says
from tests.interface.conftest import Caller, caller_of

AT = "/api/v1/certificates"


@pytest.fixture
def department(web: str, at_once: None) -> Caller:
    return caller_of(web, "KQ-SCJG")


def asked(department: Caller, permit: Permit, what: str, **more: Any) -> dict[str, Any]:
    given = permit.counter.matter | permit.of_it(**more)
    if what == "query":
        del given["certificate"]
    answer = department.post(f"{AT}/{what}", given)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def values(said: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["value"] for each in said["fields"]}


@pytest.mark.parametrize("code", ["holder", "number"])
def test_a_name_and_a_number(department: Caller, code: str) -> None:
    permit, right = permit_that_says(Counter(), WRONG), FIELDS[code][3]
    before = permit.now
    assert values(asked(department, permit, "extract"))[code] == WRONG[code]
    permit.correct(code, right)
    assert values(asked(department, permit, "extract"))[code] == right
    assert asked(department, permit, "authenticate", stated={code: right})["state"] == "valid"
    assert asked(department, permit, "authenticate", stated={code: WRONG[code]})["state"] == "tampered"
    for named in {before.identifier, before.number} - {permit.now.number}:
        old = asked(department, permit, "extract", certificate=named)
        assert (old["fields"], old["certificate"]["current_identifier"]) == ([], permit.now.identifier)
        assert "superseded" in old["why_empty"]
    seen = asked(department, permit, "extract", certificate=before.identifier, even_if=["superseded"])
    assert values(seen)[code] == WRONG[code]


def test_a_last_day(department: Caller) -> None:
    permit = permit_that_says(Counter(), WRONG)
    permit.correct("valid_until", "2021-01-01")
    (found,) = asked(department, permit, "query")["certificates"]
    assert (found["state"], found["valid_until_on"]) == ("expired", "2021-01-01")
    assert asked(department, permit, "authenticate")["state"] == "expired"
    refused = department.post(f"{AT}/archived-copy", permit.counter.matter | permit.of_it())
    assert (refused.status_code, "已过期" in refused.json()["detail"]) == (403, True)


def test_a_state_there_and_back(department: Caller) -> None:
    permit = permit_that_says(Counter(), WRONG)
    for word, state in (("已暂停", "suspended"), ("有效", "valid")):
        permit.correct(STATE.code, word)
        assert asked(department, permit, "authenticate")["state"] == state
        assert bool(asked(department, permit, "extract")["fields"]) == (state == "valid")


def test_a_second_holder(department: Caller) -> None:
    wrong, right = SECOND["holder"]
    permit = permit_that_says(Counter(), WRONG | {code: f"{WRONG[code]}、{each}" for code, (each, _) in SECOND.items()})
    permit.place = 1
    assert [each["name"] for each in asked(department, permit, "extract")["holders"]] == [WRONG["holder"], wrong]
    permit.correct("holder", f"{WRONG['holder']}、{right}")
    assert [each["name"] for each in asked(department, permit, "extract")["holders"]] == [WRONG["holder"], right]
    assert asked(department, permit, "authenticate", holder_name=right)["state"] == "valid"
    # The name of before is on printouts of before.
    assert asked(department, permit, "authenticate", holder_name=wrong)["state"] == "superseded"
    assert asked(department, permit, "authenticate", holder_name="绍兴柯桥别家有限公司")["state"] == "unknown"
