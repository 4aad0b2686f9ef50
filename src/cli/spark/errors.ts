import { PomonaError } from "../../errors";

/** Spark, or what it needs, could not be installed; the message says why. */
export class SparkInstallError extends PomonaError {}

/** There is no Java, or none that this Spark runs on. */
export class JavaMissingError extends PomonaError {}

/** A Spark server did not start. */
export class SparkStartError extends PomonaError {}

/** There is no such Spark server. */
export class NoSparkServerError extends PomonaError {}
