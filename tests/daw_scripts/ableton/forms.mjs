// Prints what every dialog of Live's extension shows, by operation, as its web view reads it: one line of JSON.
import { readPage } from "./web_view.mjs";
import { startLive } from "./extension_host.mjs";

const ENTRIES = {
  restyle: "Restyle clip…", inpaint: "Inpaint in clip…", generate: "Generate beside clip…", upscale: "Upscale clip…", vary: "Vary clip…",
};
const forms = {};
for (const [operation, entry] of Object.entries(ENTRIES)) {
  const live = startLive({ runtime: null });
  const track = live.addTrack("AudioTrack", "Drums"); // in the session: in the arrangement a sound is as long as the clip
  const clip = live.fillSlot(track.clipSlots[0], { filePath: live.audio, isWarped: true }, false);
  live.answer = (_form, page) => { forms[operation] = page.controls; return "cancel"; };
  await live.choose("AudioClip", entry, { id: clip.id });
}
console.log(JSON.stringify(forms));
