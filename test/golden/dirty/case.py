"""Describes a dirty file record by record; where each record starts and ends is counted here, byte by byte."""

import json
from pathlib import Path

here = Path(__file__).parent


class Text:
    """A text file under construction. Texts become UTF-8; bytes stay unchanged."""

    def __init__(self, header=None, end="\n", encoding="utf-8", bom=b""):
        self.bytes = bytearray(bom)
        self.end = end
        self.encoding = encoding
        self.records = 0
        self.committed = 0
        self.quarantined = []
        self.values = []
        if header is not None:
            self.other(header, end)

    def other(self, text, end=""):
        """Bytes outside records: the header, a blank line."""
        self.bytes += self.encode(text) + self.encode(end)
        return self

    def row(self, text, end=None, values=None):
        """A record that becomes a row; `values` are its expected values, as text."""
        self.records += 1
        if values is not None:
            self.values.append({"index": self.committed, "values": values})
        self.committed += 1
        return self.other(text, self.end if end is None else end)

    def bad(self, text, code, column=None, end=None, raw=None, **flags):
        """A record that is quarantined. `raw`: its text, when it differs from `text`."""
        self.records += 1
        content = self.encode(text)
        entry = {"row": self.records, "byteOffset": len(self.bytes), "byteLength": len(content)}
        if column is not None:
            entry["column"] = column
        entry["code"] = code
        entry["raw"] = raw if raw is not None else content.decode(self.encoding)
        self.quarantined.append({**entry, **flags})
        return self.other(text, self.end if end is None else end)

    def rows(self, numbers, make):
        for number in numbers:
            self.row(make(number))
        return self

    def encode(self, text):
        return text if isinstance(text, (bytes, bytearray)) else text.encode(self.encoding)

    def outcome(self, columns):
        result = {"rowsIn": self.records, "committed": self.committed, "columns": columns}
        if self.encoding != "utf-8":
            result["encoding"] = self.encoding
        if self.values:
            result["values"] = self.values
        return {**result, "quarantined": self.quarantined}


def write(family, name, about, content, expected, before=None, ext="csv"):
    """One case: its file, the previous file, and the expected outcome."""
    folder = here / family
    folder.mkdir(exist_ok=True)
    if before is not None:
        (folder / f"{name}.before.csv").write_bytes(before.bytes if isinstance(before, Text) else before)
    body = content.bytes if isinstance(content, Text) else content
    (folder / f"{name}.{ext}").write_bytes(body)
    document = {"about": about, "file": f"{name}.{ext}"}
    if before is not None:
        document["before"] = f"{name}.before.csv"
    put_json(folder / f"{name}.expected.json", {**document, **expected})


def put_json(path, document):
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def accepted(text, columns, notes=None):
    """Columns are written `name:type`; a `*` in a type matches any digits. `notes`: the required text of a column's note."""
    split = [column.rsplit(":", 1) for column in columns]
    described = [{"name": name, "type": kind} for name, kind in split]
    for column in described:
        if notes and column["name"] in notes:
            column["note"] = notes[column["name"]]
    return text.outcome(described)


def refused(code, *says):
    """`says`: words that the reason must contain, ignoring case."""
    return {"refusal": {"code": code, "says": list(says)}}
