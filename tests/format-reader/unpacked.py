"""The part of MessagePack that the stored format uses: integers, doubles, texts, bytes, arrays."""

from struct import unpack_from
from typing import Any

DEPTH_MAX = 64
# For each marker: how many bytes its length or number has, and how to read it.
SIZES = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
SIZES |= {0xDC: ">H", 0xDD: ">I"}
NUMBERS = {0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
NUMBERS |= {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
WIDTHS = {"B": 1, "H": 2, "I": 4, "Q": 8, "b": 1, "h": 2, "i": 4, "q": 8, "d": 8}


def unpacked(data: bytes) -> Any:
    """Decodes bytes that hold exactly one structure."""
    structure, end = read(data, 0, 0)
    if end != len(data):
        raise ValueError("bytes after the end of a structure")
    return structure


def read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    marker, at = data[at], at + 1
    if marker <= 0x7F or marker >= 0xE0:
        return (marker if marker <= 0x7F else marker - 0x100), at
    if marker in NUMBERS:
        code = NUMBERS[marker]
        return unpack_from(code, data, at)[0], at + WIDTHS[code[1]]
    if 0x90 <= marker <= 0xBF:
        length = marker & (0x0F if marker < 0xA0 else 0x1F)
    elif marker in SIZES:
        code = SIZES[marker]
        length, at = unpack_from(code, data, at)[0], at + WIDTHS[code[1]]
    else:
        raise ValueError(f"a marker that the format does not use: {marker:#x}")
    if marker < 0xA0 or marker >= 0xDC:
        return elements(data, at, length, depth + 1)
    part = data[at : at + length]
    if len(part) != length:
        raise ValueError("bytes that end early")
    return (part if 0xC4 <= marker <= 0xC6 else part.decode()), at + length


def elements(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    if depth > DEPTH_MAX:
        raise ValueError("a structure that nests too deeply")
    array = []
    for _ in range(count):
        element, at = read(data, at, depth)
        array.append(element)
    return array, at
