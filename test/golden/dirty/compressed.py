"""Compressed files, complete and damaged, and files whose names contradict their bytes."""

import gzip
import io
import struct
import zipfile
import zlib

from case import Text, accepted, refused, write

columns = ["id:int64", "name:string", "amount:decimal(*,2)"]


def good(i):
    return f"{i},name {i},{i}.50"


def gzipped(content):
    """Stored, not deflated, so that every zlib writes the same bytes."""
    packer = zlib.compressobj(level=0, wbits=31)
    return packer.compress(bytes(content)) + packer.flush()


def zstandard(content, block_size=1000):
    """Raw blocks in one frame. RFC 8878, 3.1.1: no checksum, no content size, a window of 128 KiB."""
    blocks = [content[at : at + block_size] for at in range(0, len(content), block_size)]
    frame = struct.pack("<I", 0xFD2FB528) + bytes([0x00, 0x38])
    for index, block in enumerate(blocks):
        is_last = index == len(blocks) - 1
        frame += struct.pack("<I", len(block) << 3 | int(is_last))[:3] + block
    return frame


def compressed():
    def put(name, about, content, expected, ext):
        write("compressed", name, about, content, expected, ext=ext)

    file = Text("id,name,amount").rows(range(1, 200), good).bad("200,short", "RAGGED_ROW").rows(range(201, 300), good)
    plain = bytes(file.bytes)
    about = "Positions are those of the decompressed bytes."
    put("gzip", about, gzipped(plain), accepted(file, columns), "csv.gz")
    put("zstandard", about, zstandard(plain), accepted(file, columns), "csv.zst")
    half = len(plain) // 2 + 3
    put("gzip-two-members", "Two members in one file, as `cat a.gz b.gz` makes them.", gzipped(plain[:half]) + gzipped(plain[half:]), accepted(file, columns), "csv.gz")
    put("zstandard-two-frames", "Two frames in one file.", zstandard(plain[:half]) + zstandard(plain[half:]), accepted(file, columns), "csv.zst")
    put("gzip-named-csv", "Its first bytes determine the format.", gzipped(plain), accepted(file, columns), "csv")

    packed = gzipped(plain)
    put("gzip-cut-off", "The upload ended early: not even the earlier rows are ingested.", packed[: len(packed) // 2], refused("UNPROCESSABLE", "gzip"), "csv.gz")
    put("gzip-without-its-end", "Only the checksum is missing.", packed[:-8], refused("UNPROCESSABLE", "gzip"), "csv.gz")
    changed = bytearray(packed)
    changed[len(changed) // 2] ^= 0x20
    put("gzip-changed", "One bit is flipped: the checksum reveals it.", changed, refused("UNPROCESSABLE", "gzip"), "csv.gz")
    put("gzip-of-nothing", "An empty file, packed.", gzipped(b""), refused("UNPROCESSABLE", "empty"), "csv.gz")
    put("gzip-and-rubbish", "Bytes after the end that are not a further member.", packed + b"rubbish after it", refused("UNPROCESSABLE", "gzip"), "csv.gz")
    put("csv-named-gzip", "Its name says gzip, its bytes do not: the bytes decide.", plain, accepted(file, columns), "csv.gz")

    packed = bytearray(zstandard(plain))
    put("zstandard-cut-off", "The last block is missing.", packed[: len(packed) - 600], refused("UNPROCESSABLE", "zst"), "csv.zst")
    packed[6 + 1003] |= 0x06
    put("zstandard-corrupt", "A block of the reserved kind.", packed, refused("UNPROCESSABLE", "zst"), "csv.zst")

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as pack:
        pack.writestr(zipfile.ZipInfo("table.csv", (2026, 1, 1, 0, 0, 0)), plain)
    put("zip-named-csv", "An archive may hold many files: unpack it first.", archive.getvalue(), refused("UNPROCESSABLE", "zip"), "csv")
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_STORED) as pack:
        pack.writestr(zipfile.ZipInfo("[Content_Types].xml", (2026, 1, 1, 0, 0, 0)), "<Types/>")
        pack.writestr(zipfile.ZipInfo("xl/workbook.xml", (2026, 1, 1, 0, 0, 0)), "<workbook/>")
    put("workbook", "A spreadsheet.", sheet.getvalue(), refused("UNPROCESSABLE", "csv"), "xlsx")
    put("pdf-named-csv", "No text at all.", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", refused("UNPROCESSABLE"), "csv")
    put("random-bytes", "No text at all.", bytes((i * 197 + i // 7 * 31) % 256 for i in range(4096)), refused("UNPROCESSABLE"), "csv")


assert gzip.decompress(gzipped(b"x")) == b"x"
