"""Sample notices: at least one of each class, and one of each way in which a letter can turn out.

What ``ezt notices preview`` shows and what the tests of notices render. A new notice needs an example here, in the
group of its case; people and numbers are invented ones of the sample data.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ezt.samples import data
from ezt.samples.catalogue import DEPARTMENTS
from notifications import notices
from notifications.notices import DayLine, DeadlineLine, EntryLine, GapLine, Notice
from regulation.certificates import mask_name, mask_number
from regulation.service_guides import CITIZEN_RULES, Demand
from regulation.working_days import WorkingDays

SITE = "https://kq.example.cn"
DESK = "https://desk.kq.example.cn/desk"
UNGUESSABLE = "Zk3vQ8yN1rT5wX7bC2dF4gH6jK9mP0sU"
"""As long as the unguessable part of a real address."""


@dataclass(frozen=True, slots=True)
class Example:
    """A notice as somebody could get it; ``reader`` says who gets its kind, ``turn`` what sets this one apart."""

    reader: str
    notice: Notice
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Examples of one kind of case, and the article of the measures that it is about; ``None``: of any kind."""

    title: str
    article: int | None
    examples: tuple[Example, ...]


RECEIVED_ON = date(2026, 9, 24)
"""A Thursday; the Mid-Autumn Festival and the National Day holiday follow."""
DUE_ON = date(2026, 10, 9)
HOLDER, OTHER = data.holders(data.DEFAULT_SEED, 2)
(FIRST_NO, FIRST, _), (SECOND_NO, SECOND, _) = data.OFFICERS[:2]
DIRECTOR = data.OFFICERS[3][1]
MARKET, OFFICE = DEPARTMENTS[0], DEPARTMENTS[5]
LIAISON, FORMER = mask_name(OTHER.name), mask_name(HOLDER.name)


def _explained(received_on: date, days: int) -> list[DayLine]:
    return [DayLine(**day._asdict()) for day in WorkingDays().explain(received_on, days)]


# Forms of the same notice differ in a few fields: what they share is named once.
_OBJECTION: dict[str, Any] = {
    "case_no": "YY-2026-000001",
    "certificate": "不动产权证书",
    "link": f"{SITE}/objections/{UNGUESSABLE}",
}
_FIELD: dict[str, Any] = {"field": "坐落"}
_DUE: dict[str, Any] = {"due_on": DUE_ON, "provisional": False}
_PROVISIONAL: dict[str, Any] = {"due_on": date(2027, 1, 5), "provisional": True}
_HOLDER: dict[str, Any] = {
    "case_no": "YY-2026-000001",
    "holder_no": 1,
    "recipient": "张*丰",
    "certificate": "不动产权证书",
    "field": "坐落",
}
_TO_OFFICE: dict[str, Any] = {"recipient": OFFICE, "department": OFFICE}
_TO_LIAISON: dict[str, Any] = {"recipient": LIAISON, "department": OFFICE}
_BACKFILL: dict[str, Any] = {
    "recipient": OFFICE,
    "case_no": "BL-2026-000001",
    "certificate": "结婚证",
    "service_case_no": "MZ-20260924-0017",
}
_BATCH: dict[str, Any] = _BACKFILL | {"case_no": "PL-2026-000001", "rows": 5000, "accept": 5}
_RECTIFICATION: dict[str, Any] = _TO_OFFICE | {
    "case_no": "ZG-2026-000002",
    "problem": "没有在册的电子证照专人",
    "article": 13,
    "link": f"{SITE}/rectifications/{UNGUESSABLE}",
}
_REVISION: dict[str, Any] = _TO_OFFICE | {
    "case_no": "XD-2026-000001",
    "document": "婚姻登记窗口收件规程",
    "clause": "第三条",
    "article": 8,
    "link": f"{SITE}/rule-revisions/{UNGUESSABLE}",
}
_CHECK: dict[str, Any] = {
    "officer": FIRST,
    "case_no": "CC-2026-000001",
    "department": OFFICE,
    "due_on": DUE_ON,
    "link": f"{SITE}/spot-checks/CC-2026-000001/checklists",
}
_PROJECT: dict[str, Any] = _TO_OFFICE | {"case_no": "PS-2026-000001", "project": "婚姻登记一网通办系统"}
_REPORT: dict[str, Any] = {
    "case_no": "FY-2026-000001",
    "department": OFFICE,
    "demand": Demand.PAPER,
}


