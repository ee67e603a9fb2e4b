/** The session view: the file of a slot's clip goes to the daemon by its path, the takes come back in free slots below. */
"use strict";

const { AudioClip, AudioTrack, ClipSlot } = require("@ableton-extensions/sdk");
const { cannotPlace, RetakeError } = require("./errors");

/** A place in the session view: one slot, with a clip or without. */
class SlotPlace {
  /**
   * @param {import("./extension").Session} session
   * @param {{id: bigint}} slotHandle
   */
  constructor(session, slotHandle) {
    Object.assign(this, { session, slotHandle, notes: [] });
    const slot = session.context.getObjectFromHandle(slotHandle, ClipSlot);
    const track = slot.parent;
    if (!(track instanceof AudioTrack)) {
      throw new RetakeError("This slot is not on an audio track.", "Choose a slot of an audio track.");
    }
    this.trackHandle = track.handle;
    this.name = track.name;
    if (slot.clip instanceof AudioClip) this.readClip(slot.clip);
  }

  /**
   * What is read here stays known, even if the clip is deleted meanwhile. What an unlooped clip plays is between
   * loopStart and loopEnd; its endMarker is the end of the whole file.
   */
  readClip(clip) {
    this.name = clip.name;
    this.file = clip.filePath;
    this.isWarped = clip.warping;
    if (!this.isWarped) this.ends = { start: clip.loopStart, end: clip.loopEnd };
  }

  /** The sound follows the clip's whole file, for a part of it cannot be named: its take is trimmed like the clip. */
  takeOut(operation, settings) {
    if (operation === "generate") return this.isFollowed(operation, settings) ? { follow: this.file } : {};
    if (!this.file) throw new RetakeError("There is no audio clip in this slot.", "Choose a slot that holds one.");
    const source = { clip: this.file };
    const start_s = Math.max(this.ends?.start ?? 0, 0);
    if (operation === "inpaint") {
      source.region = { start_s: start_s + this.span.start_s, end_s: start_s + this.span.end_s };
    } else if (this.ends) {
      source.part = { start_s, end_s: this.ends.end };
    }
    return source;
  }

  isFollowed(operation, { follow }) {
    return operation === "generate" && follow === true && this.file !== undefined;
  }

  /** Bring the takes in: free slots of the same track, below this one; new scenes where there are too few. */
  async putIn(operation, settings, paths) {
    const { context } = this.session;
    try {
      const files = [];
      for (const path of paths) files.push(await context.resources.importIntoProject(path));
      await this.makeRoom(files.length);
      const slots = this.freeSlots().slice(0, files.length);
      const isFree = operation === "generate" && !this.isFollowed(operation, settings);
      const kept = isFree ? {} : this.loopSettings();
      await context.withinTransaction(() =>
        Promise.all(slots.map((slot, at) => slot.createAudioClip({ filePath: files[at], isWarped: false, ...kept }))),
      );
    } catch (error) {
      this.session.diary.note(`placing failed: ${error}`);
      throw cannotPlace(`“${this.name}” took no clips, perhaps because its track was deleted or frozen.`, paths);
    }
  }

  /** Free slots below this one; all of the track's when this one is gone. */
  freeSlots() {
    const slots = this.session.context.getObjectFromHandle(this.trackHandle, AudioTrack).clipSlots;
    const here = slots.findIndex(({ handle }) => handle.id === this.slotHandle.id);
    return slots.slice(here === -1 || slots[here].clip === null ? Math.max(here, 0) : here + 1)
      .filter((slot) => slot.clip === null);
  }

  async makeRoom(count) {
    const { context } = this.session;
    const { song } = context.application;
    const missing = count - this.freeSlots().length;
    if (missing <= 0) return;
    const last = song.scenes.length;
    const places = Array.from({ length: missing }, (_, index) => last + index);
    await context.withinTransaction(() => Promise.all(places.map((place) => song.createScene(place))));
  }

  /** The take has the clip's file's length: so it begins and ends where the clip does. */
  loopSettings() {
    if (!this.ends) {
      this.notes.push(`“${this.name}” is warped: its take is of the whole file, and not warped.`);
      return {};
    }
    const { start, end } = this.ends;
    return { loopSettings: { looping: false, startMarker: start, endMarker: end, loopStart: start, loopEnd: end } };
  }
}

module.exports = { SlotPlace };
