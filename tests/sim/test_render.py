"""A picture shows what is there."""

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.render import animation, picture, pixels, png
from sim.snapshot import Snapshot
from tests.sim.handling import Hand

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
    image = pixels(Snapshot.of(world), 320, 180).astype(float)
    assert image.shape == (180, 320, 3)
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    assert ((red > 1.5 * green) & (red > 1.5 * blue)).sum() > 100  # orange and red arms
    assert ((blue > 1.5 * red) & (blue > 1.2 * green)).sum() > 50
    assert ((green > 1.5 * red) & (green > 1.2 * blue)).sum() > 50
    assert picture(world, 64, 36)[:4] == b"\x89PNG"


def test_a_snapshot_stays_what_it_was(new_world: Callable) -> None:
    world = new_world()
    hand = Hand(world, "R1")
    before = Snapshot.of(world)
    shown = pixels(before, 160, 90)
    hand.run(hand.to(np.array([0.4, 0.5, 0.3, -0.6, -1.1, 0.8])))
    np.testing.assert_array_equal(pixels(before, 160, 90), shown)
    assert (pixels(Snapshot.of(world), 160, 90) != shown).any()


def test_an_animation_has_every_frame(new_world: Callable, tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    world = new_world()
    hand = Hand(world, "R1")
    frames = [Snapshot.of(world)]
    hand.run(hand.to(np.array([0.4, 0.5, 0.3, -0.6, -1.1, 0.8])))
    frames.append(Snapshot.of(world))
    animation(frames, tmp_path / "run.gif", frame_s=0.2, width=160, height=90)
    with image_module.open(tmp_path / "run.gif") as gif:
        assert gif.n_frames == 2
        assert gif.size == (160, 90)
        assert gif.info["duration"] == 200
        gif.seek(1)
        drawn = np.asarray(gif.convert("RGB")).astype(float)
    # A frame drawn in a scene that is used again is the frame drawn in a new one, but for the palette.
    assert np.abs(drawn - pixels(frames[1], 160, 90)).mean() < 4.0


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ModuleNotFoundError, match=r"jointcell\[render\]"):
        animation([], tmp_path / "run.gif")
