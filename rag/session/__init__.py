"""The session: a person asks, reads the evidence in place, and asks on.

``loop.Session`` takes lines from any ``lines.Lines`` and writes to any ``screen.Screen``; a terminal is one
of each (``terminal``), a pipe another. Nothing from a document reaches the screen but through ``rag.render``.
"""
