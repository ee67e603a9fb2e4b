/** The web view of Live's dialogs: reads the page that the extension shows, and runs its script over a small document. */
import assert from "node:assert/strict";
import vm from "node:vm";

const UNESCAPED = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };
const PREFIX = "data:text/html;charset=utf-8,";

export function readPage(url) {
  assert.ok(url.startsWith(PREFIX), `a dialog's page is a data: URL, not ${url.slice(0, 40)}`);
  const html = decodeURIComponent(url.slice(PREFIX.length));
  const [, json] = html.match(/<script type="application\/json" id="form">(.*?)<\/script>/s);
  const [, script] = html.match(/<script>(.*)<\/script>/s);
  return { html, script, json, form: JSON.parse(json), controls: controlsOf(html) };
}

/** Every control of the page as its reader sees it: what stands before it, its limits, choices and value. */
function controlsOf(html) {
  const labels = [...html.matchAll(/<label><span>([^<]*)<\/span>(.*?)<\/label>/gs)];
  return labels.map(([, label, control]) => {
    const attributes = Object.fromEntries([...control.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, word]) => [key, plain(word)]));
    const options = [...control.matchAll(/<option value="([^"]*)"( selected)?>/g)];
    const chosen = options.find(([, , isSelected]) => isSelected);
    return {
      ...attributes,
      label: plain(label),
      value: options.length ? plain(chosen[1]) : attributes.value ?? "",
      choices: options.map(([, word]) => plain(word)),
      checked: / checked\b/.test(control),
    };
  });
}

function plain(text) {
  return text.replace(/&\w+;/g, (entity) => UNESCAPED[entity]);
}

class Element {
  constructor(value = "", textContent = "", checked = false) {
    Object.assign(this, { value, textContent, checked, heard: {} });
  }

  addEventListener(event, act) {
    this.heard[event] = act;
  }

  select() {}
}

/**
 * Fill in the fields and press a button, or a key.
 * @param {object | string} deed values by field name, then the first button; or "cancel", "Escape", "Enter", "close"
 * @returns {string} what the dialog says to the extension; empty where its window was closed
 */
export function press(page, deed) {
  if (deed === "close") return "";
  const answers = [];
  const elements = { form: new Element("", page.json), go: new Element(), cancel: new Element() };
  for (const { id, value, checked } of page.controls) elements[id] = new Element(value, "", checked);
  const keys = {};
  const document = {
    getElementById: (id) => elements[id],
    addEventListener: (event, act) => { keys[event] = act; },
  };
  const live = { postMessage: (message) => answers.push(message) };
  const isMac = page.form.fields.length % 2 === 0;
  const window = isMac ? { webkit: { messageHandlers: { live } } } : { chrome: { webview: live } };
  vm.runInNewContext(page.script, { document, window, JSON, Number });
  if (typeof deed === "object") {
    for (const [name, value] of Object.entries(deed)) {
      assert.ok(elements[name], `the dialog has no field ${name}`);
      if (typeof value === "boolean") elements[name].checked = value;
      else elements[name].value = String(value);
    }
    elements.go.heard.click();
  } else if (deed === "Escape" || deed === "Enter") keys.keydown({ key: deed });
  else elements[deed].heard.click();
  assert.equal(answers.length, 1);
  assert.equal(answers[0].method, "close_and_send");
  assert.equal(answers[0].params.length, 1);
  return answers[0].params[0];
}
