import type { MimeBundle } from "../kernel/mime-bundle";
import { type BarStyle, FloatProgress, HBox, HTML, Label, VBox } from "../widgets";
import { COLOURS, headHtml, notesHtml, type ProgressNotes, stageText } from "./notebook-html";
import { fractionDone, type JobProgress, type StageProgress } from "./state";

/** A job's state as widgets: a line about the job, a bar a stage, the notes. */
export interface ProgressWidgets {
  /** What shows them in a cell's output. */
  readonly view: MimeBundle;
  update(job: JobProgress, notes: ProgressNotes): void;
  close(): void;
}

export function progressWidgets(job: JobProgress, notes: ProgressNotes): ProgressWidgets {
  const head = new HTML({ value: headHtml(job), layout: FLAT });
  const foot = new HTML({ value: notesHtml(job, notes), layout: FLAT });
  const rows = job.stages.map(stageRow);
  const box = new VBox(childrenOf(), {
    layout: { borderLeft: border(job), padding: "2px 0 2px 10px", overflow: "hidden" },
  });
  function childrenOf() {
    return [head, ...rows.map((row) => row.box), foot];
  }
  return {
    view: {
      "application/vnd.jupyter.widget-view+json": { version_major: 2, version_minor: 0, model_id: box.modelId },
    },
    update(job, notes) {
      head.value = headHtml(job);
      foot.value = notesHtml(job, notes);
      box.layout.borderLeft = border(job);
      rows.forEach((row, i) => {
        row.update(job.stages[i] as StageProgress);
      });
      if (job.stages.length > rows.length) {
        rows.push(...job.stages.slice(rows.length).map(stageRow));
        box.children = childrenOf();
      }
    },
    close() {
      for (const row of rows) row.close();
      for (const widget of [head, foot, box]) widget.close();
    },
  };
}

const FLAT = { margin: "0" };

const BARS: Readonly<Record<StageProgress["status"], BarStyle>> = {
  running: "info",
  succeeded: "success",
  failed: "danger",
  cancelled: "warning",
};

function stageRow(stage: StageProgress) {
  const name = new Label({ value: stage.name, layout: { minWidth: "160px" } });
  const bar = new FloatProgress({ max: 1, ...barOf(stage), layout: { width: "240px", height: "16px" } });
  const facts = new Label({ value: stageText(stage) });
  const box = new HBox([name, bar, facts], { layout: { alignItems: "center", overflow: "hidden" } });
  return {
    box,
    update(stage: StageProgress) {
      bar.set(barOf(stage));
      facts.value = stageText(stage);
    },
    close() {
      for (const widget of [name, bar, facts, box]) widget.close();
    },
  };
}

function barOf(stage: StageProgress): { value: number; barStyle: BarStyle } {
  return { value: fractionDone(stage), barStyle: BARS[stage.status] };
}

function border(job: JobProgress): string {
  return `3px solid ${COLOURS[job.status]}`;
}
