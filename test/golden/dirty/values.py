"""Types: inference, values that a declared column refuses, and surprises."""

from case import Text, accepted, refused, write


def values():
    inferred()
    surprising()
    declared()
    constants()


def put(name, about, file, columns, before=None, notes=None):
    write("values", name, about, file, accepted(file, columns, notes), before=before)


def inferred():
    file = Text("whole,exact,scientific,flag,day,instant,words")
    columns = "whole:int64 exact:decimal(*,2) scientific:double flag:boolean day:date instant:timestamp words:string".split()
    file.row(
        "-9223372036854775808,0.10,1e300,true,0001-01-01,2024-02-29T23:59:59.999999Z,a",
        values=["-9223372036854775808", "0.10", "1e300", "true", "0001-01-01", "2024-02-29T23:59:59.999999Z", "a"],
    )
    file.row(
        "9223372036854775807,-12345.67,-2.5E-8,false,9999-12-31,1969-12-31T16:00:00-08:00,b",
        values=["9223372036854775807", "-12345.67", "-2.5e-8", "false", "9999-12-31", "1970-01-01T00:00:00.000000Z", "b"],
    )
    file.row(",,,,,,", values=[None] * 7)
    put("every-type", "The limits of each type, and a row of nulls.", file, columns)

    file = Text("amount").row("9007199254740993.01").row("0.02").row("12345678901234567890.12", values=["12345678901234567890.12"])
    put("exact-decimals", "More digits than a double keeps, without loss.", file, ["amount:decimal(*,2)"])

    file = Text("id,n").rows(range(1, 20), lambda i: f"{i},{9223372036854775800 + i}")
    file.row("20,18446744073709551615", values=["20", "18446744073709551615"])
    put("wider-than-int64", "Whole numbers that int64 cannot hold are decimals, not doubles.", file, ["id:int64", "n:decimal(*,0)"])

    file = Text("id,n").row("1,7").row(f"2,{'9' * 40}", values=["2", "9" * 40])
    put("wider-than-any-number", "40 digits fit no number: they stay as they are.", file, ["id:int64", "n:string"])

    file = Text("id,seen")
    for i in range(1, 251):
        file.bad(f"{i},n/k", "WRONG_TYPE", "seen") if i in (100, 200) else file.row(f"{i},{i * 7}")
    put("two-words-among-numbers", "2 of 250 do not turn a column of numbers into texts.", file, ["id:int64", "seen:int64"])

    file = Text("id,seen")
    for i in range(1, 21):
        file.row(f"{i},n/k" if i == 9 else f"{i},{i * 7}", values=["9", "n/k"] if i == 9 else None)
    put("one-word-among-few-numbers", "1 of 20 is more than 1%: the column is text, and nothing is bad.", file, ["id:int64", "seen:string"])


def surprising():
    file = Text("id,when").rows(range(1, 12), lambda i: f"{i},{i:02}/04/2026")
    put("ambiguous-dates", "04 could be the day or the month: texts, and a note says why.", file, ["id:int64", "when:string"], notes={"when": "day or the month"})

    file = Text("zip,phone").row("01067,0049351", values=["01067", "0049351"]).row("10115,0049302").row("99999,0049303")
    put("leading-zeros", "Numbers would lose them: texts.", file, ["zip:string", "phone:string"], notes={"zip": "leading zeros", "phone": "leading zeros"})

    file = Text("paid,gave").row("yes,1").row("no,0").row("y,1").row("n,0")
    put("yes-and-no", "Only true and false are booleans; yes and no are text, 1 and 0 are numbers.", file, ["paid:string", "gave:int64"])

    file = Text("id,at").row("1,2024-03-31 02:30:00", values=["1", "2024-03-31T02:30:00.000000Z"])
    file.row("2,2024-03-31T02:30:00+01:00", values=["2", "2024-03-31T01:30:00.000000Z"]).row("3,2024-04-01", values=["3", "2024-04-01T00:00:00.000000Z"])
    put("times-without-offset", "Taken for UTC, and a note says so; an hour that some zones skip is there.", file, ["id:int64", "at:timestamp"], notes={"at": "UTC"})

    file = Text("price,share").row("$1.00,10%", values=["$1.00", "10%"]).row("€2.50,20%").row('"1,000.00",30%')
    put("money-and-percent", "Signs are not dropped.", file, ["price:string", "share:string"])

    file = Text("id,padded").rows(range(1, 20), lambda i: f"{i}, {i}")
    put("padded-numbers", "Blanks around numbers: texts, for their bytes would not come back.", file, ["id:int64", "padded:string"], notes={"padded": "blanks"})

    file = Text("id,n,t").rows(range(1, 20), lambda i: f"{i},{i},word").row("20,NA,NA", values=["20", None, "NA"])
    file.row("21,null,null", values=["21", None, "null"]).row("22,,", values=["22", None, None])
    put("words-for-nothing", "NA among numbers is null; among texts it is a text (Namibia's code).", file, ["id:int64", "n:int64", "t:string"], notes={"n": "null"})

    file = Text("id,x").row("1,1e10").row("2,NaN").row("3,inf").row("4,-Infinity").row("5,1.5e3")
    write("values", "not-finite", "Not a number and the infinities, among doubles: whatever they become, every row counts.", file, accepted(file, ["id:int64", "x:double"]))


