import { inputsOf, type Plan } from "../frame/plan";
import type { LeafPlan } from "./relation";

/** The frames that are kept already. */
type Kept = { has(id: string): boolean };

/** The sources of a plan that have to be looked up. */
export function leavesOf(plan: Plan, cached: Kept): LeafPlan[] {
  if (plan.op === "cached" && cached.has(plan.id)) return [];
  if (plan.op === "read" || plan.op === "local") return [plan];
  return inputsOf(plan).flatMap((input) => leavesOf(input, cached));
}

/** The frames of a plan whose rows are there. */
export function keptFramesOf(plan: Plan, cached: Kept): string[] {
  if (plan.op === "cached" && cached.has(plan.id)) return [plan.id];
  return inputsOf(plan).flatMap((input) => keptFramesOf(input, cached));
}

/** Equal for sources that are the same. */
export function leafKey({ planId: _, ...leaf }: LeafPlan): string {
  return JSON.stringify(leaf);
}
