"""Image files of every kind that Pillow writes and of some that it only reads, small, and damaged copies of them."""

import io
import random
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

rng = np.random.default_rng(3)
random.seed(3)
files = {}


def smooth(channels, width=21, height=17):
    small = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, channels)).astype("u1")
    planes = [np.asarray(Image.fromarray(small[..., c]).resize((width, height))) for c in range(channels)]
    return np.stack(planes, -1)


def save(name, image, format=None, **options):
    buffer = io.BytesIO()
    image.save(buffer, format or name.split(".")[-1].replace("jpg", "jpeg").replace("tif", "tiff"), **options)
    files[name] = buffer.getvalue()


def chunk(kind, data, crc=None):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)


def png(header, *chunks):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def png_rows(values, bits, step=1):
    def row(line):
        if bits == 16:
            return line.astype(">u2").tobytes()
        text = "".join(format(v, f"0{bits}b") for v in line)
        text += "0" * (-len(text) % 8)
        return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))

    return b"".join(b"\0" + row(line) for line in values)


def ihdr(width, height, bits, colour, interlaced=0, method=0):
    return struct.pack(">IIBBBBB", width, height, bits, colour, 0, method, interlaced)


rgb, rgba = Image.fromarray(smooth(3)), Image.fromarray(smooth(4))
grey, cmyk = Image.fromarray(smooth(1)[..., 0]), Image.fromarray(smooth(4), "CMYK")
la = Image.merge("LA", rgba.split()[:2])
deep = Image.fromarray((smooth(1)[..., 0].astype("u2") * 3))
bilevel, palette = grey.convert("1"), rgb.quantize(64)


def jpegs():
    for subsampling in (0, 1, 2):
        save(f"subsampling-{subsampling}.jpg", rgb, subsampling=subsampling, quality=85)
    save("quality-30.jpg", rgb, quality=30)
    save("progressive.jpg", rgb, progressive=True)
    save("restart-markers.jpg", rgb, restart_marker_rows=1)
    save("stored-as-rgb.jpg", rgb, keep_rgb=True)
    save("one-pixel.jpg", rgb.crop((0, 0, 1, 1)))
    save("grey.jpg", grey)
    save("cmyk.jpg", cmyk, quality=90)
    adobe = files["cmyk.jpg"].index(b"\xff\xee")
    length = 2 + struct.unpack(">H", files["cmyk.jpg"][adobe + 2 : adobe + 4])[0]
    files["cmyk-without-adobe.jpg"] = files["cmyk.jpg"][:adobe] + files["cmyk.jpg"][adobe + length :]
    ycck = bytearray(files["cmyk.jpg"])
    ycck[adobe + 15] = 2
    files["ycck.jpg"] = bytes(ycck)
    exif = Image.Exif()
    exif[0x112] = 6
    save("exif-orientation.jpg", rgb, exif=exif)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    save("colour-profile.jpg", rgb, icc_profile=profile)
    whole = files["subsampling-2.jpg"]
    frame = whole.index(b"\xff\xc0")
    files["trailing-bytes.jpg"] = whole + b"more"
    files["fill-bytes.jpg"] = whole[:frame] + b"\xff\xff" + whole[frame:]
    files["12-bits.jpg"] = whole[: frame + 4] + b"\x0c" + whole[frame + 5 :]
    files["two-components.jpg"] = whole[: frame + 9] + b"\x02" + whole[frame + 10 :]
    files["no-size.jpg"] = whole[: frame + 5] + b"\0\0\0\0" + whole[frame + 9 :]
    save("mpo.mpo", rgb, format="MPO", save_all=True, append_images=[rgb.rotate(90)])


