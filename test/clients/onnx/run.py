"""Verifies that other software can use a model written by Slipway.

    python run.py <model.onnx> <cases.json>

The cases are {"rows": [{column: value}], "probabilities": [float]}, with optional "labels" (0 or 1 a row) and
"aucScore". Checked: the file is valid ONNX and canonical protobuf; its signature alone is enough to pack the rows;
ONNX Runtime and the ONNX reference implementation give the expected probabilities, for all rows at once and one by
one; and scikit-learn measures the same AUC. Ends with `N passed, N failed`, and exits 1 if any check failed.
"""

import json
import sys
from datetime import datetime, timezone

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from sklearn.metrics import roc_auc_score

# Half a unit in the last place of float32 below 1 is 3e-8; runtimes may differ by one unit.
TOLERANCE = 2e-7
DTYPES = {"float32": np.float32, "int64": np.int64, "string": object}


def part_of(text, part):
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    return {
        "hourOfDay": moment.hour,
        "dayOfWeek": moment.isoweekday(),
        "dayOfMonth": moment.day,
        "month": moment.month,
    }[part]


def pack(signature, rows):
    """The model's inputs, by its signature: written independently, from docs/adding-a-trainer.md."""
    feeds = {}
    for spec in signature["inputs"]:
        tensor, part = spec["tensor"], spec.get("part")
        missing = {"float32": np.nan, "int64": -1, "string": ""}[tensor]
        values = [row[spec["column"]] for row in rows]
        if part is not None:
            values = [None if value is None else part_of(value, part) for value in values]
        if tensor == "string":
            texts = {True: "true", False: "false"}
            values = [texts[v] if isinstance(v, bool) else v if v is None else str(v) for v in values]
        values = [missing if value is None else value for value in values]
        feeds[spec["name"]] = np.array(values, dtype=DTYPES[tensor]).reshape(-1, 1)
    return feeds


def largest_difference(actual, expected):
    return float(np.max(np.abs(np.asarray(actual, dtype=np.float64).ravel() - expected)))


def run(model_path, cases_path):
    with open(model_path, "rb") as file:
        data = file.read()
    with open(cases_path, encoding="utf-8") as file:
        cases = json.load(file)
    rows, expected = cases["rows"], np.array(cases["probabilities"])
    model = onnx.load_from_string(data)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    feeds = pack(json.loads(metadata["slipway.signature"]), rows)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = ["probability", "label"]

    def valid():
        onnx.checker.check_model(model, full_check=True)
        return "opsets " + ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import)

    def canonical():
        assert model.SerializeToString(deterministic=True) == data, "protobuf would write other bytes"
        return f"{len(data)} bytes"

    def inputs_fit():
        assert {i.name for i in session.get_inputs()} == set(feeds), "signature and inputs differ"
        return ", ".join(feeds)

    def runtime():
        probability, label = session.run(names, feeds)
        assert probability.shape == label.shape == (len(rows), 1), probability.shape
        difference = largest_difference(probability, expected)
        assert difference <= TOLERANCE, difference
        assert ((probability >= 0.5) == (label == 1)).all(), "labels are not probability >= 0.5"
        return f"largest difference {difference:.2e}"

    def one_by_one():
        together = session.run(names, feeds)[0]
        alone = [session.run(names, {k: v[i : i + 1] for k, v in feeds.items()})[0][0] for i in range(len(rows))]
        assert np.array(alone).tobytes() == together.tobytes(), "a row's bits depend on its neighbours"
        return f"{len(rows)} rows"

    def reference():
        probability = ReferenceEvaluator(model).run(names, feeds)[0]
        difference = largest_difference(probability, expected)
        assert difference <= TOLERANCE, difference
        return f"largest difference {difference:.2e}"

    def auc():
        score = roc_auc_score(cases["labels"], session.run(names, feeds)[0])
        assert abs(score - cases["aucScore"]) < 1e-12, (score, cases["aucScore"])
        return f"{score:.6f}"

    checks = [valid, canonical, inputs_fit, runtime, one_by_one, reference]
    if "aucScore" in cases:
        checks.append(auc)
    failed = 0
    for check in checks:
        name = f"onnx: {check.__name__.replace('_', ' ')}"
        try:
            print(f"ok   {name}: {check()}")
        except Exception as error:  # every failure is counted and printed
            failed += 1
            print(f"FAIL {name}: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(1 if run(sys.argv[1], sys.argv[2]) else 0)
