"""Runs and experiments: deletion, restore and purge."""

import mlflow
import requests
from mlflow.entities import Metric, ViewType

from .checks import check, equal, refused


@check()
def runs_are_deleted_and_restored(stage):
    client, experiment_id = stage.client, stage.experiment("delete")
    run_id = client.create_run(experiment_id).info.run_id
    client.log_metric(run_id, "a", 1)
    client.delete_run(run_id)
    equal(client.get_run(run_id).info.lifecycle_stage, "deleted")
    refused("INVALID_PARAMETER_VALUE", client.log_metric, run_id, "a", 2)
    refused("INVALID_PARAMETER_VALUE", client.log_param, run_id, "a", 2)
    refused("INVALID_PARAMETER_VALUE", client.set_tag, run_id, "a", 2)
    refused("INVALID_PARAMETER_VALUE", client.log_batch, run_id, metrics=[Metric("a", 1, 1, 1)])
    seen = lambda view: [run.info.run_id for run in client.search_runs([experiment_id], run_view_type=view)]
    equal((seen(ViewType.ACTIVE_ONLY), seen(ViewType.DELETED_ONLY), seen(ViewType.ALL)), ([], [run_id], [run_id]))
    client.restore_run(run_id)
    client.log_metric(run_id, "a", 2, step=1)
    equal((client.get_run(run_id).info.lifecycle_stage, client.get_run(run_id).data.metrics), ("active", {"a": 2.0}))
    return run_id


@check()
def an_experiment_is_deleted_with_its_runs(stage):
    client, name = stage.client, stage.name("gone")
    experiment_id = client.create_experiment(name)
    run_id = client.create_run(experiment_id).info.run_id
    client.delete_experiment(experiment_id)
    equal(client.get_experiment(experiment_id).lifecycle_stage, "deleted")
    equal(client.get_experiment_by_name(name).experiment_id, experiment_id)
    equal(client.get_run(run_id).info.lifecycle_stage, "deleted")
    refused("INVALID_PARAMETER_VALUE", client.create_run, experiment_id)
    equal([run.info.run_id for run in client.search_runs([experiment_id], run_view_type=ViewType.ACTIVE_ONLY)], [])
    client.restore_experiment(experiment_id)
    equal(client.get_experiment(experiment_id).lifecycle_stage, "active")
    equal(client.get_run(run_id).info.lifecycle_stage, "active")
    client.log_metric(run_id, "after", 1)
    return experiment_id


@check(only="ours")
def the_name_of_a_deleted_experiment_is_reusable(stage):
    client, name = stage.client, stage.name("again")
    first = client.create_experiment(name)
    client.delete_experiment(first)
    second = client.create_experiment(name)
    assert first != second
    equal(client.get_experiment_by_name(name).experiment_id, second)
    refused("RESOURCE_ALREADY_EXISTS", client.restore_experiment, first)
    client.rename_experiment(second, f"{name}-other")
    client.restore_experiment(first)
    equal(client.get_experiment_by_name(name).experiment_id, first)
    return f"{first}, then {second}"


@check()
def a_deleted_experiment_cannot_be_active(stage):
    name = stage.name("set-deleted")
    stage.client.delete_experiment(mlflow.set_experiment(name).experiment_id)
    refused("INVALID_PARAMETER_VALUE", mlflow.set_experiment, name, words="deleted")
    return name


@check(only="ours")
def deleted_objects_are_purged_unless_a_version_needs_them(stage):
    client, name = stage.client, stage.name("trash")
    experiment_id = client.create_experiment(name)
    lost, needed = [client.create_run(experiment_id) for _ in range(2)]
    path = stage.path("weights.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("weights")
    for run in (lost, needed):
        client.log_artifact(run.info.run_id, path, "model")
        client.log_metric(run.info.run_id, "a", 1)
    model = stage.name("needs")
    client.create_registered_model(model)
    client.create_model_version(model, f"{needed.info.artifact_uri}/model", needed.info.run_id, await_creation_for=0)
    trash = f"{stage.url}/api/v1/trash"
    refuse = requests.delete(f"{trash}/runs/{lost.info.run_id}", timeout=60)
    assert refuse.status_code in (400, 404, 409, 412), f"a run that is not deleted: {refuse.status_code}"
    client.delete_experiment(experiment_id)
    listed = {item["subject"]["id"]: item for item in trash_of(trash)}
    equal(listed[experiment_id]["goes"], False)
    equal(requests.post(f"{trash}/collect", json={"dryRun": True}, timeout=60).status_code, 200)
    equal(client.get_run(lost.info.run_id).data.metrics, {"a": 1.0}, "after the dry run:")
    removed = requests.delete(f"{trash}/experiments/{experiment_id}", timeout=200)
    equal(removed.status_code, 200, removed.text)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_run, lost.info.run_id)
    with open(mlflow.artifacts.download_artifacts(f"models:/{model}/1/weights.txt"), encoding="utf-8") as file:
        equal(file.read(), "weights", "what a version needs:")
    client.delete_registered_model(model)
    again = requests.delete(f"{trash}/experiments/{experiment_id}", timeout=200)
    equal(again.status_code, 200, again.text)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_run, needed.info.run_id)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_experiment, experiment_id)
    files = requests.get(f"{stage.url}/api/2.0/mlflow-artifacts/artifacts", params={"path": experiment_id}, timeout=30)
    equal(files.json().get("files", []), [])
    return f"{len(removed.json()['removed'])} removed, {len(removed.json()['kept'])} kept, {len(again.json()['removed'])} later"


def trash_of(url):
    items, cursor = [], None
    while True:
        page = requests.get(url, params={"limit": 50} | ({"cursor": cursor} if cursor else {}), timeout=60).json()
        items += page["items"]
        cursor = page.get("cursor")
        if not cursor:
            return items
