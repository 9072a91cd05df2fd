"""The unmodified client of MLflow 2: see ../mlflow_common/main.py for its arguments."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from mlflow_common.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(1 if main() else 0)
