"""第十一条：老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.backfills import Backfill, BackfillEntry
from models.cases import Case, StaffTask
from models.certificates import Certificate, CertificateType
from models.notices import OutgoingNotice
from models.objections import Objection
from models.records import AuditEntry
from regulation.backfill.problems import Problem, ProblemCode
from regulation.backfill.review import Stage
from regulation.catalogue import STATE
from regulation.certificates import parse_identifier
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.backfill import steps as backfills
from tasks.backfill.entries import hints_about
from tasks.backfill.objections import HolderObjection, backfilled, object_to_backfill
from tasks.backfill.questions import BackfillCorrection, BackfillReview
from tasks.case.attachments import File
from tasks.certificates.reading import is_stale
from tasks.desk import entries
from tasks.desk.sheets import sheet_of
from tasks.register.faces import by_identifier, face_of, of_holder
from tasks.register.holders import TITLE, numbers_held_otherwise
from tasks.register.versions import holders_of
from tests.conftest import Clerk, answered, at_desk, read_at_desk
from tests.desk import starting

SCAN = File("扫描件.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
MARRIAGE = {
    "结婚证字号": "J330621-1998-000123",
    "持证人": "王建国",
    "男方姓名": "王建国",
    "男方公民身份号码": "330621680512101",
    "女方姓名": "陈丽华",
    "登记机关": "绍兴县民政局",
    "登记日期": "1998年5月12日",
}


def register(
    given: dict[str, str] | None = None, key: str = "k1", by: str = "KQ001", files: Any = (SCAN,), **more: str
) -> Clerk:
    """Enter a marriage certificate."""
    case_no = backfills.register_backfill(
        "绍兴市柯桥区民政局",
        more.get("kind", "结婚证"),
        MARRIAGE | (given or {}),
        "MZ-2026-001",
        more.get("email", "wjg@example.com"),
        list(files),
        key,
        by,
    )
    return Clerk(case_no)


def review(case: Clerk, verdict: str, reason: str = "", turn: int = 1) -> str | None:
    return case.answer(BackfillReview, turn, verdict=verdict, reason=reason)


def correct(case: Clerk, values: str, by: str = "KQ001") -> str | None:
    return answered(case.case_no, BackfillCorrection, 1, {"values": values}, by)


def certificate_of(case: Clerk) -> Certificate:
    with reading() as session:
        return session.scalars(select(Certificate).where(Certificate.backfilled_by_case == case.case_no)).one()


def mails(notice: str) -> list[OutgoingNotice]:
    with reading() as session:
        return list(session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == notice)))


def test_what_was_reviewed_by_another_is_an_electronic_certificate_at_once(clerk: Any) -> None:
    case = register()
    assert review(case, "通过") is None
    identifier = backfills.put_in_register.run(case.case_no)
    made = certificate_of(case)
    assert made.identifier == identifier
    assert parse_identifier(made.identifier).issuer_code == "330621"
    assert (made.number, made.holder_name, str(made.issued_on)) == ("J330621-1998-000123", "王建国", "1998-05-12")
    # The old number of 15 digits is converted; what stood on the paper is kept with the case.
    assert made.holder_number == "33062119680512101X"
    assert made.face["issued_on"] == "1998-05-12"
    assert (case.stage(), made.state) == (Stage.REGISTERED, "valid")
    (held,) = of_holder(made.holder_index, made.type_code)
    assert held.identifier == made.identifier


def test_a_source_above_that_never_heard_of_it_does_not_make_it_stale(clerk: Any) -> None:
    case = register()
    review(case, "通过")
    backfills.put_in_register.run(case.case_no)
    held = by_identifier(certificate_of(case).identifier)
    assert held is not None
    with reading() as session:
        kind = session.get_one(CertificateType, held.type_code)
    assert not is_stale(kind, held, clock.now() + timedelta(days=4000))


def test_the_holder_is_told_masked_and_can_object(clerk: Any) -> None:
    case = register()
    review(case, "通过")
    backfills.put_in_register.run(case.case_no)
    (mail,) = mails("certificate-backfilled")
    assert mail.recipient == "wjg@example.com"
    assert "王建国" not in str(mail.context)
    token = mail.context["link"].rpartition("/")[2]
    assert backfilled(token).registered
    said = HolderObjection(field="登记日期", proposed="1998-05-21", reason="登记日期录错了一位。", phone="13800000000")
    objection = object_to_backfill(token, said)
    with reading() as session:
        row = session.get_one(Objection, objection.case_no)
        assert (row.field_code, row.stated, row.proposed) == ("issued_on", "1998-05-12", "1998-05-21")
        assert row.certificate_root == certificate_of(case).root
        assert row.remark == "凭补录告知邮件中的链接提出，申请人未经实名认证"
    assert object_to_backfill(token, said).case_no == objection.case_no


def test_the_holder_can_object_to_the_state_of_what_was_backfilled(clerk: Any) -> None:
    case = register()
    review(case, "通过")
    backfills.put_in_register.run(case.case_no)
    token = mails("certificate-backfilled")[0].context["link"].rpartition("/")[2]
    assert STATE.name in backfilled(token).fields
    said = HolderObjection(field=STATE.name, proposed="已吊销或撤销", reason="已经办理离婚登记。", phone="13800000000")
    objection = object_to_backfill(token, said)
    with reading() as session:
        row = session.get_one(Objection, objection.case_no)
    assert (row.field_code, row.stated, row.grounds) == (STATE.code, "有效", ["准确性"])


def test_nobody_reviews_what_they_entered_themselves(clerk: Any) -> None:
    case = register(by="KQ002")
    with reading() as session:
        assert session.get_one(Case, case.case_no).officer_no != "KQ002"
    with transaction() as session:
        session.get_one(Case, case.case_no).officer_no = "KQ002"
    assert "不能审核自己补录" in str(review(case, "通过"))
    assert case.stage() == Stage.ENTERED


def test_what_is_returned_is_corrected_and_reviewed_again(clerk: Any) -> None:
    case = register()
    assert "至少5个字" in str(review(case, "退回更正"))
    assert review(case, "退回更正", "登记日期与扫描件不符") is None
    backfills.return_for_correction.run(case.case_no)
    assert {mail.recipient for mail in mails("backfill-returned")} == {"liaison06@example.cn", "office06@example.cn"}
    assert "不是能识别的日期" in str(correct(case, "登记日期：昨天"))
    assert "没有项目" in str(correct(case, "工资：1"))
    assert correct(case, "登记日期：1998年6月12日") is None
    backfills.take_correction.run(case.case_no)
    assert review(case, "通过", turn=2) is None
    backfills.put_in_register.run(case.case_no, 2)
    assert str(certificate_of(case).issued_on) == "1998-06-12"
    with reading() as session:
        entries = session.scalars(select(BackfillEntry).order_by(BackfillEntry.turn)).all()
    assert [entry.given["issued_on"] for entry in entries] == ["1998年5月12日", "1998年6月12日"]


def test_the_officer_who_corrected_does_not_review_it_either(clerk: Any) -> None:
    case = register()
    review(case, "退回更正", "登记日期与扫描件不符")
    backfills.return_for_correction.run(case.case_no)
    case.answer(BackfillCorrection, values="登记日期：1998年6月12日")
    backfills.take_correction.run(case.case_no)
    assert "不能审核自己补录" in str(review(case, "通过", turn=2))
    other = register({"登记日期": "1998-05-13", "结婚证字号": "J330621-1998-000124"}, key="other")
    with reading() as session:
        whose = session.get_one(Case, other.case_no).officer_no
    stranger = next(each for each in ("KQ002", "KQ003") if each != whose)
    assert "由工号" in str(correct(other, "登记日期：1998年6月12日", by=stranger))


def test_the_department_corrects_by_its_own_system_and_nobody_elses_case(clerk: Any) -> None:
    case = register()
    with pytest.raises(RefusalError, match="不需要更正"):
        backfills.correct_by_application("绍兴市柯桥区民政局", case.case_no, {"登记日期": "1998-06-12"}, "KQ-MZ/7")
    review(case, "退回更正", "登记日期与扫描件不符")
    backfills.return_for_correction.run(case.case_no)
    with pytest.raises(RefusalError, match="没有本部门的这一"):
        backfills.correct_by_application("绍兴市柯桥区教育体育局", case.case_no, {"登记日期": "1998-06-12"}, "KQ-X/7")
    with pytest.raises(InputError, match="不存在"):
        backfills.correct_by_application("绍兴市柯桥区民政局", case.case_no, {"登记日期": "1998-02-30"}, "KQ-MZ/7")
    backfills.correct_by_application("绍兴市柯桥区民政局", case.case_no, {"登记日期": "1998-06-12"}, "KQ-MZ/7")
    backfills.take_correction.run(case.case_no)
    with reading() as session:
        entry = session.get_one(BackfillEntry, (case.case_no, 2))
    assert (entry.entered_by, entry.given["issued_on"]) == ("KQ-MZ/7", "1998-06-12")


def test_what_is_refused_says_why_and_leaves_nothing_in_the_register(clerk: Any) -> None:
    case = register()
    review(case, "不予补录", "扫描件不是结婚证")
    backfills.refuse_backfill.run(case.case_no)
    assert case.stage() == Stage.REFUSED
    assert mails("backfill-returned")[0].context["final"] is True
    with reading() as session:
        assert session.scalars(select(Certificate).where(Certificate.backfilled_by_case.is_not(None))).all() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"持证人": ""}, "未填，这是必填项"),
        ({"登记日期": "1998-02-30"}, "日期不存在"),
        ({"登记日期": "98.5.12"}, "年份不足4位"),
        ({"登记机关": "某某局"}, "不在已知的颁证机构中"),
        ({"男方公民身份号码": "330603199001011234"}, "校验位不符"),
        ({"持证人": "赵钱孙"}, "既不是男方也不是女方"),
        ({"月薪": "1"}, "没有项目“月薪”"),
    ],
)
def test_what_is_missing_or_impossible_is_said_at_once_and_nothing_is_registered(
    clerk: Any, given: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        register(given)
    with reading() as session:
        assert session.scalars(select(Backfill)).all() == []


def test_what_the_register_has_is_not_entered_again(clerk: Any) -> None:
    with reading() as session:
        held, kind = (
            session.execute(
                select(Certificate, CertificateType)
                .join(CertificateType, CertificateType.code == Certificate.type_code)
                .where(CertificateType.name == "道路运输经营许可证")
                .order_by(Certificate.id)
            )
            .tuples()
            .first()
        ) or (None, None)
    assert held is not None
    assert kind is not None
    given = {kind.names[code]: text for code, text in held.face.items()} | {"持证主体证件号码": held.holder_number}

    def enter(changed: dict[str, str]) -> None:
        args = ("绍兴市柯桥区交通运输局", "道路运输经营许可证", given | changed, "JT-1", "", [SCAN], "k", "KQ001")
        backfills.register_backfill(*args)

    with pytest.raises(RefusalError, match="已有内容相同"):
        enter({})
    with pytest.raises(RefusalError, match=r"“地址”不同.*核查申请"):
        enter({"地址": "别处1号"})


def test_of_two_papers_of_one_certificate_one_gets_in(clerk: Any) -> None:
    first, second = register(key="k1"), register(key="k2")
    for case in (first, second):
        assert review(case, "通过") is None
    assert backfills.put_in_register.run(first.case_no) is not None
    assert backfills.put_in_register.run(second.case_no) is None
    with reading() as session:
        assert "已有同一证照" in session.scalars(select(StaffTask.what)).one()
    # The department has one certificate for two entries, and has to know of it.
    told = [mail.context for mail in mails("backfill-returned")]
    assert {each["case_no"] for each in told} == {second.case_no}
    assert all(each["final"] and "已有同一证照" in each["reason"] for each in told)


def test_the_same_submission_again_is_the_same_case(clerk: Any) -> None:
    assert register().case_no == register().case_no


def test_sheets_and_the_record_hold_nothing_of_the_holder(clerk: Any) -> None:
    case = register()
    sheet = sheet_of(case.case_no)
    assert "15位旧身份号码" in sheet.table()
    with reading() as session:
        trail = str([entry.detail for entry in session.scalars(select(AuditEntry))])
    for secret in ("王建国", "330621680512101", "33062119680512101X"):
        assert secret not in sheet.table() + sheet.run_name + trail


def test_without_an_address_the_holder_is_not_written_to(clerk: Any) -> None:
    case = register(email="")
    review(case, "通过")
    backfills.put_in_register.run(case.case_no)
    assert mails("certificate-backfilled") == []


def test_the_face_keeps_what_the_paper_says(clerk: Any) -> None:
    case = register({"女方公民身份号码": ""})
    review(case, "通过")
    backfills.put_in_register.run(case.case_no)
    held = by_identifier(certificate_of(case).identifier)
    assert held is not None
    face = face_of(held)
    assert (face.holder_name, face.values["wife"], face.values["wife_number"]) == ("王建国", "陈丽华", "")


OTHERWISE = "在登记中是另一姓名或名称的；请对照证件核对号码和姓名"


def in_the_register(clerk: Any) -> Clerk:
    """A marriage certificate of 王建国, by his number."""
    case = register()
    assert review(case, "通过") is None
    assert backfills.put_in_register.run(case.case_no) is not None
    return case


def another_paper(name: str, **changed: str) -> Clerk:
    """Another marriage certificate with the same number, of whoever it names."""
    given = {"结婚证字号": "J330621-2005-000777", "持证人": name, "男方姓名": name, "女方姓名": "徐小妹"}
    return register(given | changed, key="k2")


def test_a_number_that_the_register_has_under_another_name_is_said_to_who_enters_and_who_reviews(clerk: Any) -> None:
    in_the_register(clerk)
    case = another_paper("王建业")
    # Whoever entered it reads that it is so, and nobody's name; nor does a list or Prefect hold one.
    hints = dict(hints_about(case.case_no))
    assert OTHERWISE in hints["husband_number"]
    assert "王建国" not in str(hints)
    sheet = sheet_of(case.case_no).table()
    assert OTHERWISE in sheet
    assert "王建国" not in sheet
    page = read_at_desk(case.case_no, "KQ004")
    paper, there = page.compared
    assert any(OTHERWISE in said for _, said in paper.lines)
    assert there.title == TITLE
    assert there.table is not None
    (row,) = there.table.rows
    assert row == ("王建国", "结婚证 J330621-1998-000123", "1998-05-12，有效")
    assert there.telling == {"王建国"}
    # It is no reason to refuse: names change.
    assert review(case, "通过") is None
    assert backfills.put_in_register.run(case.case_no) is not None
    # What it brought in itself is nothing that it has to be held against.
    assert len(read_at_desk(case.case_no, "KQ004").compared) == 2
    with reading() as session:
        (both,) = numbers_held_otherwise(session, [holders_of(session, certificate_of(case).id)])
    assert both == [Problem("husband_number", ProblemCode.HELD_OTHERWISE)]


def test_who_asks_what_would_come_of_a_paper_reads_it_too_and_is_on_record(clerk: Any) -> None:
    in_the_register(clerk)
    given = {name: text.replace("王建国", "王建业") for name, text in starting.backfill().items()}
    given = {name: text.replace("J330621-1998-000123", "J330621-2005-000777") for name, text in given.items()}
    by = at_desk("KQ001")
    entry = entries.keep(entries.new_id(), "backfill", by, given)
    said = str(entries.foresee(entry, by).doubts)
    assert (OTHERWISE in said, "王建国" in said) == (True, False)
    with reading() as session:
        looked = session.scalars(select(AuditEntry).where(AuditEntry.tag == "desk:entry:foreseen")).one()
    assert (looked.actor, looked.detail) == ("KQ001", {"start": "backfill", "shown": entry.shown})


@pytest.mark.parametrize("name", ["王建国", "王 建 国"])
def test_a_number_that_the_register_has_under_the_same_name_is_no_matter(clerk: Any, name: str) -> None:
    in_the_register(clerk)
    case = another_paper(name)
    assert OTHERWISE not in str(hints_about(case.case_no))
    assert len(read_at_desk(case.case_no, "KQ004").compared) == 1


def test_a_correction_is_held_against_the_register_too(clerk: Any) -> None:
    in_the_register(clerk)
    case = another_paper("王建国")
    assert review(case, "退回更正", "姓名与扫描件不符") is None
    backfills.return_for_correction.run(case.case_no)
    assert correct(case, "持证人：王建业\n男方姓名：王建业") is None
    backfills.take_correction.run(case.case_no)
    assert OTHERWISE in str(hints_about(case.case_no))
