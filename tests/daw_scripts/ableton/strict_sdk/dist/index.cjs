/** A strict fake of the documented surface of the Extensions SDK, written from public descriptions of it; no Live needed.
 *
 * An unknown member, a wrong count or type of arguments, an object that was kept across an await, an async callback of a
 * transaction: each is an error that also goes into `model.offences`, so that code which swallows errors cannot hide it.
 */
"use strict";

const { check, offend, shape } = require("./rules.cjs");

const NUMBER = "number", STRING = "string", BOOLEAN = "boolean";
const LOOP = shape({ looping: BOOLEAN, startMarker: NUMBER, endMarker: NUMBER, loopStart: NUMBER, loopEnd: NUMBER });
const AUDIO = { "isWarped?": BOOLEAN, "loopSettings?": LOOP };
const PLACED = shape({ filePath: STRING, startTime: NUMBER, "duration?": NUMBER, ...AUDIO });
const IN_SLOT = shape({ filePath: STRING, ...AUDIO });

class DataModelObject {}
class Song extends DataModelObject {}
class Application extends DataModelObject {}
class Track extends DataModelObject {}
class AudioTrack extends Track {}
class MidiTrack extends Track {}
class TakeLane extends DataModelObject {}
class Clip extends DataModelObject {}
class AudioClip extends Clip {}
class MidiClip extends Clip {}
class ClipSlot extends DataModelObject {}
class Scene extends DataModelObject {}
const CLASSES = {
  DataModelObject, Song, Application, Track, AudioTrack, MidiTrack, TakeLane, Clip, AudioClip, MidiClip, ClipSlot, Scene,
};

/** Members: `get` reads a field of the node, `set` names the writable ones, `call` what can be done. */
const SURFACE = {
  DataModelObject: { get: ["parent"] },
  Song: {
    get: ["tempo", "tracks", "scenes", "rootNote", "scaleName", "scaleMode"], set: { tempo: NUMBER },
    call: {
      createAudioTrack: [[], (model) => model.addTrack("AudioTrack", "Audio")],
      createScene: [[NUMBER], (model, node, index) => model.addScene(index)],
    },
  },
  Application: { get: ["song"] },
  Track: {
    get: ["name", "arrangementClips", "clipSlots", "takeLanes"], set: { name: STRING },
    call: {
      createTakeLane: [[], (model, node) => model.addLane(node)],
      clearClipsInRange: [[NUMBER, NUMBER], () => { throw new Error("the original was to stay untouched"); }],
      deleteClip: [[Clip], () => { throw new Error("the original was to stay untouched"); }],
    },
  },
  AudioTrack: { call: { createAudioClip: [[PLACED], (model, node, args) => model.addClip(node, args)] } },
  TakeLane: {
    get: ["name", "clips"], set: { name: STRING },
    call: { createAudioClip: [[PLACED], (model, node, args) => model.addClip(node, args)] },
  },
  ClipSlot: {
    get: ["clip"],
    call: {
      createAudioClip: [[IN_SLOT], (model, node, args) => model.fillSlot(node, args)],
      deleteClip: [[], () => { throw new Error("the original was to stay untouched"); }],
    },
  },
  Clip: {
    get: ["name", "color", "muted", "startTime", "endTime", "duration", "startMarker", "endMarker", "looping",
      "loopStart", "loopEnd"],
    set: { name: STRING, color: NUMBER, muted: BOOLEAN },
  },
  AudioClip: { get: ["filePath", "warping", "warpMode", "warpMarkers"] },
  Scene: { get: ["name"], set: { name: STRING } },
};

/** The member of a class or of one that it extends. */
function member(Class, kind, name) {
  for (let at = Class; at !== Object.getPrototypeOf(Function); at = Object.getPrototypeOf(at)) {
    const found = SURFACE[at.name]?.[kind];
    if (Array.isArray(found) ? found.includes(name) : found?.[name]) return Array.isArray(found) ? true : found[name];
  }
  return undefined;
}

