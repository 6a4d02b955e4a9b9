"""Where a case stands, as programs read it."""

from typing import Any

from tasks.desk.sheets import sheet_of
from tasks.objections.followed import followed
from tasks.objections.kind import OBJECTION_TO_PARTY


def status_of(case_no: str) -> dict[str, Any]:
    """An objection's status as JSON, for its objector: masked, with its limits explained day by day, what is asked of
    them now and how it ended."""
    sheet, told = sheet_of(case_no, OBJECTION_TO_PARTY), followed(case_no)
    return {
        "case_no": sheet.case_no,
        "stage": sheet.stage,
        "certificate_type": sheet.subject,
        "supplement": told.asked
        and {
            "what": told.asked.what,
            "due_on": str(told.asked.due_on),
            "provisional": told.asked.provisional,
            "received": told.asked.received,
        },
        "result": told.ended and {"outcome": told.ended.outcome or None, "reason": told.ended.reason},
        "limits": [
            {
                "label": limit.label,
                "statutory": limit.statutory,
                "starts_on": str(limit.starts_on),
                "due_on": str(limit.due_on),
                "provisional": limit.provisional,
                "met_on": limit.met_on and str(limit.met_on),
                "missed_by_working_days": limit.missed_by,
                "moves": list(limit.moves),
                "explanation": [
                    {"date": str(day.date), "counts": day.counts, "why": day.why} for day in limit.explanation
                ],
            }
            for limit in sheet.limits
        ],
        "timeline": [{"at": at, "what": what} for at, what in sheet.timeline],
    }


def standing(case_no: str) -> dict[str, Any]:
    """Where a case stands, as a department's program reads it."""
    sheet = sheet_of(case_no)
    due_on = [str(limit.due_on) for limit in sheet.limits]
    return {"case_no": case_no, "stage": sheet.stage, "due_on": due_on[0] if due_on else None}
