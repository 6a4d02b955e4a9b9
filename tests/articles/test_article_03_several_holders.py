"""第三条：持证主体是指电子证照的签发对象。Both spouses, co-owners and partners are holders of one certificate: each
of them finds it, presents it in their own name, sees its uses, authorises for it and objects to it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ezt.samples import data as samples
from gateways import zhejiang_gateway
from gateways.stand_in import StandIn as Platform
from gateways.stand_in import running
from gateways.zheliban import Person
from gateways.zheliban_stand_in import StandIn
from models.certificates import Certificate, CertificateHolder, CertificateType
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.backfill.judge import Columns, Holder, Judge
from regulation.catalogue import HolderKind
from regulation.certificate_use import ANSWERED, UseRefusedError
from regulation.certificates import CertificateState, Level, parse_identifier
from regulation.identity_numbers import NumberKind
from regulation.objections import Bureau
from regulation.online_supervision import Period, Tallies
from regulation.register_columns import read_off
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import NotFoundError
from tasks.backfill.entries import entered
from tasks.certificates.holders import AuthorisationRequest as Authorising
from tasks.certificates.holders import (
    HolderRequest,
    PresentationRequest,
    authorise,
    open_session,
    present,
    uses_of_holder,
)
from tasks.certificates.own import (
    Doubt,
    authorisation_choices,
    doubt_use,
    doubts_about,
    own_certificate,
    own_certificates,
)
from tasks.objections import steps
from tasks.objections.corrections import tell_users_of_wrong_value
from tasks.objections.questions import OutcomeDecision, VerificationReply
from tasks.objections.registrations import register_objection
from tasks.register.types import paper_type, type_named
from tasks.register.versions import columns_of, correct, holders_of, set_holders, supersede
from tasks.supervision.tallies import tallies_of
from tests.articles.conftest import Counter, of, valid
from tests.articles.test_article_12_corrected_values import DECISION, reply, text_of
from tests.conftest import FEW, Clerk, forget_settings, objection_about

MARRIAGE, ESTATE, SCENARIO = "结婚证", "不动产权证书", "窗口查验"
NAMES = ("number", "holder", "husband", "wife", "issued_on")
ALL = (*NAMES, "husband_number", "wife_number")


def on_the_list(type_name: str, fields: tuple[str, ...], item: str = "330603-SCJG-900", **more: bool) -> None:
    """Let the market supervision use a type for an item of its own."""
    with transaction() as session:
        entry = UseListEntry(
            department_uscc=samples.department_code(samples.DEFAULT_SEED, samples.DEPARTMENTS[0]),
            item_code=item,
            type_code=type_named(session, type_name).code,
            scenario=SCENARIO,
        )
        session.add(entry)
        session.flush()
        given = {"holder_alone": True, "authorisation": False} | more
        session.add(
            UseListVersion(
                entry_id=entry.id,
                item_name="身份查验",
                fields=fields,
                ended=False,
                in_force_from=clock.today() - timedelta(30),
                decided_at=clock.now(),
                **given,
            )
        )


@dataclass
class Shared:
    """A certificate of several holders at a counter that may use it."""

    counter: Counter
    signed_on: StandIn
    held: Certificate
    type_name: str
    holders: tuple[Holder, ...] = field(init=False)

    def __post_init__(self) -> None:
        with reading() as session:
            self.holders = holders_of(session, self.held.id)

    def by(self, holder: Holder, **more: Any) -> dict[str, Any]:
        return of(self.held, self.type_name, holder_number=holder.number, **more)

    def session_of(self, number: str) -> HolderRequest:
        return HolderRequest(session=open_session(HolderRequest(ticket=self.signed_on.issue(number))).session)


@pytest.fixture
def couple(counter: Counter, signed_on: StandIn) -> Shared:
    """A marriage certificate of the sample, of which no platform above has to be asked."""
    on_the_list(MARRIAGE, ALL)
    with transaction() as session:
        type_named(session, MARRIAGE).source = Level.DISTRICT
    counter.matter |= {"item": "330603-SCJG-900"}
    return Shared(counter, signed_on, valid(MARRIAGE), MARRIAGE)


@pytest.fixture
def estate(counter: Counter, signed_on: StandIn) -> Shared:
    """An estate that two own by shares."""
    on_the_list(ESTATE, ("number", "holder", "holder_number", "share", "address"))
    counter.matter |= {"item": "330603-SCJG-900"}
    with reading() as session:
        kind = type_named(session, ESTATE)
        wanted = select(Certificate).where(
            Certificate.type_code == kind.code, Certificate.state == CertificateState.VALID
        )
        owned = next(each for each in session.scalars(wanted) if each.face["co_ownership"] == "按份共有")
    return Shared(counter, signed_on, owned, ESTATE)


def stranger() -> str:
    """Somebody who has neither."""
    return valid("驾驶证").holder_number


PLACES = pytest.mark.parametrize("place", [0, 1], ids=["the first holder", "the second holder"])


@PLACES
def test_each_spouse_is_found_by_every_use(couple: Shared, place: int) -> None:
    who = couple.holders[place]
    found = couple.counter.query(certificate_type=MARRIAGE, holder_number=who.number, holder_name=who.name)
    assert [each.identifier for each in found.certificates] == [couple.held.identifier]
    for reference in (couple.held.number, couple.held.identifier):
        named = couple.by(who, certificate=reference, holder_name=who.name)
        assert couple.counter.authenticate(**named).state == "valid"
        shown = couple.counter.extract(**named)
        assert [(each.name, each.number) for each in shown.holders] == [
            (each.name, each.number) for each in couple.holders
        ]
    copy = base64.b64decode(couple.counter.copy(**couple.by(who)).content)
    assert "、".join(each.name for each in couple.holders) in text_of(copy)
    known = couple.counter.authenticate(
        certificate_type=MARRIAGE, holder_number=who.number, copy_file=base64.b64encode(copy).decode()
    )
    assert known.state == "valid"
    with reading() as session:
        used = session.scalars(select(AuditEntry).where(AuditEntry.tag.in_(ANSWERED))).all()
    assert {each.holder_index for each in used} == {keys().blind_index("holder-number", who.number)}


@PLACES
def test_each_spouse_presents_it_in_their_own_name_and_sees_who_used_it(couple: Shared, place: int) -> None:
    who, other = couple.holders[place], couple.holders[1 - place]
    own = couple.session_of(who.number)
    (listed,) = [each for each in own_certificates(own) if each.type_name == MARRIAGE]
    assert dict(own_certificate(own, listed.number).lines)["女方姓名"] == couple.held.face["wife"]
    code = present(PresentationRequest(session=own.session, certificate_type=MARRIAGE)).code
    shown = couple.counter.redeem(code)
    assert {each.code for each in shown.fields} == set(ALL)
    assert [each.name for each in shown.holders] == [each.name for each in couple.holders]
    with reading() as session:
        used = session.scalars(select(AuditEntry).where(AuditEntry.tag.in_(ANSWERED))).one()
    assert used.holder_index == keys().blind_index("holder-number", who.number)
    assert used.detail["subject"].endswith(who.number[-4:])
    (mine,), (theirs,) = uses_of_holder(own).uses, uses_of_holder(couple.session_of(other.number)).uses
    assert mine.record_no == theirs.record_no
    assert ("您出示" in mine.sentence, "您出示" in theirs.sentence) == (True, False)
    doubting = couple.session_of(other.number)
    doubt_use(doubting, theirs.record_no, Doubt.NOT_MINE)
    assert doubts_about(doubting, [theirs.record_no]) == {theirs.record_no: "您已反映，正在核实"}
    assert doubts_about(own, [theirs.record_no]) == {theirs.record_no: "共同的持证主体已反映，正在核实"}


def test_nobody_else_finds_it_and_nothing_else_of_a_spouse_is_seen(couple: Shared) -> None:
    number = stranger()
    assert couple.counter.query(certificate_type=MARRIAGE, holder_number=number).certificates == []
    assert couple.counter.authenticate(**couple.by(couple.holders[0]) | {"holder_number": number}).state == "unknown"
    by_identifier = of(couple.held, MARRIAGE, holder_number=number, certificate=couple.held.identifier)
    with pytest.raises(NotFoundError):
        couple.counter.extract(**by_identifier)
    copy = couple.counter.copy(**couple.by(couple.holders[1])).content
    known = couple.counter.authenticate(certificate_type=MARRIAGE, holder_number=number, copy_file=copy)
    assert known.state == "unknown"
    with pytest.raises(NotFoundError):
        own_certificate(couple.session_of(number), couple.held.id)
    with pytest.raises(NotFoundError):
        present(PresentationRequest(session=couple.session_of(number).session, certificate_type=MARRIAGE))
    # The identity card of the first spouse is used: the second one learns nothing of it.
    first, second = couple.holders
    couple.counter.matter |= {"item": "330603-SCJG-001"}
    couple.counter.query(certificate_type="身份证", holder_number=first.number)
    assert {use.certificate_type for use in uses_of_holder(couple.session_of(first.number)).uses} == {
        MARRIAGE,
        "身份证",
    }
    assert {use.certificate_type for use in uses_of_holder(couple.session_of(second.number)).uses} == {MARRIAGE}
    card = next(use for use in uses_of_holder(couple.session_of(first.number)).uses if use.certificate_type == "身份证")
    with pytest.raises(NotFoundError):
        doubt_use(couple.session_of(second.number), card.record_no, Doubt.NOT_MINE)
    # Whoever asked about a stranger is all that the stranger sees.
    assert not any("存档副本" in use.sentence for use in uses_of_holder(couple.session_of(number)).uses)


def test_a_co_owner_is_found_with_their_share(estate: Shared) -> None:
    assert [each.share for each in estate.holders] == ["50%", "50%"]
    for who in estate.holders:
        shown = estate.counter.extract(**estate.by(who, holder_name=who.name))
        assert [(each.name, each.number, each.share) for each in shown.holders] == [
            (each.name, each.number, each.share) for each in estate.holders
        ]
        assert [
            each.type_name for each in own_certificates(estate.session_of(who.number)) if each.number == estate.held.id
        ]
    # The columns of the register are the first one's; the face says both.
    assert estate.held.holder_name == estate.holders[0].name
    assert estate.held.face["holder"] == "、".join(each.name for each in estate.holders)


@pytest.mark.parametrize(
    ("fields", "shows"),
    [
        (("number",), []),
        (("holder",), [(True, False)]),
        (("husband", "wife"), [(True, False), (True, False)]),
        (("husband_number", "wife_number"), [(False, True), (False, True)]),
        (("holder", "wife_number", "husband_number"), [(True, True), (False, True)]),
    ],
)
def test_of_holders_an_item_sees_what_its_fields_say(
    couple: Shared, fields: tuple[str, ...], shows: list[tuple[bool, bool]]
) -> None:
    shown = couple.counter.extract(**couple.by(couple.holders[1]), fields=[*fields])
    assert [(each.name is not None, each.number is not None) for each in shown.holders] == shows
    queried = couple.counter.query(certificate_type=MARRIAGE, holder_number=couple.holders[1].number)
    said = json.dumps(queried.model_dump(mode="json"), ensure_ascii=False)
    assert all(each.name not in said and each.number not in said for each in couple.holders)


def test_a_copy_masks_the_holders_whom_the_item_may_not_see(couple: Shared) -> None:
    on_the_list(MARRIAGE, ("number",), "330603-SCJG-901")
    couple.counter.matter |= {"item": "330603-SCJG-901"}
    text = text_of(base64.b64decode(couple.counter.copy(**couple.by(couple.holders[1])).content))
    assert all(each.name not in text for each in couple.holders)


def test_one_holders_authorisation_is_enough_and_speaks_for_nobody_else(couple: Shared) -> None:
    """第十五条。Reading a certificate disposes of nothing, so whoever is asked about authorises alone; what another
    holder has beside it stays closed."""
    on_the_list(MARRIAGE, ALL, "330603-SCJG-902", authorisation=True)
    couple.counter.matter |= {"item": "330603-SCJG-902"}
    first, second = couple.holders
    own = couple.session_of(second.number)
    assert [each.certificate_type for each in authorisation_choices(own) if each.item_code == "330603-SCJG-902"]
    given = authorise(
        Authorising(
            session=own.session,
            department=samples.DEPARTMENTS[0],
            item="330603-SCJG-902",
            certificate_type=MARRIAGE,
            days=3,
        )
    ).authorisation_no
    shown = couple.counter.extract(**couple.by(second, authorisation=given))
    assert [each.name for each in shown.holders] == [first.name, second.name]
    with pytest.raises(UseRefusedError) as refused:
        couple.counter.extract(**couple.by(first, authorisation=given))
    assert refused.value.article == 15


def corrected(shared: Shared, code: str, value: str) -> Certificate:
    """The certificate with a field set right."""
    with transaction() as session:
        old = session.get_one(Certificate, shared.held.id)
        kind = session.get_one(CertificateType, old.type_code)
        new = supersede(session, old, correct(session, kind, old, code, value, clock.today()), "YY-1", clock.now())
        session.flush()
        return new


def spouse(shared: Shared) -> str:
    """The field that names the second holder."""
    return shared.holders[1].field


def test_a_corrected_number_of_the_second_spouse_is_the_one_that_finds_it(couple: Shared) -> None:
    first, second = couple.holders
    couple.counter.extract(**couple.by(second))
    new_number = samples.Dice(7, "spouse").identity_number(
        "right", clock.today() - timedelta(12000), couple.held.face["wife_number"] != second.number
    )
    new = corrected(couple, f"{spouse(couple)}_number", new_number)
    query = couple.counter.query
    assert query(certificate_type=MARRIAGE, holder_number=second.number).certificates == []
    for number in (first.number, new_number):
        (found,) = query(certificate_type=MARRIAGE, holder_number=number).certificates
        assert found.identifier == new.identifier
    couple.signed_on._known[new_number] = Person(second.name, NumberKind.RESIDENT, new_number)
    # The use under the wrong number is still one of theirs, and of the first spouse's.
    for number in (first.number, new_number):
        assert any("提取了" in use.sentence for use in uses_of_holder(couple.session_of(number)).uses)
    # Who had the wrong number sees what was asked under it, and nothing of the certificate since.
    couple.counter.extract(**of(new, MARRIAGE, holder_number=first.number))
    assert len([use for use in uses_of_holder(couple.session_of(second.number)).uses if "提取了" in use.sentence]) == 1


def test_who_asked_under_a_wrong_number_of_the_second_spouse_is_told(couple: Shared) -> None:
    second = couple.holders[1]
    couple.counter.query(certificate_type=MARRIAGE, holder_number=second.number)
    right = samples.Dice(7, "spouse").identity_number(
        "right", clock.today() - timedelta(12000), spouse(couple) == "husband"
    )
    kind = kind_of(MARRIAGE)
    name = kind.names[f"{spouse(couple)}_number"]
    card = valid("身份证")
    given = objection_about(card, kind_of("身份证")).model_copy(
        update={
            "certificate_type": MARRIAGE,
            "certificate": couple.held.identifier,
            "field": name,
            "stated": second.number,
            "proposed": right,
        }
    )
    registered = register_objection(given, [], "wrong-number", "KQ001")
    case = Clerk(registered.case_no, registered.token)
    case.accept()
    case.request()
    assert case.answer(VerificationReply, **reply(right)) is None
    steps.take_reply.run(case.case_no)
    assert case.answer(OutcomeDecision, **DECISION) is None
    steps.decide_outcome.run(case.case_no)
    steps.correct_certificate.run(case.case_no)
    assert tell_users_of_wrong_value.run(case.case_no) == 1


def test_a_corrected_name_of_the_second_spouse_is_the_one_that_counts(couple: Shared) -> None:
    second = couple.holders[1]
    new = corrected(couple, spouse(couple), "欧阳若兰")
    named = of(new, MARRIAGE, holder_number=second.number)
    assert couple.counter.extract(**named, holder_name="欧阳若兰").holders[1].name == "欧阳若兰"
    # The name of before is that of a printout of before, which is superseded and shows nothing.
    by_old_name = couple.counter.extract(**named, holder_name=second.name)
    assert (by_old_name.certificate.state, by_old_name.fields) == ("superseded", [])
    with pytest.raises(NotFoundError):
        couple.counter.extract(**named, holder_name="欧阳若云")


def holders_now(certificate: Certificate) -> list[tuple[str, str, str]]:
    with reading() as session:
        return [(each.name, each.number, each.share) for each in holders_of(session, certificate.id)]


def test_a_missing_co_owner_is_set_right_field_by_field(estate: Shared) -> None:
    third = samples.Dice(7, "third").identity_number("own", clock.today() - timedelta(12000), male=True)
    before = holders_now(estate.held)
    names = "、".join([*(each.name for each in estate.holders), "欧阳若兰"])
    # As long as names and numbers do not agree, nobody guesses whose is whose; those whom nobody disputed stay holders.
    estate.held = corrected(estate, "holder", names)
    assert holders_now(estate.held) == before
    for who in estate.holders:
        found = estate.counter.query(certificate_type=ESTATE, holder_number=who.number, holder_name=who.name)
        assert [each.identifier for each in found.certificates] == [estate.held.identifier]
        own = estate.session_of(who.number)
        assert estate.held.id in [each.number for each in own_certificates(own)]
    # Not even a correction of something else takes it from them.
    estate.held = corrected(estate, "address", "绍兴市柯桥区鉴湖路71号")
    assert holders_now(estate.held) == before
    new = corrected(estate, "holder_number", "、".join([*(each.number for each in estate.holders), third]))
    with reading() as session:
        assert [each.number for each in holders_of(session, new.id)] == [
            *(each.number for each in estate.holders),
            third,
        ]


@pytest.mark.parametrize(
    ("code", "value"),
    [("holder", "{0}、欧阳若兰、欧阳若云"), ("holder_number", "{0}、330603199001011238、33060319900101333X")],
)
def test_of_an_incomplete_correction_whom_it_does_not_name_any_more_is_no_holder(
    estate: Shared, code: str, value: str
) -> None:
    first = estate.holders[0]
    new = corrected(estate, code, value.format(first.name if code == "holder" else first.number))
    assert holders_now(new) == [(first.name, first.number, first.share)]
    assert (new.holder_name, new.holder_number) == (first.name, first.number)


def test_a_correction_that_leaves_one_holder_of_two_says_no_share_that_is_anothers(estate: Shared) -> None:
    new = corrected(estate, "holder", "欧阳若兰、欧阳若云、欧阳若雨")
    assert [share for _, _, share in holders_now(new)] == [""]


@PLACES
def test_a_corrected_name_of_one_spouse_takes_the_certificate_from_neither(couple: Shared, place: int) -> None:
    first = couple.holders[0]
    who, other = couple.holders[place], couple.holders[1 - place]
    before = {each.field: each for each in couple.holders}
    new = corrected(couple, who.field, "欧阳若兰")
    with reading() as session:
        now = {each.field: each for each in holders_of(session, new.id)}
    assert now[other.field] == before[other.field]
    assert now[who.field].number == who.number
    for number in (first.number, other.number):
        (found,) = couple.counter.query(certificate_type=MARRIAGE, holder_number=number).certificates
        assert found.identifier == new.identifier
    named = of(new, MARRIAGE, holder_number=who.number)
    assert couple.counter.extract(**named, holder_name="欧阳若兰").certificate.identifier == new.identifier
    # The number of the spouse whose name was wrong may be wrong, too.
    couple.held = new
    number = samples.Dice(7, "spouse").identity_number(
        "right", clock.today() - timedelta(12000), who.field == "husband"
    )
    again = corrected(couple, f"{who.field}_number", number)
    with reading() as session:
        assert {each.number for each in holders_of(session, again.id)} == {number, other.number}


@pytest.mark.parametrize("code", ["holder", "holder_number", "share"])
def test_staff_are_told_what_an_incomplete_correction_leaves_to_be_corrected(estate: Shared, code: str) -> None:
    names = "、".join(each.name for each in estate.holders)
    numbers = "、".join(each.number for each in estate.holders)
    said = {
        "holder": (f"{names}、欧阳若兰", ("“权利人证件号码”",)),
        "holder_number": (f"{numbers}、330603199001011238", ("“权利人”",)),
        "share": ("三分之一", ()),
    }
    value, told = said[code]
    with reading() as session:
        old = session.get_one(Certificate, estate.held.id)
        kind = session.get_one(CertificateType, old.type_code)
        assert correct(session, kind, old, code, value, clock.today()).contradicted == told


def test_sole_ownership_of_several_is_told(estate: Shared) -> None:
    with reading() as session:
        old = session.get_one(Certificate, estate.held.id)
        kind = session.get_one(CertificateType, old.type_code)
        after = correct(session, kind, old, "co_ownership", "单独所有", clock.today())
        paper = estate.held.face | {"number": "浙（2020）绍兴市柯桥区不动产权第7777777号", "co_ownership": "单独所有"}
        entry = entered(session, kind, paper, clock.today())
    assert after.contradicted == ("“权利人”", "“权利人证件号码”")
    assert entry.judged.accepted
    assert any("单独所有" in each for each in entry.remarks)


def kind_of(name: str) -> CertificateType:
    with reading() as session:
        return type_named(session, name)


def said_by(kind: CertificateType, face: dict[str, str], held: Certificate) -> tuple[Columns, tuple[Holder, ...]]:
    judge = Judge(paper_type(kind), clock.today(), ())
    return read_off(judge, face, columns_of(held))


def test_a_spouse_without_a_readable_number_is_no_holder_who_could_be_found(couple: Shared) -> None:
    kind, number = kind_of(MARRIAGE), f"{spouse(couple)}_number"
    for text in ("", "没有", "12345", couple.holders[0].number):
        kept, holders = said_by(kind, couple.held.face | {number: text}, couple.held)
        assert kept == columns_of(couple.held)
        assert [each.number for each in holders] == [couple.holders[0].number]


@pytest.mark.parametrize("wrong", ["、12345", "", "、330603199001011238、33060319900101333X"])
def test_a_face_whose_names_and_numbers_do_not_agree_has_the_one_holder(estate: Shared, wrong: str) -> None:
    first = estate.holders[0]
    face = estate.held.face | {"holder_number": first.number + wrong}
    kept, holders = said_by(kind_of(ESTATE), face, estate.held)
    assert [each.number for each in holders] == [first.number] == [kept.holder_number]
    assert kept.holder_name == estate.held.face["holder"]


def test_partners_whom_a_face_does_not_number_stay_holders_after_a_correction(counter: Counter) -> None:
    """Their numbers came beside the face, on a licence of before; no correction may lose them."""
    del counter
    held = valid("道路运输经营许可证")
    kind = kind_of("道路运输经营许可证")
    assert "holder_number" not in kind.names
    two = ("绍兴柯桥甲运输有限公司", held.holder_number), ("绍兴柯桥乙运输有限公司", "91330621MA2XYL5N56")
    with transaction() as session:
        old = session.get_one(Certificate, held.id)
        old.face = old.face | {"holder": "、".join(name for name, _ in two)}
        old.holder_name = two[0][0]
        set_holders(
            session,
            old.id,
            tuple(
                Holder("holder", HolderKind.LEGAL_PERSON, name, NumberKind.CREDIT_CODE, number) for name, number in two
            ),
        )
    with transaction() as session:
        old = session.get_one(Certificate, held.id)
        new = supersede(
            session, old, correct(session, kind, old, "scope", "道路货物专用运输", clock.today()), "YY-1", clock.now()
        )
        assert new.holder_name == two[0][0]
        assert [(each.name, each.number) for each in holders_of(session, new.id)] == list(two)


def test_an_old_paper_of_two_owners_becomes_a_certificate_of_both(estate: Shared) -> None:
    kind = kind_of(ESTATE)
    paper = estate.held.face | {"number": "浙（2020）绍兴市柯桥区不动产权第7777777号"}
    with reading() as session:
        judged = entered(session, kind, paper, clock.today()).judged
        assert judged.accepted
        kept = judged.columns
        assert kept is not None
        assert [(each.name, each.number, each.share) for each in judged.holders(kept)] == [
            (each.name, each.number, each.share) for each in estate.holders
        ]
        one_name = entered(session, kind, paper | {"holder": estate.holders[0].name}, clock.today())
    assert any("个数与持证主体的个数不同" in each for each in one_name.errors)


def counted_today() -> Tallies:
    today = clock.today()
    with reading() as session:
        return tallies_of(session, Period(today, today, today), processes=1)


@PLACES
def test_supervision_counts_a_use_once(couple: Shared, place: int) -> None:
    for _ in range(3):
        couple.counter.extract(**couple.by(couple.holders[place]))
    answered = counted_today().answered
    assert [sum(each.values()) for (_, _, kind), each in answered.items() if kind == couple.held.type_code] == [3]


def test_what_did_not_hold_is_replaced_by_a_valid_use_that_names_the_other_spouse(couple: Shared) -> None:
    first, second = couple.holders
    with transaction() as session:
        session.get_one(Certificate, couple.held.id).state = CertificateState.SUSPENDED
    couple.counter.extract(**couple.by(first), even_if=["suspended"])
    assert [len(each.not_valid) for each in counted_today().matters] == [1]
    with transaction() as session:
        session.get_one(Certificate, couple.held.id).state = CertificateState.VALID
    couple.counter.extract(**couple.by(second))
    assert [len(each.not_valid) for each in counted_today().matters] == []


@pytest.fixture
def city(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The city's platform, which answers for estates."""
    monkeypatch.setattr("gateways.certificate_platform._breaker.rest", 0.0)
    above = Platform("kq-app", "kq-secret", certificates=samples.certificates_above(Bureau.CITY, 1, FEW.holders))
    with running(above) as platform:
        monkeypatch.setenv("EZT_CITY_GATEWAY__URL", platform.url)
        monkeypatch.setenv("EZT_CITY_GATEWAY__APP_KEY", platform.app_key)
        monkeypatch.setenv("EZT_CITY_GATEWAY__APP_SECRET", platform.app_secret)
        forget_settings()
        yield platform
        zhejiang_gateway.close()


