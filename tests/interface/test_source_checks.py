"""The department that keeps a record is asked what it says, by link and by its system (Article 12)."""

import httpx
import pytest

from regulation.certificates import Level
from runtime.database import reading
from tests.articles.test_article_12_source_checks import RIGHT, accepted, keep, token_of
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

PATH = "/api/v1/source-checks"
SAID = {"finding": "原数据有误", "value": RIGHT, "basis": "原始登记档案第17卷，门牌为9999号。"}


@pytest.fixture
def land(web: str, clerk: Clerk) -> Caller:
    """The department's system, whose records are objected to."""
    keep("绍兴市自然资源和规划局柯桥分局")
    return caller_of(web, "KQ-ZRZY")


def test_it_answers_by_its_system_what_it_alone_was_asked(web: str, land: Caller) -> None:
    case = accepted()
    (asked,) = land.send("GET", PATH).json()["open"]
    assert (asked["case_no"], asked["proposed"], asked["finding"]) == (case.case_no, RIGHT, None)
    said = SAID | {"case_no": case.case_no}
    other = caller_of(web, "KQ-SCJG")
    assert other.send("GET", PATH).json()["open"] == []
    assert other.post(f"{PATH}/answers", said).status_code == 404
    wrong = land.post(f"{PATH}/answers", said | {"value": ""})
    assert (wrong.status_code, "正确的内容" in wrong.text) == (422, True)
    for _ in range(2):
        done = land.post(f"{PATH}/answers", said)
        assert (done.status_code, done.json()["finding"]) == (200, "原数据有误")
    assert land.post(f"{PATH}/answers", said | {"basis": "另一个依据，不同的。"}).status_code == 409
    assert land.send("GET", PATH).json()["open"] == []


def test_it_answers_by_the_link(web: str, land: Caller) -> None:
    page = f"{web}/source-checks/{token_of(accepted())}"
    shown = httpx.get(page).text
    assert RIGHT in shown
    # By whom is nothing that the record says.
    assert "俞小云" not in shown
    short = httpx.post(page, data=SAID | {"basis": "对"})
    assert (short.status_code, RIGHT in short.text) == (422, True)
    assert "已登记" in httpx.post(page, data=SAID).text
    assert SAID["basis"] in httpx.get(page).text
    assert httpx.post(page, data=SAID | {"finding": "原数据无误", "value": ""}).status_code == 409
    assert httpx.get(f"{page}x").status_code == 404


def test_the_sample_keeps_records_of_its_own(web: str, clerk: Clerk) -> None:
    """So that whoever tries the program out meets one."""
    case = clerk.register(Level.DISTRICT)
    case.accept()
    with reading():
        assert httpx.get(f"{web}/source-checks/{token_of(case)}").status_code == 200
