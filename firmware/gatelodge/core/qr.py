"""QR codes (ISO/IEC 18004): bytes in, a square of modules out.

Byte mode, level M (15 % may be lost), versions 1 to 12. Made for a slow processor: a row or a column of
modules is one integer (bit x is module x), so that masking is one exclusive-or a row and the penalty of a
mask is counted in whole rows. Numbers in the comments are sections of ISO/IEC 18004:2015.
"""

from gatelodge.contract.errors import ValueRangeError

MOST_BYTES = 287  # version 12, level M
QUIET = 4  # light modules around the code (9.1)

# By version, from 1, for level M: check codewords a block, blocks (table 9), codewords in all (table 1).
_CHECKS = (10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22)
_BLOCKS = (1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8)
_CODEWORDS = (26, 44, 70, 100, 134, 172, 196, 242, 292, 346, 404, 466)
# Centres of alignment patterns (annex E).
_ALIGNMENT = ((), (6, 18), (6, 22), (6, 26), (6, 30), (6, 34), (6, 22, 38), (6, 24, 42), (6, 26, 46))
_ALIGNMENT += ((6, 28, 50), (6, 30, 54), (6, 32, 58))

# Data masks (7.8.2): dark where true, y down, x right.
_MASKS = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, x: y % 2 == 0,
    lambda y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
_PERIOD = 12  # of every mask, in both directions

_LEVEL_M = 0  # the two bits of table 12
_FREE = 2  # a module that is not part of a function pattern, before data is placed


def encode(data, mask=None):
    """Return the matrix of the bytes: rows of booleans, True is dark, without the quiet zone.

    mask: 0 to 7 for that one, None for the one with the least penalty (7.8.3). ValueRangeError beyond
    MOST_BYTES.
    """
    version = _version_for(len(data))
    size = 17 + 4 * version
    grid = _function_patterns(version, size)
    free = [_bits([module == _FREE for module in row]) for row in grid]
    _place(grid, size, _with_checks(_data_codewords(data, version), version))
    rows = [_bits([module == 1 for module in row]) for row in grid]
    columns = [_bits([row[x] == 1 for row in grid]) for x in range(size)]
    symbol = (rows, columns, free, _transposed(free, size))
    best = None
    for number in range(8) if mask is None else (mask,):
        masked, masked_columns = _masked(symbol, number, size)
        score = 0 if mask is not None else _penalty(masked, masked_columns, size)
        if best is None or score < best[0]:
            best = (score, masked)
    return [[bool(row >> x & 1) for x in range(size)] for row in best[1]]


def to_svg_path(matrix, quiet=QUIET):
    """Return the `d` of a path to be filled, one unit a module, for a picture of view_box(matrix)."""
    parts = []
    at_x = at_y = 0
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                # After z the pen is back at the start of its rectangle: each move is relative to the last.
                left, top, width = start + quiet, y + quiet, x - start
                parts.append("m%d %dh%dv1h-%dz" % (left - at_x, top - at_y, width, width))
                at_x, at_y = left, top
            x += 1
    return "".join(parts)


def view_box(matrix, quiet=QUIET):
    """Return the viewBox that goes with to_svg_path."""
    side = len(matrix) + 2 * quiet
    return "0 0 %d %d" % (side, side)


def _version_for(length):
    for version in range(1, len(_CODEWORDS) + 1):
        if length + _header_bytes(version) <= _data_length(version):
            return version
    raise ValueRangeError("A QR code here holds at most %d bytes, not %d." % (MOST_BYTES, length))


def _header_bytes(version):
    """Mode, count and terminator together: 4 + 8 + 4 bits; from version 10 the count has 16 (table 3)."""
    return 2 if version < 10 else 3


def _data_length(version):
    return _CODEWORDS[version - 1] - _CHECKS[version - 1] * _BLOCKS[version - 1]


