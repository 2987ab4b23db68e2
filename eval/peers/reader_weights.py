"""Our reader's weights as other libraries take them: a BERT for extractive question answering.

Trunk and span head are exactly transformers' ``BertForQuestionAnswering`` without its pooler; the heads for
relevance have no place there and stay behind.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rag.errors import WeightsError

MAX_TOKENS = 512
_SPECIAL = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
# What our config says beyond the shape of a BERT.
_OURS = ("early_layer", "max_tokens", "max_question", "max_header", "max_passage")


def other_name(name: str) -> str | None:
    """What transformers calls one of our tensors; None for one it has no place for.

    >>> other_name("span.bias"), other_name("encoder.layer.0.output.dense.bias"), other_name("relevance.bias")
    ('qa_outputs.bias', 'bert.encoder.layer.0.output.dense.bias', None)
    """
    head, _, rest = name.partition(".")
    if head in ("relevance", "early"):
        return None
    return f"qa_outputs.{rest}" if head == "span" else f"bert.{name}"


def write_question_answering(ours: Path, folder: Path) -> None:
    """Write the reader in folder ``ours`` into ``folder``, in float32, with config and tokenizer.

    Raises WeightsError when there is no reader there.
    """
    import numpy as np
    from safetensors.numpy import save_file

    from embeddings.bert import load_weights

    try:
        weights = load_weights(ours / "model.safetensors")
        shape: dict[str, Any] = json.loads((ours / "config.json").read_text(encoding="utf-8"))
        tokenizer: dict[str, Any] = json.loads((ours / "tokenizer.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"there is no reader in {ours}: {error.strerror}", "rag doctor") from error
    folder.mkdir(parents=True, exist_ok=True)
    named = {other: weights[name].astype(np.float32) for name in weights if (other := other_name(name))}
    save_file(named, folder / "model.safetensors", metadata={"format": "pt"})
    config = {name: value for name, value in shape.items() if name not in _OURS} | {
        "architectures": ["BertForQuestionAnswering"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "pad_token_id": 0,
    }
    _write(folder / "config.json", config)
    _write(folder / "tokenizer.json", tokenizer | {"truncation": None, "padding": None})
    special = {f"{name}_token": token for name, token in _SPECIAL.items()}
    tokenizer_config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": MAX_TOKENS}
    # Named, because the general class leaves out the segments that a BERT needs.
    inputs = {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}
    _write(folder / "tokenizer_config.json", {**tokenizer_config, **inputs, **special})


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
