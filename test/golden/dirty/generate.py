"""Writes the corpus of dirty files: each case a file and what must come of it (`<case>.expected.json`).

Positions are counted while the bytes are put together, by nothing that reads CSV, JSON lines or Parquet. Files that
are large on purpose are not here: `test/support/datasets/dirty-large.ts` makes them when they are needed.

Run: python3 generate.py            (standard library only; the same bytes every time)
     python3 -m venv venv && venv/bin/pip install pyarrow==26.0.1 && venv/bin/python generate_parquet.py
"""

from compressed import compressed
from headers import headers
from json_lines import json_lines
from structure import structure
from values import values

compressed()
headers()
json_lines()
structure()
values()
