"""May this department use this certificate for this matter, today (Articles 9, 10, 13)?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runtime.refusals import InputError, RefusalError


class UseRefusedError(RefusalError):
    """A use that the measures do not allow; ``article`` is the number of the one that stops it."""

    def __init__(self, article: int, why: str) -> None:
        super().__init__(why)
        self.article = article


@dataclass(frozen=True, slots=True)
class Permission:
    """An entry of the use list as it is in force on a day. ``fields`` are codes, in the order of the face."""

    entry_id: int
    version_id: int
    item_code: str
    item_name: str
    type_code: str
    scenario: str
    fields: tuple[str, ...]
    holder_alone: bool
    authorisation: bool


def permission_for(in_force: Sequence[Permission], scenario: str | None, type_name: str) -> Permission:
    """The one entry, of those in force for a department's item and a certificate type, under which a use falls.

    Raises ``UseRefusedError`` (Article 9) where none is, and ``InputError`` where the scenario has to say which.

    >>> permission_for([], None, "身份证")
    Traceback (most recent call last):
    regulation.certificate_use.UseRefusedError: 用证清单中今天没有本事项使用“身份证”的条目，不能使用；请先提出用证清单。
    """
    named = [permission for permission in in_force if scenario in {None, permission.scenario}]
    if len(named) == 1:
        return named[0]
    if named:
        names = "、".join(f"“{permission.scenario}”" for permission in named)
        raise InputError(f"本事项使用“{type_name}”有{len(named)}个场景，请在scenario中写明是哪一个：{names}。")
    if in_force:
        names = "、".join(f"“{permission.scenario}”" for permission in in_force)
        raise UseRefusedError(9, f"用证清单中本事项使用“{type_name}”的场景只有{names}，不能用于“{scenario}”。")
    raise UseRefusedError(9, f"用证清单中今天没有本事项使用“{type_name}”的条目，不能使用；请先提出用证清单。")


def check_liaison(on_file: bool) -> None:
    """Raise ``UseRefusedError`` (Article 13) for a department that has nobody on file today."""
    if not on_file:
        raise UseRefusedError(13, "本部门今天没有在册的电子证照管理专人，不能用证；请先向综合管理单位备案。")


def check_authorised(permission: Permission, authorised: bool) -> None:
    """Raise ``UseRefusedError`` (Article 15) where the entry asks for the holder's authorisation and there is none.

    Of several holders the one who is asked about authorises, and that is enough for all that the certificate says. The
    measures are silent; what is owned together is disposed of together (Civil Code, Articles 300 and 301), and reading
    a certificate disposes of nothing. Each of them may show the paper alone, too. But whoever authorised speaks for
    themselves: nobody finds out by it what another holder has beside what they share.
    """
    if permission.authorisation and not authorised:
        raise UseRefusedError(15, f"事项“{permission.item_name}”用证须经持证主体授权，请由持证主体授权或亮证后重试。")


def check_holder_alone(permission: Permission) -> None:
    """Raise ``UseRefusedError`` (Article 10) where the holder may not present the certificate alone."""
    if not permission.holder_alone:
        raise UseRefusedError(
            10, f"场景“{permission.scenario}”未列为持证主体可以单独出示电子证照的场景，不能凭亮证码用证。"
        )


def visible(permission: Permission, wanted: Collection[str] | None) -> tuple[str, ...]:
    """The fields that may be shown of those that are wanted (``None``: all that may be), in the order of the face.

    >>> seen = Permission(1, 1, "i", "事项", "t", "窗口", ("holder", "address"), False, False)
    >>> visible(seen, {"address", "wife_number"})
    ('address',)
    """
    return tuple(code for code in permission.fields if wanted is None or code in wanted)


OF_HOLDERS = frozenset({"holder", "holder_number", "husband", "husband_number", "wife", "wife_number"})
"""The fields that tell who holds a certificate."""


def shown_of_holder(fields: Collection[str], field: str, place: int) -> tuple[bool, bool]:
    """Whether a use that shows these fields tells the name, and the number, of the holder whom the face names in
    ``field``; the first holder (``place`` 1) is the one whom a face with both spouses calls its holder.

    >>> shown_of_holder({"holder", "husband_number"}, "husband", 1), shown_of_holder({"holder"}, "wife", 2)
    ((True, True), (False, False))
    """
    sources = {field, "holder"} if place == 1 else {field}
    return not sources.isdisjoint(fields), any(f"{source}_number" in fields for source in sources)


class Operation(StrEnum):
    """A use of certificates; with "certificate:" before it the first half of its audit tag."""

    QUERY = "query"
    AUTHENTICATE = "authenticate"
    EXTRACT = "extract"
    COPY = "archived-copy"
    REDEEM = "presentation"


ANSWERED = tuple(f"certificate:{operation}:answered" for operation in Operation)
"""Tags of the entries that record a use; their detail's ``entry`` is the number of the use list's entry. Entries are
looked for by them and not by a pattern, so that the index on tag and time serves."""
REFUSED = tuple(f"certificate:{operation}:refused" for operation in Operation)
"""Tags of the entries that record a refused use; the ``article`` of their detail is the one that refused it."""
