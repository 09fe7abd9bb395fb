"""PyTorch's learning curve on a text: the recipe that autoreg's own GRU is compared with. Logs one line of JSON per evaluation.

    target/peers/torch/bin/python benches/peers/shakespeare_torch.py TEXT --minutes 10 > curve.jsonl

Characters; first 90 % train, last 10 % validation. Embedding 128, GRU 1 × 512, dropout 0.25 on the embedding and on the states;
32 contiguous streams, 128 characters a step, the state carried from step to step; AdamW from 2e-3 to 0 by cosine, gradient
clipped to norm 1. Validation reads the whole part as one stream with the state carried, and scores every character but the first.

The budget is --minutes of training or --steps. `seconds` counts training alone, `wall_seconds` the evaluations too.
"""

import argparse
import json
import math
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional


class LanguageModel(nn.Module):
    def __init__(self, symbols, embedding, hidden, layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(symbols, embedding)
        self.rnn = nn.GRU(embedding, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.head = nn.Linear(hidden, symbols)
        self.dropout = nn.Dropout(dropout)

    def forward(self, symbols, state=None):
        hidden, state = self.rnn(self.dropout(self.embedding(symbols)), state)
        return self.head(self.dropout(hidden)), state


@torch.inference_mode()
def validation_nats(model, symbols, chunk=2048):
    """Mean negative log-likelihood of symbols[1:] in nats, one stream."""
    model.eval()
    total, state = 0.0, None
    for start in range(0, len(symbols) - 1, chunk):
        inputs = symbols[start : min(start + chunk, len(symbols) - 1)]
        targets = symbols[start + 1 : start + 1 + len(inputs)]
        logits, state = model(inputs[None], state)
        total += functional.cross_entropy(logits[0], targets, reduction="sum").item()
    model.train()
    return total / (len(symbols) - 1)


def streams(symbols, batch, length):
    """Endless (inputs, targets, first): `batch` contiguous rows, `length` columns at a time; `first` at each new pass."""
    columns = (len(symbols) - 1) // batch
    inputs = symbols[: batch * columns].view(batch, columns)
    targets = symbols[1 : batch * columns + 1].view(batch, columns)
    while True:
        for start in range(0, columns - length + 1, length):
            yield inputs[:, start : start + length], targets[:, start : start + length], start == 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, default=10.0)
    budget.add_argument("--steps", type=int)
    parser.add_argument("--eval-seconds", type=float, default=60.0, help="seconds of training between evaluations")
    parser.add_argument("--embedding", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    text = options.text.read_bytes().decode()
    place = {character: i for i, character in enumerate(sorted(set(text)))}
    symbols = torch.tensor([place[character] for character in text])
    cut = len(symbols) * 9 // 10
    training, validation = symbols[:cut], symbols[cut:]

    model = LanguageModel(len(place), options.embedding, options.hidden, options.layers, options.dropout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=options.weight_decay, fused=True)
    rows = streams(training, options.batch, options.length)
    started = time.perf_counter()
    spent, step, state, next_evaluation = 0.0, 0, None, options.eval_seconds
    losses = []

    def progress():
        return step / options.steps if options.steps else spent / (60 * options.minutes)

    while progress() < 1.0:
        begun = time.perf_counter()
        inputs, targets, first = next(rows)
        state = None if first else state.detach()
        for group in optimizer.param_groups:
            group["lr"] = options.lr * 0.5 * (1 + math.cos(math.pi * progress()))
        logits, state = model(inputs, state)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        step += 1
        spent += time.perf_counter() - begun
        if spent >= next_evaluation or progress() >= 1.0:
            next_evaluation += options.eval_seconds
            print(json.dumps({
                "seconds": round(spent, 2), "wall_seconds": round(time.perf_counter() - started, 2), "step": step,
                "train_loss": round(sum(losses) / len(losses), 4), "validation_nats": round(validation_nats(model, validation), 4),
                "symbols_per_second": round(step * options.batch * options.length / spent), "lr": optimizer.param_groups[0]["lr"],
            }), flush=True)
            losses.clear()


if __name__ == "__main__":
    main()
