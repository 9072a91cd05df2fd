"""Writes MLflow's own search results, with which ours are compared.

    <python with mlflow> test/golden/search/generate.py

`syntax.json`: filters and orders that its parsers accept or refuse. `results.json`: runs, and the ids that its SQL
store finds for each query, in order. Ids come from a counter, so that the files change only when MLflow does.
"""

import itertools
import json
import pathlib
import re
import tempfile
import uuid

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.search_logged_model_utils import parse_filter_string
from mlflow.utils.search_utils import (
    SearchExperimentsUtils,
    SearchModelUtils,
    SearchModelVersionUtils,
    SearchUtils,
)

here = pathlib.Path(__file__).parent

counter = itertools.count(1)


def next_uuid():
    number = next(counter)
    # Multiplied by an odd number, so that their order differs from that of creation.
    return uuid.UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128, version=4)


uuid.uuid4 = next_uuid

RUN_FILTERS = [
    "",
    "   ",
    "metrics.loss < 0.5",
    "metrics.loss <= 1",
    "metrics.loss > -1",
    "metrics.loss >= 1e0",
    "metrics.loss = 0.5",
    "metrics.loss != 0.5",
    "metric.loss < .5",
    "metrics.loss<0.5",
    "metrics.loss > 1.5E-3",
    "metrics.loss > -2.5",
    "metrics.`loss` < 0.5",
    'metrics."loss" < 0.5',
    "metrics.`val loss` < 0.5",
    'metrics."val loss" >= 0.5',
    "metrics.val/acc > 0",
    "metrics.`val/acc` > 0",
    "metrics.a.b.c > 0",
    "metrics.loss < 'abc'",
    "metrics.loss < '0.5'",
    "metrics.loss < 1 AND metrics.acc > 0.2",
    "metrics.loss < 1 and metrics.acc > 0.2 and params.lr = '0.1'",
    "metrics.loss LIKE '1%'",
    "metrics.loss IN (1, 2)",
    "metrics.missing = 1",
    "metrics.missing != 1",
    "metrics.odd = 0",
    "metrics.odd != 0",
    "metrics.odd > -1",
    "metrics.odd < 100",
    "metrics.odd >= 0",
    "metrics.odd > 1e300",
    "metrics.odd < -1e300",
    "params.lr = '0.1'",
    'params.lr = "0.1"',
    "param.lr = '0.1'",
    "parameter.lr != '0.1'",
    "parameters.lr != '0.1'",
    "params.lr = 0.1",
    "params.lr > '0.1'",
    "params.lr LIKE '0.%'",
    "params.lr like '0.%'",
    "params.lr ILIKE '0.%'",
    "params.`learning rate` = 'Fast'",
    'params."learning rate" = \'Fast\'',
    "params.`learning rate` LIKE 'fast'",
    "params.`learning rate` ILIKE 'fast'",
    "params.`learning rate` LIKE 'F%'",
    "params.`learning rate` LIKE '%t'",
    "params.`learning rate` LIKE '%as%'",
    "params.`learning rate` LIKE 'F_st'",
    "params.`learning rate` LIKE '____'",
    "params.`learning rate` LIKE 'F%t'",
    "params.`learning rate` LIKE '%a%s%'",
    "params.`learning rate` LIKE '%'",
    "params.`learning rate` LIKE ''",
    "params.`learning rate` ILIKE 'f%'",
    "params.`learning rate` ILIKE '%T'",
    "params.`learning rate` ILIKE '%AS%'",
    "params.`learning rate` ILIKE 'f_sT'",
    "params.`learning rate` != 'Fast'",
    "params.lr IS NULL",
    "params.lr IS NOT NULL",
    "params.lr is null",
    "params.lr is not null",
    "params.missing IS NULL",
    "params.missing IS NOT NULL",
    "params.lr IN ('0.1', '0.2')",
    "tags.team = 'red'",
    "tag.team = 'red'",
    "tags.team != 'red'",
    "tags.team = red",
    "tags.team LIKE 'r%'",
    "tags.team ILIKE 'R%'",
    "tags.team IS NULL",
    "tags.team IS NOT NULL AND metrics.loss < 1",
    "tags.mlflow.source.name = 'train.py'",
    "tags.`mlflow.source.name` = 'train.py'",
    "tags.`mlflow.source.name` ILIKE '%TRAIN%'",
    'tags."mlflow.source.name" LIKE \'%.py\'',
    "tags.empty = ''",
    "tags.empty != ''",
    "attributes.run_name = 'run 3'",
    "attribute.run_name != 'run 3'",
    "attr.run_name LIKE 'run 1%'",
    "run.run_name ILIKE 'RUN 1%'",
    "run_name = 'run 3'",
    "run_name IN ('run 1', 'run 2')",
    "attributes.`run name` = 'run 3'",
    "`run name` = 'run 3'",
    'attributes."Run Name" = \'run 3\'',
    "attributes.status = 'FINISHED'",
    "status != 'FINISHED'",
    "status LIKE 'F%'",
    "status IN ('FAILED')",
    "attributes.user_id = 'anna'",
    "attributes.user_id LIKE 'a%'",
    "attributes.artifact_uri LIKE '%artifacts'",
    "attributes.start_time > 1000",
    "attributes.start_time >= 1003 AND attributes.start_time < 1007",
    "start_time = 1003",
    "start_time != 1003",
    "attributes.created > 1005",
    "attributes.Created > 1005",
    "start_time > '1000'",
    "start_time > 1000.5",
    "end_time > 2000",
    "attributes.end_time != 2003",
    "attributes.end_time <= 2003",
    "attributes.end_time IS NULL",
    "attributes.run_name IS NULL",
    "metrics.loss IS NULL",
    "datasets.name = 'iris'",
    "dataset.name = 'iris'",
    "datasets.name != 'iris'",
    "datasets.name LIKE 'ir%'",
    "datasets.name ILIKE 'IR%'",
    "datasets.name LIKE '%i%s%'",
    "datasets.name IN ('iris', 'wine')",
    "datasets.name NOT IN ('iris')",
    "datasets.digest = 'd1'",
    "datasets.digest != 'd1'",
    "datasets.context = 'train'",
    "datasets.context != 'train'",
    "datasets.context LIKE 't%'",
    "datasets.context IN ('eval')",
    "datasets.name = 'iris' AND datasets.context = 'eval'",
    "datasets.source = 'x'",
    "attributes.run_id IN ('{0}', '{5}')",
    "attributes.run_id NOT IN ('{0}', '{5}')",
    "run_id IN ('{3}')",
    "run_id = '{3}'",
    "run_id != '{3}'",
    "run_id LIKE '{3}'",
    "run_id IN ()",
    "run_id IN ('a',)",
    "run_id IN (1, 2)",
    "run_id IN 'a'",
    "run_id NOT IN ('a') AND metrics.loss < 1",
    "foo = 'bar'",
    "foo.bar = 'baz'",
    "attributes.foo = 'bar'",
    "metrics.loss",
    "metrics.loss <",
    "metrics.loss < 0.5 0.6",
    "< 0.5",
    "0.5 > metrics.loss",
    "metrics.loss == 0.5",
    "metrics.loss <> 0.5",
    "metrics.loss =! 0.5",
    "metrics.loss < metrics.acc",
    "params.lr = 'unclosed",
    "params.`lr = 'x'",
    "params.lr ~ '0.1'",
    "params.lr = `0.1`",
    "metrics.loss < 0.5; metrics.acc > 1",
    "metrics.loss < 0.5 OR metrics.acc > 0.5",
    "(metrics.loss < 0.5)",
    "NOT metrics.loss < 0.5",
    "not(metrics.loss < 0.5)",
    "metrics.loss < 0.5 AND (metrics.acc > 0.5)",
    "tags.team NOT LIKE 'r%'",
    "metrics.loss < NaN",
    "'metrics'.loss < 0.5",
    "`metrics`.loss < 0.5",
    "metrics.loss < 0x10",
    "metrics.loss BETWEEN 0 AND 1",
    "hello world",
    "1 = 1",
    "tags.quote = 'it''s'",
    "tags.team = 'red' AND tags.team = 'blue'",
    "tags.team = 'AND'",
    "tags.team = 'a AND b'",
]

