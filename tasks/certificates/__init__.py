"""Certificates in use (用证, Articles 6, 8, 10, 11): queries, authentication, extraction, presentation, archived
copies.

A department's call goes through ``use`` and stands in the record by ``journal``; what holders do themselves is
``holders`` and ``own``. Nothing here is a case: no form asks staff and no mail goes out; what is not allowed is refused
at once, as ``holders`` refuses a presentation code (亮证码) that has expired. Which type has which fields, and the
faces as they are kept, is ``tasks.register``; how a wrong value is corrected, ``tasks.objections``.
"""