def pngs():
    save("rgb.png", rgb), save("rgba.png", rgba), save("grey.png", grey), save("grey-alpha.png", la)
    save("palette.png", palette), save("palette-4-bits.png", rgb.quantize(13), bits=4)
    save("palette-transparent.png", palette, transparency=3)
    save("palette-alpha.png", palette, transparency=bytes(range(64)))
    save("grey-transparent.png", grey, transparency=100)
    save("rgb-transparent.png", rgb, transparency=(1, 2, 3))
    save("black-white.png", bilevel)
    save("apng.png", rgb, save_all=True, append_images=[rgb.rotate(90)])
    save("apng-own-default.png", rgb, save_all=True, append_images=[rgb.rotate(90)], default_image=True)
    for bits in (1, 2, 4):
        rows = png_rows(rng.integers(0, 2**bits, (10, 23)), bits)
        files[f"grey-{bits}-bits.png"] = png(ihdr(23, 10, bits, 0), chunk(b"IDAT", zlib.compress(rows)))
        colours = bytes(rng.integers(0, 256, 3 * 2**bits - 3).astype("u1"))
        rows = png_rows(rng.integers(0, 2**bits, (10, 23)), bits)
        files[f"palette-{bits}-bits-short.png"] = png(
            ihdr(23, 10, bits, 3), chunk(b"PLTE", colours), chunk(b"IDAT", zlib.compress(rows))
        )
    for name, most in (("", 65536), ("-dark", 400)):
        rows = png_rows(rng.integers(0, most, (10, 20)), 16)
        files[f"grey-16-bits{name}.png"] = png(ihdr(20, 10, 16, 0), chunk(b"IDAT", zlib.compress(rows)))
    for name, channels, kind in (("rgb", 3, 2), ("grey-alpha", 2, 4), ("rgba", 4, 6)):
        rows = png_rows(rng.integers(0, 65536, (10, 20 * channels)), 16)
        files[f"{name}-16-bits.png"] = png(ihdr(20, 10, 16, kind), chunk(b"IDAT", zlib.compress(rows)))
    # Adam7, each pass by itself; 8 bits grey and palette of 2 bits.
    for bits, kind, more in ((8, 0, ()), (2, 3, (chunk(b"PLTE", bytes(range(12))),))):
        data = b""
        values = rng.integers(0, 2**bits, (11, 13))
        for y, dy, x, dx in ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)):
            data += png_rows(values[y::dy, x::dx], bits)
        files[f"interlaced-{bits}-bits.png"] = png(ihdr(13, 11, bits, kind, 1), *more, chunk(b"IDAT", zlib.compress(data)))
        files[f"interlaced-{bits}-bits-5-rows.png"] = png(
            ihdr(13, 11, bits, kind, 1), *more, chunk(b"IDAT", zlib.compress(data[: len(png_rows(values[0::8, 0::8], bits))]))
        )
    rows = png_rows(rng.integers(0, 256, (10, 20)), 8)
    data = zlib.compress(rows)
    idat = chunk(b"IDAT", data)
    head = ihdr(20, 10, 8, 0)
    files["two-chunks.png"] = png(head, chunk(b"IDAT", data[:50]), chunk(b"IDAT", data[50:]))
    files["wrong-crc-of-data.png"] = png(head, chunk(b"IDAT", data, 1))
    files["wrong-crc-of-header.png"] = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head, 1) + idat
    files["wrong-crc-of-text.png"] = png(head, chunk(b"tEXt", b"a\0b", 1), idat)
    files["wrong-crc-of-text-behind.png"] = png(head, idat, chunk(b"tEXt", b"a\0b", 1))
    files["wrong-checksum-of-data.png"] = png(head, chunk(b"IDAT", data[:-1] + bytes([data[-1] ^ 1])))
    files["checksum-missing.png"] = png(head, chunk(b"IDAT", data[:-4]))
    files["no-end.png"] = png(head, idat)[:-12]
    files["cut-behind-data.png"] = png(head, idat, chunk(b"tEXt", b"a\0bcd"))[:-16]
    files["too-few-rows.png"] = png(head, chunk(b"IDAT", zlib.compress(rows[: 21 * 4])))
    files["half-a-row.png"] = png(head, chunk(b"IDAT", zlib.compress(rows[: 21 * 4 + 9])))
    files["too-many-rows.png"] = png(head, chunk(b"IDAT", zlib.compress(rows + rows)))
    files["unknown-filter.png"] = png(head, chunk(b"IDAT", zlib.compress(b"\x07" + rows[1:])))
    files["unknown-method.png"] = png(ihdr(20, 10, 8, 0, 0, 3), idat)
    files["unknown-colour.png"] = png(ihdr(20, 10, 8, 5), idat)
    files["no-data.png"] = png(head)
    files["no-palette.png"] = png(ihdr(20, 10, 8, 3), idat)
    files["long-palette.png"] = png(ihdr(20, 10, 8, 3), chunk(b"PLTE", bytes(771)), idat)
    files["short-trns.png"] = png(head, chunk(b"tRNS", b"\0"), idat)
    files["short-gamma.png"] = png(head, chunk(b"gAMA", b"\0\0"), idat)
    files["short-gamma-behind.png"] = png(head, idat, chunk(b"gAMA", b"\0\0"))
    files["long-text.png"] = png(head, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 21))), idat)
    files["damaged-text.png"] = png(head, chunk(b"zTXt", b"a\0\0damaged"), idat)
    files["no-pixels.png"] = png(ihdr(0, 10, 8, 0), idat)


