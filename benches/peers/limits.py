"""What the peers' work asks of a machine, and what the machine gives: the column `of limit`. Not a worker, and not the driver (run.py)."""

import json
import pathlib
import subprocess
import sys

DOCTOR = pathlib.Path(__file__).resolve().parent.parent.parent / "target" / "release" / "autoreg"

# Useful arithmetic: multiply-adds the mathematics needs, 2 FLOPs each, forward and backward, per symbol trained (of images: per image).
# Weight bytes: what one generated symbol has to read (of images: one pixel).
WORK = {
    "gru-seed": {"train_mflop": 17.13, "generate_mb": 11.0},
    "gru-char": {"train_mflop": 6.10, "generate_mb": 3.3},
    "gpt-nano": {"train_mflop": 4.97, "generate_mb": 3.3},
    "gpt-6x384": {"train_mflop": 67.4, "generate_mb": 45},
    "pixelcnn": {"train_mflop": 1302, "generate_mb": 1.1},
    "wavenet": {"train_mflop": 0.848, "generate_mb": 0.57},
    "wavenet-3x10": {"train_mflop": 7.42, "generate_mb": 4.95},
}
# What weights take in place of f32's 4 bytes, of engines that round them: no peers of what keeps them.
NARROW = {"autoreg-bf16": 2 / 4, "autoreg-int8": 1 / 4, "llama.cpp-f16": 2 / 4, "llama.cpp-q8_0": 34 / 32 / 4}


def limits(options, environment):
    """(FLOP/s of all the threads used, function bytes → B/s): from the flags, else from `autoreg doctor --json`, else None."""
    peak = options.peak_gflops and options.peak_gflops * 1e9
    levels = [(float("inf"), options.bandwidth_gbs * 1e9)] if options.bandwidth_gbs else []
    if DOCTOR.is_file() and not (peak and levels):
        try:
            told = json.loads(subprocess.run([str(DOCTOR), "doctor", "--json"], capture_output=True, text=True, timeout=300,
                                             env=environment).stdout)
            peak = peak or told["fma_gflops"] * 1e9
            print(f"limits of {told['isa']}: {told['fma_gflops']:.0f} GFLOP/s on {told['threads']} threads", file=sys.stderr)
            levels = levels or sorted((level["bytes"], level["gb_per_second"] * 1e9) for level in told["read_bandwidth"])
        except (ValueError, KeyError, TypeError, OSError, subprocess.TimeoutExpired) as error:
            print(f"autoreg doctor --json gave no limits ({error!r}): the share of the limit stays –", file=sys.stderr)

    def bandwidth(size):
        """Of the smallest measured working set that holds `size` bytes."""
        return next((speed for held, speed in levels if held >= size), levels[-1][1] if levels else None)

    return peak, bandwidth


def share_of_limit(task, model, engine, rate, peak, bandwidth):
    if task == "train":
        return rate * WORK[model]["train_mflop"] * 1e6 / peak if peak else None
    size = WORK[model]["generate_mb"] * 1e6 * NARROW.get(engine, 1)
    return rate * size / bandwidth(size) if bandwidth(size) else None