def _entries(*said: str) -> list[EntryLine]:
    uses = (("婚姻登记档案查询（330603-MZ-001）", "结婚证"), ("社会救助申请（330603-MZ-002）", "残疾人证"))
    return [
        EntryLine(line=place, item=item, certificate=certificate, scenario="窗口受理", what=what)
        for place, ((item, certificate), what) in enumerate(zip(uses, said, strict=False), 3)
    ]


def _deadlines(*left: str) -> list[DeadlineLine]:
    cases = (("YY-2026-000001", "提出核实需求", True), ("BL-2026-000012", "审核纸质证照补录", False))
    return [
        DeadlineLine(case_no=case_no, limit=limit, due_on=DUE_ON, left=words, statutory=statutory, officer_no=FIRST_NO)
        for (case_no, limit, statutory), words in zip(cases, left, strict=False)
    ]


def _disputed(by: str) -> notices.CertificateDisputed:
    return notices.CertificateDisputed(**_HOLDER, by=by, accepted_on=RECEIVED_ON, days=5)


def _closed(outcome: str, reason: str, **said: bool) -> notices.ObjectionClosed:
    about: dict[str, Any] = {"outcome": outcome, "reason": reason, "corrected": False, "new_version": False}
    return notices.ObjectionClosed(**_OBJECTION, **_FIELD, **about | said)


