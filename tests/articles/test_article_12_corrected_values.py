"""第十二条：经核实有误的证照信息应当更正。What was corrected is what every use says from then on, in every kind of
field; a value that its field cannot hold is no correction, whoever it comes from."""

import base64
import io
import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from ezt.samples import data as samples
from gateways import zheliban
from gateways.zheliban import Person
from gateways.zheliban_stand_in import StandIn, running
from models.cases import Case, StaffTask
from models.certificates import Certificate, CertificateType, IssuingAuthority
from models.notices import OutgoingNotice
from models.objections import Objection
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.backfill.judge import Columns, Holder, Judge
from regulation.backfill.problems import ProblemCode
from regulation.catalogue import STATE, Field, FieldKind, HolderKind, Sensitivity, Validity
from regulation.certificate_use import ANSWERED, Operation, UseRefusedError
from regulation.certificates import STATE_NAMES, CertificateState, Identifier, Level
from regulation.identity_numbers import NumberKind
from regulation.objections import Stage
from regulation.register_columns import read_off
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, NotFoundError
from tasks.backfill.entries import entered
from tasks.certificates.copies import copy_on_page, standing_of_copy
from tasks.certificates.holders import HolderRequest, PresentationRequest, open_session, present, uses_of_holder
from tasks.certificates.own import corrections_for, own_certificate, own_certificates
from tasks.certificates.reading import is_stale
from tasks.desk.sheets import sheet_of
from tasks.keeping.records import export_record, seal_record
from tasks.objections import steps
from tasks.objections.applications import ObjectionApplication
from tasks.objections.corrections import tell_users_of_wrong_value
from tasks.objections.doubts import doubts_of
from tasks.objections.endings import conclude
from tasks.objections.kind import OBJECTION, OBJECTION_TO_PARTY
from tasks.objections.lists import Letter, take_list
from tasks.objections.questions import OutcomeDecision, VerificationReply
from tasks.objections.registrations import register_objection
from tasks.objections.verifications import correspond
from tasks.register.faces import by_identifier
from tasks.register.types import paper_type
from tasks.register.versions import (
    CURRENT_VERSION,
    as_row,
    check_value,
    columns_of,
    correct,
    enter,
    holders_of,
    judge_of,
    set_holders,
)
from tests.articles.conftest import Counter
from tests.conftest import SCAN, Clerk, as_xlsx, forget_settings, objection_about, officer_of

NAME, SCENARIO, ISSUER = "纺织品检验许可证", "窗口查验", "绍兴市柯桥区纺织品检验中心"
TODAY = clock.today()
FIELDS = {
    "number": ("许可证编号", FieldKind.NUMBER, "FZ〔2020〕第0017号", "FZ〔2020〕第0071号"),
    "holder": ("持证单位", FieldKind.NAME, "绍兴柯桥云锦纺织检验有限公司", "绍兴柯桥云绫纺织检验有限公司"),
    "holder_number": ("统一社会信用代码", FieldKind.CREDIT_CODE, "91330621MA2XYL5N56", "91330621MA2888888T"),
    "agent_number": ("经办人身份号码", FieldKind.IDENTITY_NUMBER, "330603199001011238", "33060319900101333X"),
    "address": ("地址", FieldKind.ADDRESS, "绍兴市柯桥区鉴湖路17号", "绍兴市柯桥区鉴湖路71号"),
    "capital": ("注册资本", FieldKind.AMOUNT, "50万元整", "500万元整"),
    "level": ("检验等级", FieldKind.CHOICE, "乙级", "甲级"),
    "scope": ("检验范围", FieldKind.TEXT, "坯布检验", "印花布检验"),
    "issuer": ("发证机关", FieldKind.NAME, ISSUER, "绍兴市柯桥区纺织品检验所"),
    "valid_until": ("有效期至", FieldKind.DATE, str(TODAY + timedelta(400)), str(TODAY + timedelta(800))),
    "issued_on": ("发证日期", FieldKind.DATE, "2020-03-05", "2020-05-03"),
}
"""A type with a field of every kind: each one's name and kind, what the certificate says, and what it should say."""
CHOICES = ("甲级", "乙级")
WRONG = {code: wrong for code, (_, _, wrong, _) in FIELDS.items()}


@dataclass
class Permit:
    """A certificate that says something wrong, as whoever looks at it now finds it."""

    counter: Counter
    root: str
    type_code: str
    wrong: dict[str, str]
    place: int = 0
    """Which of its holders is asked about."""

    @property
    def now(self) -> Certificate:
        with reading() as session:
            return session.scalars(CURRENT_VERSION, {"root": self.root}).one()

    @property
    def kind(self) -> CertificateType:
        with reading() as session:
            return session.get_one(CertificateType, self.type_code)

    @property
    def asked_about(self) -> Holder:
        with reading() as session:
            return holders_of(session, self.now.id)[self.place]

    def of_it(self, **more: Any) -> dict[str, Any]:
        whose = self.asked_about.number
        return {"certificate_type": NAME, "holder_number": whose, "certificate": self.now.number, **more}

    def holder(self) -> HolderRequest:
        """The holder, signed in."""
        who = self.asked_about
        with running(StandIn("ezt", "password", [Person(who.name, who.number_kind, who.number)])) as sign_on:
            monkey = pytest.MonkeyPatch()
            monkey.setenv("EZT_ZHELIBAN__URL", sign_on.url)
            monkey.setenv("EZT_ZHELIBAN__SERVICE_CODE", "ezt")
            monkey.setenv("EZT_ZHELIBAN__SERVICE_PASSWORD", "password")
            forget_settings()
            session = open_session(HolderRequest(ticket=sign_on.issue(who.number))).session
            zheliban.close()
            monkey.undo()
            forget_settings()
        return HolderRequest(session=session)

    def claim(self, code: str, proposed: str) -> ObjectionApplication:
        """That a field should say something else."""
        names = {each: name for each, (name, *_) in FIELDS.items()} | {STATE.code: STATE.name}
        stated = {"field": names[code], "stated": str(self.now.face.get(code, "见登记")), "proposed": proposed}
        return objection_about(self.now, self.kind, **stated)

    def object_to(self, code: str, proposed: str) -> Clerk:
        """An objection that waits for its bureau's reply."""
        registered = register_objection(self.claim(code, proposed), [], secrets.token_hex(8), "KQ001")
        case = Clerk(registered.case_no, registered.token)
        case.accept()
        case.request()
        return case

    def correct(self, code: str, right: str) -> Clerk:
        """Carry an objection through to its correction and its end."""
        case = self.correct_and_wait(code, right)
        steps.close_objection.run(case.case_no)
        return case

    def correct_and_wait(self, code: str, right: str) -> Clerk:
        """Carry an objection through to its correction."""
        case = self.object_to(code, right)
        assert case.answer(VerificationReply, **reply(right)) is None
        steps.take_reply.run(case.case_no)
        assert case.answer(OutcomeDecision, **DECISION) is None
        steps.decide_outcome.run(case.case_no)
        steps.correct_certificate.run(case.case_no)
        return case