before = Text("id,n,price,ok,day,at").row("1,1,1.00,true,2024-01-01,2024-01-01T00:00:00Z")
before.row("2,-5,12345.67,false,2024-01-02,2024-01-02T00:00:00Z")
contract = "id:int64 n:int64 price:decimal(*,2) ok:boolean day:date at:timestamp".split()


def line(i, n="7", price="2.00", ok="true", day="2024-02-01", at="2024-02-01T00:00:00Z"):
    return f"{i},{n},{price},{ok},{day},{at}"


def declared():
    file = Text("id,n,price,ok,day,at")
    faults = [
        (dict(n="seven"), "n"),
        (dict(n="7.5"), "n"),
        (dict(n="1e3"), "n"),
        (dict(n="0x1F"), "n"),
        (dict(ok="maybe"), "ok"),
        (dict(day="2024-02-30"), "day"),
        (dict(day="01/02/2024"), "day"),
        (dict(at="2024-02-01T25:00:00Z"), "at"),
        (dict(at="yesterday"), "at"),
        (dict(price="two"), "price"),
    ]
    for at, (fault, column) in enumerate(faults):
        file.rows(range(at * 110, at * 110 + 109), line).bad(line(at * 110 + 109, **fault), "WRONG_TYPE", column)
    put("wrong-types", "One value per row that its column's type refuses: only that row is bad.", file, contract, before)

    file = Text("id,n,price,ok,day,at").rows(range(1, 110), line)
    file.row(line(110, n="9223372036854775807"), values=["110", "9223372036854775807", "2.00", "true", "2024-02-01", "2024-02-01T00:00:00.000000Z"])
    file.bad(line(111, n="9223372036854775808"), "OUT_OF_RANGE", "n").rows(range(112, 250), line)
    file.bad(line(250, n="-9223372036854775809"), "OUT_OF_RANGE", "n").rows(range(251, 300), line)
    put("int64-overflow", "One more than an int64 holds, at either end.", file, contract, before)

    file = Text("id,n,price,ok,day,at").rows(range(1, 200), line)
    file.bad(line(200, price="1.999"), "OUT_OF_RANGE", "price")
    file.row(line(201, price="1.990"), values=["201", "7", "1.99", "true", "2024-02-01", "2024-02-01T00:00:00.000000Z"])
    file.rows(range(202, 400), line).bad(line(400, price="1" * 40 + ".00"), "OUT_OF_RANGE", "price").rows(range(401, 500), line)
    put("decimal-too-precise-or-wide", "1.999 is not rounded to 2.00; a zero more changes nothing.", file, contract, before)

    file = Text("id,n,price,ok,day,at").rows(range(1, 10), line).row(line(10, n="", day=""), values=["10", None, "2.00", "true", None, "2024-02-01T00:00:00.000000Z"])
    put("nulls-later", "A column that had no null so far may have one, unless it was declared otherwise.", file, contract, before)

    file = Text("id,n,price,ok,day,at").rows(range(1, 200), line).bad("200,seven", "RAGGED_ROW")
    file.bad(line(201, n="seven", ok="maybe"), "WRONG_TYPE", "n").rows(range(202, 400), line)
    put("two-faults-in-a-row", "A row is bad once, by its first fault.", file, contract, before)

    file = Text("id,n,price,ok,day,at").rows(range(1, 20), lambda i: line(i, n="many"))
    write(
        "values",
        "other-type-throughout",
        "No value of the column is of its type: the file is refused as a whole.",
        file,
        refused("UNPROCESSABLE", "n"),
        before=before,
    )


def constants():
    names = [f"c{i}" for i in range(250)]
    file = Text(",".join(names))
    for row in range(1, 131):
        fields = [str(row * 3 + i % 7) for i in range(250)]
        if row == 120:
            fields[200] = "oops"
            file.bad(",".join(fields), "WRONG_TYPE", "c200")
        else:
            file.row(",".join(fields))
    put("one-word-in-250-columns", "One bad value among many columns of numbers.", file, [f"{name}:int64" for name in names])

    file = Text("id,nothing").rows(range(1, 20), lambda i: f"{i},")
    put("a-column-of-nulls", "Its type is unknown: text, until a later version declares another.", file, ["id:int64", "nothing:string"])

    file = Text("__proto__,constructor,a b,\"q\"\"uote\",Ünï,🛩").row("1,2,3,4,5,6", values=["1", "2", "3", "4", "5", "6"])
    file.row("7,8,9,10,11,12")
    put("odd-column-names", "Names are data.", file, ["__proto__:int64", "constructor:int64", "a b:int64", 'q"uote:int64', "Ünï:int64", "🛩:int64"])