RUN_ORDERS = [
    [],
    ["metrics.loss"],
    ["metrics.loss ASC"],
    ["metrics.loss DESC"],
    ["metrics.loss desc"],
    ["metrics.odd"],
    ["metrics.odd DESC"],
    ["metrics.`val loss` DESC"],
    ['metrics."val loss"'],
    ["params.lr"],
    ["params.lr DESC"],
    ["params.`learning rate` DESC", "metrics.loss"],
    ["params.lr", "metrics.odd DESC", "tags.team"],
    ["tags.team DESC", "params.lr DESC", "metrics.loss DESC"],
    ["tags.team", "attributes.start_time"],
    ["tags.`mlflow.source.name`"],
    ["attributes.start_time"],
    ["attributes.start_time DESC"],
    ["attribute.end_time"],
    ["end_time DESC"],
    ["start_time ASC", "metrics.loss"],
    ["attributes.run_id"],
    ["run_id DESC"],
    ["attributes.status", "attributes.user_id DESC"],
    ["run_name DESC"],
    ["attributes.Created"],
    ["metrics.missing"],
    ["params.missing DESC", "metrics.odd"],
    ["metrics.loss", "metrics.loss DESC"],
    ["metrics.loss UP"],
    ["metrics.loss ASC DESC"],
    ["metrics.loss, metrics.acc"],
    ["loss"],
    ["foo.loss"],
    ["datasets.name"],
    [""],
    ["metrics."],
]

