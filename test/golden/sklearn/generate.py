"""Models of scikit-learn as users log them, converted by skl2onnx, with the outputs of ONNX Runtime for Python.

Run: python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0
     venv/bin/python generate.py

Writes the models and cases.json: for each model some inputs, and its outputs.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

warnings.filterwarnings("ignore")
here = Path(__file__).parent
iris, diabetes, cancer = load_iris(), load_diabetes(), load_breast_cancer()
flowers = iris.data.astype(np.float32)
species = iris.target_names[iris.target]
cases = {}


def write(name, estimator, data, target, props=None, **options):
    rows = data.astype(np.float32)
    model = to_onnx(estimator.fit(rows, target), rows[:1], target_opset=17, options=options or None)
    if props:
        onnx.helper.set_model_props(model, props)
    # Otherwise a random name. (The models have equal bytes each time, except for inner names of the one with a ZipMap.)
    model.graph.name = name
    content = model.SerializeToString()
    (here / f"{name}.onnx").write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    some = rows[:: max(1, len(rows) // 5)][:5]
    tensors = [output.name for output in session.get_outputs() if output.type.startswith("tensor")]
    outputs = dict(zip(tensors, (value.tolist() for value in session.run(tensors, {"X": some}))))
    cases[name] = {"X": some.tolist(), "outputs": outputs}


write("classifier", LogisticRegression(max_iter=300), flowers, species, zipmap=False)
write("classifier-of-numbers", RandomForestClassifier(2, max_depth=2, random_state=1), flowers, iris.target - 1, zipmap=False)
write("classifier-with-zipmap", LogisticRegression(max_iter=300), flowers, species)
write("classifier-without-classes", GaussianNB(), flowers, species, zipmap=False)
declared = {"slipway.task": json.dumps({"task": "binary", "probability": "probabilities"})}
write("binary", LogisticRegression(max_iter=3000), cancer.data, cancer.target, props=declared, zipmap=False)
write("regressor", LinearRegression(), diabetes.data, diabetes.target)
write("regressor-declared", LinearRegression(), diabetes.data, diabetes.target, props={"slipway.task": "regression"})
(here / "cases.json").write_text(json.dumps(cases) + "\n")
