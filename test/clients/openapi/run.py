"""Checks the platform against its OpenAPI document.

    python run.py <base URL>

The document must be valid OpenAPI 3.1 by an independent validator; then every GET is requested with the names
of the demo's objects, and each answer must fit the schema and status in the document.
"""

import sys
import time

import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

base = sys.argv[1].rstrip("/")
names = {"dataset": "flights", "version": "0", "pipeline": "late-flights", "model": "late-flights", "alias": "production"}
passed, failures = 0, []


def check(ok, what):
    global passed
    if ok:
        passed += 1
    else:
        failures.append(what)


def fits(schema, value, document):
    return [e.message for e in Draft202012Validator({**schema, "components": document["components"]}).iter_errors(value)]


document = requests.get(f"{base}/openapi.json", timeout=30).json()
errors = [e.message for e in OpenAPIV31SpecValidator(document).iter_errors()]
check(not errors, f"not valid OpenAPI 3.1: {errors[:3]}")

operations = [(p, m, o) for p, methods in document["paths"].items() for m, o in methods.items()]
ids = [o["operationId"] for _, _, o in operations]
check(len(ids) == len(set(ids)), "two operations share an id")
check(all(o["x-role"] and o["x-auth-level"] for _, _, o in operations), "an operation states no role or authLevel")

version = requests.get(f"{base}/api/v1/models/late-flights/versions/1", timeout=30).json()
tracked = {"runId": version["lineage"]["trackingRunId"]}
tracked["experimentId"] = requests.get(f"{base}/api/v1/tracking/experiments", timeout=30).json()["items"][0]["experimentId"]
hook = {"name": "openapi", "url": "https://example.com/hook", "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}]}
webhook = requests.post(f"{base}/api/2.0/mlflow/webhooks", json=hook, timeout=30).json()["webhook"]["webhook_id"]
query = {"run": tracked["runId"], "metric": "aucScore", "model": "late-flights", "at": "2040-01-01T00:00:00Z"}

rows = f"{base}/api/v1/datasets/openapi"
requests.put(f"{rows}/settings", json={"maxBadFraction": 0.5, "columns": [{"name": "n", "type": "int64"}]}, timeout=30)
requests.put(f"{rows}/files/one-is-bad.csv", data="n\n1\nx\n2\n", timeout=30)
deadline = time.monotonic() + 60


def wait_for(what, look):
    while not (found := look()):
        if time.monotonic() > deadline:
            raise SystemExit(f"FAILED no {what} within 60 s\n0 passed, 1 failed")
        time.sleep(0.2)
    return found


quarantined = wait_for("quarantined row", lambda: requests.get(f"{rows}/quarantine", timeout=30).json()["items"])
quarantine = {"dataset": "openapi", "quarantineId": quarantined[0]["quarantineId"]}

requests.put(f"{rows}/files/one-more.csv", data="n\n3\n", timeout=30)
wait_for("second version", lambda: requests.get(f"{rows}/versions/1/schema", timeout=30).ok)

run_id = requests.get(f"{base}/api/v1/runs?limit=1", timeout=30).json()["items"][0]["runId"]
for path, method, operation in operations:
    # MLflow's two routes at the root return files, and errors in MLflow's shape; MLflow's clients check those.
    if method != "get" or path.endswith("get-artifact"):
        continue
    values = {**names, "runId": run_id, "webhookId": webhook}
    if path.startswith("/api/v1/tracking"):
        values.update(tracked)
    if "/quarantine/" in path:
        values.update(quarantine)
    if path.startswith("/api/v1/models"):
        values["version"] = "1"
    if "/diff/" in path:
        values.update({"dataset": "openapi", "version": "1"})
    needed = {q["name"]: query[q["name"]] for q in operation.get("parameters", []) if q["in"] == "query" and q.get("required")}
    response = requests.get(
        base + path.format(**values), params=needed, headers={"accept": "application/json"}, timeout=30
    )
    promised = operation["responses"].get(str(response.status_code))
    check(promised is not None and response.status_code == 200, f"GET {path} answered {response.status_code}")
    schema = ((promised or {}).get("content") or {}).get("application/json", {}).get("schema")
    if schema:
        errors = fits(schema, response.json(), document)
        check(not errors, f"GET {path} does not fit its schema: {errors[:3]}")

# Errors have the documented shape, too.
for path in ["/api/v1/datasets/none", "/api/v1/runs/none", "/api/v1/runs?limit=0"]:
    response = requests.get(base + path, timeout=30)
    errors = fits(document["components"]["schemas"]["Problem"], response.json(), document)
    check(not errors and 400 <= response.status_code < 500, f"GET {path}: {errors[:3]}")

for failure in failures:
    print(f"FAILED {failure}")
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
