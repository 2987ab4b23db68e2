"""Train the judge of pairs: do two quotations about a question contradict each other, agree, or stand apart?

    python -m rag.training.judge --data FOLDER --out FOLDER --steps 220

It starts from the paragraph encoder's layers and learns from five kinds of pairs: families written for it,
the pairs about one question in one batch, so that only what differs between them decides; the two sides of
questions on which the documents of a written collection disagree; sentences of such collections that merely
stand near an answer, as the assistant would lay them before it; an answer beside the sentence that took its
place where a paragraph was rewritten so that it answers no more; and claims with their evidence from public
sets. ``--out RUN --ship FOLDER`` packs a run into int8 files; ``--ship FOLDER --measure`` prints figures.
Nothing uses them yet: what was reached so far stands in the material's README.
"""

import argparse
import hashlib
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embeddings.spans import token_batches
from rag.reader.base import PAIR_LABELS, Candidate
from rag.settings import RANKING
from rag.training import material, pairs, written
from rag.training.data import nearest, typed
from rag.training.dev import auroc, mean
from rag.training.judge_network import QUOTED_ONE, PairJudge, in_order, pair_tokens
from rag.training.pairs import Pair

NEXT_KEPT_OUT = 0.2  # of the families in conflicts-next
N_NEAR = 3  # sentences of other documents laid beside an answer, the nearest by BM25
LABEL_SMOOTHING = 0.05
TYPE_SPREAD = 0.02  # of the numbers that tell the token types apart: half of the word embeddings' own
TOKENS_A_BATCH = 1200  # computed at once; a step has as many batches as its pairs need

# Of each step: groups of families, groups of collections, flips, public pairs. Public ones come first.
FIRST, THEN = (3, 1, 1, 20), (4, 3, 1, 0)


@dataclass(frozen=True, slots=True)
class Material:
    """Groups of pairs about one question each, and single pairs, for training and kept out."""

    families: list[list[Pair]]
    collections: list[list[Pair]]
    flips: list[Pair]
    public: list[Pair]
    kept_families: list[list[Pair]]
    kept_collections: list[list[Pair]]
    kept_flips: list[Pair]