DECISION = {"outcome": "已更正", "reason": "经核实，登记的内容有误，现予更正。"}


def reply(value: str) -> dict[str, str]:
    said = {"finding": "原数据有误", "content": "已核实", "corrected_value": value}
    return said | {"reply_no": "绍数〔2026〕1号", "replied_on": str(clock.today())}


SECOND = {
    "holder": ("绍兴柯桥锦绣坊纺织有限公司", "绍兴柯桥锦秀坊纺织有限公司"),
    "holder_number": ("91330621MA29999996", "91330603MA2ABCD12L"),
}
"""The name and the number of a second holder: what the certificate says, and what it should say."""


@pytest.fixture
def permit(counter: Counter) -> Permit:
    """Of one holder."""
    return permit_that_says(counter, WRONG)


def in_register(session: Session, kind: CertificateType, made: Identifier, face: dict[str, str]) -> Certificate:
    """A certificate of the type in the register, its holder read off its face."""
    empty = Columns("", HolderKind.LEGAL_PERSON, "", NumberKind.CREDIT_CODE, "", TODAY, None)
    kept, holders = read_off(Judge(paper_type(kind), TODAY, (ISSUER,)), face, empty)
    certificate = Certificate(
        identifier=str(made),
        root=made.root,
        version=1,
        type_code=kind.code,
        face=face,
        state=CertificateState.VALID,
        read_at=clock.now(),
        **as_row(kept),
    )
    enter(session, certificate, holders)
    return certificate


@pytest.fixture
def permit_of_two(counter: Counter) -> Permit:
    """Of two holders, of whom the second one is asked about."""
    both = {code: f"{WRONG[code]}、{wrong}" for code, (wrong, _) in SECOND.items()}
    made = permit_that_says(counter, WRONG | both)
    made.place = 1
    return made


def permit_that_says(counter: Counter, face: dict[str, str]) -> Permit:
    """Of an invented type, whose data are the district's, on the use list with all its fields."""
    made = Identifier("11330600MB0000001U900", "330603", "2020030500017", "001")
    fields = tuple(
        Field(code, name, kind, Sensitivity.PUBLIC, CHOICES if kind is FieldKind.CHOICE else ())
        for code, (name, kind, *_) in FIELDS.items()
    )
    kind = CertificateType(
        code=made.type_code,
        name=NAME,
        issuing_authority=samples.DEPARTMENTS[0],
        issuing_level=Level.DISTRICT,
        source=Level.DISTRICT,
        validity=Validity.ON_FACE,
        validity_years=None,
        stale_after_hours=24,
        holder_kinds=(HolderKind.LEGAL_PERSON,),
        fields=fields,
    )
    with transaction() as session:
        session.add(kind)
        session.add_all(IssuingAuthority(name=name, code="330603") for name in (ISSUER, FIELDS["issuer"][3]))
        session.flush()
        in_register(session, kind, made, face)
        entry = UseListEntry(
            department_uscc=samples.department_code(samples.DEFAULT_SEED, samples.DEPARTMENTS[0]),
            item_code="330603-SCJG-900",
            type_code=kind.code,
            scenario=SCENARIO,
        )
        session.add(entry)
        session.flush()
        session.add(
            UseListVersion(
                entry_id=entry.id,
                item_name="纺织品检验",
                fields=tuple(FIELDS),
                holder_alone=True,
                authorisation=False,
                ended=False,
                in_force_from=TODAY - timedelta(30),
                decided_at=clock.now(),
            )
        )
    counter.matter = counter.matter | {"item": "330603-SCJG-900"}
    return Permit(counter, made.root, kind.code, face)


def said(answer: Any) -> str:
    return json.dumps(answer.model_dump(mode="json"), ensure_ascii=False)


def text_of(pdf: bytes) -> str:
    """What a PDF shows, by its fonts' maps to Unicode."""
    shown = []
    pages = PdfFileReader(io.BytesIO(pdf)).root["/Pages"]["/Kids"]
    for place in range(len(pages)):
        page, fonts = pages[place], {}
        of_page = page["/Resources"]["/Font"]
        for name in of_page:
            font = of_page[name]
            lines = re.findall(rb"^<([0-9A-F]{4})> <([0-9A-F]+)>$", font["/ToUnicode"].data, re.MULTILINE)
            fonts[name] = {int(glyph, 16): bytes.fromhex(code.decode()).decode("utf-16-be") for glyph, code in lines}
        letters: dict[int, str] = {}
        for font_name, string in drawn(page["/Contents"].data):
            if font_name:
                letters = fonts[font_name]
            pairs = zip(string[::2], string[1::2], strict=True)
            shown.append("".join(letters.get(high << 8 | low, "") for high, low in pairs))
    return "".join(shown)


ESCAPED = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("f"): 12}


