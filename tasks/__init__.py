"""Durable steps: one transaction each is state, audit entry and outgoing notices. A room a noun, and four for all
of them.

The order of the rooms stands in pyproject.toml: desk over the nouns, the nouns over case and register, those over
office and keeping, and tables and the audit trail at the bottom. Each room says what lives there; its steps are in
``steps.py`` (or ``use.py``, ``nights.py``: the noun's own verb), what it asks of staff in ``questions.py``, how its
cases look in ``kind.py``.
"""
