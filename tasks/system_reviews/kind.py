"""The review of a new system on its sheets (Article 17). What a plan says in free words stands on the full sheet only:
the others pass through Prefect."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.certificates import CertificateType
from models.organisations import Department
from models.system_reviews import SystemReview, SystemReviewVersion
from regulation import limits
from regulation.certificates import mask_name
from regulation.system_reviews import STAGES, Difference, Stage, differences, outside_because, remarks
from tasks.case.answers import accepted_answer, answers_so_far
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines, Table
from tasks.case.questions import in_short
from tasks.system_reviews.questions import MaterialReceived, SystemReviewOpinion
from tasks.system_reviews.steps import form_of, review_of, versions_of
from tasks.system_reviews.submissions import PROVISIONS, SystemReviewForm, described


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(SystemReview.case_no, SystemReview.project_name, SystemReview.project_code)
    rows = session.execute(wanted.where(SystemReview.case_no.in_(case_nos))).tuples()
    return {case_no: Brief(name, detail=code) for case_no, name, code in rows}


def kinds_by_code(session: Session) -> dict[str, CertificateType]:
    """The catalogue's types by their codes."""
    return {kind.code: kind for kind in session.scalars(select(CertificateType))}


def changes(session: Session, case_no: str) -> tuple[SystemReviewVersion, list[Difference]] | None:
    """The version before a case's newest one and what has changed since; ``None`` for a project's first version."""
    newest = versions_of(session, case_no)[-1]
    review = review_of(session, case_no)
    cases = [case_no, review.previous_case_no]
    wanted = select(SystemReviewVersion).where(
        SystemReviewVersion.case_no.in_([each for each in cases if each]),
        SystemReviewVersion.version == newest.version - 1,
    )
    before = session.scalar(wanted)
    if before is None:
        return None
    kinds = kinds_by_code(session)
    return before, differences(described(form_of(before), kinds), described(form_of(newest), kinds))


def _head(session: Session, case: Case) -> Lines:
    review = review_of(session, case.case_no)
    version = versions_of(session, case.case_no)[-1]
    lines = [
        ("部门", session.get_one(Department, review.department_uscc).name),
        ("项目", f"{review.project_name}（{review.project_code}）"),
        ("版次", f"第{version.version}版" + (f"，上一版{review.previous_case_no}" if review.previous_case_no else "")),
        ("计划上线", str(review.go_live_on)),
    ]
    plan = form_of(version).plan()
    if case.stage == Stage.OUTSIDE:
        lines.append(("不属于评审范围", outside_because(plan) or ""))
    lines += [(f"不予评审：第{gap.article}条", f"{gap.what}；{gap.write}") for gap in review.gaps]
    if review.reference:
        lines.append(("评审意见书编号", review.reference))
    return lines


def _lines(session: Session, case: Case) -> Lines:
    form = form_of(versions_of(session, case.case_no)[-1])
    plan = form.plan()
    lines = [
        *_head(session, case),
        ("事项", "、".join(f"{item.name}（{item.code}，{item.handles}）" for item in plan.items)),
        ("方案章节", _chapters(form)),
        ("用证方式", form.access),
        ("等级保护", f"{form.security_level}，个人信息约{form.persons}人"),
        ("联系人", mask_name(form.contact_name)),
    ]
    if case.closed_at is None:
        lines += [("请判断", remark) for remark in remarks(plan)]
        if (changed := changes(session, case.case_no)) is not None:
            before, found = changed
            titles = "、".join(each.title for each in found) or "无"
            lines.append((f"与第{before.version}版相比", f"改动{len(found)}项：{titles}（前后内容见完整内容）"))
    return lines


def _chapters(form: SystemReviewForm) -> str:
    titles = {name: SystemReviewForm.model_fields[name].title for name in PROVISIONS}
    return "；".join(f"{titles[name]}：{getattr(form, name).chapter or '—'}" for name in PROVISIONS)


def _full_lines(session: Session, case: Case) -> Lines:
    form = form_of(versions_of(session, case.case_no)[-1])
    lines = [
        *_head(session, case),
        *described(form, kinds_by_code(session)).items(),
        ("联系人", f"{form.contact_name}  {form.contact_phone}  {form.contact_email}"),
    ]
    lines += _opinions(session, case)
    if (changed := changes(session, case.case_no)) is not None:
        before, found = changed
        lines += [
            (f"与第{before.version}版相比：{each.title}", f"原：{each.before or '无'}\n现：{each.after or '无'}")
            for each in found
        ]
    return lines


def _opinions(session: Session, case: Case) -> Lines:
    """What was said of each turn's plan."""
    lines = []
    for turn in range(1, answers_so_far(session, case.case_no, SystemReviewOpinion.question) + 1):
        given = accepted_answer(session, case.case_no, SystemReviewOpinion.question, turn)
        lines.append((f"第{turn}次评审意见", in_short(SystemReviewOpinion.said(given or {}))))
    return lines


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """What is to be judged, what changed since the version before, and which certificates are to be used for what."""
    plan = form_of(versions_of(session, case.case_no)[-1]).plan()
    compared = []
    judged = tuple((f"请判断{place}", remark) for place, remark in enumerate(remarks(plan), 1))
    said = _opinions(session, case)[-1:]
    if said or judged:
        compared.append(Compared("须要判断的", (*said, *judged), telling=frozenset(name for name, _ in said)))
    if (changed := changes(session, case.case_no)) is not None:
        before, found = changed
        rows = tuple((each.title, each.before or "无", each.after or "无") for each in found)
        if rows:
            compared.append(Compared(f"与第{before.version}版相比", table=Table(("项目", "原来", "现在"), rows)))
    uses = _further(session, case)
    if uses is not None:
        compared.append(Compared("怎样用证", table=uses))
    return compared


def _further(session: Session, case: Case) -> Table | None:
    form, kinds = form_of(versions_of(session, case.case_no)[-1]), kinds_by_code(session)
    rows = tuple(
        (
            str(place),
            use.item_code,
            kinds[use.certificate_type].name,
            use.scenario,
            "、".join(kinds[use.certificate_type].names.get(code, code) for code in use.fields),
            "是" if use.holder_alone else "否",
        )
        for place, use in enumerate(form.uses, 1)
    )
    return Table(("行", "事项", "证照", "应用场景", "字段", "可单独出示"), rows) if rows else None


_HAPPENED: Happened = {
    "system-review:submission:registered": "收到第{version}版",
    "system-review:gate:passed": "建设内容已明确，进入评审",
    "system-review:gate:outside": "不属于评审范围，已告知部门",
    "system-review:gate:refused": "不予评审（建设内容{gaps}处没有明确），已告知部门",
    "system-review:material:requested": "要求部门补充材料，截止{due_on}",
    "system-review:material:handed-in": "部门提交第{version}版",
    "system-review:material:taken": "{kind}，继续评审",
    "system-review:review:passed": "评审通过，编号{reference}，承诺用证清单{promised}条",
    "system-review:review:failed": "评审不通过，已告知部门理由",
    "system-review:go-live:reported": "部门报告{on}上线",
    "system-review:go-live:moved": "计划上线由{from_on}改为{to_on}",
}

SYSTEM_REVIEW = Kind(
    CaseKind.SYSTEM_REVIEW,
    "系统评审/system-review",
    STAGES,
    (SystemReviewOpinion, MaterialReceived),
    (limits.SYSTEM_REVIEW, limits.SYSTEM_SUPPLEMENT),
    KindSheet("系统评审", _briefs, _lines, _full_lines, _HAPPENED, _further, compared=_compared),
    select(SystemReview.case_no, SystemReview.department_uscc),
)
