"""Names to specifications: one lookup for laws, objectives, schemes and intervals, with close matches for typos."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from importlib import import_module
from typing import Generic, Protocol, TypeVar

from jaxscale.errors import UsageError

NO_ENTRY = "{kind} = {entry} is neither a name nor {article} {kind} with one. Known names: {known}."
NOT_A_LIST = "several of kind {kind} are given in a list, even one: write [{word!r}]"
MOST_LETTERS = 60
"""Of the repr of an object that is none."""
BESIDE = 0.25
"""Likeness by which a second name may be less like what was typed than the nearest, and still be named."""
MOST_NAMES = 16
"""Known names in a message at most."""
UNKNOWN = "unknown {kind} '{name}'.{close} Known: {known}."


class Named(Protocol):
    """Anything that carries its own name."""

    @property
    def name(self) -> str:
        """The word that finds it."""
        ...


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """An ordered, read-only table of specifications found by name; iteration gives the entries.

    Attributes
    ----------
    kind
        What the entries are, for messages.
    aliases
        Second names of entries, which find them too.

    Examples
    --------
    >>> len(js.LAWS) == len(js.LAWS.names)
    True
    >>> js.LAWS.resolve("chinchilla").inputs
    ('params', 'tokens')
    """

    def __init__(self, kind: str, entries: Sequence[T], aliases: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self.aliases = dict(aliases or {})
        self._entries = {entry.name: entry for entry in entries}
        if len({*self._entries, *self.aliases}) != len(entries) + len(self.aliases):
            raise ValueError(f"two entries of the {kind} registry share a name")

    @classmethod
    def of_files(cls, kind: str, folder: str, names: Sequence[str]) -> Registry[T]:
        """Return the registry of a package whose file of each name holds the entry, in a constant named like the kind.

        Parameters
        ----------
        kind
            As of the registry, such as `scheme`; the constant is then `SCHEME`.
        folder
            The package, such as `jaxscale.resampling`.
        names
            Of the entries; a `-` of a name is a `_` of its file.

        Returns
        -------
        Registry
            In the order of the names.
        """
        modules = [import_module(f"{folder}.{name.replace('-', '_')}") for name in names]
        return cls(kind, [getattr(module, kind.upper()) for module in modules])

    def __repr__(self) -> str:
        return f"<{len(self)} {self.kind}s: {', '.join(self.names[:6])}{', …' * (len(self) > 6)}>"

    def __getitem__(self, name: str) -> T:
        """Return the entry of a name or an alias; raise UsageError, with the nearest names, for any other."""
        return self.resolve(str(name))

    def __contains__(self, entry: object) -> bool:
        """Return whether something is the name or the alias of an entry, or an entry itself."""
        return entry in (*self._entries, *self.aliases) if isinstance(entry, str) else entry in self._entries.values()

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Every known name, in the order of registration."""
        return tuple(self._entries)

    def resolve(self, entry: T | str) -> T:
        """Return the entry of that name, or the object itself if it has one.

        Parameters
        ----------
        entry
            A name or an alias, or an object that carries its own name, which need not be among the entries.

        Returns
        -------
        object
            The entry.

        Raises
        ------
        UsageError
            For an unknown name, with the nearest known ones, and for an object without one.
        """
        if not isinstance(entry, str):
            if not isinstance(getattr(entry, "name", None), str):
                raise UsageError(self._no_entry(entry))
            return entry
        name = self.aliases.get(entry, entry)
        if name not in self._entries:
            raise UsageError(unknown(self.kind, entry, self.names))
        return self._entries[name]

    def each(self, entries: Sequence[T | str]) -> list[T]:
        """Return the entries of several names or objects.

        Parameters
        ----------
        entries
            As for `resolve`, in a list.

        Returns
        -------
        list
            In their order.

        Raises
        ------
        UsageError
            As `resolve`, and for one name, or one object, in place of a list.
        """
        if isinstance(entries, str) or not isinstance(entries, Sequence | Registry):
            word = entries if isinstance(entries, str) else getattr(entries, "name", entries)
            raise UsageError(NOT_A_LIST.format(kind=self.kind, word=word))
        return [self.resolve(entry) for entry in entries]

    def _no_entry(self, entry: object) -> str:
        words, article = repr(entry), "an" if self.kind[0] in "aeiou" else "a"
        words = words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"
        listing = ", ".join(self.names[:MOST_NAMES]) + _more(self.names)
        return NO_ENTRY.format(kind=self.kind, entry=words, article=article, known=listing)


def unknown(kind: str, name: object, known: Sequence[str]) -> str:
    """Return the sentence for a name that is not among the known ones, with the nearest of them."""
    near = nearest(str(name), known)
    close = f" Did you mean {near}?" if near else ""
    return UNKNOWN.format(kind=kind, name=name, close=close, known=", ".join(known[:MOST_NAMES]) + _more(known))


def check_known(kind: str, name: object, known: Collection[str]) -> None:
    """Raise UsageError unless a name is among the known ones."""
    if name not in known:
        raise UsageError(unknown(kind, name, tuple(known)))


def _more(known: Sequence[str]) -> str:
    return f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the one or two known names that may be meant, quoted; empty where none is near."""
    folded = {word.casefold(): word for word in known}
    if name.casefold() in folded:
        return repr(folded[name.casefold()])
    near = get_close_matches(name, known, n=2, cutoff=0.5)
    near = near or [folded[word] for word in get_close_matches(name.casefold(), folded, n=2, cutoff=0.5)]
    alike = [SequenceMatcher(None, one.casefold(), name.casefold()).ratio() for one in near]
    return " or ".join(repr(one) for one, ratio in zip(near, alike, strict=True) if ratio >= alike[0] - BESIDE)
