"""Writes table.parquet and expected.json: its columns profiled with numpy, pandas and exact fractions.

    python test/golden/profiles/generate.py     (numpy, pandas, pyarrow)
"""

import json
import math
from bisect import bisect_right
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 3000
HERE = Path(__file__).parent
getcontext().prec = 60
rng = np.random.default_rng(20240229)


def with_nulls(values, share):
    return [None if rng.random() < share else value for value in values]


normal = rng.normal(-3.5, 1e3, ROWS)
special = normal.copy()
special[::97] = np.nan
special[::131] = np.inf
special[::389] = -np.inf
special[5:40] = 0.0
special[40:60] = -0.0
# A large mean and a small spread: sums of squares lose all digits here.
offset = 1e9 + rng.random(ROWS)
# Parts of very different sizes: a running sum loses the small ones.
skewed = np.concatenate([[1e16, 1.0, -1e16], rng.random(ROWS - 3)])
epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
words = ["", "red", "green", "naïve", "日本", "🚀 to the moon", "a" * 300, 'say "hi"', "line\nbreak"]

table = {
    "id": (pa.int64(), "int64", list(range(ROWS))),
    "few": (pa.int64(), "int64", with_nulls([int(v) for v in rng.integers(-3, 4, ROWS)], 0.1)),
    "wide": (
        pa.int64(),
        "int64",
        [-(2**63), 2**63 - 1] + [int(v) for v in rng.integers(-(2**63), 2**63 - 1, ROWS - 2)],
    ),
    "far": (pa.int64(), "int64", [2**62 + int(v) for v in rng.integers(0, 100, ROWS)]),
    "normal": (pa.float64(), "double", [float(v) for v in normal]),
    "special": (pa.float64(), "double", with_nulls([float(v) for v in special], 0.05)),
    "offset": (pa.float64(), "double", [float(v) for v in offset]),
    "skewed": (pa.float64(), "double", [float(v) for v in skewed]),
    "amount": (
        pa.decimal128(12, 2),
        "decimal(12,2)",
        with_nulls([Decimal(int(v)) / 100 for v in rng.integers(-50_000, 90_000, ROWS)], 0.2),
    ),
    "huge": (
        pa.decimal128(38, 10),
        "decimal(38,10)",
        [Decimal(int(v) * 10**17 + int(w)) / 10**10 for v, w in zip(rng.integers(-(10**18), 10**18, ROWS), rng.integers(0, 10**9, ROWS))],
    ),
    "day": (pa.date32(), "date", [date(1999, 12, 1) + timedelta(days=int(v)) for v in rng.integers(0, 400, ROWS)]),
    "at": (
        pa.timestamp("us", tz="UTC"),
        "timestamp",
        with_nulls([epoch + timedelta(microseconds=int(v)) for v in rng.integers(-(10**15), 2 * 10**15, ROWS)], 0.3),
    ),
    "flag": (pa.bool_(), "boolean", with_nulls([bool(v) for v in rng.random(ROWS) < 0.3], 0.1)),
    "word": (pa.string(), "string", with_nulls([words[int(v)] for v in rng.integers(0, len(words), ROWS)], 0.1)),
    "token": (pa.string(), "string", [format(int(v), "x") for v in rng.integers(0, 2**60, ROWS)]),
    "raw": (pa.binary(), "binary", [bytes([int(v) % 7]) * (int(v) % 5) for v in rng.integers(0, 100, ROWS)]),
    "nothing": (pa.float64(), "double", [None] * ROWS),
}

schema = pa.schema([(name, kind) for name, (kind, _, _) in table.items()])
columns = [pa.array(values, type=kind) for kind, _, values in table.values()]
pq.write_table(pa.table(columns, schema=schema), HERE / "table.parquet", compression="zstd", row_group_size=1000)


def text(kind, value):
    if kind == "double":
        value = value + 0.0 if value == 0 else value
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN" if math.isnan(value) else js_number(value))
    if kind.startswith("decimal"):
        return format(value, f".{kind[:-1].split(',')[1]}f")
    if kind == "timestamp":
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if kind == "boolean":
        return str(value).lower()
    return str(value)


def js_number(value):
    """In JavaScript's notation, for the magnitudes used here."""
    shortest = repr(value)
    if "e+" in shortest:
        return str(int(value)) if abs(value) < 1e21 else shortest
    return shortest.removesuffix(".0")


