/** The page that Live shows as a dialog: a form, or a message. It answers once, with one string of JSON. */
"use strict";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"text" | "number" | "choice" | "switch"} kind
 * @property {string | number | boolean | null} value
 * @property {string} [hint] what an empty field means
 * @property {string[]} [choices]
 * @property {number} [min]
 * @property {number} [max]
 * @property {number | "any"} [step]
 */
/** @typedef {{title: string, lines: string[], fields: Field[], more: Field[], go: string, mayCancel: boolean}} Form */

const STYLE = `
  body { margin: 0; padding: 18px; background: #363636; color: #c8c8c8; font: 13px sans-serif; }
  h1 { font-size: 15px; margin: 0 0 10px; color: #eee; }
  p { margin: 0 0 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
  label { display: flex; margin: 8px 0; align-items: center; }
  label span { width: 160px; flex: none; }
  input, select { flex: 1; min-width: 0; padding: 5px 7px; background: #1e1e1e; color: #eee; border: 1px solid #121212; }
  input[type="checkbox"] { flex: none; width: 16px; }
  input:focus, select:focus { outline: 1px solid #ffb056; }
  summary { margin: 12px 0 4px; color: #eee; cursor: pointer; }
  div { display: flex; justify-content: flex-end; gap: 8px; margin-top: 16px; }
  button { min-width: 90px; padding: 6px 14px; border: 0; background: #282828; color: #eee; }
  #go { background: #ffb056; color: #1e1e1e; }`;

/** Runs in the web view of Live; macOS and Windows take the answer through different objects. */
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
    for (const { name, kind } of [...form.fields, ...form.more]) {
      const { value, checked } = document.getElementById(name);
      const isEmpty = value.trim() === "" && kind !== "text";
      settings[name] = kind === "switch" ? checked : isEmpty ? null : kind === "number" ? Number(value) : value;
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

function select({ name, value, choices, hint }) {
  const options = [...(hint ? [""] : []), ...choices].map((choice) => {
    const words = choice === "" ? hint : choice;
    return `<option value="${escaped(choice)}"${choice === (value ?? "") ? " selected" : ""}>${escaped(words)}</option>`;
  });
  return `<select id="${name}">${options.join("")}</select>`;
}

/** @param {Field} field */
function input({ name, kind, value, hint, min, max, step }) {
  if (kind === "switch") return `<input id="${name}" type="checkbox"${value ? " checked" : ""}>`;
  const extra = Object.entries({ min, max, step, placeholder: hint || undefined }).filter(([, word]) => word !== undefined);
  const attributes = extra.map(([key, word]) => ` ${key}="${escaped(word)}"`).join("");
  return `<input id="${name}" type="${kind}" value="${escaped(value ?? "")}"${attributes}>`;
}

/** @param {Field} field */
function row(field) {
  const control = field.kind === "choice" ? select(field) : input(field);
  return `<label><span>${escaped(field.label)}</span>${control}</label>`;
}

/** @param {Field[]} fields */
function moreRows(fields) {
  return fields.length ? `<details><summary>More settings</summary>${fields.map(row).join("")}</details>` : "";
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
${moreRows(form.more)}<div>${cancel}<button id="go">${escaped(form.go)}</button></div>
<script type="application/json" id="form">${json}</script><script>(${script})();</script>`;
  return `data:text/html;charset=utf-8,${encodeURIComponent(page)}`;
}

module.exports = { pageUrl };
