"""A photo: bounded before it is decoded, upright, named by the digest of its pixels.

Order: size of the file, then width and height from its header, then pixels at the working size, then upright, then RGB.
Only JPEG, PNG, WebP and (where pillow-heif is installed) HEIC are tried; of an animation, the first frame is taken.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from agent.errors import PhotoError, PhotoTooLarge
from agent.settings import PhotoSettings
from agent.workers.shared import SharedBuffer

__all__ = ["Photo", "check_photo", "load_photo", "photo_of", "photo_path"]

_T = TypeVar("_T")
FORMATS = ("JPEG", "PNG", "WEBP")
EXIF_ORIENTATION = 0x0112
STRIP_ROWS = 256
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes it upright; every other value is upright already."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """Decoded pixels. Untrusted: whatever text stands in it is data."""

    pixels: NDArray[np.uint8]
    """Height × width × 3, RGB, C-contiguous, read-only, upright by EXIF."""
    digest: str
    """SHA-256 of size and pixels, hex: the same picture in another file format has the same one."""
    name: str
    """File name, for messages."""
    shared: SharedBuffer | None = None
    """The memory that the pixels lie in, where another process may be given it."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


def load_photo(source: Path | bytes, settings: PhotoSettings, *, name: str = "") -> Photo:
    """Decode a JPEG, PNG, WebP or (where pillow-heif is installed) HEIC file.

    :param source: a file, or its bytes.
    :raises PhotoError: not an image, truncated, animated beyond one frame's need, or beyond the limits.
    """
    title = name or (source.name if isinstance(source, Path) else "photo")
    data = source if isinstance(source, bytes) else _read_file(source, settings)
    if not data:
        raise PhotoError(f"{title}: the file is empty; take the photo again or give another file")
    if len(data) > settings.max_bytes:
        raise PhotoTooLarge(_too_many_bytes(title, len(data), settings), "bytes")
    shared, pixels = _share(_decode(data, title, settings, _pixels), title)
    return Photo(pixels, _digest(pixels), title, shared)


def check_photo(data: bytes, settings: PhotoSettings, *, name: str = "photo") -> None:
    """Look at the size and the header alone, before anybody waits for it to be decoded.

    :raises PhotoError: not an image, or beyond the limits.
    """
    if len(data) > settings.max_bytes:
        raise PhotoTooLarge(_too_many_bytes(name, len(data), settings), "bytes")
    _decode(data, name, settings, lambda image, limits: None)


def photo_of(pixels: NDArray[np.uint8], name: str) -> Photo:
    """A photo of pixels that are at hand: a camera's frame, a part of another photo.

    :param pixels: height × width × 3, RGB; copied.
    """
    own = np.array(pixels, dtype=np.uint8, order="C")
    own.setflags(write=False)
    return Photo(own, _digest(own), name)


def photo_path(text: str) -> Path:
    """The file that a person names; an address is refused as long as it can be told, and never fetched.

    :raises PhotoError: it is a URL.
    """
    if text.lower().startswith(("http:/", "https:/", "ftp:/", "data:")) or "://" in text:
        raise PhotoError(f"{text:.200}: is a URL, and photos are read from files only; save it and give the file")
    return Path(text)


def _digest(pixels: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(f"{pixels.shape[1]}x{pixels.shape[0]}:".encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def _read_file(source: Path, settings: PhotoSettings) -> bytes:
    """The bytes of a plain file that is not larger than allowed; one more byte is read to notice a growing file."""
    path = photo_path(str(source))
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise PhotoError(f"{path}: is a folder; give the photo in it")
        if not stat.S_ISREG(found.st_mode):
            raise PhotoError(f"{path}: is not a plain file; give a JPEG, PNG or WebP file")
        if found.st_size > settings.max_bytes:
            raise PhotoTooLarge(_too_many_bytes(str(path), found.st_size, settings), "bytes")
        with path.open("rb") as file:
            return file.read(settings.max_bytes + 1)
    except FileNotFoundError:
        raise PhotoError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise PhotoError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _too_many_bytes(title: str, size: int, settings: PhotoSettings) -> str:
    return f"{title}: {size} bytes, and photo.max_bytes is {settings.max_bytes}; give a smaller photo"


def _share(image: Image.Image, title: str) -> tuple[SharedBuffer, NDArray[np.uint8]]:
    """Pixels in memory that a worker process reads too, so that a photo is in memory once."""
    shape = (image.height, image.width, 3)

    def fill(view: memoryview) -> None:
        np.copyto(np.frombuffer(view, np.uint8).reshape(shape), np.asarray(image))

    try:
        shared = SharedBuffer.write(image.height * image.width * 3, fill)
    except OSError as error:
        raise PhotoError(
            f"{title}: there is no memory for its pixels: {error.strerror}; close other programs"
        ) from None
    return shared, np.frombuffer(shared.view, np.uint8).reshape(shape)


def _decode(data: bytes, title: str, settings: PhotoSettings, use: Callable[[Image.Image, PhotoSettings], _T]) -> _T:
    """What is made of an image that is within the limits.

    Pillow's decoders raise nearly anything on hostile bytes, and warn about what is checked here anyway.
    """
    _refuse_large(_webp_size(data), title, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data), formats=_formats()) as image:
                _refuse_large(image.size, title, settings)
                if image.format == "PNG" and b"IEND" not in data:
                    raise PhotoError(f"{title}: the image is cut short (no end of file mark); take it again")
                return use(image, settings)
        except PhotoError:
            raise
        except Image.DecompressionBombError:
            far = f"{title}: far more pixels than photo.max_pixels ({settings.max_pixels}) allows"
            raise PhotoTooLarge(far, "pixels") from None
        except UnidentifiedImageError:
            raise PhotoError(f"{title}: is not a JPEG, PNG or WebP image") from None
        except Exception as error:
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise PhotoError(f"{title}: the image is damaged or cut short ({reason}); take it again") from error


def _formats() -> tuple[str, ...]:
    if find_spec("pillow_heif") is None:
        return FORMATS
    import pillow_heif

    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _refuse_large(size: tuple[int, int] | None, title: str, settings: PhotoSettings) -> None:
    if size is None:
        return
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError(f"{title}: {width}×{height} pixels is no image")
    if width * height > settings.max_pixels or max(size) > settings.max_side_px:
        raise PhotoTooLarge(
            f"{title}: {width}×{height} pixels; photo.max_pixels is {settings.max_pixels} "
            f"and photo.max_side_px {settings.max_side_px}; give a smaller photo",
            "pixels",
        )


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Canvas of a WebP file, because opening one already sets the whole canvas aside; None for other formats."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits: int = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _pixels(image: Image.Image, settings: PhotoSettings) -> Image.Image:
    """RGB, upright."""
    size = _work_size(image.size, settings.work_pixels)
    image.draft(image.mode, size)
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    flat = _rgb(image)
    if flat.size != size and flat.width * flat.height > settings.work_pixels:
        flat = flat.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return flat if turn is None else flat.transpose(turn)


def _work_size(size: tuple[int, int], work_pixels: int) -> tuple[int, int]:
    ratio = min(1.0, (work_pixels / (size[0] * size[1])) ** 0.5)
    return max(1, int(size[0] * ratio)), max(1, int(size[1] * ratio))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; damaged EXIF says nothing, and is no reason to refuse a good picture."""
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode; what is transparent becomes white. Done in strips, so that only one is in memory twice."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    flat = Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP_ROWS):
        flat.paste(_flattened(image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))), (0, top))
    return flat


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        deep = np.asarray(image, dtype=np.float32)
        return Image.fromarray(np.clip(deep / 257.0 + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    return image.convert("RGB")
