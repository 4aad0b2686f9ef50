"""Writes Parquet files of one large row group each into a folder: pages of many sizes, nested, dictionaries, both versions, all codecs."""

import random
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

folder, rows = sys.argv[1], int(sys.argv[2])
rng = random.Random(7)


def maybe(value, chance=0.1):
    return None if rng.random() < chance else value


def text(n):
    return "".join(rng.choice("abcdefghij é") for _ in range(n))


ids = range(rows)
data = pa.table(
    {
        "id": pa.array(ids, pa.int64()),
        "n": pa.array([maybe(rng.getrandbits(31)) for _ in ids], pa.int32()),
        "flag": pa.array([rng.random() < 0.5 for _ in ids], pa.bool_()),
        "maybe": pa.array([maybe(rng.random() < 0.5) for _ in ids], pa.bool_()),
        "d": pa.array([maybe(rng.random()) for _ in ids], pa.float64()),
        "f": pa.array([rng.random() for _ in ids], pa.float32()),
        "money": pa.array([None if rng.random() < 0.1 else rng.randrange(10**9) for _ in ids], pa.int64()).cast(
            pa.decimal128(38, 2)
        ),
        "text": pa.array([maybe(text(rng.randrange(40))) for _ in ids], pa.string()),
        "label": pa.array([maybe("class %d" % rng.randrange(141)) for _ in ids], pa.string()),
        "sorted": pa.array(["k%d" % (i // 5000) for i in ids], pa.string()),
        "nothing": pa.array([None] * rows, pa.string()),
        "at": pa.array([maybe(i * 1_000_003) for i in ids], pa.timestamp("us", tz="UTC")),
        "bytes": pa.array([maybe(rng.randbytes(rng.randrange(12))) for _ in ids], pa.binary()),
        "vector": pa.array([[float(i), i + 0.5, -1.0, 3.25] for i in ids], pa.list_(pa.field("element", pa.float32()))),
        "list": pa.array(
            [maybe([maybe(rng.getrandbits(20)) for _ in range(rng.choice([0, 0, 1, 2, 7]))]) for _ in ids],
            pa.list_(pa.field("element", pa.int32())),
        ),
        "words": pa.array(
            [maybe([maybe("w%d" % rng.randrange(30)) for _ in range(rng.randrange(4))]) for _ in ids],
            pa.list_(pa.field("element", pa.string())),
        ),
        "deep": pa.array(
            [maybe([maybe([maybe(text(3)) for _ in range(rng.randrange(3))]) for _ in range(rng.randrange(3))]) for _ in ids],
            pa.list_(pa.field("element", pa.list_(pa.field("element", pa.string())))),
        ),
        "struct": pa.array(
            [maybe({"a": maybe(i), "b": {"c": maybe(text(4)), "l": maybe([i, i + 1])}}) for i in ids],
            pa.struct(
                [
                    ("a", pa.int64()),
                    ("b", pa.struct([("c", pa.string()), ("l", pa.list_(pa.field("element", pa.int64())))])),
                ]
            ),
        ),
        "map": pa.array(
            [maybe([("k%d" % j, maybe(rng.getrandbits(9))) for j in range(rng.randrange(4))]) for _ in ids],
            pa.map_(pa.string(), pa.int32()),
        ),
    }
)

for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    for version in ["1.0", "2.0"]:
        for page, dictionary in [(4 * 1024, True), (64 * 1024 * 1024, False)]:
            pq.write_table(
                data,
                f"{folder}/arrow-{codec}-{version}-{page}.parquet",
                compression=codec,
                data_page_version=version,
                data_page_size=page,
                use_dictionary=dictionary,
                row_group_size=rows,
            )
encodings = {"id": "DELTA_BINARY_PACKED", "n": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY", "d": "BYTE_STREAM_SPLIT"}
pq.write_table(
    data,
    f"{folder}/arrow-encodings.parquet",
    use_dictionary=False,
    column_encoding=encodings,
    row_group_size=rows,
)
pq.write_table(data, f"{folder}/arrow-int96.parquet", use_deprecated_int96_timestamps=True, row_group_size=rows // 2)
duckdb.sql("SET TimeZone = 'UTC'")
for codec in ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"]:
    for version in ["V1", "V2"]:
        duckdb.sql(
            f"""COPY (SELECT * FROM data) TO '{folder}/duckdb-{codec}-{version}.parquet'
            (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version}, ROW_GROUP_SIZE {rows})"""
        )
