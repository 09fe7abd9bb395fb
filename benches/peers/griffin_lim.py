"""What Griffin and Lim's algorithm makes of the log-mel frames of spoken digits, for a vocoder to be put beside: librosa's.

    python benches/peers/griffin_lim.py FSDD_FOLDER OUT_FOLDER [--against FOLDER …]
    python benches/peers/griffin_lim.py FSDD_FOLDER --against FOLDER …

FSDD_FOLDER holds `{digit}_{speaker}_{index}.wav`, 8000 Hz; those of index 0 to 4 are the test recordings. Each becomes log-mel frames as
autoreg computes them (window 256, hop 64, 40 bands), and from these alone a sound of the same length: magnitudes by non-negative least
squares, phases by 60 iterations. They are written under the same names into OUT_FOLDER, which must be empty or not exist yet.

Prints one JSON object: for OUT_FOLDER and each FOLDER the means over recordings of two distances from the originals, in decibels, the
log-spectral and the log-mel one, as autoreg defines them (`models/src/audio/distance.rs`). Test recordings that a FOLDER lacks are left
out of every mean: `recordings` says how many count. The interpreter needs librosa.
"""

import argparse
import json
import pathlib
import re

import librosa
import numpy
import soundfile

RATE = 8000
WINDOW = 256
HOP = 64
BANDS = 40
FLOOR = 1e-5  # of a band
QUIETEST = 1e-5  # of a magnitude over the sum of the window: -100 dB
ITERATIONS = 60

HANN = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(WINDOW) / WINDOW)
BANK = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS, htk=False, norm="slaney", dtype=numpy.float64)


def samples_of(path):
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != RATE or samples.ndim != 1:
        raise SystemExit(f"{path}: {rate} Hz, {samples.ndim} dimensions: not {RATE} Hz, one channel")
    return samples


def magnitudes_of(samples):
    """(frames, bins); frame t is centred on sample t * HOP, with zeros beside the sound."""
    sound = numpy.zeros(len(samples) + WINDOW)
    sound[WINDOW // 2:WINDOW // 2 + len(samples)] = samples / 32768
    frames = numpy.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    return numpy.abs(numpy.fft.rfft(HANN * frames))


def distances(a, b):
    """The log-spectral and the log-mel one, as far as the shorter sound goes: root mean square in a frame, mean over frames."""
    count = min(len(a), len(b))
    a, b = (magnitudes_of(sound[:count]) for sound in (a, b))

    def distance(of, floor):
        difference = 20 * (numpy.log10(numpy.maximum(of(a), floor)) - numpy.log10(numpy.maximum(of(b), floor)))
        return numpy.sqrt((difference**2).mean(1)).mean()

    return distance(lambda x: x / HANN.sum(), QUIETEST), distance(lambda x: x @ BANK.T, FLOOR)


def log_mel_of(samples):
    loud = librosa.feature.melspectrogram(y=samples / 32768, sr=RATE, n_fft=WINDOW, hop_length=HOP, win_length=WINDOW, window="hann", center=True,
                                          pad_mode="constant", power=1.0, n_mels=BANDS, htk=False, norm="slaney")
    return numpy.log(numpy.maximum(loud, FLOOR))


def sound_of(log_mel, length):
    magnitudes = librosa.feature.inverse.mel_to_stft(numpy.exp(log_mel), sr=RATE, n_fft=WINDOW, power=1.0, htk=False, norm="slaney")
    sound = librosa.griffinlim(magnitudes, n_iter=ITERATIONS, hop_length=HOP, win_length=WINDOW, n_fft=WINDOW, window="hann", center=True,
                               length=length, pad_mode="constant", momentum=0.99, init="random", random_state=1)
    return numpy.clip(numpy.round(sound * 32768), -32768, 32767).astype(numpy.int16)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fsdd", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?")
    parser.add_argument("--against", type=pathlib.Path, nargs="+", default=[], metavar="FOLDER")
    arguments = parser.parse_args()
    if not (arguments.out or arguments.against):
        parser.error("neither OUT_FOLDER nor --against: nothing to do")
    names = sorted(path.name for path in arguments.fsdd.glob("*.wav") if re.fullmatch(r"\d_[^_]+_[0-4]\.wav", path.name))
    if not names:
        raise SystemExit(f"{arguments.fsdd}: no recordings {{digit}}_{{speaker}}_{{index}}.wav of index 0 to 4")
    compared = [name for name in names if all((folder / name).is_file() for folder in arguments.against)]
    if not compared:
        raise SystemExit(f"no test recording's name is in {' and '.join(map(str, arguments.against))}")
    if arguments.out:
        if arguments.out.exists() and (not arguments.out.is_dir() or any(arguments.out.iterdir())):
            raise SystemExit(f"{arguments.out} is not an empty folder")
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            original = samples_of(arguments.fsdd / name)
            soundfile.write(arguments.out / name, sound_of(log_mel_of(original), len(original)), RATE, subtype="PCM_16")
    originals = {name: samples_of(arguments.fsdd / name) for name in compared}
    answer = {"librosa": librosa.__version__, "recordings": len(compared), "of": len(names), "folders": []}
    for folder in ([arguments.out] if arguments.out else []) + arguments.against:
        spectral, mel = numpy.mean([distances(originals[name], samples_of(folder / name)) for name in compared], 0)
        answer["folders"].append({"folder": str(folder), "log_spectral_db": round(float(spectral), 3), "log_mel_db": round(float(mel), 3)})
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