def by_question(rows: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs of each question together, in order of its first."""
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in rows:
        groups[pair.question].append(pair)
    return list(groups.values())


def implied(family: Sequence[Pair]) -> list[Pair]:
    """What follows: what contradicts one of two that agree contradicts the other; likewise what stands apart.

    >>> pair = lambda a, b, label: Pair("q", ("", ""), (a, b), label)
    >>> family = [pair("31", "24", "conflict"), pair("24", "two dozen", "same")]
    >>> [(p.quotations, p.label) for p in implied(family)]
    [(('31', 'two dozen'), 'conflict')]
    """
    sides = {
        frozenset(((pair.headers[0], pair.quotations[0]), (pair.headers[1], pair.quotations[1])))
        for pair in family
    }
    found: list[Pair] = []
    for agreed in (pair for pair in family if pair.label == "same"):
        for other in (pair for pair in family if pair.label != "same"):
            for same in (agreed, agreed.turned()):
                for told in (other, other.turned()):
                    joint = (same.headers[0], same.quotations[0])
                    ends = (told.headers[0], same.headers[1]), (told.quotations[0], same.quotations[1])
                    key = frozenset(zip(*ends, strict=True))
                    if joint == (told.headers[1], told.quotations[1]) and len(key) == 2 and key not in sides:
                        sides.add(key)
                        found.append(Pair(told.question, *ends, told.label))
    return found


def collection_pairs(collections: Sequence[material.Collection]) -> list[list[Pair]]:
    """Of each question of each collection: its sides beside each other, and an answer beside what is near.

    Evidence that is needed together stands apart (two years, two parts), or in conflict where it is asked how
    the documents differ; each of several answers says the same. Of a question without an answer the sentence
    that tempts is laid beside what is near.
    """
    from rag.text.sentences import sentences

    groups: list[list[Pair]] = []
    for collection in collections:
        shelf = written.Shelf(collection)
        lines = [
            (place.document, place.header, " ".join(place.text[a:b].split()))
            for place in shelf.places
            for a, b in sentences(place.text)
        ]
        asked = [(q, q.get("e") or ([q["near"]] if q.get("near") else [])) for q in collection.questions]
        asked = [(q, found) for q, found in asked if found]
        near = nearest(
            [f"{top} {words}" for _, top, words in lines], [f"{q['q']} {e[0]['s']}" for q, e in asked], 24
        )
        for (question, evidence), ranked in zip(asked, near, strict=True):
            sides = [side for entry in evidence if (side := _side(shelf, entry))]
            group = []
            label = "same"
            if question.get("all"):
                label = "conflict" if question["k"] == "conflict" else "apart"
            for i, (document, top, words) in enumerate(sides):
                for other, its_top, its_words in sides[i + 1 :]:
                    if other != document:
                        group.append(Pair(question["q"], (top, its_top), (words, its_words), label))
            taken = {words for _, _, words in sides}
            for document, top, words in sides[:1]:
                others = [lines[i] for i in ranked if lines[i][0] != document]
                others = [line for line in others if not any(_within(line[2], known) for known in taken)]
                for _, its_top, its_words in others[:N_NEAR]:
                    group.append(Pair(question["q"], (top, its_top), (words, its_words), "apart"))
            if group:
                groups.append(group)
    return groups


def _side(shelf: written.Shelf, entry: Any) -> tuple[str, str, str] | None:
    """(document, header, quotation) of a question's evidence, or None where no passage holds it whole."""
    held = shelf.holding(entry["d"], entry["s"])
    return (entry["d"], _top(shelf.places[held[0]].header), " ".join(entry["s"].split())) if held else None


def _top(header: str) -> str:
    return f"{header} . " if header else ""


def _within(one: str, other: str) -> bool:
    return one in other or other in one


def flip_pairs(paragraphs: Sequence[material.Paragraph]) -> list[Pair]:
    """Of each flip the sentence that answers and the one most like it where the question is not answered."""
    from rag.text.sentences import sentences
    from rag.text.terms import terms

    found: list[Pair] = []
    for paragraph in paragraphs:
        top = _top(paragraph.title)
        for question, right, answers, wrong in written.flip_rows(paragraph):
            start, words = answers[0]
            held = [right[a:b] for a, b in sentences(right) if a <= start and start + len(words) <= b]
            others = [wrong[a:b] for a, b in sentences(wrong)]
            if held and others:
                wanted = set(terms(held[0]))
                nearest_one = max(others, key=lambda text: _share(wanted, set(terms(text))))
                found.append(Pair(question, (top, top), (held[0], nearest_one), "apart"))
    return found


def _share(one: set[str], other: set[str]) -> float:
    """How much of both is in both, 0..1."""
    return len(one & other) / max(1, len(one | other))


def load(data: Path, folder: Path = material.FOLDER) -> Material:
    """Everything the judge learns from and is measured on."""
    families: list[list[Pair]] = []
    kept: list[list[Pair]] = []
    for name, share in (("conflicts", material.KEPT_OUT_FAMILIES), ("conflicts-next", NEXT_KEPT_OUT)):
        known, out = pairs.written_pairs(folder, name, share)
        families += [[*family, *implied(family)] for family in by_question(known)]
        kept += by_question(out)
    shelved, paragraphs = material.collections(folder), material.paragraphs(folder)
    return Material(
        families,
        collection_pairs([c for c in shelved if not c.kept_out]),
        flip_pairs([p for p in paragraphs if not p.kept_out]),
        pairs.public_pairs(data),
        kept,
        collection_pairs([c for c in shelved if c.kept_out]),
        flip_pairs([p for p in paragraphs if p.kept_out]),
    )


def course(given: Material, n_steps: int, first_share: float, seed: int) -> Iterator[list[Pair]]:
    """The pairs of each step, the same for the same seed; each kind is gone through in an order drawn anew.

    Of the collections every third group is one with a conflict in it, and the first: there are few.
    ``first_share`` of the steps have public pairs.
    """
    rng = random.Random(f"{seed} judge")
    disputed = [group for group in given.collections if any(pair.label == "conflict" for pair in group)]
    calm = [group for group in given.collections if group not in disputed]

    def endless(groups: Sequence[list[Pair]]) -> Iterator[list[Pair]]:
        while True:
            yield from rng.sample(groups, len(groups))

    families, quarrels, others = endless(given.families), endless(disputed), endless(calm)
    flips, claims = (endless([[pair] for pair in some]) for some in (given.flips, given.public))
    for step in range(n_steps):
        n_families, n_collections, n_flips, n_public = FIRST if step < n_steps * first_share else THEN
        n_public = n_public if given.public else 0
        groups = [next(families) for _ in range(n_families)]
        groups += [next(others if i % 3 else quarrels) for i in range(n_collections)]
        groups += [next(flips) for _ in range(n_flips)] + [next(claims) for _ in range(n_public)]
        rows = [pair.turned() if rng.random() < 0.5 else pair for group in groups for pair in group]
        lower, bare = rng.random() < 0.3, rng.random() < 0.5
        yield [Pair(typed(p.question, lower, bare), p.headers, p.quotations, p.label) for p in rows]


def candidates(pair: Pair) -> tuple[Candidate, Candidate]:
    """The two sides as the judge is given them."""
    one, other = (
        Candidate(words, top.removesuffix(" . "))
        for words, top in zip(pair.quotations, pair.headers, strict=True)
    )
    return one, other


class Rows:
    """Pairs as token rows."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def ids(self, text: str) -> list[int]:
        """The tokens of a text."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def __call__(self, pair: Pair, *, ordered: bool = False) -> tuple[list[int], list[int]]:
        """(token ids, types); ``ordered``: in the order in which the judge is asked."""
        sides = candidates(pair)
        return pair_tokens(self.ids, pair.question, *(in_order(*sides) if ordered else sides))


def network(frozen_layers: int, seed: int, start: Path | None) -> Any:
    """The network to be trained: embeddings and first layers stay as they are.

    It begins as the encoder, or, with ``start``, as a run left it.
    """
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from transformers import BertConfig, BertModel

    from embeddings.weights import BUILT_IN, shipped, stock_folder
    from rag.training.model import drop, run_layer
    from rag.training.trunk import fill

    shape = BertConfig.from_pretrained(stock_folder())
    shape.type_vocab_size = QUOTED_ONE + 1
    bert = BertModel(shape, add_pooling_layer=False)
    state = {
        name: torch.from_numpy(array).float()
        for name, array in shipped(BUILT_IN).load().items()
        if name.startswith(("embeddings.", "encoder.")) and name != "embeddings.position_ids"
    }
    spread = torch.randn((QUOTED_ONE + 1, shape.hidden_size), generator=torch.Generator().manual_seed(seed))
    spread[0] = 0
    name = "embeddings.token_type_embeddings.weight"
    state[name] = state[name][:1] + TYPE_SPREAD * spread
    fill(bert, state, "the encoder")

    class Judge(nn.Module):
        """Logits of PAIR_LABELS: the tokens' votes, weighed by their softmax."""

        def __init__(self) -> None:
            super().__init__()
            self.bert = bert
            self.votes = nn.Linear(shape.hidden_size, 2 * len(PAIR_LABELS))
            nn.init.normal_(self.votes.weight, std=0.02)
            nn.init.zeros_(self.votes.bias)
            bert.embeddings.requires_grad_(False)
            for layer in bert.encoder.layer[:frozen_layers]:
                layer.requires_grad_(False)

        def forward(self, ids: Any, types: Any, mask: Any, dropout: float = 0.0) -> Any:
            with torch.no_grad():
                hidden = self.bert.embeddings(input_ids=ids, token_type_ids=types).bfloat16()
            bias = torch.zeros(mask.shape, dtype=hidden.dtype).masked_fill(~mask.bool(), -1e4)[:, None, None]
            for number, layer in enumerate(self.bert.encoder.layer):
                frozen = number < frozen_layers
                with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
                    hidden = run_layer(
                        layer, hidden, bias, shape.num_attention_heads, 0.0 if frozen else dropout
                    )
            weight, vote = self.votes(drop(hidden.float(), dropout)).chunk(2, dim=-1)  # (n, t, 3) each
            share = (weight + bias[:, 0, 0, :, None].float()).softmax(1)
            return (share * vote).sum(1)

    judge = Judge()
    if start is not None:
        left = {
            name if name.startswith("votes.") else f"bert.{name}": tensor
            for name, tensor in load_file(start).items()
        }
        fill(judge, left, str(start))
    return judge


def tensors(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Any, Any, Any]:
    """(ids, types, mask) of shape (n, t)."""
    import torch

    from embeddings.bert import pad

    ids, mask = pad([ids for ids, _ in rows])
    types, _ = pad([types for _, types in rows])
    return tuple(torch.from_numpy(array).long() for array in (ids, types, mask))  # type: ignore[return-value]


def train(options: argparse.Namespace) -> None:
    """The whole run: data, steps, a log, `model.safetensors` with the averaged weights."""
    import torch
    from safetensors.torch import save_file
    from torch.nn import functional

    from embeddings.weights import stock_folder
    from rag.training.features import load_tokenizer
    from rag.training.train import CLIP, DROPOUT, Trainer, learning_rate

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    given = load(options.data)
    rows_of = Rows(load_tokenizer(stock_folder() / "tokenizer.json"))
    model = network(options.frozen, options.seed, options.start)
    trainer = Trainer(model, options.lr)
    log = (options.out / "log.jsonl").open("a", encoding="utf-8")

    def note(**what: Any) -> None:
        line = json.dumps(what)
        print(line, flush=True)
        log.write(line + "\n")
        log.flush()

    counts = {
        "families": len(given.families),
        "family_pairs": sum(map(len, given.families)),
        "collections": len(given.collections),
        "collection_pairs": sum(map(len, given.collections)),
        "flips": len(given.flips),
        "public": len(given.public),
    }
    note(event="data", **counts)
    began, total, seen, right = time.monotonic(), 0.0, 0, 0
    for step, chosen in enumerate(course(given, options.steps, options.first_share, options.seed)):
        rows = [rows_of(pair) for pair in chosen]
        labels = torch.tensor([PAIR_LABELS.index(pair.label) for pair in chosen])
        # each label counts as much as the others in a step
        weight = torch.tensor([1 / max(1, int((labels == n).sum())) for n in range(len(PAIR_LABELS))])
        weight = weight / weight[labels].sum()
        for batch in token_batches([len(ids) for ids, _ in rows], TOKENS_A_BATCH):
            logits = model(*tensors([rows[i] for i in batch]), DROPOUT)
            losses = functional.cross_entropy(
                logits, labels[batch], reduction="none", label_smoothing=LABEL_SMOOTHING
            )
            loss = (losses * weight[labels[batch]]).sum()
            torch.autograd.backward(loss)
            total += float(loss.detach())
            right += int((logits.argmax(1) == labels[batch]).sum())
        seen += len(rows)
        for master, working in zip(trainer.masters, trainer.working, strict=True):
            master.grad = None if working.grad is None else working.grad.float()
            working.grad = None
        torch.nn.utils.clip_grad_norm_(trainer.masters, CLIP, foreach=True)
        rate = learning_rate(step / options.steps, options.lr)
        for settings in trainer.optimiser.param_groups:
            settings["lr"] = rate * settings["times"]
        trainer.optimiser.step()
        trainer.step += 1
        decay = min(options.ema, (1 + trainer.step) / (10 + trainer.step))
        with torch.no_grad():
            torch._foreach_lerp_(trainer.average, trainer.masters, 1 - decay)
        trainer.show(trainer.masters)
        if (step + 1) % 10 == 0:
            note(step=step + 1, seconds=round(time.monotonic() - began, 1), loss=round(total / 10, 4),
                 right=round(right / seen, 3), pairs=seen)  # fmt: skip
            total, seen, right = 0.0, 0, 0
        if (step + 1) % options.look_every == 0 or step + 1 == options.steps:
            state = {**trainer.frozen, **dict(zip(trainer.names, trainer.average, strict=True))}
            kept = {name.removeprefix("bert."): tensor.contiguous() for name, tensor in state.items()}
            save_file(kept, options.out / "model.safetensors")
            trainer.show(trainer.average)
            note(event="dev", step=step + 1, **quick_look(model, rows_of, given))
            trainer.show(trainer.masters)
    recipe = {k: v for k, v in vars(options).items() if k not in ("data", "out", "ship", "measure", "start")}
    record = {
        "recipe": recipe,
        "start_sha256": options.start and hashlib.sha256(options.start.read_bytes()).hexdigest(),
        "data": {
            **counts,
            "files": {
                name: hashlib.sha256((material.FOLDER / f"{name}.jsonl.gz").read_bytes()).hexdigest()
                for name in ("conflicts", "conflicts-next", "collections", "paragraphs")
            },
        },
    }
    (options.out / "training.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def kept_out(given: Material) -> dict[str, list[Pair]]:
    """{kind: pairs} to measure on."""
    groups = {"families": given.kept_families, "collections": given.kept_collections}
    return {name: [pair for group in some for pair in group] for name, some in groups.items()}


def quick_look(model: Any, rows_of: Rows, given: Material) -> dict[str, float]:
    """The figures on what is kept out, by the network as it is."""
    import torch

    figures: dict[str, float] = {}
    for name, some in kept_out(given).items():
        rows = [rows_of(pair, ordered=True) for pair in some]
        shares: list[Any] = [None] * len(rows)
        with torch.no_grad():
            for batch in token_batches([len(ids) for ids, _ in rows], TOKENS_A_BATCH):
                for i, share in zip(batch, model(*tensors([rows[i] for i in batch])).softmax(1), strict=True):
                    shares[i] = share.tolist()
        figures |= {f"{name}_{key}": value for key, value in scored(some, shares).items()}
    return figures


def scored(judged: Sequence[Pair], shares: Sequence[Sequence[float]]) -> dict[str, float]:
    """AUROC of a conflict against the rest, and of each label the share judged right.

    >>> rows = [Pair("", ("", ""), ("a", "b"), label) for label in ("conflict", "same", "apart")]
    >>> scored(rows, [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.5, 0.1, 0.4]])
    {'auroc': 1.0, 'right_conflict': 1.0, 'right_same': 1.0, 'right_apart': 0.0}
    """
    conflict, _, _ = range(len(PAIR_LABELS))
    figures = {
        "auroc": auroc(
            [share[conflict] for pair, share in zip(judged, shares, strict=True) if pair.label == "conflict"],
            [share[conflict] for pair, share in zip(judged, shares, strict=True) if pair.label != "conflict"],
        )
    }
    for number, label in enumerate(PAIR_LABELS):
        of_label = [share for pair, share in zip(judged, shares, strict=True) if pair.label == label]
        figures[f"right_{label}"] = mean(max(share) == share[number] for share in of_label)
    return {name: round(value, 3) for name, value in figures.items()}


def by_words(given: Material) -> dict[str, float]:
    """AUROC of a conflict that words alone reach over the kept-out families: question, or both quotations."""
    from rag.training.measure import bag_of_words

    def texts(groups: Sequence[Sequence[Pair]], of_question: bool) -> list[tuple[str, bool]]:
        return [
            (
                pair.question if of_question else " ".join((*pair.headers, *pair.quotations)),
                pair.label == "conflict",
            )
            for group in groups
            for pair in group
        ]

    return {
        name: round(bag_of_words(texts(given.families, alone), texts(given.kept_families, alone)), 3)
        for name, alone in (("question_alone", True), ("quotations_alone", False))
    }


def ship(run: Path, out: Path) -> dict[str, str]:
    """Pack a run into ``out``, its matrices int8; the SHA-256 sums by name."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    from embeddings.bert import as_int8
    from embeddings.weights import stock_folder

    whole = load_file(run / "model.safetensors")
    types = "embeddings.token_type_embeddings.weight"
    kept = {
        name: tensor
        for name, tensor in whole.items()
        if name.startswith(("encoder.", "votes.")) or name == types
    }
    stored = as_int8({name: tensor for name, tensor in kept.items() if name not in (types, "votes.weight")})
    stored.update({name: kept[name].astype(np.float16) for name in (types, "votes.weight")})
    out.mkdir(parents=True, exist_ok=True)
    save_file(stored, out / "layers.safetensors")
    shape = json.loads((stock_folder() / "config.json").read_text("utf-8"))
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "layer_norm_eps")
    (out / "config.json").write_text(
        json.dumps({name: shape[name] for name in names}, indent=1) + "\n", "utf-8"
    )
    (out / "training.json").write_bytes((run / "training.json").read_bytes())
    files = ("layers.safetensors", "config.json", "training.json")
    sums = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in files}
    (out / "checksums.json").write_text(json.dumps(sums, indent=1) + "\n", "utf-8")
    return sums


def measure(data: Path, path: Path) -> dict[str, dict[str, float]]:
    """{what was kept out: figures} of a judge as packed, and what words alone reach."""
    judge, given = PairJudge(path), load(data)

    def judged(some: Sequence[Pair]) -> list[list[float]]:
        found = [judge.judge(pair.question, [candidates(pair)])[0] for pair in some]
        return [[getattr(each, label) for label in PAIR_LABELS] for each in found]

    figures = {}
    for name, some in kept_out(given).items():
        shares = judged(some)
        figures[name] = {"pairs": float(len(some)), **scored(some, shares)}
        for label in PAIR_LABELS:
            of_label = [share for pair, share in zip(some, shares, strict=True) if pair.label == label]
            called = [share[0] >= RANKING.disagreement_probability for share in of_label]
            figures[name][f"told_of_{label}"] = round(mean(called), 3)
    shares = judged(given.kept_flips)
    called = [share[0] >= RANKING.disagreement_probability for share in shares]
    figures["flips"] = {"pairs": float(len(shares)), "told_of_apart": round(mean(called), 3)}
    return {**figures, "words alone": by_words(given)}


def main() -> None:
    """Train, ship or measure from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with public/*.jsonl.gz")
    parser.add_argument("--out", type=Path, help="folder of the run")
    parser.add_argument("--steps", type=int, default=220)
    parser.add_argument("--start", type=Path, help="model.safetensors of a run to begin from")
    parser.add_argument("--first-share", type=float, default=0.35, help="of the steps, with public pairs")
    parser.add_argument("--frozen", type=int, default=2, help="first layers that stay as they are")
    parser.add_argument("--lr", type=float, default=1.5e-4, help="peak learning rate")
    parser.add_argument("--ema", type=float, default=0.99, help="of the averaged weights")
    parser.add_argument("--look-every", type=int, default=100, help="steps between looks at what is kept out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=20241124)
    parser.add_argument("--ship", type=Path, help="folder of the packed files")
    parser.add_argument("--measure", action="store_true", help="figures of the files in --ship")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.data, options.ship), indent=1))
    elif options.ship:
        print(json.dumps(ship(options.out, options.ship), indent=1))
    else:
        train(options)


if __name__ == "__main__":
    main()
