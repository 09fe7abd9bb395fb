"""Names spoken digits by a classifier that nobody here wrote: scikit-learn's SVM on librosa's log-mel frames of real recordings.

    python benches/peers/spoken_digits_classifier.py FSDD_FOLDER JUDGED_FOLDER [--json]

FSDD_FOLDER holds `{digit}_{speaker}_{index}.wav`, 8000 Hz. Trained on those of index 5 and more, each as it is and three times with white
noise, a tilted spectrum and other ends; tried on those of index 0 to 4. JUDGED_FOLDER holds `{digit}_….wav`, the digit that it was meant
to be. Prints the accuracy on the real test recordings, and the share of the judged ones that are named as their names say, in all and digit
by digit; with --json as one JSON object. Loudness, silence around the digit and its pace do not count.
The interpreter needs librosa and scikit-learn.
"""

import argparse
import json
import pathlib
import re

import librosa
import numpy
import soundfile
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

RATE = 8000
BANDS = 40
FRAMES = 24  # of the features, after resampling in time
RANGE = 50  # dB below the loudest band of the recording, which nothing counts as less than
SILENT = 30  # dB below the loudest frame, which is trimmed off both ends
VARIANTS = 3  # besides the recording itself


def samples_of(path):
    samples, rate = soundfile.read(path, dtype="float64")
    if rate != RATE or samples.ndim != 1:
        raise SystemExit(f"{path}: {rate} Hz, {samples.ndim} dimensions: not {RATE} Hz, one channel")
    return samples


def features(samples, tilt=0.0, ends=(0, 0)):
    """Log-mel frames of the loud part, resampled to FRAMES, their mean taken off, and their differences in time: one row."""
    mel = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=256, hop_length=64, power=1.0, n_mels=BANDS, pad_mode="constant")
    decibels = 20 * numpy.log10(numpy.maximum(mel, 1e-6)) + tilt * numpy.linspace(-1, 1, BANDS)[:, None]
    energy = 10 * numpy.log10((10 ** (decibels / 10)).sum(0))
    loud = numpy.flatnonzero(energy >= energy.max() - SILENT)
    first, last = max(loud[0] + ends[0], 0), min(loud[-1] + ends[1], len(energy) - 1)
    decibels = numpy.maximum(decibels[:, first:max(last, first) + 1], decibels.max() - RANGE)
    at = numpy.linspace(0, decibels.shape[1] - 1, FRAMES)
    even = numpy.stack([numpy.interp(at, numpy.arange(decibels.shape[1]), band) for band in decibels])
    even -= even.mean()
    return numpy.concatenate([even.ravel(), (even[:, 2:] - even[:, :-2]).ravel()])


def variant(samples, random):
    noise = random.standard_normal(len(samples)) * samples.std() * 10 ** (-random.uniform(10, 40) / 20)
    return features(samples + noise, random.uniform(-6, 6), random.integers(-3, 4, 2))


def recordings(folder, pattern):
    """The first number of each name, the last one, and the samples."""
    found = [(match, path) for path in sorted(folder.glob("*.wav")) if (match := re.fullmatch(pattern, path.name))]
    if not found:
        raise SystemExit(f"{folder}: no recordings whose names are like {pattern}")
    first, last = ([int(match[group]) for match, _ in found] for group in (1, found[0][0].lastindex))
    return numpy.array(first), last, [samples_of(path) for _, path in found]


def trained(digits, sounds):
    random = numpy.random.default_rng(1)
    rows = [row for sound in sounds for row in [features(sound)] + [variant(sound, random) for _ in range(VARIANTS)]]
    return make_pipeline(StandardScaler(), PCA(200, random_state=1), SVC(C=10.0, cache_size=1000)).fit(rows, numpy.repeat(digits, 1 + VARIANTS))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fsdd", type=pathlib.Path)
    parser.add_argument("judged", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    asked, _, judged = recordings(arguments.judged, r"(\d)(?:_.*)?\.wav")
    digits, indices, sounds = recordings(arguments.fsdd, r"(\d)_[^_]+_(\d+)\.wav")
    test = numpy.array(indices) < 5
    if test.all() or not test.any():
        raise SystemExit(f"{arguments.fsdd}: {test.sum()} recordings of index 0 to 4, {(~test).sum()} of more: both are needed")
    classifier = trained(digits[~test], [sound for sound, held_out in zip(sounds, test) if not held_out])
    real = classifier.predict([features(sound) for sound, held_out in zip(sounds, test) if held_out]) == digits[test]
    right = classifier.predict([features(sound) for sound in judged]) == asked
    by_digit = {int(digit): round(float(right[asked == digit].mean()), 4) for digit in numpy.unique(asked)}
    answer = {"real_test_accuracy": round(float(real.mean()), 4), "real_test_recordings": len(real), "recordings": len(judged),
              "named_as_asked": round(float(right.mean()), 4), "by_digit": by_digit}
    if arguments.json:
        print(json.dumps(answer))
        return
    print(f"real test recordings: {answer['real_test_accuracy']:.2%} of {len(real)} named right")
    print(f"{arguments.judged}: {answer['named_as_asked']:.2%} of {len(judged)} named as asked")
    for digit, share in by_digit.items():
        print(f"  {digit}: {share:.2%} of {(asked == digit).sum()}")


if __name__ == "__main__":
    main()
