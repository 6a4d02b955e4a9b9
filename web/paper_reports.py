"""The public page on which citizens report that a counter demanded paper (Articles 8, 10, 11): no login, no cookie."""

from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from regulation.limits import PAPER_REPORTS
from runtime import clock
from runtime.refusals import RefusalError
from tasks.case.submissions import OtherContentError
from tasks.desk.runs import nudge
from tasks.supervision.paper_report_questions import DEMANDS, PaperReportForm
from tasks.supervision.paper_reports import choices, register_report
from web.forms import NOBODYS, Files, Filled, Typed, checked_with_files, given_files, refused, submission_number
from web.problems import ProblemError
from web.rendering import message, page
from web.requests import Allowance

pages = APIRouter(include_in_schema=False)

BASIS = "第八条、第十条、第十一条"
"""What a counter breaks that demands the paper, takes no certificate on the phone, or demands a copy."""


@pages.get("/paper-reports")
def ask(request: Request) -> HTMLResponse:
    """The empty form."""
    return _page(request, submission_number())


@pages.post("/paper-reports")
def report(
    request: Request,
    background: BackgroundTasks,
    submission_no: Typed = "",
    department: Typed = "",
    matter: Typed = "",
    material: Typed = "",
    demand: Typed = "",
    happened_on: Typed = "",
    account: Typed = "",
    email: Typed = "",
    phone: Typed = "",
    files: Files = None,
) -> HTMLResponse:
    """The form with what was typed; what is refused stands in it again, with the reason."""
    typed = {
        "department": department,
        "matter": matter,
        "material": material,
        "demand": demand,
        "happened_on": happened_on,
        "account": account,
        "email": email,
        "phone": phone,
    }
    number = submission_number(submission_no)
    given = given_files(files)
    try:
        form, kept = checked_with_files(PaperReportForm, typed, given)
        _reports.spend(request)
        case_no = register_report(form, kept, f"page:{number}")
    except (RefusalError, ProblemError) as why:
        # What was sent under this number before stays as it was.
        fresh = submission_number() if isinstance(why, OtherContentError) else number
        return _page(request, fresh, refused(why, typed, given))
    background.add_task(nudge, case_no)
    told = "核实后会发邮件告诉您结果。" if form.email else ""
    text = f"已收到，谢谢。受理编号：{case_no}，请记下备查。{told}"
    return message(request, "已收到", text, basis=BASIS)


def _page(request: Request, submission_no: str, form: Filled = NOBODYS) -> HTMLResponse:
    departments, kinds = choices()
    context: dict[str, Any] = {
        "form": form,
        "submission_no": submission_no,
        "departments": departments,
        "kinds": kinds,
        "demands": {str(demand): words for demand, words in DEMANDS.items()},
        "today": clock.today(),
        "basis": BASIS,
    }
    return page(request, "paper-report.html", context, form.status)


_reports = Allowance(PAPER_REPORTS)
