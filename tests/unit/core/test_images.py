"""Avatars: made anew from whatever picture comes, and nothing of it but what is seen."""

import io
import zlib
from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.core import images
from app.core.errors import InvalidError
from app.core.images import SIDE, AvatarMaker

RED, BLUE = (200, 20, 20), (20, 20, 200)


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (400, 300), **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def halves(**options: object) -> bytes:
    """Return a JPEG that is red on the left and blue on the right."""
    image = Image.new("RGB", (400, 400), RED)
    image.paste(BLUE, (200, 0, 400, 400))
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def avatar(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(AvatarMaker().avatar(io.BytesIO(content))))


def png_of(width: int, height: int) -> bytes:
    """Return the beginning of a PNG that says it is of this size: a bomb needs no more."""
    header = b"IHDR" + pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + header + pack(">I", zlib.crc32(header))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("PNG", "I;16"),
        ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGBA"), ("GIF", "P"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(400, 300), (1, 1), (3, 2000)])
def test_any_picture_becomes_a_small_square_webp(kind: str, mode: str, size: tuple[int, int]) -> None:
    made = avatar(picture(kind, mode, size))
    assert (made.format, made.size) == ("WEBP", (SIDE, SIDE))


def png(depth: int, colour: int, samples: bytes, transparent: bytes = b"") -> bytes:
    """Return a PNG of one pixel.

    Args:
        depth: bits a sample.
        colour: type of the colour, as below.
        samples: of the pixel.
        transparent: the samples that mean transparent, each in 16 bits.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", pack(">IIBBBBB", 1, 1, depth, colour, 0, 0, 0))
    transparency = chunk(b"tRNS", transparent) if transparent else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + transparency
        + chunk(b"IDAT", zlib.compress(b"\0" + samples))
        + chunk(b"IEND", b"")
    )


GREY, RGB, GREY_ALPHA, RGB_ALPHA = 0, 2, 4, 6
"""Colour types of PNG."""


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        *[
            (png(16, GREY, pack(">H", level * 257)), (level, level, level, 255))
            for level in (0, 1, 64, 128, 200, 254, 255)
        ],
        (png(16, GREY, pack(">H", 0x0101), pack(">H", 0x8000)), (1, 1, 1, 255)),
        (png(16, GREY, pack(">H", 0x8000), pack(">H", 0x8000)), None),
        (png(16, RGB, pack(">3H", 0xC800, 0x1400, 0x1400)), (200, 20, 20, 255)),
        (png(16, RGB, pack(">3H", 0xC800, 0x1400, 0x1400), pack(">3H", 0xC800, 0x1400, 0x1400)), None),
        (png(16, GREY_ALPHA, pack(">2H", 0x8000, 0xFFFF)), (128, 128, 128, 255)),
        (png(16, GREY_ALPHA, pack(">2H", 0x8000, 0)), None),
        (png(16, RGB_ALPHA, pack(">4H", 0xC800, 0x1400, 0x1400, 0xFFFF)), (200, 20, 20, 255)),
        (png(8, GREY, b"\x80"), (128, 128, 128, 255)),
        (png(8, GREY, b"\x80", pack(">H", 0x80)), None),
        (png(4, GREY, b"\x80"), (136, 136, 136, 255)),
        (png(2, GREY, b"\x40"), (85, 85, 85, 255)),
        (png(1, GREY, b"\x80"), (255, 255, 255, 255)),
        (picture("PNG", "P"), (0, 0, 0, 255)),
        (picture("PNG", "P", transparency=0), None),
        (picture("GIF", "P", transparency=0), None),
        (picture("JPEG", "CMYK"), (255, 255, 255, 255)),
        (picture("JPEG", "L"), (0, 0, 0, 255)),
    ],
)
def test_a_colour_is_the_same_whatever_the_kind_of_picture(
    content: bytes, wanted: tuple[int, int, int, int] | None
) -> None:
    """None: nothing is to be seen."""
    seen = avatar(content).convert("RGBA").getpixel((128, 128))
    assert isinstance(seen, tuple)
    if wanted is None:
        assert seen[3] == 0
    else:
        assert all(abs(one - other) < 8 for one, other in zip(seen, wanted, strict=True)), seen


def test_16_bit_grey_keeps_its_shades() -> None:
    image = Image.new("I;16", (256, 256))
    for x in range(256):
        image.paste(x * 257, (x, 0, x + 1, 256))
    file = io.BytesIO()
    image.save(file, "PNG")
    made = avatar(file.getvalue()).convert("L")
    for x in range(8, 248, 16):
        shade = made.getpixel((x, 128))
        assert isinstance(shade, int)
        assert abs(shade - x) < 8, x


def test_of_several_pictures_the_first_is_taken() -> None:
    file = io.BytesIO()
    Image.new("RGB", (300, 300), RED).save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (300, 300))])
    assert Image.open(io.BytesIO(file.getvalue())).format == "MPO"
    seen = avatar(file.getvalue()).convert("RGB").getpixel((128, 128))
    assert isinstance(seen, tuple)
    assert all(abs(one - other) < 40 for one, other in zip(seen, RED, strict=True))


def test_nothing_but_the_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret place", zip=True)
    for content in (
        picture("JPEG", exif=exif, comment=b"secret place", icc_profile=b"secret place"),
        picture("PNG", exif=exif, pnginfo=text, icc_profile=b"secret place"),
        picture("WEBP", exif=exif, xmp=b"secret place", icc_profile=b"secret place"),
        picture("PNG") + b"<script>secret place</script>",
    ):
        made = AvatarMaker().avatar(io.BytesIO(content))
        assert b"secret" not in made
        assert not set(Image.open(io.BytesIO(made)).info) & {"exif", "xmp", "icc_profile", "comment"}


@pytest.mark.parametrize(("orientation", "upper"), [(1, None), (6, RED), (8, BLUE)])
def test_a_picture_is_turned_as_the_camera_was_held(orientation: int, upper: tuple[int, int, int] | None) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = avatar(halves(exif=exif)).convert("RGB")
    left, top = made.getpixel((20, 128)), made.getpixel((128, 20))
    seen, wanted = (left, RED) if upper is None else (top, upper)
    assert isinstance(seen, tuple)
    assert all(abs(one - other) < 40 for one, other in zip(seen, wanted, strict=True))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture("PNG")[:60],
        picture("JPEG", size=(2000, 2000))[:600],
        picture("BMP"),
        picture("TIFF"),
        png_of(1_000_000, 1_000_000),
        png_of(5000, 5000),
    ],
)
def test_what_is_no_picture_or_a_bomb_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidError):
        avatar(content)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(images.MOST_PIXELS, "PNG", 100 * 100)

    def unpack(*_arguments: object) -> None:
        pytest.fail("it was unpacked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpack)
    with pytest.raises(InvalidError, match="pixels"):
        avatar(picture(size=(101, 100)))


@given(st.data())
def test_no_broken_picture_breaks_more_than_itself(data: st.DataObject) -> None:
    content = bytearray(picture(data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"])), size=(9, 9)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidError):
        assert avatar(bytes(content)).size == (SIDE, SIDE)
