"""JSON as the real Spark reads it: inputs, options, and what comes out."""
import base64, gzip
from _text_sources import answers

CASES = []


def add(text, options=None, schema=None):
    files = text if isinstance(text, dict) else {"a.json": text}
    case = {"files": files, "options": {k: str(v) for k, v in (options or {}).items()}}
    if schema:
        case["schema"] = schema
    CASES.append(case)


def b64(data):
    return {"base64": base64.b64encode(data).decode()}


LINES = [
    '{"a":1,"b":"x"}\n{"a":2}\n{"b":null}\n', '{"a":1}\n{"a":1.5}\n', '{"a":1}\n{"a":"x"}\n', '{"a":1}\n{"a":true}\n', '{"a":3000000000}\n{"a":1}\n', '{"a":9223372036854775808}\n',
    '{"a":123456789012345678901234567890123456789}\n', '{"a":1e3}\n{"a":1E400}\n', '{"a":NaN,"b":Infinity,"c":-Infinity,"d":+Infinity,"e":INF,"f":-INF}\n', '{"a":"NaN"}\n',
    '{"a":[1,2,null]}\n{"a":[]}\n', '{"a":[1,"x"]}\n', '{"a":[[1],[2.5]]}\n', '{"a":[{"b":1},{"c":2}]}\n', '{"a":{"b":1}}\n{"a":{"c":"x"}}\n', '{"a":{"b":1}}\n{"a":2}\n', '{"a":[1]}\n{"a":2}\n',
    '{"a":{}}\n', '{"a":{}}\n{"a":{"b":1}}\n', '{"a":null}\n', '{}\n{}\n', '[]\n', '[{"a":1},{"a":2}]\n{"a":3}\n', '1\n"x"\n', 'null\n{"a":1}\n', '\n\n{"a":1}\n   \n', '{"a":1}{"a":2}\n', '{"a":1} x\n',
    '{"a":1\n{"a":2}\n', '{a:1}\n', "{'a':'x'}\n", '{"a":01}\n', '{"a":1,}\n', '{"a":1}// c\n', '/* c */{"a":1}\n', '{"a":"x\ty"}\n', '{"a":"\\q"}\n', '{"a":"\\u00e9\\n\\"\\/"}\n', '{"a":1,"a":2}\n', '{"a":1,"A":2}\n',
    '{"b":1,"a":2}\n{"c":3}\n', '{"t":"2020-01-01","u":"2020-01-01T10:20:30","v":"x"}\n', '{"a":"1","b":"true","c":"1.5"}\n', '{"a b":1,"c.d":2,"":3}\n', '{"a":-0.0,"b":-0,"c":0.1,"d":1.10}\n', '{"a":12345678901234567890.5}\n', '\ufeff{"a":1}\n',
    '{"a":"\U0001F600é愛"}\n', '{"a":1}\r\n{"a":2}\r{"a":3}', '{"a":{"b":[{"c":null},{"c":[1]}]}}\n', '', '\n', '{"a":tru}\n', '{"a":"x}\n', '{"a":[1,2}\n', '{"_corrupt_record":1}\nx\n', '{"a":1}\nx\n{"b":2}\n', '{"a":0.1}\n{"a":10000000000000000000}\n',
    '{"a":[]}\n{"a":null}\n', '{"a":[null]}\n', '{"a":[{}]}\n', '{"a":.5}\n', '{"a":5.}\n', '{"a":-}\n', '{"a":+1}\n', '{"a":"\\ud83d\\ude00"}\n', '"a"\n{"a":1}\n', '{"a":1}\n[1,2]\n', '{"a":true}\n{"a":[true]}\n', '{"a":1.0}\n{"a":9223372036854775808}\n',
    '{"a":1},\n{"a":2}\n', ' {"a" : 1 } \n', '{"a":{"b":1},"a":{"c":2}}\n',
]
for text in LINES:
    add(text)
    add(text, {"multiLine": "true"})
for options in (
    {"primitivesAsString": "true"}, {"prefersDecimal": "true"}, {"allowComments": "true"}, {"allowUnquotedFieldNames": "true"}, {"allowSingleQuotes": "false"}, {"allowNumericLeadingZeros": "true"},
    {"allowBackslashEscapingAnyCharacter": "true"}, {"allowUnquotedControlChars": "true"}, {"allowNonNumericNumbers": "false"}, {"dropFieldIfAllNull": "true"}, {"inferTimestamp": "true"}, {"mode": "DROPMALFORMED"}, {"mode": "FAILFAST"},
    {"columnNameOfCorruptRecord": "bad"}, {"samplingRatio": "1.0"}, {"preferDate": "true"}, {"lineSep": "\n"},
):
    for index in (0, 3, 8, 10, 14, 17, 27, 29, 30, 31, 33, 34, 35, 36, 40, 44, 56):
        if index < len(LINES):
            add(LINES[index], options)
SCHEMA = "a {}"
VALUES = ["1", "-1", "128", "1.5", "1e2", '"1"', '"x"', '""', "true", '"true"', "null", "[1]", '{"b":1}', "3000000000", "12345678901234567890", '"2020-01-01"', '"2020-01-01T10:20:30"',
          '"2020-01-01T10:20:30.123456Z"', '"2020-1-1"', '"NaN"', "NaN", '"Infinity"', '"-Infinity"', '"AQI="', '[1,"x",null]', '{"b":"x","c":2}', "1.005", '"1.5"', "1577836800", "[]", "{}", '"2020-01-01 10:20:30"', "0.1", '"INF"', "1e400", '[{"b":1}]', '{"b":null}']
