"""The reader's network: one BERT pass, two answers, and a first opinion on the way.

A row is [CLS] question [SEP] title | date . passage [SEP]. From it come
  relevance  (n,)     from [CLS] after the last layer: does this passage answer this question
  span       (n, t, 2) start and end of the answer over the tokens
  early      (n,)     from all tokens after layer EARLY_LAYERS: is this passage worth the remaining layers
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.reader.crossencoder import EARLY_LAYERS
from rag.training.trunk import fill


class Reader(nn.Module):
    """A BertModel with three linear heads; `bert` is left without a pooler."""

    def __init__(self, bert: Any) -> None:
        super().__init__()
        size = bert.config.hidden_size
        self.bert = bert
        self.relevance = nn.Linear(size, 1)
        self.span = nn.Linear(size, 2)
        self.early = nn.Linear(size, 2)
        for head in (self.relevance, self.span, self.early):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(
        self, ids: Tensor, segments: Tensor, mask: Tensor, dropout: float = 0.0
    ) -> tuple[Tensor, ...]:
        """(relevance (n,), span (n, t, 2), early (n,)) for ids, segments and mask of shape (n, t)."""
        bert = self.bert
        with torch.no_grad():  # embeddings are frozen
            hidden = bert.embeddings(input_ids=ids, token_type_ids=segments)
        hidden = drop(hidden, dropout)
        bias = None  # (n, 1, 1, t)
        if not bool(mask.all()):
            bias = torch.zeros(mask.shape, dtype=hidden.dtype).masked_fill(~mask.bool(), -1e4)[
                :, None, None, :
            ]
        for number, layer in enumerate(bert.encoder.layer, start=1):
            hidden = run_layer(layer, hidden, bias, bert.config.num_attention_heads, dropout)
            if number == EARLY_LAYERS:
                early = self.first_opinion(hidden.float(), mask)
        hidden = hidden.float()  # the heads stay in float32
        return self.relevance(hidden[:, 0]).squeeze(-1), self.span(hidden), early

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

    A file from before there was an early head leaves that head as it is. Raises ValueError where the file is
    another network's.
    """
    from embeddings.bert import load_weights as read_weights

    heads = ("relevance.", "span.", "early.")
    state = {
        name if name.startswith(heads) else f"bert.{name}": torch.from_numpy(array).float()
        for name, array in read_weights(Path(path)).items()
    }
    if "early.weight" not in state:
        state.update({f"early.{name}": tensor for name, tensor in network.early.state_dict().items()})
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
