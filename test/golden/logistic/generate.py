"""A small data set and the fit of scikit-learn's LogisticRegression, in the terms of our LogisticModel.

Run: python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scikit-learn==1.9.1
     venv/bin/python generate.py > golden.json
"""

import json

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

L2 = 2.0
MIN_ROWS = 20
ROWS = 600

rng = np.random.default_rng(42)
distance = np.float32(rng.integers(50, 3000, ROWS))
distance[rng.random(ROWS) < 0.1] = np.nan
load = np.float32(rng.normal(0.7, 0.2, ROWS))
hour = rng.integers(0, 24, ROWS)
airport = rng.choice(["ATL", "DFW", "ORD", "SFO", "Zürich", "rare-1", "rare-2"], ROWS, p=[0.3, 0.25, 0.2, 0.15, 0.05, 0.03, 0.02])
z = -1.5 + 0.08 * (hour - 12) + 0.8 * (airport == "ORD") + 0.0004 * np.nan_to_num(distance, nan=2000) - load
late = (rng.random(ROWS) < 1 / (1 + np.exp(-z))).astype(int)

# The encoding, step by step with scikit-learn's own parts.
scaler = StandardScaler().fit(np.c_[distance, load].astype(np.float64))
numeric = scaler.transform(np.c_[distance, load].astype(np.float64))
missing = np.isnan(numeric[:, :1]).astype(float)
numeric = np.nan_to_num(numeric, nan=0.0)
names, counts = np.unique(airport, return_counts=True)
pooled = np.where(np.isin(airport, names[counts < MIN_ROWS]), "~rare", airport)
encoder = OneHotEncoder(sparse_output=False, dtype=float)
hours = OneHotEncoder(sparse_output=False, dtype=float)
X = np.c_[
    numeric[:, :1], missing, numeric[:, 1:],
    encoder.fit_transform(pooled.reshape(-1, 1)),
    hours.fit_transform(np.where(np.isin(hour, [h for h in range(24) if (hour == h).sum() < MIN_ROWS]), 99, hour).reshape(-1, 1)),
]
fit = LogisticRegression(C=1 / L2, solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(X, late)
weights = fit.coef_[0]
airport_weight = dict(zip(encoder.categories_[0], weights[3:]))
hour_weight = dict(zip(hours.categories_[0].tolist(), weights[3 + len(airport_weight):]))
code = lambda h: hour_weight.get(h, hour_weight.get(99))

# Encoders turn missing and unseen categories into rows of zeros.
airports = {**airport_weight, **{n: airport_weight["~rare"] for n in names if n not in airport_weight}}
edges = []
for d, l, a, h in [(500.0, 0.5, "never seen", 6), (None, 0.5, None, 6), (500.0, 0.5, "ORD", None), (None, 0.75, None, None)]:
    scaled = (np.array([d if d is not None else scaler.mean_[0], l]) - scaler.mean_) / scaler.scale_
    z = fit.intercept_[0] + weights[0] * scaled[0] + weights[1] * (d is None) + weights[2] * scaled[1]
    z += airports.get(a, 0.0) + (code(h) if h is not None else 0.0)
    edges.append({"distance": d, "load": l, "airport": a, "hour": h, "probability": 1 / (1 + np.exp(-z))})

print(
    json.dumps(
        {
            "params": {"l2": L2, "minCategoryRows": MIN_ROWS},
            "rows": [
                {"distance": None if np.isnan(d) else float(d), "load": float(l), "airport": a, "hour": int(h), "late": int(y)}
                for d, l, a, h, y in zip(distance, load, airport, hour, late)
            ],
            "intercept": float(fit.intercept_[0]),
            "distance": {"centre": scaler.mean_[0], "weight": weights[0] / scaler.scale_[0], "missing": weights[1]},
            "load": {"centre": scaler.mean_[1], "weight": weights[2] / scaler.scale_[1]},
            "airport": {n: airport_weight.get(n, airport_weight.get("~rare")) for n in names.tolist()},
            "hour": {str(h): code(h) for h in sorted(set(hour.tolist()))},
            "edges": edges,
            "probabilities": fit.predict_proba(X)[:, 1].tolist(),
        },
        ensure_ascii=False,
    )
)
