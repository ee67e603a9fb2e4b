/** The extension: entries on Live's context menus, and what each of them does from the click to the takes. */
"use strict";

const { initialize, AudioClip, ClipSlot, TakeLane } = require("@ableton-extensions/sdk");
const { ArrangementPlace, trackHandlesOf } = require("./arrangement");
const { converse } = require("./conversation");
const { askSettings, show: showMessage } = require("./dialog");
const { Diary } = require("./diary");
const { CancelledError, inWords, RetakeError } = require("./errors");
const { Memory } = require("./memory");
const { toSeconds } = require("./musical_time");
const { OPERATIONS, requestFor, withNextSeed } = require("./operations");
const { scratchFolder } = require("./scratch");
const { SlotPlace } = require("./session_view");
const { readWhereabouts } = require("./whereabouts");

const AGAIN = "again";
/** Scope → the words of its entries. Live itself puts “Retake: ” before them. No words come twice: see the README. */
const MENUS = {
  "AudioTrack.ArrangementSelection": {
    restyle: "Restyle selection…", inpaint: "Inpaint selection…", generate: "Generate in selection…",
    upscale: "Upscale selection…", vary: "Vary selection…", [AGAIN]: "Again with a new seed",
  },
  AudioClip: {
    restyle: "Restyle clip…", inpaint: "Inpaint in clip…", generate: "Generate beside clip…",
    upscale: "Upscale clip…", vary: "Vary clip…", [AGAIN]: "Again on this clip with a new seed",
  },
  ClipSlot: { generate: "Generate in slot…" },
};

/** @typedef {{context: object, diary: Diary, scratch: string}} Session what every part needs of this call */
/** @typedef {ArrangementPlace | SlotPlace} Place */

/** @returns {Place[]} */
function placesOfSelection(session, selection) {
  const range = { start: selection.time_selection_start, end: selection.time_selection_end };
  if (!(range.end > range.start)) {
    throw new RetakeError("No time is selected.", "Drag over a stretch of an audio track, then choose the entry again.");
  }
  const tracks = trackHandlesOf(session.context, selection.selected_lanes);
  return tracks.map((handle) => new ArrangementPlace(session, handle, range));
}

/** A clip may be one of the arrangement or of the session view: its parent shows which. */
function placesOfClip(session, handle) {
  const clip = session.context.getObjectFromHandle(handle, AudioClip);
  const { parent } = clip;
  if (parent instanceof ClipSlot) return [new SlotPlace(session, parent.handle)];
  const track = parent instanceof TakeLane ? parent.parent : parent;
  const place = new ArrangementPlace(session, track.handle, { start: clip.startTime, end: clip.endTime });
  place.isClip = true;
  return [place];
}

const PLACES = {
  "AudioTrack.ArrangementSelection": placesOfSelection,
  AudioClip: placesOfClip,
  ClipSlot: (session, handle) => [new SlotPlace(session, handle)],
};

/** What the dialog proposes, says and asks for these places. */
function proposal(session, operation, settings, places) {
  const [first] = places;
  const { tempo } = session.context.application.song;
  const names = places.map(({ name }) => `“${name}”`).join(", ");
  if (!first.range) {
    const warped = first.isWarped ? [" It is warped: the take is of the whole file, and not warped."] : [];
    const hasClip = first.file !== undefined;
    return { settings, lines: [names + warped.join("")], asksRegion: operation === "inpaint", hasClip };
  }
  const seconds = toSeconds(first.range.end - first.range.start, tempo);
  const fitting = { ...settings };
  const length = OPERATIONS[operation].fields.get("seconds");
  if (length) fitting.seconds = Math.min(length.max, Math.max(length.min, round(seconds)));
  const asksRegion = operation === "inpaint" && first.isClip === true;
  if (asksRegion) fitting.end_s = Math.min(fitting.end_s, round(seconds));
  const lines = [`${names}, ${seconds.toFixed(2)} s at ${tempo} BPM`];
  return { settings: fitting, lines, asksRegion, hasClip: true };
}

