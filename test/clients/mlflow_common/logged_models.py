"""Logged models, new in MLflow 3."""

import mlflow
from mlflow import MlflowClient

from .checks import check, equal, refused


class Model(mlflow.pyfunc.PythonModel if hasattr(mlflow.pyfunc, "PythonModel") else object):
    def predict(self, model_input: list[int], params=None):
        return [value * 2 for value in model_input]


@check(only="mlflow3")
def they_are_created_read_changed_and_deleted(stage):
    client, experiment_id = stage.client, stage.experiment("logged")
    run_id = client.create_run(experiment_id).info.run_id
    model = client.create_logged_model(experiment_id, "first", run_id, tags={"a": "1"}, params={"p": "x" * 300, "constructor": "y"}, model_type="agent")
    equal((model.name, model.status.value if hasattr(model.status, "value") else model.status, model.source_run_id), ("first", "PENDING", run_id))
    assert model.model_id.startswith("m-") and len(model.model_id) == 34, model.model_id
    equal(model.artifact_location, f"mlflow-artifacts:/{experiment_id}/models/{model.model_id}/artifacts")
    client.finalize_logged_model(model.model_id, "READY")
    client.set_logged_model_tags(model.model_id, {"a": "2", "b": "3"})
    client.delete_logged_model_tag(model.model_id, "a")
    client.log_model_params(model.model_id, {"later": "z"})
    read = client.get_logged_model(model.model_id)
    equal((str(read.status), read.tags, read.model_type), ("READY", {"b": "3"}, "agent"))
    equal(read.params, {"p": "x" * 300, "constructor": "y", "later": "z"})
    refused("RESOURCE_DOES_NOT_EXIST", client.get_logged_model, f"m-{'0' * 32}")
    refused("INVALID_PARAMETER_VALUE", client.create_logged_model, experiment_id, "a/b")
    client.delete_logged_model(model.model_id)
    equal(client.search_logged_models([experiment_id]), [])
    return model.model_id


@check(only="mlflow3")
def metrics_belong_to_the_model_and_the_run(stage):
    client, experiment_id = stage.client, stage.experiment("model-metrics")
    run_id = client.create_run(experiment_id).info.run_id
    model = client.create_logged_model(experiment_id, "measured", run_id)
    client.log_metric(run_id, "acc", 0.5, step=1, dataset_name="d", dataset_digest="1", model_id=model.model_id)
    client.log_metric(run_id, "acc", 0.75, step=2, dataset_name="d", dataset_digest="1", model_id=model.model_id)
    client.log_metric(run_id, "acc", 0.25, step=1, dataset_name="e", dataset_digest="2", model_id=model.model_id)
    metrics = {(m.key, m.value, m.step, m.dataset_name, m.dataset_digest, m.run_id, m.model_id) for m in client.get_logged_model(model.model_id).metrics}
    assert ("acc", 0.75, 2, "d", "1", run_id, model.model_id) in metrics, metrics
    assert ("acc", 0.25, 1, "e", "2", run_id, model.model_id) in metrics, metrics
    equal(client.get_run(run_id).data.metrics, {"acc": 0.75})
    return f"{len(metrics)} metrics"