def test_what_the_platform_above_says_of_holders_is_taken_over(estate: Shared, city: Platform) -> None:
    first, second = estate.holders
    said = city.certificates[estate.held.identifier]
    said["certData"] = said["certData"] | {"权利人": f"{first.name}、欧阳若兰"}
    with transaction() as session:
        session.get_one(Certificate, estate.held.id).read_at = clock.now() - timedelta(hours=25)
    shown = estate.counter.extract(**estate.by(second))
    assert [each.name for each in shown.holders] == [first.name, "欧阳若兰"]
    # A newer version comes with its holders, too.
    newer = str(parse_identifier(estate.held.identifier).next_version())
    city.certificates[newer] = city.certificates.pop(estate.held.identifier) | {"certIdentifier": newer}
    with transaction() as session:
        session.get_one(Certificate, estate.held.id).read_at = clock.now() - timedelta(hours=25)
    answer = estate.counter.authenticate(**estate.by(second))
    assert (answer.certificate.identifier, answer.state) == (newer, "valid")


def test_every_version_in_the_register_has_its_holders(clerk: Any) -> None:
    """The sample and the trial certificates: the first of the holders is the one in the register's columns."""
    del clerk
    with reading() as session:
        firsts = dict(
            session.execute(
                select(CertificateHolder.certificate_id, CertificateHolder.holder_index).where(
                    CertificateHolder.place == 1
                )
            )
            .tuples()
            .all()
        )
        assert firsts == dict(session.execute(select(Certificate.id, Certificate.holder_index)).tuples().all())
