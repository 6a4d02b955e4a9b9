"""What keeps the record and the secrets: sealing and checking the audit trail (Article 14), turning the data keys
(Article 15).

Writing an entry is ``tasks.audit``; the keys themselves and where they lie are ``runtime.keys``.
"""
