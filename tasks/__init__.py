"""Durable steps: one transaction each is state, audit entry and outgoing notices."""
