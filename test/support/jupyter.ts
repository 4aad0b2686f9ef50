import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** A program of the checkout's `.venv`. @throws Error where set-up has not run */
export function venvProgram(name: string): string {
  const path = join(__dirname, "..", "..", ".venv", "bin", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run setup" first.`);
  return path;
}

/** Converts a notebook to HTML beside it, as it is, and gives the HTML's path. */
export function notebookToHtml(notebook: string): string {
  execFileSync(venvProgram("jupyter"), ["nbconvert", "--to", "html", notebook], { stdio: "pipe" });
  return notebook.replace(/\.ipynb$/, ".html");
}
