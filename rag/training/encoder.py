"""Fine-tune the paragraph encoder on the reader's training data, within a time limit on a CPU.

    python -m rag.training.encoder --data FOLDER --material rag/training/material \\
        --start layers.safetensors --out FOLDER --minutes 16

Contrastive, with the other passages of the batch and one hard one as wrong answers (InfoNCE, van den Oord et
al. 2018; hard negatives as in Karpukhin et al. 2020, "Dense Passage Retrieval"). The same pass trains the
vectors of sentences: the mean over the states of the sentence that answers, against another of its passage
and those of the batch. Some rows ask with a sentence or two for the passage they were taken out of (the
inverse cloze task of Lee et al. 2019), so that texts longer than a question keep their neighbours. The word
embeddings stay.

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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embeddings.spans import Span, Tokens
from rag.training import course, data, features, material, sources, windows, written

SCALE = 20.0  # of cosines before the softmax, as the encoder was trained with
MAX_TOKENS = 192
MAX_QUESTION = 64
SENTENCE_WEIGHT = 0.5  # of the sentences' loss beside the passages'
FLIP_SHARE = 0.25  # of the flips stand as the wrong text: so small a difference is the reader's to tell
CLOZE_SHARE = 0.12  # of the rows ask with sentences
CLOZE_SENTENCES = 4  # of a passage at the least that gives one away


@dataclass(frozen=True, slots=True)
class Triple:
    """A question, a text that answers it and one that does not; of the first also two sentences.

    ``answering`` and ``beside`` are characters of ``right``: the sentence that answers and another; None
    where the text has no two.
    """

    question: str
    right: str
    wrong: str
    answering: Span | None = None
    beside: Span | None = None


def triples(groups: Sequence[Sequence[data.Row]], seed: int) -> list[Triple]:
    """What an encoder learns from the reader's groups, in an order of its own.

    A wrong row that asks another question of the same passage teaches an encoder nothing. Where only such
    are left, the right text of another triple stands as the wrong one.
    """
    made: list[Triple] = []
    rng = random.Random(f"{seed} triples")
    for group in groups:
        right = group[0]
        if not right.answers:
            continue
        wrong = _wrong(group, rng)
        text = right.header + right.passage
        start, end = right.answers[0]
        shift = len(right.header)
        spans = windows.sentence_spans(right.passage)
        held = [span for span in spans if span[0] <= start and end <= span[1]]
        others = [span for span in spans if not any(span[0] < e and s < span[1] for s, e in right.answers)]
        row = Triple(right.question, text, wrong)
        if held and others:
            two = _shifted(held[0], shift), _shifted(rng.choice(others), shift)
            row = replace(row, answering=two[0], beside=two[1])
        made.append(row)
    return _filled(made, rng)


def _shifted(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by


def _wrong(group: Sequence[data.Row], rng: random.Random) -> str:
    """The text of a wrong row of the same question, "" where there is none that an encoder could tell."""
    right = group[0]
    same = [row for row in group[1:] if row.question == right.question and row.passage != right.passage]
    elsewhere = [row for row in same if row.kind != "flip"]
    if elsewhere:
        row = rng.choice(elsewhere)
    elif same and rng.random() < FLIP_SHARE:
        row = same[0]
    else:
        return ""
    return row.header + row.passage


def cloze(passages: Sequence[str], n: int, seed: int) -> list[Triple]:
    """`n` rows that ask with one or two sentences for the rest of their passage.

    >>> [row] = cloze(["It rained. We left. It was late. No bus came."], 1, 1)
    >>> row.question in row.right
    False
    """
    rng = random.Random(f"{seed} cloze")
    made: list[Triple] = []
    for passage in rng.sample(passages, len(passages)):
        spans = windows.sentence_spans(passage)
        if len(made) == n:
            break
        if len(spans) < CLOZE_SENTENCES:
            continue
        first = rng.randrange(len(spans) - 1)
        start, end = spans[first][0], spans[first + rng.randrange(2)][1]
        rest = f"{passage[:start].rstrip()} {passage[end:].lstrip()}".strip()
        made.append(Triple(passage[start:end], rest, ""))
    return _filled(made, rng)


def _filled(made: list[Triple], rng: random.Random) -> list[Triple]:
    """The rows shuffled, each without a wrong text given that of another."""
    rng.shuffle(made)
    n = len(made)
    return [
        row if row.wrong or n < 2 else replace(row, wrong=made[(i + rng.randrange(1, n)) % n].right)
        for i, row in enumerate(made)
    ]


def encode(bert: Any, rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Unit vectors (n, d) of token rows, the mean over their tokens, and the tokens' states (n, t, d)."""
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
    states = hidden.float()
    return functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1), states


def contrast(questions: Any, right: Any, wrong: Any) -> Any:
    """Mean of -log of the right text's share of a softmax over every text of the batch; (n, d) each."""
    import torch
    from torch.nn import functional

    scores = SCALE * questions @ torch.cat([right, wrong]).T  # (n, 2n)
    return functional.cross_entropy(scores, torch.arange(len(questions)))


