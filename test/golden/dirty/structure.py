"""Quotes, line ends, ragged rows, delimiters: the limits of records."""

from case import Text, accepted, refused, write

header = "id,name,amount"
columns = ["id:int64", "name:string", "amount:decimal(*,2)"]


def good(i):
    return f"{i},name {i},{i}.50"


def csv(**options):
    return Text(header, **options)


def structure():
    quotes()
    ragged()
    lines()
    delimiters()


def quotes():
    def put(name, about, file):
        write("structure", name, about, file, accepted(file, columns))

    file = csv().rows(range(1, 150), good)
    file.bad('150,"name 150,150.50', "UNTERMINATED_QUOTE").rows(range(151, 301), good)
    put(
        "unterminated-quote-middle",
        "No quote ever closes it: only its own line is bad, the 150 rows after it are rows.",
        file,
    )

    file = csv().rows(range(1, 150), good).bad('150,"name 150,150.50', "UNTERMINATED_QUOTE")
    file.rows(range(151, 155), good).row('155,"Smith, J",155.50', values=["155", "Smith, J", "155.50"])
    file.rows(range(156, 301), good)
    put(
        "unterminated-quote-before-quoted",
        "The next quote that opens seems to close it; the row with that quote is whole all the same.",
        file,
    )

    file = csv().rows(range(1, 100), good)
    file.row('100,"two\nlines",100.50', values=["100", "two\nlines", "100.50"])
    file.bad('101,"name 101,101.50', "UNTERMINATED_QUOTE").rows(range(102, 200), good)
    file.row('200,"three\nmore\nlines, ""quoted""",200.50', values=["200", 'three\nmore\nlines, "quoted"', "200.50"])
    file.rows(range(201, 301), good)
    put("unterminated-quote-among-multi-line", "Multi-line rows before and after it are unaffected.", file)

    file = csv().rows(range(1, 300), good).bad('300,"name 300,300.50', "UNTERMINATED_QUOTE", end="")
    put("unterminated-quote-end", "In the last line, which has no line end either.", file)

    file = csv().rows(range(1, 99), good)
    file.bad('99,"name" 99,99.50', "TEXT_AFTER_QUOTE").bad('100,"a"b"c",100.50', "TEXT_AFTER_QUOTE")
    file.rows(range(101, 301), good)
    put("text-after-quote", "A field goes on after its closing quote.", file)

    file = csv().rows(range(1, 99), good)
    file.bad('99,name "99",99.50', "QUOTE_IN_FIELD").bad('100,12" pipe,100.50', "QUOTE_IN_FIELD")
    file.rows(range(101, 301), good)
    put("quote-inside-unquoted", "A quote within a field that does not begin with one.", file)

    file = csv()
    file.row('1,"a, b",1.50', values=["1", "a, b", "1.50"])
    file.row('"2","say ""no""","2.50"', values=["2", 'say "no"', "2.50"])
    file.row('3,"line\r\nend",3.50', values=["3", "line\r\nend", "3.50"])
    file.row('4,"",4.50', values=["4", "", "4.50"])
    file.row("5,,5.50", values=["5", None, "5.50"])
    file.row('6," padded ",6.50', values=["6", " padded ", "6.50"])
    file.row('7,"🛩 Zürich 東京",7.50', values=["7", "🛩 Zürich 東京", "7.50"])
    file.rows(range(8, 20), good)
    put("quotes-that-are-right", "Valid RFC 4180: no bad rows. A quoted empty field is text, an unquoted one is null.", file)


def ragged():
    file = csv().rows(range(1, 100), good)
    file.bad("100,short", "RAGGED_ROW").rows(range(101, 200), good).bad("200,a,200.50,extra,more", "RAGGED_ROW")
    file.rows(range(201, 300), good).bad("300", "RAGGED_ROW")
    write("structure", "ragged", "Too few fields and too many.", file, accepted(file, columns))

    file = csv().rows(range(1, 151), good).bad("151,cut o", "RAGGED_ROW", end="")
    write("structure", "cut-off", "The upload ended in the middle of a row.", file, accepted(file, columns))

    file = csv().rows(range(1, 298), good)
    for i in range(298, 302):
        file.bad(f"{i},short", "RAGGED_ROW")
    write(
        "structure",
        "too-many-bad",
        "4 of 301 rows are more than the 1% that may be quarantined: nothing is taken, and the report has all four.",
        file,
        {**refused("UNPROCESSABLE", "4 of 301", "1%", "row 298"), "rowsIn": 301, "quarantined": file.quarantined},
    )


