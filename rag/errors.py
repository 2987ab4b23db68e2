"""Every error a user can mend: what happened, and a hint that is the next thing to do.

Anything else that goes wrong is a defect and stays a traceback. "No answer" is not an error: it is an Answer.

    RagError
    ├── UsageError            a value the caller gave cannot be used
    ├── SettingsError         a settings file or environment variable cannot be used
    ├── LoadError             one file cannot be read (collected and counted, never fatal to a batch)
    ├── NothingToIndexError   no readable document under the paths given
    ├── StoreError            the store cannot be opened or trusted
    │   ├── StoreMissingError     there is none at this path
    │   ├── StoreFormatError      it was written by another format
    │   ├── StoreDamagedError     a checksum does not hold
    │   ├── StoreLockedError      another process is writing
    │   └── EncoderMismatchError  it was built with another encoder
    ├── WeightsError          model weights are missing or not the ones expected
    ├── ClusterError          no Ray cluster answers, or it cannot do the work
    └── DocumentNotFoundError no document of that name in the store
"""

from __future__ import annotations


class RagError(Exception):
    """Something the user can mend. ``hint`` is the next command or step, or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RagError):
    """A value the caller gave cannot be used."""


class SettingsError(RagError):
    """A settings file or an environment variable cannot be used."""


class LoadError(RagError):
    """One file cannot be read; ``path`` says which. Collected and counted: it stops nothing."""

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{path}: {reason}", hint)
        self.path = path
        self.reason = reason


class NothingToIndexError(RagError):
    """There is no readable document under the paths given; an existing store is left alone."""


class StoreError(RagError):
    """The store cannot be opened or trusted."""


class StoreMissingError(StoreError):
    """There is no store at this path."""


class StoreFormatError(StoreError):
    """The store was written in another format."""


class StoreDamagedError(StoreError):
    """A checksum does not hold, or a file is missing or torn: the store is refused, never served."""


class StoreLockedError(StoreError):
    """Another process is writing to the store."""


class EncoderMismatchError(StoreError):
    """The store was built with another encoder than the one now set."""


class WeightsError(RagError):
    """Model weights are missing, or are not the ones expected."""


class ClusterError(RagError):
    """No Ray cluster answers at the address given, or its nodes cannot do the work."""


class DocumentNotFoundError(RagError):
    """No document in the store goes by that name."""
