import asyncio
import unittest

from gatelodge import log
from gatelodge.contract.errors import LineError
from gatelodge.tasks import Tasks, with_deadline


async def forever(events):
    try:
        await asyncio.sleep(3600)
    finally:
        events.append("ended")


async def failing():
    raise ValueError("broken part")


class TasksTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        log.configure("/dev/null")

    def tearDown(self):
        log.configure()

    async def test_close_cancels_every_task_and_waits_for_its_end(self):
        tasks, events = Tasks("test"), []
        tasks.start(forever(events), "first")
        tasks.start(forever(events), "second")
        await asyncio.sleep(0)
        await tasks.close()
        self.assertEqual(events, ["ended", "ended"])
        self.assertEqual(len(tasks), 0)

    async def test_a_failure_is_logged_and_told_to_the_owner(self):
        told = []
        tasks = Tasks("test", lambda error, name: told.append((str(error), name)))
        result = await tasks.start(failing(), "the part")
        self.assertIsNone(result)
        self.assertEqual(told, [("broken part", "the part")])
        self.assertIn("the part failed", " ".join(log.lines()))

    async def test_a_task_may_close_its_own_owner(self):
        tasks, events = Tasks("test"), []

        async def closer():
            await tasks.close()
            events.append("closer goes on")

        tasks.start(forever(events), "other")
        await asyncio.sleep(0)
        await tasks.start(closer(), "closer")
        self.assertEqual(events, ["ended", "closer goes on"])

    async def test_ended_tasks_are_not_kept(self):
        tasks = Tasks("test")
        for _ in range(5):
            await tasks.start(asyncio.sleep(0), "short")
        self.assertLessEqual(len(tasks._running), 1)

    async def test_a_result_in_time_passes_the_deadline(self):
        async def quick():
            return 7

        self.assertEqual(await with_deadline(quick(), 1000, "the answer"), 7)

    async def test_a_deadline_cancels_and_names_what_was_late(self):
        events = []
        try:
            await with_deadline(forever(events), 20, "the answer")
            self.fail("no deadline")
        except LineError as error:
            self.assertEqual(str(error), "the answer took longer than 0.02 s")
        self.assertEqual(events, ["ended"])


if __name__ == "__main__":
    unittest.main()
