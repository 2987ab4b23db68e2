"""Draw a run's losses and dev scores from its log.jsonl.

    python -m rag.training.plot --log FOLDER/log.jsonl --out run.png

Needs matplotlib.
"""

import argparse
import json
from pathlib import Path
from typing import Any

LOSSES = ("list", "row", "span", "early", "evidence", "pair")
NOT_SCORES = ("event", "step", "minutes", "seconds")


def read_log(path: str | Path, event: str) -> list[dict[str, Any]]:
    """The log's entries of one kind (train or dev) by step; a step done twice counts as done last."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines if line.strip()]
    by_step = {}
    for entry in entries:
        if entry["event"] == event:
            by_step[entry["step"]] = entry
    return [by_step[step] for step in sorted(by_step)]


def draw(log_path: str | Path, out_path: str | Path) -> None:
    """Write a PNG with losses on the left and dev scores on the right, over steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    train, dev = read_log(log_path, "train"), read_log(log_path, "dev")
    for name in [name for name in LOSSES if train and name in train[0]]:
        left.plot([e["step"] for e in train], [e[name] for e in train], label=name, linewidth=1)
    left.set(xlabel="step", ylabel="loss (nats)", yscale="log")
    left.legend(frameon=False)
    for name in [key for key in (dev[0] if dev else {}) if key not in NOT_SCORES]:
        right.plot([e["step"] for e in dev], [e[name] for e in dev], marker="o", markersize=3, label=name)
    right.set(xlabel="step", ylabel="held-out score", ylim=(0, 1))
    right.legend(frameon=False)
    figure.savefig(out_path, dpi=130)
    pyplot.close(figure)


def main() -> None:
    """Read the command line and run."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--log", required=True, help="log.jsonl of a run")
    parser.add_argument("--out", required=True, help="PNG to write")
    options = parser.parse_args()
    draw(options.log, options.out)


if __name__ == "__main__":
    main()