function round(seconds) {
  return Math.round(seconds * 1000) / 1000;
}

/** What this call asks for: the last request with another seed, or what the dialog says; null when cancelled. */
async function choiceFor(session, memory, entry, places) {
  if (entry === AGAIN) {
    if (memory.last === null) throw new RetakeError("Nothing was asked for yet.", "Begin with Restyle or Generate.");
    return { ...memory.last, settings: withNextSeed(memory.last.operation, memory.last.settings) };
  }
  const { settings, ...also } = proposal(session, entry, memory.settingsOf(entry), places);
  const chosen = await askSettings(session.context.ui, entry, settings, also);
  return chosen && { operation: entry, settings: chosen };
}

/** Set where inpainting works inside a clip, as the dialog said; a selection is its own region. */
function aim(places, { operation, settings }) {
  const [first] = places;
  if (operation !== "inpaint" || (first.range && !first.isClip)) return;
  if (!(settings.start_s < settings.end_s)) {
    const given = `from ${settings.start_s} s to ${settings.end_s} s`;
    throw new RetakeError(`There is nothing ${given}.`, "The end has to come after the start.");
  }
  first.span = { start_s: settings.start_s, end_s: settings.end_s };
}

/** Render, ask, place: one track after the other, under one progress dialog. */
async function render(session, choice, places) {
  const { operation, settings } = choice;
  const find = () => readWhereabouts(session.context.environment.storageDirectory);
  find(); // what cannot be sent is not rendered
  const warnings = [];
  const title = `Retake: ${OPERATIONS[operation].title}`;
  await session.context.ui.withinProgressDialog(title, { progress: 0 }, async (update, signal) => {
    for (const [index, place] of places.entries()) {
      const show = (fraction, stage) => {
        const words = places.length > 1 ? `${place.name}: ${stage}` : stage;
        update(words, (100 * (index + fraction)) / places.length).catch(() => {});
      };
      show(0, "rendering");
      const source = await place.takeOut(operation, settings);
      const request = requestFor(operation, settings, source, session.scratch);
      session.diary.note(`${request.address} ${request.job}`);
      const outcome = await converse(find, request, show, signal);
      await place.putIn(operation, settings, outcome.paths);
      warnings.push(...outcome.warnings, ...place.notes);
    }
  });
  return warnings;
}

/** One choice of a menu entry, from the click to the takes; whatever goes wrong ends in words. */
async function choose(context, diary, scope, entry, subject) {
  try {
    const session = { context, diary, scratch: scratchFolder(context.environment) };
    const memory = new Memory(context.environment.storageDirectory);
    const places = PLACES[scope](session, subject);
    const choice = await choiceFor(session, memory, entry, places);
    if (choice === null) return;
    aim(places, choice);
    memory.remember(choice);
    const warnings = await render(session, choice, places);
    if (warnings.length) await showMessage(context.ui, "Retake: please note", ...new Set(warnings));
  } catch (error) {
    if (error instanceof CancelledError) return;
    diary.note(error instanceof Error ? error.stack : String(error));
    const { text, hint } = inWords(error);
    await showMessage(context.ui, "Retake", text, hint);
  }
}

/** Called by Live when it loads the extension. */
function activate(activation) {
  const context = initialize(activation, "1.0.0");
  const diary = new Diary(context.environment.storageDirectory);
  diary.note(`started, host API ${activation.hostApiVersion}`);
  for (const [scope, entries] of Object.entries(MENUS)) {
    for (const [entry, title] of Object.entries(entries)) {
      const command = `retake.${scope}.${entry}`;
      context.commands.registerCommand(command, (subject) =>
        choose(context, diary, scope, entry, subject).catch((error) => diary.note(`could not show a message: ${error}`)),
      );
      context.ui.registerContextMenuAction(scope, title, command).catch((error) => diary.note(`no entry: ${error}`));
    }
  }
}

module.exports = { activate };
