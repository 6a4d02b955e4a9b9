"""Mystery applications (模拟办事, Article 17): every entry of the use list is tried with an invented holder over the
real interface, as the department's own application. What comes back becomes findings, and so does what guides demand.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.certificate_interface import CameBack, Interface, interface
from models.certificate_uses import Authorisation
from models.certificates import CertificateType
from models.mystery_applications import MysteryRound, TrialCall
from models.organisations import Application, ApplicationKind, Department
from models.use_lists import UseListEntry
from regulation.findings import Source
from regulation.limits import TRIAL_SECRET
from regulation.mystery_applications import CallOutcome, Tried, judge, outcome_of
from regulation.service_guides import GUIDE_RULES, TRIAL_ACCESS, TRIAL_ENTRY
from runtime import clock
from runtime.database import reading, transaction
from tasks.audit import record
from tasks.case.kind import Table
from tasks.case.numbers import locked_counter, next_number
from tasks.guides.guides import compare_guides, newest_guides
from tasks.office.applications import KNOWN_FOR, end_trial_secrets, lend_trial_secret
from tasks.office.departments import department_names
from tasks.office.staff_tasks import open_staff_task
from tasks.rectifications.findings import Found, Noted, note_findings
from tasks.register.trial_holders import trial_certificate
from tasks.register.types import type_names
from tasks.use_list.standing import in_force

ROUNDS = "MN"
"""What the numbers of rounds begin with."""
OPERATOR = "模拟办事"
PURPOSE = "模拟办事测试，不得用于办理业务"
QUERY, EXTRACT, COPY = "查询", "提取", "存档副本"
STEPS = {
    QUERY: "/api/v1/certificates/query",
    EXTRACT: "/api/v1/certificates/extract",
    COPY: "/api/v1/certificates/archived-copy",
}
"""The steps of an entry in their order: what a counter does that needs no paper."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An entry of the use list to be tried, as which application, and with whose certificate."""

    entry_id: int
    department_uscc: str
    application_key: str | None
    said: dict[str, Any]
    certificate: str


def begin_round(run_key: str) -> str:
    """The number of the round that a run plays; the same one when the run begins again."""
    with transaction() as session:
        now = clock.now()
        counter = locked_counter(session, ROUNDS, clock.local_date(now).year)
        known = session.scalar(select(MysteryRound.round_no).where(MysteryRound.run_key == run_key))
        if known is not None:
            return known
        started = MysteryRound(round_no=next_number(counter), run_key=run_key, began_at=now, untried=0)
        session.add(started)
        record(session, "mystery-application:round:began", None, "system", now, round=started.round_no)
        return started.round_no


def play_round(round_no: str) -> None:
    """Try every entry of the use list that this round has not tried yet: query, extract, archived copy.

    Where our own web process does not answer nothing is tried, and staff are told. What is recorded of a call holds
    nothing of what it showed.
    """
    with interface() as calling:
        if not calling.answers():
            _tell_staff(round_no, "用证接口没有应答，本轮没有试用任何条目，请管理员检查网页进程")
            return
        with transaction() as session:
            trials, secrets = _prepared(session, round_no, clock.now())
        # A web process goes by what it read so long ago.
        time.sleep(KNOWN_FOR)
        try:
            for trial in trials:
                _keep(round_no, trial, list(_tried(calling, trial, secrets.get(trial.application_key or ""))))
        finally:
            with transaction() as session:
                for key in secrets:
                    end_trial_secrets(session, key)


