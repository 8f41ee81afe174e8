import unittest

from gatelodge.core.door import BROWSER, SHARE, TURN_MS, TURNED_AWAY, Door, Lane, is_crowd

PLACES = 24
NOW_MS = 100_000
OWNER, NEIGHBOUR, STRANGER = "192.168.1.2", "192.168.1.3", "192.168.1.66"
QUEUE = 1024  # that the kernel holds, of whoever connects


class Held:
    is_closed = False

    def __init__(self, address, since_ms=NOW_MS):
        self.peer = (address, 1)
        self.yields_since_ms = since_ms


def crowd(address, count, since_ms=0):
    return [Held(address, since_ms + number) for number in range(count)]


class Home:
    """The places, and a queue of newcomers that find their way by one look after the other."""

    def __init__(self, streams, known=()):
        self.streams = list(streams)
        self.known = set(known)
        self.ended = []  # the last of them

    def come(self, addresses, now_ms=NOW_MS):
        """Those who were let in."""
        door, found = Door(self.streams, PLACES, lambda: self.known, now_ms), []
        for address in addresses:
            ended = door.way_for(address)
            if ended is TURNED_AWAY:
                continue
            if ended is not None:
                self.ended = self.ended[-PLACES:] + [ended]
                self.streams.remove(ended)
            found.append(Held(address, now_ms))
            door.entered(found[-1])
            self.streams.append(found[-1])
        return found


class TestDoor(unittest.TestCase):
    def test_a_newcomer_takes_a_free_place_from_nobody(self):
        home = Home(crowd(STRANGER, PLACES - 1))
        self.assertEqual((len(home.come([OWNER])), home.ended), (1, []))

    def test_with_all_taken_the_one_of_the_crowd_that_yields_longest_is_ended(self):
        neighbour, strangers = Held(NEIGHBOUR, 1), crowd(STRANGER, PLACES - 1, 20)
        home = Home([neighbour] + strangers)
        home.come([OWNER])
        self.assertEqual(home.ended, [strangers[0]])

    def test_what_does_not_yield_is_ended_for_nobody(self):
        lasting = [Held(STRANGER, None) for _ in range(PLACES)]
        self.assertTrue(Door(lasting, PLACES, set, NOW_MS).is_shut)
        self.assertFalse(Door(lasting[1:], PLACES, set, NOW_MS).is_shut)
        self.assertEqual(Home(lasting).come([OWNER]), [])

    def test_an_address_ends_none_of_its_own_that_has_not_had_its_turn(self):
        home = Home(crowd(STRANGER, PLACES, NOW_MS - PLACES))
        self.assertEqual(home.come([STRANGER] * 9), [])
        self.assertEqual(len(home.come([STRANGER] * 9, NOW_MS + TURN_MS - PLACES)), 1)

    def test_who_stands_behind_a_full_queue_of_a_crowd_gets_in_by_the_same_look_and_stays(self):
        home = Home(crowd(STRANGER, PLACES))
        came = home.come([STRANGER] * QUEUE + [OWNER] + [STRANGER] * QUEUE)
        (ours,) = [each for each in came if each.peer[0] == OWNER]
        for now_ms in range(NOW_MS, NOW_MS + 100 * TURN_MS, TURN_MS):
            home.come([STRANGER] * QUEUE, now_ms)
        self.assertIn(ours, home.streams)
        self.assertEqual(home.ended[-1].yields_since_ms, now_ms - TURN_MS)  # they end one another's

    def test_who_is_signed_in_keeps_a_browsers_connections_from_strangers_of_any_number_of_addresses(self):
        ours = crowd(OWNER, BROWSER)
        home = Home(ours + crowd(STRANGER, PLACES - BROWSER, NOW_MS), known=[OWNER])
        for number in range(1000):
            home.come(["10.0.%d.%d" % (number // 250, number % 250)])  # noqa: UP031
        self.assertEqual([each for each in ours if each not in home.streams], [])
        self.assertEqual(len(home.come([OWNER])), 1)  # and finds a place at once

    def test_more_than_a_browsers_are_kept_from_nobody(self):
        ours = crowd(OWNER, PLACES)
        home = Home(ours, known=[OWNER])
        self.assertEqual(len(home.come([STRANGER])), 1)
        self.assertEqual(home.ended, ours[:1])

    def test_where_all_places_are_kept_a_stranger_is_turned_away_and_the_signed_in_are_not(self):
        owners = ["192.168.1.%d" % number for number in range(PLACES // BROWSER)]  # noqa: UP031
        home = Home([each for owner in owners for each in crowd(owner, BROWSER)], known=owners + [NEIGHBOUR])
        self.assertEqual(home.come([STRANGER]), [])
        self.assertEqual(len(home.come([NEIGHBOUR])), 1)

    def test_who_is_signed_in_is_asked_for_once_in_a_look_and_not_while_there_is_room(self):
        asked = []
        door = Door(crowd(STRANGER, PLACES - 1), PLACES, lambda: asked.append(1) or set(), NOW_MS)
        door.entered(Held(STRANGER)) if door.way_for(STRANGER) is None else None
        self.assertEqual(asked, [])
        for address in (OWNER, NEIGHBOUR, STRANGER):
            self.assertIsInstance(door.way_for(address), Held)
            door.entered(Held(address))
        self.assertEqual(asked, [1])


class TestLane(unittest.TestCase):
    def test_a_crowd_is_more_than_a_browser_opens(self):
        streams = crowd(STRANGER, BROWSER + 1) + crowd(OWNER, BROWSER)
        self.assertTrue(is_crowd(streams[0], streams))
        self.assertFalse(is_crowd(streams[-1], streams))
        streams[0].is_closed = True
        self.assertFalse(is_crowd(streams[1], streams))

    def test_the_handshakes_of_crowds_begin_one_after_another_and_leave_the_others_their_time(self):
        lane, now_ms, taken_ms, last_ended_ms = Lane(), 0, 0, -1000
        while now_ms < 10_000:
            if lane.left_ms(now_ms) == 0:
                self.assertGreaterEqual(now_ms - last_ended_ms, 35 * (SHARE - 1))
                lane.took(now_ms, now_ms + 35)
                now_ms, taken_ms = now_ms + 35, taken_ms + 35
                last_ended_ms = now_ms
            now_ms += 1
        self.assertLessEqual(taken_ms, 10_000 // SHARE + 35)

    def test_nobody_waits_before_the_first(self):
        self.assertEqual(Lane().left_ms(5), 0)


if __name__ == "__main__":
    unittest.main()
