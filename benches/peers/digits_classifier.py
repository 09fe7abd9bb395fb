"""Names generated digits by a classifier that nobody here wrote: scikit-learn's MLP, trained on MNIST in black and white.

    target/peers/classifier/bin/python benches/peers/digits_classifier.py MNIST_FOLDER SAMPLES.png

SAMPLES.png is a grid of ten columns, a digit each, as `autoreg generate RUN -n 1000 --columns 10 -o SAMPLES.png` draws it. Prints
one JSON object: the classifier's accuracy on MNIST's own test images, and the share of the drawn digits that it names as they were
asked for, in all and digit by digit. MNIST_FOLDER holds the four IDX files, packed: `train-images-idx3-ubyte.gz` and so on.
"""

import argparse
import gzip
import json
import pathlib

import numpy
from PIL import Image
from sklearn.neural_network import MLPClassifier

SIDE = 28
GAP = 1  # grey pixels between the pictures of a grid
COLUMNS = 10


def idx(path, header):
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def digits(folder, part):
    images = idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, SIDE * SIDE)
    return (images >= 128).astype(numpy.float32), idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)


def pictures_of(path):
    grid = numpy.asarray(Image.open(path).convert("L"))
    rows = (grid.shape[0] + GAP) // (SIDE + GAP)
    across = COLUMNS * (SIDE + GAP) - GAP
    if grid.shape != (rows * (SIDE + GAP) - GAP, across):
        raise SystemExit(f"{path} is {grid.shape[1]} x {grid.shape[0]}: not a grid of {COLUMNS} columns of {SIDE} x {SIDE}, --scale 1")
    corners = [(row * (SIDE + GAP), column * (SIDE + GAP)) for row in range(rows) for column in range(COLUMNS)]
    return numpy.stack([grid[top:top + SIDE, left:left + SIDE].reshape(-1) for top, left in corners])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("samples", type=pathlib.Path)
    arguments = parser.parse_args()
    drawn = (pictures_of(arguments.samples) >= 128).astype(numpy.float32)
    asked = numpy.arange(len(drawn)) % COLUMNS
    classifier = MLPClassifier((512,), learning_rate_init=1e-3, batch_size=256, max_iter=12, random_state=1)
    classifier.fit(*digits(arguments.mnist, "train"))
    named = classifier.predict(drawn)
    right = named == asked
    print(json.dumps({
        "real_test_accuracy": round(float(classifier.score(*digits(arguments.mnist, "t10k"))), 4),
        "pictures": len(drawn),
        "named_as_asked": round(float(right.mean()), 4),
        "by_digit": [round(float(right[asked == digit].mean()), 4) for digit in range(COLUMNS)],
    }))


if __name__ == "__main__":
    main()
