/** The arrangement: what plays in a range of a track goes out, the takes come back as take lanes of that track. */
"use strict";

const { AudioTrack, DataModelObject, TakeLane } = require("@ableton-extensions/sdk");
const { cannotPlace, cannotRender, RetakeError } = require("./errors");
const { toBeats, toSeconds } = require("./musical_time");
const { moveAway } = require("./scratch");
const { OPERATIONS, takeName } = require("./operations");

/** @typedef {{start: number, end: number}} Range beats */

const SURROUNDINGS_S = 4;
/** How much inpainting takes in on either side of the selection. */

/** The tracks of a selection, each once: a take lane stands for its track. */
function trackHandlesOf(context, lanes) {
  const found = new Map();
  for (const lane of lanes) {
    const object = context.getObjectFromHandle(lane, DataModelObject);
    const track = object instanceof TakeLane ? object.parent : object;
    if (track instanceof AudioTrack) found.set(track.handle.id, track.handle);
  }
  if (found.size === 0) {
    throw new RetakeError("No audio track is selected.", "Select a range on at least one audio track.");
  }
  return [...found.values()];
}

/** A place in the arrangement: one range of one track. */
class ArrangementPlace {
  /**
   * @param {import("./extension").Session} session
   * @param {{id: bigint}} trackHandle
   * @param {Range} range
   */
  constructor(session, trackHandle, range) {
    Object.assign(this, { session, trackHandle, range, notes: [] });
    this.name = this.track().name;
  }

  /** Objects go stale whenever the Set may have changed: so it is looked up again each time. */
  track() {
    return this.session.context.getObjectFromHandle(this.trackHandle, AudioTrack);
  }

  get tempo() {
    return this.session.context.application.song.tempo;
  }

  /**
   * Let Live render what the operation needs.
   * @returns {Promise<import("./operations").Source>}
   */
  async takeOut(operation, settings) {
    this.renderTempo = this.tempo;
    this.excerpt = this.range;
    if (!OPERATIONS[operation].needsClip && !settings.follow) {
      this.seconds = settings.seconds;
      return {};
    }
    if (operation === "inpaint" && !this.span) this.excerpt = this.withSurroundings();
    this.seconds = toSeconds(this.excerpt.end - this.excerpt.start, this.renderTempo);
    const clip = moveAway(await this.render(), this.session.scratch, this.name);
    if (operation === "generate") return { follow: clip };
    if (operation !== "inpaint") return { clip };
    return { clip, region: this.span ?? this.regionOfRange() };
  }

  withSurroundings() {
    const more = toBeats(SURROUNDINGS_S, this.renderTempo);
    return { start: Math.max(0, this.range.start - more), end: this.range.end + more };
  }

  regionOfRange() {
    const start_s = toSeconds(this.range.start - this.excerpt.start, this.renderTempo);
    return { start_s, end_s: start_s + toSeconds(this.range.end - this.range.start, this.renderTempo) };
  }

  async render() {
    const { resources } = this.session.context;
    try {
      return await resources.renderPreFxAudio(this.track(), this.excerpt.start, this.excerpt.end);
    } catch (error) {
      this.session.diary.note(`render refused: ${error}`);
      throw cannotRender(this.name);
    }
  }

  /** Bring the takes in: one lane each, named like what was asked for; two undo steps, since a lane must exist first. */
  async putIn(operation, settings, paths) {
    const { context } = this.session;
    if (this.tempo !== this.renderTempo) {
      const tempi = `${this.renderTempo} to ${this.tempo} BPM`;
      this.notes.push(`The tempo went from ${tempi} meanwhile. The takes keep the old speed: they are not warped.`);
    }
    try {
      const files = [];
      for (const path of paths) files.push(await context.resources.importIntoProject(path));
      const made = await context.withinTransaction(() => Promise.all(files.map(() => this.track().createTakeLane())));
      await this.fillLanes(made.map(({ handle }) => handle), files, operation, settings);
    } catch (error) {
      this.session.diary.note(`placing failed: ${error}`);
      throw cannotPlace(`“${this.name}” took no take lanes, perhaps because it was deleted or frozen.`, paths);
    }
  }

  async fillLanes(handles, files, operation, settings) {
    const { context } = this.session;
    const place = { startTime: this.excerpt.start, duration: toBeats(this.seconds, this.tempo), isWarped: false };
    const lanes = handles.map((handle) => context.getObjectFromHandle(handle, TakeLane));
    await context.withinTransaction(() => {
      lanes.forEach((lane, index) => {
        lane.name = takeName(operation, settings, index, lanes.length);
      });
      return Promise.all(lanes.map((lane, index) => lane.createAudioClip({ filePath: files[index], ...place })));
    });
  }
}

module.exports = { ArrangementPlace, trackHandlesOf };
