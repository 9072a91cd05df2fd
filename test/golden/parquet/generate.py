"""Parquet files by Apache Arrow, and the expected values of their datasets as text, by Arrow and Python.

Run: python3 -m venv venv && venv/bin/pip install -r test/clients/delta/requirements.txt && venv/bin/python generate.py

In expected.json a double is what Python's repr gives, a binary is hexadecimal, and a nested value is JSON.
"""

import datetime
import decimal
import json
import math
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
EPOCH = datetime.datetime(1970, 1, 1)
D = decimal.Decimal
UTC_NOTE = "without a zone"
UNSIGNED_NOTE = "unsigned 64-bit"
NESTED_NOTE = "JSON"

cases = []


def put(name, about, table, types, notes=(), group=None, rows=None, **options):
    """`types` by column, in order; `rows`: the values as text, unless they follow from type and Arrow's value."""
    with pq.ParquetWriter(HERE / f"{name}.parquet", table.schema, compression="zstd", **options) as writer:
        if group != 0:
            writer.write_table(table, row_group_size=group)
    assert table.column_names == list(types), (table.column_names, list(types))
    # Arrow's read values, not its inputs: a file may hold less (a dictionary, a 32-bit float).
    read = pq.read_table(HERE / f"{name}.parquet")
    if rows is None:
        columns = [show(read.column(index), kind) for index, kind in enumerate(types.values())]
        rows = [list(row) for row in zip(*columns)]
    cases.append(
        {
            "name": name,
            "about": about,
            "columns": [
                {"name": name, "type": kind, **({"note": dict(notes)[name]} if name in dict(notes) else {})}
                for name, kind in types.items()
            ],
            "rowGroups": pq.ParquetFile(HERE / f"{name}.parquet").num_row_groups,
            "rows": rows,
        }
    )


def show(column, kind):
    if pa.types.is_timestamp(column.type):
        # Truncates to microseconds as Arrow does: towards 1970.
        ticks = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).to_pylist()
        return [None if tick is None else show_instant(tick) for tick in ticks]
    if pa.types.is_decimal(column.type):
        return [None if value is None else f"{value:f}" for value in column.to_pylist()]
    return [None if value is None else show_value(value, kind) for value in column.to_pylist()]


def show_instant(microseconds):
    moment = EPOCH + datetime.timedelta(microseconds=microseconds)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S.%f}Z"


def show_value(value, kind):
    if kind == "double":
        return repr(float(value))
    if kind == "int64" or kind.startswith("decimal"):
        return str(value)
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "binary":
        return value.hex()
    if kind == "date":
        return f"{value.year:04}-{value:%m-%d}"
    if isinstance(value, (str, uuid.UUID)):
        return str(value)
    if isinstance(value, datetime.time):
        return f"{value:%H:%M:%S}" + (f".{value:%f}".rstrip("0") if value.microsecond else "")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Integers: each width at its limits.
signed = {f"i{bits}": (bits, [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1, None]) for bits in (8, 16, 32, 64)}
unsigned = {f"u{bits}": (bits, [0, 2**bits - 1, 1, 2 ** (bits - 1), None]) for bits in (8, 16, 32, 64)}
integers = pa.table(
    {name: pa.array(values, getattr(pa, f"int{bits}")()) for name, (bits, values) in signed.items()}
    | {name: pa.array(values, getattr(pa, f"uint{bits}")()) for name, (bits, values) in unsigned.items()}
)
integer_types = {name: "decimal(20,0)" if name == "u64" else "int64" for name in integers.column_names}
put("integers", "Each width at its ends, and null.", integers, integer_types, [("u64", UNSIGNED_NOTE)])
put(
    "integers-by-rows",
    "The same, in pages of the second version, not encoded, in row groups of two rows.",
    integers,
    integer_types,
    [("u64", UNSIGNED_NOTE)],
    group=2,
    data_page_version="2.0",
    use_dictionary=False,
)

