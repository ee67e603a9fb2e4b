#!/bin/sh
# Puts the unpacked Retake into your own menu and onto your path, without a password; --remove takes it out again.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
bin=$HOME/.local/bin
entry=$data/applications/retake.desktop
icon=$data/icons/hicolor/scalable/apps/retake.svg
if [ "${1:-}" = --remove ]; then
  for name in retake retake-send retake-tray; do
    case "$(readlink "$bin/$name" 2>/dev/null || true)" in "$here"/*) rm "$bin/$name" ;; esac
  done
  rm -f "$entry" "$icon"
  echo "Retake is out of your menu; this folder can go: $here"
  exit 0
fi
mkdir -p "$bin" "$(dirname "$entry")" "$(dirname "$icon")"
for name in retake retake-send retake-tray; do
  [ ! -e "$here/$name" ] || ln -sf "$here/$name" "$bin/$name"
done
cp "$here/share/retake.svg" "$icon"
if [ -e "$here/retake-tray" ]; then
  # in an Exec line a quoted string may hold spaces
  sed "s|^Exec=.*|Exec=\"$here/retake-tray\"|; s|^TryExec=.*|TryExec=$here/retake-tray|" "$here/share/retake.desktop" >"$entry"
fi
echo "Retake is in your menu, and its commands are in $bin"
