"""How prefect.yaml presents the stories to staff."""

from pathlib import Path

import pytest
import yaml

from tasks.desk.kinds import INTAKES, KINDS

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


def test_every_registration_that_dies_is_run_again() -> None:
    assert sorted(INTAKES) == sorted(story["name"] for story in STORIES if story["name"].endswith("-intake"))
