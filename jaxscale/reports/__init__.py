"""Reports of results: tables for the terminal, and one strict JSON document.

The names are loaded on first use: a command needs the report of one kind of result, and not what all others import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
