"""Which language is spoken to whom, from which catalogue, and how numbers and times are written in it."""

import asyncio
import binascii
import struct
import unittest

from gatelodge import catalogue, compat, text
from gatelodge.contract import languages
from gatelodge.contract.catalogue import HEAD, HEAD_BYTES, MAGIC, PART, ROW, ROW_BYTES, key_of
from gatelodge.text import P_, _, counted, speak
from gatelodge.web import language, words

NOON = 1795262400  # 21 Nov 2026, 12:00 UTC


def compiled(texts):
    """The bytes of a catalogue, in the plainest way."""
    rows = sorted([(key_of(sentence), texts[sentence].encode()) for sentence in texts])
    place = HEAD_BYTES + ROW_BYTES * (len(rows) + 1)
    table, said = b"", b""
    for key, data in rows:
        table += struct.pack(ROW, key, place + len(said))
        said += data
    return (
        struct.pack(HEAD, MAGIC, len(rows)) + table + struct.pack(ROW, 0xFFFFFFFF, place + len(said)) + said
    )


class Folder:
    """Catalogues on the flash, and English again at the end."""

    def __init__(self, **catalogues):
        self.path = "/tmp/gatelodge-languages-" + str(binascii.hexlify(compat.entropy(6)), "utf-8")
        compat.makedirs(self.path)
        for tag in catalogues:
            with open(self.path + "/" + tag + ".cat", "wb") as file:
                file.write(compiled(catalogues[tag]))
        text.look_in(self.path)

    def close(self):
        text.look_in("")
        for name in compat.listdir(self.path):
            compat.remove(self.path + "/" + name)
        compat.remove_directory(self.path)


