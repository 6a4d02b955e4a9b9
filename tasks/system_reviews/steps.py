"""The review of new systems (Article 17): the gate that refuses to review what provides for no certificates, the review
by staff, the reference of what was passed and what it promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import AnswerSource, Case, CaseKind, StepRecord
from models.certificates import CertificateType
from models.organisations import Department
from models.system_reviews import PromisedEntry, SystemReview, SystemReviewVersion
from notifications.notices import (
    EntryLine,
    GapLine,
    SystemMaterialRequested,
    SystemNotReviewed,
    SystemOutside,
    SystemReviewFailed,
    SystemReviewPassed,
    SystemReviewRegistered,
    ToProject,
)
from regulation.certificates import mask_name
from regulation.limits import SYSTEM_REVIEW, SYSTEM_SUPPLEMENT
from regulation.system_reviews import (
    COMES_AGAIN,
    REFERENCE,
    STAGES,
    Stage,
    check_planned_day,
    gaps,
    outside_because,
    reference,
    stage_after_gate,
)
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, NotFoundError, RefusalError
from runtime.settings import settings
from tasks.case.answers import answered, meet_by_answer, record_answer
from tasks.case.deadlines import meet_deadline, start_deadline
from tasks.case.department_mail import tell_department
from tasks.case.numbers import end_case, locked_counter, next_number, opening, tell_officer
from tasks.case.step import Step, durable, locked_case
from tasks.case.submissions import came_before
from tasks.office.departments import department_named
from tasks.system_reviews.questions import MaterialKind, MaterialReceived, SystemReviewOpinion
from tasks.system_reviews.submissions import SystemReviewForm, coded

LINES_IN_A_NOTICE = 100


def review_of(session: Session, case_no: str) -> SystemReview:
    """The review of a case that is known to exist."""
    return session.get_one(SystemReview, case_no)


def versions_of(session: Session, case_no: str) -> Sequence[SystemReviewVersion]:
    """A case's versions, the newest last."""
    wanted = select(SystemReviewVersion).where(SystemReviewVersion.case_no == case_no)
    return session.scalars(wanted.order_by(SystemReviewVersion.version)).all()


def form_of(version: SystemReviewVersion) -> SystemReviewForm:
    """What was submitted, as the form that it was."""
    return SystemReviewForm.model_validate(version.given)


def register_submission(form: SystemReviewForm, department_uscc: str, submission_key: str, actor: str) -> str:
    """Register a submission in one transaction and return its case number; handing it in again under
    ``submission_key`` returns the first one's.

    A project that was not reviewed, or failed, comes again as a new case; one that is asked for material goes on in
    its own. Raises ``InputError`` for what cannot be and for material that leaves gaps, ``RefusalError`` for a project
    that is being reviewed, was passed, or comes again unchanged, and what ``came_before`` raises.
    """
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        if came_before(session, CaseKind.SYSTEM_REVIEW, submission_key, form, department_uscc):
            wanted = select(SystemReviewVersion.case_no).where(SystemReviewVersion.submission_key == submission_key)
            return session.scalars(wanted).one()
        counter = locked_counter(session, CaseKind.SYSTEM_REVIEW, today.year)
        form = coded(session, form)
        check_planned_day(form.go_live_on, today)
        latest = session.scalar(
            select(SystemReviewVersion)
            .join(SystemReview, SystemReview.case_no == SystemReviewVersion.case_no)
            .where(SystemReview.department_uscc == department_uscc, SystemReview.project_code == form.project_code)
            .order_by(SystemReviewVersion.version.desc())
            .limit(1)
        )
        given = form.model_dump(mode="json")
        version = SystemReviewVersion(
            version=1 if latest is None else latest.version + 1,
            submission_key=submission_key,
            given=given,
            entered_by=actor,
            at=now,
        )
        if latest is not None:
            before = locked_case(session, latest.case_no)
            if latest.given == given:
                raise RefusalError(f"与第{latest.version}版（{before.case_no}）完全相同；请按告知的内容修改后再提交。")
            if before.stage == Stage.SUPPLEMENT:
                _add_material(session, before, form, version, actor)
                return before.case_no
            if before.stage not in COMES_AGAIN:
                raise RefusalError(_not_again(before))
        case_no = version.case_no = next_number(counter)
        step = opening(session, case_no, Stage.SUBMITTED, "register_submission", actor, now)
        review = SystemReview(
            case_no=case_no,
            department_uscc=department_uscc,
            project_code=form.project_code,
            project_name=form.project_name,
            previous_case_no=latest.case_no if latest is not None else None,
            gaps=(),
            go_live_on=form.go_live_on,
        )
        session.add(review)
        session.flush()
        session.add(version)
        session.flush()
        deadline = start_deadline(session, case_no, SYSTEM_REVIEW, today)
        step.audit("system-review:submission:registered", department=department_uscc, version=version.version)
        tell(
            step,
            SystemReviewRegistered,
            version=version.version,
            received_on=today,
            due_on=deadline.due_on,
            provisional=deadline.provisional,
        )
        return case_no