# Floats: NaN, infinite ones, both zeros, the smallest and the largest.
special = [math.nan, math.inf, -math.inf, -0.0, 0.0, None]
floats = pa.table(
    {
        "f16": pa.array([*special, 0.1, 65504.0, 6e-8], pa.float32()).cast(pa.float16()),
        "f32": pa.array([*special, 0.1, 3.4028234663852886e38, 1e-45], pa.float32()),
        "f64": pa.array([*special, 0.1, 1.7976931348623157e308, 5e-324], pa.float64()),
    }
)
put("floats", "A float of fewer bits is the double it is, not the one it looks like.", floats, dict.fromkeys(floats.column_names, "double"))
put(
    "floats-split",
    "The same in another encoding, in row groups of four.",
    floats,
    dict.fromkeys(floats.column_names, "double"),
    group=4,
    use_dictionary=False,
    column_encoding={"f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "f16": "PLAIN"},
)

# Decimals: each stored width.
precisions = [(1, 0), (4, 4), (9, 2), (10, 3), (18, 18), (19, 0), (20, 5), (38, 0), (38, 10), (38, 38)]
decimal.getcontext().prec = 50
decimal_values = {
    f"d{p}_{s}": (p, s, [D(10**p - 1).scaleb(-s), -D(10**p - 1).scaleb(-s), D(1).scaleb(-s), D(0), None])
    for p, s in precisions
}
decimals = pa.table(
    {name: pa.array(values, pa.decimal128(p, s)) for name, (p, s, values) in decimal_values.items()}
    | {"d256": pa.array([D("1.5"), D("-2.25"), None, D(0), D(10**35)], pa.decimal256(38, 2))}
)
decimal_types = {name: f"decimal({p},{s})" for name, (p, s, _) in decimal_values.items()} | {"d256": "decimal(38,2)"}
put("decimals", "As bytes of fixed length.", decimals, decimal_types)
put("decimals-as-integers", "As whole numbers of 32 and 64 bits where they fit.", decimals, decimal_types, store_decimal_as_integer=True)

# Times: every unit, with and without a zone, on both sides of 1970.
seconds = [0, 1_709_251_199, -1, -62_135_596_800, 253_402_300_799, None]
per = {"s": 1, "ms": 10**3, "us": 10**6}
instants = {}
for unit, factor in per.items():
    ticks = [None if second is None else second * factor + (factor - 1 if index < 3 else 0) for index, second in enumerate(seconds)]
    instants |= {f"{unit}_{name}": pa.array(ticks, pa.timestamp(unit, zone)) for name, zone in (("local", None), ("utc", "UTC"), ("kolkata", "Asia/Kolkata"), ("offset", "-03:30"))}
nanos = [0, 1_709_251_199_999_999_999, -1, -1_999_999_001, 1_000, None]
instants |= {"ns_local": pa.array(nanos, pa.timestamp("ns")), "ns_utc": pa.array(nanos, pa.timestamp("ns", "UTC"))}
days = [datetime.date(1970, 1, 1), datetime.date(2024, 2, 29), datetime.date(1969, 12, 31), datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None]
instants |= {"date32": pa.array(days, pa.date32()), "date64": pa.array(days, pa.date64())}
times = pa.table(instants)
put(
    "times",
    "A zone changes how an instant is shown, not the instant; without one it is taken for UTC.",
    times,
    {name: "date" if name.startswith("date") else "timestamp" for name in times.column_names},
    [(name, UTC_NOTE) for name in times.column_names if name.endswith("local")],
)
old = pa.table({"at": pa.array([*nanos[:5], -62_135_596_800_000_000_000 // 100, None], pa.timestamp("ns")), "utc": pa.array([*nanos[:5], 10**18, None], pa.timestamp("ns", "UTC"))})
# Such a time is a number of nanoseconds since midnight, truncated towards midnight.
floors = [[None if tick is None else show_instant(tick // 1000) for tick in column.cast(pa.int64()).to_pylist()] for column in old.columns]
put("times-of-96-bits", "As Spark and Impala wrote them.", old, {"at": "timestamp", "utc": "timestamp"}, [("at", UTC_NOTE), ("utc", UTC_NOTE)], rows=[list(row) for row in zip(*floors)], use_deprecated_int96_timestamps=True)
clock = [datetime.time(0, 0), datetime.time(23, 59, 59), datetime.time(12, 30, 1, 500_000), None]
clocks = pa.table({"t32": pa.array(clock, pa.time32("ms")), "t64": pa.array(clock, pa.time64("us"))})
put("clocks", "Times of a day are kept as text.", clocks, {"t32": "string", "t64": "string"}, [("t32", "TIME"), ("t64", "TIME")])

# Texts and bytes.
words = ["", "plain", "nul\x00inside", 'quote"\'\nline\r\n,;\t', "🛩 ÅΩ e\u0301", "NULL", " ", "plain", None]
blobs = [b"", b"\x00", b"\xff\xfe", b"plain", bytes(range(256)), b"'", b"\\x00", b"plain", None]
fixed = [b"\x00\x00\x00", b"abc", b"\xff\xff\xff", b"   ", b"'\"\\", b"abc", b"xyz", b"abc", None]
texts = pa.table(
    {
        "string": pa.array(words, pa.string()),
        "large_string": pa.array(words, pa.large_string()),
        "string_view": pa.array(words, pa.string_view()),
        "dictionary8": pa.array(words, pa.string()).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
        "dictionary32": pa.array(words, pa.large_string()).dictionary_encode(),
        "binary": pa.array(blobs, pa.binary()),
        "large_binary": pa.array(blobs, pa.large_binary()),
        "fixed": pa.array(fixed, pa.binary(3)),
        "flag": pa.array([True, False, None, True, True, False, False, True, None], pa.bool_()),
        "numbers": pa.array([7, 7, 8, None, 9, 7, 7, 8, None], pa.int16()).dictionary_encode(),
        "nothing": pa.nulls(9, pa.string()),
    }
)
text_types = {name: "string" for name in texts.column_names} | {"binary": "binary", "large_binary": "binary", "fixed": "binary", "flag": "boolean", "numbers": "int64"}
put("texts", "Texts and bytes in each of Arrow's ways.", texts, text_types)
put("texts-plain", "The same without dictionaries, in row groups of three rows, without what Arrow notes of its types.", texts, text_types, group=3, use_dictionary=False, store_schema=False, data_page_version="2.0")
ids = [uuid.UUID(int=0), uuid.UUID("0194c5a8-1b2c-7d3e-8f40-5a6b7c8d9eff"), None]
extended = pa.table({"uuid": pa.array([None if i is None else i.bytes for i in ids], pa.uuid()), "json": pa.array(['{"a": [1, null]}', '"text"', None], pa.json_())})
put("extended", "Identifiers as text, JSON as it is written.", extended, {"uuid": "string", "json": "string"}, [("uuid", "UUID"), ("json", NESTED_NOTE)], rows=[[str(ids[0]), '{"a": [1, null]}'], [str(ids[1]), '"text"'], [None, None]])

# Nested values.
nested = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int64()),
        "list": pa.array([[1, None, 2**63 - 1], [], None, [-(2**63)]], pa.list_(pa.int64())),
        "large_list": pa.array([["a", '"'], [""], None, [None]], pa.large_list(pa.string())),
        "pair": pa.array([[1.5, 2.5], [0.1, 1e300], None, [0.0, None]], pa.list_(pa.float64(), 2)),
        "lists": pa.array([[[1], []], [None], None, [[2, None]]], pa.list_(pa.list_(pa.uint8()))),
        "struct": pa.array([{"x": 1.5, "Y y": "a"}, {"x": None, "Y y": "\n🛩"}, None, {"x": 0.25, "Y y": None}], pa.struct([("x", pa.float32()), ("Y y", pa.string())])),
        "structs": pa.array([[{"n": 2**64 - 1, "deep": {"flag": True}}, None], [], None, [{"n": None, "deep": None}]], pa.list_(pa.struct([("n", pa.uint64()), ("deep", pa.struct([("flag", pa.bool_())]))]))),
        "flags": pa.array([[True, False], [None], None, []], pa.list_(pa.bool_())),
        "dictionary": pa.array([["a", "b"], ["a"], None, []], pa.list_(pa.string())).cast(pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    }
)
put("nested", "Lists and structs as JSON.", nested, {name: "int64" if name == "id" else "string" for name in nested.column_names}, [(name, NESTED_NOTE) for name in nested.column_names[1:]], group=3)
maps = pa.table(
    {
        "counts": pa.array([[("a", 1), ('b"', None)], [], None], pa.map_(pa.string(), pa.int32())),
        "names": pa.array([[(1, "one"), (-2, "minus two")], [(0, None)], None], pa.map_(pa.int32(), pa.string())),
        "deep": pa.array([[("k", [1, 2])], [("", [])], None], pa.map_(pa.string(), pa.list_(pa.int64()))),
    }
)
entries = [{str(key): value for key, value in cell} if cell is not None else None for name in maps.column_names for cell in maps.column(name).to_pylist()]
put(
    "maps",
    "A map is a JSON object.",
    maps,
    dict.fromkeys(maps.column_names, "string"),
    [(name, NESTED_NOTE) for name in maps.column_names],
    rows=[[None if entries[3 * column + row] is None else show_value(entries[3 * column + row], "string") for column in range(3)] for row in range(3)],
)
exact = ["0.1", "-99999999999999999999999999999999.999999", "1.500000", None]
inner = pa.table(
    {
        "prices": pa.array([[D(text)] if text else None for text in exact], pa.list_(pa.decimal128(38, 6))),
        "shares": pa.array([[D("0.9999"), D("-0.0001")], [D(0)], [None], None], pa.list_(pa.decimal128(4, 4))),
        "days": pa.array([[datetime.date(2024, 2, 29)], [datetime.date(1, 1, 1)], [None], None], pa.list_(pa.date32())),
    }
)
put(
    "nested-exact",
    "Numbers in JSON with all their digits.",
    inner,
    dict.fromkeys(inner.column_names, "string"),
    [(name, NESTED_NOTE) for name in inner.column_names],
    rows=[
        ["[0.100000]", "[0.9999,-0.0001]", '["2024-02-29"]'],
        [f"[{exact[1]}]", "[0.0000]", '["0001-01-01"]'],
        ["[1.500000]", "[null]", "[null]"],
        [None, None, None],
    ],
)
double = pa.float64()
unreal = pa.table(
    {
        "xs": pa.array([[math.nan, 1.0], [math.inf, -math.inf], [-0.0], None], pa.list_(double)),
        "named": pa.array([{"NaN": math.nan, "": 'a NaN, "'}, {"NaN": 1.5, "": "NaN"}, {"NaN": -math.inf, "": "\\"}, {"NaN": math.inf, "": ""}], pa.struct([("NaN", double), ("", pa.string())])),
    }
)
put(
    "nested-not-finite",
    "JSON has no numbers that are not finite: they are words.",
    unreal,
    dict.fromkeys(unreal.column_names, "string"),
    [(name, NESTED_NOTE) for name in unreal.column_names],
    rows=[
        ['["NaN",1.0]', json.dumps({"NaN": "NaN", "": 'a NaN, "'})],
        ['["Infinity","-Infinity"]', json.dumps({"NaN": 1.5, "": "NaN"})],
        ["[-0.0]", json.dumps({"NaN": "-Infinity", "": "\\"})],
        [None, json.dumps({"NaN": "Infinity", "": ""})],
    ],
)

# Many row groups, no rows, names.
many = pa.table({"n": pa.array(range(400), pa.int32()), "text": [f"row {n}" if n % 3 else None for n in range(400)]})
put("many-groups", "Fifty-eight row groups: the rows keep their order.", many, {"n": "int64", "text": "string"}, group=7)
put("no-rows", "A row group without rows.", integers.slice(0, 0), integer_types, [("u64", UNSIGNED_NOTE)])
put("no-groups", "No row group at all: the types are known all the same.", integers.slice(0, 0), integer_types, [("u64", UNSIGNED_NOTE)], group=0)
names = ["Zulu", "alpha", "ID", "mixedCase", "with space", 'quo"te', "apo'strophe", "new\nline", "a.b", "a;b--", "__proto__", "constructor", "ß", "ÄÖ", "🛩", "select", "1", "schema", "n", "v0"]
odd = pa.table({name: pa.array([index, None], pa.int64()) for index, name in enumerate(names)})
put("names", "Order and case are kept; no name breaks anything.", odd, dict.fromkeys(names, "int64"))
shuffled = odd.select(list(reversed(names)))
put("names-reversed", "The same in the opposite order.", shuffled, dict.fromkeys(reversed(names), "int64"))

(HERE / "expected.json").write_text(
    "[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n", encoding="utf-8"
)
