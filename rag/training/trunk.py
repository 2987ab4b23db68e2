"""The reader's starting point: gte-small, read from its ONNX export into BERT weights.

gte-small is Li et al. 2023, "Towards General Text Embeddings with Multi-stage Contrastive
Learning" (BERT, 12 layers of 384). The export keeps the names of embeddings, biases and layer
norms; its matrix products have anonymous, transposed weights, but each MatMul node still carries
the path of the layer it came from, so the name is read from there.

    python -m rag.training.trunk --onnx MODEL.onnx --tokenizer tokenizer.json --out trunk.safetensors
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SHAPE = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}

_MATMUL_OF_A_LAYER = re.compile(r"^/(?P<path>(?:\w+(?:\.\d+)?/)+)MatMul$")


def weight_name(node_name: str) -> str:
    """The BertModel weight that a MatMul node of the export multiplies by.

    >>> weight_name("/encoder/layer.3/attention/self/query/MatMul")
    'encoder.layer.3.attention.self.query.weight'
    """
    match = _MATMUL_OF_A_LAYER.match(node_name)
    if match is None:
        raise ValueError(f"not the MatMul of a linear layer: {node_name!r}")
    return match["path"].rstrip("/").replace("/", ".") + ".weight"


def read_onnx(onnx_path: str | Path) -> dict[str, Any]:
    """{BertModel weight name: float32 array} from the ONNX export; every weight is accounted for."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(onnx_path)).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: array for name, array in arrays.items() if name.startswith(("embeddings.", "encoder."))}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays:
            # ONNX computes x @ W, torch x @ W.T
            weights[weight_name(node.name)] = arrays[node.input[1]].T
    return {name: np.array(array, dtype=np.float32, order="C") for name, array in sorted(weights.items())}


def build_bert(**overrides: float) -> Any:
    """A BertModel of gte-small's shape without pooler, its weights not yet loaded."""
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(**{**SHAPE, **overrides}), add_pooling_layer=False)


def load_trunk(path: str | Path) -> Any:
    """gte-small as a BertModel, from the ONNX export or from the safetensors that `main` writes."""
    import torch

    if Path(path).suffix == ".onnx":
        state = {name: torch.from_numpy(array) for name, array in read_onnx(path).items()}
    else:
        from safetensors.torch import load_file

        state = load_file(path)
    bert = build_bert()
    fill(bert, state, "the export")
    return bert.eval()


def fill(network: Any, state: Mapping[str, Any], source: str) -> None:
    """Give a network its weights; ValueError, naming `source`, where they are another network's."""
    missing, unexpected = network.load_state_dict(state, strict=False)
    # buffers that transformers rebuilds itself are the only thing that may be missing
    missing = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if missing or unexpected:
        raise ValueError(f"{source} does not fit the model: missing {missing}, unexpected {unexpected}")


def agreement(onnx_path: str | Path, tokenizer_path: str | Path, texts: Sequence[str]) -> list[float]:
    """Cosine of the mean-pooled vectors of torch and of OpenVINO running the ONNX, one per text."""
    import torch
    from tokenizers import Tokenizer

    from embeddings.bert import load_openvino

    bert = load_trunk(onnx_path)
    compiled = (
        load_openvino().Core().compile_model(str(onnx_path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    )
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    tokenizer.no_padding()
    cosines = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        inputs = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "token_type_ids": torch.zeros_like(ids),
        }
        with torch.no_grad():
            ours = bert(**inputs).last_hidden_state.mean(1)
        theirs = compiled({name: tensor.numpy() for name, tensor in inputs.items()})[0]
        theirs = torch.from_numpy(theirs).mean(1)
        cosines.append(torch.cosine_similarity(ours, theirs).item())
    return cosines


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--onnx", required=True, help="gte-small's model.onnx")
    parser.add_argument("--tokenizer", required=True, help="its tokenizer.json")
    parser.add_argument("--out", required=True, help="safetensors file to write")
    options = parser.parse_args()
    from safetensors.torch import save_file

    texts = [
        "The bridge opened on 3 May 1932.",
        "Who wrote it?",
        "A much longer sentence, with Zürich in it. " * 9,
    ]
    cosines = agreement(options.onnx, options.tokenizer, texts)
    print("cosine of torch and onnx:", " ".join(f"{cosine:.6f}" for cosine in cosines))
    if min(cosines) < 0.9999:
        raise SystemExit("error: torch and onnx disagree; nothing written")
    bert = load_trunk(options.onnx)
    save_file({name: tensor.contiguous() for name, tensor in bert.state_dict().items()}, options.out)


if __name__ == "__main__":
    main()