def gif_codes(pixels, bits=8):
    """Codes of 9 bits, cleared often enough to stay so."""
    codes = []
    for i, p in enumerate(pixels):
        if i % 200 == 0:
            codes.append(256)
        codes.append(p)
    codes.append(257)
    number = sum(code << (9 * i) for i, code in enumerate(codes))
    data = number.to_bytes((9 * len(codes) + 7) // 8, "little")
    blocks = b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255))
    return bytes([bits]) + blocks + b"\0"


def gif(canvas, frame, pixels, palette=None, local=None, transparent=None, interlaced=False, before=b"", end=b";"):
    flags = lambda table: 0x80 | (len(table) // 3).bit_length() - 2 if table else 0
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, flags(palette), 7, 0) + (palette or b"") + before
    if transparent is not None:
        head += b"!\xf9\x04" + bytes([1 | 2 << 2, 0, 0, transparent]) + b"\0"
    head += b"," + struct.pack("<HHHHB", *frame, flags(local) | (64 if interlaced else 0)) + (local or b"")
    return head + gif_codes(pixels) + end


def gifs():
    save("palette.gif", palette), save("grey.gif", grey), save("rgba.gif", rgba)
    save("transparent.gif", palette, transparency=5)
    save("animated.gif", rgb, save_all=True, append_images=[rgb.rotate(90)], disposal=2)
    save("interlaced.gif", palette, interlace=1)
    colours = bytes(rng.integers(0, 256, 768).astype("u1"))
    local = bytes(rng.integers(0, 256, 768).astype("u1"))
    pixels = [int(v) for v in rng.integers(0, 256, 6 * 5)]
    files["small-frame.gif"] = gif((10, 9), (2, 3, 6, 5), pixels, colours)
    files["small-transparent-frame.gif"] = gif((10, 9), (2, 3, 6, 5), pixels, colours, transparent=9)
    files["local-palette.gif"] = gif((6, 5), (0, 0, 6, 5), pixels, colours, local)
    files["short-palette.gif"] = gif((6, 5), (0, 0, 6, 5), pixels, colours[:48])
    files["local-greys.gif"] = gif((6, 5), (0, 0, 6, 5), pixels, colours, bytes(i // 3 for i in range(48)))
    files["no-palette.gif"] = gif((6, 5), (0, 0, 6, 5), pixels)
    files["grey-palette.gif"] = gif((6, 5), (0, 0, 6, 5), pixels, bytes(i // 3 for i in range(48)))
    files["frame-beyond-canvas.gif"] = gif((4, 4), (2, 3, 6, 5), pixels, colours)
    files["no-canvas.gif"] = gif((0, 0), (0, 0, 6, 5), pixels, colours)
    files["interlaced-small-frame.gif"] = gif((10, 9), (2, 3, 6, 5), pixels, colours, interlaced=True)
    files["comment.gif"] = gif((6, 5), (0, 0, 6, 5), pixels, colours, before=b"!\xfe\x03abc\0!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    files["too-few-pixels.gif"] = gif((6, 5), (0, 0, 6, 5), pixels[:-3], colours)
    files["too-many-pixels.gif"] = gif((6, 5), (0, 0, 6, 5), pixels + pixels, colours)
    files["no-end.gif"] = gif((6, 5), (0, 0, 6, 5), pixels, colours, end=b"")
    files["no-frame.gif"] = b"GIF89a" + struct.pack("<HHBBB", 6, 5, 0, 0, 0) + b";"
    files["empty-frame.gif"] = gif((6, 5), (0, 0, 0, 5), [], colours)
    files["version.gif"] = files["palette.gif"].replace(b"GIF87a", b"GIF88a").replace(b"GIF89a", b"GIF88a")


def bmp(bits, data, width, height, colours=b"", header=40, compression=0, masks=b"", used=0):
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(data), 0, 0, used, 0)
        info += masks if header == 40 else masks.ljust(header - 40, b"\0")
    offset = 14 + len(info) + len(colours)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + colours + data


def bmps():
    save("rgb.bmp", rgb), save("grey.bmp", grey), save("bilevel.bmp", bilevel), save("palette.bmp", palette), save("rgba.bmp", rgba)
    noise = lambda n: bytes(rng.integers(0, 256, n).astype("u1"))
    for bits, stride in ((1, 4), (4, 8), (8, 16), (16, 28), (24, 40), (32, 52)):
        colours = noise(4 * 2**bits) if bits <= 8 else b""
        files[f"{bits}-bits.bmp"] = bmp(bits, noise(stride * 7), 13, 7, colours)
        files[f"{bits}-bits-downwards.bmp"] = bmp(bits, noise(stride * 7), 13, -7, colours)
        if bits != 16 and bits != 32:
            colours = noise(3 * 2**bits) if bits <= 8 else b""
            files[f"{bits}-bits-os2.bmp"] = bmp(bits, noise(stride * 7), 13, 7, colours, header=12)
    files["few-colours.bmp"] = bmp(8, bytes(i % 5 for i in range(16 * 7)), 13, 7, noise(20), used=5)
    files["grey-colours-of-4-bits.bmp"] = bmp(4, noise(8 * 7), 13, 7, b"".join(bytes([i, i, i, 0]) for i in range(16)))
    masks = lambda *values: struct.pack(f"<{len(values)}I", *values)
    for name, bits, stride, values in (
        ("565", 16, 28, (0xF800, 0x7E0, 0x1F)),
        ("555", 16, 28, (0x7C00, 0x3E0, 0x1F)),
        ("444", 16, 28, (0xF00, 0xF0, 0xF)),
        ("bgrx", 32, 52, (0xFF0000, 0xFF00, 0xFF)),
        ("xbgr", 32, 52, (0xFF000000, 0xFF0000, 0xFF00)),
        ("zero", 32, 52, (0, 0, 0)),
    ):
        files[f"masks-{name}.bmp"] = bmp(bits, noise(stride * 7), 13, 7, compression=3, masks=masks(*values))
    files["masks-rgba.bmp"] = bmp(32, noise(52 * 7), 13, 7, header=108, compression=3, masks=masks(0xFF, 0xFF00, 0xFF0000, 0xFF000000))
    files["masks-bgar.bmp"] = bmp(32, noise(52 * 7), 13, 7, header=124, compression=3, masks=masks(0xFF000000, 0xFF00, 0xFF, 0xFF0000))
    colours = noise(1024)
    runs = b"".join(bytes([5, i, 3, i + 1, 0, 5]) + bytes(range(5)) + b"\0" + b"\0\0" for i in range(7)) + b"\0\1"
    files["rle8.bmp"] = bmp(8, runs, 13, 7, colours, compression=1)
    files["rle8-delta.bmp"] = bmp(8, b"\x04\x09\0\2\x03\x02" + b"\x05\x08\0\0" * 5 + b"\0\1", 13, 7, colours, compression=1)
    files["rle8-short.bmp"] = bmp(8, b"\x0d\x09\0\0\x0d\x08\0\1", 13, 7, colours, compression=1)
    runs = b"".join(bytes([6, 0x12, 0, 7, 0x34, 0x56, 0x78, 0x90, 0, 0]) for _ in range(7)) + b"\0\1"
    files["rle4.bmp"] = bmp(4, runs, 13, 7, colours[:64], compression=2)
    files["jpeg-inside.bmp"] = bmp(24, noise(40 * 7), 13, 7, compression=4)
    files["unknown-header.bmp"] = bmp(24, noise(40 * 7), 13, 7, header=44)
    files["unknown-bits.bmp"] = bmp(2, noise(4 * 7), 13, 7)
    files["cut.bmp"] = files["24-bits.bmp"][:-9]
    files["cut-padding.bmp"] = files["24-bits.bmp"][:-1]
    files["dib.dib"] = files["24-bits.bmp"][14:]


def tiffs():
    images = {"rgb": rgb, "rgba": rgba, "grey": grey, "grey-alpha": la, "palette": palette, "bilevel": bilevel, "cmyk": cmyk, "16-bits": deep}
    images["integer"] = deep.convert("I")
    images["float"] = grey.convert("F").point(lambda v: v * 1.7 - 30)
    for name, image in images.items():
        for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            save(f"{name}-{compression or 'raw'}.tif", image, compression=compression)
    for name in ("rgb", "grey", "16-bits"):
        save(f"{name}-predictor.tif", images[name], compression="tiff_lzw", tiffinfo={317: 2})
        save(f"{name}-strips.tif", images[name], compression="tiff_adobe_deflate", tiffinfo={278: 8})
    for compression in ("group3", "group4", "tiff_ccitt"):
        save(f"bilevel-{compression}.tif", bilevel, compression=compression)
    save("rgb-jpeg.tif", rgb, compression="jpeg", quality=80)
    save("grey-jpeg.tif", grey, compression="jpeg", quality=80)
    for orientation in range(1, 9):
        save(f"orientation-{orientation}.tif", rgb, tiffinfo={274: orientation})
    save("pages.tif", rgb, save_all=True, append_images=[grey])
    save("lab.tif", rgb.convert("LAB")) if False else None
    save("big-tiff.tif", rgb, big_tiff=True)
    for order in "<>":
        for name, photometric, values, bits, extra in (
            ("white-is-zero", 0, rng.integers(0, 256, (7, 5)).astype("u1"), (8,), None),
            ("grey-16", 1, rng.integers(0, 600, (7, 5)).astype(order + "u2"), (16,), None),
            ("rgb-16", 2, rng.integers(0, 65536, (7, 15)).astype(order + "u2"), (16, 16, 16), None),
            ("rgba-16-premultiplied", 2, rng.integers(0, 65536, (7, 20)).astype(order + "u2"), (16,) * 4, (1,)),
            ("rgba-premultiplied", 2, rng.integers(0, 256, (7, 20)).astype("u1"), (8,) * 4, (1,)),
            ("rgb-two-more", 2, rng.integers(0, 256, (7, 25)).astype("u1"), (8,) * 5, (0, 0)),
            ("cmyk-16", 5, rng.integers(0, 65536, (7, 20)).astype(order + "u2"), (16,) * 4, None),
            ("grey-premultiplied", 1, rng.integers(0, 256, (7, 10)).astype("u1"), (8, 8), (1,)),
            ("float-64", 1, rng.random((7, 5)).astype(order + "f8"), (64,), None),
        ):
            files[f"{name}-{'big' if order == '>' else 'little'}.tif"] = tiff(order, 5, 7, values.tobytes(), photometric, bits, extra)
    values = rng.integers(0, 256, 105).astype("u1").tobytes()
    files["planes.tif"] = tiff("<", 5, 7, values, 2, (8, 8, 8), None, {284: (3, [2])}, 3)
    files["reversed-bits.tif"] = tiff("<", 5, 7, values[:7], 1, (1,), None, {266: (3, [2])})
    files["cut.tif"] = tiff("<", 5, 7, values[:30], 1, (8,), None)
    files["no-strips.tif"] = tiff("<", 5, 7, b"", 1, (8,), None, {}, 0)
    files["no-directory.tif"] = b"II*\0\0\0\0\0"


def tiff(order, width, height, data, photometric, bits, extra, more={}, strips=1):
    """A TIFF of one or more strips without compression."""
    tags = {256: (3, [width]), 257: (3, [height]), 258: (3, bits), 259: (3, [1]), 262: (3, [photometric]), 277: (3, [len(bits)])}
    if strips:
        part = len(data) // strips
        tags |= {273: (4, [8 + i * part for i in range(strips)]), 278: (3, [height]), 279: (4, [part] * strips)}
    if extra:
        tags[338] = (3, extra)
    if bits == (64,):
        tags[339] = (3, [3])
    tags |= more
    data += b"\0" * (len(data) % 2)
    start = 8 + len(data)
    entries, behind = b"", b""
    after = start + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        value = struct.pack(order + ("H" if kind == 3 else "I") * len(values), *values)
        if len(value) > 4:
            value, behind = struct.pack(order + "I", after + len(behind)), behind + value
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    return head + data + struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + behind


def webps():
    save("lossy.webp", rgb, quality=80), save("lossless.webp", rgb, lossless=True)
    save("alpha.webp", rgba, lossless=True), save("alpha-lossy.webp", rgba)
    save("animated.webp", rgb, save_all=True, append_images=[rgb.rotate(90)], lossless=True)
    files["cut.webp"] = files["lossless.webp"][:-40]
    files["unknown-chunk.webp"] = files["lossy.webp"][:12] + b"VP9 " + files["lossy.webp"][16:]


def make():
    for kind in (jpegs, pngs, gifs, bmps, tiffs, webps):
        kind()
    files["empty.jpg"] = b""
    files["text.jpg"] = b"these are not the bytes of an image"
    files["first-bytes.jpg"] = b"\xff\xd8"
    whole = dict(files)
    for name in ("subsampling-2.jpg", "progressive.jpg", "rgb.png", "palette.png", "palette.gif", "8-bits.bmp", "rgb-tiff_lzw.tif", "rgb-raw.tif", "lossy.webp"):
        data = whole[name]
        for share in (0.1, 0.3, 0.6, 0.9):
            files[f"{share}-of-{name}"] = data[: int(len(data) * share)]
        for left in (1, 2, 3):
            files[f"without-{left}-of-{name}"] = data[:-left]
        for copy in range(8):
            damaged = bytearray(data)
            for _ in range(random.choice([1, 1, 3])):
                damaged[random.randrange(len(data) // 4, len(data))] = random.randrange(256)
            files[f"damaged-{copy}-{name}"] = bytes(damaged)
    return files
