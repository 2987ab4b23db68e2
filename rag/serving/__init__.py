"""Serving: the assistant to other programs, by HTTP or over a pipe."""
