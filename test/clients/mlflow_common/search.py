"""Search: every filter is compared with a plain Python predicate over the same runs."""

import math
import re
import time

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType

from .checks import Skip, check, equal, refused

MODELS = ["ridge", "Lasso", "tree", "Ridge 50%_x"]
NOTES = ["plain", "it's", 'say "hi"', "50% off", "a_b", "naïve 🚀", "back\\slash"]


class World:
    """Runs that differ in every searchable field."""

    def __init__(self, stage):
        client = stage.client
        self.experiment_id = stage.experiment("search")
        self.records = []
        for i in range(14):
            run = client.create_run(
                self.experiment_id, start_time=1000 + i // 2, run_name=f"Run-{i}", tags={"mlflow.user": f"user{i % 3}"}
            )
            record = {
                "id": run.info.run_id,
                "i": i,
                "name": f"Run-{i}",
                "start": 1000 + i // 2,
                "end": 5000 + i,
                "status": ["FINISHED", "FAILED", "KILLED"][i % 3],
                "user": f"user{i % 3}",
                "metrics": {"acc": i / 10, "m/a b": -i} | ({} if i == 11 else {"loss": math.nan if i == 3 else (i * 7) % 5}),
                "params": {"model": MODELS[i % 4]} | ({"depth": str(i % 3)} if i % 2 else {}),
                "tags": {"note": NOTES[i % 7]} | ({"team": f"t{i % 2}", "a.b c": "dotted"} if i % 3 else {}),
                "data": (f"data{i % 2}", f"digest{i % 3}", ["train", "eval"][i % 2]),
            }
            client.log_batch(
                record["id"],
                metrics=[Metric(k, v, 10, 0) for k, v in record["metrics"].items()],
                params=[Param(k, v) for k, v in record["params"].items()],
                tags=[RunTag(k, v) for k, v in record["tags"].items()],
            )
            name, digest, context = record["data"]
            client.log_inputs(
                record["id"],
                [DatasetInput(Dataset(name, digest, "local", f"file:{name}"), [InputTag("mlflow.data.context", context)])],
            )
            client.set_terminated(record["id"], record["status"], end_time=record["end"])
            self.records.append(record)


worlds = {}


def world_of(stage):
    if stage.url not in worlds:
        worlds[stage.url] = World(stage)
    return worlds[stage.url]


def like(text, pattern, flags=0):
    parts = {"%": ".*", "_": "."}
    return text is not None and bool(re.fullmatch("".join(parts.get(c, re.escape(c)) for c in pattern), text, flags | re.S))


def m(record, key="loss"):
    return record["metrics"].get(key, math.nan)


def p(record, key):
    return record["params"].get(key)


def t(record, key):
    return record["tags"].get(key)


