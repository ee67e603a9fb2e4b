/** A small Live: a Set with tracks, lanes, slots and clips, its dialogs, and what the strict SDK does to them. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setImmediate as turn } from "node:timers";
import { press, readPage } from "./web_view.mjs";

const SCOPES = [
  "AudioClip", "MidiClip", "AudioTrack", "MidiTrack", "ClipSlot", "Scene", "Simpler", "Sample", "DrumRack",
  "ClipSlotSelection", "AudioTrack.ArrangementSelection", "MidiTrack.ArrangementSelection",
];

/** How long a WAV is: its chunk of samples by its bytes a second. */
function secondsOf(path) {
  const bytes = readFileSync(path);
  for (let at = 12, rate = 0; at + 8 <= bytes.length; at += 8 + bytes.readUInt32LE(at + 4)) {
    const chunk = bytes.toString("latin1", at, at + 4);
    if (chunk === "fmt ") rate = bytes.readUInt32LE(at + 16);
    if (chunk === "data") return bytes.readUInt32LE(at + 4) / rate;
  }
  throw new Error(`there are no samples in ${path}`);
}

export class LiveSet {
  /** @param {{project: string, temp: string, storage: string, audio: string}} folders `audio` is what every render gives */
  constructor({ project, temp, storage, audio }) {
    Object.assign(this, { project, temp, storage, audio });
    this.nodes = new Map();
    this.offences = [];
    this.undoSteps = [];
    this.commands = new Map();
    this.menu = new Map();
    this.dialogs = [];
    this.progress = [];
    this.renders = [];
    this.imported = new Set();
    /** What the musician does: answers to forms (messages are closed), and deeds while the progress dialog is open. */
    this.answer = () => ({});
    this.onProgress = () => {};
    this.environment = { storageDirectory: storage, tempDirectory: temp, language: "EN" };
    this.song = this.add("Song", { tempo: 120, tracks: [], scenes: [], rootNote: 0, scaleName: "Major", scaleMode: false });
    for (let index = 0; index < 3; index += 1) this.addScene(index);
  }

  // ------------------------------------------------------------------------------------------ the Set

  add(kind, fields) {
    const node = { kind, id: BigInt(this.nodes.size + 1000), ...fields };
    this.nodes.set(node.id, node);
    return node;
  }

  remove(node) {
    this.nodes.delete(node.id);
    for (const other of this.nodes.values()) {
      for (const [key, value] of Object.entries(other)) {
        if (Array.isArray(value)) other[key] = value.filter((entry) => entry !== node);
        else if (value === node && key !== "parent") other[key] = null;
      }
    }
  }

  addTrack(kind, name) {
    const track = this.add(kind, { name, parent: this.song, arrangementClips: [], takeLanes: [], clipSlots: [] });
    track.clipSlots = this.song.scenes.map(() => this.add("ClipSlot", { parent: track, clip: null }));
    this.song.tracks.push(track);
    return track;
  }

  addScene(index) {
    assert.ok(index >= 0 && index <= this.song.scenes.length, `there can be no scene ${index}`);
    const scene = this.add("Scene", { name: "", parent: this.song });
    this.song.scenes.splice(index, 0, scene);
    for (const track of this.song.tracks) {
      track.clipSlots.splice(index, 0, this.add("ClipSlot", { parent: track, clip: null }));
    }
    return scene;
  }

  addLane(track) {
    const lane = this.add("TakeLane", { name: "Take", parent: track, clips: [] });
    track.takeLanes.push(lane);
    return lane;
  }

