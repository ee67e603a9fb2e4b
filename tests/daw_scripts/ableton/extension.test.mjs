/** The extension in a strict Live, with the real daemon: each menu entry, and each mishap. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decode, RUNTIME, startLive } from "./extension_host.mjs";

const SELECTION = "AudioTrack.ArrangementSelection";
/** The audio that every render of the fake gives lasts half a second: one beat at 120 BPM. */
const BEATS = 1;
const WHOLE = { looping: false, startMarker: 0, endMarker: 0.5, loopStart: 0, loopEnd: 0.5 };

function trackWithClip(live, name = "Drums") {
  const track = live.addTrack("AudioTrack", name);
  live.addClip(track, { filePath: live.audio, startTime: 8, duration: BEATS }, false);
  return track;
}

function selection(tracks, start = 8, end = 8 + BEATS) {
  return { time_selection_start: start, time_selection_end: end, selected_lanes: tracks.map(({ id }) => ({ id })) };
}

function lanesOf(track) {
  return track.takeLanes.map(({ name, clips: [clip] }) => ({ name, start: clip.startTime, duration: clip.duration }));
}

/** Nothing was done that the SDK does not allow, and the musician's own clips are as they were. */
function checkManners(live) {
  assert.deepEqual(live.offences, []);
  for (const track of live.song.tracks) assert.ok(track.arrangementClips.every(({ filePath }) => filePath === live.audio));
}

function lastMessage(live) {
  const form = live.dialogs.at(-1);
  assert.equal(form.mayCancel, false, `the last dialog is no message but “${form.title}”`);
  return form.lines.join("\n");
}

test("entries stand on three menus, and no words come twice", () => {
  const live = startLive();
  const titles = [...live.menu.keys()].map((key) => key.split("/")[1]);
  assert.equal(titles.length, 13);
  assert.equal(new Set(titles).size, titles.length);
  checkManners(live);
});

test("nothing is asked of Live, the files or the network before an entry is chosen", () => {
  const live = startLive({ runtime: null });
  assert.deepEqual([live.dialogs, live.renders, live.sent], [[], [], []]);
});

test("restyle: two candidates come back as take lanes in two undo steps", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "heavy rain", strength: 0.7, seed: 5, candidates: 2 });
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  assert.deepEqual(lanesOf(track), [
    { name: "Restyle · heavy rain · seed 5 · 1/2", start: 8, duration: BEATS },
    { name: "Restyle · heavy rain · seed 5 · 2/2", start: 8, duration: BEATS },
  ]);
  assert.deepEqual(live.renders, [{ start: 8, end: 9 }]);
  assert.deepEqual(live.undoSteps, [
    ["Track.createTakeLane", "Track.createTakeLane"].map((name) => name.replace("Track", "AudioTrack")),
    ["set TakeLane.name", "set TakeLane.name", "TakeLane.createAudioClip", "TakeLane.createAudioClip"],
  ]);
  const [first] = track.takeLanes[0].clips;
  assert.equal(first.warping, false);
  assert.match(first.filePath, /Drums restyle heavy-rain s5\.wav$/);
  assert.equal(live.dialogs.length, 1);
  assert.deepEqual(live.progress[0], { title: "Retake: Restyle", words: "rendering", percent: 0 });
  checkManners(live);
});

test("inpaint: four seconds of surroundings are heard, the beginning of the arrangement permitting", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "glass", candidates: 1 });
  await live.choose(SELECTION, "Inpaint selection…", selection([track], 0.25, 0.75));

  assert.deepEqual(live.renders, [{ start: 0, end: 8.75 }]);
  assert.deepEqual(lanesOf(track), [{ name: "Inpaint · glass · seed 1", start: 0, duration: 8.75 }]);
  checkManners(live);
});

test("generate: nothing is rendered; the length is the selection's", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = (form) => {
    assert.equal(form.fields.find(({ name }) => name === "seconds").value, 0.5);
    return { prompt: "a dog", candidates: 1 };
  };
  await live.choose(SELECTION, "Generate in selection…", selection([track]));

  assert.deepEqual(live.renders, []);
  assert.deepEqual(lanesOf(track), [{ name: "Generate · a dog · seed 1", start: 8, duration: 1 }]);
  checkManners(live);
});