def drawn(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The fonts that a page's content chooses, and the strings that it draws with each: PDF 7.3.4.2."""
    place = 0
    while found := re.compile(rb"(/f\d+) [\d.]+ Tf|\(").search(content, place):
        place = found.end()
        if found[1]:
            yield found[1].decode(), b""
            continue
        string, depth = bytearray(), 1
        while True:
            byte, place = content[place], place + 1
            depth += (byte == ord("(")) - (byte == ord(")"))
            if not depth:
                break
            if byte == ord("\\"):
                octal = re.compile(rb"[0-7]{1,3}").match(content, place)
                byte = int(octal[0], 8) if octal else ESCAPED.get(content[place], content[place])
                place += len(octal[0]) if octal else 1
            string.append(byte)
        yield "", bytes(string)


# What each consumer says of a certificate now.


def queried(permit: Permit, _code: str, _folder: Path) -> str:
    who = permit.asked_about
    answer = permit.counter.query(certificate_type=NAME, holder_number=who.number, holder_name=who.name)
    assert [each.identifier for each in answer.certificates] == [permit.now.identifier]
    return said(answer)


def authenticated(permit: Permit, code: str, _folder: Path) -> str:
    right, wrong = permit.now.face[code], permit.wrong[code]
    answer = permit.counter.authenticate(**permit.of_it(stated={code: right}))
    assert answer.state == "valid"
    assert permit.counter.authenticate(**permit.of_it(stated={code: wrong})).state == "tampered"
    return said(answer)


def extracted(permit: Permit, _code: str, _folder: Path) -> str:
    return said(permit.counter.extract(**permit.of_it()))


def copied(permit: Permit, _code: str, _folder: Path) -> str:
    return text_of(base64.b64decode(permit.counter.copy(**permit.of_it()).content))


def presented(permit: Permit, _code: str, _folder: Path) -> str:
    who = permit.holder()
    code = present(PresentationRequest(session=who.session, certificate_type=NAME, scenario=SCENARIO)).code
    return said(permit.counter.redeem(code))


def on_the_holders_page(permit: Permit, _code: str, _folder: Path) -> str:
    who = permit.holder()
    (own,) = own_certificates(who)
    # What was corrected is said there with what it was before.
    return repr((own, replace(own_certificate(who, own.number), corrections=())))


def among_the_uses(permit: Permit, _code: str, _folder: Path) -> str:
    permit.counter.extract(**permit.of_it())
    answer = uses_of_holder(permit.holder())
    assert any(use.certificate_type == NAME for use in answer.uses)
    return said(answer)


def under_supervision(permit: Permit, _code: str, _folder: Path) -> str:
    """What a night's supervision counts of a use: which version was used, of whose, and what was answered."""
    permit.counter.extract(**permit.of_it())
    with reading() as session:
        wanted = select(AuditEntry).where(AuditEntry.tag.in_(ANSWERED)).order_by(AuditEntry.id.desc())
        used = session.scalars(wanted.limit(1)).one()
    assert used.detail["certificates"] == [permit.now.identifier]
    assert used.holder_index == keys().blind_index("holder-number", permit.asked_about.number)
    return json.dumps(used.detail, ensure_ascii=False)


def compared_with_paper(permit: Permit, code: str, _folder: Path) -> str:
    """A paper that says what is right is in the register already, one that says what was wrong is not."""
    with reading() as session:
        right = entered(session, permit.kind, permit.now.face, TODAY).there
        wrong = entered(session, permit.kind, permit.now.face | {code: permit.wrong[code]}, TODAY).there
    assert right is not None
    assert right.problem.code is ProblemCode.REGISTERED
    # An old paper by its old number is known, too: it is not entered beside the certificate that was corrected.
    assert wrong is not None or code == "holder_number"
    assert code == "number" or wrong is None or wrong.problem.code is not ProblemCode.REGISTERED
    return ""


def exported(_permit: Permit, _code: str, folder: Path) -> str:
    """The record: that there is a new version, and nothing of what it says."""
    seal_record(clock.now())
    file = folder / f"{secrets.token_hex(4)}.jsonl"
    export_record(file)
    text = file.read_text(encoding="utf-8")
    assert "certificate:version:corrected" in text
    return text


CONSUMERS: dict[str, Callable[[Permit, str, Path], str]] = {
    Operation.QUERY: queried,
    Operation.AUTHENTICATE: authenticated,
    Operation.EXTRACT: extracted,
    Operation.COPY: copied,
    Operation.REDEEM: presented,
    "holder's page": on_the_holders_page,
    "uses": among_the_uses,
    "supervision": under_supervision,
    "register comparison": compared_with_paper,
    "export": exported,
}
SHOWS_FACE = (Operation.EXTRACT, Operation.COPY, Operation.REDEEM, "holder's page")
SHOWS_DATES = (Operation.QUERY, Operation.AUTHENTICATE)


def test_every_kind_of_field_and_every_operation_has_a_line() -> None:
    assert {kind for _, kind, *_ in FIELDS.values()} == set(FieldKind)
    assert set(Operation) <= set(CONSUMERS)


@pytest.mark.parametrize("code", FIELDS)
def test_every_use_says_the_corrected_value_and_none_the_wrong_one(permit: Permit, tmp_path: Path, code: str) -> None:
    """Ten seconds of drawing and signing in all: the only place where a kind of field or a use that was forgotten when
    corrections were built would be seen."""
    _, kind, wrong, right = FIELDS[code]
    before = permit.now
    permit.correct(code, right)
    assert (permit.now.version, permit.now.face[code]) == (2, right)
    for name, consume in CONSUMERS.items():
        shown = consume(permit, code, tmp_path)
        assert wrong not in shown, name
        if name in SHOWS_FACE or (name in SHOWS_DATES and kind is FieldKind.DATE):
            assert right in shown, name
    # Whoever names the old version learns that there is a newer one, and nothing that it said.
    old = permit.of_it(certificate=before.identifier)
    answers = [permit.counter.authenticate(**old), permit.counter.extract(**old)]
    assert {each.certificate.state for each in answers} == {"superseded"}
    assert {each.certificate.current_identifier for each in answers} == {permit.now.identifier}
    assert answers[1].fields == []


@pytest.mark.parametrize("code", SECOND)
def test_of_a_second_holder_too_every_use_says_the_corrected_value(
    permit_of_two: Permit, tmp_path: Path, code: str
) -> None:
    permit, (wrong, right) = permit_of_two, SECOND[code]
    first = permit.now
    permit.correct(code, f"{WRONG[code]}、{right}")
    for name, consume in CONSUMERS.items():
        shown = consume(permit, code, tmp_path)
        assert wrong not in shown, name
        if name in SHOWS_FACE:
            assert right in shown, name
    # The first holder is who it was.
    assert (permit.now.holder_name, permit.now.holder_number) == (first.holder_name, first.holder_number)
    if code == "holder_number":
        assert permit.counter.query(certificate_type=NAME, holder_number=wrong).certificates == []


@pytest.mark.parametrize("code", SECOND)
def test_who_used_what_was_wrong_of_a_second_holder_is_told(permit_of_two: Permit, code: str) -> None:
    permit_of_two.counter.extract(**permit_of_two.of_it())
    case = permit_of_two.correct_and_wait(code, f"{WRONG[code]}、{SECOND[code][1]}")
    assert tell_users_of_wrong_value.run(case.case_no) == 1


def test_a_wrong_number_finds_no_certificate_that_holds(permit: Permit) -> None:
    permit.correct("number", FIELDS["number"][3])
    answer = permit.counter.authenticate(**permit.of_it(certificate=WRONG["number"]))
    assert (answer.state, answer.current_identifier) == ("superseded", permit.now.identifier)
    assert permit.counter.extract(**permit.of_it(certificate=WRONG["number"])).fields == []


def test_under_a_wrong_holders_number_nothing_is_found(permit: Permit) -> None:
    permit.correct("holder_number", FIELDS["holder_number"][3])
    assert permit.counter.query(certificate_type=NAME, holder_number=WRONG["holder_number"]).certificates == []


DOUBTFUL = [
    ("address", "没有", "请写出应当是的内容本身"),
    ("holder", "/", "请写出应当是的内容本身"),
    ("scope", "见附件", "也请照抄在这里"),
    ("valid_until", "2023-02-30", "日期不存在"),
    ("holder_number", "91330621MA2888888X", "校验位不符"),
    ("capital", "五十", "不是能识别的金额"),
    ("level", "特级", "只能是甲级、乙级之一"),
    ("address", FIELDS["address"][2], "与证照上现在的内容相同"),
    (STATE.code, "作废", "只能是有效"),
]


@pytest.mark.parametrize(("code", "proposed", "said"), DOUBTFUL)
def test_what_a_field_cannot_hold_is_told_to_whoever_claims_it_and_keeps_nobody_out(
    permit: Permit, code: str, proposed: str, said: str
) -> None:
    given = permit.claim(code, proposed)
    doubts = doubts_of(given)
    assert doubts.keys() == {"proposed"}
    assert said in doubts["proposed"]
    registered = register_objection(given, [], secrets.token_hex(8), "KQ001")
    # The officer reads what to do, and no value of the objector's: that line is kept in clear.
    remark = dict(sheet_of(registered.case_no).lines)["系统提示"]
    assert said.rstrip("。") in remark
    assert "请向申请人核对或要求补正" in remark
    assert proposed == "/" or code == "level" or proposed not in remark


@pytest.mark.parametrize("code", list(FIELDS))
def test_what_a_field_can_hold_is_not_doubted(permit: Permit, code: str) -> None:
    given = permit.claim(code, FIELDS[code][3])
    assert doubts_of(given) == {}
    assert "系统提示" not in dict(sheet_of(register_objection(given, [], "k1", "KQ001").case_no).lines)


def test_the_clerk_reads_what_to_do_with_a_reply_that_cannot_be_recorded(permit: Permit, city_bureau: Any) -> None:
    # The bureau says what it was told.
    case = permit.object_to("capital", "五十")
    correspond()
    with reading() as session:
        what = session.scalars(select(StaffTask.what).where(StaffTask.case_no == case.case_no)).one()
    assert "不是能识别的金额" in what
    assert "请与该局核对" in what


def test_the_holder_can_choose_the_state_as_what_is_wrong(permit: Permit) -> None:
    who = permit.holder()
    (own,) = own_certificates(who)
    shown = own_certificate(who, own.number)
    assert shown.objectionable == (*shown.lines, (STATE.name, own.state.in_chinese))


def test_what_ended_by_the_right_day_is_answered_as_expired(permit: Permit) -> None:
    permit.correct("valid_until", "2020-12-01")
    assert permit.counter.authenticate(**permit.of_it()).state == "expired"
    (found,) = permit.counter.query(certificate_type=NAME, holder_number=permit.now.holder_number).certificates
    assert (found.state, str(found.valid_until_on)) == ("expired", "2020-12-01")
    with pytest.raises(Exception, match="已过期"):
        permit.counter.copy(**permit.of_it())


def test_what_had_run_out_by_the_wrong_day_holds_again(permit: Permit) -> None:
    with transaction() as session:
        held = session.get_one(Certificate, permit.now.id)
        held.state, held.valid_until_on = CertificateState.EXPIRED, TODAY - timedelta(1)
        held.face = held.face | {"valid_until": str(TODAY - timedelta(1))}
    permit.correct("valid_until", "长期")
    assert permit.now.valid_until_on is None
    assert permit.counter.authenticate(**permit.of_it()).state == "valid"


@pytest.mark.parametrize(
    ("recorded", "right"), [("revoked", "valid"), ("suspended", "valid"), ("valid", "suspended"), ("valid", "revoked")]
)
def test_a_wrong_state_is_set_right(permit: Permit, recorded: str, right: str) -> None:
    with transaction() as session:
        session.get_one(Certificate, permit.now.id).state = CertificateState(recorded)
    permit.correct(STATE.code, STATE_NAMES[CertificateState(right)])
    answers = [
        *permit.counter.query(certificate_type=NAME, holder_number=permit.now.holder_number).certificates,
        permit.counter.authenticate(**permit.of_it()).certificate,
        permit.counter.extract(**permit.of_it()).certificate,
    ]
    assert {each.state for each in answers} == {right}
    assert bool(permit.counter.extract(**permit.of_it()).fields) == (right == "valid")


CANNOT_BE = {
    "valid_until": ("见附件", "不是能识别的日期"),
    "issued_on": ("长期", "不能填“长期”"),
    "agent_number": ("330603199001011231", "校验位不符"),
    "holder_number": ("没有", "位数或字符不对"),
    "capital": ("很多", "不是能识别的金额"),
    "level": ("丙级", "只能是甲级、乙级之一"),
    "number": ("X" * 101, "超过100个字"),
    "holder": ("王\ue863", "无法识别的字"),
    "address": ("路" * 301, "超过300个字"),
    "scope": ("坯布\ue863", "无法识别的字"),
    "issuer": ("某某局", "不在已知的颁证机构中"),
    STATE.code: ("好", "只能是有效"),
}


def test_every_field_has_something_that_it_cannot_be() -> None:
    assert CANNOT_BE.keys() == FIELDS.keys() | {STATE.code}


@pytest.mark.parametrize("code", CANNOT_BE)
def test_what_a_field_cannot_hold_is_no_correction_whoever_it_comes_from(permit: Permit, code: str) -> None:
    value, why = CANNOT_BE[code]
    right = FIELDS[code][3] if code in FIELDS else "已暂停"
    case = permit.object_to(code, right)
    # By letter.
    assert why in str(case.answer(VerificationReply, **reply(value)))
    # By a list that came with a letter.
    titles = ["办件编号", "核实结论", "回复内容", "正确的内容"]
    rows = as_xlsx([titles, [case.case_no, "原数据有误", "已核实", value]])
    letter = Letter("绍数〔2026〕1号", clock.today(), (SCAN.name, SCAN.content))
    taken = take_list("回复.xlsx", rows, letter, officer_of(case.case_no), "")
    assert taken.replied == 0
    assert why in taken.wrong[0][1]
    # By the officer who decides.
    assert case.answer(VerificationReply, **reply(right)) is None
    steps.take_reply.run(case.case_no)
    assert why in str(case.answer(OutcomeDecision, **DECISION, value=value))
    assert permit.now.version == 1
    assert case.answer(OutcomeDecision, **DECISION) is None


PLACEHOLDERS = ("见附件", "没有", "、", "{内容}", "<b>孙</b>")
IS_NONE = [
    *((code, value) for code in ("number", "holder", "address") for value in (*PLACEHOLDERS, "无", "不存在", "不详")),
    *(("number", value) for value in ("0000", "x", "7")),
    ("holder", "绍兴柯桥云锦纺织检验有限公司、无"),
    ("holder", "王<b>孙</b>"),
    *(("scope", value) for value in ("见附件", "{内容}", "未填写", "N/A", "同上")),
]
"""What stands in a field's place and is none of its contents."""


@pytest.mark.parametrize(("code", "value"), IS_NONE)
def test_a_placeholder_is_no_content_whoever_it_comes_from(permit: Permit, code: str, value: str) -> None:
    with reading() as session:
        kind = session.get_one(CertificateType, permit.type_code)
        old = session.get_one(Certificate, permit.now.id)
        for check in (
            lambda: check_value(session, kind, code, value, TODAY),
            lambda: correct(session, kind, old, code, value, TODAY),
        ):
            with pytest.raises(InputError):
                check()
        # On paper it is as little.
        assert entered(session, kind, permit.wrong | {code: value}, TODAY).errors


@pytest.mark.parametrize(
    ("code", "value"),
    [("holder", "无锡市无名纺织有限公司"), ("address", "无锡市见山路1号"), ("scope", "无"), ("number", "柯检字第壹号")],
)
def test_what_only_looks_like_a_placeholder_is_content(permit: Permit, code: str, value: str) -> None:
    with reading() as session:
        kind = session.get_one(CertificateType, permit.type_code)
        assert check_value(session, kind, code, value, TODAY) == value


def test_what_belongs_together_may_be_wrong_together_and_is_corrected_field_by_field(permit: Permit) -> None:
    permit.correct("valid_until", "2019-01-01")
    # Before the day of issue, which is wrong, too: nobody is kept waiting for that, and staff are told.
    assert (permit.now.face["valid_until"], str(permit.now.valid_until_on)) == ("2019-01-01", "2019-01-01")
    with reading() as session:
        (task,) = session.scalars(select(StaffTask.what).where(StaffTask.key.startswith("contradicted:")))
    # What it disagrees with, and not what was just corrected.
    assert "将“有效期至”更正后，证照上的“发证日期”与之不一致" in task
    permit.correct("issued_on", "2016-01-01")
    assert permit.counter.authenticate(**permit.of_it()).state == "expired"


def test_of_two_decisions_about_one_field_the_second_is_not_told_as_done(permit: Permit) -> None:
    first, second = (permit.object_to("address", each) for each in ("鉴湖路71号", "鉴湖路72号"))
    for case, right in ((first, "鉴湖路71号"), (second, "鉴湖路71号")):
        with transaction() as session:
            session.get_one(Objection, case.case_no).lead_case_no = None
            session.get_one(Case, case.case_no).stage = Stage.VERIFYING
        assert case.answer(VerificationReply, **reply(right)) is None
        steps.take_reply.run(case.case_no)
        assert case.answer(OutcomeDecision, **DECISION) is None
    for case in (first, second):
        conclude(lambda step, case_no=case.case_no: step.run(case_no))
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "objection-closed").order_by(OutgoingNotice.id)
        told = [each.context for each in session.scalars(wanted)]
        tasks = session.scalars(select(StaffTask.key).where(StaffTask.key.startswith("not-corrected:"))).all()
    assert [(each["new_version"], each["pending"]) for each in told] == [(True, False), (False, True)]
    assert tasks == [f"not-corrected:{second.case_no}"]


