#!/usr/bin/env python3
"""PyTorch's f32 matrix products (MKL, or oneDNN's where PyTorch chooses it) beside autoreg's, in turn, on this machine; one table.

    benches/peers/products.py [--rounds 5] [--isa best,avx2] [--torch-python PATH]

Two products, 512³ and 32 × 512 × 1536 (a recurrent step: autoreg once as any product and once with its weight packed beforehand,
as its recurrent layers have it), on one thread and on two, with the machine's best instruction set and with AVX2 forced for both.
Not the comparison of training and generation: that is run.py. Standard library only; PyTorch runs in a process of its own.

A round asks each engine once, in an order that turns. autoreg's figures are those of its bench `shares`, which is built first. Each
figure is the best of as many calls as fit; the table shows the median of the rounds and, in brackets, the best.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

from run import BUILT, ROOT, machine, note

SIZES = {"512³": (512, 512, 512), "32×512×1536": (32, 512, 1536)}
THREADS = (1, 2)
# How each engine is told to keep to AVX2. MKL obeys the first on Intel's processors; on others it chooses by itself, and the
# figure says what it chose.
FORCED = {"best": {}, "avx2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
                               "AUTOREG_ISA": "avx2"}}


def rate_of_torch(patience=0.3):
    """What the process of PyTorch prints: {"512³ 1": GFLOP/s, …}."""
    import torch

    rates = {}
    for threads in THREADS:
        torch.set_num_threads(threads)
        for name, (m, k, n) in SIZES.items():
            a, b, c = torch.rand(m, k) - 0.5, torch.rand(k, n) - 0.5, torch.empty(m, n)
            best, end = float("inf"), time.perf_counter() + patience
            while time.perf_counter() < end:
                start = time.perf_counter()
                torch.mm(a, b, out=c)
                best = min(best, time.perf_counter() - start)
            rates[f"{name} {threads}"] = 2e-9 * m * k * n / best
    print(json.dumps(rates))


def output(command, variables):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | variables, timeout=600)
    if done.returncode != 0:
        sys.exit(f"error: {command[0]} fails: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    return done.stdout


def torch(options, isa):
    told = json.loads(output([options.torch_python, __file__, "--worker"], FORCED[isa]).splitlines()[-1])
    return {("PyTorch", *key.rsplit(" ", 1)): rate for key, rate in told.items()}


def autoreg(options, isa):
    """Of lines such as `product 512³   GFLOP/s  one  143.1 ( 61 %)   2 threads  270.2 ( 58 %)`, and of the first line, the peaks."""
    variables = FORCED[isa] | {"RAYON_NUM_THREADS": str(max(THREADS))}
    words = [f"product {name}" for name in SIZES] + ["packed 32×512×1536"]
    text = output(["cargo", "bench", "-q", "-p", "autoreg-autograd", "--bench", "shares", "--", *words], variables)
    found = {}
    peaks = re.search(r"multiply-add peak ([\d.]+) and ([\d.]+)", text)
    for size in SIZES:
        found |= {("peak", size, str(threads)): float(peak) for threads, peak in zip(THREADS, peaks.groups())}
    for kind, size, *rates in re.findall(r"^(product|packed) (\S+) +GFLOP/s +one +([\d.]+) .*? threads +([\d.]+)", text, re.M):
        engine = "autoreg" if kind == "product" else "autoreg, packed"
        found |= {(engine, size, str(threads)): float(rate) for threads, rate in zip(THREADS, rates)}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--isa", default="best,avx2", help="best, avx2, or both")
    parser.add_argument("--torch-python", default=os.environ.get("PEERS_TORCH_PYTHON", str(BUILT / "torch/bin/python")), metavar="PATH")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return rate_of_torch()
    if not pathlib.Path(options.torch_python).is_file():
        sys.exit(f"error: {options.torch_python} is not there; benches/peers/setup torch makes it")
    here = machine()
    note(f"{here['cpu']}, {here['cores']} cores, load {here['load_before']}")
    if (here["load_before"] or 0) > 0.5:
        note("warning: the machine is not idle; the rates will be too low and their order may be wrong")
    sets, rates = options.isa.split(","), {}
    for isa in sets:
        if isa not in FORCED:
            parser.error(f"{isa} is none of {', '.join(FORCED)}")
    for round_ in range(options.rounds):
        for isa in sets:
            for engine in (torch, autoreg) if round_ % 2 else (autoreg, torch):
                for key, rate in engine(options, isa).items():
                    rates.setdefault((isa, *key), []).append(rate)
        note(f"round {round_ + 1}/{options.rounds}")
    print("| GFLOP/s: median (best) | " + " | ".join(f"{size}, {n} thread{'s' * (n > 1)}" for size in SIZES for n in THREADS) + " |")
    print("|---|" + "---:|" * (len(SIZES) * len(THREADS)))
    for isa in sets:
        for engine in ("peak", "PyTorch", "autoreg", "autoreg, packed"):
            cells = [rates.get((isa, engine, size, str(n))) for size in SIZES for n in THREADS]
            shown = [f"{statistics.median(cell):.0f} ({max(cell):.0f})" if cell else "–" for cell in cells]
            print(f"| {engine}, {isa} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
