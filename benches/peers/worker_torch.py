"""PyTorch on the peers' work, eager or compiled. One process, one measurement, one line of JSON (README.md: protocol)."""

import torch
from torch.nn import functional

import measuring
from gpt_torch import Gpt
from gru_torch import LanguageModel
from pixelcnn_torch import PixelCnn
from wavenet_torch import WaveNet

NETWORKS = {"text": LanguageModel, "gpt": Gpt, "image": PixelCnn, "audio": WaveNet}


def train(options, size, meter):
    model = NETWORKS[size["kind"]](**size)
    # `fused` is PyTorch's fastest Adam on a CPU.
    optimizer = torch.optim.Adam(
        model.parameters(), lr=measuring.LEARNING_RATE, betas=(measuring.BETA_1, measuring.BETA_2), eps=measuring.EPSILON, fused=True
    )
    inputs, targets = model.batch(**size)

    def loss_of(inputs, targets):
        return functional.cross_entropy(model(inputs), targets)

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
    return {"symbols": steps * measuring.symbols_per_step(**size), "steps": steps, "seconds": seconds,
            "first_loss": losses["first"].item(), "last_loss": losses["last"].item()}


def sampled(logits):
    """A symbol from softmax(logits (V)), (1)."""
    # `torch.multinomial` draws V numbers: ten times slower where V is 10,000.
    cumulative = torch.softmax(logits, dim=-1).cumsum(0)
    return torch.searchsorted(cumulative, torch.rand(1) * cumulative[-1]).clamp_(max=logits.numel() - 1)


def generate(options, size, meter):
    model = NETWORKS[size["kind"]](**size).eval()
    next_symbol = model.generator(sampled, torch.compile if options.compile else lambda function: function)
    generated = []

    with torch.inference_mode():
        steps, seconds = meter.run(lambda: generated.append(next_symbol()), warm_up=20 if size["kind"] == "image" else 200)
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