def decided_after(first: Clerk, second: Clerk, of_first: str, of_second: str) -> None:
    """The first objection is decided and over before the second one's reply comes."""
    for case, right in ((first, of_first), (second, of_second)):
        assert case.answer(VerificationReply, **reply(right)) is None
        steps.take_reply.run(case.case_no)
        if case is first:
            assert case.answer(OutcomeDecision, **DECISION) is None
            conclude(lambda step: step.run(first.case_no))


OVERTAKEN = pytest.mark.parametrize(
    ("code", "right"), [("address", FIELDS["address"][3]), (STATE.code, STATE_NAMES[CertificateState.SUSPENDED])]
)


@OVERTAKEN
def test_what_another_case_has_set_right_meanwhile_is_told_as_done(permit: Permit, code: str, right: str) -> None:
    first, second = permit.object_to(code, right), permit.object_to(code, right)
    decided_after(first, second, right, right)
    # The officer says so, and does not just pass on what the bureau found before.
    assert "已由" in str(second.answer(OutcomeDecision, **DECISION))
    assert second.answer(OutcomeDecision, **DECISION, value=right) is None
    conclude(lambda step: step.run(second.case_no))
    assert (second.stage(), permit.now.version) == (Stage.CLOSED, 2)
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "objection-closed").order_by(OutgoingNotice.id)
        told = [each.context for each in session.scalars(wanted)]
        tasks = session.scalars(select(StaffTask.key).where(StaffTask.key.startswith("not-corrected:"))).all()
    assert [(each["outcome"], each["new_version"], each["pending"]) for each in told] == [("已更正", True, False)] * 2
    assert tasks == []


