"""Whether something that is handed in has come before: the same number of the same sender, and then the same content.

A number alone proves nothing: somebody else, or another form that was filled in, may bear it too. So what came with it
is kept as a digest, and only who brings the very same gets the answer of the first time.
"""

import json
from collections.abc import Sequence

from pydantic_core import to_jsonable_python
from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.submissions import Submission
from runtime.keys import keys
from runtime.refusals import RefusalError
from tasks.case.attachments import File

DIGEST = select(Submission.digest).where(Submission.kind == bindparam("kind"), Submission.key == bindparam("key"))


class OtherContentError(RefusalError):
    """A number that was used before, for something else. What that was, it does not say: who comes second may be
    somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "这个编号此前已经用过，而这次的内容或附件与那次不同，这次的没有登记。另报一件的，请换一个新的编号；"
            "要重复上一次的，请把内容和附件原样再报一次。"
        )


def came_before(session: Session, kind: str, key: str, *content: object, files: Sequence[File] = ()) -> bool:
    """Whether this very submission is on record, which from now on it is, inside the caller's transaction.

    ``kind`` is what it is about, ``key`` who sends it and their number for it, in a form that no other sender's can
    have; ``content`` what JSON can hold, models included. Of two at once the second waits here until the first is
    through. Raises ``OtherContentError`` for the same ``key`` with another content, and for one from before contents
    were kept, which nothing can be compared with.
    """
    given = [content, [(file.name, file.sha256) for file in files]]
    said = json.dumps(given, sort_keys=True, default=to_jsonable_python)
    row = {"kind": kind, "key": key, "digest": keys().digest("submission", said)}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    connection = session.connection()
    new = insert(Submission).on_conflict_do_nothing().returning(Submission.key)
    if connection.scalar(new, row) is not None:
        return False
    if connection.scalar(DIGEST, {"kind": kind, "key": key}) != row["digest"]:
        raise OtherContentError
    return True
