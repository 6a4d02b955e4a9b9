"""The use list is kept up (动态管理, Article 9): departments are asked about entries that nobody uses or has confirmed,
what they answer is carried out, and refused uses are reported to staff."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from models.certificates import CertificateType
from models.organisations import Department
from models.records import AuditEntry
from models.use_lists import EntryEnquiry, UseListEntry, UseListVersion
from notifications.notices import EntryLine, UseListEnquired
from notifications.outbox import queue
from regulation.certificate_use import ANSWERED, REFUSED
from regulation.limits import ENQUIRY_ANSWER, REFUSED_USES, UNUSED_ENTRY
from regulation.use_lists import ends_from, enquiry_due
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.case.department_links import link_index, new_link
from tasks.case.department_mail import letters_to
from tasks.case.kind import Table
from tasks.case.numbers import locked_counter
from tasks.office.departments import department_names
from tasks.office.staff_tasks import open_staff_task
from tasks.register.trial_holders import REAL
from tasks.register.types import type_names
from tasks.use_list.standing import end_entry, identity_of, in_force, terms_of
from tasks.use_list.steps import LINES_IN_A_NOTICE

REPORTED = "use-list:refusals:reported"
NOTHING_CHOSEN = "没有选择任何条目，请对至少一个条目选择“仍需要”或“不再需要”。"


def ask_about_entries(at: datetime) -> int:
    """Ask each department about its entries that have not been used or confirmed for long (``enquiry_due``); about how
    many entries.

    One mail a department with one private link. An entry that is asked about already is not asked about again until
    that is answered.
    """
    today = clock.local_date(at)
    with transaction() as session:
        # One watch at a time, or two of them would ask the same twice.
        locked_counter(session, "use-list-watch", today.year)
        open_ones = set(session.scalars(select(EntryEnquiry.entry_id).where(EntryEnquiry.keep.is_(None))))
        confirmed = dict(
            session.execute(
                select(EntryEnquiry.entry_id, func.max(EntryEnquiry.answered_at))
                .where(EntryEnquiry.keep.is_(True))
                .group_by(EntryEnquiry.entry_id)
            )
            .tuples()
            .all()
        )
        used = _used_since(session, today - timedelta(days=UNUSED_ENTRY.value))
        due = defaultdict(list)
        for entry, version in in_force(session, today):
            confirmed_at = confirmed.get(entry.id)
            confirmed_on = clock.local_date(confirmed_at) if confirmed_at else None
            why = enquiry_due(version.in_force_from, used.get(entry.id), confirmed_on, today)
            if why is not None and entry.id not in open_ones:
                due[entry.department_uscc].append((entry, version, why))
        due_on, provisional = working_days(session).due_date(today, ENQUIRY_ANSWER.value)
        kinds = _kinds(session)
        for uscc, asked in due.items():
            link = new_link(EntryEnquiry)
            session.add_all(
                EntryEnquiry(entry_id=entry.id, why=why, asked_on=today, due_on=due_on, **link)
                for entry, _, why in asked
            )
            lines = [
                EntryLine(
                    line=place,
                    item=f"{version.item_name}（{entry.item_code}）",
                    certificate=kinds[entry.type_code].name,
                    scenario=entry.scenario,
                    what=why,
                )
                for place, (entry, version, why) in enumerate(asked, 1)
            ]
            department = session.get_one(Department, uscc)
            key, what = f"use-list-enquiry:{link['token_index']}", f"用证清单{len(asked)}个条目的询问"
            for recipient, address in letters_to(session, department, key, what, at):
                notice = UseListEnquired(
                    recipient=recipient,
                    department=department.name,
                    lines=lines[:LINES_IN_A_NOTICE],
                    more=max(0, len(lines) - LINES_IN_A_NOTICE),
                    due_on=due_on,
                    provisional=provisional,
                    link=enquiry_link(link["token"]),
                )
                queue(session, notice, address, key=key, case_no=None, at=at)
            record(session, "use-list:enquiry:sent", None, "system", at, department=uscc, entries=len(asked))
        return sum(map(len, due.values()))


def enquiry_link(token: str) -> str:
    """The address under which a department answers."""
    return f"{settings().public_url}/use-list/enquiries/{token}"


def _kinds(session: Session) -> dict[str, CertificateType]:
    return {kind.code: kind for kind in session.scalars(select(CertificateType))}


def _used_since(session: Session, day: date) -> dict[int, date]:
    """Of each entry the last day on which it was used, if that is not before ``day``."""
    number = AuditEntry.detail["entry"].as_integer()
    wanted = (
        select(number, func.max(AuditEntry.at))
        .where(AuditEntry.tag.in_(ANSWERED), REAL, AuditEntry.at >= clock.start_of(day))
        .group_by(number)
    )
    return {entry: clock.local_date(last) for entry, last in session.execute(wanted) if entry is not None}


@dataclass(frozen=True, slots=True)
class AskedEntry:
    """An entry that a department is asked about, as it sees it. ``keep`` is what was answered; ``listed``: the entry
    still stands there."""

    number: int
    item_code: str
    item_name: str
    certificate_type: str
    scenario: str
    why: str
    due_on: date
    keep: bool | None
    listed: bool


def enquiries_of_token(token: str) -> tuple[str, list[AskedEntry]]:
    """The department's name and the enquiries behind a private link. ``LookupError`` when there are none."""
    with reading() as session:
        rows = _enquiries(session, EntryEnquiry.token_index == link_index(EntryEnquiry, token))
        if not rows:
            raise LookupError("链接无效，请核对后重试，或联系本中心。")
        uscc = session.get_one(UseListEntry, session.get_one(EntryEnquiry, rows[0].number).entry_id).department_uscc
        return session.get_one(Department, uscc).name, rows


