"""The lists that staff begin their day with, as artifacts on the desk."""

from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from tasks.desk.runs import prefect
from tasks.desk.to_do import open_cases, to_do, to_do_of_director

LISTS = (
    ("to-do", "待办", to_do),
    ("to-do-director", "负责人待办", to_do_of_director),
    ("open-cases", "在办办件", open_cases),
)
"""Key and title of each list, and what it says."""


class DeskLists:
    """The lists as whoever keeps them has last shown them; there is one who does."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def refresh(self) -> None:
        """Show each list that says something else now. Each keeps its one artifact, so that its page keeps its address
        and Prefect's database does not fill with what the lists used to say."""
        said = {key: text() for key, _, text in LISTS}
        changed = [(key, title) for key, title, _ in LISTS if said[key] != self._shown.get(key)]
        if not changed:
            return
        with prefect() as client:
            for key, title in changed:
                wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
                there = client.read_artifacts(artifact_filter=wanted, limit=1)
                if there:
                    client.update_artifact(there[0].id, ArtifactUpdate(data=said[key], description=title))
                else:
                    create_markdown_artifact(said[key], key=key, description=title)
                self._shown[key] = said[key]
