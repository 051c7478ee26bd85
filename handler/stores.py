"""The stores that the settings name: the ledger's, and the spill's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler.ledger.bucket import BucketAddress
from handler.ledger.store import Store, TimeLeft, forever
from handler.settings import Settings, StoreUrl

if TYPE_CHECKING:
    from handler.ledger.cos import CosStore

_MAX_WARM_STORES = 8

_warm_stores: dict[BucketAddress, CosStore] = {}
"""Connections outlive an invocation; credentials do not (CosStore.renew)."""


def open_store(settings: Settings, time_left: TimeLeft = forever) -> Store:
    """The store that LEDGER_URL names, with this invocation's credentials. time_left: seconds in
    which each request to COS must have ended."""
    return _open(settings.ledger_url, settings, time_left)


def open_spill(settings: Settings, time_left: TimeLeft = forever) -> Store | None:
    """The store that SPILL_URL names; None where it names none."""
    return None if settings.spill_url is None else _open(settings.spill_url, settings, time_left)


def _open(url: StoreUrl, settings: Settings, time_left: TimeLeft) -> Store:
    if url.scheme == "file":
        from handler.ledger.folder import FolderStore

        return FolderStore(url.folder)
    region = url.region or settings.region
    if region is None or settings.credentials is None:
        raise AssertionError("Settings.from_env accepts no store on COS without these")
    from handler.ledger.cos import CosStore

    address = BucketAddress(url.bucket, url.prefix, region, settings.cos_endpoint)
    store = _warm_stores.get(address)
    if store is None:
        if len(_warm_stores) >= _MAX_WARM_STORES:
            _warm_stores.clear()
        store = _warm_stores[address] = CosStore(address, settings.credentials)
    store.renew(settings.credentials, time_left)
    return store
