"""Avatars: made anew from whatever picture comes, and nothing of it but what is seen."""

import io
import zlib
from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.platform import pictures
from app.platform.errors import InvalidError
from app.platform.pictures import SIDE, AvatarMaker

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
    monkeypatch.setitem(pictures.MOST_PIXELS, "PNG", 100 * 100)

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
