# The settings of Spark, for src/session/spark-settings.json: run it with the peer Python, and save what it prints last.
import json, re
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
jvm = spark._jvm
forName = jvm.java.lang.Class.forName
entry = forName("org.apache.spark.internal.config.ConfigEntry$")
module = entry.getField("MODULE$").get(None)
forName("org.apache.spark.sql.internal.SQLConf$").getField("MODULE$").get(None)
field = next(f for f in entry.getDeclaredFields() if "knownConfigs" in f.getName())
field.setAccessible(True)
settings = {"runtime": {}, "static": {}, "core": {}}
for e in list(field.get(module).values()):
    key = e.key()
    default = e.defaultValueString()
    if default == "<undefined>" or default.startswith("<value of"):
        default = None
    if spark.conf.isModifiable(key):
        kind = None
        try:
            spark.conf.set(key, "\u00a7")
            spark.conf.unset(key)
        except Exception as error:
            found = re.search(r"It should be a/an '(\w+)' value", str(error))
            kind = found and found.group(1)
        settings["runtime"][key] = [default] + ([kind] if kind else [])
    elif key.startswith("spark.sql."):
        settings["static"][key] = [default]
    else:
        settings["core"][key] = [default]
print(json.dumps({
    "runtime": dict(sorted(settings["runtime"].items())),
    "static": {key: value[0] for key, value in sorted(settings["static"].items())},
    "core": sorted(settings["core"]),
}))
