import { planOf } from "./analysis";
import type { SparkClient } from "./client";
import { called, column, named } from "./expressions";
import { runJob, type SparkJob } from "./jobs";
import type { ReadyPlan } from "./pipelines";
import { Aggregate_GroupType } from "./protos/spark/connect/relations_pb";
import { of, projected } from "./relations";
import { numbersOf } from "./results";

/** How many partitions of a relation have rows: Spark Connect tells of no others. */
export async function countPartitions(
  client: SparkClient,
  { relation, name }: Pick<ReadyPlan, "relation" | "name">,
  job: SparkJob,
): Promise<number> {
  const input = projected(relation, [named(called("spark_partition_id", []), "id")]);
  const counted = named(called("count", [column("id")], true), "n");
  const groupType = Aggregate_GroupType.GROUPBY;
  const aggregate = of({ case: "aggregate", value: { input, groupType, aggregateExpressions: [counted] } });
  const [count = 0] = await numbersOf(runJob(client, planOf(aggregate), job, name));
  return count;
}
