"""JSON lines: each line one object."""

import json

from case import Text, accepted, refused, write

columns = ["id:int64", "name:string"]


def good(i):
    return json.dumps({"id": i, "name": f"name {i}"})


def json_lines():
    def put(name, about, file, kinds):
        write("json-lines", name, about, file, accepted(file, kinds), ext="jsonl")

    file = Text()
    broken = [
        '{"id": 9, "name": "cut',
        "{'id': 9}",
        '{"id": 9,}',
        '{"id": NaN, "name": "x"}',
        '{"id": 09, "name": "x"}',
        '{"id": 9} {"id": 10}',
        "plain words",
        '{"id": 9, "name": "tab\there"}',
    ]
    for at, text in enumerate(broken):
        file.rows(range(at * 120, at * 120 + 119), good).bad(text, "BAD_JSON")
    file.rows(range(960, 1000), good)
    put("broken-lines", "Lines that are not JSON, each in a different way.", file, columns)

    file = Text()
    for at, text in enumerate(['[1, "a"]', '"text"', "7", "null", "true"]):
        file.rows(range(at * 120, at * 120 + 119), good).bad(text, "NOT_AN_OBJECT")
    put("no-objects", "JSON, but not objects.", file, columns)

    file = Text().row('{"id": 1, "tags": ["a", "b"], "at": {"x": 1.50, "y": [true, null]}}', values=["1", '["a", "b"]', '{"x": 1.50, "y": [true, null]}'])
    file.row('{"id": 2, "tags": [], "at": null}', values=["2", "[]", None]).row('{"id": 3}', values=["3", None, None])
    put("nested", "Arrays and objects become JSON texts, just as they were written.", file, ["id:int64", "tags:string", "at:string"])

    file = Text().rows(range(1, 120), good).bad('{"id": 120, "name": "a", "name": "b"}', "DUPLICATE_KEY", "name").rows(range(121, 140), good)
    put("duplicate-keys", "Which of them is meant?", file, columns)

    file = Text().row('{"id": 1, "n": 9007199254740993}', values=["1", "9007199254740993"])
    file.row('{"id": 2, "n": -9223372036854775808}', values=["2", "-9223372036854775808"])
    put("integers-beyond-doubles", "2^53 + 1 stays what it is.", file, ["id:int64", "n:int64"])

    file = Text().row('{"id": 1, "n": 1}').row('{"id": 2, "n": 123456789012345678901234567890}', values=["2", "123456789012345678901234567890"])
    put("integers-beyond-int64", "30 digits are a decimal.", file, ["id:int64", "n:decimal(*,0)"])

    file = Text().rows(range(1, 120), good).bad(r'{"id": 120, "name": "\ud83d"}', "BAD_ENCODING", "name")
    file.row(r'{"id": 121, "name": "\ud83d\udee9"}', values=["121", "🛩"]).rows(range(122, 130), good)
    put("lone-surrogates", "Half a character has no UTF-8; a pair has.", file, columns)

    file = Text().row(r'{"id": 1, "name": "a\u0000b\nc\"d\\e\/f"}', values=["1", 'a\x00b\nc"d\\e/f'])
    file.row('{"id": 2, "name": ""}', values=["2", ""]).row('{"id": 3, "name": null}', values=["3", None])
    put("escapes", "Every escape, and two kinds of missing values.", file, columns)

    file = Text().row('{"id": 1, "v": 1}').row('{"id": 2, "v": "one"}', values=["2", "one"]).row('{"id": 3, "v": true}', values=["3", "true"])
    put("mixed-types", "A number, a text and a boolean have only text in common.", file, ["id:int64", "v:string"])

    file = Text().row('{"id": 1, "zip": "01067"}', values=["1", "01067"]).row('{"id": 2, "zip": "10115"}', values=["2", "10115"])
    put("quoted-numbers", "A JSON string is text, even if it consists of digits.", file, ["id:int64", "zip:string"])

    file = Text().row('{"id": 1}').other("\n \r\n").row('{"name": "a", "id": 2}', end="\r\n", values=["2", "a", None]).row('{"id": 3, "extra": 1.5}', end="")
    put("keys-come-and-go", "Keys in any order, new ones later, blank lines, \\r\\n, no last line end.", file, [*columns, "extra:decimal(*,1)"])

    file = Text().row('{"id": 1, "Name": "a"}').row('{"id": 2, "name": "b"}')
    write("json-lines", "keys-differ-by-case", "Many readers take these for one column.", file, refused("UNPROCESSABLE", "Name", "name"), ext="jsonl")

    file = Text().row('{"__proto__": "p", "constructor": 1}', values=["p", "1"])
    put("odd-keys", "Keys are data.", file, ["__proto__:string", "constructor:int64"])

    file = Text().rows(range(1, 120), good).bad(b'{"id": 120, "name": "K\xf6ln"}', "BAD_ENCODING", raw='{"id": 120, "name": "Köln"}', isLatin1=True)
    put("one-latin-1-line", "One line of another encoding.", file, columns)

    file = Text(bom=b"\xef\xbb\xbf").rows(range(1, 120), good).bad("{", "BAD_JSON")
    put("utf-8-mark", "The mark belongs to no line; positions count it.", file, columns)

    deep = '{"id": 120, "name": ' + "[" * 20_000 + "]" * 20_000 + "}"
    file = Text().rows(range(1, 120), good).bad(deep, "BAD_JSON").rows(range(121, 130), good)
    put("too-deep", "20,000 arrays in one another.", file, columns)

    whole = "[" + ",\n".join(good(i) for i in range(1, 30)) + "]\n"
    write("json-lines", "an-array-not-lines", "A JSON array over several lines is another format.", whole.encode(), refused("UNPROCESSABLE", "JSON"), ext="jsonl")
    write("json-lines", "empty", "Nothing at all.", b"", refused("UNPROCESSABLE", "empty"), ext="jsonl")

    before = Text("id,n").row("1,1").row("2,2")
    file = Text().rows(range(1, 120), lambda i: json.dumps({"id": i, "n": i})).bad('{"id": 120, "n": "many"}', "WRONG_TYPE", "n")
    file.row('{"id": 121, "n": null}', values=["121", None]).rows(range(122, 240), lambda i: json.dumps({"id": i, "n": i}))
    file.bad('{"id": 240, "n": 9223372036854775808}', "OUT_OF_RANGE", "n").rows(range(241, 250), lambda i: json.dumps({"id": i, "n": i}))
    write("json-lines", "after-csv", "A dataset that began as CSV.", file, accepted(file, ["id:int64", "n:int64"]), before=before, ext="jsonl")
