"""CSV as the real Spark reads it: inputs, options, and what comes out."""
import base64, gzip
from _text_sources import answers

CASES = []


def add(text, options=None, schema=None, **more):
    files = text if isinstance(text, dict) else {"a.csv": text}
    case = {"files": files, "options": {k: str(v) for k, v in (options or {}).items()}, **more}
    if schema:
        case["schema"] = schema
    CASES.append(case)


def b64(data):
    return {"base64": base64.b64encode(data).decode()}


H = {"header": "true"}
HI = {"header": "true", "inferSchema": "true"}
M = {"header": "true", "multiLine": "true"}

# What is not quite CSV, with and without a header, by lines and over lines.
TEXTS = {
    "plain": "a,b\n1,2\n3,4\n",
    "no newline at the end": "a,b\n1,2",
    "doubled quotes": 'name,age\n"x ""q"" y",2\n',
    "escaped quotes": 'name,age\n"x \\"q\\" y",2\n',
    "hash row": "a,b\n1,2\n#5,6\n7,8\n",
    "short": "a,b\n1\n2,3\n",
    "ragged": "a,b\n1,2,3\n4\n5,6\n",
    "long row last": "a,b\n1,2\n3,4\n5,6,7,8\n",
    "nulls": 'a,b\n1,NULL\n2,NA\n3,""\n4,\n,\n',
    "mark and newlines": '\ufeffname,age\n"A, B",1\n"x ""q"" y",2\n"multi\nline",3\n,\n z ,  4 \n',
    "crlf": "a,b\r\n1,2\r\n\r\n3,4\r\n",
    "cr": "a,b\r1,2\r3,4\r",
    "mixed ends": "a,b\n1,2\r\n3,4\r5,6\n",
    "blank lines": "\n\na,b\n\n1,2\n   \n3,4\n\n",
    "quote in the middle": 'a,b\n1"2,3\nx"y"z,"p"q\n',
    "text after quote": 'a,b\n"x"y,1\n"x" y,2\n"x" ,3\n"x"  \n',
    "unclosed": 'a,b\n"x,1\ny,2\nz,3\n',
    "unclosed at the end": 'a,b\n1,2\n3,"x',
    "backslashes": 'a,b\nc:\\temp,"d:\\x"\n"e\\\\",f\n"g\\",h\n',
    "quoted newline crlf": 'a,b\r\n"1\r\n2",3\r\n4,5\r\n',
    "duplicates": "a,A,a,b,\n1,2,3,4,5\n",
    "empty names": ',b,,""\n1,2,3,4\n',
    "spaces in names": " a , b\n1,2\n",
    "header only": "a,b\n",
    "empty file": "",
    "only newlines": "\n\n\n",
    "trailing separator": "a,b,\n1,2,\n",
    "semicolons": "a;b\n1;2\n",
    "unicode": "näme,愛\n\U0001F600,é\n",
    "nul": "a,b\n1\x002,3\n",
    "header again": "a,b\n1,2\na,b\n3,4\n",
    "quoted header": '"a,x","b\n"\n1,2\n',
    "only separators": ",,\n,,\n",
}
for name, text in TEXTS.items():
    for options in ({}, H, M, HI):
        add(text, options)
for name in ("ragged", "short", "long row last", "nulls", "unclosed", "quote in the middle", "text after quote", "doubled quotes", "blank lines"):
    for mode in ("PERMISSIVE", "DROPMALFORMED", "FAILFAST"):
        add(TEXTS[name], {**H, "mode": mode})
        add(TEXTS[name], {**H, "mode": mode}, "a INT, b INT")
        if mode == "PERMISSIVE":
            add(TEXTS[name], {**H, "mode": mode}, "a INT, b INT, _corrupt_record STRING")
            add(TEXTS[name], {**M, "mode": mode, "columnNameOfCorruptRecord": "bad"}, "bad STRING, a INT, b STRING")

