"""The public page on which citizens report that a counter demanded paper (Articles 8, 10, 11): no login, no cookie."""

import secrets
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from regulation.limits import PAPER_REPORTS
from runtime import clock
from runtime.refusals import RefusalError
from tasks.attachments import check_files
from tasks.case_runs import nudge
from tasks.paper_report_forms import DEMANDS, PaperReportForm
from tasks.paper_reports import choices, register_report
from web.pages import Files, Typed, checked, given_files
from web.problems import status_of
from web.rendering import message, page

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
        if not _reports.hit(RateLimitItemPerHour(PAPER_REPORTS.value), _source(request)):
            return _page(request, typed, submission_no, "您这里提交得太多了，请过一小时再试，或直接致电本中心。", 429)
        case_no = register_report(form, check_files(given), f"page:{submission_no}")
    except RefusalError as why:
        said = f"{why}附件须重新选择。" if given else str(why)
        return _page(request, typed, submission_no, said, status_of(why))
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


def _source(request: Request) -> str:
    return request.client.host if request.client else ""


# Counted by each web process for itself: several of them let through as many times as much.
_reports = SlidingWindowCounterRateLimiter(MemoryStorage())
