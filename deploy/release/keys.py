"""Signing keys: ed25519, one file each, readable by their owner only.

A key is `<name>.pem` (private, keep it where its role says) and `<name>.pub.json` (public, hand it around). With a
password, the private half is encrypted.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

__all__ = ["KeyProblem", "make_key", "read_public", "read_signer"]


class KeyProblem(Exception):
    """A key file cannot be made or used. The text says which, and what to do."""


def make_key(folder: Path, name: str, password: str = "") -> Key:
    """Make a key pair.

    :raises KeyProblem: there is one of that name already; a key is never overwritten.
    """
    signer = CryptoSigner.generate_ed25519()
    how: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    private = load_pem_private_key(signer.private_bytes, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(folder / f"{name}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyProblem(f"{folder / name}.pem: is there already; name another key or another folder") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(private)
        out.flush()
        os.fsync(out.fileno())
    public = {"keyid": signer.public_key.keyid, **signer.public_key.to_dict()}
    (folder / f"{name}.pub.json").write_text(json.dumps(public, indent=1) + "\n", encoding="utf-8")
    return signer.public_key


def read_signer(path: Path, password: str = "") -> CryptoSigner:
    """The private half.

    :raises KeyProblem: it is no key, or the password is wrong.
    """
    try:
        private = load_pem_private_key(path.read_bytes(), password.encode() if password else None)
        return CryptoSigner(private)
    except OSError as error:
        raise KeyProblem(f"{path}: cannot be read: {error.strerror}; bring the key of this role") from None
    except (ValueError, TypeError) as error:
        raise KeyProblem(f"{path}: cannot be used: {error}; set RELEASE_KEY_PASSWORD to its password") from None


def read_public(path: Path) -> Key:
    """The public half.

    :raises KeyProblem: it is none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return SSlibKey.from_dict(value.pop("keyid"), value)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise KeyProblem(f"{path}: is no public key; name a .pub.json that `keys` has written") from None
