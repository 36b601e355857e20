"""The HTTP side of the protocol: login, statements, sessions, stage files, health."""

import gzip
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from fakesnow.expr import normalise_ident
from fakesnow.transforms import SERVER_VERSION
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from concord.standins.snowflake import failures, stages
from concord.standins.snowflake.engine import Engine
from concord.standins.snowflake.execution import Statement, answer
from concord.standins.snowflake.requests import Requests
from concord.standins.snowflake.sessions import Session, Sessions
from concord.standins.snowflake.stages import StageFiles

log = structlog.get_logger("snowflake.standin")

FOUR_HOURS = 14_400


@dataclass(frozen=True)
class Account:
    """Who may log in. Without a password anybody may."""

    user: str | None = None
    password: str | None = None

    def admits(self, user: str, password: str) -> bool:
        if self.password is None:
            return True
        is_user = self.user is None or user.upper() == self.user.upper()
        return is_user and hmac.compare_digest(password.encode(), self.password.encode())


class Server:
    """The requests of the protocol, each as one method."""

    def __init__(self, engine: Engine, account: Account) -> None:
        self.engine = engine
        self.account = account
        self.sessions = Sessions(engine)
        self.files = StageFiles(engine.folder / "stages")
        self.requests = Requests()

    async def health(self, _request: Request) -> Response:
        """200 while the engine answers a query."""
        databases = await run_in_threadpool(self.engine.databases)
        return _json({"status": "ok", "databases": databases, "sessions": len(self.sessions)})

    async def login(self, request: Request) -> Response:
        wanted = (await _document(request))["data"]
        user = str(wanted.get("LOGIN_NAME") or "")
        if not self.account.admits(user, str(wanted.get("PASSWORD") or "")):
            log.warning("login refused", user=user)
            return _json(
                failures.body("Incorrect username or password was specified.", failures.WRONG_PASSWORD, "08001")
            )
        autocommit = wanted.get("SESSION_PARAMETERS", {}).get("AUTOCOMMIT", True)
        database, schema = _name(request, "databaseName"), _name(request, "schemaName")
        token, session = await run_in_threadpool(
            self.sessions.login, database, schema, autocommit=bool(autocommit), context=_context(request, wanted)
        )
        log.info("login", user=user, database=database, schema=schema)
        return _json({"success": True, "data": _login_data(token, session)})

    async def query(self, request: Request) -> Response:
        session = self.sessions.of(_token(request))
        statement = Statement(
            await _document(request), f"http://{request.url.netloc}", "JDBC" in request.headers.get("user-agent", "")
        )

        async def run() -> Response:
            async with session.lock:
                return _json(await run_in_threadpool(answer, session, statement, self.files))

        request_id = request.query_params.get("requestId") or secrets.token_hex(16)
        return await self.requests.once(request_id, run) or _in_progress(request_id)

    async def result(self, request: Request) -> Response:
        """The answer of a statement that took longer than a driver waits."""
        request_id = request.path_params["request_id"]
        try:
            return await self.requests.answer_of(request_id) or _in_progress(request_id)
        except KeyError:
            return _json(failures.body(f"no result of request {request_id}", failures.NO_RESULT, "02000"))

    async def session(self, request: Request) -> Response:
        """A heartbeat, or with ``delete`` the end of the session."""
        token = _token(request)
        if request.query_params.get("delete"):
            await run_in_threadpool(self.sessions.logout, token)
        else:
            self.sessions.of(token).touch()
        return _json({"success": True, "data": None, "code": None, "message": None})

    async def abort(self, request: Request) -> Response:
        """Stop what the session runs."""
        self.sessions.of(_token(request)).duck.interrupt()
        return _json({"success": True, "data": None})

    async def telemetry(self, _request: Request) -> Response:
        """Taken and thrown away."""
        return _json({"success": True, "data": "Log Received"})

    async def monitoring(self, request: Request) -> Response:
        """The state of a query: ours are done when they are answered."""
        is_known = request.path_params["query_id"] in self.engine.results
        return _json({"success": True, "data": {"queries": [{"status": "SUCCESS"}] if is_known else []}})

    async def upload(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not self.files.is_signed(path, request.query_params.get("signature", "")):
            return Response(status_code=403)
        await run_in_threadpool(self.files.store, path, await request.body())
        return Response()

    async def gone(self, _request: Request, error: Exception) -> Response:
        return _json(failures.body(str(error), failures.NO_SESSION, "08001"))

    def close(self) -> None:
        """End all sessions and write everything to disk."""
        self.sessions.end_all()
        self.engine.close()


def application(engine: Engine, account: Account) -> Starlette:
    """The server as an ASGI application; its end closes the engine."""
    server = Server(engine, account)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(server.close)

    routes = [
        Route("/", server.health, methods=["GET"]),
        Route("/session/v1/login-request", server.login, methods=["POST"]),
        Route("/session", server.session, methods=["POST"]),
        Route("/session/heartbeat", server.session, methods=["POST"]),
        Route("/queries/v1/query-request", server.query, methods=["POST"]),
        Route("/queries/{request_id}/result", server.result, methods=["GET"]),
        Route("/queries/v1/abort-request", server.abort, methods=["POST"]),
        Route("/monitoring/queries/{query_id}", server.monitoring, methods=["GET"]),
        Route("/telemetry/send", server.telemetry, methods=["POST"]),
        Route("/telemetry/send/sessionless", server.telemetry, methods=["POST"]),
        Route(f"{stages.ROUTE}/{{path:path}}", server.upload, methods=["PUT"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={failures.SessionGone: server.gone})


def _login_data(token: str, session: Session) -> dict[str, Any]:
    return {
        "token": token,
        "masterToken": token,
        "validityInSeconds": FOUR_HOURS,
        "masterValidityInSeconds": FOUR_HOURS,
        "displayUserName": session.context["user"],
        "serverVersion": SERVER_VERSION,
        "parameters": [
            {"name": "AUTOCOMMIT", "value": session.commits_each_statement},
            {"name": "TIMEZONE", "value": "Etc/UTC"},
            {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
            {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
            # arrays of bound values come with the request, not through a stage
            {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        ],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.context["warehouse"],
            "roleName": session.context["role"],
        },
    }


def _in_progress(request_id: str) -> Response:
    data = {"queryId": request_id, "getResultUrl": f"/queries/{request_id}/result", "queryAbortsAfterSecs": FOUR_HOURS}
    said = {"code": failures.IN_PROGRESS, "message": "Query execution in progress."}
    return _json({"success": True, **said, "data": data})


def _context(request: Request, wanted: dict[str, Any]) -> dict[str, str | None]:
    asked = {"account": wanted.get("ACCOUNT_NAME"), "user": wanted.get("LOGIN_NAME")}
    asked |= {"role": request.query_params.get("roleName"), "warehouse": request.query_params.get("warehouse")}
    asked |= {"client": (wanted.get("CLIENT_ENVIRONMENT") or {}).get("APPLICATION") or wanted.get("CLIENT_APP_ID")}
    given = {name: str(value).upper() if value else None for name, value in asked.items()}
    return {**given, "region": "LOCAL", "session": secrets.token_hex(8)}


async def _document(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    document: dict[str, Any] = orjson.loads(body)
    return document


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")


def _token(request: Request) -> str:
    """From ``Snowflake Token="…"``."""
    return request.headers.get("authorization", "").partition('"')[2].rstrip('"')


def _name(request: Request, parameter: str) -> str | None:
    name = request.query_params.get(parameter)
    return normalise_ident(name) if name else None
