/** One request to the daemon and everything that is said about it, over UDP: sent again, asked after, cancelled. */
"use strict";

const dgram = require("node:dgram");
const timers = require("node:timers");
const { decode, encode } = require("./osc");
const { CancelledError, RetakeError, noDaemon } = require("./errors");

const RESEND_MS = 300;
const RESENDS = 15;
const SILENCE_MS = 2000;
const SILENCES = 5;
const CANCEL_TRIES = 7;

/** @typedef {{address: string, job: string, args: import("./osc").Argument[]}} Request arguments after the job id */
/** @typedef {{paths: string[], warnings: string[]}} Outcome */

/**
 * Send a request and follow its job to the end.
 * @param {import("./whereabouts").Whereabouts} whereabouts
 * @param {Request} request
 * @param {(fraction: number, stage: string) => void} onProgress
 * @param {AbortSignal} signal cancels the job
 * @returns {Promise<Outcome>}
 */
function converse(whereabouts, request, onProgress, signal) {
  return new Promise((resolve, reject) => {
    new Conversation(whereabouts, request, onProgress, signal, resolve, reject).open();
  });
}

class Conversation {
  constructor(whereabouts, request, onProgress, signal, resolve, reject) {
    Object.assign(this, { whereabouts, request, onProgress, signal, resolve, reject });
    this.socket = dgram.createSocket("udp4");
    this.isAccepted = false;
    this.silences = 0;
    this.warnings = [];
    this.cancel = () => this.startCancelling();
  }

  open() {
    if (this.signal.aborted) return this.end(() => this.reject(new CancelledError()));
    this.signal.addEventListener("abort", this.cancel);
    this.socket.on("message", (bytes) => this.hear(decode(bytes)));
    this.socket.on("error", () => this.fail(noDaemon("Retake has gone: nobody listens where it was.")));
    this.socket.bind(0, "127.0.0.1", () => {
      if (this.isOver) return;
      this.socket.connect(this.whereabouts.port, this.whereabouts.host, () => this.speak());
    });
  }

  /** Say what is to be said now, and again when nothing is heard. */
  speak() {
    if (this.isOver) return;
    const { address, args } = this.request;
    if (this.isCancelling) this.send("/retake/cancel", []);
    else if (this.isAccepted) this.send("/retake/job", []);
    else this.send(address, args);
    this.wait();
  }

  send(address, args) {
    const token = /** @type {const} */ ([["s", "token"], ["s", this.whereabouts.token]]);
    this.socket.send(encode(address, [["s", this.request.job], ...args, ...token]), (error) => {
      if (error) this.fail(noDaemon("Retake has gone: nobody listens where it was."));
    });
  }

  wait() {
    timers.clearTimeout(this.timer);
    const isWaiting = this.isAccepted && !this.isCancelling;
    this.timer = timers.setTimeout(() => this.notice(), isWaiting ? SILENCE_MS : RESEND_MS);
  }

  /** Nothing was heard: speak again, but not for ever. */
  notice() {
    this.silences += 1;
    if (this.isCancelling && this.silences > CANCEL_TRIES) return this.fail(new CancelledError());
    if (this.silences > (this.isAccepted ? SILENCES : RESENDS)) return this.fail(noDaemon("Retake does not answer."));
    return this.speak();
  }

  startCancelling() {
    this.isCancelling = true;
    this.silences = 0;
    this.speak();
  }

  hear(message) {
    if (message === null || this.isOver) return;
    const [first, second, third] = message.args;
    if (message.address === "/done" || message.address === "/fail") return this.hearEnd(message);
    if (first !== this.request.job) return;
    this.silences = 0;
    if (message.address === "/retake/ack") this.isAccepted = true;
    if (message.address === "/retake/warning") this.warnings.push(second);
    if (message.address === "/retake/progress") this.onProgress(second, third);
    if (message.address === "/retake/job.reply") this.onProgress(third, message.args[3]);
    this.wait();
  }

  hearEnd({ address, args }) {
    const [command, job, ...rest] = args;
    if (job !== this.request.job) return;
    if (address === "/done" && command === this.request.address) {
      const [, ...paths] = rest;
      this.end(() => this.resolve({ paths, warnings: this.warnings }));
    } else if (address === "/fail") {
      const [code, text, hint] = rest;
      this.fail(code === "cancelled" || this.isCancelling ? new CancelledError() : new RetakeError(text, hint));
    }
  }

  fail(error) {
    this.end(() => this.reject(this.isCancelling ? new CancelledError() : error));
  }

  end(tell) {
    if (this.isOver) return;
    this.isOver = true;
    timers.clearTimeout(this.timer);
    this.signal.removeEventListener("abort", this.cancel);
    this.socket.close();
    tell();
  }
}

module.exports = { converse };
