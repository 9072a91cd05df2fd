"""Requests signed and sent by MLflow itself, for test/unit/webhooks/golden.test.ts.

    python -m venv venv && venv/bin/pip install mlflow-skinny==3.17.2 sqlalchemy cachetools
    venv/bin/python test/golden/webhooks/generate.py > test/golden/webhooks/mlflow.json
"""

import json

import mlflow
from mlflow.entities.webhook import VALID_ENTITY_ACTIONS, WebhookEvent
from mlflow.webhooks.delivery import _generate_hmac_signature
from mlflow.webhooks.types import get_example_payload_for_event

BODIES = ["{}", '{"name": "m"}', '{"tags": {"ключ": "значение 🚀"}}', "x" * 5000]
SECRETS = ["s", "my_secret", "сек рет", "k" * 200]

signatures = [
    {
        "secret": secret,
        "deliveryId": f"7d9a1e6c-0000-4000-8000-{index:012d}",
        "timestamp": 1_700_000_000 + index,
        "body": body,
        "signature": _generate_hmac_signature(
            secret, f"7d9a1e6c-0000-4000-8000-{index:012d}", str(1_700_000_000 + index), body
        ),
    }
    for index, (secret, body) in enumerate((s, b) for s in SECRETS for b in BODIES)
]
examples = {
    f"{entity.value}.{action.value}": get_example_payload_for_event(WebhookEvent(entity, action))
    for entity, actions in VALID_ENTITY_ACTIONS.items()
    for action in sorted(actions)
}
print(
    json.dumps(
        {"mlflow": mlflow.__version__, "signatures": signatures, "examples": examples},
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
    )
)