def open_enquiries(session: Session, department_uscc: str) -> list[AskedEntry]:
    """What a department has not answered yet."""
    return _enquiries(session, EntryEnquiry.keep.is_(None), UseListEntry.department_uscc == department_uscc)


def _enquiries(session: Session, *which: ColumnElement[bool]) -> list[AskedEntry]:
    today = clock.today()
    kinds = _kinds(session)
    listed = {entry.id for entry, _ in in_force(session, ends_from(today))}
    version = aliased(UseListVersion)
    newest = select(func.max(version.id)).where(version.entry_id == UseListEntry.id).scalar_subquery()
    wanted = (
        select(EntryEnquiry, UseListEntry, UseListVersion.item_name)
        .join(UseListEntry, UseListEntry.id == EntryEnquiry.entry_id)
        .join(UseListVersion, UseListVersion.id == newest)
        .where(*which)
    )
    return [
        AskedEntry(
            number=enquiry.id,
            item_code=entry.item_code,
            item_name=item_name,
            certificate_type=kinds[entry.type_code].name,
            scenario=entry.scenario,
            why=enquiry.why,
            due_on=enquiry.due_on,
            keep=enquiry.keep,
            listed=entry.id in listed,
        )
        for enquiry, entry, item_name in session.execute(wanted.order_by(EntryEnquiry.id)).tuples()
    ]


def answer_by_link(token: str, answers: Mapping[int, bool]) -> int:
    """What a department answers behind its private link; see ``_answer``. ``LookupError`` for an unknown link."""
    _, asked = enquiries_of_token(token)
    waiting = [str(each.number) for each in asked if each.keep is None and each.listed]
    if waiting and not answers:
        raise InputError.of(waiting[0], NOTHING_CHOSEN)
    return _answer(EntryEnquiry.token_index == link_index(EntryEnquiry, token), answers, "liaison-link")


def answer_as_department(department_uscc: str, answers: Mapping[int, bool], application_key: str) -> int:
    """What a department's application answers; see ``_answer``."""
    return _answer(UseListEntry.department_uscc == department_uscc, answers, application_key)


def _answer(which: ColumnElement[bool], answers: Mapping[int, bool], by: str) -> int:
    """Record for each enquiry, by its number, whether the entry is still needed, and end those that are not; how many
    answers are new. All of them or none.

    Raises ``InputError`` for numbers that were not asked, ``RefusalError`` for what was answered otherwise before.
    """
    if not answers:
        raise InputError(NOTHING_CHOSEN)
    with transaction() as session:
        now = clock.now()
        wanted = (
            select(EntryEnquiry, UseListEntry)
            .join(UseListEntry, UseListEntry.id == EntryEnquiry.entry_id)
            .where(which, EntryEnquiry.id.in_(answers))
            .order_by(EntryEnquiry.id)
            .with_for_update(of=EntryEnquiry)
        )
        found = {enquiry.id: (enquiry, entry) for enquiry, entry in session.execute(wanted).tuples()}
        if strangers := sorted(set(answers) - set(found)):
            raise InputError(f"没有向本部门询问过编号为{'、'.join(map(str, strangers))}的条目，请核对。")
        changed = 0
        for number, keep in sorted(answers.items()):
            enquiry, entry = found[number]
            if enquiry.keep is not None and enquiry.keep != keep:
                said = "仍需要" if enquiry.keep else "不再需要"
                raise RefusalError(f"条目{number}已答复“{said}”；如有变化，请提出新的用证清单。")
            if enquiry.keep is None:
                enquiry.keep, enquiry.answered_at, enquiry.answered_by = keep, now, by
                if not keep:
                    _end(session, entry, now)
                detail = {"department": entry.department_uscc, "entry": entry.id, "keep": keep}
                record(session, "use-list:enquiry:answered", None, by, now, **detail)
                changed += 1
        return changed


