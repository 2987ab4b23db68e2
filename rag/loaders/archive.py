"""Documents that are ZIP archives of XML: opened only when what they unpack to is bearable.

Whoever makes an archive can make a megabyte of a terabyte. What its directory promises is believed, for no
more is ever unpacked than that.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from rag.loaders.draft import UnreadableError

_OLE = b"\xd0\xcf\x11\xe0"
_MAX_UNPACKED = 1_000_000_000  # bytes; an archive that unpacks to more is a bomb or no text
_MAX_PART = 300_000_000  # bytes of one part, all of which is in memory at once
_MAX_RATIO = 400  # unpacked to packed; a table of empty rows reaches a hundred
_SMALL = 30_000_000  # bytes; what unpacks to less may have any ratio
_MAX_PARTS = 100_000


def opened(data: bytes, what: str, suffix: str) -> zipfile.ZipFile:
    """The archive of a document that is ``what`` ("a Word file"); UnreadableError for a harmful one."""
    if data.startswith(_OLE):
        raise UnreadableError(
            "encrypted, or an old format under a new name", f"save it as {suffix} without a password"
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises its own and, for some damage, others
        raise UnreadableError(f"not {what}, or a truncated one") from error
    parts = archive.infolist()
    if len(parts) > _MAX_PARTS:
        raise UnreadableError(f"an archive of more than {_MAX_PARTS:,} parts")
    if sum(part.file_size for part in parts) > _MAX_UNPACKED:
        raise UnreadableError("it unpacks to more than a gigabyte")
    for part in parts:
        if part.file_size > max(_SMALL, _MAX_RATIO * part.compress_size):
            raise UnreadableError("a part of it unpacks to hundreds of times its size")
        if part.flag_bits & 1:
            raise UnreadableError("encrypted", f"save it as {suffix} without a password")
    return archive


def xml(archive: zipfile.ZipFile, name: str) -> Any:
    """The root of an XML part; None where there is no such part. No entity is resolved, nothing fetched."""
    from lxml import etree

    try:
        part = archive.getinfo(name)
    except KeyError:
        return None
    if part.file_size > _MAX_PART:
        raise UnreadableError(f"a part of it is larger than {_MAX_PART // 1_000_000} MB")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(archive.read(part), parser)
    except Exception as error:  # zipfile, zlib and lxml each have their own
        raise UnreadableError("damaged: its contents cannot be followed") from error
