"""Writes test/golden/delta/delta-rs: the log of a table by delta-rs, with a checkpoint.

    pip install deltalake==1.6.6 pyarrow==26.0.1 && python generate.py

Without data files, because the tests read only the log. expected.json holds what delta-rs reads from it.
"""

import datetime
import json
import os
import shutil

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "delta-rs")
shutil.rmtree(path, ignore_errors=True)


def rows(seed):
    return pa.table(
        {
            "id": pa.array([seed, 2**63 - 1 - seed], pa.int64()),
            "odd name": pa.array([f"v{seed}", None]),
            "at": pa.array([datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), None], pa.timestamp("us", tz="UTC")),
        }
    )


def names(table):
    return sorted(os.path.basename(uri) for uri in table.file_uris())


for version in range(9):
    write_deltalake(path, rows(version), mode="overwrite" if version == 4 else "append", name="foreign")
DeltaTable(path).create_checkpoint()
DeltaTable(path).delete("id = 7")
write_deltalake(path, rows(20), mode="append")
table = DeltaTable(path)
expected = {
    "version": table.version(),
    "columns": [[field.name, field.type.type, field.nullable] for field in table.schema().fields],
    "history": [entry["operation"] for entry in table.history()],
    "filesAt": [names(DeltaTable(path, version=version)) for version in range(table.version() + 1)],
}
with open(os.path.join(path, "expected.json"), "w") as file:
    json.dump(expected, file, indent=2)
for name in os.listdir(path):
    if name.endswith(".parquet"):
        os.remove(os.path.join(path, name))
