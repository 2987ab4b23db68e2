"""What stands where on a PDF's pages: columns, tables, notes at the foot, lines that run along.

A PDF knows only words at places. Its own order is kept unless the places contradict it; a column, a table or
a note is seen only where several lines agree. Nothing here opens a file.
"""

from rag.loaders.page_layout.columns import in_reading_order
from rag.loaders.page_layout.line import Line, joined
from rag.loaders.page_layout.notes import note_mark, without_notes
from rag.loaders.page_layout.running import without_running_lines
from rag.loaders.page_layout.tables import Row, Table, with_tables

__all__ = [
    "Line",
    "Row",
    "Table",
    "in_reading_order",
    "joined",
    "note_mark",
    "with_tables",
    "without_notes",
    "without_running_lines",
]
