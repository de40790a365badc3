"""Approvals by message, for people who are not at this box: what waits is told, and an answer counts if it is signed.

    told     {"id", "digest", "tool", "arguments", "text", "until"}
    answer   {"id", "digest", "answer": "approve" | "refuse", "person", "mac"}

    mac = HMAC-SHA256(secret of the person, JSON of ["watchkeeper approval 1", topic, id, digest, answer, person])

The digest is that of the call with its arguments and its end, so an answer is for what the person was shown and for
nothing else; an answer counts once, because a request that was answered is answered. Each person has a secret, so that
the trail knows who it was. Whatever is not exactly of this form, signed by somebody known, is no answer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from agent.approval import Request, call_text
from agent.errors import InputError

__all__ = ["SignedAnswer", "load_secrets", "named_request", "read_answer", "sign_answer", "told_request"]

_KEYS = {"id", "digest", "answer", "person", "mac"}
_MOST_BYTES = 4_096
_MOST_CHARS = 200
_ANSWERS = ("approve", "refuse")


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """What somebody who is known decided."""

    request: str
    digest: str
    approve: bool
    person: str


def told_request(request: Request) -> str:
    """What is told of a call that waits."""
    return json.dumps(
        {
            "id": request.id,
            "digest": request.digest,
            "tool": request.tool,
            "arguments": dict(request.arguments),
            "text": call_text(request.tool, request.arguments),
            "until": request.until.isoformat(timespec="seconds"),
        },
        ensure_ascii=False,
    )


def sign_answer(secret: bytes, topic: str, request: str, digest: str, answer: str, person: str) -> str:
    """The signature of an answer."""
    signed = json.dumps(["watchkeeper approval 1", topic, request, digest, answer, person], ensure_ascii=True)
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()


def read_answer(payload: bytes | None, secrets: Mapping[str, bytes], topic: str) -> SignedAnswer:
    """An answer, if it is one.

    :param payload: as it came; None: too long.
    :param secrets: person → secret.
    :raises InputError: it is none; says why, for the trail and not for who sent it.
    """
    if payload is None or len(payload) > _MOST_BYTES:
        raise InputError("an answer that is too long")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        raise InputError("an answer that is no JSON") from None
    if not isinstance(found, dict) or set(found) != _KEYS:
        raise InputError("an answer of another form")
    if not all(isinstance(value, str) and 0 < len(value) <= _MOST_CHARS for value in found.values()):
        raise InputError("an answer of another form")
    person, answer = found["person"], found["answer"]
    secret = secrets.get(person)
    wanted = sign_answer(secret or b"\0", topic, found["id"], found["digest"], answer, person)
    if not hmac.compare_digest(wanted.encode(), found["mac"].encode("utf-8", "replace")) or secret is None:
        raise InputError("an answer that nobody known has signed")
    if answer not in _ANSWERS:
        raise InputError("an answer that is neither approve nor refuse")
    return SignedAnswer(found["id"], found["digest"], answer == "approve", person)


def named_request(payload: bytes | None) -> str:
    """The request that a message names, whoever sent it; empty where it names none."""
    try:
        found = json.loads(payload) if payload and len(payload) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        return ""
    named = found.get("id") if isinstance(found, dict) else None
    return named if isinstance(named, str) and len(named) <= _MOST_CHARS else ""


def load_secrets(files: Mapping[str, Path], *, least_bytes: int) -> dict[str, bytes]:
    """The secrets of those who may answer.

    :raises InputError: there is nobody, a file cannot be read, is too short, or others may read it; then nobody may.
    """
    if not files:
        raise InputError("nobody may answer: set [approvals] persons, a name and the file of its secret each")
    secrets = {}
    for person, path in files.items():
        try:
            status = path.expanduser().stat()
            secret = path.expanduser().read_bytes().strip() if S_ISREG(status.st_mode) else b""
        except OSError as error:
            raise InputError(f"{path}: the secret of {person[:40]} cannot be read: {error.strerror}") from None
        if status.st_mode & 0o077:
            raise InputError(f"{path}: others may read the secret of {person[:40]}; run chmod 600 {path}")
        if len(secret) < least_bytes:
            raise InputError(f"{path}: shorter than {least_bytes} bytes; make one with: openssl rand -hex 32")
        secrets[person] = secret
    if len(set(secrets.values())) < len(secrets):
        raise InputError("two persons have one secret; then nobody knows who answered: give each their own")
    return secrets
