"""What staff start at the desk: each form, what it says will come of it, the signature, the receipt; and all that can
be wrong with it, the same for every start."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pypdfium2
import pytest
import yaml
from sqlalchemy import delete, func, select

from ezt.desk import HIDDEN, Desk, said_on
from models.backfills import BackfillEntry
from models.cases import Case, Deadline
from models.desk import DeskEntry, DeskEntryFile, DeskSession
from models.notices import OutgoingNotice
from models.objections import Attachment, Objection
from models.organisations import Officer, Role, SpentCode
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.limits import ENTRIES
from runtime import clock
from runtime.database import reading, transaction
from tasks.backfill.questions import BackfillReview, ScanAttached
from tasks.case import answers
from tasks.case.start import Start
from tasks.desk import entries
from tasks.desk.postings import Posted, posted_letter, posting_list, register_posted
from tasks.desk.sheets import sheet_of
from tasks.desk.starts import STARTS
from tasks.desk.to_do import Urgency
from tasks.objections.kind import OBJECTION_TO_PARTY
from tests.conftest import Time, at_desk, certificate_of, facts_of, listed_for, read_at_desk
from tests.desk.starting import CIVIL, DIRECTOR, FILLED
from web.desk.fields import Shown, shown

ROOT = Path(__file__).parents[2]
STORIES = {each["name"]: each for each in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
EVERY = pytest.mark.parametrize("code", STARTS)


class Unhurried(Desk):
    """The desk in a browser. Nobody waits half a minute here for the next code: that each counts once is tested
    elsewhere."""

    def sign(self, staff_no: str) -> dict[str, str]:
        with transaction() as session:
            session.execute(delete(SpentCode).where(SpentCode.staff_no == staff_no))
            secret = session.get_one(Officer, staff_no).code_secret
        return {"staff_no": staff_no, "code": pyotp.TOTP(secret).now()}


@pytest.fixture
def desk(web: str, configure: Callable[..., None]) -> Iterator[Desk]:
    """The desk in a browser, with one-time codes."""
    configure(EZT_ONE_TIME_CODES="true")
    opened = Unhurried(None, web)  # type: ignore[arg-type]
    yield opened
    opened.close()


def text_of(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page))


class Walk:
    """One start on its way through the pages."""

    def __init__(self, desk: Desk, code: str, by: str = DIRECTOR, entry: str = "") -> None:
        self.desk, self.code, self.by = desk, code, by
        self.where = f"/desk/start/{code}"
        page = self.browser.get(self.where, params={"entry": entry} if entry else {}).text
        self.hidden = dict(HIDDEN.findall(page.rpartition('id="start"')[2]))

    @property
    def browser(self) -> httpx.Client:
        return self.desk.browser(self.by)

    @property
    def entry(self) -> str:
        return self.hidden["entry"]

    def send(self, typed: dict[str, str], do: str = "check", **more: Any) -> httpx.Response:
        return self.browser.post(f"{self.where}/form", data=self.hidden | typed | {"do": do}, **more)

    def to_sign(self) -> dict[str, str]:
        page = self.browser.get(f"{self.where}/sign", params={"entry": self.entry}).text
        return dict(HIDDEN.findall(page.rpartition('id="answer"')[2]))

    def sign(self, hidden: dict[str, str], code: str = "") -> httpx.Response:
        code = code or self.desk.sign(self.by)["code"]
        return self.browser.post(f"{self.where}/sign", data=hidden | {"code": code})

    def typed(self) -> dict[str, str]:
        """What is kept."""
        return kept(self.entry).typed


def kept(entry_id: str) -> DeskEntry:
    with reading() as session:
        return session.get_one(DeskEntry, entry_id)


def state() -> tuple[int, int]:
    """What a start would change, roughly: cases, and what is on record."""
    begun = AuditEntry.tag.not_in(
        ("desk:session:begun", "desk:session:ended", "desk:entry:foreseen", "case:sheet:read")
    )
    with reading() as session:
        return tuple(  # type: ignore[return-value]
            session.scalar(wanted) or 0
            for wanted in (
                select(func.count(Case.case_no)),
                select(func.count(AuditEntry.id)).where(begun),
            )
        )


def flat(fields: list[Shown]) -> list[Shown]:
    """All fields of a form, those within others too."""
    found = []
    for field in fields:
        inner = [*field.parts, *(part for row in field.rows for part in row)]
        found += flat(inner) if inner else [field]
    return found


# Parts


def starts_made() -> list[type[Start]]:
    def below(kind: type[Start]) -> Iterator[type[Start]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    return [each for each in below(Start) if each.__module__.startswith("tasks.")]


def test_every_start_is_entered_once_and_filled_in_here() -> None:
    assert sorted(each.__name__ for each in starts_made()) == sorted(each.__name__ for each in STARTS.values())
    assert STARTS.keys() == FILLED.keys()


@EVERY
def test_a_start_has_all_its_parts(code: str) -> None:
    about = STARTS[code].about
    assert about.code == code
    for part in (about.named, about.group, about.does):
        assert part
        assert not part.isascii()
    assert about.article == "" or re.fullmatch("第[一二三四五六七八九十]+条", about.article)
    assert about.deployment in STORIES, f"{code} has no deployment"
    assert about.leads <= set(STARTS[code].model_fields)
    assert STARTS[code].begin is not Start.begin
    for field in shown(STARTS[code]):
        assert not field.title.isascii()


# The way through


@EVERY
def test_it_is_shown_signed_once_and_has_a_receipt(desk: Desk, code: str) -> None:
    walk, typed = Walk(desk, code), FILLED[code]()
    before = state()
    answer = walk.send(typed)
    assert answer.status_code == 303, said_on(answer.text)
    page = walk.browser.get(answer.headers["location"]).text
    for text in typed.values():
        assert text in text_of(page), text
    assert "将要登记" in page
    # Nothing of what was shown is there.
    assert state() == before
    hidden = walk.to_sign()
    done = walk.sign(hidden)
    assert done.status_code == 303, said_on(done.text)
    receipt = walk.browser.get(done.headers["location"]).text
    sentence = kept(walk.entry).came_of_it["sentence"]
    assert sentence in text_of(receipt)
    case_no = kept(walk.entry).case_no
    if case_no:
        assert f'href="/desk/cases/{case_no}"' in receipt
    after = state()
    # Sent again, gone back, opened in a second window: it is the same thing, and there is the same receipt.
    there = done.headers["location"]
    assert parse_qs(urlsplit(there).query)["entry"] == [walk.entry]
    assert walk.sign(hidden).headers["location"] == there
    assert walk.send(typed).headers["location"] == there
    for page in (f"{walk.where}?entry={walk.entry}", f"{walk.where}/sign?entry={walk.entry}"):
        assert walk.browser.get(page).headers["location"] == there
    assert state() == after
    assert walk.typed() == {}
    with reading() as session:
        signed = session.scalars(select(AuditEntry).where(AuditEntry.tag == "desk:entry:signed")).one()
    assert (signed.actor, signed.detail["start"], signed.detail["case"]) == (DIRECTOR, code, case_no)


@EVERY
def test_whatever_is_wrong_is_said_beside_its_field_and_nothing_is_lost(desk: Desk, code: str) -> None:
    walk, typed = Walk(desk, code), FILLED[code]()
    before = state()
    # Empty.
    answer = walk.send({})
    assert answer.status_code == 422
    required = [field for field in shown(STARTS[code]) if field.required]
    for field in required:
        assert f'id="{field.name}-wrong"' in answer.text, field.name
    # One field left out.
    name = required[-1].name
    some = {each: text for each, text in typed.items() if each.partition("-")[0] != name}
    answer = walk.send(some)
    assert answer.status_code == 422
    assert walk.typed().items() >= {each: text for each, text in some.items() if text}.items()
    assert f'href="/desk/start/{code}?entry={walk.entry}"' in walk.browser.get("/desk/start").text
    # Too long.
    texts = [each for each in flat(shown(STARTS[code], typed=typed)) if each.control in ("text", "area")]
    long = {each.name: "长" * (each.most + 3000) for each in texts}
    long |= {name: "长" * 4000 for name in typed if name.startswith("values-")}
    if long:
        answer = walk.send(typed | long)
        assert answer.status_code == 422
        assert walk.typed().items() >= long.items()
        for name in long:
            assert f'id="{name}-wrong"' in answer.text or name.startswith("values-"), name
    # No days.
    days = [each.name for each in flat(shown(STARTS[code], typed=typed)) if each.control == "date"]
    for none in ("2026-02-30", "昨天", "0", "2026/13/01") if days else ():
        answer = walk.send(typed | dict.fromkeys(days, none))
        assert answer.status_code == 422
        assert "不是有效日期" in answer.text
        for name in days:
            assert f'id="{name}-wrong"' in answer.text
    # Nothing of a choice, and control characters.
    odd = {each.name: "没有的" for each in flat(shown(STARTS[code])) if each.control in ("radio", "select")}
    odd |= {each.name: "a\x00b" for each in texts}
    assert walk.send(typed | odd).status_code == 422
    assert state() == before


def wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in text)


@EVERY
def test_pasted_blanks_marks_that_nobody_sees_and_wide_digits_are_no_mistake(desk: Desk, code: str) -> None:
    walk, typed = Walk(desk, code), FILLED[code]()
    fields = {each.name: each for each in flat(shown(STARTS[code], typed=typed))}
    texts = {name for name, each in fields.items() if each.control in ("text", "area")}
    texts |= {name for name in typed if name.startswith("values-")}
    pasted = {
        name: f"\ufeff {text[:1]}\u200b{text[1:]}\u3000" if name in texts else text for name, text in typed.items()
    }
    numbers = {name for name, each in fields.items() if each.control in ("date", "number") or name == "phone"}
    pasted |= {name: wide(typed[name]) for name in numbers & typed.keys()}
    answer = walk.send(pasted)
    assert answer.status_code == 303, said_on(answer.text)
    assert walk.sign(walk.to_sign()).status_code == 303


@EVERY
def test_what_was_sent_when_nobody_was_signed_in_any_more_is_there_again(desk: Desk, code: str) -> None:
    walk, typed = Walk(desk, code), FILLED[code]()
    with transaction() as session:
        for each in session.scalars(select(DeskSession)):
            each.seen_at -= timedelta(hours=1)
    answer = walk.send(typed)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/desk/sign-in?back=%2Fdesk%2Fstart%2F" + code)
    desk.close()
    back = walk.browser.get(walk.where, follow_redirects=True)
    assert "登录过期前您填写的内容还在下面" in back.text
    assert walk.typed().items() >= typed.items()
    walk.hidden = dict(HIDDEN.findall(back.text.rpartition('id="start"')[2]))
    answer = walk.send(typed)
    assert answer.status_code == 303, said_on(answer.text)
    assert walk.sign(walk.to_sign()).status_code == 303


@EVERY
def test_a_signature_is_for_what_was_seen_by_who_typed_it_with_a_right_code(desk: Desk, code: str) -> None:
    walk, typed = Walk(desk, code), FILLED[code]()
    assert walk.send(typed).status_code == 303
    before = state()
    hidden = walk.to_sign()
    answer = walk.sign(hidden, "000000")
    assert answer.status_code == 403
    assert 'id="code-wrong"' in answer.text
    assert state() == (before[0], before[1] + 1)
    # Changed in another window.
    entries.keep(walk.entry, code, at_desk(DIRECTOR), typed | {"phrase": "改过"})
    answer = walk.sign(hidden)
    assert answer.status_code == 409
    assert "又改过" in answer.text
    assert state() == (before[0], before[1] + 1)
    before = state()
    other = Walk(desk, code, "KQ001")
    for page in ("", "/sign", "/done"):
        found = other.browser.get(f"{walk.where}{page}", params={"entry": walk.entry})
        assert (found.status_code, "没有这份登记" in found.text) == (404, True)
    key = {"form_key": other.hidden.get("form_key", "")} if other.hidden else {}
    if key:
        code_of_other = desk.sign("KQ001")["code"]
        stolen = other.browser.post(f"{walk.where}/sign", data=hidden | key | {"code": code_of_other})
        assert stolen.status_code == 404
        # Who may not start it at all is told so before anything is looked up.
        refused = 409 if STARTS[code].about.only_directors else 404
        kept_by_other = other.browser.post(f"{walk.where}/form", data=walk.hidden | key | {"do": "keep"})
        assert kept_by_other.status_code == refused
    assert state() == before
    assert walk.sign(walk.to_sign()).status_code == 303


def test_an_auditor_does_not_end_what_a_run_has_opened(desk: Desk) -> None:
    opened = entries.open_for_run("objection", "00000000-0000-0000-0000-000000000001")
    with transaction() as session:
        session.get_one(Officer, "KQ003").role = Role.AUDITOR
    browser = desk.browser("KQ003")
    key = dict(HIDDEN.findall(browser.get("/desk/start").text))["form_key"]
    refused = browser.post("/desk/start/objection/drop", data={"form_key": key, "entry": opened.id})
    assert "审计人员只能查看" in refused.text
    assert kept(opened.id).expires_at > clock.now()


@EVERY
def test_auditors_start_nothing(desk: Desk, code: str) -> None:
    with transaction() as session:
        session.get_one(Officer, "KQ003").role = Role.AUDITOR
    page = desk.browser("KQ003").get(f"/desk/start/{code}").text
    assert "审计人员只能查看" in page
    assert 'id="start"' not in page
    key = {"form_key": re.findall(r'name="form_key" value="(\w+)"', page)[0]}
    sent = desk.browser("KQ003").post(f"/desk/start/{code}/form", data=key | {"do": "find", "find": "1"})
    assert (sent.status_code, "审计人员只能查看" in sent.text) == (409, True)


# What is kept


def test_an_entry_is_gone_tomorrow(desk: Desk) -> None:
    walk = Walk(desk, "objection")
    assert walk.send(FILLED["objection"](), "keep").headers["location"] == "/desk/start?said=kept"
    assert entries.forget_entries(clock.now()) == 0
    assert entries.forget_entries(clock.now() + timedelta(days=1, minutes=1)) == 1
    assert walk.typed() == {}
    entries.forget_entries(clock.now() + timedelta(days=9))
    with reading() as session:
        assert session.get(DeskEntry, walk.entry) is None


def test_files_are_kept_with_what_was_typed_and_go_with_the_case(desk: Desk) -> None:
    walk, typed = Walk(desk, "objection"), FILLED["objection"]()
    answer = walk.send({}, files=[("files", ("门牌证.png", PNG)), ("files", ("a.exe", b"MZ"))])
    assert answer.status_code == 422
    assert "“a.exe”的内容不是" in text_of(answer.text)
    assert "门牌证.png" in answer.text
    for _ in range(2):
        assert walk.send(typed, files=[("files", ("门牌证.png", PNG))]).status_code == 303
    with reading() as session:
        (number,) = session.scalars(select(DeskEntryFile.id))
    assert walk.sign(walk.to_sign()).status_code == 303
    case_no = kept(walk.entry).case_no
    assert "门牌证.png" in walk.browser.get(f"/desk/cases/{case_no}").text
    with reading() as session:
        assert session.get(DeskEntryFile, number) is None


def test_a_file_can_be_left_out_again_and_an_entry_given_up(desk: Desk) -> None:
    walk = Walk(desk, "objection")
    walk.send({}, "keep", files=[("files", ("门牌证.png", PNG))])
    with reading() as session:
        (number,) = session.scalars(select(DeskEntryFile.id))
    assert "门牌证.png" not in walk.send({"drop": str(number)}, "").text
    gone = walk.browser.post(f"{walk.where}/drop", data=walk.hidden)
    assert gone.headers["location"] == "/desk/start?said=dropped"
    assert walk.browser.get(walk.where, params={"entry": walk.entry}).status_code == 404


def test_starts_are_found_by_words(desk: Desk) -> None:
    page = desk.browser(DIRECTOR).get("/desk/start", params={"q": "老证照"}).text
    assert re.findall(r'href="/desk/start/([\w-]+)"', page) == ["backfill"]
    assert "没有“鼎”这样的登记" in desk.browser(DIRECTOR).get("/desk/start?q=鼎").text
    assert desk.browser(DIRECTOR).get("/desk/start/nothing").status_code == 404


def test_what_the_system_doubts_is_said_before_it_is_signed_and_not_on_the_receipt(desk: Desk) -> None:
    walk = Walk(desk, "objection")
    unknown = FILLED["objection"]() | {"certificate_type": "没有的证照", "certificate": "NO-1", "field": "没有的项目"}
    assert walk.send(unknown).status_code == 303
    page = desk.browser(DIRECTOR).get(f"{walk.where}/sign", params={"entry": walk.entry}).text
    said = "证照目录中没有所填的证照类型"
    assert said in page.partition("登记前请再看一下")[2].partition("填写的内容")[0]
    assert walk.sign(walk.to_sign()).status_code == 303
    assert kept(walk.entry).case_no is not None
    receipt = desk.browser(DIRECTOR).get(f"{walk.where}/done", params={"entry": walk.entry}).text
    assert said not in receipt
    assert "系统提示" not in receipt
    assert said in desk.page(str(kept(walk.entry).case_no), DIRECTOR)


def test_unfinished_ones_are_told_from_each_other_and_are_not_without_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "ENTRIES", replace(ENTRIES, value=2))
    for name in ("俞小云", "陈丽华"):
        walk = Walk(desk, "objection")
        walk.send({"objector_name": name}, "keep")
    page = desk.browser(DIRECTOR).get("/desk/start").text
    assert re.search(r"<small>[^<]*俞小云", page)
    assert re.search(r"<small>[^<]*陈丽华", page)
    refused = Walk(desk, "objection").send({"objector_name": "第三人"}, "keep")
    assert "未完成的登记已有2件" in refused.text
    assert refused.status_code == 422
    assert 'value="第三人"' in refused.text
    # One that is there already goes on.
    assert walk.send({"objector_name": "陈丽华二"}, "keep", follow_redirects=True).status_code == 200


def test_what_is_kept_and_gone_on_with_is_one_entry_with_the_files_of_each_time(desk: Desk) -> None:
    """Kept without a file, opened again, loaded anew, kept with one: neither a second draft nor a lost file."""
    walk = Walk(desk, "objection")
    walk.send(FILLED["objection"](), "keep")
    again = Walk(desk, "objection", entry=walk.entry)
    again = Walk(desk, "objection", entry=again.entry)
    added = [("files", ("材料.png", PNG, "image/png"))]
    assert again.send(FILLED["objection"](), "keep", files=added).status_code == 303
    with reading() as session:
        assert session.scalars(select(DeskEntry.id)).all() == [walk.entry]
    last = Walk(desk, "objection", entry=walk.entry)
    assert last.send(FILLED["objection"]()).status_code == 303
    assert last.sign(last.to_sign()).status_code == 303
    with reading() as session:
        case_no = kept(walk.entry).case_no
        names = session.scalars(select(Attachment.name).where(Attachment.case_no == case_no)).all()
    assert names == ["材料.png"]


def test_more_lines_than_a_form_takes_are_refused_not_dropped(desk: Desk) -> None:
    walk = Walk(desk, "system-review")
    typed = FILLED["system-review"]() | {f"items-{number}-item_code": f"{number:09}" for number in range(201)}
    answer = walk.send(typed)
    assert answer.status_code == 422
    assert "最多200行，填写了201行" in answer.text


# When an objection came

FRIDAY = datetime.fromisoformat("2026-03-06T16:30:00+08:00")


def objection_received(desk: Desk, **typed: str) -> str:
    """A walk through 登记异议; the case, or what the page says is wrong."""
    walk = Walk(desk, "objection")
    answer = walk.send(FILLED["objection"]() | typed, files=[("files", ("来信.png", PNG))] if "scan" in typed else None)
    if answer.status_code == 303:
        answer = walk.browser.get(answer.headers["location"])
    if answer.status_code != 200:
        return said_on(answer.text)
    hidden = dict(HIDDEN.findall(answer.text.rpartition('id="answer"')[2]))
    assert walk.sign(hidden).status_code == 303
    return str(kept(walk.entry).case_no)


def test_a_letter_that_came_on_friday_and_is_typed_on_monday_counts_from_friday(web: str, present: Time) -> None:
    present.now = FRIDAY + timedelta(days=3)
    desk = Unhurried(None, web)  # type: ignore[arg-type]
    said = {"way": "来信", "received_on": "2026-03-06"}
    assert "须附来件的扫描件" in objection_received(desk, **said)
    case_no = objection_received(desk, **said, scan="")
    with reading() as session:
        deadlines = session.scalars(select(Deadline).where(Deadline.case_no == case_no)).all()
        case = session.get_one(Case, case_no)
        letter = session.scalars(
            select(OutgoingNotice.context).where(OutgoingNotice.notice == "objection-registered")
        ).one()
    assert str(case.received_on) == letter["received_on"] == "2026-03-06"
    assert {str(each.starts_on) for each in deadlines} == {"2026-03-06"}
    # The fifth working day after Friday is the next one.
    assert letter["due_on"] == "2026-03-13"
    for kind in (None, OBJECTION_TO_PARTY):
        assert dict(sheet_of(case_no, kind).lines)["收到方式"] == "来信"
    desk.close()


def test_what_came_long_ago_says_why_and_is_late_from_the_start(web: str, present: Time) -> None:
    present.now = FRIDAY
    desk = Unhurried(None, web)  # type: ignore[arg-type]
    assert "不能晚于今天" in objection_received(desk, received_on="2026-03-07")
    assert "不能早于2025-03-06" in objection_received(desk, received_on="2025-03-05")
    # Five working days ago needs no reason, six do: the Saturday between was a working day.
    assert objection_received(desk, received_on="2026-02-28").startswith("YY-")
    assert "已超过5个工作日，请写明" in objection_received(desk, received_on="2026-02-27", proposed="另一处")
    why = "来信误投其他科室，今日转来"
    case_no = objection_received(desk, received_on="2026-02-25", late_why=why, proposed="又一处", field="有效期")
    assert dict(sheet_of(case_no).lines)["迟登记的原因"] == why
    assert why not in str(sheet_of(case_no, OBJECTION_TO_PARTY))
    assert listed_for()[case_no].urgency is Urgency.OVERDUE
    desk.close()


def test_whoever_has_neither_e_mail_nor_telephone_objects_and_is_written_to(web: str, present: Time) -> None:
    desk = Unhurried(None, web)  # type: ignore[arg-type]
    nothing = {"email": "", "phone": "", "received_on": str(clock.today())}
    assert "请填写通信地址" in objection_received(desk, **nothing)
    address = "绍兴市柯桥区漓渚镇棠棣村1号"
    case_no = objection_received(desk, **nothing, postal_address=address)
    assert facts_of(read_at_desk(case_no, DIRECTOR))["联系方式"] == address
    (letter,) = [each for each in posting_list(at_desk(DIRECTOR)).notices if each.case_no == case_no]
    assert (letter.to, letter.address) == ("俞小云", address)
    _, pdf = posted_letter(letter.id, at_desk(DIRECTOR))
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    assert address in re.sub(r"\s", "", text)
    register_posted({letter.id: Posted(address, "XA12345678933")}, clock.today(), "", at_desk(DIRECTOR))
    assert any("已邮寄" in what for _, what in sheet_of(case_no, OBJECTION_TO_PARTY).timeline)
    desk.close()


def test_at_the_counter_a_department_is_one_on_file(web: str, present: Time) -> None:
    desk = Unhurried(None, web)  # type: ignore[arg-type]
    given = {"objector_kind": "使用部门", "received_on": str(clock.today())}
    assert "没有这个使用部门，是不是：绍兴市柯桥区民政局" in objection_received(
        desk, **given, objector_name="柯桥民政局"
    )
    assert objection_received(desk, **given, objector_name=CIVIL).startswith("YY-")
    desk.close()


# What a form offers


def test_certificates_are_looked_up_by_their_holder_s_number_on_record(desk: Desk) -> None:
    held, kind = certificate_of(Level.CITY)
    walk = Walk(desk, "objection")
    page = walk.send({"find": held.holder_number, "objector_name": "俞小云"}, "find").text
    values = [unescape(each) for each in re.findall(r'name="found" value="([^"]+)"', page)]
    (chosen,) = [each for each in values if held.number in each or held.identifier in each]
    # The holder is masked, and what was typed stays.
    assert held.holder_name not in page
    assert 'value="俞小云"' in page
    page = walk.send({"found": chosen, "field": kind.names["address"]}, "found").text
    assert f'name="certificate_type" type="text" value="{kind.name}"' in page
    assert str(held.face["address"]) in page
    with reading() as session:
        looked = session.scalars(select(AuditEntry).where(AuditEntry.tag == "register:certificates:looked-up")).all()
    # The search, and the value that was filled in; whose it was.
    assert [each.actor for each in looked] == [DIRECTOR, DIRECTOR]
    assert held.root in looked[0].detail["roots"]
    assert looked[1].detail["roots"] == [held.root]
    assert held.holder_number not in str([each.detail for each in looked])
    assert "没有找到" in walk.send({"find": "330621199001011234"}, "find").text


def test_a_type_has_its_fields_with_examples(desk: Desk) -> None:
    walk = Walk(desk, "backfill")
    assert "先选上面的证照类型" in walk.send({}, "look").text
    page = text_of(walk.send({"certificate_type": "结婚证"}, "look").text)
    for told in ("结婚证字号", "登记日期", "如2012年3月5日", "男方公民身份号码"):
        assert told in page


def test_what_is_wrong_on_a_paper_stands_beside_its_field(desk: Desk) -> None:
    walk, typed = Walk(desk, "backfill"), FILLED["backfill"]()
    (name,) = [name for name, text in typed.items() if text == "1998年5月12日"]
    page = walk.send(typed | {name: "98年5月12日"}).text
    assert f'id="{name}-wrong"' in page
    assert 'value="98年5月12日"' in page


def test_the_preview_says_the_day_the_limit_ends_day_by_day_and_the_letters(desk: Desk) -> None:
    walk = Walk(desk, "objection")
    walk.send(FILLED["objection"]())
    page = text_of(walk.browser.get(f"{walk.where}/sign", params={"entry": walk.entry}).text)
    for told in (
        "第5个工作日",
        "收到当日不计入",
        "yuxiaoyun@example.com",
        "向省、市大数据局提出核实需求",
        "经办人：工号KQ",
    ):
        assert told in page


def test_somebody_else_s_case_is_not_given_away(desk: Desk) -> None:
    typed = FILLED["hand-over"]()
    with reading() as session:
        own = session.get_one(Case, typed["case_no"]).officer_no
    other = next(no for no in ("KQ001", "KQ002", "KQ003") if no not in (own, typed["to"]))
    answer = Walk(desk, "hand-over", other).send(typed)
    assert answer.status_code == 422
    assert f"本件由工号{own}办理" in text_of(answer.text)
    assert 'id="case_no-wrong"' in answer.text


def test_whoever_entered_a_paper_adds_its_scan_and_does_not_review_it(desk: Desk) -> None:
    walk = Walk(desk, "backfill", "KQ001")
    assert walk.send(FILLED["backfill"]()).status_code == 303
    assert "还缺扫描件" in walk.browser.get(walk.sign(walk.to_sign()).headers["location"]).text
    case_no = kept(walk.entry).case_no
    assert case_no is not None
    assert answers.answer_or_wait(case_no, ScanAttached, 1) is None
    with reading() as session:
        reviewer = session.get_one(Case, case_no).officer_no
    assert reviewer != "KQ001"
    # What is missing is said on the page of both.
    for staff_no in ("KQ001", reviewer):
        assert "等待纸质证照的扫描件" in text_of(desk.page(case_no, staff_no))
    key = {"form_key": HIDDEN.findall(desk.page(case_no, "KQ001"))[0][1]}
    added = walk.browser.post(f"/desk/cases/{case_no}/files", data=key, files=[("files", ("扫描件.png", PNG))])
    assert added.headers["location"].endswith("?said=added")
    assert answers.answer_or_wait(case_no, BackfillReview, 1) is None
    assert "补录人不能审核自己补录的证照" in text_of(desk.page(case_no, "KQ001"))
    assert 'id="answer"' not in desk.page(case_no, "KQ001")
    assert 'id="answer"' in desk.page(case_no, reviewer)


def test_what_is_signed_is_what_was_shown_whatever_was_sent_beside_it(desk: Desk) -> None:
    """A box, a field of a group or a file that the page does not have says nothing."""
    walk, typed = Walk(desk, "objection"), FILLED["objection"]()
    assert walk.send(typed | {"grounds-77": "完整性"}).status_code == 303
    case_no = parse_qs(urlsplit(walk.sign(walk.to_sign()).headers["location"]).query)["entry"][0]
    with reading() as session:
        assert session.get_one(Objection, kept(case_no).case_no).grounds == ["准确性"]
    walk, typed = Walk(desk, "backfill"), FILLED["backfill"]()
    assert walk.send(typed | {"values-持证人": "王五"}).status_code == 303
    assert walk.sign(walk.to_sign()).status_code == 303
    with reading() as session:
        assert "王五" not in str(session.scalars(select(BackfillEntry)).one().given)
    walk = Walk(desk, "leave")
    answer = walk.send(FILLED["leave"](), files=[("files", ("附件.png", PNG))])
    assert (answer.status_code, "这项登记不收附件" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("code", "field", "said"),
    [("leave-change", "leave", "没有这次休假"), ("paper-exception-end", "number", "没有这一项法定纸质例外")],
)
def test_a_number_that_nothing_has_is_said(desk: Desk, code: str, field: str, said: str) -> None:
    answer = Walk(desk, code).send(FILLED[code]() | {field: "9" * 20})
    assert (answer.status_code, said in answer.text) == (422, True)
