"""Creates MLflow's own database, and fills it.

    <python with mlflow> fill-mlflow.py <database file> <artifact folder> <file of one run as JSON in each line>

Prints the id of the filled experiment as its last line.
"""

import sys

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from fill import RUN_COLUMNS, fill, run_row

database, artifacts, runs = sys.argv[1:]
experiment = int(SqlAlchemyStore(f"sqlite:///{database}", artifacts).create_experiment("filled"))


def pairs(table):
    return ("key", "value", "run_uuid"), lambda run, _: (
        (key, value, run["runId"]) for key, value in run[table].items()
    )


metrics = ("key", "value", "timestamp", "step", "is_nan", "run_uuid"), lambda run, _: (
    (key, value, run["startTime"], 0, False, run["runId"]) for key, value in run["metrics"].items()
)
fill(database, runs, {
    "runs": (RUN_COLUMNS, lambda run, _: [tuple(run_row(run, experiment, artifacts).values())]),
    "metrics": metrics,
    "latest_metrics": metrics,
    "params": pairs("params"),
    "tags": pairs("tags"),
})
print(experiment)
