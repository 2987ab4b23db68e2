"""Train the reader within a time limit on a CPU, resumable at any moment.

    python -m rag.reader.training.train --data FOLDER --trunk trunk.safetensors --tokenizer tokenizer.json \\
        --out FOLDER --minutes 78

The learning rate follows the clock, not a count of steps: it reaches 0 when the time is used up,
however fast the machine turned out. Same command again: goes on from the last checkpoint.
"""

import argparse
import json
import math
import os
import shutil
import time
from pathlib import Path

SEED = 20240611
DROPOUT = 0.1
WARM_UP = 0.05  # of the time
LAST_PART = 0.8  # of the time: from here on clean sources only
EMA = 0.999
CLIP = 1.0
WEIGHT_DECAY = 0.01
FINAL_SECONDS = 75  # kept back for the last dev scores and files


def learning_rate(progress, peak):
    """Linear up to `peak` over the first 5 % of the run, linear down to 0 at its end.

    >>> learning_rate(0.0, 1.0), learning_rate(0.05, 1.0), learning_rate(1.0, 1.0)
    (0.0, 1.0, 0.0)
    """
    if progress < WARM_UP:
        return peak * progress / WARM_UP
    return peak * max(0.0, (1 - progress) / (1 - WARM_UP))


class Trainer:
    """float32 master weights, a bfloat16 copy that computes, and an average of the masters (EMA)."""

    def __init__(self, network, lr):
        import torch

        self.network, self.lr, self.step = network, lr, 0
        network.bert.embeddings.requires_grad_(False)
        self.names = [name for name, p in network.named_parameters() if p.requires_grad]
        parameters = dict(network.named_parameters())
        self.masters = [parameters[name].detach().clone().float().requires_grad_() for name in self.names]
        self.frozen = {n: p.detach().clone().float() for n, p in parameters.items() if not p.requires_grad}
        self.average = [master.detach().clone() for master in self.masters]
        network.bert.bfloat16()
        self.working = [dict(network.named_parameters())[name] for name in self.names]
        matrices = [m for m in self.masters if m.ndim > 1]
        others = [m for m in self.masters if m.ndim == 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=lr,
            fused=True,
        )

    def show(self, weights):
        """Let the network compute with these weights (the masters or their average)."""
        import torch

        with torch.no_grad():
            torch._foreach_copy_(self.working, weights)

    def learn(self, rows, lr):
        """One step on Encoded rows; {part: loss}, NaN steps are skipped."""
        import torch

        from rag.reader.training.features import tensors
        from rag.reader.training.losses import group_loss

        ids, segments, mask, passage = tensors(rows)
        loss, parts = group_loss(self.network(ids, segments, mask, DROPOUT), rows, passage)
        loss.backward()
        for master, working in zip(self.masters, self.working, strict=True):
            master.grad = working.grad.float()
            working.grad = None
        norm = float(torch.nn.utils.clip_grad_norm_(self.masters, CLIP, foreach=True))
        parts.update(loss=float(loss.detach()), norm=norm)
        if not math.isfinite(norm):
            return parts
        for settings in self.optimiser.param_groups:
            settings["lr"] = lr
        self.optimiser.step()
        self.step += 1
        decay = min(EMA, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.masters, 1 - decay)
        self.show(self.masters)
        return parts

    def state(self):
        return {
            "masters": [m.detach() for m in self.masters],
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def load(self, state):
        import torch

        with torch.no_grad():
            torch._foreach_copy_(self.masters, state["masters"])
            torch._foreach_copy_(self.average, state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        self.show(self.masters)

    def weights(self):
        """{published name: float32 tensor} of the average: BertModel names without prefix, and the heads."""
        named = {**self.frozen, **dict(zip(self.names, self.average, strict=True))}
        return {
            name.removeprefix("bert."): tensor.detach().contiguous() for name, tensor in sorted(named.items())
        }


def replace_file(path, write):
    """Write beside the target and move into place."""
    beside = Path(path).with_suffix(".part")
    write(beside)
    os.replace(beside, path)


def save(out, trainer, position, record):
    """Write the model, its record and everything needed to go on."""
    import torch
    from safetensors.torch import save_file

    replace_file(out / "model.safetensors", lambda path: save_file(trainer.weights(), path))
    text = json.dumps(record, indent=1, ensure_ascii=False)
    replace_file(out / "training.json", lambda path: path.write_text(text, encoding="utf-8"))
    replace_file(out / "resume.pt", lambda path: torch.save({**trainer.state(), **position}, path))


def prepare(options):
    """(course, dev set, data record) for the options; the same for the same files and seed."""
    from rag.reader.training import data, dev, features, sources

    train, held, hashes = sources.load_all(options.data, options.seed, options.rows)
    tokenizer = features.load_tokenizer(options.tokenizer)
    pools = data.Pools(train)
    first = data.build_groups(train, pools, options.seed)
    again = data.build_groups(train, pools, options.seed + 1)
    counts = {}
    for right, wrong in first:
        for key in (right.source, "negative " + wrong.kind):
            counts[key] = counts.get(key, 0) + 1
    clean = {source.name for source in sources.SOURCES if source.clean}
    n = len(first)
    again = [[replace_group(row, n) for row in group] for group in again]
    clean_groups = {right.group for right, _ in first + again if right.source in clean}
    rows = features.encode_rows([row for group in first + again for row in group], tokenizer)
    groups = [rows[i : i + 2] for i in range(0, len(rows), 2)]
    course = features.Course(
        groups[:n], groups[n:], clean_groups, options.batch_tokens, options.batch_rows, options.seed
    )
    dev_set = dev.DevSet(held, data.Pools(train + held, asked=held), tokenizer, options.seed)
    record = {
        "files": hashes,
        "groups": n,
        "counts": dict(sorted(counts.items())),
        "held_out_questions": len(held),
        "rows_sha256": data.digest(first),
    }
    return course, dev_set, record


def replace_group(row, add):
    from dataclasses import replace

    return replace(row, group=row.group + add)


def train(options):
    import torch

    from rag.reader.training import features, model, trunk

    began = time.monotonic()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    course, dev_set, data_record = prepare(options)
    network = model.Reader(trunk.load_trunk(options.trunk))
    trainer = Trainer(network, options.lr)
    elapsed, n_tokens = 0.0, 0
    if (out / "resume.pt").exists():
        state = torch.load(out / "resume.pt", weights_only=False)
        trainer.load(state)
        course.n_main, course.n_last = state["n_main_at_last"] or state["n_main"], state["n_last"]
        elapsed, n_tokens = state["elapsed"], state["n_tokens"]
    shutil.copyfile(options.tokenizer, out / "tokenizer.json")
    shape = {**trunk.SHAPE, "early_layer": model.EARLY_LAYER, "max_tokens": features.MAX_TOKENS}
    shape.update(
        max_question=features.MAX_QUESTION, max_header=features.MAX_HEADER, max_passage=features.MAX_PASSAGE
    )
    (out / "config.json").write_text(json.dumps(shape, indent=1), encoding="utf-8")
    recipe = {k: v for k, v in vars(options).items() if k not in ("data", "trunk", "tokenizer", "out")}
    recipe.update(
        dropout=DROPOUT, warm_up=WARM_UP, last_part=LAST_PART, ema=EMA, clip=CLIP, weight_decay=WEIGHT_DECAY
    )
    record = {"recipe": recipe, "seed": options.seed, "data": data_record, "dev": {}, "losses": {}}
    log = (out / "log.jsonl").open("a", encoding="utf-8")

    def note(**fields):
        print(json.dumps(fields), flush=True)
        log.write(json.dumps(fields) + "\n")
        log.flush()

    note(event="data", seconds=round(time.monotonic() - began), **data_record)
    # time spent on data counts too: the limit is on the whole run
    start = (time.monotonic() if elapsed else began) - elapsed
    limit = options.minutes * 60
    end = max(1.0, limit - min(FINAL_SECONDS, limit / 4))
    saved = scored = time.monotonic()
    sums, n_sums, tokens_then, then = {}, 0, n_tokens, time.monotonic()

    def position():
        return {
            "n_main": course.n_main,
            "n_last": course.n_last,
            "n_main_at_last": course.n_main if course.n_last else 0,
            "elapsed": time.monotonic() - start,
            "n_tokens": n_tokens,
        }

    def score():
        trainer.show(trainer.average)
        at = time.monotonic()
        record["dev"] = {name: round(value, 4) for name, value in dev_set.scores(network).items()}
        trainer.show(trainer.masters)
        record.update(steps=trainer.step, tokens=n_tokens)
        note(event="dev", step=trainer.step, minutes=round((at - start) / 60, 2), **record["dev"],
             seconds=round(time.monotonic() - at, 1))  # fmt: skip

    while (progress := (time.monotonic() - start) / end) < 1:
        rows = [row for group in course.next_batch(progress >= LAST_PART) for row in group]
        lr = learning_rate(progress, options.lr)
        parts = trainer.learn(rows, lr)
        n_tokens += sum(len(row.ids) for row in rows)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value
        n_sums += 1
        now = time.monotonic()
        if n_sums >= options.log_steps:
            record["losses"] = {name: round(total / n_sums, 4) for name, total in sums.items()}
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of *.jsonl.gz QA files")
    parser.add_argument("--trunk", required=True, help="safetensors or ONNX of gte-small")
    parser.add_argument("--tokenizer", required=True, help="its tokenizer.json")
    parser.add_argument("--out", required=True, help="folder for model, log and checkpoint")
    parser.add_argument(
        "--minutes", type=float, default=78, help="the whole run, data and dev scores included"
    )
    parser.add_argument("--lr", type=float, default=1e-4, help="peak learning rate")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--batch-rows", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rows", type=int, default=None, help="questions a source, for a smoke run")
    parser.add_argument("--log-steps", type=int, default=25)
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--score-minutes", type=float, default=10)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
