"""Event ids by number, many at once: the same for the same seed and run, unlike any of another."""

from functools import cache

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

ID_BYTES = 36
_DIGITS = np.array([list(f"{value:02x}".encode()) for value in range(256)], np.uint8)
_PLACES = np.array([place for place in range(ID_BYTES) if place not in (8, 13, 18, 23)])
_VERSION, _VARIANT = np.uint64(4 << 12), np.uint64(1 << 63)


def low_words(seed: int, numbers: npt.NDArray[np.int64]) -> Words:
    """The lower half of each id as a number: what sums over events are weighted with."""
    return (_mixed(seed * 2 + 1, numbers) >> np.uint64(2)) | _VARIANT


def id_texts(seed: int, numbers: npt.NDArray[np.int64]) -> Bytes:
    """One row of 36 ASCII bytes per number, in UUID's version 4 form."""
    high = (_mixed(seed * 2, numbers) & ~np.uint64(0xF000)) | _VERSION
    halves = np.stack([high, low_words(seed, numbers)], axis=1).astype(">u8").view(np.uint8)
    texts = np.full((len(numbers), ID_BYTES), ord("-"), np.uint8)
    texts[:, _PLACES] = _DIGITS[halves].reshape(len(numbers), 32)
    return texts


def _mixed(seed: int, numbers: npt.NDArray[np.int64]) -> Words:
    """SplitMix64: every number of 64 bits becomes another one, and no two the same."""
    with np.errstate(over="ignore"):
        word = (numbers.astype(np.uint64) + _start(seed)) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return word ^ (word >> np.uint64(31))


@cache
def _start(seed: int) -> np.uint64:
    return np.uint64((seed * 0xD1342543DE82EF95 + 0x9E3779B9) % (1 << 64))
