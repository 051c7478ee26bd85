"""What the bundle is made of, as a CycloneDX 1.6 document beside it. Pure.

It names the function itself, with the SHA-256 of its zip, and each package in it. Two builds of the
same files give the same document: it has no time, and its serial number comes from the zip.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Collection
from typing import Any

NAME = "ci-callback-handler"
LICENCE = "Apache-2.0"

_PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([A-Za-z0-9.+!_-]+)")


def bill_of_materials(
    requirements: str, left_out: Collection[str], version: str, archive: bytes
) -> str:
    """The document as JSON text.

    Args:
        requirements: the text of the compiled requirements.txt.
        left_out: names of packages of it that the bundle does not hold.
        version: of the function.
        archive: the bundle's zip.
    """
    digest = hashlib.sha256(archive).hexdigest()
    own = f"{NAME}@{version}"
    components = [
        _library(name, release)
        for name, release in sorted(_PIN.findall(requirements))
        if name not in left_out
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": NAME,
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"license": {"id": LICENCE}}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": own, "dependsOn": [component["bom-ref"] for component in components]}
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _library(name: str, version: str) -> dict[str, Any]:
    url = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}
