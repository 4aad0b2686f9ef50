import { PomonaError } from "../errors";

/** Thrown when a widget has no option or property of that name; the message names the nearest. */
export class UnknownWidgetOptionError extends PomonaError {}

/** Thrown when a widget's property cannot have a value: another type, not among the choices, or `min` above `max`. */
export class WidgetValueError extends PomonaError {}