def _prepared(session: Session, round_no: str, at: datetime) -> tuple[list[Trial], dict[str, str]]:
    """What is to be tried, and what each application signs with: secrets of the Center's own, and the trial holders'
    authorisations, all of which end by themselves."""
    started = session.get_one(MysteryRound, round_no, with_for_update=True)
    tried = set(session.scalars(select(TrialCall.entry_id).where(TrialCall.round_no == round_no)))
    keys = _application_keys(session)
    names = type_names(session)
    trials: list[Trial] = []
    started.untried = 0
    for entry, version in in_force(session, clock.local_date(at)):
        if entry.id in tried:
            continue
        found = trial_certificate(session, entry.type_code)
        if found is None:
            started.untried += 1
            continue
        holder, certificate = found
        said = {
            "item": entry.item_code,
            "business_no": round_no,
            "operator": OPERATOR,
            "purpose": PURPOSE,
            "scenario": entry.scenario,
            "certificate_type": names[entry.type_code],
            "holder_number": holder.number,
        }
        if version.authorisation:
            said["authorisation"] = _authorise(session, entry, holder.holder_index, at)
        key = keys.get(entry.department_uscc)
        trials.append(Trial(entry.id, entry.department_uscc, key, said, certificate.identifier))
    used = {trial.application_key for trial in trials if trial.application_key is not None}
    return trials, {key: lend_trial_secret(session, key, at) for key in sorted(used)}


def _application_keys(session: Session) -> dict[str, str]:
    """By department the application that is tried: one that is let in, else one that is switched off."""
    wanted = (
        select(Department.uscc, Application.key)
        .join(Application, Application.speaks_for == Department.name)
        .where(Application.kind == ApplicationKind.DEPARTMENT)
        .order_by(Application.active, Application.key.desc())
    )
    return dict(session.execute(wanted).tuples().all())


def _authorise(session: Session, entry: UseListEntry, holder_index: str, at: datetime) -> str:
    given = Authorisation(
        authorisation_no=f"SQ-CS-{entry.id}-{int(at.timestamp())}",
        holder_index=holder_index,
        department_uscc=entry.department_uscc,
        item_code=entry.item_code,
        type_code=entry.type_code,
        given_at=at,
        ends_at=at + timedelta(seconds=TRIAL_SECRET.value),
    )
    session.add(given)
    return given.authorisation_no


def _tried(calling: Interface, trial: Trial, secret: str | None) -> Iterator[tuple[str, CallOutcome, CameBack]]:
    """The steps of an entry up to the first that fails."""
    if trial.application_key is None or secret is None:
        yield QUERY, CallOutcome.NO_APPLICATION, CameBack(None, {}, 0)
        return
    for step, path in STEPS.items():
        said = trial.said if step == QUERY else trial.said | {"certificate": trial.certificate}
        back = calling.call(trial.application_key, secret, path, said)
        outcome = outcome_of(back.status)
        if step == QUERY and outcome is CallOutcome.OK and not _names(back, trial.certificate):
            # An answer that lacks the one certificate there is leaves the counter with nothing but paper.
            outcome, back = CallOutcome.REFUSED, CameBack(200, {"detail": "查询没有得到测试证照。"}, back.milliseconds)
        yield step, outcome, back
        if outcome is not CallOutcome.OK:
            return


def _names(back: CameBack, identifier: str) -> bool:
    return any(each.get("identifier") == identifier for each in back.document.get("certificates", ()))


def _keep(round_no: str, trial: Trial, came: Sequence[tuple[str, CallOutcome, CameBack]]) -> None:
    with transaction() as session:
        for step, outcome, back in came:
            refused = back.document if outcome is CallOutcome.REFUSED else {}
            session.add(
                TrialCall(
                    round_no=round_no,
                    entry_id=trial.entry_id,
                    department_uscc=trial.department_uscc,
                    application_key=trial.application_key,
                    step=step,
                    outcome=outcome,
                    status=back.status,
                    article=refused.get("article"),
                    said=str(refused.get("detail", "")),
                    milliseconds=back.milliseconds,
                    at=clock.now(),
                )
            )


def _tell_staff(round_no: str, what: str) -> None:
    with transaction() as session:
        open_staff_task(session, f"mystery-application:{round_no}", None, f"模拟办事{round_no}：{what}", clock.now())


