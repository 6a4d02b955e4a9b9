"""Typed notices, their templates, the outbox and the way to the mail server."""