test("generate, following: what plays is rendered and sent, and the take is as long", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "wind", candidates: 1, follow: true, follow_what: "loudness,pitch", seconds: "30", model: "following" });
  await live.choose(SELECTION, "Generate in selection…", selection([track]));

  assert.deepEqual(live.renders, [{ start: 8, end: 8 + BEATS }]);
  const { address, args } = decode(live.sent[0]);
  assert.equal(address, "/retake/generate");
  assert.match(args[args.indexOf("follow") + 1], /Drums.*\.wav$/);
  assert.equal(args[args.indexOf("follow_what") + 1], "loudness,pitch");
  assert.equal(args.includes("seconds"), false);
  assert.deepEqual(lanesOf(track), [{ name: "Generate · wind · seed 1", start: 8, duration: BEATS }]);
  assert.equal(live.undoSteps.length, 2); // the lane, then its clip: Live's own way
  checkManners(live);
});

test("generate, following a session clip: its file, and nothing that is not asked for", async () => {
  const live = startLive();
  const track = live.addTrack("AudioTrack", "Vox");
  const clip = live.fillSlot(track.clipSlots[0], { filePath: live.audio, isWarped: false, loopSettings: WHOLE }, false);
  live.answer = () => ({ prompt: "wind", candidates: 1, follow: true });
  await live.choose("AudioClip", "Generate beside clip…", { id: clip.id });
  assert.match(lastMessage(live), /cannot follow a clip's loudness/); // the tiny model has not learnt it
  live.answer = () => ({ prompt: "wind", candidates: 1, follow: true, model: "following" });
  await live.choose("AudioClip", "Generate beside clip…", { id: clip.id });
  const { args } = decode(live.sent[0]);
  assert.equal(args[args.indexOf("follow") + 1], live.audio);
  assert.deepEqual([track.clipSlots[1].clip.loopStart, track.clipSlots[1].clip.loopEnd], [0, 0.5]);
  live.answer = (form, page) => {
    assert.equal(page.controls.some(({ id }) => id.startsWith("follow")), false, "an empty slot has nothing to follow");
    return { prompt: "wind", candidates: 1, seconds: "0.5", model: "" };
  };
  const empty = live.addTrack("AudioTrack", "Atmo").clipSlots[0];
  await live.choose("ClipSlot", "Generate in slot…", { id: empty.id });

  const sent = live.sent.map((bytes) => decode(bytes)).filter(({ address }) => address === "/retake/generate").at(-1);
  assert.equal(sent.args.some((value) => String(value).startsWith("follow")), false);
  assert.ok(empty.clip);
  checkManners(live);
});

for (const [title, name] of [["Upscale selection…", "Upscale"], ["Vary selection…", "Vary"]]) {
  test(`${title} needs no words`, async () => {
    const live = startLive();
    const track = trackWithClip(live);
    live.answer = () => ({ candidates: 1, seed: 4 });
    await live.choose(SELECTION, title, selection([track]));

    assert.deepEqual(lanesOf(track), [{ name: `${name} · seed 4`, start: 8, duration: BEATS }]);
    checkManners(live);
  });
}

test("several tracks, take lanes among them: each track once", async () => {
  const live = startLive();
  const tracks = [trackWithClip(live, "Drums"), trackWithClip(live, "Bass")];
  const lane = live.addLane(tracks[0]);
  live.addClip(lane, { filePath: live.audio }, false);
  live.answer = () => ({ prompt: "wind", candidates: 1 });
  await live.choose(SELECTION, "Restyle selection…", selection([lane, ...tracks, live.addTrack("MidiTrack", "Keys")]));

  assert.deepEqual(tracks.map(({ takeLanes }) => takeLanes.length), [2, 1]);
  assert.ok(live.progress.some(({ words, percent }) => words.startsWith("Bass: ") && percent >= 50));
  checkManners(live);
});

test("again: no dialog, the next seed, other settings as before", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "hail", seed: 4294967295, candidates: 1 });
  await live.choose(SELECTION, "Restyle selection…", selection([track]));
  live.answer = () => assert.fail("a dialog");
  await live.choose(SELECTION, "Again with a new seed", selection([track]));

  assert.deepEqual(lanesOf(track).map(({ name }) => name), ["Restyle · hail · seed 4294967295", "Restyle · hail · seed 0"]);
  checkManners(live);
});

test("settings are remembered, and survive a damaged file", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "snow <&\"> π", candidates: 1, seed: 9 });
  await live.choose(SELECTION, "Generate in selection…", selection([track]));
  live.answer = (form) => {
    assert.deepEqual(form.fields.slice(0, 1).map(({ value }) => value), ["snow <&\"> π"]);
    return "cancel";
  };
  await live.choose(SELECTION, "Generate in selection…", selection([track]));
  writeFileSync(join(live.storage, "settings.json"), "{");
  live.answer = (form) => {
    assert.equal(form.fields[0].value, "");
    return "Escape";
  };
  await live.choose(SELECTION, "Generate in selection…", selection([track]));

  assert.equal(track.takeLanes.length, 1);
  checkManners(live);
});