@check(only="mlflow3")
def they_are_searched(stage):
    client, experiment_id = stage.client, stage.experiment("find-models")
    run_id = client.create_run(experiment_id).info.run_id
    models = []
    for i in range(6):
        model = client.create_logged_model(experiment_id, f"m{i}", run_id, tags={"odd": str(i % 2)}, params={"depth": str(i)})
        client.log_metric(run_id, "acc", i / 10, step=i, dataset_name="a", dataset_digest="1", model_id=model.model_id)
        client.log_metric(run_id, "acc", 1 - i / 10, step=i, dataset_name="b", dataset_digest="2", model_id=model.model_id)
        if i < 3:
            client.finalize_logged_model(model.model_id, "READY")
        models.append(model)

    def find(text=None, **kwargs):
        return [model.name for model in client.search_logged_models([experiment_id], filter_string=text, **kwargs)]

    equal(find(), [f"m{i}" for i in range(6)][::-1], "newest first:")
    equal(find("name = 'm3'"), ["m3"])
    equal(sorted(find("name LIKE 'm%' AND params.depth = '2'")), ["m2"])
    equal(sorted(find("tags.odd = '1'")), ["m1", "m3", "m5"])
    if stage.is_ours:  # MLflow's own server compares with a number that it does not return
        equal(sorted(find("status = 'READY'")), ["m0", "m1", "m2"])
    equal(sorted(find("metrics.acc >= 0.4", datasets=[{"dataset_name": "a", "dataset_digest": "1"}])), ["m4", "m5"])
    equal(sorted(find("metrics.acc > 0.8", datasets=[{"dataset_name": "b", "dataset_digest": "2"}])), ["m0", "m1"])
    if stage.is_ours:  # over REST, MLflow's own server reads a missing digest as an empty one
        equal(sorted(find("metrics.acc >= 0.4", datasets=[{"dataset_name": "a"}])), ["m4", "m5"])
    order = lambda name, ascending: [{"field_name": "metrics.acc", "ascending": ascending, "dataset_name": name, "dataset_digest": {"a": "1", "b": "2"}[name]}]
    equal(find(order_by=order("a", True)), [f"m{i}" for i in range(6)])
    equal(find(order_by=order("b", True)), [f"m{i}" for i in range(6)][::-1])
    equal(find(order_by=[{"field_name": "creation_time", "ascending": True}]), [f"m{i}" for i in range(6)])
    joined, token = [], None
    while True:
        page = client.search_logged_models([experiment_id], max_results=4, page_token=token)
        joined += [model.name for model in page]
        token = page.token
        if not token:
            break
    equal(joined, [f"m{i}" for i in range(6)][::-1])
    refused("INVALID_PARAMETER_VALUE", client.search_logged_models, [experiment_id], "nothing.x = 'y'")
    return "filters, datasets, orders, pages"


@check(only="mlflow3")
def a_model_is_logged_as_an_output_and_loaded(stage):
    mlflow.set_experiment(experiment_id=stage.experiment("output"))
    with mlflow.start_run() as run:
        info = mlflow.pyfunc.log_model(name="doubler", python_model=Model(), params={"factor": 2}, step=3)
    model = mlflow.get_logged_model(info.model_id)
    equal((model.name, model.source_run_id, str(model.status), model.params["factor"]), ("doubler", run.info.run_id, "READY", "2"))
    outputs = mlflow.get_run(run.info.run_id).outputs.model_outputs
    equal([(output.model_id, output.step) for output in outputs], [(info.model_id, 3)])
    for uri in [f"models:/{info.model_id}", f"runs:/{run.info.run_id}/doubler"]:
        equal(mlflow.pyfunc.load_model(uri).predict([1, 2]), [2, 4], uri)
    paths = [item.path for item in MlflowClient().list_logged_model_artifacts(info.model_id)]
    assert "MLmodel" in paths, paths
    with mlflow.start_run() as second:
        mlflow.log_metric("score", 1.0, model_id=info.model_id)
    inputs = mlflow.get_run(second.info.run_id).inputs
    registered = mlflow.register_model(f"models:/{info.model_id}", stage.name("from-logged"), await_registration_for=5)
    equal(str(registered.version), "1")
    equal(mlflow.pyfunc.load_model(f"models:/{registered.name}/1").predict([4]), [8])
    assert stage.client.get_model_version(registered.name, "1").model_id in (info.model_id, None)
    return f"{info.model_id}, {len(inputs.model_inputs)} inputs"


@check(only="mlflow3")
def external_models_and_the_active_one(stage):
    mlflow.set_experiment(experiment_id=stage.experiment("external"))
    model = mlflow.create_external_model(name="elsewhere", params={"a": "b"})
    equal(str(model.status), "READY")
    active = mlflow.set_active_model(name=stage.name("active"))
    equal(mlflow.get_active_model_id(), active.model_id)
    mlflow.clear_active_model()
    frame = mlflow.search_logged_models([model.experiment_id])
    equal(set(frame["model_id"]), {model.model_id, active.model_id})
    return f"{len(frame)} models"