# Single options.
for options in (
    {"sep": ";"}, {"delimiter": ";"}, {"sep": "\\t"}, {"sep": "||"}, {"sep": ""}, {"sep": "\\"}, {"quote": "'"}, {"quote": ""}, {"escape": '"'}, {"escape": ""},
    {"comment": "#"}, {"comment": "##"}, {"nullValue": "NA"}, {"nullValue": "1"}, {"emptyValue": "E"}, {"emptyValue": "E", "nullValue": "NA"},
    {"ignoreLeadingWhiteSpace": "true"}, {"ignoreTrailingWhiteSpace": "true"},
    {"ignoreLeadingWhiteSpace": "true", "ignoreTrailingWhiteSpace": "true"}, {"maxColumns": "2"}, {"maxCharsPerColumn": "4"},
    {"unescapedQuoteHandling": "STOP_AT_CLOSING_QUOTE"}, {"unescapedQuoteHandling": "RAISE_ERROR"}, {"unescapedQuoteHandling": "stop_at_delimiter"},
    {"lineSep": "x"}, {"lineSep": "\n"}, {"lineSep": "\r\n"}, {"charToEscapeQuoteEscaping": "#"}, {"enforceSchema": "false"}, {"header": "yes"}, {"mode": "other"},
):
    for text in (
        'a,b\n"x","1"\nNA,\n  p , "q" \n',
        "a;b\n1;'x;y'\n#c;d\n'';2\n",
        'a||b\n1||2\n"x||y"|| z \n#||\n""||q\n',
        'a\tb\n"x""y"\t\'z\'\n"p\\"q"\tNA\n1\t2\t3\n"a#\\\\"\t"#"\n',
    ):
        add(text, {**H, **options})
        if len(options) == 1 and list(options)[0] in ("comment", "lineSep", "sep", "quote", "escape"):
            add(text, {**M, **options})

# Types: what is inferred, and what a schema makes of a value.
COLUMNS = {
    "integers": "1 2 -3 +4", "longs": "1 3000000000", "overflow": "9223372036854775808 1", "decimals": "12345678901234567890 1", "too long": "1" * 39 + " 1",
    "doubles": "1.5 2 1e5", "exponent": "1e3", "suffix": "1d 2f", "hex": "0x10 0x1p3", "dot": ". 5. .5", "nan": "NaN 1", "inf": "Inf -Inf 1", "infinity": "Infinity -Infinity",
    "booleans": "true FALSE True", "yes": "yes no", "dates": "2020-01-01 2020-12-31", "short dates": "2020-1-1", "mixed dates": "2020-01-01 2020-01-01T10:00:00",
    "times": "2020-01-01T10:20:30 2020-01-01T10:20:30.123456Z", "zone": "2020-01-01T10:20:30+02:00", "years": "2020 2021", "months": "2020-01", "slashes": "01/02/2020",
    "int then double": "1 1.5", "int then string": "1 x", "bool then int": "true 1", "double then date": "1.5 2020-01-01", "date then int": "2020-01-01 1",
    "long and decimal": "3000000000 12345678901234567890", "underscore": "1_000", "minus zero": "-0 -0.0", "leading zeros": "007 08", "percent": "5%", "bad date": "2020-02-30",
    "year 10000": "10000-01-01", "hour": "2020-01-01T10", "minute": "2020-01-01T10:20", "decimal and double": "12345678901234567890 1.5", "nine and half": "99999999999999999999.5",
    "wide decimals": "1" * 38 + " 1", "small": "1e-400 1e400", "commas": '"1,000"', "plus": "+1.5 +", "nanos": "2020-01-01T10:20:30.123456789",
}
for name, words in COLUMNS.items():
    text = "v\n" + "\n".join(words.split(" ")) + "\n"
    add(text, HI)
