"""Artifacts: trees, odd names, large files as one PUT and in parts, deletion."""

import hashlib
import os

import mlflow
import requests
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from .checks import check, equal

LARGE_MB = int(os.environ.get("MLFLOW_CLIENT_LARGE_MB", "1024"))
# Without `#`, `?` or an encoded letter: MLflow's client does not escape names in its URLs.
NAMES = ["plain.txt", "with space.txt", "ünïcödé 🚀.txt", "100%.txt", "a+b&c=d.txt", "quo'te\".txt", "dots..txt", ".hidden", "semi;colon,comma.txt", "[x]{y}~^`.txt"]


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


@check()
def trees_are_uploaded_and_downloaded(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("tree")).info.run_id
    folder = os.path.dirname(stage.path("tree/x"))
    contents = {"a.txt": b"a", "sub/b.bin": bytes(range(256)) * 4, "sub/deep/er/c.txt": b"", "sub/deep/d.json": b"{}"}
    for name, data in contents.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        write(os.path.join(folder, name), data)
    client.log_artifacts(run_id, folder, "top")
    client.log_artifact(run_id, os.path.join(folder, "a.txt"))
    listed = lambda path=None: [(item.path, item.is_dir, item.file_size or 0) for item in client.list_artifacts(run_id, path)]
    equal(listed(), [("a.txt", False, 1), ("top", True, 0)])
    equal(listed("top"), [("top/a.txt", False, 1), ("top/sub", True, 0)])
    equal(listed("top/sub"), [("top/sub/b.bin", False, 1024), ("top/sub/deep", True, 0)])
    equal(listed("top/sub/deep/er"), [("top/sub/deep/er/c.txt", False, 0)])
    equal(listed("top/a.txt"), [], "what is in a file:")
    equal(listed("nowhere"), [])
    local = client.download_artifacts(run_id, "top")
    for name, data in contents.items():
        equal(read(os.path.join(local, name)), data, name)
    whole = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=".")
    equal(sorted(os.listdir(whole)), ["a.txt", "top"])
    equal(read(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/top/sub/b.bin")), contents["sub/b.bin"])
    client.log_artifact(run_id, write(stage.path("a.txt"), b"other"))
    equal(read(client.download_artifacts(run_id, "a.txt")), b"other", "after it was written again:")
    return f"{len(contents)} files"


@check()
def odd_names_are_unchanged(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("odd")).info.run_id
    # MLflow 2's server fails to write such a name into a header.
    names = NAMES if stage.is_3 or stage.is_ours else [name for name in NAMES if name.isascii()]
    for name in names:
        client.log_artifact(run_id, write(stage.path(name), name.encode()))
    equal(sorted(item.path for item in client.list_artifacts(run_id)), sorted(names))
    for name in names:
        equal(read(client.download_artifacts(run_id, name, os.path.dirname(stage.path("x")))), name.encode(), name)
    return f"{len(names)} names"


def large_file(stage):
    """Incompressible, with distinct blocks."""
    path, digest, seed = stage.path("large.bin"), hashlib.sha256(), os.urandom(2**20 - 8)
    with open(path, "wb") as file:
        for i in range(LARGE_MB):
            block = i.to_bytes(8, "big") + seed
            file.write(block)
            digest.update(block)
    return path, digest.hexdigest()


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def round_trip(stage, run_id):
    path, expected = large_file(stage)
    stage.client.log_artifact(run_id, path, "large")
    os.remove(path)
    listed = stage.client.list_artifacts(run_id, "large")
    equal([(item.path, item.file_size) for item in listed], [("large/large.bin", LARGE_MB * 2**20)])
    target = os.path.dirname(stage.path("x"))
    local = stage.client.download_artifacts(run_id, "large/large.bin", target)
    equal(digest_of(local), expected)
    os.remove(local)
    return f"{LARGE_MB} MB"


@check()
def a_large_file_as_one_put(stage):
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "false"
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(4 * 2**30)
    try:
        return round_trip(stage, stage.client.create_run(stage.experiment("put")).info.run_id)
    finally:
        del os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"]
        del os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"]


@check(only="ours")
def a_large_file_in_parts(stage):
    """MLflow's own server supports this only with S3, GCS or Azure storage."""
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository as Repository

    calls = []
    original = {name: getattr(Repository, name) for name in ("create_multipart_upload", "complete_multipart_upload")}
    for name, method in original.items():
        setattr(Repository, name, lambda *args, _name=name, _method=method, **kw: (calls.append(_name), _method(*args, **kw))[1])
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(5 * 2**20)
    os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = str(32 * 2**20)
    try:
        seen = round_trip(stage, stage.client.create_run(stage.experiment("parts")).info.run_id)
    finally:
        for name in ("ENABLE_PROXY_MULTIPART_UPLOAD", "MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "MULTIPART_UPLOAD_CHUNK_SIZE"):
            del os.environ[f"MLFLOW_{name}"]
        for name, method in original.items():
            setattr(Repository, name, method)
    equal(calls, ["create_multipart_upload", "complete_multipart_upload"])
    return seen


@check()
def artifacts_are_deleted(stage):
    client = stage.client
    run = client.create_run(stage.experiment("remove"))
    run_id = run.info.run_id
    for folder in ("keep", "drop"):
        client.log_artifact(run_id, write(stage.path("a.txt"), b"a"), folder)
        client.log_artifact(run_id, write(stage.path("b.txt"), b"b"), f"{folder}/sub")
    repository = get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("drop/a.txt")
    equal([item.path for item in client.list_artifacts(run_id, "drop")], ["drop/sub"])
    repository.delete_artifacts("drop")
    equal([item.path for item in client.list_artifacts(run_id)], ["keep"])
    equal([item.path for item in client.list_artifacts(run_id, "keep")], ["keep/a.txt", "keep/sub"])
    return "a file, a folder"


@check()
def paths_cannot_leave_the_run(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("escape")).info.run_id
    for path in ["../..", "..", "a/../../b", "%2e%2e/x", "%252e%252e/x"]:
        try:
            found = client.list_artifacts(run_id, path)
        except Exception as error:
            assert "INVALID_PARAMETER_VALUE" in str(error), (path, error)
        else:
            raise AssertionError(f"{path}: {found}")
    base = f"{stage.url}/api/2.0/mlflow-artifacts/artifacts"
    for path in ["..%2f..%2fetc", "%2e%2e/%2e%2e/x", "a/%252e%252e/%252e%252e/x", "a%00b"]:
        status = requests.get(f"{base}/{path}", timeout=30).status_code
        assert 400 <= status < 500 or not stage.is_ours, (path, status)
    return "refused"


@check()
def missing_artifacts_are_not_found(stage):
    client = stage.client
    run_id = client.create_run(stage.experiment("missing")).info.run_id
    try:
        client.download_artifacts(run_id, "nowhere.txt")
    except Exception as error:
        assert "5" not in str(getattr(error, "http_status_code", "")), error
        return type(error).__name__
    raise AssertionError("a file that is not there was downloaded")


@check()
def downloads_have_a_content_type(stage):
    client = stage.client
    run = client.create_run(stage.experiment("headers"))
    client.log_artifact(run.info.run_id, write(stage.path("page.html"), b"<script>1</script>"))
    path = run.info.artifact_uri.removeprefix("mlflow-artifacts:/")
    response = requests.get(f"{stage.url}/api/2.0/mlflow-artifacts/artifacts/{path}/page.html", timeout=30)
    equal(response.content, b"<script>1</script>")
    equal(response.headers["X-Content-Type-Options"], "nosniff")
    assert response.headers["Content-Disposition"].startswith("attachment"), response.headers
    return response.headers["Content-Type"]
