"""What tests fill into the forms of everything that staff start: by the code of the start, fields by their names on the
page. Whoever needs something to be there before makes it."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import select

from models.cases import Case
from models.certificate_uses import PaperException
from models.certificates import Certificate, CertificateType
from models.organisations import Leave
from models.system_reviews import SystemReview
from regulation.certificates import Level
from regulation.service_guides import Demand
from regulation.spot_checks import Fault, ObjectKind
from regulation.working_days import last_library_year
from runtime import clock
from runtime.database import reading, transaction
from tasks.desk.starts import STARTS
from tasks.desk.typed import read
from tasks.guides.paper_exceptions import enter_exception
from tasks.objections.registrations import register_objection
from tasks.objections.steps import accept_objection
from tasks.office.leave import file_leave
from tasks.system_reviews.steps import submit_for_department
from tasks.system_reviews.submissions import SystemReviewForm
from tests.conftest import Clerk, by_officer, certificate_of, certificates_with_address, objection_about

CIVIL = "绍兴市柯桥区民政局"
DIRECTOR = "KQ004"


def objection() -> dict[str, str]:
    held, kind = certificate_of(Level.CITY)
    return {
        "objector_kind": "持证主体",
        "objector_name": "俞小云",
        "email": "yuxiaoyun@example.com",
        "phone": "0575-84120001",
        "certificate_type": kind.name,
        "grounds-0": "准确性",
        "certificate": held.number,
        "field": kind.names["address"],
        "stated": str(held.face["address"]),
        "proposed": "绍兴市柯桥区柯桥街道群贤路9999号",
        "reason": "门牌号登记有误，与门牌证不一致。",
        "way": "来访",
        "received_on": day(0),
    }


def holder_comment() -> dict[str, str]:
    # Whatever else is entered about the same certificate would be joined to this, or this to it.
    held, kind = certificates_with_address(Certificate.id != certificate_of(Level.CITY)[0].id)[0]
    disputed = register_objection(objection_about(held, kind), [], "disputed", "KQ001")
    accept_objection.run(disputed.case_no)
    return {
        "case_no": disputed.case_no,
        "holder": "1",
        "way": "来电",
        "received_on": day(0),
        "text": "门牌确实改过，门牌证可以提供。",
    }


def objection_contact() -> dict[str, str]:
    return {
        "case_no": Clerk().register().case_no,
        "what": "改联系方式",
        "email": "",
        "postal_address": "绍兴市柯桥区柯桥街道群贤路9999号",
        "why": "本人持身份证到窗口要求改为邮寄。",
    }


def backfill() -> dict[str, str]:
    paper = {
        "结婚证字号": "J330621-1998-000123",
        "持证人": "王建国",
        "男方姓名": "王建国",
        "男方公民身份号码": "330621680512101",
        "女方姓名": "陈丽华",
        "登记机关": "绍兴县民政局",
        "登记日期": "1998年5月12日",
    }
    with reading() as session:
        kind = session.scalars(select(CertificateType).where(CertificateType.name == "结婚证")).one()
        codes = {field.name: field.code for field in kind.fields}
    return {
        "department": CIVIL,
        "service_case_no": "MZ-2026-001",
        "certificate_type": "结婚证",
        "email": "wjg@example.com",
    } | {f"values-{codes[name]}": text for name, text in paper.items()}


def hand_over() -> dict[str, str]:
    case_no = Clerk().register(field="有效期").case_no
    with reading() as session:
        own = session.get_one(Case, case_no).officer_no
    return {"case_no": case_no, "to": next(no for no in ("KQ001", "KQ002") if no != own), "why": "工作调整"}


def liaison() -> dict[str, str]:
    person = {"name": "钱建平", "position": "科长", "phone": "0575-84120011", "email": "qianjianping@example.cn"}
    return {"department": CIVIL, "kind": "指定"} | person


def rule_revision() -> dict[str, str]:
    return {
        "department": CIVIL,
        "document": "婚姻登记工作规程",
        "clause": "第八条",
        "article": "8",
        "why": "要求当事人提交户口簿原件，未规定可使用电子证照。",
        "planned_on": day(30),
    }


def system_review() -> dict[str, str]:
    provisions = ("issuing", "using", "sharing", "no_paper", "presentation", "archiving", "logging")
    return {
        "department": CIVIL,
        "project_name": "婚姻登记辅助系统",
        "project_code": "KQ-MZ-2026-01",
        "construction": "新建",
        "items-0-item_code": "MZ-HY-01",
        "items-0-item_name": "结婚登记",
        "items-0-handles": "公共服务",
        **{f"{name}-text": "按全区统一标准建设，见方案。" for name in provisions},
        **{f"{name}-chapter": "3.2" for name in provisions},
        "uses-0-item_code": "MZ-HY-01",
        "uses-0-certificate_type": "结婚证",
        "uses-0-scenario": "窗口受理",
        "uses-0-fields": "持证人、登记日期",
        "uses-0-holder_alone": "否",
        "access": "用证接口",
        "own_copies": "否",
        "security_level": "第三级",
        "persons": "20000",
        "go_live_on": day(60),
        "contact_name": "钱建平",
        "contact_phone": "0575-84120011",
        "contact_email": "qianjianping@example.cn",
    }


def go_live() -> dict[str, str]:
    # Another project than the one that is submitted.
    given = read(STARTS["system-review"], system_review() | {"project_code": "KQ-MZ-2026-02"}).only(SystemReviewForm)
    case_no = submit_for_department(given, CIVIL, "before", "KQ001")
    with transaction() as session:
        session.get_one(SystemReview, case_no).passed_on = clock.today()
    return {"case_no": case_no, "kind": "改期", "on": day(90), "reason": "招标推迟"}


def visit() -> dict[str, str]:
    return {
        "department": CIVIL,
        "item_code": "MZ-HY-01",
        "visited_on": day(-1),
        "material": "结婚证",
        "demand": str(next(iter(Demand))),
    }


def spot_check() -> dict[str, str]:
    return {"title": "用证专项抽查", "percent": "5", "period_from": day(-60), "period_until": day(-1)}


def conflict() -> dict[str, str]:
    return {"inspector": "KQ001", "department": CIVIL, "ties": "申报回避", "until_on": day(30)}


def check_item() -> dict[str, str]:
    return {
        "item_code": "SC-77",
        "title": "窗口张贴用证提示",
        "how": "到窗口查看是否张贴",
        "kinds-0": str(next(iter(ObjectKind))),
        "fault": str(next(iter(Fault))),
        "standing": "有效",
    }


def leave() -> dict[str, str]:
    return {"absent": "KQ001", "substitute": "KQ002", "from_on": day(1), "until_on": day(3)}


def leave_change() -> dict[str, str]:
    file_leave("KQ001", "KQ002", clock.today() + SOON, clock.today() + 2 * SOON, by_officer(DIRECTOR))
    with reading() as session:
        number = session.scalars(select(Leave.id).order_by(Leave.id.desc())).first()
    given = {"leave": str(number), "what": "改日期或代理人", "substitute": "KQ003"}
    return given | {"from_on": day(8), "until_on": day(9)}


def calendar() -> dict[str, str]:
    year = last_library_year() + 1
    return {"year": str(year), "days_off": f"{year}-01-01 元旦", "days_worked": ""}


def paper_exception() -> dict[str, str]:
    return {"certificate_type": "结婚证", "citation": "《某条例》第三条", "from_on": day(0), "until_on": day(30)}


def paper_exception_end() -> dict[str, str]:
    enter_exception("结婚证", "", "《某条例》第三条", clock.today(), None, by_officer(DIRECTOR))
    with reading() as session:
        number = session.scalars(select(PaperException.id).order_by(PaperException.id.desc())).first()
    return {"number": str(number), "last_on": day(10)}


FILLED: Mapping[str, Callable[[], dict[str, str]]] = {
    "objection": objection,
    "holder-comment": holder_comment,
    "objection-contact": objection_contact,
    "backfill": backfill,
    "paper-exception": paper_exception,
    "paper-exception-end": paper_exception_end,
    "liaison": liaison,
    "rule-revision": rule_revision,
    "system-review": system_review,
    "go-live": go_live,
    "visit": visit,
    "spot-check": spot_check,
    "inspector": lambda: {"inspector": "KQ003", "what": "列入"},
    "conflict": conflict,
    "check-item": check_item,
    "hand-over": hand_over,
    "leave": leave,
    "leave-change": leave_change,
    "approver": lambda: {"officer": "KQ003", "what": "指定"},
    "calendar": calendar,
}
SOON = timedelta(days=7)


def day(offset: int) -> str:
    """A day from today on, as a page's field holds it."""
    return str(clock.today() + timedelta(days=offset))
