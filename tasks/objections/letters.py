"""Letters to bureaus that have no gateway (Article 12): what a draft says of one objection, or of a list of them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, StepRecord
from models.objections import VerificationRequest
from notifications.rendering import full_date
from regulation.objections import Bureau, Pursuit
from tasks.case.kind import Letter, Table
from tasks.objections.batch_rows import by_letter, unsent
from tasks.objections.claims import Claim, claims_of
from tasks.objections.questions import BatchLetterPosted, LetterPosted

ASKS = (
    "现依据《绍兴市柯桥区电子证照管理办法》第十二条提出核实需求，请贵局核实有关数据，将核实结论（原数据无误，"
    "或者原数据有误及正确的内容）书面回复我中心。"
)
CLOSING = "专此函达，请予支持为盼。"
_TITLES = {
    Pursuit.URGE: "关于请尽快回复电子证照数据核实需求的函",
    Pursuit.ESCALATE: "关于报请核实电子证照数据的函",
}
_TITLE = "关于核实电子证照数据的函"


def letter_of_case(session: Session, case: Case) -> Letter | None:
    """The letter about one case that waits for it to be posted, with what everybody in it claims; nobody who objects
    is named."""
    if not (case.waiting_for or "").startswith(f"{LetterPosted.question}-"):
        return None
    wanted = select(VerificationRequest).where(
        VerificationRequest.case_no == case.case_no,
        VerificationRequest.by_letter.is_(True),
        VerificationRequest.sent_at.is_(None),
    )
    request = session.scalars(wanted.order_by(VerificationRequest.turn.desc())).first()
    if request is None:
        return None
    claims = claims_of(session, [case.case_no])[case.case_no]
    about = claims[0].objection
    opening = (
        f"我中心于{full_date(case.received_on)}收到对“{about.certificate_type}”（{about.certificate_reference}）所载"
        f"“{about.field_name}”提出的异议（办件编号{case.case_no}）。{_before(session, case.case_no, request)}"
    )
    rows = [row for number, claim in enumerate(claims, 1) for row in _lines(claim, number if len(claims) > 1 else 0)]
    table = Table(("项目", "内容"), tuple(rows))
    return Letter(str(request.bureau), _TITLES.get(request.pursuit, _TITLE), (opening, ASKS), table, CLOSING)


def _before(session: Session, case_no: str, request: VerificationRequest) -> str:
    """What was sent before and has had no reply."""
    wanted = select(VerificationRequest).where(
        VerificationRequest.case_no == case_no,
        VerificationRequest.turn < request.turn,
        VerificationRequest.sent_at.is_not(None),
    )
    last = session.scalars(wanted.order_by(VerificationRequest.turn.desc())).first()
    if last is None:
        return ""
    number = f"（{last.remote_no}）" if last.remote_no else ""
    return f"此前已向{last.bureau}{last.pursuit}{number}，尚未收到回复。"


def _lines(claim: Claim, number: int) -> list[tuple[str, str]]:
    said = claim.objection
    prefix = f"主张{number}：" if number else ""
    lines = [
        (f"{prefix}异议种类", "、".join(said.grounds)),
        (f"{prefix}证照上现在的内容", said.stated),
        (f"{prefix}认为应当是", said.proposed),
        (f"{prefix}理由", said.reason),
        (f"{prefix}随函附件", "、".join(claim.attachments)),
    ]
    return [(name, value) for name, value in lines if value]


def letter_of_batch(session: Session, case: Case) -> Letter | None:
    """The letter with which a batch's list goes to the bureau whose turn it is."""
    name, _, turn = (case.waiting_for or "").rpartition("-")
    prepared = session.get(StepRecord, (case.case_no, "prepare_letters", 1))
    if name != BatchLetterPosted.question or prepared is None:
        return None
    bureau = Bureau(prepared.result[int(turn) - 1])
    asked = unsent(case.case_no, *by_letter(bureau)).with_only_columns(VerificationRequest.case_no)
    case_nos = session.scalars(asked).all()
    claims = claims_of(session, case_nos)
    opening = (
        f"我中心于{full_date(case.received_on)}收到对下列{len(case_nos)}件电子证照所载内容提出的异议"
        f"（批次编号{case.case_no}），清单附后，电子表格随函报送。"
    )
    rows = tuple(_row(case_no, claims[case_no]) for case_no in case_nos)
    table = Table(("办件编号", "证照", "证照编号或标识", "项目", "现在的内容", "认为应当是"), rows)
    return Letter(str(bureau), _TITLE, (opening, ASKS), table, CLOSING)


def _row(case_no: str, claims: Sequence[Claim]) -> tuple[str, ...]:
    about = claims[0].objection
    proposed = dict.fromkeys(claim.objection.proposed for claim in claims)
    reference = about.certificate_reference
    return (case_no, about.certificate_type, reference, about.field_name, about.stated, "；".join(proposed))