@OVERTAKEN
def test_an_older_case_does_not_silently_undo_what_a_newer_one_corrected(permit: Permit, code: str, right: str) -> None:
    other = "鉴湖路72号" if code == "address" else STATE_NAMES[CertificateState.REVOKED]
    older, newer = permit.object_to(code, right), permit.object_to(code, other)
    decided_after(newer, older, other, right)
    # Before deciding the officer sees that the register has changed, by what, and to what.
    lines = dict(sheet_of(older.case_no).lines)
    assert newer.case_no in lines["登记有变动"]
    assert other not in str(lines)
    with reading() as session:
        case = session.get_one(Case, older.case_no)
        shown = dict(next(iter(OBJECTION.sheet.compared(session, case))).lines)
        to_party = OBJECTION_TO_PARTY.lines(session, case)
    assert shown["本区登记现在是"] == other
    assert newer.case_no not in str(to_party)
    why = str(older.answer(OutcomeDecision, **DECISION))
    assert newer.case_no in why
    assert "更正后的内容" in why
    assert older.answer(OutcomeDecision, **DECISION, value=right) is None
    conclude(lambda step: step.run(older.case_no))
    assert permit.now.version == 3
    # Afterwards somebody looks into it: who heard 已更正 of the newer one heard nothing since.
    with reading() as session:
        (task,) = session.scalars(select(StaffTask.what).where(StaffTask.key == f"corrected-again:{older.case_no}"))
    assert newer.case_no in task
    assert other not in task


