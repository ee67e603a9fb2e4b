#!/bin/sh
# make_dmg.sh Retake.app retake.dmg: signs the app, packs it beside a link to Applications, and has Apple check it.
#
# RETAKE_SIGN_AS names the certificate ("Developer ID Application: …"); without it the app is signed for this machine only.
# RETAKE_NOTARY_PROFILE names the keychain profile of `notarytool store-credentials`; without it nothing is sent to Apple.
set -eu
app=$1
image=$2
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
identity=${RETAKE_SIGN_AS:--}

# from the inside out: first every library and program, then the app around them
find "$app/Contents" -type f \( -name '*.dylib' -o -name '*.so' -o -perm -u+x \) -print0 |
  xargs -0 codesign --force --timestamp --options runtime --entitlements "$here/entitlements.plist" --sign "$identity"
codesign --force --timestamp --options runtime --entitlements "$here/entitlements.plist" --sign "$identity" "$app"
codesign --verify --deep --strict "$app"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
rm -f "$image"
hdiutil create -volname Retake -srcfolder "$stage" -fs HFS+ -format UDZO "$image"

if [ "$identity" != - ]; then
  codesign --timestamp --sign "$identity" "$image"
fi
if [ -n "${RETAKE_NOTARY_PROFILE:-}" ]; then
  xcrun notarytool submit "$image" --keychain-profile "$RETAKE_NOTARY_PROFILE" --wait
  xcrun stapler staple "$image"
fi
