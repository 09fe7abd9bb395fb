"""What the Python workers share: the models' sizes, the arguments, the clock, the memory meter, the line they print.

Not a worker, and not the driver (run.py), which reads the sizes here. Standard library only.
"""

import argparse
import json
import math
import os
import time

# The models of the comparison, by kind. V symbols, training batch B.
#     text: embedding C, hidden H, T symbols a sequence.
#     gpt: L blocks of C channels and N heads, T symbols a context.
#     audio: R channels from layer to layer, S of the skips, so many layers in each of so many stacks, T samples a sound.
#     image: C channels between the blocks and H inside them, so many blocks, channels of the head, side × side pixels of V levels.
MODELS = {
    "gru-seed": {"kind": "text", "V": 10_000, "C": 128, "H": 256, "B": 32, "T": 10},
    "gru-char": {"kind": "text", "V": 65, "C": 128, "H": 512, "B": 32, "T": 128},
    "gpt-nano": {"kind": "gpt", "V": 65, "C": 128, "N": 4, "L": 4, "B": 12, "T": 64},
    "gpt-6x384": {"kind": "gpt", "V": 65, "C": 384, "N": 6, "L": 6, "B": 8, "T": 256},
    "pixelcnn": {"kind": "image", "V": 2, "C": 128, "H": 64, "blocks": 7, "head": 128, "side": 28, "B": 16},
    "wavenet": {"kind": "audio", "V": 256, "R": 32, "S": 128, "layers": 10, "stacks": 1, "B": 2, "T": 8000},
    "wavenet-3x10": {"kind": "audio", "V": 256, "R": 64, "S": 256, "layers": 10, "stacks": 3, "B": 1, "T": 8000},
}
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def arguments(**more):
    """The worker's command line; `more` adds options: name → keyword arguments of `add_argument`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=["train", "generate"], required=True)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, help="B in place of the model's own")
    parser.add_argument("--length", type=int, help="T in place of the model's own; not for images")
    for name, settings in more.items():
        parser.add_argument(f"--{name}", **settings)
    options = parser.parse_args()
    model = dict(MODELS[options.model])
    if options.length and "T" not in model:
        parser.error(f"--length: {options.model} has none")
    for letter, given in [("B", options.batch), ("T", options.length)]:
        if given:
            model[letter] = given
    return options, model


def symbols_per_step(B, T=None, **_):
    """What a training step counts: the symbols of its texts, or its images."""
    return B * (T or 1)


def keep_to_cores(threads):
    """Ties this process to as many cores, for an engine that takes one thread per core it sees."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def resident(field):
    """A line of /proc/self/status in MiB, or None where there is no such file."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


class Meter:
    """Made right after the imports. Counts units of work until the time is up, and remembers memory."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.idle = resident("VmRSS")

    def run(self, unit, warm_up):
        """Calls `unit()` `warm_up` times, then until the time is up. Returns (calls, seconds) of the timed part."""
        for _ in range(warm_up):
            unit()
        try:  # forget the peak of importing and compiling: what counts is the peak of the work
            with open("/proc/self/clear_refs", "w") as clear:
                clear.write("5")
        except OSError:
            pass
        calls, start = 0, time.perf_counter()
        while True:
            unit()
            calls += 1
            elapsed = time.perf_counter() - start
            if elapsed >= self.seconds:
                return calls, elapsed

    def peak(self):
        highest = resident("VmHWM")
        return None if highest is None or self.idle is None else round(highest - self.idle, 1)


def report(engine, version, options, meter, symbols, steps, seconds, first_loss=None, last_loss=None, generated=None, V=None):
    """Checks the run and prints its one line."""
    if options.task == "train":
        assert math.isfinite(first_loss) and math.isfinite(last_loss), "a loss is not finite"
        assert last_loss < first_loss, f"the loss on a repeated batch did not fall: {first_loss} → {last_loss}"
    else:
        assert all(0 <= symbol < V for symbol in generated), "a generated symbol is out of range"
        assert len(set(generated)) > 1, "every generated symbol is the same"
    print(json.dumps({
        "engine": engine, "version": version, "task": options.task, "model": options.model, "threads": options.threads,
        "symbols_per_second": round(symbols / seconds, 1), "steps": steps, "milliseconds_per_step": round(seconds / steps * 1e3, 3),
        "peak_mib": meter.peak(), "first_loss": first_loss, "last_loss": last_loss,
    }), flush=True)
