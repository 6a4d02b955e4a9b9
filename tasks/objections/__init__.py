"""Objections (异议, Article 12): handed in, reviewed, supplemented (补正), verified with the bureaus, decided,
corrected, told; singly or many at once.

The steps of one stand in ``steps`` and ``verifications``, those of many in ``batches``, how either end in
``endings``. What comes in is ``registrations`` and ``drafts``; who used a wrong value is told by ``corrections``.
All time limits are ``regulation.limits``, the stages ``regulation.objections``, the calls of the bureaus
``gateways.superior_bureaus``.
"""