def test_what_another_case_has_set_right_meanwhile_is_synced_already(permit: Permit) -> None:
    right = FIELDS["address"][3]
    first, second = permit.object_to("address", right), permit.object_to("address", right)
    permit.counter.extract(**permit.of_it())
    for case in (first, second):
        assert case.answer(VerificationReply, **RIGHT_ABOVE, replied_on=str(clock.today())) is None
        steps.take_reply.run(case.case_no)
        assert case.answer(OutcomeDecision, **SYNCED, value=right) is None
        conclude(lambda step, case_no=case.case_no: step.run(case_no))
        assert (case.stage(), permit.now.version) == (Stage.CLOSED, 2)
    with reading() as session:
        told = session.scalars(select(OutgoingNotice.case_no).where(OutgoingNotice.notice == "wrong-value-used")).all()
        assert session.scalars(select(StaffTask.key).where(StaffTask.key.startswith("not-corrected:"))).all() == []
    # Who used the wrong value is told once.
    assert set(told) == {first.case_no}


def beside(permit: Permit, number: str, holder_number: str) -> Certificate:
    """Another certificate of the type in the register, with this number and this holder."""
    made = Identifier(permit.type_code, "330603", secrets.token_hex(6).upper(), "001")
    face = permit.wrong | {"number": number, "holder_number": holder_number, "holder": "绍兴柯桥另一家有限公司"}
    with transaction() as session:
        kind = session.get_one(CertificateType, permit.type_code)
        return in_register(session, kind, made, face)


def test_a_number_that_another_certificate_has_is_no_correction(permit: Permit) -> None:
    right = FIELDS["number"][3]
    beside(permit, right, "91330621MA29999996")
    case = permit.object_to("number", right)
    assert case.answer(VerificationReply, **reply(right)) is None
    steps.take_reply.run(case.case_no)
    assert "另有一件同类证照" in str(case.answer(OutcomeDecision, **DECISION))
    assert permit.now.version == 1
    # Whoever comes between decision and correction is a task, too.
    other = "FZ〔2020〕第0072号"
    basis = "该局来电更正，以正式文件为准"
    assert case.answer(OutcomeDecision, **DECISION, value=other, differs=basis) is None
    beside(permit, other, "91330621MA29999996")
    conclude(lambda step: step.run(case.case_no))
    with reading() as session:
        assert session.scalar(select(StaffTask.key).where(StaffTask.key == f"not-corrected:{case.case_no}"))
    assert permit.now.version == 1


def root_of(certificate: Certificate) -> Certificate:
    with reading() as session:
        return session.scalars(CURRENT_VERSION, {"root": certificate.root}).one()


def test_two_numbers_that_were_exchanged_are_both_set_right(permit: Permit) -> None:
    mine, theirs = WRONG["number"], FIELDS["number"][3]
    other = beside(permit, theirs, "91330621MA29999996")
    case = permit.object_to("number", theirs)
    about_other = objection_about(other, permit.kind, field=FIELDS["number"][0], stated=theirs, proposed=mine)
    registered = register_objection(about_other, [], secrets.token_hex(8), "KQ001")
    second = Clerk(registered.case_no, registered.token)
    second.accept()
    second.request()
    assert case.answer(VerificationReply, **reply(theirs)) is None
    steps.take_reply.run(case.case_no)
    # Nobody has found yet that the other one's number is wrong.
    assert "另一件有误的，先就另一件的编号办理异议" in str(case.answer(OutcomeDecision, **DECISION))
    assert second.answer(VerificationReply, **reply(mine)) is None
    steps.take_reply.run(second.case_no)
    for each in (case, second):
        assert each.answer(OutcomeDecision, **DECISION) is None
        conclude(lambda step, case_no=each.case_no: step.run(case_no))
        assert each.stage() == Stage.CLOSED
    assert (permit.now.number, root_of(other).number) == (theirs, mine)
    with reading() as session:
        keys_of_tasks = set(
            session.scalars(select(StaffTask.key).where(StaffTask.case_no.in_([case.case_no, second.case_no])))
        )
    # For a while both had one number; what is left of it is a person's to look at.
    assert keys_of_tasks == {f"number-shared:{case.case_no}"}


@pytest.mark.parametrize(("state", "refused"), [(CertificateState.REVOKED, False), (CertificateState.VALID, True)])
def test_what_was_renewed_has_the_number_of_what_it_replaced(
    permit: Permit, state: CertificateState, refused: bool
) -> None:
    right = FIELDS["number"][3]
    before = beside(permit, right, permit.now.holder_number)
    with transaction() as session:
        session.get_one(Certificate, before.id).state = state
    case = permit.object_to("number", right)
    assert case.answer(VerificationReply, **reply(right)) is None
    steps.take_reply.run(case.case_no)
    assert (case.answer(OutcomeDecision, **DECISION) is not None) is refused


