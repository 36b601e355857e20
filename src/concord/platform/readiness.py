"""Quick questions that tell whether an engine serves, not merely whether its port is open."""

import socket
import struct
import subprocess
from collections.abc import Sequence
from contextlib import closing

import httpx

ANSWER_WITHIN_SECONDS = 2.0


def http_answers(url: str) -> bool:
    """Whether ``url`` answers with a success."""
    try:
        return httpx.get(url, timeout=ANSWER_WITHIN_SECONDS, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def command_succeeds(command: Sequence[str]) -> bool:
    """Whether ``command`` exits with 0 in time."""
    try:
        return subprocess.run(command, capture_output=True, timeout=ANSWER_WITHIN_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def kafka_broker_serves(host: str, port: int) -> bool:
    """Whether the broker lists itself as alive.

    The port opens before the controller lets the broker take part; until then a new topic would
    find no replica. A metadata request (version 1, no topics) names the brokers that take part.
    """
    header = struct.pack(">hhih", 3, 1, 1, -1)
    body = struct.pack(">i", 0)
    try:
        with closing(socket.create_connection((host, port), timeout=ANSWER_WITHIN_SECONDS)) as connection:
            connection.sendall(struct.pack(">i", len(header + body)) + header + body)
            answer = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0
