"""Inserts runs straight into a database with MLflow's tables, which its server must have created."""

import itertools
import json
import sqlite3


def fill(database, runs, tables):
    """Inserts each run of a file with one JSON object per line.

    `tables` maps a table's name to its columns and to a function from a run and its position to that table's rows.
    """
    connection = sqlite3.connect(database)
    # No server is running, and a crash discards the database.
    for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
        connection.execute(f"PRAGMA {setting}")
    with open(runs) as lines:
        numbered = enumerate(map(json.loads, lines))
        for batch in iter(lambda: list(itertools.islice(numbered, 5_000)), []):
            for table, (columns, to_rows) in tables.items():
                marks = ", ".join("?" for _ in columns)
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
                    (row for index, run in batch for row in to_rows(run, index)),
                )
            connection.commit()
    connection.close()


def run_row(run, experiment, artifacts):
    """A row of `runs`, by column."""
    return {
        "run_uuid": run["runId"], "name": run["name"], "source_type": "UNKNOWN", "source_name": "",
        "entry_point_name": "", "user_id": "user", "status": "FINISHED", "start_time": run["startTime"],
        "end_time": run["endTime"], "source_version": "", "lifecycle_stage": "active",
        "artifact_uri": f"{artifacts}/{run['runId']}/artifacts", "experiment_id": experiment,
    }


RUN_COLUMNS = tuple(run_row({"runId": "", "name": "", "startTime": 0, "endTime": 0}, 0, ""))
