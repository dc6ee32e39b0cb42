/** Preloaded into every process that the start script makes: ends it when the script is gone, however it went. */
const LOOK_EVERY_MS = 250;

// Not `process.ppid` of now: the script may be gone already.
const parent = Number(process.env["ERRAND_PARENT_PID"]);
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, LOOK_EVERY_MS).unref();