def lines():
    def put(name, about, file, kinds=columns):
        write("structure", name, about, file, accepted(file, kinds))

    file = csv()
    for i in range(1, 41):
        file.row(good(i), end=["\n", "\r\n", "\r"][i % 3], values=[str(i), f"name {i}", f"{i}.50"] if i < 5 else None)
    put("mixed-line-ends", r"\n, \r\n and \r in one file: each ends a row.", file)

    file = csv(end="\r\n")
    file.rows(range(1, 120), good).bad("120,short", "RAGGED_ROW").rows(range(121, 160), good)
    put("windows-line-ends", "The line end belongs to no row's bytes.", file)

    file = csv().rows(range(1, 20), good).row(good(20), end="", values=["20", "name 20", "20.50"])
    put("no-final-line-end", "The last row counts, too.", file)

    file = csv().other("\n").rows(range(1, 110), good).other("\n\r\n\n").bad("110,short", "RAGGED_ROW")
    file.rows(range(111, 130), good).other("\n\n\n")
    put("blank-lines", "Blank lines are not rows and have no row numbers.", file)

    file = csv().rows(range(1, 10), good).row("10,nul\x00inside,10.50", values=["10", "nul\x00inside", "10.50"])
    file.rows(range(11, 20), good)
    put("nul-in-text", "A NUL byte within a text is text.", file)

    file = csv().rows(range(1, 110), good).bad("110,a,1\x0010.50", "WRONG_TYPE", "amount").rows(range(111, 130), good)
    put("nul-in-number", "A number with a NUL byte is not a number.", file)


def delimiters():
    def values(i, amount):
        return [str(i), f"name {i}", amount]

    for name, delimiter, ext in [("semicolons", ";", "csv"), ("pipes", "|", "csv"), ("tabs", "\t", "tsv"), ("tabs-named-csv", "\t", "csv")]:
        file = Text(header.replace(",", delimiter))
        for i in range(1, 150):
            file.row(good(i).replace(",", delimiter), values=values(i, f"{i}.50") if i == 1 else None)
        file.bad(f"150{delimiter}short", "RAGGED_ROW")
        file.row(f'151{delimiter}"a{delimiter}b"{delimiter}2.00', values=["151", f"a{delimiter}b", "2.00"])
        write("structure", name, f"Separated by {delimiter!r}.", file, accepted(file, columns), ext=ext)

    file = Text("id;name;amount").row("1;Müller, Anna;1,50", values=["1", "Müller, Anna", "1,50"])
    file.row("2;Weiß, Jörg;2,75").row("3;Groß, Lea;10,00")
    write(
        "structure",
        "semicolons-and-decimal-commas",
        "More commas than semicolons in some lines; a decimal comma is no decimal point, so the amounts stay texts.",
        file,
        accepted(file, ["id:int64", "name:string", "amount:string"]),
    )

    file = Text("name").rows(range(1, 20), lambda i: f"name {i}")
    write("structure", "one-column", "No delimiter anywhere.", file, accepted(file, ["name:string"]))

    file = Text("a,b").row("1,2").row("3,4")
    write("structure", "few-rows", "Two rows are a table.", file, accepted(file, ["a:int64", "b:int64"]))

    file = Text("a,b").row("1,x").row("2,y").bad("3", "RAGGED_ROW")
    write(
        "structure",
        "few-rows-one-bad",
        "One bad row of three is more than 1%.",
        file,
        {**refused("UNPROCESSABLE", "1 of 3", "row 3"), "rowsIn": 3, "quarantined": file.quarantined},
    )
