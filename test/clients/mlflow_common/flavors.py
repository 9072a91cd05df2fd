"""Objects that users log: models of scikit-learn and ONNX, figures, tables, images, data sets."""

import json
import os
import warnings

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from .checks import check, equal

os.environ["MPLBACKEND"] = "Agg"
warnings.filterwarnings("ignore")


def named(stage, name):
    return {"name": name} if stage.is_3 else {"artifact_path": name}


def start(stage, prefix):
    mlflow.set_experiment(experiment_id=stage.experiment(prefix))
    return mlflow.start_run()


@check()
def autolog_of_scikit_learn(stage):
    data = load_iris()
    mlflow.sklearn.autolog(silent=True)
    try:
        with start(stage, "autolog") as run:
            search = GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=3).fit(data.data, data.target)
            search.score(data.data, data.target)
        with mlflow.start_run() as forest_run:
            forest = RandomForestClassifier(n_estimators=5, random_state=1).fit(data.data, data.target)
    finally:
        mlflow.sklearn.autolog(disable=True)
    parent = mlflow.get_run(run.info.run_id)
    equal(parent.data.params["best_C"], str(search.best_params_["C"]))
    assert abs(parent.data.metrics["best_cv_score"] - search.best_score_) < 1e-12
    children = stage.client.search_runs([run.info.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    equal({child.data.params["C"] for child in children}, {"0.1", "1.0"})
    trained = mlflow.get_run(forest_run.info.run_id)
    equal((trained.data.params["n_estimators"], trained.data.tags["estimator_name"]), ("5", "RandomForestClassifier"))
    equal(len(trained.inputs.dataset_inputs), 1)
    uri = f"runs:/{forest_run.info.run_id}/model"
    equal(mlflow.pyfunc.load_model(uri).predict(data.data).tolist(), forest.predict(data.data).tolist())
    assert any(item.path == "training_confusion_matrix.png" for item in stage.client.list_artifacts(forest_run.info.run_id))
    return f"{len(parent.data.params)} params, {len(trained.data.metrics)} metrics, {len(children)} children"


def onnx_model():
    from skl2onnx import to_onnx

    data = load_iris()
    features = data.data.astype(np.float32)
    classifier = LogisticRegression(max_iter=300).fit(features, data.target)
    return to_onnx(classifier, features[:1], options={"zipmap": False}, target_opset=17), features


@check()
def onnx_models_predict_the_same_after_a_round_trip(stage):
    import onnxruntime

    model, features = onnx_model()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    label, probabilities = session.run(None, {"X": features})
    name = stage.name("iris")
    with start(stage, "onnx") as run:
        info = mlflow.onnx.log_model(
            model, **named(stage, "classifier"), signature=infer_signature(features, label), registered_model_name=name
        )
    client = stage.client
    version = client.get_model_version(name, "1")
    equal((version.run_id, version.status), (run.info.run_id, "READY"))
    client.set_registered_model_alias(name, "champion", "1")
    client.transition_model_version_stage(name, "1", "Production")
    uris = [info.model_uri, f"runs:/{run.info.run_id}/classifier", f"models:/{name}/1", f"models:/{name}@champion", f"models:/{name}/Production", f"models:/{name}/latest"]
    if stage.is_3:
        uris.append(f"models:/{info.model_id}")
    for uri in uris:
        loaded = mlflow.onnx.load_model(uri)
        equal(loaded.SerializeToString(), model.SerializeToString(), uri)
        predicted = mlflow.pyfunc.load_model(uri).predict(features)
        equal(np.asarray(predicted["label"]).tolist(), label.tolist(), uri)
        equal(np.asarray(predicted["probabilities"]).tobytes(), probabilities.tobytes(), uri)
    equal(mlflow.models.get_model_info(f"models:/{name}/1").signature.inputs.to_dict()[0]["type"], "tensor")
    return f"{len(uris)} URIs"


@check()
def figures_tables_texts_and_images(stage):
    import matplotlib.pyplot as plt

    with start(stage, "things") as run:
        figure, axes = plt.subplots()
        axes.plot([1, 2, 3])
        mlflow.log_figure(figure, "plots/line.png")
        plt.close(figure)
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table(pd.DataFrame({"x": [3], "y": ["c"]}), "table.json")
        mlflow.log_dict({"deep": {"list": [1, None, "ü"]}}, "conf/some.json")
        mlflow.log_dict({"a": 1}, "conf/some.yaml")
        mlflow.log_text("naïve 🚀", "notes/text.txt")
        mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "images/black.png")
        mlflow.log_image(np.ones((4, 4, 3), dtype=np.uint8), key="progress", step=3)
        mlflow.log_param("p", 1)
    run_id = run.info.run_id
    table = mlflow.load_table("table.json", run_ids=[run_id], extra_columns=["run_id"])
    equal((list(table["x"]), list(table["y"]), set(table["run_id"])), ([1, 2, 3], ["a", "b", "c"], {run_id}))
    equal(mlflow.artifacts.load_dict(f"runs:/{run_id}/conf/some.json"), {"deep": {"list": [1, None, "ü"]}})
    equal(mlflow.artifacts.load_text(f"runs:/{run_id}/notes/text.txt"), "naïve 🚀")
    equal(mlflow.artifacts.load_image(f"runs:/{run_id}/images/black.png").size, (4, 4))
    equal(mlflow.artifacts.load_image(f"runs:/{run_id}/plots/line.png").format, "PNG")
    tags = mlflow.get_run(run_id).data.tags
    equal(json.loads(tags["mlflow.loggedArtifacts"]), [{"path": "table.json", "type": "table"}])
    equal({item.path for item in stage.client.list_artifacts(run_id)}, {"plots", "table.json", "conf", "notes", "images"})
    return "png, json, yaml, txt"


@check()
def data_sets_are_logged_as_inputs(stage):
    frame = pd.DataFrame({"a": [1, 2, 3], "target": [0, 1, 0]})
    with start(stage, "inputs") as run:
        mlflow.log_input(mlflow.data.from_pandas(frame, source="https://example.org/a.csv", name="frame", targets="target"), context="training", tags={"k": "v"})
        mlflow.log_input(mlflow.data.from_numpy(np.arange(4), name="numbers"), context="eval")
        mlflow.log_input(mlflow.data.from_pandas(frame, source="https://example.org/a.csv", name="frame", targets="target"), context="training", tags={"k": "v"})
    inputs = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    equal(sorted(item.dataset.name for item in inputs), ["frame", "numbers"])
    first = next(item for item in inputs if item.dataset.name == "frame")
    equal({tag.key: tag.value for tag in first.tags}, {"mlflow.data.context": "training", "k": "v"})
    source = mlflow.data.get_source(first.dataset)
    equal(source.to_dict()["url"] if "url" in source.to_dict() else source.to_dict()["uri"], "https://example.org/a.csv")
    equal(json.loads(first.dataset.profile)["num_rows"], 3)
    found = stage.client.search_runs([run.info.experiment_id], "dataset.name = 'frame' AND dataset.context = 'training'")
    equal([item.info.run_id for item in found], [run.info.run_id])
    return f"{len(inputs)} inputs"
