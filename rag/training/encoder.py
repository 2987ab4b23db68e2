"""Fine-tune the paragraph encoder on the reader's training data, within a time limit on a CPU.

    python -m rag.training.encoder --data FOLDER --out FOLDER --minutes 25

Contrastive, with the other passages of the batch and one hard one as wrong answers (InfoNCE, van den Oord et
al. 2018; hard negatives as in Karpukhin et al. 2020, "Dense Passage Retrieval"). The word embeddings stay.
``--keep 0.5`` writes the mean of old and new weights (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
models"). The result is a sentence-transformers folder, and ``layers.safetensors`` in it is what the package
ships (``embeddings/tuned``), pinned in `embeddings.weights`.
"""

import argparse
import json
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.training import data, features, sources, windows

SCALE = 20.0  # of cosines before the softmax, as the encoder was trained with
MAX_TOKENS = 192
MAX_QUESTION = 48
SENTENCE_SHARE = 0.25  # of the questions are paired with sentences instead of passages: both are embedded

Triple = tuple[str, str, str]  # question, right text, wrong text


def triples(groups: Sequence[Sequence[data.Row]], seed: int) -> list[Triple]:
    """Question, text that answers it, and a text like it that does not, from the reader's groups.

    Groups whose wrong row asks another question of the same passage teach an encoder nothing and are
    left out, but for sentences: a passage's other sentence is wrong for its question.
    """
    made: list[Triple] = []
    rng = random.Random(f"{seed} triples")
    for group in groups:
        right = group[0]
        start, end = right.answers[0]
        if rng.random() < SENTENCE_SHARE:
            spans = windows.sentence_spans(right.passage)
            held = [span for span in spans if span[0] <= start and end <= span[1]]
            others = [span for span in spans if span[1] <= start or span[0] >= end]
            if held and others:
                lo, hi = held[0]
                wrong = right.passage[slice(*rng.choice(others))]
                made.append((right.question, right.passage[lo:hi], wrong))
                continue
        near = [row for row in group[1:] if row.kind in ("mined", "neighbour", "cut")]
        if near:
            made.append((right.question, right.header + right.passage, near[0].header + near[0].passage))
    rng.shuffle(made)
    return made


def encode(bert: Any, rows: Sequence[Sequence[int]]) -> Any:
    """Unit vectors (n, d) of token rows: the mean over tokens, scaled to length 1."""
    import torch
    from torch.nn import functional

    from embeddings.bert import pad
    from rag.training.model import run_layer

    ids, mask = (torch.from_numpy(array).long() for array in pad(rows))
    bias = torch.zeros(mask.shape, dtype=torch.bfloat16).masked_fill(~mask.bool(), -1e4)[:, None, None, :]
    with torch.no_grad():
        hidden = bert.embeddings(input_ids=ids, token_type_ids=torch.zeros_like(ids)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        for layer in bert.encoder.layer:
            hidden = run_layer(layer, hidden, bias, bert.config.num_attention_heads, 0.0).bfloat16()
    weights = mask[..., None].float()
    return functional.normalize((hidden.float() * weights).sum(1) / weights.sum(1), dim=1)


def contrast(questions: Any, right: Any, wrong: Any) -> Any:
    """Mean of -log of the right text's share of a softmax over every text of the batch; (n, d) each."""
    import torch
    from torch.nn import functional

    scores = SCALE * questions @ torch.cat([right, wrong]).T  # (n, 2n)
    return functional.cross_entropy(scores, torch.arange(len(questions)))


def train(options: argparse.Namespace) -> None:
    """The whole run: data, steps, model."""
    import torch
    from safetensors.numpy import save_file as save_arrays
    from safetensors.torch import load_file, save_file
    from transformers import BertModel

    from embeddings.bert import as_int8
    from embeddings.weights import stock_folder
    from rag.training.train import learning_rate

    began = time.monotonic()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    folder, out = stock_folder(), Path(options.out)
    shutil.copytree(folder, out, dirs_exist_ok=True)
    known, _, hashes = sources.load_all(options.data, options.seed, options.rows)
    groups = data.build_groups(known, data.Pools(known), options.seed)
    lines = triples(groups, options.seed)
    tokenizer = features.load_tokenizer(folder / "tokenizer.json")

    def tokens(texts: Sequence[str], limit: int) -> list[list[int]]:
        rows = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[features.CLS, *row.ids[: limit - 2], features.SEP] for row in rows]

    bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").float()
    bert.embeddings.requires_grad_(False)
    parameters = [p for p in bert.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=options.lr, weight_decay=0.01, fused=True)
    limit, at, step, total = options.minutes * 60, 0, 0, 0.0
    log = (out / "log.jsonl").open("a", encoding="utf-8")
    while (progress := (time.monotonic() - began) / limit) < 1 and at < len(lines):
        batch = lines[at : at + options.batch]
        at += options.batch
        texts = tokens([q for q, _, _ in batch], MAX_QUESTION)
        texts += tokens([r for _, r, _ in batch] + [w for _, _, w in batch], MAX_TOKENS)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors: list[Any] = [None] * len(texts)
        for first in range(0, len(order), 16):  # of like length together: little is padding
            some = order[first : first + 16]
            for i, vector in zip(some, encode(bert, [texts[i] for i in some]), strict=True):
                vectors[i] = vector
        n = len(batch)
        every = torch.stack(vectors)
        loss = contrast(every[:n], every[n : 2 * n], every[2 * n :])
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for settings in optimiser.param_groups:
            settings["lr"] = learning_rate(progress, options.lr)
        optimiser.step()
        optimiser.zero_grad()
        step, total = step + 1, total + float(loss.detach())
        if step % 20 == 0:
            note = {
                "step": step,
                "minutes": round((time.monotonic() - began) / 60, 2),
                "loss": round(total / 20, 4),
            }
            print(json.dumps(note), flush=True)
            log.write(json.dumps(note) + "\n")
            total = 0.0
    new = {name: p.detach() for name, p in bert.state_dict().items()}
    for name, old in load_file(folder / "model.safetensors").items():
        if name in new and name.startswith("encoder."):
            new[name] = options.keep * old.float() + (1 - options.keep) * new[name]
    save_file({name: tensor.contiguous() for name, tensor in new.items()}, out / "model.safetensors")
    layers = {name: tensor.numpy() for name, tensor in new.items() if name.startswith("encoder.")}
    save_arrays(as_int8(layers), out / "layers.safetensors")
    record = {
        "recipe": {k: v for k, v in vars(options).items() if k not in ("data", "out")},
        "data": {"files": hashes, "triples": len(lines), "rows_sha256": data.digest(groups)},
        "steps": step,
        "questions": min(at, len(lines)),
    }
    (out / "training.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of *.jsonl.gz QA files")
    parser.add_argument("--out", required=True, help="folder for the model and its log")
    parser.add_argument("--minutes", type=float, default=25, help="the whole run, data included")
    parser.add_argument("--lr", type=float, default=3e-5, help="peak learning rate")
    parser.add_argument("--batch", type=int, default=32, help="questions a step")
    parser.add_argument("--keep", type=float, default=0.0, help="share of the old weights in the result")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20241122)
    parser.add_argument("--rows", type=int, default=None, help="questions a source, for a smoke run")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
