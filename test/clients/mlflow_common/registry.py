"""Registered models, versions, aliases, stages."""

import threading
import warnings

import mlflow
from mlflow.exceptions import MlflowException

from .checks import check, equal, refused

warnings.filterwarnings("ignore")


def run_with_artifact(stage):
    run_id = stage.client.create_run(stage.experiment("source")).info.run_id
    path = stage.path("weights.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("weights")
    stage.client.log_artifact(run_id, path, "model")
    return run_id, f"runs:/{run_id}/model"


def new_version(stage, name, run_id=None, **kwargs):
    source = "mlflow-artifacts:/1/abc/artifacts/model"
    if run_id is None:
        run_id, _ = run_with_artifact(stage)
        source = f"{stage.client.get_run(run_id).info.artifact_uri}/model"
    return stage.client.create_model_version(name, source, run_id, await_creation_for=0, **kwargs)


@check()
def models_are_created_changed_and_renamed(stage):
    client, name = stage.client, stage.name("Model ümlaut & co")
    model = client.create_registered_model(name, tags={"a": "1"}, description="first")
    equal((model.name, model.description, model.tags), (name, "first", {"a": "1"}))
    refused("RESOURCE_ALREADY_EXISTS", client.create_registered_model, name)
    refused("INVALID_PARAMETER_VALUE", client.create_registered_model, "")
    client.update_registered_model(name, "second")
    client.set_registered_model_tag(name, "b", "2" * 5000)
    client.delete_registered_model_tag(name, "a")
    model = client.get_registered_model(name)
    equal((model.description, model.tags), ("second", {"b": "2" * 5000}))
    renamed = f"{name} renamed"
    new_version(stage, name)
    client.rename_registered_model(name, renamed)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, name)
    equal(client.get_registered_model(renamed).tags, {"b": "2" * 5000})
    equal(client.get_model_version(renamed, "1").name, renamed)
    client.delete_registered_model(renamed)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, renamed)
    refused("RESOURCE_DOES_NOT_EXIST", client.delete_registered_model, renamed)
    client.create_registered_model(name)
    equal(client.search_model_versions(f"name = '{name}'"), [])
    return name


@check()
def versions_count_up(stage):
    client, name = stage.client, stage.name("counting")
    client.create_registered_model(name)
    run_id, source = run_with_artifact(stage)
    uri = f"{client.get_run(run_id).info.artifact_uri}/model"
    first = client.create_model_version(name, uri, run_id, tags={"k": "v"}, description="one", await_creation_for=5)
    equal((str(first.version), first.status, first.run_id), ("1", "READY", run_id))
    equal((first.tags, first.description, first.current_stage, first.source), ({"k": "v"}, "one", "None", uri))
    equal(str(new_version(stage, name).version), "2")
    client.delete_model_version(name, "2")
    refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version, name, "2")
    equal(str(new_version(stage, name).version), "3", "a number is never given twice:")
    client.update_model_version(name, "1", "changed")
    client.set_model_version_tag(name, "1", "k", "w")
    client.set_model_version_tag(name, "1", "x", "y")
    client.delete_model_version_tag(name, "1", "x")
    version = client.get_model_version(name, "1")
    equal((version.description, version.tags), ("changed", {"k": "w"}))
    equal(client.get_model_version_download_uri(name, "1"), uri)
    refused("RESOURCE_DOES_NOT_EXIST", client.create_model_version, "nowhere at all", uri, run_id)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version, name, "99")
    refused("INVALID_PARAMETER_VALUE", client.get_model_version, name, "one")
    with open(mlflow.artifacts.download_artifacts(f"models:/{name}/1/weights.txt"), encoding="utf-8") as file:
        equal(file.read(), "weights")
    with open(mlflow.artifacts.download_artifacts(f"{source}/weights.txt"), encoding="utf-8") as file:
        equal(file.read(), "weights")
    return "1, 3"