def note_round(round_no: str) -> Noted:
    """Note what is wrong with the guides and what the tried calls came to, as findings; once for a round.

    Findings about entries are cleared only by a round that has tried every entry and got an answer from ours.
    """
    with transaction() as session:
        now = clock.now()
        started = session.get_one(MysteryRound, round_no, with_for_update=True)
        found = compare_guides(session, clock.local_date(now))
        calls = _last_calls(session, round_no)
        by_department = defaultdict(list)
        for uscc, tried in calls:
            by_department[uscc].append(tried)
        for uscc, tried_by_it in sorted(by_department.items()):
            found += [Found(each.rule.code, uscc, each.subject, each.facts) for each in judge(tried_by_it)]
        unanswered = sum(tried.outcome is CallOutcome.ERROR for _, tried in calls)
        ran = {rule.code for rule in GUIDE_RULES}
        if calls and not started.untried and not unanswered:
            ran |= {TRIAL_ACCESS.code, TRIAL_ENTRY.code}
        noted = note_findings(session, Source.MYSTERY, found, now, ran)
        if started.ended_at is None:
            started.ended_at = now
            detail = {"round": round_no, "entries": len(calls), "found": len(found), "opened": len(noted.opened)}
            record(session, "mystery-application:round:ended", None, "system", now, **detail)
    if unanswered:
        _tell_staff(round_no, f"用证接口对{unanswered}个条目未能答复，不作为部门的问题，请管理员检查")
    if started.untried:
        _tell_staff(round_no, f"{started.untried}个条目没有测试证照，未能试用；请运行 ezt trial-holder create")
    return noted


def _last_calls(session: Session, round_no: str) -> list[tuple[str, Tried]]:
    """By entry how its calls in a round ended, with the department's credit code."""
    ended = {call.entry_id: call for call in _calls(session, round_no)}
    names = _entry_names(session, list(ended))
    return [
        (
            call.department_uscc,
            Tried(names[entry_id], call.step, call.outcome, call.status, call.article, call.said),
        )
        for entry_id, call in ended.items()
    ]


def _calls(session: Session, round_no: str) -> Sequence[TrialCall]:
    return session.scalars(select(TrialCall).where(TrialCall.round_no == round_no).order_by(TrialCall.id)).all()


def _entry_names(session: Session, entry_ids: Sequence[int]) -> dict[int, str]:
    wanted = (
        select(UseListEntry, CertificateType.name)
        .join(CertificateType, CertificateType.code == UseListEntry.type_code)
        .where(UseListEntry.id.in_(entry_ids))
    )
    return {entry.id: f"{entry.item_code} {name}（{entry.scenario}）" for entry, name in session.execute(wanted)}


def report_of(round_no: str, noted: Noted) -> str:
    """The report of a round as Markdown, with nothing of a person in it."""
    with reading() as session:
        started = session.get_one(MysteryRound, round_no)
        calls = _calls(session, round_no)
        names = department_names(session)
        entries = _entry_names(session, list({call.entry_id for call in calls}))
        guides = newest_guides(session)
        wrong = compare_guides(session, clock.local_date(started.ended_at or clock.now()))
    outcomes = Counter(call.outcome for call in {call.entry_id: call for call in calls}.values())
    counted = "，".join(f"{outcome}{outcomes[outcome]}个" for outcome in CallOutcome if outcomes[outcome])
    head = (
        f"## 模拟办事报告 {round_no}\n\n比对办事指南{len(guides)}项，发现问题{len(wrong)}处。"
        f"试用用证清单条目{outcomes.total()}个：{counted or '没有试用'}；因没有测试证照未试{started.untried}个。"
        f"新开督促整改{len(noted.opened)}件，仍存在{noted.again}件，已消除{len(noted.cleared)}件。"
        "试用的调用只涉及虚构的测试持证主体，不计入用证统计。"
    )
    guide_rows = tuple((names[each.department_uscc], each.subject, each.facts) for each in wrong)
    call_rows = tuple(
        (
            names[call.department_uscc],
            entries[call.entry_id],
            call.step,
            call.outcome,
            str(call.status or "—"),
            f"{call.milliseconds}毫秒",
            call.said or "—",
        )
        for call in calls
    )
    parts = [head]
    if guide_rows:
        parts += ["### 办事指南", Table(("部门", "事项和证照", "问题"), guide_rows).markdown()]
    if call_rows:
        columns = ("部门", "条目", "步骤", "结果", "状态", "用时", "理由")
        parts += ["### 试用用证接口", Table(columns, call_rows).markdown()]
    return "\n\n".join(parts)