def batch_loss(bert: Any, batch: Sequence[Triple], tokenize: Any) -> Any:
    """The loss of some rows: of their passages, and half as much of their sentences."""
    import numpy as np
    import torch
    from torch.nn import functional

    n = len(batch)
    texts: list[Tokens] = tokenize([row.question for row in batch], MAX_QUESTION)
    texts += tokenize([row.right for row in batch] + [row.wrong for row in batch], MAX_TOKENS)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].ids))
    vectors: list[Any] = [None] * len(texts)
    sentences: dict[int, tuple[Any, Any]] = {}  # of a row, the answering one and another
    for first in range(0, len(order), 16):  # of like length together: little is padding
        some = order[first : first + 16]
        found, states = encode(bert, [texts[i].ids for i in some])
        for line, i in enumerate(some):
            vectors[i] = found[line]
            if n <= i < 2 * n:
                row = batch[i - n]
                spans = [span for span in (row.answering, row.beside) if span]
                found_at = [inside for span in spans if (inside := texts[i].within(span)) is not None]
                places = [np.flatnonzero(inside) for inside in found_at if inside.any()]
                if len(places) == 2:
                    means = torch.stack([states[line, place].mean(0) for place in places])
                    sentences[i - n] = tuple(functional.normalize(means, dim=1))
    every = torch.stack(vectors)
    loss = contrast(every[:n], every[n : 2 * n], every[2 * n :])
    if len(sentences) > 1:
        right, beside = (torch.stack([pair[side] for pair in sentences.values()]) for side in (0, 1))
        loss = loss + SENTENCE_WEIGHT * contrast(every[list(sentences)], right, beside)
    return loss


def rows_of(options: argparse.Namespace) -> tuple[list[Triple], dict[str, Any]]:
    """(every row of the run, a record of the data) for the options."""
    known, held, hashes = sources.load_all(options.data, options.seed, options.rows)
    drawn = options.seed + options.drawing
    folder = Path(options.material) if options.material else None
    if folder:
        out = {p.original for p in written.kept_out(material.paragraphs(folder), held)}
        known = [example for example in known if example.passage not in out]
        hashes |= {f"material/{name}": sha256 for name, sha256 in material.hashes(folder).items()}
    pools = data.Pools(known)
    groups = data.build_groups(known, pools, drawn)
    if folder:
        beside = folder, Path(options.data), held, pools, options.replay
        groups = course.with_written(groups, *beside, drawn)
    made = triples(groups, drawn)
    edited = ("squad", "new_wiki", "nq")
    passages = sorted({passage for name in edited for passage in pools.passages.get(name, [])})
    n_cloze = round(CLOZE_SHARE * len(made))
    made += cloze(passages, n_cloze, drawn)
    random.Random(f"{drawn} rows").shuffle(made)
    record = {"files": hashes, "triples": len(made), "cloze": n_cloze, "rows_sha256": data.digest(groups)}
    return made, record


def train(options: argparse.Namespace) -> None:
    """The whole run: data, steps, model."""
    import torch
    from safetensors.numpy import save_file as save_arrays
    from safetensors.torch import save_file
    from transformers import BertModel

    from embeddings.bert import as_int8, load_weights
    from embeddings.weights import stock_folder
    from rag.training.train import learning_rate

    began = time.monotonic()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    folder, out = stock_folder(), Path(options.out)
    shutil.copytree(folder, out, dirs_exist_ok=True)
    lines, record = rows_of(options)
    tokenizer = features.load_tokenizer(folder / "tokenizer.json")

    def tokenize(texts: Sequence[str], limit: int) -> list[Tokens]:
        tokenizer.enable_truncation(limit)
        return [Tokens.of(encoding) for encoding in tokenizer.encode_batch(list(texts))]

    bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").float()
    if options.start:
        trained = load_weights(Path(options.start))
        bert.load_state_dict({n: torch.from_numpy(a).float() for n, a in trained.items()}, strict=False)
    before = {name: tensor.clone() for name, tensor in bert.state_dict().items()}
    bert.embeddings.requires_grad_(False)
    parameters = [p for p in bert.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=options.lr, weight_decay=0.01, fused=True)
    limit, at, step, total = options.minutes * 60, 0, 0, 0.0
    log = (out / "log.jsonl").open("a", encoding="utf-8")
    while (progress := (time.monotonic() - began) / limit) < 1 and at < len(lines):
        batch = lines[at : at + options.batch]
        at += options.batch
        loss = batch_loss(bert, batch, tokenize)
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
    for name, old in before.items():
        if name.startswith("encoder."):
            new[name] = options.keep * old + (1 - options.keep) * new[name]
    save_file({name: tensor.contiguous() for name, tensor in new.items()}, out / "model.safetensors")
    layers = {name: tensor.numpy() for name, tensor in new.items() if name.startswith("encoder.")}
    save_arrays(as_int8(layers), out / "layers.safetensors")
    paths = ("data", "material", "start", "out")
    record = {
        "recipe": {k: v for k, v in vars(options).items() if k not in paths},
        "data": record,
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
    parser.add_argument("--material", help="folder of what was written for this (rag/training/material)")
    parser.add_argument(
        "--start", help="safetensors of trained layers to begin at; the stock ones by default"
    )
    parser.add_argument("--out", required=True, help="folder for the model and its log")
    parser.add_argument("--minutes", type=float, default=25, help="the whole run, data included")
    parser.add_argument("--lr", type=float, default=3e-5, help="peak learning rate")
    parser.add_argument("--batch", type=int, default=32, help="questions a step")
    parser.add_argument(
        "--replay", type=int, default=12000, help="with --material: groups of the public sets beside it"
    )
    parser.add_argument("--keep", type=float, default=0.0, help="share of the old weights in the result")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20241122)
    parser.add_argument("--drawing", type=int, default=0, help="adds to the seed of rows and their order")
    parser.add_argument("--rows", type=int, default=None, help="questions a source, for a smoke run")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
