"""Runs the checks with the MLflow that is installed.

    python run.py <tracking URI> [--reference] [--only <regex>] [-v]

`--reference` means that the server is MLflow's own: checks of Slipway's own features are skipped. Ends with
`N passed, N failed`, and exits 1 if any check failed.
"""

import argparse
import logging
import os
import shutil
import warnings


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("-v", action="store_true")
    flags = parser.parse_args()
    # Show a wrong answer instead of retrying it for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ["MLFLOW_TRACKING_URI"] = flags.url
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    warnings.filterwarnings("ignore")

    import importlib

    import mlflow

    from .all_checks import MODULES
    from .checks import Stage, run_checks

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(flags.url)
    for module in MODULES:
        importlib.import_module(f"{__package__}.{module}")
    stage = Stage(
        url=flags.url.rstrip("/"),
        client=mlflow.MlflowClient(),
        is_3=int(mlflow.__version__.split(".")[0]) >= 3,
        is_ours=not flags.reference,
    )
    try:
        return run_checks(stage, f"mlflow {mlflow.__version__}", flags.only)
    finally:
        shutil.rmtree(stage.folder, ignore_errors=True)
