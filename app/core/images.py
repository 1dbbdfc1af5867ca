"""Avatars: uploaded pictures, decoded and re-encoded."""

import struct
import threading
from io import BytesIO
from typing import IO, TYPE_CHECKING

from app.core.errors import InvalidError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIDE = 256
"""Pixels of an avatar's sides."""

MOST_PIXELS = {"JPEG": 16_000_000, "PNG": 6_000_000, "WEBP": 6_000_000, "GIF": 6_000_000}
"""Of a picture that is read, by its format: no other reader of the library is asked, each being one more thing to
attack. A telephone's picture is a JPEG of 12 million, and unpacked at a size near the one wanted; the others are
unpacked whole, and WebP takes 16 bytes a pixel for it. So none takes more than 100 MiB, and there is one at a time."""

ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""

UPRIGHT = 1

WHITE = 255
GREY_SCALE = WHITE / 0xFFFF
"""From 16 bits to 8."""

BROKEN = (OSError, SyntaxError, ValueError, IndexError, EOFError, OverflowError, struct.error)
"""What the readers raise at pictures that are none."""


class AvatarMaker:
    """Makes avatars, one at a time: what a picture unpacks to is not to be held more than once."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def avatar(self, file: IO[bytes]) -> bytes:
        """Return the middle of a picture as a WebP of SIDE by SIDE pixels, upright, without metadata.

        Raises:
            InvalidError: it is no picture, a broken one, or has too many pixels.
        """
        # imported here: a server that nobody sends a picture to need not load it
        from PIL import Image, ImageOps

        with self._turn:
            try:
                with Image.open(file, formats=tuple(MOST_PIXELS)) as picture:
                    # The header alone has been read so far: a bomb is refused before it is unpacked.
                    # The reader of JPEG calls a file of several pictures, as some telephones make, MPO.
                    most = MOST_PIXELS.get(picture.format or "", MOST_PIXELS["JPEG"])
                    if picture.width * picture.height > most:
                        raise InvalidError("file", f"a picture of this kind may have {most} pixels")
                    picture.draft("RGB", (2 * SIDE, 2 * SIDE))
                    turned = picture.getexif().get(ORIENTATION, UPRIGHT)
                    square = ImageOps.fit(_eight_bit(picture), (SIDE, SIDE))
                # A new picture: the old one's profile, comments and place of taking stay behind.
                clean = Image.new(square.mode, square.size)
                clean.paste(square)
                clean.getexif()[ORIENTATION] = turned
                made = BytesIO()
                ImageOps.exif_transpose(clean).save(made, "WEBP", quality=85, exif=b"", icc_profile=b"", xmp=b"")
            except (Image.DecompressionBombError, *BROKEN) as error:
                raise InvalidError("file", "is no picture that can be read (JPEG, PNG, WebP or GIF)") from error
        return made.getvalue()


def _eight_bit(picture: "Picture") -> "Picture":
    """Return a picture as RGB or RGBA. The library clips 16-bit grey to 8 bits, and compares the colour that a PNG
    declares as transparent (tRNS) unscaled: both are scaled here."""
    transparent = picture.info.get("transparency")
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value * GREY_SCALE + 0.5).convert("L")
        if transparent is not None:
            picture.info["transparency"] = int(transparent * GREY_SCALE + 0.5)
    elif isinstance(transparent, tuple) and max(transparent) > WHITE:
        picture.info["transparency"] = tuple(part >> 8 for part in transparent)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)