def whole(kind, value):
    """An integer with the order of the value: the number of steps of its type."""
    if kind == "int64":
        return value
    if kind == "date":
        return (value - date(1970, 1, 1)).days
    if kind == "timestamp":
        return (value - epoch) // timedelta(microseconds=1)
    return int(value.scaleb(int(kind[:-1].split(",")[1])))


def quantiles(kind, values):
    ordered = sorted(values)
    levels = [percent / 100 for percent in range(1, 100)]
    picked = [ordered[math.ceil(Fraction(percent * len(ordered), 100)) - 1] for percent in range(1, 100)]
    if kind == "double":
        # A little lower: in doubles 0.07 * 3000 is more than 210.
        lower = [level - 1e-9 for level in levels]
        assert picked == list(np.quantile(np.array(ordered), lower, method="inverted_cdf"))
    return {
        "levels": levels,
        "values": [text(kind, value) for value in picked],
        "rowsUpTo": [bisect_right(ordered, value) for value in picked],
    }


def histogram(kind, values):
    if kind == "double":
        counts, edges = np.histogram(np.array(values), bins=30)
        return {"edges": [float(edge) for edge in edges], "rows": [int(count) for count in counts]}
    steps = sorted(whole(kind, value) for value in values)
    width = -(-(steps[-1] - steps[0] + 1) // 30)
    buckets = -(-(steps[-1] - steps[0] + 1) // width)
    counts = Counter((step - steps[0]) // width for step in steps)
    return {"rows": [counts[bucket] for bucket in range(buckets)], "width": str(width)}


def moments(values):
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)
    std = (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
    return {"mean": float(mean), "std": float(std)}


def describe(kind, values):
    present = [value for value in values if value is not None]
    keys = ["NaN" if kind == "double" and math.isnan(value) else value for value in present]
    counts = Counter(keys)
    figures = {"type": kind, "count": len(present), "nulls": len(values) - len(present), "distinct": len(counts)}
    if kind == "binary":
        lengths = [len(value) for value in present]
    if kind == "string":
        lengths = [len(value) for value in present]
    if kind in ("binary", "string"):
        figures["lengths"] = {
            "min": min(lengths),
            "mean": sum(lengths) / len(lengths),
            "max": max(lengths),
            "empty": lengths.count(0),
        }
    if kind == "binary":
        return figures
    order = lambda value: (1, 0) if value == "NaN" and kind == "double" else (0, value)
    best = sorted(counts.items(), key=lambda item: (-item[1], order(item[0])))[:20]
    figures["top"] = [
        {"value": cut(item if item == "NaN" else text(kind, item), kind), "rows": rows} | ({"isCut": True} if kind == "string" and len(item) > 256 else {})
        for item, rows in best
    ]
    finite = [value for value in present if math.isfinite(value)] if kind == "double" else present
    if kind == "double":
        series = pd.Series(present, dtype="float64")
        figures["numbers"] = {
            "nans": int(series.isna().sum()),
            "positiveInfinities": int((series == math.inf).sum()),
            "negativeInfinities": int((series == -math.inf).sum()),
        }
    if kind == "boolean":
        figures["booleans"] = {"trues": sum(present), "falses": len(present) - sum(present)}
    if not finite:
        figures["numbers"] |= {"zeros": 0, "negatives": 0}
        return figures
    figures["min"] = cut(text(kind, min(finite)), kind)
    figures["max"] = cut(text(kind, max(finite)), kind)
    if kind in ("int64", "double") or kind.startswith("decimal"):
        figures["numbers"] = figures.get("numbers", {}) | moments(finite) | {
            "zeros": sum(value == 0 for value in finite),
            "negatives": sum(value < 0 for value in finite),
        }
        theirs = pd.Series([float(value) for value in finite])
        if figures["numbers"]["std"] > 1e-6 * abs(figures["numbers"]["mean"]):
            assert math.isclose(theirs.std(), figures["numbers"]["std"], rel_tol=1e-9)
    if kind not in ("string", "boolean"):
        figures["quantiles"] = quantiles(kind, finite)
        figures["histogram"] = histogram(kind, finite)
    return figures


def cut(value, kind):
    return value[:256] if kind == "string" else value


expected = {name: describe(kind, values) for name, (_, kind, values) in table.items()}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")
