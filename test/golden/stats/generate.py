"""Golden values of the metrics in shared/core/stats, from scikit-learn and SciPy.

Run: python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1
     venv/bin/python generate.py > metrics.json
"""

import json

import numpy as np
from scipy.special import expit, log1p
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score


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
z = np.concatenate([np.linspace(-40, 40, 81), [-700.0, -300.0, 300.0, 700.0]])
u = np.linspace(0, 1, 41)
print(
    json.dumps(
        {
            "cases": cases,
            "sigmoid": {"z": z.tolist(), "value": expit(z).tolist()},
            "log1p": {"u": u.tolist(), "value": log1p(u).tolist()},
        }
    )
)