# Each filter with its meaning. NaN only satisfies != here; a missing key never matches.
FILTERS = [
    ("metrics.acc = 0.5", lambda r: m(r, "acc") == 0.5),
    ("metrics.acc != 0.5", lambda r: m(r, "acc") != 0.5),
    ("metrics.acc > 0.5", lambda r: m(r, "acc") > 0.5),
    ("metrics.acc >= 0.5", lambda r: m(r, "acc") >= 0.5),
    ("metrics.acc < 0.5", lambda r: m(r, "acc") < 0.5),
    ("metric.acc <= 0.5", lambda r: m(r, "acc") <= 0.5),
    ("metrics.loss > 2", lambda r: m(r) > 2),
    ("metrics.`m/a b` > -3", lambda r: m(r, "m/a b") > -3),
    ('metrics."m/a b" = -4.0', lambda r: m(r, "m/a b") == -4),
    ("metrics.acc > 5e-1", lambda r: m(r, "acc") > 0.5),
    ("params.model = 'ridge'", lambda r: p(r, "model") == "ridge"),
    ("params.model != 'ridge'", lambda r: p(r, "model") != "ridge"),
    ("params.depth != '1'", lambda r: p(r, "depth") not in (None, "1")),
    ("param.model LIKE 'r%'", lambda r: like(p(r, "model"), "r%")),
    ("parameters.model ILIKE 'R%'", lambda r: like(p(r, "model"), "R%", re.I)),
    ("params.model LIKE '%i_ge%'", lambda r: like(p(r, "model"), "%i_ge%")),
    ("params.model LIKE 'ridge'", lambda r: p(r, "model") == "ridge"),
    ('params."model" = "tree"', lambda r: p(r, "model") == "tree"),
    ("tags.team = 't1'", lambda r: t(r, "team") == "t1"),
    ("tag.team != 't1'", lambda r: t(r, "team") not in (None, "t1")),
    ("tags.note LIKE '%50\\%%'", None),
    ("tags.note LIKE 'a_b'", lambda r: like(t(r, "note"), "a_b")),
    ("tags.note ILIKE 'NA%'", lambda r: like(t(r, "note"), "NA%", re.I)),
    ("tags.note = 'naïve 🚀'", lambda r: t(r, "note") == "naïve 🚀"),
    ('tags.note = "it\'s"', lambda r: t(r, "note") == "it's"),
    ("tags.`a.b c` = 'dotted'", lambda r: t(r, "a.b c") == "dotted"),
    ("tags.`mlflow.user` = 'user1'", lambda r: r["user"] == "user1"),
    ("tags.mlflow.runName = 'Run-3'", lambda r: r["i"] == 3),
    ("attributes.status = 'FINISHED'", lambda r: r["status"] == "FINISHED"),
    ("attribute.status != 'FINISHED'", lambda r: r["status"] != "FINISHED"),
    ("attr.status LIKE 'F%'", lambda r: r["status"][0] == "F"),
    ("status ILIKE 'k%'", lambda r: r["status"] == "KILLED"),
    ("run.status = 'FAILED'", lambda r: r["status"] == "FAILED"),
    ("attributes.run_name = 'Run-7'", lambda r: r["i"] == 7),
    ("run_name LIKE 'Run-1%'", lambda r: like(r["name"], "Run-1%")),
    ("attributes.`run name` = 'Run-2'", lambda r: r["i"] == 2),
    ("attributes.user_id = 'user2'", None),
    ("start_time > 1003", lambda r: r["start"] > 1003),
    ("attributes.start_time <= 1002", lambda r: r["start"] <= 1002),
    ("end_time >= 5010", lambda r: r["end"] >= 5010),
    ("attributes.end_time != 5001", lambda r: r["end"] != 5001),
    ("datasets.name = 'data1'", lambda r: r["data"][0] == "data1"),
    ("dataset.digest = 'digest2'", lambda r: r["data"][1] == "digest2"),
    ("datasets.context = 'train'", lambda r: r["data"][2] == "train"),
    ("datasets.name LIKE 'data%' and dataset.digest ILIKE 'DIGEST1'", lambda r: r["data"][1] == "digest1"),
    ("datasets.name IN ('data1', 'none')", lambda r: r["data"][0] == "data1"),
    ("datasets.digest NOT IN ('digest0')", lambda r: r["data"][1] != "digest0"),
    ("metrics.acc > 0.2 AND params.model = 'ridge' and status = 'KILLED'", lambda r: m(r, "acc") > 0.2 and p(r, "model") == "ridge" and r["status"] == "KILLED"),
    ("metrics.acc > 0.2 and metrics.acc <= 0.8 and tags.team = 't0'", lambda r: 0.2 < m(r, "acc") <= 0.8 and t(r, "team") == "t0"),
    ("", lambda r: True),
]
# Not supported by MLflow 2's server.
NEWER_FILTERS = [
    ("params.depth IS NULL", lambda r: p(r, "depth") is None),
    ("params.depth IS NOT NULL", lambda r: p(r, "depth") is not None),
    ("tags.team IS NULL AND metrics.acc < 0.7", lambda r: t(r, "team") is None and m(r, "acc") < 0.7),
    ("tags.team IS NOT NULL", lambda r: t(r, "team") is not None),
]
# Not supported by any MLflow server. As in SQL, a comparison with a missing value is unknown, also under NOT.
OUR_FILTERS = [
    ("metrics.acc < 0.2 OR metrics.acc > 1.1", lambda r: m(r, "acc") < 0.2 or m(r, "acc") > 1.1),
    ("(params.model = 'ridge' OR params.model = 'tree') AND metrics.acc > 0.5", lambda r: p(r, "model") in ("ridge", "tree") and m(r, "acc") > 0.5),
    ("NOT (params.model = 'ridge')", lambda r: p(r, "model") != "ridge"),
    ("NOT tags.team = 't1' AND params.model ILIKE '%DG%'", lambda r: t(r, "team") not in (None, "t1") and like(p(r, "model"), "%DG%", re.I)),
    ("metrics.loss IS NULL", lambda r: "loss" not in r["metrics"]),
    ("metrics.loss < 1", lambda r: m(r) < 1),
    ("params.depth = '0' OR status = 'FAILED' AND metrics.acc > 0.6", lambda r: p(r, "depth") == "0" or (r["status"] == "FAILED" and m(r, "acc") > 0.6)),
]


def compare(stage, filters):
    world, seen = world_of(stage), 0
    wrong = []
    for text, predicate in filters:
        if predicate is None:
            continue
        try:
            found = {run.info.run_id for run in stage.client.search_runs([world.experiment_id], text)}
        except Exception as error:
            wrong.append(f"{text}: {str(error)[:160]}")
            continue
        expected = {r["id"] for r in world.records if predicate(r)}
        if found != expected:
            by_id = {r["id"]: r["i"] for r in world.records}
            wrong.append(f"{text}: {sorted(by_id[i] for i in found)}, not {sorted(by_id[i] for i in expected)}")
        seen += 1
    assert not wrong, f"{len(wrong)} of {len(filters)}: " + " | ".join(wrong)
    return f"{seen} filters"


