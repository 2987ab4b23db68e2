"""The mean of two networks' weights, tensor by tensor: often better than either on what neither learnt from.

    python -m rag.training.blend NEW.safetensors OLD.safetensors --share 0.5 --out BLEND.safetensors

`--share` is NEW's share. Only what NEW has is written; what OLD lacks (a head that is new) stays NEW's.
Wortsman et al. 2022, "Robust fine-tuning of zero-shot models".
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def blend(new: Mapping[str, Any], old: Mapping[str, Any], share: float) -> dict[str, Any]:
    """{name: share of the new tensor and the rest of the old one}, in float32.

    >>> import numpy as np
    >>> mixed = blend({"w": np.ones(2), "head": np.ones(1)}, {"w": np.zeros(2), "other": np.ones(1)}, 0.25)
    >>> {name: tensor.tolist() for name, tensor in mixed.items()}
    {'w': [0.25, 0.25], 'head': [1.0]}
    """
    import numpy as np

    mixed = {}
    for name, tensor in new.items():
        part = tensor.astype(np.float32)
        mixed[name] = part if name not in old else share * part + (1 - share) * old[name].astype(np.float32)
    return mixed


def main() -> None:
    """Read the command line and write the blend."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("new", type=Path)
    parser.add_argument("old", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="the new weights' share, 0 to 1")
    parser.add_argument("--int8", action="store_true", help="matrices in int8, as they are shipped")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    from safetensors.numpy import save_file

    from embeddings.bert import as_int8, load_weights

    mixed = blend(load_weights(options.new), load_weights(options.old), options.share)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(as_int8(mixed) if options.int8 else mixed, options.out)


if __name__ == "__main__":
    main()
