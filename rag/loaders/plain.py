"""Plain text files. The document's text is the decoded file, character for character."""

from __future__ import annotations

import codecs

from rag.loaders.draft import Draft, Known, UnreadableError, unmarked

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """The text of a file's bytes, the encoding it was in, and a note where that was a guess.

    >>> decode("£6.5m".encode())
    ('£6.5m', 'utf-8', ())
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding), encoding, ()
            except UnicodeDecodeError as error:
                raise UnreadableError(f"it says it is {encoding} and is not") from error
    if b"\0" in data:
        raise UnreadableError("binary content", "its name may be wrong: this kind of file holds text")
    try:
        return data.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    guess = from_bytes(data).best()
    if guess is None:
        raise UnreadableError("no encoding could be found in which this is text")
    text = data.decode(guess.encoding)
    return text, guess.encoding, (f"decoded as {guess.encoding}, a guess: it is not UTF-8",)


def load_text(data: bytes) -> Draft:
    """A plain text file as a draft; title and date come from its opening lines.

    >>> load_text(b"Trust opens\\n\\n3 October 2014\\n\\nIt opened today.").date
    '2014-10-03'
    """
    text, encoding, notes = decode(data)
    return unmarked(text, "text/plain", Known(encoding=encoding, notes=notes))
