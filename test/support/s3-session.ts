import { Session } from "pomona";

/** A session of two workers whose storages are made from Hadoop's settings, such as `s3Settings` gives. */
export function s3Session(settings: Readonly<Record<string, string>>): Promise<Session> {
  const builder = Session.builder().master("local[2]").config("pomona.progress", "off");
  for (const [name, value] of Object.entries(settings)) builder.config(`spark.hadoop.${name}`, value);
  return builder.getOrCreate();
}
