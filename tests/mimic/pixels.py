"""Looking at pictures as arrays."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

Pixels = NDArray[np.int16]


def pixels(image: QImage) -> Pixels:
    """Red, green, blue; shape height x width x 3."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return flat[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).astype(np.int16)


def part(picture: Pixels, x: float, y: float, w: float, h: float) -> Pixels:
    return picture[int(y) : int(y + h), int(x) : int(x + w)]


def grey(picture: Pixels) -> NDArray[np.float64]:
    """What is left without colour."""
    return picture @ np.array([0.2126, 0.7152, 0.0722])


def saturation(picture: Pixels) -> NDArray[np.int16]:
    """Distance between the strongest and the weakest channel; the greys of the themes stay below 20."""
    return picture.max(axis=2) - picture.min(axis=2)
