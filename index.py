"""SCF's entry file: the platform loads `index.main_handler` from the root of the zip."""

from handler.app import main_handler

__all__ = ["main_handler"]
