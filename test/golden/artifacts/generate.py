"""Writes golden.json: MLflow's own results for paths and names of artifacts.

Run with a Python that has mlflow 3.17: python test/golden/artifacts/generate.py
"""

import json
import pathlib

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.server.handlers import _content_disposition_attachment
from mlflow.utils.mime_type_utils import _guess_mime_type
from mlflow.utils.uri import validate_path_is_safe

PATHS = [
    "a", "a/b.txt", "a b/c+d", "100%", "100%/x", "%", "%%", "%zz", "a%20b", "a%2520b", "a%252520b", "ü/日本語/😀",
    "%C3%BC", "%c3%28", "%c4", "caf%c3", "a?b=c", "a&b;c", "q%3Fx", "it's", "(1) [2] {3}", "a:b", "key=value", "~x",
    "dog%step%20%timestamp%100%b3c1.png", "dog%step%1%timestamp%17300%c4f5.png", "dog+step+20", "...a/b", "..a", "a..",
    "..", "../x", "a/..", "a/../b", "a/b/../../../c", "%2e%2e/x", "%2E%2E%2fx", "%252e%252e%252fx", "a/%25252e%25252e/b",
    "..%2fx", "a/..%2f..%2fb", "/etc/passwd", "%2fetc/passwd", "%252fetc", "C:/x", "c:\\x", "C%3A/x", "\\\\host\\share",
    "file:///etc/passwd", "file:/etc/passwd", "a#b", "a%23b", "a%2523b",
]
NAMES = [
    "a.txt", "b.pkl", "c.png", "d.pdf", "MLmodel", "MLproject", "mlproject", "conda.yaml", "x.json", "x.html", "x.svg",
    "x.jpeg", "x.JPG", "x.csv", "x.tar", "x.tar.gz", "x.zip", "x.webp", "x.gif", "x.mp4", "x.onnx", "x.parquet", "x.npz",
    "noextension", "x.unknown", "x.h5", "x.wav", "x.css", "x.js", "x.py", "x.ipynb", "x.bmp", "x.tiff", ".log", "a b.txt",
    'quo"te.txt', "back\\slash", "dog+step+20+timestamp+100.png", "ünï.txt", "日本語.txt", "日本語", "semi;colon", "it's (1).txt",
    "a,b.txt", "100%.txt", "a=b.txt", "a/b", "[x]{y}", "a@b.txt", "a:b",
]


def safe(path):
    try:
        return validate_path_is_safe(path)
    except MlflowException:
        return None


golden = {
    "mlflow": mlflow.__version__,
    "paths": [{"given": path, "path": safe(path)} for path in PATHS],
    "names": [
        {"name": name, "type": _guess_mime_type(name), "disposition": _content_disposition_attachment(name)}
        for name in NAMES
    ],
}
target = pathlib.Path(__file__).with_name("golden.json")
target.write_text(json.dumps(golden, indent=2, ensure_ascii=False) + "\n")
