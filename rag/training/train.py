"""Train the reader within a time limit on a CPU, resumable at any moment.

    python -m rag.training.train --data FOLDER --trunk trunk.safetensors --tokenizer tokenizer.json \\
        --out FOLDER --minutes 78

The learning rate follows the clock, not a count of steps: it reaches 0 when the time is used up,
however fast the machine turned out. Same command again: goes on from the last checkpoint.
``--start model.safetensors`` begins at a trained reader, with a fresh optimiser and its own data order.
"""

import argparse
import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.training.features import Encoded

SEED = 20240611
DROPOUT = 0.1
WARM_UP = 0.05  # of the time
LAST_PART = 0.8  # of the time: from here on clean sources only
EMA = 0.999
CLIP = 1.0
WEIGHT_DECAY = 0.01
HEAD_TIMES = 10.0  # the heads start from noise and learn that much faster than the trunk
FINAL_SECONDS = 75  # kept back for the last dev scores and files


def learning_rate(progress: float, peak: float) -> float:
    """Linear up to `peak` over the first 5 % of the run, linear down to 0 at its end.

    >>> learning_rate(0.0, 1.0), learning_rate(0.05, 1.0), learning_rate(1.0, 1.0)
    (0.0, 1.0, 0.0)
    """
    if progress < WARM_UP:
        return peak * progress / WARM_UP
    return peak * max(0.0, (1 - progress) / (1 - WARM_UP))


