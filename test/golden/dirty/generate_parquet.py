"""The Parquet part of the corpus, written by Apache Arrow, which is independent of the reader.

Run: python3 -m venv venv && venv/bin/pip install pyarrow==26.0.1 && venv/bin/python generate_parquet.py
"""

import datetime
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq

from case import Text, refused, write


def pack(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def accepted(rows, columns, values=(), quarantined=()):
    split = [column.rsplit(":", 1) for column in columns]
    return {
        "rowsIn": rows,
        "committed": rows - len(quarantined),
        "columns": [{"name": name, "type": kind} for name, kind in split],
        "values": [{"index": index, "values": row} for index, row in values],
        "quarantined": list(quarantined),
    }


def put(name, about, table, expected, before=None, **options):
    content = table if isinstance(table, (bytes, bytearray)) else pack(table, **options)
    write("parquet", name, about, content, expected, before=before, ext="parquet")


small = pa.table({"id": pa.array(range(1, 101), pa.int64()), "name": [f"name {i}" for i in range(1, 101)]})
put("plain", "A valid file.", small, accepted(100, ["id:int64", "name:string"], [(99, ["100", "name 100"])]))

whole = pack(small)
put("cut-off", "The footer, at the end, is missing.", whole[: len(whole) // 2], refused("UNPROCESSABLE", "Parquet"))
put("without-last-byte", "One byte is missing.", whole[:-1], refused("UNPROCESSABLE", "Parquet"))
put("only-magic", "Four bytes.", b"PAR1", refused("UNPROCESSABLE", "Parquet"))
changed = bytearray(whole)
changed[60:90] = bytes(30)
put("damaged-page", "The footer is intact, a page is damaged.", changed, refused("UNPROCESSABLE"))
put("csv-named-parquet", "Its name says Parquet, its bytes do not.", b"id,name\n1,a\n", refused("UNPROCESSABLE", "Parquet"))
put("no-rows", "Columns without rows: the types are known nevertheless.", small.slice(0, 0), accepted(0, ["id:int64", "name:string"]))

widths = {
    "i8": (pa.int8(), [-128, 127]),
    "i16": (pa.int16(), [-32768, 32767]),
    "i32": (pa.int32(), [-(2**31), 2**31 - 1]),
    "i64": (pa.int64(), [-(2**63), 2**63 - 1]),
    "u8": (pa.uint8(), [0, 255]),
    "u16": (pa.uint16(), [0, 65535]),
    "u32": (pa.uint32(), [0, 2**32 - 1]),
    "u64": (pa.uint64(), [0, 2**64 - 1]),
}
table = pa.table({name: pa.array(values, kind) for name, (kind, values) in widths.items()})
columns = [f"{name}:{'decimal(20,0)' if name == 'u64' else 'int64'}" for name in widths]
put(
    "every-integer",
    "Each width at its ends, unsigned ones too.",
    table,
    accepted(2, columns, [(row, [str(values[row]) for _, values in widths.values()]) for row in (0, 1)]),
)

moment = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999)
table = pa.table(
    {
        "utc": pa.array([moment, None], pa.timestamp("us", "UTC")),
        "berlin": pa.array([moment, None], pa.timestamp("us", "Europe/Berlin")),
        "local": pa.array([moment, None], pa.timestamp("us")),
        "millis": pa.array([moment.replace(microsecond=999000), None], pa.timestamp("ms")),
        "day": pa.array([moment.date(), None], pa.date32()),
    }
)
text = "2024-02-29T23:59:59.999999Z"
put(
    "times",
    "Without a zone they are taken for UTC; a zone changes how an instant is shown, not the instant.",
    table,
    accepted(2, ["utc:timestamp", "berlin:timestamp", "local:timestamp", "millis:timestamp", "day:date"], [
        (0, [text, text, text, "2024-02-29T23:59:59.999000Z", "2024-02-29"]),
        (1, [None] * 5),
    ]),
)
table = pa.table({"id": [1, 2], "at": pa.array([1_700_000_000_000_000_001, 1_700_000_000_000_000_999], pa.timestamp("ns"))})
put(
    "nanoseconds",
    "A timestamp keeps microseconds: what is finer is cut off.",
    table,
    accepted(2, ["id:int64", "at:timestamp"], [(row, [str(row + 1), "2023-11-14T22:13:20.000000Z"]) for row in (0, 1)]),
)

table = pa.table(
    {
        "f32": pa.array([0.5, None], pa.float32()),
        "f64": pa.array([1e300, None], pa.float64()),
        "price": pa.array([decimal.Decimal("-12345.67"), None], pa.decimal128(12, 2)),
        "wide": pa.array([decimal.Decimal("9" * 38), None], pa.decimal128(38, 0)),
        "flag": pa.array([True, None], pa.bool_()),
        "data": pa.array([b"\x00\xff", None], pa.binary()),
        "text": pa.array(["nul\x00, \"quote\"\nline 🛩", None], pa.string()),
        "kind": pa.array(["a", None]).dictionary_encode(),
    }
)
put(
    "other-types",
    "One column of each other type, and nulls.",
    table,
    accepted(2, ["f32:double", "f64:double", "price:decimal(12,2)", "wide:decimal(38,0)", "flag:boolean", "data:binary", "text:string", "kind:string"], [
        (0, ["0.5", "1e300", "-12345.67", "9" * 38, "true", "00ff", "nul\x00, \"quote\"\nline 🛩", "a"]),
        (1, [None] * 8),
    ]),
)

table = pa.table(
    {
        "id": [1, 2],
        "tags": pa.array([["a", "b"], None], pa.list_(pa.string())),
        "at": pa.array([{"x": 1.5, "y": [1, None]}, None], pa.struct([("x", pa.float64()), ("y", pa.list_(pa.int32()))])),
    }
)
put(
    "nested",
    "Lists and structs become JSON texts.",
    table,
    accepted(2, ["id:int64", "tags:string", "at:string"], [(0, ["1", '["a","b"]', '{"x":1.5,"y":[1,null]}']), (1, ["2", None, None])]),
)

huge = pa.table({"id": [1], "n": pa.array([decimal.Decimal(10) ** 50], pa.decimal256(60, 0))})
put("wider-than-38-digits", "A decimal of 60 digits fits no column.", huge, refused("UNPROCESSABLE", "n", "decimal"))

twice = pa.Table.from_arrays([pa.array([1, 2]), pa.array(["a", "b"]), pa.array(["c", "d"])], names=["id", "name", "name"])
put("duplicate-names", "Which of them is meant?", twice, refused("UNPROCESSABLE", "name"))
cased = pa.Table.from_arrays([pa.array([1, 2]), pa.array(["a", "b"]), pa.array(["c", "d"])], names=["id", "name", "NAME"])
put("names-differ-by-case", "Many readers take these for one column.", cased, refused("UNPROCESSABLE", "name", "NAME"))
put("empty-name", "A column without a name.", pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", ""]), refused("UNPROCESSABLE", "name"))

before = Text("id,n").row("1,1").row("2,2")
wider = pa.table({"id": pa.array([3, 4], pa.int64()), "n": pa.array([0.5, 1.5], pa.float64())})
put("double-into-int64", "A dataset of whole numbers does not take doubles.", wider, refused("UNPROCESSABLE", "n", "double", "int64"), before=before)
narrow = pa.table({"id": pa.array([3, 4], pa.int16()), "n": pa.array([5, None], pa.uint8())})
put("narrower-integers", "Fewer bits are the same type.", narrow, accepted(2, ["id:int64", "n:int64"], [(1, ["4", None])]), before=before)
