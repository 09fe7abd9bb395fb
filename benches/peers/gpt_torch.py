"""GPT in PyTorch: fused attention, no biases, tied head. Not a worker: worker_torch.py trains it and generates from it."""

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, C, N):
        super().__init__()
        self.heads = N
        self.ln_1 = nn.LayerNorm(C, bias=False)
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.proj = nn.Linear(C, C, bias=False)
        self.ln_2 = nn.LayerNorm(C, bias=False)
        self.fc = nn.Linear(C, 4 * C, bias=False)
        self.out = nn.Linear(4 * C, C, bias=False)

    def heads_of(self, x):
        B, T, C = x.shape
        return [part.view(B, T, self.heads, C // self.heads).transpose(1, 2) for part in self.qkv(self.ln_1(x)).split(C, 2)]

    def rest(self, x, z):
        x = x + self.proj(z.transpose(1, 2).reshape(x.shape))
        return x + self.out(functional.gelu(self.fc(self.ln_2(x)), approximate="tanh"))

    def forward(self, x):
        q, k, v = self.heads_of(x)
        return self.rest(x, functional.scaled_dot_product_attention(q, k, v, is_causal=True))


class Gpt(nn.Module):
    def __init__(self, V, C, N, L, T, **_):
        super().__init__()
        self.tokens = nn.Embedding(V, C)
        self.positions = nn.Embedding(T, C)
        self.blocks = nn.ModuleList(Block(C, N) for _ in range(L))
        self.ln_f = nn.LayerNorm(C, bias=False)
        for name, p in self.named_parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02 / (2 * L) ** 0.5 if name.endswith(("proj.weight", "out.weight")) else 0.02)

    def forward(self, symbols):
        """(B, T) → logits (B·T, V)."""
        x = self.tokens(symbols) + self.positions.weight[: symbols.shape[1]]
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.ln_f(x), self.tokens.weight).flatten(0, 1)

    @staticmethod
    def batch(V, B, T, **_):
        """Inputs and targets."""
        symbols = torch.randint(V, (B, T + 1))
        return symbols[:, :-1].contiguous(), symbols[:, 1:].flatten()

    def generator(self, sampled, compiled):
        """A function that gives the next symbol, from an empty context again when it is full; `sampled` draws one from logits (V)."""
        T, C = self.positions.weight.shape
        N = self.blocks[0].heads
        keys, values = [torch.zeros(len(self.blocks), 1, N, T, C // N) for _ in range(2)]
        now = {"symbol": torch.zeros(1, 1, dtype=torch.long), "t": 0}

        def unit():
            t = now["t"]
            x = self.tokens(now["symbol"]) + self.positions.weight[t]
            for block, k_cache, v_cache in zip(self.blocks, keys, values):
                q, k, v = block.heads_of(x)
                k_cache[:, :, t : t + 1], v_cache[:, :, t : t + 1] = k, v
                z = functional.scaled_dot_product_attention(q, k_cache[:, :, : t + 1], v_cache[:, :, : t + 1])
                x = block.rest(x, z)
            now["t"] = (t + 1) % T
            now["symbol"] = sampled(functional.linear(self.ln_f(x), self.tokens.weight)[0, 0]).view(1, 1)
            return now["symbol"].item()

        return unit