OTHERS = {
    "experiments": (
        SearchExperimentsUtils.parse_search_filter,
        [
            "name = 'a'",
            "attribute.name LIKE 'a%'",
            "attribute.name ILIKE 'a%'",
            "name != 'a'",
            "tags.team = 'red'",
            "tag.team != 'red'",
            "tags.`my.key` ILIKE 'R%'",
            "tags.team IS NULL",
            "tags.team IS NOT NULL",
            "creation_time > 1",
            "last_update_time <= 17",
            "creation_time > 'a'",
            "experiment_id = '1'",
            "experiment_id IN ('1', '2')",
            "name = 'a' AND tags.team = 'b'",
            "params.a = 'b'",
            "metrics.a = 1",
            "foo = 'a'",
            "name = a",
        ],
    ),
    "registered models": (
        SearchModelUtils.parse_search_filter,
        [
            "name = 'a'",
            "name LIKE 'a%'",
            "name ILIKE 'A%'",
            "name IN ('a', 'b')",
            "tags.team = 'red'",
            "tag.`mlflow.prompt.is_prompt` != 'true'",
            "tags.`a b` LIKE 'x%'",
            "name != 'a'",
            "run_id = 'a'",
            "metrics.a = 1",
            "name = 1",
        ],
    ),
    "model versions": (
        SearchModelVersionUtils.parse_search_filter,
        [
            "name = 'a'",
            "name LIKE 'a%'",
            "version_number = 3",
            "version_number >= 3 AND name = 'a'",
            "run_id = 'a'",
            "run_id IN ('a', 'b')",
            "source_path = 's3://x'",
            "source_path LIKE 's3%'",
            "tags.team = 'red'",
            "tag.team ILIKE 'R%'",
            "version_number = 'a'",
            "foo = 'a'",
            "metrics.a = 1",
        ],
    ),
    "logged models": (
        parse_filter_string,
        [
            "metrics.loss < 0.5",
            "params.lr = '0.1'",
            "tags.team LIKE 'r%'",
            "name = 'a'",
            "attributes.name ILIKE 'A%'",
            "attributes.creation_timestamp > 5",
            "creation_time > 5",
            "last_updated_timestamp <= 5",
            "model_id IN ('m-1', 'm-2')",
            "source_run_id = 'r' AND metrics.loss > 1e-3",
            "model_type != 'agent'",
            "metric.loss < 0.5",
            "metrics.loss LIKE 'a'",
            "params.lr > '0.1'",
            "metrics.loss < 0.5 OR metrics.loss > 2",
        ],
    ),
}


def try_it(work):
    try:
        work()
        return {"accepted": True}
    except MlflowException as error:
        # The following are sets, whose order differs each time.
        return {"accepted": False, "message": re.split("'?[{]", error.message)[0]}
    except Exception as error:  # MLflow answers these with a 500.
        return {"accepted": False, "message": repr(error)}


