"""How prefect.yaml presents the stories to staff, and what a story begins with."""

from importlib import import_module
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from flows.use_list import use_list_proposal
from models.cases import Case, StaffTask
from models.records import AuditEntry
from runtime.database import reading
from runtime.refusals import RefusalError
from tasks.desk.kinds import KINDS
from tasks.desk.starts import STARTS
from tests.conftest import Clerk

STORIES = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["name"])
def test_the_first_tag_says_how_a_story_begins(story: dict[str, object]) -> None:
    cases = {kind.deployment.rpartition("/")[2] for kind in KINDS.values()}
    tags = story["tags"]
    assert isinstance(tags, list)
    assert (tags[0] == "办件") == (story["name"] in cases)
    assert (tags[0] == "自动") == ("schedules" in story)
    assert tags[0] in {"填表", "办件", "自动"}
    assert len(tags) == len(set(tags))


def test_what_staff_start_is_deployed_without_parameters_and_nothing_else_is_so_called() -> None:
    entered = {story["name"]: story for story in STORIES if story["tags"][0] == "填表"}
    assert sorted(entered) == sorted(start.about.deployment for start in STARTS.values())
    for start in STARTS.values():
        module, _, name = entered[start.about.deployment]["entrypoint"].rpartition(".")
        flow = getattr(import_module(module), name)
        assert (flow.name, flow.parameters.properties) == (start.about.named, {})


def test_a_story_of_another_kind_leaves_a_case_alone_on_record_and_to_staff(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    with pytest.raises(RefusalError, match="不是“用证清单”的办件"):
        use_list_proposal.fn(case_no)
    with reading() as session:
        assert session.get_one(Case, case_no).waiting_for is None
        assert session.scalars(select(AuditEntry.tag).where(AuditEntry.tag == "case:story:refused")).all()
        assert session.scalar(select(StaffTask.what).where(StaffTask.key.startswith("wrong-story:")))
    with pytest.raises(RefusalError, match="没有编号为"):
        use_list_proposal.fn("YY-2026-999999")
