"""第七条：按照统一标准规范生成的电子证照与纸质证照具有同等法律效力，除法律、法规另有规定外，公共管理和服务活动中可以将其作为
法定办事依据。"""

from datetime import timedelta
from typing import Any

import pytest

from models.records import AuditEntry
from runtime import clock
from runtime.database import reading
from runtime.refusals import RefusalError
from tasks.certificates.use import standing_of
from tasks.guides.paper_exceptions import end_exception, enter_exception, exceptions_table
from tests.conftest import by_officer

MARKET, ITEM = "绍兴市柯桥区市场监督管理局", "330603-SCJG-001"


def demands(item: str = ITEM, day: int = 0) -> list[str]:
    today = clock.today() + timedelta(days=day)
    standing = standing_of.__wrapped__(MARKET, item, "营业执照", today)
    return [demand.citation for demand in standing.paper_demands]


def enter(item: str = "", days: int | None = 10, by: str = "KQ004", kind: str = "营业执照") -> None:
    until = None if days is None else clock.today() + timedelta(days=days)
    enter_exception(kind, item, "《某条例》第三条", clock.today(), until, by_officer(by))


def listed() -> tuple[tuple[str, ...], ...]:
    with reading() as session:
        return exceptions_table(session, clock.today()).rows


def test_without_a_law_that_says_otherwise_nobody_may_demand_paper(clerk: Any) -> None:
    assert demands() == []
    assert listed() == ()


def test_a_law_is_named_from_its_first_day_to_its_last(clerk: Any) -> None:
    enter()
    assert [demands(day=day) for day in (-1, 0, 10, 11)] == [[], ["《某条例》第三条"], ["《某条例》第三条"], []]


def test_a_law_about_one_item_says_nothing_of_another(clerk: Any) -> None:
    enter(item=ITEM, days=None)
    assert demands() != []
    assert demands("330603-SCJG-002") == []


def test_it_ends_when_the_law_does_and_stays_on_the_register(clerk: Any) -> None:
    enter(days=None)
    end_exception(1, clock.today(), by_officer("KQ004"))
    assert [demands(day=day) for day in (0, 1)] == [["《某条例》第三条"], []]
    assert "《某条例》第三条" in str(listed())
    with reading() as session:
        tags = [entry.tag for entry in session.query(AuditEntry).order_by(AuditEntry.id)]
    assert tags == ["paper-exception:register:entered", "paper-exception:register:ended"]


def test_only_a_director_takes_from_everybody_what_article_8_gives(clerk: Any) -> None:
    with pytest.raises(RefusalError, match="负责人"):
        enter(by="KQ001")
    enter()
    with pytest.raises(RefusalError, match="负责人"):
        end_exception(1, clock.today(), by_officer("KQ001"))


def test_nonsense_is_said_and_changes_nothing(clerk: Any) -> None:
    with pytest.raises(RefusalError, match="证照目录"):
        enter(kind="没有的证")
    with pytest.raises(RefusalError, match="早于"):
        enter(days=-1)
    with pytest.raises(RefusalError, match="序号"):
        end_exception(7, clock.today(), by_officer("KQ004"))
    assert demands() == []