def _data_codewords(data, version):
    """7.4.5: mode 0100, the count, the bytes, terminator 0000, then the two pad bytes in turn."""
    header = _header_bytes(version)
    number = (4 << 8 * header - 8 | len(data)) << 8 * len(data) | int.from_bytes(data, "big")
    used = header + len(data)
    length = _data_length(version)
    pads = b"\xec\x11" * ((length - used + 1) // 2)
    return (number << 4).to_bytes(used, "big") + pads[: length - used]


# Error correction (7.5): Reed-Solomon over GF(2^8) by x^8 + x^4 + x^3 + x^2 + 1


def _field():
    """Return (powers, logarithms) of 2; powers twice over, so that a sum of two needs no modulo."""
    powers, logarithms = bytearray(510), bytearray(256)
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value = value << 1 ^ (0x11D if value & 128 else 0)
    return powers, logarithms


def _generator(degree, field):
    """Return the logarithms of the coefficients of (x - 1)(x - 2)(x - 4)... below the leading one."""
    powers, logarithms = field
    polynomial = bytearray(degree)
    polynomial[degree - 1] = 1
    for root in range(degree):
        for i in range(degree):
            product = powers[logarithms[polynomial[i]] + root] if polynomial[i] else 0
            polynomial[i] = product ^ (polynomial[i + 1] if i + 1 < degree else 0)
    return bytes([logarithms[coefficient] for coefficient in polynomial])


def _check_codewords(block, generator, field):
    """Return the remainder of the block divided by the generator."""
    powers, logarithms = field
    degree = len(generator)
    rest = bytearray(block) + bytearray(degree)
    for start in range(len(block)):
        factor = rest[start]
        if factor:
            shift = logarithms[factor]
            at = start
            for coefficient in generator:
                at += 1
                rest[at] ^= powers[coefficient + shift]
    return bytes(rest[len(block) :])


def _with_checks(data, version):
    """7.6: the blocks' data codewords in turn, then their check codewords. Later blocks may be one longer."""
    count = _BLOCKS[version - 1]
    field = _field()
    generator = _generator(_CHECKS[version - 1], field)
    blocks, checks = [], []
    at = 0
    for index in range(count):
        length = len(data) // count + (1 if index >= count - len(data) % count else 0)
        blocks.append(data[at : at + length])
        checks.append(_check_codewords(blocks[-1], generator, field))
        at += length
    return _in_turn(blocks) + _in_turn(checks)


def _in_turn(blocks):
    return bytes([block[i] for i in range(len(blocks[-1])) for block in blocks if i < len(block)])


# Modules


def _function_patterns(version, size):
    """Return rows of bytes: 1 dark, 0 light (format modules, for now), _FREE where data goes."""
    grid = [bytearray(bytes([_FREE]) * size) for _ in range(size)]
    for i in range(size):
        grid[6][i] = grid[i][6] = 1 - i % 2
    for y, x in ((3, 3), (3, size - 4), (size - 4, 3)):
        _ring(grid, y, x, 4, size)
    for x, y in _format_places(size):
        grid[y][x] = 0
    grid[size - 8][8] = 1  # the one that is always dark (7.9.1)
    centres = _ALIGNMENT[version - 1]
    for y in centres:
        for x in centres:
            if (y, x) not in ((6, 6), (6, centres[-1]), (centres[-1], 6)):
                _ring(grid, y, x, 2, size)
    if version >= 7:
        _place_version(grid, version, size)
    return grid


def _ring(grid, y, x, radius, size):
    """Draw a finder (radius 4, with its separator) or an alignment pattern (radius 2)."""
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if 0 <= y + dy < size and 0 <= x + dx < size:
                distance = max(abs(dy), abs(dx))
                grid[y + dy][x + dx] = 1 if distance in ((0, 1, 3) if radius == 4 else (0, 2)) else 0


def _format_places(size):
    """Return (x, y) of format bits 0 to 14, then of their second copy (figure 25)."""
    first = [(8, i + (i > 5)) for i in range(8)] + [(7, 8)] + [(14 - i, 8) for i in range(9, 15)]
    second = [(size - 1 - i, 8) for i in range(8)] + [(8, size - 15 + i) for i in range(8, 15)]
    return first + second


def _format_bits(mask):
    """7.9.1: level and mask with the remainder by BCH (15, 5), made never all light."""
    value = _LEVEL_M << 3 | mask
    return (value << 10 | _remainder(value << 10, 0x537, 10)) ^ 0x5412


def _place_version(grid, version, size):
    """7.10: the version with the remainder by Golay (18, 6), twice."""
    value = version << 12 | _remainder(version << 12, 0x1F25, 12)
    for i in range(18):
        y, x = i // 3, size - 11 + i % 3
        grid[y][x] = grid[x][y] = value >> i & 1


def _remainder(value, divisor, degree):
    while value >> degree:
        shift = 0
        while value >> degree + shift + 1:
            shift += 1
        value ^= divisor << shift
    return value


def _place(grid, size, codewords):
    """7.7.3: two columns at a time from the right, up and down in turn; what is left over stays light."""
    at = 0
    bit = 128
    x = size - 1
    upwards = True
    while x > 0:
        if x == 6:
            x = 5  # the vertical timing pattern
        for y in range(size - 1, -1, -1) if upwards else range(size):
            row = grid[y]
            for column in (x, x - 1):
                if row[column] == _FREE:
                    row[column] = 1 if at < len(codewords) and codewords[at] & bit else 0
                    bit >>= 1
                    if not bit:
                        bit = 128
                        at += 1
        upwards = not upwards
        x -= 2


# Masks


def _bits(modules):
    value = 0
    for module in reversed(modules):
        value = value << 1 | module
    return value


def _transposed(rows, size):
    return [_bits([row >> x & 1 for row in rows]) for x in range(size)]


def _masked(symbol, number, size):
    """Return (rows, columns) with the mask applied and its format bits written."""
    rows, columns, free, free_columns = symbol
    mask = _MASKS[number]
    down = _patterns(mask, size)
    across = _patterns(lambda x, y: mask(y, x), size)
    rows = [rows[i] ^ (down[i % _PERIOD] & free[i]) for i in range(size)]
    columns = [columns[i] ^ (across[i % _PERIOD] & free_columns[i]) for i in range(size)]
    value = _format_bits(number)
    for i, (x, y) in enumerate(_format_places(size)):
        if value >> i % 15 & 1:
            rows[y] |= 1 << x
            columns[x] |= 1 << y
    return rows, columns


def _patterns(mask, size):
    """Return the mask's first twelve rows, as wide as the symbol."""
    times = sum([1 << i for i in range(0, size, _PERIOD)])
    return [_bits([mask(y, x) for x in range(_PERIOD)]) * times & (1 << size) - 1 for y in range(_PERIOD)]


def _penalty(rows, columns, size):
    """7.8.3.1: the sum of N1 to N4."""
    dark = sum([_ones(row) for row in rows])
    percent_off = abs(20 * dark - 10 * size * size)  # in twentieths of all modules, times size * size
    balance = 10 * max(0, -(-percent_off // (size * size)) - 1)
    return _line_penalties(rows, size) + _line_penalties(columns, size) + _block_penalty(rows, size) + balance


def _line_penalties(lines, size):
    """N1: a run of n >= 5 like modules costs n - 2. N3: 1:1:3:1:1 with four light beside it costs 40."""
    inside = (1 << size - 1) - 1
    wide = (1 << size - 10) - 1
    total = 0
    for line in lines:
        same = ~(line ^ line >> 1) & inside  # bit x: modules x and x + 1 are alike
        runs = same & same >> 1
        runs &= runs >> 2  # bit x: a run of five begins at x or before, and goes on to x + 4
        if runs:
            total += _ones(runs) + 2 * _ones(runs & ~(runs << 1))
        light = ~line
        finder = line & light >> 1 & line >> 2 & line >> 3 & line >> 4 & light >> 5 & line >> 6
        if finder:
            four = light & light >> 1 & light >> 2 & light >> 3
            total += 40 * (_ones(finder & four >> 7 & wide) + _ones(finder >> 4 & four & wide))
    return total


def _block_penalty(rows, size):
    """N2: each square of two by two like modules costs 3."""
    inside = (1 << size - 1) - 1
    total = 0
    last_row, last_same = rows[0], ~(rows[0] ^ rows[0] >> 1)
    for row in rows[1:]:
        same = ~(row ^ row >> 1)
        total += _ones(same & last_same & ~(row ^ last_row) & inside)
        last_row, last_same = row, same
    return 3 * total


def _ones(value):
    return bin(value).count("1")
