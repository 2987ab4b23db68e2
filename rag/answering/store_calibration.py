"""A user's own calibration: the shipped confidence moved to fit the questions asked of one store.

``rag eval calibrate`` fits it and keeps it as ``calibration.json`` in the store's folder, where indexing anew
leaves it. It holds for the reader, the encoder and the shipped calibration it was fitted with; with any other
the shipped one is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from rag.answering.calibration import Calibrator, load_calibrator
from rag.errors import StoreDamagedError, StoreFormatError
from rag.files import replace_file
from rag.text.sinks import shell_word

FILE = "calibration.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class StoreCalibration:
    """A Platt scaling of the shipped confidence's logit, and the confidence from which on is answered.

    ``slope`` 1 and ``offset`` 0 leave the confidence as shipped. ``precision`` is the share of right answers
    that ``answered`` was chosen to keep. ``reader`` and ``encoder`` are fingerprints, ``shipped`` is the
    shipped calibration's hash. ``fitted_on`` says how many questions, when, and how well.
    """

    answered: float
    precision: float
    reader: str
    encoder: str
    shipped: str
    slope: float = 1.0
    offset: float = 0.0
    fitted_on: Mapping[str, object] = field(default_factory=dict)
    format: int = FORMAT

    def holds_for(self, reader: str, encoder: str, shipped: Calibrator) -> bool:
        """Whether it was fitted with this reader, encoder and shipped calibration."""
        return (self.reader, self.encoder, self.shipped) == (reader, encoder, calibrator_sha256(shipped))

    def applied_to(self, shipped: Calibrator) -> Calibrator:
        """The shipped calibrator with its logit scaled and its threshold moved.

        >>> shipped = Calibrator({"relevance": 1.0}, {"relevance": 0.0}, {"relevance": 1.0}, 0.0, 0.5, {})
        >>> moved = StoreCalibration(0.7, 0.9, "r", "e", "s", slope=2.0, offset=1.0).applied_to(shipped)
        >>> moved.answered, moved.weights, moved.bias
        (0.7, {'relevance': 2.0}, 1.0)
        """
        return replace(
            shipped,
            weights={name: self.slope * weight for name, weight in shipped.weights.items()},
            bias=self.slope * shipped.bias + self.offset,
            answered=self.answered,
            contract=f"of your questions answered, at least {self.precision:.0%} cite right evidence first",
        )


def calibrator_sha256(calibrator: Calibrator) -> str:
    """One hash over the numbers that make a confidence."""
    numbers = {name: getattr(calibrator, name) for name in ("weights", "mean", "scale", "bias")}
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def calibrator_of(store: Path, reader_name: str, reader: str, encoder: str) -> Calibrator:
    """The calibrator to answer with: the store's own where it holds for these fingerprints, else shipped."""
    shipped = load_calibrator(reader_name)
    own = load(store)
    return own.applied_to(shipped) if own and own.holds_for(reader, encoder, shipped) else shipped


def load(store: Path) -> StoreCalibration | None:
    """The calibration kept in a store's folder, None where there is none.

    Raises StoreFormatError for one of another version and StoreDamagedError for what is none.
    """
    path = store / FILE
    again = f"rag eval calibrate --reset --store {shell_word(store)}"
    try:
        kept = json.loads(path.read_text("utf-8"))
        version = kept["format"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreDamagedError(f"{path} is no calibration: {error}", again) from error
    if version != FORMAT:
        raise StoreFormatError(
            f"{path} is a calibration of format {version}; this version reads {FORMAT}", again
        )
    if set(kept) != {each.name for each in fields(StoreCalibration)}:
        raise StoreDamagedError(f"{path} is no calibration: it has other keys than one", again)
    return StoreCalibration(**kept)


def save(store: Path, calibration: StoreCalibration) -> Path:
    """Keep a calibration in a store's folder, in one step; the file it is in."""
    path = store / FILE
    replace_file(path, (json.dumps(asdict(calibration), indent=1) + "\n").encode())
    return path


def remove(store: Path) -> bool:
    """Take the calibration out of a store's folder; False where there was none."""
    try:
        (store / FILE).unlink()
    except FileNotFoundError:
        return False
    return True