@check()
def filters_find_what_a_plain_predicate_finds(stage):
    return compare(stage, FILTERS)


@check()
def newer_filters(stage):
    if not stage.is_3 and not stage.is_ours:
        raise Skip("MLflow 2's server does not know IS NULL")
    return compare(stage, NEWER_FILTERS)


@check(only="ours")
def or_not_and_parentheses(stage):
    return compare(stage, OUR_FILTERS)


@check()
def runs_by_id(stage):
    world = world_of(stage)
    ids = [r["id"] for r in world.records]
    quoted = ", ".join(f"'{run_id}'" for run_id in ids[:3])
    find = lambda text: {run.info.run_id for run in stage.client.search_runs([world.experiment_id], text)}
    equal(find(f"attributes.run_id IN ({quoted})"), set(ids[:3]))
    equal(find(f"run_id NOT IN ({quoted})"), set(ids[3:]))
    equal(find(f"attributes.run_id = '{ids[5]}'"), {ids[5]})
    equal(find(f"artifact_uri LIKE '%{ids[6]}%'"), {ids[6]})
    return "IN, NOT IN, =, artifact_uri"


@check()
def orders(stage):
    world = world_of(stage)
    by_default = lambda r: (-r["start"], r["id"])

    def metric_key(key, sign):
        def rank(r):
            value = r["metrics"].get(key)
            if value is None:
                return (2, 0)
            return (1, 0) if math.isnan(value) else (0, sign * value)

        return rank

    def text_key(get, reverse=False):
        values = sorted({get(r) for r in world.records if get(r) is not None}, reverse=reverse)
        return lambda r: (1, 0) if get(r) is None else (0, values.index(get(r)))

    cases = [
        ([], lambda r: ()),
        (["metrics.loss"], metric_key("loss", 1)),
        (["metrics.loss ASC"], metric_key("loss", 1)),
        (["metrics.loss DESC"], metric_key("loss", -1)),
        (["metrics.acc desc"], metric_key("acc", -1)),
        (["params.depth"], text_key(lambda r: p(r, "depth"))),
        (["params.depth DESC"], text_key(lambda r: p(r, "depth"), True)),
        (["tags.team", "metrics.acc DESC"], lambda r: (text_key(lambda s: t(s, "team"))(r), metric_key("acc", -1)(r))),
        (["attributes.start_time"], lambda r: (r["start"],)),
        (["end_time DESC"], lambda r: (-r["end"],)),
        (["status", "start_time ASC", "attributes.end_time DESC"], lambda r: (r["status"], r["start"], -r["end"])),
        (["`metrics`.`m/a b` DESC"], metric_key("m/a b", -1)),
        (["params.nowhere"], lambda r: ()),
    ]
    for order_by, key in cases:
        found = [run.info.run_id for run in stage.client.search_runs([world.experiment_id], order_by=order_by)]
        expected = [r["id"] for r in sorted(world.records, key=lambda r: (key(r), by_default(r)))]
        index = {r["id"]: r["i"] for r in world.records}
        equal([index[i] for i in found], [index[i] for i in expected], f"{order_by}:")
    return f"{len(cases)} orders"


@check()
def pages_cover_everything_once(stage):
    world, pages_seen = world_of(stage), 0
    for order_by in [[], ["metrics.loss DESC"], ["params.depth"], ["tags.team DESC", "metrics.loss"]]:
        for text in ["", "metrics.acc > 0.15"]:
            whole = [run.info.run_id for run in stage.client.search_runs([world.experiment_id], text, order_by=order_by)]
            joined, token = [], None
            while True:
                page = stage.client.search_runs([world.experiment_id], text, max_results=3, order_by=order_by, page_token=token)
                joined += [run.info.run_id for run in page]
                pages_seen += 1
                assert len(page) <= 3
                token = page.token
                if not token:
                    break
            equal(joined, whole, f"{order_by} {text}:")
    return f"{pages_seen} pages"