/** An object of the data model, good until the event loop turns: then the Set may have changed. */
function wrap(model, node) {
  const Class = CLASSES[node.kind];
  const state = { isStale: false };
  model.afterThisTurn(() => { state.isStale = true; });
  const alive = (name) => {
    if (state.isStale) offend(model, `${node.kind}.${String(name)}: the object is stale; resolve its handle again`);
    if (!model.nodes.has(node.id)) throw new Error("Invalid object reference");
  };
  return new Proxy(Object.create(Class.prototype), {
    get(target, name) {
      if (name === "handle") return { id: node.id };
      if (typeof name === "symbol" || name === "then" || name === "constructor") return Reflect.get(target, name);
      const call = member(Class, "call", name);
      if (call) return (...args) => { alive(name); return invoke(model, node, `${node.kind}.${name}`, call, args); };
      if (!member(Class, "get", name)) offend(model, `${node.kind} has no member ${name}`);
      alive(name);
      return present(model, node[name]);
    },
    set(_target, name, value) {
      const type = member(Class, "set", name);
      if (!type) offend(model, `${node.kind}.${String(name)} cannot be set`);
      check(model, `${node.kind}.${name}`, [type], [value]);
      alive(name);
      model.change(`set ${node.kind}.${name}`);
      node[name] = value;
      return true;
    },
  });
}

function present(model, value) {
  if (Array.isArray(value)) return value.map((entry) => present(model, entry));
  if (value === undefined || value === null) return null;
  return value.kind ? wrap(model, value) : value;
}

function invoke(model, node, name, [types, act], args) {
  check(model, name, types, args);
  model.change(name);
  return model.later(() => {
    if (!model.nodes.has(node.id)) throw new Error("Invalid object reference");
    return act(model, node, ...args);
  }).then((made) => present(model, made));
}

/** Only what is named may be used. */
function only(model, title, members) {
  return new Proxy(Object.freeze(members), {
    get(target, name) {
      if (typeof name === "symbol" || name === "then") return undefined;
      if (!(name in target)) offend(model, `${title} has no member ${name}`);
      return target[name];
    },
    set(_target, name) {
      return offend(model, `${title}.${String(name)} cannot be set`);
    },
  });
}

function withinTransaction(model, callback) {
  check(model, "withinTransaction", ["function"], [callback]);
  if (callback.constructor.name === "AsyncFunction") offend(model, "the callback of a transaction must be synchronous");
  return model.transaction(callback);
}

function resolve(model, handle, Class) {
  if (typeof handle?.id !== "bigint") offend(model, `a handle has a BigInt id; this is ${handle?.id}`);
  if (!Object.values(CLASSES).includes(Class)) offend(model, "getObjectFromHandle needs one of the SDK's classes");
  const node = model.nodes.get(handle.id);
  if (!node || !(CLASSES[node.kind].prototype instanceof Class || CLASSES[node.kind] === Class)) {
    throw new Error("Invalid object reference");
  }
  return wrap(model, node);
}

function service(model, title, calls) {
  const entries = Object.entries(calls).map(([name, [types, act]]) => {
    return [name, (...args) => { check(model, `${title}.${name}`, types, args); return act(...args); }];
  });
  return only(model, title, Object.fromEntries(entries));
}

function initialize(activation, version) {
  const { model } = activation;
  if (version !== "1.0.0") offend(model, `initialize: there is no API ${version}`);
  model.wrap = (node) => wrap(model, node);
  const song = () => wrap(model, model.song);
  return only(model, "context", {
    get application() { return only(model, "application", { get song() { return song(); } }); },
    commands: service(model, "commands", {
      registerCommand: [[STRING, "function"], (id, callback) => model.registerCommand(id, callback)],
      executeCommand: [[STRING, "..."], (id, ...args) => model.execute(id, ...args)],
    }),
    environment: only(model, "environment", model.environment),
    resources: service(model, "resources", {
      renderPreFxAudio: [[AudioTrack, NUMBER, NUMBER], (track, start, end) => model.render(track.handle.id, start, end)],
      importIntoProject: [[STRING], (path) => model.importFile(path)],
    }),
    ui: service(model, "ui", {
      registerContextMenuAction: [[STRING, STRING, STRING], (...args) => model.registerEntry(...args)],
      showModalDialog: [[STRING, NUMBER, NUMBER], (url, width, height) => model.showDialog(url, width, height)],
      withinProgressDialog: [[STRING, shape({ "progress?": NUMBER }), "function"], (...args) => model.showProgress(...args)],
    }),
    getObjectFromHandle: (...args) => {
      if (args.length !== 2) offend(model, "getObjectFromHandle takes a handle and a class");
      return resolve(model, ...args);
    },
    withinTransaction: (...args) => withinTransaction(model, ...args),
  });
}

module.exports = { initialize, ...CLASSES };