class TestChoice(unittest.TestCase):
    def test_the_most_wanted_language_that_is_here_is_taken(self):
        for accepted, tag in (
            ("de", "de"),
            ("de-CH,de;q=0.9,en;q=0.8", "de"),
            ("es-ES,es;q=0.9,fr;q=0.5,nl;q=0.7", "nl"),
            ("ru;q=0.5, uk;q=0.9", "uk"),
            ("uk;q=0.5,ru;q=0.9", "ru"),
            ("EN-gb, de;q=0.9", "en"),
            ("tr;q=1.0", "tr"),
            ("fr,nl", "fr"),
            ("zh-Hant-TW", "en"),
            ("*", "en"),
            ("", "en"),
        ):
            self.assertEqual(languages.best(accepted), tag)

    def test_what_is_refused_or_malformed_counts_for_nothing(self):
        for accepted in (
            "de;q=0",
            "de;q=",
            "de;q=x",
            "de;q=-1",
            "de;q=1e9",
            "de;v=1",
            ";;;,,,",
            "de;q=0.000",
        ):
            self.assertEqual(languages.best(accepted), "en")

    def test_a_long_list_is_read_to_a_bound(self):
        self.assertEqual(languages.best("xx," * languages.MOST_ASKED + "de"), "en")

    def test_what_was_chosen_here_goes_before_what_the_browser_asks(self):
        self.assertEqual(languages.chosen("tr", "de"), "tr")
        for unknown in ("", None, "xx", "../de"):
            self.assertEqual(languages.chosen(unknown, "de"), "de")

    def test_a_head_that_was_refused_is_answered_in_its_language_too(self):
        for raw, tag in (
            (b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Language: de-DE\r\n\r\n", "de"),
            (b"GET / HTTP/1.1\r\nCookie: a=b; __Host-language=tr\r\naccept-language: de\r\n\r\n", "tr"),
            (b"GET / HTTP/1.1\r\nAccept-Language: \xff\xfe\r\n\r\n", "en"),
            (b"", "en"),
            (None, "en"),
        ):
            self.assertEqual(language.of_head(raw), tag)


class TestCounting(unittest.TestCase):
    def test_each_language_has_its_rule(self):
        slavic = [0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 101, 111, 112]
        forms = [2, 0, 1, 1, 2, 2, 2, 2, 0, 1, 2, 0, 2, 2]
        for tag in ("ru", "uk"):
            self.assertEqual([languages.BY_TAG[tag].plural(count) for count in slavic], forms)
        for tag, counts in (("en", [1, 0, 1]), ("de", [1, 0, 1]), ("fr", [0, 0, 1]), ("tr", [0, 0, 0])):
            self.assertEqual([languages.BY_TAG[tag].plural(count) for count in (0, 1, 2)], counts)

    def test_a_sentence_takes_the_form_of_its_count(self):
        folder = Folder(ru={"%d day": PART.join(("%d день", "%d дня", "%d дней"))})
        try:
            days = P_("%d day", "%d days")
            self.assertEqual([counted(count, *days) for count in (1, 2)], ["1 day", "2 days"])
            speak("ru")
            told = [counted(count, *days) for count in (1, 3, 11, 21)]
            self.assertEqual(told, ["1 день", "3 дня", "11 дней", "21 день"])
        finally:
            folder.close()


class TestCatalogue(unittest.TestCase):
    def test_every_sentence_is_found_and_no_other(self):
        texts = {f"sentence {number}": f"Satz {number}, äöü" for number in range(300)}
        folder = Folder(de=texts)
        try:
            found = catalogue.Catalogue(folder.path + "/de.cat")
            for sentence in texts:
                self.assertEqual(found.find(sentence), texts[sentence])
            self.assertEqual(found.find("another"), None)
            self.assertTrue(len(found._held) <= catalogue.MOST_HELD)
            found.close()
        finally:
            folder.close()

    def test_a_file_that_is_none_is_refused(self):
        folder = Folder()
        try:
            for data in (b"", b"GLC", b"no catalogue at all"):
                with open(folder.path + "/de.cat", "wb") as file:
                    file.write(data)
                with self.assertRaises(ValueError):
                    catalogue.Catalogue(folder.path + "/de.cat")
                speak("de")
                self.assertEqual((text.language().tag, _("Sign in")), ("en", "Sign in"))
        finally:
            folder.close()

    def test_what_has_no_translation_is_said_in_english(self):
        folder = Folder(de={"Sign in": "Anmelden"})
        try:
            speak("de")
            self.assertEqual([_("Sign in"), _("Sign out")], ["Anmelden", "Sign out"])
            self.assertEqual(counted(2, *P_("%d cat", "%d cats")), "2 cats")
            speak("nl")  # there is no such file
            self.assertEqual(_("Sign in"), "Sign in")
            self.assertEqual([row.tag for row in text.available()], ["en", "de"])
        finally:
            folder.close()

    def test_few_catalogues_are_open_at_once(self):
        tags = ("de", "fr", "nl", "tr")
        folder = Folder(**{tag: {"Yes": "yes in " + tag} for tag in tags})
        try:
            for tag in tags + tags:
                speak(tag)
                self.assertEqual(_("Yes"), "yes in " + tag)
                self.assertTrue(len(text._Spoken.open) <= text.MOST_OPEN)
        finally:
            folder.close()


class Request:
    language = ""

    def __init__(self, tag):
        self.cookies, self.headers = {language.COOKIE: tag}, {}


class TestTogether(unittest.IsolatedAsyncioTestCase):
    async def test_readers_who_are_answered_by_turns_each_hear_their_own(self):
        folder = Folder(de={"Yes": "Ja"}, fr={"Yes": "Oui"})
        heard = []

        async def wait(tag):
            await asyncio.sleep(0)
            speak("en" if tag == "de" else "de")  # somebody else was answered

        async def answer(tag):
            for _turn in range(5):
                await language.kept(Request(tag), wait(tag))
                heard.append((tag, _("Yes")))

        try:
            await asyncio.gather(answer("de"), answer("fr"), answer("en"))
            self.assertEqual(set(heard), {("de", "Ja"), ("fr", "Oui"), ("en", "Yes")})
        finally:
            folder.close()


class TestWords(unittest.TestCase):
    def test_numbers_and_moments_are_written_as_the_reader_does(self):
        folder = Folder(
            de={
                "%s MB": "%s MB",
                "{day} {month} {year}, {time} UTC": "{day}. {month} {year}, {time} UTC",
                "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec": "J F M A M J J A S O Nov. D",
            }
        )
        try:
            self.assertEqual(words.size(1234567), "1.2 MB")
            self.assertEqual(words.moment(NOON), "21\u00a0Nov\u00a02026, 12:00\u00a0UTC")
            speak("de")
            self.assertEqual(words.size(1234567), "1,2 MB")
            self.assertEqual(words.moment(NOON), "21.\u00a0Nov.\u00a02026, 12:00\u00a0UTC")
        finally:
            folder.close()

    def test_a_span_is_told_by_its_largest_parts_and_the_past_by_one(self):
        self.assertEqual(words.span(90061), "1 day 1 hour")
        self.assertEqual(words.span(0), "0 seconds")
        self.assertEqual(
            [words.ago(4), words.ago(60), words.ago(7300)], ["just now", "1 minute ago", "2 hours ago"]
        )
        self.assertEqual([words.rate(999), words.rate(2500000)], ["999 bit/s", "2.5 Mbit/s"])
        self.assertEqual([words.size(1), words.size(999)], ["1 byte", "999 bytes"])


if __name__ == "__main__":
    unittest.main()
