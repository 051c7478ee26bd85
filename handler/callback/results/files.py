"""The files that a job wrote, as a part of its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from handler.callback import tree
from handler.callback.outputs import keys
from handler.callback.results.fields import Group, Json, Rows, Schema, refuse_many_rows
from handler.callback.results.leaves import text
from handler.callback.tree import Tree

_FILE = Group(
    "",
    "",
    {
        "object": text("", "Key of the object: ObjectPrefix + ObjectName", "output/out.mp4"),
        "md5": text("", "MD5 of its content, in hexadecimal", "2db78d168edf2f883adce89a1b4ca033"),
        "url": text("", "Its address", "https://example.com/output/out.mp4"),
    },
)


class Files(NamedTuple):
    """The files that OutputFile nodes name, with their checksums and addresses: a Field."""

    path: str
    about: str

    def read(self, node: Tree) -> Json:
        """Raises PayloadError: more than fields.MAX_ROWS, or a prefix that is too long."""
        files: list[Json] = []
        for file in tree.descend(node, self.path.split(".")):
            files += _files(file)
            refuse_many_rows(len(files))
        return files

    def schema(self) -> Schema:
        schema = Rows("", self.about, _FILE.fields).schema()
        schema["items"]["properties"]["object"]["type"] = "string"
        return schema

    def lists(self) -> Iterator[str]:
        return (f"{self.path}.{name}" for name in ("ObjectName", "ObjectUrl", "Md5Info"))


def _files(file: Tree) -> list[Json]:
    names = tree.every(file, ("ObjectName",))
    refuse_many_rows(len(names))
    prefix = tree.text(file, "ObjectPrefix") or ""
    checksums = {
        tree.text(info, "ObjectName") or "": tree.identifier(info, "Md5")
        for info in tree.get_all(file, "Md5Info")
    }
    urls = _urls(names, tree.every(file, ("ObjectUrl",)))
    return [
        {
            "object": key,
            "md5": checksums.get(name) or checksums.get(prefix + name),
            "url": urls.get(name),
        }
        for name, key in keys(prefix, names)
    ]


def _urls(names: list[str], urls: list[str]) -> Mapping[str, str]:
    """The address of each name: JAVA (OutputFile) has a list of them beside that of the names."""
    return dict(zip(names, urls, strict=True)) if len(names) == len(urls) else {}