for kind in ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10,2)", "BOOLEAN", "STRING", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "BINARY", "ARRAY<INT>", "ARRAY<STRING>", "MAP<STRING,INT>", "STRUCT<b:INT,c:STRING>",
             "ARRAY<STRUCT<b:INT>>"):
    add("".join(f'{{"a":{v}}}\n' for v in VALUES), {}, f"a {kind}, _corrupt_record STRING")
    add("".join(f'{{"a":{v}}}\n' for v in VALUES), {"mode": "DROPMALFORMED"}, f"a {kind}")
for options in ({"dateFormat": "dd/MM/yyyy"}, {"timestampFormat": "dd/MM/yyyy HH:mm"}, {"timestampNTZFormat": "dd/MM/yyyy HH:mm"}, {"timeZone": "Europe/Paris"}, {"enableDateTimeParsingFallback": "false"}, {"allowNonNumericNumbers": "false"}):
    values = ['"31/12/2020"', '"2020-12-31"', '"31/12/2020 10:20"', '"2020-12-31T10:20:30"', '"NaN"', "NaN", "18000"]
    for kind in ("DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "DOUBLE"):
        add("".join(f'{{"a":{v}}}\n' for v in values), options, f"a {kind}")
    add("".join(f'{{"a":{v}}}\n' for v in values[:4]), {**options, "inferTimestamp": "true"})
add('{"A":1,"b":2}\n', {}, "a INT, B INT, c INT")
add('{"a":1}\nx\n', {}, "_corrupt_record STRING, a INT")
add('{"a":1}\nx\n', {}, "a INT, bad STRING")
add('{"a":1}\nx\n', {"columnNameOfCorruptRecord": "bad"}, "a INT, bad STRING")
add('{"a":1}\nx\n', {}, "a INT, _corrupt_record INT")
add('{"a":null}\n', {}, "a INT NOT NULL")
add('[{"a":1},{"a":2},3]\n', {}, "a INT, _corrupt_record STRING")
add('{\n "a": 1,\n "b": [1,\n 2]\n}\n', {"multiLine": "true"})
add('[\n{"a": 1},\n{"a": 2}\n]\n', {"multiLine": "true"})
add('{\n "a": 1,\n', {"multiLine": "true"}, "a INT, _corrupt_record STRING")
add({"a.json": '{"a":1}\n', "b.json": '{"b":"x"}\n{"b":"y"}\n'})
add({"a.json": '{"a":1}\n', "b.json": ""})
add({"a.json.gz": b64(gzip.compress(b'{"a":1}\n', mtime=0))})
add({"a.json": b64('{"a":"é"}\n'.encode("utf-16"))}, {"multiLine": "true"})
add({"a.json": b64('{"a":"é"}\n'.encode("utf-16-le"))}, {"multiLine": "true", "encoding": "UTF-16LE"})
add({"a.json": b64('{"a":"é"}\n'.encode("utf-16-le"))}, {"lineSep": "\n", "encoding": "UTF-16LE"})
add({"a.json": b64('{"a":"é"}\n'.encode("latin-1"))}, {"encoding": "ISO-8859-1"})
add('{"a":1}x{"a":2}', {"lineSep": "x"})
add('{"a":1}||{"a":2}', {"lineSep": "||"})
# A null in a record's place, names twice of which one value is of another type, halves of pairs, records without a field.
for options in ({}, {"mode": "DROPMALFORMED"}, {"mode": "FAILFAST"}):
    add('{"a":1}\nnull\n{"a":2}\n', options, "a INT, _corrupt_record STRING" if not options else "a INT")
    add('[{"a":1},null,{"a":2}]', {"multiLine": "true", **options}, "a INT, _corrupt_record STRING" if not options else "a INT")
add("null", {"multiLine": "true"}, "a INT, _corrupt_record STRING")
add('{"a":1}\nnull\n{"a":2}\n{')
add('{"a":1}\nnull')
add('{"a":1,"a":"x"}\n{"a":"x","a":2}\n{"a":3,"a":null}\n{"s":{"b":1,"b":"x"}}\n', {}, "a INT, s STRUCT<b:INT>, _corrupt_record STRING")
add('{"a":"x","b":1,"a":{}}\n{"b":2}\n')
add('{"a":1,"a":2.5,"b":1}\n{"a":"x"}\n')
add('{"a":"x\\ud83dy","b":"\\ude00","c":"\\ud83d\\ude00","d":"\\ude00\\ud83d"}\n')
add('{}\n{}\n{"x":{}}\n')
add("[{},{}]", {"multiLine": "true"})
add("[]")

# UTF-16 with and without a mark, told and not told, by lines and whole; files of nothing but a mark.
for encoding in ("utf-16-le", "utf-16-be", "utf-8"):
    for text in ("\ufeff", "\ufeff\n", '\ufeff{"a":1}\n{"a":2}\n', '{"a":1}\n{"a":2}\n'):
        for options in ({}, {"multiLine": "true"}, {"encoding": "UTF-16LE", "lineSep": "\n"}, {"encoding": "UTF-16BE", "multiLine": "true"}, {"encoding": "UTF-16", "lineSep": "\n"}, {"encoding": "UTF-16", "multiLine": "true"}):
            if encoding == "utf-8" and "encoding" in options or (encoding, options.get("encoding")) in (("utf-16-le", "UTF-16BE"), ("utf-16-be", "UTF-16LE")):
                continue
            add({"a.json": b64(text.encode(encoding))}, options, "a INT, _corrupt_record STRING")
            add({"a.json": b64(text.encode(encoding))}, {**options, "mode": "FAILFAST"}, "a INT")

answers("json", CASES)