@check()
def racing_clients_get_different_numbers(stage):
    client, name, numbers = stage.client, stage.name("racing"), []
    client.create_registered_model(name)
    run_id, _ = run_with_artifact(stage)
    uri = f"{client.get_run(run_id).info.artifact_uri}/model"

    def work():
        for _ in range(4):
            try:
                numbers.append(int(client.create_model_version(name, uri, run_id, await_creation_for=0).version))
            except MlflowException as error:  # counted below
                numbers.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(numbers, key=str), sorted(range(1, 17), key=str))
    return "16 versions by 4 threads"


@check()
def aliases_move(stage):
    client, name = stage.client, stage.name("aliases")
    client.create_registered_model(name)
    for _ in range(3):
        new_version(stage, name)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "challenger", "2")
    client.set_registered_model_alias(name, "champion", "3")
    equal(str(client.get_model_version_by_alias(name, "champion").version), "3")
    equal({k: str(v) for k, v in client.get_registered_model(name).aliases.items()}, {"champion": "3", "challenger": "2"})
    equal(client.get_model_version(name, "3").aliases, ["champion"])
    equal(client.get_model_version(name, "1").aliases, [])
    client.delete_registered_model_alias(name, "challenger")
    refused("INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, name, "challenger", words="challenger")
    for reserved in ["latest", "LATEST", "v1", "V20", "", "a" * 256]:
        refused("INVALID_PARAMETER_VALUE", client.set_registered_model_alias, name, reserved, "1")
    refused("RESOURCE_DOES_NOT_EXIST", client.set_registered_model_alias, name, "other", "9")
    client.delete_model_version(name, "3")
    if stage.is_3 or stage.is_ours:  # MLflow 2's server keeps a dangling alias
        refused("INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, name, "champion")
        equal(client.get_registered_model(name).aliases, {})
    return "champion 1 → 3"


@check()
def stages_move_and_archive(stage):
    client, name = stage.client, stage.name("stages")
    client.create_registered_model(name)
    for _ in range(3):
        new_version(stage, name)
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "production", archive_existing_versions=True)
    client.transition_model_version_stage(name, "3", "STAGING")
    equal([client.get_model_version(name, str(v)).current_stage for v in (1, 2, 3)], ["Archived", "Production", "Staging"])
    latest = {v.current_stage: str(v.version) for v in client.get_latest_versions(name)}
    equal(latest, {"Archived": "1", "Production": "2", "Staging": "3"})
    equal([str(v.version) for v in client.get_latest_versions(name, ["Production"])], ["2"])
    refused("INVALID_PARAMETER_VALUE", client.transition_model_version_stage, name, "1", "Nowhere")
    # MLflow's own server answers INTERNAL_ERROR here, which its client would retry for minutes.
    code = "INVALID_PARAMETER_VALUE" if stage.is_ours else "INTERNAL_ERROR"
    refused(code, client.transition_model_version_stage, name, "1", "None", archive_existing_versions=True)
    refused("RESOURCE_DOES_NOT_EXIST", client.transition_model_version_stage, name, "9", "Staging")
    return "None → Staging → Production → Archived"


@check()
def a_version_is_promoted_to_another_model(stage):
    client, source, target = stage.client, stage.name("dev"), stage.name("prod")
    client.create_registered_model(source)
    version = new_version(stage, source, tags={"checked": "yes"})
    copied = client.copy_model_version(f"models:/{source}/1", target)
    equal((copied.name, str(copied.version), copied.source), (target, "1", f"models:/{source}/1"))
    equal((copied.run_id, copied.tags), (version.run_id, {"checked": "yes"}))
    client.set_registered_model_alias(target, "production", copied.version)
    again = client.copy_model_version(f"models:/{source}/1", target)
    client.set_registered_model_alias(target, "production", again.version)
    equal(str(client.get_model_version_by_alias(target, "production").version), "2")
    equal(client.get_model_version_download_uri(target, "1"), version.source)
    with open(mlflow.artifacts.download_artifacts(f"models:/{target}@production/weights.txt"), encoding="utf-8") as file:
        equal(file.read(), "weights")
    return f"{source} → {target}"


@check()
def models_are_searched(stage):
    client, prefix = stage.client, stage.name("find")
    names = [f"{prefix}-{i}" for i in range(5)]
    for i, name in enumerate(names):
        client.create_registered_model(name, tags={"kind": f"k{i % 2}"} if i else None)
    client.update_registered_model(names[1], "changed")

    def find(text, **kwargs):
        return [model.name for model in client.search_registered_models(text, **kwargs)]

    equal(find(f"name LIKE '{prefix}%'"), names)
    equal(find(f"name ILIKE '{prefix.upper()}%'"), names)
    equal(find(f"name = '{names[3]}'"), [names[3]])
    equal(find(f"name LIKE '{prefix}%' AND name != '{names[0]}'"), names[1:])
    equal(find(f"name LIKE '{prefix}%' AND tags.kind = 'k1'"), [names[1], names[3]])
    equal(find(f"name LIKE '{prefix}%' AND tag.kind ILIKE 'K%'"), names[1:])
    equal(find(f"name LIKE '{prefix}%'", order_by=["name DESC"]), names[::-1])
    equal(find(f"name LIKE '{prefix}%'", order_by=["last_updated_timestamp DESC"])[0], names[1])
    joined, token = [], None
    while True:
        page = client.search_registered_models(f"name LIKE '{prefix}%'", max_results=2, page_token=token)
        joined += [model.name for model in page]
        token = page.token
        if not token:
            break
    equal(joined, names)
    refused("INVALID_PARAMETER_VALUE", client.search_registered_models, "nothing = 'x'")
    refused("INVALID_PARAMETER_VALUE", client.search_registered_models, "name > 'x'")
    refused("INVALID_PARAMETER_VALUE", client.search_registered_models, max_results=1_000_001)
    return "name, tags, order, pages"


@check()
def versions_are_searched(stage):
    client, name = stage.client, stage.name("find-versions")
    client.create_registered_model(name)
    versions = [new_version(stage, name, tags={"n": str(i), "odd": str(i % 2)}) for i in range(5)]

    def find(text, **kwargs):
        text = f"name = '{name}'" + (f" AND {text}" if text else "")
        return [int(version.version) for version in client.search_model_versions(text, **kwargs)]

    equal(sorted(find("")), [1, 2, 3, 4, 5])
    equal(find("", order_by=["version_number DESC"]), [5, 4, 3, 2, 1])
    equal(find("", order_by=["version_number ASC"]), [1, 2, 3, 4, 5])
    equal(sorted(find("tags.odd = '1'")), [2, 4])
    equal(find("tags.n LIKE '3%'"), [4])
    equal(find(f"run_id = '{versions[2].run_id}'"), [3])
    equal(sorted(find(f"run_id IN ('{versions[0].run_id}', '{versions[4].run_id}')")), [1, 5])
    equal(find(f"source_path = '{versions[1].source}'"), [2])
    equal(sorted(find("version_number > 3")), [4, 5])
    equal(sorted(find("version_number <= 2 AND tags.odd != '1'")), [1])
    everywhere = client.search_model_versions(f"run_id = '{versions[2].run_id}'")
    equal([(v.name, int(v.version)) for v in everywhere], [(name, 3)])
    joined, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{name}'", max_results=2, order_by=["version_number"], page_token=token)
        joined += [int(version.version) for version in page]
        token = page.token
        if not token:
            break
    equal(joined, [1, 2, 3, 4, 5])
    refused("INVALID_PARAMETER_VALUE", client.search_model_versions, "nothing = 'x'")
    return "name, run_id, source_path, version_number, tags"


@check(only="ours")
def every_change_is_in_the_audit_log(stage):
    import requests

    client, name = stage.client, stage.name("audited")
    client.create_registered_model(name)
    new_version(stage, name)
    client.set_registered_model_alias(name, "champion", "1")
    response = requests.get(f"{stage.url}/api/v1/audit", {"model": name, "limit": 100}, timeout=30)
    events = response.json()["items"]
    equal({event["subject"]["model"] for event in events}, {name})
    equal(len(events), 3, f"{[event['action'] for event in events]}:")
    timeline = requests.get(f"{stage.url}/api/v1/timeline", {"model": name}, timeout=30).json()
    equal([(alias["alias"], int(alias["version"])) for alias in timeline["aliases"]], [("champion", 1)])
    return ", ".join(event["action"] for event in events)
