"""Natural logarithms to 30 digits, from mpmath: the reference for shared/core/stats/log.ts.

Run: python3 -m venv venv && venv/bin/pip install mpmath==1.4.1
     venv/bin/python generate_log.py > log.json

Each case is [x, nearest double, rest]: ln x = nearest + rest, to within 2^-150 of it, so that a test can measure an
error in units of the last place without a library of its own. x is written by `repr`, which round-trips.
"""

import json
import random
import struct
import sys

from mpmath import log, mp, mpf

mp.prec = 300


def case(x):
    exact = log(mpf(x))
    nearest = float(exact)
    return [x, nearest, float(exact - mpf(nearest))]


def random_double(rng):
    """Uniform over the bit patterns of the positive finite doubles, subnormal ones included."""
    bits = rng.randrange(1, 0x7FF0000000000000)
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


rng = random.Random(20010101)
xs = [
    sys.float_info.min, sys.float_info.max, 5e-324, 2.5e-310, 0.5, 2.0, 10.0, 1e100, 1e-100,
    2**0.5, 2**-0.5, 1 - 2**-53, 1 + 2**-52, 1 - 2**-30, 1 + 2**-30, 2**-52,
]
xs += [random_double(rng) for _ in range(500)]
# Around 1, where cancellation would show, and over the range of probabilities.
xs += [1 + rng.uniform(-0.3, 0.42) for _ in range(500)]
xs += [1 + rng.choice([-1, 1]) * 2 ** rng.uniform(-52, -2) for _ in range(500)]
xs += [rng.random() for _ in range(500)]
print(json.dumps([case(x) for x in xs if x != 1], separators=(",", ":")))
