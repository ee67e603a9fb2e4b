/** The fake is strict: each thing that the real host forbids fails here, and is written down even if it is caught. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { startLive } from "./extension_host.mjs";

const sdk = createRequire(import.meta.url)("./strict_sdk/dist/index.cjs");
const { AudioClip, AudioTrack, ClipSlot, MidiTrack, TakeLane } = sdk;

function contextOf(live) {
  return sdk.initialize({ hostApiVersion: "1.0.0", model: live }, "1.0.0");
}

function wrongs() {
  const live = startLive({ runtime: null });
  const track = live.addTrack("AudioTrack", "Drums");
  const handle = { id: track.id };
  const get = () => contextOf(live).getObjectFromHandle(handle, AudioTrack);
  const placed = { filePath: "/a.wav", startTime: 0 };
  return {
    live,
    deeds: {
      "an unknown member": () => get().duration,
      "an unknown service": () => contextOf(live).files,
      "an unknown method": () => contextOf(live).ui.showMessage("x"),
      "a field that cannot be set": () => { get().clipSlots = []; },
      "a field set to a wrong type": () => { get().name = 3; },
      "too few arguments": () => get().clearClipsInRange(1),
      "too many arguments": () => get().createTakeLane("lane"),
      "a wrong type": () => contextOf(live).ui.showModalDialog("data:text/html,x", "460", 200),
      "no number": () => contextOf(live).resources.renderPreFxAudio(get(), NaN, 1),
      "an unknown key": () => get().createAudioClip({ ...placed, warped: true }),
      "a missing key": () => get().createAudioClip({ startTime: 0 }),
      "a key that is undefined": () => get().createAudioClip({ ...placed, duration: undefined }),
      "a handle that is no BigInt": () => contextOf(live).getObjectFromHandle({ id: 1 }, AudioTrack),
      "a handle without a class": () => contextOf(live).getObjectFromHandle(handle),
      "an async transaction": () => contextOf(live).withinTransaction(async () => {}),
      "another version": () => sdk.initialize({ model: live }, "2.0.0"),
    },
  };
}

for (const name of Object.keys(wrongs().deeds)) {
  test(`${name} is an offence`, () => {
    const { live, deeds } = wrongs();
    assert.throws(deeds[name], TypeError);
    assert.equal(live.offences.length, 1);
  });
}

test("an object that was kept across an await is stale; its handle is not", async () => {
  const live = startLive({ runtime: null });
  const context = contextOf(live);
  const { id } = live.addTrack("AudioTrack", "Drums");
  const track = context.getObjectFromHandle({ id }, AudioTrack);
  await Promise.resolve();
  assert.equal(track.name, "Drums");
  await track.createTakeLane();

  assert.throws(() => track.name, /stale/);
  assert.equal(context.getObjectFromHandle(track.handle, AudioTrack).name, "Drums");
});

test("what is deleted, or of another class, is an invalid reference", () => {
  const live = startLive({ runtime: null });
  const context = contextOf(live);
  const node = live.addTrack("AudioTrack", "Drums");
  const track = context.getObjectFromHandle({ id: node.id }, AudioTrack);
  assert.ok(!(track instanceof MidiTrack) && !(track instanceof TakeLane) && !(track.clipSlots[0] instanceof AudioClip));
  assert.ok(track.clipSlots[0] instanceof ClipSlot);
  assert.throws(() => context.getObjectFromHandle({ id: node.id }, MidiTrack), /Invalid object reference/);
  live.remove(node);
  assert.throws(() => track.name, /Invalid object reference/);
});

test("a clip needs a file of the project, and cannot loop unwarped", async () => {
  const live = startLive({ runtime: null });
  const track = () => contextOf(live).getObjectFromHandle({ id: live.song.tracks[0].id }, AudioTrack);
  live.addTrack("AudioTrack", "Drums");
  await assert.rejects(track().createAudioClip({ filePath: live.audio, startTime: 0 }), /was not imported/);
});

for (const [name, source, words] of [
  ["reading outside its folders", "require('node:fs').readFileSync('/etc/hostname')", /no access/],
  ["writing outside its folders", "require('node:fs').writeFileSync('/tmp/x', '')", /no access/],
  ["an unforeseen use of files", "require('node:fs').rmSync('/tmp/x')", /not to be used for rmSync/],
  ["a module that is not foreseen", "require('node:child_process')", /requires node:child_process/],
  ["a web global", "new URL('http://x')", /URL is not defined/],
  ["a socket of another kind", "require('node:dgram').createSocket('udp6')", /udp6/],
]) {
  test(`${name} fails`, () => {
    assert.throws(() => startLive({ runtime: null, extra: source }), words);
  });
}

test("an unlooped clip plays loopStart to loopEnd; its endMarker is told as the end of its file", () => {
  const live = startLive({ runtime: null });
  const track = live.addTrack("AudioTrack", "Drums");
  const loopSettings = { looping: false, startMarker: 0.1, endMarker: 0.3, loopStart: 0.1, loopEnd: 0.3 };
  const { id } = live.fillSlot(track.clipSlots[0], { filePath: live.audio, isWarped: false, loopSettings }, false);
  const clip = contextOf(live).getObjectFromHandle({ id }, AudioClip);

  assert.deepEqual([clip.loopStart, clip.loopEnd, clip.endMarker], [0.1, 0.3, 0.5]);
});
