"""Experiments, runs, params, tags and metrics."""

import math
import multiprocessing
import threading
import time

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType

from .checks import check, equal, refused


@check()
def the_default_experiment_exists(stage):
    experiment = stage.client.get_experiment("0")
    equal(experiment.name, "Default")
    equal(stage.client.get_experiment_by_name("Default").experiment_id, "0")
    return experiment.artifact_location


@check()
def experiments_are_created_found_renamed_and_tagged(stage):
    client, name = stage.client, stage.name("experiment")
    experiment_id = client.create_experiment(name, tags={"team": "blue", "π": "3"})
    experiment = client.get_experiment(experiment_id)
    equal((experiment.name, experiment.lifecycle_stage), (name, "active"))
    equal(experiment.tags, {"team": "blue", "π": "3"})
    equal(experiment.artifact_location, f"mlflow-artifacts:/{experiment_id}")
    assert experiment.creation_time <= experiment.last_update_time
    client.rename_experiment(experiment_id, f"{name}-renamed")
    client.set_experiment_tag(experiment_id, "team", "red")
    assert client.get_experiment_by_name(name) is None
    found = client.get_experiment_by_name(f"{name}-renamed")
    equal((found.experiment_id, found.tags["team"]), (experiment_id, "red"))
    refused("RESOURCE_ALREADY_EXISTS", client.create_experiment, f"{name}-renamed")
    refused("RESOURCE_DOES_NOT_EXIST", client.get_experiment, "123456789")
    return experiment_id


