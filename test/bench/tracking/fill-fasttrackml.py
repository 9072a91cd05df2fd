"""Fills a database that FastTrackML has created.

    python fill-fasttrackml.py <database file> <experiment id> <file of one run as JSON in each line>
"""

import sqlite3
import sys

from fill import RUN_COLUMNS, fill, run_row

database, experiment, runs = sys.argv[1:]
connection = sqlite3.connect(database)
# Every metric refers to a context; the server creates the empty one with its first metric.
connection.execute("INSERT OR IGNORE INTO contexts (json) VALUES ('{}')")
[(context,)] = connection.execute("SELECT id FROM contexts WHERE json = '{}'")
connection.commit()
connection.close()


def metrics(iteration):
    columns = ("key", "value", "timestamp", "step", "is_nan", "run_uuid", iteration, "context_id")
    return columns, lambda run, _: (
        (key, value, run["startTime"], 0, False, run["runId"], 1, context)
        for key, value in run["metrics"].items()
    )


def pairs(table, value):
    return ("key", value, "run_uuid"), lambda run, _: (
        (key, text, run["runId"]) for key, text in run[table].items()
    )


artifacts = f"file://{database}-artifacts/{experiment}"
fill(database, runs, {
    "runs": (
        (*RUN_COLUMNS, "row_num"),
        lambda run, index: [(*run_row(run, int(experiment), artifacts).values(), index)],
    ),
    "metrics": metrics("iter"),
    "latest_metrics": metrics("last_iter"),
    "params": pairs("params", "value_str"),
    "tags": pairs("tags", "value"),
})
