"""Whose certificates are that were backfilled (Article 11), for who may confirm them as its own.

The measures are silent on that. What a paper says of its issuer was typed by whoever entered it, and may be a name of
before the county became a district; who issues certificates of a type today is in the catalogue, which nobody types in
with a paper. Both have to agree: the catalogue names the department, and the identifier its code or, of an issuer that
has been renamed or merged, that of the district or of the county that it was.
"""

DISTRICT = "330603"
FORMER_COUNTY = "330621"
"""Shaoxing County, which became Keqiao District in 2013."""


def issuer_codes(*own: str) -> frozenset[str]:
    """What the identifier of a backfilled certificate can have as its issuer, if a department with these codes of its
    own issues the type today.

    >>> sorted(issuer_codes("11330621MB0C12345X"))
    ['11330621MB0C12345X', '330603', '330621']
    """
    return frozenset({*own, DISTRICT, FORMER_COUNTY})
