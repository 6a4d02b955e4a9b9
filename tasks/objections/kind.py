"""An objection on its sheets (Article 12)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.certificates import Certificate, CertificateType
from models.objections import Attachment, Objection, Supplement, VerificationRequest
from models.organisations import Department
from notifications.rendering import adoption
from regulation import limits
from regulation.catalogue import state_on
from regulation.certificates import STATE_NAMES, mask_name, mask_number
from regulation.objections import STAGES, ObjectorKind, Stage
from runtime import clock
from runtime.refusals import InputError
from runtime.words import folded
from tasks.case.kind import REMARK, TYPED_LATE_WHY, Brief, Compared, Happened, Kind, KindSheet, Lines, Sought, Table
from tasks.objections.batch_rows import batches_of
from tasks.objections.changes import last_change
from tasks.objections.claims import COMMENTED, OF_OBJECTOR, Claim, claims_of
from tasks.objections.contacts import contact_changes
from tasks.objections.hearings import comments_of, hearings_of, last_day
from tasks.objections.letters import letter_of_case
from tasks.objections.questions import (
    InitialReview,
    LetterPosted,
    OutcomeApproval,
    OutcomeDecision,
    RefusedRequest,
    ReviewApproval,
    SupplementReceived,
    VerificationReply,
    finding_of,
    reply_of,
)
from tasks.objections.source_checks import said_by_source
from tasks.objections.steps import dispute_on, found_on_claim, objection_of, standing_of
from tasks.register.holders import COLUMNS, TITLE, held_otherwise
from tasks.register.types import objectionable
from tasks.register.versions import CURRENT_VERSION, correct, holders_of, names_on


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    return {
        each.case_no: Brief(each.public_type, mask_name(each.objector_name), each.public_field)
        for each in session.scalars(select(Objection).where(Objection.case_no.in_(case_nos)))
    }


def _found(sought: Sought) -> list[Select[Any]]:
    return [select(Objection.case_no).where(Objection.certificate_root.in_(sought.roots))]


def _lines(session: Session, case: Case) -> Lines:
    objection = objection_of(session, case.case_no)
    lines = _claimed(session, objection)
    claims = claims_of(session, [case.case_no])[case.case_no]
    lines += _gone_on(objection, claims)
    if objection.certificate_root and (disputes := dispute_on(session, objection.certificate_root)):
        lines.append(("异议标记", f"该证照有异议正在核实（{'、'.join(disputes)}）"))
    lines += _noted(session, objection)
    if objection.typed_late_why is not None:
        lines.append((TYPED_LATE_WHY, objection.typed_late_why))
    for claim in claims:
        other = claim.objection
        if other is not objection:
            files = f"{len(claim.attachments)}个" if claim.attachments else "无"
            said = ["、".join(other.grounds), f"附件{files}", *(value for _, value in _noted(session, other))]
            lines.append(("并案", f"{other.case_no}（{'；'.join(said)}）"))
    if objection.lead_case_no:
        lines.append(("并入", objection.lead_case_no))
    if objection.earlier_case_no is not None:
        lines.append(("此前的异议", _earlier(session, objection, objection.earlier_case_no)))
    if case.closed_at is None and (change := last_change(session, case)) is not None:
        on = clock.local_date(change.at)
        lines.append(("登记有变动", f"这一项在本件收到后已由{change.case_no}于{on}更正，认定前请先核对"))
    return lines + _handled(session, objection)


def _own_lines(session: Session, case: Case) -> Lines:
    """What an objector sees: nothing of anybody else who objects to the same, and nothing that only the register
    knows. Whoever has a mail address may object to any number, and would learn who holds what."""
    objection = objection_of(session, case.case_no)
    lines = _claimed(session, objection) + _batch(session, objection)
    if _left_at(session, case):
        return lines
    lines += _gets_on(session, case, objection) + _handled(session, objection)
    found = found_on_claim(session, objection)
    if found is not None:
        lines.append(("您的主张", adoption(found.adopted, found.ours)))
    return lines


def _gets_on(session: Session, case: Case, objection: Objection) -> Lines:
    """Where the case stands to which an objection was joined, of which its own stage says nothing."""
    if objection.lead_case_no is None or standing_of(session, case) != Stage.JOINED:
        return []
    stands = session.get_one(Case, objection.lead_case_no).stage
    return [("合并办理的进展", "等待另一位申请人补正" if stands == Stage.SUPPLEMENT else stands)]


def _handled_in(session: Session, case: Case) -> str | None:
    return objection_of(session, case.case_no).lead_case_no


def _own_stage(session: Session, case: Case) -> str:
    return standing_of(session, case)


def _left_at(session: Session, case: Case) -> datetime | None:
    """When the objector withdrew from a case that went on."""
    withdrawn_at = objection_of(session, case.case_no).withdrawn_at
    return withdrawn_at if case.closed_at != withdrawn_at else None


def _gone_on(objection: Objection, claims: Sequence[Claim]) -> Lines:
    """That the case goes on without its own objector, and for whom."""
    others = [claim.objection.case_no for claim in claims if claim.objection is not objection]
    if objection.withdrawn_at is None or not others:
        return []
    on = clock.local_date(objection.withdrawn_at)
    return [("首位申请人已撤回", f"{on}撤回；本件继续为并案的{'、'.join(others)}办理")]


def _claimed(session: Session, objection: Objection) -> Lines:
    mine = select(Attachment.id).where(Attachment.case_no == objection.case_no, OF_OBJECTOR)
    attachments = session.scalars(mine).all()
    return [
        ("申请人", f"{objection.objector_kind} {mask_name(objection.objector_name)}"),
        *_acts(objection, mask_name),
        ("证照", f"{objection.public_type} {mask_number(objection.certificate_reference)}"),
        ("有异议的项目", f"{objection.public_field}（{'、'.join(objection.grounds)}）"),
        ("附件", f"{len(attachments)}个" if attachments else "无"),
        *([("收到方式", str(objection.way))] if objection.way is not None else []),
    ]


def _acts(objection: Objection, named: Callable[[str], str]) -> Lines:
    """For whom whoever objects acts, and in which capacity."""
    if objection.acts_as is None or objection.acts_for is None:
        return []
    return [("代谁办理", f"{named(objection.acts_for)}（申请人是{objection.acts_as}）")]


def _batch(session: Session, objection: Objection) -> Lines:
    return [("批次", batch_no) for batch_no in batches_of(session, objection.case_no)]


def _noted(session: Session, objection: Objection) -> Lines:
    remark = [(REMARK, objection.remark)] if objection.remark else []
    return _batch(session, objection) + remark


def _handled(session: Session, objection: Objection) -> Lines:
    """What came of it, in the case that it is handled in."""
    lines, case_no = [], objection.lead_case_no or objection.case_no
    asked = session.scalars(
        select(VerificationRequest)
        .where(VerificationRequest.case_no == case_no)
        .order_by(VerificationRequest.turn.desc())
    ).first()
    if asked is not None:
        state = f"{clock.local_date(asked.sent_at)}发出" if asked.sent_at else asked.refusal or "尚未发出"
        lines.append(("核实需求", f"{asked.pursuit}（{asked.bureau}）：{state}"))
    reply = reply_of(session, case_no)
    if reply is not None:
        lines.append(("核实结论", f"{reply['finding']}（{reply['reply_no']}，{reply['replied_on']}）"))
    if objection.outcome is not None:
        lines.append(("处理结果", objection.outcome))
    return lines


def _earlier(session: Session, objection: Objection, earlier_case_no: str) -> str:
    """The latest case before about the same field of the same certificate: where it stands, how it ended, and what of
    it is said again. Whether the same person says so is known only by what they typed."""
    before, case = objection_of(session, earlier_case_no), session.get_one(Case, earlier_case_no)
    stands = f"{case.stage}，{before.outcome}" if before.outcome is not None else case.stage
    again = [
        said
        for said, name in (("同一申请人再次提出", "objector_name"), ("主张的内容相同", "proposed"))
        if folded(getattr(before, name)) == folded(getattr(objection, name))
    ]
    return "；".join([f"{earlier_case_no}（{stands}）", *again])


def _full_lines(session: Session, case: Case) -> Lines:
    objection = objection_of(session, case.case_no)
    claims = claims_of(session, [case.case_no])[case.case_no]
    mine = Supplement.case_no.in_({case.case_no, *(claim.objection.case_no for claim in claims)})
    supplements = session.scalars(select(Supplement).where(mine).order_by(Supplement.id))
    reply = reply_of(session, case.case_no)
    lines = [
        ("申请人", f"{objection.objector_kind} {objection.objector_name}"),
        *_acts(objection, str),
        ("联系方式", "  ".join(filter(None, (objection.phone, objection.email, objection.postal_address)))),
        ("证照", f"{objection.certificate_type} {objection.certificate_reference}"),
        ("有异议的项目", f"{objection.field_name}（{'、'.join(objection.grounds)}）"),
        ("证照上现在的内容", objection.stated),
        ("申请人认为应当是", objection.proposed),
        ("理由", objection.reason),
        *([("用证事由", objection.interest)] if objection.interest else []),
        *_gone_on(objection, claims),
        *((f"补正（{clock.local_date(added.at)}）", added.text) for added in supplements),
    ]
    for claim in claims:
        if claim.objection is not objection:
            lines += _other_claim(claim, _noted(session, claim.objection))
    lines += _heard(session, case)
    if reply is not None:
        lines += [("上级核实结论", reply["finding"]), ("回复内容", reply["content"])]
        lines += [("上级认定的内容", reply["corrected_value"])]
    lines += contact_changes(session, case.case_no)
    if objection.disagreement is not None:
        lines.append(("不同意见", objection.disagreement))
    return lines


def _heard(session: Session, case: Case) -> Lines:
    """The holders who do not object: whether they were told, until when they can speak, and what they said."""
    said = comments_of(session, case.case_no)
    lines: Lines = []
    for each in hearings_of(session, case.case_no):
        told = "尚未告知，见“邮寄登记”" if each.told_on is None else f"{each.told_on}，{each.reached}"
        if (due_on := last_day(session, each)) is not None:
            told += f"；{due_on}前可以提出意见"
        told += f"（工号{each.told_by_no}登记）" if each.told_by_no else ""
        lines.append((f"持证主体{each.holder_name}", told))
        for one in said[each.number]:
            by = f"，工号{one.by_no}登记" if one.by_no else ""
            lines.append((f"其意见（{one.received_on}，{one.way}{by}）", one.text))
    return lines


def _other_claim(claim: Claim, noted: Lines) -> Lines:
    other = claim.objection
    said = (
        ("申请人", f"{other.objector_kind} {other.objector_name}"),
        *_acts(other, str),
        ("异议种类", "、".join(other.grounds)),
        ("证照上现在的内容", other.stated),
        ("申请人认为应当是", other.proposed),
        ("理由", other.reason),
        ("附件", claim.attached),
        *noted,
    )
    return [(f"并案{other.case_no} {name}", value) for name, value in said]


def _compared(session: Session, case: Case) -> Iterator[Compared]:
    """The disputed field as the register has it now beside what is stated, proposed, replied, and the whole face."""
    objection = objection_of(session, case.case_no)
    current = session.scalar(CURRENT_VERSION, {"root": objection.certificate_root})
    reply, code = reply_of(session, case.case_no), objection.field_code
    kind = session.get(CertificateType, objection.type_code) if objection.type_code else None
    face = dict(_face(kind, current)) if kind is not None and current is not None else {}
    name = objectionable(kind).get(code, objection.field_name) if kind is not None and code else objection.field_name
    now = face.get(name, "")
    there = now or ("本区索引没有这一项" if current is not None else "本区索引没有这件证照")
    lines = [("本区登记现在是", there), ("申请人看到的是", objection.stated), ("申请人认为应当是", objection.proposed)]
    for claim in claims_of(session, [case.case_no])[case.case_no]:
        if claim.objection is not objection:
            lines.append((f"并案{claim.objection.case_no}认为应当是", claim.objection.proposed))
    differing = {title for title, _ in lines[1:]}
    if _is_named_otherwise(session, objection):
        lines.append(("请注意", "申请人自称持证主体，姓名或名称与登记的不一致"))
    lines += _acts(objection, str)
    if reply is not None:
        lines.append(("上级核实结论", f"{reply['finding']}：{reply['content']}"))
        if reply["corrected_value"]:
            lines.append(("上级认定应当是", reply["corrected_value"]))
            differing.add("上级认定应当是")
    own = said_by_source(session, case.case_no)
    if own is not None:
        name_of = session.get_one(Department, own.department_uscc).name
        said = f"{own.finding}：{own.basis}" if own.finding is not None else f"{own.due_on}前答复"
        lines.append((f"责任部门（{name_of}）核对", said))
        if own.value:
            lines.append(("责任部门认为应当是", own.value))
            differing.add("责任部门认为应当是")
    yield from _drafted(session, case)
    yield Compared(
        f"有异议的项目：{objection.field_name}",
        tuple(lines),
        against=now,
        differing=frozenset(differing) if now else frozenset(),
        telling=frozenset({"上级认定应当是" if "上级认定应当是" in differing else "申请人认为应当是"}),
    )
    if current is not None:
        face["电子证照标识"] = current.identifier
        title = f"{objection.certificate_type}现在的内容"
        yield Compared(title, tuple(face.items()), telling=frozenset({name}))
        if kind is not None and code is not None:
            value = (reply or {}).get("corrected_value") or objection.proposed
            yield from filter(None, [_held_otherwise(session, kind, current, code, value)])


def _is_named_otherwise(session: Session, objection: Objection) -> bool:
    """Whether somebody says they hold the certificate, of which nothing is proven, and it names others."""
    root, says_so = objection.certificate_root, objection.objector_kind is ObjectorKind.HOLDER
    if root is None or not says_so or objection.acts_as is not None or objection.proven_index is not None:
        return False
    return folded(objection.objector_name) not in map(folded, names_on(session, [root])[root])


def _drafted(session: Session, case: Case) -> list[Compared]:
    """What somebody has drafted, for whoever is to approve it."""
    approval = next((each for each in _APPROVALS if (case.waiting_for or "").startswith(f"{each.question}-")), None)
    if approval is None:
        return []
    lines = approval.drafted.said(approval.draft(session, case.case_no))
    # What the certificate is to say is held against what the bureau found.
    found = (finding_of(session, case.case_no) or {}).get("corrected_value") or ""
    value = str(OutcomeDecision.model_fields["value"].title)
    differing = frozenset({value}) if found else frozenset[str]()
    return [Compared("待审签的拟稿", tuple(lines), found, differing, telling=frozenset({lines[0][0]}))]


_APPROVALS = (ReviewApproval, OutcomeApproval)


def _held_otherwise(
    session: Session, kind: CertificateType, current: Certificate, code: str, value: str
) -> Compared | None:
    """What the register has under the numbers of those who would hold a certificate by a correction, where it has one
    of them under another name."""
    try:
        said = correct(session, kind, current, code, value, clock.today(), lambda *_: True)
    except InputError:
        return None
    changed = set(said.holders) - set(holders_of(session, current.id))
    rows, names = held_otherwise(session, [each for each in said.holders if each in changed], current.root)
    return Compared(TITLE, table=Table(COLUMNS, rows), telling=names) if rows else None


def _face(kind: CertificateType, current: Certificate) -> Lines:
    """What a certificate shows now, in the order of its type, its state last."""
    valid_until = str(current.valid_until_on or "长期")
    known = {"holder": current.holder_name, "holder_number": current.holder_number, "number": current.number}
    shown = [
        (name, str(current.face.get(code) or known.get(code) or (valid_until if code == "valid_until" else "")))
        for code, name in objectionable(kind).items()
        if code != "state"
    ]
    state = STATE_NAMES[state_on(clock.today(), current.state, current.valid_until_on)]
    return [*((name, value) for name, value in shown if value), (objectionable(kind).get("state", "证照状态"), state)]


def _people(session: Session, case: Case) -> Lines:
    """Who objects: a telephone is somebody's, a name need not be."""
    claims = [claim.objection for claim in claims_of(session, [case.case_no])[case.case_no]]
    phones = [("同一联系电话", each.phone) for each in claims]
    return [*phones, *(("同名的申请人或持证主体", each.objector_name) for each in claims)]


