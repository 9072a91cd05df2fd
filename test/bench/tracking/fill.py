"""Puts runs straight into a database that MLflow itself has made.

    <python with mlflow> fill.py <database file> <artifact folder> <file of one run as JSON in each line>

The last line of output is the id of the experiment that has them.
"""

import itertools
import json
import sqlite3
import sys

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

database, artifacts, runs = sys.argv[1:]
experiment = int(SqlAlchemyStore(f"sqlite:///{database}", artifacts).create_experiment("filled"))
connection = sqlite3.connect(database)
# Nobody else is there yet, and what a crash would leave is thrown away.
for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
    connection.execute(f"PRAGMA {setting}")


def insert(table, columns, rows):
    marks = ", ".join("?" for _ in columns.split(","))
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


with open(runs) as lines:
    for lines_of_batch in iter(lambda: list(itertools.islice(lines, 5_000)), []):
        batch = [json.loads(line) for line in lines_of_batch]
        insert(
            "runs",
            "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,"
            " source_version, lifecycle_stage, artifact_uri, experiment_id",
            (
                (run["runId"], run["name"], "UNKNOWN", "", "", "user", "FINISHED", run["startTime"],
                 run["endTime"], "", "active", f"{artifacts}/{run['runId']}/artifacts", experiment)
                for run in batch
            ),
        )
        for table in ("metrics", "latest_metrics"):
            insert(
                table,
                "key, value, timestamp, step, is_nan, run_uuid",
                (
                    (key, value, run["startTime"], 0, False, run["runId"])
                    for run in batch
                    for key, value in run["metrics"].items()
                ),
            )
        for table in ("params", "tags"):
            insert(
                table,
                "key, value, run_uuid",
                ((key, value, run["runId"]) for run in batch for key, value in run[table].items()),
            )
        connection.commit()
print(experiment)
