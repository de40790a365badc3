"""One session with an OPC UA server over asyncua, from its beginning to its end.

Rules: a secure session is signed and encrypted, and only with a server whose certificate is the pinned one or was
signed by the authority that the settings name; a password never goes out in the clear unless the settings say so. A
session is never resumed by the library: whoever wants to go on makes a new one, so that nothing is sent again.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from asyncua import Client, Node, ua
from asyncua.crypto import security_policies
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from agent.api import InputError
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import password, place_of

__all__ = ["CONNECTION_ERRORS", "connected_client", "is_secure", "namespaced", "node_id", "policy_of"]

PORTS = {"opc.tcp": 4840}
CONNECTION_ERRORS = (OSError, TimeoutError, ua.UaError, ValueError, RuntimeError)
"""What asyncua raises when a server is not there, hangs up, or talks nonsense."""


def policy_of(name: str, connection: ConnectionSettings) -> str:
    """The name of the security policy.

    :raises InputError: what it needs is not set, or a password would go out in the clear.
    """
    place_of(name, connection, PORTS)
    policy = connection.security_policy or ("Basic256Sha256" if connection.certificate_file else "None")
    if policy == "None":
        if connection.user and not connection.insecure_writes:
            raise InputError(
                f"connection {name}: a password would go out unencrypted; set certificate_file, key_file and "
                "server_certificate_file"
            )
    elif not (connection.certificate_file and connection.key_file):
        raise InputError(f"connection {name}: {policy} needs certificate_file and key_file")
    elif not (connection.server_certificate_file or connection.ca_file):
        raise InputError(f"connection {name}: set server_certificate_file or ca_file, or any server would be believed")
    return policy


def is_secure(name: str, connection: ConnectionSettings) -> bool:
    """Whether what is sent is signed and encrypted."""
    return policy_of(name, connection) != "None"


async def connected_client(name: str, connection: ConnectionSettings, limits: DriverSettings) -> Client:
    """A session that is up.

    :raises OSError, TimeoutError, ua.UaError: there is no such server, or it refuses.
    :raises InputError: a file of the settings cannot be used, or the server's certificate is not to be believed.
    """
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what it says there is raised here
    client = Client(connection.address, timeout=limits.connect_seconds, watchdog_intervall=limits.silent_seconds or 1.0)
    policy = policy_of(name, connection)
    if policy != "None":
        await _secure(client, name, connection, policy)
    if connection.user:
        client.set_user(connection.user)
        client.set_password(password(name, connection))
    try:
        await client.connect()
    except BaseException:
        client.disconnect_socket()
        raise
    return client


async def node_id(client: Client, text: str, namespaces: Sequence[str]) -> ua.NodeId:
    """A node's id, the namespace taken by its name where it is given so.

    :raises ValueError, ua.UaError: it is no id, or the server has no such namespace.
    """
    if not text.startswith("nsu="):
        return ua.NodeId.from_string(text)
    uri, separator, rest = text.removeprefix("nsu=").partition(";")
    if not separator or uri not in namespaces:
        raise ValueError(f"the server has no namespace {uri[:120]}")
    return ua.NodeId.from_string(f"ns={namespaces.index(uri)};{rest}")


def namespaced(node: Node, namespaces: Sequence[str]) -> str:
    """A node's id with the namespace's own name, which stays when a server numbers its namespaces anew."""
    text = node.nodeid.to_string()
    index = node.nodeid.NamespaceIndex
    if not index or index >= len(namespaces):
        return text
    return f"nsu={namespaces[index]};{text.partition(';')[2]}"


async def _secure(client: Client, name: str, connection: ConnectionSettings, policy: str) -> None:
    assert connection.certificate_file and connection.key_file
    try:
        own = _certificate(connection.certificate_file)
        key_text = connection.key_file.read_bytes()
        load = serialization.load_pem_private_key if _is_pem(key_text) else serialization.load_der_private_key
        key = load(key_text, None)
        pinned = connection.server_certificate_file
        server = _certificate(pinned) if pinned else None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"connection {name}: certificates: {error}") from None
    policy_class = getattr(security_policies, f"SecurityPolicy{policy}")
    if server is None:
        server = await _offered(client, name, connection, policy_class.URI)
    _check_dates(name, server)
    with suppress(x509.ExtensionNotFound):
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        client.application_uri = next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), client.name)
    client.security_policy = policy_class(server, own, key, ua.MessageSecurityMode.SignAndEncrypt)
    client.uaclient.set_security(client.security_policy)


async def _offered(client: Client, name: str, connection: ConnectionSettings, uri: str) -> x509.Certificate:
    """The certificate that the server offers, if the authority of the settings signed it for this host.

    :raises InputError: it did not, or the server offers no such policy.
    """
    endpoints = await client.connect_and_get_server_endpoints()
    mode = ua.MessageSecurityMode.SignAndEncrypt
    fitting = [e for e in endpoints if e.SecurityPolicyUri == uri and e.SecurityMode == mode and e.ServerCertificate]
    if not fitting:
        raise InputError(f"connection {name}: the server offers no {uri.rpartition('#')[2]} with encryption")
    certificate = x509.load_der_x509_certificate(fitting[0].ServerCertificate)
    assert connection.ca_file
    try:
        authority = _certificate(connection.ca_file)
        certificate.verify_directly_issued_by(authority)
    except (OSError, ValueError, TypeError, InvalidSignature) as error:
        why = error if isinstance(error, OSError) else "it was not signed by ca_file"
        raise InputError(f"connection {name}: the server's certificate is not believed: {why}") from None
    host = place_of(name, connection, PORTS).host
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    known |= {text.lower() for text in names.get_values_for_type(x509.DNSName)}
    with suppress(ValueError):
        host = str(ipaddress.ip_address(host))
    if host.lower() not in known:
        raise InputError(f"connection {name}: the server's certificate is not for {host}")
    return certificate


def _certificate(path: Path) -> x509.Certificate:
    """PEM or DER, whatever the file is called."""
    content = path.read_bytes()
    return (x509.load_pem_x509_certificate if _is_pem(content) else x509.load_der_x509_certificate)(content)


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN" in content


def _check_dates(name: str, certificate: x509.Certificate) -> None:
    """:raises InputError: it is not valid now."""
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        raise InputError(
            f"connection {name}: the server's certificate is not valid now; look at its dates and the clock"
        )
