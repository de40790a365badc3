"""Make and sign a repository of updates: `python -m deploy.release COMMAND`, from the top of a checkout. See README.md.

Keys lie in a folder (`--keys`): `root-*.pem`, `targets.pem`, `snapshot.pem`, `timestamp.pem`. Bring only those that a
command needs. A password, where keys have one, is taken from RELEASE_KEY_PASSWORD.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import RepositoryError

from agent.updates.catalogue import ENTRY_FILE, BadEntry, read_entry
from agent.weights.catalogue import Entry, load_catalogue
from deploy.release.keys import KeyProblem, make_key, read_public, read_signer
from deploy.release.repository import ONLINE, Expiry, NewTarget, ReleaseProblem, Repository

__all__ = ["app", "main"]

_WHEEL = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.+!]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
_PASSWORD = "RELEASE_KEY_PASSWORD"

RepoOption = Annotated[Path, typer.Option("--repo", help="The repository's folder.")]
KeysOption = Annotated[Path, typer.Option("--keys", help="The folder with the keys that are needed.")]
DaysOption = Annotated[int, typer.Option("--days", min=1, help="How long the signature holds.")]

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


def main() -> None:
    """Run a command line; a problem is one line on stderr and exit code 2."""
    try:
        app()
    except (ReleaseProblem, KeyProblem, BadEntry, RepositoryError) as error:
        print(f"release: {error}", file=sys.stderr)
        sys.exit(2)


@app.command()
def keys(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="root-1, targets, snapshot, timestamp …")],
    keys: KeysOption,
) -> None:
    """Make ed25519 keys.

    Example: python -m deploy.release keys root-1 root-2 root-3 --keys /media/safe
    """
    for name in names:
        print(f"{name}: {make_key(keys, name, _password()).keyid}")


@app.command()
def create(
    repo: RepoOption,
    root_key: Annotated[list[Path], typer.Option("--root-key", help="A .pub.json, once for each root key.")],
    online: Annotated[Path, typer.Option("--online", help="Folder with {targets,snapshot,timestamp}.pub.json.")],
    threshold: Annotated[int, typer.Option(min=1, help="So many root keys have to sign.")] = 2,
    days: DaysOption = 730,
) -> None:
    """Draft the first root of a new repository.

    Example: python -m deploy.release create --repo R --root-key a.pub.json --root-key b.pub.json --online K
    """
    publics = {role: read_public(online / f"{role}.pub.json") for role in ONLINE}
    Repository(repo, days=Expiry(root=days)).create([read_public(path) for path in root_key], threshold, publics)
    print(f"{repo}: root 1 waits for {threshold} signatures; next: sign-root")


@app.command()
def draft_root(
    repo: RepoOption,
    drop: Annotated[list[str] | None, typer.Option(help="ROLE:KEYID, once for each key to drop.")] = None,
    add: Annotated[list[str] | None, typer.Option(help="ROLE:FILE.pub.json, once for each key to add.")] = None,
    threshold: Annotated[int, typer.Option(help="Of the root role; 0 leaves it.")] = 0,
    days: DaysOption = 730,
) -> None:
    """Draft the next root: other keys, another threshold, or only a later expiry.

    Example: python -m deploy.release draft-root --repo R --drop targets:1f2e… --add targets:new.pub.json
    """
    changes: dict[str, tuple[list[str], list[Key]]] = {}
    for role, keyid in map(_with_role, drop or ()):
        changes.setdefault(role, ([], []))[0].append(keyid)
    for role, file in map(_with_role, add or ()):
        changes.setdefault(role, ([], []))[1].append(read_public(Path(file)))
    Repository(repo, days=Expiry(root=days)).draft_root(changes, threshold)
    print(f"{repo}: the next root waits for signatures; next: sign-root, then publish again what changed keys signed")


@app.command()
def sign_root(
    repo: RepoOption,
    key: Annotated[list[Path], typer.Option("--key", help="A root key (.pem), old or new; once for each.")],
) -> None:
    """Add signatures to the drafted root; with enough of them it counts.

    Example: python -m deploy.release sign-root --repo R --key /media/safe/root-1.pem
    """
    missing = Repository(repo).sign_root(read_signer(path, _password()) for path in key)
    print(f"{repo}: {missing} more signatures are needed" if missing else f"{repo}: the new root counts")


@app.command()
def add_weights(
    name: Annotated[str, typer.Argument(help="As the catalogue calls them.")],
    repo: RepoOption,
    keys: KeysOption,
    folder: Annotated[Path, typer.Option("--folder", help="Where their files lie.")],
    version: Annotated[str, typer.Option("--version", help="Of this release of them.")],
    entry: Annotated[Path | None, typer.Option("--entry", help="A catalogue.toml with the one entry, if new.")] = None,
    days: DaysOption = 30,
) -> None:
    """Offer weights, in place of an earlier version of them.

    Example: python -m deploy.release add-weights ocr-small --repo R --keys K --folder W/ocr-small --version 6.0
    """
    known = read_entry(entry, name) if entry else _catalogued(name)
    files = [folder / file.name for file in known.required]
    custom = {"kind": "weights", "name": name, "version": version}
    new = [NewTarget(path, f"weights/{name}/{path.name}", custom) for path in files]
    if entry:
        new.append(NewTarget(entry, f"weights/{name}/{ENTRY_FILE}", custom))
    _hold_against(known, folder)
    _publish(repo, keys, days, new, [f"weights/{name}/"])


@app.command()
def add_module(
    bundle: Annotated[Path, typer.Argument(help="A wheel.")],
    repo: RepoOption,
    keys: KeysOption,
    name: Annotated[str, typer.Option("--name", help="Else by the wheel's file name.")] = "",
    days: DaysOption = 30,
) -> None:
    """Offer a module bundle, in place of an earlier version of it.

    Example: python -m deploy.release add-module vibration-1.2.0-py3-none-any.whl --repo R --keys K
    """
    told = _WHEEL.fullmatch(bundle.name)
    if told is None:
        raise ReleaseProblem(f"{bundle.name}: is not named like a wheel; keep the name that its build gave it")
    called = name or re.sub(r"[-_.]+", "-", told["name"]).lower()
    custom = {"kind": "module", "name": called, "version": told["version"]}
    _publish(repo, keys, days, [NewTarget(bundle, f"modules/{called}/{bundle.name}", custom)], [f"modules/{called}/"])


@app.command()
def drop(
    what: Annotated[str, typer.Argument(help="weights/NAME or modules/NAME.")],
    repo: RepoOption,
    keys: KeysOption,
    days: DaysOption = 30,
) -> None:
    """Stop offering something. Boxes that use it keep it.

    Example: python -m deploy.release drop modules/vibration --repo R --keys K
    """
    _publish(repo, keys, days, [], [f"{what.strip('/')}/"])


@app.command()
def refresh(repo: RepoOption, keys: KeysOption, days: DaysOption = 30) -> None:
    """Sign snapshot and timestamp again, without anything new.

    Example: python -m deploy.release refresh --repo R --keys K
    """
    signers = _signers(keys, ("snapshot", "timestamp"))
    Repository(repo, days=Expiry(timestamp=days)).refresh(signers)
    print(f"{repo}: fresh for {days} days")


@app.command()
def stamp(repo: RepoOption, keys: KeysOption, days: DaysOption = 30) -> None:
    """Sign the timestamp alone again; the snapshot's own expiry stays.

    Example: python -m deploy.release stamp --repo R --keys K
    """
    Repository(repo, days=Expiry(timestamp=days)).stamp(_signers(keys, ("timestamp",)))
    print(f"{repo}: fresh for {days} days")


@app.command()
def show(repo: RepoOption) -> None:
    """What is signed, by how many keys, until when, and what is offered."""
    root, targets, snapshot, timestamp = Repository(repo).latest()
    for signed in (root, targets, snapshot, timestamp):
        if signed is not None:
            role = root.roles[signed.type]
            ids = ", ".join(keyid[:16] for keyid in role.keyids)
            print(f"{signed.type:<10} {signed.version:>4}  until {signed.expires:%Y-%m-%d}  {role.threshold} of {ids}")
    for path, target in sorted(targets.targets.items() if targets else ()):
        print(f"{target.length:>14}  {path}  {(target.custom or {}).get('version', '')}")


def _publish(repo: Path, keys: Path, days: int, new: Sequence[NewTarget], drop: Sequence[str]) -> None:
    Repository(repo, days=Expiry(timestamp=days)).publish(_signers(keys, ONLINE), add=new, drop=drop)
    print(f"{repo}: {len(new)} files published; fresh for {days} days")


def _signers(folder: Path, roles: Sequence[str]) -> dict[str, Signer]:
    return {role: read_signer(folder / f"{role}.pem", _password()) for role in roles}


def _catalogued(name: str) -> Entry:
    for entry in load_catalogue().entries:
        if entry.name == name:
            return entry
    raise ReleaseProblem(f"{name}: is not in the catalogue of this version; describe it with --entry catalogue.toml")


def _hold_against(entry: Entry, folder: Path) -> None:
    """A wrong file is found here, not on a hundred boxes."""
    for file in entry.required:
        path = folder / file.name
        if not path.is_file():
            raise ReleaseProblem(f"{path}: is missing; {entry.name} needs it")
        if file.bytes and path.stat().st_size != file.bytes:
            raise ReleaseProblem(f"{path}: is {path.stat().st_size} bytes long, its entry says {file.bytes}")


def _with_role(text: str) -> tuple[str, str]:
    role, _, rest = text.partition(":")
    if role not in ("root", *ONLINE) or not rest:
        raise ReleaseProblem(f"{text}: write ROLE:VALUE, with root, targets, snapshot or timestamp as role")
    return role, rest


def _password() -> str:
    return os.environ.get(_PASSWORD, "")


if __name__ == "__main__":
    main()
