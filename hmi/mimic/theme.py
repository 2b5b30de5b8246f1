"""Colours and fonts by the names of the look guide, for both themes, live and in replay."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil
from typing import Literal, TypeVar, cast

from PySide6.QtGui import QColor, QFont, QFontDatabase

from hmi.core.resources import Shipped, shipped

ThemeName = Literal["light", "dark"]
FAMILY = "B612"
LEAST_PX = 12.0
_KEPT = 6000
_FADED = 0.45
T = TypeVar("T")


class Role(Enum):
    """What a piece of text is for: size in logical pixels, weight, and the least size in pixels on the glass."""

    CAPTION = (12, False, 12.0)
    CAPTION_BOLD = (12, True, 12.0)
    LABEL = (14, False, 12.0)
    LABEL_BOLD = (14, True, 12.0)
    NAME = (16, False, 12.0)
    STATE = (16, True, 12.0)
    HEADING = (18, True, 13.0)
    NARROW_VALUE = (20, True, 12.5)
    VALUE = (22, True, 14.0)
    KEY = (40, True, 14.0)
    DIGIT = (13, True, 0.0)
    LAMP = (13, True, 12.0)

    # Roles are parts of the keys of everything that is kept; the hash of an Enum is a Python function.
    __hash__ = object.__hash__

    def pixels(self, scale: float = 1.0) -> int:
        """Size in logical pixels, so that nothing falls under its least size where the screen is drawn at `scale`."""
        size, _, least = self.value
        return max(size, ceil(least / scale - 0.01))

    def font(self, scale: float = 1.0) -> QFont:
        font = QFont(FAMILY)
        font.setPixelSize(self.pixels(scale))
        font.setBold(self.value[1])
        # Widths must grow with the scale of the screen, or texts that fit at 100 % do not at 67 %.
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font


class Stamps:
    """Pictures, brushes and fonts made once and used again; belongs to one theme. Qt thread only."""

    def __init__(self) -> None:
        self._kept: dict[object, object] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: object, make: Callable[[], T]) -> T:
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[key] = make()
        return cast("T", found)


@dataclass(frozen=True)
class Theme:
    """All tokens as colours. `p[1]`..`p[4]` are alarm fills, `on_p` digits on them, `pen[1]`..`pen[8]` trend pens."""

    name: ThemeName
    replay: bool
    canvas: QColor
    panel: QColor
    chrome: QColor
    well: QColor
    band: QColor
    hair: QColor
    line: QColor
    pipe: QColor
    ink: QColor
    ink2: QColor
    ink3: QColor
    run: QColor
    onrun: QColor
    stop: QColor
    onstop: QColor
    level: QColor
    onp: QColor
    replay_blue: QColor
    onreplay: QColor
    p: Mapping[int, QColor]
    on_p: Mapping[int, QColor]
    pen: Mapping[int, QColor]
    stamps: Stamps = field(default_factory=Stamps, compare=False, repr=False)

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    @classmethod
    def load(cls, name: ThemeName, replay: bool = False) -> "Theme":
        """Read the tokens that ship with the program. Raises `KeyError` for a theme that is not there."""
        with (shipped(Shipped.RESOURCES) / "themes" / "tokens.toml").open("rb") as file:
            table = tomllib.load(file)[name]
        differs = table.pop("replay_differs", {})
        tokens = {key: QColor(value) for key, value in {**table, **(differs if replay else {})}.items()}
        return cls(
            name=name,
            replay=replay,
            canvas=tokens["canvas"],
            panel=tokens["panel"],
            chrome=tokens["chrome"],
            well=tokens["well"],
            band=tokens["band"],
            hair=tokens["hair"],
            line=tokens["line"],
            pipe=tokens["pipe"],
            ink=tokens["ink"],
            ink2=tokens["ink2"],
            ink3=tokens["ink3"],
            run=tokens["run"],
            onrun=tokens["onrun"],
            stop=tokens["stop"],
            onstop=tokens["onstop"],
            level=tokens["level"],
            onp=tokens["onp"],
            replay_blue=tokens["replay"],
            onreplay=tokens["onreplay"],
            p={n: tokens[f"p{n}"] for n in (1, 2, 3, 4)},
            on_p={1: tokens["onp1"], 2: tokens["onp"], 3: tokens["onp"], 4: tokens["onp4"]},
            # Eight pens, six colours: seven and eight differ from one and two by their number and their dashes.
            pen={n: tokens[f"pen{(n - 1) % 6 + 1}"] for n in range(1, 9)},
        )

    def faded(self, color: QColor) -> QColor:
        """The colour of a stale body: half way to the ground, and solid, so that nothing shines through."""
        share = (_FADED, 1 - _FADED)
        ground = self.canvas
        return QColor(
            round(color.red() * share[0] + ground.red() * share[1]),
            round(color.green() * share[0] + ground.green() * share[1]),
            round(color.blue() * share[0] + ground.blue() * share[1]),
        )

    def font(self, role: Role, scale: float = 1.0) -> QFont:
        return self.stamps.get(("font", role, scale), lambda: role.font(scale))


class Themes:
    """The themes of one window, each loaded once: what was drawn in it before is kept with it. Qt thread only."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[ThemeName, bool], Theme] = {}

    def get(self, name: ThemeName, replay: bool) -> Theme:
        """As `Theme.load`."""
        key = (name, replay)
        if key not in self._loaded:
            self._loaded[key] = Theme.load(name, replay)
        return self._loaded[key]


def load_fonts() -> None:
    """Make the bundled B612 known to Qt. Raises `OSError` when a file is missing or cannot be read by Qt."""
    files = sorted((shipped(Shipped.RESOURCES) / "fonts").glob("*.otf"))
    if not files:
        raise OSError("the font B612 is missing from resources/fonts")
    for file in files:
        if QFontDatabase.addApplicationFont(str(file)) < 0:
            raise OSError(f"Qt cannot read the font {file.name}")
