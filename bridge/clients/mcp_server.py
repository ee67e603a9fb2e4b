"""Retake as tools of the Model Context Protocol, on stdio, for assistants and agents.

A client of the daemon like any other: the schemas are those of the operations' table, and the daemon decides what may
be read and where results may be written.
"""

import json
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from bridge import __version__
from bridge.clients.build_request import request_from_fields
from bridge.clients.client import Client
from bridge.clients.follow import follow
from bridge.clients.history import again
from bridge.errors import BridgeError, MissingArgumentError, RelativePathError, UnknownAddressError, UnknownJobError
from bridge.host.discovery import find_daemon, state_folder
from bridge.host.paths import PathRules
from bridge.host.settings import load_settings
from bridge.jobs.job import Job
from bridge.jobs.journal import JOURNAL_FILE, find_in_file
from bridge.operation_table import JOB_ROWS, OPERATIONS
from bridge.wire.arguments import ARGUMENTS, PATH
from bridge.wire.messages import (
    Cancel,
    Done,
    Fail,
    Generate,
    JobEntry,
    Jobs,
    Models,
    ModelsReply,
    Notice,
    Progress,
    RenderRequest,
    Reply,
    Request,
    Status,
    StatusReply,
)

INSTRUCTIONS = (
    "Retake makes and edits sounds on this machine. Paths are absolute. A result is a new WAV file beside the clip, or"
    " in `output_dir`; nothing is overwritten. The same request with the same seed gives the same audio."
)
_JOB = {"type": "string", "description": "the id of a job, as other tools return it"}
_SEED = {"type": "integer", "description": "seed of the new take; a new one is drawn without it"}
_TEXT = {"type": "string", "description": "only jobs whose id, prompt, settings or files contain it"}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
_QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "again": ("render an earlier job again", {"job": _JOB, "seed": _SEED}),
    "jobs": ("list jobs, newest first: state, prompt, and where the result is", {"text": _TEXT, "limit": _LIMIT}),
    "cancel": ("cancel a waiting or running job; nothing is written", {"job": _JOB}),
    "models": ("list the installed models", {}),
    "status": ("what the daemon is doing, and the folder of results that belong to no clip", {}),
}
_READ_ONLY = {"jobs", "models", "status"}
_END = object()


def serve() -> None:
    """Serve on stdin and stdout until the client closes them."""
    anyio.run(_serve)


async def _serve() -> None:
    server: Server[Any] = Server(
        "retake", version=__version__, instructions=INSTRUCTIONS, on_list_tools=_list_tools, on_call_tool=_call_tool
    )
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


async def _list_tools(_context: object, _page: object) -> types.ListToolsResult:
    return types.ListToolsResult(tools=tools())


def tools() -> list[types.Tool]:
    """Return every tool with its schema: an operation's is its part of the table."""
    shared = {name: JOB_ROWS[name] for name in ("model", "output_dir", "priority")}
    listed = [_tool(name, row["help"], row["properties"] | shared, row["required"]) for name, row in OPERATIONS.items()]
    return listed + [_tool(name, about, fields, fields.keys() & {"job"}) for name, (about, fields) in _QUERIES.items()]


def _tool(
    name: str, about: str, fields: Mapping[str, Mapping[str, Any]], required: Sequence[str] | set[str]
) -> types.Tool:
    """Return a tool; the table's own keywords, and a default that is left to the model, are no part of its schema."""
    plain = {
        key: {word: value for word, value in field.items() if not word.startswith("x-") and value is not None}
        for key, field in fields.items()
    }
    schema = {"type": "object", "properties": plain, "required": sorted(required), "additionalProperties": False}
    hints = types.ToolAnnotations(read_only_hint=name in _READ_ONLY, destructive_hint=name == "cancel")
    return types.Tool(name=name, description=about, input_schema=schema, annotations=hints)


async def _call_tool(
    context: ServerRequestContext[Any, Any], call: types.CallToolRequestParams
) -> types.CallToolResult:
    try:
        folder = state_folder(os.environ)
        request = _request(call.name, call.arguments or {}, folder)
        return _result([reply async for reply in _replies(context, folder, request)])
    except BridgeError as error:
        return _refusal(error.code, error.text, error.hint)