class Trainer:
    """float32 master weights, a bfloat16 copy that computes, and an average of the masters (EMA)."""

    def __init__(self, network: Any, lr: float) -> None:
        import torch

        self.network, self.step = network, 0
        self.names = [name for name, p in network.named_parameters() if p.requires_grad]
        parameters = dict(network.named_parameters())
        self.masters = [parameters[name].detach().clone().float().requires_grad_() for name in self.names]
        self.frozen = {n: p.detach().clone().float() for n, p in parameters.items() if not p.requires_grad}
        self.average = [master.detach().clone() for master in self.masters]
        network.bert.bfloat16()
        self.working = [dict(network.named_parameters())[name] for name in self.names]
        named = list(zip(self.names, self.masters, strict=True))
        trunk = [master for name, master in named if name.startswith("bert.")]
        heads = [master for name, master in named if not name.startswith("bert.")]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [m for m in trunk if m.ndim > 1], "weight_decay": WEIGHT_DECAY, "times": 1.0},
                {"params": [m for m in trunk if m.ndim == 1], "weight_decay": 0.0, "times": 1.0},
                {"params": heads, "weight_decay": WEIGHT_DECAY, "times": HEAD_TIMES},
            ],
            lr=lr,
            fused=True,
        )

    def show(self, weights: list[Any]) -> None:
        """Let the network compute with these weights (the masters or their average)."""
        import torch

        with torch.no_grad():
            torch._foreach_copy_(self.working, weights)

    def learn(self, rows: "Sequence[Encoded]", lr: float) -> dict[str, float]:
        """One step on the rows; {part: loss}. A step whose gradient is not finite changes nothing."""
        from rag.training.features import tensors
        from rag.training.losses import group_loss

        ids, segments, mask, passage = tensors(rows)
        loss, parts = group_loss(self.network(ids, segments, mask, DROPOUT), rows, passage)
        return self._follow(loss, parts, lr)

    def learn_pairs(self, rows: "Sequence[Encoded]", lr: float) -> dict[str, float]:
        """One step on pairs of quotations; {"pair": loss}."""
        import torch
        from torch.nn import functional

        from rag.training.features import tensors

        ids, segments, mask, _ = tensors(rows)
        labels = torch.tensor([row.label for row in rows])
        loss = functional.cross_entropy(self.network.judge(ids, segments, mask, DROPOUT), labels)
        parts = self._follow(loss, {}, lr)
        return {"pair": parts["loss"]}

    def _follow(self, loss: Any, parts: dict[str, float], lr: float) -> dict[str, float]:
        """Take the step down this loss's gradient; the parts with the loss and the norm."""
        import torch

        torch.autograd.backward(loss)
        for master, working in zip(self.masters, self.working, strict=True):
            # a head that this loss does not see keeps still
            master.grad = None if working.grad is None else working.grad.float()
            working.grad = None
        seen = [master for master in self.masters if master.grad is not None]
        norm = float(torch.nn.utils.clip_grad_norm_(seen, CLIP, foreach=True))
        parts.update(loss=float(loss.detach()), norm=norm)
        if not math.isfinite(norm):
            return parts
        for settings in self.optimiser.param_groups:
            settings["lr"] = lr * settings["times"]
        self.optimiser.step()
        self.step += 1
        decay = min(EMA, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.masters, 1 - decay)
        self.show(self.masters)
        return parts

    def state(self) -> dict[str, Any]:
        """What `load` needs to go on as if nothing had happened."""
        return {
            "masters": [m.detach() for m in self.masters],
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state saved before."""
        import torch

        with torch.no_grad():
            torch._foreach_copy_(self.masters, state["masters"])
            torch._foreach_copy_(self.average, state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        self.show(self.masters)

    def weights(self) -> dict[str, Any]:
        """{published name: float32 tensor} of the average: BertModel names without prefix, and the heads."""
        named = {**self.frozen, **dict(zip(self.names, self.average, strict=True))}
        return {
            name.removeprefix("bert."): tensor.detach().contiguous() for name, tensor in sorted(named.items())
        }


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target and move into place."""
    beside = path.with_suffix(".part")
    write(beside)
    beside.replace(path)


def save(out: Path, trainer: Trainer, position: dict[str, Any], record: dict[str, Any]) -> None:
    """Write the model, its record and everything needed to go on."""
    import torch
    from safetensors.torch import save_file

    replace_file(out / "model.safetensors", lambda path: save_file(trainer.weights(), path))
    text = json.dumps(record, indent=1, ensure_ascii=False)
    replace_file(out / "training.json", lambda path: path.write_text(text, encoding="utf-8"))
    replace_file(out / "resume.pt", lambda path: torch.save({**trainer.state(), **position}, path))


def train(options: argparse.Namespace) -> None:
    """The whole run: data, steps, dev scores, checkpoints, model."""
    import torch

    from rag.training import features, losses, model, trunk
    from rag.training.course import prepare

    began = time.monotonic()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    course, pair_course, dev_set, data_record = prepare(options)
    if not (options.trunk or options.start):
        raise SystemExit("error: give --trunk, --start or both")
    bert = trunk.load_trunk(options.trunk) if options.trunk else trunk.build_bert().eval()
    network = model.Reader(bert, options.frozen_layers)
    if options.start:
        model.load_weights(network, options.start)
    trainer = Trainer(network, options.lr)
    elapsed, n_tokens, n_pairs = 0.0, 0, 0
    if (out / "resume.pt").exists():
        state = torch.load(out / "resume.pt", weights_only=False)
        trainer.load(state)
        course.n_main, course.n_last = state["n_main_at_last"] or state["n_main"], state["n_last"]
        n_pairs = state["n_pairs"]
        elapsed, n_tokens = state["elapsed"], state["n_tokens"]
    shutil.copyfile(options.tokenizer, out / "tokenizer.json")
    shape = {**trunk.SHAPE, "max_tokens": features.MAX_TOKENS}
    shape.update(
        max_question=features.MAX_QUESTION, max_header=features.MAX_HEADER, max_passage=features.MAX_PASSAGE
    )
    (out / "config.json").write_text(json.dumps(shape, indent=1), encoding="utf-8")
    recipe = {
        k: v
        for k, v in vars(options).items()
        if k not in ("data", "material", "trunk", "tokenizer", "out", "start")
    }
    if options.start:
        recipe["start_sha256"] = hashlib.sha256(Path(options.start).read_bytes()).hexdigest()
    recipe.update(dropout=DROPOUT, warm_up=WARM_UP, last_part=LAST_PART, ema=EMA, clip=CLIP)
    recipe.update(weight_decay=WEIGHT_DECAY, head_times=HEAD_TIMES, loss_weights=losses.WEIGHTS)
    record = {"recipe": recipe, "seed": options.seed, "data": data_record, "dev": {}, "losses": {}}
    log = (out / "log.jsonl").open("a", encoding="utf-8")

    def note(**fields: Any) -> None:
        print(json.dumps(fields), flush=True)
        log.write(json.dumps(fields) + "\n")
        log.flush()

    note(event="data", seconds=round(time.monotonic() - began), **data_record)
    # time spent on data counts too: the limit is on the whole run
    start = (time.monotonic() if elapsed else began) - elapsed
    limit = options.minutes * 60
    end = max(1.0, limit - min(FINAL_SECONDS, limit / 4))
    saved = scored = time.monotonic()
    sums: dict[str, tuple[float, int]] = {}  # of each part, and in how many steps it occurred
    n_sums, tokens_then, then = 0, n_tokens, time.monotonic()

    def position() -> dict[str, Any]:
        return {
            "n_main": course.n_main,
            "n_last": course.n_last,
            "n_main_at_last": course.n_main if course.n_last else 0,
            "elapsed": time.monotonic() - start,
            "n_tokens": n_tokens,
            "n_pairs": n_pairs,
        }

    def score() -> None:
        trainer.show(trainer.average)
        at = time.monotonic()
        record["dev"] = {name: round(value, 4) for name, value in dev_set.scores(network).items()}
        trainer.show(trainer.masters)
        record.update(steps=trainer.step, tokens=n_tokens)
        note(event="dev", step=trainer.step, minutes=round((at - start) / 60, 2), **record["dev"],
             seconds=round(time.monotonic() - at, 1))  # fmt: skip

    if options.start and not trainer.step:
        score()
    while (progress := (time.monotonic() - start) / end) < 1:
        rows = [row for group in course.next_batch(progress >= LAST_PART) for row in group]
        lr = learning_rate(progress, options.lr)
        parts = trainer.learn(rows, lr)
        n_tokens += sum(len(row.ids) for row in rows)
        if pair_course and trainer.step % options.pair_steps == 0:
            rows = pair_course.batch(n_pairs)
            parts.update(trainer.learn_pairs(rows, lr))
            n_tokens += sum(len(row.ids) for row in rows)
            n_pairs += 1
        for name, value in parts.items():
            total, n = sums.get(name, (0.0, 0))
            sums[name] = total + value, n + 1
        n_sums += 1
        now = time.monotonic()
        if n_sums >= options.log_steps:
            record["losses"] = {name: round(total / n, 4) for name, (total, n) in sums.items()}
            speed = (n_tokens - tokens_then) / (now - then)
            note(event="train", step=trainer.step, minutes=round((now - start) / 60, 2), lr=round(lr, 8),
                 tokens_per_second=round(speed), **record["losses"])  # fmt: skip
            sums, n_sums, tokens_then, then = {}, 0, n_tokens, now
        if now - scored > options.score_minutes * 60:
            score()
            scored = then = time.monotonic()
            tokens_then = n_tokens
        if now - saved > options.save_minutes * 60:
            save(out, trainer, position(), record)
            saved = time.monotonic()
    save(out, trainer, position(), record)
    score()
    record["finished"] = True
    save(out, trainer, position(), record)
    note(event="done", step=trainer.step, minutes=round((time.monotonic() - start) / 60, 2), tokens=n_tokens)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of *.jsonl.gz QA files")
    parser.add_argument("--material", help="folder of what was written for this (rag/training/material)")
    parser.add_argument("--trunk", help="safetensors or ONNX of gte-small; not needed with --start")
    parser.add_argument("--tokenizer", required=True, help="its tokenizer.json")
    parser.add_argument("--start", help="safetensors of a trained reader to begin at")
    parser.add_argument("--out", required=True, help="folder for model, log and checkpoint")
    parser.add_argument(
        "--minutes", type=float, default=78, help="the whole run, data and dev scores included"
    )
    parser.add_argument("--lr", type=float, default=1e-4, help="peak learning rate")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--batch-rows", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED, help="decides what is held out, and the rest")
    parser.add_argument(
        "--drawing",
        type=int,
        default=0,
        help="adds to the seed of wrong rows and order, not of what is held out",
    )
    parser.add_argument(
        "--frozen-layers", type=int, default=0, help="the lowest layers that keep their weights"
    )
    parser.add_argument(
        "--replay",
        type=int,
        default=9000,
        help="with --material: groups of the public sets beside the written ones",
    )
    parser.add_argument(
        "--pair-steps", type=int, default=8, help="a step on pairs of quotations every so many"
    )
    parser.add_argument("--rows", type=int, default=None, help="questions a source, for a smoke run")
    parser.add_argument("--log-steps", type=int, default=25)
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--score-minutes", type=float, default=10)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