def submit_for_department(form: SystemReviewForm, department: str, submission_key: str, actor: str) -> str:
    """``register_submission`` for a department by its name. Raises ``InputError`` for an unknown one as well."""
    with reading() as session:
        uscc = department_named(session, department).uscc
    return register_submission(form, uscc, submission_key, actor)


def _not_again(case: Case) -> str:
    if case.stage == Stage.PASSED:
        return f"该项目已经评审通过（{case.case_no}）；建设内容有重大变化的，请联系综合管理单位。"
    return f"该项目的上一版正在评审（{case.case_no}），请等待其办结后再提交。"


def _add_material(
    session: Session, case: Case, form: SystemReviewForm, version: SystemReviewVersion, actor: str
) -> None:
    """A new version that was asked for; the story takes it up where it waits."""
    plan = form.plan()
    if (outside := outside_because(plan)) is not None:
        raise InputError(f"补充后的项目{outside}，与评审中的项目不符；请核对。")
    if lacking := gaps(plan):
        listed = "；".join(f"第{gap.article}条：{gap.what}" for gap in lacking)
        raise InputError(f"补充后的方案有{len(lacking)}处没有明确，未予登记：{listed}。请补齐后重新提交。")
    turns = select(StepRecord.turn).where(StepRecord.case_no == case.case_no, StepRecord.step == request_material.name)
    turn = session.scalars(turns.order_by(StepRecord.turn.desc()).limit(1)).one()
    said = {"kind": MaterialKind.RECEIVED, "text": f"部门提交了第{version.version}版"}
    source_key = f"{case.case_no}:material:{version.submission_key}"
    refusal = record_answer(
        session, case, MaterialReceived, turn, AnswerSource.DEPARTMENT, source_key, said, version.at
    )
    if refusal is not None:
        raise RefusalError(refusal)
    version.case_no = case.case_no
    session.add(version)
    review = review_of(session, case.case_no)
    review.project_name, review.go_live_on = form.project_name, form.go_live_on
    step = Step(session, case, "register_submission", version.version, actor, version.at)
    step.audit("system-review:material:handed-in", version=version.version)


def tell(step: Step, notice: type[ToProject], about: str = "", **facts: object) -> None:
    """Send a notice of this kind to a project's department and to the contact that it named; ``about`` as in
    ``Step.notify``."""
    review = review_of(step.session, step.case.case_no)
    department = step.session.get_one(Department, review.department_uscc).name
    form = form_of(versions_of(step.session, review.case_no)[-1])
    said = {"department": department, "case_no": review.case_no, "project": review.project_name} | facts

    def told(recipient: str) -> ToProject:
        return notice.model_validate(said | {"recipient": recipient})

    tell_department(step, review.department_uscc, told, about)
    step.notify(told(mask_name(form.contact_name)), form.contact_email, about=about)


@durable("是否予以评审")
def pass_gate(step: Step) -> str:
    """Decide whether a submission is reviewed at all: not one that Article 17 is not about, and not one whose plan says
    nothing on what it asks for. The stage that it goes to."""
    plan = form_of(versions_of(step.session, step.case.case_no)[-1]).plan()
    stage, lacking = stage_after_gate(plan)
    step.move(STAGES, stage)
    review = review_of(step.session, step.case.case_no)
    if stage is Stage.IN_REVIEW:
        step.audit("system-review:gate:passed")
        tell_officer(step.session, step.case, "新提交的系统评审", f"{step.case.case_no}:in-review", step.now)
        return stage
    meet_deadline(step.session, step.case.case_no, SYSTEM_REVIEW, step.today)
    if stage is Stage.OUTSIDE:
        tell(step, SystemOutside, reason=outside_because(plan))
        step.audit("system-review:gate:outside")
    else:
        review.gaps = lacking
        tell(
            step,
            SystemNotReviewed,
            gaps=[GapLine(article=gap.article, what=gap.what, write=gap.write) for gap in lacking],
        )
        step.audit("system-review:gate:refused", gaps=len(lacking), articles=[gap.article for gap in lacking])
    end_case(step, step.case)
    return stage


