"""Typed notices, their templates, the outbox and the way to the mail server.

What people can be told is a class of ``notices`` each, and a folder of ``templates`` of the same name. Which step tells
whom is in the rooms of ``tasks``.
"""
