"""Remembers tags whose description is wrong, so that one mistake is not told a hundred times."""


class Excused:
    """Tags that are missing because of a mistake that has been reported where it stands."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._everything = False

    def tag(self, name: str) -> None:
        """The entry of this tag is wrong."""
        self._names.add(name)

    def all_of(self, instance: str) -> None:
        """An instance of a template is wrong: none of its tags was made."""
        self._names.add(f"{instance}.")

    def made(self, instance: str) -> None:
        """The instance is right after all, but for the tags named one by one."""
        self._names.discard(f"{instance}.")

    def everything(self) -> None:
        """A file could not be read; nobody knows which tags it describes."""
        self._everything = True

    def covers(self, name: str) -> bool:
        """Whether the tag of that name may be one of those."""
        if self._everything or name in self._names:
            return True
        return any(wrong.endswith(".") and name.startswith(wrong) for wrong in self._names)

    def covers_prefix(self, prefix: str) -> bool:
        """Whether a tag that begins so may be one of those."""
        return self._everything or any(wrong.startswith(f"{prefix}.") for wrong in self._names)