def _certificates(session: Session, case: Case) -> Sequence[str]:
    root = objection_of(session, case.case_no).certificate_root
    return [root] if root else []


def _with_joined(session: Session, case: Case) -> list[str]:
    return [case.case_no, *(claim.objection.case_no for claim in claims_of(session, [case.case_no])[case.case_no])]


def _limit_met(detail: dict[str, Any]) -> str:
    kept = f"超期{detail['missed_by']}个工作日" if detail["missed_by"] else "按时"
    return f"完成第十二条5个工作日内提出核实需求，{kept}"


def _sent(detail: dict[str, Any]) -> str:
    by_post = f"，已邮寄（挂号号码{detail['tracking_no']}）" if detail.get("tracking_no") else ""
    return f"核实需求已发出（{detail['bureau']}，{detail['pursuit']}）{by_post}"


_HAPPENED: dict[str, str | Callable[[dict[str, Any]], str]] = {
    "objection:case:registered": "登记，写成给申请人的回执",
    "objection:case:joined": "并案，并入{lead}",
    "objection:case:released": "原并案的异议单独办理",
    "objection:supplement:requested": "告知申请人补正",
    "objection:supplement:handed-in": "申请人提交补正",
    "objection:supplement:taken": "补正结束，继续初审",
    "objection:case:accepted": "受理，证照加注异议标记",
    "objection:holder:to-tell": "须告知持证主体（{holders}名）有人提出异议",
    "objection:holder:told": "持证主体得到告知（{how}）",
    COMMENTED: "持证主体提出意见（{way}）",
    "objection:case:declined": "不予受理，已告知理由",
    "objection:case:answered": "此前已有结论（{outcome}），已告知申请人，办结",
    "objection:verification:prepared": "拟好核实需求",
    "objection:verification:sent": _sent,
    "objection:verification:not-reached": "上级平台未能连通，稍后自动重试",
    "objection:verification:refused": "上级平台退回核实需求",
    "objection:time-limit:met": _limit_met,
    "objection:reply:taken": "收到核实结果",
    "objection:outcome:decided": "认定处理结果：{outcome}",
    "certificate:version:corrected": "本区索引已更正为新版本",
    "certificate:version:corrected-before": "登记此前已更正为认定的内容",
    "certificate:version:left-to-source": "本区索引无此项，由数据源头更正",
    "certificate:version:synced": "本区登记已与数据源头同步",
    "certificate:version:changed-meanwhile": "证照在决定后有变动，未能更正登记，已列为待阅事项",
    "correction:department:told": "已告知用过错误信息的部门（{businesses}件业务）",
    "correction:department:answered": "用过错误信息的部门答复了如何处理",
    "objection:case:closed": "告知申请人结果，办结，去除异议标记",
    "objection:case:withdrawn": "申请人撤回",
    "objection:case:goes-on": "首位申请人已撤回，继续为并案的{others}办理",
    "objection:case:all-withdrawn": "并案的申请人均已撤回，办结",
    "objection:source:asked": "请区级责任部门核对登记",
    "objection:source:answered": "区级责任部门答复核对情况：{finding}",
    "objection:contact:changed": "联系方式变更（{was}改为{now}）",
    "objection:mandate:ended": "代理终止，改由本人办理，通知改发本人",
    "objection:disagreement:logged": "登记申请人的不同意见",
}

