"""第八条：优先使用电子证照。电子证照使用部门对可以通过区电子证照系统获得的电子证照不再要求电子证照持证主体提供纸质证照。"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.certificate_uses import UnavailableReceipt
from models.certificates import Certificate
from runtime import clock
from runtime.database import reading, transaction
from tasks.certificates.reading import PlatformDownError
from tests.articles.conftest import Counter, of, valid


def grow_stale(held: Certificate) -> None:
    with transaction() as session:
        session.get_one(Certificate, held.id).read_at = clock.now() - timedelta(hours=25)


def test_what_the_system_has_leaves_no_reason_to_ask_for_paper(counter: Counter) -> None:
    answer = counter.authenticate(**of(valid("营业执照"), "营业执照"))
    assert (answer.state, answer.receipt_no, answer.paper_demands) == ("valid", None, [])


def test_only_a_numbered_receipt_lets_the_counter_take_paper(counter: Counter) -> None:
    licence = valid("营业执照")
    grow_stale(licence)
    # Without a platform above nobody can vouch for what has grown stale.
    answer = counter.authenticate(**of(licence, "营业执照"))
    assert (answer.state, answer.receipt_no) == ("unavailable", f"SL-{clock.today().year}-000001")
    assert "可以收取纸质证照（第八条的例外）" in answer.reasons[0]


def test_one_business_case_has_one_receipt_a_day(counter: Counter) -> None:
    licence = valid("营业执照")
    grow_stale(licence)
    numbers = []
    for _ in range(2):
        with pytest.raises(PlatformDownError) as down:
            counter.extract(**of(licence, "营业执照"))
        numbers.append(down.value.receipt_no)
    counter.matter = counter.matter | {"business_no": "SP-2"}
    with pytest.raises(PlatformDownError) as down:
        counter.extract(**of(licence, "营业执照"))
    assert len({*numbers}) == 1
    assert down.value.receipt_no not in numbers
    with reading() as session:
        assert len(session.scalars(select(UnavailableReceipt)).all()) == 2
