"""The session: a person asks, reads the evidence in place, and asks on.

``repl.run`` gives a ``session.Session`` lines from any ``lines.Lines``; it writes to any ``screen.Screen``. A
terminal is one of each (``terminal``), a pipe another. Nothing from a document reaches the screen but through
``rag.output``.
"""