  /** @returns the clip that Live would make of these arguments */
  newClip(parent, { filePath, startTime = 0, duration = 4, isWarped = true, loopSettings = {} }, isMade = true) {
    if (isMade) assert.ok(this.imported.has(filePath), `${filePath} was not imported into the project`);
    assert.ok(!(loopSettings.looping && !isWarped), "what is not warped cannot loop");
    const end = isWarped ? duration : secondsOf(filePath);
    const { endMarker = end, ...settings } = loopSettings;
    return this.add("AudioClip", {
      name: basename(filePath, ".wav"), parent, filePath, startTime, duration, endTime: startTime + duration,
      startMarker: 0, loopStart: 0, loopEnd: end, looping: false, warping: isWarped, warpMode: 0, warpMarkers: [],
      color: 0, muted: false, ...settings, endMarker: isWarped ? endMarker : end, // told as the end of the whole file
    });
  }

  addClip(parent, args, isMade = true) {
    const clip = this.newClip(parent, args, isMade);
    parent[parent.kind === "TakeLane" ? "clips" : "arrangementClips"].push(clip);
    return clip;
  }

  fillSlot(slot, args, isMade = true) {
    assert.equal(slot.clip, null, "the slot is taken");
    slot.clip = this.newClip(slot, args, isMade);
    return slot.clip;
  }

  // ------------------------------------------------------------------------------- time, undo, transactions

  afterThisTurn(act) {
    turn(act);
  }

  /** What Live does later; until then everything may change. */
  later(act) {
    return new Promise((resolve, reject) => {
      turn(() => {
        try {
          resolve(act());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  change(what) {
    if (this.openStep) this.openStep.push(what);
    else this.undoSteps.push([what]);
  }

  transaction(callback) {
    assert.equal(this.openStep, undefined, "a transaction inside a transaction");
    this.openStep = [];
    try {
      return callback();
    } finally {
      this.undoSteps.push(this.openStep);
      this.openStep = undefined;
    }
  }

  // ------------------------------------------------------------------------------------- files and dialogs

  render(trackId, start, end) {
    this.renders.push({ start, end });
    return this.later(() => {
      const track = this.nodes.get(trackId);
      if (track?.refusesToRender || !(start >= 0 && end > start)) throw undefined;
      const folder = join(this.temp, "..", "AudioRender-1");
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${track.name} [2026-11-24 101500].wav`);
      copyFileSync(this.audio, file);
      return file;
    });
  }

  importFile(path) {
    return this.later(() => {
      if (!existsSync(path)) throw new Error(`there is no file ${path}`);
      const copy = join(this.project, basename(path));
      copyFileSync(path, copy);
      this.imported.add(copy);
      return copy;
    });
  }

  showDialog(url, width, height) {
    assert.ok(width >= 200 && width <= 800 && height >= 100 && height <= 800, `a dialog of ${width} × ${height}`);
    const page = readPage(url);
    this.dialogs.push(page.form);
    return this.later(() => press(page, page.form.mayCancel ? this.answer(page.form, page) : "go"));
  }

  async showProgress(title, { progress }, callback) {
    assert.equal(progress, 0);
    const abort = new AbortController();
    const update = async (words, percent) => {
      assert.equal(typeof words, "string");
      assert.ok(percent === undefined || (percent >= 0 && percent <= 100), `progress ${percent}`);
      this.progress.push({ title, words, percent });
      await this.later(() => this.onProgress(words, percent, abort));
    };
    return await callback(update, abort.signal);
  }

  registerCommand(id, callback) {
    assert.ok(!this.commands.has(id), `the command ${id} twice`);
    this.commands.set(id, callback);
  }

  execute(id, ...args) {
    return this.commands.get(id)(...args);
  }

  registerEntry(scope, title, command) {
    assert.ok(SCOPES.includes(scope), `there is no scope ${scope}`);
    assert.ok(this.commands.has(command), `there is no command ${command}`);
    this.menu.set(`${scope}/${title}`, command);
    return this.later(() => () => Promise.resolve());
  }

  /** Right-click and choose; done when everything that follows is. */
  choose(scope, title, subject) {
    const command = this.menu.get(`${scope}/${title}`);
    assert.ok(command, `no entry ${title} on ${scope}`);
    return this.execute(command, subject);
  }
}
