"""The GRU language model in PyTorch. Not a worker: worker_torch.py trains it and generates from it."""

import torch
from torch import nn


class LanguageModel(nn.Module):
    """Time-major, (T, B, C): nn.GRU is a few percent faster than with `batch_first=True`."""

    def __init__(self, V, C, H, **_):
        super().__init__()
        self.embedding = nn.Embedding(V, C)
        self.rnn = nn.GRU(C, H)
        self.head = nn.Linear(H, V)

    def forward(self, symbols):
        """(T, B) → logits (T·B, V)."""
        hidden, _ = self.rnn(self.embedding(symbols))
        return self.head(hidden).flatten(0, 1)

    def step(self, symbol, state):
        rnn = self.rnn
        state = torch.gru_cell(self.embedding(symbol), state, rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0)
        return self.head(state), state

    @staticmethod
    def batch(V, B, T, **_):
        """Inputs and targets."""
        symbols = torch.randint(V, (T + 1, B))
        return symbols[:-1], symbols[1:].flatten()

    def generator(self, sampled, compiled):
        """A function that gives the next symbol; `sampled` draws one from logits (V)."""
        def step(symbol, state):
            logits, state = self.step(symbol, state)
            return sampled(logits[0]), state

        step = compiled(step)
        now = {"symbol": torch.zeros(1, dtype=torch.long), "state": torch.zeros(1, self.rnn.hidden_size)}

        def unit():
            now["symbol"], now["state"] = step(now["symbol"], now["state"])
            return now["symbol"].item()

        return unit
