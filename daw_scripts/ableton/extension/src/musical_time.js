/** Beats and seconds. Live's times are beats, the daemon's are seconds. */
"use strict";

function toSeconds(beats, tempo) {
  return (beats * 60) / tempo;
}

function toBeats(seconds, tempo) {
  return (seconds * tempo) / 60;
}

module.exports = { toSeconds, toBeats };
