"""Golden values of the metrics in shared/core/stats, from scikit-learn and SciPy.

Run: python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1
     venv/bin/python generate.py > metrics.json
"""

import json

import numpy as np
from scipy.special import expit, log1p
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)


def calibration_error(labels, probabilities, bins=10):
    """Guo et al. 2017, equation 3, by the means of each bin (shared/core/stats sums instead)."""
    index = np.minimum(bins - 1, np.floor(probabilities * bins).astype(int))
    error = 0.0
    for b in range(bins):
        inside = index == b
        if inside.any():
            error += inside.mean() * abs(probabilities[inside].mean() - labels[inside].mean())
    return error


def case(name, probabilities, labels):
    p, y = np.asarray(probabilities, dtype=float), np.asarray(labels)
    return {
        "name": name,
        "probabilities": p.tolist(),
        "labels": y.tolist(),
        "aucScore": roc_auc_score(y, p),
        "logLossDistance": log_loss(y, p),
        "accuracyScore": accuracy_score(y, p >= 0.5),
        "calibrationErrorDistance": calibration_error(y, p),
        "baseRate": float(y.mean()),
    }


def multiclass_case(name, probabilities, labels):
    p, y = np.asarray(probabilities, dtype=float), np.asarray(labels)
    p = p / p.sum(axis=1, keepdims=True)
    classes = p.shape[1]
    picked = p.argmax(axis=1)
    return {
        "name": name,
        "classes": classes,
        "probabilities": p.ravel().tolist(),
        "labels": y.tolist(),
        "accuracyScore": accuracy_score(y, picked),
        "logLossDistance": log_loss(y, p, labels=list(range(classes))),
        "macroF1Score": f1_score(y, picked, average="macro", zero_division=0),
    }


def regression_case(name, predictions, targets):
    p, y = np.asarray(predictions, dtype=float), np.asarray(targets, dtype=float)
    return {
        "name": name,
        "predictions": p.tolist(),
        "targets": y.tolist(),
        "rmseDistance": root_mean_squared_error(y, p),
        "maeDistance": mean_absolute_error(y, p),
        "r2Score": r2_score(y, p),
    }


rng = np.random.default_rng(20010101)
smooth = rng.beta(2, 5, 300)
tied = np.round(rng.random(300), 1)
cases = [
    case("smooth", smooth, rng.random(300) < smooth),
    case("many ties", tied, rng.random(300) < 0.3),
    case("all tied", np.full(20, 0.4), np.arange(20) % 4 == 0),
    case("perfect", [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]),
    case("perfectly wrong, and sure", [1.0, 1.0, 0.0, 0.0], [0, 0, 1, 1]),
]
for c in cases:
    c["labels"] = [int(v) for v in c["labels"]]
three = rng.dirichlet([2, 1, 0.5], 120)
four = rng.dirichlet([1, 1, 1, 1], 60)
multiclass = [
    multiclass_case("three classes", three, [int(rng.choice(3, p=row)) for row in three]),
    multiclass_case("a class without rows", four, np.arange(60) % 3),
    multiclass_case("a class without rows and never predicted", [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]], [0, 0]),
    multiclass_case("ties go to the first class", [[0.4, 0.4, 0.2]] * 3, [0, 0, 1]),
    multiclass_case("certain, right and wrong", [[1, 0], [1, 0], [0, 1]], [0, 1, 1]),
]
y = rng.normal(10, 4, 80)
regression = [
    regression_case("noisy", y + rng.normal(0, 2, 80), y),
    regression_case("worse than the mean", -y, y),
    regression_case("perfect", y[:9], y[:9]),
    regression_case("large offset", y + 1e9 + 0.5, y + 1e9),
]
z = np.concatenate([np.linspace(-40, 40, 81), [-700.0, -300.0, 300.0, 700.0]])
u = np.linspace(0, 1, 41)
print(
    json.dumps(
        {
            "cases": cases,
            "multiclass": multiclass,
            "regression": regression,
            "sigmoid": {"z": z.tolist(), "value": expit(z).tolist()},
            "log1p": {"u": u.tolist(), "value": log1p(u).tolist()},
        }
    )
)
