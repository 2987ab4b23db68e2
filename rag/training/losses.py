"""The training loss of a batch of groups."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from rag.training.features import Encoded

WEIGHTS = {"list": 1.0, "row": 0.5, "span": 1.0, "early": 0.3, "evidence": 0.5}


def relevance_losses(logits: Tensor, labels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """(listwise, rowwise): cross-entropy of the right row within its group, and of each row alone.

    logits, labels and groups have shape (n,); groups number the rows' groups from 0.
    """
    n_groups = int(groups.max()) + 1
    total = torch.stack([logits[groups == g].logsumexp(0) for g in range(n_groups)])
    right = torch.stack([logits[(groups == g) & (labels > 0)].logsumexp(0) for g in range(n_groups)])
    return (total - right).mean(), functional.binary_cross_entropy_with_logits(logits, labels)


def span_loss(logits: Tensor, passage: Tensor, gold: Tensor, groups: Tensor) -> Tensor:
    """Mean over groups of -log of the probability of any gold token, normalised over the group's passages.

    Shared normalisation of Clark & Gardner 2018, "Simple and Effective Multi-Paragraph Reading
    Comprehension": the passages of one question compete in one softmax. logits, passage and gold
    have shape (n, t); a group without gold counts nothing.
    """
    logits = logits.masked_fill(~passage, -1e4)
    every = logits.logsumexp(1)  # (n,)
    right = logits.masked_fill(~gold, -1e4).logsumexp(1)
    losses = []
    for g in sorted(set(groups[gold.any(1)].tolist())):
        rows = groups == g
        losses.append(every[rows].logsumexp(0) - right[rows].logsumexp(0))
    return torch.stack(losses).mean() if losses else logits.sum() * 0.0


def evidence_loss(logits: Tensor, passage: Tensor, shown: Tensor) -> Tensor:
    """Cross-entropy of each passage token, meaned by row, over the rows of which anything is to be shown.

    logits, passage and shown have shape (n, t). Rows of which nobody said what to show count nothing.
    """
    told = shown.any(1)
    if not bool(told.any()):
        return logits.sum() * 0.0
    each = functional.binary_cross_entropy_with_logits(logits[told], shown[told].float(), reduction="none")
    inside = passage[told].float()
    return ((each * inside).sum(1) / inside.sum(1)).mean()


def group_loss(
    outputs: tuple[Tensor, ...], rows: Sequence[Encoded], passage: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """(loss, {name: part}) for the network's outputs on Encoded rows."""
    relevance, span, early, evidence = outputs
    labels = torch.tensor([float(row.label) for row in rows])
    numbers: dict[int, int] = {}
    groups = torch.tensor([numbers.setdefault(row.group, len(numbers)) for row in rows])
    starts, ends, shown = (torch.zeros_like(passage) for _ in range(3))
    for i, row in enumerate(rows):
        starts[i, row.starts] = True
        ends[i, row.ends] = True
        shown[i, list(row.evidence)] = True
    by_list, by_row = relevance_losses(relevance, labels, groups)
    start = span_loss(span[..., 0], passage, starts, groups)
    end = span_loss(span[..., 1], passage, ends, groups)
    parts = {
        "list": by_list,
        "row": by_row,
        "span": (start + end) / 2,
        "evidence": evidence_loss(evidence, passage, shown),
    }
    if early.requires_grad:
        parts["early"] = torch.stack(relevance_losses(early, labels, groups)).sum()
    # start and end count once each
    weighted = [WEIGHTS[name] * part * (2 if name == "span" else 1) for name, part in parts.items()]
    loss = torch.stack(weighted).sum()
    return loss, {name: float(part.detach()) for name, part in parts.items()}
