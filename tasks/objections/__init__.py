"""Objections (异议, Article 12): handed in, reviewed, verified with the bureaus, decided, corrected, told; singly or
many at once.

The steps of one stand in ``steps`` and ``verifications``, those of many in ``batches`` and ``lists``. The five
working days and the stages are ``regulation.limits`` and ``regulation.objections``, the calls of the bureaus
``gateways.superior_bureaus``.
"""
