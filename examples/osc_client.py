"""Ask Retake's daemon for a sound and print where it is: `python examples/osc_client.py "a dog barks"`."""

import json
import os
import sys
import uuid
from pathlib import Path

from platformdirs import user_state_path
from pythonosc.udp_client import SimpleUDPClient

state = Path(os.environ.get("RETAKE_STATE_DIR") or user_state_path("retake", appauthor=False))
daemon = json.loads((state / "runtime.json").read_text(encoding="utf-8"))  # exists while `retake daemon` runs
client = SimpleUDPClient(daemon["host"], daemon["port"])
job, prompt = str(uuid.uuid4()), sys.argv[1]
client.send_message("/retake/generate", [job, prompt, "seconds", 2.0, "token", daemon["token"]])
for message in client.get_messages(timeout=120):
    print(message.address, *message.params)
    if message.address in ("/done", "/fail"):
        sys.exit(message.address == "/fail")