def _request(tool: str, values: Mapping[str, Any], folder: Path) -> Request:
    """Return what a tool asks of the daemon. Raises ProtocolError, UnknownJobError."""
    if "job" in _QUERIES.get(tool, ("", {}))[1] and "job" not in values:
        raise MissingArgumentError(tool, "job", ("job",))
    match tool:
        case "again":
            return again(_earlier(folder, str(values["job"])), values.get("seed"))
        case "cancel":
            return Cancel(job=values["job"])
        case "jobs":
            return Jobs(**{"limit": _LIMIT["default"], **values})
        case "models" | "status":
            return Models() if tool == "models" else Status()
    if tool not in OPERATIONS:
        raise UnknownAddressError(tool, [*OPERATIONS, *_QUERIES])
    for name, value in values.items():  # the folder that the server was started in means nothing to a client
        if ARGUMENTS.get(name) is PATH and not Path(str(value)).expanduser().is_absolute():
            raise RelativePathError(name, str(value))
    return request_from_fields({"operation": tool, **values}, f"mcp-{secrets.token_hex(6)}", {"client": "mcp"})


def _earlier(folder: Path, job_id: str) -> Job:
    file = folder / JOURNAL_FILE
    job = find_in_file(file, job_id) if file.exists() else None
    if job is None:
        raise UnknownJobError(job_id)
    return job


async def _replies(context: ServerRequestContext[Any, Any], folder: Path, request: Request) -> AsyncIterator[Reply]:
    """Yield the daemon's replies, passing progress on; when the client gives the call up, the job is cancelled."""
    steps = follow(folder, request)
    try:
        # A thread waits for each datagram: the socket blocks, and the client may cancel meanwhile.
        while (step := await anyio.to_thread.run_sync(next, steps, _END)) is not _END:
            if isinstance(step, Progress):
                await context.session.report_progress(step.fraction, 1.0, step.stage)
            if isinstance(step, Reply):
                yield step
    except anyio.get_cancelled_exc_class():
        if isinstance(request, RenderRequest) and (runtime := find_daemon(folder)) is not None:
            with Client(runtime) as client:
                client.send(Cancel(job=request.job))
        raise


def _result(replies: Sequence[Reply]) -> types.CallToolResult:
    """Return what the daemon said, in words and as data; files that were written are linked."""
    match replies[-1]:
        case Fail(code=code, text=text, hint=hint):
            return _refusal(code, text, hint)
        case ModelsReply(names):
            return _answer({"models": list(names)}, "\n".join(names))
        case StatusReply() as status:
            rules = PathRules(output_dir=load_settings(os.environ, {}).output_dir)
            results = rules.chosen_folder(Generate(job="-", prompt="-"))
            return _answer(asdict(status) | {"results": str(results)})
        case Done(command=Jobs.address):
            return _answer({"jobs": [asdict(reply) for reply in replies if isinstance(reply, JobEntry)]})
        case Done(job=job, paths=paths):
            warnings = [reply.text for reply in replies if isinstance(reply, Notice)]
            text = "\n".join([*(f"wrote {path}" for path in paths), *(f"warning: {one}" for one in warnings)])
            return _answer({"job": job, "paths": list(paths), "warnings": warnings}, text or f"cancelled {job}", paths)
    raise AssertionError(replies[-1])


def _answer(data: dict[str, Any], text: str = "", paths: Sequence[str] = ()) -> types.CallToolResult:
    said = types.TextContent(text=text or json.dumps(data, ensure_ascii=False, indent=1))
    links = [types.ResourceLink(name=Path(it).name, uri=Path(it).as_uri(), mime_type="audio/wav") for it in paths]
    return types.CallToolResult(content=[said, *links], structured_content=data)


def _refusal(code: str, text: str, hint: str) -> types.CallToolResult:
    said = types.TextContent(text=f"{text}\nhint: {hint}")
    return types.CallToolResult(content=[said], structured_content={"code": code}, is_error=True)
