"""CSV and JSON as the real Spark writes them: rows, options, and the file's text."""
import base64, glob, gzip, json, os, re, tempfile
from _text_sources import has_time, internal, plain, session

TYPES = ("SELECT * FROM VALUES (CAST(1 AS TINYINT), CAST(-2 AS SMALLINT), 3, 4L, 1.5f, 0.1d, 12.30BD, true, 'x', DATE'2020-01-02', TIMESTAMP'2020-01-02 03:04:05.678901', TIMESTAMP_NTZ'2020-01-02 03:04:05.678901'), "
         "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS t(b, s, i, l, f, d, m, o, t, da, ts, tn)")
DOUBLES = ("SELECT * FROM VALUES (double('NaN'), float('NaN')), (double('Infinity'), float('-Infinity')), (1e7d, 1e7f), (1e-3d, 1e-4f), (1.0d, 1.0f), (-0.0d, 1.17e-38f), (1e300d, 3.4e38f), (123456789.125d, 0.1f), (4.9e-324d, 16777216f) AS t(d, f)")
DECIMALS = "SELECT CAST(v AS DECIMAL(20,10)) d, CAST(v AS DECIMAL(10,0)) e, CAST(v AS DECIMAL(38,18)) f FROM VALUES ('0'), ('1'), ('-0.0000000001'), ('123456789.123'), ('0.000001') AS t(v)"
STRINGS = ("SELECT * FROM VALUES ('', 'x'), (NULL, 'x'), (' a ', ' b '), ('a,b', 'c\"d'), ('\"q\"', '\\\\'), ('l\\n2', 'cr\\r'), ('#c', 'd#'), ('a\\\\\"b', 'e\\\\'), ('   ', ' '), ('é愛', 'tab\\t'), ('a\\\\,b', '\\''), ('x|y', 'p;q'), "
           "('\"', '\"\"'), (NULL, NULL), ('', ''), ('NULL', 'nan'), ('\\u0001', '\\u0000'), (' \"x\" ', 'a\"') AS t(s, t)")
TIMES = "SELECT * FROM VALUES (DATE'0001-01-01', TIMESTAMP'0001-01-01 00:00:00'), (DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999'), (DATE'1969-12-31', TIMESTAMP'1969-12-31 23:59:59.999'), (DATE'2020-02-29', TIMESTAMP'2020-07-01 12:00:00') AS t(d, t)"
ONE = "SELECT * FROM VALUES (NULL), (''), ('a'), (' ') AS t(s)"
NONE = "SELECT 'a' AS `x y`, 1 AS `c,d` WHERE false"
NESTED = ("SELECT * FROM VALUES (array(1, NULL, 3), named_struct('a', 1, 'b', CAST(NULL AS STRING)), map('k', 1)), (array(), NULL, map('n', CAST(NULL AS INT))), (NULL, NULL, NULL), (array(), named_struct('a', NULL, 'b', 'x'), map()) AS t(a, s, m)")
BINARY = "SELECT * FROM VALUES (X'0102FF'), (X''), (NULL) AS t(b)"
NAMES = "SELECT 1 AS `a b`, 2 AS `c,d`, 3 AS `e\"f`, 4 AS ` g `, 5 AS ``" if False else "SELECT 1 AS `a b`, 2 AS `c,d`, 3 AS `e\"f`, 4 AS ` g `"

CASES = []


def add(kind, sql, **options):
    CASES.append({"format": kind, "sql": sql, "options": {k: str(v) for k, v in options.items()}})


for sql in (TYPES, DOUBLES, DECIMALS, STRINGS, TIMES, ONE, NONE, NESTED, BINARY, NAMES):
    add("csv", sql)
    add("csv", sql, header="true")
    add("json", sql)
    add("json", sql, ignoreNullFields="false")
for options in ({"sep": ";"}, {"sep": "\\t"}, {"sep": "||"}, {"quote": "'"}, {"escape": '"'}, {"quoteAll": "true"}, {"escapeQuotes": "false"}, {"nullValue": "NULL"}, {"emptyValue": ""}, {"emptyValue": "E"}, {"nullValue": "NULL", "emptyValue": ""},
                {"ignoreLeadingWhiteSpace": "false"}, {"ignoreTrailingWhiteSpace": "false"}, {"ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}, {"lineSep": "\r\n"}, {"comment": "c"}, {"charToEscapeQuoteEscaping": "#"}, {"quote": ""},
                {"quoteAll": "true", "nullValue": "NULL"}, {"quoteAll": "true", "emptyValue": ""}, {"escape": ""}, {"encoding": "UTF-16LE"}, {"encoding": "ISO-8859-1"}, {"compression": "gzip"}, {"compression": "none"}):
    add("csv", STRINGS, **options)
for options in ({"encoding": "UTF-16"}, {"lineSep": "\r\n"}, {"compression": "gzip"}, {"writeNonAsciiCharacterAsCodePoint": "true"}):
    add("json", STRINGS, **options)
for kind in ("csv", "json"):
    for options in ({"dateFormat": "dd/MM/yyyy"}, {"timestampFormat": "yyyy-MM-dd HH:mm:ss.SSSSSS"}, {"timestampFormat": "EEE MMM d HH:mm:ss xxx yyyy"}, {"timeZone": "Europe/Paris"}, {"timestampFormat": "hh:mm a"}, {"dateFormat": "EEEE, d MMMM yy"}):
        add(kind, TIMES, **options)
    add(kind, TYPES, timestampNTZFormat="HH:mm")

spark = session()
out = []
for case in CASES:
    frame = spark.sql(case["sql"]).coalesce(1)
    shown = frame.select(*[internal(frame[f"`{f.name}`"], f.dataType).alias(f"c{i}") if has_time(f.dataType) else frame[f"`{f.name}`"] for i, f in enumerate(frame.schema.fields)])
    kinds = [f.dataType for f in shown.schema.fields]
    case["schema"] = [[f.name, f.dataType.simpleString()] for f in frame.schema.fields]
    case["rows"] = [[plain(v, k) for v, k in zip(row, kinds)] for row in shown.collect()]
    with tempfile.TemporaryDirectory() as folder:
        try:
            frame.write.format(case["format"]).options(**case["options"]).mode("overwrite").save(folder)
            parts = sorted(glob.glob(os.path.join(folder, "part-*")))
            data = b"".join((gzip.decompress if p.endswith(".gz") else lambda x: x)(open(p, "rb").read()) for p in parts)
            try:
                case["text"] = data.decode("utf8")
            except UnicodeDecodeError:
                case["base64"] = base64.b64encode(data).decode()
            case["ending"] = "".join(re.findall(r"(?:\.[a-z]+)+$", parts[0])) if parts else None
        except Exception as error:
            found = re.findall(r"\[([A-Z][A-Z_0-9.]+)\]", str(error))
            case["error"] = found[0] if found else str(error)[:80]
    out.append(case)
print(json.dumps(out))