test("a session clip: what it plays of its file, and takes in the free slots below", async () => {
  const live = startLive();
  const track = live.addTrack("AudioTrack", "Vox");
  const loopSettings = { looping: false, startMarker: 0, endMarker: 0.4, loopStart: 0.1, loopEnd: 0.4 };
  const clip = live.fillSlot(track.clipSlots[1], { filePath: live.audio, isWarped: false, loopSettings }, false);
  live.answer = () => ({ prompt: "choir", candidates: 2 });
  await live.choose("AudioClip", "Restyle clip…", { id: clip.id });

  const made = track.clipSlots.slice(2).map(({ clip: take }) => take);
  assert.equal(live.song.scenes.length, 4);
  assert.equal(clip.endMarker, 0.5);
  const { args } = decode(live.sent[0]);
  assert.deepEqual(["start_s", "end_s"].map((key) => args[args.indexOf(key) + 1]), [0.1, 0.4]);
  assert.deepEqual(made.map(({ loopStart, loopEnd, warping }) => [loopStart, loopEnd, warping]), [
    [0.1, 0.4, false], [0.1, 0.4, false],
  ]);
  assert.equal(track.clipSlots[0].clip, null);
  assert.deepEqual(live.undoSteps.map((step) => step[0]), ["Song.createScene", "ClipSlot.createAudioClip"]);
  assert.deepEqual(live.renders, []);
  checkManners(live);
});

test("a warped session clip: the whole file, and words that say so", async () => {
  const live = startLive();
  const track = live.addTrack("AudioTrack", "Vox");
  const clip = live.fillSlot(track.clipSlots[0], { filePath: live.audio, isWarped: true }, false);
  live.answer = () => ({ candidates: 1 });
  await live.choose("AudioClip", "Vary clip…", { id: clip.id });

  assert.match(lastMessage(live), /is warped: its take is of the whole file/);
  assert.equal(track.clipSlots[1].clip.warping, false);
  checkManners(live);
});

test("inpainting inside a session clip asks from where to where", async () => {
  const live = startLive();
  const track = live.addTrack("AudioTrack", "Vox");
  const clip = live.fillSlot(track.clipSlots[0], { filePath: live.audio, isWarped: false, loopSettings: WHOLE }, false);
  live.answer = () => ({ prompt: "cough", candidates: 1, start_s: 0.3, end_s: 0.2 });
  await live.choose("AudioClip", "Inpaint in clip…", { id: clip.id });
  assert.match(lastMessage(live), /nothing from 0.3 s to 0.2 s/);
  live.answer = () => ({ prompt: "cough", candidates: 1, start_s: 0.2, end_s: 0.3 });
  await live.choose("AudioClip", "Inpaint in clip…", { id: clip.id });

  assert.ok(track.clipSlots[1].clip);
  checkManners(live);
});

test("a clip of the arrangement, by its own entry: its whole range", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "drone", candidates: 1, start_s: 0.1, end_s: 0.3 });
  await live.choose("AudioClip", "Inpaint in clip…", { id: track.arrangementClips[0].id });

  assert.deepEqual(live.renders, [{ start: 8, end: 9 }]);
  assert.deepEqual(lanesOf(track), [{ name: "Inpaint · drone · seed 1", start: 8, duration: 1 }]);
  checkManners(live);
});

test("an empty slot takes a generated sound", async () => {
  const live = startLive();
  const track = live.addTrack("AudioTrack", "Atmo");
  live.answer = () => ({ prompt: "sea", seconds: 0.5, candidates: 1 });
  await live.choose("ClipSlot", "Generate in slot…", { id: track.clipSlots[1].id });

  assert.deepEqual(track.clipSlots.map(({ clip }) => clip !== null), [false, true, false]);
  checkManners(live);
});

test("cancel stops the job, and nothing comes back", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "fog", candidates: 16, steps: 1000 });
  live.onProgress = (words, _percent, abort) => words.startsWith("step") && abort.abort();
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  assert.equal(track.takeLanes.length, 0);
  assert.deepEqual(live.undoSteps, []);
  assert.equal(live.dialogs.length, 1);
  assert.match(live.sent.at(-1).toString("latin1"), /^\/retake\/cancel/);
  checkManners(live);
});

test("a request that is lost twice is sent again", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.lose = 2;
  live.answer = () => ({ prompt: "mist", candidates: 1 });
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  assert.equal(track.takeLanes.length, 1);
  assert.ok(live.sent[0].equals(live.sent[1]) && live.sent[1].equals(live.sent[2]));
  checkManners(live);
});

