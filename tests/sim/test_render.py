"""A picture shows what is there."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from sim.render import picture, pixels, png

pytestmark = pytest.mark.pybullet


def test_png_holds_the_pixels() -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = png(image)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (7, 5)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(5, 22)
    assert (rows[:, 0] == 0).all()
    np.testing.assert_array_equal(rows[:, 1:].reshape(5, 7, 3), image)


def test_every_arm_is_in_the_picture_in_its_colour(new_world: Callable) -> None:
    world = new_world()
    image = pixels(world, 320, 180).astype(float)
    assert image.shape == (180, 320, 3)
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    assert ((red > 1.5 * green) & (red > 1.5 * blue)).sum() > 100  # orange and red arms
    assert ((blue > 1.5 * red) & (blue > 1.2 * green)).sum() > 50
    assert ((green > 1.5 * red) & (green > 1.2 * blue)).sum() > 50
    assert picture(world, 64, 36)[:4] == b"\x89PNG"
