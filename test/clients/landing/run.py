"""Drops files written by Arrow with Microsoft's own Python client, as a data team would.

    python run.py <base URL> <blob connection string>

Tables written by pyarrow must arrive with the same rows, columns and values.
"""

import datetime
import hashlib
import io
import json
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import requests
from azure.storage.blob import BlobServiceClient

base, connection = sys.argv[1].rstrip("/"), sys.argv[2]
service = BlobServiceClient.from_connection_string(connection, api_version="2025-11-05")
passed, failures = 0, []


def check(ok, what):
    global passed
    if ok:
        passed += 1
    else:
        failures.append(what)


def wait_for(get, what):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        value = get()
        if value:
            return value
        time.sleep(0.2)
    raise SystemExit(f"FAILED no {what} within 60 s\n0 passed, 1 failed")


def as_stored(value):
    """Nested values are stored as JSON, times as instants."""
    if isinstance(value, list):
        return json.dumps(value, separators=(",", ":"))
    return value


tables = {
    "wide": pa.table({f"column_{i}": pa.array(range(100)) for i in range(300)}),
    "typed": pa.table(
        {
            "big": pa.array([2**63 - 1, -(2**63), None]),
            "text": pa.array(["naïve 🚀", "a\nb,\"c\"", ""]),
            "when": pa.array([datetime.datetime(2026, 1, 2, 3, 4, 5, 6), None, datetime.datetime(1, 1, 1)], pa.timestamp("us", tz="UTC")),
            "flag": pa.array([True, False, None]),
            "list": pa.array([[1, 2], [], None]),
        }
    ),
    "empty": pa.table({"a": pa.array([], pa.int64())}),
}
for compression in ["snappy", "zstd", "gzip", "none"]:
    tables[f"codec-{compression}"] = pa.table({"a": pa.array([1.5, float("nan"), None] * 1000)})

for name, table in tables.items():
    buffer = io.BytesIO()
    compression = name.removeprefix("codec-") if name.startswith("codec-") else "snappy"
    pq.write_table(table, buffer, compression=compression)
    data = buffer.getvalue()
    dataset = f"arrow-{name}"
    service.get_blob_client("landing", f"{dataset}/part.parquet").upload_blob(data, overwrite=True)

    def newest():
        items = requests.get(f"{base}/api/v1/datasets/{dataset}/versions", timeout=30).json()["items"]
        return items[0] if items else None

    def rejection():
        items = requests.get(f"{base}/api/v1/datasets/{dataset}/rejections", timeout=30).json()["items"]
        return items[0] if items else None

    found = wait_for(lambda: newest() or rejection(), f"version of {dataset}")
    check(found.get("rows") == table.num_rows, f"{name}: {found}")
    detail = requests.get(f"{base}/api/v1/datasets/{dataset}/versions/0", timeout=30).json()
    check([c["name"] for c in detail.get("columns", [])] == table.column_names, f"{name}: other columns")
    check(detail.get("lineage", {}).get("sourceSha256") == hashlib.sha256(data).hexdigest(), f"{name}: other hash")
    answer = requests.get(f"{base}/api/v1/datasets/{dataset}/versions/0/download?format=parquet", timeout=60)
    check(answer.status_code == 200, f"{name}: {answer.text[:500]}")
    stored = pq.read_table(io.BytesIO(answer.content))
    for column in table.column_names:
        expected = [as_stored(value) for value in table[column].to_pylist()]
        check(repr(stored[column].to_pylist()) == repr(expected), f"{name}: other values of {column}")

for failure in failures:
    print(f"FAILED {failure}")
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
