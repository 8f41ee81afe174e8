"""Bytes that are almost right: one to four small changes of a sample, drawn from a seeded random.Random."""

INTERESTING = (
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\x7f",
    b"\x85",
    b"\xff",
    b"\xc2\xa0",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"\xc2\xb2",
    b" ",
    b"\t",
    b":",
    b"?",
    b"%",
    b"%zz",
    b"=",
    b";",
    b",",
    b"+",
    b"-",
    b"_1",
    b"0x10",
    b"99999999999",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: a\r\n",
    b" HTTP/1.1",
)


def mutated(sample, samples, random):
    for _ in range(random.randint(1, 4)):
        sample = random.choice(CHANGES)(sample, samples, random)
    return sample


def _place(sample, random):
    return random.randint(0, len(sample))


def _flip(sample, _samples, random):
    if not sample:
        return sample
    at = random.randrange(len(sample))
    return sample[:at] + bytes([sample[at] ^ 1 << random.randrange(8)]) + sample[at + 1 :]


def _insert(sample, _samples, random):
    at = _place(sample, random)
    return sample[:at] + random.choice(INTERESTING) + sample[at:]


def _replace(sample, _samples, random):
    at, new = _place(sample, random), random.choice(INTERESTING)
    return sample[:at] + new + sample[at + len(new) :]


def _cut(sample, _samples, random):
    return sample[: _place(sample, random)]


def _remove(sample, _samples, random):
    at = _place(sample, random)
    return sample[:at] + sample[at + random.randint(1, 8) :]


def _repeat(sample, _samples, random):
    at = _place(sample, random)
    part = sample[at : at + random.randint(1, 40)]
    return sample[:at] + part * random.choice((2, 3, 60)) + sample[at + len(part) :]


def _splice(sample, samples, random):
    other = random.choice(samples)
    return sample[: _place(sample, random)] + other[_place(other, random) :]


def _zeros(sample, _samples, random):
    at = _place(sample, random)
    length = random.randint(1, 32)
    return sample[:at] + bytes(length) + sample[at + length :]


CHANGES = (_flip, _insert, _insert, _replace, _cut, _remove, _repeat, _splice, _zeros)
