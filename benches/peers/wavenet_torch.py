"""WaveNet in PyTorch. Not a worker: worker_torch.py trains it and generates from it."""

import torch
from torch import nn
from torch.nn import functional


class Layer(nn.Module):
    """Residual and skip are one convolution, whose outputs lie side by side: faster than two."""

    def __init__(self, R, S, dilation, last):
        super().__init__()
        self.dilated = nn.Conv1d(R, 2 * R, 2, dilation=dilation)
        self.back = 0 if last else R
        self.out = nn.Conv1d(R, self.back + S, 1)

    def forward(self, x, skips):
        """(B, R, T), (B, S, T) → the same of the next layer."""
        gates = self.dilated(functional.pad(x, (self.dilated.dilation[0], 0)))
        a, b = gates.chunk(2, 1)
        out = self.out(torch.tanh(a) * torch.sigmoid(b))
        if self.back == 0:
            return x, skips + out
        back, skip = out.split([self.back, out.shape[1] - self.back], 1)
        return x + back, skip if skips is None else skips + skip


class WaveNet(nn.Module):
    def __init__(self, V, R, S, layers, stacks, **_):
        super().__init__()
        dilations = [2**layer for _ in range(stacks) for layer in range(layers)]
        self.embedding = nn.Embedding(V, R)
        self.layers = nn.ModuleList(Layer(R, S, dilation, i + 1 == len(dilations)) for i, dilation in enumerate(dilations))
        self.head = nn.Conv1d(S, S, 1)
        self.output = nn.Conv1d(S, V, 1)

    def forward(self, before):
        """The codes before each position, −1 before the first, (B, T) → logits (B, V, T)."""
        x = self.embedding(before.clamp(min=0)) * (before >= 0).unsqueeze(-1)
        x, skips = x.transpose(1, 2).contiguous(), None
        for layer in self.layers:
            x, skips = layer(x, skips)
        return self.output(functional.relu(self.head(functional.relu(skips))))

    @staticmethod
    def batch(V, B, T, **_):
        """Inputs, the codes moved by one, and targets, the codes."""
        codes = torch.randint(V, (B, T))
        return functional.pad(codes[:, :-1], (1, 0), value=-1), codes

    def generator(self, sampled, compiled):
        """A function that gives the next code; `sampled` draws one from logits (V)."""
        weights = []
        for layer in self.layers:
            W = layer.dilated.weight.data
            # Both places side by side: (2R, 2R), of the vector [past, present].
            both = torch.cat([W[:, :, 0], W[:, :, 1]], 1).contiguous()
            weights.append((both, layer.dilated.bias.data, layer.out.weight.data[:, :, 0].contiguous(), layer.out.bias.data, layer.back))
        head, output = [(conv.weight.data[:, :, 0].contiguous(), conv.bias.data) for conv in (self.head, self.output)]
        R = self.embedding.embedding_dim
        rings = [torch.zeros(layer.dilated.dilation[0], R) for layer in self.layers]
        now = {"code": torch.zeros(1, dtype=torch.long), "t": 0}

        def unit():
            x, skips = self.embedding.weight[now["code"]], None
            for (W, b, out_weight, out_bias, back), ring in zip(weights, rings):
                place = ring[now["t"] % ring.shape[0]]
                gates = functional.linear(torch.cat([place.unsqueeze(0), x], 1), W, b)
                place.copy_(x[0])
                out = functional.linear(torch.tanh(gates[:, :R]) * torch.sigmoid(gates[:, R:]), out_weight, out_bias)
                if back:
                    x = x + out[:, :back]
                skips = out[:, back:] if skips is None else skips + out[:, back:]
            logits = functional.linear(functional.relu(functional.linear(functional.relu(skips), *head)), *output)
            now["t"] += 1
            now["code"] = sampled(logits[0])
            return now["code"].item()

        return unit
