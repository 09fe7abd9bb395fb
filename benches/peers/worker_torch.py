"""PyTorch on the peers' work, eager or compiled. One process, one measurement, one line of JSON (README.md: protocol)."""

import torch
from torch import nn
from torch.nn import functional

import measuring


class LanguageModel(nn.Module):
    """Time-major, (T, B, C): nn.GRU is a few percent faster than with `batch_first=True`."""

    def __init__(self, V, C, H, **_):
        super().__init__()
        self.embedding = nn.Embedding(V, C)
        self.rnn = nn.GRU(C, H)
        self.head = nn.Linear(H, V)

    def forward(self, symbols):
        hidden, _ = self.rnn(self.embedding(symbols))
        return self.head(hidden)

    def step(self, symbol, state):
        rnn = self.rnn
        state = torch.gru_cell(self.embedding(symbol), state, rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0)
        return self.head(state), state


def train(options, size, meter):
    model = LanguageModel(**size)
    # `fused` is PyTorch's fastest Adam on a CPU.
    optimizer = torch.optim.Adam(
        model.parameters(), lr=measuring.LEARNING_RATE, betas=(measuring.BETA_1, measuring.BETA_2), eps=measuring.EPSILON, fused=True
    )
    symbols = torch.randint(size["V"], (size["T"] + 1, size["B"]))
    inputs, targets = symbols[:-1], symbols[1:].flatten()

    def loss_of(inputs, targets):
        return functional.cross_entropy(model(inputs).flatten(0, 1), targets)

    if options.compile:
        loss_of = torch.compile(loss_of)
    losses = {}

    def unit():
        loss = loss_of(inputs, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.setdefault("first", loss.detach())
        losses["last"] = loss.detach()

    steps, seconds = meter.run(unit, warm_up=3)
    return {"symbols": steps * size["B"] * size["T"], "steps": steps, "seconds": seconds,
            "first_loss": losses["first"].item(), "last_loss": losses["last"].item()}


def generate(options, size, meter):
    model = LanguageModel(**size).eval()

    def sampled_step(symbol, state):
        logits, state = model.step(symbol, state)
        # `torch.multinomial` draws V numbers: ten times slower where V is 10,000.
        cumulative = torch.softmax(logits[0], dim=-1).cumsum(0)
        return torch.searchsorted(cumulative, torch.rand(1) * cumulative[-1]).clamp_(max=size["V"] - 1), state

    if options.compile:
        sampled_step = torch.compile(sampled_step)
    now = {"symbol": torch.zeros(1, dtype=torch.long), "state": torch.zeros(1, size["H"])}
    generated = []

    def unit():
        symbol, now["state"] = sampled_step(now["symbol"], now["state"])
        now["symbol"] = symbol
        generated.append(symbol.item())

    with torch.inference_mode():
        steps, seconds = meter.run(unit, warm_up=200)
    return {"symbols": steps, "steps": steps, "seconds": seconds, "generated": generated, "V": size["V"]}


def main():
    options, size = measuring.arguments(compile={"action": "store_true"})
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    meter = measuring.Meter(options.seconds)
    result = {"train": train, "generate": generate}[options.task](options, size, meter)
    measuring.report("torch-compiled" if options.compile else "torch", torch.__version__, options, meter, **result)


if __name__ == "__main__":
    main()