for kind in ("BYTE", "SHORT", "INT", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN", "DECIMAL(10,2)", "DECIMAL(38,0)", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "STRING", "BINARY"):
    words = ("1 -1 127 128 32768 2147483648 9223372036854775807 1.5 1.005 1e2 1,000 NaN Inf -Inf Infinity true TRUE yes 2020-01-01 2020-1-1 2020 2020-02-30 2020-01-01T10:20:30 "
             "2020-01-01T10:20:30.1234567Z 2020-01-01T10:20:30+02:00 12345678.99 123456789.99 x +5 -0.0 1d 0001-01-01 9999-12-31T23:59:59.999999 10000-01-01 "
             "2020-01-01T00:00:00GMT+01:00 2020-01-01T00:00:00Europe/Paris")
    rows = "".join(f'{i};{w}\n' for i, w in enumerate(words.split(" "))) + "98; 1 \n99;\n"
    add(rows, {"sep": ";"}, f"i INT, v {kind}")
    if kind in ("INT", "DATE"):
        add("i;v\n" + rows, {"sep": ";", "header": "true", "mode": "DROPMALFORMED"}, f"i INT, v {kind}")
for options in (
    {"dateFormat": "dd/MM/yyyy"}, {"dateFormat": "d/M/yyyy"}, {"dateFormat": "MMM d yyyy"}, {"dateFormat": "yyyyMMdd"}, {"timestampFormat": "dd/MM/yyyy HH:mm"},
    {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]"}, {"timestampFormat": "yyyy-MM-dd HH:mm:ss.SSS"}, {"preferDate": "false"}, {"timeZone": "Europe/Paris"},
    {"timestampFormat": "hh:mm a"}, {"timestampNTZFormat": "dd/MM/yyyy HH:mm"}, {"nanValue": "nan"}, {"positiveInf": "oo"}, {"negativeInf": "-oo"}, {"dateFormat": "yy-MM-dd"},
    {"dateFormat": "EEE, d MMM yyyy"}, {"timestampFormat": "yyyy-MM-dd HH:mm:ss z"}, {"dateFormat": "QQ yyyy"}, {"samplingRatio": "1.0"}, {"samplingRatio": "0"},
    {"enableDateTimeParsingFallback": "false"}, {"enableDateTimeParsingFallback": "true", "dateFormat": "dd/MM/yyyy"}, {"locale": "en-US"},
):
    words = ["31/12/2020", "1/2/2020", "Dec 5 2020", "20201231", "31/12/2020 10:20", "2020-12-31T10:20:30.123Z", "2020-12-31T10:20:30", "2020-12-31 10:20:30.123", "2020-12-31",
             "10:20 PM", "nan", "oo", "-oo", "20-12-31", "Thu, 31 Dec 2020", "2020-12-31 10:20:30 CET", "2020-1-5"]
    for word in words:
        if options.get("preferDate") or word[0] not in "no-" or list(options)[0] in ("nanValue", "positiveInf", "negativeInf"):
            pass
    text = "|".join(f"c{i}" for i in range(len(words))) + "\n" + "|".join(words) + "\n"
    add(text, {**HI, "sep": "|", **options})
    add("".join(f"{w}\n" for w in words), options, "v DATE")
    add("".join(f"{w}\n" for w in words), options, "v TIMESTAMP")
    add("".join(f"{w}\n" for w in words), options, "v TIMESTAMP_NTZ")
    add("".join(f"{w}\n" for w in words[9:13]), options, "v DOUBLE")

# Files: several, empty ones, other headers, other encodings, compressed.
add({"a.csv": "a,b\n1,2\n3,4\n", "b.csv": "a,b\n5,6\n"}, H)
add({"a.csv": "a,b\n5,6\n", "b.csv": "a,b\n1,2\n3,4\n"}, H)
add({"a.csv": "a,b\n5,6\n", "b.csv": "b,a\n1,2\n3,4\n"}, HI)
add({"a.csv": "a,b\n5,6\n", "b.csv": ""}, HI)
add({"a.csv": "", "b.csv": "a,b\n5,6\n"}, HI)
add({"a.csv": "a,b\n", "b.csv": "a,b\n5,6\n"}, HI)
add({"a.csv": "a,b\n1,2\n", "b.csv": "a,b,c\n1,2,3\n"}, H)
add({"a.csv": "a,b\n1,2\n", "_b.csv": "a,b\n7,8\n", ".c.csv": "a,b\n7,8\n"}, H)
add({"a.csv": "a,b\n5,6\n", "b.csv": "b,a\n1,2\n3,4\n"}, {**H, "enforceSchema": "false"})
add({"a.csv": "a,b\n5,6\n", "b.csv": "B,A\n1,2\n3,4\n"}, {**H, "enforceSchema": "false"}, "a INT, b INT")
add("A,b\n5,6\n", {**H, "enforceSchema": "false"}, "a INT, b INT")
add("a,b\n5,6\n", H, "x INT, y INT, z INT")
add("a,b\n5,6\n", H, "x INT")
add("a,b\n5,6\n", H, "x INT NOT NULL, y INT")
add("a,b\n5,\n", H, "x INT NOT NULL, y INT NOT NULL")
add("a,b\n5,6\n", H, "x ARRAY<INT>, y INT")
add("a,b\n5,6\n", {**H, "columnNameOfCorruptRecord": "y"}, "x INT, y INT")
add({"a.csv.gz": b64(gzip.compress(b"a,b\n1,2\n", mtime=0))}, HI)
add({"a.csv": b64("a,b\né,ü\n".encode("latin-1"))}, {**H, "encoding": "ISO-8859-1"})
add({"a.csv": b64("a,b\né,ü\n".encode("latin-1"))}, {**H, "charset": "latin1"})
add({"a.csv": b64("a,b\né,ü\n".encode("latin-1"))}, H)
add({"a.csv": b64("a,b\né,€\n".encode("cp1252"))}, {**H, "encoding": "windows-1252"})
add({"a.csv": b64("a,b\né,ü\n".encode("utf-16"))}, {**M, "encoding": "UTF-16"})
add({"a.csv": b64("a,b\né,ü\n".encode("utf-16-le"))}, {**M, "encoding": "UTF-16LE"})
add({"a.csv": b64("a,b\né,ü\n".encode("utf-16-be"))}, {**M, "encoding": "UTF-16BE"})
add("a,b\n1,2\n", {**H, "encoding": "none-such"})
add("#x\na,b\n#y\n1,2\n #z,1\n", {**HI, "comment": "#"})
add("#x\na,b\n#y\n1,2\n #z,1\n", {**M, "comment": "#"})

# Separators of two characters that overlap the lines' end, marks, ends of lines as data, files of nothing but a mark.
for text in ("a|b||c", "a||b|c||d|", 'x|"a||b|c||d', '"', 'a\r\n"\r\nb', "\ufeffa||b\r\nc||d\r\n", '\ufeffa||"b\r\nc||d\r\n', '\ufeffx||y\r\n"a||b\r\nc||d\r\n', "a\r||b\r\nc||d\r\r\n", "a\r,b\r\nc,d\r\r\n",
             "a,\r\n\rb,c\r\n", "\ufeff", "\ufeff\n"):
    for options in ({"sep": "||", "lineSep": "|"}, {"sep": "||"}, {"sep": "||", "lineSep": "\r\n"}, {"lineSep": "\r\n"}, {}):
        add(text, options)
        add(text, {**options, "multiLine": "true"})
for encoding in ("UTF-16", "UTF-16LE", "UTF-16BE", "UTF-8"):
    for text in ("\ufeff", "\ufeffa,b\n1,2\n", "a,b\n1,2\n"):
        for mode in ("PERMISSIVE", "FAILFAST"):
            data = text.encode({"UTF-16": "utf-16-be", "UTF-16LE": "utf-16-le", "UTF-16BE": "utf-16-be", "UTF-8": "utf-8"}[encoding])
            add({"a.csv": b64(data)}, {"encoding": encoding, "mode": mode, "multiLine": "true"})
            add({"a.csv": b64(data)}, {"encoding": encoding, "mode": mode, "lineSep": "\n"})
            add({"a.csv": b64(data)}, {"encoding": encoding, "mode": mode, "multiLine": "true"}, "a STRING, b STRING")

answers("csv", CASES)