@check()
def set_experiment_creates_one_for_racing_clients(stage):
    name, ids = stage.name("race"), []
    threads = [threading.Thread(target=lambda: ids.append(mlflow.set_experiment(name).experiment_id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal((len(ids), len(set(ids))), (8, 1))
    return ids[0]


@check()
def runs_nest(stage):
    mlflow.set_experiment(experiment_id=stage.experiment("nested"))
    with mlflow.start_run(run_name="parent", description="the whole") as parent:
        children = []
        for i in range(3):
            with mlflow.start_run(nested=True, tags={"part": str(i)}) as child:
                mlflow.log_metric("score", i)
                with mlflow.start_run(nested=True, run_name=f"grandchild-{i}"):
                    pass
                children.append(child.info.run_id)
    run = mlflow.get_run(parent.info.run_id)
    equal((run.info.status, run.info.run_name), ("FINISHED", "parent"))
    equal((run.data.tags["mlflow.runName"], run.data.tags["mlflow.note.content"]), ("parent", "the whole"))
    assert run.info.start_time <= run.info.end_time
    found = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'", output_format="list")
    equal({child.info.run_id for child in found}, set(children))
    return f"{len(children)} children and their own"


@check()
def a_run_that_raises_has_failed(stage):
    mlflow.set_experiment(experiment_id=stage.experiment("failed"))
    try:
        with mlflow.start_run() as run:
            raise ArithmeticError("on purpose")
    except ArithmeticError:
        pass
    ended = mlflow.get_run(run.info.run_id)
    equal(ended.info.status, "FAILED")
    with mlflow.start_run(run_id=run.info.run_id):
        equal(mlflow.get_run(run.info.run_id).info.status, "RUNNING")
    equal(mlflow.get_run(run.info.run_id).info.status, "FINISHED")
    return "FAILED, then resumed and FINISHED"


@check()
def run_name_and_its_tag_agree(stage):
    client = stage.client
    run = client.create_run(stage.experiment("names"))
    assert run.info.run_name and run.data.tags["mlflow.runName"] == run.info.run_name, run.data.tags
    client.set_tag(run.info.run_id, "mlflow.runName", "by tag")
    equal(client.get_run(run.info.run_id).info.run_name, "by tag")
    client.update_run(run.info.run_id, status="FINISHED", name="by update")
    updated = client.get_run(run.info.run_id)
    equal((updated.data.tags["mlflow.runName"], updated.info.status), ("by update", "FINISHED"))
    return run.info.run_name


@check()
def params_are_written_once(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("params")).info.run_id
    client.log_param(run_id, "rate", 0.1)
    client.log_param(run_id, "rate", 0.1)
    refused("INVALID_PARAMETER_VALUE", client.log_param, run_id, "rate", 0.2, words="rate")
    client.log_param(run_id, "long", "x" * 6000)
    client.log_param(run_id, "a/b c.d-e_f", "")
    for key in ["..", "a//b", "/a", "./b", "sp\nace", "k" * 251]:
        refused("INVALID_PARAMETER_VALUE", client.log_param, run_id, key, 1)
    params = client.get_run(run_id).data.params
    equal(params, {"rate": "0.1", "long": "x" * 6000, "a/b c.d-e_f": ""})
    return f"{len(params)} params"


@check()
def keys_may_be_names_of_javascript_members(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("keys")).info.run_id
    keys = ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "0", "valueOf"]
    client.log_batch(
        run_id,
        metrics=[Metric(key, i + 0.5, 1, 0) for i, key in enumerate(keys)],
        params=[Param(key, f"p-{key}") for key in keys],
        tags=[RunTag(key, f"t-{key}") for key in keys],
    )
    data = client.get_run(run_id).data
    equal(data.params, {key: f"p-{key}" for key in keys})
    equal(data.metrics, {key: i + 0.5 for i, key in enumerate(keys)})
    equal({key: data.tags[key] for key in keys}, {key: f"t-{key}" for key in keys})
    for key in keys:
        equal([point.value for point in client.get_metric_history(run_id, key)], [keys.index(key) + 0.5])
    return f"{len(keys)} keys"


@check()
def tags_are_changed_and_deleted(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("tags"), tags={"first": "1"}).info.run_id
    client.set_tag(run_id, "second", "two")
    client.set_tag(run_id, "second", "zwei")
    client.set_tag(run_id, "long", "y" * 8000)
    client.delete_tag(run_id, "first")
    refused("RESOURCE_DOES_NOT_EXIST", client.delete_tag, run_id, "first")
    tags = client.get_run(run_id).data.tags
    equal((tags["second"], len(tags["long"]), "first" in tags), ("zwei", 8000, False))
    return f"{len(tags)} tags"


@check()
def metrics_keep_history_and_the_latest(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("metrics")).info.run_id
    for value, timestamp, step in [(1.0, 10, 0), (3.0, 30, 2), (2.0, 20, 1), (2.5, 25, 2), (-1.0, 5, -3), (9.0, 30, 2)]:
        client.log_metric(run_id, "loss", value, timestamp, step)
    equal(client.get_run(run_id).data.metrics, {"loss": 9.0})
    points = [(point.timestamp, point.step, point.value) for point in client.get_metric_history(run_id, "loss")]
    equal(points, [(5, -3, -1.0), (10, 0, 1.0), (20, 1, 2.0), (25, 2, 2.5), (30, 2, 3.0), (30, 2, 9.0)])
    client.log_metric(run_id, "loss", 1.0, 10, 0)
    equal(len(client.get_metric_history(run_id, "loss")), 6, "points after the same again")
    equal(client.get_metric_history(run_id, "other"), [])
    return f"{len(points)} points"


@check()
def metrics_may_be_nan_or_infinite(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("special")).info.run_id
    values = {"nan": math.nan, "up": math.inf, "down": -math.inf, "large": 1.7976931348623157e308, "tiny": 5e-324}
    for key, value in values.items():
        client.log_metric(run_id, key, value)
    seen = client.get_run(run_id).data.metrics
    history = {key: client.get_metric_history(run_id, key)[0].value for key in values}
    if not stage.is_ours:  # MLflow's own server stores infinities as the largest numbers
        values |= {"up": 1.7976931348623157e308, "down": -1.7976931348623157e308}
    for key, value in values.items():
        for got in (seen[key], history[key]):
            assert got == value or (math.isnan(got) and math.isnan(value)), (key, got, value)
    return f"{seen}"


@check()
def batches_larger_than_the_limits_are_split_by_the_client(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("batch")).info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(f"m{i % 50}", i, i, i) for i in range(2500)],
        params=[Param(f"p{i}", str(i)) for i in range(250)],
        tags=[RunTag(f"t{i}", str(i)) for i in range(250)],
    )
    data = client.get_run(run_id).data
    equal((len(data.metrics), len(data.params)), (50, 250))
    equal(data.metrics, {f"m{i}": 2450.0 + i for i in range(50)})
    equal({k: v for k, v in data.tags.items() if k[0] == "t"}, {f"t{i}": str(i) for i in range(250)})
    return "2500 metrics, 250 params, 250 tags"


