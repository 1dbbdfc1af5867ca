"""Avatars: uploaded images, decoded and re-encoded."""

import struct
import threading
from io import BytesIO
from typing import IO, TYPE_CHECKING

from app.core.errors import InvalidError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIDE = 256
"""Width and height of an avatar, pixels."""

MOST_PIXELS = {"JPEG": 16_000_000, "PNG": 6_000_000, "WEBP": 6_000_000, "GIF": 6_000_000}
"""Maximum pixels of an uploaded image, by format. Pillow's decoders for other formats are not enabled: each is attack
surface. A phone's photo is a JPEG of 12 million pixels, and decoded at a reduced size; the others are decoded at full
size, for which WebP takes 16 bytes a pixel. So no image takes more than 100 MiB, and one is decoded at a time."""

ORIENTATION = 0x0112
"""The EXIF tag of the camera's orientation."""

UPRIGHT = 1

WHITE = 255
GREY_SCALE = WHITE / 0xFFFF
"""Scale from 16-bit to 8-bit grey."""

BROKEN = (OSError, SyntaxError, ValueError, IndexError, EOFError, OverflowError, struct.error)
"""Errors of Pillow's decoders for malformed images."""


class AvatarMaker:
    """Makes avatars, one at a time, to bound the memory of decoded images."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def avatar(self, file: IO[bytes]) -> bytes:
        """Return the image cropped to its centre square, as a WebP of SIDE by SIDE pixels, upright, without metadata.

        Raises:
            InvalidError: the file is not a readable image, or has too many pixels.
        """
        # imported here: loaded with the first upload only
        from PIL import Image, ImageOps

        with self._lock:
            try:
                with Image.open(file, formats=tuple(MOST_PIXELS)) as picture:
                    # Only the header has been read so far: a decompression bomb is rejected before it is decoded.
                    # Pillow reports a JPEG file of several images, as some phones make, as MPO.
                    most = MOST_PIXELS.get(picture.format or "", MOST_PIXELS["JPEG"])
                    if picture.width * picture.height > most:
                        raise InvalidError("file", f"a picture of this kind may have {most} pixels")
                    picture.draft("RGB", (2 * SIDE, 2 * SIDE))
                    orientation = picture.getexif().get(ORIENTATION, UPRIGHT)
                    square = ImageOps.fit(_eight_bit(picture), (SIDE, SIDE))
                # A new image: drops colour profile, comments and GPS position.
                clean = Image.new(square.mode, square.size)
                clean.paste(square)
                clean.getexif()[ORIENTATION] = orientation
                made = BytesIO()
                ImageOps.exif_transpose(clean).save(made, "WEBP", quality=85, exif=b"", icc_profile=b"", xmp=b"")
            except (Image.DecompressionBombError, *BROKEN) as error:
                raise InvalidError("file", "is no picture that can be read (JPEG, PNG, WebP or GIF)") from error
        return made.getvalue()


def _eight_bit(picture: "Picture") -> "Picture":
    """Convert an image to RGB or RGBA. Pillow clips 16-bit grey to 8 bits, and compares the transparent colour of a PNG
    (tRNS) unscaled: both are scaled here."""
    transparent = picture.info.get("transparency")
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value * GREY_SCALE + 0.5).convert("L")
        if transparent is not None:
            picture.info["transparency"] = int(transparent * GREY_SCALE + 0.5)
    elif isinstance(transparent, tuple) and max(transparent) > WHITE:
        picture.info["transparency"] = tuple(part >> 8 for part in transparent)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)