def main():
    nan, inf = float("nan"), float("inf")
    names = [None, "iris", "wine", "iris wine"]
    with tempfile.TemporaryDirectory() as folder:
        store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", f"{folder}/artifacts")
        experiment = store.create_experiment("golden")
        runs = []
        for index in range(48):
            tags = {"mlflow.source.name": "train.py" if index % 3 else "Eval.PY"}
            if index % 5:
                tags["team"] = ["red", "Red", "blue", "AND", "it's"][index % 5]
            if index % 7 == 0:
                tags["empty"] = ""
            if index % 9 == 0:
                tags["quote"] = "it's"
            params = {}
            if index % 4:
                params["lr"] = ["0.1", "0.2", "10"][index % 3]
            if index % 6 > 1:
                params["learning rate"] = ["Fast", "fast", "slow", "F%t", "F_st", "Fa\u00e9t"][index % 6]
            metrics = {"loss": (index % 11) / 10}
            if index % 2:
                metrics["acc"] = 1 - (index % 7) / 10
            if index % 3:
                metrics["val loss"] = index % 4 / 2
            if index % 8 != 7:
                metrics["odd"] = [0.0, nan, inf, -inf, 1.5, nan, -0.5][index % 7]
            start_time = 1000 + index // 3
            user = ["anna", "Bert", "carl"][index % 3]
            run = store.create_run(experiment, user, start_time, [], f"run {index}")
            run_id = run.info.run_id
            store.log_batch(
                run_id,
                [Metric(key, value, 1, 0) for key, value in metrics.items()],
                [Param(key, value) for key, value in params.items()],
                [RunTag(key, value) for key, value in tags.items()],
            )
            dataset = names[index % 4]
            inputs = []
            for name in dataset.split() if dataset else []:
                context = ["train", "eval"][index // 4 % 2]
                digest = f"d{index % 3}"
                inputs.append({"name": name, "digest": digest, "context": context})
            if inputs:
                store.log_inputs(
                    run_id,
                    [
                        DatasetInput(
                            Dataset(one["name"], one["digest"], "local", "source"),
                            [InputTag("mlflow.data.context", one["context"])],
                        )
                        for one in inputs
                    ],
                )
            end_time = None
            status = "RUNNING"
            if index % 4:
                status = ["FINISHED", "FAILED", "KILLED"][index % 3]
                end_time = 2000 + index % 6
                from mlflow.entities import RunStatus

                store.update_run_info(run_id, RunStatus.from_string(status), end_time, None)
            runs.append({
                "run_id": run_id,
                "name": f"run {index}",
                "user": user,
                "status": status,
                "start_time": start_time,
                "end_time": end_time,
                "artifact_uri": run.info.artifact_uri.replace(folder, ""),
                "metrics": {key: repr(value) for key, value in metrics.items()},
                "params": params,
                "tags": {**tags, "mlflow.runName": f"run {index}"},
                "datasets": inputs,
            })
        ids = [run["run_id"] for run in runs]

        def fill(text):
            for index in (0, 3, 5):
                text = text.replace("{%d}" % index, ids[index])
            return text

        def search(filter_string, order_by):
            found = store.search_runs(
                [experiment], fill(filter_string), ViewType.ACTIVE_ONLY, 1000, order_by
            )
            return [ids.index(run.info.run_id) for run in found]

        results = []
        syntax = []
        for filter_string, order_by in [
            *((text, []) for text in RUN_FILTERS),
            *(("", order) for order in RUN_ORDERS),
            *(("metrics.loss < 0.6", order) for order in RUN_ORDERS[:28]),
            *(("params.lr IS NOT NULL AND metrics.odd != 0", order) for order in RUN_ORDERS[:12]),
        ]:
            query = {"filter": fill(filter_string), "order_by": order_by}
            outcome = try_it(lambda: search(filter_string, order_by))
            syntax.append({"what": "runs", **query, **outcome})
            if outcome["accepted"]:
                results.append({**query, "found": search(filter_string, order_by)})
    for what, (parse, filters) in OTHERS.items():
        for text in filters:
            syntax.append({"what": what, "filter": text, "order_by": [], **try_it(lambda: parse(text))})
    write("syntax.json", {"mlflow": mlflow.__version__, "queries": syntax})
    write("results.json", {"mlflow": mlflow.__version__, "runs": runs, "queries": results})


def write(name, content):
    rows = json.dumps(content, indent=1, ensure_ascii=True)
    (here / name).write_text(rows + "\n")


main()
