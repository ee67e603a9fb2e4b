/** The page that Live shows as a dialog: a form, or a message. It answers once, with one string of JSON. */
"use strict";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"text" | "number"} kind
 * @property {string | number} value
 * @property {number} [min]
 * @property {number} [max]
 * @property {number | "any"} [step]
 */
/** @typedef {{title: string, lines: string[], fields: Field[], go: string, mayCancel: boolean}} Form */

const STYLE = `
  body { margin: 0; padding: 18px; background: #363636; color: #c8c8c8; font: 13px sans-serif; }
  h1 { font-size: 15px; margin: 0 0 10px; color: #eee; }
  p { margin: 0 0 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
  label { display: flex; margin: 8px 0; align-items: center; }
  label span { width: 130px; flex: none; }
  input { flex: 1; min-width: 0; padding: 5px 7px; background: #1e1e1e; color: #eee; border: 1px solid #121212; }
  input:focus { outline: 1px solid #ffb056; }
  div { display: flex; justify-content: flex-end; gap: 8px; margin-top: 16px; }
  button { min-width: 90px; padding: 6px 14px; border: 0; background: #282828; color: #eee; }
  #go { background: #ffb056; color: #1e1e1e; }`;

/** Runs in the web view of Live; macOS and Windows take the answer by different doors. */
function script() {
  const form = JSON.parse(document.getElementById("form").textContent);
  const answer = (content) => {
    const message = { method: "close_and_send", params: [JSON.stringify(content)] };
    const mac = window.webkit && window.webkit.messageHandlers && window.webkit.messageHandlers.live;
    if (mac) mac.postMessage(message);
    else window.chrome.webview.postMessage(message);
  };
  const go = () => {
    const settings = {};
    for (const { name, kind } of form.fields) {
      const { value } = document.getElementById(name);
      settings[name] = kind === "number" ? Number(value) : value;
    }
    answer({ action: "go", settings });
  };
  const cancel = () => answer({ action: "cancel" });
  document.getElementById("go").addEventListener("click", go);
  if (form.mayCancel) document.getElementById("cancel").addEventListener("click", cancel);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go();
    if (event.key === "Escape") cancel();
  });
  if (form.fields.length) document.getElementById(form.fields[0].name).select();
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (character) => ENTITIES[character]);
}

/** @param {Field} field */
function row({ name, label, kind, value, min, max, step }) {
  const limits = Object.entries({ min, max, step }).filter(([, limit]) => limit !== undefined);
  const attributes = limits.map(([key, limit]) => ` ${key}="${limit}"`).join("");
  const input = `<input id="${name}" type="${kind}" value="${escaped(value)}"${attributes}>`;
  return `<label><span>${escaped(label)}</span>${input}</label>`;
}

/**
 * @param {Form} form
 * @returns {string} a URL that holds the whole page
 */
function pageUrl(form) {
  const json = JSON.stringify(form).replaceAll("<", "\\u003c");
  const cancel = form.mayCancel ? '<button id="cancel">Cancel</button>' : "";
  const page = `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><h1>${escaped(form.title)}</h1>
${form.lines.map((line) => `<p>${escaped(line)}</p>`).join("")}${form.fields.map(row).join("")}
<div>${cancel}<button id="go">${escaped(form.go)}</button></div>
<script type="application/json" id="form">${json}</script><script>(${script})();</script>`;
  return `data:text/html;charset=utf-8,${encodeURIComponent(page)}`;
}

module.exports = { pageUrl };
