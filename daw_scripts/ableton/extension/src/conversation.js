/** One request to the daemon and all of its answers, over UDP, and from one daemon to the next. */
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
/** How often the next daemon is looked for, each RESEND_MS, when one dies over a job that it had accepted. */
const LOOKS = 60;

/** @typedef {{address: string, job: string, args: import("./osc").Argument[]}} Request arguments after the job id */
/** @typedef {{paths: string[], warnings: string[]}} Outcome */

/**
 * Send a request and follow its job to the end.
 * @param {() => import("./whereabouts").Whereabouts} find where the daemon is now; throws when nothing says so
 * @param {Request} request
 * @param {(fraction: number, stage: string) => void} onProgress
 * @param {AbortSignal} signal cancels the job
 * @returns {Promise<Outcome>}
 */
function converse(find, request, onProgress, signal) {
  return new Promise((resolve, reject) => {
    new Conversation(find, request, onProgress, signal, resolve, reject).open();
  });
}

class Conversation {
  constructor(find, request, onProgress, signal, resolve, reject) {
    Object.assign(this, { find, request, onProgress, signal, resolve, reject });
    this.isKnown = false;
    this.warnings = [];
    this.cancel = () => this.startCancelling();
  }

  open() {
    if (this.signal.aborted) return this.end(() => this.reject(new CancelledError()));
    this.signal.addEventListener("abort", this.cancel);
    return this.turnTo(this.find());
  }

  /** Talk to this daemon from now on; a job that an earlier one has left to it is sent again, and is the same. */
  turnTo(whereabouts) {
    Object.assign(this, { whereabouts, isLost: false, isAccepted: false, silences: 0 });
    const socket = dgram.createSocket("udp4");
    this.socket = socket;
    socket.on("message", (bytes) => this.receive(decode(bytes)));
    socket.on("error", () => this.lose(noDaemon("Retake is no longer running where it was."), socket));
    socket.bind(0, "127.0.0.1", () => {
      if (this.isOver) return;
      socket.connect(whereabouts.port, whereabouts.host, () => this.speak());
    });
  }

  /** The daemon is gone: a job that it had accepted is taken up by the next daemon, so wait for that one. */
  lose(error, socket = this.socket) {
    if (this.isOver || this.isLost || socket !== this.socket) return;
    if (!this.isKnown) return void this.fail(error);
    this.isLost = true;
    timers.clearTimeout(this.timer);
    this.socket.close();
    this.onProgress(0, "reconnecting");
    this.lookForTheNext(error, LOOKS);
  }

  lookForTheNext(error, looks) {
    if (this.isOver) return;
    const found = this.look();
    const isNext = found && (found.port !== this.whereabouts.port || found.token !== this.whereabouts.token);
    if (isNext) return void this.turnTo(found);
    if (looks === 0) return void this.fail(error);
    this.timer = timers.setTimeout(() => this.lookForTheNext(error, looks - 1), RESEND_MS);
  }

  look() {
    try {
      return this.find();
    } catch {
      return null;
    }
  }

  /** Send what is due now, and again when no answer comes. */
  speak() {
    if (this.isOver || this.isLost) return;
    const { address, args } = this.request;
    if (this.isCancelling) this.send("/retake/cancel", []);
    else if (this.isAccepted) this.send("/retake/job", []);
    else this.send(address, args);
    this.wait();
  }

  send(address, args) {
    const token = /** @type {const} */ ([["s", "token"], ["s", this.whereabouts.token]]);
    const { socket } = this;
    socket.send(encode(address, [["s", this.request.job], ...args, ...token]), (error) => {
      if (error) this.lose(noDaemon("Retake is no longer running where it was."), socket);
    });
  }

  wait() {
    timers.clearTimeout(this.timer);
    const isWaiting = this.isAccepted && !this.isCancelling;
    this.timer = timers.setTimeout(() => this.notice(), isWaiting ? SILENCE_MS : RESEND_MS);
  }

  /** No answer came: send again, but not for ever. */
  notice() {
    this.silences += 1;
    if (this.isCancelling && this.silences > CANCEL_TRIES) return this.fail(new CancelledError());
    if (this.silences > (this.isAccepted ? SILENCES : RESENDS)) return this.lose(noDaemon("Retake does not answer."));
    return this.speak();
  }

  startCancelling() {
    if (this.isLost) return void this.fail(new CancelledError());
    this.isCancelling = true;
    this.silences = 0;
    this.speak();
  }

  receive(message) {
    if (message === null || this.isOver || this.isLost) return;
    const [first, second, third] = message.args;
    if (message.address === "/done" || message.address === "/fail") return this.receiveEnd(message);
    if (first !== this.request.job) return;
    this.silences = 0;
    if (message.address === "/retake/ack") this.isAccepted = this.isKnown = true;
    if (message.address === "/retake/warning") this.warnings.push(second);
    if (message.address === "/retake/progress") this.onProgress(second, third);
    if (message.address === "/retake/job.reply") this.onProgress(third, message.args[3]);
    this.wait();
  }

  receiveEnd({ address, args }) {
    const [command, job, ...rest] = args;
    if (job !== this.request.job) return;
    if (address === "/done" && command === this.request.address) {
      const [, ...paths] = rest;
      this.end(() => this.resolve({ paths, warnings: this.warnings }));
    } else if (address === "/fail") {
      const [code, text, hint] = rest;
      // the next daemon has the same port, and another token
      if (code === "bad_token" && this.isKnown) return this.lose(new RetakeError(text, hint));
      this.fail(code === "cancelled" || this.isCancelling ? new CancelledError() : new RetakeError(text, hint));
    }
  }

  fail(error) {
    this.end(() => this.reject(this.isCancelling ? new CancelledError() : error));
  }

  end(report) {
    if (this.isOver) return;
    this.isOver = true;
    timers.clearTimeout(this.timer);
    this.signal.removeEventListener("abort", this.cancel);
    if (this.socket && !this.isLost) this.socket.close();
    report();
  }
}

module.exports = { converse };
