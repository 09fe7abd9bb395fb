"""Runs the same work in autoreg and in its peers, in turn, on this machine, and prints one table.

    benches/peers/run [--tasks train,generate] [--models gru-seed,wavenet,…] [--engines …] [--rounds 5] [--seconds 5]
    benches/peers/run --scaling

Each measurement is a process of its own; a round runs every engine once, and the order turns by one each round, so no
engine always follows the same neighbour. Python's standard library only; an engine that is not there is left out by
name. Protocol of a worker, and what the columns mean: README.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

from limits import NARROW, WORK, limits, share_of_limit
from measuring import MODELS, symbols_per_step

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parent.parent / "target" / "peers"
TASKS = ["train", "generate"]
KINDS = sorted({model["kind"] for model in MODELS.values()})


def engines(options):
    """name → (command, tasks, kinds of model, a Python statement that must succeed)."""
    def python(interpreter, script, *more):
        return [str(interpreter), str(HERE / script), *more]

    def llama(*more):
        return python(options.llama_python, "worker_llama.py", *more), ["generate"], ["gpt"], "import llama_cpp, gguf"

    def binary(name):
        return str(BUILT / "rust" / "release" / name)

    return {
        "autoreg": ([options.autoreg], TASKS, KINDS, None),
        "autoreg-bf16": ([options.autoreg, "--weights", "bf16"], ["generate"], ["gpt"], None),
        "autoreg-int8": ([options.autoreg, "--weights", "int8"], ["generate"], ["gpt"], None),
        "torch": (python(options.torch_python, "worker_torch.py"), TASKS, KINDS, "import torch"),
        "torch-compiled": (python(options.torch_python, "worker_torch.py", "--compile"), ["train"], KINDS, "import torch"),
        "jax": (python(options.jax_python, "worker_jax.py"), TASKS, KINDS, "import jax"),
        "onnxruntime": (python(options.onnx_python, "worker_onnx.py"), ["generate"], ["text", "audio"], "import onnx, onnxruntime"),
        "llama.cpp": llama(),
        "llama.cpp-f16": llama("--weights", "f16"),
        "llama.cpp-q8_0": llama("--weights", "q8_0"),
        # A peer must not lose because threads get in its way: one row at a time, one thread may be faster than two.
        "torch-1-thread": (python(options.torch_python, "worker_torch.py"), ["generate"], KINDS, "import torch"),
        "onnxruntime-1-thread": (python(options.onnx_python, "worker_onnx.py"), ["generate"], ["text", "audio"], "import onnx, onnxruntime"),
        "llama.cpp-1-thread": llama(),
        "candle": ([binary("peer-candle")], TASKS, ["text", "gpt", "image"], None),
        "candle-1-thread": ([binary("peer-candle")], ["generate"], ["text", "gpt"], None),
        "burn": ([binary("peer-burn")], TASKS, ["text", "gpt", "image"], None),
    }


def missing(command, question):
    """Why the engine cannot run here, or None."""
    if not (shutil.which(command[0]) or pathlib.Path(command[0]).is_file()):
        return f"{command[0]} is not there"
    if question:
        asked = subprocess.run([command[0], "-c", question], capture_output=True, text=True)
        if asked.returncode != 0:
            return f"`{question}` fails in {command[0]}"
    return None


def environment(threads):
    """Every engine's way of being told the number of threads."""
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"]
    return os.environ | {name: str(threads) for name in names} | {"TORCHINDUCTOR_CACHE_DIR": str(BUILT / "inductor")}


def measure(command, task, model, options, threads, more=()):
    """One process. Returns its JSON line as a dictionary; raises RuntimeError with its last words."""
    arguments = ["--task", task, "--model", model, "--seconds", str(options.seconds), "--threads", str(threads), *more]
    limit = 20 * options.seconds + 300
    try:
        done = subprocess.run(command + arguments, capture_output=True, text=True, timeout=limit, env=environment(threads))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(str(error)) from error
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}, no output"])[-1])
    try:
        result = json.loads(lines[-1])
        result["symbols_per_second"] + 0.0
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"not a result: {lines[-1][:120]}") from error
    return result


