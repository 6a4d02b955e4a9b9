"""The public page on which citizens report that a counter demanded paper (Articles 8, 10, 11): no login, no cookie."""

import secrets
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from regulation.limits import PAPER_REPORTS
from runtime import clock
from runtime.refusals import RefusalError
from tasks.attachments import check_files
from tasks.case_runs import nudge
from tasks.paper_report_forms import DEMANDS, PaperReportForm
from tasks.paper_reports import choices, register_report
from web.pages import Files, Typed, checked, given_files
from web.problems import ProblemError, status_of
from web.rendering import message, page
from web.requests import Allowance

pages = APIRouter(include_in_schema=False)


@pages.get("/paper-reports")
def ask(request: Request) -> HTMLResponse:
    """The empty form."""
    return _page(request, dict.fromkeys(PaperReportForm.model_fields, ""), secrets.token_hex(16))


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
    submission_no = submission_no if 16 <= len(submission_no) <= 80 else secrets.token_hex(16)
    given = given_files(files)
    try:
        form = checked(PaperReportForm, **typed)
        _reports.spend(request)
        case_no = register_report(form, check_files(given), f"page:{submission_no}")
    except RefusalError as why:
        said = f"{why}附件须重新选择。" if given else str(why)
        return _page(request, typed, submission_no, said, status_of(why))
    except ProblemError as why:
        return _page(request, typed, submission_no, why.detail, why.status)
    background.add_task(nudge, case_no)
    told = "核实后会发邮件告诉您结果。" if form.email else ""
    return message(request, f"已收到，谢谢。受理编号：{case_no}，请记下备查。{told}")


def _page(
    request: Request, typed: dict[str, str], submission_no: str, said: str = "", status: int = 200
) -> HTMLResponse:
    departments, kinds = choices()
    context: dict[str, Any] = {
        "said": said,
        "typed": typed,
        "submission_no": submission_no,
        "departments": departments,
        "kinds": kinds,
        "demands": {str(demand): words for demand, words in DEMANDS.items()},
        "today": clock.today(),
    }
    return page(request, "paper-report.html", context, status)


_reports = Allowance(PAPER_REPORTS)
