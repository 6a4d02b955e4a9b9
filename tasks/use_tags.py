"""Under which tags uses of certificates, answered and refused, stand in the record (Articles 9 and 14)."""

from enum import StrEnum


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
