"""Writes the corpus of dirty files: each case is a file with its expected outcome (`<case>.expected.json`).

Positions are counted while the bytes are assembled, without a reader of CSV, JSON lines or Parquet. Large files are
generated on demand by `test/support/datasets/dirty-large.ts`.

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
