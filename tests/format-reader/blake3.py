"""BLAKE3 without a key, with 32 bytes of output, as in its specification."""

from struct import pack, unpack

IV = (
    *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
    *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
ROUNDS = 7
MASK = 0xFFFFFFFF
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
BLOCK_BYTES, CHUNK_BYTES = 64, 1024


def turned(word: int, bits: int) -> int:
    return (word >> bits | word << (32 - bits)) & MASK


def mix(state: list[int], at: tuple[int, int, int, int], x: int, y: int) -> None:
    a, b, c, d = at
    for word, right, low in ((x, 16, 12), (y, 8, 7)):
        state[a] = (state[a] + state[b] + word) & MASK
        state[d] = turned(state[d] ^ state[a], right)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = turned(state[b] ^ state[c], low)


def compress(
    chain: tuple[int, ...], block: bytes, counter: int, length: int, flags: int
) -> tuple[int, ...]:
    words = list(unpack("<16I", block.ljust(BLOCK_BYTES, b"\0")))
    state = [*chain, *IV[:4], counter & MASK, counter >> 32, length, flags]
    for _ in range(ROUNDS):
        for index, at in enumerate((*COLUMNS, *DIAGONALS)):
            mix(state, at, words[2 * index], words[2 * index + 1])
        words = [words[place] for place in ORDER]
    return tuple(state[index] ^ state[index + 8] for index in range(8))


def of_chunk(data: bytes, counter: int, root: int) -> tuple[int, ...]:
    blocks = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)] or [b""]
    chain: tuple[int, ...] = IV
    for index, block in enumerate(blocks):
        flags = CHUNK_START if index == 0 else 0
        if index == len(blocks) - 1:
            flags |= CHUNK_END | root
        chain = compress(chain, block, counter, len(block), flags)
    return chain


def of_tree(data: bytes, counter: int, root: int) -> tuple[int, ...]:
    if len(data) <= CHUNK_BYTES:
        return of_chunk(data, counter, root)
    chunks = (len(data) - 1) // CHUNK_BYTES
    left = 1 << (chunks.bit_length() - 1)
    halves = (data[: left * CHUNK_BYTES], data[left * CHUNK_BYTES :])
    chains = of_tree(halves[0], counter, 0), of_tree(halves[1], counter + left, 0)
    return compress(IV, pack("<16I", *chains[0], *chains[1]), 0, BLOCK_BYTES, PARENT | root)


def blake3(data: bytes) -> bytes:
    return pack("<8I", *of_tree(data, 0, ROOT))
