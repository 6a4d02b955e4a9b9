"""How many cases stand where, how limits were kept, who has how much: drawings with their numbers beside them."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from tasks.case.kind import Table
from tasks.desk.figures import batches, limits_by_week, load, open_cases
from web.desk.charts import BAD, GOOD, OPEN, lying, numbers_in, standing
from web.desk.door import HOME, AtDesk, from_its_networks
from web.desk.rendering import desk_page

WHOSE = (
    "在办的记在现在的经办人名下。近12周的按时、逾期与上表同期、同数，记在当时的经办人名下：按时的，完成时；逾期的，"
    "截止日结束时。之后移交的不变；休假期间由代理人办理的，仍记在经办人名下。"
)
"""In whose name it is counted, where cases are handed over."""

router = APIRouter(prefix=HOME, include_in_schema=False, dependencies=[Depends(from_its_networks)])


@router.get("/figures")
def figures(request: Request, by: AtDesk) -> HTMLResponse:
    """The figures as they are at this moment."""
    stages, weeks, officers = open_cases(), limits_by_week(), load()
    # The last row of each is the total, which no bar shows.
    of_stages, of_weeks, of_officers = (Table(each.columns, each.rows[:-1]) for each in (stages, weeks, officers))
    context = {
        "figures": [
            (
                "在办：按类别和环节",
                stages,
                2,
                "",
                lying(
                    of_stages,
                    2,
                    [("在办", GOOD, numbers_in(of_stages, 2)), ("其中已超期", BAD, numbers_in(of_stages, 3))],
                    "在办办件按类别和环节的条形图，数字见旁边的表",
                ),
            ),
            (
                "期限：按截止日所在周",
                weeks,
                1,
                "",
                standing(
                    of_weeks,
                    [
                        ("未到期", OPEN, numbers_in(of_weeks, 1, 2, 3)),
                        ("逾期", BAD, numbers_in(of_weeks, 1, 2)),
                        ("按时", GOOD, numbers_in(of_weeks, 1)),
                    ],
                    "各周到期的期限按时、逾期、未到期的柱形图，数字见旁边的表",
                ),
            ),
            (
                "经办人",
                officers,
                1,
                WHOSE,
                lying(
                    of_officers,
                    1,
                    [("在办", GOOD, numbers_in(of_officers, 1)), ("其中已超期", BAD, numbers_in(of_officers, 2))],
                    "各经办人在办办件的条形图，数字见旁边的表",
                ),
            ),
        ],
        "batches": batches(),
    }
    return desk_page(request, "desk/figures.html", context, by)
