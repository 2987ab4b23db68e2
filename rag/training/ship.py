"""Turn a training run's weights into the files the package ships.

    python -m rag.training.ship --run FOLDER --out rag/reader/weights

Matrices become int8 with a scale for every 64 numbers, a quarter of the bytes (``--float16``: half);
``checksums.json`` pins every file, and the package checks it on load.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

COPIED = ("config.json", "tokenizer.json", "training.json")
# The tensors that are shipped, by the beginnings of their names.
USED = ("embeddings.", "encoder.", "relevance.", "span.", "early.", "evidence.", "pair.")
MAX_MB = 95  # a wheel with more could not be published


def ship(run: Path, out: Path, *, in_int8: bool = True, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Write the shipped files into ``out`` and return their SHA-256 sums by name.

    The heads named in ``without`` stay behind.
    """
    import numpy as np
    from safetensors.numpy import load_file, save_file

    from embeddings.bert import as_int8

    out.mkdir(parents=True, exist_ok=True)
    whole = load_file(run / "model.safetensors")
    kept = tuple(prefix for prefix in USED if prefix.removesuffix(".") not in without)
    used = {name: tensor for name, tensor in whole.items() if name.startswith(kept)}
    halved = {name: tensor.astype(np.float16) for name, tensor in used.items()}
    for name, tensor in halved.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} does not fit float16")
    save_file(as_int8(used) if in_int8 else halved, out / "model.safetensors")
    for name in COPIED:
        shutil.copyfile(run / name, out / name)
    names = ("model.safetensors", *COPIED)
    sums = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    size = sum((out / name).stat().st_size for name in names) / 1e6
    if size > MAX_MB:
        raise ValueError(f"the files take {size:.0f} MB, more than {MAX_MB}")
    (out / "checksums.json").write_text(json.dumps(sums, indent=1) + "\n", "utf-8")
    return sums


def main() -> None:
    """Ship from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder a training run wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder to ship from")
    parser.add_argument("--float16", action="store_true", help="keep every matrix in float16")
    parser.add_argument("--without", nargs="*", default=[], help="heads to leave behind, such as pair")
    options = parser.parse_args()
    sums = ship(options.run, options.out, in_int8=not options.float16, without=tuple(options.without))
    for name, sha256 in sums.items():
        print(f"{sha256}  {name}")


if __name__ == "__main__":
    main()
