"""Deleted and restored: runs and experiments."""

import time

import mlflow
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
def an_experiment_takes_its_runs_along(stage):
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
def the_name_of_a_deleted_experiment_is_free(stage):
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
def a_deleted_experiment_cannot_be_set(stage):
    name = stage.name("set-deleted")
    stage.client.delete_experiment(mlflow.set_experiment(name).experiment_id)
    refused("INVALID_PARAMETER_VALUE", mlflow.set_experiment, name, words="deleted")
    return name
