// Names and numbers as people read them.

export const STATES = {
  CLEARING: "Clearing", STOPPED: "Stopped", STARTING: "Starting", IDLE: "Idle", SUSPENDED: "Suspended",
  EXECUTE: "Running", STOPPING: "Stopping", ABORTING: "Aborting", ABORTED: "Aborted", HOLDING: "Holding", HELD: "Held",
  UNHOLDING: "Unholding", SUSPENDING: "Suspending", UNSUSPENDING: "Unsuspending", RESETTING: "Resetting",
  COMPLETING: "Completing", COMPLETE: "Complete",
};
export const MODES = { PRODUCTION: "Production", MAINTENANCE: "Maintenance", MANUAL: "Manual" };
export const ACCOUNTS = {
  working: "Working", waiting: "Waiting", starved: "No parts", blocked: "No room", hold: "Held", fault: "Fault",
  stopped: "Stopped", unplanned: "Not asked",
};

export const seconds = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits));
export const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);
export const whole = (value) => Number(value).toLocaleString("en").replaceAll(",", "\u202f");
export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");
export const day = (text) => text.replace("T", " ").replace(/\.\d+Z$/, "").replace("Z", "");
export const degrees = (rad) => (rad * 180) / Math.PI;

export function duration(s) {
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

// What an operation does, from the recipes; 100a and 100b are halves of 100.
export function operationName(facts, number) {
  const steps = facts?.models?.[0]?.steps ?? [];
  const step = steps.find((each) => each.number === number) ?? steps.find((each) => each.number === number.replace(/\D+$/, ""));
  return step ? step.does : "";
}