@durable("要求补充材料")
def request_material(step: Step) -> None:
    """Tell the department what reviewers need besides, and until when."""
    step.move(STAGES, Stage.SUPPLEMENT)
    opinion = answered(step, SystemReviewOpinion, SYSTEM_REVIEW)
    deadline = start_deadline(step.session, step.case.case_no, SYSTEM_SUPPLEMENT, step.today, step.turn)
    due_on, provisional = deadline.due_on, deadline.provisional
    tell(step, SystemMaterialRequested, what=opinion.text, due_on=due_on, provisional=provisional)
    step.audit("system-review:material:requested", due_on=str(deadline.due_on))


@durable("收到补充材料")
def take_material(step: Step) -> None:
    """Put the project up for review again, with what has come or without it."""
    step.move(STAGES, Stage.IN_REVIEW)
    on = meet_by_answer(step, MaterialReceived, SYSTEM_SUPPLEMENT)
    start_deadline(step.session, step.case.case_no, SYSTEM_REVIEW, on, step.turn + 1)
    material = answered(step, MaterialReceived)
    step.audit("system-review:material:taken", kind=material.kind)
    tell_officer(step.session, step.case, material.kind, f"{step.case.case_no}:material:{step.turn}", step.now)


@durable("出具评审意见书编号")
def give_reference(step: Step) -> str:
    """Pass a project: its reference, what it promised as lines that must stand on the use list when it goes live, and
    the word to the department to propose them. The reference."""
    step.move(STAGES, Stage.PASSED)
    review = review_of(step.session, step.case.case_no)
    meet_by_answer(step, SystemReviewOpinion, SYSTEM_REVIEW)
    number = next_number(locked_counter(step.session, "PY", step.today.year))
    review.reference = reference(number, keys().blind_index("system-review-reference", number))
    review.passed_on = step.today
    form = form_of(versions_of(step.session, step.case.case_no)[-1])
    names = {item.item_code: item.item_name for item in form.items}
    kinds = {kind.code: kind.name for kind in step.session.scalars(select(CertificateType))}
    lines = []
    for place, use in enumerate(form.uses, 1):
        step.session.add(
            PromisedEntry(
                case_no=step.case.case_no,
                line=place,
                item_code=use.item_code,
                item_name=names[use.item_code],
                type_code=use.certificate_type,
                scenario=use.scenario,
                fields=tuple(use.fields),
                holder_alone=use.holder_alone,
            )
        )
        item, certificate = f"{names[use.item_code]}（{use.item_code}）", kinds[use.certificate_type]
        lines.append(EntryLine(line=place, item=item, certificate=certificate, scenario=use.scenario, what="待提出"))
    tell(
        step,
        SystemReviewPassed,
        reference=review.reference,
        go_live_on=review.go_live_on,
        promised=lines[:LINES_IN_A_NOTICE],
        more=max(0, len(lines) - LINES_IN_A_NOTICE),
        use_list=f"{settings().public_url}/api/v1/use-list/proposals",
        verification=f"{settings().public_url}/api/v1/system-review-references/{review.reference}",
    )
    step.audit("system-review:review:passed", reference=review.reference, promised=len(lines))
    end_case(step, step.case)
    return review.reference


@durable("评审不通过")
def fail_review(step: Step) -> None:
    """Fail a project, with the reason; it may come again as a new version."""
    step.move(STAGES, Stage.FAILED)
    tell(step, SystemReviewFailed, reason=answered(step, SystemReviewOpinion, SYSTEM_REVIEW).text)
    step.audit("system-review:review:failed")
    end_case(step, step.case)


@dataclass(frozen=True, slots=True)
class Referenced:
    """What a reference stands for, as whoever approves projects may know it."""

    reference: str
    project_name: str
    project_code: str
    department: str
    result: str
    passed_on: date


def behind_reference(text: str) -> Referenced:
    """What a reference stands for. ``NotFoundError`` for one that was never given, or not like this."""
    said = text.strip().upper()
    with reading() as session:
        wanted = select(SystemReview).where(SystemReview.reference == said)
        review = session.scalar(wanted) if REFERENCE.fullmatch(said) else None
        if review is None or review.passed_on is None:
            raise NotFoundError("没有出具过这一评审意见书编号，请核对（含末尾的校验值）；编号有疑问的，请联系本中心。")
        return Referenced(
            reference=said,
            project_name=review.project_name,
            project_code=review.project_code,
            department=session.get_one(Department, review.department_uscc).name,
            result=Stage.PASSED,
            passed_on=review.passed_on,
        )
