"""Reads our tables with delta-rs, as a data team would: from Blob storage and from a folder.

    python run.py <description of the tables> <blob connection string>

Every version, found by number and by time, must hold the rows that were written, and the history must name its author.
Then delta-rs writes to a table.
"""

import datetime
import decimal
import json
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

tables = json.load(open(sys.argv[1], encoding="utf-8"))
account = dict(part.split("=", 1) for part in sys.argv[2].split(";") if part)
storage = {
    "azure_storage_account_name": account["AccountName"],
    "azure_storage_account_key": account["AccountKey"],
    "azure_storage_endpoint": account["BlobEndpoint"],
    "allow_http": "true",
}
passed, failures = 0, []


def check(actual, expected, what):
    global passed
    if actual == expected:
        passed += 1
    else:
        failures.append(f"{what}: {str(actual)[:500]} instead of {str(expected)[:500]}")


def show(value):
    """The format of the tables' description: every value as text."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.hex().upper()
        case datetime.datetime():
            assert value.utcoffset() == datetime.timedelta(0)
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        case decimal.Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def read(table):
    rows = table.to_pyarrow_table().to_pylist()
    shown = [{name: show(value) for name, value in row.items()} for row in rows]
    return sorted(shown, key=lambda row: int(row["id"]))


def wanted(version):
    """Formats `0.0000000001` and `1E-10`, which are the same number, as we do."""
    return sorted(version["rows"], key=lambda row: int(row["id"]))


for table in tables:
    commits = len(table["versions"])
    whole = f"{table['path']}/whole"
    for version, expected in enumerate(table["versions"]):
        what = f"{commits} commits, version {version} ({expected['did']})"
        opened = DeltaTable(whole, version=version)
        check(read(opened), wanted(expected), what)
        check([field.name for field in opened.schema().fields], expected["columns"], f"{what}: columns")
        at = datetime.datetime.fromtimestamp(table["times"][version] / 1000, datetime.timezone.utc)
        timed = DeltaTable(whole)
        timed.load_as_version(at + datetime.timedelta(seconds=1))
        check(timed.version(), version, f"{what}: by time")
        if version > table["cut"] > 0 or version == table["cut"] > 0:
            check(read(DeltaTable(f"{table['path']}/cut", version=version)), wanted(expected), f"{what}: from the checkpoint")

    # In the storage itself, not in a copy.
    url = f"abfs://{table['container']}/{table['prefix']}"
    stored = DeltaTable(url, storage_options=storage)
    newest = table["versions"][-1]
    check(stored.version(), commits - 1, f"{commits} commits: newest version in Blob storage")
    check(read(stored), wanted(newest), f"{commits} commits: in Blob storage")
    check(len(stored.file_uris()), len(set(stored.file_uris())), f"{commits} commits: a file once")
    history = stored.history()
    check([entry["version"] for entry in history], list(range(commits))[::-1], f"{commits} commits: history")
    check([entry["timestamp"] for entry in history], table["times"][::-1], f"{commits} commits: times")
    check(history[0]["operationParameters"]["mode"], newest["did"], f"{commits} commits: what was done")
    check(history[0]["slipway"]["source"]["name"], 'a "b".csv', f"{commits} commits: lineage")
    metadata = stored.metadata()
    check(metadata.configuration.get("delta.enableExpiredLogCleanup"), "false", "configuration")
    check(metadata.name, "sample", "name")
    protocol = stored.protocol()
    check((protocol.min_reader_version, protocol.min_writer_version), (1, 2), "protocol")

    # Statistics must not skip a file with matching rows.
    for column, value, sql in [
        ("big", 9223372036854775807, "9223372036854775807"),
        ("big", -9223372036854775808, "-9223372036854775808"),
        ("big", 9007199254740993, "9007199254740993"),
        ("text", "\U0010ffff" * 40, f"'{chr(0x10FFFF) * 40}'"),
        ("text", "nul\0inside", "'nul\0inside'"),
        ("at", datetime.datetime(2199, 12, 31, 23, 59, 59, 1, datetime.timezone.utc), "'2199-12-31T23:59:59.000001Z'"),
        ("price", decimal.Decimal("1001.00"), "1001.00"),
        ("exact", decimal.Decimal("9999999999999999999999999999.9999999999"), "CAST('9999999999999999999999999999.9999999999' AS DECIMAL(38,10))"),
        ("Is Open?", True, "true"),
        ("Is Open?", False, "false"),
        ("day", datetime.date(2010, 2, 21), "'2010-02-21'"),
    ]:
        count = sum(row[column] == show(value) for row in newest["rows"])
        what = f"{commits} commits: {column} = {show(value)[:30]}"
        check(stored.to_pyarrow_table(filters=[(column, "=", value)]).num_rows, count, f"{what} (Arrow)")
        query = QueryBuilder().register("t", stored).execute(f'SELECT id FROM t WHERE "{column}" = {sql}')
        check(query.read_all().num_rows, count, f"{what} (SQL)")

    # Another writer's commit is one more version.
    more = pa.table({"id": pa.array([-1], pa.int64())}, schema=pa.schema([pa.field("id", pa.int64(), nullable=False)]))
    write_deltalake(url, more, mode="append", schema_mode="merge", storage_options=storage)
    check(read(DeltaTable(url, storage_options=storage))[0]["id"], "-1", f"{commits} commits: appended by delta-rs")

for failure in failures:
    print(f"FAILED {failure}")
print(f"{passed} passed, {len(failures)} failed")
sys.stdout.flush()
# Not sys.exit: native threads still run while the interpreter shuts down, which occasionally aborts the process
# ("terminate called without an active exception") although all output is complete.
os._exit(1 if failures else 0)