def note(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    model = platform.processor() or platform.machine()
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"cpu": model, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
            "load_before": load, "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def compare(options):
    every = engines(options)
    left_out, present = {}, {}
    for name in options.engines or every:
        if name not in every:
            sys.exit(f"error: no engine called {name}; there are {', '.join(every)}")
        command, tasks, kinds, question = every[name]
        reason = missing(command, question)
        if reason:
            left_out[name] = reason
            note(f"left out: {name}: {reason}")
        else:
            present[name] = (command, tasks, kinds)

    results = {}  # (task, model) → engine → the results of its rounds
    for task in options.tasks:
        for model in options.models:
            cell = results.setdefault((task, model), {})
            running = [name for name, (_, tasks, kinds) in present.items() if task in tasks and MODELS[model]["kind"] in kinds]
            for round_ in range(options.rounds):
                turn = round_ % max(len(running), 1)
                for name in running[turn:] + running[:turn]:
                    try:
                        threads = 1 if name.endswith("-1-thread") else options.threads
                        result = measure(present[name][0], task, model, options, threads)
                    except RuntimeError as error:
                        left_out[f"{name} ({task} {model})"] = str(error)
                        note(f"left out: {name} in {task} {model}: {error}")
                        running = [other for other in running if other != name]
                        cell.pop(name, None)
                        continue
                    cell.setdefault(name, []).append(result)
                    note(f"{task} {model} round {round_ + 1}/{options.rounds} {name}: {rate(result['symbols_per_second'])} symbols/s")
    return results, left_out


def summary(results, options):
    """One row per engine and work, best peer = the fastest median that is neither autoreg's nor of rounded weights."""
    peak, bandwidth = limits(options, environment(options.threads))
    rows = []
    for (task, model), cell in results.items():
        rates = {name: [one["symbols_per_second"] for one in rounds] for name, rounds in cell.items()}
        medians = {name: statistics.median(values) for name, values in rates.items()}
        best = max((median for name, median in medians.items() if name not in {"autoreg", *NARROW}), default=None)
        for name, values in rates.items():
            peaks = [one["peak_mib"] for one in cell[name] if one.get("peak_mib") is not None]
            rows.append({
                "task": task, "model": model, "engine": name, "version": cell[name][0].get("version"),
                "median": medians[name], "lowest": min(values), "highest": max(values), "rounds": len(values),
                "to_best_peer": medians[name] / best if best else None,
                "share_of_limit": share_of_limit(task, model, name, medians[name], peak, bandwidth),
                "peak_mib": statistics.median(peaks) if peaks else None,
                "first_loss": cell[name][0].get("first_loss"), "last_loss": cell[name][0].get("last_loss"),
            })
    return rows


def rate(value):
    """Symbols per second; images are few."""
    return format(value, ",.0f" if value >= 100 else ".1f")


def shown(value, form):
    return "–" if value is None else format(value, form)


def print_table(rows):
    columns = ["task", "model", "engine", "symbols/s", "range", "× best peer", "of limit", "peak MiB"]
    cells = [[row["task"], row["model"], row["engine"], rate(row["median"]), f"{rate(row['lowest'])}–{rate(row['highest'])}",
              shown(row["to_best_peer"], ".2f"), shown(row["share_of_limit"], ".0%"), shown(row["peak_mib"], ",.0f")] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]

    def line(cell):
        return "| " + " | ".join(text.ljust(w) if i < 3 else text.rjust(w) for i, (text, w) in enumerate(zip(cell, widths))) + " |"

    print(line(columns))
    print("|" + "|".join("-" * (w + 1) + ("-" if i < 3 else ":") for i, w in enumerate(widths)) + "|")
    for cell in cells:
        print(line(cell))


def scaling(options):
    """autoreg alone: a training step at T ×1, ×2, ×4 (of texts), at B ×1, ×2, ×4, and with one thread."""
    command, *_, question = engines(options)["autoreg"]
    reason = missing(command, question)
    if reason:
        sys.exit(f"error: autoreg cannot be measured: {reason}")
    rows = []
    for model in options.models:
        size = MODELS[model]
        own = {name: size[name] for name in "BT" if name in size}
        cases = [("as is", own, options.threads)]
        cases += [(f"{name} × {k}", own | {name: k * own[name]}, options.threads) for name in reversed(own) for k in (2, 4)]
        cases += [("1 thread", own, 1)]
        flags = {"B": "--batch", "T": "--length"}
        times = {name: [] for name, *_ in cases}
        for round_ in range(options.rounds):
            for name, at, threads in cases:
                more = [text for letter, value in at.items() for text in (flags[letter], str(value))]
                result = measure(command, "train", model, options, threads, more)
                times[name].append(symbols_per_step(**at) / result["symbols_per_second"] * 1e3)
                note(f"scaling {model} round {round_ + 1}/{options.rounds} {name}: {times[name][-1]:.2f} ms")
        base = statistics.median(times["as is"])
        for name, at, threads in cases:
            median = statistics.median(times[name])
            rows.append({"model": model, "case": name, **at, "threads": threads, "milliseconds_per_step": median,
                         "lowest": min(times[name]), "highest": max(times[name]), "to_base": median / base,
                         "to_linear": median / base / (symbols_per_step(**at) / symbols_per_step(**own))})
    print("| model | case | B × T | threads | ms per step | range | × as is | ÷ proportional |")
    print("|---|---|---|---|---:|---:|---:|---:|")
    for row in rows:
        batch = " × ".join(str(row[name]) for name in "BT" if name in row)
        print(f"| {row['model']} | {row['case']} | {batch} | {row['threads']} | {row['milliseconds_per_step']:.2f} | "
              f"{row['lowest']:.2f}–{row['highest']:.2f} | {row['to_base']:.2f} | {row['to_linear']:.2f} |")
    return {"scaling": rows}


def parsed():
    names = lambda text: [name for name in text.split(",") if name]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=names, default=TASKS)
    parser.add_argument("--models", type=names, default=list(WORK))
    parser.add_argument("--engines", type=names, help="all that are there, unless named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="timed part of one process")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", help="autoreg's instruction set (avx2, …), also for the limits; the peers keep the machine's best")
    parser.add_argument("--scaling", action="store_true", help="autoreg alone, at other sizes and with one thread")
    parser.add_argument("--peak-gflops", type=float, help="FMA peak of the threads used, in place of `autoreg doctor`'s")
    parser.add_argument("--bandwidth-gbs", type=float, help="read bandwidth, in place of `autoreg doctor`'s")
    parser.add_argument("--json", type=pathlib.Path, default=BUILT / "result.json", help="where everything measured is written")
    places = {"torch-python": BUILT / "torch/bin/python", "jax-python": BUILT / "jax/bin/python",
              "onnx-python": BUILT / "onnx/bin/python", "llama-python": BUILT / "llama/bin/python", "autoreg": HERE / "autoreg"}
    for name, default in places.items():
        variable = f"PEERS_{name.replace('-', '_').upper()}"
        parser.add_argument(f"--{name}", default=os.environ.get(variable, str(default)), metavar="PATH", help=f"or {variable}")
    options = parser.parse_args()
    if options.isa:
        os.environ["AUTOREG_ISA"] = options.isa  # read by autoreg and its doctor alone
    for chosen, known in [(options.tasks, TASKS), (options.models, WORK)]:
        for name in chosen:
            if name not in known:
                parser.error(f"{name} is none of {', '.join(known)}")
    return options


def main():
    options = parsed()
    here = machine()
    note(f"{here['cpu']}, {here['cores']} cores, load {here['load_before']}")
    if (here["load_before"] or 0) > 0.5:
        note("warning: the machine is not idle; the rates will be too low and their order may be wrong")
    if options.scaling:
        written = scaling(options)
    else:
        results, left_out = compare(options)
        rows = summary(results, options)
        print_table(rows)
        for name, reason in left_out.items():
            print(f"left out: {name}: {reason}")
        runs = [one for cell in results.values() for rounds in cell.values() for one in rounds]
        written = {"rows": rows, "left_out": left_out, "runs": runs}
    written = {"machine": here, "threads": options.threads, "isa": options.isa, "rounds": options.rounds, "seconds": options.seconds} | written
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(written, indent=1) + "\n")
    note(f"written: {options.json}")


if __name__ == "__main__":
    main()
