"""Webhooks: creation, test, signed delivery, retries."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .checks import Skip, check, equal, refused, wait_until

SECRET = "a secret of the receiver"


class Receiver:
    """A server that records its requests; the first `failures` posts are answered with 503."""

    def __init__(self, failures=0):
        self.posts, self.failures = [], failures
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fails = receiver.failures > 0
                receiver.failures -= 1
                receiver.posts.append((dict(self.headers), body, not fails))
                self.send_response(503 if fails else 200)
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()

    def bodies(self):
        return [json.loads(body) for _, body, accepted in self.posts if accepted]


def header(headers, name):
    return {key.lower(): value for key, value in headers.items()}.get(name.lower())


def verify(headers, body):
    delivery, timestamp = header(headers, "X-MLflow-Delivery-Id"), header(headers, "X-MLflow-Timestamp")
    signed = f"{delivery}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    equal(header(headers, "X-MLflow-Signature"), f"v1,{expected}")


def supported(stage):
    if not hasattr(stage.client, "create_webhook"):
        raise Skip("this MLflow has no webhooks")


@check()
def they_are_created_changed_and_deleted(stage):
    supported(stage)
    client, name = stage.client, stage.name("hook")
    hook = client.create_webhook(name, "https://example.com/hook", ["registered_model.created", "model_version.created"], description="d", secret=SECRET)
    equal((hook.name, hook.url, hook.description, str(hook.status)), (name, "https://example.com/hook", "d", "ACTIVE"))
    equal(sorted(str(event) for event in hook.events), ["model_version.created", "registered_model.created"])
    equal(hook.secret, None)
    changed = client.update_webhook(hook.webhook_id, description="e", status="DISABLED", events=["model_version_alias.created"])
    equal((changed.description, str(changed.status), [str(e) for e in changed.events]), ("e", "DISABLED", ["model_version_alias.created"]))
    assert hook.webhook_id in [other.webhook_id for other in client.list_webhooks(max_results=100)]
    refused("INVALID_PARAMETER_VALUE", client.create_webhook, stage.name("hook"), "no url", ["model_version.created"])
    refused("INVALID_PARAMETER_VALUE", client.create_webhook, stage.name("hook"), "ftp://example.com", ["model_version.created"])
    client.delete_webhook(hook.webhook_id)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_webhook, hook.webhook_id)
    return hook.webhook_id


@check()
def they_are_tested(stage):
    supported(stage)
    with Receiver() as receiver:
        hook = stage.client.create_webhook(stage.name("hook"), receiver.url, ["model_version.created"], secret=SECRET)
        result = stage.client.test_webhook(hook.webhook_id)
        equal((result.success, result.response_status), (True, 200))
        headers, body, _ = receiver.posts[0]
        verify(headers, body)
        sent = json.loads(body)
        equal((sent["entity"], sent["action"]), ("model_version", "created"))
        stage.client.delete_webhook(hook.webhook_id)
    return sorted(sent["data"])


@check()
def changes_of_the_registry_are_delivered_and_signed(stage):
    supported(stage)
    client, name = stage.client, stage.name("hooked")
    events = ["registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted"]
    with Receiver() as receiver:
        hook = client.create_webhook(stage.name("hook"), receiver.url, events, secret=SECRET)
        client.create_registered_model(name, tags={"a": "b"}, description="d")
        run_id = client.create_run(stage.experiment("hooked")).info.run_id
        client.create_model_version(name, client.get_run(run_id).info.artifact_uri, run_id, await_creation_for=0)
        client.set_model_version_tag(name, "1", "k", "v")
        client.delete_model_version_tag(name, "1", "k")
        client.set_registered_model_alias(name, "champion", "1")
        client.delete_registered_model_alias(name, "champion")
        mine = lambda: {f"{b['entity']}.{b['action']}": b["data"] for b in receiver.bodies() if b["data"].get("name") == name}
        wait_until(lambda: len(mine()) == len(events), f"delivery of all: {sorted(mine())}")
        for headers, body, _ in receiver.posts:
            verify(headers, body)
        data = mine()
        client.delete_webhook(hook.webhook_id)
    equal(data["registered_model.created"], {"name": name, "tags": {"a": "b"}, "description": "d"})
    version = data["model_version.created"]
    equal((version["version"], version["run_id"]), ("1", run_id))
    equal(data["model_version_tag.set"], {"name": name, "version": "1", "key": "k", "value": "v"})
    equal(data["model_version_tag.deleted"], {"name": name, "version": "1", "key": "k"})
    equal(data["model_version_alias.created"], {"name": name, "alias": "champion", "version": "1"})
    equal(data["model_version_alias.deleted"], {"name": name, "alias": "champion"})
    return f"{len(data)} kinds"


@check()
def a_failed_delivery_is_retried(stage):
    supported(stage)
    client, name = stage.client, stage.name("repeated")
    with Receiver(failures=2) as receiver:
        hook = client.create_webhook(stage.name("hook"), receiver.url, ["registered_model.created"], secret=SECRET)
        client.create_registered_model(name)
        wait_until(receiver.bodies, "delivery after two failures", 90)
        client.delete_webhook(hook.webhook_id)
        equal(receiver.bodies()[0]["data"]["name"], name)
    return f"{len(receiver.posts)} posts"
