"""The frozen `retake-send`, which has nothing but the standard library and python-osc inside."""

from bridge.clients.send import main

raise SystemExit(main())
