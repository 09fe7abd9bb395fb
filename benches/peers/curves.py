"""Validation loss against minutes of several runs, as one SVG on stdout.

    python3 benches/peers/curves.py "autoreg=docs/results/shakespeare-gru.metrics.jsonl" "PyTorch=curve.jsonl" > curves.svg

Reads autoreg's metrics.jsonl (`validation`, `seconds`) and what shakespeare_torch.py prints (`validation_nats`, `wall_seconds`).
"""

import json
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 400, 60, 20, 150, 50
LOWEST, HIGHEST = 1.38, 1.80  # nats; what lies above is the first minute
COLOURS = ["#1f6f8b", "#c8553d", "#5b8c5a", "#8a6fb0"]


def points(path):
    """(minutes, nats) of every evaluation."""
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        nats = record.get("validation", record.get("validation_nats"))
        if nats is not None:
            yield record.get("wall_seconds", record.get("seconds")) / 60, nats


def main():
    named = [argument.partition("=") for argument in sys.argv[1:]]
    runs = {name: list(points(path)) for name, _, path in named if path}
    if not named or len(runs) < len(named) or not all(runs.values()):
        sys.exit(f"error: every argument is NAME=FILE, a file of evaluations\nhelp: {__doc__.strip().splitlines()[2].strip()}")
    most = max(minutes for run in runs.values() for minutes, _ in run)

    def at(minutes, nats):
        x = LEFT + minutes / most * (WIDTH - LEFT - RIGHT)
        y = TOP + (HIGHEST - nats) / (HIGHEST - LOWEST) * (HEIGHT - TOP - BOTTOM)
        return x, y

    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">')
    print(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    nats = round(LOWEST + 0.02, 2)
    while nats <= HIGHEST:
        (x0, y), (x1, _) = at(0, nats), at(most, nats)
        print(f'<line x1="{x0:.1f}" y1="{y:.1f}" x2="{x1:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        print(f'<text x="{x0 - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{nats:.2f}</text>')
        nats = round(nats + 0.05, 2)
    every = next(step for step in (1, 2, 5, 10, 20) if most / step <= 12)
    for minutes in range(0, int(most) + 1, every):
        x, y = at(minutes, LOWEST)
        print(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{minutes}</text>')
    x, y = at(most / 2, LOWEST)
    print(f'<text x="{x:.1f}" y="{y + 38:.1f}" text-anchor="middle">minutes, two cores</text>')
    print(f'<text x="{LEFT + 6}" y="{TOP + 12}" fill="#555">validation, nats per character</text>')
    labels = []
    for colour, (name, run) in zip(COLOURS, runs.items()):
        shown = [(minutes, nats) for minutes, nats in run if nats <= HIGHEST]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in shown))
        print(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(*shown[-1])
        halo = 'stroke="white" stroke-width="5" paint-order="stroke"'
        x, y = (x + 6, y + 4) if shown[-1][0] == most else (x - 10, y + 20)
        labels.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {halo}>{name} {shown[-1][1]:.3f}</text>')
    print("\n".join(labels))
    print("</svg>")


main()
