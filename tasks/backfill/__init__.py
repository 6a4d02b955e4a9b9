"""Paper certificates become electronic ones (信息补录, Article 11): one entered at a counter, and files of them.

The steps of one stand in ``steps``, of a batch in ``batches``, which draws the sample that is compared with paper; both
judge by ``entries`` and ``checks``. The rules are ``regulation.backfill``, the sampling plan among them. How tables are
read is not here but in ``tasks.tables``; a holder's objection to what was backfilled is handed on to
``tasks.objections``.
"""
