"""The frozen `retake-sendw`, which DAWs on Windows start: `retake-send` without a console window."""

from bridge.clients.sendw import main

raise SystemExit(main())
