"""A photo is bounded before it is decoded, and anything that is no whole photo is refused in one line."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agent.errors import PhotoError
from agent.photo import Photo, load_photo
from agent.settings import PhotoSettings

BOUNDS = PhotoSettings()


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    channels = (rows * 255 // height, columns * 255 // width, (rows + columns) % 256)
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds one small, valid piece of data."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PNG, JPEG = encoded(gradient()), encoded(gradient(), "JPEG")


def refused(source: Path | bytes, bounds: PhotoSettings = BOUNDS) -> str:
    with pytest.raises(PhotoError) as caught:
        load_photo(source, bounds)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_lossless_formats_give_the_same_pixels_and_digest(kind: str) -> None:
    """The same picture has the same digest whatever file it came in."""
    photo = load_photo(encoded(gradient(), kind, lossless=True), BOUNDS)
    assert photo.digest == load_photo(PNG, BOUNDS).digest
    assert np.array_equal(photo.pixels, np.asarray(gradient()))


def test_pixels_are_read_only_and_contiguous() -> None:
    """Nobody who gets a photo can change what its digest stands for."""
    photo = load_photo(JPEG, BOUNDS)
    assert photo.size == (40, 30)
    assert photo.pixels.dtype == np.uint8 and photo.pixels.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        photo.pixels[0, 0, 0] = 1


def test_digest_tells_shapes_apart() -> None:
    """Two pictures of the same bytes and another shape are two photos."""
    black = [load_photo(encoded(Image.new("RGB", size)), BOUNDS).digest for size in ((6, 4), (4, 6))]
    assert black[0] != black[1]


def test_a_bomb_is_refused_by_its_header() -> None:
    """40,000 × 40,000 pixels are refused before a single one is decoded."""
    assert "40000" in refused(png_header(40_000, 40_000)) or "max_pixels" in refused(png_header(40_000, 40_000))


def test_a_large_photo_below_pillows_own_alarm_is_ours_to_refuse() -> None:
    """The setting decides, and no warning of the decoder reaches anybody."""
    assert "12000×8000" in refused(png_header(12_000, 8_000))


def test_a_long_thin_photo_is_refused() -> None:
    """A side may not be longer than the limit, however few the pixels."""
    assert "max_side_px" in refused(png_header(30_000, 2))


def test_a_webp_canvas_is_checked_before_it_is_set_aside() -> None:
    """A WebP that claims a large canvas is refused by its header."""
    small = bytearray(encoded(gradient(), "WEBP", lossless=True))
    assert small[12:16] == b"VP8L"
    struct.pack_into("<I", small, 21, 16382 | 16382 << 14)
    assert "16383×16383" in refused(bytes(small))


def test_too_many_bytes_are_refused_unread(tmp_path: Path) -> None:
    """The size of the file is looked at first."""
    bounds = PhotoSettings(max_bytes=100)
    file = tmp_path / "large.png"
    file.write_bytes(PNG)
    assert "max_bytes" in refused(file, bounds)
    assert "max_bytes" in refused(PNG, bounds)


def test_what_is_not_a_file_is_named(tmp_path: Path) -> None:
    """A folder, a missing file, an empty one and a URL each get their own reason."""
    (tmp_path / "empty.png").touch()
    assert "folder" in refused(tmp_path)
    assert "no such file" in refused(tmp_path / "none.png")
    assert "empty" in refused(tmp_path / "empty.png")
    assert "URL" in refused(Path("https://example.org/panel.png"))
    assert "not a plain file" in refused(Path("/dev/zero"))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_formats_are_not_tried(kind: str) -> None:
    """Only the decoders that photos need are reachable from outside."""
    assert "not a JPEG, PNG or WebP" in refused(encoded(gradient(), kind))


@pytest.mark.parametrize("whole", [PNG, JPEG, encoded(gradient(), "WEBP")], ids=["png", "jpeg", "webp"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(whole: bytes, part: float) -> None:
    """Half a photo is never read as if it were the whole."""
    refused(whole[: int(len(whole) * part)])


def test_exif_orientation_is_applied() -> None:
    """A photo taken sideways stands upright, with width and height exchanged."""
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = load_photo(encoded(gradient(), "PNG", exif=exif), BOUNDS)
    assert photo.size == (30, 40)
    assert np.array_equal(photo.pixels, np.rot90(np.asarray(gradient()), -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_stands_upright(orientation: int) -> None:
    """All eight ways that a camera can be held, mirrored ones too, give the same upright picture."""
    scene = np.asarray(gradient())
    across, down = scene[:, ::-1], scene[::-1]
    held = [scene, across, down[:, ::-1], down]
    sideways = [image.transpose(1, 0, 2) for image in (scene, across, down[:, ::-1], down)]
    stored = [*held, *sideways][orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load_photo(encoded(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif), BOUNDS)
    assert np.array_equal(photo.pixels, np.asarray(gradient()))


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (19_999, 2)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_slivers_within_the_limits_are_photos(size: tuple[int, int], kind: str) -> None:
    """The thinnest picture is decoded as it is."""
    assert load_photo(encoded(Image.new("RGB", size), kind), BOUNDS).size == size


def test_a_sliver_is_scaled_without_losing_a_side() -> None:
    """A long strip that has to be made smaller keeps at least one pixel each way."""
    photo = load_photo(encoded(Image.new("RGB", (20_000, 2))), PhotoSettings(work_pixels=5_000))
    assert photo.size[0] * photo.size[1] <= 10_000 and min(photo.size) >= 1


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    """A good picture with bad metadata is read as it stands."""
    assert load_photo(encoded(gradient(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"), BOUNDS).size == (40, 30)


def test_transparency_lies_on_white() -> None:
    """What is transparent is white, not whatever colour hides there."""
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert load_photo(encoded(clear), BOUNDS).pixels.min() == 255
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([9, 9, 9] * 256)
    assert load_photo(encoded(palette, transparency=0), BOUNDS).pixels.min() == 255


def test_sixteen_bits_keep_their_brightness() -> None:
    """A 16-bit grey picture is scaled to 8 bits, not cut off."""
    deep = Image.fromarray(np.full((8, 8), 0x8080, np.uint16))
    assert load_photo(encoded(deep), BOUNDS).pixels[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "I;16", "1"])
def test_strips_of_a_tall_picture_join_without_a_seam(mode: str) -> None:
    """A picture that is flattened in parts is the same as one that is flattened whole."""
    rows = np.arange(700, dtype=np.uint16)[:, None].repeat(5, axis=1)
    if mode == "I;16":
        tall, want = Image.fromarray(rows * 90), (rows * 90 / 257 + 0.5).astype(np.uint8)
    else:
        tall = Image.fromarray((rows % 256).astype(np.uint8)).convert(mode)
        want = np.asarray(tall.convert("RGB"))[:, :, 0]
    assert np.array_equal(load_photo(encoded(tall), BOUNDS).pixels[:, :, 0], want)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "CMYK"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    """Grey, palette, alpha and print colours all arrive as three channels."""
    kind = "JPEG" if mode == "CMYK" else "PNG"
    white = Image.new("RGB", (16, 16), "white").convert(mode)
    assert load_photo(encoded(white, kind), BOUNDS).pixels.min() >= 250


def test_of_an_animation_the_first_frame_is_read() -> None:
    """An animated WebP is one photo."""
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert load_photo(data, BOUNDS).pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_photo_is_scaled_to_the_working_size(kind: str) -> None:
    """A photo of 12 megapixels costs no more than one of the working size, and keeps its shape."""
    photo = load_photo(encoded(Image.new("RGB", (1600, 1200), "navy"), kind), PhotoSettings(work_pixels=120_000))
    assert photo.size == (400, 300)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: PNG[:33] + tail)))
def test_random_bytes_never_crash(data: bytes) -> None:
    """Any bytes are a photo or one clear line."""
    try:
        assert isinstance(load_photo(data, BOUNDS), Photo)
    except PhotoError as error:
        assert "\n" not in str(error)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([PNG, JPEG]), st.data())
def test_damaged_photos_never_crash(whole: bytes, data: st.DataObject) -> None:
    """A file cut short or with flipped bytes is a photo or one clear line."""
    damaged = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=6)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        assert load_photo(bytes(damaged), PhotoSettings(max_pixels=1_000_000)).pixels.shape[2] == 3
    except PhotoError as error:
        assert "\n" not in str(error)