def _end(session: Session, entry: UseListEntry, at: datetime) -> None:
    from_on = ends_from(clock.local_date(at))
    session.get_one(Department, entry.department_uscc, with_for_update=True)
    for _, version in in_force(session, from_on, UseListEntry.id == entry.id):
        end_entry(session, identity_of(entry), terms_of(version), from_on, at, None)


def report_unanswered(at: datetime) -> int:
    """Leave to staff, once, every mail with entries that a department has not answered about in time; how many mails
    are overdue."""
    today = clock.local_date(at)
    with transaction() as session:
        wanted = (
            select(EntryEnquiry, UseListEntry.department_uscc)
            .join(UseListEntry, UseListEntry.id == EntryEnquiry.entry_id)
            .where(EntryEnquiry.keep.is_(None), EntryEnquiry.due_on < today)
        )
        listed = {entry.id for entry, _ in in_force(session, today)}
        late: Counter[tuple[str, str, date]] = Counter(
            (enquiry.token_index, uscc, enquiry.asked_on)
            for enquiry, uscc in session.execute(wanted).tuples()
            if enquiry.entry_id in listed
        )
        for (index, uscc, asked_on), entries in late.items():
            name = session.get_one(Department, uscc).name
            what = f"“{name}”未按期答复{asked_on}关于用证清单{entries}个条目的询问，请联系部门"
            open_staff_task(session, f"use-list-enquiry:{index}", None, what, at)
        return len(late)


def report_refusals(at: datetime) -> str | None:
    """Refused uses since the last report, up to yesterday, as Markdown for staff, each day once (``None``: reported
    already). A department with ``REFUSED_USES`` or more on a day becomes a staff task."""
    today = clock.local_date(at)
    until = today - timedelta(days=1)
    with transaction() as session:
        # One report at a time, or two of them would report the same days.
        locked_counter(session, "use-list-watch", today.year)
        last = session.scalar(
            select(AuditEntry).where(AuditEntry.tag == REPORTED).order_by(AuditEntry.id.desc()).limit(1)
        )
        first = date.fromisoformat(last.detail["until"]) + timedelta(days=1) if last is not None else until
        if first > until:
            return None
        refused = _refusals(session, first, until)
        names = department_names(session)
        a_day: Counter[tuple[date, str]] = Counter()
        for (day, uscc, *_), times in refused.items():
            a_day[day, uscc] += times
        for (day, uscc), times in a_day.items():
            if times >= REFUSED_USES.value:
                what = f"“{names.get(uscc, uscc)}”{day}用证被拒{times}次，请查看“清单外用证日报”并联系部门"
                open_staff_task(session, f"use-list-refusals:{day}:{uscc}", None, what, at)
        record(session, REPORTED, None, "system", at, until=str(until), refusals=a_day.total())
        kinds = type_names(session)
    return _report(first, until, refused, names, kinds)


_Refused = Counter[tuple[date, str, str, str, int]]


def _refusals(session: Session, first: date, until: date) -> _Refused:
    """How often a use was refused, by day, department, item, certificate type and article."""
    wanted = select(AuditEntry.at, AuditEntry.detail).where(
        AuditEntry.tag.in_(REFUSED),
        REAL,
        AuditEntry.at >= clock.start_of(first),
        AuditEntry.at < clock.start_of(until + timedelta(days=1)),
    )
    refused: _Refused = Counter()
    for at, detail in session.execute(wanted).tuples():
        # Whatever else a call was refused for (a field filled in wrongly) is no use outside of the list.
        if "department" in detail and "article" in detail:
            item, kind = str(detail.get("item", "")), str(detail.get("type", ""))
            refused[clock.local_date(at), detail["department"], item, kind, detail["article"]] += 1
    return refused


def _report(first: date, until: date, refused: _Refused, names: Mapping[str, str], kinds: Mapping[str, str]) -> str:
    days = str(until) if first == until else f"{first}至{until}"
    rows = tuple(
        (str(day), names.get(uscc, uscc), item, kinds.get(kind, kind), f"第{article}条", str(times))
        for (day, uscc, item, kind, article), times in sorted(refused.items(), key=lambda row: (row[0][:4], -row[1]))
    )
    table = Table(("日期", "部门", "事项", "证照类型", "依据", "次数"), rows).markdown() if rows else "没有被拒的用证。"
    return f"## {days} 清单外用证日报\n\n{table}"
