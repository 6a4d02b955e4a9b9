"""第十二条：电子证照使用部门、持证主体及其他社会用证主体有权向综合管理单位提出核查申请。

What is filled in on the page is a draft until it is known who hands it in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select, text

from gateways.zheliban import Person
from models.cases import Case
from models.notices import OutgoingNotice
from models.objection_drafts import DraftFile, ObjectionDraft
from models.objections import Attachment, Objection
from models.organisations import Department
from regulation.catalogue import STATE
from regulation.certificates import Level
from regulation.identity_numbers import NumberKind
from regulation.limits import ATTACHMENT_COUNT, DRAFT_LIFE
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError, RefusalError
from tasks.objections.drafts import (
    MOST_TYPED,
    draft_of,
    forget_drafts,
    hand_in,
    open_draft,
    registered_from,
    save_draft,
    send_confirmation,
    wrong_in,
)
from tests.conftest import Clerk, certificate_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
YU = Person("俞小云", NumberKind.RESIDENT, "330603198001010018")


def count(what: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def ready(clerk: Clerk, **changed: Any) -> str:
    """A draft that can be handed in, with a file."""
    token = open_draft({})
    assert save_draft(token, clerk.application().model_dump(mode="json") | changed, [("门牌证.png", PNG)]) == []
    return token


def code_in_mail() -> str:
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "objection-to-confirm")
        mail = session.scalars(wanted.order_by(OutgoingNotice.id.desc())).first()
    assert mail is not None
    return str(mail.context["link"].rpartition("/")[2])


def test_a_draft_is_no_objection_until_somebody_is_known_to_hand_it_in(clerk: Clerk) -> None:
    token = ready(clerk)
    for code in ("", "forged"):
        with pytest.raises(RefusalError, match="重新发送确认邮件"):
            hand_in(token, None, code)
    assert count(Case) == 0
    assert send_confirmation(token) == "yuxiaoyun@example.com"
    registered = hand_in(token, None, code_in_mail())
    with reading() as session:
        filed = session.get_one(Objection, registered.case_no)
        assert session.scalars(select(Attachment.name)).all() == ["门牌证.png"]
    assert filed.remark.startswith("申请人只确认了邮箱，未经实名认证")
    assert (count(ObjectionDraft), count(DraftFile)) == (0, 0)


def test_whoever_signed_in_needs_no_mail_and_bears_their_own_name(clerk: Clerk) -> None:
    token = ready(clerk, objector_name="冒名的人")
    registered = hand_in(token, YU)
    with reading() as session:
        filed = session.get_one(Objection, registered.case_no)
    assert filed.objector_name == "俞小云"
    assert filed.remark.startswith("申请人经浙里办实名认证")


@pytest.mark.parametrize(
    ("number", "certificate", "said"),
    [("", "", "核对一致"), (YU.number, "", "核对不一致"), (YU.number, "没有登记的第99号", "未能核对")],
    ids=["the holder", "somebody else", "of an unknown certificate"],
)
def test_whether_who_signed_in_is_the_holder_is_said_to_staff(
    clerk: Clerk, number: str, certificate: str, said: str
) -> None:
    held, _ = certificate_of(Level.CITY)
    who = Person("俞小云", NumberKind.RESIDENT, number or held.holder_number)
    changed = {"certificate": certificate} if certificate else {}
    registered = hand_in(ready(clerk, **changed), who)
    with reading() as session:
        filed = session.get_one(Objection, registered.case_no)
    assert said in filed.remark
    # The number is nowhere in what staff read.
    assert who.number not in filed.remark


def test_a_department_is_who_answers_at_an_address_on_its_file_and_no_free_text(clerk: Clerk) -> None:
    with reading() as session:
        office = session.scalars(select(Department)).first()
    assert office is not None
    given = {"objector_kind": "使用部门", "objector_name": office.name, "email": office.email}

    def wrong(signed_in: Person | None = None, **changed: str) -> list[str]:
        return list(wrong_in(draft_of(ready(clerk, **given | changed)), signed_in))

    assert wrong() == []
    assert wrong(objector_name="绍兴市柯桥区某某局") == ["objector_name"]
    assert wrong(email="yuxiaoyun@example.com") == ["email"]
    assert wrong(YU) == ["objector_kind"]
    with pytest.raises(InputError):
        hand_in(ready(clerk, **given), YU)
    with pytest.raises(InputError):
        send_confirmation(ready(clerk, **given | {"email": "yuxiaoyun@example.com"}))
    token = ready(clerk, **given)
    send_confirmation(token)
    registered = hand_in(token, None, code_in_mail())
    with reading() as session:
        assert session.get_one(Objection, registered.case_no).remark.startswith("以该部门登记的邮箱确认")


def test_the_state_of_a_certificate_can_be_chosen_like_a_field(clerk: Clerk) -> None:
    assert STATE.name in draft_of(ready(clerk)).fields


def test_handed_in_by_many_at_once_it_is_one_objection(clerk: Clerk) -> None:
    token = ready(clerk)
    start = Barrier(6)

    def press(_: int) -> str:
        start.wait()
        return hand_in(token, YU).case_no

    with ThreadPoolExecutor(6) as pool:
        numbers = set(pool.map(press, range(6)))
    assert len(numbers) == 1
    assert count(Case) == 1
    again = registered_from(token)
    assert again is not None
    assert {again.case_no} == numbers


def test_an_old_link_ends_with_the_address_it_went_to(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    token, other = ready(clerk), ready(clerk)
    send_confirmation(token)
    code = code_in_mail()
    with pytest.raises(RefusalError):
        hand_in(other, None, code)
    save_draft(token, {"email": "bieren@example.com"}, [])
    with pytest.raises(RefusalError):
        hand_in(token, None, code)
    assert count(Case) == 0


def test_what_is_not_ready_is_kept_and_not_handed_in(clerk: Clerk) -> None:
    token = ready(clerk, phone="打给我", reason="短")
    assert wrong_in(draft_of(token), None) == {"phone": "联系电话格式不对", "reason": "理由至少5个字"}
    for way in (lambda: hand_in(token, YU), lambda: send_confirmation(token)):
        with pytest.raises(InputError, match="请回到草稿更正"):
            way()
    assert draft_of(token).typed["phone"] == "打给我"


def test_a_draft_about_a_missing_certificate_needs_no_number(clerk: Clerk) -> None:
    blank = {"certificate": "没有", "field": "", "stated": ""}
    token = ready(clerk, **blank)
    assert wrong_in(draft_of(token), YU)["certificate"] == (
        "证照编号或电子证照标识不是编号，请照证照填写；没有这件证照的，编号留空，异议种类只选“应当有而没有的证照”"
    )
    save_draft(token, blank | {"certificate": "", "grounds": ["应当有而没有的证照"]}, [])
    assert wrong_in(draft_of(token), YU) == {}
    with reading() as session:
        assert session.get_one(Objection, hand_in(token, YU).case_no).certificate_reference == ""


def test_a_draft_is_forgotten_with_its_files_when_nobody_touches_it(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = ready(clerk)
    now = clock.now()
    assert draft_of(token).kept_until == clock.local_date(now + timedelta(days=DRAFT_LIFE.value))
    assert forget_drafts(now + timedelta(days=DRAFT_LIFE.value, seconds=-60)) == 0
    later = now + timedelta(days=DRAFT_LIFE.value, seconds=60)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(LookupError, match="超过保存期限"):
        draft_of(token)
    assert forget_drafts(later) == 1
    assert (count(ObjectionDraft), count(DraftFile)) == (0, 0)


def test_a_draft_holds_so_much_and_no_more(clerk: Clerk) -> None:
    token = ready(clerk)
    with pytest.raises(InputError, match="没有保存"):
        save_draft(token, {"reason": "长" * MOST_TYPED}, [])
    many = [(f"{number}.png", PNG + bytes([number])) for number in range(ATTACHMENT_COUNT.value)]
    refused = save_draft(token, {"unheard-of": "x"}, [*many, ("门牌证.png", PNG)])
    assert [len(refused), count(DraftFile)] == [1, ATTACHMENT_COUNT.value]
    assert "附件最多10个" in refused[0]
    assert "unheard-of" not in draft_of(token).typed


def test_nothing_of_a_person_in_a_draft_can_be_read_in_the_database(clerk: Clerk) -> None:
    token = ready(clerk)
    send_confirmation(token)
    tables = ("objection_drafts", "objection_draft_files", "outgoing_notices")
    with reading() as session:
        rows = [row for table in tables for row in session.execute(text(f"SELECT * FROM {table}"))]
    stored = " ".join(
        bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else str(value)
        for row in rows
        for value in row
    )
    assert len(rows) == 3
    assert not any(said in stored for said in (token, "俞小云", "yuxiaoyun", "84120001", "群贤路", "门牌证"))