def test_where_a_holders_number_is_the_certificates_it_is_no_other_holders_either(permit: Permit) -> None:
    with transaction() as session:
        kind = session.get_one(CertificateType, permit.type_code)
        kind.fields = tuple(each for each in kind.fields if each.code != "number")
        old = session.get_one(Certificate, permit.now.id)
        old.face = {code: value for code, value in old.face.items() if code != "number"}
        for name, value in as_row(read_off(judge_of(session, kind, TODAY), old.face, columns_of(old))[0]).items():
            setattr(old, name, value)
        old.number = old.holder_number
        old.number_index = keys().blind_index("certificate-number", old.number)
    right = FIELDS["holder_number"][3]
    other = beside(permit, "", right)
    with transaction() as session:
        session.get_one(Certificate, other.id).number_index = keys().blind_index("certificate-number", right)
    with reading() as session:
        old = session.get_one(Certificate, permit.now.id)
        kind = session.get_one(CertificateType, permit.type_code)
        with pytest.raises(InputError, match="另有一件同类证照"):
            correct(session, kind, old, "holder_number", right, TODAY)


def test_of_several_certificates_with_a_number_none_is_taken_for_the_other(permit: Permit) -> None:
    other = beside(permit, WRONG["number"], "91330621MA29999996")
    by_number = objection_about(permit.now, permit.kind, field="地址")
    case_no = register_objection(by_number, [], secrets.token_hex(8), "KQ001").case_no
    with reading() as session:
        objection = session.get_one(Objection, case_no)
    assert objection.certificate_root is None
    assert "有几件证照是所填的编号" in objection.remark
    # Of one holder's it is the latest, and the reviewer is told.
    with transaction() as session:
        mine = session.get_one(Certificate, permit.now.id)
        twin = session.get_one(Certificate, other.id)
        set_holders(session, twin.id, holders_of(session, mine.id))
        twin.issued_on = TODAY
    case_no = register_objection(by_number, [], secrets.token_hex(8), "KQ001").case_no
    with reading() as session:
        objection = session.get_one(Objection, case_no)
    assert objection.certificate_root == other.root
    assert "有几件证照是所填的编号" in objection.remark


@pytest.mark.parametrize("reference", ["identifier", "number"])
@pytest.mark.parametrize("name", ["old", "new"])
def test_an_old_printout_is_superseded_by_its_name_too(permit: Permit, reference: str, name: str) -> None:
    before = permit.now
    permit.correct("holder", FIELDS["holder"][3])
    named = before.holder_name if name == "old" else permit.now.holder_name
    said_of_it = permit.of_it(certificate=getattr(before, reference), holder_name=named)
    answer = permit.counter.authenticate(**said_of_it)
    superseded = reference == "identifier" or name == "old"
    assert answer.state == ("superseded" if superseded else "valid")
    if superseded:
        assert answer.current_identifier == permit.now.identifier
        assert permit.counter.extract(**said_of_it).fields == []
    # A name that neither says is nobody's.
    nobody = said_of_it | {"holder_name": "绍兴柯桥别家有限公司"}
    assert permit.counter.authenticate(**nobody).state == "unknown"


def test_the_holder_reads_what_is_disputed_and_what_was_corrected(permit: Permit) -> None:
    case = permit.object_to("address", FIELDS["address"][3])
    who = permit.holder()
    (own,) = own_certificates(who)
    shown = own_certificate(who, own.number)
    assert ([each.field for each in shown.disputes], shown.corrections) == (["地址"], ())
    assert shown.disputes[0].since == clock.today()
    assert case.answer(VerificationReply, **reply(FIELDS["address"][3])) is None
    steps.take_reply.run(case.case_no)
    assert case.answer(OutcomeDecision, **DECISION) is None
    conclude(lambda step: step.run(case.case_no))
    (own,) = own_certificates(who)
    shown = own_certificate(who, own.number)
    assert shown.disputes == ()
    (told,) = corrections_for(who)
    assert (told,) == shown.corrections
    assert (told.field, told.was, told.now) == ("地址", FIELDS["address"][2], FIELDS["address"][3])
    assert (told.why, told.on) == (DECISION["reason"], clock.today())
    assert "俞小云" not in repr(shown)


@pytest.mark.parametrize("code", ["holder", "holder_number", "agent_number"])
def test_who_stood_on_a_certificate_by_mistake_is_told_to_nobody(permit: Permit, code: str) -> None:
    permit.correct(code, FIELDS[code][3])
    (told,) = corrections_for(permit.holder())
    assert (told.was, told.now) == ("", FIELDS[code][3])


def test_a_holders_open_page_leads_to_the_new_version(permit: Permit) -> None:
    before, right = permit.now, FIELDS["address"][3]
    permit.correct("address", right)
    shown = own_certificate(permit.holder(), before.id)
    assert (shown.own.number, shown.identifier) == (permit.now.id, permit.now.identifier)
    assert ("地址", right) in shown.lines
    # Not for who is its holder no more.
    who = permit.holder()
    permit.correct("holder_number", FIELDS["holder_number"][3])
    with pytest.raises(NotFoundError):
        own_certificate(who, before.id)


@pytest.mark.parametrize("code", ["number", "agent_number"])
def test_who_went_by_a_wrong_number_is_told(permit: Permit, code: str) -> None:
    permit.counter.authenticate(**permit.of_it())
    case = permit.correct_and_wait(code, FIELDS[code][3])
    # By the certificate's number every use goes; by one that only stands on the face only who asked for it.
    assert tell_users_of_wrong_value.run(case.case_no) == (1 if code == "number" else 0)


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_values_of_what_must_not_be_used_are_not_guessed_by_comparing(permit: Permit, state: str) -> None:
    with transaction() as session:
        session.get_one(Certificate, permit.now.id).state = CertificateState(state)
    for stated in (WRONG["address"], "别处"):
        assert permit.counter.authenticate(**permit.of_it(stated={"address": stated})).state == state