@check()
def a_hundred_thousand_points(stage):
    client, keys, per_key = stage.client, 10, 10_000
    run_id = client.create_run(stage.experiment("100k")).info.run_id
    started = time.monotonic()
    for first in range(0, per_key, 100):
        client.log_batch(
            run_id,
            metrics=[Metric(f"k{key}", math.sin(i) * key, 1000 + i, i) for i in range(first, first + 100) for key in range(keys)],
        )
    logged_s = time.monotonic() - started
    for key in range(keys):
        points = client.get_metric_history(run_id, f"k{key}")
        expected = [(1000 + i, i, math.sin(i) * key) for i in range(per_key)]
        equal(len(points), per_key)
        assert [(p.timestamp, p.step, p.value) for p in points] == expected, f"k{key} differs"
    latest = client.get_run(run_id).data.metrics
    equal(latest, {f"k{key}": math.sin(per_key - 1) * key for key in range(keys)})
    return f"logged in {logged_s:.1f} s, read in {time.monotonic() - started - logged_s:.1f} s"


@check()
def threads_on_one_run_lose_nothing(stage):
    client, threads, each = stage.client, 8, 60
    run_id = client.create_run(stage.experiment("threads")).info.run_id
    errors = []

    def work(thread):
        try:
            for i in range(each):
                client.log_metric(run_id, "shared", thread * each + i, timestamp=i, step=i)
                client.log_metric(run_id, f"own-{thread}", i, timestamp=i, step=i)
                if i % 10 == 0:
                    client.log_param(run_id, f"p-{thread}-{i}", i)
                    client.set_tag(run_id, f"t-{thread}-{i}", i)
        except Exception as error:  # shown below
            errors.append(error)

    run_together(work, threads)
    assert not errors, errors[0]
    equal(sorted(p.value for p in client.get_metric_history(run_id, "shared")), [float(i) for i in range(threads * each)])
    data = client.get_run(run_id).data
    equal((len(data.params), sum(key.startswith("t-") for key in data.tags)), (threads * each // 10,) * 2)
    equal({data.metrics[f"own-{thread}"] for thread in range(threads)}, {each - 1.0})
    return f"{threads} threads, {2 * threads * each} points"


@check()
def processes_each_with_nested_runs(stage):
    experiment_id, parent = stage.experiment("processes"), None
    parent = stage.client.create_run(experiment_id).info.run_id
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        run_ids = pool.starmap(log_in_a_process, [(stage.url, experiment_id, parent, i) for i in range(6)])
    found = stage.client.search_runs([experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'")
    equal({run.info.run_id for run in found}, set(run_ids))
    shared = stage.client.get_metric_history(parent, "shared")
    equal(sorted(point.value for point in shared), [float(i) for i in range(60)])
    return f"{len(found)} children of 3 processes"


def log_in_a_process(url, experiment_id, parent, number):
    client = MlflowClient(url)
    run = client.create_run(experiment_id, tags={"mlflow.parentRunId": parent}, run_name=f"process-{number}")
    for i in range(10):
        client.log_metric(run.info.run_id, "own", i, step=i)
        client.log_metric(parent, "shared", number * 10 + i, step=i)
    client.set_terminated(run.info.run_id)
    return run.info.run_id


@check()
def logging_in_the_background(stage):
    mlflow.set_experiment(experiment_id=stage.experiment("async"))
    with mlflow.start_run() as run:
        for i in range(300):
            mlflow.log_metric("loss", i, step=i, synchronous=False)
        mlflow.log_params({f"p{i}": i for i in range(20)}, synchronous=False)
        mlflow.set_tag("late", "yes", synchronous=False)
    mlflow.flush_async_logging()
    data = mlflow.get_run(run.info.run_id).data
    equal((len(data.params), data.tags["late"], data.metrics["loss"]), (20, "yes", 299.0))
    equal(len(stage.client.get_metric_history(run.info.run_id, "loss")), 300)
    return "300 points"


@check()
def statuses(stage):
    client, experiment_id = stage.client, stage.experiment("statuses")
    for status in ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]:
        run_id = client.create_run(experiment_id).info.run_id
        client.update_run(run_id, status=status)
        equal(client.get_run(run_id).info.status, status)
    killed = client.search_runs([experiment_id], "attributes.status = 'KILLED'", ViewType.ALL)
    equal([run.info.status for run in killed], [RunStatus.to_string(RunStatus.KILLED)])
    return "five"


def run_together(work, count):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
