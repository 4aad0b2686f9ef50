/** The record of a run: its log, and the report that is made of it. */

export { type HistoryServer, historyServer } from "./history-server";
export { type JobRecord, type JobRecords, jobRecords, type StageRecord } from "./jobs";
export { pageOfRun } from "./known-server";
export { logNamed, logsIn, type Retention, summaries } from "./logs";
export { type RunLog, type RunLogOptions, runLog } from "./run-log";
export { runReport, runsStill, statusIn } from "./run-report";
export { factsOf, reportText, type SessionReport, sessionReport } from "./session-report";
