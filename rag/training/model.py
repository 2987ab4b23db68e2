"""The reader's network: one BERT pass, three answers, and a first opinion on the way.

A row is [CLS] question [SEP] title | date . passage [SEP]. From it come
  relevance  (n,)     from [CLS] after the last layer: does this passage answer this question
  span       (n, t, 2) start and end of the answer over the tokens
  evidence   (n, t)    whether a token belongs to what a careful person would show
  early      (n,)     from all tokens after layer EARLY_LAYERS: is this passage worth the remaining layers
Of [CLS] question [SEP] quotation [SEP] quotation [SEP] it says
  pair       (n, 3)    logits of PAIR_LABELS, from [CLS] after the last layer
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.reader.base import PAIR_LABELS
from rag.reader.crossencoder import EARLY_LAYERS
from rag.training.trunk import fill

HEADS = ("relevance", "span", "early", "evidence", "pair")


class Reader(nn.Module):
    """A BertModel with linear heads; `bert` is left without a pooler.

    The first `frozen_layers` layers keep their weights and pass no gradient; where these are all that the
    first opinion sees, it keeps its own.
    """

    def __init__(self, bert: Any, frozen_layers: int = 0) -> None:
        super().__init__()
        self.frozen_layers = frozen_layers
        size = bert.config.hidden_size
        self.bert = bert
        self.relevance = nn.Linear(size, 1)
        self.span = nn.Linear(size, 2)
        self.early = nn.Linear(size, 2)
        self.evidence = nn.Linear(size, 1)
        self.pair = nn.Linear(size, len(PAIR_LABELS))
        for name in HEADS:
            head = getattr(self, name)
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
        bert.embeddings.requires_grad_(False)
        for layer in bert.encoder.layer[:frozen_layers]:
            layer.requires_grad_(False)
        self.early.requires_grad_(frozen_layers < EARLY_LAYERS)

    def forward(
        self, ids: Tensor, segments: Tensor, mask: Tensor, dropout: float = 0.0
    ) -> tuple[Tensor, ...]:
        """(relevance (n,), span (n, t, 2), early (n,), evidence (n, t)) for inputs of shape (n, t)."""
        hidden, early = self._hidden(ids, segments, mask, dropout)
        return (
            self.relevance(hidden[:, 0]).squeeze(-1),
            self.span(hidden),
            early,
            self.evidence(hidden).squeeze(-1),
        )

    def judge(self, ids: Tensor, segments: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
        """Logits of PAIR_LABELS (n, 3) for rows that are pairs of quotations."""
        judged: Tensor = self.pair(self._hidden(ids, segments, mask, dropout)[0][:, 0])
        return judged

    def _hidden(self, ids: Tensor, segments: Tensor, mask: Tensor, dropout: float) -> tuple[Tensor, Tensor]:
        """Hidden states after the last layer (n, t, h), and the first opinion (n,)."""
        bert = self.bert
        with torch.no_grad():  # embeddings are frozen
            hidden = bert.embeddings(input_ids=ids, token_type_ids=segments)
        if not self.frozen_layers:
            hidden = drop(hidden, dropout)
        bias = None  # (n, 1, 1, t)
        if not bool(mask.all()):
            bias = torch.zeros(mask.shape, dtype=hidden.dtype).masked_fill(~mask.bool(), -1e4)[
                :, None, None, :
            ]
        for number, layer in enumerate(bert.encoder.layer, start=1):
            frozen = number <= self.frozen_layers
            with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
                hidden = run_layer(
                    layer, hidden, bias, bert.config.num_attention_heads, 0 if frozen else dropout
                )
            if number == EARLY_LAYERS:
                early = self.first_opinion(hidden.float(), mask)
        return hidden.float(), early  # the heads stay in float32

    def first_opinion(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The tokens' votes, weighed by their softmax: (n, t, h) -> (n,).

        So early [CLS] has gathered nothing yet; a head upon it learnt little.
        """
        weight, vote = self.early(hidden).unbind(-1)  # (n, t) each
        weight = weight.masked_fill(~mask.bool(), -1e4).softmax(-1)
        voted: Tensor = (weight * vote).sum(-1)
        return voted


def load_weights(network: Reader, path: str | Path) -> None:
    """Give `network` the weights of a trained reader, as a run or the package keeps them.

    Heads that the file does not have stay as they are. Raises ValueError where the file is another network's.
    """
    from embeddings.bert import load_weights as read_weights

    heads = tuple(f"{name}." for name in HEADS)
    state = {
        name if name.startswith(heads) else f"bert.{name}": torch.from_numpy(array).float()
        for name, array in read_weights(Path(path)).items()
    }
    for name in HEADS:
        own = getattr(network, name).state_dict()
        state.update({f"{name}.{key}": own[key] for key in own if f"{name}.{key}" not in state})
    fill(network, state, str(path))


def drop(hidden: Tensor, probability: float) -> Tensor:
    """Dropout by random bytes: three times cheaper on a CPU than a float draw per element."""
    if not probability:
        return hidden
    threshold = round(probability * 256)
    draws = torch.empty(-(-hidden.numel() // 8), dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)
    keep = draws[: hidden.numel()].view(hidden.shape) >= threshold
    return hidden * (keep.to(hidden.dtype) * (256 / (256 - threshold)))


def run_layer(layer: Any, hidden: Tensor, bias: Tensor | None, n_heads: int, dropout: float) -> Tensor:
    """One BERT layer (post-norm), on the weights of a transformers BertLayer.

    Written out because it saves a few percent and keeps us off that library's internals;
    no dropout on attention weights, which would cost more than it helps.
    """
    attention = layer.attention
    n, t, size = hidden.shape

    def heads(linear: Any) -> Any:
        return linear(hidden).view(n, t, n_heads, size // n_heads).transpose(1, 2)  # (n, heads, t, d)

    own = attention.self
    mixed = attend(heads(own.query), heads(own.key), heads(own.value), bias)
    mixed = attention.output.dense(mixed.transpose(1, 2).reshape(n, t, size))
    hidden = attention.output.LayerNorm(hidden + drop(mixed, dropout))
    wide = functional.gelu(layer.intermediate.dense(hidden))
    out: Tensor = layer.output.LayerNorm(hidden + drop(layer.output.dense(wide), dropout))
    return out


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Attention as plain products: PyTorch's fused CPU kernel spends four times as long in backward."""
    weights = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)  # (n, heads, t, t)
    if bias is not None:
        weights = weights + bias
    mixed: Tensor = weights.softmax(-1) @ value
    return mixed
