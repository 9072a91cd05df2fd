"""Counted checks in the format of every client here: `ok` or `FAIL`, a name, and the result."""

import os
import re
import sys
import tempfile
import time
import traceback
import uuid
from dataclasses import dataclass, field

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


class Skip(Exception):
    """This server or client lacks the feature of the check."""


@dataclass
class Stage:
    """The context of a check."""

    url: str
    client: MlflowClient
    # Newer than MLflow 2.
    is_3: bool
    # Slipway; otherwise MLflow's own server, against which the expectations were made.
    is_ours: bool
    folder: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="mlflow-client-"))

    def name(self, prefix):
        """A name that no other check or earlier run has used."""
        return f"{prefix}-{uuid.uuid4().hex[:10]}"

    def experiment(self, prefix):
        return self.client.create_experiment(self.name(prefix))

    def path(self, *parts):
        path = os.path.join(self.folder, uuid.uuid4().hex[:8], *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path


checks = []


def check(only=None):
    """Registers a check. `only`: 'mlflow3' for features of MLflow 3, 'ours' for features that MLflow's server lacks."""

    def register(run):
        checks.append((run, only))
        return run

    return register


def name_of(run):
    return f"{run.__module__.split('.')[-1]}: {run.__name__.replace('_', ' ')}"


def run_checks(stage, label, pattern):
    passed = failed = skipped = 0
    for run, only in checks:
        name = f"{label} {name_of(run)}"
        if not re.search(pattern, name):
            continue
        if (only == "mlflow3" and not stage.is_3) or (only == "ours" and not stage.is_ours):
            continue
        started = time.monotonic()
        try:
            detail = run(stage)
            passed += 1
            print(f"ok   {name}: {detail} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skip {name}: {reason}", flush=True)
        except Exception as error:  # every failure is counted and printed
            failed += 1
            text = str(error).strip() or type(error).__name__
            print(f"FAIL {name}: {type(error).__name__} {text[:600]}", flush=True)
            if "-v" in sys.argv:
                traceback.print_exc()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return failed


def equal(actual, expected, what=""):
    assert actual == expected, f"{what} {shorten(actual)} is not {shorten(expected)}".strip()


def refused(code, call, *args, words=(), **kwargs):
    """The call must fail with this MLflow error code, and its message must contain these words."""
    try:
        result = call(*args, **kwargs)
    except MlflowException as error:
        equal(error.error_code, code, "error code")
        for word in [words] if isinstance(words, str) else words:
            assert word in str(error), f"{word!r} is not in {error}"
        return
    raise AssertionError(f"not refused: {shorten(result)}")


def wait_until(condition, what, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"no {what} within {timeout_s} s")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"
