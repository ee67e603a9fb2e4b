/** A daemon that dies over a job: the extension goes on with the next one. The daemon of this test is its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setInterval } from "node:timers";
import { RUNTIME, startLive } from "./extension_host.mjs";

const read = () => JSON.parse(readFileSync(RUNTIME, "utf8"));

/** Start the next daemon, and have its runtime file copied to the extension as soon as it is written. */
function succeed(live) {
  const { token } = read();
  const [program, ...words] = JSON.parse(process.env.RETAKE_TEST_DAEMON);
  const daemon = spawn(program, words, { stdio: "ignore" });
  const timer = setInterval(() => {
    if (read().token === token) return;
    clearInterval(timer);
    copyFileSync(RUNTIME, join(live.storage, "runtime.json"));
  }, 20);
  return daemon;
}

for (const isBack of [true, false]) {
  test(`a daemon that dies over a job ${isBack ? "and is back" : "for good"}`, async () => {
    const live = startLive();
    const track = live.addTrack("AudioTrack", "Drums");
    live.addClip(track, { filePath: live.audio, startTime: 8, duration: 1 }, false);
    live.answer = () => ({ prompt: "mist", candidates: 1, steps: 400 });
    let next;
    live.onProgress = (words, _percent, abort) => {
      if (!next && words.startsWith("step")) {
        process.kill(read().pid, "SIGKILL");
        next = isBack ? succeed(live) : {};
      }
      if (!isBack && words === "reconnecting") abort.abort();
    };
    const selection = { time_selection_start: 8, time_selection_end: 9, selected_lanes: [{ id: track.id }] };
    await live.choose("AudioTrack.ArrangementSelection", "Restyle selection…", selection);

    assert.ok(live.progress.some(({ words }) => words === "reconnecting"));
    assert.equal(track.takeLanes.length, isBack ? 1 : 0);
    assert.equal(live.dialogs.length, 1);
    assert.deepEqual(live.offences, []);
    next.unref?.();
  });
}
