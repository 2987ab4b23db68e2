"""Several machines at one store, through Ray: who embeds, who reads files, who searches which rows.

Where anything runs, what is started again after a loss and how a loss is noticed is Ray's matter; here stands
only what is asked of it. Every node must have this package installed and see the store, and the documents
where it reads them, under the same paths. Nothing here is imported unless an address is given.
"""

from __future__ import annotations

import logging
import os
import socket

from rag.errors import ClusterError, UsageError

INSTALL = "pip install 'rag[ray]'"
CONNECT_SECONDS = 5
LOOPBACK = ("127.0.0.1", "localhost")
START = "ray start --head --disable-usage-stats --include-dashboard=false"


def connect(address: str) -> None:
    """Join the cluster at ``address``, once for this process.

    Raises UsageError where Ray is not installed, ClusterError where no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster begun here tells its maker nothing
    if address == "local" or address.rpartition(":")[0] in LOOPBACK:
        # Else Ray takes this machine for one among others and looks for it at its outward address.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UsageError(f"--ray needs {error.name}, which is not installed", INSTALL) from error
    if ray.is_initialized():
        return
    _refuse_silent(address)
    own = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise ClusterError(f"no Ray cluster answers at {address!r}: {first}", START) from error


def _refuse_silent(address: str) -> None:
    """Raise ClusterError where nothing listens at HOST:PORT: Ray would go on trying for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in host:
        return
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster answers at {address!r}: {error}", START) from error


def n_cpus() -> int:
    """How many actors that take a CPU each the cluster has room for, at least one."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 0)))