test("no daemon: words, from the file that is not there and from a port on which nothing listens", async () => {
  const live = startLive({ runtime: null });
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "mist" });
  await live.choose(SELECTION, "Restyle selection…", selection([track]));
  assert.match(lastMessage(live), /Retake was not found.*runtime\.json.*\n.*retake install-scripts ableton/s);
  assert.deepEqual(live.renders, []);

  writeFileSync(join(live.storage, "runtime.json"), JSON.stringify({ host: "127.0.0.1", port: 9, token: "x" }));
  await live.choose(SELECTION, "Restyle selection…", selection([track]));
  assert.match(lastMessage(live), /no longer running.*\n.*Start Retake/s);
  checkManners(live);
});

test("a wrong token is the daemon's own sentence", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  const runtime = JSON.parse(readFileSync(RUNTIME, "utf8"));
  writeFileSync(join(live.storage, "runtime.json"), JSON.stringify({ ...runtime, token: "wrong" }));
  live.answer = () => ({ prompt: "mist" });
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  assert.match(lastMessage(live), /token/);
  checkManners(live);
});

test("a track that Live cannot render: words", async () => {
  const live = startLive();
  const track = trackWithClip(live, "Group");
  track.refusesToRender = true;
  live.answer = () => ({ prompt: "mist" });
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  assert.match(lastMessage(live), /could not render “Group”.*\n.*Freeze/s);
  checkManners(live);
});

test("the tempo changes meanwhile: the take keeps its speed, and words say so", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "mist", candidates: 1 });
  live.onProgress = () => { live.song.tempo = 60; };
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  assert.deepEqual(lanesOf(track), [{ name: "Restyle · mist · seed 1", start: 8, duration: 0.5 }]);
  assert.match(lastMessage(live), /from 120 to 60 BPM/);
  checkManners(live);
});

test("the clip is deleted meanwhile: the take comes all the same", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "mist", candidates: 1 });
  live.onProgress = () => track.arrangementClips.forEach((clip) => live.remove(clip));
  await live.choose(SELECTION, "Restyle selection…", selection([track]));
  assert.equal(track.takeLanes.length, 1);

  const vox = live.addTrack("AudioTrack", "Vox");
  const clip = live.fillSlot(vox.clipSlots[0], { filePath: live.audio, isWarped: false, loopSettings: WHOLE }, false);
  live.onProgress = () => live.remove(clip);
  await live.choose("AudioClip", "Restyle clip…", { id: clip.id });
  assert.equal(vox.clipSlots.filter((slot) => slot.clip).length, 1);
  checkManners(live);
});

test("the track is deleted meanwhile: words that name the files, which are there", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  live.answer = () => ({ prompt: "mist", candidates: 1 });
  live.onProgress = (words) => words !== "rendering" && live.remove(track);
  await live.choose(SELECTION, "Restyle selection…", selection([track]));

  const file = lastMessage(live).split("\n").find((line) => line.endsWith(".wav"));
  assert.ok(existsSync(file), file);
  checkManners(live);
});

test("what cannot be is said in words", async () => {
  const live = startLive();
  const track = trackWithClip(live);
  const midi = live.addTrack("MidiTrack", "Keys");
  live.answer = () => "close";
  const cases = [
    [SELECTION, "Restyle selection…", selection([track], 4, 4), /No time is selected/],
    [SELECTION, "Restyle selection…", selection([midi]), /No audio track/],
    [SELECTION, "Again with a new seed", selection([track]), /Nothing was asked for yet/],
    ["ClipSlot", "Generate in slot…", { id: midi.clipSlots[0].id }, /not on an audio track/],
    ["AudioClip", "Restyle clip…", { id: 1n }, /Invalid object reference/],
  ];
  for (const [scope, title, subject, words] of cases) {
    await live.choose(scope, title, subject);
    assert.match(lastMessage(live), words);
  }
  await live.choose(SELECTION, "Restyle selection…", selection([track]));
  assert.equal(live.dialogs.at(-1).mayCancel, true, "a closed dialog is a cancelled one");
  checkManners(live);
});

for (const [field, value, words] of [["prompt", " ", /no words/], ["seed", "1.5", /whole number/], ["strength", "2", /from 0 to 1/]]) {
  test(`a dialog with ${field} “${value}” is answered in words`, async () => {
    const live = startLive();
    live.answer = () => ({ prompt: "x", [field]: value });
    await live.choose(SELECTION, "Restyle selection…", selection([trackWithClip(live)]));

    assert.match(lastMessage(live), words);
    assert.deepEqual(live.sent, []);
    checkManners(live);
  });
}
