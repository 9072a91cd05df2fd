"""Prompts, which are registered models with a tag."""

import mlflow

from .checks import check, equal


def api():
    return mlflow.genai if hasattr(getattr(mlflow, "genai", None), "register_prompt") else mlflow


@check()
def prompts_are_registered_and_loaded(stage):
    name, prompts = stage.name("prompt"), api()
    first = prompts.register_prompt(name=name, template="Hello {{name}}", commit_message="first", tags={"a": "b"})
    second = prompts.register_prompt(name=name, template="Good day, {{name}}")
    equal((int(first.version), int(second.version)), (1, 2))
    equal(prompts.load_prompt(f"prompts:/{name}/1").template, "Hello {{name}}")
    equal(prompts.load_prompt(name, version=2).format(name="you"), "Good day, you")
    prompts.set_prompt_alias(name, "best", 1)
    equal(int(prompts.load_prompt(f"prompts:/{name}@best").version), 1)
    prompts.delete_prompt_alias(name, "best")
    found = [model.name for model in stage.client.search_registered_models()]
    assert name not in found, "a prompt is listed as a model"
    return name


@check()
def searches_separate_models_and_prompts(stage):
    name = stage.name("beside")
    stage.client.create_registered_model(name)
    api().register_prompt(name=f"{name}-prompt", template="x")
    found = [model.name for model in stage.client.search_registered_models(f"name LIKE '{name}%'")]
    equal(found, [name])
    return found[0]
