"""Durable steps: one transaction each is state, audit entry and outgoing notices. A room a noun, and four for all of
them.

The order of the rooms stands in pyproject.toml: desk over the nouns, the nouns over case and register, those over
office and keeping, and tables and the audit trail at the bottom. Steps are in ``steps``, questions to staff in
``questions``, sheets in ``kind``; a room names its exceptions.

Around a room: its rules are ``regulation``'s file of the same noun and its numbers ``regulation.limits``; what
people are told is a class of ``notifications.notices``; its story is ``flows``' file of the noun, its pages
``web``'s; the tests of its article are in tests/articles.
"""
