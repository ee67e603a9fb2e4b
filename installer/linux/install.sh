#!/bin/sh
# Puts the unpacked Retake into your own menu and onto your path, without a password; --remove takes it out again.
# What is there under its names and does not belong to Retake stays as it is.
set -eu
LC_ALL=C # names of files are bytes, in whatever language
export LC_ALL
: "${HOME:?is not set, so the place of your menu is unknown; nothing was installed}"
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
data=${XDG_DATA_HOME:-$HOME/.local/share}
bin=$HOME/.local/bin
entry=$data/applications/retake.desktop
icon=$data/icons/hicolor/scalable/apps/retake.svg
programs='retake retake-send retake-tray'

case $here in
*[[:cntrl:]]*)
  echo "a menu cannot name a folder with a line break or another control character in its path: $here" >&2
  echo "hint: move Retake's folder, and run install.sh again; nothing was installed" >&2
  exit 1
  ;;
esac

# $1 as a value of a desktop entry, where a backslash is an escape
as_value() { printf '%s' "$1" | sed 's/\\/\\\\/g'; }

# $1 as a word of a desktop entry's Exec line: quoted as in a shell, a percent sign doubled, and then made a value
as_word() { as_value "\"$(printf '%s' "$1" | sed 's/[\\"`$]/\\&/g; s/%/%%/g')\""; }

exec_line=Exec=$(as_word "$here/retake-tray")
case $here in # an entry may not name a program with =, and GLib does not find one with %; a shell is given either
*[%=]*) exec_line="Exec=/bin/sh -c $(as_word 'exec "$0"') $(as_word "$here/retake-tray")" ;;
esac
try_line=TryExec=$(as_value "$here/retake-tray")

# whether the link $1 leads to this folder's program $2
is_of_this() { [ -L "$1" ] && [ "$(readlink -- "$1")" = "$here/$2" ]; }

# whether the link $1 leads to program $2 of this or another folder of Retake's
is_of_retake() {
  is_of_this "$1" "$2" && return 0
  [ -L "$1" ] || return 1
  target=$(readlink -- "$1")
  folder=${target%/*}
  [ "$target" = "$folder/$2" ] && [ -e "$folder/install.sh" ] && [ -e "$folder/share/retake.desktop" ]
}

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# the check of a menu entry on standard input, less the line that holds it
check() { grep -v '^X-Retake-Check=' | cksum; }

# whether an install.sh wrote the menu entry, and it is unchanged since
is_entry_of_retake() {
  [ -f "$entry" ] && [ ! -L "$entry" ] && grep -Fqx -- "X-Retake-Check=$(check <"$entry")" "$entry"
}

is_icon_of_retake() { [ -f "$icon" ] && [ ! -L "$icon" ] && cmp -s -- "$here/share/retake.svg" "$icon"; }

leave() { echo "left as it is: $1, which does not belong to Retake, or was changed" >&2; }

remove() {
  for name in $programs; do
    ! is_of_this "$bin/$name" "$name" || rm -- "$bin/$name"
  done
  if is_entry_of_retake && grep -Fqx -- "$exec_line" "$entry"; then
    rm -- "$entry"
  elif grep -Fqxs -- "$exec_line" "$entry"; then
    leave "$entry"
  fi
  if is_icon_of_retake && ! grep -Fqxs 'Icon=retake' -- "$entry"; then rm -- "$icon"; fi
  echo "Retake is out of your menu; this folder can go: $here"
}

# the template's lines, with this folder's programs in place of its own
write_entry() {
  while IFS= read -r line; do
    case $line in
    Exec=*) line=$exec_line ;;
    TryExec=*) line=$try_line ;;
    esac
    printf '%s\n' "$line"
  done <"$here/share/retake.desktop"
}

install() {
  # what may fail comes first, and leaves nothing behind
  mkdir -p -- "$bin" "${entry%/*}" "${icon%/*}"
  draft=$(mktemp -- "$entry.XXXXXX")
  trap 'rm -f -- "$draft"' EXIT
  write_entry >"$draft"
  printf 'X-Retake-Check=%s\n' "$(check <"$draft")" >>"$draft"
  chmod 644 -- "$draft"
  if ! is_there "$icon"; then
    cp -- "$here/share/retake.svg" "$icon"
  elif ! is_icon_of_retake; then
    leave "$icon"
  fi
  for name in $programs; do
    if [ ! -e "$here/$name" ]; then
      continue
    elif is_of_retake "$bin/$name" "$name"; then
      rm -- "$bin/$name"
    elif is_there "$bin/$name"; then
      leave "$bin/$name"
      continue
    fi
    ln -s -- "$here/$name" "$bin/$name"
  done
  if [ ! -e "$here/retake-tray" ]; then
    echo "Retake has no window here; its commands are in $bin"
    return
  elif ! is_there "$entry" || is_entry_of_retake; then
    mv -f -- "$draft" "$entry"
  else
    leave "$entry"
  fi
  echo "Retake is in your menu, and its commands are in $bin"
}

if [ "${1:-}" = --remove ]; then remove; else install; fi
