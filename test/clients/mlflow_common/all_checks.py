"""Every module of checks: a new one is a file and a line here."""

MODULES = [
    "tracking",
    "search",
    "lifecycle",
    "registry",
    "flavors",
    "artifacts",
    "logged_models",
    "prompts",
    "webhooks",
]
