"""Article 11's story on a real Prefect server with a real worker: a paper from the counter to its holder's mail."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.desk import NotThereError
from models.certificates import Certificate
from regulation.backfill.review import Stage
from runtime import clock
from runtime.database import reading
from tests.articles.test_article_11_backfill import SCAN
from tests.desk.starting import backfill
from tests.stories.test_objection_case import case_run

pytestmark = pytest.mark.timeout(600)

HOLDER = "wangjianguo@example.com"
PRIVATE = ["王建国", "陈丽华", "330621680512101", "33062119680512101X", HOLDER]


def test_a_paper_certificate_from_the_form_to_the_holders_mail(mailbox: Any, desk: Any, tmp_path: Path) -> None:
    form = backfill() | {"email": HOLDER}
    with pytest.raises(NotThereError, match="必填项"):
        desk.start("backfill", "KQ001", **{name: text for name, text in form.items() if name != "values-issuer"})
    case_no = f"BL-{clock.today().year}-000001"
    assert case_no in desk.start("backfill", "KQ001", **form)

    # Without the scan there is nothing to review; adding it at the desk lets the story go on.
    run_id = case_run(case_no)
    waiting = desk.wait(run_id, StateType.PAUSED)
    assert waiting.name == f"补录 {case_no} · 结婚证 · 待审核"
    hidden = desk.asked(case_no, "scan", "KQ004")
    added = desk.browser("KQ004").post(
        f"/desk/cases/{case_no}/files",
        data={"form_key": hidden["form_key"]},
        files=[("files", (SCAN.name, SCAN.content))],
    )
    assert added.headers["location"].endswith("?said=added")
    with pytest.raises(NotThereError, match="退回或不予补录须写明"):
        desk.decide(case_no, "backfill-review", "KQ004", verdict="退回更正", reason="")
    desk.decide(case_no, "backfill-review", "KQ004", verdict="退回更正", reason="登记日期与扫描件不符")
    desk.decide(case_no, "backfill-correction", "KQ001", values="登记日期：1998年6月12日")
    desk.decide(case_no, "backfill-review", "KQ004", verdict="通过")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith(Stage.REGISTERED)
    with reading() as session:
        made = session.scalars(select(Certificate).where(Certificate.backfilled_by_case == case_no)).one()
    assert str(made.issued_on) == "1998-06-12"
    (mail,) = mailbox.to(HOLDER)
    assert mail["Subject"] == f"您的纸质证照已补录为电子证照（{case_no}）"
    assert (
        httpx.URL(mail.get_body(("plain",)).get_content().split("提出异议：")[1].split()[0]).path[:11] == "/backfills/"
    )
    assert desk.scan(PRIVATE) == []
