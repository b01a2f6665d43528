"""The 25 codes of two bytes that the edition of 2000 gave private-use characters, and what they are by now.

Written down by hand, apart from the table of `standards/encodings.py`: code, character, code of four bytes.
"""

#: Written with two bytes; the old code of four bytes is still read.
SWAPPED = (
    (b"\xa6\xd9", "\ufe10", b"\x84\x31\x82\x36"),
    (b"\xa6\xda", "\ufe12", b"\x84\x31\x82\x38"),
    (b"\xa6\xdb", "\ufe11", b"\x84\x31\x82\x37"),
    (b"\xa6\xdc", "\ufe13", b"\x84\x31\x82\x39"),
    (b"\xa6\xdd", "\ufe14", b"\x84\x31\x83\x30"),
    (b"\xa6\xde", "\ufe15", b"\x84\x31\x83\x31"),
    (b"\xa6\xdf", "\ufe16", b"\x84\x31\x83\x32"),
    (b"\xa6\xec", "\ufe17", b"\x84\x31\x83\x33"),
    (b"\xa6\xed", "\ufe18", b"\x84\x31\x83\x34"),
    (b"\xa6\xf3", "\ufe19", b"\x84\x31\x83\x35"),
    (b"\xa8\xbc", "\u1e3f", b"\x81\x35\xf4\x37"),
    (b"\xfe\x59", "\u9fb4", b"\x82\x35\x90\x37"),
    (b"\xfe\x61", "\u9fb5", b"\x82\x35\x90\x38"),
    (b"\xfe\x66", "\u9fb6", b"\x82\x35\x90\x39"),
    (b"\xfe\x67", "\u9fb7", b"\x82\x35\x91\x30"),
    (b"\xfe\x6d", "\u9fb8", b"\x82\x35\x91\x31"),
    (b"\xfe\x7e", "\u9fb9", b"\x82\x35\x91\x32"),
    (b"\xfe\x90", "\u9fba", b"\x82\x35\x91\x33"),
    (b"\xfe\xa0", "\u9fbb", b"\x82\x35\x91\x34"),
)
#: Written with four bytes, in every edition.
DOUBLED = (
    (b"\xfe\x51", "\U00020087", b"\x95\x32\x90\x31"),
    (b"\xfe\x52", "\U00020089", b"\x95\x32\x90\x33"),
    (b"\xfe\x53", "\U000200cc", b"\x95\x32\x97\x30"),
    (b"\xfe\x6c", "\U000215d7", b"\x95\x36\xb9\x37"),
    (b"\xfe\x76", "\U0002298f", b"\x96\x30\xba\x35"),
    (b"\xfe\x91", "\U000241fe", b"\x96\x35\xb6\x30"),
)
#: All, each with what stands around it in a table: code and character.
CODES = tuple((code, character) for code, character, _ in SWAPPED + DOUBLED)
BYTES = b"".join(code for code, _ in CODES)
TEXT = "".join(character for _, character in CODES)
#: The private-use characters of the edition of 2000.  Nobody can write them in GB 18030 any more.
GONE = "".join(map(chr, (*range(0xE78D, 0xE797), 0xE7C7, 0xE816, 0xE817, 0xE818, 0xE81E, 0xE826, 0xE82B, 0xE82C))) + (
    "\ue831\ue832\ue83b\ue843\ue854\ue855\ue864"
)
