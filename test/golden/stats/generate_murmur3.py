"""Golden values of shared/core/stats/row-hash.ts, from the mmh3 package.

Run: python3 -m venv venv && venv/bin/pip install mmh3==5.3.1 && venv/bin/python generate_murmur3.py > murmur3.json
"""

import json

import mmh3

rows = [0, 1, 2, 508238, 2**31, 2**32 - 1, 2**32, 2**40 + 7, 2**53 - 1]
print(
    json.dumps(
        [
            {"row": row, "seed": seed, "hash": mmh3.hash(row.to_bytes(8, "little"), seed, signed=False)}
            for row in rows
            for seed in [0, 1, 2**32 - 1]
        ]
    )
)