@check()
def a_data_frame_of_runs(stage):
    world = world_of(stage)
    frame = mlflow.search_runs([world.experiment_id], "metrics.acc >= 0", order_by=["metrics.acc"], max_results=50)
    equal(list(frame["run_id"]), [r["id"] for r in world.records])
    equal(list(frame["metrics.acc"]), [r["metrics"]["acc"] for r in world.records])
    equal(list(frame["params.model"]), [r["params"]["model"] for r in world.records])
    equal([None if value is None or value != value else value for value in frame["params.depth"]], [p(r, "depth") for r in world.records])
    equal(list(frame["status"]), [r["status"] for r in world.records])
    equal(math.isnan(frame["metrics.loss"][11]) and math.isnan(frame["metrics.loss"][3]), True)
    equal(str(frame["start_time"].dtype).startswith("datetime64"), True)
    equal(len(mlflow.search_runs([world.experiment_id], max_results=4)), 4)
    equal(len(mlflow.search_runs([world.experiment_id], "metrics.acc > 99")), 0)
    return f"{frame.shape[0]} rows, {frame.shape[1]} columns"


@check()
def several_experiments_at_once(stage):
    world, other = world_of(stage), stage.experiment("other")
    late = stage.client.create_run(other, start_time=1003).info.run_id
    found = [run.info.run_id for run in stage.client.search_runs([world.experiment_id, other], order_by=["start_time DESC"])]
    equal(len(found), len(world.records) + 1)
    tied = {late} | {r["id"] for r in world.records if r["start"] == 1003}
    before = sum(r["start"] > 1003 for r in world.records)
    equal(found[before : before + 3], sorted(tied), "ties across experiments")
    joined, token = [], None
    while True:
        page = stage.client.search_runs([world.experiment_id, other], max_results=4, order_by=["start_time DESC"], page_token=token)
        joined += [run.info.run_id for run in page]
        token = page.token
        if not token:
            break
    equal(joined, found)
    equal(stage.client.search_runs([other], "metrics.acc > 0"), [])
    return f"{len(found)} runs of two"


@check()
def meaningless_filters_are_refused(stage):
    world = world_of(stage)
    texts = ["metrics.acc", "metrics.acc >", "acc > 1 AND", "metrics.acc > 'x'", "params.model = 5", "nothing.a = 'b'", "status > 'A'", "metrics.acc LIKE 'a'", "params.model = ridge", "foo = 'bar'", "run_id IN ()", "params.model = 'open"]
    if stage.is_ours:  # MLflow's own server reads only a part of these
        texts += ["metrics.acc > 0.1 metrics.acc < 1", "tags.a = 'b' AND AND tags.c = 'd'"]
    for text in texts:
        try:
            refused("INVALID_PARAMETER_VALUE", stage.client.search_runs, [world.experiment_id], text)
        except AssertionError as error:
            raise AssertionError(f"{text}: {error}") from None
    refused("INVALID_PARAMETER_VALUE", stage.client.search_runs, [world.experiment_id], order_by=["nothing.x"])
    refused("INVALID_PARAMETER_VALUE", stage.client.search_runs, [world.experiment_id], max_results=50_001)
    return f"{len(texts)} texts"


@check()
def experiments(stage):
    client, prefix = stage.client, stage.name("find")
    ids = [client.create_experiment(f"{prefix}-{i}", tags={"kind": f"k{i % 2}", "n": str(i)}) for i in range(5)]
    client.set_experiment_tag(ids[1], "n", "changed")
    time.sleep(0.01)
    client.rename_experiment(ids[1], f"{prefix}-1-")
    client.delete_experiment(ids[4])

    def find(text, **kwargs):
        text = f"name LIKE '{prefix}%'" + (f" AND {text}" if text else "")
        return [experiment.experiment_id for experiment in client.search_experiments(filter_string=text, **kwargs)]

    equal(set(find("")), set(ids[:4]))
    equal(find("", order_by=["name ASC"]), ids[:4])
    equal(find("", order_by=["name DESC"]), ids[3::-1])
    equal(find("", order_by=["last_update_time DESC"])[0], ids[1])
    equal(set(find("tags.kind = 'k1'")), {ids[1], ids[3]})
    equal(set(find("tag.kind != 'k1'")), {ids[0], ids[2]})
    equal(set(find("tags.n ILIKE 'CH%'")), {ids[1]})
    equal(set(find(f"name != '{prefix}-0'")), set(ids[1:4]))
    equal(set(find("creation_time > 0")), set(ids[:4]))
    equal(find("", view_type=ViewType.DELETED_ONLY), [ids[4]])
    equal(set(find("", view_type=ViewType.ALL)), set(ids))
    upper = prefix.upper()
    equal(len(client.search_experiments(filter_string=f"name ILIKE '{upper}%'")), 4)
    joined, token = [], None
    while True:
        page = client.search_experiments(filter_string=f"name LIKE '{prefix}%'", max_results=3, order_by=["name"], page_token=token)
        joined += [experiment.experiment_id for experiment in page]
        token = page.token
        if not token:
            break
    equal(joined, ids[:4])
    refused("INVALID_PARAMETER_VALUE", client.search_experiments, filter_string="nothing = 'x'")
    return "operators, orders, pages"
