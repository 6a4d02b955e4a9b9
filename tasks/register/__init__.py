"""The register of certificates: the catalogue of types (证照目录, Article 3), faces as they are kept, and invented
trial holders.

Who may read what of it, and how that gets on record, is ``tasks.certificates``.
"""
