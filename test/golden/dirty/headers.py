"""Encodings, headers, and differences of a later file from the first."""

from case import Text, accepted, refused, write

header = "id,city"


def city(i):
    return f"{i},{['Köln', 'Málaga', '東京', 'Gdańsk'][i % 4]}"


def headers():
    encodings()
    names()
    contract()


def encodings():
    columns = ["id:int64", "city:string"]

    file = Text(header).rows(range(1, 150), city)
    file.bad("150,Köln".encode("latin-1"), "BAD_ENCODING", raw="150,Köln", isLatin1=True).rows(range(151, 200), city)
    write("encodings", "one-latin-1-row", "One row of another encoding among UTF-8.", file, accepted(file, columns))

    file = Text(header, encoding="latin-1").rows(range(1, 50), lambda i: f"{i},{['Köln', 'Málaga'][i % 2]}")
    write("encodings", "latin-1", "No row of it is UTF-8: refused, with the remedy.", file, refused("UNPROCESSABLE", "UTF-8"))

    for name, encoding, bom in [("utf-16-le", "utf-16le", b"\xff\xfe"), ("utf-16-be", "utf-16be", b"\xfe\xff")]:
        file = Text(header, encoding=encoding, bom=bom).rows(range(1, 100), city).row("100,🛩", values=["100", "🛩"])
        file.bad("101", "RAGGED_ROW").rows(range(102, 150), city)
        write("encodings", name, "UTF-16 with its mark, as spreadsheets save it; positions are those of the file.", file, accepted(file, columns))

    file = Text(header, encoding="utf-16le").rows(range(1, 50), lambda i: f"{i},name {i}")
    write("encodings", "utf-16-without-mark", "Nothing says which it is: refused by its name.", file, refused("UNPROCESSABLE", "UTF-16", "UTF-8"))

    file = Text(header, bom=b"\xef\xbb\xbf").rows(range(1, 150), city).bad("150", "RAGGED_ROW")
    write("encodings", "utf-8-mark", "The mark belongs to no name; positions count it.", file, accepted(file, columns))

    file = Text(header, bom=b"\xef\xbb\xbf").row('"1",Köln', values=["1", "Köln"]).row("2,東京")
    write("encodings", "utf-8-mark-and-quotes", "The mark and then a quote.", file, accepted(file, columns))

    file = Text(header).rows(range(1, 150), city).bad(b"150,\xed\xa0\x80", "BAD_ENCODING", raw="150,\u00ed\u00a0\u0080", isLatin1=True)
    file.rows(range(151, 250), city).bad(b"250,\xf0\x9f\x9b", "BAD_ENCODING", raw="250,\u00f0\u009f\u009b", isLatin1=True)
    write("encodings", "surrogates-and-cut-sequences", "A surrogate in UTF-8, and a sequence that the line end cuts.", file, accepted(file, columns))


def names():
    def put(name, about, content, expected, ext="csv"):
        write("headers", name, about, content, expected, ext=ext)

    put("empty-file", "Nothing at all.", b"", refused("UNPROCESSABLE", "empty"))
    put("only-a-mark", "A byte order mark and nothing else.", b"\xef\xbb\xbf", refused("UNPROCESSABLE", "empty"))
    put("only-blank-lines", "Line ends and nothing else.", b"\n\r\n\n", refused("UNPROCESSABLE", "empty"))
    put("header-only", "A header without rows: the types are unknown.", b"id,name,amount\n", refused("UNPROCESSABLE", "no rows"))
    put("duplicate-names", "Which of them is meant?", b"id,name,name\n1,a,b\n2,c,d\n", refused("UNPROCESSABLE", "name", "twice"))
    put("names-differ-by-case", "Many readers take these for one column.", b"id,Name,NAME\n1,a,b\n2,c,d\n", refused("UNPROCESSABLE", "Name", "NAME"))
    file = Text("id,,city").row("1,a,b", values=["1", "a", "b"]).row("2,c,d")
    put("empty-name", "A column without a name gets one by its place (pandas writes its index so).", file, accepted(file, ["id:int64", "column_2:string", "city:string"]))
    put("no-header", "The first line is a row, by all appearances.", b"1,2.5,2024-01-01\n2,3.5,2024-01-02\n3,4.5,2024-01-03\n", refused("UNPROCESSABLE", "header"))
    put("unterminated-quote-in-header", "The columns cannot be determined.", b'id,"name\n1,a\n2,b\n', refused("UNPROCESSABLE", "header"))

    file = Text(' id ,"na,me"').row("1,a").row("2,b")
    put("padded-and-quoted-names", "Blanks around a name are dropped; a name may hold a delimiter.", file, accepted(file, ["id:int64", "na,me:string"]))


def contract():
    before = Text("id,name,amount").rows(range(1, 20), lambda i: f"{i},name {i},{i}.50")

    def put(name, about, file, expected):
        write("contract", name, about, file, expected, before=before)

    columns = ["id:int64", "name:string", "amount:decimal(*,2)"]
    file = Text("id,name,amount,country").row("1,a,1.50,DE").row("2,b,2.50,", values=["2", "b", "2.50", None])
    put("new-column", "It is added; earlier rows have null there.", file, accepted(file, [*columns, "country:string"]))

    file = Text("amount,id,name").row("1.50,1,a", values=["1", "a", "1.50"]).row("2.50,2,b")
    put("other-order", "Columns are found by name.", file, accepted(file, columns))

    file = Text("id,amount").row("1,1.50", values=["1", None, "1.50"]).row("2,2.50")
    put("missing-column", "A column that may be null is null where it is missing.", file, accepted(file, columns))

    file = Text("ID,name,amount").row("1,a,1.50")
    put("other-case", "ID differs from id, and a table cannot have both.", file, refused("UNPROCESSABLE", "ID", "id"))

    file = Text("id,title,amount").row("1,a,1.50").row("2,b,2.50")
    put("renamed-column", "One column is missing and an unknown one of its type is present.", file, refused("UNPROCESSABLE", "name", "title"))

    file = Text("id,name,ammount").row("1,a,1.50").row("2,b,2.50")
    put("misspelt-column", "A misspelling is not a new column.", file, refused("UNPROCESSABLE", "amount", "ammount"))

    file = Text("completely,other,file").row("1,a,1.50").row("2,b,2.50")
    put("another-table", "No column is the dataset's.", file, refused("UNPROCESSABLE", "id"))

    wide = Text("id,n").row("1,1.25").row("2,2.50")
    file = Text("id,n").row("3,3", values=["3", "3.00"]).row("4,4.5", values=["4", "4.50"])
    write("contract", "narrower-values", "Texts that fit the wider type are of that type.", file, accepted(file, ["id:int64", "n:decimal(*,2)"]), before=wide)

    file = Text("id,name,amount").row("1,12,1.50", values=["1", "12", "1.50"]).row("2,34,2.50")
    put("numbers-in-a-text-column", "They are texts there.", file, accepted(file, columns))
