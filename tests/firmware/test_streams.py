import asyncio
import unittest

from gatelodge import compat, log
from gatelodge.contract.errors import LineError, OurError, ValueRangeError
from gatelodge.core import door
from gatelodge.streams.listener import Listener, serve
from gatelodge.streams.stream import Stream, open_tcp
from gatelodge.tasks import Tasks

HOST = "127.0.0.1"
PORT = 20000 + int.from_bytes(compat.entropy(2), "big") % 10000


def to_hello(answer):
    return lambda came: answer() if came == b"hello" else None


async def echo(stream):
    while True:
        data = await stream.read(100)
        if not data:
            return
        await stream.write(data)


class StreamTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        log.configure("/dev/null")
        self.tasks = Tasks("test")

    async def asyncTearDown(self):
        await self.tasks.close()
        log.configure()

    async def pair(self, handler, max_connections=4):
        """A stream to a listener with that handler."""
        global PORT
        PORT += 1
        self.listener = await serve(HOST, PORT, handler, max_connections=max_connections, owner=self.tasks)
        return await open_tcp(HOST, PORT, 2000)

    async def test_what_is_written_arrives_and_the_end_is_seen(self):
        stream = await self.pair(echo)
        await stream.write(b"hello")
        self.assertEqual(await stream.read_exactly(5), b"hello")
        self.assertEqual(stream.peer, (HOST, PORT))
        stream.close()

    async def test_a_peer_that_sends_single_bytes_is_read_in_whole_messages(self):
        async def drip(stream):
            for byte in b"one\ntwo\nrest":
                await stream.write(bytes([byte]))
                await asyncio.sleep(0)

        stream = await self.pair(drip)
        self.assertEqual(await stream.read_until(b"\n", 10), b"one\n")
        self.assertEqual(await stream.read_until(b"\n", 10), b"two\n")
        self.assertEqual(await stream.read_exactly(4), b"rest")
        self.assertEqual(await stream.read(10), b"")
        self.assertEqual(await stream.read_until(b"\n", 10), b"")

    async def test_a_separator_that_comes_in_two_pieces_is_found(self):
        async def halves(stream):
            await stream.write(b"head\r\n\r")
            await asyncio.sleep(0.02)
            await stream.write(b"\nbody")

        stream = await self.pair(halves)
        self.assertEqual(await stream.read_until(b"\r\n\r\n", 8), b"head\r\n\r\n")
        self.assertEqual(await stream.read(9), b"body")

    async def test_a_message_past_its_limit_is_refused(self):
        async def long(stream):
            await stream.write(b"123456\n")

        stream = await self.pair(long)
        with self.assertRaises(LineError):
            await stream.read_until(b"\n", 6)

    async def test_a_cut_message_is_an_error_and_no_end(self):
        async def cut(stream):
            await stream.write(b"half a li")

        stream = await self.pair(cut)
        with self.assertRaises(LineError):
            await stream.read_until(b"\n", 100)
        with self.assertRaises(LineError):
            await stream.read_exactly(10)

    async def test_a_write_larger_than_every_buffer_arrives_whole(self):
        async def count(stream):
            total = 0
            while total < 3_000_000:
                total += len(await stream.read(65536))
            await stream.write(b"%d" % total)

        stream = await self.pair(count)
        piece = b"x" * 100_000
        for _ in range(30):
            await stream.write(piece)
        self.assertEqual(await stream.read(20), b"3000000")

    async def test_a_silent_peer_meets_the_deadline(self):
        async def silent(stream):
            await asyncio.sleep(60)

        stream = await self.pair(silent)
        stream.timeout_ms = 30
        with self.assertRaises(LineError):
            await stream.read(1)
        with self.assertRaises(LineError):
            await stream.read_exactly(1)

    async def test_a_peer_that_does_not_read_meets_the_deadline_and_closes_the_stream(self):
        async def deaf(stream):
            await asyncio.sleep(20)  # then it leaves, which would be another error

        stream = await self.pair(deaf)
        stream.timeout_ms = 30
        with self.assertRaises(LineError) as refused:
            for _ in range(200):
                await stream.write(b"x" * 100_000)
        self.assertIn("was too slow", str(refused.exception))
        self.assertTrue(stream.is_closed)

    async def test_writing_to_a_peer_that_went_away_is_a_line_error(self):
        async def leave(stream):
            stream.close()

        stream = await self.pair(leave)
        self.assertEqual(await stream.read(1), b"")
        with self.assertRaises(LineError):
            for _ in range(50):
                await stream.write(b"x" * 10_000)
                await asyncio.sleep(0)

    async def test_silence_lasts_until_the_peer_says_something_or_leaves(self):
        turn = asyncio.Event()

        async def speak(stream):
            await turn.wait()
            await stream.write(b"x")
            turn.clear()
            await turn.wait()

        stream = await self.pair(speak)
        self.assertTrue(await stream.is_silent(10))
        turn.set()
        self.assertFalse(await stream.is_silent(60_000))
        self.assertEqual(await stream.read(9), b"x")
        self.assertTrue(await stream.is_silent(10))
        turn.set()
        self.assertFalse(await stream.is_silent(60_000))
        self.assertEqual(await stream.read(9), b"")
        stream.close()

    async def test_what_can_be_answered_at_once_is_and_the_rest_is_read(self):
        async def greet(stream):
            replies = [b"z", b"y", b"x" * 50_000]
            self.heard = await stream.read_unanswered(to_hello(replies.pop), 2000)

        stream = await self.pair(greet)
        for reply in (b"x" * 50_000, b"y", b"z"):
            await stream.write(b"hello")
            self.assertEqual(await stream.read_exactly(len(reply)), reply)
        await stream.write(b"something else")
        self.assertEqual(await stream.read(1), b"")
        self.assertEqual(self.heard, b"something else")

    async def test_what_fails_while_it_is_answered_is_told_to_the_reader(self):
        def fail():
            raise KeyError("a fault of ours")

        async def greet(stream):
            try:
                await stream.read_unanswered(to_hello(fail), 2000)
            except KeyError:
                self.heard = "the fault"

        stream = await self.pair(greet)
        await asyncio.sleep(0)
        await stream.write(b"hello")
        self.assertEqual(await stream.read(1), b"")
        self.assertEqual(self.heard, "the fault")

    async def test_what_comes_in_pieces_or_with_more_is_no_repetition(self):
        async def hear(stream):
            self.heard = [await stream.read_unanswered(to_hello(lambda: b"x"), 2000)]

        for sent in (b"hell", b"hellohello", b"hello "):
            stream = await self.pair(hear)
            await asyncio.sleep(0.01)
            await stream.write(sent)
            self.assertEqual(await stream.read(1), b"")
            self.assertEqual(self.heard, [sent])

    async def test_others_run_while_one_is_asked_again_and_again(self):
        async def greet(stream):
            await stream.read_unanswered(to_hello(lambda: b"x"), 60_000)

        async def count():
            for _ in range(20):
                counted.append(1)
                await asyncio.sleep(0)

        counted = []
        stream = await self.pair(greet)
        counting = asyncio.create_task(count())
        while not counting.done():
            await stream.write(b"hello")
            self.assertEqual(await stream.read(9), b"x")
        self.assertEqual(len(counted), 20)
        stream.close()

    async def test_one_who_asks_nothing_more_meets_the_deadline(self):
        async def greet(stream):
            with self.assertRaises(LineError):
                await stream.read_unanswered(to_hello(lambda: b"x"), 400)
            self.heard = "too slow"

        stream = await self.pair(greet)
        await stream.write(b"hello")
        self.assertEqual(await stream.read_exactly(1), b"x")
        self.assertEqual(await stream.read(1), b"")
        self.assertEqual(self.heard, "too slow")

    async def test_closing_wakes_a_reader_and_a_writer(self):
        async def deaf(stream):
            await asyncio.sleep(60)

        async def ended(coroutine):
            try:
                await coroutine
            except LineError:
                return "line error"
            return "returned"

        async def write_much():
            for _ in range(200):
                await stream.write(b"x" * 100_000)

        stream = await self.pair(deaf)
        reader = self.tasks.start(ended(stream.read(1)), "reader")
        writer = self.tasks.start(ended(write_much()), "writer")
        await asyncio.sleep(0.05)
        stream.close()
        self.assertEqual((await reader, await writer), ("line error", "line error"))

    async def test_cancelling_a_reader_leaves_the_writer_going(self):
        async def slow_reader(stream):
            await asyncio.sleep(0.1)
            while await stream.read(65536):
                pass

        async def write_much():
            for _ in range(50):
                await stream.write(b"x" * 100_000)
            return "all written"

        stream = await self.pair(slow_reader)
        reader = asyncio.create_task(stream.read(1))
        writer = self.tasks.start(write_much(), "writer")
        await asyncio.sleep(0.02)
        reader.cancel()
        self.assertEqual(await writer, "all written")
        stream.close()

    async def test_with_all_places_taken_the_next_one_waits_for_its_turn(self):
        present = []

        async def count(stream):
            present.append(1)
            self.assertLessEqual(len(present), 2)
            await echo(stream)
            present.pop()

        first = await self.pair(count, max_connections=2)
        second, third = await open_tcp(HOST, PORT, 2000), await open_tcp(HOST, PORT, 2000)
        for stream in (first, second, third):
            await stream.write(b"?")
        self.assertEqual((await first.read(1), await second.read(1)), (b"?", b"?"))
        first.close()
        self.assertEqual(await third.read(1), b"?")

    async def full(self, *ages_ms):
        """As many streams as there are places; their other ends yield for so long."""
        ages, streams = list(ages_ms), []

        async def yielding(stream):
            stream.yields_since_ms = compat.monotonic_ms() - ages.pop(0)
            await echo(stream)

        for _ in ages_ms:
            streams.append(
                await open_tcp(HOST, PORT, 2000) if streams else await self.pair(yielding, len(ages))
            )
            await self.assert_answered(streams[-1])
        ages.append(0)
        return streams

    async def assert_answered(self, stream):
        await stream.write(b"?")
        self.assertEqual(await stream.read(1), b"?")

    async def test_with_all_places_taken_a_newcomer_ends_the_one_that_yields_longest(self):
        first, second = await self.full(2000, 1000)
        third = await open_tcp(HOST, PORT, 2000)
        self.assertEqual(await first.read(1), b"")
        await self.assert_answered(second)
        await self.assert_answered(third)

    async def test_a_newcomer_ends_none_of_its_own_address_that_has_not_had_its_turn(self):
        streams = await self.full(-60_000, -60_000)
        third = await open_tcp(HOST, PORT, 2000)
        self.assertEqual(await third.read(1), b"")
        for stream in streams:
            await self.assert_answered(stream)

    async def test_the_handshakes_of_a_crowd_wait_while_the_lane_is_taken_and_nobody_elses_do(self):
        now_ms = compat.monotonic_ms()
        listener = Listener(None, None, None, 9, 10_000, self.tasks, set)
        crowd = [Stream(object(), None, ("127.0.0.2", n)) for n in range(door.BROWSER + 1)]
        other = Stream(object(), None, ("127.0.0.1", 1))
        listener._streams = crowd + [other]
        listener._lane.took(now_ms, now_ms + 1)
        await listener._lane_is_free_for(crowd[0], now_ms + 60_000)  # after a moment
        self.assertEqual(listener._lane.left_ms(compat.monotonic_ms()), 0)
        listener._lane.took(now_ms, now_ms + 60_000)
        await listener._lane_is_free_for(other, now_ms)
        with self.assertRaises(LineError) as refused:
            await listener._lane_is_free_for(crowd[0], now_ms)
        self.assertIn("127.0.0.2 port 0 was one of too many", str(refused.exception))

    async def test_a_handler_that_fails_gives_its_place_and_its_connection_back(self):
        async def fail(stream):
            raise ValueError("broken handler")

        first = await self.pair(fail, max_connections=1)
        self.assertEqual(await first.read(1), b"")
        second = await open_tcp(HOST, PORT, 2000)
        self.assertEqual(await second.read(1), b"")

    async def test_a_closed_listener_is_not_reached_and_its_port_is_free_again(self):
        stream = await self.pair(echo)
        stream.close()
        self.listener.close()
        with self.assertRaises(LineError):
            await open_tcp(HOST, PORT, 2000)
        again = await serve(HOST, PORT, echo, max_connections=1, owner=self.tasks)
        again.close()

    async def test_a_listener_of_one_interface_is_reached_by_it(self):
        global PORT
        PORT += 1
        await serve(HOST, PORT, echo, max_connections=1, owner=self.tasks, interface="lo")
        stream = await open_tcp(HOST, PORT, 2000)
        await stream.write(b"here")
        self.assertEqual(await stream.read_exactly(4), b"here")

    async def test_an_interface_that_is_not_there_is_named(self):
        try:
            await serve(HOST, PORT, echo, max_connections=1, owner=self.tasks, interface="nosuch0")
            self.fail("it listens")
        except OurError as error:
            self.assertIn("of nosuch0 cannot be listened on", str(error))

    async def test_a_taken_port_is_our_own_error(self):
        await self.pair(echo)
        with self.assertRaises(OurError):
            await serve(HOST, PORT, echo, max_connections=1, owner=self.tasks)

    async def test_a_name_is_refused_because_resolving_it_would_block(self):
        with self.assertRaises(ValueRangeError):
            await open_tcp("localhost", PORT, 2000)

    async def test_a_stream_names_its_peer(self):
        self.assertEqual(str(Stream(None, None, ("192.0.2.1", 443))), "192.0.2.1 port 443")


if __name__ == "__main__":
    unittest.main()