_OF_OTHERS = frozenset(
    {
        "objection:case:goes-on",
        "objection:case:all-withdrawn",
        "objection:holder:to-tell",
        "objection:holder:told",
        "objection:source:asked",
        "objection:source:answered",
        COMMENTED,
    }
)
_HAPPENED_TO_PARTY: Happened = {tag: said for tag, said in _HAPPENED.items() if tag not in _OF_OTHERS} | {
    "objection:case:joined": "与同一证照同一项目的异议合并办理",
    "objection:case:released": "转为单独办理",
}

_SHARED: Happened = {
    tag: _HAPPENED[tag]
    for tag in (
        "objection:supplement:taken",
        "objection:case:accepted",
        "objection:verification:sent",
        "objection:reply:taken",
        "objection:outcome:decided",
        "certificate:version:corrected",
        "certificate:version:left-to-source",
        "certificate:version:synced",
        "certificate:version:changed-meanwhile",
    )
} | {"objection:supplement:requested": "合并办理的异议须补正，等待补正"}
"""What happens in a case to everybody in it."""

OBJECTION = Kind(
    CaseKind.OBJECTION,
    "异议核查/objection-case",
    STAGES,
    (
        InitialReview,
        ReviewApproval,
        SupplementReceived,
        LetterPosted,
        VerificationReply,
        RefusedRequest,
        OutcomeDecision,
        OutcomeApproval,
    ),
    (
        limits.VERIFICATION_REQUEST,
        limits.INITIAL_REVIEW,
        limits.SUPPLEMENT,
        limits.URGE,
        limits.OUTCOME_NOTICE,
        limits.APPROVAL,
    ),
    KindSheet(
        "异议",
        _briefs,
        _lines,
        _full_lines,
        _HAPPENED,
        files_of=_with_joined,
        compared=_compared,
        certificates_of=_certificates,
        people_of=_people,
        letter=letter_of_case,
    ),
    found=_found,
)
OBJECTION_TO_PARTY = KindSheet(
    "异议",
    _briefs,
    _own_lines,
    _full_lines,
    _HAPPENED_TO_PARTY,
    stage=_own_stage,
    ended_at=_left_at,
    handled_in=_handled_in,
    shared=_SHARED,
)
"""An objection on its objector's own page."""