GROUPS = (
    Group(
        "异议核查",
        12,
        (
            Example(
                "异议申请人",
                notices.ObjectionToConfirm(
                    certificate="不动产权证书",
                    until=date(2026, 10, 1),
                    link=f"{SITE}/objections/drafts/{UNGUESSABLE}",
                ),
            ),
            Example(
                "异议申请人",
                notices.ObjectionRegistered(
                    **_OBJECTION,
                    **_FIELD,
                    **_DUE,
                    received_on=RECEIVED_ON,
                    explanation=_explained(RECEIVED_ON, 5),
                ),
            ),
            Example(
                "异议申请人",
                notices.ObjectionRegistered(
                    **_OBJECTION,
                    **_FIELD,
                    **_PROVISIONAL,
                    received_on=date(2026, 12, 28),
                    explanation=_explained(date(2026, 12, 28), 5),
                ),
                "截止日暂定",
            ),
            Example("异议申请人", notices.ObjectionJoined(**_OBJECTION, **_FIELD)),
            Example("异议申请人", notices.ObjectionReleased(**_OBJECTION)),
            Example(
                "异议申请人",
                notices.SupplementRequested(
                    **_OBJECTION, **_DUE, what="一、不动产权证书内页的照片；\n二、公安机关出具的门牌证明。"
                ),
            ),
            Example("异议申请人", notices.ObjectionAccepted(**_OBJECTION, **_FIELD, **_DUE)),
            Example("异议申请人", notices.ObjectionAccepted(**_OBJECTION, **_FIELD, **_PROVISIONAL), "截止日暂定"),
            Example(
                "异议申请人",
                notices.ObjectionDeclined(
                    **_OBJECTION, reason="所指证照由其他县（市、区）颁发，请向颁发地的综合管理单位提出。"
                ),
            ),
            Example(
                "异议申请人",
                notices.ObjectionAnswered(
                    **_OBJECTION,
                    **_FIELD,
                    outcome="维持原信息",
                    decided_on=date(2026, 9, 1),
                    reason="经绍兴市大数据局核实，证照登记的内容与原始档案一致。",
                ),
            ),
            Example(
                "异议申请人",
                notices.VerificationSent(**_OBJECTION, bureau="绍兴市大数据局", sent_on=RECEIVED_ON),
            ),
            Example(
                "异议申请人",
                _closed(
                    "已更正",
                    "经绍兴市大数据局核实，登记的坐落有误，现予更正。",
                    corrected=True,
                    new_version=True,
                    adopted=True,
                ),
                "已更正，生成新版本",
            ),
            Example(
                "异议申请人",
                _closed(
                    "已更正",
                    "经绍兴市大数据局核实，登记的坐落有误，现予更正。",
                    corrected=True,
                    new_version=True,
                    adopted=False,
                ),
                "已更正，内容与申请人主张的不同",
            ),
            Example(
                "异议申请人",
                _closed(
                    "已更正",
                    "经浙江省大数据局核实，登记的坐落与不动产登记簿不一致。",
                    corrected=True,
                    new_version=False,
                ),
                "由数据源头更正",
            ),
            Example(
                "异议申请人",
                _closed(
                    "维持原信息",
                    "经绍兴市大数据局核实，登记的坐落与不动产登记簿一致。",
                ),
                "维持原信息",
            ),
            Example(
                "异议申请人",
                _closed("已同步", "经浙江省大数据局核实，源头登记的坐落无误，本区登记的没有及时更新。", synced=True),
                "本区登记与源头同步",
            ),
            Example("异议申请人", notices.ObjectionWithdrawn(**_OBJECTION)),
            Example(
                "异议申请人",
                notices.ContactToConfirm(case_no="YY-2026-000001", certificate="不动产权证书", code="40718254"),
            ),
            Example("异议申请人", notices.ContactChanged(**_OBJECTION)),
            Example(
                "异议申请人", notices.ContactChanged(**_OBJECTION, acting="您以监护人的身份代他人办理。"), "代他人办理"
            ),
            Example("原来的联系人", notices.LettersStop(case_no="YY-2026-000001", certificate="不动产权证书")),
            Example("持证主体（邮寄）", notices.CertificateDisputed(**_HOLDER, accepted_on=RECEIVED_ON, days=5, by="")),
            Example(
                "持证主体（邮寄）",
                notices.CertificateDisputed(**_HOLDER, accepted_on=RECEIVED_ON, days=5, by=MARKET),
                "部门提出的异议",
            ),
            Example(
                "持证主体（邮寄）",
                notices.DisputeEnded(
                    **_HOLDER,
                    outcome="已更正",
                    changed=True,
                    reason="经绍兴市大数据局核实，登记的坐落有误，现予更正。",
                ),
            ),
            Example(
                "持证主体（邮寄）",
                notices.DisputeEnded(**_HOLDER, outcome="已撤回", changed=False, reason=""),
                "申请人撤回",
            ),
            Example(
                "用过错误信息的部门及其专人",
                notices.WrongValueUsed(
                    case_no="YY-2026-000001",
                    department=MARKET,
                    certificate="不动产权证书",
                    field="坐落",
                    business_nos=["SP-20260901-0031", "SP-20260915-0008"],
                    more=True,
                    due_on=DUE_ON,
                    link=f"{SITE}/wrong-value-uses/{UNGUESSABLE}",
                ),
            ),
            Example(
                "保管登记的部门及其专人",
                notices.SourceAsked(
                    **_TO_OFFICE,
                    case_no="YY-2026-000001",
                    certificate="结婚证",
                    field="登记日期",
                    due_on=DUE_ON,
                    link=f"{SITE}/source-checks/{UNGUESSABLE}",
                ),
            ),
            Example(
                "批量报送异议的单位",
                notices.ObjectionBatchRegistered(
                    recipient="浙江省大数据局",
                    case_no="YP-2026-000001",
                    received_on=RECEIVED_ON,
                    rows=10_000,
                    registered=9_958,
                    joined=31,
                    same=40,
                    wrong=[notices.RowLine(row=17, what="联系电话格式不对。请更正该行后重新报送。")],
                    more=1,
                ),
            ),
        ),
    ),
    Group(
        "纸质证照补录",
        11,
        (
            Example(
                "补录的部门及其专人",
                notices.BackfillReturned(
                    **_BACKFILL, reason="登记日期与扫描件不符：扫描件为2015年5月20日。", final=False, due_on=DUE_ON
                ),
                "请更正",
            ),
            Example(
                "补录的部门及其专人",
                notices.BackfillReturned(**_BACKFILL, reason="扫描件不是结婚证。", final=True, due_on=None),
                "不予补录",
            ),
            Example(
                "持证主体",
                notices.CertificateBackfilled(
                    case_no="BL-2026-000001",
                    holder=mask_name(HOLDER.name),
                    certificate="结婚证",
                    number=mask_number("J330621-2015-001723"),
                    department=OFFICE,
                    done_on=RECEIVED_ON,
                    link=f"{SITE}/backfills/{UNGUESSABLE}",
                ),
            ),
            Example(
                "补录的部门及其专人",
                notices.BackfillBatchDecided(
                    **_BATCH,
                    result="已入库",
                    sent_back=False,
                    registered=4945,
                    same=12,
                    conflict=3,
                    bad=40,
                    checked=200,
                    wrong=[],
                ),
                "已入库",
            ),
            Example(
                "补录的部门及其专人",
                notices.BackfillBatchDecided(
                    **_BATCH,
                    result="整批退回",
                    sent_back=True,
                    registered=0,
                    same=12,
                    conflict=3,
                    bad=40,
                    checked=200,
                    wrong=[7, 19, 23, 40, 41, 99],
                ),
                "整批退回",
            ),
        ),
    ),
    Group(
        "经办与时限",
        None,
        (
            Example(
                "经办人员",
                notices.CaseAssigned(
                    case_no="YY-2026-000001",
                    officer=FIRST,
                    kind="异议核查",
                    stage="待初审",
                    due_on=DUE_ON,
                    why=f"由工号{SECOND_NO}移交",
                    desk=DESK,
                ),
            ),
            Example(
                "可以审签的人员，每日至多一封",
                notices.ApprovalAsked(
                    officer=DIRECTOR,
                    case_no="YY-2026-000001",
                    kind="异议核查",
                    due_on=DUE_ON,
                    nobody=False,
                    desk=DESK,
                ),
            ),
            Example(
                "负责人",
                notices.ApprovalAsked(
                    officer=DIRECTOR,
                    case_no="YY-2026-000001",
                    kind="异议核查",
                    due_on=DUE_ON,
                    nobody=True,
                    desk=DESK,
                ),
                "没有人可以审签",
            ),
            Example(
                "经办人员",
                notices.CasesHandedOver(
                    case_nos=["YY-2026-000001", "YY-2026-000002", "ZR-2026-000001"],
                    more=0,
                    officer=FIRST,
                    by_no=SECOND_NO,
                    due_on=DUE_ON,
                    why="原经办人借调一个月",
                    desk=DESK,
                ),
            ),
            Example(
                "代理人；他人登记的，也告知休假人",
                notices.LeaveFiled(
                    officer=SECOND,
                    away=FIRST,
                    acts=SECOND,
                    from_on=date(2026, 10, 8),
                    until_on=DUE_ON,
                    taken_back=False,
                    by_no=FIRST_NO,
                    desk=DESK,
                ),
            ),
            Example(
                "工作人员，每日至多一封",
                notices.CodesGuessed(officer=FIRST, times=5, since="9月24日 03:12", desk=DESK),
            ),
            Example(
                "经办人员，每日一封",
                notices.DeadlinesNear(
                    officer=FIRST, day=RECEIVED_ON, lines=_deadlines("还有2个工作日", "今天截止"), more=7, desk=DESK
                ),
            ),
            Example(
                "负责人，每日一封",
                notices.DeadlinesMissed(
                    director=DIRECTOR,
                    day=date(2026, 10, 14),
                    lines=_deadlines("已超期3个工作日"),
                    more=0,
                    desk=f"{DESK}?whose=directors",
                ),
            ),
        ),
    ),
    Group(
        "专人备案",
        13,
        (
            Example(
                "部门及其专人",
                notices.LiaisonOnFile(
                    **_TO_LIAISON,
                    case_no="ZR-2026-000001",
                    liaison=LIAISON,
                    from_on=RECEIVED_ON,
                    replaced=FORMER,
                    until_on=DUE_ON,
                ),
                "接替原专人",
            ),
            Example(
                "部门及其专人",
                notices.LiaisonOnFile(
                    **_TO_OFFICE,
                    case_no="ZR-2026-000001",
                    liaison=LIAISON,
                    from_on=RECEIVED_ON,
                    replaced="",
                    until_on=None,
                ),
                "首次指定",
            ),
            Example(
                "部门及其专人",
                notices.LiaisonOffFile(**_TO_OFFICE, case_no="ZR-2026-000002", liaison=FORMER, until_on=DUE_ON),
            ),
            Example(
                "部门及其专人",
                notices.LiaisonReturned(
                    **_TO_OFFICE,
                    case_no="ZR-2026-000003",
                    kind="变更",
                    liaison=LIAISON,
                    reason="请写明：\n一、专人的职务；\n二、接替何人。",
                ),
            ),
            Example("没有在册专人的部门，每周一封", notices.LiaisonMissing(**_TO_OFFICE, day=RECEIVED_ON)),
        ),
    ),
    Group(
        "用证清单",
        9,
        (
            Example(
                "部门及其专人",
                notices.UseListDecided(
                    **_TO_OFFICE,
                    case_no="QD-2026-000001",
                    verdict="部分通过",
                    taken=_entries("自2026年10月9日起生效"),
                    refused=_entries("", "新增或变更")[1:],
                    more=7,
                    reason="申请的项目超出办理该事项所需。",
                ),
                "部分通过",
            ),
            Example(
                "部门及其专人",
                notices.UseListDecided(
                    **_TO_OFFICE,
                    case_no="QD-2026-000002",
                    verdict="通过",
                    taken=_entries("自2026年10月9日起生效", "自2026年10月9日起生效"),
                    refused=[],
                    more=0,
                    reason="",
                ),
                "通过",
            ),
            Example(
                "部门及其专人",
                notices.UseListEnquired(
                    **_TO_OFFICE,
                    **_DUE,
                    lines=_entries("180天未使用", "上次确认已满一年"),
                    more=2,
                    link=f"{SITE}/use-list/enquiries/{UNGUESSABLE}",
                ),
            ),
        ),
    ),
    Group(
        "监督报告",
        17,
        (
            Example(
                "负责人和接收报告的领导",
                notices.SupervisionReported(
                    recipient=DIRECTOR,
                    period="2026年9月",
                    summary=["用证次数：18203次", "发现问题：11个", "整改用时中位数：6个工作日", "补录入库：4945张"],
                    link=f"{SITE}/reports/2026-09/{UNGUESSABLE}",
                ),
            ),
        ),
    ),
    Group(
        "督促整改",
        17,
        (
            Example(
                "被监督的部门及其专人",
                notices.RectificationOrdered(
                    **_RECTIFICATION,
                    **_DUE,
                    facts="自2026年9月1日起没有在册的专人，其间用证被拒14次。",
                    severity="较重",
                    requirement="请指定专人并办理备案。",
                    first_on=date(2026, 9, 15),
                    times=3,
                    earlier_case="ZG-2026-000001",
                    earlier_on=date(2026, 3, 2),
                    explanation=_explained(RECEIVED_ON, 5),
                ),
                "重复发生",
            ),
            Example(
                "被监督的部门及其专人",
                notices.RectificationOrdered(
                    **_RECTIFICATION,
                    **_PROVISIONAL,
                    facts="自2026年12月1日起没有在册的专人。",
                    severity="一般",
                    requirement="",
                    first_on=date(2026, 12, 15),
                    times=1,
                    earlier_case="",
                    earlier_on=None,
                    explanation=_explained(date(2026, 12, 28), 5),
                ),
                "首次发现，截止日暂定",
            ),
            Example("被监督的部门及其专人", notices.RectificationDue(**_RECTIFICATION, **_DUE)),
            Example(
                "被监督的部门及其专人",
                notices.RectificationReturned(
                    **_RECTIFICATION, **_DUE, reason="备案的专人已经调离。", explanation=_explained(RECEIVED_ON, 5)
                ),
            ),
            Example(
                "被监督的部门及其专人",
                notices.ExtensionDecided(**_RECTIFICATION, **_DUE, granted=True, reason=""),
                "同意",
            ),
            Example(
                "被监督的部门及其专人",
                notices.ExtensionDecided(**_RECTIFICATION, **_DUE, granted=False, reason="指定专人的期限已经足够。"),
                "不同意",
            ),
            Example(
                "被监督的部门及其专人，负责人",
                notices.RectificationEscalated(**_RECTIFICATION, reason="至今没有答复。", failures=2),
            ),
            Example(
                "被监督的部门及其专人",
                notices.RectificationClosed(
                    **_RECTIFICATION, outcome="已整改", reason="专人已于2026年9月28日备案，经复查符合要求。"
                ),
            ),
        ),
    ),
    Group(
        "制度修订",
        16,
        (
            Example(
                "报送的部门及其专人",
                notices.RuleRevisionTracked(**_REVISION, due_on=date(2026, 12, 31), provisional=False),
            ),
            Example(
                "报送的部门及其专人",
                notices.RuleRevisionReturned(**_REVISION, **_PROVISIONAL, reason="第三条没有修改。", final=False),
                "再次修订",
            ),
            Example(
                "报送的部门及其专人",
                notices.RuleRevisionReturned(
                    **_REVISION, reason="与XD-2026-000000重复。", final=True, due_on=None, provisional=False
                ),
                "报送被退回",
            ),
            Example(
                "报送的部门及其专人", notices.RuleRevisionDue(**_REVISION, **_PROVISIONAL, overdue=False), "即将到期"
            ),
            Example("报送的部门及其专人", notices.RuleRevisionDue(**_REVISION, **_DUE, overdue=True), "已逾期"),
            Example(
                "报送的部门及其专人",
                notices.RuleRevisionClosed(**_REVISION, document_no="柯民〔2026〕9号", in_force_on=RECEIVED_ON),
            ),
        ),
    ),
    Group(
        "随机抽查",
        17,
        (
            Example("抽中的检查人员", notices.SpotCheckAssigned(**_CHECK, objects=7)),
            Example("同组的另一名检查人员", notices.SpotCheckToConfirm(**_CHECK, entered_by=SECOND_NO)),
            Example("检查人员", notices.SpotCheckLate(**_CHECK, stage="待登记", left="还有1个工作日"), "将到期"),
            Example("检查人员", notices.SpotCheckLate(**_CHECK, stage="待登记", left="今天截止"), "当日到期"),
            Example("检查人员", notices.SpotCheckLate(**_CHECK, stage="待确认", left="已超期2个工作日"), "已超期"),
        ),
    ),
    Group(
        "新建系统评审",
        17,
        (
            Example(
                "提交的部门和项目联系人",
                notices.SystemReviewRegistered(**_PROJECT, **_DUE, version=2, received_on=RECEIVED_ON),
            ),
            Example(
                "提交的部门和项目联系人",
                notices.SystemOutside(**_PROJECT, reason="建设性质为“运行维护”，不是新建系统"),
            ),
            Example(
                "提交的部门和项目联系人",
                notices.SystemNotReviewed(
                    **_PROJECT,
                    gaps=[
                        GapLine(article=17, what="方案没有明确电子证照的签发", write="请写明签发哪些电子证照。"),
                        GapLine(
                            article=8,
                            what="方案没有明确不再要求纸质证照的安排",
                            write="请写明哪些事项、自何时起不再要求提供纸质证照。",
                        ),
                    ],
                ),
            ),
            Example(
                "提交的部门和项目联系人",
                notices.SystemMaterialRequested(
                    **_PROJECT, **_DUE, what="一、电子证照共享给哪些单位；\n二、共享的依据。"
                ),
            ),
            Example(
                "提交的部门和项目联系人",
                notices.SystemReviewPassed(
                    **_PROJECT,
                    reference="PY-2026-000001-4F0C9A3B1D",
                    go_live_on=date(2026, 12, 31),
                    promised=_entries("待提出", "待提出"),
                    more=3,
                    use_list=f"{SITE}/api/v1/use-list/proposals",
                    verification=f"{SITE}/api/v1/system-review-references/PY-2026-000001-4F0C9A3B1D",
                ),
                "有承诺的条目",
            ),
            Example(
                "提交的部门和项目联系人",
                notices.SystemReviewPassed(
                    **_PROJECT,
                    reference="PY-2026-000001-4F0C9A3B1D",
                    go_live_on=date(2026, 12, 31),
                    promised=[],
                    more=0,
                    use_list=f"{SITE}/api/v1/use-list/proposals",
                    verification=f"{SITE}/api/v1/system-review-references/PY-2026-000001-4F0C9A3B1D",
                ),
                "没有承诺的条目",
            ),
            Example(
                "提交的部门和项目联系人",
                notices.SystemReviewFailed(**_PROJECT, reason="共享范围超出本单位职能，且没有说明依据。"),
            ),
            Example(
                "提交的部门和项目联系人",
                notices.GoLiveNear(
                    **_PROJECT, go_live_on=date(2026, 12, 31), missing=_entries("尚未列入用证清单"), more=2
                ),
                "有条目未列入清单",
            ),
            Example(
                "提交的部门和项目联系人",
                notices.GoLiveNear(**_PROJECT, go_live_on=date(2026, 12, 31), missing=[], more=0),
                "都已列入清单",
            ),
        ),
    ),
    Group(
        "群众反映",
        8,
        (
            Example(
                "反映人",
                notices.PaperReportReceived(
                    **_REPORT, **_DUE, received_on=RECEIVED_ON, article=CITIZEN_RULES[Demand.PAPER].article
                ),
            ),
            Example(
                "反映人",
                notices.PaperReportHandled(**_REPORT, confirmed=True, reason="窗口确有要求，已当场纠正。"),
                "属实",
            ),
            Example(
                "反映人",
                notices.PaperReportHandled(
                    **_REPORT, confirmed=False, reason="当日该窗口没有您所说的业务，监控也没有相应记录。"
                ),
                "未能认定",
            ),
        ),
    ),
)
EXAMPLES = tuple(example for group in GROUPS for example in group.examples)
