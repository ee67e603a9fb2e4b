"""What only the macOS app has: its property list and the rights that its signature asks for."""

from typing import Any

from installer.product import BUNDLE_ID, HERE, TITLE, VERSION

ENTITLEMENTS = HERE / "macos" / "entitlements.plist"


def info_plist() -> dict[str, Any]:
    """Return the contents of Info.plist: an app that lives in the menu bar (LSUIElement), with no icon in the Dock."""
    return {
        "CFBundleName": TITLE,
        "CFBundleDisplayName": TITLE,
        "CFBundleIdentifier": BUNDLE_ID,
        "CFBundleShortVersionString": VERSION,
        "CFBundleVersion": VERSION,
        "LSApplicationCategoryType": "public.app-category.music",
        "LSMinimumSystemVersion": "12.0",
        "LSUIElement": True,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": "Apache License 2.0",
        "NSRequiresAquaSystemAppearance": False,
    }