def test_whoever_was_a_holder_by_mistake_learns_nothing_of_whose_it_is(permit: Permit) -> None:
    before = permit.now
    permit.correct("holder_number", FIELDS["holder_number"][3])
    by_mistake = {"certificate_type": NAME, "holder_number": before.holder_number}
    for reference in (before.identifier, before.number, permit.now.identifier):
        assert permit.counter.authenticate(**by_mistake, certificate=reference).state == "unknown"
        with pytest.raises(NotFoundError):
            permit.counter.extract(**by_mistake, certificate=reference, even_if=["superseded"])
    # And its holder finds it by what it said before.
    answer = permit.counter.authenticate(**permit.of_it(certificate=before.identifier))
    assert (answer.state, answer.current_identifier) == ("superseded", permit.now.identifier)


@pytest.mark.parametrize("change", ["suspended", "corrected", "synced"])
def test_a_code_is_worth_nothing_once_its_certificate_has_changed(permit: Permit, change: str) -> None:
    who = permit.holder()
    code = present(PresentationRequest(session=who.session, certificate_type=NAME, scenario=SCENARIO)).code
    if change == "suspended":
        with transaction() as session:
            session.get_one(Certificate, permit.now.id).state = CertificateState.SUSPENDED
    elif change == "corrected":
        permit.correct("address", FIELDS["address"][3])
    else:
        case = replied(permit)
        assert case.answer(OutcomeDecision, **SYNCED, value=FIELDS["address"][3]) is None
        conclude(lambda step: step.run(case.case_no))
    with pytest.raises(UseRefusedError, match="亮证码作废"):
        permit.counter.redeem(code)
    if change == "suspended":
        # Not even when it holds again.
        with transaction() as session:
            session.get_one(Certificate, permit.now.id).state = CertificateState.VALID
    with pytest.raises(UseRefusedError):
        permit.counter.redeem(code)
    (told,) = uses_of_holder(permit.holder()).voided
    assert f"您出示的{NAME}的亮证码作废" in told


def test_what_the_register_says_already_is_not_corrected(permit: Permit) -> None:
    case = permit.object_to("address", WRONG["address"])
    assert case.answer(VerificationReply, **reply(WRONG["address"])) is None
    steps.take_reply.run(case.case_no)
    assert "已经是这一内容" in str(case.answer(OutcomeDecision, **DECISION))


def test_a_value_is_written_as_its_field_is_written(permit: Permit) -> None:
    permit.correct("valid_until", "二〇三一年三月五日")
    assert (permit.now.face["valid_until"], str(permit.now.valid_until_on)) == ("2031-03-05", "2031-03-05")


RIGHT_ABOVE = {"finding": "原数据无误", "content": "与档案一致", "reply_no": "绍数〔2026〕2号"}
SYNCED = {"outcome": "已同步", "reason": "源头登记的内容无误，本区登记的没有及时更新。"}


def replied(permit: Permit) -> Clerk:
    """An objection of which the bureau says that the source is right."""
    case = permit.object_to("address", FIELDS["address"][3])
    assert case.answer(VerificationReply, **RIGHT_ABOVE, replied_on=str(clock.today())) is None
    steps.take_reply.run(case.case_no)
    return case


def test_where_only_our_copy_was_wrong_it_is_set_right_and_not_upheld(permit: Permit) -> None:
    permit.counter.extract(**permit.of_it())
    case = replied(permit)
    assert "数据源头现在的内容" in str(case.answer(OutcomeDecision, **SYNCED))
    assert "已经是这一内容" in str(case.answer(OutcomeDecision, **SYNCED, value=WRONG["address"]))
    right = FIELDS["address"][3]
    assert case.answer(OutcomeDecision, **SYNCED, value=right) is None
    conclude(lambda step: step.run(case.case_no))
    # The old value stays, in the version before (Article 14).
    assert (case.stage(), permit.now.version, permit.now.face["address"]) == ("已办结", 2, right)
    with reading() as session:
        before = session.scalars(select(Certificate).where(Certificate.root == permit.root, Certificate.version == 1))
        assert before.one().face["address"] == WRONG["address"]
    seen = permit.counter.extract(**permit.of_it())
    assert right in said(seen)
    assert seen.certificate.as_of.date() == clock.today()
    with reading() as session:
        told = session.scalars(select(OutgoingNotice).order_by(OutgoingNotice.id)).all()
    assert [each.notice for each in told[-3:]] == ["wrong-value-used", "objection-closed", "dispute-ended"]
    assert told[-1].context["outcome"] == "已同步"


def test_whoever_relies_next_on_what_was_synced_has_it_read_again_from_its_source(permit: Permit) -> None:
    case = replied(permit)
    with transaction() as session:
        session.get_one(CertificateType, permit.type_code).source = Level.CITY
    assert case.answer(OutcomeDecision, **SYNCED, value=FIELDS["address"][3]) is None
    conclude(lambda step: step.run(case.case_no))
    held = by_identifier(permit.now.identifier)
    assert held is not None
    assert is_stale(permit.kind, held, clock.now())


@pytest.mark.parametrize("source", [Level.DISTRICT, Level.CITY])
def test_a_copy_taken_before_what_it_says_was_set_right_holds_no_more(permit: Permit, source: Level) -> None:
    copy = permit.counter.copy(**permit.of_it())
    content = base64.b64decode(copy.content)
    case = replied(permit)
    with transaction() as session:
        session.get_one(CertificateType, permit.type_code).source = source
    assert "现为“有效”" in standing_of_copy(copy.copy_no)
    assert case.answer(OutcomeDecision, **SYNCED, value=FIELDS["address"][3]) is None
    conclude(lambda step: step.run(case.case_no))
    with transaction() as session:
        session.get_one(CertificateType, permit.type_code).source = Level.DISTRICT
    assert "已被新版本替代" in standing_of_copy(copy.copy_no)
    assert copy_on_page(content).state == "superseded"
    who = permit.asked_about.number
    answer = permit.counter.authenticate(certificate_type=NAME, holder_number=who, copy_file=copy.content)
    assert answer.state == "superseded"
    # A copy taken since then holds.
    again = permit.counter.copy(**permit.of_it())
    answer = permit.counter.authenticate(certificate_type=NAME, holder_number=who, copy_file=again.content)
    assert answer.state == "valid"


def test_what_our_register_does_not_have_is_not_synced(permit: Permit) -> None:
    case = replied(permit)
    with transaction() as session:
        session.get_one(Objection, case.case_no).certificate_root = None
    assert "没有可以同步的" in str(case.answer(OutcomeDecision, **SYNCED, value="鉴湖路1号"))
