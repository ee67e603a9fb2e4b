/** What goes wrong, in words: each error says what happened and what to do next. */
"use strict";

/** An error that may be shown to the musician as it stands. */
class RetakeError extends Error {
  /**
   * @param {string} text what happened, and what was expected
   * @param {string} hint what to do next
   */
  constructor(text, hint) {
    super(text);
    this.name = "RetakeError";
    this.hint = hint;
  }
}

/** The musician cancelled: nothing to report. */
class CancelledError extends Error {
  constructor() {
    super("cancelled");
    this.name = "CancelledError";
  }
}

function noDaemon(what) {
  return new RetakeError(what, "Start Retake (its tray program, or “retake daemon” in a terminal), then try again.");
}

/** The daemon runs, but this extension may not read where: only Live's own folders are open to it. */
function noWhereabouts(file) {
  return new RetakeError(
    `Retake was not found: there is no file at ${file || "the extension's storage folder, which Live does not name"}.`,
    "Start Retake. If it runs already, run “retake install-scripts ableton” once, so that Retake knows this folder.",
  );
}

function cannotRender(trackName) {
  return new RetakeError(
    `Live could not render “${trackName}”.`,
    "Live renders audio tracks with clips of their own; group tracks, MIDI tracks and routed inputs are refused. " +
      "Freeze and flatten such a track, or choose one of the tracks inside the group.",
  );
}

/** Takes are never lost: the error says where the files are. */
function cannotPlace(reason, paths) {
  return new RetakeError(`${reason} The takes are in these files:\n${paths.join("\n")}`, "Drag them into Live.");
}

/**
 * Words for whatever was thrown; Live's own refusals often are `undefined`.
 * @returns {{text: string, hint: string}}
 */
function inWords(error) {
  if (error instanceof RetakeError) return { text: error.message, hint: error.hint };
  const reason = error instanceof Error ? error.message : error === undefined ? "no reason was given" : String(error);
  return {
    text: `Live or Retake refused: ${reason}.`,
    hint: "Try again. The file retake.log in the extension's storage folder has the details.",
  };
}

module.exports = { RetakeError, CancelledError, noDaemon, noWhereabouts, cannotRender, cannotPlace, inWords };
